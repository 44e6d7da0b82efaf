"""The whole life of a flight as one table: phase × event → answer. Every pair is declared."""

from __future__ import annotations

from dataclasses import replace

from flight.model import answers as a
from flight.model.answers import HELD, IGNORE, Answer, Row
from flight.model.phase_rows import (
    BREAK_OFF,
    CLOSED_BY_HAND,
    CONTROL_EVENTS,
    GO_BACK,
    SAFETY_EVENTS,
    TO_RALLY,
    beside_its_aed,
    descending,
    disarmed_on_pad,
    ignored,
    in_air,
    line_out,
    no_flight,
    on_pad,
    standing,
)
from flight.model.words import AedState, Effect, Phase, SafeState
from flight.model.words import Trigger as T

_LAND_ON_PAD = Row(Phase.LANDING, (Effect.ANNOUNCE_FAILURE, Effect.LAND_ON_PAD))
_LOST_ON_THE_WAY = Row(Phase.RETURNING, (Effect.ANNOUNCE_FAILURE, Effect.FLY_BACK), aed=AedState.UNKNOWN)
_FOUND = Row(Phase.UNCLAIMED, aed=AedState.UNKNOWN)


def _already(phase: Phase) -> Row:
    """Accepted, and nothing changes: the flight already does what was asked, or somebody else flies it."""
    return Row(phase)


_GROUND: dict[Phase, dict[T, Answer]] = {
    Phase.DISCONNECTED: {
        **no_flight(a.NOT_CONNECTED),
        T.CONNECTED: Row(Phase.STANDBY),
        T.FOUND_AIRBORNE: _FOUND,
    },
    Phase.STANDBY: {
        **no_flight(Row(Phase.PREPARING, (Effect.PREPARE,), aed=AedState.ON_BOARD)),
        T.LINK_LOST: Row(Phase.DISCONNECTED),
        T.FOUND_AIRBORNE: _FOUND,
    },
    Phase.ENDED: {
        **no_flight(a.BUSY),
        T.CONNECTED: Row(Phase.STANDBY),
        T.LINK_LOST: Row(Phase.DISCONNECTED),
    },
    Phase.PREPARING: {
        **disarmed_on_pad(),
        T.PREPARED: Row(Phase.ARMING, (Effect.ARM,)),
        T.PREPARED_EARLY: Row(Phase.WAITING, (Effect.AWAIT_DEPARTURE,)),
    },
    Phase.WAITING: {
        **disarmed_on_pad(),
        T.DEPARTURE_DUE: Row(Phase.ARMING, (Effect.ARM,)),
    },
    Phase.ARMING: {
        **on_pad(Row(Phase.DISARMING, (Effect.DISARM,))),
        **ignored(T.DISARMED_ON_PAD, T.DISARMED_AT_RALLY, T.DISARMED_ELSEWHERE),
        T.ARMED: Row(Phase.ARMED, (Effect.START_MISSION,)),
        T.ARMING_FAILED: Row(Phase.DISARMING, (Effect.DISARM,)),
    },
    Phase.ARMED: {
        **on_pad(Row(Phase.DISARMING, (Effect.DISARM,))),
        T.AIRBORNE: Row(Phase.CLIMBING),
        T.TAKEOFF_FAILED: Row(Phase.DISARMING, (Effect.DISARM,)),
    },
    Phase.DISARMING: {
        **on_pad(_already(Phase.DISARMING)),
        **ignored(*SAFETY_EVENTS, *CONTROL_EVENTS),
        # The take-off overtook the abort: come straight down again.
        T.AIRBORNE: Row(Phase.LANDING, (Effect.LAND_ON_PAD,)),
    },
}

