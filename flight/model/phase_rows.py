"""What whole groups of phases have in common; :mod:`flight.model.phase_table` says what is each phase's own."""

from __future__ import annotations

from dataclasses import replace

from flight.model import answers as a
from flight.model.answers import IGNORE, Answer, Row
from flight.model.words import COMMAND_TRIGGERS, AedState, Effect, Phase, SafeState
from flight.model.words import Trigger as T

ENDINGS: dict[T, Answer] = {
    T.DISARMED_ON_PAD: Row(Phase.ENDED, (Effect.END,), safe_state=SafeState.ON_PAD),
    T.DISARMED_AT_RALLY: Row(Phase.ENDED, (Effect.END,), safe_state=SafeState.LANDED_AT_RALLY),
    T.DISARMED_ELSEWHERE: Row(Phase.ENDED, (Effect.END,), safe_state=SafeState.LANDED_ELSEWHERE),
    T.ENDURANCE_EXCEEDED: Row(Phase.ENDED, (Effect.END,), safe_state=SafeState.LOST),
}
CLOSED_BY_HAND = Row(Phase.ENDED, (Effect.END,), safe_state=SafeState.CLOSED_BY_HAND)
"""The desk lets it through only where the vehicle is not heard with turning motors."""

CALLED_OFF = Row(Phase.ENDED, (Effect.END,), safe_state=SafeState.NEVER_LEFT_GROUND)
NEVER_LEFT: dict[T, Answer] = {
    T.DISARMED_ON_PAD: CALLED_OFF,
    T.DISARMED_AT_RALLY: CALLED_OFF,
    T.DISARMED_ELSEWHERE: CALLED_OFF,
    T.ENDURANCE_EXCEEDED: Row(Phase.ENDED, (Effect.END,), safe_state=SafeState.LOST),
}

DELIVERY_EVENTS = (
    T.AT_DELIVERY,
    T.SETTLED,
    T.SETTLED_TO_LAND,
    T.DOWN_AT_DELIVERY,
    T.AED_AT_GROUND,
    T.LOWERING_FAILED,
    T.RELEASE_UNCONFIRMED,
    T.LINE_IN,
    T.RETRACTION_FAILED,
)
START_EVENTS = (
    T.CONNECTED,
    T.LINK_LOST,
    T.FOUND_AIRBORNE,
    T.PREPARED,
    T.PREPARED_EARLY,
    T.DEPARTURE_DUE,
    T.PREPARATION_FAILED,
    T.ARMED,
    T.ARMING_FAILED,
    T.TAKEOFF_FAILED,
    T.AIRBORNE,
    T.CLIMBED,
)
CONTROL_EVENTS = (
    T.CONTROL_TAKEN,
    T.CONTROL_GIVEN_BACK,
    T.NOT_GIVEN_BACK,
    T.HELD_TOO_LONG,
    T.AUTOPILOT_RETURNS,
    T.AUTOPILOT_LANDS,
)
SAFETY_EVENTS = (
    T.SAFETY_HOLD,
    T.SAFETY_RETURN,
    T.SAFETY_DIVERT,
    T.SAFETY_LAND,
    T.SAFETY_TERMINATE,
)
REROUTE_EVENTS = (T.REROUTED, T.REROUTED_HOME, T.MISSION_RESTORED, T.REROUTE_FAILED)
IN_AIR_EVENTS = (T.CAUSE_GONE, T.WAY_HOME_STARTED, T.FINAL_DESCENT, T.RELEASE_CONFIRMED, T.LOAD_LOST)

TO_RALLY = Row(Phase.DIVERTING, (Effect.ANNOUNCE_FAILURE, Effect.FLY_TO_RALLY))
LAND_HERE = Row(Phase.LANDING_HERE, (Effect.ANNOUNCE_FAILURE, Effect.LAND_HERE))
LAND_HERE_LINE_IN = Row(Phase.LANDING_HERE, (Effect.ANNOUNCE_FAILURE, Effect.RETRACT_LINE, Effect.LAND_HERE))
GO_BACK = Row(Phase.RETURNING, (Effect.FLY_BACK,))
GIVE_UP_AND_GO_BACK = Row(Phase.RETURNING, (Effect.ANNOUNCE_FAILURE, Effect.FLY_BACK))
BREAK_OFF = Row(Phase.RECOVERING_LINE, (Effect.ANNOUNCE_FAILURE, Effect.RETRACT_LINE))
TERMINATED = Row(Phase.LANDING_HERE, (Effect.ANNOUNCE_FAILURE, Effect.TERMINATE))


