"""Every drone with every landing point, judged in arrays: a city has tens of thousands of combinations.

What speaks against a combination before it is planned speaks against its drone alone or against its landing
point alone (for one airframe). So the verdicts of 200 drones and 150 points are 350 judgements and not 30,000,
and the reasons of a combination are put together when somebody asks for them. The same goes for the lower bound of
its time: all but the walk to the patient depends on station, point and airframe, and is computed once for a site.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

import numpy as np
import numpy.typing as npt

from core.geodesy import geodesic_distances_m
from planner import reasons
from planner.airframe import Airframe, DeliveryTerms
from planner.candidates import OCCUPIED_S, DispatchRequest, DroneState, Option
from planner.legs import rest_to_rest_s
from planner.planning import least_time_to_aed_s
from planner.policy import PlanningPolicy
from planner.reasons import Reason
from planner.site import LandingPoint, Site, UsableHours
from planner.task import delivery_terms_for
from planner.walk import carries_s
from planner.weather import objections

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.int64]

_BOUND_MARGIN = 1.0 - 1e-4
"""A length in the airspace's plane differs from the geodesic by at most 41 ppm within its reach."""
_KEPT = 4
"""Chosen: sites and airframes remembered; a hub has one site and a few airframes."""


@dataclass(frozen=True, slots=True, eq=False)
class _Reach:
    """What one airframe can do on one site, whoever the patient is. ``least_s``: station × point, without the walk."""

    terms: tuple[DeliveryTerms | None, ...]
    unfit: tuple[tuple[Reason, ...], ...]
    unfit_counts: Counter[str]
    """Of how many points each of these reasons speaks, by its word."""
    fits: Bools
    least_s: Floats


class _Places:
    """A site in arrays, kept between decisions."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.stations = {station.station_id: number for number, station in enumerate(site.stations)}
        points = site.landing_points
        self.longitudes_deg = np.array([point.position.longitude_deg for point in points])
        self.latitudes_deg = np.array([point.position.latitude_deg for point in points])
        self.exits_s = np.array([point.walk.exit_s for point in points], dtype=np.float64)
        self.detour_factors = np.array([point.walk.detour_factor for point in points], dtype=np.float64)
        self._hours: dict[tuple[UsableHours, ...], list[int]] = {}
        for number, point in enumerate(points):
            self._hours.setdefault(point.hours, []).append(number)
        self._distances_m: Floats | None = None
        self._reaches: list[tuple[Airframe, float, _Reach]] = []

    def distances_m(self) -> Floats:
        """Station × point: lower bounds of the lengths in the airspace's plane."""
        if self._distances_m is None:
            rows = [
                geodesic_distances_m(station.position, self.longitudes_deg, self.latitudes_deg)
                for station in self.site.stations
            ]
            self._distances_m = _BOUND_MARGIN * np.array(rows).reshape(len(rows), len(self.longitudes_deg))
        return self._distances_m

    def closed(self, now: datetime) -> Bools:
        """Which points may not be used for as long as a flight to them takes; most share their hours."""
        until, timezone = now + timedelta(seconds=OCCUPIED_S), self.site.zone_info
        found = np.zeros(len(self.site.landing_points), dtype=np.bool_)
        for numbers in self._hours.values():
            if not self.site.landing_points[numbers[0]].usable_throughout(now, until, timezone):
                found[numbers] = True
        return found

    def reach(self, airframe: Airframe, policy: PlanningPolicy) -> _Reach:
        """What ``airframe`` can do here."""
        for known, minimum_agl_m, found in self._reaches:
            if known is airframe and minimum_agl_m == policy.minimum_agl_m:
                return found
        found = self._worked_out(airframe, policy.minimum_agl_m)
        self._reaches.append((airframe, policy.minimum_agl_m, found))
        del self._reaches[:-_KEPT]
        return found

    def _worked_out(self, airframe: Airframe, minimum_agl_m: float) -> _Reach:
        points = self.site.landing_points
        terms = tuple(delivery_terms_for(airframe, point.delivery_methods) for point in points)
        unfit = tuple(
            (reasons.no_common_delivery_method(),) if how is None else _unfit(point, how)
            for point, how in zip(points, terms, strict=True)
        )
        # Everything but the cruise depends on the two heights of ground alone.
        vertical_s: dict[tuple[float, float, str], float] = {}
        least_s = np.full((len(self.site.stations), len(points)), np.nan)
        distances_m = self.distances_m()
        for row, station in enumerate(self.site.stations):
            for column, (point, how) in enumerate(zip(points, terms, strict=True)):
                if how is None:
                    continue
                key = (station.ground_amsl_m, point.ground_amsl_m, how.method)
                fixed_s = vertical_s.get(key)
                if fixed_s is None:
                    lowest_m = max(station.ground_amsl_m, point.ground_amsl_m) + minimum_agl_m
                    fixed_s = vertical_s[key] = least_time_to_aed_s(
                        airframe,
                        how,
                        0.0,
                        lowest_m - station.ground_amsl_m,
                        lowest_m - point.ground_amsl_m - how.hover_height_agl_m,
                    )
                least_s[row, column] = fixed_s + rest_to_rest_s(
                    float(distances_m[row, column]), airframe.ground_speed_max_m_s, airframe.acceleration_m_s2
                )
        counts = Counter(reason.code for against in unfit for reason in against)
        return _Reach(
            terms, unfit, counts, np.array([not against for against in unfit], dtype=np.bool_), least_s
        )


