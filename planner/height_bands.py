"""What a height profile may use: the altitudes that are free along a way, cut where they change.

Over every stretch of a way the free altitudes are those

- at least the policy's minimum above the highest ground and at most its maximum above the lowest,
- that no zone closes within the corridor's half width of the stretch at any moment of the window,
- inside the operating areas, with the corridor's half width, throughout,

all narrowed by the altitude error and by what a bend between two slopes may cut.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from geofences.height_bands import ALL
from geofences.intervals import Intervals, intersect
from geofences.model import TimeWindow
from planner.height_profile import Stretch
from planner.policy import PlanningPolicy
from planner.space import Space

XY = tuple[float, float]
Box = tuple[float, float, float, float]

RASTER_PIECE_M = 50.0
"""Chosen: over a ground model the way is cut into pieces of at least this length; a 6° slope rises 6 m on one."""

MAX_PIECES = 400
"""Chosen: longer ways are cut into longer pieces, which errs to caution."""

SHORTEST_M = 0.5
"""Chosen: cuts nearer to each other than this are one; the free altitudes of both sides' zones then count."""


@dataclass(frozen=True, slots=True)
class Bands:
    """``stretches`` of a way; ``near[i]`` are the obstacles that close something over stretch i."""

    stretches: tuple[Stretch, ...]
    near: tuple[tuple[int, ...], ...]


def bands_of(
    space: Space, points_xy_m: Sequence[XY], *, policy: PlanningPolicy, window: TimeWindow, bend_m: float
) -> Bands:
    """The free altitudes along a way with corners ``points_xy_m`` (frame metres).

    ``bend_m`` is how far in height a bend may be cut.
    """
    width_m = space.corridor.half_width_m
    margin_m = space.corridor.altitude_error_m + bend_m
    corners = np.array(points_xy_m, dtype=np.float64)
    lines = shapely.linestrings(np.stack([corners[:-1], corners[1:]], axis=1))
    near = np.unique(space.tree.query(lines, predicate="dwithin", distance=width_m)[1])
    pieces = _cut(space, corners, near, width_m)
    ends = np.array([(start, end) for _, _, start, end in pieces])
    small = shapely.linestrings(ends)
    boxes = boxes_deg(space, small, width_m)
    touched = shapely.dwithin(small[:, None], space.polygons[near][None, :], width_m)
    uneven = not math.isinf(space.airspace.terrain.resolution_m)
    known: dict[tuple[tuple[int, ...], Box | None], Intervals] = {}
    stretches, numbers = [], []
    for index, (from_m, to_m, _, _) in enumerate(pieces):
        obstacles = tuple(int(number) for number in near[touched[index]])
        box = boxes[index]
        key = (obstacles, box if uneven else None)
        free = known.get(key)
        if free is None:
            free = known[key] = _free(space, obstacles, box, policy, window, margin_m)
        if space.airspace.has_operating_areas:
            area = shapely.buffer(small[index], width_m)
            inside = space.airspace.operating_altitudes(area, box, window)
            free = intersect(free, narrowed(inside, margin_m))
        stretches.append(Stretch(from_m, to_m, free))
        numbers.append(obstacles)
    return Bands(tuple(stretches), tuple(numbers))


def column_top_amsl_m(space: Space, xy_m: XY, ground_amsl_m: float, window: TimeWindow) -> float | None:
    """How high the vertical way over a place is free, from its ground up; None where not even the ground is."""
    width_m = space.corridor.flight_geography_m
    error_m = space.corridor.altitude_error_m
    point = shapely.Point(xy_m)
    box = boxes_deg(space, np.array([point]), width_m)[0]
    near = space.tree.query(point, predicate="dwithin", distance=width_m)
    free = free_altitudes(space, near.tolist(), box, window)
    inside = space.airspace.operating_altitudes(shapely.buffer(point, width_m), box, window)
    for low_m, high_m in intersect(free, inside):
        if low_m < ground_amsl_m < high_m:
            return high_m - error_m
    return None


def free_altitudes(space: Space, obstacles: Sequence[int], box_deg: Box, window: TimeWindow) -> Intervals:
    """Altitudes that none of the space's obstacles closes over the box; extra ones close them all."""
    if any(number >= len(space.airspace.obstacle_polygons) for number in obstacles):
        return ()
    return space.airspace.free_altitudes(obstacles, box_deg, window)


