"""Telemetry that both personalities send alike, and the timetable that sends it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pymavlink.dialects.v20 import ardupilotmega as mavlink

from sitl.autopilot import Autopilot
from sitl.wire import Kind

AnyAutopilot = TypeVar("AnyAutopilot", bound=Autopilot)


_SYSTEM_TIME = Kind(mavlink.MAVLink_system_time_message)
_GLOBAL_POSITION_INT = Kind(mavlink.MAVLink_global_position_int_message)
_LOCAL_POSITION_NED = Kind(mavlink.MAVLink_local_position_ned_message)
_ATTITUDE = Kind(mavlink.MAVLink_attitude_message)
_VFR_HUD = Kind(mavlink.MAVLink_vfr_hud_message)


def degrees_1e7(degrees: float) -> int:
    return round(degrees * 1e7)


def centidegrees(radians: float) -> int:
    """0 … 35999."""
    return round(math.degrees(radians) * 100) % 36000


POSITION_MESSAGES = frozenset({30, 32, 33, 74, 141})
"""Attitude, positions, HUD and ALTITUDE: what freezes when telemetry does."""


def system_time(a: Autopilot) -> Any:
    return _SYSTEM_TIME(a.unix_us if a.gps_ok else 0, a.time_boot_ms)


def timesync(a: Autopilot) -> Any:
    return mavlink.MAVLink_timesync_message(0, round(a.now_s * 1e9) + a.vehicle.system_id)


def global_position(a: Autopilot) -> Any:
    place = a.believed_position
    north, east, up = a.body.velocity_m_s
    return _GLOBAL_POSITION_INT(
        a.time_boot_ms, degrees_1e7(place.latitude_deg), degrees_1e7(place.longitude_deg),
        round(a.believed_amsl_m * 1000), round(a.height_above_home_m * 1000),
        round(north * 100), round(east * 100), round(-up * 100), centidegrees(a.body.shown_heading_rad),
    )  # fmt: skip


def local_position(a: Autopilot) -> Any:
    north, east, up = a.body.velocity_m_s
    here_n, here_e = a.believed_local
    return _LOCAL_POSITION_NED(a.time_boot_ms, here_n, here_e, -a.body.believed_up_m, north, east, -up)


def attitude(a: Autopilot) -> Any:
    roll, pitch, yaw = a.body.roll_pitch_yaw_rad
    shown = math.remainder(yaw + a.body.shown_heading_rad - a.body.yaw_rad, 2.0 * math.pi)
    return _ATTITUDE(a.time_boot_ms, roll, pitch, shown, 0.0, 0.0, 0.0)


def vfr_hud(a: Autopilot) -> Any:
    north, east, up = a.body.velocity_m_s
    wind_n, wind_e, _ = a.body.wind_m_s
    return _VFR_HUD(
        math.hypot(north - wind_n, east - wind_e), math.hypot(north, east),
        round(math.degrees(a.body.shown_heading_rad)) % 360, round(a.body.throttle_fraction * 100),
        a.believed_amsl_m, up,
    )  # fmt: skip


def home(a: Autopilot) -> Any:
    """None until there is a home."""
    if not a.home_set:
        return None
    north, east = a.home_local
    return mavlink.MAVLink_home_position_message(
        degrees_1e7(a.home.latitude_deg), degrees_1e7(a.home.longitude_deg), round(a.home_amsl_m * 1000),
        north, east, -(a.home_amsl_m - a.body.launch_amsl_m), [1.0, 0.0, 0.0, 0.0], 0.0, 0.0, 0.0, a.unix_us,
    )  # fmt: skip


def origin(a: Autopilot) -> Any:
    """None until there is a home."""
    if not a.home_set:
        return None
    launch = a.vehicle.launch
    return mavlink.MAVLink_gps_global_origin_message(
        degrees_1e7(launch.latitude_deg), degrees_1e7(launch.longitude_deg),
        round(a.body.launch_amsl_m * 1000), a.unix_us,
    )  # fmt: skip


def send_due(
    autopilot: AnyAutopilot,
    builders: Mapping[int, Callable[[AnyAutopilot], Any]],
    defaults_s: Mapping[int, float],
) -> None:
    """Send what is due on each channel; each state message is built once and shared."""
    now_s = autopilot.now_s
    built: dict[int, Any] = autopilot.vehicle.frozen_telemetry(builders)
    for channel in autopilot.vehicle.channels:
        if not channel.greeted:
            channel.greeted = True
            for message_id, interval_s in defaults_s.items():
                channel.set_interval(message_id, interval_s, now_s)
        for message_id in channel.take_due(now_s):
            if message_id not in builders:
                continue
            if message_id not in built:
                built[message_id] = builders[message_id](autopilot)
            if built[message_id] is not None:
                channel.send(built[message_id])
    if autopilot.home_changed:
        autopilot.home_changed = False
        message = builders[mavlink.MAVLINK_MSG_ID_HOME_POSITION](autopilot)
        if message is not None:
            for channel in autopilot.vehicle.channels:
                channel.send(message)
