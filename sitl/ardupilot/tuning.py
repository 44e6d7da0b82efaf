"""What parameters and speed commands mean for the body: limits, wind, worn motors, gear."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sitl.weather import Wind

if TYPE_CHECKING:
    from sitl.ardupilot.autopilot import ArduCopter

SLOWEST_M_S = 0.2
"""Of a commanded speed: less would be a standstill."""


class Tuning:
    """Carries a vehicle's parameters to its body, at the start and whenever one is set."""

    def __init__(self, autopilot: ArduCopter) -> None:
        self._autopilot = autopilot
        self.desired_speed_m_s: float | None = None
        """What DO_CHANGE_SPEED asked for; None: the parameter's."""

    def on_parameter(self, name: str) -> None:
        """Somebody set it."""
        autopilot = self._autopilot
        value = autopilot.parameters[name]
        if name.startswith("SIM_WIND"):
            autopilot.vehicle.set_wind(self._wind())
        elif name == "FENCE_ENABLE":
            autopilot.fence.enabled = value > 0
        elif name == "SIM_ENGINE_MUL":
            autopilot.body.set_thrust_factor(value)
        elif name.startswith(("WINCH", "SERVO")):
            autopilot.gear.connect()
        elif name.startswith(("WPNAV", "ANGLE_MAX", "PSC")):
            self.apply_limits()

    def _wind(self) -> Wind:
        values = self._autopilot.parameters
        given = self._autopilot.vehicle.settings.wind
        exponent = (given.profile_exponent or 0.5) if values["SIM_WIND_T"] == 0 else 0.0
        return Wind(
            from_deg=values["SIM_WIND_DIR"],
            speed_m_s=max(0.0, values["SIM_WIND_SPD"]),
            turbulence_m_s=max(0.0, values["SIM_WIND_TURB"]),
            profile_exponent=exponent,
            full_height_m=values["SIM_WIND_T_ALT"],
        )

    def apply_limits(self) -> None:
        """The body flies no faster, steeper or harder than the parameters say now."""
        values = self._autopilot.parameters
        speed = self.desired_speed_m_s or values["WPNAV_SPEED"] / 100.0
        self._autopilot.body.set_limits(
            lean_max_rad=math.radians(values["ANGLE_MAX"] / 100.0),
            speed_m_s=max(speed, SLOWEST_M_S),
            climb_m_s=max(values["WPNAV_SPEED_UP"] / 100.0, 0.1),
            descent_m_s=max(values["WPNAV_SPEED_DN"] / 100.0, 0.1),
            acceleration_m_s2=max(values["WPNAV_ACCEL"] / 100.0, 0.5),
            vertical_acceleration_m_s2=max(values["WPNAV_ACCEL_Z"] / 100.0, 0.5),
            jerk_m_s3=max(values["WPNAV_JERK"], 0.5),
            waypoint_radius_m=max(values["WPNAV_RADIUS"] / 100.0, 0.05),
        )

    def forget_speed(self) -> None:
        """A new mode or flight: the parameter's speed counts again."""
        self.desired_speed_m_s = None
        self.apply_limits()

    def change_speed(self, kind: int, speed_m_s: float) -> bool:
        """DO_CHANGE_SPEED: 0 and 1 horizontal, 2 climb, 3 descent."""
        if kind >= 3:
            self._autopilot.parameters.set_internally("WPNAV_SPEED_DN", speed_m_s * 100.0)
        elif kind == 2:
            self._autopilot.parameters.set_internally("WPNAV_SPEED_UP", speed_m_s * 100.0)
        else:
            self.desired_speed_m_s = max(speed_m_s, SLOWEST_M_S)
            self._autopilot.body.change_speed(self.desired_speed_m_s)
        return True
