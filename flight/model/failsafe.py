"""Faults × phase → safety action, as one table with clear conditions.

A fault is a fact about the vehicle or its task; the table says what must happen in the phase in
which it is seen. The strongest action of all present faults wins. Actions are ordered
NONE < WARN < HOLD < RETURN < DIVERT < LAND < TERMINATE, and an action is taken once: while a fault
stays, a weaker phase is never re-entered because of it.

Some facts are answered by the phase machine itself, because they are moves and not dangers: a mode
changed by somebody else (:attr:`Trigger.CONTROL_TAKEN`), the winch's and the release's failures. They
stand in the table too, so that they are recorded, shown and cleared like every other fault.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from flight.model.phases import AIRBORNE_PHASES, GROUND_PHASES, LINE_OUT_PHASES, MOTORS_ON_PAD_PHASES, Phase


class SafetyAction(IntEnum):
    """What is done about faults; a larger number is a stronger action."""

    NONE = 0
    WARN = 1
    HOLD = 2
    RETURN = 3
    DIVERT = 4
    LAND = 5
    TERMINATE = 6


class Fault(StrEnum):
    """What can be wrong. Each member says what counts as this fault."""

    LINK_STALE = "link_stale"
    """Nothing heard for more than :data:`LINK_STALE_AFTER_S`."""
    LINK_LOST = "link_lost"
    """Nothing heard for more than :data:`LINK_LOST_AFTER_S`. Nothing we send can be trusted to arrive."""
    GPS_LOST = "gps_lost"
    """No 3-D fix, or the estimator has no absolute horizontal position."""
    BATTERY_LOW = "battery_low"
    """Charge below what the planned rest of the flight needs plus the reserve."""
    BATTERY_CRITICAL = "battery_critical"
    """Charge below half the reserve: the nearest place to land is the only plan."""
    DEVIATION = "deviation"
    """Farther from the planned leg than the corridor allows, for longer than a gust."""
    WINCH_JAM = "winch_jam"
    """The line did not go out as commanded."""
    RELEASE_NOT_CONFIRMED = "release_not_confirmed"
    """The release was commanded and the vehicle did not confirm it in time."""
    LINE_NOT_RETRACTED = "line_not_retracted"
    """The line did not come up in time."""
    CONTROL_TAKEN = "control_taken"
    """The mode changed and we did not ask for it."""
    AUTOPILOT_REBOOTED = "autopilot_rebooted"
    """The autopilot's uptime jumped back."""
    FENCE_BREACHED = "fence_breached"
    """The autopilot reports that it is outside its fence."""


LINK_STALE_AFTER_S = 1.5
"""HEARTBEAT comes at 1 Hz by default and position at 5 Hz here: a second and a half is no jitter, and the
stale link is seen within 2 s."""
LINK_LOST_AFTER_S = 5.0
"""ArduPilot's own default for losing a ground station (FS_GCS_TIMEOUT): both sides then agree."""


@dataclass(frozen=True, slots=True)
class FaultRule:
    """When a fault counts and when it is over. ``set_after_s``: the condition must hold, not touch."""

    set_after_s: float
    clear_after_s: float
    clear_when: str