_WAY_OUT: dict[Phase, dict[T, Answer]] = {
    Phase.CLIMBING: {
        **in_air(Phase.CLIMBING, hold_as=Phase.OUTBOUND),
        T.CLIMBED: Row(Phase.OUTBOUND),
        **dict.fromkeys((T.ABORT, T.RETURN, T.DIVERT, T.SAFETY_RETURN, T.SAFETY_DIVERT), _LAND_ON_PAD),
        T.LOAD_LOST: replace(_LAND_ON_PAD, aed=AedState.UNKNOWN),
    },
    Phase.OUTBOUND: {
        **in_air(Phase.OUTBOUND),
        T.AT_DELIVERY: Row(Phase.HOVERING, (Effect.SETTLE,)),
        T.LOAD_LOST: _LOST_ON_THE_WAY,
    },
    Phase.HOVERING: {
        **in_air(Phase.HOVERING, hold_as=Phase.OUTBOUND),
        T.SETTLED: Row(Phase.LOWERING, (Effect.LOWER_AED,)),
        T.SETTLED_TO_LAND: Row(Phase.TOUCHING_DOWN, (Effect.TOUCH_DOWN,)),
        T.LOAD_LOST: _LOST_ON_THE_WAY,
    },
}

_DELIVERY: dict[Phase, dict[T, Answer]] = {
    Phase.LOWERING: {
        **line_out(Phase.LOWERING, BREAK_OFF),
        T.AED_AT_GROUND: Row(Phase.RELEASING, (Effect.RELEASE_AED,), aed=AedState.UNKNOWN),
        T.LOWERING_FAILED: BREAK_OFF,
        T.LOAD_LOST: replace(BREAK_OFF, aed=AedState.UNKNOWN),
    },
    Phase.RELEASING: {
        **line_out(Phase.RELEASING, BREAK_OFF),
        T.RELEASE_CONFIRMED: Row(
            Phase.RETRACTING, (Effect.ANNOUNCE_RELEASE, Effect.RETRACT_LINE), aed=AedState.RELEASED
        ),
        T.RELEASE_UNCONFIRMED: BREAK_OFF,
        T.LOAD_LOST: IGNORE,
    },
    Phase.RETRACTING: {
        **line_out(Phase.RETRACTING, _already(Phase.RETRACTING)),
        T.LINE_IN: Row(Phase.INBOUND, (Effect.FLY_HOME,)),
        # A line that hangs at cruise height crosses nothing; a drone that lands among the people
        # who fetch the AED does.
        T.RETRACTION_FAILED: Row(Phase.INBOUND, (Effect.FLY_HOME,)),
        T.WAY_HOME_STARTED: Row(Phase.INBOUND, (Effect.RETRACT_LINE,)),
        T.CONTROL_TAKEN: Row(Phase.HANDED_OVER, (Effect.STAND_BACK,), hold_as=Phase.RETRACTING),
        T.RELEASE_CONFIRMED: IGNORE,
        T.LOAD_LOST: IGNORE,
    },
    Phase.RECOVERING_LINE: {
        **line_out(Phase.RECOVERING_LINE, _already(Phase.RECOVERING_LINE)),
        T.LINE_IN: GO_BACK,
        T.RETRACTION_FAILED: GO_BACK,
        T.RELEASE_CONFIRMED: Row(Phase.RETRACTING, (Effect.ANNOUNCE_RELEASE,), aed=AedState.RELEASED),
    },
}

_UNLOADED = Row(
    Phase.ENDED,
    (Effect.ANNOUNCE_RELEASE, Effect.ANNOUNCE_SAFE_TO_APPROACH, Effect.END),
    aed=AedState.RELEASED,
    safe_state=SafeState.DELIVERED_ON_GROUND,
)
_NOT_UNLOADED = Row(
    Phase.ENDED,
    (Effect.ANNOUNCE_FAILURE, Effect.END),
    aed=AedState.UNKNOWN,
    safe_state=SafeState.LANDED_ELSEWHERE,
)

