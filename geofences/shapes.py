"""Areas projected into the metric plane of an airspace.

- Edges that are straight in longitude and latitude bend in the plane. Long ones get extra vertices,
  so that the polygon follows them within :data:`EDGE_TOLERANCE_M`.
- What lies beyond the airspace's reach is cut off; questions there are refused.
- A circle keeps its centre and radius for tests and gets a circumscribed polygon for planning
  (inscribed where the circle says where one may be).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt
import shapely

from core.geodesy import LocalFrame, Wgs84Point, geodesic_distance_m, initial_bearing_deg
from geofences.model import Area, CircleArea, PolygonArea
from geofences.plane import project_many

INTERSECTION_PRECISION_M = 0.01
"""ASTM F3548-21's precision of an intersection. A shape is closed and grown by this much in every
test, which also covers EDGE_TOLERANCE_M and the rounding of the projection."""

EDGE_TOLERANCE_M = 0.005
"""Chosen: half of the intersection precision."""

REACH_DEG = 0.6
"""Half the side of the square (in degrees of latitude) around the origin in which questions are
answered: 66 km, so that its corners and the margin below stay within the frame's 100 km."""

_CLIP_DEG = 0.62
_EARTH_RADIUS_M = 6_335_000.0
"""Smallest radius of curvature of WGS-84 (meridian at the equator), so that scales err upwards."""
_PLANE_CURVATURE_PER_M = 3e-9
"""Geodesics bend in an azimuthal equidistant plane by at most (2/3)·ρ/R² = 1.7e-9 per metre at the
100 km that a frame reaches."""
_CIRCLE_OVERSHOOT_M = 1.0
"""Chosen: how far a circumscribed corner may stand out, where 16 to 96 corners allow it."""


@dataclass(frozen=True, slots=True)
class Circle:
    """A circle in the plane; ``outer_radius_m`` surely contains it, ``inner_radius_m`` is surely inside.

    An azimuthal equidistant plane shows every distance at least as long as it is on the ground and
    at most by the factor (ρ/R)/sin(ρ/R) longer, ρ the distance from the origin.
    """

    east_m: float
    north_m: float
    inner_radius_m: float
    outer_radius_m: float


@dataclass(frozen=True, slots=True)
class Shape:
    """An area in the plane. ``polygon`` surely contains it, ``inner`` is surely inside it (the same
    object for polygons); both are empty when the area lies out of reach."""

    polygon: shapely.Polygon | shapely.MultiPolygon
    inner: shapely.Polygon | shapely.MultiPolygon
    circle: Circle | None
    bounds_deg: tuple[float, float, float, float]
    """west, south, east, north of the whole area."""


def reach_box_deg(origin: Wgs84Point, half_side_deg: float = REACH_DEG) -> tuple[float, float, float, float]:
    """west, south, east, north of the square in which an airspace around ``origin`` answers."""
    half_longitude_deg = half_side_deg / max(math.cos(math.radians(origin.latitude_deg)), 0.01)
    return (
        origin.longitude_deg - half_longitude_deg,
        origin.latitude_deg - half_side_deg,
        origin.longitude_deg + half_longitude_deg,
        origin.latitude_deg + half_side_deg,
    )


def project_areas(frame: LocalFrame, areas: Sequence[Area]) -> list[Shape]:
    """The areas in the plane of ``frame``, in their order. Vectorised: 5,000 polygons in about 0.1 s."""
    result: list[Shape | None] = [None] * len(areas)
    rings: list[tuple[Wgs84Point, ...]] = []
    first_ring: list[int] = []
    polygon_indices: list[int] = []
    for i, area in enumerate(areas):
        if isinstance(area, CircleArea):
            result[i] = _project_circle(frame, area)
        else:
            polygon_indices.append(i)
            first_ring.append(len(rings))
            rings.append(area.exterior)
            rings.extend(area.holes)
    first_ring.append(len(rings))
    if polygon_indices:
        for i, shape in zip(
            polygon_indices, _project_polygons(frame, areas, polygon_indices, rings, first_ring), strict=True
        ):
            result[i] = shape
    return [shape for shape in result if shape is not None]


