"""Outgoing telemetry of PX4: streams start by themselves, at the rates of a «normal» link."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pymavlink.dialects.v20 import ardupilotmega as mavlink

from core.geodesy import EnuOffset
from sitl import telemetry
from sitl.px4.modes import PILOTED, Mode, custom_mode
from sitl.telemetry import centidegrees, degrees_1e7
from sitl.wire import Kind

if TYPE_CHECKING:
    from sitl.px4.autopilot import Px4

DEFAULT_INTERVALS_S: dict[int, float] = {
    0: 1.0, 1: 1.0, 2: 1.0, 4: 10.0, 24: 1.0, 30: 0.1, 32: 1.0, 33: 0.2, 36: 1.0, 74: 0.25, 87: 1.0,
    111: 1.0, 141: 1.0, 147: 2.0, 230: 2.0, 242: 2.0, 245: 1.0,
}  # fmt: skip
"""Rates of PX4's GCS link; attitude at 10 instead of 15 Hz, so that a vehicle can be stepped by 0.1 s."""
_HEALTHY = 0x03000000 | 0x200000 | 0x10000 | 0x8000 | 0x4000 | 0x2000 | 0x1000 | 0x800 | 0x400 | 0xF
_GPS, _PREARM = 0x20, 0x10000000
_ESTIMATOR_GOOD, _ESTIMATOR_AT_REST, _ESTIMATOR_NO_POSITION = 831, 1023, 164
"""ESTIMATOR_STATUS flags: observed 164 before GPS is fused, 1023 (constant position included) at rest."""
_HEARTBEAT = Kind(mavlink.MAVLink_heartbeat_message)
_SYS_STATUS = Kind(mavlink.MAVLink_sys_status_message)
_GPS_RAW_INT = Kind(mavlink.MAVLink_gps_raw_int_message)
_MISSION_CURRENT = Kind(mavlink.MAVLink_mission_current_message)
_EXTENDED_SYS_STATE = Kind(mavlink.MAVLink_extended_sys_state_message)
_POSITION_TARGET_GLOBAL_INT = Kind(mavlink.MAVLink_position_target_global_int_message)
_ALTITUDE = Kind(mavlink.MAVLink_altitude_message)
_ESTIMATOR_STATUS = Kind(mavlink.MAVLink_estimator_status_message)
_SERVO_OUTPUT_RAW = Kind(mavlink.MAVLink_servo_output_raw_message)


def _heartbeat(a: Px4) -> Any:
    base = mavlink.MAV_MODE_FLAG_CUSTOM_MODE_ENABLED
    if a.mode in PILOTED:
        base |= mavlink.MAV_MODE_FLAG_MANUAL_INPUT_ENABLED | mavlink.MAV_MODE_FLAG_STABILIZE_ENABLED
    elif a.mode is Mode.POSCTL:
        base |= 0x50
    elif a.mode is not Mode.TERMINATION:
        # Observed: 29 in every automatic mode.
        base |= 0x1C
    if a.armed:
        base |= mavlink.MAV_MODE_FLAG_SAFETY_ARMED
    if a.failsafes.mode is not None:
        status = mavlink.MAV_STATE_CRITICAL
    elif a.armed:
        status = mavlink.MAV_STATE_ACTIVE
    else:
        # Observed: 0 while checks fail for the present mode, 3 when it could be armed.
        status = mavlink.MAV_STATE_STANDBY if a.arming.ready else mavlink.MAV_STATE_UNINIT
    return _HEARTBEAT(
        mavlink.MAV_TYPE_QUADROTOR, mavlink.MAV_AUTOPILOT_PX4, base, custom_mode(a.mode), status, 3
    )


def _sys_status(a: Px4) -> Any:
    # Observed: the prearm bit is in «health» only, never in «present».
    present = _HEALTHY | _GPS
    health = _HEALTHY | (_GPS if a.gps_ok else 0) | (_PREARM if a.arming.ready else 0)
    health &= ~a.vehicle.faults.unhealthy_sensors
    return _SYS_STATUS(
        present, present, health, 140, round(a.body.voltage_v * 1000) & 0xFFFF,
        round(min(a.body.current_a * 100, 32767)), round(a.battery_remaining * 100), 0, 0, 0, 0, 0, 0,
    )  # fmt: skip


def _ping(a: Px4) -> Any:
    return mavlink.MAVLink_ping_message(round(a.now_s * 1e6), 0, 0, 0)


def _gps_raw(a: Px4) -> Any:
    if not a.gps_ok:
        return _GPS_RAW_INT(round(a.now_s * 1e6), 0, 0, 0, 0, 9999, 9999, 0, 0, 0)
    place = a.believed_position
    north, east, _ = a.body.velocity_m_s
    return _GPS_RAW_INT(
        round(a.now_s * 1e6), 3, degrees_1e7(place.latitude_deg), degrees_1e7(place.longitude_deg),
        round(a.believed_amsl_m * 1000), 70, 110, round(math.hypot(north, east) * 100),
        centidegrees(math.atan2(east, north)), 10, round(a.believed_amsl_m * 1000), 900, 1780, 400, 0,
    )  # fmt: skip


def _servo_outputs(a: Px4) -> Any:
    # Observed: 900 µs on every output while disarmed.
    motor = 900 if not a.armed else 1000 + round(a.body.throttle_fraction * 1000)
    outputs = [motor] * 4 + [900 if not a.armed else 0] * 12
    number = a.gripper.output
    if number is not None:
        outputs[number - 1] = a.gripper.pulse_us
    return _SERVO_OUTPUT_RAW(round(a.now_s * 1e6) & 0xFFFFFFFF, 0, *outputs[:8], *outputs[8:])


