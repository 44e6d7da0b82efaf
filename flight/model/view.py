"""What a vehicle has said about itself: the last value of each thing, and when it was heard.

Plain data without MAVLink, so that the director and the checks can be tested without a vehicle.
Every ``*_s`` that ends a group is the receiver's monotonic clock at the last update of that group;
None everywhere means «not said yet» and is never replaced by a guess.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from core.geodesy import Wgs84Point


class LandedState(IntEnum):
    """MAV_LANDED_STATE (common.xml)."""

    UNDEFINED = 0
    ON_GROUND = 1
    IN_AIR = 2
    TAKEOFF = 3
    LANDING = 4


class MissionState(IntEnum):
    """MISSION_STATE (common.xml). PX4 judges a mission after it has acknowledged it; the verdict is here."""

    UNKNOWN = 0
    NO_MISSION = 1
    NOT_STARTED = 2
    ACTIVE = 3
    PAUSED = 4
    COMPLETE = 5


@dataclass(frozen=True, slots=True)
class StatusText:
    """A complete line of text from the vehicle; severity as in syslog (0 emergency … 7 debug)."""

    at_s: float
    severity: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Aircraft:
    """Another aircraft as the vehicle heard it last; what it did not say is None."""

    address: int
    """ICAO address, 24 bits."""
    callsign: str
    position: Wgs84Point
    altitude_amsl_m: float | None
    by_pressure: bool
    """The altitude is a pressure altitude: off by the weather."""
    velocity_east_m_s: float | None
    velocity_north_m_s: float | None
    climb_m_s: float | None
    heard_s: float


@dataclass(slots=True)
class VehicleView:
    """The vehicle as heard. Positions WGS-84, altitudes above mean sea level or above its home."""

    heard_s: float | None = None

    armed: bool | None = None
    custom_mode: int | None = None
    system_status: int | None = None
    autopilot_type: int | None = None
    heartbeat_s: float | None = None

    boot_time_s: float | None = None
    reboots: int = 0

    position: Wgs84Point | None = None
    altitude_amsl_m: float | None = None
    height_above_home_m: float | None = None
    velocity_east_m_s: float | None = None
    velocity_north_m_s: float | None = None
    velocity_up_m_s: float | None = None
    heading_deg: float | None = None
    position_s: float | None = None

    gps_fix_type: int | None = None
    satellites: int | None = None
    hdop: float | None = None
    gps_s: float | None = None

    ekf_flags: int | None = None
    ekf_s: float | None = None

    charge_fraction: float | None = None
    battery_voltage_v: float | None = None
    battery_current_a: float | None = None
    consumed_wh: float | None = None
    battery_s: float | None = None

    prearm_ok: bool | None = None
    unhealthy_sensors: int | None = None
    sys_status_s: float | None = None

    landed_state: LandedState | None = None
    landed_s: float | None = None

    mission_seq: int | None = None
    mission_total: int | None = None
    mission_state: MissionState | None = None
    mission_s: float | None = None
    item_reached: int | None = None

    home: Wgs84Point | None = None
    home_altitude_amsl_m: float | None = None
    home_s: float | None = None

    line_length_m: float | None = None
    line_speed_m_s: float | None = None
    line_tension_n: float | None = None
    winch_flags: int | None = None
    winch_s: float | None = None

    wind_from_deg: float | None = None
    wind_speed_m_s: float | None = None
    wind_s: float | None = None

    servo_outputs_us: dict[int, tuple[int, ...]] = field(default_factory=dict)
    """Pulse widths as they leave the autopilot, by output port (0 main, 1 auxiliary)."""
    servo_s: float | None = None

    fence_breached: bool | None = None
    fence_s: float | None = None

    traffic: dict[int, Aircraft] = field(default_factory=dict)
    """Other aircraft by their address, at most :data:`KEPT_AIRCRAFT`, the one heard last at the end."""

    texts: list[StatusText] = field(default_factory=list)
    """The latest lines, oldest first, at most :data:`KEPT_TEXTS`."""

    @property
    def ground_speed_m_s(self) -> float | None:
        """Horizontal speed over ground."""
        if self.velocity_east_m_s is None or self.velocity_north_m_s is None:
            return None
        return float((self.velocity_east_m_s**2 + self.velocity_north_m_s**2) ** 0.5)

    @property
    def on_ground(self) -> bool | None:
        """The vehicle's own word for standing on the ground."""
        if self.landed_state is None or self.landed_state is LandedState.UNDEFINED:
            return None
        return self.landed_state is LandedState.ON_GROUND

    @property
    def measured_wind(self) -> tuple[float | None, float | None]:
        """(from_deg, speed_m_s) where it is a measurement: in the air.

        On the ground ArduCopter's estimate is 0 because nothing moves it, and a copter that does not
        estimate wind at all says exactly 0 for ever; neither is calm air.
        """
        if self.on_ground is not False or not self.armed or not self.wind_speed_m_s:
            return None, None
        return self.wind_from_deg, self.wind_speed_m_s

    def silent_for_s(self, now_s: float) -> float | None:
        """Seconds since anything was heard; None before the first message."""
        return None if self.heard_s is None else max(0.0, now_s - self.heard_s)

    def heard_within(self, limit_s: float, now_s: float) -> bool:
        """Whether anything was heard so recently."""
        silent_s = self.silent_for_s(now_s)
        return silent_s is not None and silent_s <= limit_s


KEPT_AIRCRAFT = 64
"""More than are within reach of a drone at once; a forger can't fill the memory (chosen)."""
KEPT_TEXTS = 60
"""Enough for a whole delivery's talk; prearm texts repeat every 30 s."""