def narrowed(bands: Intervals, margin_m: float) -> Intervals:
    """Every band without ``margin_m`` at both ends; those that have no height left are gone."""
    return tuple((low + margin_m, high - margin_m) for low, high in bands if high - low >= 2.0 * margin_m)


def ground_band(
    space: Space, box_deg: Box, policy: PlanningPolicy, margin_m: float
) -> tuple[float, float] | None:
    """Lowest and highest altitude that the policy allows over the ground of a box; None where it knows none."""
    low_m, high_m = space.airspace.terrain.ground_range_amsl_m(*box_deg)
    lowest_m, highest_m = high_m + policy.minimum_agl_m, low_m + policy.maximum_agl_m - margin_m
    if not (math.isfinite(lowest_m) and math.isfinite(highest_m)) or lowest_m > highest_m:
        return None
    return lowest_m, highest_m


def boxes_deg(space: Space, shapes: npt.NDArray[np.object_], margin_m: float) -> list[Box]:
    """West, south, east, north around every shape and ``margin_m`` more."""
    west, south, east, north = shapely.bounds(shapes).T + np.array([[-1.0], [-1.0], [1.0], [1.0]]) * margin_m
    corners = np.stack([west, south, east, south, east, north, west, north], axis=1).reshape(-1, 2)
    lon_lat = space.frame.unproject(corners).reshape(-1, 4, 2)
    low, high = lon_lat.min(axis=1), lon_lat.max(axis=1)
    return [(float(w), float(s), float(e), float(n)) for (w, s), (e, n) in zip(low, high, strict=True)]


def _free(
    space: Space,
    obstacles: tuple[int, ...],
    box: Box,
    policy: PlanningPolicy,
    window: TimeWindow,
    margin_m: float,
) -> Intervals:
    allowed = ground_band(space, box, policy, margin_m)
    if allowed is None:
        return ()
    free = ALL if not obstacles else narrowed(free_altitudes(space, obstacles, box, window), margin_m)
    return intersect(free, (allowed,))


def _cut(
    space: Space, corners: npt.NDArray[np.float64], near: npt.NDArray[np.int64], width_m: float
) -> list[tuple[float, float, XY, XY]]:
    """(From, to, start, end) of pieces of the legs: cut where a zone comes within the corridor, and by the ground."""
    # A round buffer is inscribed; a little more holds the true distance.
    grown = shapely.buffer(space.polygons[near], 1.003 * width_m + 0.05)
    lengths = np.hypot(*np.diff(corners, axis=0).T)
    total_m = float(lengths.sum())
    resolution_m = space.airspace.terrain.resolution_m
    step_m = math.inf if math.isinf(resolution_m) else max(resolution_m, RASTER_PIECE_M, total_m / MAX_PIECES)
    pieces: list[tuple[float, float, XY, XY]] = []
    along_m = 0.0
    for number, length in enumerate(lengths.tolist()):
        start, vector = corners[number], corners[number + 1] - corners[number]
        if length <= 0.0:
            continue
        line = shapely.LineString((corners[number], corners[number + 1]))
        cuts = {0.0, length}
        if not math.isinf(step_m):
            cuts.update(np.linspace(0.0, length, max(1, math.ceil(length / step_m)) + 1).tolist())
        for part in shapely.get_parts(shapely.intersection(line, grown)):
            if not part.is_empty:
                places = np.hypot(*(shapely.get_coordinates(part) - start).T)
                cuts.update((float(places.min()), float(places.max())))
        kept = [0.0]
        for cut in sorted(cuts):
            if cut - kept[-1] > SHORTEST_M and length - cut > SHORTEST_M:
                kept.append(cut)
        kept.append(length)
        for before, after in itertools.pairwise(kept):
            ends = [start + share / length * vector for share in (before, after)]
            pieces.append(
                (
                    along_m + before,
                    along_m + after,
                    (float(ends[0][0]), float(ends[0][1])),
                    (float(ends[1][0]), float(ends[1][1])),
                )
            )
        along_m += length
    return pieces
