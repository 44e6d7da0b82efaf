"""Commands, gripper, parameters, failsafes and links of the PX4 personality."""

from __future__ import annotations

import struct

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mavlink

from sitl.payload import LoadState
from tests.unit.sitl.px4_station import HOLD, LAND, MISSION, NAN, RTL, Px4Station, px4

GRIPPER, WINCH = 211, 42600
IN_PROGRESS, CANCELLED = 5, 6


def test_heartbeat_is_px4s() -> None:
    g = Px4Station(px4())
    beat = g.of("HEARTBEAT")[-1]
    assert (beat.autopilot, beat.base_mode, beat.custom_mode, beat.system_status) == (12, 29, 0x3040000, 3)
    assert g.mode(MISSION) == 0
    g.run(1.1)
    beat = g.of("HEARTBEAT")[-1]
    # Disarmed every mode is granted; that it cannot be flown shows only in the state.
    assert (beat.custom_mode, beat.system_status) == (0x4040000, 0)
    assert g.acks(176) == [0, 0]
    assert g.arm() == 1
    assert not g.vehicle.armed


def test_a_mode_that_cannot_be_flown_is_rejected_in_the_air() -> None:
    g = Px4Station(px4())
    g.take_off(10)
    assert g.mode(MISSION) == 1
    assert g.mode((6, 0)) == 1
    assert g.mode((4, 99)) == 1
    # A main mode nobody knows is accepted, and nothing happens.
    assert g.mode((77, 0)) == 0
    g.run(1.1)
    assert g.shown_mode == HOLD


def test_not_ready_arming_is_refused_in_words() -> None:
    g = Px4Station(px4(ready_after_s=5.0))
    assert g.arm() == 1
    assert any(text.startswith("Preflight Fail") for text in g.texts())
    g.run(5)
    assert g.of("SYS_STATUS")[-1].onboard_control_sensors_health & 0x10000000
    assert g.arm() == 0


def test_altitudes_are_above_sea_level_whatever_the_frame() -> None:
    vehicle = px4()
    g = Px4Station(vehicle)
    g.take_off(15)
    x, y = g.place(20, 0)
    assert g.command_int(192, -1, 1, 0, NAN, frame=6, x=x, y=y, z=15.0) == 0
    g.run(15)
    # «15 m above home» was meant; 15 m above the sea it is, with home at 5 m.
    assert vehicle.body.up_m == pytest.approx(10, abs=0.5)


def test_take_off_holds_and_landing_disarms() -> None:
    vehicle = px4()
    g = Px4Station(vehicle)
    g.take_off(12)
    assert g.of("EXTENDED_SYS_STATE")[-1].landed_state in (2, 3)
    assert g.command(21) == 0
    g.run(1.5)
    assert g.shown_mode == LAND
    assert g.of("EXTENDED_SYS_STATE")[-1].landed_state == 4
    g.run_until(lambda: not vehicle.armed, 60)
    landed = g.witnessed("landed")[-1]
    assert g.witnessed("disarmed")[-1] - landed == pytest.approx(2.0, abs=0.3)
    assert "Disarmed by landing\t" in g.texts()


def test_armed_and_idle_it_disarms_by_itself() -> None:
    vehicle = px4()
    g = Px4Station(vehicle)
    assert g.arm() == 0
    assert g.run_until(lambda: not vehicle.armed, 20) == pytest.approx(11, abs=0.5)


@pytest.mark.parametrize(
    ("command", "result"), [(193, 3), (207, 3), (183, 3), (115, 3), (208, 3), (224, 3), (12345, 3)]
)
def test_commands_it_does_not_know(command: int, result: int) -> None:
    assert Px4Station(px4()).command(command, 1) == result


def test_the_winch_gets_no_answer_at_all() -> None:
    g = Px4Station(px4())
    g.send(mavlink.MAVLink_command_long_message(1, 1, WINCH, 0, 1, 1, 5, 1, 0, 0, 0))
    g.run(3)
    assert g.acks(WINCH) == []
    assert g.vehicle.payload.line_length_m == 0


