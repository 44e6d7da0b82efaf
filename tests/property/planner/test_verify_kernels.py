"""The distances that the last word measures are shapely's."""

from __future__ import annotations

import numpy as np
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from geofences.model import PolygonArea, Restriction, Volume, Zone
from planner.verify import _OriginalShapes
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
    found = _OriginalShapes(sky).nearer_than(ends, distance_m, standing)
    assert found in near if near else found is None
