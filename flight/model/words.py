"""The vocabulary of a flight: phases, endings, what can happen, what can be asked for."""

from __future__ import annotations

from enum import StrEnum


class Phase(StrEnum):
    """Where a vehicle is in its life. Each member says what is allowed there."""

    DISCONNECTED = "disconnected"
    """No vehicle is heard. Nothing is allowed; a flight cannot start."""
    STANDBY = "standby"
    """Heard, disarmed, no flight. Checks run continuously; a flight may be asked for."""
    PREPARING = "preparing"
    """Checking, uploading fence, rally points and mission, reading them back. On the ground, disarmed.
    Abort ends the flight here."""
    WAITING = "waiting"
    """Prepared, with everything on board, on the pad, disarmed: the moment to take off has not come.
    Abort ends the flight here; what makes a waiting drone unready calls the flight off."""
    ARMING = "arming"
    """The arm command is on its way; the motors stand or start. Abort disarms."""
    ARMED = "armed"
    """Motors turn on the pad, take-off is commanded. Abort disarms."""
    CLIMBING = "climbing"
    """In the air above the pad, on the way to the first height. Return lands straight down."""
    OUTBOUND = "outbound"
    """Flying the planned way with the AED. Hold, return, divert and landing are allowed."""
    HOVERING = "hovering"
    """At the delivery point, line in, AED on board: the position settles before anything is lowered."""
    LOWERING = "lowering"
    """Hovering at the delivery point with the AED going down on the line. The only phase in which a
    release may begin. A return retracts the line first."""
    RELEASING = "releasing"
    """AED at the ground, release commanded and not yet confirmed. Whether the AED is off is unknown."""
    RETRACTING = "retracting"
    """The vehicle confirmed the release; the empty line comes up. The way home follows by itself."""
    RECOVERING_LINE = "recovering_line"
    """The delivery is broken off with the line out: the line comes up, with or without the AED."""
    TOUCHING_DOWN = "touching_down"
    """Coming down on the landing point itself with the AED, on our command. Until the ground is reached a
    return climbs again; afterwards nothing starts the motors there."""
    UNLOADING = "unloading"
    """On the ground at the landing point. The motors are stopped first, then the AED is released, then people
    are told that they may come. Nothing takes off from here: the flight ends where it stands."""
    INBOUND = "inbound"
    """Flying the planned way home after the delivery part ended."""
    RETURNING = "returning"
    """Flying home early, along legs that the plan holds legal."""
    HOLDING = "holding"
    """Stopped in the air on command, line in. Continue, return, divert and landing are allowed."""
    STANDING_OFF = "standing_off"
    """Stopped in the air by a safety action, line in. Goes on by itself when every cause is gone, or with
    a new mission; goes home or lands when neither comes in time."""
    REROUTING = "rerouting"
    """Standing in the air while another mission is written, read back and set. Nothing that may be half
    written is ever flown."""
    DIVERTING = "diverting"
    """Flying to the nearest rally point to land there."""
    AUTOPILOT_RETURN = "autopilot_return"
    """The autopilot's own RTL flies the vehicle to a rally point or home (its failsafe, or a pilot
    chose it). We watch, and may take over only to land."""
    UNCLAIMED = "unclaimed"
    """In the air with a flight that this controller knows nothing of: its journal was lost. The vehicle
    flies what it has on board; we watch. Landing here, the autopilot's own return and holding are
    offered to people, and the flight can be closed by hand."""
    HANDED_OVER = "handed_over"
    """Somebody else changed the mode: a safety pilot or another station has control. We command nothing
    until control comes back."""
    LANDING = "landing"
    """Descending onto the pad or rally point that the plan named."""
    LANDING_HERE = "landing_here"
    """Descending where it is, because going on was worse."""
    DISARMING = "disarming"
    """The flight was called off with motors turning on the pad; waiting for them to stop."""
    ENDED = "ended"
    """The flight is over, in a named safe state. The next one starts from STANDBY."""


