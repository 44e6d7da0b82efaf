"""Fences: few corners, everything needed inside, nothing forbidden; judged by shapely alone."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import shapely

from geofences.model import TimeWindow
from planner.corridor import corridor_of
from planner.fence import MAX_VERTICES, fence_region
from planner.space import Space
from tests.unit.planner.helpers import HEX10, NOW, airspace, box_zone, circle_zone

CORRIDOR = corridor_of(HEX10)


def city(seed: int, crowd: int) -> tuple[Space, list[shapely.Polygon], np.ndarray]:
    """Zones, and returns that fan out between them: triangles clear of every zone, all at one leg."""
    rng = np.random.default_rng(seed)
    zones = [
        circle_zone(f"c{i}", float(x), float(y), float(r))
        if i % 2
        else box_zone(f"b{i}", float(x), float(y), float(x + r), float(y + r))
        for i, (x, y, r) in enumerate(
            zip(
                rng.uniform(-3000, 3000, crowd),
                rng.uniform(150, 3000, crowd) * rng.choice((-1, 1), crowd),
                rng.uniform(20, 80, crowd),
                strict=True,
            )
        )
    ]
    space = Space(airspace(*zones), CORRIDOR)
    shapes = list(space.polygons)
    free = []
    for _ in range(400):
        foot = float(rng.uniform(-2500, 2500))
        triangle = np.array(
            [(foot - 30, 0.0), (foot + 30, 0.0), (foot + rng.uniform(-900, 900), rng.uniform(-2000, 2000))]
        )
        hull = shapely.convex_hull(shapely.multipoints(triangle))
        if all(shape.distance(hull) > CORRIDOR.return_clearance_m for shape in shapes):
            free.append(triangle)
        if len(free) == 9:
            break
    base = [
        np.array([(x, 0.0), (x + 500.0, 0.0), (x + 250.0, 1.0)]) for x in np.arange(-2500.0, 2500.0, 500.0)
    ]
    return space, shapes, np.array(base + free)


@pytest.mark.parametrize(("seed", "crowd"), list(itertools.product(range(8), (20, 60))))
def test_fence_contains_the_way_and_meets_no_zone(seed: int, crowd: int) -> None:
    space, shapes, swept = city(seed, crowd)
    mask = space.mask(60.0, 60.0, TimeWindow.at(NOW))
    on_axis = [shape for shape in shapes if shape.distance(shapely.LineString([(-2500, 0), (2500, 0)])) < 62]
    assert not on_axis, "the leg itself is free"
    fence = fence_region(space, ways=[((-2500.0, 0.0), (2500.0, 0.0))], swept=swept, mask=mask, keep_in=None)
    assert fence is not None
    assert fence.is_valid
    corners = shapely.get_num_coordinates(fence) - 1 - len(fence.interiors)
    assert corners <= MAX_VERTICES
    for triangle in swept:
        hull = shapely.convex_hull(shapely.multipoints(triangle))
        assert fence.contains(shapely.buffer(hull, CORRIDOR.flight_geography_m))
    assert all(fence.disjoint(shape) for shape in shapes)
    # The corners are few because the bare union has many.
    bare = shapely.union_all(
        [shapely.buffer(shapely.convex_hull(shapely.multipoints(t)), 12.0, quad_segs=4) for t in swept]
    )
    assert shapely.get_num_coordinates(bare) > corners


def test_a_hole_with_a_zone_in_it_becomes_an_exclusion() -> None:
    """Returns that surround a zone leave it outside, as an exclusion polygon."""
    space = Space(airspace(box_zone("z", -60, 60, 60, 140)), CORRIDOR)
    mask = space.mask(60.0, 60.0, TimeWindow.at(NOW))
    ring = [(-400.0, -100.0), (400.0, -100.0), (400.0, 400.0), (-400.0, 400.0), (-400.0, -100.0)]
    fence = fence_region(space, ways=[ring], swept=np.empty((0, 3, 2)), mask=mask, keep_in=None)
    assert fence is not None
    assert len(fence.interiors) == 1
    assert fence.disjoint(space.polygons[0])
    empty = Space(airspace(box_zone("far", 5000, 5000, 5100, 5100)), CORRIDOR)
    filled = fence_region(
        empty,
        ways=[ring],
        swept=np.empty((0, 3, 2)),
        mask=empty.mask(60.0, 60.0, TimeWindow.at(NOW)),
        keep_in=None,
    )
    assert filled is not None
    assert not filled.interiors
