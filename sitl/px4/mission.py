"""PX4's mission: one item after the other, positions and actions alike, in AUTO_MISSION.

Kept as observed: armed on the ground it climbs at once; an item that is no position leaves the height
set-point to whatever its altitude field says once home's altitude is corrected; DO items count as reached
when time is up, whatever their device did; a re-upload in flight is flown at once.
"""

from __future__ import annotations

import math
from enum import Enum, auto
from typing import TYPE_CHECKING

from sitl.px4 import feasibility, items
from sitl.px4.guidance import Local
from sitl.px4.items import StoredItem

if TYPE_CHECKING:
    from sitl.px4.autopilot import Px4

INSTANT_MAX = 64
"""Items without duration handled in one loop at most: an endless jump must not hang the vehicle."""
REPORTED_APART = 0.5
"""Chosen: how often the item before an instant action is reported as reached before the action is."""
REACHED_REPEATS = 10
"""How often MISSION_ITEM_REACHED is repeated, once a second."""
NO_MISSION, NOT_STARTED, ACTIVE, PAUSED, COMPLETE = 1, 2, 3, 4, 5
"""MISSION_CURRENT.mission_state."""


def _whole(number: float) -> int:
    """As a cast to 16 bits keeps it on the usual processors: 0 for what is no number."""
    return int(number) if math.isfinite(number) else 0


class Work(Enum):
    """A part of an item that must be done before the item itself."""

    ITEM = auto()
    CLIMB = auto()
    MOVE_TO_LAND = auto()


