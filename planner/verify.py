"""The last word before a plan is given out: checked again, from its own WGS-84 positions, by other code.

Nothing here uses the search, its grown obstacles or the planner's intermediate results. The exact 4-D test
of the airspace judges every leg; distances to the original shapes, and what the fence holds and meets, are
measured by kernels of its own, which nothing else uses and property tests hold to shapely's answers. Straight
returns are flown from samples of the way, as an autopilot would.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.geodesy import Wgs84Point
from geofences.airspace import Airspace
from geofences.model import TimeWindow
from geofences.plane import fast_frame
from geofences.verdict import Forbidden
from planner import verify_kernels
from planner.corridor import Corridor
from planner.flight_plan import FlightPlan, LegKind, RoutePoint
from planner.policy import DEFAULT_POLICY, PlanningPolicy
from planner.verify_heights import ground_problem, sloped_legs
from planner.verify_shapes import EXACT_M, Fence, shapes_of

TOLERANCE_M = 0.05
"""Positions are rounded to 1e-7° (1 cm) and fences too; far below the position error in the corridor."""

SAMPLE_M = 250.0
"""Straight returns are tried from both ends of every leg and from points this far apart (chosen)."""

Floats = npt.NDArray[np.float64]


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
    plan: FlightPlan,
    *,
    airspace: Airspace,
    corridor: Corridor,
    window: TimeWindow,
    policy: PlanningPolicy = DEFAULT_POLICY,
) -> Verified | Failed:
    """Judge every leg and distance of ``plan`` anew; ``window`` must contain the whole flight. ``policy`` says how
    high above uneven ground it may be."""
    places: dict[Place, int] = {}
    lines: dict[tuple[int, int], tuple[str, int]] = {}
    level: dict[tuple[int, int], None] = {}
    for name, legs in plan.sections().items():
        end = -1
        for index, leg in enumerate(legs):
            joined = index > 0 and leg.start is legs[index - 1].end
            start = end if joined else places.setdefault(_place(leg.start), len(places))
            end = places.setdefault(_place(leg.end), len(places))
            # The same straight line either way: one verdict.
            line = (start, end) if start < end else (end, start)
            if line not in lines:
                lines[line] = name, index
            if leg.kind is LegKind.CRUISE:
                level[line] = None
    given = np.array(list(places))
    ends = np.array(list(lines))
    verdicts = airspace.check_segments(given[ends, :2], given[ends, 2], window)
    conditions: dict[str, None] = {}
    authorisations: dict[str, None] = {}
    for (name, index), verdict in zip(lines.values(), verdicts, strict=True):
        if isinstance(verdict, Forbidden):
            return Failed(f"{name} leg {index}: {verdict.detail}", verdict)
        if verdict.conditions or verdict.authorisation_ids:
            conditions.update(dict.fromkeys(verdict.conditions))
            authorisations.update(dict.fromkeys(verdict.authorisation_ids))
    problem = _distances(plan, given[np.array(list(level))], airspace, corridor, window, policy)
    if problem is not None:
        return Failed(problem)
    return Verified(tuple(conditions), tuple(authorisations))


Place = tuple[float, float, float]


def _place(point: RoutePoint) -> Place:
    position = point.position
    return position.longitude_deg, position.latitude_deg, point.altitude_amsl_m


def _distances(
    plan: FlightPlan,
    cruise: Floats,
    airspace: Airspace,
    corridor: Corridor,
    window: TimeWindow,
    policy: PlanningPolicy,
) -> str | None:
    """``cruise`` (n, 2, 3): both ends of every cruise leg once, as longitude, latitude, altitude."""
    shapes = shapes_of(airspace)
    low_m = float(cruise[:, :, 2].min()) - corridor.altitude_error_m
    high_m = float(cruise[:, :, 2].max()) + corridor.altitude_error_m
    hovers = [alternate.delivery for alternate in plan.alternates]
    if plan.delivers:
        hovers.append(plan.delivery)
    above = [plan.landing.position, *(hover.position for hover in hovers)]
    columns = [*above, *(point.position for point in plan.rally_points)]
    rings = (plan.autopilot_fence.inclusion, *plan.autopilot_fence.exclusions)
    positions = [(point.longitude_deg, point.latitude_deg) for group in (columns, *rings) for point in group]
    xy = fast_frame(airspace.frame).project(np.concatenate([cruise[:, :, :2].reshape(-1, 2), positions]))
    ends, places = xy[: 2 * len(cruise)].reshape(-1, 4), xy[2 * len(cruise) :]
    at_columns, corners = places[: len(columns)], places[len(columns) :]
    bounds = list(itertools.accumulate(map(len, rings), initial=0))
    fence = Fence([corners[first:last] for first, last in itertools.pairwise(bounds)])
    standing = airspace.activity_mask(low_m, high_m, window)
    sloped = high_m - low_m > 2.0 * corridor.altitude_error_m + TOLERANCE_M
    if sloped:
        top_m = high_m - corridor.altitude_error_m
        judged = sloped_legs(
            ends.reshape(-1, 2, 2),
            cruise[:, :, 2],
            top_amsl_m=top_m if plan.rally_points else None,
            airspace=airspace,
            corridor=corridor,
            window=window,
            shapes=shapes.near,
        )
        if judged.problem is not None:
            return judged.problem
        # Straight returns are flown at the highest altitude. Without them the fence, which knows no heights, may
        # hold what the way passes over or under, and nothing else that stands between its altitudes.
        if plan.rally_points:
            standing = airspace.activity_mask(top_m - corridor.altitude_error_m, high_m, window)
        else:
            standing[list(judged.passed)] = False
    near = None if sloped else shapes.nearer_than(ends, corridor.half_width_m - TOLERANCE_M, standing)
    if near is not None:
        return f"a cruise leg is closer than {corridor.half_width_m:.1f} m to zone {near}"
    ground_m = min(
        plan.landing.altitude_amsl_m,
        plan.delivery_ground_amsl_m,
        *(alternate.delivery_ground_amsl_m for alternate in plan.alternates),
    )
    free_m = corridor.flight_geography_m - TOLERANCE_M
    tops_m = _tops_m(plan, above) if sloped else {}
    near = None
    # A vertical way is a line of no length.
    points = np.hstack([at_columns, at_columns])
    for place, xy_m in zip(columns, points if sloped else (), strict=sloped):
        column_top_m = tops_m.get(place, high_m - corridor.altitude_error_m) + corridor.altitude_error_m
        to_ground = airspace.activity_mask(min(ground_m, column_top_m), column_top_m, window)
        near = near or shapes.nearer_than(xy_m[None], free_m, to_ground)
    if not sloped:
        to_ground = airspace.activity_mask(min(ground_m, high_m), high_m, window)
        near = shapes.nearer_than(points, free_m, to_ground)
    if near is not None:
        return f"a vertical way is closer than {corridor.flight_geography_m:.1f} m to zone {near}"
    rally = at_columns[len(above) :]
    flown: Floats = np.empty((0, 4))
    if len(rally):
        flown = verify_kernels.straight_returns(ends, rally, SAMPLE_M)
    near = shapes.nearer_than(flown, free_m, standing)
    if near is not None:
        return f"a straight return comes closer than {corridor.flight_geography_m:.1f} m to zone {near}"
    if not fence.is_region():
        return "the fence crosses itself"
    if not fence.holds(ends, free_m):
        return "the fence doesn't contain the way with its flight geography"
    if not fence.holds(flown, EXACT_M):
        return "the fence doesn't contain the straight returns"
    near = shapes.met_by(fence, standing)
    if near is not None:
        return f"the fence meets zone {near}"
    if not math.isinf(airspace.terrain.resolution_m):
        returns_deg = airspace.frame.unproject(flown.reshape(-1, 2)).reshape(-1, 2, 2)
        return_amsl_m = high_m - corridor.altitude_error_m
        problem = ground_problem(cruise, return_amsl_m, returns_deg, airspace, corridor, policy)
        if problem is not None:
            return problem
    # How high one may be inside it has been judged for every piece of a sloped way.
    area = airspace.keep_in(window) if sloped else airspace.keep_in(window, low_m, high_m)
    if area is None:
        return None
    inside = shapes.operating_area(area)
    if not inside.holds(ends, corridor.half_width_m - TOLERANCE_M) or not inside.covers(fence):
        return "the way or its fence leaves the operating area"
    return None


def _tops_m(plan: FlightPlan, places: Iterable[Wgs84Point]) -> dict[Wgs84Point, float]:
    """How high over pad and hover points the vertical legs reach; at rally points it is the height of returns."""
    rally = {point.position for point in plan.rally_points}
    vertical = [leg for legs in plan.sections().values() if legs for leg in (legs[0], legs[-1])]
    return {
        place: max(
            max(leg.start.altitude_amsl_m, leg.end.altitude_amsl_m)
            for leg in vertical
            if leg.start.position == place
        )
        for place in places
        if place not in rally
    }
