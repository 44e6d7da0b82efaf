"""From PX4's position set-points to what the body's controllers follow, and its landing detector."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sitl.px4.autopilot import Px4

Local = tuple[float, float, float]
"""North, east, up in metres from the launch point."""
RAMP_LOST = 0.8
"""Chosen so that the climbs of a flown PX4 are met: the ramp of MPC_TKO_RAMP_T costs most of its length."""
LANDED_AFTER_S = 2.5
"""Chosen so that the landings of a flown PX4 are met: ground contact, then two more stages of the detector."""


class Guidance:
    """The set-point in force. One of: a leg to a point, a height to keep, a descent, or nothing."""

    def __init__(self, autopilot: Px4) -> None:
        self._autopilot = autopilot
        self.target: Local | None = None
        """Where the vehicle is sent, for those who ask."""
        self._cruise_m_s: float | None = None
        self._speed_is_new = False
        self._passes = False
        self._lift_to_m: float | None = None
        self._lift_off_s = 0.0

    def reset_speed(self) -> None:
        """Back to MPC_XY_CRUISE: every new mode starts there."""
        self._cruise_m_s = None
        self.apply_limits()

    def change_speed(self, speed_m_s: float) -> None:
        self._cruise_m_s = speed_m_s if speed_m_s > 0 else None
        self._speed_is_new = True
        self.apply_limits()
        self._autopilot.body.change_speed(self.cruise_m_s)

    @property
    def cruise_m_s(self) -> float:
        parameters = self._autopilot.parameters
        wanted = parameters["MPC_XY_CRUISE"] if self._cruise_m_s is None else self._cruise_m_s
        return max(min(wanted, parameters["MPC_XY_VEL_MAX"]), 0.2)

    def apply_limits(self, *, climb_m_s: float | None = None) -> None:
        """Give the MPC_* limits to the controllers; ``climb_m_s`` for the slow climb of a take-off."""
        parameters = self._autopilot.parameters
        self._autopilot.body.set_limits(
            lean_max_rad=math.radians(parameters["MPC_TILTMAX_AIR"]),
            speed_m_s=self.cruise_m_s,
            climb_m_s=self._within(
                parameters["MPC_Z_V_AUTO_UP"] if climb_m_s is None else climb_m_s, "MPC_Z_VEL_MAX_UP"
            ),
            descent_m_s=self._within(parameters["MPC_Z_V_AUTO_DN"], "MPC_Z_VEL_MAX_DN"),
            acceleration_m_s2=max(min(parameters["MPC_ACC_HOR"], self._gentle_m_s2), 0.5),
            vertical_acceleration_m_s2=max(
                min(parameters["MPC_ACC_UP_MAX"], parameters["MPC_ACC_DOWN_MAX"]), 0.5
            ),
            jerk_m_s3=max(parameters["MPC_JERK_AUTO"], 0.5),
            waypoint_radius_m=max(parameters["NAV_ACC_RAD"], 0.05),
        )

    @property
    def _gentle_m_s2(self) -> float:
        """PX4 nears a point at MPC_XY_TRAJ_P times its distance: some two fifths of the braking this asks for at
        cruise speed, chosen so that the legs of a flown PX4 1.17 are met within 5 %."""
        return 0.4 * self._autopilot.parameters["MPC_XY_TRAJ_P"] * self.cruise_m_s

    def _within(self, wanted_m_s: float, limit: str) -> float:
        """The general limit cuts the rate of automatic modes."""
        return max(min(wanted_m_s, self._autopilot.parameters[limit]), 0.1)

    # --- set-points ---------------------------------------------------------------------------
    def fly(self, end: Local, after: Local | None = None) -> None:
        """To a point, and round its corner towards ``after`` where one is given."""
        self._lift_to_m = None
        body = self._autopilot.body
        self.apply_limits()
        body.next_leg(end, after, reinitialise=False)
        body.scale_speed(1.0)
        body.nose_follows_track()
        if self._speed_is_new:
            # The leg may have been planned ahead at the speed before.
            self._speed_is_new = False
            body.change_speed(self.cruise_m_s)
        self._passes = after is not None
        self.target = end

    def climb(self, up_m: float) -> None:
        """Straight up (or down) to a local height."""
        body = self._autopilot.body
        body.hold_horizontally()
        body.point_nose(body.yaw_rad)
        body.climb_to(up_m)
        self.target = (*body.believed_north_east_m, up_m)

    def take_off(self, up_m: float) -> None:
        """The slow climb from the ground."""
        parameters = self._autopilot.parameters
        self._lift_off_s = (
            self._autopilot.now_s + parameters["COM_SPOOLUP_TIME"] + RAMP_LOST * parameters["MPC_TKO_RAMP_T"]
        )
        self._lift_to_m = up_m
        self.target = (*self._autopilot.believed_local, up_m)

    def update(self) -> None:
        """A take-off begins when motors have spooled up and the ramp of its climb rate is worth it."""
        if self._lift_to_m is None or self._autopilot.now_s < self._lift_off_s:
            return
        up_m, self._lift_to_m = self._lift_to_m, None
        self.apply_limits(climb_m_s=self._autopilot.parameters["MPC_TKO_SPEED"])
        self.climb(up_m)

    def hold(self) -> None:
        """Brake and stay."""
        self._lift_to_m = None
        body = self._autopilot.body
        stop = body.stopping_point()
        self.apply_limits()
        body.hold_horizontally()
        body.climb_to(stop[2])
        body.point_nose(body.yaw_rad)
        self.target = stop

    def idle(self) -> None:
        """Propellers turning, no thrust."""
        self._lift_to_m = None
        self._autopilot.body.motors_idle()
        self.target = None

    def descend(self) -> None:
        """The landing's rate: fast above MPC_LAND_ALT1, MPC_LAND_SPEED below MPC_LAND_ALT2, between them in between."""
        autopilot = self._autopilot
        parameters, body = autopilot.parameters, autopilot.body
        fast = self._within(parameters["MPC_Z_V_AUTO_DN"], "MPC_Z_VEL_MAX_DN")
        slow = parameters["MPC_LAND_SPEED"]
        high_m, low_m = parameters["MPC_LAND_ALT1"], parameters["MPC_LAND_ALT2"]
        # Without a distance sensor the height above home stands for that above the ground.
        height_m = autopilot.height_above_home_m
        share = 1.0 if high_m <= low_m else (height_m - low_m) / (high_m - low_m)
        rate = slow + (max(fast, slow) - slow) * min(max(share, 0.0), 1.0)
        if autopilot.body.height_above_ground_m < parameters["MPC_LAND_ALT3"]:
            # The last metre is crawled: the simulated vehicle has a distance sensor, as PX4's own simulator.
            rate = min(rate, parameters["MPC_LAND_CRWL"])
        body.climb_at(-rate)

    def start_descent(self) -> None:
        body = self._autopilot.body
        self.apply_limits()
        body.hold_horizontally()
        body.point_nose(body.yaw_rad)

    # --- what is true now ---------------------------------------------------------------------
    def distance_to(self, place: Local) -> tuple[float, float]:
        """Horizontal and vertical metres from where the vehicle believes to be."""
        north, east = self._autopilot.believed_local
        return (
            math.hypot(place[0] - north, place[1] - east),
            abs(place[2] - self._autopilot.body.believed_up_m),
        )

    def arrived(self, place: Local, radius_m: float | None = None) -> bool:
        """At the end of a leg: within the acceptance radii, or past the middle of a corner that is rounded."""
        if not self._autopilot.body.reached:
            return False
        parameters = self._autopilot.parameters
        across_m, height_m = self.distance_to(place)
        # NaN in an altitude compares false: such a point is never «not yet at height».
        at_height = not height_m > parameters["NAV_MC_ALT_RAD"]
        return self._passes or (across_m <= (radius_m or parameters["NAV_ACC_RAD"]) and at_height)


class LandDetector:
    """On the ground or not, with the texts that go with it."""

    def __init__(self, autopilot: Px4) -> None:
        self._autopilot = autopilot
        self._touched_s: float | None = None
        self.landed_since_s = autopilot.now_s

    def update(self, now_s: float) -> None:
        autopilot = self._autopilot
        if not autopilot.body.on_ground:
            self._touched_s = None
            if autopilot.landed:
                autopilot.landed = False
                autopilot.taken_off = True
                autopilot.say(6, "Takeoff detected")
            return
        if self._touched_s is None:
            self._touched_s = now_s
        unnoticed = autopilot.armed and "landing_unnoticed" in autopilot.vehicle.faults
        if not autopilot.landed and not unnoticed and now_s - self._touched_s >= LANDED_AFTER_S:
            autopilot.landed = True
            self.landed_since_s = now_s
            autopilot.say(6, "Landing detected")
            autopilot.vehicle.witness("landed")
