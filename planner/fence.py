"""The autopilot's fence: everywhere the plan may take the drone, and nothing else.

It is the union of the ways out and back and of the areas swept by straight returns to rally points, all
widened by the flight geography; pad, landing point and rally points lie at their ends. Autopilot fences know neither
heights nor times nor zones, so the fence is drawn around what was proved legal instead of around the
zones. Its outer ring is the inclusion polygon; what the ring encloses without belonging to it becomes
exclusion polygons, or is filled where nothing forbidden lies in it.

Autopilots hold few corners (PX4: 64). Corners are taken out by adding triangles only, none of which
touches an obstacle, so what remains contains the region that is needed and still meets no zone. Both are
proved again by shapely before the plan is given out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import shapely

from core.geodesy import LocalFrame, Wgs84Point
from geofences.plane import FastFrame
from planner import sweep_kernels
from planner.flight_plan import AutopilotFence
from planner.space import KeepIn, Mask, Space

XY = tuple[float, float]

MAX_VERTICES = 64
"""PX4 1.16 holds 64; ArduPilot more, but short uploads are welcome there too."""

_SIDES = 12
_CUT = 0.004
_TURNS = 2.0 * np.pi * np.arange(_SIDES) / _SIDES
_AROUND = (1.0 + _CUT) / np.cos(np.pi / _SIDES) * np.column_stack([np.cos(_TURNS), np.sin(_TURNS)])
"""A twelve-sided figure around the circle of 1.004 flight geographies. Swept along a shape it contains what is
within 1.004 of it, still 1 after simplification by 0.004, and reaches no further than 1.044, while straight
returns keep 1.05 free (:data:`planner.corridor.RETURN_FACTOR`)."""

GROWN_CLEARANCE_M = 0.3
"""Added triangles stay this far from obstacles (chosen: above the 1 cm of rounding in a fence upload)."""


def fence_region(
    space: Space,
    *,
    ways: Sequence[Sequence[XY]],
    swept: npt.NDArray[np.float64],
    mask: Mask,
    keep_in: KeepIn | None,
) -> shapely.Polygon | None:
    """The fence in frame metres: contains everything given, widened; meets no standing obstacle.

    ``swept`` (n, 3, 2) are the triangles of straight returns. None when it can't be drawn with :data:`MAX_VERTICES` corners.
    """
    width_m = space.corridor.flight_geography_m
    wide = _widened(ways, swept, width_m)
    region = shapely.simplify(_union(wide), _CUT * width_m)
    if region.geom_type != "Polygon":
        return None
    rings = _worth_keeping(space, region, mask)
    vertices = sum(len(ring) for ring in rings)
    if vertices > MAX_VERTICES:
        rings = _coarser(space, rings, mask, keep_in)
        vertices = sum(len(ring) for ring in rings)
    result = shapely.Polygon(rings[0], rings[1:])
    if vertices > MAX_VERTICES or not result.is_valid or not shapely.covers(result, region):
        return None
    return result


def _widened(
    ways: Sequence[Sequence[XY]], swept: npt.NDArray[np.float64], width_m: float
) -> npt.NDArray[np.object_]:
    """Every triangle, or where there is none every leg, widened: convex, so the hull of the figure around
    each of its corners. The triangles of a leg's pieces together cover the leg."""
    corners = swept
    if not len(swept):
        corners = np.concatenate([np.stack([way[:-1], way[1:]], axis=1) for way in map(np.array, ways)])
    around = corners[:, :, None, :] + width_m * _AROUND[None, None, :, :]
    return shapely.convex_hull(shapely.linestrings(around.reshape(len(corners), -1, 2)))


def _union(shapes: npt.NDArray[np.object_]) -> shapely.Geometry:
    try:
        return shapely.union_all(shapes)
    except shapely.errors.GEOSException:
        # Nearly equal edges can defeat the fast overlay; snapped to a millimetre it always succeeds.
        return shapely.union_all(shapes, grid_size=0.001)


def _worth_keeping(space: Space, region: shapely.Polygon, mask: Mask) -> list[npt.NDArray[np.float64]]:
    """Open rings, region on the left; holes without anything forbidden in them are filled."""
    oriented = shapely.orient_polygons(region)
    holes = [ring for ring in oriented.interiors if len(space.near(shapely.Polygon(ring), 0.0, mask))]
    return [shapely.get_coordinates(ring)[:-1] for ring in (oriented.exterior, *holes)]


def _coarser(
    space: Space, rings: list[npt.NDArray[np.float64]], mask: Mask, keep_in: KeepIn | None
) -> list[npt.NDArray[np.float64]]:
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


def _follow(
    corners: npt.NDArray[np.float64], after: npt.NDArray[np.int64], numbers: range
) -> npt.NDArray[np.float64]:
    start = next(number for number in numbers if after[number] >= 0)
    order = [start]
    while after[order[-1]] != start:
        order.append(int(after[order[-1]]))
    return corners[order]


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
