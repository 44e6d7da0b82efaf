"""PX4's failsafes: what triggers, how long it holds first, and when a user may take over.

As in PX4 1.17: a grave action is preceded by Hold for COM_FAIL_ACT_T; it stays until the vehicle is disarmed
or somebody changes the mode, even when its cause has gone; the user's own mode waits behind it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from sitl.px4 import fence as fences
from sitl.px4.modes import NEEDS_POSITION, Mode

if TYPE_CHECKING:
    from sitl.px4.autopilot import Px4

POSITION_LOST_AFTER_S = 5.0
"""Chosen within what was read: EKF2 calls its position invalid some seconds after the last fix."""
CRASH_SPEED_M_S = 4.0
"""Chosen as for the other personality."""


class Action(IntEnum):
    """Ordered as in PX4: a greater one wins."""

    NONE = 0
    WARN = 1
    HOLD = 2
    RTL = 3
    LAND = 4
    DESCEND = 5
    DISARM = 6
    TERMINATE = 7


_MODES = {
    Action.HOLD: Mode.AUTO_LOITER,
    Action.RTL: Mode.AUTO_RTL,
    Action.LAND: Mode.AUTO_LAND,
    Action.DESCEND: Mode.DESCEND,
    Action.TERMINATE: Mode.TERMINATION,
}
_LINK_LOSS = {1: Action.HOLD, 2: Action.RTL, 3: Action.LAND, 5: Action.TERMINATE, 6: Action.DISARM}
"""NAV_DLL_ACT."""
_EXCEPTED_BITS = {Mode.AUTO_MISSION: 1, Mode.AUTO_LOITER: 2}
"""COM_DLL_EXCEPT."""
_FENCE = {
    fences.WARN: Action.WARN,
    fences.HOLD: Action.HOLD,
    fences.RETURN: Action.RTL,
    fences.TERMINATE: Action.TERMINATE,
    fences.LAND: Action.LAND,
}
LOW, CRITICAL, EMERGENCY = 1, 2, 3


@dataclass(slots=True)
class Active:
    """The failsafe in force."""

    action: Action
    cause: str
    acts_at_s: float
    """Until then it holds."""


class Failsafes:
    """Watches link, battery, position and fence; owns the mode while one of them is at fault."""

    def __init__(self, autopilot: Px4) -> None:
        self._autopilot = autopilot
        self.active: Active | None = None
        self.gcs_heard_s: float | None = None
        self.gcs_lost = True
        """True before the first heartbeat, too."""
        self._link_mattered = True
        self.battery_level = 0
        self._position_lost_s: float | None = None
        self.crashed = False

    def heard_gcs(self, now_s: float) -> None:
        self.gcs_heard_s = now_s

    @property
    def mode(self) -> Mode | None:
        """The mode it forces, None while nothing is at fault."""
        if self.active is None or self.active.action <= Action.WARN:
            return None
        if self._autopilot.now_s < self.active.acts_at_s:
            return Mode.AUTO_LOITER
        return _MODES.get(self.active.action)

    def user_changed_mode(self) -> None:
        """A mode command takes over from everything that allows it."""
        if self.active is not None and self.active.action < Action.DISARM:
            self.active = None

    def on_disarmed(self) -> None:
        self.active = None
        self.battery_level = 0

    def _trigger(self, action: Action, cause: str, *, delayed: bool = True) -> None:
        autopilot = self._autopilot
        if action is Action.NONE or not autopilot.armed or autopilot.landed:
            return
        if self.active is not None and self.active.action >= action:
            return
        if action is Action.WARN:
            return
        delay_s = autopilot.parameters["COM_FAIL_ACT_T"] if delayed and action > Action.HOLD else 0.0
        # A failsafe that already holds does not start to wait anew.
        if self.active is not None and self.active.action >= Action.HOLD:
            delay_s = min(delay_s, max(0.0, self.active.acts_at_s - autopilot.now_s))
        self.active = Active(action, cause, autopilot.now_s + delay_s)
        if delay_s > 0:
            autopilot.say(2, f"Failsafe activated: entering Hold for {round(delay_s)} seconds")
        else:
            autopilot.say(2, "Failsafe activated")
        if action is Action.DISARM:
            autopilot.disarm("failsafe", forced=True)

    def update(self, now_s: float) -> None:
        self._check_link(now_s)
        self._check_battery()
        self._check_position(now_s)
        if self._autopilot.fence.update(now_s):
            self._trigger(
                _FENCE.get(self._autopilot.parameters.integer("GF_ACTION"), Action.NONE), "geofence"
            )
        self._check_wind()
        self._check_crash()

    @property
    def _link_is_excepted(self) -> bool:
        """COM_DLL_EXCEPT: modes that go on without a ground station; a landing always does."""
        bit = _EXCEPTED_BITS.get(self._autopilot.mode, 0)
        excepted = self._autopilot.parameters.integer("COM_DLL_EXCEPT")
        return bool(bit & excepted) or self._autopilot.mode in (Mode.AUTO_LAND, Mode.DESCEND)

    def _check_link(self, now_s: float) -> None:
        autopilot = self._autopilot
        heard_s = self.gcs_heard_s
        lost = heard_s is None or now_s - heard_s > autopilot.parameters["COM_DL_LOSS_T"]
        if lost != self.gcs_lost:
            self.gcs_lost = lost
            if not lost and autopilot.armed:
                autopilot.say(6, "GCS connection regained")
            elif lost:
                autopilot.say(2, "Connection to ground station lost")
        # What is excepted in a mission is a failsafe as soon as the mission is left.
        matters = lost and not self._link_is_excepted
        if matters and not self._link_mattered:
            self._trigger(_LINK_LOSS.get(autopilot.parameters.integer("NAV_DLL_ACT"), Action.NONE), "link")
        self._link_mattered = matters

    def _check_battery(self) -> None:
        autopilot = self._autopilot
        parameters = autopilot.parameters
        remaining = autopilot.battery_remaining
        level = 0
        for name, number in (
            ("BAT_LOW_THR", LOW),
            ("BAT_CRIT_THR", CRITICAL),
            ("BAT_EMERGEN_THR", EMERGENCY),
        ):
            if remaining < parameters[name]:
                level = number
        if level <= self.battery_level:
            return
        self.battery_level = level
        words = {LOW: "Low battery", CRITICAL: "Critical battery", EMERGENCY: "Emergency battery level"}
        autopilot.say(
            2 if level > LOW else 4, f"{words[level]} level, return advised" if level == LOW else words[level]
        )
        choice = parameters.integer("COM_LOW_BAT_ACT")
        action = Action.WARN
        if level == CRITICAL:
            action = {1: Action.RTL, 3: Action.RTL, 2: Action.LAND}.get(choice, Action.WARN)
        elif level == EMERGENCY:
            action = {1: Action.RTL, 3: Action.LAND, 2: Action.LAND}.get(choice, Action.WARN)
        self._trigger(action, "battery")

    @property
    def position_lost_for_s(self) -> float:
        return 0.0 if self._position_lost_s is None else self._autopilot.now_s - self._position_lost_s

    def _check_position(self, now_s: float) -> None:
        autopilot = self._autopilot
        if autopilot.position_source_ok:
            self._position_lost_s = None
            return
        if self._position_lost_s is None:
            self._position_lost_s = now_s
        if now_s - self._position_lost_s >= POSITION_LOST_AFTER_S and autopilot.mode in NEEDS_POSITION:
            self._trigger(Action.DESCEND, "position", delayed=False)

    def _check_wind(self) -> None:
        autopilot = self._autopilot
        limit = autopilot.parameters["COM_WIND_MAX"]
        if limit <= 0 or autopilot.landed:
            return
        north, east, _ = autopilot.body.wind_m_s
        if north * north + east * east > limit * limit:
            choice = autopilot.parameters.integer("COM_WIND_MAX_ACT")
            actions = {1: Action.WARN, 2: Action.HOLD, 3: Action.RTL, 4: Action.TERMINATE, 5: Action.LAND}
            self._trigger(actions.get(choice, Action.NONE), "wind")

    def _check_crash(self) -> None:
        if not self.crashed and self._autopilot.body.impact_m_s > CRASH_SPEED_M_S:
            self.crashed = True
            self._autopilot.vehicle.witness("crashed", f"{self._autopilot.body.impact_m_s:.1f} m/s")
