"""PX4's automatic modes other than the mission: hold, take-off, landing, return."""

from __future__ import annotations

import math
from enum import Enum, auto
from typing import TYPE_CHECKING

from core.geodesy import Wgs84Point
from sitl.px4 import items
from sitl.px4.guidance import Local

if TYPE_CHECKING:
    from sitl.px4.autopilot import Px4

FRAME_COMPLAINT_S = 2.0
"""Observed: the text about a rally point's frame comes every two seconds."""
INT_MIN = -(1 << 31)


class Hold:
    """AUTO_LOITER: stay, or fly to the destination that DO_REPOSITION left here."""

    def __init__(self, autopilot: Px4) -> None:
        self._autopilot = autopilot
        self._wanted: Local | None = None
        self._speed_m_s: float | None = None

    def reposition(self, place: Local, speed_m_s: float | None) -> None:
        """A destination to fly to as soon as the mode is on."""
        self._wanted, self._speed_m_s = place, speed_m_s

    def activate(self) -> None:
        self._autopilot.guidance.reset_speed()
        if self._autopilot.landed:
            self._wanted = None
            self._autopilot.guidance.idle()
        elif self._wanted is None:
            self._autopilot.guidance.hold()

    def update(self) -> None:
        guidance = self._autopilot.guidance
        if self._wanted is None or self._autopilot.landed:
            return
        if self._speed_m_s is not None:
            guidance.change_speed(self._speed_m_s)
        guidance.fly(self._wanted)
        self._wanted = None


class TakeoffMode:
    """AUTO_TAKEOFF: up to the commanded altitude above sea level, or MIS_TAKEOFF_ALT higher."""

    def __init__(self, autopilot: Px4) -> None:
        self._autopilot = autopilot
        self._wanted_amsl_m: float | None = None
        self._up_m = 0.0
        self.complete = False

    def want(self, amsl_m: float) -> None:
        """NAV_TAKEOFF's altitude, above mean sea level whatever the frame said."""
        self._wanted_amsl_m = amsl_m if math.isfinite(amsl_m) else None

    def activate(self) -> None:
        autopilot = self._autopilot
        amsl_m, self._wanted_amsl_m = self._wanted_amsl_m, None
        if amsl_m is None:
            higher_m = autopilot.parameters["MIS_TAKEOFF_ALT"]
            amsl_m = autopilot.believed_amsl_m + higher_m
            autopilot.say(6, f"Using default takeoff altitude: {higher_m:.1f} m")
        if amsl_m < autopilot.believed_amsl_m:
            amsl_m = autopilot.believed_amsl_m
            autopilot.say(2, "Already higher than takeoff altitude")
        self._up_m = amsl_m - autopilot.body.launch_amsl_m
        self.complete = False
        autopilot.guidance.reset_speed()
        autopilot.guidance.take_off(self._up_m)

    def update(self) -> None:
        autopilot = self._autopilot
        near_m = autopilot.parameters["NAV_MC_ALT_RAD"]
        self.complete = not autopilot.landed and autopilot.body.believed_up_m > self._up_m - near_m


class Landing:
    """AUTO_LAND and DESCEND."""

    def __init__(self, autopilot: Px4) -> None:
        self._autopilot = autopilot

    def activate(self) -> None:
        self._autopilot.guidance.reset_speed()
        if self._autopilot.landed:
            self._autopilot.guidance.idle()
        else:
            self._autopilot.guidance.start_descent()

    def update(self) -> None:
        if not self._autopilot.landed:
            self._autopilot.guidance.descend()


class ReturnStage(Enum):
    CLIMB = auto()
    MOVE = auto()
    DESCEND = auto()
    WAIT = auto()
    LAND = auto()
    DONE = auto()


