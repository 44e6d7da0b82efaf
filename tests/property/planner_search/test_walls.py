"""Walls against shapely's overlay: found exactly where start and goal lie in different parts of the free plane."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import shapely

from planner.search.engine import CompiledEngine
from planner.search.shapes import LazyShapes, joined, rings_of
from planner.search.walls import wall_between

SIDE_MM = 1_000_000


def blob(rng: np.random.Generator) -> shapely.Polygon:
    """Star-shaped, convex or with a yard, corners on whole millimetres."""
    angles = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(4, 9)))
    radius = rng.uniform(30_000, 130_000) * rng.uniform(0.5, 1.0, len(angles))
    around = np.column_stack([np.cos(angles), np.sin(angles)]) * radius[:, None]
    shape = shapely.Polygon(np.round(around + rng.uniform(0, SIDE_MM, 2)))
    if shape.is_valid and rng.random() < 0.2:
        yard = shapely.transform(shapely.affinity.scale(shape, 0.6, 0.6), np.round)
        shape = shape.difference(yard)
    return shape


def found(engine: CompiledEngine, mask: np.ndarray, s: np.ndarray, t: np.ndarray) -> tuple[int, set[int]]:
    corners, owner, _, _, _, grid, cells, edges, more_cells, more_edges, ring, links, places, touching = (
        engine._world
    )
    blamed = np.empty(len(ring), dtype=np.int32)
    n = wall_between(
        corners, owner, ring, grid, cells, edges, more_cells, more_edges, links, places, touching, mask,
        s[0], s[1], t[0], t[1], blamed,
    )  # fmt: skip
    return n, set(blamed[: max(n, 0)].tolist())


def engine_of(shapes: list[shapely.Polygon], keep_in: shapely.Geometry | None) -> CompiledEngine:
    """Half of the obstacles are there from the beginning, the others come one by one."""
    all_shapes = np.empty(len(shapes) + 1, dtype=object)
    all_shapes[0] = shapely.Polygon() if keep_in is None else keep_in
    all_shapes[1:] = shapes
    half = 1 + len(shapes) // 2
    rings = joined(rings_of(all_shapes[:1], outside=True), rings_of(all_shapes[1:half]))
    lazy = LazyShapes(all_shapes)
    engine = CompiledEngine(lazy, rings, keep_in=keep_in is not None)
    for k in range(half, len(all_shapes)):
        engine = engine.with_obstacles(lazy, rings_of(all_shapes[k : k + 1]))
    return engine


def part(free: np.ndarray, point: np.ndarray) -> int | None:
    inside = np.flatnonzero(shapely.contains_xy(free, *point))
    return int(inside[0]) if len(inside) else None


@pytest.mark.parametrize("seed", range(40))
def test_a_wall_is_found_exactly_where_there_is_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shapes = [shape for shape in (blob(rng) for _ in range(int(rng.integers(3, 60)))) if shape.is_valid]
    shapes = [shape for shape in shapes if isinstance(shape, shapely.Polygon)]
    area = shapely.transform(shapely.Point(SIDE_MM / 2, SIDE_MM / 2).buffer(SIDE_MM * 0.45, 5), np.round)
    keep_in = area if seed % 2 else None
    engine = engine_of(shapes, keep_in)
    mask = rng.random(len(shapes) + 1) < 0.9
    mask[0] = keep_in is not None
    standing = [shape for shape, on in zip(shapes, mask[1:], strict=True) if on]
    whole = keep_in if keep_in is not None else shapely.box(-SIDE_MM, -SIDE_MM, 2 * SIDE_MM, 2 * SIDE_MM)
    free = shapely.get_parts(shapely.difference(whole, shapely.union_all(standing)))
    shapely.prepare(free)
    points = [p for p in np.round(rng.uniform(-0.1, 1.1, (60, 2)) * SIDE_MM) if part(free, p) is not None]
    asked = {False: 0, True: 0}
    for s, t in itertools.pairwise(points):
        parted = part(free, s) != part(free, t)
        count, blamed = found(engine, mask, s, t)
        assert (count > 0) == parted
        asked[parted] += 1
        if parted:  # those blamed are in force, and are wall enough
            assert all(mask[k] for k in blamed)
            kept = whole if 0 in blamed else shapely.box(-SIDE_MM, -SIDE_MM, 2 * SIDE_MM, 2 * SIDE_MM)
            wall = [shapes[k - 1] for k in blamed if k > 0]
            rest = shapely.get_parts(shapely.difference(kept, shapely.union_all(wall)))
            assert part(rest, s) != part(rest, t)
    assert sum(asked.values()) >= 5


def test_there_are_walls_and_none_in_these_worlds() -> None:
    """An end on a boundary can't be decided; beside it it can."""
    ring = shapely.box(0, 0, 9_000, 9_000).difference(shapely.box(3_000, 3_000, 6_000, 6_000))
    engine = engine_of([ring], None)
    mask = np.array([False, True])
    inside, outside = np.array([4_000.0, 4_000.0]), np.array([20_000.0, 4_000.0])
    assert found(engine, mask, inside, outside) == (1, {1})
    assert found(engine, mask, inside, inside + 10.0)[0] == 0
    assert found(engine, np.array([False, False]), inside, outside)[0] == 0
    assert found(engine, mask, np.array([3_000.0, 4_000.0]), outside)[0] < 0


@pytest.mark.parametrize("gap_mm", [0, 1])
def test_aligned_boxes_that_overlap_close_a_wall_and_boxes_that_only_touch_do_not(gap_mm: int) -> None:
    """Edges on one line, corners on edges: nothing crosses properly anywhere."""
    overlap = 500 * gap_mm
    bars = [
        shapely.box(0, 0, 10_000, 1_000),
        shapely.box(10_000 - max(overlap, 0), 0, 20_000, 1_000),
        shapely.box(19_000, 0, 20_000, 20_000),
        shapely.box(0, 19_000, 20_000, 20_000),
        shapely.box(0, 0, 1_000, 20_000),
    ]
    engine = engine_of(bars, None)
    mask = np.array([False, *[True] * 5])
    count, blamed = found(engine, mask, np.array([5_000.0, 5_000.0]), np.array([40_000.0, 5_000.0]))
    assert (count > 0) is (gap_mm > 0)
    assert blamed == ({1, 2, 3, 4, 5} if gap_mm else set())