def ignored(*triggers: T) -> dict[T, Answer]:
    """Events that mean nothing here."""
    return dict.fromkeys(triggers, IGNORE)


def no_flight(fly: Answer) -> dict[T, Answer]:
    """Phases without a flight refuse every command except perhaps FLY, and observe nothing."""
    return {
        **ignored(*START_EVENTS, *DELIVERY_EVENTS, T.CLEAR_TO_APPROACH, *CONTROL_EVENTS, *SAFETY_EVENTS),
        **ignored(*REROUTE_EVENTS, *IN_AIR_EVENTS, *ENDINGS),
        **dict.fromkeys(COMMAND_TRIGGERS, a.NO_FLIGHT),
        T.FLY: fly,
    }


def on_pad(called_off: Row) -> dict[T, Answer]:
    """Phases of a flight on its pad: anything that is not going on calls it off."""
    return {
        **ignored(*START_EVENTS, *DELIVERY_EVENTS, T.CLEAR_TO_APPROACH),
        **ignored(*CONTROL_EVENTS, *REROUTE_EVENTS, *IN_AIR_EVENTS),
        **NEVER_LEFT,
        **dict.fromkeys(SAFETY_EVENTS, called_off),
        **dict.fromkeys((T.CONTROL_TAKEN, T.AUTOPILOT_RETURNS, T.AUTOPILOT_LANDS), called_off),
        **dict.fromkeys(COMMAND_TRIGGERS, a.ON_GROUND),
        T.FLY: a.BUSY,
        T.ABORT: called_off,
        T.CONTINUE: a.NOT_HOLDING,
    }


def disarmed_on_pad() -> dict[T, Answer]:
    """On the pad with motors that were not yet asked for: modes mean nothing, silence calls it off."""
    return {
        **on_pad(CALLED_OFF),
        **ignored(*NEVER_LEFT, *CONTROL_EVENTS),
        T.LINK_LOST: CALLED_OFF,
        T.PREPARATION_FAILED: CALLED_OFF,
    }


def in_air(phase: Phase, *, hold_as: Phase | None = None) -> dict[T, Answer]:
    """What holds in every phase in the air; each phase then overrides what is its own."""
    back = phase if hold_as is None else hold_as
    return {
        **ignored(*START_EVENTS, *DELIVERY_EVENTS, *REROUTE_EVENTS, T.CAUSE_GONE),
        **ENDINGS,
        T.FLY: a.BUSY,
        T.ABORT: GIVE_UP_AND_GO_BACK,
        T.RETURN: GIVE_UP_AND_GO_BACK,
        T.HOLD: Row(Phase.HOLDING, (Effect.STOP,), hold_as=back),
        T.CONTINUE: a.NOT_HOLDING,
        T.DIVERT: TO_RALLY,
        T.LAND_NOW: LAND_HERE,
        T.REROUTE: Row(Phase.REROUTING, (Effect.REPLACE_MISSION,), hold_as=back),
        T.CLOSE: CLOSED_BY_HAND,
        T.SAFETY_HOLD: Row(Phase.STANDING_OFF, (Effect.STOP,), hold_as=back),
        T.SAFETY_RETURN: GIVE_UP_AND_GO_BACK,
        T.SAFETY_DIVERT: TO_RALLY,
        T.SAFETY_LAND: LAND_HERE,
        T.SAFETY_TERMINATE: TERMINATED,
        T.CONTROL_TAKEN: Row(Phase.HANDED_OVER, (Effect.STAND_BACK,), hold_as=back),
        **ignored(T.CONTROL_GIVEN_BACK, T.NOT_GIVEN_BACK, T.HELD_TOO_LONG),
        T.AUTOPILOT_RETURNS: Row(Phase.AUTOPILOT_RETURN, (Effect.ANNOUNCE_FAILURE,)),
        T.AUTOPILOT_LANDS: Row(Phase.LANDING_HERE, (Effect.ANNOUNCE_FAILURE,)),
        T.WAY_HOME_STARTED: Row(Phase.INBOUND, (Effect.ANNOUNCE_FAILURE,)),
        T.FINAL_DESCENT: Row(Phase.LANDING, (Effect.ANNOUNCE_FAILURE,)),
        T.RELEASE_CONFIRMED: Row(phase, (Effect.ANNOUNCE_RELEASE,), aed=AedState.RELEASED),
        # Whoever flies it by now: somebody waits below for this word.
        T.CLEAR_TO_APPROACH: Row(phase, (Effect.ANNOUNCE_SAFE_TO_APPROACH,)),
        T.LOAD_LOST: Row(phase, (Effect.ANNOUNCE_FAILURE,), aed=AedState.UNKNOWN),
    }