_places: list[_Places] = []


def places_of(site: Site) -> _Places:
    """Worked out once for a site; the last few sites are kept."""
    for known in _places:
        if known.site is site:
            return known
    found = _Places(site)
    _places.append(found)
    del _places[:-_KEPT]
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Kind:
    """The drones of one airframe (None: its file is missing), and which points nothing is against for them."""

    airframe: Airframe | None
    reach: _Reach | None
    usable: Bools


class Combinations:
    """All drones × landing points for one request: which may be planned, and why the others may not.

    Numbers of drones and points are positions in ``drone_states`` and ``site.landing_points``.
    """

    def __init__(
        self,
        request: DispatchRequest,
        site: Site,
        drone_states: Sequence[DroneState],
        airframes: Mapping[str, Airframe],
        policy: PlanningPolicy,
        now: datetime,
    ) -> None:
        self.states, self.points = drone_states, site.landing_points
        self._policy = policy
        places = places_of(site)
        self.distances_m = geodesic_distances_m(request.patient, places.longitudes_deg, places.latitudes_deg)
        """From the patient to every point."""
        self.carries_s = carries_s(
            self.distances_m, places.exits_s, places.detour_factors, request.floor_of_building
        )
        """From every point to the patient on foot."""
        self._closed = places.closed(now)
        self._too_far = self.carries_s > policy.carry_limit_s
        self._first_of: dict[str, int] = {}
        for number, state in enumerate(drone_states):
            self._first_of.setdefault(state.drone.airframe_id, number)
        self._kinds = {name: self._kind(places, airframes.get(name)) for name in self._first_of}
        self._kind_of = [self._kinds[state.drone.airframe_id] for state in drone_states]
        self.against_drone = [
            _against_known_drone(state, kind.airframe, policy)
            for state, kind in zip(drone_states, self._kind_of, strict=True)
        ]
        self._against_point: dict[tuple[str, int], tuple[Reason, ...]] = {}
        self._rank(places)

    def _kind(self, places: _Places, airframe: Airframe | None) -> _Kind:
        free = ~(self._closed | self._too_far)
        if airframe is None:
            return _Kind(None, None, free)
        reach = places.reach(airframe, self._policy)
        return _Kind(airframe, reach, free & reach.fits)

    def _rank(self, places: _Places) -> None:
        """The combinations that may be planned, by their lower bound; the order of the lists decides between equals."""
        drones: list[Indices] = []
        columns: list[Indices] = []
        bounds: list[Floats] = []
        for kind in self._kinds.values():
            usable = np.flatnonzero(kind.usable)
            ready = [
                number
                for number, against in enumerate(self.against_drone)
                if not against and self._kind_of[number] is kind
            ]
            if not ready or not len(usable) or kind.reach is None:
                continue
            numbers = np.array(ready, dtype=np.int64)
            rows = np.array([places.stations[self.states[number].drone.station_id] for number in ready])
            drones.append(np.repeat(numbers, len(usable)))
            columns.append(np.tile(usable, len(ready)))
            bounds.append((kind.reach.least_s[np.ix_(rows, usable)] + self.carries_s[usable]).ravel())
        if not bounds:
            self.ranked_drones = self.ranked_points = np.empty(0, dtype=np.int64)
            self.bounds_s = np.empty(0)
            return
        drone, point, bound_s = np.concatenate(drones), np.concatenate(columns), np.concatenate(bounds)
        order = np.lexsort((point, drone, bound_s))
        self.ranked_drones, self.ranked_points = drone[order], point[order]
        self.bounds_s = bound_s[order]

    def __len__(self) -> int:
        """How many drones × points there are."""
        return len(self.states) * len(self.points)

    @property
    def possible(self) -> int:
        """How many of them nothing rules out before planning."""
        return len(self.bounds_s)

    def option(self, rank: int) -> Option:
        """The combination with the ``rank``-th lowest bound."""
        return self._option(
            int(self.ranked_drones[rank]), int(self.ranked_points[rank]), float(self.bounds_s[rank])
        )

    def options_of(self, state: DroneState) -> list[Option]:
        """Those of one drone, by their bound."""
        number = next(number for number, known in enumerate(self.states) if known is state)
        return [self.option(rank) for rank in np.flatnonzero(self.ranked_drones == number).tolist()]

    def _option(self, drone: int, point: int, bound_s: float) -> Option:
        state, kind = self.states[drone], self._kind_of[drone]
        assert kind.airframe is not None
        assert kind.reach is not None
        assert state.wind is not None
        terms = kind.reach.terms[point]
        assert terms is not None, "an unfit point is no option"
        return Option(
            bound_s,
            state,
            self.points[point],
            kind.airframe,
            terms,
            state.wind,
            float(self.carries_s[point]),
        )

    # Those that may not be planned

    def against(self, drone: int, point: int) -> tuple[Reason, ...]:
        """Everything that is against this combination before it is planned; empty where it may be."""
        return self.against_drone[drone] + self.against_point(drone, point)

    def against_all(self, point: int) -> list[tuple[Reason, ...]]:
        """:meth:`against` of every drone with this point. Equal ones are mostly the very same."""
        theirs = {kind: self.against_point(drone, point) for kind, drone in self._first_of.items()}
        if len(theirs) == 1:
            (their,) = theirs.values()
            # By identity: what is against drones is kept here for as long as it is compared.
            joint = {id(own): own + their for own in {id(own): own for own in self.against_drone}.values()}
            return [joint[id(own)] for own in self.against_drone]
        return [
            own + theirs[state.drone.airframe_id]
            for state, own in zip(self.states, self.against_drone, strict=True)
        ]

    def against_point(self, drone: int, point: int) -> tuple[Reason, ...]:
        """What is against the point for this drone's airframe."""
        key = (self.states[drone].drone.airframe_id, point)
        known = self._against_point.get(key)
        if known is None:
            reach = self._kind_of[drone].reach
            found = [reasons.landing_point_closed()] if self._closed[point] else []
            if self._too_far[point]:
                found.append(reasons.carry_too_long(float(self.carries_s[point]), self._policy.carry_limit_s))
            known = self._against_point[key] = (*found, *(reach.unfit[point] if reach is not None else ()))
        return known

    @cached_property
    def refusals(self) -> Counter[str]:
        """How often each reason speaks against a combination, without making one of them. Not to be changed."""
        counted: Counter[str] = Counter()
        for against in self.against_drone:
            for reason in against:
                counted[reason.code] += len(self.points)
        sizes = Counter(state.drone.airframe_id for state in self.states)
        closed, too_far = int(self._closed.sum()), int(self._too_far.sum())
        for airframe_id, size in sizes.items():
            counted["landing_point_closed"] += size * closed
            counted["carry_too_long"] += size * too_far
            reach = self._kinds[airframe_id].reach
            for code, count in () if reach is None else reach.unfit_counts.items():
                counted[code] += size * count
        return +counted

    def example(self, code: str) -> Reason | None:
        """The first reason of that word against a drone, or against the nearest point."""
        for against in self.against_drone:
            for reason in against:
                if reason.code == code:
                    return reason
        for drone in self._first_of.values():
            for point in self.nearest:
                for reason in self.against_point(drone, point):
                    if reason.code == code:
                        return reason
        return None

    @cached_property
    def nearest(self) -> list[int]:
        """The points, nearest to the patient first."""
        return [int(point) for point in np.argsort(self.distances_m, kind="stable")]


