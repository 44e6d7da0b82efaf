"""The autopilot's fence: everywhere the plan may take the drone, and nothing else.

It is the union of the ways out and back and of the areas swept by straight returns to rally points, all
widened by the flight geography; pad, landing point and rally points lie at their ends. Autopilot fences know neither
heights nor times nor zones, so the fence is drawn around what was proved legal instead of around the
zones. Its outer ring is the inclusion polygon; what the ring encloses without belonging to it becomes
exclusion polygons, or is filled where nothing forbidden lies in it.

Autopilots hold few corners (PX4: 64). Corners are taken out by adding triangles only, none of which
touches an obstacle, so what remains contains the region that is needed and still meets no zone. The first is
measured here, by distances; both are proved again by shapely before the plan is given out.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import shapely

from core.geodesy import LocalFrame, Wgs84Point
from geofences.plane import FastFrame
from planner import outline_kernels, sweep_kernels
from planner.flight_plan import AutopilotFence
from planner.space import KeepIn, Mask, Space

XY = tuple[float, float]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MAX_VERTICES = 64
"""PX4 1.16 holds 64; ArduPilot more, but short uploads are welcome there too."""

_SIDES = 12
_CUT = 0.004
_TURNS = 2.0 * np.pi * np.arange(_SIDES) / _SIDES
_AROUND = (1.0 + _CUT) / np.cos(np.pi / _SIDES) * np.column_stack([np.cos(_TURNS), np.sin(_TURNS)])
"""A twelve-sided figure around the circle of 1.004 flight geographies. Swept along a shape it contains what is
within 1.004 of it, still 1 after simplification by 0.004, and reaches no further than 1.044, while straight
returns keep 1.05 free (:data:`planner.corridor.RETURN_FACTOR`)."""

_SHIFT_M = 1e-6
_JOIN_M = 5e-3
_SLIVER_M2 = 0.01
"""Chosen: edges within a micrometre count as one; ends within 5 mm as joined, which acute crossings need; rings
of less than 100 cm² as rounding. All far below the 0.4 % of slack, and what comes out is measured."""

GROWN_CLEARANCE_M = 0.3
"""Added triangles stay this far from obstacles (chosen: above the 1 cm of rounding in a fence upload)."""


def fence_region(
    space: Space,
    *,
    ways: Sequence[Sequence[XY]],
    swept: Floats,
    mask: Mask,
    keep_in: KeepIn | None,
) -> shapely.Polygon | None:
    """The fence in frame metres: contains everything given, widened; meets no standing obstacle.

    ``swept`` (n, 3, 2) are the triangles of straight returns; those of a leg's pieces together cover the leg, so
    legs count only where there is none. None when it can't be drawn with :data:`MAX_VERTICES` corners.
    """
    width_m = space.corridor.flight_geography_m
    held = swept
    if not len(swept):
        held = np.concatenate([np.stack([way[:-1], way[1:]], axis=1) for way in map(np.array, ways)])
    hulls, sizes = outline_kernels.widened(held, width_m * _AROUND)
    for outline in (_joined, _united):
        rings = outline(hulls, sizes, width_m)
        if rings is None:
            continue
        rings = _worth_keeping(space, rings, mask)
        if sum(map(len, rings)) > MAX_VERTICES:
            rings = _coarser(space, rings, mask, keep_in)
        starts = np.cumsum([0, *map(len, rings)])
        if outline_kernels.encloses(np.concatenate(rings), starts, held, width_m):
            result = shapely.Polygon(rings[0], rings[1:])
            return result if starts[-1] <= MAX_VERTICES and result.is_valid else None
    return None


Rings = list[Floats]
"""Open rings, the region on the left: the exterior first, then holes."""


def _joined(hulls: Floats, sizes: Ints, width_m: float) -> Rings | None:
    """The outline of all hulls, by joining the parts of their edges that lie in no other; None where nearly
    equal edges keep the parts from closing."""
    room = 4 * int(sizes.sum()) + 64
    edges, corners = np.empty((room, 4)), np.empty((room, 2))
    starts = np.empty(room + 1, dtype=np.int64)
    count = outline_kernels.bare_edges(hulls, sizes, _SHIFT_M, edges)
    rings = outline_kernels.chained(edges, count, _JOIN_M, corners, starts) if count > 0 else 0
    found = [
        ring
        for first, last in itertools.pairwise(starts[: rings + 1].tolist())
        if len(ring := corners[outline_kernels.needed(corners[first:last], 0.8 * _CUT * width_m) + first]) > 2
    ]
    areas = [_area_m2(ring) for ring in found]
    outer = [ring for ring, area_m2 in zip(found, areas, strict=True) if area_m2 > _SLIVER_M2]
    if len(outer) != 1:
        return None
    return [*outer, *(ring for ring, area_m2 in zip(found, areas, strict=True) if area_m2 < -_SLIVER_M2)]


def _united(hulls: Floats, sizes: Ints, width_m: float) -> Rings | None:
    """The same by GEOS, ten times slower; None where the hulls hang together in no one piece."""
    shapes = [shapely.Polygon(hull[:size]) for hull, size in zip(hulls, sizes.tolist(), strict=True)]
    try:
        union = shapely.union_all(shapes)
    except shapely.errors.GEOSException:
        # Nearly equal edges can defeat the fast overlay; snapped to a millimetre it always succeeds.
        union = shapely.union_all(shapes, grid_size=0.001)
    region = shapely.simplify(union, _CUT * width_m)
    if region.geom_type != "Polygon":
        return None
    oriented = shapely.orient_polygons(region)
    return [shapely.get_coordinates(ring)[:-1] for ring in (oriented.exterior, *oriented.interiors)]


def _area_m2(ring: Floats) -> float:
    # From the first corner, so that its own terms vanish.
    x, y = ring[1:, 0] - ring[0, 0], ring[1:, 1] - ring[0, 1]
    return 0.5 * float(x[:-1] @ y[1:] - y[:-1] @ x[1:])


def _worth_keeping(space: Space, rings: Rings, mask: Mask) -> Rings:
    """Without the holes that have nothing forbidden in them: those are filled."""
    holes = [ring for ring in rings[1:] if len(space.near(shapely.Polygon(ring), 0.0, mask))]
    return [rings[0], *holes]


def _coarser(space: Space, rings: Rings, mask: Mask, keep_in: KeepIn | None) -> Rings:
    index = space.sweep(keep_in)
    corners = np.concatenate(rings)
    after, before = np.empty(len(corners), dtype=np.int64), np.empty(len(corners), dtype=np.int64)
    starts = []
    first = 0
    for ring in rings:
        numbers = np.arange(first, first + len(ring))
        after[numbers], before[numbers] = np.roll(numbers, -1), np.roll(numbers, 1)
        starts.append(range(first, first + len(ring)))
        first += len(ring)
    sweep_kernels.coarsen(
        corners, after, before, MAX_VERTICES, index.grid, index.cells, index.edges, index.owner, index.places,
        index.place_owner, index.standing(mask), GROWN_CLEARANCE_M,
    )  # fmt: skip
    return [_follow(corners, after, numbers) for numbers in starts]


def _follow(corners: Floats, after: Ints, numbers: range) -> Floats:
    start = next(number for number in numbers if after[number] >= 0)
    order = [start]
    while after[order[-1]] != start:
        order.append(int(after[order[-1]]))
    return corners[order]


def warm_up(space: Space) -> None:
    """Load what only fences of more than :data:`MAX_VERTICES` corners need."""
    triangle = np.array([(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)])
    _coarser(space, [triangle], np.zeros(len(space.polygons), dtype=np.bool_), None)


def to_autopilot_fence(
    frame: LocalFrame | FastFrame, region: shapely.Polygon, ceiling_amsl_m: float
) -> AutopilotFence:
    """The region as open rings in WGS-84, rounded to 1e-7° (1 cm) as MAVLink carries them."""
    return AutopilotFence(
        inclusion=_ring(frame, region.exterior),
        exclusions=tuple(_ring(frame, ring) for ring in region.interiors),
        ceiling_amsl_m=ceiling_amsl_m,
    )


def _ring(frame: LocalFrame | FastFrame, ring: shapely.LinearRing) -> tuple[Wgs84Point, ...]:
    corners = frame.unproject(shapely.get_coordinates(ring)[:-1])
    return tuple(Wgs84Point(lat, lon) for lon, lat in np.round(corners, 7).tolist())
