"""Outgoing telemetry: how each message is built from the vehicle's state, and when it goes out.

By default only HEARTBEAT, STATUSTEXT and TIMESYNC stream; everything else is asked for.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pymavlink.dialects.v20 import ardupilotmega as mavlink

from core.geodesy import EnuOffset
from sitl import telemetry
from sitl.ardupilot.mission import MissionState
from sitl.ardupilot.modes import AUTOPILOT_FLIES, Mode
from sitl.ardupilot.navigation import Submode
from sitl.telemetry import centidegrees, degrees_1e7
from sitl.wire import Kind

if TYPE_CHECKING:
    from sitl.ardupilot.autopilot import ArduCopter

BOOTING_SAYS_ACTIVE_S = 2.5
"""Observed: heartbeats of the first seconds say «active» although disarmed."""
DEFAULT_INTERVALS_S: dict[int, float] = {0: 1.0, 111: 10.0}
STREAM_GROUPS: dict[int, tuple[int, ...]] = {
    0: (1, 24, 30, 32, 33, 42, 62, 65, 74, 147, 162, 168, 193, 242, 245),
    2: (1, 24, 42, 62, 162),
    3: (65,),
    6: (32, 33),
    10: (30,),
    11: (74,),
    12: (2, 147, 168, 193, 245, 9005),
}
"""REQUEST_DATA_STREAM's groups, for clients of the old way."""

_HEALTHY = (
    0x1 | 0x2 | 0x4 | 0x8 | 0x400 | 0x800 | 0x1000 | 0x2000 | 0x4000 | 0x8000 | 0x10000 | 0x200000 | 0x2000000
)
_GPS, _FENCE, _PREARM = 0x20, 0x100000, 0x10000000
_EKF_GOOD, _EKF_NO_POSITION = 831, 167
"""Flags ArduCopter reports flying on GPS, and before it does (constant-position mode)."""
_HEARTBEAT = Kind(mavlink.MAVLink_heartbeat_message)
_SYS_STATUS = Kind(mavlink.MAVLink_sys_status_message)
_GPS_RAW_INT = Kind(mavlink.MAVLink_gps_raw_int_message)
_EKF_STATUS_REPORT = Kind(mavlink.MAVLink_ekf_status_report_message)
_MISSION_CURRENT = Kind(mavlink.MAVLink_mission_current_message)
_NAV_CONTROLLER_OUTPUT = Kind(mavlink.MAVLink_nav_controller_output_message)
_WIND = Kind(mavlink.MAVLink_wind_message)
_WINCH_STATUS = Kind(mavlink.MAVLink_winch_status_message)
_EXTENDED_SYS_STATE = Kind(mavlink.MAVLink_extended_sys_state_message)
_FENCE_STATUS = Kind(mavlink.MAVLink_fence_status_message)
_RC_CHANNELS = Kind(mavlink.MAVLink_rc_channels_message)
_POSITION_TARGET_GLOBAL_INT = Kind(mavlink.MAVLink_position_target_global_int_message)


def _heartbeat(a: ArduCopter) -> Any:
    base = mavlink.MAV_MODE_FLAG_CUSTOM_MODE_ENABLED | mavlink.MAV_MODE_FLAG_STABILIZE_ENABLED
    base |= (
        mavlink.MAV_MODE_FLAG_GUIDED_ENABLED
        if a.mode in AUTOPILOT_FLIES
        else mavlink.MAV_MODE_FLAG_MANUAL_INPUT_ENABLED
    )
    if a.armed:
        base |= mavlink.MAV_MODE_FLAG_SAFETY_ARMED
    status = mavlink.MAV_STATE_STANDBY if a.landed else mavlink.MAV_STATE_ACTIVE
    if a.now_s - a.booted_s < BOOTING_SAYS_ACTIVE_S:
        status = mavlink.MAV_STATE_ACTIVE
    if a.failsafes.gcs or a.failsafes.ekf or (a.armed and a.battery.level):
        status = mavlink.MAV_STATE_CRITICAL
    return _HEARTBEAT(
        mavlink.MAV_TYPE_QUADROTOR, mavlink.MAV_AUTOPILOT_ARDUPILOTMEGA, base, int(a.mode), status, 3
    )


def _sys_status(a: ArduCopter) -> Any:
    present = _HEALTHY | _GPS | _PREARM | (_FENCE if a.fence.has_shapes else 0)
    enabled = _HEALTHY | _GPS | _PREARM | (_FENCE if a.fence.enabled else 0)
    health = (
        _HEALTHY
        | (_GPS if a.gps_ok else 0)
        | (_PREARM if a.arming.ready else 0)
        | (_FENCE if not a.fence.breaches else 0)
    )
    health &= ~a.vehicle.faults.unhealthy_sensors
    return _SYS_STATUS(
        present, enabled, health, 250, round(a.body.voltage_v * 1000) & 0xFFFF,
        round(min(a.body.current_a * 100, 32767)), a.battery.remaining_percent, 0, 0, 0, 0, 0, 0,
    )  # fmt: skip


