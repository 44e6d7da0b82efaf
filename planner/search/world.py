"""The searchable world: obstacles once prepared, many questions asked."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Sequence
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt
import shapely

from core.errors import AirspaceError, ErrorCode
from planner.search.problem import EXHAUSTED, FOUND, GOAL_INSIDE, LIMIT, START_INSIDE, Gauge, Outcome, Query
from planner.search.results import NoRouteReason, NoSearchRoute, SearchRoute
from planner.search.shapes import (
    GROWTH_M,
    MAX_SPAN_MM,
    MM_PER_M,
    LazyShapes,
    Rings,
    check_obstacles,
    grow,
    grown_rings,
    joined,
    rings_of,
)

EngineName = Literal["compiled", "reference"]
Mask = npt.NDArray[np.bool_]
Point = tuple[float, float]
Bounds = tuple[float, float, float, float]

NOWHERE: Bounds = (math.inf, math.inf, -math.inf, -math.inf)
"""The bounds of nothing."""

_log = logging.getLogger(__name__)


class _Engine(Protocol):
    """What both engines do. Obstacle 0 is the outside of the keep-in area, empty when there is none."""

    @property
    def name(self) -> EngineName: ...

    def solve(self, query: Query, mask: Mask) -> Outcome: ...

    def with_obstacles(self, shapes: LazyShapes, rings: Rings) -> _Engine: ...


def _make_engine(name: EngineName | None, shapes: LazyShapes, rings: Rings, *, keep_in: bool) -> _Engine:
    if name != "reference":
        try:
            from planner.search.engine import CompiledEngine
        except ImportError:
            if name == "compiled":
                raise
            _log.warning("numba cannot be imported: routes are searched by the reference engine, much slower")
        else:
            return CompiledEngine(shapes, rings, keep_in=keep_in)
    from planner.search.reference import ReferenceEngine

    return ReferenceEngine(shapes, rings, keep_in=keep_in)


class SearchWorld:
    """Obstacles in a local metric plane, grown and indexed, in which optimal routes are searched.

    A route keeps more than ``buffer_m`` from every obstacle and, with a keep-in area, from its edge: the
    world grows obstacles by the buffer with mitred corners (sharper than 60° bevelled), and by 11 mm more so
    that zones which touch do not leak. The route is the optimum among the grown obstacles, not an
    approximation. Worlds are immutable and may be used by several threads at once.
    """

    def __init__(
        self, engine: _Engine, *, buffer_m: float, ids: tuple[str, ...], shapes: LazyShapes,
        bounds_mm: Bounds, enabled: Mask, keep_in: bool,
    ) -> None:  # fmt: skip
        """Use :meth:`build`."""
        self._engine = engine
        self._buffer_m = buffer_m
        self._ids = ids
        self._shapes = shapes
        self._bounds_mm = bounds_mm
        # where ends may lie so that they and all obstacles fit in the exact square
        low_x, low_y, high_x, high_y = bounds_mm
        self._reach = (
            high_x - MAX_SPAN_MM,
            high_y - MAX_SPAN_MM,
            low_x + MAX_SPAN_MM,
            low_y + MAX_SPAN_MM,
        )
        self._enabled = enabled
        self._keep_in = keep_in

    @classmethod
    def build(
        cls,
        obstacles: Sequence[shapely.Polygon],
        *,
        buffer_m: float,
        keep_in: shapely.Polygon | shapely.MultiPolygon | None = None,
        ids: Sequence[str] | None = None,
        engine: EngineName | None = None,
    ) -> SearchWorld:
        """Prepare obstacles given in frame metres, not yet buffered.

        ``ids`` name them in refusals and need not be unique (default: their index). ``keep_in`` is the area
        that must not be left. ``engine`` None takes the compiled one, or where numba is missing the
        reference, with a logged warning; :attr:`engine` says which. 3102 for a bad shape, 3004 if the world
        exceeds 67 km.
        """
        _check_buffer(buffer_m)
        names = tuple(str(i) for i in range(len(obstacles))) if ids is None else tuple(ids)
        if len(names) != len(obstacles):
            raise AirspaceError(ErrorCode.ZONE_INVALID, "there must be one id for each obstacle", field="ids")
        obstacle_rings = grown_rings(check_obstacles(obstacles), buffer_m + GROWTH_M)
        area = np.array([shapely.Polygon()], dtype=object)
        if keep_in is not None:
            _check_keep_in(keep_in)
            area = grow(np.array([shapely.union_all([keep_in])], dtype=object), -(buffer_m + GROWTH_M))
        rings = joined(rings_of(area, outside=True), obstacle_rings)
        bounds_mm = _bounds(rings)
        shapes = LazyShapes(area, obstacle_rings)
        world_engine = _make_engine(engine, shapes, rings, keep_in=keep_in is not None)
        enabled = np.ones(len(names) + 1, dtype=np.bool_)
        enabled[0] = keep_in is not None
        return cls(
            world_engine,
            buffer_m=buffer_m,
            ids=names,
            shapes=shapes,
            bounds_mm=bounds_mm,
            enabled=enabled,
            keep_in=keep_in is not None,
        )

    @property
    def engine(self) -> EngineName:
        """Which engine answers: ``compiled`` or ``reference``."""
        return self._engine.name

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of all obstacles, in the order of masks; removed ones keep their place."""
        return self._ids

    @property
    def grown_obstacles_m(self) -> tuple[shapely.Geometry, ...]:
        """The obstacles as searched, in frame metres, in the order of masks."""
        return tuple(shapely.transform(self._shapes()[1:], lambda xy: xy / MM_PER_M))

    @property
    def grown_keep_in_m(self) -> shapely.Geometry | None:
        """The keep-in area as searched, shrunk by buffer and growth, in frame metres."""
        if not self._keep_in:
            return None
        return shapely.transform(self._shapes()[0], lambda xy: xy / MM_PER_M)

    def mask_without(self, ids: Iterable[str]) -> Mask:
        """A mask with every obstacle that is in force, except those named."""
        off = set(ids)
        return np.array([name not in off for name in self._ids], dtype=np.bool_) & self._enabled[1:]

    def with_obstacle(self, obstacle: shapely.Polygon, obstacle_id: str | None = None) -> SearchWorld:
        """A world with one more obstacle, at the end of masks; this one stays as it is.

        For what comes and goes while flights are planned. Obstacles removed again keep their place and their
        memory: build anew when the airspace itself changes.
        """
        return self.with_obstacles([obstacle], [str(len(self._ids)) if obstacle_id is None else obstacle_id])

    def with_obstacles(self, obstacles: Sequence[shapely.Polygon], ids: Sequence[str]) -> SearchWorld:
        """:meth:`with_obstacle` of several at once."""
        rings = grown_rings(check_obstacles(obstacles), self._buffer_m + GROWTH_M)
        bounds_mm = _bounds(rings, self._bounds_mm)
        shapes = self._shapes.extended(rings)
        return SearchWorld(
            self._engine.with_obstacles(shapes, rings),
            buffer_m=self._buffer_m,
            ids=(*self._ids, *ids),
            shapes=shapes,
            bounds_mm=bounds_mm,
            enabled=np.append(self._enabled, np.ones(len(ids), dtype=np.bool_)),
            keep_in=self._keep_in,
        )

    def without_obstacle(self, obstacle_id: str) -> SearchWorld:
        """A world in which every obstacle with this id is off for good. 3102 if there is none."""
        enabled = self._enabled.copy()
        places = [i + 1 for i, name in enumerate(self._ids) if name == obstacle_id and enabled[i + 1]]
        if not places:
            raise AirspaceError(
                ErrorCode.ZONE_INVALID, f"there is no obstacle {obstacle_id!r}", field="obstacle_id"
            )
        enabled[places] = False
        return SearchWorld(
            self._engine,
            buffer_m=self._buffer_m,
            ids=self._ids,
            shapes=self._shapes,
            bounds_mm=self._bounds_mm,
            enabled=enabled,
            keep_in=self._keep_in,
        )

    def shortest(
        self,
        start_xy_m: Point,
        goal_xy_m: Point,
        *,
        mask: Mask | None = None,
        wind_xy_m_s: Point = (0.0, 0.0),
        airspeed_m_s: float | None = None,
        ground_speed_max_m_s: float | None = None,
    ) -> SearchRoute | NoSearchRoute:
        """The optimal route: the shortest, or with ``airspeed_m_s`` the fastest in uniform wind.

        ``wind_xy_m_s`` is where the air moves to, and must be slower than the airspeed. An autopilot that limits
        its ground speed to ``ground_speed_max_m_s`` gains nothing from more tail wind than that: the fastest
        route then minimises the time that it really takes. ``mask`` switches obstacles, True for those in
        force, in constant time. The search works on whole millimetres: ends are
        rounded for it, which the growth of the obstacles covers, and given back as they came.
        """
        gauge = _gauge(wind_xy_m_s, airspeed_m_s, ground_speed_max_m_s)
        query = Query(self._ends(start_xy_m, goal_xy_m), gauge)
        outcome = self._engine.solve(query, self._full_mask(mask))
        if outcome.status != FOUND:
            return self._refusal(outcome)
        return _route(start_xy_m, goal_xy_m, outcome, timed=airspeed_m_s is not None)

    def shortest_many(
        self,
        pairs: Sequence[tuple[Point, Point]],
        *,
        mask: Mask | None = None,
        wind_xy_m_s: Point = (0.0, 0.0),
        airspeed_m_s: float | None = None,
        ground_speed_max_m_s: float | None = None,
    ) -> tuple[SearchRoute | NoSearchRoute, ...]:
        """:meth:`shortest` for each (start, goal), in the order given."""
        return tuple(
            self.shortest(
                start,
                goal,
                mask=mask,
                wind_xy_m_s=wind_xy_m_s,
                airspeed_m_s=airspeed_m_s,
                ground_speed_max_m_s=ground_speed_max_m_s,
            )
            for start, goal in pairs
        )

    def _full_mask(self, mask: Mask | None) -> Mask:
        if mask is None:
            return self._enabled
        if mask.dtype != np.bool_ or mask.shape != (len(self._ids),):
            raise AirspaceError(
                ErrorCode.PLAN_INVALID,
                f"a mask needs one bool for each of {len(self._ids)} obstacles",
                field="mask",
            )
        full = self._enabled.copy()
        full[1:] &= mask
        return full

    def _ends(self, start: Point, goal: Point) -> tuple[float, float, float, float]:
        """Both ends in whole millimetres; refused where not finite or too far away."""
        x1, y1, x2, y2 = start[0] * MM_PER_M, start[1] * MM_PER_M, goal[0] * MM_PER_M, goal[1] * MM_PER_M
        low_x, low_y, high_x, high_y = self._reach
        # not-a-number fails every comparison
        if (
            low_x <= x1 <= high_x
            and low_y <= y1 <= high_y
            and low_x <= x2 <= high_x
            and low_y <= y2 <= high_y
            and abs(x1 - x2) < MAX_SPAN_MM
            and abs(y1 - y2) < MAX_SPAN_MM
        ):
            return float(round(x1)), float(round(y1)), float(round(x2)), float(round(y2))
        if not all(map(math.isfinite, (x1, y1, x2, y2))):
            raise AirspaceError(
                ErrorCode.POSITION_INVALID, "start and goal must be finite", field="start_xy_m"
            )
        raise AirspaceError(
            ErrorCode.OUTSIDE_LOCAL_FRAME,
            "start, goal and obstacles must fit in 67 km",
            field="start_xy_m",
        )

    def _refusal(self, outcome: Outcome) -> NoSearchRoute:
        reason: NoRouteReason
        outside = 0 in outcome.obstacles
        if outcome.status == START_INSIDE:
            reason = "start_outside_keep_in" if outside else "start_inside"
        elif outcome.status == GOAL_INSIDE:
            reason = "goal_outside_keep_in" if outside else "goal_inside"
        elif outcome.status == EXHAUSTED:
            reason = "sealed"
        elif outcome.status == LIMIT:
            reason = "search_limit"
        else:
            raise AirspaceError(ErrorCode.PLAN_INVALID, f"the search ended in unknown state {outcome.status}")
        names = dict.fromkeys(self._ids[k - 1] for k in outcome.obstacles if k > 0)
        return NoSearchRoute(reason, tuple(names), outcome.settled)


