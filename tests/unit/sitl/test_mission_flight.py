"""The simulated ArduCopter flies missions as the real one was seen to."""

from __future__ import annotations

import pytest

from tests.unit.sitl.ground_station import AUTO, GUIDED, GroundStation, make_vehicle

TAKEOFF, WAYPOINT, LOITER_TIME, LAND, RTL = 22, 16, 19, 21, 20
HOME = 16


def fly(station: GroundStation) -> None:
    assert station.mode(GUIDED) == 0
    assert station.arm() == 0
    assert station.command(300) == 0


def reached(station: GroundStation) -> list[int]:
    return [message.seq for message in station.of("MISSION_ITEM_REACHED")]


def test_a_mission_flies_and_ends_disarmed_on_the_ground_still_in_auto() -> None:
    vehicle = make_vehicle()
    station = GroundStation(vehicle)
    items = [
        station.item(HOME, 0),
        station.item(TAKEOFF, 0, 0, 30),
        station.item(WAYPOINT, 200, 0, 30),
        station.item(WAYPOINT, 200, 100, 30),
        station.item(LAND, 0, 0, 0),
    ]
    assert station.upload(items) == 0
    fly(station)
    furthest = 0.0
    highest = 0.0
    while vehicle.armed:
        station.run(0.1)
        furthest = max(furthest, vehicle.body.north_m)
        highest = max(highest, vehicle.body.up_m)
        assert vehicle.time_s < 300
    assert furthest == pytest.approx(200, abs=3)
    assert highest == pytest.approx(30, abs=0.5)
    assert (vehicle.body.north_m, vehicle.body.east_m) == pytest.approx((0, 0), abs=0.5)
    assert vehicle.mode == "AUTO"
    # The final LAND is never reported as reached.
    assert reached(station) == [1, 2, 3]


def test_auto_without_mission_start_stays_on_the_ground_and_disarms_after_ten_seconds() -> None:
    vehicle = make_vehicle()
    station = GroundStation(vehicle)
    station.upload([station.item(HOME, 0), station.item(TAKEOFF, 0, 0, 20), station.item(LAND, 0)])
    assert station.mode(GUIDED) == 0
    assert station.arm() == 0
    assert station.mode(AUTO) == 0
    took_s = station.run_until(lambda: not vehicle.armed, 20)
    assert took_s == pytest.approx(10.0, abs=0.3)
    assert vehicle.body.on_ground


def test_an_empty_mission_is_refused_for_auto_in_words() -> None:
    vehicle = make_vehicle()
    station = GroundStation(vehicle)
    assert station.mode(AUTO) == 4
    assert any("AUTO failed" in text for text in station.texts())


def test_do_items_run_when_the_next_leg_starts_and_hide_what_was_reached() -> None:
    vehicle = make_vehicle(airframe="delivery_quad")
    station = GroundStation(vehicle)
    items = [
        station.item(HOME, 0),
        station.item(TAKEOFF, 0, 0, 20),
        station.item(LOITER_TIME, 100, 0, 20, p=(5, 0, 0, 0)),
        station.item(42600, p=(1, 1, 5, 0), frame=0),
        station.item(WAYPOINT, 0, 0, 20),
        station.item(LAND, 0),
    ]
    assert station.upload(items) == 0
    fly(station)
    station.run_until(lambda: "Reached command #2" in station.texts(), 120)
    assert vehicle.payload.line_length_m == pytest.approx(0.0, abs=0.01)
    station.run(4.0)
    # The line runs out while the vehicle already flies back.
    assert vehicle.payload.line_length_m > 2.0
    assert vehicle.body.velocity_m_s[0] < -1.0
    station.run_until(lambda: not vehicle.armed, 200)
    assert 2 not in reached(station)
    assert 3 in reached(station)


def test_loiter_time_counts_from_arrival() -> None:
    vehicle = make_vehicle()
    station = GroundStation(vehicle)
    station.upload(
        [
            station.item(HOME, 0),
            station.item(TAKEOFF, 0, 0, 20),
            station.item(LOITER_TIME, 60, 0, 20, p=(12, 0, 0, 0)),
            station.item(RTL),
        ]
    )
    fly(station)
    station.run_until(lambda: vehicle.body.north_m > 59 and vehicle.body.reached, 120)
    took_s = station.run_until(lambda: "Reached command #2" in station.texts(), 60)
    assert took_s == pytest.approx(12.0, abs=0.4)


