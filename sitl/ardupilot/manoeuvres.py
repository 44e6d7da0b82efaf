"""Manoeuvres shared by modes and mission items: take-off, landing, return."""

from __future__ import annotations

import math
from enum import Enum, auto
from typing import TYPE_CHECKING

from core.geodesy import Wgs84Point

if TYPE_CHECKING:
    from sitl.ardupilot.autopilot import ArduCopter

TAKEOFF_MARGIN_M = 0.02
"""A take-off is complete this close below its target: as the recorded flights show."""
FIRST_CLIMB_M = 0.03
RTL_ALT_MIN_M = 2.0
"""ArduCopter's RTL_ALT_MIN."""


class Takeoff:
    """Straight up from where it stands to a local height.

    Starts once the vehicle may leave the ground: armed for the arming delay, and told to go by
    MISSION_START or a GUIDED take-off command. Until then it waits.
    """

    def __init__(self, autopilot: ArduCopter) -> None:
        self._autopilot = autopilot
        self.target_up_m = 0.0
        self._waiting = False
        self.complete = False

    def start(self, up_m: float) -> None:
        """``up_m`` in local coordinates; at least 1 m of climb when starting from the ground."""
        minimum = self._autopilot.body.believed_up_m + (1.0 if self._autopilot.landed else 0.0)
        self.target_up_m = max(up_m, minimum)
        self.complete = False
        self._waiting = True
        self.update()

    def cancel(self) -> None:
        self._waiting = False

    def update(self) -> None:
        body = self._autopilot.body
        if self._waiting:
            if not self._autopilot.may_leave_ground:
                return
            self._waiting = False
            body.hold_horizontally()
            body.point_nose(body.yaw_rad)
            body.climb_to(self.target_up_m)
            self._autopilot.leave_ground()
        elif body.believed_up_m >= self.target_up_m - TAKEOFF_MARGIN_M:
            self.complete = True


class Landing:
    """Down where it is, slower near the ground. The landed detector ends it."""

    def __init__(self, autopilot: ArduCopter) -> None:
        self._autopilot = autopilot
        self._not_before_s = 0.0

    def start(self, *, pause_s: float = 0.0) -> None:
        self._not_before_s = self._autopilot.now_s + pause_s
        body = self._autopilot.body
        body.hold_horizontally()
        body.point_nose(body.yaw_rad)

    def update(self) -> None:
        autopilot = self._autopilot
        parameters, body = autopilot.parameters, autopilot.body
        if autopilot.now_s < self._not_before_s:
            body.climb_at(0.0)
            return
        fast = (parameters["LAND_SPEED_HIGH"] or parameters["WPNAV_SPEED_DN"]) / 100.0
        slow = parameters["LAND_SPEED"] / 100.0
        low_m = parameters["LAND_ALT_LOW"] / 100.0
        height_m = autopilot.height_above_home_m
        above_m = height_m - low_m
        # The descent's own controller slows down towards LAND_ALT_LOW: 1 m/s per metre, √(2·a·d) further up.
        rate = above_m if above_m <= 1.0 else math.sqrt(2.0 * (above_m - 0.5))
        rate = min(max(rate, slow), max(fast, slow))
        body.climb_at(-rate)


class ReturnStage(Enum):
    CLIMB = auto()
    RETURN = auto()
    LOITER = auto()
    DESCEND = auto()
    LAND = auto()


