"""The places that a flight under way may be sent to instead: to land there, or to deliver there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, get_args

from core.geodesy import Wgs84Point
from planner.flight_plan import FlightPlan
from planner.reasons import Reason
from planner.replan import Refuge
from planner.site import EmergencySite, LandingPoint, Site, Station

PlaceKind = Literal["rally_point", "station", "emergency_site", "landing_point"]
PLACE_KINDS: tuple[PlaceKind, ...] = get_args(PlaceKind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One of them. ``landing_point``: the AED is delivered there; None: the drone lands there, AED aboard or not.

    A rally point is called by its number in the plan, from 0; every other place by its own id.
    """

    kind: PlaceKind
    place_id: str
    name: str
    name_zh: str
    position: Wgs84Point
    ground_amsl_m: float
    landing_point: LandingPoint | None = None

    @property
    def refuge(self) -> Refuge:
        """As the planner takes a place to land at."""
        return Refuge(
            name=self.name, name_zh=self.name_zh, position=self.position, ground_amsl_m=self.ground_amsl_m
        )


def places_for(site: Site, plan: FlightPlan) -> tuple[Place, ...]:
    """Every place that the flight of ``plan`` may be sent to: its rally points, the other stations and emergency sites,
    the other landing points. What is a rally point of the plan is not named a second time as a place to land."""
    rally = tuple(_rally_points(site, plan))
    at_rally = {place.position for place in rally}
    return (
        *rally,
        *(
            place
            for place in _to_land(site)
            if place.position not in at_rally and place.position != plan.home.position
        ),
        *(
            _delivery(point)
            for point in site.landing_points
            if not plan.delivers or point.landing_point_id != plan.landing_point_id
        ),
    )


def place_of(site: Site, plan: FlightPlan, kind: str, place_id: str) -> Place | None:
    """The place of that kind and id; None where there is none, or where the flight goes anyway."""
    if kind == "rally_point":
        return next((each for each in _rally_points(site, plan) if each.place_id == place_id), None)
    everything: Iterator[Place] = iter((*_to_land(site), *map(_delivery, site.landing_points)))
    return next((each for each in everything if (each.kind, each.place_id) == (kind, place_id)), None)


def _rally_points(site: Site, plan: FlightPlan) -> Iterator[Place]:
    """Those whose ground is known: all, unless the site was changed under the flight."""
    ground = {place.position: place for place in (*_to_land(site), *map(_delivery, site.landing_points))}
    for number, point in enumerate(plan.rally_points):
        known = ground.get(point.position)
        if known is not None:
            yield replace(known, kind="rally_point", place_id=str(number), landing_point=None)


def _to_land(site: Site) -> Iterator[Place]:
    for station in site.stations:
        yield _place("station", station.station_id, station)
    for refuge in site.emergency_sites:
        yield _place("emergency_site", refuge.emergency_site_id, refuge)


def _delivery(point: LandingPoint) -> Place:
    return replace(_place("landing_point", point.landing_point_id, point), landing_point=point)


def _place(kind: PlaceKind, place_id: str, of: Station | EmergencySite | LandingPoint) -> Place:
    return Place(
        kind=kind,
        place_id=place_id,
        name=of.name,
        name_zh=of.name_zh,
        position=of.position,
        ground_amsl_m=of.ground_amsl_m,
    )


def refusal_of(
    place: Place,
    plan: FlightPlan,
    *,
    aed_aboard: bool,
    serves: Callable[[str], bool],
) -> Reason | None:
    """What is known against a place without asking the planner; None: the planner is asked. ``serves``: whether the
    patient is reached on foot in time from a landing point that may be used now."""
    if place.landing_point is None:
        if plan.lands_at is not None and plan.lands_at.position == place.position:
            return Reason("goes_there", "The flight goes there already.", "已在飞往该处。")
        return None
    if not aed_aboard:
        return Reason(
            "nothing_to_deliver",
            "The AED was released or the delivery given up: it can only land somewhere.",
            "AED已投放或投送已取消，只能选择降落地点。",
        )
    if plan.delivers and plan.landing_point_id == place.place_id:
        return Reason("goes_there", "The flight goes there already.", "已在飞往该处。")
    if not serves(place.place_id):
        return Reason(
            "does_not_serve",
            "From this landing point the patient is not reached on foot in time, or it may not be used now.",
            "从该投放点步行无法及时到达患者，或当前不在可用时段。",
        )
    return None
