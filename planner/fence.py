"""The autopilot's fence: everywhere the plan may take the drone, and nothing else.

It is the union of the ways out and back, the columns over pad, landing point and rally points, and the
areas swept by straight returns, all widened by the flight geography. Autopilot fences know neither
heights nor times nor zones, so the fence is drawn around what was proved legal instead of around the
zones. Its outer ring is the inclusion polygon; what the ring encloses without belonging to it becomes
exclusion polygons, or is filled where nothing forbidden lies in it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import shapely

from core.geodesy import LocalFrame, Wgs84Point
from planner.checks import refuse
from planner.contingency import CLEARANCE_FACTOR
from planner.flight_plan import AutopilotFence
from planner.space import Mask, Space

XY = tuple[float, float]

_QUARTER_SEGMENTS = 4
_ROUND = 1.0 / math.cos(math.pi / (4 * _QUARTER_SEGMENTS))
"""Round buffers are inscribed: scaled up by this they contain the true circle."""


def fence_region(
    space: Space,
    *,
    ways: Sequence[Sequence[XY]],
    columns: Sequence[XY],
    swept: Sequence[shapely.Geometry],
    mask: Mask,
    max_vertices: int,
) -> shapely.Polygon:
    """The fence in frame metres: contains everything given, widened; meets no standing obstacle.

    Raises 3201 when no polygon of at most ``max_vertices`` does both: a plan without a provable fence is
    no plan.
    """
    width_m = space.corridor.flight_geography_m
    lines = [shapely.LineString(way) for way in ways]
    parts = [*lines, *(shapely.Point(column) for column in columns), *swept]
    core = shapely.union_all(parts)
    needed = shapely.buffer(core, width_m, quad_segs=_QUARTER_SEGMENTS)
    slack_m = (CLEARANCE_FACTOR - 1.0) * width_m
    # Growing by a little more than is cut away by simplification keeps «needed» inside.
    for tolerance_m in (0.45 * slack_m, 0.2 * slack_m, 0.0):
        region = shapely.buffer(core, width_m * _ROUND, quad_segs=_QUARTER_SEGMENTS)
        if tolerance_m:
            region = shapely.buffer(region, tolerance_m, join_style="mitre").simplify(tolerance_m)
        region = _without_harmless_holes(space, region, mask)
        vertices = sum(len(ring.coords) - 1 for ring in (region.exterior, *region.interiors))
        if (
            vertices <= max_vertices
            and region.is_valid
            and region.contains(needed)
            and not len(space.near(region, 0.0, mask))
        ):
            return region
    raise refuse("autopilot_fence", f"no fence of at most {max_vertices} vertices contains the way alone")


def _without_harmless_holes(space: Space, region: shapely.Geometry, mask: Mask) -> shapely.Polygon:
    if region.geom_type != "Polygon":
        raise refuse("autopilot_fence", "the ways are not connected")
    kept = [ring for ring in region.interiors if len(space.near(shapely.Polygon(ring), 0.0, mask))]
    return shapely.Polygon(region.exterior, kept)


def to_autopilot_fence(frame: LocalFrame, region: shapely.Polygon, ceiling_amsl_m: float) -> AutopilotFence:
    """The region as open rings in WGS-84, rounded to 1e-7° (1 cm) as MAVLink carries them."""
    return AutopilotFence(
        inclusion=_ring(frame, region.exterior),
        exclusions=tuple(_ring(frame, ring) for ring in region.interiors),
        ceiling_amsl_m=ceiling_amsl_m,
    )


def _ring(frame: LocalFrame, ring: shapely.LinearRing) -> tuple[Wgs84Point, ...]:
    corners = frame.unproject(shapely.get_coordinates(ring)[:-1])
    return tuple(Wgs84Point(round(float(lat), 7), round(float(lon), 7)) for lon, lat in corners)
