"""Failsafes act in vehicle time and as observed."""

from __future__ import annotations

import pytest

from tests.unit.sitl.ground_station import AUTO, GUIDED, GroundStation, make_vehicle


def fly_away(station: GroundStation, *, distance_m: float = 500) -> None:
    station.upload(
        [
            station.item(16, 0),
            station.item(22, 0, 0, 20),
            station.item(16, distance_m, 0, 20),
            station.item(21, distance_m, 0),
        ]
    )
    station.mode(GUIDED)
    assert station.arm() == 0
    station.command(300)
    station.run_until(lambda: station.vehicle.body.north_m > 50, 120)


@pytest.mark.parametrize(
    ("enable", "options", "expected"),
    [
        (0, 16, "AUTO"),
        (1, 0, "RTL"),
        (1, 16, "RTL"),
        (1, 2, "AUTO"),
        (1, 18, "AUTO"),
        (5, 0, "LAND"),
        (6, 0, "RTL"),
        (7, 0, "BRAKE"),
    ],
)
def test_ground_station_loss_in_auto(enable: int, options: int, expected: str) -> None:
    """The table observed on ArduCopter."""
    vehicle = make_vehicle(parameters={"FS_GCS_ENABLE": enable, "FS_OPTIONS": options})
    station = GroundStation(vehicle)
    station.heartbeats = True
    fly_away(station)
    station.heartbeats = False
    lost_s = vehicle.time_s
    if expected == "AUTO":
        station.run(8)
    else:
        station.run_until(lambda: vehicle.mode != "AUTO", 10)
        assert vehicle.time_s - lost_s == pytest.approx(4.7, abs=0.5)
    assert vehicle.mode == expected
    if enable:
        assert station.of("HEARTBEAT")[-1].system_status in (4, 5)
        station.run(1.1)
        assert station.of("HEARTBEAT")[-1].system_status == 5


def test_a_returning_heartbeat_clears_the_failsafe_but_not_the_mode() -> None:
    vehicle = make_vehicle(parameters={"FS_GCS_ENABLE": 1, "FS_OPTIONS": 0})
    station = GroundStation(vehicle)
    station.heartbeats = True
    fly_away(station)
    station.heartbeats = False
    station.run_until(lambda: vehicle.mode == "RTL", 10)
    station.heartbeats = True
    station.run(2)
    assert "GCS Failsafe Cleared" in station.texts()
    assert vehicle.mode == "RTL"
    assert station.mode(AUTO) == 0


def test_only_the_configured_stations_heartbeat_counts() -> None:
    vehicle = make_vehicle(parameters={"FS_GCS_ENABLE": 1, "FS_OPTIONS": 0})
    station = GroundStation(vehicle)
    station.heartbeats = True
    fly_away(station)
    station.heartbeats = False
    stranger = GroundStation(vehicle, system_id=254)
    stranger.heartbeats = True
    stranger.run(7)
    assert vehicle.mode == "RTL"


def test_it_is_never_armed_for_a_station_that_was_never_heard() -> None:
    vehicle = make_vehicle(parameters={"FS_GCS_ENABLE": 1, "FS_OPTIONS": 0})
    station = GroundStation(vehicle)
    fly_away(station)
    station.run(10)
    assert vehicle.mode == "AUTO"


def test_gps_loss_lands_after_eight_seconds_and_refuses_position_modes() -> None:
    vehicle = make_vehicle()
    station = GroundStation(vehicle)
    fly_away(station)
    vehicle.faults.set("gps_loss")
    lost_s = vehicle.time_s
    station.run_until(lambda: vehicle.mode == "LAND", 15)
    assert vehicle.time_s - lost_s == pytest.approx(8, abs=0.5)
    assert station.mode(GUIDED) == 4
    station.run_until(lambda: not vehicle.armed, 60)


def test_low_battery_returns_critical_lands_and_blocks_arming() -> None:
    vehicle = make_vehicle(
        parameters={
            "BATT_FS_LOW_ACT": 2,
            "BATT_FS_CRT_ACT": 1,
            "BATT_LOW_MAH": 2500,
            "BATT_CRT_MAH": 1200,
            "BATT_CAPACITY": 10000,
        }
    )
    station = GroundStation(vehicle)
    fly_away(station)
    vehicle.faults.set("battery_charge", 0.2)
    station.run(0.5)
    assert vehicle.mode == "RTL"
    vehicle.faults.set("battery_charge", 0.1)
    station.run(0.5)
    assert vehicle.mode == "LAND"
    station.run_until(lambda: not vehicle.armed, 60)
    station.mode(GUIDED)
    assert station.arm() == 4
    assert any("Battery" in text for text in station.texts() if text.startswith("PreArm"))


def test_a_sagging_voltage_must_last_ten_seconds() -> None:
    vehicle = make_vehicle(parameters={"BATT_FS_LOW_ACT": 2, "BATT_LOW_VOLT": 11.9, "BATT_LOW_TIMER": 10})
    station = GroundStation(vehicle)
    fly_away(station)
    vehicle.faults.set("battery_sag", 4.0)
    sagged_s = vehicle.time_s
    station.run_until(lambda: vehicle.mode == "RTL", 30)
    assert vehicle.time_s - sagged_s == pytest.approx(10, abs=1)


