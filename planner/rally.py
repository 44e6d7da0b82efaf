"""Where a drone may come down when it must: candidates for rally points at one site."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import shapely

from core.geodesy import Wgs84Point
from planner import rally_kernels
from planner.moment import Moment
from planner.site import Site
from planner.space import Space

NEAR_M = 2000.0
"""Chosen: refuges further than this from the box around every leg are not offered, except the drone's own
pad; a return of more than 100 s at cruise is a poor answer to a failure."""

_KEPT = 4
"""Chosen: sites remembered for one space; there is one, and tests have a few."""


@dataclass(frozen=True, slots=True, eq=False)
class Refuges:
    """Pads, emergency sites and landing points surveyed as fit for it, in a space's frame.

    ``near_place``, ``near_obstacle``: every pair of a place and an obstacle that is too close to come down
    there while it stands.
    """

    positions: tuple[Wgs84Point, ...]
    pad_of: dict[str, int]
    xy_m: npt.NDArray[np.float64]
    points: npt.NDArray[np.object_]
    lowest_ground_amsl_m: float
    clearance_m: float
    near_place: npt.NDArray[np.int64]
    near_obstacle: npt.NDArray[np.int64]
    _fit: WeakKeyDictionary[Moment, dict[float, npt.NDArray[np.bool_]]] = field(
        default_factory=WeakKeyDictionary
    )

    def candidates(
        self,
        station_id: str,
        ways: Sequence[Sequence[tuple[float, float]]],
        sky: Moment,
        cruise_amsl_m: float,
    ) -> npt.NDArray[np.int64]:
        """The station's pad and the refuges near the ways where a drone may come down from the cruise altitude."""
        fit = self.fit(sky, cruise_amsl_m)
        legs = np.array([(*start, *end) for way in ways for start, end in itertools.pairwise(way)])
        offered: npt.NDArray[np.int64] = rally_kernels.beside(self.xy_m, fit, legs, NEAR_M)
        pad = self.pad_of[station_id]
        if fit[pad] and pad not in offered:
            return np.insert(offered, np.searchsorted(offered, pad), pad)
        return offered

    def fit(self, sky: Moment, cruise_amsl_m: float) -> npt.NDArray[np.bool_]:
        """For every place, whether the vertical way down to it keeps the flight geography free, inside the
        operating area."""
        known = self._fit.setdefault(sky, {})
        found = known.get(cruise_amsl_m)
        if found is None:
            mask = sky.mask(min(self.lowest_ground_amsl_m, cruise_amsl_m), cruise_amsl_m)
            found = np.ones(len(self.positions), dtype=np.bool_)
            found[self.near_place[mask[self.near_obstacle]]] = False
            keep_in = sky.keep_in(cruise_amsl_m)
            if keep_in is not None:
                found &= keep_in.holds(self.points, self.clearance_m)
            known[cruise_amsl_m] = found
        return found


_known: WeakKeyDictionary[Space, list[tuple[Site, Refuges]]] = WeakKeyDictionary()


def refuges_of(site: Site, space: Space) -> Refuges:
    """The site's refuges in this space, prepared once."""
    known = _known.setdefault(space, [])
    for known_site, refuges in known:
        if known_site is site:
            return refuges
    refuges = _prepare(site, space) if space.base is None else _prepared_beside(site, space, space.base)
    known.append((site, refuges))
    del known[:-_KEPT]
    return refuges


def _prepared_beside(site: Site, space: Space, base: Space) -> Refuges:
    """The same places, with what is too near among the further obstacles."""
    known = refuges_of(site, base)
    extra = space.extra_polygons
    near = shapely.dwithin(extra[:, None], known.points[None, :], known.clearance_m)
    obstacle, place = np.nonzero(near)
    first = len(space.polygons) - len(extra)
    return replace(
        known,
        near_place=np.append(known.near_place, place),
        near_obstacle=np.append(known.near_obstacle, first + obstacle),
        _fit=WeakKeyDictionary(),
    )


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
        pad_of={station.station_id: number for number, station in enumerate(site.stations)},
        xy_m=xy_m,
        points=points,
        lowest_ground_amsl_m=min((ground for _, ground in places), default=0.0),
        clearance_m=clearance_m,
        near_place=near_place,
        near_obstacle=near_obstacle,
    )
