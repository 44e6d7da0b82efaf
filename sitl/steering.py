"""Set-points: what an autopilot gives to the controllers of a body, and the legs of waypoint flight."""

from __future__ import annotations

import math

from sitl import columns as p
from sitl.trajectory import L_ACTIVE, L_TIME_S, corner_overlap_s, leg_state, plan_leg

_JERK_RISE_S = 0.3
"""Rise time of ArduCopter's jerk with default parameters: snap = jerk·π/(2·ATC_INPUT_TC)/2, half-sine."""


class Steering:
    """The controllers' side of one vehicle's row of the physics arrays.

    Local coordinates are metres north, east and up from the launch point. The controllers follow what the
    estimator believes, so stopping points and legs start there.
    """

    s: p.FloatArray
    """State columns."""
    c: p.FloatArray
    """Command columns."""
    legs: p.FloatArray

    # --- where and how fast -------------------------------------------------------------------
    @property
    def north_m(self) -> float:
        return float(self.s[p.S_NORTH])

    @property
    def east_m(self) -> float:
        return float(self.s[p.S_EAST])

    @property
    def up_m(self) -> float:
        return float(self.s[p.S_UP])

    @property
    def believed_north_east_m(self) -> tuple[float, float]:
        """Where the estimator puts the vehicle: the true position plus whatever deceives it."""
        s, c = self.s, self.c
        return (
            float(s[p.S_NORTH] + c[p.C_POSITION_ERROR_NORTH]),
            float(s[p.S_EAST] + c[p.C_POSITION_ERROR_EAST]),
        )

    @property
    def believed_up_m(self) -> float:
        """Where the estimator puts the height: the true one plus whatever deceives the barometer."""
        return float(self.s[p.S_UP] + self.c[p.C_POSITION_ERROR_UP])

    @property
    def velocity_m_s(self) -> tuple[float, float, float]:
        """North, east, up."""
        return float(self.s[p.S_VEL_NORTH]), float(self.s[p.S_VEL_EAST]), float(self.s[p.S_VEL_UP])

    @property
    def yaw_rad(self) -> float:
        """The heading the controllers hold; Euler yaw differs a little when leaning in both axes."""
        return float(self.s[p.S_YAW])

    # --- set-points ---------------------------------------------------------------------------
    def set_limits(
        self,
        *,
        lean_max_rad: float,
        speed_m_s: float,
        climb_m_s: float,
        descent_m_s: float,
        acceleration_m_s2: float,
        vertical_acceleration_m_s2: float,
        jerk_m_s3: float,
        waypoint_radius_m: float,
    ) -> None:
        c = self.c
        c[p.C_LEAN_MAX_RAD] = lean_max_rad
        c[p.C_SPEED_XY] = speed_m_s
        c[p.C_SPEED_UP] = climb_m_s
        c[p.C_SPEED_DOWN] = descent_m_s
        c[p.C_ACCELERATION_XY] = acceleration_m_s2
        c[p.C_ACCELERATION_Z] = vertical_acceleration_m_s2
        c[p.C_JERK_XY] = jerk_m_s3
        c[p.C_WAYPOINT_RADIUS_M] = waypoint_radius_m

    def motors_off(self) -> None:
        self.c[p.C_MOTORS_ON] = 0.0
        self.c[p.C_XY_MODE] = p.XY_IDLE
        self.c[p.C_Z_MODE] = p.Z_IDLE

    def motors_idle(self) -> None:
        """Armed, propellers turning at idle, no thrust."""
        self.c[p.C_MOTORS_ON] = 1.0
        self.c[p.C_XY_MODE] = p.XY_IDLE
        self.c[p.C_Z_MODE] = p.Z_IDLE

    def _take_over_targets(self) -> None:
        """Start a new controller from where the vehicle is, at its present velocity."""
        s = self.s
        s[p.S_TARGET_NORTH] = s[p.S_NORTH] + self.c[p.C_POSITION_ERROR_NORTH]
        s[p.S_TARGET_EAST] = s[p.S_EAST] + self.c[p.C_POSITION_ERROR_EAST]
        s[p.S_TARGET_VEL_NORTH] = s[p.S_VEL_NORTH]
        s[p.S_TARGET_VEL_EAST] = s[p.S_VEL_EAST]

    def _take_over_height(self) -> None:
        self.s[p.S_TARGET_UP] = self.s[p.S_UP] + self.c[p.C_POSITION_ERROR_UP]
        self.s[p.S_TARGET_VEL_UP] = self.s[p.S_VEL_UP]
        self.s[p.S_TARGET_ACC_UP] = 0.0

    def hold_horizontally(self) -> None:
        """Brake and stay where that ends; at the end of a leg, stay at its end."""
        if self.c[p.C_XY_MODE] == p.XY_LEGS and self.reached and self.legs[1][L_ACTIVE] > 0:
            north_m, east_m, _ = self.leg_end_m
            self.c[p.C_XY_MODE] = p.XY_POINT
            self.c[p.C_NORTH], self.c[p.C_EAST] = north_m, east_m
            return
        if self.c[p.C_XY_MODE] == p.XY_POINT and self._rests_at_point:
            return
        if self.c[p.C_XY_MODE] != p.XY_VELOCITY:
            self._take_over_targets()
        self.fly_velocity(0.0, 0.0)

    @property
    def _rests_at_point(self) -> bool:
        near = math.hypot(
            float(self.c[p.C_NORTH] - self.s[p.S_TARGET_NORTH]),
            float(self.c[p.C_EAST] - self.s[p.S_TARGET_EAST]),
        )
        return near < 0.1

    def fly_velocity(self, north_m_s: float, east_m_s: float) -> None:
        self.c[p.C_MOTORS_ON] = 1.0
        if self.c[p.C_XY_MODE] != p.XY_VELOCITY:
            self._take_over_targets()
        self.c[p.C_XY_MODE] = p.XY_VELOCITY
        self.c[p.C_VEL_NORTH] = north_m_s
        self.c[p.C_VEL_EAST] = east_m_s

    def fly_to(self, north_m: float, east_m: float) -> None:
        """Straight to a point and stay there, starting from the present velocity."""
        self.c[p.C_MOTORS_ON] = 1.0
        if self.c[p.C_XY_MODE] != p.XY_POINT:
            self._take_over_targets()
        self.c[p.C_XY_MODE] = p.XY_POINT
        self.c[p.C_NORTH] = north_m
        self.c[p.C_EAST] = east_m

    def climb_to(self, up_m: float) -> None:
        self.c[p.C_MOTORS_ON] = 1.0
        if self.c[p.C_Z_MODE] not in (p.Z_HEIGHT, p.Z_RATE):
            self._take_over_height()
        self.c[p.C_Z_MODE] = p.Z_HEIGHT
        self.c[p.C_UP] = up_m

    def climb_at(self, rate_m_s: float) -> None:
        """Negative to descend."""
        self.c[p.C_MOTORS_ON] = 1.0
        if self.c[p.C_Z_MODE] not in (p.Z_HEIGHT, p.Z_RATE):
            self._take_over_height()
        self.c[p.C_Z_MODE] = p.Z_RATE
        self.c[p.C_VEL_UP] = rate_m_s

    def point_nose(self, heading_rad: float) -> None:
        self.c[p.C_YAW_FOLLOWS_TRACK] = 0.0
        self.c[p.C_YAW] = heading_rad

    def nose_follows_track(self) -> None:
        self.c[p.C_YAW_FOLLOWS_TRACK] = 1.0

    # --- legs (waypoint flight) ---------------------------------------------------------------
    def stopping_point(self) -> tuple[float, float, float]:
        """Where the vehicle, as far as it knows, would come to rest if it braked now: v/P near, v²/(2a) + a/(2P²) faster."""
        vn, ve, vu = self.velocity_m_s
        acceleration = float(self.c[p.C_ACCELERATION_XY])

        def reach(speed: float, limit: float) -> float:
            return speed if speed <= limit else 0.5 * speed * speed / limit + 0.5 * limit

        speed = math.hypot(vn, ve)
        ahead = reach(speed, acceleration) / speed if speed > 0.1 else 0.0
        rise = math.copysign(reach(abs(vu), float(self.c[p.C_ACCELERATION_Z])), vu) if abs(vu) > 0.1 else 0.0
        north_m, east_m = self.believed_north_east_m
        return north_m + vn * ahead, east_m + ve * ahead, self.believed_up_m + rise

    def start_legs(self) -> None:
        """Begin waypoint flight from the stopping point, at rest as far as the legs are concerned."""
        self.legs[:] = 0.0
        c, s = self.c, self.s
        c[p.C_MOTORS_ON] = 1.0
        c[p.C_XY_MODE] = p.XY_LEGS
        c[p.C_Z_MODE] = p.Z_LEGS
        c[p.C_SPEED_SCALE] = 1.0
        c[p.C_ORIGIN_NORTH], c[p.C_ORIGIN_EAST], c[p.C_ORIGIN_UP] = self.stopping_point()
        s[p.S_TARGET_NORTH], s[p.S_TARGET_EAST], s[p.S_TARGET_UP] = self.stopping_point()
        s[p.S_TARGET_VEL_NORTH : p.S_TARGET_VEL_UP + 1] = 0.0
        s[p.S_TARGET_ACC_NORTH : p.S_TARGET_ACC_UP + 1] = 0.0
        s[p.S_TRACK_SCALE] = 1.0
        s[p.S_SPEED_SCALE] = 1.0
        s[p.S_REACHED] = 1.0

    @property
    def leg_end_m(self) -> tuple[float, float, float]:
        leg, c = self.legs[1], self.c
        return (
            float(c[p.C_ORIGIN_NORTH] + leg[1] * leg[4]),
            float(c[p.C_ORIGIN_EAST] + leg[2] * leg[4]),
            float(c[p.C_ORIGIN_UP] + leg[3] * leg[4]),
        )

    def _plan(self, index: int, start: tuple[float, float, float], end: tuple[float, float, float]) -> None:
        north, east, up = (b - a for a, b in zip(start, end, strict=True))
        speed, acceleration = self._limits_along(north, east, up)
        plan_leg(
            self.legs[index],
            north,
            east,
            up,
            0.0,
            speed,
            acceleration,
            float(self.c[p.C_JERK_XY]),
            _JERK_RISE_S,
        )

    def _limits_along(self, north: float, east: float, up: float) -> tuple[float, float]:
        """Speed and acceleration on a slope: neither its horizontal nor its vertical part exceeds what is set."""
        horizontal, length = math.hypot(north, east), math.hypot(north, east, up)
        c = self.c
        vertical_speed = float(c[p.C_SPEED_UP] if up >= 0 else c[p.C_SPEED_DOWN])
        speed, acceleration = float(c[p.C_SPEED_XY]), float(c[p.C_ACCELERATION_XY])
        if length > 0:
            slope_xy, slope_z = horizontal / length, abs(up) / length
            if slope_z > 0:
                speed = min(speed / slope_xy if slope_xy > 0 else math.inf, vertical_speed / slope_z)
                acceleration = min(
                    acceleration / slope_xy if slope_xy > 0 else math.inf,
                    float(c[p.C_ACCELERATION_Z]) / slope_z,
                )
        return speed, acceleration

    def next_leg(
        self, end: tuple[float, float, float], after: tuple[float, float, float] | None, *, reinitialise: bool
    ) -> None:
        """Fly to ``end``; with ``after`` known, do not stop there but round the corner towards it.

        ``reinitialise`` when the present leg is broken off or another controller flew: start anew from the
        stopping point, as the autopilot does.
        """
        if reinitialise or self.c[p.C_XY_MODE] != p.XY_LEGS or self.s[p.S_REACHED] == 0.0:
            self.start_legs()
            origin = self.stopping_point()
        else:
            origin = self.leg_end_m
        prepared = self.legs[2].copy()
        self.legs[0] = self.legs[1]
        usable = prepared[L_ACTIVE] > 0 and self._same_displacement(prepared, origin, end)
        if usable:
            self.legs[1] = prepared
        else:
            self._plan(1, origin, end)
        self.c[p.C_ORIGIN_NORTH], self.c[p.C_ORIGIN_EAST], self.c[p.C_ORIGIN_UP] = origin
        self.legs[2] = 0.0
        self.c[p.C_CORNER_OVERLAP_S] = 0.0
        if after is not None:
            self._plan(2, end, after)
            self.c[p.C_CORNER_OVERLAP_S] = corner_overlap_s(
                self.legs[1],
                self.legs[2],
                float(self.c[p.C_WAYPOINT_RADIUS_M]),
                2.0 * float(self.c[p.C_ACCELERATION_XY]),
            )
        self.s[p.S_REACHED] = 0.0

    @staticmethod
    def _same_displacement(
        leg: p.FloatArray, origin: tuple[float, float, float], end: tuple[float, float, float]
    ) -> bool:
        return all(
            abs(float(leg[1 + axis] * leg[4]) - (end[axis] - origin[axis])) < 0.01 for axis in range(3)
        )

    def shift_heights(self, by_m: float) -> None:
        """Move the height being flown to, and that of the legs, by ``by_m``."""
        self.c[p.C_ORIGIN_UP] += by_m
        self.c[p.C_UP] += by_m

    @property
    def reached(self) -> bool:
        return bool(self.s[p.S_REACHED] > 0)

    def scale_speed(self, factor: float) -> None:
        """Slow the legs' clock down (0 pauses) or back up to 1."""
        self.c[p.C_SPEED_SCALE] = factor

    def change_speed(self, speed_m_s: float) -> None:
        """New cruise speed for the leg being flown and all that follow."""
        self.c[p.C_SPEED_XY] = speed_m_s
        leg = self.legs[1]
        if self.c[p.C_XY_MODE] != p.XY_LEGS or leg[L_ACTIVE] == 0 or self.reached:
            return
        distance, speed, _ = leg_state(leg[L_TIME_S], leg)
        if abs(leg[3]) > 0.5 or leg[4] - distance < 1.0:
            return
        # Re-plan what is left from the present target, which keeps its speed.
        position = tuple(float(self.s[p.S_TARGET_NORTH + axis]) for axis in range(3))
        end = self.leg_end_m
        after = None
        if self.legs[2][L_ACTIVE] > 0:
            nxt = self.legs[2]
            after = tuple(end[axis] + float(nxt[1 + axis] * nxt[4]) for axis in range(3))
            if nxt[L_TIME_S] > 0:
                return
        self.legs[0] = 0.0
        north, east, up = (b - a for a, b in zip(position, end, strict=True))
        along_m_s, acceleration = self._limits_along(north, east, up)
        plan_leg(
            leg, north, east, up, float(speed), along_m_s, acceleration, float(self.c[p.C_JERK_XY]), _JERK_RISE_S
        )  # fmt: skip
        self.c[p.C_ORIGIN_NORTH], self.c[p.C_ORIGIN_EAST], self.c[p.C_ORIGIN_UP] = position
        if after is not None:
            self._plan(2, end, after)  # type: ignore[arg-type]
            self.c[p.C_CORNER_OVERLAP_S] = corner_overlap_s(
                leg,
                self.legs[2],
                float(self.c[p.C_WAYPOINT_RADIUS_M]),
                2.0 * float(self.c[p.C_ACCELERATION_XY]),
            )
