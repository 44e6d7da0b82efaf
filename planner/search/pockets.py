"""Which parts of the free plane are walled off, proved by the union of overlapping obstacles.

A search proves that there is no way by settling every corner on one side, which is slow when a wall halves a
city. Walls are found here instead: obstacles that overlap are merged, and a hole of the merged shape can be
neither left nor entered. Every obstacle first shrinks by a tenth of a millimetre, so that whatever this finds
holds for the true obstacles despite rounding; a pocket closed by less than that is left to the search.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import shapely

from planner.search.shapes import LazyShapes

EROSION_MM = 0.1
"""Far above the rounding of an overlay (1e-7 mm), far below the grid of 1 mm (chosen)."""

KNOWN_MASKS = 32
"""Masks whose pockets are remembered (chosen: altitude layers times a few time windows)."""

FRAME_MM = 1e6
"""Width of what stands for the outside of the keep-in area."""

Separating = tuple[int, ...]
Pairs = npt.NDArray[np.int32]


class PocketIndex:
    """Pockets of one set of obstacles under any mask. Shape 0 is the keep-in area, whose outside is the
    obstacle."""

    def __init__(self, shapes: LazyShapes, meeting: Callable[[], Pairs], *, keep_in: bool) -> None:
        """``meeting`` finds all pairs of obstacles whose boundaries meet."""
        self._shapes = shapes
        self._meeting = meeting
        self._keep_in = keep_in
        self._pairs: Pairs | None = None
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

    def _find(self, mask: npt.NDArray[np.bool_]) -> list[tuple[shapely.Polygon, Separating]]:
        pairs = self._pairs = self._meeting() if self._pairs is None else self._pairs
        clusters = _clusters(pairs[mask[pairs[:, 0]] & mask[pairs[:, 1]]])
        taken = {k for members in clusters for k in members}
        alone = {0, *self._shapes.holed().tolist()} if self._keep_in else self._shapes.holed().tolist()
        clusters += [[k] for k in alone if k not in taken and mask[k]]
        pockets = []
        for members in clusters:
            eroded = shapely.buffer(self._solid(np.array(members)), -EROSION_MM, join_style="mitre")
            for part in shapely.get_parts(shapely.union_all(eroded)):
                for hole in part.interiors:
                    pocket = shapely.Polygon(hole)
                    shapely.prepare(pocket)
                    pockets.append((pocket, tuple(members)))
        return pockets

    def _solid(self, members: npt.NDArray[np.int64]) -> npt.NDArray[np.object_]:
        """Obstacles as polygons: the outside of the keep-in area becomes a frame around them."""
        solid = self._shapes.some(members)
        if self._keep_in and members[0] == 0:
            left, bottom, right, top = shapely.total_bounds(solid)
            solid[0] = shapely.difference(
                shapely.box(left - FRAME_MM, bottom - FRAME_MM, right + FRAME_MM, top + FRAME_MM), solid[0]
            )
        return solid


def _clusters(pairs: Pairs) -> list[list[int]]:
    """Groups that hang together, each ascending."""
    leader: dict[int, int] = {}

    def find(k: int) -> int:
        while leader.setdefault(k, k) != k:
            leader[k] = leader[leader[k]]
            k = leader[k]
        return k

    for a, b in pairs.tolist():
        leader[find(a)] = find(b)
    clusters: dict[int, list[int]] = {}
    for k in sorted(leader):
        clusters.setdefault(find(k), []).append(k)
    return list(clusters.values())
