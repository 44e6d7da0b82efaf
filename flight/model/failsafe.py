"""Faults × phase → safety action, as one table with clear conditions.

A fault is a fact about the vehicle or its task (:mod:`flight.model.faults`); the table says what must
happen in the phase in which it is seen. The strongest action of all present faults wins. Actions are
ordered NONE < WARN < HOLD < RETURN < DIVERT < LAND < TERMINATE. The table is asked again and again while
a fault stays; a phase in which the action is being done already answers WARN, so nothing is done twice
and nothing is forgotten when somebody else changed the phase.

Takeover: an action never weakens what is being done, somebody else's hands on the vehicle are never
fought (WARN is the most that happens then), and a vehicle that is not heard is not commanded.

Some facts are answered by the phase machine itself, because they are moves and not dangers: a mode
changed by somebody else (:attr:`Trigger.CONTROL_TAKEN`), the winch's and the release's failures. They
stand in the table too, so that they are recorded, shown and cleared like every other fault.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from flight.model.faults import ENERGY_FAULTS, Fault, SafetyAction
from flight.model.phases import LINE_OUT_PHASES, Phase

GROUPS: dict[str, frozenset[Phase]] = {
    "on the ground": frozenset(
        {
            Phase.DISCONNECTED,
            Phase.STANDBY,
            Phase.PREPARING,
            Phase.WAITING,
            Phase.ARMING,
            Phase.ARMED,
            Phase.DISARMING,
            Phase.ENDED,
        }
    ),
    "climbing": frozenset({Phase.CLIMBING}),
    "on the way out": frozenset({Phase.OUTBOUND}),
    "over the delivery": frozenset({Phase.HOVERING}),
    "line out": LINE_OUT_PHASES,
    "touching down": frozenset({Phase.TOUCHING_DOWN}),
    "on the ground at the delivery": frozenset({Phase.UNLOADING}),
    "standing": frozenset({Phase.HOLDING, Phase.STANDING_OFF}),
    "rerouting": frozenset({Phase.REROUTING}),
    "on the way home": frozenset({Phase.INBOUND, Phase.RETURNING}),
    "diverting": frozenset({Phase.DIVERTING, Phase.AUTOPILOT_RETURN}),
    "descending": frozenset({Phase.LANDING, Phase.LANDING_HERE}),
    "somebody else flies": frozenset({Phase.HANDED_OVER, Phase.UNCLAIMED}),
}
"""Phases that answer every fault alike, in the order of the table's columns."""

_LETTERS = {
    "-": SafetyAction.NONE,
    "w": SafetyAction.WARN,
    "H": SafetyAction.HOLD,
    "R": SafetyAction.RETURN,
    "D": SafetyAction.DIVERT,
    "L": SafetyAction.LAND,
    "T": SafetyAction.TERMINATE,
}

