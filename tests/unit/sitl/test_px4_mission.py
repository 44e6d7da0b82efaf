"""Missions as PX4 stores, judges and flies them."""

from __future__ import annotations

import math

import pytest

from sitl.payload import LoadState
from sitl.px4.home import WANDER_MAX_M
from tests.unit.sitl.px4_station import NAN, Px4Station, px4

TAKEOFF, WAYPOINT, LAND, RTL, DELAY, GRIPPER, WINCH, SPEED = 22, 16, 21, 20, 93, 211, 42600, 178


def test_a_mission_is_flown_to_its_return_and_each_item_reported() -> None:
    vehicle = px4()
    g = Px4Station(vehicle)
    items = [
        g.position(TAKEOFF, 0, 0, 20),
        g.position(WAYPOINT, 150, 0, 30),
        g.position(WAYPOINT, 150, 100, 30, hold_s=3),
        g.action(RTL),
    ]
    assert g.upload_and_settle(items) == 0
    assert g.mission_state == 2
    g.fly_mission()
    g.run_until(lambda: not vehicle.armed, 200)
    assert math.hypot(vehicle.body.north_m, vehicle.body.east_m) < 1.0
    reached = [m.seq for m in g.of("MISSION_ITEM_REACHED")]
    # The item before an instant action may go unreported: a race, as on the real one.
    assert {0, 1, 3} <= set(reached) <= {0, 1, 2, 3}
    # Repeated once a second, ten times at most.
    assert 3 <= reached.count(1) <= 11
    assert g.mission_state == 5
    assert any(text.startswith("RTL: start return at") for text in g.texts())
    # After a return the mode is that before it: armed again, it would fly the mission.
    g.run(1.1)
    assert g.shown_mode == (4, 4)


def test_an_acknowledged_mission_may_still_be_invalid() -> None:
    g = Px4Station(px4())
    assert g.upload_and_settle([g.position(WAYPOINT, 50, 0, 20), g.position(TAKEOFF, 0, 0, 20)]) == 0
    assert g.mission_state == 1
    assert g.of("MISSION_CURRENT")[-1].total == 2
    assert g.command(300) == 2
    # Gripper before the take-off counts as a place already gone to.
    assert g.upload_and_settle([g.action(GRIPPER, 1, 1), g.position(TAKEOFF, 0, 0, 20)]) == 0
    assert g.mission_state == 1
    assert g.upload_and_settle([g.position(TAKEOFF, 0, 0, 20), g.position(WAYPOINT, 20_000, 0, NAN)]) == 0
    assert g.mission_state == 2


@pytest.mark.parametrize(
    ("command", "frame", "result"),
    [(GRIPPER, 6, 3), (WAYPOINT, 2, 3), (WAYPOINT, 10, 2), (18, 6, 3), (94, 6, 3), (82, 6, 3), (183, 2, 3)],
)
def test_items_that_are_refused(command: int, frame: int, result: int) -> None:
    g = Px4Station(px4())
    assert g.upload([g.position(TAKEOFF, 0, 0, 20), g.item(command, 10, 0, 20, frame=frame)]) == result
    # Nothing of it was kept.
    assert g.download() == []


def test_what_is_read_back_has_integer_frames_and_lost_fields() -> None:
    g = Px4Station(px4())
    sent = g.item(WAYPOINT, 50, 0, 20, p=(4, 7, 9, NAN), frame=3)
    g.upload([g.position(TAKEOFF, 0, 0, 20), sent, g.item(LAND, 0, 0, 0, p=(5, 0, 0, NAN), frame=0)])
    takeoff, waypoint, land = g.download()
    assert (takeoff.frame, waypoint.frame, land.frame) == (6, 6, 5)
    assert (waypoint.param1, waypoint.param2, waypoint.param3) == (4, 7, 0)
    assert land.param1 == 0


