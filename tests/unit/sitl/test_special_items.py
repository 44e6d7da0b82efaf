"""Circles, setting a load down by touching the ground, and parachutes."""

from __future__ import annotations

import itertools
import math

import pytest

from sitl.payload import LoadState
from tests.unit.sitl.ground_station import AUTO, GroundStation, make_vehicle
from tests.unit.sitl.px4_station import Px4Station, px4

LOITER_TURNS, PAYLOAD_PLACE = 18, 94


def flying_mission(
    items_after_takeoff: list[tuple[int, float, float, float, tuple[float, ...]]], **options: object
) -> GroundStation:
    g = GroundStation(make_vehicle(airframe="hex10", parameters={"FENCE_ENABLE": 0, **options}))
    g.heartbeats = True
    items = [g.item(16), g.item(22, 0, 0, 20)]
    for command, north_m, east_m, up_m, p in items_after_takeoff:
        items.append(g.item(command, north_m, east_m, up_m, p=(*p, *[0.0] * (4 - len(p)))))
    assert g.upload(items) == 0
    assert g.mode(4) == 0
    assert g.arm() == 0
    assert g.command(300) == 0
    assert g.mode(AUTO) == 0
    return g


@pytest.mark.parametrize(("radius_m", "sign"), [(15.0, 1), (15.0, -1)])
def test_a_circle_is_flown_so_many_times_round(radius_m: float, sign: int) -> None:
    g = flying_mission(
        [(LOITER_TURNS, 60, 0, 20, (2, 0, sign * radius_m)), (16, 0, 0, 20, ())], CIRCLE_RATE=20
    )
    vehicle = g.vehicle
    g.run_until(lambda: g.vehicle.autopilot.mission.nav_index == 2, 60)
    g.run_until(lambda: math.hypot(vehicle.body.north_m - 60, vehicle.body.east_m) < radius_m + 0.5, 60)
    bearings, distances = [], []
    while vehicle.autopilot.mission.nav_index == 2:
        g.run(0.1)
        north, east = vehicle.body.north_m - 60, vehicle.body.east_m
        bearings.append(math.atan2(east, north))
        distances.append(math.hypot(north, east))
    turned = sum(math.remainder(b - a, 2 * math.pi) for a, b in itertools.pairwise(bearings))
    assert turned * sign == pytest.approx(4 * math.pi, rel=0.03)
    assert max(distances[50:]) < radius_m + 1.5
    assert min(distances[50:]) > radius_m - 1.5


def test_a_load_is_placed_by_touching_the_ground_and_the_vehicle_rises_again() -> None:
    g = flying_mission([(PAYLOAD_PLACE, 30, 0, 12, (20,)), (16, 0, 0, 15, ())])
    vehicle = g.vehicle
    g.run_until(lambda: vehicle.payload.load is not LoadState.ON_HOOK, 120)
    assert vehicle.payload.load is LoadState.ON_GROUND
    assert vehicle.body.north_m == pytest.approx(30, abs=1)
    g.run_until(lambda: vehicle.body.up_m > 11.5, 60)
    assert vehicle.armed
    assert "PayloadPlace: landed" in g.texts()
    g.run_until(lambda: vehicle.body.north_m < 5, 60)


def test_without_ground_within_the_limit_the_load_stays_on_the_hook() -> None:
    g = flying_mission([(PAYLOAD_PLACE, 30, 0, 20, (5,)), (16, 0, 0, 20, ())])
    g.run_until(lambda: "PayloadPlace: Reached maximum descent" in g.texts(), 90)
    g.run_until(lambda: g.vehicle.body.north_m < 5, 60)
    assert g.vehicle.payload.load is LoadState.ON_HOOK


def test_a_parachute_sinks_at_five_metres_a_second_and_a_jammed_one_does_not() -> None:
    def impact_m_s(*, jammed: bool) -> float:
        g = GroundStation(make_vehicle(airframe="hex10", parameters={"FENCE_ENABLE": 0, "CHUTE_ENABLED": 1}))
        g.heartbeats = True
        g.take_off(40)
        if jammed:
            g.vehicle.faults.set("parachute_jam")
        assert g.command(208, 2) == 0
        g.run(0.2)
        assert not g.vehicle.armed
        g.run_until(lambda: g.vehicle.body.on_ground, 30)
        return g.vehicle.body.impact_m_s

    assert impact_m_s(jammed=False) == pytest.approx(5.0, abs=0.3)
    assert impact_m_s(jammed=True) > 15


def test_a_parachute_that_is_not_enabled_is_acknowledged_all_the_same() -> None:
    g = GroundStation(make_vehicle(airframe="hex10", parameters={"FENCE_ENABLE": 0}))
    g.take_off(20)
    assert g.command(208, 2) == 0
    g.run(2)
    assert g.vehicle.armed


def test_px4_terminates_under_its_parachute() -> None:
    vehicle = px4()
    g = Px4Station(vehicle)
    g.take_off(30)
    assert g.command(208, 2) == 3
    assert g.command(185, 1) == 0
    g.run_until(lambda: vehicle.body.on_ground, 30)
    assert vehicle.body.impact_m_s == pytest.approx(5.0, abs=0.4)
    # Nothing leads out of termination.
    assert g.mode((4, 3)) == 1