#                                 ground climb out hover line touch unload stand reroute home dvrt desc else
_ROWS: dict[Fault, str] = {
    # A vehicle that is not heard cannot be commanded: its own mission brings it home. On the ground the
    # phase machine calls the flight off.
    Fault.LINK_STALE:            "w      w     w   w     w    w     w      w     w       w    w    w    w",
    Fault.LINK_LOST:             "w      w     w   w     w    w     w      w     w       w    w    w    w",
    # Without a position the autopilot lands by itself; a return needs what is missing. What comes down on the
    # landing point already does that: only what makes this the wrong ground sends it up again.
    Fault.GPS_LOST:              "L      L     L   L     L    w     w      L     L       L    L    w    w",
    Fault.ESTIMATOR_FAILED:      "L      L     L   L     L    w     w      L     L       L    L    w    w",
    # Nothing is lowered where it only believes to be; over the pad it comes straight down. On the way home
    # standing gains nothing: if it lasts, the estimator fails and the autopilot lands.
    Fault.GPS_GLITCH:            "L      R     H   H     R    R     w      H     w       w    w    w    w",
    # Over the pad RETURN means straight down; at half the reserve the nearest place is the only plan.
    Fault.BATTERY_LOW:           "L      R     R   R     R    w     w      R     w       w    w    w    w",
    Fault.BATTERY_CRITICAL:      "L      R     D   D     D    w     w      D     D       D    w    w    w",
    Fault.ENERGY_SHORT:          "w      R     R   R     R    w     w      R     w       w    w    w    w",
    Fault.WIND_ABOVE_LIMIT:      "w      R     R   R     R    w     w      R     w       w    w    w    w",
    # It has arrived: lowering takes less time in the rain than the way home, and is what the rain was flown for.
    Fault.WEATHER_UNFIT:         "L      R     R   w     w    w     w      R     w       w    w    w    w",
    # Standing is the one manoeuvre that leaves nothing of what was proved; a line that is out is not hurried.
    Fault.INTRUDER:              "w      H     H   w     w    w     w      H     w       H    w    w    w",
    # Where the mission does not lead on, its way home does not either: only a mode of its own moves the drone then.
    Fault.NO_PROGRESS:           "-      R     R   -     -    -     -      -     -       D    -    -    -",
    Fault.MISSION_LOST:          "-      R     D   D     w    w     w      w     -       D    -    -    w",
    Fault.DEVIATION:             "-      w     R   R     R    R     w      -     -       w    -    w    -",
    # A zone on the way home only: the delivery is finished first, the hold comes when it leaves.
    Fault.ZONE_AHEAD:            "L      R     H   w     w    w     w      H     w       H    w    w    w",
    Fault.ZONE_AROUND:           "L      R     w   R     R    w     w      w     w       w    w    w    w",
    Fault.ZONE_TURN_BACK:        "L      R     R   R     R    w     w      R     w       w    w    w    w",
    Fault.NO_NEW_WAY:            "w      w     w   w     w    w     w      R     w       w    w    w    w",
    Fault.AUTHORISATION_REVOKED: "L      R     H   w     w    w     w      H     w       w    w    w    w",
    Fault.ORDER_CANCELLED:       "L      R     R   R     R    R     w      R     w       w    w    w    w",
    Fault.PATIENT_MOVED:         "L      H     H   H     w    w     w      H     w       w    w    w    w",
    # People under the load: the line comes up again, with the AED on it.
    Fault.LANDING_POINT_OCCUPIED: "w     w     w   H     R    R     w      H     w       w    w    w    w",
    # Moves of the phase machine, recorded here.
    Fault.WINCH_JAM:             "w      w     w   w     w    w     w      w     w       w    w    w    w",
    Fault.RELEASE_NOT_CONFIRMED: "w      w     w   w     w    w     w      w     w       w    w    w    w",
    Fault.LINE_NOT_RETRACTED:    "w      w     w   w     w    w     w      w     w       w    w    w    w",
    # Every metre flown on is a gamble.
    Fault.MOTOR_TROUBLE:         "L      L     L   L     L    w     w      L     L       L    L    w    w",
    # It lies there with turning blades. A descent that ends is no crash: LANDING disarms by itself.
    Fault.CRASHED:               "w      T     T   T     T    w     w      T     T       T    w    w    w",
    # It comes down already. Once it stands, its motors are stopped for it: people walk up to what has landed.
    Fault.LANDING_OVERDUE:       "-      -     -   -     -    w     -      -     -       -    -    w    -",
    Fault.GROUND_UNNOTICED:      "-      -     -   -     -    T     -      -     -       -    -    T    -",
    # A person's word stands; the person is told, and in the end the order is given to another drone.
    Fault.HELD_LONG:             "-      -     -   -     -    -     -      w     -       -    -    -    -",
    Fault.CONTROL_TAKEN:         "w      w     w   w     w    w     w      w     w       w    w    w    w",
    # An autopilot that comes back in the air goes on or falls; on the ground the flight is called off.
    Fault.AUTOPILOT_REBOOTED:    "L      w     w   w     w    w     w      w     w       w    w    w    w",
    # The autopilot's own fence action is under way.
    Fault.FENCE_BREACHED:        "w      w     w   w     w    w     w      w     w       w    w    w    w",
}  # fmt: skip


def _read(row: str) -> dict[Phase, SafetyAction]:
    actions = [_LETTERS[letter] for letter in row.split()]
    return {
        phase: action for phases, action in zip(GROUPS.values(), actions, strict=True) for phase in phases
    }


TABLE: dict[Fault, dict[Phase, SafetyAction]] = {fault: _read(row) for fault, row in _ROWS.items()}

if undeclared := [(fault, phase) for fault in Fault for phase in Phase if phase not in TABLE[fault]]:
    raise AssertionError(f"undeclared: {undeclared}")


@dataclass(frozen=True, slots=True)
class WaysOpen:
    """Whether the planned way home, and the straight way to the rally point that the autopilot would take,
    keep clear of zones that were closed after the plan was made."""

    home: bool = True
    rally: bool = True


def react(faults: Iterable[Fault], phase: Phase) -> SafetyAction:
    """The strongest action that the present faults ask for in this phase."""
    return max((TABLE[fault][phase] for fault in faults), default=SafetyAction.NONE)


def decide(faults: Mapping[Fault, str], phase: Phase, ways: WaysOpen) -> SafetyAction:
    """:func:`react`, led over ways that are open.

    A return along a closed way becomes a diversion, and so does one under an aircraft that does not go: on the
    long way home it would be stood for again. A diversion over a closed way becomes a hold as long as
    nothing about the battery forbids waiting, and then a landing where the vehicle is.
    """
    action = react(faults, phase)
    if phase in LINE_OUT_PHASES or phase is Phase.CLIMBING:
        # The line first; over the pad a return is straight down. Neither crosses anything.
        return action
    circled = {Fault.INTRUDER, Fault.NO_NEW_WAY} <= faults.keys()
    if action is SafetyAction.RETURN and (circled or not ways.home):
        action = SafetyAction.DIVERT
    if action is SafetyAction.DIVERT and not ways.rally:
        action = SafetyAction.LAND if ENERGY_FAULTS & faults.keys() else SafetyAction.HOLD
    return action