def test_an_equal_mission_is_not_applied_again() -> None:
    vehicle = px4()
    g = Px4Station(vehicle)
    items = [g.position(TAKEOFF, 0, 0, 20), g.position(WAYPOINT, 60, 0, 20), g.position(WAYPOINT, 60, 60, 20)]
    g.upload_and_settle(items)
    g.fly_mission()
    g.run_until(lambda: g.of("MISSION_CURRENT")[-1].seq == 2, 60)
    assert g.upload(items) == 0
    g.run(1.0)
    assert g.of("MISSION_CURRENT")[-1].seq == 2


def test_a_re_upload_in_flight_is_flown_at_once() -> None:
    vehicle = px4()
    g = Px4Station(vehicle)
    g.upload_and_settle([g.position(TAKEOFF, 0, 0, 20), g.position(WAYPOINT, 400, 0, 20)])
    g.fly_mission()
    g.run_until(lambda: vehicle.body.north_m > 100, 60)
    other = [g.position(TAKEOFF, 0, 0, 20), g.position(WAYPOINT, 0, 300, 20)]
    other[0].current = 1
    assert g.upload(other) == 0
    g.run(1.0)
    assert vehicle.mode == "AUTO_MISSION"
    g.run_until(lambda: vehicle.body.east_m > 250, 90)
    assert abs(vehicle.body.north_m) < 60


def test_a_takeoff_at_zero_zero_climbs_and_leaves_for_the_gulf_of_guinea() -> None:
    vehicle = px4()
    g = Px4Station(vehicle)
    item = g.position(TAKEOFF, 0, 0, 20)
    item.x = item.y = 0
    g.upload_and_settle([item, g.action(RTL)])
    g.fly_mission()
    g.run(60)
    assert vehicle.body.east_m < -300


def test_gripper_and_winch_items_are_reached_by_the_clock() -> None:
    vehicle = px4(parameters={"MIS_COMMAND_TOUT": 4})
    g = Px4Station(vehicle)
    z = vehicle.launch_amsl_m + 20
    g.upload_and_settle(
        [
            g.position(TAKEOFF, 0, 0, 20),
            g.position(WAYPOINT, 30, 0, 20, hold_s=1),
            g.action(WINCH, 1, 1, z=z),
            g.action(GRIPPER, 1, 0, z=z),
            g.position(WAYPOINT, 0, 0, 20),
        ]
    )
    g.fly_mission()
    g.run_until(lambda: any(m.seq == 3 for m in g.of("MISSION_ITEM_REACHED")), 120)
    first: dict[int, float] = {}
    for at_s, message in g.heard:
        if message.get_type() == "MISSION_ITEM_REACHED":
            first.setdefault(message.seq, at_s)
    assert first[2] - first[1] == pytest.approx(4, abs=0.5)
    assert first[3] - first[2] == pytest.approx(4, abs=0.5)
    assert vehicle.payload.line_length_m == 0
    assert vehicle.payload.load is LoadState.DROPPED
    # To a mission's gripper nobody gets an answer.
    assert g.acks(GRIPPER) == []


def test_while_an_action_runs_a_corrected_home_sends_the_vehicle_to_sea_level() -> None:
    def lowest_m(z: float) -> float:
        vehicle = px4()
        g = Px4Station(vehicle)
        g.upload_and_settle(
            [
                g.position(TAKEOFF, 0, 0, 20),
                g.position(WAYPOINT, 30, 0, 20, hold_s=1),
                g.action(DELAY, 20, z=z),
                g.position(WAYPOINT, 0, 0, 20, hold_s=5),
            ]
        )
        g.fly_mission()
        g.run_until(lambda: g.of("MISSION_CURRENT")[-1].seq == 2, 60)
        vehicle.autopilot.home_keeper.correct_altitude(1.2)
        least = vehicle.body.up_m
        for _ in range(150):
            g.run(0.1)
            least = min(least, vehicle.body.up_m)
        return least

    assert lowest_m(0.0) < 3.0
    # The leg's altitude above sea level in the item's z holds the height.
    assert lowest_m(25.0) > 18.0


