"""Volumes compiled for one airspace: where a point or a segment meets them, exactly.

A shape is closed and grown by the intersection precision (1 cm); see :mod:`geofences.shapes`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from core.geodesy import AltitudeDatum, LocalFrame
from geofences.intervals import Intervals, intersect, union, where_between
from geofences.model import Area, VerticalLimit
from geofences.shapes import INTERSECTION_PRECISION_M, Shape, grown, project_areas, reach_box_deg
from geofences.terrain import Terrain
from geofences.vertical import VERTICAL_SLACK_M, GeoidRange, amsl_interval

EVERYWHERE: Intervals = ((0.0, 1.0),)
_MAX_TERRAIN_PIECES = 4_000
"""Chosen: 120 km of leg at a 30 m raster; a finer model is read in longer pieces, which errs to caution."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A straight line in the plane with linearly changing altitude."""

    start_xy_m: tuple[float, float]
    end_xy_m: tuple[float, float]
    start_amsl_m: float
    end_amsl_m: float
    line: shapely.LineString
    frame: LocalFrame

    @property
    def length_m(self) -> float:
        return math.dist(self.start_xy_m, self.end_xy_m)

    @property
    def low_amsl_m(self) -> float:
        return min(self.start_amsl_m, self.end_amsl_m)

    @property
    def high_amsl_m(self) -> float:
        return max(self.start_amsl_m, self.end_amsl_m)

    def place(self, xy_m: tuple[float, float]) -> float:
        """t in [0, 1] of the point of the segment nearest to ``xy_m``."""
        (x1, y1), (x2, y2) = self.start_xy_m, self.end_xy_m
        squared = (x2 - x1) ** 2 + (y2 - y1) ** 2
        if squared == 0.0:
            return 0.0
        along = ((xy_m[0] - x1) * (x2 - x1) + (xy_m[1] - y1) * (y2 - y1)) / squared
        return min(1.0, max(0.0, along))


@dataclass(slots=True)
class CompiledVolume:
    """An area with its limits, in the plane of one airspace. Not changed after its construction,
    except for ``_grown``, which is computed when first needed."""

    area: Area | None
    """None: everywhere."""
    floor: VerticalLimit
    ceiling: VerticalLimit
    shape: Shape | None
    outer_amsl_m: tuple[float, float]
    """(low, high) that surely hold the volume everywhere in its area."""
    inner_amsl_m: tuple[float, float]
    """(low, high) that surely are inside the volume everywhere in its area."""
    _grown: shapely.Geometry | None = None

    @property
    def tested_area(self) -> shapely.Geometry | None:
        """The polygon, grown by the intersection precision, that lines are tested against; None for circles, which
        are tested as such, and for an area that is everywhere."""
        if self.shape is None or self.shape.circle is not None:
            return None
        area = self._grown
        if area is None:
            area = grown(self.shape.polygon)
            shapely.prepare(area)
            self._grown = area
        return area

    def holds_point(self, x_m: float, y_m: float, point: shapely.Point, *, outwards: bool) -> bool:
        """Whether the area holds the point, boundary included."""
        if self.shape is None:
            return True
        circle = self.shape.circle
        if circle is not None:
            radius_m = circle.outer_radius_m if outwards else circle.inner_radius_m
            distance_m = math.hypot(x_m - circle.east_m, y_m - circle.north_m)
            return distance_m <= radius_m + INTERSECTION_PRECISION_M
        return bool(shapely.dwithin(self.shape.polygon, point, INTERSECTION_PRECISION_M))

    def places(self, segment: Segment, *, outwards: bool) -> Intervals:
        """The part of the segment over (or under) the area."""
        if self.shape is None:
            return EVERYWHERE
        circle = self.shape.circle
        if circle is not None:
            radius_m = circle.outer_radius_m if outwards else circle.inner_radius_m
            return _in_circle(segment, circle.east_m, circle.north_m, radius_m + INTERSECTION_PRECISION_M)
        if segment.length_m == 0.0:
            x_m, y_m = segment.start_xy_m
            held = self.holds_point(x_m, y_m, shapely.Point(x_m, y_m), outwards=outwards)
            return EVERYWHERE if held else ()
        area = self.tested_area
        assert area is not None
        if area.contains_properly(segment.line):
            return EVERYWHERE
        parts: list[tuple[float, float]] = []
        for part in shapely.get_parts(shapely.intersection(segment.line, area)):
            if not part.is_empty:
                places = [segment.place(xy) for xy in part.coords]
                parts.append((min(places), max(places)))
        return union(parts)

    def heights(self, segment: Segment, terrain: Terrain, geoid: GeoidRange, *, outwards: bool) -> Intervals:
        """The part of the segment between floor and ceiling."""
        limits = self.outer_amsl_m if outwards else self.inner_amsl_m
        if self.outer_amsl_m == self.inner_amsl_m or math.isinf(terrain.resolution_m):
            return _between(segment, limits)
        sure = self.inner_amsl_m if outwards else self.outer_amsl_m
        if outwards and sure[0] <= segment.low_amsl_m and segment.high_amsl_m <= sure[1]:
            return EVERYWHERE
        # The ground matters: follow it in pieces of the terrain's own resolution.
        pieces = min(_MAX_TERRAIN_PIECES, max(1, math.ceil(segment.length_m / terrain.resolution_m)))
        fractions = np.linspace(0.0, 1.0, pieces + 1)
        start, end = np.array(segment.start_xy_m), np.array(segment.end_xy_m)
        lon_lat = segment.frame.unproject(start + fractions[:, None] * (end - start))
        found: list[tuple[float, float]] = []
        for i in range(pieces):
            low, high = lon_lat[i : i + 2].min(axis=0), lon_lat[i : i + 2].max(axis=0)
            ground = terrain.ground_range_amsl_m(low[0], low[1], high[0], high[1])
            limits = amsl_interval(self.floor, self.ceiling, ground, geoid, outwards=outwards)
            here = ((float(fractions[i]), float(fractions[i + 1])),)
            found.extend(intersect(_between(segment, limits), here))
        return union(found)

    def meets(self, segment: Segment, terrain: Terrain, geoid: GeoidRange, *, outwards: bool) -> Intervals:
        """The part of the segment inside the volume: place and height together."""
        heights = self.heights(segment, terrain, geoid, outwards=outwards)
        return intersect(self.places(segment, outwards=outwards), heights) if heights else ()