def _gps_raw(a: ArduCopter) -> Any:
    if not a.gps_ok:
        return _GPS_RAW_INT(0, 1, 0, 0, 0, 9999, 9999, 0, 65535, 0)
    place = a.believed_position
    north, east, _ = a.body.velocity_m_s
    return _GPS_RAW_INT(
        a.unix_us, 6, degrees_1e7(place.latitude_deg), degrees_1e7(place.longitude_deg),
        round(a.believed_amsl_m * 1000), 121, 200, round(math.hypot(north, east) * 100),
        centidegrees(math.atan2(east, north)), 10,
    )  # fmt: skip


def _ekf_status(a: ArduCopter) -> Any:
    if not a.estimator_ready:
        return _EKF_STATUS_REPORT(_EKF_NO_POSITION, 0.0, 0.0, 0.0, 0.0, 0.0)
    if a.failsafes.ekf or not a.position_ok:
        return _EKF_STATUS_REPORT(_EKF_NO_POSITION, 1.2, 1.5, 0.1, 0.1, 0.0)
    return _EKF_STATUS_REPORT(_EKF_GOOD, 0.05, 0.03, 0.02, 0.03, 0.0)


def _battery(a: ArduCopter) -> Any:
    voltages = [65535] * 10
    millivolts = round(a.body.voltage_v * 1000)
    voltages[0] = min(millivolts, 65534)
    return mavlink.MAVLink_battery_status_message(
        0, 0, 0, 32767, voltages, round(min(a.body.current_a * 100, 32767)), round(a.battery.consumed_mah),
        round(a.body.energy_wh * 36), a.battery.remaining_percent,
    )  # fmt: skip


def _mission_current(a: ArduCopter) -> Any:
    mission = a.mission
    total = mission.count
    if total <= 1:
        state = mavlink.MISSION_STATE_NO_MISSION
    elif mission.state is MissionState.COMPLETE:
        state = mavlink.MISSION_STATE_COMPLETE
    elif mission.state is MissionState.RUNNING:
        state = mavlink.MISSION_STATE_PAUSED if mission.navigation.paused else mavlink.MISSION_STATE_ACTIVE
    else:
        state = mavlink.MISSION_STATE_NOT_STARTED
    in_mission = 1 if a.mode is Mode.AUTO else 0
    return _MISSION_CURRENT(mission.nav_index, max(total - 1, 0), state, in_mission)


def _controller(a: ArduCopter) -> Any:
    roll, pitch, _ = a.body.roll_pitch_yaw_rad
    bearing, distance, up_error = 0.0, 0.0, 0.0
    target = None
    if a.mode is Mode.AUTO and a.mission.navigation.submode is Submode.WAYPOINT:
        target = a.body.leg_end_m
    elif a.mode is Mode.GUIDED:
        target = a.guided_target
    if target is not None:
        here_n, here_e = a.believed_local
        north, east = target[0] - here_n, target[1] - here_e
        bearing, distance = math.degrees(math.atan2(east, north)), math.hypot(north, east)
        up_error = target[2] - a.body.believed_up_m
    return _NAV_CONTROLLER_OUTPUT(
        math.degrees(roll), math.degrees(pitch), round(bearing), round(bearing),
        min(round(distance), 65535), up_error, 0.0, 0.0,
    )  # fmt: skip


def _wind(a: ArduCopter) -> Any:
    north, east, up = a.body.wind_m_s
    # The direction wind comes from; the estimator only has one once it flies.
    if a.landed:
        return _WIND(0.0, 0.0, 0.0)
    return _WIND(math.degrees(math.atan2(-east, -north)), math.hypot(north, east), -up)


def _winch(a: ArduCopter) -> Any:
    payload = a.vehicle.payload
    if a.gear.winch_type == 0:
        return None
    nan = math.nan
    healthy = payload.driven and not a.vehicle.faults.winch_is_silent
    status = mavlink.MAV_WINCH_STATUS_HEALTHY if healthy else 0
    if not payload.measures:
        # A servo winch reports what it was told: no sensor, no «done», a stale rate when relaxed.
        return _WINCH_STATUS(
            round(a.now_s * 1e6),
            payload.counted_length_m,
            payload.rate_wanted_m_s,
            nan,
            nan,
            nan,
            32767,
            status,
        )
    if payload.fully_retracted:
        status |= mavlink.MAV_WINCH_STATUS_FULLY_RETRACTED
    if payload.moving:
        status |= mavlink.MAV_WINCH_STATUS_MOVING
    if payload.mode.value == "relaxed":
        status |= mavlink.MAV_WINCH_STATUS_CLUTCH_ENGAGED
    current = 0.2 + (1.5 * payload.tension_kg if payload.moving else 0.0)
    return _WINCH_STATUS(
        round(a.now_s * 1e6), payload.line_length_m, abs(payload.line_speed_m_s),
        round(payload.tension_kg, 2), 12.0, current, 30, status,
    )  # fmt: skip