def beside_its_aed() -> dict[T, Answer]:
    """Endings of phases that come down, perhaps beside a released AED: once the motors stand it may be fetched."""
    return {
        trigger: replace(ended, effects=(Effect.ANNOUNCE_SAFE_TO_APPROACH, Effect.END))
        for trigger, ended in ENDINGS.items()
        if trigger is not T.ENDURANCE_EXCEEDED and isinstance(ended, Row)
    }


def standing(phase: Phase) -> dict[T, Answer]:
    """Standing in the air on our command: sequence numbers and descents mean nothing."""
    return {
        **in_air(phase),
        **ignored(T.SAFETY_HOLD, T.WAY_HOME_STARTED, T.FINAL_DESCENT),
        # The phase that is held goes on being known: it is where the pilot's AUTO leads.
        T.CONTROL_TAKEN: Row(Phase.HANDED_OVER, (Effect.STAND_BACK,)),
        T.REROUTE: Row(Phase.REROUTING, (Effect.REPLACE_MISSION,)),
    }


def line_out(phase: Phase, broken_off: Row) -> dict[T, Answer]:
    """With the line out the drone stays where it is until the line is in, whoever asks."""
    return {
        **in_air(phase),
        T.ABORT: broken_off,
        T.RETURN: broken_off,
        T.HOLD: a.LINE_OUT,
        T.REROUTE: a.LINE_OUT,
        T.DIVERT: broken_off,
        T.LAND_NOW: LAND_HERE_LINE_IN,
        T.SAFETY_HOLD: IGNORE,
        T.SAFETY_RETURN: broken_off,
        T.SAFETY_DIVERT: broken_off,
        T.SAFETY_LAND: LAND_HERE_LINE_IN,
        T.CONTROL_TAKEN: Row(Phase.HANDED_OVER, (Effect.STAND_BACK,), hold_as=Phase.RECOVERING_LINE),
        # The loiter ran out, or the autopilot left by itself: the line comes up on the way.
        T.WAY_HOME_STARTED: Row(Phase.INBOUND, (Effect.ANNOUNCE_FAILURE, Effect.RETRACT_LINE)),
        T.FINAL_DESCENT: Row(Phase.LANDING, (Effect.ANNOUNCE_FAILURE, Effect.RETRACT_LINE)),
        T.AUTOPILOT_RETURNS: Row(Phase.AUTOPILOT_RETURN, (Effect.ANNOUNCE_FAILURE, Effect.RETRACT_LINE)),
        T.AUTOPILOT_LANDS: Row(Phase.LANDING_HERE, (Effect.ANNOUNCE_FAILURE, Effect.RETRACT_LINE)),
    }


def descending(phase: Phase) -> dict[T, Answer]:
    """Once a landing has begun only a stronger need changes it."""
    stay = Row(phase)
    return {
        **in_air(phase),
        T.ABORT: stay,
        T.RETURN: stay,
        T.HOLD: a.DESCENDING,
        T.DIVERT: a.DESCENDING,
        T.REROUTE: a.DESCENDING,
        **ignored(T.SAFETY_HOLD, T.SAFETY_RETURN, T.SAFETY_DIVERT, T.WAY_HOME_STARTED, T.FINAL_DESCENT),
    }
