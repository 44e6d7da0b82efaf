"""What can be wrong with a flight, when it counts, and when it is over."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum


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
    """No 3-D fix."""
    GPS_GLITCH = "gps_glitch"
    """The position jumped further than the vehicle can fly in that time."""
    ESTIMATOR_FAILED = "estimator_failed"
    """The estimator has no absolute horizontal position, although satellites are seen."""
    BATTERY_LOW = "battery_low"
    """Only the reserve is left."""
    BATTERY_CRITICAL = "battery_critical"
    """Less than half the reserve is left, or the way home needs more than there is."""
    ENERGY_SHORT = "energy_short"
    """Charge below what the planned rest of the flight needs plus the reserve."""
    WIND_ABOVE_LIMIT = "wind_above_limit"
    """The wind that the vehicle measures in the air is above the airframe's limit."""
    WEATHER_UNFIT = "weather_unfit"
    """Rain, sight, temperature or a hazard at the drone's station is beyond what its airframe may fly in."""
    INTRUDER = "intruder"
    """Another aircraft is, or will soon be, nearer than a drone may let it come."""
    NO_PROGRESS = "no_progress"
    """On its way, and no nearer to the end of its leg for a while."""
    MISSION_LOST = "mission_lost"
    """The autopilot says that it holds no valid mission, while it flies ours."""
    DEVIATION = "deviation"
    """Farther from the planned leg, sideways or in height, than the corridor allows."""
    ZONE_AHEAD = "zone_ahead"
    """The rest of the way meets a zone that was closed after the plan was made."""
    ZONE_AROUND = "zone_around"
    """Inside such a zone; going on leaves it on the shorter way."""
    ZONE_TURN_BACK = "zone_turn_back"
    """Inside such a zone; turning back leaves it on the shorter way, or the delivery point lies in it."""
    NO_NEW_WAY = "no_new_way"
    """Standing off, and no legal way on was found, or none came in time."""
    AUTHORISATION_REVOKED = "authorisation_revoked"
    """An authorisation that the plan needs was taken back."""
    ORDER_CANCELLED = "order_cancelled"
    """The delivery was called off: by the centre, by an operator, or for a flight of higher priority."""
    PATIENT_MOVED = "patient_moved"
    """The patient is no longer where the plan takes the AED; a new plan is being made."""
    LANDING_POINT_OCCUPIED = "landing_point_occupied"
    """Somebody or something is under the place where the AED is to come down."""
    WINCH_JAM = "winch_jam"
    """The line did not go out as commanded."""
    RELEASE_NOT_CONFIRMED = "release_not_confirmed"
    """The release was commanded and the vehicle did not confirm it in time."""
    LINE_NOT_RETRACTED = "line_not_retracted"
    """The line did not come up in time."""
    MOTOR_TROUBLE = "motor_trouble"
    """Falling faster than any planned descent, tilted further than it is ever flown, or the autopilot
    reports lost thrust."""
    CRASHED = "crashed"
    """On the ground with turning motors in a phase that is flown in the air."""
    LANDING_OVERDUE = "landing_overdue"
    """A descent lasts longer than predicted and the allowance, and the motors turn."""
    GROUND_UNNOTICED = "ground_unnoticed"
    """The same, and the vehicle is at rest on the ground: it has not noticed that it is down."""
    HELD_LONG = "held_long"
    """A person has held the flight for a while, and its patient waits."""
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
    Fault.GPS_LOST: FaultRule(1.0, 3.0, "3-D fix for three seconds"),
    Fault.GPS_GLITCH: FaultRule(0.0, 5.0, "no further jump for ten seconds"),
    Fault.ESTIMATOR_FAILED: FaultRule(1.0, 3.0, "absolute position for three seconds"),
    Fault.BATTERY_LOW: FaultRule(3.0, 10.0, "charge above the reserve for ten seconds: a sag is over"),
    Fault.BATTERY_CRITICAL: FaultRule(3.0, 10.0, "charge above half the reserve for ten seconds"),
    Fault.ENERGY_SHORT: FaultRule(3.0, 10.0, "charge above the need for ten seconds"),
    Fault.WIND_ABOVE_LIMIT: FaultRule(10.0, 30.0, "measured wind below the limit for half a minute"),
    Fault.WEATHER_UNFIT: FaultRule(
        0.0, 0.0, "the hub says that the weather is fit again, or the flight ended"
    ),
    Fault.INTRUDER: FaultRule(0.0, 5.0, "it is past, or not heard any more, for five seconds"),
    Fault.NO_PROGRESS: FaultRule(0.0, 0.0, "nearer to the end of the leg, or another leg or phase"),
    Fault.MISSION_LOST: FaultRule(2.0, 1.0, "the autopilot says that it has a mission for a second"),
    Fault.DEVIATION: FaultRule(3.0, 3.0, "inside the corridor for three seconds"),
    Fault.ZONE_AHEAD: FaultRule(0.0, 1.0, "the rest of the way is free: zone opened, or another way flown"),
    Fault.ZONE_AROUND: FaultRule(0.0, 1.0, "outside the zone"),
    Fault.ZONE_TURN_BACK: FaultRule(0.0, 1.0, "outside the zone"),
    Fault.NO_NEW_WAY: FaultRule(0.0, 0.0, "another mission is flown, or it goes on as planned"),
    Fault.AUTHORISATION_REVOKED: FaultRule(0.0, 0.0, "a plan that does not need it is flown"),
    Fault.ORDER_CANCELLED: FaultRule(0.0, 0.0, "the flight ended"),
    Fault.PATIENT_MOVED: FaultRule(0.0, 0.0, "another plan is flown, or a person lets it go on as planned"),
    Fault.LANDING_POINT_OCCUPIED: FaultRule(
        0.0, 0.0, "reported free, a person lets it go on, or the plan is another one"
    ),
    Fault.WINCH_JAM: FaultRule(0.0, 0.0, "the line is in, or the flight ended"),
    Fault.RELEASE_NOT_CONFIRMED: FaultRule(0.0, 0.0, "the release is confirmed, or the flight ended"),
    Fault.LINE_NOT_RETRACTED: FaultRule(0.0, 0.0, "the line is in, or the flight ended"),
    Fault.MOTOR_TROUBLE: FaultRule(1.0, 10.0, "flying level and at planned rates for ten seconds"),
    Fault.CRASHED: FaultRule(3.0, 1.0, "in the air, or the motors stand"),
    Fault.LANDING_OVERDUE: FaultRule(0.0, 0.0, "the motors stand, or another phase"),
    Fault.GROUND_UNNOTICED: FaultRule(10.0, 1.0, "it moves, or the motors stand"),
    Fault.HELD_LONG: FaultRule(0.0, 0.0, "it goes on, or turns back"),
    Fault.CONTROL_TAKEN: FaultRule(0.0, 0.0, "the mode is the mission's again, or the flight ended"),
    Fault.AUTOPILOT_REBOOTED: FaultRule(0.0, 10.0, "ten seconds up"),
    Fault.FENCE_BREACHED: FaultRule(0.5, 2.0, "inside again for two seconds"),
}
"""Debounce and clear condition of every fault. Figures chosen; their reasons stand in ``clear_when``."""

