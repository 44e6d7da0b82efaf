"""Warming up works on any airspace, the empty one included, and changes no answer."""

from __future__ import annotations

from planner.warm import warm_up
from tests.unit.planner.helpers import HEX10, airspace, box_zone, landing_point, planned, station


def test_warm_up_leaves_answers_alone() -> None:
    wall = box_zone("low", 1400, 800, 1600, 1000)
    for sky, again in ((airspace(), airspace()), (airspace(wall), airspace(wall))):
        warm_up(sky, [HEX10])
        start, goal = station("a", 0, 0), landing_point("p", 3000, 0)
        warm, cold = planned(sky, start, goal), planned(again, start, goal)
        assert warm.outbound == cold.outbound
        assert warm.autopilot_fence == cold.autopilot_fence
