"""What may be asked and answered about combinations, and which of them nothing rules out before planning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from core.geodesy import Wgs84Point, geodesic_distance_m
from planner import reasons
from planner.airframe import Airframe, DeliveryTerms
from planner.checks import check_aware, check_number, refuse
from planner.legs import rest_to_rest_s
from planner.planning import least_time_to_aed_s
from planner.policy import PlanningPolicy
from planner.reasons import Reason
from planner.site import Drone, LandingPoint, Site
from planner.task import delivery_terms_for
from planner.walk import carry_s
from planner.wind import Wind

OCCUPIED_S = 900.0
"""Chosen: a landing point must stay usable for a quarter of an hour, longer than any flight to it."""


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


class Candidate(NamedTuple):
    """One drone with one landing point. ``time_to_patient_s`` is planned, None where no plan was made;
    ``least_time_to_patient_s`` the lower bound, None where the combination was out before.

    A tuple, because a city has tens of thousands of combinations and each gets one."""

    station_id: str
    drone_id: str
    landing_point_id: str
    verdict: CandidateVerdict
    reasons: tuple[Reason, ...]
    time_to_patient_s: float | None
    least_time_to_patient_s: float | None


@dataclass(frozen=True, slots=True)
class Option:
    """A combination that may be planned."""

    bound_s: float
    state: DroneState
    landing_point: LandingPoint
    airframe: Airframe
    terms: DeliveryTerms
    wind: Wind
    carry_s: float


def options_for(
    request: DispatchRequest,
    site: Site,
    drone_states: Sequence[DroneState],
    airframes: Mapping[str, Airframe],
    policy: PlanningPolicy,
    now: datetime,
    refused: list[Candidate],
) -> list[Option]:
    """Combinations that nothing rules out before planning; the others go to ``refused``."""
    points = site.landing_points
    timezone = site.zone_info
    until = now + timedelta(seconds=OCCUPIED_S)
    closed = [not point.usable_throughout(now, until, timezone) for point in points]
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
    options: list[Option] = []
    out = CandidateVerdict.REFUSED
    distances = _distances_of(site)
    vertical_s: dict[tuple[str, str, float, float], float] = {}
    # What is against the points depends on the airframe, not on the drone.
    judged: dict[str, list[tuple[DeliveryTerms | None, tuple[Reason, ...]]]] = {}
    for state in drone_states:
        drone = state.drone
        airframe = airframes.get(drone.airframe_id)
        against_drone = _against_drone(state, airframe)
        station = site.station(drone.station_id)
        verdicts = judged.get(drone.airframe_id)
        if verdicts is None:
            verdicts = judged[drone.airframe_id] = _against_points(points, against_point, airframe)
        for index, (point, (terms, against_it)) in enumerate(zip(points, verdicts, strict=True)):
            against = against_drone + against_it
            if against or airframe is None or terms is None or state.wind is None:
                refused.append(
                    Candidate(
                        drone.station_id, drone.drone_id, point.landing_point_id, out, against, None, None
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
            options.append(Option(bound_s, state, point, airframe, terms, state.wind, carries[index]))
    return options


def _against_points(
    points: Sequence[LandingPoint], known: Sequence[tuple[Reason, ...]], airframe: Airframe | None
) -> list[tuple[DeliveryTerms | None, tuple[Reason, ...]]]:
    """For every point how this airframe would deliver there, and what is against it beside what is ``known``."""
    if airframe is None:
        return [(None, against) for against in known]
    terms_of = {
        methods: delivery_terms_for(airframe, methods)
        for methods in {point.delivery_methods for point in points}
    }
    found: list[tuple[DeliveryTerms | None, tuple[Reason, ...]]] = []
    for point, against in zip(points, known, strict=True):
        terms = terms_of[point.delivery_methods]
        more = (reasons.no_common_delivery_method(),) if terms is None else _unfit(point, terms)
        found.append((terms, against + more))
    return found


def _unfit(point: LandingPoint, terms: DeliveryTerms) -> tuple[Reason, ...]:
    """What the survey says against putting the AED down here this way."""
    if point.clear_radius_m >= terms.clear_radius_m and point.slope_deg <= terms.max_slope_deg:
        return ()
    found = []
    if point.clear_radius_m < terms.clear_radius_m:
        found.append(reasons.landing_point_too_small(point.clear_radius_m, terms.clear_radius_m))
    if point.slope_deg > terms.max_slope_deg:
        found.append(reasons.landing_point_too_steep(point.slope_deg, terms.max_slope_deg))
    return tuple(found)


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