def _gauge(wind: Point, airspeed_m_s: float | None, ground_speed_max_m_s: float | None) -> Gauge:
    """What the search minimises, see :class:`planner.search.problem.Query`."""
    wind_x, wind_y = float(wind[0]), float(wind[1])
    if airspeed_m_s is None:
        if wind_x or wind_y or ground_speed_max_m_s is not None:
            detail = "wind and a largest ground speed need an airspeed"
            raise AirspaceError(ErrorCode.PLAN_INVALID, detail, field="airspeed_m_s")
        return (0.0, 0.0, 0.0, 0.0)
    rest = airspeed_m_s * airspeed_m_s - wind_x * wind_x - wind_y * wind_y
    if not (math.isfinite(rest) and airspeed_m_s > 0.0 and rest > 0.0):
        raise AirspaceError(
            ErrorCode.PLAN_INVALID,
            "the airspeed must be finite and above the wind speed",
            field="airspeed_m_s",
        )
    if ground_speed_max_m_s is None:
        return (wind_x, wind_y, rest, 0.0)
    if not (math.isfinite(ground_speed_max_m_s) and ground_speed_max_m_s > 0.0):
        detail = "the largest ground speed must be finite and positive"
        raise AirspaceError(ErrorCode.PLAN_INVALID, detail, field="ground_speed_max_m_s")
    return (wind_x, wind_y, rest, 1.0 / ground_speed_max_m_s)


