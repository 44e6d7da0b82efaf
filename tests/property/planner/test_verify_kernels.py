"""What the last word measures, and what it says of a fence, is what shapely says."""

from __future__ import annotations

import numpy as np
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from geofences.model import PolygonArea, Restriction, Volume, Zone
from planner import verify_kernels
from planner.verify_shapes import EXACT_M, Fence, OperatingArea, OriginalShapes
from tests.unit.planner.helpers import airspace, at_m

steps = st.integers(-12, 12).map(lambda step: 50.0 * step)
places = st.tuples(steps, steps)
distances = st.sampled_from([0.02, 12.0, 50.0, 61.1, 75.5])


@st.composite
def yards(draw: st.DrawFn) -> Zone:
    """A star with a hole around its middle."""
    centre = np.array(draw(places))
    count = draw(st.integers(5, 8))
    turns = 2.0 * np.pi * (np.arange(count) + draw(st.floats(0.0, 1.0))) / count
    around = np.column_stack([np.cos(turns), np.sin(turns)])
    radii = np.array(draw(st.lists(st.floats(60.0, 300.0), min_size=count, max_size=count)))
    outer, hole = centre + radii[:, None] * around, centre + draw(st.floats(5.0, 15.0)) * around
    rings = [tuple(at_m(*corner) for corner in ring.tolist()) for ring in (outer, hole)]
    return Zone(
        zone_id=f"z{draw(st.integers(0, 10**9))}",
        restriction=Restriction.PROHIBITED,
        volumes=(Volume(PolygonArea(rings[0], (rings[1],))),),
    )


@settings(max_examples=150, deadline=None)
@given(
    st.lists(yards(), min_size=1, max_size=5, unique_by=lambda zone: zone.zone_id),
    st.lists(st.tuples(places, places), min_size=1, max_size=4),
    distances,
    st.data(),
)
def test_what_is_near_is_near_for_shapely(zones, lines, distance_m, data):
    sky = airspace(*zones)
    polygons = [obstacle.polygon for obstacle in sky.obstacle_polygons]
    assume(all(polygon.is_valid for polygon in polygons))
    standing = np.array([data.draw(st.booleans()) for _ in polygons])
    ends = np.array(lines, dtype=np.float64).reshape(-1, 4)
    shapes = [
        shapely.Point(start) if start == end else shapely.LineString([start, end]) for start, end in lines
    ]
    away_m = np.array([[polygon.distance(shape) for shape in shapes] for polygon in polygons])
    assume((np.abs(away_m - distance_m) > 1e-6).all())
    near = {
        obstacle.zone_id
        for obstacle, row, stands in zip(sky.obstacle_polygons, away_m, standing, strict=True)
        if stands and (row < distance_m).any()
    }
    found = OriginalShapes(sky).nearer_than(ends, distance_m, standing)
    assert found in near if near else found is None


# What a fence is, holds and meets


def rings_of(polygon: shapely.Polygon) -> list[np.ndarray]:
    return [shapely.get_coordinates(ring)[:-1] for ring in (polygon.exterior, *polygon.interiors)]


@st.composite
def fences(draw: st.DrawFn) -> tuple[shapely.Polygon, list[np.ndarray]]:
    """A star, sometimes with a hole that may stick out of it, sometimes with two corners exchanged."""
    centre = np.array(draw(places))
    count = draw(st.integers(4, 9))
    turns = 2.0 * np.pi * (np.arange(count) + draw(st.floats(0.0, 1.0))) / count
    radii = np.array(draw(st.lists(st.floats(80.0, 600.0), min_size=count, max_size=count)))
    outer = centre + radii[:, None] * np.column_stack([np.cos(turns), np.sin(turns)])
    if draw(st.booleans()):
        outer[[0, 2]] = outer[[2, 0]]
    rings = [outer]
    for _ in range(draw(st.integers(0, 2))):
        middle = centre + np.array(draw(st.tuples(st.floats(-300.0, 300.0), st.floats(-300.0, 300.0))))
        rings.append(middle + draw(st.floats(5.0, 80.0)) * np.array([(1.0, 0.0), (-0.5, 0.8), (-0.5, -0.8)]))
    return shapely.Polygon(outer, rings[1:]), rings


@settings(max_examples=300, deadline=None)
@given(fences())
def test_a_region_is_one_for_shapely(found):
    polygon, rings = found
    plain = verify_kernels.plainly_simple(Fence(rings).edges, np.cumsum([0, *map(len, rings)]), EXACT_M)
    # What the kernel can't tell it leaves to shapely; these coordinates are nowhere near to touching.
    assert plain == polygon.is_valid == Fence(rings).is_region()


@settings(max_examples=200, deadline=None)
@given(fences(), st.lists(st.tuples(places, places), min_size=1, max_size=4), distances)
def test_what_a_fence_holds_it_holds_for_shapely(found, lines, distance_m):
    polygon, rings = found
    assume(polygon.is_valid)
    shapes = [shapely.LineString(line) if line[0] != line[1] else shapely.Point(line[0]) for line in lines]
    away_m = np.array([polygon.boundary.distance(shape) for shape in shapes])
    assume((np.abs(away_m - distance_m) > 1e-6).all())
    inside = all(polygon.covers(shape) for shape in shapes) and bool((away_m > distance_m).all())
    assert Fence(rings).holds(np.array(lines, dtype=np.float64).reshape(-1, 4), distance_m) == inside


@settings(max_examples=150, deadline=None)
@given(st.lists(yards(), min_size=1, max_size=5, unique_by=lambda zone: zone.zone_id), fences(), st.data())
def test_what_a_fence_meets_it_meets_for_shapely(zones, found, data):
    polygon, rings = found
    assume(polygon.is_valid)
    sky = airspace(*zones)
    obstacles = [obstacle.polygon for obstacle in sky.obstacle_polygons]
    assume(all(obstacle.is_valid for obstacle in obstacles))
    standing = np.array([data.draw(st.booleans()) for _ in obstacles])
    met = {
        obstacle.zone_id
        for obstacle, stands in zip(sky.obstacle_polygons, standing, strict=True)
        if stands and obstacle.polygon.intersects(polygon)
    }
    said = OriginalShapes(sky).met_by(Fence(rings), standing)
    assert said in met if met else said is None


@settings(max_examples=150, deadline=None)
@given(fences(), fences(), st.booleans())
def test_what_an_operating_area_covers_it_covers_for_shapely(area, found, itself):
    polygon, rings = area if itself else found
    assume(polygon.is_valid and area[0].is_valid)
    assert OperatingArea(area[0]).covers(Fence(rings)) == area[0].covers(polygon)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(places, places), min_size=1, max_size=4), st.lists(places, min_size=1, max_size=5))
def test_straight_returns_start_everywhere_and_end_at_the_nearest(lines, rally):
    points = np.array(rally, dtype=np.float64)
    ends = np.array(lines, dtype=np.float64).reshape(-1, 4)
    flown = verify_kernels.straight_returns(ends, points, 250.0)
    away_m = np.hypot(*(flown[:, None, :2] - points[None]).transpose(2, 0, 1))
    np.testing.assert_allclose(np.hypot(*(flown[:, 2:] - flown[:, :2]).T), away_m.min(axis=1))
    starts = shapely.MultiPoint(flown[:, :2])
    for start, end in lines:
        shape = shapely.LineString([start, end])
        on_it = sorted(shape.project(at) for at in starts.geoms if shape.distance(at) < 1e-6)
        assert on_it[0] == 0.0
        assert abs(on_it[-1] - shape.length) < 1e-6
        assert (np.diff(on_it) <= 250.0 + 1e-6).all()
