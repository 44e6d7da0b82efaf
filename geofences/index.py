"""Spatial index over compiled volumes: which ones a segment or many points may meet."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import shapely

from geofences.shapes import INTERSECTION_PRECISION_M
from geofences.vertical import VERTICAL_SLACK_M
from geofences.volumes import CompiledVolume, Segment

_LONG_SEGMENT_M = 2_000.0
"""Chosen: longer segments are looked up in pieces, so that a diagonal does not meet every box."""
_FAR_AWAY_M = 1e12
_MANY_EDGES = 64
_ROUNDING_M = 1e-4
"""Chosen: over the rounding of a projection by polynomial and of a line cut in pieces."""


class VolumeIndex:
    """Boxes of volumes in an STR tree, with the heights that surely hold each volume."""

    def __init__(self, volumes: Sequence[CompiledVolume]) -> None:
        limits = np.array([v.outer_amsl_m for v in volumes], dtype=np.float64).reshape(-1, 2)
        geometries = np.empty(len(volumes), dtype=object)
        for i, volume in enumerate(volumes):
            geometries[i] = volume.shape.polygon if volume.shape else None
        # Preparing is lazy and pays for itself where there are many edges to search.
        shapely.prepare(geometries[shapely.get_num_coordinates(geometries) > _MANY_EDGES])
        # A volume out of reach has an empty shape: its box lies where nothing is ever asked.
        bounds = np.nan_to_num(shapely.bounds(geometries), nan=_FAR_AWAY_M)
        margin = INTERSECTION_PRECISION_M
        bounds = bounds + np.array((-margin, -margin, margin, margin))
        boxes = shapely.box(*bounds.T)
        self._fill(
            limits[:, 0] - VERTICAL_SLACK_M, limits[:, 1] + VERTICAL_SLACK_M, geometries, bounds, boxes
        )

    def _fill(
        self,
        low_m: npt.NDArray[np.float64],
        high_m: npt.NDArray[np.float64],
        geometries: npt.NDArray[np.object_],
        bounds: npt.NDArray[np.float64],
        boxes: npt.NDArray[np.object_],
    ) -> None:
        self._low_m, self._high_m, self._geometries = low_m, high_m, geometries
        self._bounds, self._boxes = bounds, boxes
        self._tree = shapely.STRtree(boxes)

    def replaced(self, first: int, last: int, volumes: Sequence[CompiledVolume]) -> VolumeIndex:
        """An index with ``volumes`` in place of those from ``first`` up to ``last``."""
        part = VolumeIndex(volumes)
        result = object.__new__(VolumeIndex)
        result._fill(
            np.concatenate([self._low_m[:first], part._low_m, self._low_m[last:]]),
            np.concatenate([self._high_m[:first], part._high_m, self._high_m[last:]]),
            np.concatenate([self._geometries[:first], part._geometries, self._geometries[last:]]),
            np.concatenate([self._bounds[:first], part._bounds, self._bounds[last:]]),
            np.concatenate([self._boxes[:first], part._boxes, self._boxes[last:]]),
        )
        return result

    def candidates(self, segment: Segment) -> npt.NDArray[np.int64]:
        """Volumes that the segment may meet by height and does by outline (circumscribed for circles)."""
        pieces = int(segment.length_m // _LONG_SEGMENT_M) + 1
        if pieces == 1:
            found = self._tree.query(segment.line)
        else:
            fractions = np.linspace(0.0, 1.0, pieces + 1)[:, None]
            start, end = np.array(segment.start_xy_m), np.array(segment.end_xy_m)
            cuts = start + fractions * (end - start)
            low, high = np.minimum(cuts[:-1], cuts[1:]), np.maximum(cuts[:-1], cuts[1:])
            boxes = shapely.box(low[:, 0], low[:, 1], high[:, 0], high[:, 1])
            found = np.unique(self._tree.query(boxes)[1])
        if len(found):
            found = found[
                (self._low_m[found] <= segment.high_amsl_m) & (self._high_m[found] >= segment.low_amsl_m)
            ]
        if len(found):
            shape = segment.line if segment.length_m > 0.0 else shapely.Point(segment.start_xy_m)
            found = found[shapely.dwithin(self._geometries[found], shape, INTERSECTION_PRECISION_M)]
        found.sort()
        return found

    def near_lines(
        self,
        ends_xy_m: npt.NDArray[np.float64],
        amsl_m: npt.NDArray[np.float64],
        standing: npt.NDArray[np.bool_],
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """(line number, volume number) of :meth:`candidates` for many lines (n, 2, 2) with altitudes (n, 2)
        at once, of volumes that are ``standing``. A line may be named with a volume that it misses by less
        than a tenth of a millimetre more than there."""
        start, vectors = ends_xy_m[:, 0], ends_xy_m[:, 1] - ends_xy_m[:, 0]
        low, high = ends_xy_m.min(axis=1) - _ROUNDING_M, ends_xy_m.max(axis=1) + _ROUNDING_M
        low_m, high_m = amsl_m.min(axis=1), amsl_m.max(axis=1)
        bounds = self._bounds
        about = np.flatnonzero(
            standing
            & (bounds[:, 0] <= high[:, 0].max(initial=-np.inf))
            & (bounds[:, 2] >= low[:, 0].min(initial=np.inf))
            & (bounds[:, 1] <= high[:, 1].max(initial=-np.inf))
            & (bounds[:, 3] >= low[:, 1].min(initial=np.inf))
        )
        west, south, east, north = bounds[about].T
        # The lines' own boxes first, then whether all corners of a box are on one side of a line.
        at, which = np.nonzero(
            (west <= high[:, :1])
            & (east >= low[:, :1])
            & (south <= high[:, 1:])
            & (north >= low[:, 1:])
            & (self._low_m[about] <= high_m[:, None])
            & (self._high_m[about] >= low_m[:, None])
        )
        x, y = vectors[at, 0], vectors[at, 1]
        aside = (
            x * (0.5 * (south + north)[which] - start[at, 1])
            - y * (0.5 * (west + east)[which] - start[at, 0])
        )  # fmt: skip
        across, up = (0.5 * (east - west) + _ROUNDING_M)[which], (0.5 * (north - south) + _ROUNDING_M)[which]
        kept = np.abs(aside) <= np.abs(x) * up + np.abs(y) * across
        at, volume = at[kept], about[which[kept]]
        if not len(at):
            return at, volume
        lines = shapely.linestrings(ends_xy_m[at])
        held = shapely.dwithin(self._geometries[volume], lines, INTERSECTION_PRECISION_M + _ROUNDING_M)
        return at[held], volume[held]

    def distances_m(
        self, volumes: npt.NDArray[np.int64], xy_m: tuple[float, float]
    ) -> npt.NDArray[np.float64]:
        """How far the outlines of ``volumes`` are from a point; 0 inside."""
        result: npt.NDArray[np.float64] = shapely.distance(self._geometries[volumes], shapely.Point(xy_m))
        return result

    def pairs(
        self, points: npt.NDArray[np.object_], amsl_m: npt.NDArray[np.float64]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """(point number, volume number) where a volume may hold a point by height and does by outline."""
        at, volume = self._tree.query(points)
        kept = (self._low_m[volume] <= amsl_m[at]) & (self._high_m[volume] >= amsl_m[at])
        at, volume = at[kept], volume[kept]
        # Grouped by volume, each outline is prepared once.
        order = np.argsort(volume, kind="stable")
        at, volume = at[order], volume[order]
        shapely.prepare(self._geometries[np.unique(volume)])
        held = shapely.dwithin(self._geometries[volume], points[at], INTERSECTION_PRECISION_M)
        return at[held], volume[held]
