"""The last word before a plan is given out: checked again, from its own WGS-84 positions, by other code.

Nothing here uses the search, its grown obstacles or the planner's intermediate results. The exact 4-D test
of the airspace judges every leg; distances to the original shapes are measured by a kernel of its own, which
nothing else uses and a property test holds to shapely's; shapely judges the fence. Straight returns are flown
from samples of the way, as an autopilot would.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import shapely

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
    lines: dict[tuple[int, int], str] = {}
    level: dict[tuple[int, int], None] = {}
    for name, legs in plan.sections().items():
        for index, leg in enumerate(legs):
            start = places.setdefault(_place(leg.start), len(places))
            end = places.setdefault(_place(leg.end), len(places))
            # The same straight line either way: one verdict.
            line = (start, end) if start < end else (end, start)
            lines.setdefault(line, f"{name} leg {index}")
            if leg.kind is LegKind.CRUISE:
                level.setdefault(line)
    given = np.array(list(places))
    ends = np.array(list(lines))
    verdicts = airspace.check_segments(given[ends, :2], given[ends, 2], window)
    conditions: dict[str, None] = {}
    authorisations: dict[str, None] = {}
    for name, verdict in zip(lines.values(), verdicts, strict=True):
        if isinstance(verdict, Forbidden):
            return Failed(f"{name}: {verdict.detail}", verdict)
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
    shapes = _shapes_of(airspace)
    low_m = float(cruise[:, :, 2].min()) - corridor.altitude_error_m
    high_m = float(cruise[:, :, 2].max()) + corridor.altitude_error_m
    fence_plan = plan.autopilot_fence
    rings = (fence_plan.inclusion, *fence_plan.exclusions)
    hovers = [alternate.delivery for alternate in plan.alternates]
    if plan.delivers:
        hovers.append(plan.delivery)
    above = [plan.home.position, *(hover.position for hover in hovers)]
    columns = [*above, *(point.position for point in plan.rally_points)]
    counts = np.cumsum([len(columns), *map(len, rings)])
    positions = [(point.longitude_deg, point.latitude_deg) for group in (columns, *rings) for point in group]
    xy = fast_frame(airspace.frame).project(np.concatenate([cruise[:, :, :2].reshape(-1, 2), positions]))
    ends, others = xy[: 2 * len(cruise)].reshape(-1, 4), np.split(xy[2 * len(cruise) :], counts[:-1])
    lines = shapely.linestrings(ends.reshape(-1, 2, 2))
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
        plan.home.altitude_amsl_m,
        plan.delivery_ground_amsl_m,
        *(alternate.delivery_ground_amsl_m for alternate in plan.alternates),
    )
    free_m = corridor.flight_geography_m - TOLERANCE_M
    tops_m = _tops_m(plan, above) if sloped else {}
    near = None
    # A vertical way is a line of no length.
    points = np.hstack([others[0], others[0]])
    for place, xy_m in zip(columns, points if sloped else (), strict=sloped):
        column_top_m = tops_m.get(place, high_m - corridor.altitude_error_m) + corridor.altitude_error_m
        to_ground = airspace.activity_mask(min(ground_m, column_top_m), column_top_m, window)
        near = near or shapes.nearer_than(xy_m[None], free_m, to_ground)
    if not sloped:
        to_ground = airspace.activity_mask(min(ground_m, high_m), high_m, window)
        near = shapes.nearer_than(points, free_m, to_ground)
    if near is not None:
        return f"a vertical way is closer than {corridor.flight_geography_m:.1f} m to zone {near}"
    rally = others[0][len(above) :]
    flown = _straight_returns(ends, rally) if len(rally) else np.empty((0, 2, 2))
    near = shapes.nearer_than(flown.reshape(-1, 4), free_m, standing)
    if near is not None:
        return f"a straight return comes closer than {corridor.flight_geography_m:.1f} m to zone {near}"
    returns = shapely.linestrings(flown)
    fence = shapely.Polygon(others[1], others[2:])
    if not fence.is_valid:
        return "the fence crosses itself"
    shapely.prepare(fence)
    boundary = shapely.boundary(fence)
    shapely.prepare(boundary)
    if not shapely.covers(fence, lines).all() or shapely.dwithin(boundary, lines, free_m).any():
        return "the fence doesn't contain the way with its flight geography"
    if not shapely.covers(fence, returns).all():
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
    edge = shapely.boundary(area)
    inside = shapely.covers(area, lines).all() and area.covers(fence)
    if not inside or (shapely.distance(edge, lines) < corridor.half_width_m - TOLERANCE_M).any():
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


def _straight_returns(ends: Floats, rally: Floats) -> Floats:
    """Lines (n, 2, 2) from samples of the legs to the nearest rally point."""
    vectors = ends[:, 2:] - ends[:, :2]
    counts = (np.hypot(vectors[:, 0], vectors[:, 1]) // SAMPLE_M).astype(np.int64) + 2
    leg = np.repeat(np.arange(len(ends)), counts)
    step = np.arange(len(leg)) - np.repeat(np.cumsum(counts) - counts, counts)
    starts = ends[leg, :2] + (step / (counts[leg] - 1))[:, None] * vectors[leg]
    away = np.hypot(starts[:, None, 0] - rally[None, :, 0], starts[:, None, 1] - rally[None, :, 1])
    return np.stack([starts, rally[away.argmin(axis=1)]], axis=1)


class _OriginalShapes:
    """An airspace's obstacle shapes as they are, measured by shapely and by :mod:`planner.verify_kernels`."""

    def __init__(self, airspace: Airspace) -> None:
        obstacles = airspace.obstacle_polygons
        self._ids = [obstacle.zone_id for obstacle in obstacles]
        polygons = np.array([obstacle.polygon for obstacle in obstacles], dtype=object)
        self._tree = shapely.STRtree(polygons)
        self._boxes = shapely.bounds(polygons).reshape(-1, 4)
        rings, ring_shape = shapely.get_rings(polygons, return_index=True)
        corners, ring_of = shapely.get_coordinates(rings, return_index=True)
        joined = ring_of[1:] == ring_of[:-1]
        self._edges = np.hstack([corners[:-1][joined], corners[1:][joined]]).reshape(-1, 4)
        shape_of = ring_shape[ring_of[:-1][joined]] if len(self._edges) else np.empty(0, dtype=np.int64)
        self._first = np.searchsorted(shape_of, np.arange(len(polygons) + 1)).astype(np.int64)

    def nearer_than(self, ends: Floats, distance_m: float, standing: npt.NDArray[np.bool_]) -> str | None:
        """The id of a standing obstacle nearer than ``distance_m`` to any of the lines (n, 4)."""
        bad = verify_kernels.first_near(
            np.ascontiguousarray(ends), distance_m, self._boxes, self._first, self._edges, standing
        )
        return self._ids[bad] if bad >= 0 else None

    def near(self, lines: Shapes, distance_m: float) -> list[tuple[int, int, str]]:
        """(Line, obstacle, its zone) for everything nearer than ``distance_m``, standing or not."""
        found = self._tree.query(lines, predicate="dwithin", distance=distance_m)
        return [(line, number, self._ids[number]) for line, number in found.T.tolist()]

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
