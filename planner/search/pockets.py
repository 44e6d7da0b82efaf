"""Which parts of the free plane are walled off, proved by the union of overlapping obstacles.

A search proves that there is no way by settling every corner on one side, which is slow when a wall halves a
city. Walls are found here instead: obstacles that overlap are merged, and a hole of the merged shape can be
neither left nor entered. Every obstacle first shrinks by a tenth of a millimetre, so that whatever this finds
holds for the true obstacles despite rounding; a pocket closed by less than that is left to the search.
"""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
import numpy.typing as npt
import shapely

from planner.search.shapes import LazyShapes

EROSION_MM = 0.1
"""Far above the rounding of an overlay (1e-7 mm), far below the grid of 1 mm (chosen)."""

KNOWN_MASKS = 32
"""Masks whose pockets are remembered (chosen: altitude layers times a few time windows)."""

Separating = tuple[int, ...]


class PocketIndex:
    """Pockets of one set of obstacles under any mask. Shape 0 is the keep-in area, whose outside is the
    obstacle."""

    def __init__(self, shapes: LazyShapes, *, keep_in: bool) -> None:
        self._shapes = shapes
        self._keep_in = keep_in
        self._pairs: npt.NDArray[np.int64] | None = None
        self._known: OrderedDict[bytes, list[tuple[shapely.Polygon, Separating]]] = OrderedDict()

    def separating(
        self,
        ends_mm: tuple[float, float, float, float],
        mask: npt.NDArray[np.bool_],
        *,
        only_if_known: bool = False,
    ) -> Separating | None:
        """Numbers of the obstacles that wall one end off from the other; () if these do not, None if
        unknown."""
        key = mask.tobytes()
        pockets = self._known.get(key)
        if pockets is None:
            if only_if_known:
                return None
            pockets = self._find(mask)
            self._known[key] = pockets
            if len(self._known) > KNOWN_MASKS:
                self._known.popitem(last=False)
        start_x, start_y, goal_x, goal_y = ends_mm
        for pocket, members in pockets:
            if shapely.contains_xy(pocket, start_x, start_y) != shapely.contains_xy(pocket, goal_x, goal_y):
                return members
        return ()

    def _solid(self) -> npt.NDArray[np.object_]:
        """All obstacles as ordinary polygons: the outside of the keep-in area becomes a frame around
        everything."""
        solid = self._shapes().copy()
        if self._keep_in:
            left, bottom, right, top = shapely.total_bounds(solid)
            solid[0] = shapely.difference(
                shapely.box(left - 1e6, bottom - 1e6, right + 1e6, top + 1e6), solid[0]
            )
        return solid

    def _overlapping(self, solid: npt.NDArray[np.object_]) -> npt.NDArray[np.int64]:
        if self._pairs is None:
            pairs = shapely.STRtree(solid).query(solid, predicate="intersects")
            self._pairs = pairs[:, pairs[0] < pairs[1]].T
        return self._pairs

    def _find(self, mask: npt.NDArray[np.bool_]) -> list[tuple[shapely.Polygon, Separating]]:
        solid = self._solid()
        leader = np.arange(len(solid))

        def find(k: int) -> int:
            while leader[k] != k:
                leader[k] = leader[leader[k]]
                k = int(leader[k])
            return k

        pairs = self._overlapping(solid)
        for a, b in pairs[mask[pairs[:, 0]] & mask[pairs[:, 1]]].tolist():
            leader[find(a)] = find(b)
        clusters: dict[int, list[int]] = {}
        for k in np.flatnonzero(mask & ~shapely.is_empty(solid)).tolist():
            clusters.setdefault(find(k), []).append(k)
        pockets = []
        for members in clusters.values():
            if len(members) == 1 and not _has_hole(solid[members[0]]):
                continue
            eroded = shapely.buffer(solid[members], -EROSION_MM, join_style="mitre")
            for part in shapely.get_parts(shapely.union_all(eroded)):
                for hole in part.interiors:
                    pocket = shapely.Polygon(hole)
                    shapely.prepare(pocket)
                    pockets.append((pocket, tuple(members)))
        return pockets


def _has_hole(shape: shapely.Geometry) -> bool:
    return bool(shapely.get_num_interior_rings(shapely.get_parts(shape)).any())