class SafeState(StrEnum):
    """How a flight ended. Each flight ends in exactly one of these."""

    NEVER_LEFT_GROUND = "never_left_ground"
    """Called off or failed before take-off."""
    ON_PAD = "on_pad"
    """Landed and disarmed on its own pad."""
    DELIVERED_ON_GROUND = "delivered_on_ground"
    """Landed at the landing point to deliver, disarmed, the AED released. It stays there: somebody fetches it."""
    LANDED_AT_RALLY = "landed_at_rally"
    """Landed and disarmed at a rally point of the plan."""
    LANDED_ELSEWHERE = "landed_elsewhere"
    """Disarmed at another place; the position is in the event. Somebody must go there."""
    LOST = "lost"
    """Not heard for longer than its battery can last; the last known position is in the event."""
    CLOSED_BY_HAND = "closed_by_hand"
    """A person said where the vehicle is and closed a flight that nobody else could close."""


class AedState(StrEnum):
    """What is known about the AED. RELEASED is only ever the vehicle's own word, never assumed."""

    ON_BOARD = "on_board"
    RELEASED = "released"
    UNKNOWN = "unknown"


GROUND_PHASES = frozenset(
    {
        Phase.DISCONNECTED,
        Phase.STANDBY,
        Phase.PREPARING,
        Phase.WAITING,
        Phase.ARMING,
        Phase.UNLOADING,
        Phase.ENDED,
    }
)
"""Phases in which the motors may stand."""

MOTORS_ON_PAD_PHASES = frozenset({Phase.ARMED, Phase.DISARMING})
"""Motors turn, the vehicle stands on its pad."""

AIRBORNE_PHASES = frozenset(Phase) - GROUND_PHASES - MOTORS_ON_PAD_PHASES
"""Phases of a vehicle in the air."""

STANDING_PHASES = frozenset({Phase.HOLDING, Phase.STANDING_OFF, Phase.REROUTING})
"""Phases in which the vehicle stands in the air on our command, line in."""

FLIGHT_PHASES = frozenset(Phase) - {Phase.DISCONNECTED, Phase.STANDBY, Phase.ENDED}
"""Phases in which a flight exists."""

LINE_OUT_PHASES = frozenset({Phase.LOWERING, Phase.RELEASING, Phase.RETRACTING, Phase.RECOVERING_LINE})
"""Phases in which the winch line hangs below the vehicle: no horizontal flight on our command."""


class Trigger(StrEnum):
    """What a phase can meet: commands, safety actions, and what the vehicle shows."""

    # Commands of people and of the hub.
    FLY = "fly"
    ABORT = "abort"
    RETURN = "return"
    HOLD = "hold"
    CONTINUE = "continue"
    DIVERT = "divert"
    LAND_NOW = "land_now"
    REROUTE = "reroute"
    CLOSE = "close"
    # What the failsafe table asks for.
    SAFETY_HOLD = "safety_hold"
    SAFETY_RETURN = "safety_return"
    SAFETY_DIVERT = "safety_divert"
    SAFETY_LAND = "safety_land"
    SAFETY_TERMINATE = "safety_terminate"
    CAUSE_GONE = "cause_gone"
    """Nothing asks for standing off any more."""
    # What the vehicle shows, or fails to show before its deadline.
    CONNECTED = "connected"
    LINK_LOST = "link_lost"
    FOUND_AIRBORNE = "found_airborne"
    """Armed and off the ground, and the journal knows no flight."""
    PREPARED = "prepared"
    PREPARED_EARLY = "prepared_early"
    """Prepared, and the moment to take off has not come."""
    DEPARTURE_DUE = "departure_due"
    PREPARATION_FAILED = "preparation_failed"
    ARMED = "armed"
    ARMING_FAILED = "arming_failed"
    TAKEOFF_FAILED = "takeoff_failed"
    AIRBORNE = "airborne"
    CLIMBED = "climbed"
    AT_DELIVERY = "at_delivery"
    SETTLED = "settled"
    SETTLED_TO_LAND = "settled_to_land"
    """Settled, and this plan delivers by landing."""
    DOWN_AT_DELIVERY = "down_at_delivery"
    """The vehicle says that it stands on the ground, after we had it come down on the landing point."""
    AED_AT_GROUND = "aed_at_ground"
    LOWERING_FAILED = "lowering_failed"
    RELEASE_CONFIRMED = "release_confirmed"
    RELEASE_UNCONFIRMED = "release_unconfirmed"
    LOAD_LOST = "load_lost"
    CLEAR_TO_APPROACH = "clear_to_approach"
    LINE_IN = "line_in"
    RETRACTION_FAILED = "retraction_failed"
    REROUTED = "rerouted"
    """The new mission is on board, read back, and flown; it still delivers."""
    REROUTED_HOME = "rerouted_home"
    """The new mission is on board, read back, and flown; it only goes home."""
    MISSION_RESTORED = "mission_restored"
    """The new mission could not be written; the old one is on board again, read back."""
    REROUTE_FAILED = "reroute_failed"
    """Neither mission is known to be whole on board."""
    WAY_HOME_STARTED = "way_home_started"
    FINAL_DESCENT = "final_descent"
    CONTROL_TAKEN = "control_taken"
    CONTROL_GIVEN_BACK = "control_given_back"
    NOT_GIVEN_BACK = "not_given_back"
    """Somebody else has flown it for so long that the patient is not left to wait for it."""
    HELD_TOO_LONG = "held_too_long"
    """A person has held it for so long that the patient is not left to wait for it."""
    AUTOPILOT_RETURNS = "autopilot_returns"
    AUTOPILOT_LANDS = "autopilot_lands"
    DISARMED_ON_PAD = "disarmed_on_pad"
    DISARMED_AT_RALLY = "disarmed_at_rally"
    DISARMED_ELSEWHERE = "disarmed_elsewhere"
    ENDURANCE_EXCEEDED = "endurance_exceeded"


