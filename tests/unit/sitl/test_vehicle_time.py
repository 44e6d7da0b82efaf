"""Simulated time and determinism."""

from __future__ import annotations

import hashlib

import pytest

from sitl.weather import Wind
from tests.unit.sitl.ground_station import GUIDED, GroundStation, make_vehicle


def flown(seed: int, step_s: float) -> tuple[str, list[float]]:
    """A gusty flight: digest of every byte sent, and the final state of the body."""
    vehicle = make_vehicle(
        airframe="hex10",
        parameters={"FENCE_ENABLE": 0},
        wind=Wind(from_deg=200, speed_m_s=6, turbulence_m_s=1.5),
        seed=seed,
    )
    station = GroundStation(vehicle)
    station.stream(30, 33)
    station.mode(GUIDED)
    station.arm()
    station.command(22, 0, 0, 0, 0, 0, 0, 25)
    digest = hashlib.sha256()
    for _ in range(round(40 / step_s)):
        vehicle.step(step_s)
        for datagram in vehicle.take_outgoing():
            digest.update(datagram)
    return digest.hexdigest(), [float(number) for number in vehicle.body.s]


def test_equal_seeds_send_equal_bytes_and_other_seeds_do_not() -> None:
    assert flown(5, 0.1) == flown(5, 0.1)
    assert flown(5, 0.1)[0] != flown(6, 0.1)[0]


def test_the_motion_does_not_depend_on_how_time_is_cut() -> None:
    assert flown(5, 0.1)[1] == flown(5, 0.02)[1] == flown(5, 1.0)[1]


def test_fractions_of_a_tick_are_kept() -> None:
    vehicle = make_vehicle()
    for _ in range(1000):
        vehicle.step(0.0137)
    assert vehicle.time_s == pytest.approx(13.7, abs=0.021)