LATCHED = frozenset(
    {
        Fault.WEATHER_UNFIT,
        Fault.NO_NEW_WAY,
        Fault.AUTHORISATION_REVOKED,
        Fault.ORDER_CANCELLED,
        Fault.PATIENT_MOVED,
        Fault.LANDING_POINT_OCCUPIED,
        Fault.WINCH_JAM,
        Fault.RELEASE_NOT_CONFIRMED,
        Fault.LINE_NOT_RETRACTED,
        Fault.CONTROL_TAKEN,
    }
)
"""Faults that are set by an event and not by a condition."""

CLEARED_BY_A_PERSON = frozenset({Fault.PATIENT_MOVED, Fault.LANDING_POINT_OCCUPIED})
"""ContinueFlight says that somebody looked and the plan still stands."""

CLEARED_BY_A_NEW_PLAN = frozenset(
    {
        Fault.ZONE_AHEAD,
        Fault.NO_NEW_WAY,
        Fault.PATIENT_MOVED,
        Fault.LANDING_POINT_OCCUPIED,
        Fault.AUTHORISATION_REVOKED,
    }
)
"""Facts about a plan: they end with it."""

NEEDS_A_NEW_PLAN = frozenset({Fault.ZONE_AHEAD, Fault.AUTHORISATION_REVOKED})
"""Standing off for these, the controller asks its own planner."""

ENERGY_FAULTS = frozenset({Fault.BATTERY_LOW, Fault.BATTERY_CRITICAL, Fault.ENERGY_SHORT})
"""Against these standing in the air is no answer."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault that is present, with what was seen."""

    fault: Fault
    detail: str