def test_the_fence_returns_it_at_the_edge() -> None:
    vehicle = make_vehicle(parameters={"FENCE_TYPE": 4})
    station = GroundStation(vehicle)
    ring = [(150, -150), (150, 150), (-150, 150), (-150, -150)]
    assert (
        station.upload([station.item(5001, n, e, p=(4, 0, 0, 0), frame=0, kind=1) for n, e in ring], 1) == 0
    )
    assert station.command(207, 1) == 0
    fly_away(station)
    station.run_until(lambda: vehicle.mode == "RTL", 60)
    assert vehicle.body.north_m == pytest.approx(150, abs=2)
    assert "Fence Breached" in station.texts()
    station.run_until(lambda: not vehicle.armed, 120)
    assert vehicle.body.north_m == pytest.approx(0, abs=1)


def test_guided_targets_outside_the_fence_are_refused_or_silently_ignored() -> None:
    from pymavlink.dialects.v20 import ardupilotmega as mavlink

    vehicle = make_vehicle(parameters={"FENCE_TYPE": 4})
    station = GroundStation(vehicle)
    ring = [(100, -100), (100, 100), (-100, 100), (-100, -100)]
    station.upload([station.item(5001, n, e, p=(4, 0, 0, 0), frame=0, kind=1) for n, e in ring], 1)
    station.command(207, 1)
    station.take_off(20)
    x, y = station.place(300, 0)
    assert station.command_int(192, -1, x=x, y=y, z=20) == 4
    station.send(
        mavlink.MAVLink_set_position_target_global_int_message(
            0, 1, 1, 6, 0xFF8, x, y, 20, 0, 0, 0, 0, 0, 0, 0, 0
        )
    )
    heard = station.run(8)
    assert not [m for m in heard if m.get_type() == "STATUSTEXT"]
    assert abs(vehicle.body.north_m) < 1


def test_an_exclusion_between_home_and_target_is_only_noticed_on_entering() -> None:
    vehicle = make_vehicle(parameters={"FENCE_TYPE": 4})
    station = GroundStation(vehicle)
    assert station.upload([station.item(5004, 150, 0, p=(30, 0, 0, 0), frame=0, kind=1)], 1) == 0
    station.command(207, 1)
    fly_away(station, distance_m=300)
    station.run_until(lambda: vehicle.mode == "RTL", 60)
    assert vehicle.body.north_m == pytest.approx(120, abs=2)


def test_standing_outside_the_fence_blocks_arming() -> None:
    vehicle = make_vehicle(parameters={"FENCE_TYPE": 4})
    station = GroundStation(vehicle)
    ring = [(150, 50), (150, 150), (50, 150), (50, 50)]
    station.upload([station.item(5001, n, e, p=(4, 0, 0, 0), frame=0, kind=1) for n, e in ring], 1)
    station.command(207, 1)
    station.mode(GUIDED)
    assert station.arm() == 4
    assert "PreArm: vehicle outside fence" in station.texts()


@pytest.mark.parametrize(("limit_km", "expected_east_m"), [(1.0, 120.0), (0.1, 0.0)])
def test_rtl_goes_to_the_nearest_rally_point_within_the_limit(
    limit_km: float, expected_east_m: float
) -> None:
    vehicle = make_vehicle(parameters={"RALLY_LIMIT_KM": limit_km})
    station = GroundStation(vehicle)
    points = [station.item(5100, 250, 120, 20, kind=2), station.item(5100, 0, -500, 20, kind=2)]
    assert station.upload(points, 2) == 0
    fly_away(station)
    station.run_until(lambda: vehicle.body.north_m > 230, 60)
    station.command(20)
    station.run_until(lambda: not vehicle.armed, 200)
    assert vehicle.body.east_m == pytest.approx(expected_east_m, abs=1)


def test_rtl_climbs_to_its_altitude_first() -> None:
    vehicle = make_vehicle(parameters={"RTL_ALT": 4000})
    station = GroundStation(vehicle)
    fly_away(station)
    station.run(5)
    station.command(20)
    highest = 0.0
    while vehicle.armed:
        station.run(0.1)
        highest = max(highest, vehicle.body.up_m)
        assert vehicle.time_s < 400
    assert highest == pytest.approx(40, abs=1)


def test_link_loss_stops_bytes_both_ways_and_ends_by_itself() -> None:
    vehicle = make_vehicle()
    station = GroundStation(vehicle)
    station.run(2)
    vehicle.faults.set("link_loss", duration_s=5)
    assert station.run(4.5) == []
    vehicle.receive(b"anything")
    assert station.run(3)


def test_weak_motors_bring_it_down_without_disarming_it() -> None:
    vehicle = make_vehicle()
    station = GroundStation(vehicle)
    station.take_off(20)
    vehicle.faults.set("motor_weak", 0.3)
    station.run_until(lambda: vehicle.body.on_ground, 10)
    assert vehicle.armed