class Mission:
    """Runs the stored mission while AUTO_MISSION is on and the vehicle is armed."""

    def __init__(self, autopilot: Px4) -> None:
        self._autopilot = autopilot
        self.current = 0
        self.valid = False
        self.active = False
        self._flying = False
        """There is an item under way; false before the first and after the last."""
        self.finished = False
        self.reached: int | None = None
        self.repeats_left = 0
        self._work = Work.ITEM
        self._climb_to_amsl_m: float | None = None
        self._arrived_s: float | None = None
        self._started_s = 0.0
        self._target: Local | None = None
        self._jumps: dict[int, int] = {}
        self._checked = False
        self._activated = False
        self._disarmed_meanwhile = False
        self._replaced_in_flight = False
        self.changed_current = False
        """MISSION_CURRENT must go out now."""
        self.descending = False
        """Coming down at a landing item."""
        self._last_reported: int | None = None

    # --- what is stored -----------------------------------------------------------------------
    @property
    def stored(self) -> tuple[StoredItem, ...]:
        return self._autopilot.mission_store.items

    @property
    def state(self) -> int:
        """MISSION_CURRENT.mission_state."""
        if not self.stored or not self.valid:
            return NO_MISSION
        if self.finished:
            return COMPLETE
        if self._autopilot.shows_active_mission:
            return ACTIVE
        return PAUSED if self.reached is not None else NOT_STARTED

    def on_stored(self, marked: int | None) -> None:
        """A new mission was stored; ``marked`` is the item its uploader wants to be current."""
        count = len(self.stored)
        self.current = min(max(self.current if marked is None else marked, 0), max(count - 1, 0))
        self.changed_current = True
        self.finished = False
        self.reached = None
        self._checked = False
        self._jumps.clear()
        self.check()
        if self.active:
            self._replaced_in_flight = True
        else:
            self._activated = False

    def check_again(self) -> None:
        """The fence changed: the verdict on the mission may, too."""
        self._checked = False

    def check(self) -> None:
        autopilot = self._autopilot
        if self._checked or not autopilot.home_set or autopilot.fence.loading:
            return
        self._checked = True
        found = feasibility.complaint(autopilot, self.stored)
        self.valid = found is None
        if found is not None and found.startswith("Geofence"):
            # Of the others nothing reaches the link but an EVENT.
            autopilot.say(2, found)

    # --- on and off ---------------------------------------------------------------------------
    def activate(self) -> None:
        self.active = True
        self._checked = False
        self.check()
        last = len(self.stored) - 1
        if self._disarmed_meanwhile and self._activated and self.stored and self.current == last:
            self._go_to(0)
            self._jumps.clear()
        self._activated = True
        self._disarmed_meanwhile = False
        self._autopilot.guidance.reset_speed()
        self._replay_speed()
        self._begin()

    def _begin(self) -> None:
        autopilot = self._autopilot
        if not self.valid or not self.stored:
            doing = "refusing takeoff" if autopilot.landed else "loitering"
            autopilot.say(2, f"No valid mission available, {doing}")
            self._end()
            return
        if not self._flying:
            autopilot.say(6, "Executing Mission")
        self._flying = True
        self.finished = False
        self.reached = None
        self._work = Work.ITEM
        self._require_climb()
        self._start_item()

    def deactivate(self) -> None:
        self.active = self._flying = False
        self._work = Work.ITEM
        self.reached = None

    def on_disarmed(self) -> None:
        self._disarmed_meanwhile = True
        self.deactivate()

    def _replay_speed(self) -> None:
        """Resumed in the middle, the last speed change before counts again."""
        for item in reversed(self.stored[: self.current]):
            if item.command == items.DO_CHANGE_SPEED:
                self._autopilot.guidance.change_speed(item.parameters[1])
                return

    def _require_climb(self) -> None:
        """Below the next position's height: climb first, where it stands."""
        self._climb_to_amsl_m = None
        for item in self.stored[self.current :]:
            if item.is_position:
                amsl_m = self._amsl_of(item)
                if amsl_m - self._autopilot.believed_amsl_m > self._autopilot.parameters["NAV_MC_ALT_RAD"]:
                    self._climb_to_amsl_m = amsl_m
                return

    def set_current(self, index: int) -> bool:
        """MISSION_SET_CURRENT: go to that item, now if the mission flies."""
        if not self.valid or not 0 <= index < len(self.stored):
            return False
        self._go_to(index)
        if self.active:
            self._flying = True
            self._work = Work.ITEM
            self.finished = False
            self._start_item()
        return True

    def _go_to(self, index: int) -> None:
        self.changed_current |= index != self.current
        self.current = index

    # --- items --------------------------------------------------------------------------------
    def _amsl_of(self, item: StoredItem) -> float:
        return item.z + self._autopilot.home_amsl_m if item.is_relative else item.z

    def _local_of(self, item: StoredItem) -> Local:
        north, east = self._autopilot.to_local(item.x, item.y)
        up = self._amsl_of(item) - self._autopilot.body.launch_amsl_m
        if not math.isfinite(up):
            # An altitude that is no number was accepted: the controller keeps the height it has.
            up = self._autopilot.body.believed_up_m
        return north, east, up

    def _start_item(self) -> None:
        self._arrived_s = None
        self._target = None
        self.descending = False
        item = self.stored[self.current]
        if item.is_position:
            self._start_position(item)
            return
        self._started_s = self._autopilot.now_s
        if item.command not in items.MARKERS and item.command != items.RTL:
            self._autopilot.commands.from_mission(item)

    def _start_position(self, item: StoredItem) -> None:
        autopilot = self._autopilot
        guidance = autopilot.guidance
        if self._climb_to_amsl_m is not None and self._work is Work.ITEM:
            amsl_m, self._climb_to_amsl_m = self._climb_to_amsl_m, None
            self._work = Work.CLIMB
            autopilot.say(6, f"Climb to {amsl_m - autopilot.home_amsl_m:.1f} meters above home")
            self._target = (*autopilot.believed_local, amsl_m - autopilot.body.launch_amsl_m)
            if autopilot.landed:
                guidance.take_off(self._target[2])
            else:
                guidance.apply_limits()
                guidance.climb(self._target[2])
            return
        end = self._local_of(item)
        if item.command == items.LAND and not autopilot.landed:
            across_m, _ = guidance.distance_to(end)
            if across_m > autopilot.parameters["NAV_ACC_RAD"] and self._work is Work.ITEM:
                self._work = Work.MOVE_TO_LAND
                here = guidance.target[2] if guidance.target is not None else autopilot.body.believed_up_m
                self._target = (end[0], end[1], here)
                guidance.fly(self._target)
                return
            self._work = Work.ITEM
            self.descending = True
            guidance.start_descent()
            return
        self._work = Work.ITEM
        if item.command == items.LAND:
            return
        self._target = end
        guidance.fly(end, self._corner_after(item))

    def _corner_after(self, item: StoredItem) -> Local | None:
        """Where to go on to without stopping at ``item``; None: it stops there."""
        if item.hold_s > 0.0 or not item.autocontinue or item.command not in (items.WAYPOINT, items.TAKEOFF):
            return None
        for following in self.stored[self.current + 1 :]:
            if following.command in items.WITH_TIMEOUT or following.command in (items.DELAY, items.DO_JUMP):
                return None
            if following.is_position:
                stops = following.command in (items.LAND, items.LOITER_TO_ALT)
                return None if stops else self._local_of(following)
        return None

    def _reached_now(self, now_s: float) -> bool:
        item = self.stored[self.current]
        if self._work is not Work.ITEM:
            return self._part_done()
        command = item.command
        if command == items.LAND:
            return self._autopilot.landed
        if command == items.LOITER_UNLIM:
            return False
        if command in items.WITH_TIMEOUT:
            return now_s > self._started_s + self._autopilot.parameters["MIS_COMMAND_TOUT"]
        if command == items.DELAY:
            return now_s >= self._started_s + item.hold_s
        if not item.is_position:
            return True
        if self._autopilot.landed or self._target is None:
            return False
        if self._arrived_s is None:
            radius_m = item.parameters[1] if command == items.WAYPOINT and item.parameters[1] > 0 else None
            if not self._autopilot.guidance.arrived(self._target, radius_m):
                return False
            self._arrived_s = now_s
        return now_s >= self._arrived_s + item.hold_s

    def _part_done(self) -> bool:
        if self._autopilot.landed or self._target is None:
            return False
        _, height_m = self._autopilot.guidance.distance_to(self._target)
        if self._work is Work.CLIMB:
            return height_m < self._autopilot.parameters["NAV_MC_ALT_RAD"]
        return self._autopilot.guidance.arrived(self._target)

    def update(self, now_s: float) -> None:
        """One slow loop, in any mode."""
        self.check()
        if not self.active:
            return
        if self._replaced_in_flight:
            self._replaced_in_flight = False
            self._begin()
        if self.descending:
            self._autopilot.guidance.descend()
        for _ in range(INSTANT_MAX):
            if not self._flying or not self._reached_now(now_s):
                break
            if self._work is not Work.CLIMB:
                self.reached = self.current
            item = self.stored[self.current]
            if item.command == items.RTL:
                # Changes the mode, which ends the mission: reported first.
                self._autopilot.commands.from_mission(item)
            if not item.autocontinue:
                break
            self._advance()
            waited = item.is_position or item.command in items.WITH_TIMEOUT
            if waited and self._autopilot.vehicle.random.random() < REPORTED_APART:
                # Instant actions follow one another at once, and only the last of them is reported. Whether an
                # item before them is reported is a race: in one observed flight it was not.
                break

    def _advance(self) -> None:
        if self._work is Work.ITEM and not self._step_on():
            self._autopilot.say(
                6, "Mission finished, " + ("landed" if self._autopilot.landed else "loitering")
            )
            self._end()
            return
        self._start_item()

    def _step_on(self) -> bool:
        """To the next item that is no jump. False: there is none."""
        index = self.current + 1
        for _ in range(INSTANT_MAX):
            if not 0 <= index < len(self.stored):
                # Behind the last, or where a jump leads out of the mission.
                return False
            item = self.stored[index]
            if item.command != items.DO_JUMP:
                self._go_to(index)
                return True
            done = self._jumps.get(index, 0)
            where, times = (_whole(number) for number in item.parameters[:2])
            if times < 0 or done < times:
                self._jumps[index] = done + 1
                index = where
            else:
                index += 1
        return False

    def _end(self) -> None:
        self._flying = False
        self.finished = True
        if self._autopilot.landed:
            self._autopilot.guidance.idle()
        else:
            self._autopilot.guidance.hold()

    # --- surprises ----------------------------------------------------------------------------
    def home_altitude_corrected(self, by_m: float) -> None:
        """What PX4 1.17 does to the height set-point when home's altitude is corrected in flight.

        A relative position moves with home. For any other item the set-point becomes the item's altitude
        field above sea level: 0 for an action that was sent with z = 0, and the vehicle descends.
        """
        if not self.active or not self._flying:
            return
        item = self.stored[self.current]
        if item.is_position:
            if item.is_relative and self._work is Work.ITEM and not self.descending:
                self._autopilot.body.shift_heights(by_m)
                if self._target is not None:
                    self._target = (self._target[0], self._target[1], self._target[2] + by_m)
            return
        self._autopilot.guidance.climb(item.z - self._autopilot.body.launch_amsl_m)

    def take_reached(self, slow: bool) -> int | None:
        """The item to report as reached now: once when it is, then ``slow`` (once a second) again and again."""
        if self.reached is None:
            self._last_reported = None
            return None
        if self.reached != self._last_reported:
            self._last_reported = self.reached
            self.repeats_left = REACHED_REPEATS
            return self.reached
        if slow and self.repeats_left > 0:
            self.repeats_left -= 1
            return self.reached
        return None
