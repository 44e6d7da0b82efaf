"""Which commands a drone would take right now, as far as its phase alone says; else why not.

The same table that the agent follows, so that a screen greys out exactly what would be refused. The last word is the
drone's: it also knows what a phase does not say (closed ways, causes that stand).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import get_args

from flight.model.phases import Phase, State, Trigger, advance
from hub_api.dispatch.commander import FlightCommandKind
from planner.reasons import Reason

_TRIGGERS: dict[FlightCommandKind, Trigger] = {
    "hold_flight": Trigger.HOLD,
    "continue_flight": Trigger.CONTINUE,
    "return_home": Trigger.RETURN,
    "divert_flight": Trigger.DIVERT,
    "abort_flight": Trigger.ABORT,
    "land_now": Trigger.LAND_NOW,
}
_NO_MISSION = Reason("no_flight", "it is on no flight", "没有飞行任务")
_PROPOSED = Reason(
    "not_commanded", "its flight is only proposed: approve or refuse that", "飞行尚待批准，请批准或拒绝"
)


@dataclass(frozen=True, slots=True)
class CommandOption:
    """One command; ``refused`` None: the phase allows it."""

    command: FlightCommandKind
    refused: Reason | None


def command_options(
    phase: Phase, *, on_mission: bool, commanded: bool, now: datetime
) -> tuple[CommandOption, ...]:
    """Every command that a person may give, in one order. ``commanded`` False: the mission is only proposed."""
    without = None if on_mission and commanded else _PROPOSED if on_mission else _NO_MISSION
    return tuple(
        CommandOption(kind, without or _refusal(_TRIGGERS[kind], phase, now))
        for kind in get_args(FlightCommandKind)
    )


def _refusal(trigger: Trigger, phase: Phase, now: datetime) -> Reason | None:
    if phase is Phase.STANDBY and trigger is Trigger.ABORT:
        return None  # the command to fly is still on its way: an abort closes it before it begins
    refused = advance(State(phase=phase, since=now), trigger, now).refused
    return None if refused is None else Reason(refused.code, refused.detail, refused.detail_zh)