def test_home_is_corrected_in_the_first_minutes_of_every_flight() -> None:
    vehicle = px4(gnss_height_wanders=True)
    g = Px4Station(vehicle)
    g.take_off(20)
    g.run(110)
    times = g.witnessed("home altitude corrected")
    assert len(times) == 3
    assert max(times) - min(g.witnessed("armed")) < 125


def test_a_corrected_home_brings_a_vehicle_that_followed_gnss_back_to_its_height() -> None:
    """Before the correction the wander shows in the true height, after it only in the altitude above the sea."""
    vehicle = px4(gnss_height_wanders=True)
    g = Px4Station(vehicle)
    g.upload_and_settle([g.position(TAKEOFF, 0, 0, 20), g.position(WAYPOINT, 3000, 0, 20)])
    g.fly_mission()
    g.run_until(lambda: vehicle.body.up_m > 19.5, 40)
    off_m = []
    while vehicle.time_s < 160:
        g.run(1.0)
        off_m.append(abs(vehicle.body.up_m - 20.0))
    assert 0.9 < max(off_m) < WANDER_MAX_M + 0.3
    assert abs(vehicle.body.up_m - 20.0) < 0.3
    assert abs(vehicle.body.height_wander_m) > 0.3


def test_after_a_mission_a_bare_arming_flies_it_again() -> None:
    vehicle = px4()
    g = Px4Station(vehicle)
    g.upload_and_settle([g.position(TAKEOFF, 0, 0, 10), g.position(LAND, 20, 0, 0)])
    g.fly_mission()
    g.run_until(lambda: not vehicle.armed, 90)
    assert g.shown_mode == (4, 4)
    assert g.arm() == 0
    g.run_until(lambda: vehicle.body.up_m > 8, 30)


def test_home_is_not_refreshed_by_arming_into_a_mission() -> None:
    vehicle = px4()
    g = Px4Station(vehicle)
    g.upload_and_settle([g.item(5100, 40, 0, 0, frame=3, kind=2)], 2)
    g.upload_and_settle([g.position(TAKEOFF, 0, 0, 10), g.position(WAYPOINT, 300, 0, 10)])
    g.fly_mission()
    g.run_until(lambda: vehicle.body.north_m > 60, 60)
    assert g.mode((4, 5)) == 0
    g.run_until(lambda: not vehicle.armed, 120)
    g.run(1.1)
    assert vehicle.body.north_m == pytest.approx(40, abs=1)
    home = vehicle.autopilot.home
    assert g.shown_mode == (4, 4)
    assert g.arm() == 0
    g.run(3)
    assert vehicle.autopilot.home == home


def test_landing_in_mid_mission_stays_armed_and_flies_on() -> None:
    vehicle = px4()
    g = Px4Station(vehicle)
    g.upload_and_settle(
        [
            g.position(TAKEOFF, 0, 0, 10),
            g.position(LAND, 30, 0, 0),
            g.action(DELAY, 6),
            g.position(WAYPOINT, 30, 30, 10),
            g.action(RTL),
        ]
    )
    g.fly_mission()
    g.run_until(lambda: len(g.witnessed("landed")) == 1, 90)
    g.run(5)
    assert vehicle.armed
    g.run_until(lambda: vehicle.body.up_m > 8, 40)
    g.run_until(lambda: not vehicle.armed, 120)
    assert len(g.witnessed("armed")) == 1


@pytest.mark.parametrize(
    ("where", "times"), [(NAN, 1.0), (-3.0, 1.0), (99.0, 1.0), (math.inf, 1.0), (0.0, NAN)]
)
def test_a_jump_to_nowhere_ends_the_mission_and_not_the_vehicle(where: float, times: float) -> None:
    vehicle = px4()
    g = Px4Station(vehicle)
    items = [g.position(TAKEOFF, 0, 0, 10), g.position(WAYPOINT, 20, 0, 10), g.action(177, where, times)]
    assert g.upload_and_settle(items) == 0
    g.fly_mission()
    g.run(90.0)
    assert vehicle.armed
    assert g.mission_state == 5
    assert g.shown_mode == (4, 3)