def _extended_state(a: ArduCopter) -> Any:
    if "ground_imagined" in a.vehicle.faults:
        state = mavlink.MAV_LANDED_STATE_ON_GROUND
    elif a.landed:
        state = (
            mavlink.MAV_LANDED_STATE_TAKEOFF
            if a.taken_off and a.armed
            else mavlink.MAV_LANDED_STATE_ON_GROUND
        )
    elif a.is_landing:
        state = mavlink.MAV_LANDED_STATE_LANDING
    elif a.is_taking_off:
        state = mavlink.MAV_LANDED_STATE_TAKEOFF
    else:
        state = mavlink.MAV_LANDED_STATE_IN_AIR
    return _EXTENDED_SYS_STATE(0, state)


def _fence_status(a: ArduCopter) -> Any:
    kind = 0
    for bit, number in ((1, 2), (8, 1), (2, 3), (4, 3)):
        if a.fence.breaches & bit:
            kind = number
    return _FENCE_STATUS(
        int(bool(a.fence.breaches)), a.fence.breach_count, kind, round(a.fence.breach_time_s * 1000)
    )


def _rc_channels(a: ArduCopter) -> Any:
    sticks = [1500, 1500, 1000, 1500, 1800, 1000, 1000, 1800] + [0] * 10
    return _RC_CHANNELS(a.time_boot_ms, 16, *sticks, 254)


def _version(a: ArduCopter) -> Any:
    capabilities = (
        mavlink.MAV_PROTOCOL_CAPABILITY_MISSION_FLOAT
        | mavlink.MAV_PROTOCOL_CAPABILITY_PARAM_FLOAT
        | mavlink.MAV_PROTOCOL_CAPABILITY_MISSION_INT
        | mavlink.MAV_PROTOCOL_CAPABILITY_COMMAND_INT
        | mavlink.MAV_PROTOCOL_CAPABILITY_SET_POSITION_TARGET_GLOBAL_INT
        | mavlink.MAV_PROTOCOL_CAPABILITY_SET_POSITION_TARGET_LOCAL_NED
        | mavlink.MAV_PROTOCOL_CAPABILITY_MAVLINK2
        | mavlink.MAV_PROTOCOL_CAPABILITY_MISSION_FENCE
        | mavlink.MAV_PROTOCOL_CAPABILITY_MISSION_RALLY
        | mavlink.MAV_PROTOCOL_CAPABILITY_FLIGHT_TERMINATION
    )
    # 4.6.0, release type «dev».
    return mavlink.MAVLink_autopilot_version_message(
        capabilities, (4 << 24) | (6 << 16), 0, 0, 0, b"\0" * 8, b"\0" * 8, b"\0" * 8, 0, 0,
        a.vehicle.system_id,
    )  # fmt: skip


def _estimated_position(a: ArduCopter) -> Any:
    target = a.guided_target if a.mode is Mode.GUIDED else None
    if target is None:
        return None
    place = a.body.frame.to_wgs84(EnuOffset(target[1], target[0]))
    return _POSITION_TARGET_GLOBAL_INT(
        a.time_boot_ms, 0, 0xFFF8, degrees_1e7(place.latitude_deg), degrees_1e7(place.longitude_deg),
        target[2] + a.body.launch_amsl_m, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
    )  # fmt: skip


_BUILDERS: dict[int, Callable[[ArduCopter], Any]] = {
    0: _heartbeat,
    1: _sys_status,
    2: telemetry.system_time,
    24: _gps_raw,
    30: telemetry.attitude,
    32: telemetry.local_position,
    33: telemetry.global_position,
    42: _mission_current,
    49: telemetry.origin,
    62: _controller,
    65: _rc_channels,
    74: telemetry.vfr_hud,
    87: _estimated_position,
    111: telemetry.timesync,
    147: _battery,
    148: _version,
    162: _fence_status,
    168: _wind,
    193: _ekf_status,
    242: telemetry.home,
    245: _extended_state,
    9005: _winch,
}


def is_known(message_id: int) -> bool:
    return message_id in _BUILDERS


def build(autopilot: ArduCopter, message_id: int) -> Any:
    """The message as it would go out now; None when the vehicle has nothing to say."""
    return _BUILDERS[message_id](autopilot)


def broadcast(autopilot: ArduCopter, message_id: int) -> None:
    """Send one message on every channel now."""
    message = build(autopilot, message_id)
    if message is not None:
        for channel in autopilot.vehicle.channels:
            channel.send(message)


def send_item_reached(autopilot: ArduCopter, index: int) -> None:
    for channel in autopilot.vehicle.channels:
        channel.send(mavlink.MAVLink_mission_item_reached_message(index))


def send_due(autopilot: ArduCopter) -> None:
    """Send what is due on each channel."""
    telemetry.send_due(autopilot, _BUILDERS, DEFAULT_INTERVALS_S)