RULES: dict[Fault, FaultRule] = {
    Fault.LINK_STALE: FaultRule(0.0, 0.5, "anything heard, and then for half a second without a gap"),
    Fault.LINK_LOST: FaultRule(0.0, 0.5, "anything heard, and then for half a second without a gap"),
    Fault.GPS_LOST: FaultRule(1.0, 3.0, "3-D fix and absolute position for three seconds"),
    Fault.BATTERY_LOW: FaultRule(3.0, 10.0, "charge above the need for ten seconds: a sag is over"),
    Fault.BATTERY_CRITICAL: FaultRule(3.0, 10.0, "charge above half the reserve for ten seconds"),
    Fault.DEVIATION: FaultRule(3.0, 3.0, "inside the corridor for three seconds"),
    Fault.WINCH_JAM: FaultRule(0.0, 0.0, "the line is in, or the flight ended"),
    Fault.RELEASE_NOT_CONFIRMED: FaultRule(0.0, 0.0, "the release is confirmed, or the flight ended"),
    Fault.LINE_NOT_RETRACTED: FaultRule(0.0, 0.0, "the line is in, or the flight ended"),
    Fault.CONTROL_TAKEN: FaultRule(0.0, 0.0, "the mode is the mission's again, or the flight ended"),
    Fault.AUTOPILOT_REBOOTED: FaultRule(0.0, 10.0, "ten seconds up, on the ground"),
    Fault.FENCE_BREACHED: FaultRule(0.5, 2.0, "inside again for two seconds"),
}
"""Debounce and clear condition of every fault. Figures chosen; their reasons stand in ``clear_when``."""

_GROUNDED = GROUND_PHASES | MOTORS_ON_PAD_PHASES
_GOING_HOME = frozenset({Phase.INBOUND, Phase.RETURNING, Phase.AUTOPILOT_RETURN})
_DESCENDING = frozenset({Phase.LANDING, Phase.LANDING_HERE})
_WATCHED = frozenset({Phase.HANDED_OVER})


def _row(
    *,
    ground: SafetyAction,
    climbing: SafetyAction,
    outbound: SafetyAction,
    line_out: SafetyAction,
    home: SafetyAction,
    diverting: SafetyAction,
    descending: SafetyAction,
    watched: SafetyAction,
) -> dict[Phase, SafetyAction]:
    """One fault's actions, by what a phase is about. Every phase gets exactly one."""
    groups: list[tuple[Iterable[Phase], SafetyAction]] = [
        (_GROUNDED, ground),
        ({Phase.CLIMBING}, climbing),
        ({Phase.OUTBOUND, Phase.HOVERING, Phase.HOLDING}, outbound),
        (LINE_OUT_PHASES, line_out),
        (_GOING_HOME, home),
        ({Phase.DIVERTING}, diverting),
        (_DESCENDING, descending),
        (_WATCHED, watched),
    ]
    return {phase: action for phases, action in groups for phase in phases}


_A = SafetyAction
_ONLY_WARN = _row(
    ground=_A.WARN,
    climbing=_A.WARN,
    outbound=_A.WARN,
    line_out=_A.WARN,
    home=_A.WARN,
    diverting=_A.WARN,
    descending=_A.WARN,
    watched=_A.WARN,
)

