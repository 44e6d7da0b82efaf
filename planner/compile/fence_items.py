"""The plan's fence as an autopilot's fence list."""

from __future__ import annotations

from planner.checks import refuse
from planner.compile import mavlink_numbers as mav
from planner.compile.dialects import Dialect
from planner.compile.mission_types import MissionItem
from planner.flight_plan import AutopilotFence, FlightPlan


def fence_items(plan: FlightPlan, dialect: Dialect) -> tuple[MissionItem, ...]:
    """One inclusion polygon, then the exclusions; polygons only, because a circle before a polygon
    corrupts PX4's fence. Raises 3201 when there are more vertices than the autopilot takes."""
    fence: AutopilotFence = plan.autopilot_fence
    items: list[MissionItem] = []
    rings = [(mav.FENCE_VERTEX_INCLUSION, fence.inclusion)]
    rings += [(mav.FENCE_VERTEX_EXCLUSION, ring) for ring in fence.exclusions]
    for command, ring in rings:
        for point in ring:
            items.append(
                MissionItem(
                    seq=len(items),
                    frame=mav.FRAME_GLOBAL_AMSL,
                    command=command,
                    param1=float(len(ring)),
                    latitude_deg=round(point.latitude_deg, 7),
                    longitude_deg=round(point.longitude_deg, 7),
                )
            )
    if len(items) > dialect.max_fence_vertices:
        raise refuse("autopilot_fence", f"{len(items)} vertices are more than {dialect.name} takes")
    return tuple(items)
