"""Strategic deconfliction: may this plan fly beside the active intents, later, or another way?

Who blocks: an intent of at least our priority (first come, first served among equals), and every intent whose aircraft
doesn't follow it. Intents of lower priority are pre-empted: the answer says whose, and their managers must be told
to plan again. What is tried, and the one whose AED is at the patient first wins:

- *delay*: the smallest departure delay (whole milliseconds) after which no pair of volumes meets; for a pair, the
  delays at which they meet are one closed interval, so the union of intervals decides exactly;
- *re-route*: the blocking volumes become obstacles, at all heights, for the planner.

Either way the planner makes a new plan for its own moment, checked against the zones of that moment: a plan
is never just shifted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Protocol

import shapely

from core.geodesy import LocalFrame
from core.ids import IdSource
from core.spans import span, span_zh
from geofences.airspace import Airspace
from planner import reasons
from planner.flight_plan import FlightPlan
from planner.intent_index import Conflict, IntentIndex, outline_polygon
from planner.intent_volumes import DEFAULT_MARGINS, OUTSIDE, Margins, intent_of_plan
from planner.intents import INTENT_STATES_ZH, Circle, IntentState, OperationalIntent, Volume4D
from planner.planning import plan_flight
from planner.policy import DEFAULT_POLICY, PlanningPolicy
from planner.reasons import Reason
from planner.site import Site
from planner.task import FlightTask, NoPlan

ROUNDS = 4
"""Chosen: a detour may meet further intents; after the fourth the answer is «refused», never a guess."""

KEEP_OFF_M = 1.0
"""Chosen: how much further than touching a detour stays; F3548's precision is 0.01 m."""


class PlanAgain(Protocol):
    """Asks the planner for the same task at another moment, away from further polygons (frame metres)."""

    def __call__(
        self, at: datetime, avoid: Sequence[tuple[str, shapely.Polygon]], before_s: float = math.inf
    ) -> FlightPlan | NoPlan:
        """``before_s``: as :func:`planner.planning.plan_flight` takes it."""
        ...


class Outcome(StrEnum):
    """What became of the plan."""

    ALLOWED = "allowed"
    DELAYED = "delayed"
    REROUTED = "rerouted"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class PreEmption:
    """An intent that has to make way, and whose it is."""

    intent_id: str
    owner: str
    state: IntentState
    priority: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """The answer. ``plan`` and ``intent`` are what to fly and to declare; None when refused.

    ``blocking`` are the conflicts of the plan as it was asked; ``delay_s`` counts from its own moment;
    ``time_to_patient_s`` from that moment too, the delay included. ``reason`` says why not as asked.
    ``too_slow``: refused only because whatever there may be is of no use any more.
    """

    outcome: Outcome
    plan: FlightPlan | None
    intent: OperationalIntent | None
    delay_s: float
    time_to_patient_s: float | None
    blocking: tuple[Conflict, ...]
    pre_empted: tuple[PreEmption, ...]
    reason: Reason | None
    too_slow: bool = False


def planning_again(
    task: FlightTask,
    *,
    site: Site,
    airspace: Airspace,
    ids: IdSource,
    policy: PlanningPolicy = DEFAULT_POLICY,
) -> PlanAgain:
    """:func:`planner.planning.plan_flight` for one task, as :func:`resolve` asks for it."""

    def again(
        at: datetime, avoid: Sequence[tuple[str, shapely.Polygon]], before_s: float = math.inf
    ) -> FlightPlan | NoPlan:
        return plan_flight(
            task,
            site=site,
            airspace=airspace,
            ids=ids,
            at=at,
            policy=policy,
            extra_obstacles=tuple(avoid),
            before_s=before_s,
        )

    return again


def blocked(
    plan: FlightPlan, *, index: IntentIndex, owner: str, priority: int, geoid_undulation_m: float
) -> bool:
    """Whether the plan can't fly as it is: :func:`resolve` will look for another one."""
    intent = intent_of_plan(plan, owner=owner, priority=priority, geoid_undulation_m=geoid_undulation_m)
    return bool(_blocking(index, intent, priority))


