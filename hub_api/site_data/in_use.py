"""What of the site may not be touched now, and why: open flights keep what they were planned with.

A thing that another one needs, or that an open flight flies from, to or with, can't be taken away; nor may what the
flight relies on be moved under it. Names, hours, surveys and the like may change at any time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hub_api.site_data.book import Item, Section
from planner.airframe import Airframe
from planner.flight_plan import FlightPlan
from planner.site import Drone, LandingPoint, Site, Station


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a change is refused now, in English and Chinese."""

    field: str
    detail: str
    detail_zh: str


@dataclass(frozen=True, slots=True)
class OpenPlan:
    """An open flight and the plan that it follows."""

    flight_id: str
    plan: FlightPlan

    @property
    def places(self) -> set[str]:
        """Every landing point that the flight may serve."""
        return {
            self.plan.landing_point_id,
            *(alternate.landing_point_id for alternate in self.plan.alternates),
        }


def against_removal(
    section: Section, item_id: str, site: Site, flights: Sequence[OpenPlan]
) -> Objection | None:
    """Why the item can't be taken away; None if it can."""
    if section == "stations":
        standing = [drone.drone_id for drone in site.drones if drone.station_id == item_id]
        if standing:
            names = ", ".join(standing)
            return Objection(
                "station_id", f"{names} stand there; move them first", f"{names} 仍在该站点，请先迁移"
            )
    if section == "landing_points":
        naming = [point.landing_point_id for point in site.landing_points if item_id in point.alternates]
        if naming:
            names = ", ".join(naming)
            return Objection(
                "landing_point_id", f"it is an alternate of {names}", f"它是 {names} 的备选投送点"
            )
    if section == "airframes":
        flying = [drone.drone_id for drone in site.drones if drone.airframe_id == item_id]
        if flying:
            names = ", ".join(flying)
            return Objection("airframe_id", f"{names} are of it", f"{names} 属于该机型")
    return _in_flight(section, item_id, flights)


def against_change(
    section: Section, item_id: str, before: Item, after: Item, flights: Sequence[OpenPlan]
) -> Objection | None:
    """Why the item can't be changed that way while a flight uses it; None if it can."""
    relied = False
    match before, after:
        case Station(), Station():
            relied = (before.position, before.ground_amsl_m) != (after.position, after.ground_amsl_m)
        case LandingPoint(), LandingPoint():
            relied = (before.position, before.ground_amsl_m) != (after.position, after.ground_amsl_m)
        case Drone(), Drone():
            relied = before != after
        case Airframe(), Airframe():
            relied = before != after
    return _in_flight(section, item_id, flights) if relied else None


def _in_flight(section: Section, item_id: str, flights: Sequence[OpenPlan]) -> Objection | None:
    using = [
        flight.flight_id
        for flight in flights
        if (section == "stations" and flight.plan.station_id == item_id)
        or (section == "landing_points" and item_id in flight.places)
        or (section == "drones" and flight.plan.drone_id == item_id)
        or (section == "airframes" and flight.plan.airframe_id == item_id)
    ]
    if not using:
        return None
    names = ", ".join(using)
    return Objection(
        "id",
        f"open flights rely on it: {names}; try again when they have ended",
        f"未结束的飞行正在使用：{names}，请在其结束后再试",
    )
