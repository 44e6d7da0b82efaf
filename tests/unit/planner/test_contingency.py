"""Rally points: what an autopilot would do, sampled densely, is legal everywhere."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import shapely

from geofences.model import TimeWindow
from planner.contingency import NoRallySet, RallySet, choose_rally_points
from planner.corridor import corridor_of
from planner.space import Space
from tests.unit.planner.helpers import HEX10, NOW, airspace, box_zone, circle_zone

RUN_ON_M = 29.0
XY = tuple[float, float]


def choose(
    zones: list, legs: list[tuple[XY, XY]], candidates: list[XY], limit: int = 32
) -> RallySet | NoRallySet:
    space = Space(airspace(*zones), corridor_of(HEX10))
    mask = space.mask(60.0, 60.0, TimeWindow.at(NOW))
    return choose_rally_points(
        space, legs=legs, candidates=candidates, mask=mask, keep_in=None, run_on_m=RUN_ON_M, limit=limit
    )


def returns_of(legs: list[tuple[XY, XY]], points: list[XY], offset_m: float = 10.0):
    """Straight returns as an autopilot flies them: from densely sampled places on and beside the legs."""
    for (x1, y1), (x2, y2) in legs:
        length = math.hypot(x2 - x1, y2 - y1)
        ux, uy = (x2 - x1) / length, (y2 - y1) / length
        for along in np.linspace(-RUN_ON_M, length + RUN_ON_M, 400):
            for side in (-offset_m, 0.0, offset_m):
                x, y = x1 + ux * along - uy * side, y1 + uy * along + ux * side
                nearest = min(points, key=lambda p: math.hypot(p[0] - x, p[1] - y))
                yield shapely.LineString([(x, y), nearest])


@pytest.mark.parametrize("seed", range(25))
def test_every_sampled_return_keeps_out(seed: int) -> None:
    rng = np.random.default_rng(seed)
    zones = [
        circle_zone(f"c{i}", float(x), float(y), float(r))
        for i, (x, y, r) in enumerate(
            zip(
                rng.uniform(-3000, 3000, 9), rng.uniform(-3000, 3000, 9), rng.uniform(80, 350, 9), strict=True
            )
        )
    ]
    space = Space(airspace(*zones), corridor_of(HEX10))
    circles = list(space.polygons)
    far = [
        p
        for p in rng.uniform(-3000, 3000, (60, 2))
        if all(c.distance(shapely.Point(p)) > 80 for c in circles)
    ]
    corners = [tuple(map(float, p)) for p in far[:12]]
    legs = [
        (one, other)
        for one, other in itertools.combinations(corners, 2)
        if all(circle.distance(shapely.LineString([one, other])) > 62 for circle in circles)
    ][:3]
    assert legs
    candidates = [tuple(map(float, p)) for p in far[12:]]
    found = choose(zones, legs, candidates)
    assert isinstance(found, RallySet), "the seeds are chosen so that a legal set exists"
    points = [candidates[i] for i in found.chosen]
    for line in returns_of(legs, points):
        assert all(circle.distance(line) > 2.0 for circle in circles)


def test_violating_candidate_goes_and_its_neighbour_takes_over() -> None:
    wall = box_zone("wall", 400, 100, 600, 300)
    leg = ((0.0, 0.0), (1000.0, 0.0))
    hidden, open_ = (500.0, 400.0), (500.0, -700.0)
    found = choose([wall], [leg], [hidden, open_])
    assert isinstance(found, RallySet)
    assert found.chosen == (1,)
    assert isinstance(choose([wall], [leg], [hidden]), NoRallySet)
    both = choose([], [leg], [hidden, open_])
    assert isinstance(both, RallySet)
    assert 0 in both.chosen


def test_only_relevant_points_are_kept_and_the_limit_holds() -> None:
    leg = ((0.0, 0.0), (2000.0, 0.0))
    row = [(float(x), 200.0) for x in range(0, 2001, 100)]
    away = [(float(x), 5000.0) for x in range(0, 2001, 100)]
    found = choose([], [leg], row + away)
    assert isinstance(found, RallySet)
    assert set(found.chosen) <= set(range(len(row)))
    few = choose([], [leg], row, limit=3)
    assert isinstance(few, RallySet)
    assert 1 <= len(few.chosen) <= 3
    assert isinstance(choose([], [leg], []), NoRallySet)
