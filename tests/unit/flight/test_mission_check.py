"""A plan that no mission can be made of is refused with its reason; it never ends the agent that was sent it."""

from __future__ import annotations

import dataclasses

from flight.mission_check import refused_mission
from planner.compile.dialects import returns_are_proved
from tests.unit.planner.test_compile import px4_plan


def test_a_plan_whose_straight_way_home_is_not_proved_is_refused_for_px4_only() -> None:
    plan = px4_plan()
    away = tuple(point for point in plan.rally_points if point.position != plan.home.position)
    without_home = dataclasses.replace(plan, rally_points=away)
    assert returns_are_proved(plan, "px4")
    assert refused_mission(plan, "px4") == ()
    assert not returns_are_proved(without_home, "px4")
    assert returns_are_proved(without_home, "ardupilot")
    (reason,) = refused_mission(without_home, "px4")
    assert reason.code == "mission_impossible"
    assert "straight home" in reason.detail
    assert returns_are_proved(dataclasses.replace(plan, rally_points=()), "px4")