class Return:
    """AUTO_RTL: where to, how high, and the way down. It does not know the fence."""

    def __init__(self, autopilot: Px4) -> None:
        self._autopilot = autopilot
        self.stage = ReturnStage.DONE
        self._path: list[Local] = []
        self._up_m = 0.0
        self._ground_amsl_m = 0.0
        self._wait_until_s = 0.0
        self._complained_s = -FRAME_COMPLAINT_S

    # --- where to -----------------------------------------------------------------------------
    def watch(self, now_s: float) -> None:
        """While not returning: the destination is computed all the time, and a bad frame is complained of."""
        bad = any(point.frame not in (0, 3) for point in self._autopilot.rally_store.items)
        if bad and self._autopilot.home_set and now_s - self._complained_s >= FRAME_COMPLAINT_S:
            self._complained_s = now_s
            self._autopilot.say(2, "RTL: unsupported MAV_FRAME")

    def _mission_landing(self) -> int | None:
        if not self._autopilot.mission.valid:
            return None
        stored = self._autopilot.mission_store.items
        return next((index for index, item in enumerate(stored) if item.command == items.LAND), None)

    def _destination(self) -> tuple[Wgs84Point, float]:
        """(place, ground altitude above sea level; NaN when PX4 never set it)."""
        autopilot = self._autopilot
        kind = autopilot.parameters.integer("RTL_TYPE")
        here = autopilot.believed_local

        def distance_m(place: Wgs84Point) -> float:
            north, east = autopilot.body.local_of(place)
            return math.hypot(north - here[0], east - here[1])

        place, amsl_m = autopilot.home, autopilot.home_amsl_m
        least_m = math.inf if kind == 1 else distance_m(place)
        landing = self._mission_landing()
        if kind in (1, 3) and landing is not None:
            item = autopilot.mission_store.items[landing]
            spot = Wgs84Point(item.x * 1e-7, item.y * 1e-7)
            if distance_m(spot) < least_m:
                place, least_m = spot, distance_m(spot)
                amsl_m = item.z + autopilot.home_amsl_m if item.is_relative else item.z
        for point in autopilot.rally_store.items:
            spot = Wgs84Point(point.x * 1e-7, point.y * 1e-7)
            if distance_m(spot) + 1e-3 >= least_m:
                continue
            least_m = distance_m(spot)
            if point.frame in (0, 3):
                place = spot
                amsl_m = point.z + autopilot.home_amsl_m if point.frame == 3 else point.z
            else:
                # The surprise: the destination is left as memory was.
                place, amsl_m = Wgs84Point(0.0, 0.0), math.nan
        return place, amsl_m

    def _return_amsl_m(self, ground_amsl_m: float, distance_m: float) -> float:
        parameters = self._autopilot.parameters
        now_m = self._autopilot.believed_amsl_m
        if math.isnan(ground_amsl_m):
            return now_m
        highest = ground_amsl_m + parameters["RTL_RETURN_ALT"]
        cone_deg = parameters["RTL_CONE_ANG"]
        wanted = highest
        if cone_deg > 0:
            radius_m = parameters["NAV_ACC_RAD"]
            if distance_m <= radius_m:
                wanted = ground_amsl_m + 2.0 * distance_m
            else:
                if distance_m <= parameters["RTL_MIN_DIST"]:
                    angle = math.radians(min(max(cone_deg, 1.0), 89.0))
                    wanted = min(ground_amsl_m + distance_m / math.tan(angle), highest)
                wanted = max(wanted, ground_amsl_m + 2.0 * radius_m)
        return max(min(wanted, highest), now_m)

    def activate(self) -> None:
        autopilot = self._autopilot
        autopilot.guidance.reset_speed()
        if autopilot.landed:
            self.stage = ReturnStage.DONE
            autopilot.guidance.idle()
            return
        place, ground_amsl_m = self._destination()
        north, east = autopilot.body.local_of(place)
        here_n, here_e = autopilot.believed_local
        amsl_m = self._return_amsl_m(ground_amsl_m, math.hypot(north - here_n, east - here_e))
        above = math.ceil(amsl_m - ground_amsl_m) if math.isfinite(ground_amsl_m) else INT_MIN
        self._ground_amsl_m = ground_amsl_m if math.isfinite(ground_amsl_m) else autopilot.home_amsl_m
        self._up_m = amsl_m - autopilot.body.launch_amsl_m
        along, ends_there = self._way_along_mission()
        self._path = along if ends_there else [*along, (north, east, self._up_m)]
        autopilot.say(6, f"RTL: start return at {math.ceil(amsl_m)} m ({above} m above destination)")
        self.stage = ReturnStage.CLIMB
        autopilot.guidance.climb(self._up_m)

    def _way_along_mission(self) -> tuple[list[Local], bool]:
        """RTL_TYPE 2: the mission's own points, on to its landing or, without one, back to its start."""
        autopilot = self._autopilot
        if autopilot.parameters.integer("RTL_TYPE") not in (2, 4) or not autopilot.mission.valid:
            return [], False
        stored, current = autopilot.mission_store.items, autopilot.mission.current
        landing = self._mission_landing()
        onwards = landing is not None and landing >= current
        if landing is not None and onwards:
            chosen = [item for item in stored[current : landing + 1] if item.is_position]
        else:
            chosen = [item for item in reversed(stored[:current]) if item.is_position]
        return [(*autopilot.to_local(item.x, item.y), self._up_m) for item in chosen], onwards

    # --- flying -------------------------------------------------------------------------------
    def update(self, now_s: float) -> None:
        autopilot = self._autopilot
        guidance, parameters = autopilot.guidance, autopilot.parameters
        if autopilot.landed:
            self.stage = ReturnStage.DONE
            return
        near_m = parameters["NAV_MC_ALT_RAD"]
        if self.stage is ReturnStage.CLIMB:
            if abs(autopilot.body.believed_up_m - self._up_m) < near_m:
                self.stage = ReturnStage.MOVE
                guidance.fly(self._path[0])
        elif self.stage is ReturnStage.MOVE:
            if guidance.arrived(self._path[0]):
                del self._path[0]
                if self._path:
                    guidance.fly(self._path[0])
                else:
                    self._come_down()
        elif self.stage is ReturnStage.DESCEND:
            if abs(autopilot.body.believed_up_m - self._up_m) < near_m:
                self.stage = ReturnStage.WAIT
                self._wait_until_s = now_s + parameters["RTL_LAND_DELAY"]
                if parameters["RTL_LAND_DELAY"] < 0:
                    autopilot.say(6, "RTL: completed, loitering")
        elif self.stage is ReturnStage.WAIT:
            if parameters["RTL_LAND_DELAY"] >= 0 and now_s >= self._wait_until_s:
                self._land()
        elif self.stage is ReturnStage.LAND:
            guidance.descend()

    def _come_down(self) -> None:
        autopilot = self._autopilot
        if autopilot.parameters["RTL_LAND_DELAY"] == 0:
            self._land()
            return
        self.stage = ReturnStage.DESCEND
        lowest = self._ground_amsl_m + autopilot.parameters["RTL_DESCEND_ALT"] - autopilot.body.launch_amsl_m
        self._up_m = min(self._up_m, lowest)
        autopilot.guidance.climb(self._up_m)

    def _land(self) -> None:
        self.stage = ReturnStage.LAND
        self._autopilot.say(6, "RTL: land at destination")
        self._autopilot.guidance.start_descent()
