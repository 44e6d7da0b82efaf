"""Where stations should stand: the p of the candidates that save the most, proved optimal, for p = 1 … P.

Two classic problems, both weighted by survival and solved as mixed-integer programs by HiGHS:

- *p-median*: every incident is served by the best open station; the expected survivors count;
- *maximal cover*: the same, but only an AED that arrives within ``cover_s`` counts.

An incident's gain from a station is weight × (survival with the drone − survival with the ambulance alone), so a
station never looks useful where the ambulance is first. With ``max_landing_points`` the landing points are
chosen too; without, every candidate point may be used, and the best one for each pair is found before the search.

    maximise  Σ gain[i,k] · x[i,k]     x[i,k] ≤ open(station of k), x[i,k] ≤ open(point of k), Σ_k x[i,k] ≤ 1,
                                       Σ open(station) ≤ p, Σ open(point) ≤ L

x may be continuous: for fixed open places the best x is 0 or 1. Caution about the figures: :mod:`planner.survival`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from core.geodesy import Wgs84Point, geodesic_distance_m
from planner.checks import check_number, check_text, check_unique, refuse
from planner.siting_solver import Choice, solve
from planner.survival import HelpTimes, SurvivalModel
from planner.walk import WALKING_SPEED_M_S

DEFAULT_DETOUR_FACTOR = 1.3
"""Chosen: between a straight line and a street grid's worst (1.41)."""

Matrix = npt.NDArray[np.float64]


class SitingObjective(StrEnum):
    """What is maximised."""

    P_MEDIAN = "p_median"
    MAXIMAL_COVER = "maximal_cover"