def _unfit(point: LandingPoint, terms: DeliveryTerms) -> tuple[Reason, ...]:
    """What the survey says against putting the AED down here this way."""
    found = []
    if point.clear_radius_m < terms.clear_radius_m:
        found.append(reasons.landing_point_too_small(point.clear_radius_m, terms.clear_radius_m))
    if point.slope_deg > terms.max_slope_deg:
        found.append(reasons.landing_point_too_steep(point.slope_deg, terms.max_slope_deg))
    return tuple(found)


_against: dict[int, tuple[DroneState, Airframe | None, PlanningPolicy, tuple[Reason, ...]]] = {}
_JUDGED = 1024
"""Chosen: drones' states remembered with what is against them; five looks at a fleet of two hundred."""


def _against_known_drone(
    state: DroneState, airframe: Airframe | None, policy: PlanningPolicy
) -> tuple[Reason, ...]:
    """As :func:`_against_drone`, once for each state: requests that are decided together share them."""
    known = _against.get(id(state))
    if known is not None and known[0] is state and known[1] is airframe and known[2] is policy:
        return known[3]
    if len(_against) >= _JUDGED:
        _against.clear()
    found = _against_drone(state, airframe, policy)
    _against[id(state)] = (state, airframe, policy, found)
    return found


def _against_drone(
    state: DroneState, airframe: Airframe | None, policy: PlanningPolicy
) -> tuple[Reason, ...]:
    found: list[Reason] = []
    if not state.ready:
        found.append(reasons.drone_not_ready(state.not_ready_reasons))
    if airframe is None:
        found.append(reasons.unknown_airframe(state.drone.airframe_id))
    if state.wind is None:
        found.append(reasons.wind_unknown())
    elif airframe is not None and state.wind.strongest_m_s > airframe.wind_limit_m_s:
        found.append(reasons.wind_above_limit(state.wind.strongest_m_s, airframe.wind_limit_m_s))
    if airframe is not None:
        found.extend(objections(state.weather, airframe.weather, policy.weather_required))
    return tuple(found)
