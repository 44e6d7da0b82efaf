"""The plainest answers, each computed by hand."""

import math

import numpy as np
import pytest
import shapely

from planner.search import NoSearchRoute, SearchRoute, SearchWorld
from planner.search.shapes import GROWTH_M

SQUARE = shapely.box(100.0, -50.0, 200.0, 50.0)


def test_free_way_is_straight() -> None:
    route = SearchWorld.build([], buffer_m=0.0).shortest((0.0, 0.0), (300.0, 400.0))
    assert route == SearchRoute(((0.0, 0.0), (300.0, 400.0)), 500.0, 500.0, "m", route.expanded)


def test_way_round_a_square_takes_its_two_grown_corners() -> None:
    route = SearchWorld.build([SQUARE], buffer_m=10.0).shortest((0.0, 1.0), (300.0, 1.0))
    assert isinstance(route, SearchRoute)
    out = 10.0 + GROWTH_M
    expected_points = ((0.0, 1.0), (100 - out, 50 + out), (200 + out, 50 + out), (300.0, 1.0))
    assert np.allclose(route.points_xy_m, expected_points, rtol=0, atol=1e-9)
    expected = 2 * math.hypot(100 - out, 49 + out) + 100 + 2 * out
    assert route.length_m == pytest.approx(expected, rel=1e-12)
    assert (route.cost, route.cost_unit) == (route.length_m, "m")


@pytest.mark.parametrize(("start", "goal", "reason"), [
    ((150.0, 0.0), (300.0, 0.0), "start_inside"),
    ((0.0, 0.0), (150.0, 0.0), "goal_inside"),
    ((95.0, 0.0), (300.0, 0.0), "start_inside"),
])  # fmt: skip
def test_an_end_inside_the_buffer_is_refused_by_name(
    start: tuple[float, float], goal: tuple[float, float], reason: str
) -> None:
    answer = SearchWorld.build([SQUARE], buffer_m=10.0, ids=["airport"]).shortest(start, goal)
    assert isinstance(answer, NoSearchRoute)
    assert (answer.reason, answer.obstacle_ids) == (reason, ("airport",))
