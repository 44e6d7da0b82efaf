"""Arming, modes and commands: what is accepted, refused, and what an acknowledgement is worth."""

from __future__ import annotations

import math

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mavlink

from tests.unit.sitl.ground_station import (
    AUTO,
    BRAKE,
    GUIDED,
    LAND,
    LOITER,
    RTL,
    STABILIZE,
    GroundStation,
    make_vehicle,
)

ACCEPTED, DENIED, UNSUPPORTED, FAILED = 0, 2, 3, 4
ARMED = 128


def test_it_arms_only_once_the_estimator_has_a_position() -> None:
    vehicle = make_vehicle(ready_after_s=41.0)
    station = GroundStation(vehicle)
    station.mode(GUIDED)
    station.run(30)
    assert station.arm() == FAILED
    assert "PreArm: Need Position Estimate" in station.texts()
    station.stream(1, 193)
    station.run(1)
    assert not station.of("SYS_STATUS")[-1].onboard_control_sensors_health & 0x10000000
    assert station.of("EKF_STATUS_REPORT")[-1].flags & 0x80
    station.run(11)
    assert station.of("SYS_STATUS")[-1].onboard_control_sensors_health & 0x10000000
    assert not station.of("EKF_STATUS_REPORT")[-1].flags & 0x80
    assert station.arm() == ACCEPTED


@pytest.mark.parametrize("mode", [RTL, LAND, AUTO])
def test_some_modes_refuse_arming_in_words(mode: int) -> None:
    station = GroundStation(make_vehicle())
    station.upload([station.item(16, 0), station.item(22, 0, 0, 20), station.item(21, 0)])
    assert station.mode(mode) == ACCEPTED
    assert station.arm() == FAILED
    assert any("mode not armable" in text for text in station.texts())


def test_auto_may_arm_when_the_options_say_so() -> None:
    station = GroundStation(make_vehicle(parameters={"AUTO_OPTIONS": 1}))
    station.upload([station.item(16, 0), station.item(22, 0, 0, 20), station.item(21, 0)])
    station.mode(AUTO)
    assert station.arm() == ACCEPTED


def test_armed_and_not_flown_it_disarms_after_ten_seconds() -> None:
    station = GroundStation(make_vehicle())
    station.mode(GUIDED)
    assert station.arm() == ACCEPTED
    assert station.run_until(lambda: not station.vehicle.armed, 20) == pytest.approx(10, abs=0.3)


def test_guided_takeoff_only_counts_relative_to_home() -> None:
    station = GroundStation(make_vehicle())
    station.mode(GUIDED)
    station.arm()
    assert station.command_int(22, frame=6, z=10) == DENIED
    assert station.command_int(22, frame=3, z=10) == ACCEPTED
    station.run_until(lambda: station.vehicle.body.up_m > 9.8, 30)


def test_takeoff_is_refused_disarmed_and_in_other_modes() -> None:
    station = GroundStation(make_vehicle())
    station.mode(GUIDED)
    assert station.command(22, 0, 0, 0, 0, 0, 0, 10) == FAILED
    station.mode(LOITER)
    station.arm()
    assert station.command(22, 0, 0, 0, 0, 0, 0, 10) == FAILED


def test_disarming_in_the_air_needs_the_magic_number_and_drops_it() -> None:
    station = GroundStation(make_vehicle())
    station.take_off(20)
    assert station.command(400, 0) == FAILED
    assert station.vehicle.armed
    assert station.command(400, 0, 21196) == ACCEPTED
    assert not station.vehicle.armed
    fell_s = station.run_until(lambda: station.vehicle.body.on_ground, 10)
    # Free fall from 20 m takes √(2h/g) = 2.02 s; drag makes it a little longer.
    assert fell_s == pytest.approx(math.sqrt(2 * 20 / 9.80665), abs=0.5)
    assert any(event.what == "crashed" for event in station.vehicle.witnessed)


def test_termination_stops_the_motors_at_once() -> None:
    station = GroundStation(make_vehicle())
    station.take_off(10)
    assert station.command(185, 1) == ACCEPTED
    assert not station.vehicle.armed


