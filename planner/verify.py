"""The last word before a plan is given out: checked again, from its own WGS-84 positions, by other code.

Nothing here uses the search, its grown obstacles or the planner's intermediate results. The exact 4-D test
of the airspace judges every leg, and shapely measures distances to the original shapes. Straight returns
are flown from samples of the way, as an autopilot would.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import shapely

from core.geodesy import LocalFrame, Wgs84Point
from geofences.airspace import Airspace
from geofences.model import TimeWindow
from geofences.verdict import Forbidden
from planner.corridor import Corridor
from planner.flight_plan import FlightPlan, Leg, LegKind

TOLERANCE_M = 0.05
"""Positions are rounded to 1e-7° (1 cm) and fences too; far below the position error in the corridor."""

SAMPLE_M = 250.0
"""Straight returns are tried from both ends of every leg and from points this far apart (chosen)."""

Floats = npt.NDArray[np.float64]
Shapes = npt.NDArray[np.object_]


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
    judged: set[frozenset[object]] = set()
    for name, legs in (("outbound", plan.outbound), ("inbound", plan.inbound), ("retrace", plan.retrace)):
        for index, leg in enumerate(legs):
            # The same straight line either way: one verdict.
            line: frozenset[object] = frozenset((leg.start, leg.end))
            if line in judged:
                continue
            judged.add(line)
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
    problem = _distances(plan, airspace, corridor, window)
    if problem is not None:
        return Failed(problem)
    return Verified(tuple(conditions), tuple(authorisations))


def _distances(plan: FlightPlan, airspace: Airspace, corridor: Corridor, window: TimeWindow) -> str | None:
    frame, shapes = airspace.frame, _shapes_of(airspace)
    cruise = _cruise_legs(plan)
    heights = [point.altitude_amsl_m for leg in cruise for point in (leg.start, leg.end)]
    low_m, high_m = min(heights) - corridor.altitude_error_m, max(heights) + corridor.altitude_error_m
    ends = _project(frame, (point.position for leg in cruise for point in (leg.start, leg.end)))
    lines = shapely.linestrings(ends.reshape(-1, 2, 2))
    standing = airspace.activity_mask(low_m, high_m, window)
    near = shapes.nearer_than(lines, corridor.half_width_m - TOLERANCE_M, standing)
    if near is not None:
        return f"a cruise leg is closer than {corridor.half_width_m:.1f} m to zone {near}"
    ground_m = min(plan.home.altitude_amsl_m, plan.delivery_ground_amsl_m)
    rally = _project(frame, (point.position for point in plan.rally_points))
    places = (plan.home.position, plan.delivery.position) if plan.delivers else (plan.home.position,)
    columns = np.concatenate([_project(frame, places), rally])
    to_ground = airspace.activity_mask(ground_m, high_m, window)
    free_m = corridor.flight_geography_m - TOLERANCE_M
    near = shapes.nearer_than(shapely.points(columns), free_m, to_ground)
    if near is not None:
        return f"a vertical way is closer than {corridor.flight_geography_m:.1f} m to zone {near}"
    returns = _straight_returns(ends.reshape(-1, 4), rally) if len(rally) else lines[:0]
    near = shapes.nearer_than(returns, free_m, standing)
    if near is not None:
        return f"a straight return comes closer than {corridor.flight_geography_m:.1f} m to zone {near}"
    fence = _fence(frame, plan)
    if not fence.is_valid:
        return "the fence crosses itself"
    shapely.prepare(fence)
    boundary = shapely.boundary(fence)
    if not shapely.covers(fence, lines).all() or (shapely.distance(boundary, lines) < free_m).any():
        return "the fence doesn't contain the way with its flight geography"
    if not shapely.covers(fence, returns).all():
        return "the fence doesn't contain the straight returns"
    near = shapes.met_by(fence, standing)
    if near is not None:
        return f"the fence meets zone {near}"
    area = airspace.keep_in(window, low_m, high_m)
    if area is None:
        return None
    edge = shapely.boundary(area)
    inside = shapely.covers(area, lines).all() and area.covers(fence)
    if not inside or (shapely.distance(edge, lines) < corridor.half_width_m - TOLERANCE_M).any():
        return "the way or its fence leaves the operating area"
    return None


def _cruise_legs(plan: FlightPlan) -> list[Leg]:
    """Every cruise leg once, whichever way it is flown."""
    found = {
        frozenset((leg.start.position, leg.end.position)): leg
        for leg in (*plan.outbound, *plan.inbound, *plan.retrace)
        if leg.kind is LegKind.CRUISE
    }
    return list(found.values())


def _project(frame: LocalFrame, points: Iterable[Wgs84Point]) -> Floats:
    return frame.project([(point.longitude_deg, point.latitude_deg) for point in points])


def _straight_returns(ends: Floats, rally: Floats) -> Shapes:
    """Lines from samples of the legs to the nearest rally point."""
    samples = []
    for x1, y1, x2, y2 in ends:
        count = int(np.hypot(x2 - x1, y2 - y1) // SAMPLE_M) + 2
        share = np.linspace(0.0, 1.0, count)[:, None]
        samples.append(np.array((x1, y1)) + share * np.array((x2 - x1, y2 - y1)))
    starts = np.concatenate(samples)
    away = np.hypot(starts[:, None, 0] - rally[None, :, 0], starts[:, None, 1] - rally[None, :, 1])
    return shapely.linestrings(np.stack([starts, rally[away.argmin(axis=1)]], axis=1))


def _fence(frame: LocalFrame, plan: FlightPlan) -> shapely.Polygon:
    rings = [
        _project(frame, ring) for ring in (plan.autopilot_fence.inclusion, *plan.autopilot_fence.exclusions)
    ]
    return shapely.Polygon(rings[0], rings[1:])


class _OriginalShapes:
    """An airspace's obstacle shapes as they are, measured by shapely alone."""

    def __init__(self, airspace: Airspace) -> None:
        obstacles = airspace.obstacle_polygons
        self._ids = [obstacle.zone_id for obstacle in obstacles]
        self._tree = shapely.STRtree([obstacle.polygon for obstacle in obstacles])

    def nearer_than(self, shapes: Shapes, distance_m: float, standing: npt.NDArray[np.bool_]) -> str | None:
        """The id of a standing obstacle nearer than ``distance_m`` to any of ``shapes``."""
        numbers = self._tree.query(shapes, predicate="dwithin", distance=distance_m)[1]
        bad = numbers[standing[numbers]]
        return self._ids[int(bad[0])] if len(bad) else None

    def met_by(self, shape: shapely.Geometry, standing: npt.NDArray[np.bool_]) -> str | None:
        """The id of a standing obstacle that touches or overlaps ``shape``."""
        numbers = self._tree.query(shape, predicate="intersects")
        bad = numbers[standing[numbers]]
        return self._ids[int(bad[0])] if len(bad) else None


_known: WeakKeyDictionary[Airspace, _OriginalShapes] = WeakKeyDictionary()


def _shapes_of(airspace: Airspace) -> _OriginalShapes:
    found = _known.get(airspace)
    if found is None:
        found = _known[airspace] = _OriginalShapes(airspace)
    return found