@dataclass(frozen=True, slots=True, kw_only=True)
class SitingIncident:
    """Where an arrest happened or is expected. ``weight`` counts them (a count, or a rate for each year).

    ``ambulance_s``: from the call until the ambulance's defibrillator is there; None: there is none in this
    comparison. ``cpr_s``: until the first hands, for models that need it.
    """

    incident_id: str
    position: Wgs84Point
    weight: float
    ambulance_s: float | None = None
    cpr_s: float | None = None

    def __post_init__(self) -> None:
        check_text("incident_id", self.incident_id)
        check_number("weight", self.weight, above=0.0)
        for field in ("ambulance_s", "cpr_s"):
            if getattr(self, field) is not None:
                check_number(field, getattr(self, field), minimum=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class StationCandidate:
    """A place where a station could stand."""

    station_id: str
    name: str
    position: Wgs84Point

    def __post_init__(self) -> None:
        check_text("station_id", self.station_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class LandingCandidate:
    """A place where the AED could be put down. See :class:`planner.site.Walk` for the way from there."""

    landing_point_id: str
    name: str
    position: Wgs84Point
    detour_factor: float = DEFAULT_DETOUR_FACTOR
    exit_s: float = 0.0

    def __post_init__(self) -> None:
        check_text("landing_point_id", self.landing_point_id)
        check_number("detour_factor", self.detour_factor, minimum=1.0, maximum=5.0)
        check_number("exit_s", self.exit_s, minimum=0.0, maximum=3600.0)


FlightTime = Callable[[Wgs84Point, Wgs84Point], float | None]
"""Seconds from the call until the AED stands on the ground, or None where the drone can't fly there.
:class:`planner.siting_flight.StraightFlight` is the lower bound; a call of the planner gives real ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SitingTask:
    """The whole question. Without landing candidates the AED is put down at the incident itself."""

    incidents: tuple[SitingIncident, ...]
    stations: tuple[StationCandidate, ...]
    landing_points: tuple[LandingCandidate, ...]
    objective: SitingObjective
    model: SurvivalModel
    max_stations: int
    max_landing_points: int | None = None
    cover_s: float = 300.0
    carry_limit_s: float = 900.0
    time_limit_s: float = 60.0

    def __post_init__(self) -> None:
        for field in ("incidents", "stations"):
            if not getattr(self, field):
                raise refuse(field, "at least one is needed")
        check_unique("incidents", [incident.incident_id for incident in self.incidents])
        check_unique("stations", [station.station_id for station in self.stations])
        check_unique("landing_points", [point.landing_point_id for point in self.landing_points])
        if not 1 <= self.max_stations <= len(self.stations):
            raise refuse("max_stations", f"{self.max_stations} must be 1 … {len(self.stations)} (candidates)")
        if self.max_landing_points is not None and not 1 <= self.max_landing_points <= len(
            self.landing_points
        ):
            raise refuse(
                "max_landing_points",
                f"{self.max_landing_points} must be 1 … {len(self.landing_points)} (candidates)",
            )
        check_number("cover_s", self.cover_s, above=0.0)
        check_number("carry_limit_s", self.carry_limit_s, minimum=0.0)
        check_number("time_limit_s", self.time_limit_s, above=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """Who serves an incident; all None where no drone beats the ambulance."""

    incident_id: str
    station_id: str | None
    landing_point_id: str | None
    drone_s: float | None
    survival: float
    survival_without: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GainPoint:
    """One number of stations. ``gap`` is how far the bound lies above the value, relative; 0 is proved optimal.

    ``expected_survivors`` counts all incidents, ambulance included; ``served_weight`` those that a drone reaches
    first, ``mean_drone_s`` their weighted mean time, None where there are none.
    """

    stations: int
    station_ids: tuple[str, ...]
    expected_survivors: float
    gained_survivors: float
    served_weight: float
    mean_drone_s: float | None
    gap: float
    proved_optimal: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SitingProposal:
    """The answer: the places, who serves whom, and what each further station brings."""

    objective: SitingObjective
    model: str
    total_weight: float
    survivors_without: float
    station_ids: tuple[str, ...]
    landing_point_ids: tuple[str, ...]
    assignments: tuple[Assignment, ...]
    curve: tuple[GainPoint, ...]
    extrapolated_weight: float


def propose(task: SitingTask, flight_time: FlightTime) -> SitingProposal:
    """The best places for 1 … ``max_stations`` stations; the proposal's own are those of the largest number.

    The best places for p + 1 need not contain those for p. Deterministic as long as no search hits its
    ``time_limit_s``; one that does says so by its gap.
    """
    table = _Table(task, flight_time)
    points = []
    choice = Choice(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), 0.0, 0.0, True)
    for number in range(1, task.max_stations + 1):
        choice = solve(
            table.gains,
            table.station_of,
            table.point_of,
            stations=len(task.stations),
            points=len(task.landing_points) if task.max_landing_points is not None else 0,
            max_stations=number,
            max_points=task.max_landing_points,
            time_limit_s=task.time_limit_s,
        )
        points.append(table.gain_point(number, choice))
    assignments = table.assignments(choice)
    used = {assignment.landing_point_id for assignment in assignments}
    return SitingProposal(
        objective=task.objective,
        model=str(task.model.name),
        total_weight=float(table.weights.sum()),
        survivors_without=float((table.weights * table.without).sum()),
        station_ids=points[-1].station_ids,
        landing_point_ids=tuple(
            point.landing_point_id for point in task.landing_points if point.landing_point_id in used
        ),
        assignments=assignments,
        curve=tuple(points),
        extrapolated_weight=table.extrapolated(assignments),
    )


class _Table:
    """Incidents × pairs (station, landing point): times, survival and gains."""

    def __init__(self, task: SitingTask, flight_time: FlightTime) -> None:
        self.task = task
        self.weights = np.array([incident.weight for incident in task.incidents])
        self.without = np.array([_ambulance_survival(task.model, one) for one in task.incidents])
        self.times_s, self.station_of, self.point_of, self.best_point = _times(task, flight_time)
        self.survival = np.array(
            [
                [_survival(task.model, incident, seconds) for seconds in row]
                for incident, row in zip(task.incidents, self.times_s, strict=True)
            ]
        ).reshape(self.times_s.shape)
        counted = self.times_s <= (
            task.cover_s if task.objective is SitingObjective.MAXIMAL_COVER else math.inf
        )
        better = np.where(counted, self.survival - self.without[:, None], 0.0)
        self.gains: Matrix = np.maximum(0.0, better) * self.weights[:, None]

    def serving(self, choice: Choice) -> npt.NDArray[np.int64]:
        """For each incident the best open pair, −1 where none gains. Ties: the faster, then the first."""
        is_open = np.isin(self.station_of, choice.stations)
        if self.task.max_landing_points is not None:
            is_open &= np.isin(self.point_of, choice.points)
        result = np.full(len(self.weights), -1, dtype=np.int64)
        for number, row in enumerate(self.gains):
            useful = np.flatnonzero(is_open & (row > 0.0))
            if len(useful):
                order = np.lexsort((self.times_s[number, useful], -row[useful]))
                result[number] = useful[order[0]]
        return result

    def gain_point(self, number: int, choice: Choice) -> GainPoint:
        serving = self.serving(choice)
        served = np.flatnonzero(serving >= 0)
        gained = float(self.gains[served, serving[served]].sum())
        weight = float(self.weights[served].sum())
        times = self.times_s[served, serving[served]]
        return GainPoint(
            stations=number,
            station_ids=tuple(self.task.stations[index].station_id for index in choice.stations),
            expected_survivors=float((self.weights * self.without).sum()) + gained,
            gained_survivors=gained,
            served_weight=weight,
            mean_drone_s=float((times * self.weights[served]).sum() / weight) if len(served) else None,
            gap=choice.gap,
            proved_optimal=choice.proved,
        )

    def assignments(self, choice: Choice) -> tuple[Assignment, ...]:
        found = []
        for number, pair in enumerate(self.serving(choice).tolist()):
            incident = self.task.incidents[number]
            point = int(self.best_point[number, pair]) if pair >= 0 else -1
            found.append(
                Assignment(
                    incident_id=incident.incident_id,
                    station_id=self.task.stations[self.station_of[pair]].station_id if pair >= 0 else None,
                    landing_point_id=self.task.landing_points[point].landing_point_id if point >= 0 else None,
                    drone_s=float(self.times_s[number, pair]) if pair >= 0 else None,
                    survival=float(self.survival[number, pair] if pair >= 0 else self.without[number]),
                    survival_without=float(self.without[number]),
                )
            )
        return tuple(found)

    def extrapolated(self, assignments: Sequence[Assignment]) -> float:
        """Weight of incidents whose probability lies beyond what the model is trusted for."""
        limit_s = 60.0 * self.task.model.valid_to_min
        total = 0.0
        for incident, assignment in zip(self.task.incidents, assignments, strict=True):
            first_s = min(_or_never(assignment.drone_s), _or_never(incident.ambulance_s))
            total += incident.weight if limit_s < first_s < math.inf else 0.0
        return total


def _times(
    task: SitingTask, flight_time: FlightTime
) -> tuple[Matrix, npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Seconds to the patient for incidents × pairs; the pairs' stations and points; the point used."""
    stations, points, incidents = task.stations, task.landing_points, task.incidents
    if not points:
        direct = np.array(
            [[_or_never(flight_time(s.position, i.position)) for s in stations] for i in incidents]
        )
        numbers = np.arange(len(stations))
        return direct, numbers, np.full(len(stations), -1), np.full(direct.shape, -1)
    flights = np.array([[_or_never(flight_time(s.position, p.position)) for p in points] for s in stations])
    carries = np.array([[_carry_s(point, incident) for point in points] for incident in incidents])
    carries[carries > task.carry_limit_s] = math.inf
    whole = carries[:, None, :] + flights[None, :, :]
    if task.max_landing_points is not None:
        shape = (len(incidents), len(stations) * len(points))
        point_of = np.tile(np.arange(len(points)), len(stations))
        return (
            whole.reshape(shape),
            np.repeat(np.arange(len(stations)), len(points)),
            point_of,
            np.broadcast_to(point_of, shape),
        )
    best = whole.argmin(axis=2)
    numbers = np.arange(len(stations))
    return whole.min(axis=2), numbers, np.full(len(stations), -1), best


def _carry_s(point: LandingCandidate, incident: SitingIncident) -> float:
    """Floors are left out: the same for every choice, they change no ranking; the figures lack them."""
    distance_m = geodesic_distance_m(point.position, incident.position)
    return point.exit_s + distance_m * point.detour_factor / WALKING_SPEED_M_S


def _survival(model: SurvivalModel, incident: SitingIncident, drone_s: float) -> float:
    """With the drone and the ambulance, whichever is first; 0 where neither ever comes."""
    first_s = min(drone_s, _or_never(incident.ambulance_s))
    if math.isinf(first_s):
        return 0.0
    return model.survival(
        HelpTimes(
            defibrillation_min=first_s / 60.0,
            cpr_min=None if incident.cpr_s is None else incident.cpr_s / 60.0,
            advanced_care_min=None if incident.ambulance_s is None else incident.ambulance_s / 60.0,
        )
    )


def _ambulance_survival(model: SurvivalModel, incident: SitingIncident) -> float:
    return _survival(model, incident, math.inf)


def _or_never(seconds: float | None) -> float:
    return math.inf if seconds is None else seconds