def _project_polygons(
    frame: LocalFrame,
    areas: Sequence[Area],
    polygon_indices: list[int],
    rings: list[tuple[Wgs84Point, ...]],
    first_ring: list[int],
) -> list[Shape]:
    lengths = np.array([len(ring) for ring in rings])
    points = list(chain.from_iterable(rings))
    coordinates = np.column_stack([[p.longitude_deg for p in points], [p.latitude_deg for p in points]])
    ring_start = np.concatenate([[0], np.cumsum(lengths)])
    west = np.minimum.reduceat(coordinates[:, 0], ring_start[:-1])[first_ring[:-1]]
    east = np.maximum.reduceat(coordinates[:, 0], ring_start[:-1])[first_ring[:-1]]
    south = np.minimum.reduceat(coordinates[:, 1], ring_start[:-1])[first_ring[:-1]]
    north = np.maximum.reduceat(coordinates[:, 1], ring_start[:-1])[first_ring[:-1]]
    box = reach_box_deg(frame.origin, _CLIP_DEG)
    within = (west >= box[0]) & (south >= box[1]) & (east <= box[2]) & (north <= box[3])

    polygons = np.empty(len(polygon_indices), dtype=object)
    near = np.flatnonzero(within)
    if len(near):
        # Rings of the polygons that lie wholly within reach, projected in one call.
        ring_polygon = np.repeat(np.arange(len(polygon_indices)), np.diff(first_ring))
        ring_wanted = within[ring_polygon]
        ring_of_point = np.repeat(np.arange(len(rings)), lengths)
        kept = ring_wanted[ring_of_point]
        bent, bent_ring = _bend(frame, coordinates[kept], ring_of_point[kept])
        renumber = np.cumsum(ring_wanted) - 1
        made = shapely.linearrings(bent, indices=renumber[bent_ring])
        exterior_rows = renumber[np.asarray(first_ring[:-1])[near]]
        polygons[near] = shapely.polygons(made[exterior_rows])
        for k in near[np.diff(first_ring)[near] > 1]:
            first, last = renumber[first_ring[k]], renumber[first_ring[k + 1] - 1]
            polygons[k] = shapely.Polygon(made[first], list(made[first + 1 : last + 1]))
    clip = shapely.box(*box)
    for k in np.flatnonzero(~within):
        area = areas[polygon_indices[k]]
        assert isinstance(area, PolygonArea)
        polygons[k] = _project_clipped(frame, shapely.intersection(area.to_shapely_lon_lat(), clip))
    for k in np.flatnonzero(~shapely.is_valid(polygons)):
        # A sliver valid in degrees may cross itself by nanometres after rounding in metres.
        polygons[k] = shapely.make_valid(polygons[k]).buffer(EDGE_TOLERANCE_M, join_style="mitre")
    bounds = np.column_stack([west, south, east, north]).tolist()
    return [
        Shape(polygon, polygon, None, tuple(extent)) for polygon, extent in zip(polygons, bounds, strict=True)
    ]


def _project_clipped(frame: LocalFrame, clipped: shapely.Geometry) -> shapely.Polygon | shapely.MultiPolygon:
    parts = []
    for part in shapely.get_parts(clipped):
        if part.geom_type != "Polygon" or part.is_empty:
            continue
        rings = []
        for ring in (part.exterior, *part.interiors):
            coordinates = shapely.get_coordinates(ring)[:-1]
            bent, _ = _bend(frame, coordinates, np.zeros(len(coordinates), dtype=int))
            rings.append(bent)
        parts.append(shapely.Polygon(rings[0], rings[1:]))
    if len(parts) == 1:
        return parts[0]
    return shapely.MultiPolygon(parts)


def _bend(
    frame: LocalFrame, coordinates: npt.NDArray[np.float64], ring_of_point: npt.NDArray[np.int_]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int_]]:
    """Open rings in degrees → rings in metres that follow the straight edges in degrees."""
    box = reach_box_deg(frame.origin, _CLIP_DEG)
    projected = project_many(frame, coordinates, box)
    following = np.arange(1, len(coordinates) + 1)
    last = np.flatnonzero(np.append(ring_of_point[1:] != ring_of_point[:-1], True))
    following[last] = np.concatenate([[0], last[:-1] + 1])
    edge = projected[following] - projected
    length = np.hypot(edge[:, 0], edge[:, 1])
    long = np.flatnonzero(length > _straight_enough_m(coordinates))
    if not len(long):
        return projected, ring_of_point
    start, end = coordinates[long], coordinates[following[long]]
    deviation = np.zeros(len(long))
    normal = np.column_stack([-edge[long, 1], edge[long, 0]]) / length[long, None]
    for fraction in (0.25, 0.5, 0.75):
        between = frame.project(start + fraction * (end - start)) - projected[long]
        deviation = np.maximum(deviation, np.abs(np.sum(between * normal, axis=1)))
    # A parabola's deviation falls with the square of the number of pieces; 1.5 for what is no parabola.
    pieces = np.maximum(1, np.ceil(np.sqrt(1.5 * deviation / EDGE_TOLERANCE_M))).astype(int)
    bending = pieces > 1
    if not bool(bending.any()):
        return projected, ring_of_point
    counts = np.ones(len(coordinates), dtype=int)
    counts[long] = pieces
    owner = np.repeat(np.arange(len(coordinates)), counts)
    step = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    fraction = (step / counts[owner])[:, None]
    dense = coordinates[owner] + fraction * (coordinates[following[owner]] - coordinates[owner])
    result = projected[owner]
    added = step > 0
    result[added] = frame.project(dense[added])
    return result, ring_of_point[owner]