COMMAND_TRIGGERS = frozenset(
    {
        Trigger.FLY,
        Trigger.ABORT,
        Trigger.RETURN,
        Trigger.HOLD,
        Trigger.CONTINUE,
        Trigger.DIVERT,
        Trigger.LAND_NOW,
        Trigger.REROUTE,
        Trigger.CLOSE,
    }
)
"""Triggers that somebody asked for: they are accepted or refused, never ignored."""


class Effect(StrEnum):
    """What a step asks the director to do. Imperative; whether it happened is seen later."""

    PREPARE = "prepare"
    """Check, upload fence, rally points and mission, read back, compare."""
    AWAIT_DEPARTURE = "await_departure"
    """Stand ready until the moment to take off, then look once more whether all is well."""
    ARM = "arm"
    START_MISSION = "start_mission"
    """Let the mission take off and fly."""
    SETTLE = "settle"
    """Wait until the hover is steady enough to lower."""
    LOWER_AED = "lower_aed"
    TOUCH_DOWN = "touch_down"
    """Come down on the landing point, if the vehicle still stands over it and time is left."""
    UNLOAD = "unload"
    """On the ground: motors off, seen off for a moment, then release."""
    RELEASE_AED = "release_aed"
    RETRACT_LINE = "retract_line"
    FLY_HOME = "fly_home"
    """Jump to the planned way home."""
    FLY_BACK = "fly_back"
    """Jump to the legal way home from where the vehicle is now (the plan's return table)."""
    STOP = "stop"
    """Hold the position."""
    RESUME = "resume"
    """Let the mission go on where it was."""
    REPLACE_MISSION = "replace_mission"
    """Hold, write the new mission, read it back, set its beginning, go on."""
    FLY_TO_RALLY = "fly_to_rally"
    LAND_HERE = "land_here"
    LAND_ON_PAD = "land_on_pad"
    """Straight down from above the pad."""
    DISARM = "disarm"
    TERMINATE = "terminate"
    """Stop the motors in the air. Nothing is stronger; nothing comes back from it."""
    STAND_BACK = "stand_back"
    """Send no more commands: somebody else flies."""
    ANNOUNCE_RELEASE = "announce_release"
    ANNOUNCE_SAFE_TO_APPROACH = "announce_safe_to_approach"
    ANNOUNCE_FAILURE = "announce_failure"
    """The AED of this flight will not reach the ground as planned."""
    END = "end"
