"""Which station, drone and landing point: the combination whose AED reaches the patient first.

Time to the patient = preparation + climb + cruise + descent + lowering + carrying it from the landing
point, floors included. Every combination gets a verdict with its reasons. Combinations are planned in the
order of a lower bound (straight line at the largest ground speed); once a plan is faster than the next
bound, nothing behind it can be better, and they say so instead of being planned.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from core.clock import Clock
from core.ids import IdSource
from geofences.airspace import Airspace
from planner import reasons
from planner.airframe import Airframe
from planner.alternates import Elsewhere, with_alternates
from planner.answers import Candidates, candidate_of
from planner.candidates import (
    Candidate,
    CandidateVerdict,
    DispatchRequest,
    DroneState,
    Option,
    Severity,
)
from planner.combinations import Combinations
from planner.deconflict import (
    Outcome,
    PreEmption,
    Resolution,
    blocked,
    no_place_beside,
    planning_again,
    resolve,
)
from planner.flight_plan import FlightPlan
from planner.intent_index import IntentIndex
from planner.intent_volumes import priority_of
from planner.intents import OperationalIntent
from planner.occupied import Occupied, held_too_long
from planner.planning import plan_flight
from planner.policy import DEFAULT_POLICY, PlanningPolicy
from planner.reasons import Reason
from planner.site import Site
from planner.task import FlightTask, NoPlan

__all__ = [
    "Candidate",
    "CandidateVerdict",
    "Decision",
    "DispatchRequest",
    "DroneState",
    "Severity",
    "Traffic",
    "choose",
]


TRIES_OF_A_POINT = 24
"""Chosen: a landing point that so many drones can't fly to, the quickest first, is not tried from still farther away.
A place whose surroundings are closed is refused from every station of a city, the farther the slower: 200
searches took 25 s to say so, and an answer must be there within one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """The operational intents that a new flight must fit between, ours and foreign ones.

    ``owner`` is our name among the managers of intents; ``geoid_undulation_m`` the height of the geoid above
    the ellipsoid here, because intents count heights from the ellipsoid. ``longest_delay_s``: how long a drone may
    wait on its pad for others.
    """

    intents: IntentIndex
    owner: str
    geoid_undulation_m: float
    longest_delay_s: float = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The answer to a request: a plan, or why there is none, and every combination's verdict.

    Candidates: the chosen one, then the possible ones by time, then the refused ones. With traffic, ``intent``
    is what to declare for the accepted plan, ``delay_s`` how long it waits on the pad for others, and
    ``pre_empted`` lists those who must make way.
    """

    request: DispatchRequest
    accepted: FlightPlan | None
    declined_reason: Reason | None
    candidates: Candidates
    airspace_version: str
    decided_at: datetime
    intent: OperationalIntent | None = None
    delay_s: float = 0.0
    pre_empted: tuple[PreEmption, ...] = ()


@dataclass(frozen=True, slots=True)
class _Answer:
    """A plan that may fly, and its time to the patient from now, a delay on the pad included."""

    plan: FlightPlan
    time_to_patient_s: float
    resolution: Resolution | None


def choose(
    request: DispatchRequest,
    *,
    site: Site,
    drone_states: Sequence[DroneState],
    airspace: Airspace,
    airframes: Mapping[str, Airframe],
    ids: IdSource,
    clock: Clock,
    policy: PlanningPolicy = DEFAULT_POLICY,
    traffic: Traffic | None = None,
) -> Decision:
    """Decide. The plan's clock starts at ``clock.now()``, not at ``request.at``, which may be seconds old.

    With ``traffic`` a plan that conflicts is delayed or led around, or its combination refused.
    """
    now = clock.now()
    combinations = Combinations(request, site, drone_states, airframes, policy, now)
    best: _Answer | None = None
    planned: list[tuple[Option, _Answer]] = []
    slower: list[Candidate] = []
    refused: list[Candidate] = []
    failed: Counter[str] = Counter()
    ranking = _Ranking(combinations, _occupied(request, traffic, now, policy))
    for bound_s, rank in ranking:
        if best is not None and bound_s >= best.time_to_patient_s:
            ranking.put_back(bound_s, rank)
            break
        option = combinations.option(rank)
        point_id = option.landing_point.landing_point_id
        if failed[point_id] >= TRIES_OF_A_POINT:
            why = (reasons.not_tried(failed[point_id]),)
            refused.append(candidate_of(option, CandidateVerdict.REFUSED, why))
            continue
        before_s = math.inf if best is None else best.time_to_patient_s
        found = _answer(request, option, site, airspace, ids, now, policy, traffic, before_s)
        if isinstance(found, NoPlan) and found.least_time_to_aed_s is not None:
            least_s = found.least_time_to_aed_s + option.carry_s
            verdict = candidate_of(option, CandidateVerdict.POSSIBLE, found.reasons)
            slower.append(verdict._replace(least_time_to_patient_s=least_s))
            continue
        if isinstance(found, NoPlan):
            failed[point_id] += 1
            refused.append(candidate_of(option, CandidateVerdict.REFUSED, found.reasons))
            continue
        planned.append((option, found))
        if best is None or found.time_to_patient_s < best.time_to_patient_s:
            best = found
    flyable = [*_flyable(request, planned, best), *slower]
    candidates = Candidates(combinations, flyable, refused, unasked=ranking.rest())
    resolution = best.resolution if best is not None else None
    chosen = next((option for option, answer in planned if answer is best), None)
    accepted = None if best is None else best.plan
    around_traffic = resolution is not None and resolution.outcome is Outcome.REROUTED
    if accepted is not None and chosen is not None and not around_traffic:
        # A way around other traffic keeps its own rally points and fence, which keep clear of that traffic.
        others = [
            Elsewhere(option.landing_point, option.terms, option.carry_s)
            for option in combinations.options_of(chosen.state)
        ]
        task = _task(chosen, site)
        accepted = with_alternates(accepted, task, others, site=site, airspace=airspace, policy=policy)
    return Decision(
        request=request,
        accepted=accepted,
        declined_reason=None if best is not None else _declined(site, drone_states, candidates),
        candidates=candidates,
        airspace_version=airspace.version,
        decided_at=now,
        intent=None if resolution is None else resolution.intent,
        delay_s=0.0 if resolution is None else resolution.delay_s,
        pre_empted=() if resolution is None else resolution.pre_empted,
    )


class _Ranking(Iterator[tuple[float, int]]):
    """Bounds and ranks of the combinations that may be planned, the lowest bound first.

    Their order by straight flights is given; those whose landing point others are at come later.
    """

    def __init__(self, combinations: Combinations, occupied: Occupied | None) -> None:
        self._combinations, self._occupied = combinations, occupied
        self._next = 0
        self._later: list[tuple[float, int]] = []

    def __next__(self) -> tuple[float, int]:
        bounds_s = self._combinations.bounds_s
        while self._next < self._combinations.possible:
            rank, bound_s = self._next, float(bounds_s[self._next])
            if self._later and self._later[0][0] < bound_s:
                break
            self._next += 1
            held_s = (
                0.0 if self._occupied is None else self._occupied.least_s(self._combinations.option(rank))
            )
            if held_s <= bound_s:
                return bound_s, rank
            heapq.heappush(self._later, (held_s, rank))
        if not self._later:
            raise StopIteration
        return heapq.heappop(self._later)

    def put_back(self, bound_s: float, rank: int) -> None:
        """It was not planned after all."""
        heapq.heappush(self._later, (bound_s, rank))

    def rest(self) -> list[tuple[float, int]]:
        """What was not planned, by its bound."""
        bounds_s = self._combinations.bounds_s[self._next :].tolist()
        rest = list(zip(bounds_s, range(self._next, self._combinations.possible), strict=True))
        return sorted([*self._later, *rest]) if self._later else rest


def _occupied(
    request: DispatchRequest, traffic: Traffic | None, now: datetime, policy: PlanningPolicy
) -> Occupied | None:
    if traffic is None:
        return None
    return Occupied(
        traffic.intents,
        priority=priority_of(request.severity),
        geoid_undulation_m=traffic.geoid_undulation_m,
        now=now,
        policy=policy,
    )


def _answer(
    request: DispatchRequest,
    option: Option,
    site: Site,
    airspace: Airspace,
    ids: IdSource,
    now: datetime,
    policy: PlanningPolicy,
    traffic: Traffic | None,
    before_s: float,
) -> _Answer | NoPlan:
    """Plan one combination and fit it between the traffic, if it is at the patient before ``before_s``."""
    task = _task(option, site)
    plan = plan_flight(
        task,
        site=site,
        airspace=airspace,
        ids=ids,
        at=now,
        policy=policy,
        before_s=before_s - option.carry_s,
        objection=None if traffic is None else partial(_held, request, traffic),
        flown=(lambda _: True) if traffic is None else partial(_unblocked, request, traffic),
    )
    if isinstance(plan, NoPlan):
        return plan
    if traffic is None:
        return _Answer(plan, plan.timing.time_to_patient_s, None)
    resolution = resolve(
        plan,
        index=traffic.intents,
        plan_again=planning_again(task, site=site, airspace=airspace, ids=ids, policy=policy),
        frame=airspace.frame,
        owner=traffic.owner,
        priority=priority_of(request.severity),
        geoid_undulation_m=traffic.geoid_undulation_m,
        longest_delay_s=traffic.longest_delay_s,
        before_s=before_s,
    )
    if resolution.too_slow:
        return NoPlan((reasons.slower_by_bound(math.floor(before_s)),), before_s - option.carry_s)
    if resolution.plan is None or resolution.time_to_patient_s is None:
        return NoPlan((resolution.reason,) if resolution.reason else ())
    return _Answer(resolution.plan, resolution.time_to_patient_s, resolution)


def _held(request: DispatchRequest, traffic: Traffic, plan: FlightPlan) -> Reason | None:
    """Others over the landing point for longer than the drone may wait."""
    held = held_too_long(
        plan,
        traffic.intents,
        priority=priority_of(request.severity),
        geoid_undulation_m=traffic.geoid_undulation_m,
        longest_delay=timedelta(seconds=traffic.longest_delay_s),
    )
    return None if held is None else no_place_beside(held, traffic.longest_delay_s)


def _unblocked(request: DispatchRequest, traffic: Traffic, plan: FlightPlan) -> bool:
    """Whether it may be flown as it is: nobody's volumes are in its way."""
    return not blocked(
        plan,
        index=traffic.intents,
        owner=traffic.owner,
        priority=priority_of(request.severity),
        geoid_undulation_m=traffic.geoid_undulation_m,
    )


