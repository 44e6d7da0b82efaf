"""The whole life of a flight as tables: phases × events → next phase and effects.

Every pair is declared: a :class:`Row` moves, :data:`IGNORE` says the event means nothing there,
and :class:`Refuse` answers a command with the reason. Effects are data; the director turns them
into intents for one vehicle. No clock, no I/O: time is an argument.

The phase alone says whether the line is out and where the AED may be, so a return from any phase
knows whether to retract first. A flight that ends does so in exactly one :class:`SafeState`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from flight.model.words import (
    AIRBORNE_PHASES,
    COMMAND_TRIGGERS,
    FLIGHT_PHASES,
    GROUND_PHASES,
    LINE_OUT_PHASES,
    MOTORS_ON_PAD_PHASES,
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


class _Back(StrEnum):
    HELD = "held"


HELD = _Back.HELD
"""Target of a row that goes back to the phase before the hold or the takeover."""


@dataclass(frozen=True, slots=True)
class Row:
    """One move: where to, what to ask for, what becomes known.

    ``hold_as``: the phase to which CONTINUE or a returned control leads. ``aed`` and ``safe_state``
    are set when given.
    """

    target: Phase | _Back
    effects: tuple[Effect, ...] = ()
    hold_as: Phase | None = None
    aed: AedState | None = None
    safe_state: SafeState | None = None


@dataclass(frozen=True, slots=True)
class Ignore:
    """The event means nothing in this phase."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """The command is not possible in this phase; the reason goes back to whoever asked."""

    code: str
    detail: str
    detail_zh: str


IGNORE = Ignore()
Answer = Row | Ignore | Refuse

_NO_FLIGHT = Refuse("no_flight", "there is no flight to command", "当前没有飞行任务")
_NOT_CONNECTED = Refuse("vehicle_not_heard", "no vehicle is heard on this link", "链路上没有收到无人机信号")
_BUSY = Refuse("flight_under_way", "the drone already has a flight", "无人机已有飞行任务")
_ON_GROUND = Refuse(
    "still_on_ground", "the drone is still on its pad; abort calls it off", "无人机仍在停机坪，可取消任务"
)
_NOT_HOLDING = Refuse("not_holding", "the flight is not holding", "飞行未处于悬停等待状态")
_LINE_OUT = Refuse(
    "line_out",
    "the line is out and the drone hovers already; return retracts it first",
    "吊绳已放出，无人机已在悬停；返航将先收绳",
)
_DESCENDING = Refuse("already_landing", "the drone is already landing", "无人机正在降落")
_NOT_OURS = Refuse(
    "control_elsewhere",
    "somebody else flies the drone; it is not commanded until control is given back",
    "无人机由他人操控，控制权归还前不发送指令",
)
_AUTOPILOT = Refuse(
    "autopilot_returning",
    "the autopilot's own return flies the drone; only landing is offered",
    "飞控正在自主返航，仅可指令降落",
)

_T = Trigger

_ENDINGS: dict[Trigger, Answer] = {
    _T.DISARMED_ON_PAD: Row(Phase.ENDED, (Effect.END,), safe_state=SafeState.ON_PAD),
    _T.DISARMED_AT_RALLY: Row(Phase.ENDED, (Effect.END,), safe_state=SafeState.LANDED_AT_RALLY),
    _T.DISARMED_ELSEWHERE: Row(Phase.ENDED, (Effect.END,), safe_state=SafeState.LANDED_ELSEWHERE),
    _T.ENDURANCE_EXCEEDED: Row(Phase.ENDED, (Effect.END,), safe_state=SafeState.LOST),
}

_CALLED_OFF = Row(Phase.ENDED, (Effect.END,), safe_state=SafeState.NEVER_LEFT_GROUND)
_NEVER_LEFT: dict[Trigger, Answer] = {
    _T.DISARMED_ON_PAD: _CALLED_OFF,
    _T.DISARMED_AT_RALLY: _CALLED_OFF,
    _T.DISARMED_ELSEWHERE: _CALLED_OFF,
    _T.ENDURANCE_EXCEEDED: Row(Phase.ENDED, (Effect.END,), safe_state=SafeState.LOST),
}

_DELIVERY_EVENTS = (
    _T.AT_DELIVERY,
    _T.SETTLED,
    _T.AED_AT_GROUND,
    _T.LOWERING_FAILED,
    _T.RELEASE_UNCONFIRMED,
    _T.CLEAR_TO_APPROACH,
    _T.LINE_IN,
    _T.RETRACTION_FAILED,
)
_START_EVENTS = (
    _T.CONNECTED,
    _T.LINK_LOST,
    _T.PREPARED,
    _T.PREPARATION_FAILED,
    _T.ARMED,
    _T.ARMING_FAILED,
    _T.TAKEOFF_FAILED,
    _T.AIRBORNE,
    _T.CLIMBED,
)
_CONTROL_EVENTS = (_T.CONTROL_TAKEN, _T.CONTROL_GIVEN_BACK, _T.AUTOPILOT_RETURNS, _T.AUTOPILOT_LANDS)
_SAFETY_EVENTS = (
    _T.SAFETY_HOLD,
    _T.SAFETY_RETURN,
    _T.SAFETY_DIVERT,
    _T.SAFETY_LAND,
    _T.SAFETY_TERMINATE,
)
_IN_AIR_EVENTS = (_T.WAY_HOME_STARTED, _T.FINAL_DESCENT, _T.RELEASE_CONFIRMED, _T.LOAD_LOST)


def _ignored(*triggers: Trigger) -> dict[Trigger, Answer]:
    return dict.fromkeys(triggers, IGNORE)


def _no_flight(fly: Answer) -> dict[Trigger, Answer]:
    """Phases without a flight refuse every command except perhaps FLY, and observe nothing."""
    return {
        **_ignored(*_START_EVENTS, *_DELIVERY_EVENTS, *_CONTROL_EVENTS, *_SAFETY_EVENTS, *_IN_AIR_EVENTS),
        **_ignored(*_ENDINGS),
        **dict.fromkeys(COMMAND_TRIGGERS, _NO_FLIGHT),
        _T.FLY: fly,
    }


def _on_pad(called_off: Row) -> dict[Trigger, Answer]:
    """Phases of a flight on its pad: anything that is not going on calls it off."""
    return {
        **_ignored(*_START_EVENTS, *_DELIVERY_EVENTS, *_CONTROL_EVENTS, *_IN_AIR_EVENTS),
        **_NEVER_LEFT,
        **dict.fromkeys(_SAFETY_EVENTS, called_off),
        **dict.fromkeys((_T.CONTROL_TAKEN, _T.AUTOPILOT_RETURNS, _T.AUTOPILOT_LANDS), called_off),
        _T.FLY: _BUSY,
        _T.ABORT: called_off,
        _T.RETURN: _ON_GROUND,
        _T.HOLD: _ON_GROUND,
        _T.CONTINUE: _NOT_HOLDING,
        _T.DIVERT: _ON_GROUND,
        _T.LAND_NOW: _ON_GROUND,
    }


_GO_BACK = Row(Phase.RETURNING, (Effect.FLY_BACK,))
_GIVE_UP_AND_GO_BACK = Row(Phase.RETURNING, (Effect.ANNOUNCE_FAILURE, Effect.FLY_BACK))
_TERMINATED = Row(Phase.LANDING_HERE, (Effect.TERMINATE,))


def _in_air(phase: Phase, *, hold_as: Phase | None = None) -> dict[Trigger, Answer]:
    """What holds in every phase in the air; each phase then overrides what is its own."""
    back = phase if hold_as is None else hold_as
    return {
        **_ignored(*_START_EVENTS, *_DELIVERY_EVENTS),
        **_ENDINGS,
        _T.FLY: _BUSY,
        _T.ABORT: _GIVE_UP_AND_GO_BACK,
        _T.RETURN: _GIVE_UP_AND_GO_BACK,
        _T.HOLD: Row(Phase.HOLDING, (Effect.STOP,), hold_as=back),
        _T.CONTINUE: _NOT_HOLDING,
        _T.DIVERT: Row(Phase.DIVERTING, (Effect.ANNOUNCE_FAILURE, Effect.FLY_TO_RALLY)),
        _T.LAND_NOW: Row(Phase.LANDING_HERE, (Effect.ANNOUNCE_FAILURE, Effect.LAND_HERE)),
        _T.SAFETY_HOLD: Row(Phase.HOLDING, (Effect.STOP,), hold_as=back),
        _T.SAFETY_RETURN: _GIVE_UP_AND_GO_BACK,
        _T.SAFETY_DIVERT: Row(Phase.DIVERTING, (Effect.ANNOUNCE_FAILURE, Effect.FLY_TO_RALLY)),
        _T.SAFETY_LAND: Row(Phase.LANDING_HERE, (Effect.ANNOUNCE_FAILURE, Effect.LAND_HERE)),
        _T.SAFETY_TERMINATE: _TERMINATED,
        _T.CONTROL_TAKEN: Row(Phase.HANDED_OVER, (Effect.STAND_BACK,), hold_as=back),
        _T.CONTROL_GIVEN_BACK: IGNORE,
        _T.AUTOPILOT_RETURNS: Row(Phase.AUTOPILOT_RETURN, (Effect.ANNOUNCE_FAILURE,)),
        _T.AUTOPILOT_LANDS: Row(Phase.LANDING_HERE, (Effect.ANNOUNCE_FAILURE,)),
        _T.WAY_HOME_STARTED: Row(Phase.INBOUND, (Effect.ANNOUNCE_FAILURE,)),
        _T.FINAL_DESCENT: Row(Phase.LANDING, (Effect.ANNOUNCE_FAILURE,)),
        _T.RELEASE_CONFIRMED: Row(phase, (Effect.ANNOUNCE_RELEASE,), aed=AedState.RELEASED),
        _T.LOAD_LOST: Row(phase, (Effect.ANNOUNCE_FAILURE,), aed=AedState.UNKNOWN),
    }


def _line_out(phase: Phase, broken_off: Row) -> dict[Trigger, Answer]:
    """With the line out the drone stays where it is until the line is in, whoever asks."""
    return {
        **_in_air(phase),
        _T.ABORT: broken_off,
        _T.RETURN: broken_off,
        _T.HOLD: _LINE_OUT,
        _T.CONTINUE: _NOT_HOLDING,
        _T.DIVERT: broken_off,
        _T.LAND_NOW: Row(
            Phase.LANDING_HERE, (Effect.ANNOUNCE_FAILURE, Effect.RETRACT_LINE, Effect.LAND_HERE)
        ),
        _T.SAFETY_HOLD: IGNORE,
        _T.SAFETY_RETURN: broken_off,
        _T.SAFETY_DIVERT: broken_off,
        _T.SAFETY_LAND: Row(
            Phase.LANDING_HERE, (Effect.ANNOUNCE_FAILURE, Effect.RETRACT_LINE, Effect.LAND_HERE)
        ),
        _T.CONTROL_TAKEN: Row(Phase.HANDED_OVER, (Effect.STAND_BACK,), hold_as=Phase.RECOVERING_LINE),
        # The loiter ran out, or the autopilot left by itself: the line comes up on the way.
        _T.WAY_HOME_STARTED: Row(Phase.INBOUND, (Effect.ANNOUNCE_FAILURE, Effect.RETRACT_LINE)),
        _T.FINAL_DESCENT: Row(Phase.LANDING, (Effect.ANNOUNCE_FAILURE, Effect.RETRACT_LINE)),
        _T.AUTOPILOT_RETURNS: Row(Phase.AUTOPILOT_RETURN, (Effect.ANNOUNCE_FAILURE, Effect.RETRACT_LINE)),
        _T.AUTOPILOT_LANDS: Row(Phase.LANDING_HERE, (Effect.ANNOUNCE_FAILURE, Effect.RETRACT_LINE)),
    }


_BREAK_OFF = Row(Phase.RECOVERING_LINE, (Effect.ANNOUNCE_FAILURE, Effect.RETRACT_LINE))
_ALREADY = {
    phase: Row(phase)
    for phase in (
        Phase.RETRACTING,
        Phase.RECOVERING_LINE,
        Phase.INBOUND,
        Phase.RETURNING,
        Phase.DIVERTING,
        Phase.AUTOPILOT_RETURN,
        Phase.HANDED_OVER,
        Phase.LANDING,
        Phase.LANDING_HERE,
        Phase.DISARMING,
    )
}
"""Accepted, and nothing changes: the flight already does what was asked, or somebody else flies it."""


def _descending(phase: Phase) -> dict[Trigger, Answer]:
    """Once a landing has begun only a stronger need changes it."""
    stay = _ALREADY[phase]
    return {
        **_in_air(phase),
        _T.ABORT: stay,
        _T.RETURN: stay,
        _T.HOLD: _DESCENDING,
        _T.DIVERT: _DESCENDING,
        _T.SAFETY_HOLD: IGNORE,
        _T.SAFETY_RETURN: IGNORE,
        _T.SAFETY_DIVERT: IGNORE,
        _T.WAY_HOME_STARTED: IGNORE,
        _T.FINAL_DESCENT: IGNORE,
    }


TABLE: dict[Phase, dict[Trigger, Answer]] = {
    Phase.DISCONNECTED: {
        **_no_flight(_NOT_CONNECTED),
        _T.CONNECTED: Row(Phase.STANDBY),
    },
    Phase.STANDBY: {
        **_no_flight(Row(Phase.PREPARING, (Effect.PREPARE,), aed=AedState.ON_BOARD)),
        _T.LINK_LOST: Row(Phase.DISCONNECTED),
    },
    Phase.ENDED: {
        **_no_flight(_BUSY),
        _T.CONNECTED: Row(Phase.STANDBY),
        _T.LINK_LOST: Row(Phase.DISCONNECTED),
    },
    Phase.PREPARING: {
        **_on_pad(_CALLED_OFF),
        **_ignored(*_NEVER_LEFT),
        _T.LINK_LOST: _CALLED_OFF,
        _T.PREPARED: Row(Phase.ARMING, (Effect.ARM,)),
        _T.PREPARATION_FAILED: _CALLED_OFF,
        _T.AUTOPILOT_LANDS: IGNORE,
        _T.AUTOPILOT_RETURNS: IGNORE,
        _T.CONTROL_TAKEN: IGNORE,
    },
    Phase.ARMING: {
        **_on_pad(Row(Phase.DISARMING, (Effect.DISARM,))),
        **_ignored(_T.DISARMED_ON_PAD, _T.DISARMED_AT_RALLY, _T.DISARMED_ELSEWHERE),
        _T.ARMED: Row(Phase.ARMED, (Effect.START_MISSION,)),
        _T.ARMING_FAILED: Row(Phase.DISARMING, (Effect.DISARM,)),
    },
    Phase.ARMED: {
        **_on_pad(Row(Phase.DISARMING, (Effect.DISARM,))),
        _T.AIRBORNE: Row(Phase.CLIMBING),
        _T.TAKEOFF_FAILED: Row(Phase.DISARMING, (Effect.DISARM,)),
    },
    Phase.DISARMING: {
        **_on_pad(_ALREADY[Phase.DISARMING]),
        **dict.fromkeys(_SAFETY_EVENTS, IGNORE),
        **_ignored(*_CONTROL_EVENTS),
        # The take-off overtook the abort: come straight down again.
        _T.AIRBORNE: Row(Phase.LANDING, (Effect.LAND_ON_PAD,)),
    },
    Phase.CLIMBING: {
        **_in_air(Phase.CLIMBING, hold_as=Phase.OUTBOUND),
        _T.CLIMBED: Row(Phase.OUTBOUND),
        _T.ABORT: Row(Phase.LANDING, (Effect.ANNOUNCE_FAILURE, Effect.LAND_ON_PAD)),
        _T.RETURN: Row(Phase.LANDING, (Effect.ANNOUNCE_FAILURE, Effect.LAND_ON_PAD)),
        _T.SAFETY_RETURN: Row(Phase.LANDING, (Effect.ANNOUNCE_FAILURE, Effect.LAND_ON_PAD)),
        _T.DIVERT: Row(Phase.LANDING, (Effect.ANNOUNCE_FAILURE, Effect.LAND_ON_PAD)),
        _T.SAFETY_DIVERT: Row(Phase.LANDING, (Effect.ANNOUNCE_FAILURE, Effect.LAND_ON_PAD)),
        _T.LOAD_LOST: Row(Phase.LANDING, (Effect.ANNOUNCE_FAILURE, Effect.LAND_ON_PAD), aed=AedState.UNKNOWN),
    },
    Phase.OUTBOUND: {
        **_in_air(Phase.OUTBOUND),
        _T.AT_DELIVERY: Row(Phase.HOVERING, (Effect.SETTLE,)),
        _T.LOAD_LOST: Row(Phase.RETURNING, (Effect.ANNOUNCE_FAILURE, Effect.FLY_BACK), aed=AedState.UNKNOWN),
    },
    Phase.HOVERING: {
        **_in_air(Phase.HOVERING, hold_as=Phase.OUTBOUND),
        _T.SETTLED: Row(Phase.LOWERING, (Effect.LOWER_AED,)),
        _T.LOAD_LOST: Row(Phase.RETURNING, (Effect.ANNOUNCE_FAILURE, Effect.FLY_BACK), aed=AedState.UNKNOWN),
    },
    Phase.LOWERING: {
        **_line_out(Phase.LOWERING, _BREAK_OFF),
        _T.AED_AT_GROUND: Row(Phase.RELEASING, (Effect.RELEASE_AED,), aed=AedState.UNKNOWN),
        _T.LOWERING_FAILED: _BREAK_OFF,
        _T.LOAD_LOST: replace(_BREAK_OFF, aed=AedState.UNKNOWN),
    },
    Phase.RELEASING: {
        **_line_out(Phase.RELEASING, _BREAK_OFF),
        _T.RELEASE_CONFIRMED: Row(
            Phase.RETRACTING, (Effect.ANNOUNCE_RELEASE, Effect.RETRACT_LINE), aed=AedState.RELEASED
        ),
        _T.RELEASE_UNCONFIRMED: _BREAK_OFF,
        _T.LOAD_LOST: IGNORE,
    },
    Phase.RETRACTING: {
        **_line_out(Phase.RETRACTING, _ALREADY[Phase.RETRACTING]),
        _T.CLEAR_TO_APPROACH: Row(Phase.RETRACTING, (Effect.ANNOUNCE_SAFE_TO_APPROACH,)),
        _T.LINE_IN: Row(Phase.INBOUND, (Effect.FLY_HOME,)),
        # A line that hangs at cruise height crosses nothing; a drone that lands among the people
        # who fetch the AED does.
        _T.RETRACTION_FAILED: Row(Phase.INBOUND, (Effect.FLY_HOME,)),
        _T.WAY_HOME_STARTED: Row(Phase.INBOUND, (Effect.RETRACT_LINE,)),
        _T.CONTROL_TAKEN: Row(Phase.HANDED_OVER, (Effect.STAND_BACK,), hold_as=Phase.RETRACTING),
        _T.RELEASE_CONFIRMED: IGNORE,
        _T.LOAD_LOST: IGNORE,
    },
    Phase.RECOVERING_LINE: {
        **_line_out(Phase.RECOVERING_LINE, _ALREADY[Phase.RECOVERING_LINE]),
        _T.LINE_IN: _GO_BACK,
        _T.RETRACTION_FAILED: _GO_BACK,
        _T.RELEASE_CONFIRMED: Row(Phase.RETRACTING, (Effect.ANNOUNCE_RELEASE,), aed=AedState.RELEASED),
    },
    Phase.INBOUND: {
        **_in_air(Phase.INBOUND),
        _T.ABORT: _ALREADY[Phase.INBOUND],
        _T.RETURN: _ALREADY[Phase.INBOUND],
        _T.SAFETY_RETURN: IGNORE,
        _T.WAY_HOME_STARTED: IGNORE,
        _T.FINAL_DESCENT: Row(Phase.LANDING),
        _T.CLEAR_TO_APPROACH: Row(Phase.INBOUND, (Effect.ANNOUNCE_SAFE_TO_APPROACH,)),
    },
    Phase.RETURNING: {
        **_in_air(Phase.RETURNING),
        _T.ABORT: _ALREADY[Phase.RETURNING],
        _T.RETURN: _ALREADY[Phase.RETURNING],
        _T.SAFETY_RETURN: IGNORE,
        _T.WAY_HOME_STARTED: IGNORE,
        _T.FINAL_DESCENT: Row(Phase.LANDING),
        _T.CLEAR_TO_APPROACH: Row(Phase.RETURNING, (Effect.ANNOUNCE_SAFE_TO_APPROACH,)),
    },
    Phase.HOLDING: {
        **_in_air(Phase.HOLDING),
        _T.HOLD: Row(Phase.HOLDING),
        _T.SAFETY_HOLD: IGNORE,
        _T.CONTINUE: Row(HELD, (Effect.RESUME,)),
        # The pilot's AUTO in the middle of a hold means what CONTINUE means.
        _T.CONTROL_GIVEN_BACK: Row(HELD),
        _T.CONTROL_TAKEN: Row(Phase.HANDED_OVER, (Effect.STAND_BACK,)),
        _T.WAY_HOME_STARTED: IGNORE,
        _T.FINAL_DESCENT: IGNORE,
    },
    Phase.DIVERTING: {
        **_in_air(Phase.DIVERTING),
        _T.ABORT: _ALREADY[Phase.DIVERTING],
        _T.DIVERT: _ALREADY[Phase.DIVERTING],
        _T.SAFETY_RETURN: IGNORE,
        _T.SAFETY_DIVERT: IGNORE,
        _T.AUTOPILOT_RETURNS: IGNORE,
        _T.AUTOPILOT_LANDS: IGNORE,
        _T.WAY_HOME_STARTED: IGNORE,
        _T.FINAL_DESCENT: Row(Phase.LANDING),
    },
    Phase.AUTOPILOT_RETURN: {
        **_in_air(Phase.AUTOPILOT_RETURN),
        _T.ABORT: _ALREADY[Phase.AUTOPILOT_RETURN],
        _T.RETURN: _ALREADY[Phase.AUTOPILOT_RETURN],
        _T.HOLD: _AUTOPILOT,
        _T.DIVERT: _AUTOPILOT,
        _T.SAFETY_HOLD: IGNORE,
        _T.SAFETY_RETURN: IGNORE,
        _T.SAFETY_DIVERT: IGNORE,
        _T.AUTOPILOT_RETURNS: IGNORE,
        _T.CONTROL_GIVEN_BACK: Row(Phase.RETURNING, (Effect.FLY_BACK,)),
        _T.WAY_HOME_STARTED: IGNORE,
        _T.FINAL_DESCENT: Row(Phase.LANDING),
    },
    Phase.HANDED_OVER: {
        **_in_air(Phase.HANDED_OVER),
        _T.ABORT: Row(Phase.HANDED_OVER, (Effect.ANNOUNCE_FAILURE,), hold_as=Phase.RETURNING),
        _T.RETURN: _NOT_OURS,
        _T.HOLD: _NOT_OURS,
        _T.CONTINUE: _NOT_OURS,
        _T.DIVERT: _NOT_OURS,
        _T.LAND_NOW: _NOT_OURS,
        _T.SAFETY_HOLD: IGNORE,
        _T.SAFETY_RETURN: IGNORE,
        _T.SAFETY_DIVERT: IGNORE,
        _T.SAFETY_LAND: IGNORE,
        _T.SAFETY_TERMINATE: IGNORE,
        _T.CONTROL_TAKEN: IGNORE,
        _T.CONTROL_GIVEN_BACK: Row(HELD, (Effect.RESUME,)),
        _T.WAY_HOME_STARTED: IGNORE,
        _T.FINAL_DESCENT: IGNORE,
    },
    Phase.LANDING: {
        **_descending(Phase.LANDING),
        _T.CLEAR_TO_APPROACH: Row(Phase.LANDING, (Effect.ANNOUNCE_SAFE_TO_APPROACH,)),
        _T.CONTROL_TAKEN: Row(Phase.HANDED_OVER, (Effect.STAND_BACK,), hold_as=Phase.LANDING),
        # Descending over its pad under the autopilot's own LAND or RTL is what was wanted.
        _T.AUTOPILOT_LANDS: IGNORE,
        _T.AUTOPILOT_RETURNS: IGNORE,
    },
    Phase.LANDING_HERE: {
        **_descending(Phase.LANDING_HERE),
        _T.LAND_NOW: _ALREADY[Phase.LANDING_HERE],
        _T.SAFETY_LAND: IGNORE,
        _T.AUTOPILOT_LANDS: IGNORE,
        _T.AUTOPILOT_RETURNS: Row(Phase.AUTOPILOT_RETURN),
    },
}


@dataclass(frozen=True, slots=True)
class State:
    """Everything the machine remembers about a flight.

    ``held``: where CONTINUE leads while HOLDING or HANDED_OVER. ``since``: when the phase began.
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
        return self.answer if isinstance(self.answer, Refuse) else None