def _altitude(a: Px4) -> Any:
    height_m = a.height_above_home_m
    return _ALTITUDE(
        round(a.now_s * 1e6), a.believed_amsl_m, a.believed_amsl_m, a.body.believed_up_m, height_m,
        math.nan, math.nan,
    )  # fmt: skip


def _battery(a: Px4) -> Any:
    voltages = [65535] * 10
    voltages[0] = min(round(a.body.voltage_v * 1000), 65534)
    state = {0: 1, 1: 2, 2: 3, 3: 4}[a.failsafes.battery_level]
    return mavlink.MAVLink_battery_status_message(
        0, 1, 1, 32767, voltages, round(min(a.body.current_a * 100, 32767)), round(a.body.consumed_ah * 1000),
        -1, round(a.battery_remaining * 100), 0, state,
    )  # fmt: skip


def _estimator(a: Px4) -> Any:
    good = a.position_source_ok
    flags = _ESTIMATOR_NO_POSITION
    if good:
        flags = _ESTIMATOR_AT_REST if a.landed else _ESTIMATOR_GOOD
    ratio = 0.05 if good else math.nan
    return _ESTIMATOR_STATUS(
        round(a.now_s * 1e6), flags, ratio, ratio, 0.05, 0.05, math.nan, math.nan,
        0.5 if good else 14.1, 0.8,
    )  # fmt: skip


def _extended_state(a: Px4) -> Any:
    if a.landed or "ground_imagined" in a.vehicle.faults:
        state = mavlink.MAV_LANDED_STATE_ON_GROUND
    elif a.is_landing:
        state = mavlink.MAV_LANDED_STATE_LANDING
    elif a.mode is Mode.AUTO_TAKEOFF:
        state = mavlink.MAV_LANDED_STATE_TAKEOFF
    else:
        state = mavlink.MAV_LANDED_STATE_IN_AIR
    return _EXTENDED_SYS_STATE(0, state)


def _mission_current(a: Px4) -> Any:
    count = len(a.mission_store.items)
    return _MISSION_CURRENT(
        a.mission.current, count if count else 65535, a.mission.state, 1 if a.shows_active_mission else 2
    )


def _target(a: Px4) -> Any:
    target = a.guidance.target
    if target is None:
        return None
    place = a.body.frame.to_wgs84(EnuOffset(target[1], target[0])) if abs(target[0]) < 9e4 else None
    if place is None:
        return None
    nan = math.nan
    return _POSITION_TARGET_GLOBAL_INT(
        a.time_boot_ms, 5, 0, degrees_1e7(place.latitude_deg), degrees_1e7(place.longitude_deg),
        target[2] + a.body.launch_amsl_m, nan, nan, nan, 0.0, 0.0, 0.0, 0.0, 0.0,
    )  # fmt: skip


def _version(a: Px4) -> Any:
    capabilities = (
        mavlink.MAV_PROTOCOL_CAPABILITY_MISSION_INT
        | mavlink.MAV_PROTOCOL_CAPABILITY_COMMAND_INT
        | 0x20000
        | mavlink.MAV_PROTOCOL_CAPABILITY_MAVLINK2
        | mavlink.MAV_PROTOCOL_CAPABILITY_MISSION_FENCE
        | mavlink.MAV_PROTOCOL_CAPABILITY_MISSION_RALLY
        | mavlink.MAV_PROTOCOL_CAPABILITY_SET_POSITION_TARGET_LOCAL_NED
        | mavlink.MAV_PROTOCOL_CAPABILITY_SET_POSITION_TARGET_GLOBAL_INT
        | mavlink.MAV_PROTOCOL_CAPABILITY_FLIGHT_TERMINATION
    )
    # 1.17.0, release type 255: observed 0x011100ff. 0x20000 is PARAM_ENCODE_BYTEWISE.
    return mavlink.MAVLink_autopilot_version_message(
        capabilities, 0x011100FF, 0, 0, 0, b"\0" * 8, b"\0" * 8, b"\0" * 8, 0, 0, a.vehicle.system_id
    )


_BUILDERS: dict[int, Callable[[Px4], Any]] = {
    0: _heartbeat,
    1: _sys_status,
    2: telemetry.system_time,
    4: _ping,
    24: _gps_raw,
    30: telemetry.attitude,
    32: telemetry.local_position,
    33: telemetry.global_position,
    36: _servo_outputs,
    42: _mission_current,
    49: telemetry.origin,
    74: telemetry.vfr_hud,
    87: _target,
    111: telemetry.timesync,
    141: _altitude,
    147: _battery,
    148: _version,
    230: _estimator,
    242: telemetry.home,
    245: _extended_state,
}


def is_known(message_id: int) -> bool:
    return message_id in _BUILDERS


def build(autopilot: Px4, message_id: int) -> Any:
    """The message as it would go out now; None when the vehicle has nothing to say."""
    return _BUILDERS[message_id](autopilot)


def broadcast(autopilot: Px4, message_id: int) -> None:
    """Send one message on every channel now."""
    message = build(autopilot, message_id)
    if message is not None:
        for channel in autopilot.vehicle.channels:
            channel.send(message)


def send_item_reached(autopilot: Px4, index: int) -> None:
    for channel in autopilot.vehicle.channels:
        channel.send(mavlink.MAVLink_mission_item_reached_message(index))


def send_due(autopilot: Px4) -> None:
    """Send what is due on each channel."""
    telemetry.send_due(autopilot, _BUILDERS, DEFAULT_INTERVALS_S)