def resolve(
    plan: FlightPlan,
    *,
    index: IntentIndex,
    plan_again: PlanAgain,
    frame: LocalFrame,
    owner: str,
    priority: int,
    geoid_undulation_m: float,
    longest_delay_s: float = 120.0,
    margins: Margins = DEFAULT_MARGINS,
    before_s: float = math.inf,
) -> Resolution:
    """Allowed as it is, or the earlier of a delay and a detour, or refused with the intent in the way.

    ``frame`` is the airspace's (obstacles go to the planner in its metres). ``longest_delay_s`` 120 is chosen:
    after two minutes on the pad another station or the ambulance is the better answer. ``before_s``: an answer
    whose AED is at the patient after as long as that is of no use, because another one is faster.
    """
    return _Resolver(
        plan,
        index,
        plan_again,
        frame,
        owner,
        priority,
        geoid_undulation_m,
        longest_delay_s,
        margins,
        before_s,
    ).answer()


class _Resolver:
    def __init__(
        self,
        plan: FlightPlan,
        index: IntentIndex,
        plan_again: PlanAgain,
        frame: LocalFrame,
        owner: str,
        priority: int,
        geoid_undulation_m: float,
        longest_delay_s: float,
        margins: Margins,
        before_s: float,
    ) -> None:
        self.plan, self.index, self.plan_again, self.frame = plan, index, plan_again, frame
        self.owner, self.priority, self.margins = owner, priority, margins
        self.undulation_m = geoid_undulation_m
        self.longest_delay = timedelta(seconds=longest_delay_s)
        self.before_s = before_s
        self.too_slow = False

    def answer(self) -> Resolution:
        asked = self.intent(self.plan)
        blocking = self.blocking(asked)
        if not blocking:
            return self.flown(Outcome.ALLOWED, self.plan, (), None)
        reason = _conflict_reason(blocking[0], len({conflict.intent_id for conflict in blocking}))
        best: Resolution | None = None
        waiting = self.delayed(asked)
        if waiting is not None:
            best = self.flown(Outcome.DELAYED, waiting, blocking, reason)
            # Now a detour is only of use where it is faster than to wait.
            self.before_s = min(self.before_s, best.time_to_patient_s or 0.0)
        around = self.rerouted(blocking)
        if around is not None:
            detour = self.flown(Outcome.REROUTED, around, blocking, reason)
            if best is None or (detour.time_to_patient_s or 0.0) < (best.time_to_patient_s or 0.0):
                best = detour
        if best is not None:
            return best
        return Resolution(
            outcome=Outcome.REFUSED,
            plan=None,
            intent=None,
            delay_s=0.0,
            time_to_patient_s=None,
            blocking=blocking,
            pre_empted=(),
            reason=no_place_beside(blocking[0], self.longest_delay.total_seconds()),
            too_slow=self.too_slow,
        )

    def intent(self, plan: FlightPlan) -> OperationalIntent:
        return intent_of_plan(
            plan,
            owner=self.owner,
            priority=self.priority,
            geoid_undulation_m=self.undulation_m,
            margins=self.margins,
        )

    def blocking(self, intent: OperationalIntent) -> tuple[Conflict, ...]:
        return _blocking(self.index, intent, self.priority)

    def delayed(self, intent: OperationalIntent) -> FlightPlan | None:
        delay = timedelta(0)
        for _ in range(ROUNDS):
            further = self.first_free(intent, self.longest_delay - delay)
            if further is None:
                return None
            delay += further
            plan = self.again(delay, ())
            if plan is None:
                return None
            intent = self.intent(plan)
            if not self.blocking(intent):
                return plan
        return None

    def again(self, delay: timedelta, avoid: Sequence[tuple[str, shapely.Polygon]]) -> FlightPlan | None:
        """A plan of that moment, if there is one that is of use."""
        before_s = self.before_s - delay.total_seconds() - self.plan.timing.carry_s
        plan = self.plan_again(self.plan.created_at + delay, avoid, before_s)
        if isinstance(plan, NoPlan):
            self.too_slow = self.too_slow or plan.least_time_to_aed_s is not None
            return None
        return plan

    def first_free(self, intent: OperationalIntent, longest: timedelta) -> timedelta | None:
        """The smallest delay, in whole milliseconds, at which nothing that blocks is met."""
        free_us = 0
        for start_us, end_us, other in self.index.blocked_delays_us(intent, longest):
            if start_us > free_us:
                break
            if end_us >= free_us and other.blocks(self.priority):
                free_us = (end_us // 1000 + 1) * 1000
        delay = timedelta(microseconds=free_us)
        return delay if delay <= longest else None

    def rerouted(self, blocking: tuple[Conflict, ...]) -> FlightPlan | None:
        avoid: dict[tuple[str, int], shapely.Polygon] = {}
        for _ in range(ROUNDS):
            if any(self.over_an_end(conflict) for conflict in blocking):
                return None
            for conflict in blocking:
                key = (conflict.intent_id, conflict.other_volume_index)
                if key not in avoid:
                    avoid[key] = self.obstacle(conflict)
                    if self.ends_inside(avoid[key]):
                        return None
            plan = self.again(timedelta(0), [(intent_id, shape) for (intent_id, _), shape in avoid.items()])
            if plan is None:
                return None
            blocking = self.blocking(self.intent(plan))
            if not blocking:
                return plan
        return None

    def over_an_end(self, conflict: Conflict) -> bool:
        """Whether the other is over our very pad or point: what most often blocks, and nothing leads around it."""
        outline = self.other_volume(conflict).outline
        return isinstance(outline, Circle) and outline.centre in (
            self.plan.home.position,
            self.plan.delivery.position,
        )

    def ends_inside(self, obstacle: shapely.Polygon) -> bool:
        """Whether pad or hover point is too near to what is avoided: then no way leads around it."""
        return bool(shapely.dwithin(obstacle, self.ends, self.plan.corridor_half_width_m))

    @cached_property
    def ends(self) -> shapely.MultiPoint:
        """Pad and hover point in the airspace's plane."""
        found = [self.frame.to_enu(end.position) for end in (self.plan.home, self.plan.delivery)]
        return shapely.MultiPoint([(end.east_m, end.north_m) for end in found])

    def other(self, conflict: Conflict) -> OperationalIntent:
        return _other(self.index, conflict)

    def other_volume(self, conflict: Conflict) -> Volume4D:
        return self.other(conflict).volumes[conflict.other_volume_index]

    def obstacle(self, conflict: Conflict) -> shapely.Polygon:
        """The other's outline, grown by what our volumes reach beyond the corridor that the planner keeps."""
        outline = outline_polygon(self.other_volume(conflict), self.frame)
        beyond_m = OUTSIDE * self.margins.lateral_of(self.plan) - self.plan.corridor_half_width_m
        return shapely.buffer(outline, max(0.0, beyond_m) + KEEP_OFF_M, join_style="mitre")

    def flown(
        self, outcome: Outcome, plan: FlightPlan, blocking: tuple[Conflict, ...], reason: Reason | None
    ) -> Resolution:
        delay_s = (plan.created_at - self.plan.created_at).total_seconds()
        intent = self.intent(plan)
        making_way = {
            conflict.intent_id: PreEmption(
                intent_id=conflict.intent_id,
                owner=conflict.owner,
                state=conflict.state,
                priority=conflict.priority,
            )
            for conflict in self.index.conflicts(intent)
        }
        return Resolution(
            outcome=outcome,
            plan=plan,
            intent=intent,
            delay_s=delay_s,
            time_to_patient_s=delay_s + plan.timing.time_to_patient_s,
            blocking=blocking,
            pre_empted=tuple(making_way.values()),
            reason=reason,
        )


def _other(index: IntentIndex, conflict: Conflict) -> OperationalIntent:
    found = index.get(conflict.intent_id)
    assert found is not None  # conflicts name intents of this very index
    return found


def _blocking(index: IntentIndex, intent: OperationalIntent, priority: int) -> tuple[Conflict, ...]:
    met = index.conflicts(intent)
    return tuple(conflict for conflict in met if _other(index, conflict).blocks(priority))


def _conflict_reason(conflict: Conflict, intents: int) -> Reason:
    others, others_zh = (f", and {intents - 1} more", f"，另有{intents - 1}个") if intents > 1 else ("", "")
    return reasons.conflict(
        conflict.intent_id,
        conflict.owner,
        f"priority {conflict.priority}, {conflict.state.value}, from {conflict.time_start:%H:%M:%S} to "
        f"{conflict.time_end:%H:%M:%S} UTC{others}",
        f"优先级{conflict.priority}，状态{INTENT_STATES_ZH[conflict.state]}，协调世界时{conflict.time_start:%H:%M:%S}至"
        f"{conflict.time_end:%H:%M:%S}{others_zh}",
    )


def no_place_beside(other: Conflict | OperationalIntent, longest_delay_s: float) -> Reason:
    """Neither later nor elsewhere is there room beside this one."""
    return reasons.conflict(
        other.intent_id,
        other.owner,
        f"priority {other.priority}, {other.state.value}; neither a delay of up to {span(longest_delay_s)} "
        "nor a way around is free",
        f"优先级{other.priority}，状态{INTENT_STATES_ZH[other.state]}；延迟{span_zh(longest_delay_s)}以内或绕行均不可行",
    )
