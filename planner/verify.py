"""The last word before a plan is given out: checked again, from its own WGS-84 positions, by other code.

Nothing here uses the search, its grown obstacles or the planner's intermediate results. The exact 4-D test
of the airspace judges every leg, and shapely measures distances to the original shapes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from core.geodesy import LocalFrame
from geofences.airspace import Airspace
from geofences.model import TimeWindow
from geofences.verdict import Forbidden
from planner.corridor import Corridor
from planner.flight_plan import FlightPlan, Leg, LegKind

TOLERANCE_M = 0.05
"""Positions are rounded to 1e-7° (1 cm) and fences too; far below the position error in the corridor."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What the airspace asks for in return for its consent."""

    conditions: tuple[str, ...]
    authorisation_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Failed:
    """The first thing that is wrong, and the airspace's verdict where it was the one to say no."""

    detail: str
    verdict: Forbidden | None = None


def verify_plan(
    plan: FlightPlan, *, airspace: Airspace, corridor: Corridor, window: TimeWindow
) -> Verified | Failed:
    """Judge every leg and distance of ``plan`` anew; ``window`` must contain the whole flight."""
    conditions: dict[str, None] = {}
    authorisations: dict[str, None] = {}
    sections = {"outbound": plan.outbound, "inbound": plan.inbound, "retrace": plan.retrace}
    for name, legs in sections.items():
        for index, leg in enumerate(legs):
            verdict = airspace.check_segment(
                leg.start.position,
                leg.start.altitude_amsl_m,
                leg.end.position,
                leg.end.altitude_amsl_m,
                window,
            )
            if isinstance(verdict, Forbidden):
                return Failed(f"{name} leg {index}: {verdict.detail}", verdict)
            conditions.update(dict.fromkeys(verdict.conditions))
            authorisations.update(dict.fromkeys(verdict.authorisation_ids))
    problem = _distances(plan, sections, airspace, corridor, window)
    if problem is not None:
        return Failed(problem)
    return Verified(tuple(conditions), tuple(authorisations))


def _distances(
    plan: FlightPlan,
    sections: dict[str, tuple[Leg, ...]],
    airspace: Airspace,
    corridor: Corridor,
    window: TimeWindow,
) -> str | None:
    frame = airspace.frame
    cruise = [leg for legs in sections.values() for leg in legs if leg.kind is LegKind.CRUISE]
    heights = [point.altitude_amsl_m for leg in cruise for point in (leg.start, leg.end)]
    error_m = corridor.altitude_error_m
    low_m, high_m = min(heights) - error_m, max(heights) + error_m
    lines = _lines(frame, cruise)
    at_cruise = _Standing(airspace, low_m, high_m, window)
    closest = at_cruise.closest(lines, corridor.half_width_m - TOLERANCE_M)
    if closest is not None:
        return f"a cruise leg is closer than {corridor.half_width_m:.1f} m to zone {closest}"
    ground_m = min(plan.home.altitude_amsl_m, plan.delivery_ground_amsl_m)
    columns = frame.project(
        [
            (point.position.longitude_deg, point.position.latitude_deg)
            for point in (plan.home, plan.delivery, *plan.rally_points)
        ]
    )
    to_ground = _Standing(airspace, ground_m, high_m, window)
    closest = to_ground.closest(shapely.points(columns), corridor.flight_geography_m - TOLERANCE_M)
    if closest is not None:
        return f"a vertical way is closer than {corridor.flight_geography_m:.1f} m to zone {closest}"
    fence = _fence(frame, plan)
    if not fence.is_valid:
        return "the fence crosses itself"
    inner = shapely.buffer(lines, corridor.flight_geography_m - TOLERANCE_M, quad_segs=2)
    if not shapely.covers(fence, inner).all():
        return "the fence doesn't contain the way with its flight geography"
    inside = at_cruise.closest(np.array([fence], dtype=object), 0.0)
    if inside is not None:
        return f"the fence meets zone {inside}"
    area = airspace.keep_in(window, low_m, high_m)
    if area is not None:
        shapely.prepare(area)
        shrunk_lines = shapely.buffer(lines, corridor.half_width_m - TOLERANCE_M, quad_segs=2)
        if not shapely.covers(area, shrunk_lines).all() or not area.covers(fence):
            return "the way or its fence leaves the operating area"
    return None


class _Standing:
    """Original obstacle shapes between two altitudes, measured by shapely alone."""

    def __init__(self, airspace: Airspace, low_m: float, high_m: float, window: TimeWindow) -> None:
        obstacles = airspace.obstacles(low_m, high_m, window)
        self._ids = [obstacle.zone_id for obstacle in obstacles]
        self._shapes = np.array([obstacle.polygon for obstacle in obstacles], dtype=object)
        self._bounds = shapely.bounds(self._shapes) if len(obstacles) else np.empty((0, 4))

    def closest(self, shapes: np.ndarray, distance_m: float) -> str | None:
        """The id of an obstacle nearer than ``distance_m`` (or touching, at 0) to any of ``shapes``."""
        for shape in shapes:
            low_x, low_y, high_x, high_y = shape.bounds
            boxes = self._bounds
            near = np.flatnonzero(
                (boxes[:, 0] <= high_x + distance_m)
                & (boxes[:, 2] >= low_x - distance_m)
                & (boxes[:, 1] <= high_y + distance_m)
                & (boxes[:, 3] >= low_y - distance_m)
            )
            if not len(near):
                continue
            distances = shapely.distance(self._shapes[near], shape)
            bad = near[distances < distance_m] if distance_m > 0.0 else near[distances <= 0.0]
            if len(bad):
                return self._ids[int(bad[0])]
        return None


def _lines(frame: LocalFrame, legs: Sequence[Leg]) -> np.ndarray:
    ends = frame.project(
        [
            (point.position.longitude_deg, point.position.latitude_deg)
            for leg in legs
            for point in (leg.start, leg.end)
        ]
    )
    return shapely.linestrings(ends.reshape(len(legs), 2, 2))


def _fence(frame: LocalFrame, plan: FlightPlan) -> shapely.Polygon:
    rings = [
        frame.project([(point.longitude_deg, point.latitude_deg) for point in ring])
        for ring in (plan.autopilot_fence.inclusion, *plan.autopilot_fence.exclusions)
    ]
    return shapely.Polygon(rings[0], rings[1:])
