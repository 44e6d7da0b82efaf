"""Where a drone may come down when it must: candidates for rally points at one site."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from core.geodesy import Wgs84Point
from geofences.model import TimeWindow
from planner.contingency import CLEARANCE_FACTOR
from planner.site import Site
from planner.space import Space

XY = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Refuge:
    """A place to come down: a pad, an emergency site, or a landing point surveyed as fit for it."""

    position: Wgs84Point
    xy_m: XY
    ground_amsl_m: float


def refuges_of(site: Site, space: Space) -> tuple[Refuge, ...]:
    """Every refuge of the site in the space's frame."""
    places = [
        *((station.position, station.ground_amsl_m) for station in site.stations),
        *((place.position, place.ground_amsl_m) for place in site.emergency_sites),
        *((point.position, point.ground_amsl_m) for point in site.landing_points if point.emergency_landing),
    ]
    if not places:
        return ()
    projected = space.frame.project([(p.longitude_deg, p.latitude_deg) for p, _ in places])
    return tuple(
        Refuge(position, (float(x), float(y)), ground_amsl_m)
        for (position, ground_amsl_m), (x, y) in zip(places, projected, strict=True)
    )


def open_refuges(
    space: Space, refuges: Sequence[Refuge], cruise_amsl_m: float, window: TimeWindow
) -> tuple[Refuge, ...]:
    """Those over which a drone may come down from ``cruise_amsl_m`` to the ground, flight geography kept."""
    if not refuges:
        return ()
    lowest_m = min(refuge.ground_amsl_m for refuge in refuges)
    mask = space.mask(min(lowest_m, cruise_amsl_m), cruise_amsl_m, window)
    points = shapely.points([refuge.xy_m for refuge in refuges])
    closed = space.blocked(points, CLEARANCE_FACTOR * space.corridor.flight_geography_m, mask)
    keep_in = space.keep_in(cruise_amsl_m, cruise_amsl_m, window)
    if keep_in is not None:
        closed = closed | ~shapely.covers(keep_in.inner, points)
    return tuple(refuges[index] for index in np.flatnonzero(~closed).tolist())