def _route(start: Point, goal: Point, outcome: Outcome, *, timed: bool) -> SearchRoute:
    x, y = float(start[0]), float(start[1])
    points = [(x, y)]
    length = 0.0
    for corner_x, corner_y in outcome.points_mm or ():
        to_x, to_y = corner_x / MM_PER_M, corner_y / MM_PER_M
        length += math.hypot(to_x - x, to_y - y)
        x, y = to_x, to_y
        points.append((x, y))
    to_x, to_y = float(goal[0]), float(goal[1])
    length += math.hypot(to_x - x, to_y - y)
    points.append((to_x, to_y))
    if timed:
        return SearchRoute(tuple(points), length, outcome.cost / MM_PER_M, "s", outcome.settled)
    return SearchRoute(tuple(points), length, length, "m", outcome.settled)


def _check_buffer(buffer_m: float) -> None:
    if not (math.isfinite(buffer_m) and buffer_m >= 0.0):
        raise AirspaceError(ErrorCode.PLAN_INVALID, f"{buffer_m!r} is no buffer in metres", field="buffer_m")


def _check_keep_in(area: Any) -> None:
    if not isinstance(area, (shapely.Polygon, shapely.MultiPolygon)) or area.is_empty or not area.is_valid:
        raise AirspaceError(ErrorCode.ZONE_INVALID, "a keep-in area must be a valid polygon", field="keep_in")


def _bounds(rings: Rings, known: Bounds = NOWHERE) -> Bounds:
    """Low x, low y, high x, high y of all corners and what is known; 3004 if that exceeds the exact square."""
    low_x, low_y, high_x, high_y = known
    if len(rings.x):
        low_x, high_x = min(low_x, float(rings.x.min())), max(high_x, float(rings.x.max()))
        low_y, high_y = min(low_y, float(rings.y.min())), max(high_y, float(rings.y.max()))
    if high_x - low_x > MAX_SPAN_MM or high_y - low_y > MAX_SPAN_MM:
        raise AirspaceError(
            ErrorCode.OUTSIDE_LOCAL_FRAME, "the obstacles must fit in a square of 67 km", field="obstacles"
        )
    return low_x, low_y, high_x, high_y