_TOUCHDOWN: dict[Phase, dict[T, Answer]] = {
    Phase.TOUCHING_DOWN: {
        # Continued after a hold it climbs to its hover again, settles again, and comes down anew.
        **in_air(Phase.TOUCHING_DOWN, hold_as=Phase.OUTBOUND),
        T.DOWN_AT_DELIVERY: Row(Phase.UNLOADING, (Effect.UNLOAD,)),
        T.LAND_NOW: _already(Phase.TOUCHING_DOWN),
        T.REROUTE: a.DESCENDING,
        # Only for one that stands on the landing point and has not noticed: motors off is what was wanted.
        T.SAFETY_TERMINATE: Row(Phase.TOUCHING_DOWN, (Effect.TERMINATE,)),
        T.LOAD_LOST: _LOST_ON_THE_WAY,
        # The hover ended before the landing began; our command may still be on its way.
        T.WAY_HOME_STARTED: Row(Phase.INBOUND, (Effect.ANNOUNCE_FAILURE, Effect.FLY_HOME)),
        **ignored(T.AUTOPILOT_LANDS, T.FINAL_DESCENT, T.SAFETY_LAND),
        # By landing nobody is called before the motors stand and the hook is open.
        T.CLEAR_TO_APPROACH: IGNORE,
    },
    Phase.UNLOADING: {
        **on_pad(_already(Phase.UNLOADING)),
        **ignored(*SAFETY_EVENTS, *CONTROL_EVENTS),
        **ignored(T.DISARMED_ON_PAD, T.DISARMED_AT_RALLY, T.DISARMED_ELSEWHERE),
        **dict.fromkeys((T.RETURN, T.HOLD, T.CONTINUE, T.DIVERT, T.LAND_NOW, T.REROUTE), a.UNLOADING),
        T.CLOSE: CLOSED_BY_HAND,
        T.RELEASE_CONFIRMED: _UNLOADED,
        T.RELEASE_UNCONFIRMED: _NOT_UNLOADED,
        # We start nothing here: whoever took off flies it.
        T.CONTROL_TAKEN: Row(
            Phase.HANDED_OVER, (Effect.ANNOUNCE_FAILURE, Effect.STAND_BACK), hold_as=Phase.RETURNING
        ),
    },
}


def _homeward(phase: Phase) -> dict[T, Answer]:
    """On a planned way home: what asks for it is answered already."""
    return {
        **in_air(phase),
        T.ABORT: _already(phase),
        T.RETURN: _already(phase),
        **ignored(T.SAFETY_RETURN, T.WAY_HOME_STARTED),
        T.FINAL_DESCENT: Row(Phase.LANDING),
    }


_WAY_HOME: dict[Phase, dict[T, Answer]] = {
    Phase.INBOUND: _homeward(Phase.INBOUND),
    Phase.RETURNING: _homeward(Phase.RETURNING),
    Phase.LANDING: {
        **descending(Phase.LANDING),
        **beside_its_aed(),
        # Descending over its pad under the autopilot's own LAND or RTL is what was wanted.
        **ignored(T.AUTOPILOT_LANDS, T.AUTOPILOT_RETURNS),
    },
    Phase.LANDING_HERE: {
        **descending(Phase.LANDING_HERE),
        **beside_its_aed(),
        T.LAND_NOW: _already(Phase.LANDING_HERE),
        **ignored(T.SAFETY_LAND, T.AUTOPILOT_LANDS),
        T.AUTOPILOT_RETURNS: Row(Phase.AUTOPILOT_RETURN),
    },
}

_STANDING: dict[Phase, dict[T, Answer]] = {
    Phase.HOLDING: {
        **standing(Phase.HOLDING),
        T.HOLD: _already(Phase.HOLDING),
        T.CONTINUE: Row(HELD, (Effect.RESUME,)),
        # The pilot's AUTO in the middle of a hold means what CONTINUE means.
        T.CONTROL_GIVEN_BACK: Row(HELD),
        # Another drone is asked for; this one stands as it was told, and from here leads home.
        T.HELD_TOO_LONG: Row(Phase.HOLDING, (Effect.ANNOUNCE_FAILURE,), hold_as=Phase.RETURNING),
    },
    Phase.STANDING_OFF: {
        **standing(Phase.STANDING_OFF),
        # From now on a person says when it goes on.
        T.HOLD: Row(Phase.HOLDING, (Effect.STOP,)),
        # The desk lets it through only where a person can judge that the cause is gone.
        T.CONTINUE: Row(HELD, (Effect.RESUME,)),
        T.CAUSE_GONE: Row(HELD, (Effect.RESUME,)),
        T.CONTROL_GIVEN_BACK: Row(HELD),
    },
    Phase.REROUTING: {
        **standing(Phase.REROUTING),
        T.ABORT: Row(Phase.REROUTING, (Effect.ANNOUNCE_FAILURE,)),
        T.RETURN: a.REPLACING,
        T.HOLD: a.REPLACING,
        T.REROUTE: a.REPLACING,
        # What is on board may be half written: only the autopilot's own return is left of going home.
        T.SAFETY_RETURN: TO_RALLY,
        T.CONTROL_TAKEN: Row(Phase.HANDED_OVER, (Effect.STAND_BACK,), hold_as=Phase.REROUTING),
        T.REROUTED: Row(Phase.OUTBOUND),
        T.REROUTED_HOME: Row(Phase.RETURNING, (Effect.ANNOUNCE_FAILURE,)),
        T.MISSION_RESTORED: Row(Phase.RETURNING, (Effect.ANNOUNCE_FAILURE, Effect.FLY_BACK)),
        T.REROUTE_FAILED: TO_RALLY,
    },
}

