"""An index that obstacles were put into answers like one that was built with them."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from planner import sweep, sweep_kernels


def boxes(rng: np.random.Generator, count: int, reach_m: float) -> np.ndarray:
    low = rng.uniform(-reach_m, reach_m, (count, 2))
    size = rng.uniform(10.0, 300.0, (count, 2))
    return shapely.box(*low.T, *(low + size).T)


def answers(index: sweep.SweepIndex, mask: np.ndarray, triangles: np.ndarray) -> list[tuple[bool, bool]]:
    standing = index.standing(mask)
    return [
        (
            sweep_kernels._segment_blocked(
                index.grid, index.cells, index.edges, index.owner, standing, index.clearance_m, *a, *b
            ),
            sweep_kernels._holds_a_place(index.places, index.place_owner, standing, *a, *b, *c),
        )
        for a, b, c in triangles
    ]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("with_area", [False, True])
def test_obstacles_put_in_later_count_like_the_others(seed: int, with_area: bool) -> None:
    rng = np.random.default_rng(seed)
    area = shapely.box(-4000, -4000, 4000, 4000).difference(shapely.box(-50, -50, 50, 50))
    keep_in = area if with_area else None
    # The outermost box of the first ones spans the grid.
    old = np.concatenate([boxes(rng, 40, 2500.0), shapely.box([-3500.0], [-3500.0], [3500.0], [3400.0])])
    new = boxes(rng, 3, 2500.0)
    index = sweep.with_obstacles(sweep.build_sweep_index(old, keep_in, 12.6), new)
    assert index is not None
    whole = sweep.build_sweep_index(np.concatenate([old, new]), keep_in, 12.6)
    mask = rng.random(len(old) + len(new)) < 0.5
    mask[-3:] = True
    triangles = rng.uniform(-3000.0, 3000.0, (300, 3, 2))
    # Also returns that are only near to the new ones.
    corners = shapely.get_coordinates(new)
    triangles[:100, 0] = corners[rng.integers(len(corners), size=100)] + rng.uniform(-20.0, 20.0, (100, 2))
    triangles[:100, 1] = triangles[:100, 0] + rng.uniform(-60.0, 60.0, (100, 2))
    found = answers(index, mask, triangles)
    assert found == answers(whole, mask, triangles)
    assert any(blocked for blocked, _ in found[:100])


def test_what_reaches_beyond_the_grid_is_not_put_in() -> None:
    old = np.array([shapely.box(0, 0, 100, 100)])
    index = sweep.build_sweep_index(old, None, 12.6)
    assert sweep.with_obstacles(index, np.array([shapely.box(50, 50, 9000, 60)])) is None
    assert sweep.with_obstacles(sweep.build_sweep_index(old[:0], None, 12.6), old) is None
