"""Rally points: what an autopilot would do, sampled densely, is legal everywhere."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import shapely

from geofences.model import TimeWindow
from planner.contingency import (
    NoRallySet,
    RallySet,
    choose_rally_points,
    reaches_m,
    return_cost_wh_per_m,
)
from planner.corridor import corridor_of
from planner.flight_plan import RouteObjective
from planner.legs import cruise_parts, landing_time_s
from planner.route import Way
from planner.space import Space
from planner.sweep import build_sweep_index
from tests.unit.planner.helpers import HEX10, NOW, airspace, box_zone, calm, circle_zone, wind

RUN_ON_M = 29.0
XY = tuple[float, float]


def choose(
    zones: list,
    legs: list[tuple[XY, XY]],
    candidates: list[XY],
    aim: int = 32,
    reach_m: float = 1e5,
    keep_in: shapely.Geometry | None = None,
) -> RallySet | NoRallySet:
    space = Space(airspace(*zones), corridor_of(HEX10))
    return choose_rally_points(
        build_sweep_index(space.polygons, keep_in, 12.6),
        legs=legs,
        candidates=np.array(candidates, dtype=float).reshape(-1, 2),
        mask=space.mask(60.0, 60.0, TimeWindow.at(NOW)),
        tolerance_m=24.0,
        run_on_m=RUN_ON_M,
        reach_m=np.array([(reach_m, 0.0)] * len(legs)),
        aim=aim,
        limit=32,
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


@pytest.mark.parametrize("aim", [32, 4, 1])
@pytest.mark.parametrize("seed", range(12))
def test_every_sampled_return_keeps_out(seed: int, aim: int) -> None:
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
    found = choose(zones, legs, candidates, aim=aim)
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
    few = choose([], [leg], row, aim=3)
    assert isinstance(few, RallySet)
    assert 1 <= len(few.chosen) <= 3
    assert isinstance(choose([], [leg], []), NoRallySet)


def test_obstacle_inside_the_swept_triangle_is_seen() -> None:
    """Both sides of the triangle are clear, yet returns from the middle of the leg cross the zone."""
    inside = box_zone("in", 490, 40, 510, 60)
    leg = ((0.0, -80.0), (1000.0, -80.0))
    assert isinstance(choose([inside], [leg], [(500.0, 700.0)]), NoRallySet)
    assert isinstance(choose([inside], [leg], [(500.0, -700.0)]), RallySet)


def test_returns_stay_in_the_operating_area_and_out_of_its_holes() -> None:
    leg = ((0.0, 0.0), (1000.0, 0.0))
    area = shapely.box(-200, -200, 1200, 900)
    assert isinstance(choose([], [leg], [(500.0, 700.0)], keep_in=area), RallySet)
    hole = shapely.Polygon(area.exterior, [shapely.box(480, 300, 520, 340).exterior])
    assert isinstance(choose([], [leg], [(500.0, 700.0)], keep_in=hole), NoRallySet)
    bay = area.difference(shapely.box(400, 300, 450, 900))
    assert isinstance(choose([], [leg], [(500.0, 700.0)], keep_in=bay), NoRallySet)


def test_returns_beyond_the_reserve_do_not_count() -> None:
    leg = ((0.0, 0.0), (3000.0, 0.0))
    assert isinstance(choose([], [leg], [(0.0, 100.0)], reach_m=2000.0), NoRallySet)
    assert isinstance(choose([], [leg], [(0.0, 100.0), (2500.0, 0.0)], reach_m=2000.0), RallySet)


def test_reach_is_what_is_left_in_the_battery() -> None:
    """At every point of the way: reserve and rest of the way home against the cost of a straight return."""
    points = ((0.0, 0.0), (2000.0, 0.0), (2000.0, 1500.0))
    still = calm()

    def way(*corners: XY) -> Way:
        parts = cruise_parts(HEX10, corners, still, 10.0)
        assert parts is not None
        return Way(corners, tuple(parts), RouteObjective.SHORTEST)

    out, back = way(*points), way(*reversed(points))
    both = reaches_m(HEX10, still, out, back, back_is_out=True, height_m=100.0)
    apart = reaches_m(HEX10, still, out, back, back_is_out=False, height_m=100.0)
    cost = return_cost_wh_per_m(HEX10, still)
    assert cost == pytest.approx(1282 / 20 / 3600, rel=0.01)
    down_wh = 1231 * landing_time_s(HEX10, 100.0) / 3600
    reserve_m = (0.15 * 780 - down_wh) / cost
    lengths = (2000.0, 1500.0)
    # At the pad the reserve alone is left, at the far end the whole way home.
    assert both[0, 0] == pytest.approx(reserve_m, rel=0.01)
    assert both[1, 0] + both[1, 1] * lengths[1] == pytest.approx(reserve_m + back.energy_wh / cost, rel=0.01)
    # The way back listed by itself says the same, leg by leg from its other end.
    for leg, place in ((0, 3), (1, 2)):
        far_end = both[leg, 0] + both[leg, 1] * lengths[leg]
        assert apart[place, 0] == pytest.approx(far_end, rel=0.01)
        assert apart[place, 0] + apart[place, 1] * lengths[leg] == pytest.approx(both[leg, 0], rel=0.01)
    assert return_cost_wh_per_m(HEX10, wind(0, 12.0)) == pytest.approx(2.5 * cost)
