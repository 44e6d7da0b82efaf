"""Winch, hook and load."""

from __future__ import annotations

import math

import pytest

from sitl.payload import LoadState
from tests.unit.sitl.ground_station import GroundStation, make_vehicle

WINCH, GRIPPER = 42600, 211
LOAD_KG, HOOK_KG = 1.9, 0.15


def delivering(**options: object) -> GroundStation:
    """hex10 hovering at 15 m, with winch status at 10 Hz."""
    station = GroundStation(make_vehicle(airframe="hex10", parameters={"FENCE_ENABLE": 0}, **options))
    station.stream(9005)
    station.take_off(15)
    return station


def status(station: GroundStation):  # type: ignore[no-untyped-def]
    return station.of("WINCH_STATUS")[-1]


def test_lowering_releasing_and_retracting_delivers_the_load() -> None:
    station = delivering()
    vehicle = station.vehicle
    heavy_a = vehicle.body.current_a
    assert status(station).tension == pytest.approx(LOAD_KG + HOOK_KG, abs=0.02)
    assert station.command(WINCH, 1, 1, 15) == 0
    assert "Winch: lowering 15.0m to 15.0m" in station.texts()
    station.run_until(lambda: vehicle.payload.load_on_ground, 20)
    station.run(2)
    # The ground carries the load: the line goes slack and the vehicle flies lighter.
    assert status(station).tension == 0.0
    assert vehicle.body.current_a < 0.85 * heavy_a
    assert station.command(GRIPPER, 1, 0) == 0
    assert "Gripper load releasing" in station.texts()
    station.run(1)
    assert vehicle.payload.load is LoadState.ON_GROUND
    assert "Gripper load released" not in station.texts()
    # Only the repeated command is answered with the state.
    assert station.command(GRIPPER, 1, 0) == 0
    assert "Gripper load released" in station.texts()
    assert station.command(WINCH, 1, 1, -15) == 0
    station.run(4)
    assert status(station).tension == pytest.approx(HOOK_KG, abs=0.01)
    assert status(station).status & 4
    station.run(12)
    assert status(station).status & 2
    assert status(station).line_length == pytest.approx(0, abs=0.05)
    assert not any(event.what == "dropped" for event in vehicle.witnessed)


def test_a_stuck_hook_shows_only_in_the_tension() -> None:
    station = delivering()
    vehicle = station.vehicle
    vehicle.faults.set("hook_stuck")
    station.command(WINCH, 1, 1, 15)
    station.run(15)
    station.command(GRIPPER, 1, 0)
    station.run(1)
    station.command(GRIPPER, 1, 0)
    assert "Gripper load released" in station.texts()
    station.command(WINCH, 1, 1, -15)
    station.run(5)
    assert vehicle.payload.load is LoadState.ON_HOOK
    assert status(station).tension == pytest.approx(LOAD_KG + HOOK_KG, abs=0.02)


def test_releasing_in_the_air_drops_it_and_a_witness_says_from_how_high() -> None:
    station = delivering()
    station.command(GRIPPER, 1, 0)
    station.run(1)
    vehicle = station.vehicle
    assert vehicle.payload.load is LoadState.DROPPED
    assert vehicle.payload.released_at_height_m == pytest.approx(14.7, abs=0.5)
    assert any(event.what == "dropped" for event in vehicle.witnessed)


def test_a_jam_stops_the_measured_line() -> None:
    station = delivering()
    station.command(WINCH, 1, 1, 10)
    station.run(2)
    station.vehicle.faults.set("winch_jam")
    station.run(0.5)
    length_m = status(station).line_length
    station.run(4)
    assert status(station).line_length == pytest.approx(length_m, abs=0.01)
    assert not status(station).status & 4


def test_without_ground_sense_the_tension_never_falls() -> None:
    station = delivering()
    station.vehicle.faults.set("no_ground_sense")
    station.command(WINCH, 1, 1, 15)
    station.run(15)
    assert station.vehicle.payload.load_on_ground
    assert status(station).tension == pytest.approx(LOAD_KG + HOOK_KG, abs=0.02)


def test_a_servo_winch_reports_what_it_was_told_even_when_jammed() -> None:
    station = GroundStation(
        make_vehicle(airframe="hex10", parameters={"FENCE_ENABLE": 0, "WINCH_TYPE": 1, "WINCH_RATE_MAX": 1})
    )
    station.stream(9005)
    station.vehicle.faults.set("winch_jam")
    assert station.command(WINCH, 1, 1, 5) == 0
    station.run(4.35)
    # Observed on ArduCopter: 4.20 m after 4.35 s, 4.90 m after 6.45 s.
    assert status(station).line_length == pytest.approx(4.20, abs=0.15)
    station.run(2.1)
    assert status(station).line_length == pytest.approx(4.90, abs=0.05)
    assert math.isnan(status(station).tension)
    assert status(station).status == 1
    assert station.vehicle.payload.line_length_m == 0.0


def test_a_servo_winch_without_its_servo_is_unhealthy_and_blocks_arming() -> None:
    station = GroundStation(make_vehicle(parameters={"WINCH_TYPE": 1}))
    station.stream(9005)
    station.run(0.5)
    assert status(station).status == 0
    station.mode(4)
    assert station.arm() == 4
    assert "PreArm: winch unhealthy" in station.texts()


def test_each_copy_of_a_relative_length_moves_again() -> None:
    station = delivering()
    station.command(WINCH, 1, 1, 3)
    station.run(6)
    station.command(WINCH, 1, 1, 3)
    station.run(6)
    assert station.vehicle.payload.line_length_m == pytest.approx(6, abs=0.1)


def test_unknown_actions_absent_gear_and_numbers_that_are_none_are_refused() -> None:
    station = delivering()
    assert station.command(WINCH, 1, 6, 5) == 4
    assert station.command(WINCH, 1, 1, math.nan) == 4
    assert station.command(GRIPPER, 1, 7) == 4
    bare = GroundStation(make_vehicle())
    assert bare.command(WINCH, 1, 1, 5) == 4
    assert bare.command(GRIPPER, 1, 0) == 4
    assert bare.command(512, 9005) == 4


def test_a_gripper_item_says_released_at_once_whatever_happens() -> None:
    station = GroundStation(make_vehicle(airframe="hex10", parameters={"FENCE_ENABLE": 0}))
    station.vehicle.faults.set("hook_stuck")
    station.upload(
        [
            station.item(16, 0),
            station.item(22, 0, 0, 10),
            station.item(211, p=(1, 0, 0, 0), frame=0),
            station.item(16, 30, 0, 10),
            station.item(21, 30, 0),
        ]
    )
    station.mode(4)
    station.arm()
    station.command(300)
    station.run_until(lambda: "Mission: 2 Gripper" in station.texts(), 30)
    assert "Gripper Released" in station.texts()
    station.run(2)
    assert station.vehicle.payload.load is LoadState.ON_HOOK
    assert 2 not in [m.seq for m in station.of("MISSION_ITEM_REACHED")]


def test_the_lost_release_texts_of_a_fault() -> None:
    station = delivering()
    station.vehicle.faults.set("release_not_confirmed")
    station.command(WINCH, 1, 1, 15)
    station.run(15)
    station.command(GRIPPER, 1, 0)
    station.run(1)
    station.command(GRIPPER, 1, 0)
    assert not [text for text in station.texts() if text.startswith("Gripper")]
    assert station.vehicle.payload.load is LoadState.ON_GROUND