def advance(state: State, trigger: Trigger, now: datetime) -> Step:
    """Apply one trigger. Pure: the same arguments always give the same step.

    A failure is announced once a flight, and never after the release was confirmed.
    """
    answer = TABLE[state.phase][trigger]
    if not isinstance(answer, Row):
        return Step(state, (), answer)
    if isinstance(answer.target, Phase):
        target = answer.target
        held = answer.hold_as
        if held is None and target in (Phase.HOLDING, Phase.HANDED_OVER):
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
    Phase.ARMED: (Effect.START_MISSION,),
    Phase.LOWERING: (Effect.LOWER_AED,),
    Phase.RELEASING: (Effect.RELEASE_AED,),
    Phase.RETRACTING: (Effect.RETRACT_LINE,),
    Phase.RECOVERING_LINE: (Effect.RETRACT_LINE,),
    Phase.INBOUND: (Effect.FLY_HOME,),
    Phase.RETURNING: (Effect.FLY_BACK,),
    Phase.DIVERTING: (Effect.FLY_TO_RALLY,),
    Phase.LANDING_HERE: (Effect.LAND_HERE,),
    Phase.DISARMING: (Effect.DISARM,),
}
"""What a restarted controller takes up again in the phase that its journal names. All of it looks at the
vehicle first or may be repeated; phases that are not named only watch. ARMING is not taken up: a
controller that died while arming calls the flight off."""
