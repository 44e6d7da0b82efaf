"""The fence's outline is the union that GEOS finds, and what is said to be enclosed is."""

from __future__ import annotations

import itertools

import numpy as np
import shapely
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from planner import fence, outline_kernels

WIDTH_M = 12.0

coordinates = st.integers(-20, 20).map(lambda step: 25.0 * step)
places = st.tuples(coordinates, coordinates)


@st.composite
def fans(draw: st.DrawFn) -> np.ndarray:
    """Triangles over the legs of one way, all to a few points: edges coincide, corners are shared."""
    way = draw(st.lists(places, min_size=2, max_size=6, unique=True))
    tips = draw(st.lists(places, min_size=1, max_size=3))
    return np.array(
        [(start, end, draw(st.sampled_from(tips))) for start, end in itertools.pairwise(way)],
        dtype=np.float64,
    )


def union_of(hulls: np.ndarray, sizes: np.ndarray) -> shapely.Geometry:
    return shapely.union_all([shapely.Polygon(hull[:size]) for hull, size in zip(hulls, sizes, strict=True)])


@settings(max_examples=150, deadline=None)
@given(fans())
def test_the_outline_is_the_union(triangles):
    hulls, sizes = outline_kernels.widened(triangles, WIDTH_M * fence._AROUND)
    for hull, size, triangle in zip(hulls, sizes, triangles, strict=True):
        around = (triangle[:, None] + WIDTH_M * fence._AROUND).reshape(-1, 2)
        expected = shapely.convex_hull(shapely.multipoints(around))
        assert expected.symmetric_difference(shapely.Polygon(hull[:size])).area < 1e-6
    rings = fence._joined(hulls, sizes, WIDTH_M)
    event(f"joined {rings is not None}")
    assume(rings is not None)
    region = shapely.Polygon(rings[0], rings[1:])
    assert region.is_valid
    expected = union_of(hulls, sizes)
    # Corners may be left out, and rings of no size.
    assert region.hausdorff_distance(expected) < 1.0
    assert region.symmetric_difference(expected).area < 0.05 * expected.length


@settings(max_examples=150, deadline=None)
@given(fans(), st.lists(places, min_size=3, max_size=3), st.sampled_from([1.0, 12.0, 12.04, 12.5, 60.0]))
def test_enclosing_is_what_shapely_measures(triangles, other, distance_m):
    hulls, sizes = outline_kernels.widened(triangles, WIDTH_M * fence._AROUND)
    rings = fence._joined(hulls, sizes, WIDTH_M)
    assume(rings is not None)
    region = shapely.Polygon(rings[0], rings[1:])
    starts = np.cumsum([0, *map(len, rings)])
    for shape in (*triangles, np.array(other)):
        solid = shapely.convex_hull(shapely.multipoints(shape))
        away_m = region.boundary.distance(solid)
        if abs(away_m - distance_m) > 1e-6:
            expected = region.covers(solid) and away_m >= distance_m
            found = outline_kernels.encloses(np.concatenate(rings), starts, shape[None], distance_m)
            assert found == expected


def test_a_hole_inside_a_shape_is_noticed() -> None:
    square, hole = (
        ((0.0, 0.0), (9.0, 0.0), (9.0, 9.0), (0.0, 9.0)),
        ((4.0, 4.0), (4.0, 5.0), (5.0, 5.0), (5.0, 4.0)),
    )
    shape = np.array([((2.0, 2.0), (7.0, 2.0), (4.5, 8.0))])
    corners = np.array([*square, *hole])
    assert outline_kernels.encloses(corners[:4], np.array([0, 4]), shape, 0.5)
    assert not outline_kernels.encloses(corners, np.array([0, 4, 8]), shape, 0.5)
