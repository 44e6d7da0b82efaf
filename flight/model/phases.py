"""The phase machine: one pure step through the tables.

Every pair of phase and event is declared in :mod:`flight.model.phase_table`: a :class:`Row` moves,
:data:`IGNORE` says the event means nothing there, and :class:`Refuse` answers a command with the reason.
Effects are data; the agent turns them into work on one vehicle. No clock, no I/O: time is an argument.

The phase alone says whether the line is out and where the AED may be, so a return from any phase
knows whether to retract first. A flight that ends does so in exactly one :class:`SafeState`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flight.model.answers import HELD, IGNORE, Answer, Ignore, Refuse, Row
from flight.model.phase_table import TABLE
from flight.model.words import (
    AIRBORNE_PHASES,
    COMMAND_TRIGGERS,
    FLIGHT_PHASES,
    GROUND_PHASES,
    LINE_OUT_PHASES,
    MOTORS_ON_PAD_PHASES,
    STANDING_PHASES,
    AedState,
    Effect,
    Phase,
    SafeState,
    Trigger,
)

__all__ = [
    "AIRBORNE_PHASES",
    "COMMAND_TRIGGERS",
    "FLIGHT_PHASES",
    "GROUND_PHASES",
    "HELD",
    "IGNORE",
    "LINE_OUT_PHASES",
    "MOTORS_ON_PAD_PHASES",
    "RESUME_EFFECTS",
    "STANDING_PHASES",
    "TABLE",
    "AedState",
    "Answer",
    "Effect",
    "Ignore",
    "Phase",
    "Refuse",
    "Row",
    "SafeState",
    "State",
    "Step",
    "Trigger",
    "advance",
]

REMEMBERING_PHASES = STANDING_PHASES | {Phase.HANDED_OVER}
"""Phases that remember which one they interrupted."""


@dataclass(frozen=True, slots=True)
class State:
    """Everything the machine remembers about a flight.

    ``held``: where CONTINUE leads while standing or handed over. ``since``: when the phase began.
    """

    phase: Phase
    since: datetime
    aed: AedState = AedState.ON_BOARD
    held: Phase | None = None
    failure_announced: bool = False
    safe_state: SafeState | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """The answer of the table to one trigger."""

    state: State
    effects: tuple[Effect, ...]
    answer: Answer

    @property
    def refused(self) -> Refuse | None:
        """The refusal, if it was one."""
        return self.answer if isinstance(self.answer, Refuse) else None


def advance(state: State, trigger: Trigger, now: datetime) -> Step:
    """Apply one trigger. Pure: the same arguments always give the same step.

    A failure is announced once a flight, and never after the release was confirmed; before it nobody is called.
    """
    answer = TABLE[state.phase][trigger]
    if not isinstance(answer, Row):
        return Step(state, (), answer)
    if isinstance(answer.target, Phase):
        target = answer.target
        held = answer.hold_as
        if held is None and target in REMEMBERING_PHASES:
            held = state.held
    else:
        target, held = state.held or Phase.RETURNING, None
    aed = answer.aed if answer.aed is not None else state.aed
    if answer.aed is AedState.UNKNOWN and trigger is Trigger.LOAD_LOST and state.aed is AedState.RELEASED:
        aed = AedState.RELEASED
    effects = tuple(
        effect
        for effect in answer.effects
        if not (
            (effect is Effect.ANNOUNCE_FAILURE and (state.failure_announced or aed is AedState.RELEASED))
            or (effect is Effect.ANNOUNCE_RELEASE and state.aed is AedState.RELEASED)
            or (effect is Effect.ANNOUNCE_SAFE_TO_APPROACH and aed is not AedState.RELEASED)
        )
    )
    starts = target is Phase.PREPARING and state.phase is Phase.STANDBY
    return Step(
        State(
            phase=target,
            since=state.since if target is state.phase else now,
            aed=aed,
            held=held,
            failure_announced=(state.failure_announced and not starts) or Effect.ANNOUNCE_FAILURE in effects,
            safe_state=answer.safe_state,
        ),
        effects,
        answer,
    )


RESUME_EFFECTS: dict[Phase, tuple[Effect, ...]] = {
    Phase.PREPARING: (Effect.PREPARE,),
    Phase.WAITING: (Effect.AWAIT_DEPARTURE,),
    Phase.ARMED: (Effect.START_MISSION,),
    Phase.LOWERING: (Effect.LOWER_AED,),
    Phase.RELEASING: (Effect.RELEASE_AED,),
    Phase.RETRACTING: (Effect.RETRACT_LINE,),
    Phase.RECOVERING_LINE: (Effect.RETRACT_LINE,),
    Phase.TOUCHING_DOWN: (Effect.TOUCH_DOWN,),
    Phase.UNLOADING: (Effect.UNLOAD,),
    Phase.INBOUND: (Effect.FLY_HOME,),
    Phase.RETURNING: (Effect.FLY_BACK,),
    Phase.STANDING_OFF: (Effect.STOP,),
    Phase.REROUTING: (Effect.REPLACE_MISSION,),
    Phase.DIVERTING: (Effect.FLY_TO_RALLY,),
    Phase.LANDING_HERE: (Effect.LAND_HERE,),
    Phase.DISARMING: (Effect.DISARM,),
}
"""What a restarted controller takes up again in the phase that its journal names. All of it looks at the
vehicle first or may be repeated; phases that are not named only watch. ARMING is not taken up: a
controller that died while arming calls the flight off."""
