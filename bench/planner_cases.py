"""The city cases on which planners are compared, from fixed seeds.

Area 40 × 30 km in a local metric plane, coordinates snapped to millimetres, a quarter covered: 45 % convex
zones, 35 % star-shaped concave ones, 20 % like buildings, campuses and runways (L, U, T and bar), at least
15 m apart, some 20 corners each. Pairs lie 2–15 km apart and 5 m or more off every zone. The same seeds and
the same order of draws as the cases for which figures of other planners are known, so that figures can be
compared; ``CHECKSUMS`` in the tests pins every bit.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

WIDTH_M, HEIGHT_M = 40_000.0, 30_000.0
GAP_M = 15.0
NOMINAL_COVER = 0.18
BUCKET_M = 1_500.0
QUERY_CLEARANCE_M = 5.0
QUERY_MARGIN_M = 200.0

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CityCase:
    """``zones`` as corner arrays (k, 2) in metres, counter-clockwise; ``pairs`` (n, 2, 2): start and goal."""

    zones: tuple[Floats, ...]
    pairs: Floats

    @property
    def polygons(self) -> list[shapely.Polygon]:
        """The zones as shapely polygons."""
        return [shapely.Polygon(corners) for corners in self.zones]


def city_case(count: int, *, pairs: int = 200) -> CityCase:
    """The case with ``count`` zones."""
    zones = _zones(count)
    return CityCase(tuple(zones), _pairs(count, zones, pairs))


def _turn(points: Floats, angle: float) -> Floats:
    c, s = np.cos(angle), np.sin(angle)
    return points @ np.array([[c, s], [-s, c]])


def _convex(rng: np.random.Generator, radius: float) -> Floats | None:
    n = int(rng.integers(16, 40))
    angle = np.sort(rng.uniform(0, 2 * np.pi, n))
    flatness = rng.uniform(0.45, 1.0)
    points = np.c_[radius * np.cos(angle), flatness * radius * np.sin(angle)]
    hull = shapely.convex_hull(shapely.MultiPoint(_turn(points, rng.uniform(0, 2 * np.pi))))
    return np.asarray(hull.exterior.coords)[:-1] if hull.geom_type == "Polygon" else None


def _star(rng: np.random.Generator, radius: float) -> Floats:
    n = int(rng.integers(12, 37))
    angle = (np.arange(n) + rng.uniform(-0.3, 0.3, n)) * 2 * np.pi / n
    spokes = radius * rng.uniform(0.45, 1.0, n)
    return np.c_[spokes * np.cos(angle), spokes * np.sin(angle)]


def _built(rng: np.random.Generator, radius: float) -> Floats:
    kind = int(rng.integers(0, 4))
    w = radius * rng.uniform(0.5, 1.2)
    h = radius * rng.uniform(0.5, 1.2)
    t = rng.uniform(0.2, 0.45)
    if kind == 0:
        outline = [(0, 0), (w, 0), (w, h * t), (w * t, h * t), (w * t, h), (0, h)]
    elif kind == 1:
        inner, left = w * (1 - t), w * t
        outline = [(0, 0), (w, 0), (w, h), (inner, h), (inner, h * t), (left, h * t), (left, h), (0, h)]
    elif kind == 2:
        stem, bar, left = w * 0.65, h * 0.6, w * 0.35
        outline = [(left, 0), (stem, 0), (stem, bar), (w, bar), (w, h), (0, h), (0, bar), (left, bar)]
    else:
        w, h = 1.6 * radius, 0.35 * radius
        outline = [(0, 0), (w, 0), (w, h), (0, h)]
    points = np.array(outline) - np.mean(outline, axis=0)
    return _turn(points, rng.uniform(0, 2 * np.pi))


def _shape(rng: np.random.Generator, radius: float) -> Floats | None:
    draw = rng.random()
    if draw < 0.45:
        return _convex(rng, radius)
    return _star(rng, radius) if draw < 0.80 else _built(rng, radius)


def _zones(count: int) -> list[Floats]:
    rng = np.random.default_rng(20261121 + count)
    mean_radius = np.sqrt(NOMINAL_COVER * WIDTH_M * HEIGHT_M / (count * np.pi * 0.55))
    radii = mean_radius * np.exp(rng.normal(0, 0.45, 6 * count))
    radii = np.sort(radii[:count])[::-1]  # large ones first: they pack more easily
    buckets: dict[tuple[int, int], list[int]] = defaultdict(list)
    zones: list[Floats] = []
    shapes: list[shapely.Polygon] = []
    while len(zones) < count:
        radius = radii[len(zones)]
        points = _shape(rng, radius)
        if points is None:
            continue
        margin = 1.1 * radius + 50
        centre = np.array([rng.uniform(margin, WIDTH_M - margin), rng.uniform(margin, HEIGHT_M - margin)])
        shape = shapely.Polygon(np.round(points + centre, 3))
        if not shape.is_valid or shape.area < 20:
            continue
        shape = shapely.simplify(shape, 0.05)  # no needless corners, so that every planner gets clean input
        if shape.geom_type != "Polygon" or not shape.is_valid:
            continue
        near = _buckets_around(shape)
        if any(shapely.dwithin(shape, shapes[j], GAP_M) for j in {j for key in near for j in buckets[key]}):
            continue
        for key in near:
            buckets[key].append(len(zones))
        shapes.append(shapely.orient_polygons(shape))
        zones.append(np.asarray(shapes[-1].exterior.coords)[:-1])
    return zones


def _buckets_around(shape: shapely.Polygon) -> list[tuple[int, int]]:
    left, bottom, right, top = shape.bounds
    columns = range(int((left - GAP_M) // BUCKET_M), int((right + GAP_M) // BUCKET_M) + 1)
    rows = range(int((bottom - GAP_M) // BUCKET_M), int((top + GAP_M) // BUCKET_M) + 1)
    return [(column, row) for column in columns for row in rows]


def _pairs(count: int, zones: list[Floats], wanted: int) -> Floats:
    rng = np.random.default_rng(777000 + count)
    tree = shapely.STRtree([shapely.Polygon(corners) for corners in zones])
    pairs: list[tuple[Floats, Floats]] = []
    while len(pairs) < wanted:
        start = np.round(
            np.array(
                [
                    rng.uniform(QUERY_MARGIN_M, WIDTH_M - QUERY_MARGIN_M),
                    rng.uniform(QUERY_MARGIN_M, HEIGHT_M - QUERY_MARGIN_M),
                ]
            ),
            3,
        )
        distance = rng.uniform(2_000.0, 15_000.0)
        bearing = rng.uniform(0, 2 * np.pi)
        goal = np.round(start + distance * np.array([np.cos(bearing), np.sin(bearing)]), 3)
        inside = (goal > QUERY_MARGIN_M) & (goal < np.array([WIDTH_M, HEIGHT_M]) - QUERY_MARGIN_M)
        if inside.all() and not any(
            len(tree.query(shapely.Point(end), "dwithin", QUERY_CLEARANCE_M)) for end in (start, goal)
        ):
            pairs.append((start, goal))
    return np.array(pairs)
