"""How long other flights keep a landing point: a lower bound for everybody who wants to deliver there.

Many orders come from one place, and its nearest landing point is then taken for minutes. Each drone that could fly
there would be planned, found in conflict, delayed and planned again, only to arrive when the point is free, like all
others. The moment from which it is free is known without any plan: the volume over a landing point is the same circle
for every flight that delivers there.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from planner.candidates import Option
from planner.flight_plan import FlightPlan
from planner.intent_index import PRECISION_M, IntentIndex
from planner.intent_volumes import DEFAULT_MARGINS, Margins, intent_id_of, over_the_point_s
from planner.intents import OperationalIntent
from planner.policy import PlanningPolicy

_SLACK_S = 0.01
"""Far above what rounding to microseconds and milliseconds does; the bound stays one."""


class Occupied:
    """What the active intents say about landing points; asked for one request of some priority."""

    def __init__(
        self,
        intents: IntentIndex,
        *,
        priority: int,
        geoid_undulation_m: float,
        now: datetime,
        policy: PlanningPolicy,
    ) -> None:
        self._intents, self._priority = intents, priority
        self._undulation_m, self._now, self._policy = geoid_undulation_m, now, policy
        self._free_s: dict[tuple[str, float], float | None] = {}

    def least_s(self, option: Option) -> float:
        """No plan for this option has its AED at the patient earlier than this, seconds from now; 0 where nobody is
        over the point.

        The plan's own volume over the point begins :attr:`Margins.time_s` before it may arrive there, and after what
        blocks; then come its preparation, which the volumes don't count, lowering, and the way on foot.
        """
        free_s = self._free_from_s(option)
        if free_s is None:
            return 0.0
        after_s = DEFAULT_MARGINS.time_s + option.airframe.preparation_s + option.terms.lower_s
        return free_s + after_s + option.carry_s - _SLACK_S

    def _free_from_s(self, option: Option) -> float | None:
        """The earliest start of a volume over the point that meets nobody's; None where there is nobody."""
        point = option.landing_point
        key = (point.landing_point_id, option.terms.hover_budget_s)
        if key not in self._free_s:
            altitude_m = point.ground_amsl_m + self._undulation_m
            taken = sorted(
                (
                    (volume.time_start - self._now).total_seconds(),
                    (volume.time_end - self._now).total_seconds(),
                )
                for intent, volume in self._intents.circles_at(point.position)
                if intent.blocks(self._priority)
                and volume.altitude_lower_m <= altitude_m <= volume.altitude_upper_m
            )
            # The drone may take off, and leave, at any moment that its plan allows; and not before now.
            lasts_s = self._policy.valid_s + option.terms.hover_budget_s + 2.0 * DEFAULT_MARGINS.time_s
            free_s: float | None = None
            start_s = -DEFAULT_MARGINS.time_s
            for taken_s, until_s in taken:
                if start_s + lasts_s < taken_s:
                    break
                if until_s >= start_s:
                    free_s = start_s = until_s
            self._free_s[key] = free_s
        return self._free_s[key]


def held_too_long(
    plan: FlightPlan,
    intents: IntentIndex,
    *,
    priority: int,
    geoid_undulation_m: float,
    longest_delay: timedelta,
    margins: Margins = DEFAULT_MARGINS,
) -> OperationalIntent | None:
    """Who is over the very landing point of ``plan`` for so long that no delay up to the longest helps; None
    where the point alone decides nothing.

    No way leads around a volume over the point itself, and the delays that such volumes leave are the same interval
    arithmetic as that of all volumes. Most flights that find no place between the others fail here, before a single
    volume of theirs is drawn.
    """
    point = plan.delivery.position
    others = list(intents.circles_at(point))
    if not others:
        return None
    from_s, until_s = over_the_point_s(plan, margins)
    start, end = (plan.created_at + timedelta(seconds=each_s) for each_s in (from_s, until_s))
    # The column reaches from the ground to the cruise, whatever lies between.
    low_m = plan.delivery_ground_amsl_m + geoid_undulation_m - margins.vertical_m
    high_m = max(plan.outbound[-1].start.altitude_amsl_m, plan.inbound[0].end.altitude_amsl_m)
    high_m += geoid_undulation_m + margins.vertical_m
    own_id = intent_id_of(plan)
    taken = sorted(
        (
            (volume.time_start, volume.time_end, intent)
            for intent, volume in others
            if intent.intent_id != own_id
            and intent.blocks(priority)
            and volume.altitude_lower_m <= high_m + PRECISION_M
            and low_m - PRECISION_M <= volume.altitude_upper_m
        ),
        key=lambda each: (each[0], each[1], each[2].intent_id),
    )
    first: OperationalIntent | None = None
    delay = timedelta(0)
    for taken_from, taken_until, intent in taken:
        if end + delay < taken_from:
            break
        if taken_until >= start + delay:
            first = first or intent
            # Whole milliseconds, as the delays of all volumes are.
            delay = timedelta(milliseconds=(taken_until - start) // _MILLISECOND + 1)
    return first if delay > longest_delay else None


_MILLISECOND = timedelta(milliseconds=1)
