"""A second opinion on a route, on purpose by other code than the search.

Nothing is shared with the search: not the growth of obstacles, not the grid, not a single geometry test.
What is asked here is what matters in the end: does the flown line keep its distance from the zones as they
were given?
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import shapely


@dataclass(frozen=True, slots=True)
class Violation:
    """One obstacle that a route comes too near to. ``distance_m`` is 0 when it is touched or crossed.

    ``obstacle_id`` None means the edge of the keep-in area.
    """

    kind: Literal["obstacle", "keep_in"]
    obstacle_id: str | None
    distance_m: float


class RouteVerifier:
    """Checks routes against obstacles as given, in frame metres, not grown."""

    def __init__(
        self,
        obstacles: Sequence[shapely.Polygon],
        *,
        buffer_m: float,
        keep_in: shapely.Polygon | shapely.MultiPolygon | None = None,
        ids: Sequence[str] | None = None,
    ) -> None:
        """The arguments mean what they mean in :meth:`planner.search.world.SearchWorld.build`."""
        self._obstacles: npt.NDArray[np.object_] = np.empty(len(obstacles), dtype=object)
        self._obstacles[:] = list(obstacles)
        self._ids = tuple(str(i) for i in range(len(obstacles))) if ids is None else tuple(ids)
        if len(self._ids) != len(obstacles):
            raise ValueError(f"{len(obstacles)} obstacles need as many ids, not {len(self._ids)}")
        self._buffer_m = buffer_m
        self._keep_in = keep_in
        shapely.prepare(self._obstacles)
        self._tree = shapely.STRtree(self._obstacles)
        self._fence = None if keep_in is None else shapely.boundary(keep_in)
        if keep_in is not None:
            shapely.prepare(keep_in)
            shapely.prepare(self._fence)

    def check(
        self, points_xy_m: Sequence[tuple[float, float]], *, mask: npt.NDArray[np.bool_] | None = None
    ) -> tuple[Violation, ...]:
        """Everything the line through the points comes within ``buffer_m`` of; empty for a legal route.

        With a buffer of 0 touching counts. ``mask`` switches obstacles, True for those in force.
        """
        if len(points_xy_m) < 2 or not all(math.isfinite(x) for point in points_xy_m for x in point):
            raise ValueError("a route has two or more finite points")
        line = shapely.LineString(points_xy_m)
        near = self._tree.query(line, predicate="dwithin", distance=self._buffer_m)
        if mask is not None:
            near = near[mask[near]]
        violations = [
            Violation("obstacle", self._ids[k], float(shapely.distance(line, self._obstacles[k])))
            for k in sorted(near.tolist())
        ]
        if self._keep_in is not None:
            covered = bool(shapely.covers(self._keep_in, line))
            distance_m = float(shapely.distance(line, self._fence)) if covered else 0.0
            if not covered or distance_m < self._buffer_m:
                violations.append(Violation("keep_in", None, distance_m))
        return tuple(violations)
