"""What the last word measures with: an airspace's original shapes, its operating areas, and a plan's fence.

Flat arrays for :mod:`planner.verify_kernels`, and shapely where only exact predicates can tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import shapely

from geofences.airspace import Airspace
from planner import verify_kernels

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Shapes = npt.NDArray[np.object_]

EXACT_M = 1e-6
"""Chosen: what is nearer than this to touching is left to exact predicates, or refused where touching would be a
mistake anyway; the rounding of these coordinates is a thousand times smaller."""

_AREAS = 16
"""Chosen: operating areas kept as arrays for one airspace; they change a few times a day."""


class Fence:
    """The region of a plan's fence: ``rings`` are open, the inclusion first, then exclusions; frame metres."""

    def __init__(self, rings: Sequence[Floats]) -> None:
        self._rings = rings
        self._starts = np.cumsum([0, *map(len, rings)])
        self.edges: Floats = verify_kernels.ring_edges(np.concatenate(rings), self._starts)

    def is_region(self) -> bool:
        """Whether the rings bound one region: the exclusions inside the inclusion and nothing crossing."""
        plain: bool = verify_kernels.plainly_simple(self.edges, self._starts, EXACT_M)
        return plain or bool(self.polygon().is_valid)

    def holds(self, lines: Floats, distance_m: float) -> bool:
        """Whether all lines (n, 4) lie inside and further than ``distance_m`` from its boundary."""
        held: bool = verify_kernels.all_inside(self.edges, lines, distance_m)
        return held

    def polygon(self) -> shapely.Polygon:
        """The same for shapely."""
        return shapely.Polygon(self._rings[0], self._rings[1:])


class OperatingArea:
    """An area that flights stay inside; frame metres."""

    def __init__(self, area: shapely.Geometry) -> None:
        self.area = area
        self._edges, _ = _edges_of(np.array([area], dtype=object))
        parts = shapely.get_rings(area)
        self._corners = np.array([shapely.get_coordinates(ring)[0] for ring in parts]).reshape(-1, 2)

    def holds(self, lines: Floats, distance_m: float) -> bool:
        """Whether all lines (n, 4) lie inside and further than ``distance_m`` from its edge."""
        held: bool = verify_kernels.all_inside(self._edges, lines, distance_m)
        return held

    def covers(self, fence: Fence) -> bool:
        """Whether the whole fence lies in it, its edge included."""
        plain = verify_kernels.all_inside(self._edges, fence.edges, EXACT_M)
        # Nor may the fence surround a hole of the area.
        if plain and not verify_kernels.any_held(fence.edges, self._corners):
            return True
        return bool(self.area.covers(fence.polygon()))


class OriginalShapes:
    """An airspace's obstacle shapes as they are, neither grown nor simplified."""

    def __init__(self, airspace: Airspace) -> None:
        obstacles = airspace.obstacle_polygons
        self._ids = [obstacle.zone_id for obstacle in obstacles]
        polygons = np.array([obstacle.polygon for obstacle in obstacles], dtype=object)
        self._tree = shapely.STRtree(polygons)
        self._boxes = shapely.bounds(polygons).reshape(-1, 4)
        self._edges, self._first = _edges_of(polygons)
        self._areas: dict[int, OperatingArea] = {}

    def nearer_than(self, lines: Floats, distance_m: float, standing: Bools) -> str | None:
        """The id of a standing obstacle nearer than ``distance_m`` to any of the lines (n, 4)."""
        bad = verify_kernels.first_near(
            lines, distance_m, self._boxes, self._first, self._edges, standing
        )  # fmt: skip
        return self._ids[bad] if bad >= 0 else None

    def near(self, lines: Shapes, distance_m: float) -> list[tuple[int, int, str]]:
        """(Line, obstacle, its zone) for everything nearer than ``distance_m``, standing or not."""
        found = self._tree.query(lines, predicate="dwithin", distance=distance_m)
        return [(line, number, self._ids[number]) for line, number in found.T.tolist()]

    def met_by(self, fence: Fence, standing: Bools) -> str | None:
        """The id of a standing obstacle that touches or overlaps the fence's region."""
        bad = verify_kernels.first_met(
            fence.edges, EXACT_M, self._boxes, self._first, self._edges, standing
        )  # fmt: skip
        return self._ids[bad] if bad >= 0 else None

    def operating_area(self, area: shapely.Geometry) -> OperatingArea:
        """The area prepared; the airspace gives the same object as long as the same holds."""
        known = self._areas.get(id(area))
        if known is None:
            while len(self._areas) >= _AREAS:
                del self._areas[next(iter(self._areas))]
            # It keeps the area, so its id can't be another's meanwhile.
            known = self._areas[id(area)] = OperatingArea(area)
        return known


_known: WeakKeyDictionary[Airspace, OriginalShapes] = WeakKeyDictionary()


def shapes_of(airspace: Airspace) -> OriginalShapes:
    """The shapes of an airspace, prepared once."""
    found = _known.get(airspace)
    if found is None:
        found = _known[airspace] = OriginalShapes(airspace)
    return found


def _edges_of(shapes: Shapes) -> tuple[Floats, Ints]:
    """The edges (n, 4) of all rings, and where those of each shape begin, with the end of the last."""
    rings, ring_shape = shapely.get_rings(shapes, return_index=True)
    corners, ring_of = shapely.get_coordinates(rings, return_index=True)
    joined = ring_of[1:] == ring_of[:-1]
    edges = np.hstack([corners[:-1][joined], corners[1:][joined]]).reshape(-1, 4)
    shape_of = ring_shape[ring_of[:-1][joined]] if len(edges) else np.empty(0, dtype=np.int64)
    return np.ascontiguousarray(edges), np.searchsorted(shape_of, np.arange(len(shapes) + 1)).astype(np.int64)