def _straight_enough_m(coordinates: npt.NDArray[np.float64]) -> float:
    """Edges up to this length bend by less than half of EDGE_TOLERANCE_M (sagitta L²·κ/8; a line
    straight in degrees is bent by at most κ = tan φ / R against a geodesic)."""
    latitude = math.radians(min(float(np.abs(coordinates[:, 1]).max()), 89.0))
    curvature_per_m = math.tan(latitude) / _EARTH_RADIUS_M + _PLANE_CURVATURE_PER_M
    return math.sqrt(8.0 * 0.5 * EDGE_TOLERANCE_M / curvature_per_m)


def _project_circle(frame: LocalFrame, area: CircleArea) -> Shape:
    distance_m = geodesic_distance_m(frame.origin, area.centre)
    bearing = math.radians(initial_bearing_deg(frame.origin, area.centre))
    east_m, north_m = distance_m * math.sin(bearing), distance_m * math.cos(bearing)
    reach_m = max(distance_m, min(distance_m + area.radius_m, frame.MAX_REACH_M))
    angle = reach_m / _EARTH_RADIUS_M
    scale = angle / math.sin(angle) if angle > 0.0 else 1.0
    circle = Circle(east_m, north_m, area.radius_m, area.radius_m * scale)
    corners = _corner_count(circle.outer_radius_m)
    outer = _regular_polygon(circle, circle.outer_radius_m / math.cos(math.pi / corners), corners)
    inner = _regular_polygon(circle, circle.inner_radius_m, corners)
    latitude_span_deg = math.degrees(area.radius_m / _EARTH_RADIUS_M)
    furthest_deg = min(89.0, abs(area.centre.latitude_deg) + latitude_span_deg)
    longitude_span_deg = latitude_span_deg / math.cos(math.radians(furthest_deg))
    bounds = (
        area.centre.longitude_deg - longitude_span_deg,
        area.centre.latitude_deg - latitude_span_deg,
        area.centre.longitude_deg + longitude_span_deg,
        area.centre.latitude_deg + latitude_span_deg,
    )
    return Shape(outer, inner, circle, bounds)


def _corner_count(radius_m: float) -> int:
    if radius_m <= _CIRCLE_OVERSHOOT_M:
        return 16
    needed = math.pi / math.acos(radius_m / (radius_m + _CIRCLE_OVERSHOOT_M))
    return max(16, min(96, math.ceil(needed / 4) * 4))


def _regular_polygon(circle: Circle, corner_radius_m: float, corners: int) -> shapely.Polygon:
    angles = 2.0 * np.pi * np.arange(corners) / corners
    return shapely.Polygon(
        np.column_stack(
            [
                circle.east_m + corner_radius_m * np.cos(angles),
                circle.north_m + corner_radius_m * np.sin(angles),
            ]
        )
    )


def circle_corners(area: CircleArea) -> list[Wgs84Point]:
    """A polygon that contains the circle, for formats that have none."""
    frame = LocalFrame(area.centre)
    corners = shapely.get_coordinates(_project_circle(frame, area).polygon)[:-1]
    return [Wgs84Point(latitude, longitude) for longitude, latitude in frame.unproject(corners).tolist()]


def grown(polygon: shapely.Geometry) -> shapely.Geometry:
    """The polygon grown by the intersection precision, corners kept sharp (so never less)."""
    return shapely.buffer(polygon, INTERSECTION_PRECISION_M, join_style="mitre")