def test_setting_the_current_item_in_flight_turns_at_once_and_out_of_range_is_denied() -> None:
    vehicle = make_vehicle()
    station = GroundStation(vehicle)
    items = [
        station.item(HOME, 0),
        station.item(TAKEOFF, 0, 0, 20),
        station.item(WAYPOINT, 300, 0, 20),
        station.item(WAYPOINT, 0, 100, 20),
        station.item(LAND, 0, 100),
    ]
    station.upload(items)
    fly(station)
    station.run_until(lambda: vehicle.body.north_m > 100, 120)
    assert station.command(224, 5) == 2
    assert station.command(224, 3) == 0
    assert [m.seq for m in station.of("MISSION_CURRENT")][-1] == 3
    station.run_until(lambda: not vehicle.armed, 200)
    assert vehicle.body.east_m == pytest.approx(100, abs=1)


def test_pause_stops_within_a_waypoint_leg_and_continue_flies_on() -> None:
    vehicle = make_vehicle()
    station = GroundStation(vehicle)
    station.upload(
        [
            station.item(HOME, 0),
            station.item(TAKEOFF, 0, 0, 20),
            station.item(WAYPOINT, 300, 0, 20),
            station.item(LAND, 300, 0),
        ]
    )
    fly(station)
    station.run_until(lambda: vehicle.body.north_m > 100, 120)
    assert station.command(193, 0) == 0
    station.run(15)
    stopped_m = vehicle.body.north_m
    assert abs(vehicle.body.velocity_m_s[0]) < 0.3
    station.run(10)
    assert vehicle.body.north_m == pytest.approx(stopped_m, abs=0.5)
    assert station.command(193, 1) == 0
    station.run_until(lambda: not vehicle.armed, 200)
    assert vehicle.body.north_m == pytest.approx(300, abs=1)


def test_leaving_and_entering_auto_resumes_at_the_same_item() -> None:
    vehicle = make_vehicle()
    station = GroundStation(vehicle)
    station.upload(
        [
            station.item(HOME, 0),
            station.item(TAKEOFF, 0, 0, 20),
            station.item(WAYPOINT, 200, 0, 20),
            station.item(WAYPOINT, 200, 100, 20),
            station.item(LAND, 200, 100),
        ]
    )
    fly(station)
    station.run_until(lambda: vehicle.body.north_m > 100, 120)
    assert station.mode(GUIDED) == 0
    station.run(8)
    assert abs(vehicle.body.velocity_m_s[0]) < 0.3
    assert station.mode(AUTO) == 0
    station.run_until(lambda: not vehicle.armed, 200)
    assert (vehicle.body.north_m, vehicle.body.east_m) == pytest.approx((200, 100), abs=1)


def test_a_jump_repeats_a_leg_the_number_of_times_asked() -> None:
    vehicle = make_vehicle()
    station = GroundStation(vehicle)
    station.upload(
        [
            station.item(HOME, 0),
            station.item(TAKEOFF, 0, 0, 10),
            station.item(WAYPOINT, 40, 0, 10),
            station.item(WAYPOINT, 0, 0, 10),
            station.item(177, p=(2, 2, 0, 0)),
            station.item(LAND, 0),
        ]
    )
    fly(station)
    crossings, was_beyond = 0, False
    while vehicle.armed:
        station.run(0.1)
        beyond = vehicle.body.north_m > 30
        crossings += beyond and not was_beyond
        was_beyond = beyond
        assert vehicle.time_s < 400
    assert crossings == 3


def test_a_faster_cruise_climbs_a_slope_no_faster_than_it_may() -> None:
    """Half-way up a slope the leg is planned again for another speed: its vertical part stays limited."""
    vehicle = make_vehicle()
    station = GroundStation(vehicle)
    station.take_off(20.0)
    body = vehicle.body
    body.start_legs()
    body.next_leg((200.0, 0.0, 110.0), None, reinitialise=True)
    station.run(8.0)
    body.change_speed(20.0)
    fastest_m_s = 0.0
    for _ in range(150):
        station.run(0.1)
        fastest_m_s = max(fastest_m_s, body.velocity_m_s[2])
    limit_m_s = vehicle.autopilot.parameters["WPNAV_SPEED_UP"] / 100.0
    assert 0.8 * limit_m_s < fastest_m_s < 1.1 * limit_m_s