def test_rtl_comes_home_lands_and_disarms() -> None:
    station = GroundStation(make_vehicle())
    station.take_off(20)
    x, y = station.place(60, 40)
    assert station.command_int(192, -1, 0, 0, math.nan, x=x, y=y, z=25) == ACCEPTED
    station.run_until(lambda: station.vehicle.body.north_m > 59, 60)
    assert station.command(20) == ACCEPTED
    station.run_until(lambda: not station.vehicle.armed, 200)
    assert (station.vehicle.body.north_m, station.vehicle.body.east_m) == pytest.approx((0, 0), abs=0.5)
    assert station.vehicle.mode == "RTL"


def test_land_descends_where_it_is_with_the_observed_duration() -> None:
    station = GroundStation(make_vehicle())
    station.take_off(20)
    assert station.command(21) == ACCEPTED
    touched_s = station.run_until(lambda: station.vehicle.body.on_ground, 60)
    # Observed on the real autopilot: 29 s from 20 m with default parameters.
    assert touched_s == pytest.approx(29, abs=1.5)
    station.run_until(lambda: not station.vehicle.armed, 5)


def test_brake_stops_and_holds() -> None:
    station = GroundStation(make_vehicle())
    station.take_off(20)
    x, y = station.place(200, 0)
    station.command_int(192, -1, x=x, y=y, z=20)
    station.run(8)
    assert station.mode(BRAKE) == ACCEPTED
    station.run(12)
    assert math.hypot(*station.vehicle.body.velocity_m_s) < 0.2
    assert station.vehicle.body.up_m == pytest.approx(20, abs=0.5)


def test_reposition_comes_only_as_command_int_and_only_in_guided_or_with_the_flag() -> None:
    station = GroundStation(make_vehicle())
    station.take_off(20)
    assert station.command(192, -1, 0, 0, 0, 22.58, 113.88, 20) != ACCEPTED
    station.mode(LOITER)
    x, y = station.place(30, 0)
    assert station.command_int(192, -1, 0, x=x, y=y, z=20) == DENIED
    assert station.command_int(192, -1, 1, x=x, y=y, z=20) == ACCEPTED
    assert station.vehicle.mode == "GUIDED"


def test_unknown_commands_and_modes_are_said_to_be_so() -> None:
    station = GroundStation(make_vehicle())
    assert station.command(31999) == UNSUPPORTED
    assert station.mode(99) == FAILED
    assert station.command(176, 0, 4) == DENIED


def test_changing_to_a_position_mode_without_gps_is_refused_in_flight() -> None:
    station = GroundStation(make_vehicle())
    station.take_off(20)
    station.mode(2)
    station.vehicle.faults.set("gps_loss")
    station.run(10)
    assert station.mode(GUIDED) == FAILED
    assert station.mode(RTL) == FAILED
    assert any("requires position" in text for text in station.texts())


def test_a_reboot_is_refused_armed_and_forgets_streams_and_mode() -> None:
    station = GroundStation(make_vehicle())
    station.mode(GUIDED)
    station.arm()
    assert station.command(246, 1) == FAILED
    station.command(400, 0)
    assert station.command(246, 1) == ACCEPTED
    station.run(10)
    assert station.vehicle.mode == "STABILIZE"
    assert station.of("HEARTBEAT")[-1].custom_mode == STABILIZE


def test_heartbeat_shows_arming_with_up_to_a_second_of_delay() -> None:
    station = GroundStation(make_vehicle())
    station.run(3)
    station.mode(GUIDED)
    station.arm()
    station.run(1.1)
    last = station.of("HEARTBEAT")[-1]
    assert last.base_mode & ARMED
    assert (last.type, last.autopilot, last.custom_mode) == (2, 3, GUIDED)