def test_gripper_answers_by_the_clock_even_when_nothing_moves() -> None:
    vehicle = px4()
    g = Px4Station(vehicle)
    assert g.command(GRIPPER, 1, 0) == IN_PROGRESS
    assert g.of("COMMAND_ACK")[-1].progress == 255
    # The same again while it runs, then the opposite, which cancels it.
    assert g.command(GRIPPER, 1, 0) == 1
    g.send(mavlink.MAVLink_command_long_message(1, 1, GRIPPER, 0, 1, 1, 0, 0, 0, 0, 0))
    g.run(0.2)
    assert g.acks(GRIPPER)[-2:] == [CANCELLED, IN_PROGRESS]
    g.run(1.2)
    assert g.acks(GRIPPER)[-1] == 0
    assert g.command(GRIPPER, 1, 1) == 0
    assert g.command(GRIPPER, 1, 7) == 2
    # Disarmed, the output never moved.
    g.command(GRIPPER, 1, 0)
    g.run(2)
    assert g.acks(GRIPPER)[-1] == 0
    assert g.of("SERVO_OUTPUT_RAW")[-1].servo7_raw == 900
    assert vehicle.payload.load is LoadState.ON_HOOK
    # … until somebody arms: then the hook opens.
    assert g.arm() == 0
    g.run(2)
    assert g.of("SERVO_OUTPUT_RAW")[-1].servo7_raw == 1000
    assert vehicle.payload.load is LoadState.ON_GROUND


def test_with_outputs_alive_before_arming_the_gripper_moves_on_the_ground() -> None:
    vehicle = px4(airframe="quad8_px4")
    g = Px4Station(vehicle)
    assert g.of("SERVO_OUTPUT_RAW")[-1].servo5_raw == 2000
    g.command(GRIPPER, 1, 0)
    g.run(2)
    assert g.of("SERVO_OUTPUT_RAW")[-1].servo5_raw == 1000
    assert vehicle.payload.load is LoadState.ON_GROUND


def test_a_mission_may_be_excepted_from_link_loss_until_it_is_left() -> None:
    vehicle = px4(parameters={"COM_DLL_EXCEPT": 1})
    g = Px4Station(vehicle)
    g.upload_and_settle([g.position(22, 0, 0, 15), g.position(16, 600, 0, 15)])
    g.fly_mission()
    g.heartbeats = False
    g.run_until(lambda: vehicle.autopilot.failsafes.gcs_lost, 20)
    g.run(15)
    assert vehicle.mode == "AUTO_MISSION"
    # The mission ends in Hold, which is not excepted.
    g.run_until(lambda: vehicle.mode == "AUTO_RTL", 60)


def test_integer_parameters_travel_byte_by_byte() -> None:
    g = Px4Station(px4())
    g.set_integer("NAV_DLL_ACT", 1)
    assert g.vehicle.autopilot.parameters["NAV_DLL_ACT"] == 1
    g.set_real("RTL_RETURN_ALT", 45.5)
    # A wrong type and an unknown name get no answer.
    for name, kind in ((b"RTL_RETURN_ALT", 6), (b"NAV_DLL_ACT", 9), (b"RTL_ALT", 9)):
        g.send(mavlink.MAVLink_param_set_message(1, 1, name, 1.0, kind))
    assert not [m for m in g.collect() if m.get_type() == "PARAM_VALUE"]
    assert g.vehicle.autopilot.parameters["RTL_RETURN_ALT"] == 45.5


def test_the_parameter_list_is_headed_by_its_checksum() -> None:
    g = Px4Station(px4())
    g.send(mavlink.MAVLink_param_request_list_message(1, 1))
    values = [m for m in g.run(4) if m.get_type() == "PARAM_VALUE"]
    assert values[0].param_id == "_HASH_CHECK"
    names = {m.param_id: m for m in values[1:]}
    assert len(names) == values[1].param_count
    turn = struct.unpack("<i", struct.pack("<f", names["MAV_SYS_ID"].param_value))[0]
    assert turn == 1


