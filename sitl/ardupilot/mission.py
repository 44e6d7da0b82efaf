"""Mission execution: which item runs, when it is done, what comes next.

Order of things as in ArduPilot: «do» items that stand between two navigation items start when the first
of them is complete, while the second is already being flown; one «do» item per loop. The last item
reported in a loop wins: a MISSION_ITEM_REACHED of a navigation item can be lost to a «do» item.
"""

from __future__ import annotations

import math
from enum import IntEnum
from typing import TYPE_CHECKING

from sitl.ardupilot import items
from sitl.ardupilot.items import StoredItem
from sitl.ardupilot.navigation import Navigation, Submode

if TYPE_CHECKING:
    from sitl.ardupilot.autopilot import ArduCopter

NO_INDEX = 0
LOOPS_MAX = 255


class MissionState(IntEnum):
    """As MISSION_CURRENT.mission_state where the names agree."""

    STOPPED = 2
    RUNNING = 3
    COMPLETE = 5


class Mission:
    """Runs the stored mission while AUTO is on."""

    def __init__(self, autopilot: ArduCopter) -> None:
        self._autopilot = autopilot
        self.state = MissionState.STOPPED
        self.nav_index = NO_INDEX
        self._nav_loaded = False
        self._do_index = NO_INDEX
        self._do_loaded = False
        self._do_all_done = False
        self._jumps: dict[int, int] = {}
        self._seen_version = 0
        self.navigation = Navigation(autopilot, self)
        self.waiting_to_start = False
        self.reached: int | None = None
        """Item to report as reached at the end of this loop."""

    # --- looking at the mission ---------------------------------------------------------------
    @property
    def _store(self):  # type: ignore[no-untyped-def]
        return self._autopilot.mission_store

    @property
    def count(self) -> int:
        return self._store.count()

    def _next_item(self, index: int) -> tuple[int, StoredItem] | None:
        """First item at or after ``index``, jumps followed and counted."""
        for _ in range(64):
            if index < 1 or index >= self.count:
                return None
            item = self._store.items[index]
            if item.command != items.DO_JUMP:
                return index, item
            done = self._jumps.get(index, 0)
            if item.param2 < 0 or done < int(item.param2):
                self._jumps[index] = done + 1
                self._autopilot.say(6, f"Mission: {index} Jump")
                index = int(item.param1)
            else:
                index += 1
        return None

    def peek_navigation(self) -> StoredItem | None:
        """The next navigation item after the present one, without counting jumps."""
        kept = dict(self._jumps)
        quiet = self._autopilot.quiet
        self._autopilot.quiet = True
        try:
            cursor = self.nav_index + 1
            for _ in range(LOOPS_MAX):
                found = self._next_item(cursor)
                if found is None:
                    return None
                if found[1].is_navigation:
                    return found[1]
                cursor = found[0] + 1
            return None
        finally:
            self._jumps = kept
            self._autopilot.quiet = quiet

    def starts_with_takeoff(self) -> bool:
        index = self.nav_index
        if self._autopilot.parameters["MIS_RESTART"] == 1 or index == NO_INDEX:
            index = 1
        while index < self.count:
            item = self._store.items[index]
            if item.command == items.TAKEOFF:
                return True
            if item.is_navigation and item.command != items.DELAY:
                return False
            index += 1
        return False

    # --- state --------------------------------------------------------------------------------
    def reset(self) -> None:
        self._nav_loaded = self._do_loaded = self._do_all_done = False
        self.nav_index = self._do_index = NO_INDEX
        self._jumps.clear()

    def start_or_resume(self) -> None:
        if self._autopilot.parameters["MIS_RESTART"] == 1:
            self._start()
        else:
            self.resume()

    def _start(self) -> None:
        self.state = MissionState.RUNNING
        self.reset()
        if not self._advance():
            self._complete()

    def resume(self) -> None:
        if self.state is MissionState.COMPLETE:
            self._start()
            return
        if self.state is MissionState.STOPPED:
            self.state = MissionState.RUNNING
            if self.nav_index == NO_INDEX:
                self._start()
                return
        if self.nav_index >= self.count:
            self._start()
        elif self._do_loaded and self._do_index != NO_INDEX:
            self.set_current(self._do_index)
        elif self._nav_loaded:
            self.set_current(self.nav_index)

    def stop(self) -> None:
        if self.state is MissionState.RUNNING:
            self.state = MissionState.STOPPED

    def set_current(self, index: int) -> bool:
        """Jump to an item; while stopped it only marks where to resume."""
        if index >= self.count or self.count == 1:
            return False
        self._do_index, self._do_loaded, self._do_all_done = NO_INDEX, False, False
        self._nav_loaded = False
        if index == 0 or self.state is MissionState.COMPLETE:
            self._jumps.clear()
            index = max(index, 1)
        if self.state is MissionState.RUNNING:
            if self._advance(index):
                return True
            self._complete()
            return False
        while not self._nav_loaded:
            found = self._next_item(index)
            if found is None:
                self.nav_index = NO_INDEX
                return False
            if found[1].is_navigation:
                self.nav_index, self._nav_loaded = found[0], True
            elif not self._do_loaded:
                self._do_index, self._do_loaded = found[0], True
            index = found[0] + 1
        self._do_all_done = not self._do_loaded
        self.state = MissionState.STOPPED
        return True

    def _complete(self) -> None:
        self.state = MissionState.COMPLETE
        autopilot = self._autopilot
        if autopilot.landed:
            autopilot.disarm("mission complete")
            self.navigation.submode = Submode.LOITER
        else:
            self.navigation.submode = Submode.LOITER
            autopilot.body.hold_horizontally()
            autopilot.body.climb_to(autopilot.body.believed_up_m)

    def _advance(self, starting: int = 0) -> bool:
        if self.state is not MissionState.RUNNING or self._nav_loaded:
            return False
        self._do_index, self._do_loaded, self._do_all_done = NO_INDEX, False, False
        cursor = starting if starting > 0 else self.nav_index + 1
        for _ in range(LOOPS_MAX):
            found = self._next_item(cursor)
            if found is None:
                return False
            index, item = found
            if item.is_navigation:
                self.nav_index = index
                self._announce(index, item)
                if self.navigation.start(item):
                    self._nav_loaded = True
                    self._do_all_done = not self._do_loaded
                    return True
            elif not self._do_loaded:
                self._do_index, self._do_loaded = index, True
                self._announce(index, item)
                self._start_do(item)
            cursor = index + 1
        return False

    def _advance_do(self) -> None:
        if self._do_all_done or self._do_index == NO_INDEX:
            return
        found = self._next_item(self._do_index + 1)
        if found is None or found[1].is_navigation:
            self._do_all_done = True
            return
        self._do_index, self._do_loaded = found[0], True
        self._announce(*found)
        self._start_do(found[1])

    def update(self) -> None:
        """One slow loop of AUTO."""
        self.reached = None
        if self.waiting_to_start:
            self.start_or_resume()
            self.waiting_to_start = False
            self._seen_version = self._store.version
        elif self._seen_version != self._store.version:
            self._seen_version = self._store.version
            if (
                self.state is MissionState.RUNNING
                and self.navigation.submode is Submode.WAYPOINT
                and 0 < self.nav_index < self.count
            ):
                if self.set_current(self.nav_index):
                    self._autopilot.say(2, "Auto mission changed, restarted command")
                else:
                    self._autopilot.say(2, "Auto mission changed but failed to restart command")
        if self.state is MissionState.RUNNING and self.count > 0:
            self._run()
        self.navigation.fly()

    def _run(self) -> None:
        if not self._nav_loaded or self.nav_index == NO_INDEX:
            if not self._advance():
                self._complete()
                return
        elif self.nav_index < self.count and self.navigation.done(self._store.items[self.nav_index]):
            self.reached = self.nav_index
            self._nav_loaded = False
            if not self._advance():
                self._complete()
                return
        if not self._do_loaded:
            self._advance_do()
        elif self._do_index < self.count and self._verify_do(self._store.items[self._do_index]):
            if self._store.items[self._do_index].command not in items.NOT_REPORTED_REACHED:
                self.reached = self._do_index
            self._do_loaded = False

    def _announce(self, index: int, item: StoredItem) -> None:
        self._autopilot.say(6, f"Mission: {index} {items.SPOKEN_NAMES.get(item.command, '?')}")

    # --- do items -----------------------------------------------------------------------------
    def _start_do(self, item: StoredItem) -> None:
        autopilot = self._autopilot
        command = item.command
        if command == items.DO_CHANGE_SPEED:
            if item.param2 > 0:
                autopilot.tuning.change_speed(int(item.param1), item.param2)
        elif command == items.DO_WINCH:
            autopilot.gear.winch(int(item.param2), item.param3, item.param4)
        elif command == items.DO_GRIPPER:
            autopilot.gear.grip(int(item.param2))
            # Said at once and whatever the gripper does: no evidence of a release.
            if item.param2 in (0.0, 1.0):
                autopilot.say(6, "Gripper Grabbed" if item.param2 else "Gripper Released")
        elif command == items.DO_FENCE_ENABLE:
            autopilot.enable_fence(item.param1 > 0)
        elif command == items.CONDITION_DELAY:
            self.navigation.wait_until_s = autopilot.now_s + item.param1
        elif command == items.CONDITION_YAW:
            autopilot.body.point_nose(math.radians(item.param1))

    def _verify_do(self, item: StoredItem) -> bool:
        if item.command == items.CONDITION_DELAY:
            return self._autopilot.now_s >= self.navigation.wait_until_s
        return True
