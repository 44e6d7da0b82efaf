"""The same search in numpy and shapely only: the fallback without numba, and an oracle for it in tests.

It shares no geometry test with the kernels: legs are judged by shapely's DE-9IM relation, corners by numpy.
Some hundred times slower.
"""

from __future__ import annotations

import heapq
import math
from typing import Final

import numpy as np
import numpy.typing as npt
import shapely

from planner.search.problem import EXHAUSTED, FOUND, GOAL_INSIDE, LIMIT, START_INSIDE, Gauge, Outcome, Query
from planner.search.shapes import LazyShapes, Rings, joined

MAX_SETTLED: Final = 20_000
"""Corners one search may settle before it gives up (chosen: minutes)."""

INTERIORS_MEET: Final = "T********"
LEAVES: Final = "**T******"
"""DE-9IM: the leg's interior meets the outside of the keep-in area."""

GOAL: Final = -1
Vector = npt.NDArray[np.float64]


class ReferenceEngine:
    """Exact search by numpy and shapely. Immutable."""

    name: Final = "reference"

    def __init__(self, shapes: LazyShapes, rings: Rings, *, keep_in: bool) -> None:
        self._lazy, self._rings, self._keep_in = shapes, rings, keep_in
        self._shapes = shapes()
        solid = self._shapes.copy()
        solid[0] = shapely.Polygon()  # judged by itself: there the outside is forbidden
        self._tree = shapely.STRtree(solid)
        self._corners = np.column_stack([rings.x, rings.y])
        self._before = self._corners[rings.previous] - self._corners
        self._after = self._corners[rings.following] - self._corners
        self._bends = _cross(self._after, self._before) > 0.0

    def with_obstacles(self, shapes: LazyShapes, rings: Rings) -> ReferenceEngine:
        """A new engine with more obstacles; ``shapes`` are all of them."""
        return ReferenceEngine(shapes, joined(self._rings, rings), keep_in=self._keep_in)

    def _around(self, point: Vector, mask: npt.NDArray[np.bool_]) -> tuple[int, ...]:
        """Obstacles strictly around a point."""
        p = shapely.Point(point)
        found = [int(k) for k in self._tree.query(p) if mask[k] and self._shapes[k].contains(p)]
        if self._keep_in and mask[0] and not self._shapes[0].covers(p):
            found.append(0)
        return tuple(sorted(found))

    def _hit(self, a: Vector, b: Vector, mask: npt.NDArray[np.bool_]) -> int | None:
        """An obstacle whose interior the leg meets, nearest to its start first."""
        leg = shapely.LineString([a, b])
        if (
            self._keep_in
            and mask[0]
            and (shapely.is_empty(self._shapes[0]) or leg.relate_pattern(self._shapes[0], LEAVES))
        ):
            return 0
        near = self._tree.query(leg)
        near = near[mask[near]]
        met = near[shapely.relate_pattern(leg, self._shapes[near], INTERIORS_MEET)]
        if len(met) == 0:
            return None
        return int(met[np.argmin(shapely.distance(shapely.Point(a), self._shapes[met]))])

    def solve(self, query: Query, mask: npt.NDArray[np.bool_]) -> Outcome:
        """The optimal way, or why there is none. ``mask`` includes the keep-in area at 0."""
        start, goal = np.array(query.ends_mm[:2]), np.array(query.ends_mm[2:])
        for point, status in ((start, START_INSIDE), (goal, GOAL_INSIDE)):
            around = self._around(point, mask)
            if around:
                return Outcome(status, obstacles=around)
        if (start == goal).all():
            return Outcome(FOUND, points_mm=[])
        return _Search(self, start, goal, query.gauge, mask).run()