_ELSEWHERE: dict[Phase, dict[T, Answer]] = {
    Phase.DIVERTING: {
        **in_air(Phase.DIVERTING),
        T.ABORT: _already(Phase.DIVERTING),
        T.DIVERT: _already(Phase.DIVERTING),
        **ignored(T.SAFETY_RETURN, T.SAFETY_DIVERT, T.AUTOPILOT_RETURNS, T.AUTOPILOT_LANDS),
        T.WAY_HOME_STARTED: IGNORE,
        T.FINAL_DESCENT: Row(Phase.LANDING),
    },
    Phase.AUTOPILOT_RETURN: {
        **in_air(Phase.AUTOPILOT_RETURN),
        T.ABORT: _already(Phase.AUTOPILOT_RETURN),
        T.RETURN: _already(Phase.AUTOPILOT_RETURN),
        **dict.fromkeys((T.HOLD, T.DIVERT, T.REROUTE), a.AUTOPILOT),
        **ignored(T.SAFETY_HOLD, T.SAFETY_RETURN, T.SAFETY_DIVERT, T.AUTOPILOT_RETURNS),
        T.CONTROL_GIVEN_BACK: Row(Phase.RETURNING, (Effect.FLY_BACK,)),
        T.WAY_HOME_STARTED: IGNORE,
        T.FINAL_DESCENT: Row(Phase.LANDING),
    },
    Phase.HANDED_OVER: {
        **in_air(Phase.HANDED_OVER),
        **beside_its_aed(),
        T.ABORT: Row(Phase.HANDED_OVER, (Effect.ANNOUNCE_FAILURE,), hold_as=Phase.RETURNING),
        **dict.fromkeys((T.RETURN, T.HOLD, T.CONTINUE, T.DIVERT, T.LAND_NOW, T.REROUTE), a.NOT_OURS),
        **ignored(*SAFETY_EVENTS, T.CONTROL_TAKEN, T.WAY_HOME_STARTED, T.FINAL_DESCENT),
        T.CONTROL_GIVEN_BACK: Row(HELD, (Effect.RESUME,)),
        # Another drone is asked for; this one comes home when it is given back.
        T.NOT_GIVEN_BACK: Row(Phase.HANDED_OVER, (Effect.ANNOUNCE_FAILURE,), hold_as=Phase.RETURNING),
    },
    Phase.UNCLAIMED: {
        **in_air(Phase.UNCLAIMED),
        T.ABORT: _already(Phase.UNCLAIMED),
        T.RETURN: a.NO_PLAN,
        T.REROUTE: a.NO_PLAN,
        T.HOLD: Row(Phase.UNCLAIMED, (Effect.STOP,)),
        T.CONTINUE: Row(Phase.UNCLAIMED, (Effect.RESUME,)),
        T.DIVERT: Row(Phase.UNCLAIMED, (Effect.FLY_TO_RALLY,)),
        T.LAND_NOW: Row(Phase.UNCLAIMED, (Effect.LAND_HERE,)),
        **ignored(*SAFETY_EVENTS, *CONTROL_EVENTS, T.WAY_HOME_STARTED, T.FINAL_DESCENT),
        **ignored(T.RELEASE_CONFIRMED, T.LOAD_LOST, T.CLEAR_TO_APPROACH),
    },
}

TABLE: dict[Phase, dict[T, Answer]] = {
    **_GROUND,
    **_WAY_OUT,
    **_DELIVERY,
    **_TOUCHDOWN,
    **_WAY_HOME,
    **_STANDING,
    **_ELSEWHERE,
}