def test_only_heartbeat_statustext_and_timesync_come_unasked() -> None:
    station = GroundStation(make_vehicle())
    station.run(25)
    kinds = {message.get_type() for _, message in station.heard}
    assert kinds <= {"HEARTBEAT", "STATUSTEXT", "TIMESYNC", "HOME_POSITION"}
    assert len(station.of("HEARTBEAT")) == pytest.approx(25, abs=1)


def test_intervals_are_kept_and_can_be_read_and_stopped() -> None:
    station = GroundStation(make_vehicle())
    station.stream(33, interval_s=0.2)
    station.run(10)
    assert len(station.of("GLOBAL_POSITION_INT")) == pytest.approx(50, abs=1)
    station.command(510, 33)
    assert station.of("MESSAGE_INTERVAL")[-1].interval_us == 200_000
    assert station.command(511, 33, -1) == ACCEPTED
    before = len(station.of("GLOBAL_POSITION_INT"))
    station.run(2)
    assert len(station.of("GLOBAL_POSITION_INT")) == before


def test_unavailable_messages_are_refused() -> None:
    station = GroundStation(make_vehicle())
    assert station.command(511, 231, 1e6) == FAILED
    assert station.command(512, 231) == FAILED
    assert station.command(512, 148) == ACCEPTED
    version = station.of("AUTOPILOT_VERSION")[-1]
    assert version.flight_sw_version >> 24 == 4


def test_messages_for_other_systems_are_ignored() -> None:
    station = GroundStation(make_vehicle())
    station.send(mavlink.MAVLink_command_long_message(2, 1, 400, 0, 1, 0, 0, 0, 0, 0, 0))
    station.run(0.3)
    assert not station.of("COMMAND_ACK")


def test_timesync_is_answered_with_the_vehicles_time() -> None:
    station = GroundStation(make_vehicle())
    station.run(5)
    station.send(mavlink.MAVLink_timesync_message(0, 123456789))
    (answer,) = [m for m in station.collect() if m.get_type() == "TIMESYNC" and m.ts1 == 123456789]
    assert answer.tc1 == pytest.approx(5e9, rel=0.05)


def test_corrupt_bytes_are_dropped_and_the_next_frame_is_understood() -> None:
    station = GroundStation(make_vehicle())
    good = mavlink.MAVLink_command_long_message(1, 1, 512, 0, 148, 0, 0, 0, 0, 0, 0).pack(station.codec)
    broken = bytearray(good)
    broken[12] ^= 0xFF
    station.vehicle.receive(bytes(broken) + good)
    station.run(0.1)
    assert len(station.of("COMMAND_ACK")) == 1


def test_speed_changes_in_flight_take_hold() -> None:
    station = GroundStation(make_vehicle(parameters={"ANGLE_MAX": 4500}))
    station.upload(
        [station.item(16, 0), station.item(22, 0, 0, 20), station.item(16, 600, 0, 20), station.item(21, 0)]
    )
    station.mode(GUIDED)
    station.arm()
    station.command(300)
    station.run_until(lambda: station.vehicle.body.north_m > 100, 120)
    assert station.command(178, 1, 4, -1) == ACCEPTED
    station.run(12)
    assert station.vehicle.body.velocity_m_s[0] == pytest.approx(4, abs=0.3)
    assert station.command(178, 1, 12, -1) == ACCEPTED
    station.run(10)
    assert station.vehicle.body.velocity_m_s[0] == pytest.approx(12, abs=0.5)
    station.run_until(lambda: not station.vehicle.armed, 200)


def test_two_clients_have_their_own_streams_and_both_hear_texts() -> None:
    vehicle = make_vehicle()
    first = GroundStation(vehicle)
    vehicle.open_channel()
    second = GroundStation(vehicle, system_id=254, channel=1)
    second.stream(30)
    vehicle.step(2.0)
    first.collect()
    second.collect()
    assert not first.of("ATTITUDE")
    assert second.of("ATTITUDE")
    first.mode(GUIDED)
    first.arm()
    second.collect()
    assert "Arming motors" in first.texts()
    assert "Arming motors" in second.texts()
    assert not second.of("COMMAND_ACK")[1:]
