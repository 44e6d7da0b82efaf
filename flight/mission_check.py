"""Whether a plan can become a mission of this autopilot at all: asked before anything depends on it."""

from __future__ import annotations

from core.errors import DroneAedError
from flight.message_parts import Reason
from planner.compile.mavlink import compile_mission
from planner.flight_plan import FlightPlan


def refused_mission(plan: FlightPlan, autopilot: str) -> tuple[Reason, ...]:
    """Why not; empty when it can. A plan that came over the bus must not end the agent that gets it."""
    try:
        compile_mission(plan, autopilot=autopilot)
    except DroneAedError as error:
        detail = f"no mission can be made of the plan: {error}"
        return (Reason("mission_impossible", detail, f"该计划无法编译为任务：{error}"),)
    return ()
