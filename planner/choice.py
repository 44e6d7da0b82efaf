"""Which station, drone and landing point: the combination whose AED reaches the patient first.

Time to the patient = preparation + climb + cruise + descent + lowering + carrying it from the landing
point, floors included. Every combination gets a verdict with its reasons. Combinations are planned in the
order of a lower bound (straight line at the largest ground speed); once a plan is faster than the next
bound, nothing behind it can be better, and they say so instead of being planned.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.clock import Clock
from core.geodesy import Wgs84Point, geodesic_distance_m
from core.ids import IdSource
from geofences.airspace import Airspace
from planner import reasons
from planner.airframe import Airframe, DeliveryTerms
from planner.checks import check_aware, check_number, refuse
from planner.deconflict import PreEmption, Resolution, planning_again, resolve
from planner.flight_plan import FlightPlan
from planner.intent_index import IntentIndex
from planner.intent_volumes import priority_of
from planner.intents import OperationalIntent
from planner.legs import rest_to_rest_s
from planner.planning import least_time_to_aed_s, plan_flight
from planner.policy import DEFAULT_POLICY, PlanningPolicy
from planner.reasons import Reason
from planner.site import Drone, LandingPoint, Site
from planner.task import FlightTask, NoPlan, delivery_terms_for
from planner.walk import carry_s
from planner.wind import Wind


class Severity(StrEnum):
    """Levels of Chinese emergency dispatch; lower goes first."""

    I = "I"  # noqa: E741 - the level's own name
    """濒危: dying."""
    II = "II"
    """危重: critical."""
    III = "III"
    """急症: acute."""
    IV = "IV"
    """非急症: not acute."""


class CandidateVerdict(StrEnum):
    """What became of a combination."""

    CHOSEN = "chosen"
    POSSIBLE = "possible"
    """Nothing known speaks against it; it is slower, by plan or by bound."""
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchRequest:
    """Who needs the AED, how badly, and since when. ``floor_of_building`` as in China: 1 is the ground
    floor, -1 the first basement, None not known or outdoors."""

    patient: Wgs84Point
    severity: Severity
    floor_of_building: int | None
    at: datetime

    def __post_init__(self) -> None:
        check_aware("at", self.at)
        try:
            object.__setattr__(self, "severity", Severity(self.severity))
        except ValueError:
            raise refuse("severity", f"{self.severity!r} is none of I, II, III, IV") from None
        if self.floor_of_building is not None:
            check_number("floor_of_building", self.floor_of_building, minimum=-20, maximum=200)
            if self.floor_of_building == 0:
                raise refuse("floor_of_building", "there is no floor 0: 1 is the ground floor")


@dataclass(frozen=True, slots=True, kw_only=True)
class DroneState:
    """What is known of a drone now. ``wind`` is what its station measures, None when it doesn't."""

    drone: Drone
    ready: bool
    not_ready_reasons: tuple[str, ...]
    charge_fraction: float
    wind: Wind | None

    def __post_init__(self) -> None:
        check_number("charge_fraction", self.charge_fraction, minimum=0.0, maximum=1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One drone with one landing point. ``time_to_patient_s`` is planned, None where no plan was made;
    ``least_time_to_patient_s`` the lower bound, None where the combination was out before."""

    station_id: str
    drone_id: str
    landing_point_id: str
    verdict: CandidateVerdict
    reasons: tuple[Reason, ...]
    time_to_patient_s: float | None
    least_time_to_patient_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """The operational intents that a new flight must fit between, ours and foreign ones.

    ``owner`` is our name among the managers of intents; ``geoid_undulation_m`` the height of the geoid above
    the ellipsoid here, because intents count heights from the ellipsoid.
    """

    intents: IntentIndex
    owner: str
    geoid_undulation_m: float


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
    candidates: tuple[Candidate, ...]
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


@dataclass(frozen=True, slots=True)
class _Option:
    """A combination that may be planned."""

    bound_s: float
    state: DroneState
    landing_point: LandingPoint
    airframe: Airframe
    terms: DeliveryTerms
    wind: Wind
    carry_s: float


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
    refused: list[Candidate] = []
    options = _options(request, site, drone_states, airframes, policy, now, refused)
    options.sort(key=lambda option: option.bound_s)
    best: _Answer | None = None
    planned: list[tuple[_Option, _Answer]] = []
    behind: list[_Option] = []
    for number, option in enumerate(options):
        if best is not None and option.bound_s >= best.time_to_patient_s:
            behind = options[number:]
            break
        found = _answer(request, option, site, airspace, ids, now, policy, traffic)
        if isinstance(found, NoPlan):
            refused.append(_candidate(option, CandidateVerdict.REFUSED, found.reasons))
            continue
        planned.append((option, found))
        if best is None or found.time_to_patient_s < best.time_to_patient_s:
            best = found
    candidates = [*_flyable(request, planned, best, behind), *refused]
    resolution = best.resolution if best is not None else None
    return Decision(
        request=request,
        accepted=None if best is None else best.plan,
        declined_reason=None if best is not None else _declined(site, drone_states, candidates),
        candidates=tuple(candidates),
        airspace_version=airspace.version,
        decided_at=now,
        intent=None if resolution is None else resolution.intent,
        delay_s=0.0 if resolution is None else resolution.delay_s,
        pre_empted=() if resolution is None else resolution.pre_empted,
    )


def _answer(
    request: DispatchRequest,
    option: _Option,
    site: Site,
    airspace: Airspace,
    ids: IdSource,
    now: datetime,
    policy: PlanningPolicy,
    traffic: Traffic | None,
) -> _Answer | NoPlan:
    """Plan one combination and fit it between the traffic."""
    drone = option.state.drone
    task = FlightTask(
        drone_id=drone.drone_id,
        station=site.station(drone.station_id),
        landing_point=option.landing_point,
        airframe=option.airframe,
        method=option.terms.method,
        wind=option.wind,
        charge_fraction=option.state.charge_fraction,
        carry_s=option.carry_s,
    )
    plan = plan_flight(task, site=site, airspace=airspace, ids=ids, at=now, policy=policy)
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
    )
    if resolution.plan is None or resolution.time_to_patient_s is None:
        return NoPlan((resolution.reason,) if resolution.reason else ())
    return _Answer(resolution.plan, resolution.time_to_patient_s, resolution)


def _options(
    request: DispatchRequest,
    site: Site,
    drone_states: Sequence[DroneState],
    airframes: Mapping[str, Airframe],
    policy: PlanningPolicy,
    now: datetime,
    refused: list[Candidate],
) -> list[_Option]:
    """Combinations that nothing rules out before planning; the others go to ``refused``."""
    points = site.landing_points
    timezone = site.zone_info
    closed = [not point.usable_at(now, timezone) for point in points]
    carries = [
        carry_s(geodesic_distance_m(point.position, request.patient), point.walk, request.floor_of_building)
        for point in points
    ]
    against_point: list[tuple[Reason, ...]] = []
    for is_closed, carry in zip(closed, carries, strict=True):
        found = [reasons.landing_point_closed()] if is_closed else []
        if carry > policy.carry_limit_s:
            found.append(reasons.carry_too_long(carry, policy.carry_limit_s))
        against_point.append(tuple(found))
    options: list[_Option] = []
    distances = _distances_of(site)
    vertical_s: dict[tuple[str, str, float, float], float] = {}
    for state in drone_states:
        drone = state.drone
        airframe = airframes.get(drone.airframe_id)
        against_drone = _against_drone(state, airframe)
        station = site.station(drone.station_id)
        terms_of = {
            methods: delivery_terms_for(airframe, methods) if airframe else None
            for methods in {point.delivery_methods for point in points}
        }
        for index, point in enumerate(points):
            against = against_drone + against_point[index]
            terms = terms_of[point.delivery_methods]
            if airframe is not None and terms is None:
                against = (*against, reasons.no_common_delivery_method())
            if against or airframe is None or terms is None or state.wind is None:
                refused.append(
                    Candidate(
                        station_id=drone.station_id,
                        drone_id=drone.drone_id,
                        landing_point_id=point.landing_point_id,
                        verdict=CandidateVerdict.REFUSED,
                        reasons=against,
                        time_to_patient_s=None,
                        least_time_to_patient_s=None,
                    )
                )
                continue
            # Everything but the cruise depends on the two heights of ground alone.
            key = (airframe.airframe_id, terms.method, station.ground_amsl_m, point.ground_amsl_m)
            fixed_s = vertical_s.get(key)
            if fixed_s is None:
                lowest_m = max(station.ground_amsl_m, point.ground_amsl_m) + policy.minimum_agl_m
                fixed_s = vertical_s[key] = least_time_to_aed_s(
                    airframe,
                    terms,
                    0.0,
                    lowest_m - station.ground_amsl_m,
                    lowest_m - point.ground_amsl_m - terms.hover_height_agl_m,
                )
            straight_s = rest_to_rest_s(
                distances[station.station_id][index],
                airframe.ground_speed_max_m_s,
                airframe.acceleration_m_s2,
            )
            bound_s = fixed_s + straight_s + carries[index]
            options.append(_Option(bound_s, state, point, airframe, terms, state.wind, carries[index]))
    return options


def _against_drone(state: DroneState, airframe: Airframe | None) -> tuple[Reason, ...]:
    found: list[Reason] = []
    if not state.ready:
        found.append(reasons.drone_not_ready(state.not_ready_reasons))
    if airframe is None:
        found.append(reasons.unknown_airframe(state.drone.airframe_id))
    if state.wind is None:
        found.append(reasons.wind_unknown())
    elif airframe is not None and state.wind.strongest_m_s > airframe.wind_limit_m_s:
        found.append(reasons.wind_above_limit(state.wind.strongest_m_s, airframe.wind_limit_m_s))
    return tuple(found)


_BOUND_MARGIN = 1.0 - 1e-4
"""A length in the airspace's plane differs from the geodesic by at most 41 ppm within its reach."""


_distances: list[tuple[Site, dict[str, list[float]]]] = []


def _distances_of(site: Site) -> dict[str, list[float]]:
    """Lower bounds of the distances from every station to every landing point: geodesics, less the plane's
    largest error. Computed once for a site; the last few sites are kept."""
    for known, distances in _distances:
        if known is site:
            return distances
    found = {
        station.station_id: [
            _BOUND_MARGIN * geodesic_distance_m(station.position, point.position)
            for point in site.landing_points
        ]
        for station in site.stations
    }
    _distances.append((site, found))
    del _distances[:-4]
    return found


def _candidate(
    option: _Option,
    verdict: CandidateVerdict,
    why: tuple[Reason, ...],
    time_to_patient_s: float | None = None,
) -> Candidate:
    return Candidate(
        station_id=option.state.drone.station_id,
        drone_id=option.state.drone.drone_id,
        landing_point_id=option.landing_point.landing_point_id,
        verdict=verdict,
        reasons=why,
        time_to_patient_s=time_to_patient_s,
        least_time_to_patient_s=option.bound_s,
    )


def _flyable(
    request: DispatchRequest,
    planned: Sequence[tuple[_Option, _Answer]],
    best: _Answer | None,
    behind: Sequence[_Option],
) -> list[Candidate]:
    unknown = (reasons.floor_unknown(),) if request.floor_of_building is None else ()
    found: list[Candidate] = []
    for option, answer in sorted(planned, key=lambda pair: pair[1].time_to_patient_s):
        time_s = answer.time_to_patient_s
        held = answer.resolution.reason if answer.resolution is not None else None
        known = unknown if held is None else (held, *unknown)
        if answer is best:
            why = (reasons.fastest(time_s), *known)
            found.insert(0, _candidate(option, CandidateVerdict.CHOSEN, why, time_s))
        else:
            why = (reasons.slower_than_chosen(time_s), *known)
            found.append(_candidate(option, CandidateVerdict.POSSIBLE, why, time_s))
    found += [
        _candidate(option, CandidateVerdict.POSSIBLE, (reasons.slower_by_bound(math.floor(option.bound_s)),))
        for option in behind
    ]
    return found


def _declined(site: Site, drone_states: Sequence[DroneState], candidates: Sequence[Candidate]) -> Reason:
    """The one sentence that says most: no drone, no landing point near, or the commonest reason."""
    if not any(state.ready for state in drone_states):
        return reasons.no_drone_ready(len(drone_states))
    counted: dict[str, tuple[int, Reason]] = {}
    for candidate in candidates:
        for reason in candidate.reasons:
            count, _ = counted.get(reason.code, (0, reason))
            counted[reason.code] = (count + 1, reason)
    if not counted:
        return reasons.nothing_to_choose(len(drone_states), len(site.landing_points))
    _, commonest = max(counted.values(), key=lambda pair: pair[0])
    return reasons.no_candidate(len(candidates), commonest)
