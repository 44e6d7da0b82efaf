"""MAVLink messages → :class:`flight.model.view.VehicleView`, with MAVLink's «unknown» values as None."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from core.geodesy import Wgs84Point
from flight.links.mavlink.framing import Message
from flight.model.view import (
    KEPT_AIRCRAFT,
    KEPT_TEXTS,
    Aircraft,
    LandedState,
    MissionState,
    StatusText,
    VehicleView,
)

_ARMED_FLAG = 0x80
_PREARM_BIT = 0x10000000
"""MAV_SYS_STATUS_PREARM_CHECK."""
_G_ACCELERATION_M_S2 = 9.80665
_GCS_TYPE = 6
_PX4 = 12
"""MAV_AUTOPILOT_PX4 (common.xml)."""
_ADSB_COORDS, _ADSB_ALTITUDE, _ADSB_COURSE, _ADSB_CALLSIGN, _ADSB_CLIMB = 1, 2, 4 | 8, 16, 128
"""ADSB_FLAGS (common.xml): what of a report is valid; a course is heading and speed."""
_ADSB_BY_PRESSURE = 0
_ADSB_TSLC_UNKNOWN = 255
"""Seconds since the aircraft itself was heard: as many as fit, or more."""
REBOOT_JUMP_S = 2.0
"""A boot clock that falls back by more than packets can be late means a reboot (chosen)."""


class TelemetryReader:
    """Keeps one view up to date."""

    def __init__(self, view: VehicleView) -> None:
        self.view = view
        self._chunks: dict[int, dict[int, str]] = {}
        self._handlers: dict[str, Callable[[Any, float], None]] = {
            "HEARTBEAT": self._heartbeat,
            "GLOBAL_POSITION_INT": self._position,
            "GPS_RAW_INT": self._gps,
            "EKF_STATUS_REPORT": self._ekf,
            "ESTIMATOR_STATUS": self._ekf,
            "SYS_STATUS": self._sys_status,
            "BATTERY_STATUS": self._battery,
            "EXTENDED_SYS_STATE": self._landed,
            "MISSION_CURRENT": self._mission_current,
            "MISSION_ITEM_REACHED": self._reached,
            "HOME_POSITION": self._home,
            "WINCH_STATUS": self._winch,
            "WIND": self._wind,
            "WIND_COV": self._wind_vector,
            "SERVO_OUTPUT_RAW": self._servo_outputs,
            "FENCE_STATUS": self._fence,
            "ADSB_VEHICLE": self._aircraft,
            "SYSTEM_TIME": self._system_time,
            "STATUSTEXT": self._text,
        }

    @property
    def wanted(self) -> frozenset[str]:
        """The message names that this reader understands."""
        return frozenset(self._handlers)

    def read(self, message: Message, now_s: float) -> None:
        """Take one message of the vehicle's autopilot component."""
        self.view.heard_s = now_s
        handler = self._handlers.get(message.name)
        if handler is not None:
            handler(message.fields, now_s)

    def _heartbeat(self, fields: Any, now_s: float) -> None:
        if fields.type == _GCS_TYPE:
            return
        view = self.view
        view.armed = bool(fields.base_mode & _ARMED_FLAG)
        view.custom_mode = fields.custom_mode
        view.system_status = fields.system_status
        view.autopilot_type = fields.autopilot
        view.heartbeat_s = now_s

    def _boot(self, boot_ms: int) -> None:
        view, boot_s = self.view, boot_ms / 1000.0
        if view.boot_time_s is not None and boot_s < view.boot_time_s - REBOOT_JUMP_S:
            view.reboots += 1
            view.boot_time_s = boot_s
        else:
            view.boot_time_s = max(boot_s, view.boot_time_s or 0.0)

    def _system_time(self, fields: Any, now_s: float) -> None:
        self._boot(fields.time_boot_ms)

    def _position(self, fields: Any, now_s: float) -> None:
        self._boot(fields.time_boot_ms)
        view = self.view
        if fields.lat == 0 and fields.lon == 0:
            return  # how ArduPilot says that it has no position yet
        if abs(fields.lat) > 900_000_000 or abs(fields.lon) > 1_800_000_000:
            return
        view.position = Wgs84Point(fields.lat / 1e7, fields.lon / 1e7)
        view.altitude_amsl_m = fields.alt / 1000.0
        view.height_above_home_m = fields.relative_alt / 1000.0
        view.velocity_north_m_s = fields.vx / 100.0
        view.velocity_east_m_s = fields.vy / 100.0
        view.velocity_up_m_s = -fields.vz / 100.0
        view.heading_deg = None if fields.hdg == 65535 else fields.hdg / 100.0
        view.position_s = now_s

    def _gps(self, fields: Any, now_s: float) -> None:
        view = self.view
        view.gps_fix_type = fields.fix_type
        view.satellites = None if fields.satellites_visible == 255 else fields.satellites_visible
        view.hdop = None if fields.eph == 65535 else fields.eph / 100.0
        view.gps_s = now_s

    def _ekf(self, fields: Any, now_s: float) -> None:
        # ArduPilot's EKF_STATUS_REPORT and PX4's ESTIMATOR_STATUS share their first ten bits.
        self.view.ekf_flags = fields.flags
        self.view.ekf_s = now_s

    def _sys_status(self, fields: Any, now_s: float) -> None:
        view = self.view
        present, enabled, health = (
            fields.onboard_control_sensors_present,
            fields.onboard_control_sensors_enabled,
            fields.onboard_control_sensors_health,
        )
        # PX4 sets the health bit when its present mode may be armed, and never the one that announces it.
        said = bool(present & _PREARM_BIT) or view.autopilot_type == _PX4
        view.prearm_ok = bool(health & _PREARM_BIT) if said else None
        view.unhealthy_sensors = enabled & ~health & ~_PREARM_BIT & 0xFFFFFFFF
        view.sys_status_s = now_s
        if view.battery_s is None and fields.battery_remaining >= 0:
            view.charge_fraction = fields.battery_remaining / 100.0

    def _battery(self, fields: Any, now_s: float) -> None:
        if fields.id != 0:
            return
        view = self.view
        view.charge_fraction = None if fields.battery_remaining < 0 else fields.battery_remaining / 100.0
        # Cells above 65.534 V continue in the next entry; 65535 ends the list.
        cells = [millivolts for millivolts in fields.voltages if millivolts != 65535]
        view.battery_voltage_v = sum(cells) / 1000.0 if cells else None
        view.battery_current_a = None if fields.current_battery < 0 else fields.current_battery / 100.0
        view.consumed_wh = None if fields.energy_consumed < 0 else fields.energy_consumed / 36.0
        view.battery_s = now_s

    def _landed(self, fields: Any, now_s: float) -> None:
        known = fields.landed_state in LandedState._value2member_map_
        self.view.landed_state = LandedState(fields.landed_state) if known else LandedState.UNDEFINED
        self.view.landed_s = now_s

    def _mission_current(self, fields: Any, now_s: float) -> None:
        view = self.view
        view.mission_seq = None if fields.seq == 65535 else fields.seq
        view.mission_total = None if fields.total in (0, 65535) else fields.total
        known = fields.mission_state in MissionState._value2member_map_
        view.mission_state = MissionState(fields.mission_state) if known else MissionState.UNKNOWN
        view.mission_s = now_s

    def _reached(self, fields: Any, now_s: float) -> None:
        self.view.item_reached = fields.seq

    def _home(self, fields: Any, now_s: float) -> None:
        if fields.latitude == 0 and fields.longitude == 0:
            return
        self.view.home = Wgs84Point(fields.latitude / 1e7, fields.longitude / 1e7)
        self.view.home_altitude_amsl_m = fields.altitude / 1000.0
        self.view.home_s = now_s

    def _winch(self, fields: Any, now_s: float) -> None:
        view = self.view
        view.line_length_m = None if math.isnan(fields.line_length) else fields.line_length
        view.line_speed_m_s = None if math.isnan(fields.speed) else fields.speed
        # The dialect's unit is kilograms; a winch that doesn't measure says NaN.
        view.line_tension_n = None if math.isnan(fields.tension) else fields.tension * _G_ACCELERATION_M_S2
        view.winch_flags = fields.status
        view.winch_s = now_s

    def _wind(self, fields: Any, now_s: float) -> None:
        self.view.wind_from_deg = fields.direction % 360.0
        self.view.wind_speed_m_s = fields.speed
        self.view.wind_s = now_s

    def _wind_vector(self, fields: Any, now_s: float) -> None:
        """PX4's wind: the air's own motion north and east, so it comes from the other side."""
        self.view.wind_from_deg = math.degrees(math.atan2(-fields.wind_y, -fields.wind_x)) % 360.0
        self.view.wind_speed_m_s = math.hypot(fields.wind_x, fields.wind_y)
        self.view.wind_s = now_s

    def _servo_outputs(self, fields: Any, now_s: float) -> None:
        widths = tuple(getattr(fields, f"servo{number}_raw") for number in range(1, 17))
        self.view.servo_outputs_us[fields.port] = widths
        self.view.servo_s = now_s

    def _fence(self, fields: Any, now_s: float) -> None:
        self.view.fence_breached = bool(fields.breach_status)
        self.view.fence_s = now_s

    def _aircraft(self, fields: Any, now_s: float) -> None:
        if (
            not fields.flags & _ADSB_COORDS
            or abs(fields.lat) > 900_000_000
            or abs(fields.lon) > 1_800_000_000
        ):
            return
        moves = fields.flags & _ADSB_COURSE == _ADSB_COURSE
        course_rad, speed_m_s = math.radians(fields.heading / 100.0), fields.hor_velocity / 100.0
        climbs = fields.flags & _ADSB_CLIMB
        traffic = self.view.traffic
        # Heard anew it stands at the end: the one that was not heard for longest is dropped first.
        traffic.pop(fields.ICAO_address, None)
        traffic[fields.ICAO_address] = Aircraft(
            address=fields.ICAO_address,
            callsign=fields.callsign.strip() if fields.flags & _ADSB_CALLSIGN else "",
            position=Wgs84Point(fields.lat / 1e7, fields.lon / 1e7),
            altitude_amsl_m=fields.altitude / 1000.0 if fields.flags & _ADSB_ALTITUDE else None,
            by_pressure=fields.altitude_type == _ADSB_BY_PRESSURE,
            velocity_east_m_s=speed_m_s * math.sin(course_rad) if moves else None,
            velocity_north_m_s=speed_m_s * math.cos(course_rad) if moves else None,
            climb_m_s=fields.ver_velocity / 100.0 if climbs else None,
            heard_s=now_s - (fields.tslc if fields.tslc < _ADSB_TSLC_UNKNOWN else 0),
        )
        while len(traffic) > KEPT_AIRCRAFT:
            del traffic[next(iter(traffic))]

    def _text(self, fields: Any, now_s: float) -> None:
        # PX4 ends a line with a tab where it also sends it as an event.
        text = fields.text.rstrip("\t")
        if fields.id:
            # Long lines come in chunks of 50; an unfilled chunk is the last.
            chunks = self._chunks.setdefault(fields.id, {})
            chunks[fields.chunk_seq] = text
            if len(text) == 50:
                if len(self._chunks) > 8:
                    del self._chunks[next(iter(self._chunks))]
                return
            text = "".join(chunks[number] for number in sorted(chunks))
            del self._chunks[fields.id]
        texts = self.view.texts
        texts.append(StatusText(now_s, fields.severity, text))
        del texts[:-KEPT_TEXTS]
