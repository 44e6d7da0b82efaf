"""Where a drone may come down when it must: candidates for rally points at one site."""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import shapely

from core.geodesy import Wgs84Point
from geofences.model import TimeWindow
from planner.site import Site
from planner.space import KeepIn, Space

_KEPT = 4
"""Chosen: sites remembered for one space; there is one, and tests have a few."""


@dataclass(frozen=True, slots=True, eq=False)
class Refuges:
    """Pads, emergency sites and landing points surveyed as fit for it, in a space's frame.

    ``near_place``, ``near_obstacle``: every pair of a place and an obstacle that is too close to come down
    there while it stands.
    """

    positions: tuple[Wgs84Point, ...]
    xy_m: npt.NDArray[np.float64]
    points: npt.NDArray[np.object_]
    lowest_ground_amsl_m: float
    near_place: npt.NDArray[np.int64]
    near_obstacle: npt.NDArray[np.int64]

    def open_numbers(
        self, space: Space, keep_in: KeepIn | None, cruise_amsl_m: float, window: TimeWindow
    ) -> npt.NDArray[np.int64]:
        """Those over which a drone may come down from ``cruise_amsl_m``, flight geography kept."""
        mask = space.mask(min(self.lowest_ground_amsl_m, cruise_amsl_m), cruise_amsl_m, window)
        closed = np.zeros(len(self.positions), dtype=np.bool_)
        closed[self.near_place[mask[self.near_obstacle]]] = True
        if keep_in is not None:
            closed |= ~shapely.covers(keep_in.inner, self.points)
        return np.flatnonzero(~closed)


_known: WeakKeyDictionary[Space, list[tuple[Site, Refuges]]] = WeakKeyDictionary()


def refuges_of(site: Site, space: Space) -> Refuges:
    """The site's refuges in this space, prepared once."""
    known = _known.setdefault(space, [])
    for known_site, refuges in known:
        if known_site is site:
            return refuges
    refuges = _prepare(site, space)
    known.append((site, refuges))
    del known[:-_KEPT]
    return refuges


def _prepare(site: Site, space: Space) -> Refuges:
    places = [
        *((station.position, station.ground_amsl_m) for station in site.stations),
        *((place.position, place.ground_amsl_m) for place in site.emergency_sites),
        *((point.position, point.ground_amsl_m) for point in site.landing_points if point.emergency_landing),
    ]
    xy_m = space.frame.project([(p.longitude_deg, p.latitude_deg) for p, _ in places]).reshape(-1, 2)
    points = shapely.points(xy_m)
    clearance_m = space.corridor.return_clearance_m
    near_place, near_obstacle = space.tree.query(points, predicate="dwithin", distance=clearance_m)
    return Refuges(
        positions=tuple(position for position, _ in places),
        xy_m=xy_m,
        points=points,
        lowest_ground_amsl_m=min((ground for _, ground in places), default=0.0),
        near_place=near_place,
        near_obstacle=near_obstacle,
    )