class ReturnToLaunch:
    """RTL: climb, straight to the nearest rally point in reach or home, wait, land (or descend)."""

    def __init__(self, autopilot: ArduCopter) -> None:
        self._autopilot = autopilot
        self.stage = ReturnStage.CLIMB
        self._target: tuple[float, float, float] = (0.0, 0.0, 0.0)
        self._loiter_until_s = 0.0

    def _choose_target(self) -> tuple[Wgs84Point, float]:
        """(point, height above home its altitude asks for): nearest rally point within the limit, or home."""
        autopilot = self._autopilot
        body = autopilot.body
        home_n, home_e = autopilot.home_local
        north, east = autopilot.believed_local
        limit_m = autopilot.parameters["RALLY_LIMIT_KM"] * 1000.0
        best: tuple[float, Wgs84Point, float] | None = None
        for point in autopilot.rally.points:
            place = Wgs84Point(point.x * 1e-7, point.y * 1e-7)
            place_n, place_e = body.local_of(place)
            distance_m = math.hypot(place_n - north, place_e - east)
            height_m = point.z_cm / 100.0
            if point.frame == 0:
                height_m -= autopilot.home_amsl_m
            if best is None or distance_m < best[0]:
                best = (distance_m, place, height_m)
        if best is not None and 0 < limit_m < best[0]:
            best = None
        home_distance_m = math.hypot(home_n - north, home_e - east)
        if best is not None and autopilot.parameters["RALLY_INCL_HOME"] > 0 and home_distance_m < best[0]:
            best = None
        if best is None:
            return autopilot.home, 0.0
        return best[1], best[2]

    def start(self) -> None:
        autopilot = self._autopilot
        parameters, body = autopilot.parameters, autopilot.body
        place, least_m = self._choose_target()
        target_n, target_e = body.local_of(place)
        body.start_legs()
        stop_n, stop_e, stop_up = body.stopping_point()
        now_m = stop_up + body.launch_amsl_m - autopilot.home_amsl_m
        floor_m = max(RTL_ALT_MIN_M, now_m + max(0.0, parameters["RTL_CLIMB_MIN"] / 100.0))
        height_m = max(least_m, floor_m, parameters["RTL_ALT"] / 100.0)
        cone = parameters["RTL_CONE_SLOPE"]
        distance_m = math.hypot(target_n - stop_n, target_e - stop_e)
        if cone > 0:
            height_m = max(min(height_m, max(distance_m * cone, floor_m)), floor_m)
        if autopilot.fence.enabled and parameters.integer("FENCE_TYPE") & 1:
            height_m = max(min(height_m, parameters["FENCE_ALT_MAX"] - parameters["FENCE_MARGIN"]), now_m)
        up_m = height_m + autopilot.home_amsl_m - body.launch_amsl_m
        speed = parameters["RTL_SPEED"] / 100.0
        if speed > 0:
            body.change_speed(speed)
        self._target = (target_n, target_e, up_m)
        self.stage = ReturnStage.CLIMB
        body.point_nose(body.yaw_rad)
        # The estimated height never is exactly the target: the recorded flight climbed a last 3 cm first.
        climb_to_m = max(up_m, stop_up + FIRST_CLIMB_M)
        body.next_leg((stop_n, stop_e, climb_to_m), self._target, reinitialise=True)

    def update(self) -> None:
        autopilot = self._autopilot
        body, parameters = autopilot.body, autopilot.parameters
        if self.stage is ReturnStage.CLIMB and body.reached:
            self.stage = ReturnStage.RETURN
            body.next_leg(self._target, None, reinitialise=False)
        elif self.stage is ReturnStage.RETURN and body.reached:
            self.stage = ReturnStage.LOITER
            self._loiter_until_s = autopilot.now_s + parameters["RTL_LOIT_TIME"] / 1000.0
        elif self.stage is ReturnStage.LOITER and autopilot.now_s >= self._loiter_until_s:
            if parameters["RTL_ALT_FINAL"] > 0:
                self.stage = ReturnStage.DESCEND
                body.hold_horizontally()
                body.climb_to(
                    parameters["RTL_ALT_FINAL"] / 100.0 + autopilot.home_amsl_m - body.launch_amsl_m
                )
            else:
                self.stage = ReturnStage.LAND
                autopilot.landing.start()
        elif self.stage is ReturnStage.LAND:
            autopilot.landing.update()
