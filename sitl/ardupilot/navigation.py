"""Navigation items of a mission: how each is begun, flown, and found done."""

from __future__ import annotations

import math
from enum import IntEnum
from typing import TYPE_CHECKING

from sitl.ardupilot import items
from sitl.ardupilot.items import StoredItem
from sitl.ardupilot.placing import Circle, PayloadPlace

if TYPE_CHECKING:
    from sitl.ardupilot.autopilot import ArduCopter
    from sitl.ardupilot.mission import Mission


class Submode(IntEnum):
    """What AUTO's controllers are doing."""

    LOITER = 0
    TAKEOFF = 1
    WAYPOINT = 2
    LAND = 3
    RTL = 4
    CIRCLE = 5
    PLACE = 6


class Navigation:
    """Flies the navigation item that the mission's order of things has reached."""

    def __init__(self, autopilot: ArduCopter, mission: Mission) -> None:
        self._autopilot = autopilot
        self._mission = mission
        self.submode = Submode.LOITER
        self.paused = False
        self.wait_until_s = 0.0
        self.landing_descends = False
        self.circle = Circle(autopilot)
        self.place = PayloadPlace(autopilot)
        self._loiter_since_s: float | None = None

    def fly(self) -> None:
        """One slow loop of whatever has a manoeuvre of its own."""
        if self.submode is Submode.TAKEOFF:
            self._autopilot.takeoff.update()
        elif self.submode is Submode.LAND:
            if self.landing_descends:
                self._autopilot.landing.update()
        elif self.submode is Submode.RTL:
            self._autopilot.returning.update()
        elif self.submode is Submode.CIRCLE:
            self.circle.update()
        elif self.submode is Submode.PLACE:
            self.place.update()

    def _local(self, item: StoredItem, default: tuple[float, float, float]) -> tuple[float, float, float]:
        """Local destination of an item; what it leaves at zero comes from ``default``."""
        north, east, up = default
        if item.x != 0 or item.y != 0:
            north, east = self._autopilot.to_local(item.x, item.y)
        if item.z_cm != 0:
            up = self._autopilot.up_from(item.z_cm / 100.0, item.frame)
        return north, east, up

    def _fly_leg(self, item: StoredItem, *, stop: bool) -> None:
        body = self._autopilot.body
        fresh = self.submode is not Submode.WAYPOINT
        default = (*self._autopilot.believed_local, body.believed_up_m)
        if not fresh and body.reached:
            default = body.leg_end_m
        end = self._local(item, default)
        after = None
        if not stop:
            following = self._mission.peek_navigation()
            if following is not None and following.command in (
                items.WAYPOINT,
                items.LOITER_UNLIM,
                items.LOITER_TIME,
                items.PAYLOAD_PLACE,
            ):
                after = self._local(following, end)
        self._autopilot.tuning.apply_limits()
        body.next_leg(end, after, reinitialise=fresh)
        body.scale_speed(1.0)
        self.paused = False
        body.nose_follows_track()
        self.submode = Submode.WAYPOINT

    def start(self, item: StoredItem) -> bool:
        """Begin an item. False: it can't be flown and is skipped."""
        autopilot = self._autopilot
        self._loiter_since_s = None
        command = item.command
        if command == items.TAKEOFF:
            up = autopilot.up_from(item.z_cm / 100.0, item.frame)
            autopilot.takeoff.start(up)
            self.submode = Submode.TAKEOFF
        elif command in (items.WAYPOINT, 82):
            self._fly_leg(item, stop=item.param1 > 0)
        elif command in (items.LOITER_UNLIM, items.LOITER_TIME):
            self._fly_leg(item, stop=True)
        elif command == items.LOITER_TURNS:
            centre = self._local(item, (*autopilot.believed_local, autopilot.body.believed_up_m))
            radius_m = abs(item.param3) or autopilot.parameters["CIRCLE_RADIUS"] / 100.0
            self.circle.start(centre, radius_m, item.param1, clockwise=item.param3 >= 0)
            self.submode = Submode.CIRCLE
        elif command == items.PAYLOAD_PLACE:
            fresh = self.submode is not Submode.WAYPOINT
            spot = self._local(item, (*autopilot.believed_local, autopilot.body.believed_up_m))
            self.place.start(spot, item.param1, fresh=fresh)
            self.submode = Submode.PLACE
        elif command == items.LAND:
            if item.x != 0 or item.y != 0:
                here = autopilot.body.believed_up_m
                north, east = autopilot.to_local(item.x, item.y)
                fresh = self.submode is not Submode.WAYPOINT
                autopilot.tuning.apply_limits()
                if not fresh and autopilot.body.reached:
                    here = autopilot.body.leg_end_m[2]
                autopilot.body.next_leg((north, east, here), None, reinitialise=fresh)
                autopilot.body.nose_follows_track()
                self.landing_descends = False
            else:
                autopilot.landing.start()
                self.landing_descends = True
            self.submode = Submode.LAND
        elif command == items.RTL:
            autopilot.returning.start()
            self.submode = Submode.RTL
        elif command == items.DELAY:
            self.wait_until_s = autopilot.now_s + max(0.0, item.param1)
            autopilot.say(6, f"Delaying {int(max(0.0, item.param1))} sec")
        else:
            autopilot.say(4, f"Skipping invalid cmd #{command}")
            return False
        return True

    def _waited(self, item: StoredItem) -> bool:
        now_s = self._autopilot.now_s
        if self._loiter_since_s is None:
            self._loiter_since_s = now_s
        if math.floor(now_s - self._loiter_since_s + 1e-6) < int(item.param1):
            return False
        self._autopilot.say(6, f"Reached command #{self._mission.nav_index}")
        return True

    def done(self, item: StoredItem) -> bool:
        """Whether the item has come to its end."""
        autopilot = self._autopilot
        command = item.command
        if command == items.TAKEOFF:
            return autopilot.takeoff.complete
        if command in (items.WAYPOINT, items.LOITER_TIME, 82):
            return autopilot.body.reached and self._waited(item)
        if command == items.LAND:
            if not self.landing_descends:
                if autopilot.body.reached:
                    autopilot.landing.start()
                    self.landing_descends = True
                return False
            if not autopilot.landed:
                return False
            if self._continues_after_land():
                return True
            autopilot.disarm("landed")
            return False
        if command == items.RTL:
            return autopilot.landed
        if command == items.LOITER_TURNS:
            return self.circle.complete
        if command == items.PAYLOAD_PLACE:
            return self.place.complete
        if command == items.DELAY:
            return autopilot.now_s >= self.wait_until_s
        return False

    def _continues_after_land(self) -> bool:
        following = self._mission.peek_navigation()
        return following is not None and following.command == items.TAKEOFF

    def pause(self) -> bool:
        """DO_PAUSE_CONTINUE: only on a leg that has not ended."""
        if self.submode is not Submode.WAYPOINT or self._autopilot.body.reached:
            return False
        self._autopilot.body.scale_speed(0.0)
        self.paused = True
        return True

    def unpause(self) -> bool:
        self._autopilot.body.scale_speed(1.0)
        self.paused = False
        return True