def _task(option: Option, site: Site) -> FlightTask:
    drone = option.state.drone
    return FlightTask(
        drone_id=drone.drone_id,
        station=site.station(drone.station_id),
        landing_point=option.landing_point,
        airframe=option.airframe,
        method=option.terms.method,
        wind=option.wind,
        charge_fraction=option.state.charge_fraction,
        carry_s=option.carry_s,
    )


def _flyable(
    request: DispatchRequest,
    planned: Sequence[tuple[Option, _Answer]],
    best: _Answer | None,
) -> list[Candidate]:
    unknown = (reasons.floor_unknown(),) if request.floor_of_building is None else ()
    found: list[Candidate] = []
    for option, answer in sorted(planned, key=lambda pair: pair[1].time_to_patient_s):
        time_s = answer.time_to_patient_s
        held = answer.resolution.reason if answer.resolution is not None else None
        known = unknown if held is None else (held, *unknown)
        if answer is best:
            why = (reasons.fastest(time_s), *known)
            found.insert(0, candidate_of(option, CandidateVerdict.CHOSEN, why, time_s))
        else:
            why = (reasons.slower_than_chosen(time_s), *known)
            found.append(candidate_of(option, CandidateVerdict.POSSIBLE, why, time_s))
    return found


def _declined(site: Site, drone_states: Sequence[DroneState], candidates: Candidates) -> Reason:
    """The one sentence that says most: no drone, no landing point near, or the commonest reason."""
    if not any(state.ready for state in drone_states):
        return reasons.no_drone_ready(len(drone_states))
    commonest = candidates.commonest()
    if commonest is None:
        return reasons.nothing_to_choose(len(drone_states), len(site.landing_points))
    return reasons.no_candidate(len(candidates), commonest)