def test_link_loss_holds_then_returns_and_the_links_return_changes_nothing() -> None:
    vehicle = px4(parameters={"RTL_RETURN_ALT": 20})
    g = Px4Station(vehicle)
    g.take_off(15)
    g.heartbeats = False
    lost_s = vehicle.time_s
    g.run_until(lambda: vehicle.mode == "AUTO_LOITER" and vehicle.autopilot.failsafes.active is not None, 30)
    assert vehicle.time_s - lost_s == pytest.approx(10.3, abs=1.2)
    g.run_until(lambda: vehicle.mode == "AUTO_RTL", 30)
    assert vehicle.time_s - lost_s == pytest.approx(15.5, abs=1.2)
    g.heartbeats = True
    g.run(3)
    assert vehicle.mode == "AUTO_RTL"
    assert "GCS connection regained\t" in g.texts()
    # A mode command takes over.
    assert g.mode(HOLD) == 0
    g.run(1.1)
    assert g.shown_mode == HOLD


def test_without_the_parameter_link_loss_does_nothing() -> None:
    vehicle = px4(parameters={"NAV_DLL_ACT": 0})
    g = Px4Station(vehicle)
    g.take_off(15)
    g.heartbeats = False
    g.run(40)
    assert vehicle.mode == "AUTO_LOITER"
    assert vehicle.autopilot.failsafes.active is None


def test_link_loss_action_asks_for_a_ground_station_before_arming() -> None:
    vehicle = px4()
    g = Px4Station(vehicle, ready=False)
    g.heartbeats = False
    g.run(3)
    assert g.arm() == 1
    # Texts go only where a ground station's heartbeat comes from.
    assert g.texts() == []
    g.heartbeats = True
    g.run(1.5)
    assert g.arm() == 0


def test_battery_low_warns_critical_returns_emergency_lands() -> None:
    vehicle = px4(parameters={"RTL_RETURN_ALT": 20})
    g = Px4Station(vehicle)
    g.take_off(15)
    vehicle.faults.set("battery_charge", 0.18)
    g.run(8)
    assert vehicle.mode == "AUTO_LOITER"
    assert vehicle.autopilot.failsafes.active is None
    vehicle.faults.set("battery_charge", 0.09)
    g.run(2)
    assert vehicle.mode == "AUTO_LOITER"
    g.run(5)
    assert vehicle.mode == "AUTO_RTL"
    vehicle.faults.set("battery_charge", 0.04)
    g.run(1)
    assert vehicle.mode == "AUTO_LAND"


def test_gps_loss_descends_without_a_position() -> None:
    vehicle = px4()
    g = Px4Station(vehicle)
    g.take_off(15)
    vehicle.faults.set("gps_loss")
    g.run(7)
    assert vehicle.mode == "DESCEND"
    assert g.shown_mode == LAND
    g.run_until(lambda: not vehicle.armed, 60)


def test_disarming_in_the_air_needs_force() -> None:
    vehicle = px4()
    g = Px4Station(vehicle)
    g.take_off(10)
    assert g.command(400, 0) == 1
    assert vehicle.armed
    assert g.command(400, 0, 21196) == 0
    assert not vehicle.armed


def test_a_return_by_command_ends_on_the_pad() -> None:
    vehicle = px4(parameters={"RTL_RETURN_ALT": 25})
    g = Px4Station(vehicle)
    g.take_off(10)
    x, y = g.place(60, 30)
    assert g.command_int(192, 5, 1, 0, NAN, x=x, y=y, z=15.0) == 0
    g.run_until(lambda: vehicle.body.north_m > 58, 60)
    assert g.command(20) == 0
    g.run(1.1)
    assert g.shown_mode == RTL
    g.run_until(lambda: not vehicle.armed, 120)
    assert abs(vehicle.body.north_m) < 1
    assert max(m.relative_alt for m in g.of("GLOBAL_POSITION_INT")) == pytest.approx(25_000, abs=700)


def test_reboot_only_on_the_ground_and_the_mission_survives() -> None:
    vehicle = px4()
    g = Px4Station(vehicle)
    g.upload_and_settle([g.position(22, 0, 0, 10), g.position(21, 10, 0, 0)])
    assert g.command(246, 1) == 0
    assert g.run(2.5) == []
    g.run(4)
    assert g.mission_state == 2
    g.take_off(10)
    assert g.command(246, 1) == 2
