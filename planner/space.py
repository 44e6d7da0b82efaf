"""One airspace prepared for planning: obstacles once indexed and grown, many flights asked.

An airspace snapshot has a fixed list of keep-out shapes; which of them stand at some heights during some
window is a mask. So the search world and the spatial index are built once for a snapshot and a corridor
width, and every height and time is a mask over them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import shapely

from core.geodesy import Wgs84Point
from geofences.airspace import Airspace
from geofences.model import TimeWindow
from geofences.plane import fast_frame
from planner.corridor import Corridor
from planner.moment import Moment
from planner.search import SearchWorld
from planner.sweep import SweepIndex, build_sweep_index, with_obstacles

Mask = npt.NDArray[np.bool_]
XY = tuple[float, float]

_MOMENTS = 16
"""Chosen: sets of standing zones remembered; flights of one hour meet two or three."""
_PLACES = 4096
"""Chosen: pads and landing points of a large city, several times over."""


@dataclass(frozen=True, slots=True, eq=False)
class KeepIn:
    """The operating area of some window and heights, and its edge. One object for each area: it is a key."""

    area: shapely.Geometry
    edge: shapely.Geometry

    def holds(self, points: npt.NDArray[np.object_], distance_m: float) -> Mask:
        """For every point, whether it lies inside and at least ``distance_m`` from the edge."""
        inside: Mask = shapely.covers(self.area, points)
        return inside & (shapely.distance(self.edge, points) >= distance_m)


class Space:
    """Obstacles of one airspace snapshot for one corridor, in metres of the airspace's frame."""

    def __init__(self, airspace: Airspace, corridor: Corridor) -> None:
        self.airspace = airspace
        self.corridor = corridor
        self.frame = airspace.frame
        obstacles = airspace.obstacle_polygons
        self.zone_ids = tuple(obstacle.zone_id for obstacle in obstacles)
        self.polygons = np.array([obstacle.polygon for obstacle in obstacles], dtype=object)
        shapely.prepare(self.polygons)
        self._extra: Sequence[tuple[str, shapely.Polygon]] = ()
        self.base: Space | None = None
        """What :meth:`with_extra` was asked of."""
        self._worlds: dict[KeepIn | None, SearchWorld] = {}
        self._sweeps: dict[KeepIn | None, SweepIndex] = {}
        self._keep_ins: dict[bytes, KeepIn] = {}
        self._moments: dict[bytes, Moment] = {}
        self._places: dict[tuple[float, float], XY] = {}
        self.plane = fast_frame(self.frame)

    def with_extra(self, extra: Sequence[tuple[str, shapely.Polygon]]) -> Space:
        """This space with further keep-out polygons (name, frame metres), at all heights and times."""
        result = object.__new__(Space)
        result.airspace, result.corridor, result.frame = self.airspace, self.corridor, self.frame
        result.zone_ids = (*self.zone_ids, *(name for name, _ in extra))
        result.polygons = np.append(self.polygons, np.array([shape for _, shape in extra], dtype=object))
        result._extra = extra
        result.base = self
        result._worlds, result._sweeps = {}, {}
        result._keep_ins = self._keep_ins
        result._moments, result._places, result.plane = {}, self._places, self.plane
        return result

    @cached_property
    def tree(self) -> shapely.STRtree:
        """Over all polygons. A detour mostly does without one."""
        return shapely.STRtree(self.polygons)

    @property
    def has_extra(self) -> bool:
        """Whether polygons beside the airspace's zones are kept away from."""
        return bool(self._extra)

    @property
    def extra_polygons(self) -> npt.NDArray[np.object_]:
        """Those beside the airspace's zones; they stand last among :attr:`polygons`."""
        return self.polygons[len(self.polygons) - len(self._extra) :]

    def extra_near(self, shape: shapely.Geometry, distance_m: float) -> npt.NDArray[np.int64]:
        """Which of the further polygons are within ``distance_m`` of ``shape``, counted among themselves."""
        return np.flatnonzero(shapely.dwithin(self.extra_polygons, shape, distance_m))

    def moment(self, window: TimeWindow) -> Moment:
        """What stands during the window, remembered for every window in which the same does."""
        if self.base is not None:
            # A detour is gone in a moment. What it remembered would refer to it, and keep it for the collector.
            return Moment(self, window)
        key = self.airspace.standing_key(window)
        found = self._moments.get(key)
        if found is None:
            while len(self._moments) >= _MOMENTS:
                del self._moments[next(iter(self._moments))]
            found = self._moments[key] = Moment(self, window)
        return found

    def place(self, position: Wgs84Point) -> XY:
        """A surveyed position in frame metres, by the exact projection; the same places are asked for often."""
        key = (position.longitude_deg, position.latitude_deg)
        found = self._places.get(key)
        if found is None:
            if len(self._places) >= _PLACES:
                self._places.clear()
            east_north = self.frame.to_enu(position)
            found = self._places[key] = (east_north.east_m, east_north.north_m)
        return found

    def mask(self, floor_amsl_m: float, ceiling_amsl_m: float, window: TimeWindow) -> Mask:
        """Which obstacles stand between the altitudes, widened by the altitude error, in the window."""
        error_m = self.corridor.altitude_error_m
        mask = self.airspace.activity_mask(floor_amsl_m - error_m, ceiling_amsl_m + error_m, window)
        return np.append(mask, np.ones(len(self._extra), dtype=np.bool_)) if self._extra else mask

    def keep_in(self, floor_amsl_m: float, ceiling_amsl_m: float, window: TimeWindow) -> KeepIn | None:
        """The operating area that holds throughout; None when the airspace has none. It may be empty."""
        error_m = self.corridor.altitude_error_m
        return self._kept(self.airspace.keep_in(window, floor_amsl_m - error_m, ceiling_amsl_m + error_m))

    def keep_in_at_any_height(self, window: TimeWindow) -> KeepIn | None:
        """The operating area of all heights together that holds throughout; where, not how high."""
        return self._kept(self.airspace.keep_in(window))

    def _kept(self, area: shapely.Geometry | None) -> KeepIn | None:
        if area is None:
            return None
        key = shapely.to_wkb(area)
        found = self._keep_ins.get(key)
        if found is None:
            shapely.prepare(area)
            found = self._keep_ins[key] = KeepIn(area, shapely.boundary(area))
        return found

    def world(self, keep_in: KeepIn | None) -> SearchWorld:
        """The search world of all obstacles, grown by the corridor's half width."""
        found = self._worlds.get(keep_in)
        if found is None:
            if self.base is not None:
                names, shapes = zip(*self._extra, strict=True)
                found = self.base.world(keep_in).with_obstacles(shapes, names)
            else:
                found = SearchWorld.build(
                    list(self.polygons),
                    buffer_m=self.corridor.half_width_m,
                    keep_in=None if keep_in is None else keep_in.area,
                    ids=self.zone_ids,
                )
            self._worlds[keep_in] = found
        return found

    def sweep(self, keep_in: KeepIn | None) -> SweepIndex:
        """All obstacle edges, for testing straight returns within a little more than the flight geography."""
        found = self._sweeps.get(keep_in)
        if found is None:
            if self.base is not None:
                found = with_obstacles(self.base.sweep(keep_in), self.extra_polygons)
            if found is None:
                area = None if keep_in is None else keep_in.area
                found = build_sweep_index(self.polygons, area, self.corridor.return_clearance_m)
            self._sweeps[keep_in] = found
        return found

    def near(self, shape: shapely.Geometry, distance_m: float, mask: Mask) -> npt.NDArray[np.int64]:
        """Indices of standing obstacles within ``distance_m`` of ``shape``."""
        if self.base is not None:
            count = len(self.base.polygons)
            zones = self.base.near(shape, distance_m, mask[:count])
            beside = self.extra_near(shape, distance_m) + count
            return np.append(zones, beside[mask[beside]])
        found = self.tree.query(shape, predicate="dwithin", distance=distance_m)
        return found[mask[found]]

    def names(self, indices: Iterable[int]) -> tuple[str, ...]:
        """Zone ids of obstacles, each once, in order."""
        return tuple(dict.fromkeys(self.zone_ids[index] for index in indices))


_spaces: WeakKeyDictionary[Airspace, dict[Corridor, Space]] = WeakKeyDictionary()


def space_for(airspace: Airspace, corridor: Corridor) -> Space:
    """The prepared space of a snapshot, built at the first question and kept as long as the snapshot."""
    by_corridor = _spaces.setdefault(airspace, {})
    found = by_corridor.get(corridor)
    if found is None:
        found = by_corridor[corridor] = Space(airspace, corridor)
    return found