def _between(segment: Segment, limits: tuple[float, float]) -> Intervals:
    low, high = limits
    if low > high:
        return ()
    return where_between(
        segment.start_amsl_m, segment.end_amsl_m, low - VERTICAL_SLACK_M, high + VERTICAL_SLACK_M
    )


def _in_circle(segment: Segment, east_m: float, north_m: float, radius_m: float) -> Intervals:
    (x1, y1), (x2, y2) = segment.start_xy_m, segment.end_xy_m
    dx, dy = x2 - x1, y2 - y1
    fx, fy = x1 - east_m, y1 - north_m
    a = dx * dx + dy * dy
    start_inside = math.hypot(fx, fy) <= radius_m
    if a == 0.0:
        return EVERYWHERE if start_inside else ()
    nearest = -(fx * dx + fy * dy) / a
    squared_miss = (fx + nearest * dx) ** 2 + (fy + nearest * dy) ** 2
    if squared_miss > radius_m * radius_m:
        return ()
    half = math.sqrt((radius_m * radius_m - squared_miss) / a)
    first, last = max(0.0, nearest - half), min(1.0, nearest + half)
    if start_inside:
        first, last = 0.0, max(last, 0.0)
    if math.hypot(x2 - east_m, y2 - north_m) <= radius_m:
        first, last = min(first, 1.0), 1.0
    return ((first, last),) if first <= last else ()


def compile_volumes(
    frame: LocalFrame,
    terrain: Terrain,
    geoid: GeoidRange,
    parts: Sequence[tuple[Area | None, VerticalLimit, VerticalLimit]],
) -> list[CompiledVolume]:
    """Project the areas and bound their limits over the ground below them."""
    shapes = iter(project_areas(frame, [area for area, _, _ in parts if area is not None]))
    result: list[CompiledVolume] = []
    for area, floor, ceiling in parts:
        shape = None if area is None else next(shapes)
        # An authorisation without an area of its own may lie anywhere within reach.
        bounds_deg = reach_box_deg(frame.origin) if shape is None else shape.bounds_deg
        ground = terrain.ground_range_amsl_m(*bounds_deg)
        outer_amsl_m = amsl_interval(floor, ceiling, ground, geoid, outwards=True)
        if ground[0] == ground[1] and AltitudeDatum.ELLIPSOID not in (floor.datum, ceiling.datum):
            inner_amsl_m = outer_amsl_m
        else:
            inner_amsl_m = amsl_interval(floor, ceiling, ground, geoid, outwards=False)
        result.append(CompiledVolume(area, floor, ceiling, shape, outer_amsl_m, inner_amsl_m))
    return result