class _Search:
    """One A* over corners; settled corners are rows of parallel lists, row 0 being the start."""

    def __init__(
        self, engine: ReferenceEngine, start: Vector, goal: Vector, gauge: Gauge,
        mask: npt.NDArray[np.bool_],
    ) -> None:  # fmt: skip
        self._engine, self._goal, self._gauge, self._mask = engine, goal, gauge, mask
        self._position = [start]
        self._arrival = [np.zeros(2)]
        self._corner = [-2]
        self._cost = [0.0]
        self._parent = [-1]
        self._settled: set[int] = set()
        self._active: set[int] = set()
        self._offered = np.empty(0, dtype=np.int64)
        self._queue: list[tuple[float, int, int]] = [(self._price(goal - start), 0, GOAL)]

    def _price(self, d: Vector) -> float:
        return float(self._prices(d[None, :])[0])

    def _prices(self, d: Vector) -> Vector:
        """Length of displacements, or their time (see :func:`planner.search.kernels.leg_cost`)."""
        square = (d * d).sum(axis=1)
        wind_x, wind_y, rest, pace = self._gauge
        if rest == 0.0:
            return np.sqrt(square)
        along = d @ np.array([wind_x, wind_y])
        times = np.divide(
            square, along + np.sqrt(along * along + square * rest), out=np.zeros(len(d)), where=square > 0.0
        )
        return np.maximum(times, pace * np.sqrt(square))

    def run(self) -> Outcome:
        engine = self._engine
        while self._queue:
            cost, row, corner = heapq.heappop(self._queue)
            if corner in self._settled:
                continue
            here = self._position[row]
            there = self._goal if corner == GOAL else engine._corners[corner]
            hit = engine._hit(here, there, self._mask)
            if hit is not None:
                self._activate(hit)
            elif corner == GOAL:
                return Outcome(FOUND, cost=cost, settled=len(self._cost), points_mm=self._way(row))
            elif len(self._cost) > MAX_SETTLED:
                return Outcome(LIMIT, settled=len(self._cost))
            else:
                self._settle(row, corner, there - here)
        return Outcome(EXHAUSTED, settled=len(self._cost), obstacles=tuple(sorted(self._active)))

    def _way(self, row: int) -> list[tuple[float, float]]:
        way = []
        while row > 0:
            x, y = self._position[row].tolist()
            way.append((x, y))
            row = self._parent[row]
        return way[::-1]

    def _activate(self, obstacle: int) -> None:
        if obstacle in self._active:
            return
        self._active.add(obstacle)
        first = self._engine._rings.first
        corners = np.arange(first[obstacle], first[obstacle + 1])
        corners = corners[self._engine._bends[corners]]
        self._offered = np.concatenate([self._offered, corners])
        for row in range(len(self._cost)):
            self._offer(row, corners)

    def _settle(self, parent: int, corner: int, arrival: Vector) -> None:
        self._settled.add(corner)
        self._position.append(self._engine._corners[corner])
        self._arrival.append(arrival)
        self._corner.append(corner)
        self._cost.append(self._cost[parent] + self._price(arrival))
        self._parent.append(parent)
        row = len(self._cost) - 1
        d = self._goal - self._position[row]
        if self._taut(row, d[None, :])[0]:
            heapq.heappush(self._queue, (self._cost[row] + self._price(d), row, GOAL))
        self._offer(row, self._offered)

    def _taut(self, row: int, d: Vector) -> npt.NDArray[np.bool_]:
        """Which departures bend round the corner towards its obstacle and not into it."""
        if row == 0:
            return np.ones(len(d), dtype=np.bool_)
        corner, arrival = self._corner[row], self._arrival[row]
        before, after = self._engine._before[corner], self._engine._after[corner]
        if _cross(arrival, before) + _cross(arrival, after) > 0.0:
            return (_cross(arrival, d) > 0.0) & (_cross(d, after) >= 0.0)
        return (_cross(arrival, d) < 0.0) & (_cross(d, before) <= 0.0)

    def _offer(self, row: int, corners: npt.NDArray[np.int64]) -> None:
        d = self._engine._corners[corners] - self._position[row]
        tangent = _cross(d, self._engine._before[corners]) * _cross(d, self._engine._after[corners]) >= 0.0
        wanted = tangent & self._taut(row, d) & (d != 0.0).any(axis=1)
        corners, d = corners[wanted], d[wanted]
        prices = self._cost[row] + self._prices(d) + self._prices(self._goal - self._engine._corners[corners])
        for corner, price in zip(corners.tolist(), prices.tolist(), strict=True):
            if corner not in self._settled and math.isfinite(price):
                heapq.heappush(self._queue, (price, row, corner))


def _cross(a: Vector, b: Vector) -> Vector:
    return np.asarray(a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0])
