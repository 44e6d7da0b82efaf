"""PX4's fence and rally points: acknowledged is not in force."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.sitl.px4_station import NAN, Px4Station, px4

POLYGON_IN, POLYGON_OUT, CIRCLE_IN, CIRCLE_OUT, RALLY = 5001, 5002, 5003, 5004, 5100
SQUARE = ((1, 1), (1, -1), (-1, -1), (-1, 1))
DISCARDED = "Geofence invalid, doesn't contain Home position\t"


def square(g: Px4Station, command: int, north_m: float, east_m: float, half_m: float) -> list[Any]:
    return [
        g.item(command, north_m + up * half_m, east_m + right * half_m, 0, p=(4, 0, 0, 0), frame=0, kind=1)
        for up, right in SQUARE
    ]


def circle(g: Px4Station, command: int, north_m: float, radius_m: float) -> Any:
    return g.item(command, north_m, 0, 0, p=(radius_m, 0, 0, 0), frame=0, kind=1)


def whole_text(g: Px4Station) -> str:
    """Texts with their chunks put together again."""
    return "".join(g.texts())


def test_a_fence_without_home_is_acknowledged_and_discarded() -> None:
    vehicle = px4(parameters={"GF_ACTION": 3})
    g = Px4Station(vehicle)
    assert g.upload(square(g, POLYGON_IN, 500, 0, 100), 1) == 0
    assert DISCARDED not in whole_text(g)
    g.run(1.5)
    assert DISCARDED in whole_text(g)
    # It still reads back as if it were there, and arming is not refused.
    assert len(g.download(1)) == 4
    assert g.arm() == 0


def test_breach_holds_five_seconds_then_returns() -> None:
    vehicle = px4(parameters={"GF_ACTION": 3, "RTL_RETURN_ALT": 25})
    g = Px4Station(vehicle)
    g.upload_and_settle(square(g, POLYGON_IN, 0, 0, 100), 1)
    g.upload_and_settle([g.position(22, 0, 0, 20), g.position(16, 90, 0, 20), g.position(16, 95, 95, 20)])
    assert g.mission_state == 2
    g.fly_mission()
    g.run_until(lambda: vehicle.body.north_m > 50, 60)
    # Legs are not checked, waypoints are; the wind is not asked at all.
    vehicle.body.set_position_error(60.0, 0.0)
    g.run_until(lambda: "Geofence: approaching or outside geofence\t" in g.texts(), 5)
    g.run(1.1)
    assert g.shown_mode == (4, 3)
    assert g.of("HEARTBEAT")[-1].system_status == 5
    g.run(5.5)
    assert g.shown_mode == (4, 5)
    vehicle.body.set_position_error(0.0, 0.0)
    g.run_until(lambda: not vehicle.armed, 120)
    g.run(1.1)
    assert g.shown_mode == (4, 4)


def test_a_waypoint_outside_the_fence_makes_the_mission_invalid() -> None:
    g = Px4Station(px4())
    g.upload_and_settle(square(g, POLYGON_IN, 0, 0, 100), 1)
    assert g.upload_and_settle([g.position(22, 0, 0, 20), g.position(16, 150, 0, 20)]) == 0
    assert g.mission_state == 1
    assert "Geofence violation for waypoint 2\t" in g.texts()
    # A leg across an exclusion is none of its business.
    g.upload_and_settle([circle(g, CIRCLE_OUT, 40, 10)], 1)
    g.upload_and_settle([g.position(22, 0, 0, 20), g.position(16, 80, 0, 20)])
    assert g.mission_state == 2


@pytest.mark.parametrize("broken", ["three of four", "negative circle"])
def test_broken_shapes_are_accepted(broken: str) -> None:
    g = Px4Station(px4())
    items = (
        square(g, POLYGON_OUT, 300, 0, 50)[:3]
        if broken == "three of four"
        else [circle(g, CIRCLE_OUT, 300, -5)]
    )
    assert g.upload(items, 1) == 0


def test_two_vertices_are_refused() -> None:
    g = Px4Station(px4())
    items = square(g, POLYGON_IN, 0, 0, 50)[:2]
    for item in items:
        item.param1 = 2
    assert g.upload(items, 1) == 1


def test_after_a_circle_a_polygon_is_read_wrongly() -> None:
    def shapes(items: list[Any], g: Px4Station) -> int:
        g.upload_and_settle(items, 1)
        return len(g.vehicle.autopilot.fence.shapes)

    g = Px4Station(px4())
    polygon, hole = square(g, POLYGON_IN, 0, 0, 200), circle(g, CIRCLE_OUT, 150, 10)
    assert shapes([*polygon, hole], g) == 2
    assert DISCARDED not in whole_text(g)
    shapes([hole, *polygon], g)
    assert DISCARDED in whole_text(g)


def test_reposition_beyond_the_fence_is_accepted_and_not_flown() -> None:
    vehicle = px4(parameters={"GF_ACTION": 2})
    g = Px4Station(vehicle)
    g.upload_and_settle(square(g, POLYGON_IN, 0, 0, 100), 1)
    g.take_off(15)
    x, y = g.place(300, 0)
    assert g.command_int(192, -1, 1, 0, NAN, frame=6, x=x, y=y, z=vehicle.launch_amsl_m + 15) == 0
    g.run(8)
    assert "Reposition is outside geofence\t" in g.texts()
    assert abs(vehicle.body.north_m) < 2


@pytest.mark.parametrize("frame", [5, 6])
def test_a_rally_point_in_an_integer_frame_sends_the_return_to_zero_zero(frame: int) -> None:
    vehicle = px4()
    g = Px4Station(vehicle)
    assert g.upload([g.item(RALLY, 50, 0, 0, frame=frame, kind=2)], 2) == 0
    g.run(5)
    assert g.texts().count("RTL: unsupported MAV_FRAME\t") >= 2
    g.take_off(20)
    x, y = g.place(40, 0)
    assert g.command_int(192, -1, 1, 0, NAN, x=x, y=y, z=25) == 0
    g.run_until(lambda: vehicle.body.north_m > 38, 40)
    assert g.mode((4, 5)) == 0
    g.run(40)
    assert "(-2147483648 m above destination)" in whole_text(g)
    # West-north-west… and on; nobody lands.
    assert vehicle.body.east_m < -100
    assert vehicle.armed


def test_a_rally_point_in_frame_3_is_returned_to_and_reads_back_as_6() -> None:
    vehicle = px4()
    g = Px4Station(vehicle)
    g.upload([g.item(RALLY, 60, 0, 0, frame=3, kind=2)], 2)
    assert g.download(2)[0].frame == 6
    g.take_off(20)
    x, y = g.place(90, 0)
    assert g.command_int(192, -1, 1, 0, NAN, frame=3, x=x, y=y, z=25) == 0
    g.run_until(lambda: vehicle.body.north_m > 88, 40)
    assert g.mode((4, 5)) == 0
    g.run_until(lambda: not vehicle.armed, 120)
    assert vehicle.body.north_m == pytest.approx(60, abs=1)


def test_the_return_flies_through_an_exclusion() -> None:
    vehicle = px4(parameters={"GF_ACTION": 1})
    g = Px4Station(vehicle)
    g.upload_and_settle([circle(g, CIRCLE_OUT, 60, 15)], 1)
    g.take_off(20)
    x, y = g.place(120, 0)
    assert g.command_int(192, -1, 1, 0, NAN, x=x, y=y, z=25) == 0
    g.run_until(lambda: vehicle.body.north_m > 118, 40)
    assert g.mode((4, 5)) == 0
    least = 100.0
    while vehicle.armed:
        g.run(0.1)
        least = min(least, abs(vehicle.body.north_m - 60) + abs(vehicle.body.east_m))
    assert least < 3