TABLE: dict[Fault, dict[Phase, SafetyAction]] = {
    # A vehicle that is not heard cannot be commanded: its own mission brings it home.
    Fault.LINK_STALE: _ONLY_WARN,
    Fault.LINK_LOST: _ONLY_WARN,
    # Without a position the autopilot lands by itself; a return needs what is missing.
    Fault.GPS_LOST: _row(
        ground=_A.WARN,
        climbing=_A.LAND,
        outbound=_A.LAND,
        line_out=_A.LAND,
        home=_A.LAND,
        diverting=_A.LAND,
        descending=_A.WARN,
        watched=_A.WARN,
    ),
    Fault.BATTERY_LOW: _row(
        ground=_A.WARN,
        climbing=_A.RETURN,
        outbound=_A.RETURN,
        line_out=_A.RETURN,
        home=_A.WARN,
        diverting=_A.WARN,
        descending=_A.WARN,
        watched=_A.WARN,
    ),
    Fault.BATTERY_CRITICAL: _row(
        ground=_A.WARN,
        climbing=_A.LAND,
        outbound=_A.DIVERT,
        line_out=_A.DIVERT,
        home=_A.DIVERT,
        diverting=_A.WARN,
        descending=_A.WARN,
        watched=_A.WARN,
    ),
    Fault.DEVIATION: _row(
        ground=_A.NONE,
        climbing=_A.WARN,
        outbound=_A.RETURN,
        line_out=_A.RETURN,
        home=_A.WARN,
        diverting=_A.NONE,
        descending=_A.WARN,
        watched=_A.NONE,
    ),
    Fault.FENCE_BREACHED: _ONLY_WARN,
    # Moves of the phase machine, recorded here.
    Fault.WINCH_JAM: _ONLY_WARN,
    Fault.RELEASE_NOT_CONFIRMED: _ONLY_WARN,
    Fault.LINE_NOT_RETRACTED: _ONLY_WARN,
    Fault.CONTROL_TAKEN: _ONLY_WARN,
    # Motors that turn after a reboot in the air do not exist; on the ground the flight is called off.
    Fault.AUTOPILOT_REBOOTED: _row(
        ground=_A.LAND,
        climbing=_A.WARN,
        outbound=_A.WARN,
        line_out=_A.WARN,
        home=_A.WARN,
        diverting=_A.WARN,
        descending=_A.WARN,
        watched=_A.WARN,
    ),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault that is present, with what was seen."""

    fault: Fault
    detail: str


def react(faults: Iterable[Fault], phase: Phase) -> SafetyAction:
    """The strongest action that the present faults ask for in this phase."""
    return max((TABLE[fault][phase] for fault in faults), default=SafetyAction.NONE)


@dataclass(slots=True)
class _Track:
    first_s: float | None = None
    gone_s: float | None = None
    present: bool = False
    detail: str = ""


class FaultTracker:
    """Debounces findings: a fault is present after its condition held, cleared after it was gone.

    ``latched`` faults are facts of the flight (a jam, an unconfirmed release): they are set and
    cleared by name. Time is an argument.
    """

    def __init__(self) -> None:
        self._tracks: dict[Fault, _Track] = {fault: _Track() for fault in Fault}

    @property
    def present(self) -> dict[Fault, str]:
        """The faults that count now, with their details."""
        return {fault: track.detail for fault, track in self._tracks.items() if track.present}

    def update(self, findings: Iterable[Finding], now_s: float) -> tuple[list[Finding], list[Fault]]:
        """Take the conditions seen now; returns the faults that appeared and those that cleared.

        Latched faults are not touched: they end by :meth:`clear`.
        """
        seen = {finding.fault: finding.detail for finding in findings}
        appeared: list[Finding] = []
        cleared: list[Fault] = []
        for fault, track in self._tracks.items():
            if fault in LATCHED:
                continue
            rule = RULES[fault]
            if fault in seen:
                track.gone_s = None
                track.detail = seen[fault]
                track.first_s = now_s if track.first_s is None else track.first_s
                if not track.present and now_s - track.first_s >= rule.set_after_s:
                    track.present = True
                    appeared.append(Finding(fault, track.detail))
            else:
                track.first_s = None
                if track.present:
                    track.gone_s = now_s if track.gone_s is None else track.gone_s
                    if now_s - track.gone_s >= rule.clear_after_s:
                        track.present, track.gone_s = False, None
                        cleared.append(fault)
        return appeared, cleared

    def latch(self, fault: Fault, detail: str) -> bool:
        """Set a fact; False if it was known already."""
        track = self._tracks[fault]
        known, track.present, track.detail = track.present, True, detail
        return not known

    def clear(self, *faults: Fault) -> list[Fault]:
        """End facts; returns those that were present."""
        ended = [fault for fault in faults if self._tracks[fault].present]
        for fault in ended:
            self._tracks[fault] = _Track()
        return ended


LATCHED = frozenset(
    {Fault.WINCH_JAM, Fault.RELEASE_NOT_CONFIRMED, Fault.LINE_NOT_RETRACTED, Fault.CONTROL_TAKEN}
)
"""Faults that are set by an event and not by a condition."""

if missing := [(fault, phase) for fault in Fault for phase in Phase if phase not in TABLE[fault]]:
    raise AssertionError(f"undeclared: {missing}")
assert set(Phase) >= AIRBORNE_PHASES
