"""The compiled engine: flat arrays, scratch memory for each thread, and calls into the kernels."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from planner.search import kernels
from planner.search.pockets import PocketIndex
from planner.search.problem import EXHAUSTED, FOUND, LIMIT, QUEUE_FULL, Outcome, Query
from planner.search.shapes import Rings

MAX_SETTLED: Final = 200_000
"""Corners that one search may settle before it gives up (chosen: some ten seconds; the hardest of the
benchmark cases needs under two thousand)."""

MAX_QUEUE: Final = 2**24
"""Entries of the queue before a search gives up: 256 MiB."""

FIRST_QUEUE: Final = 2**16
FIRST_SETTLED: Final = 400
"""After this many corners it is worth asking whether the goal can be reached at all (chosen: beyond what
nine in ten searches among 5,000 zones need)."""

MAX_CELLS_PER_EDGE: Final = 4
EXTRA_EDGES_BEFORE_MERGE: Final = 20_000
"""Edges of added obstacles have a small grid of their own, rebuilt at each addition, until there are so
many."""


class _Buffers:
    """Arrays with room at the end. Successive worlds share them: each reads only what it knows of, and only
    the newest may append in place."""

    def __init__(self, corners: int, obstacles: int) -> None:
        self.floats = np.empty((6, corners))
        self.obstacle = np.empty(corners, dtype=np.int32)
        self.corner = np.empty(corners, dtype=np.bool_)
        self.first = np.zeros(obstacles + 1, dtype=np.int64)
        self.box = np.empty((4, obstacles))
        self.used = (0, 0)

    def appended(self, at: tuple[int, int], rings: Rings) -> _Buffers:
        """Append obstacles behind position ``at``, in place where possible, else in a larger copy."""
        corners, obstacles = at
        more_corners, more_obstacles = len(rings.x), len(rings.first) - 1
        buffers = self
        if (
            self.used != at
            or corners + more_corners > len(self.obstacle)
            or obstacles + more_obstacles > len(self.first) - 1
        ):
            buffers = _Buffers(2 * (corners + more_corners) + 64, 2 * (obstacles + more_obstacles) + 16)
            buffers.floats[:, :corners] = self.floats[:, :corners]
            buffers.obstacle[:corners] = self.obstacle[:corners]
            buffers.corner[:corners] = self.corner[:corners]
            buffers.first[: obstacles + 1] = self.first[: obstacles + 1]
            buffers.box[:, :obstacles] = self.box[:, :obstacles]
        buffers._write(corners, obstacles, rings)
        return buffers

    def _write(self, corners: int, obstacles: int, rings: Rings) -> None:
        new = slice(corners, corners + len(rings.x))
        x, y, px, py, nx, ny = self.floats[:, new]
        x[:], y[:] = rings.x, rings.y
        px[:], py[:] = rings.x[rings.previous] - rings.x, rings.y[rings.previous] - rings.y
        nx[:], ny[:] = rings.x[rings.following] - rings.x, rings.y[rings.following] - rings.y
        self.corner[new] = nx * py - ny * px > 0.0
        self.obstacle[new] = obstacles + rings.obstacle
        count = len(rings.first) - 1
        self.first[obstacles + 1 : obstacles + count + 1] = corners + rings.first[1:]
        filled = np.flatnonzero(np.diff(rings.first))
        starts = rings.first[filled]
        box = self.box[:, obstacles : obstacles + count]
        box[:2], box[2:] = np.inf, -np.inf
        if len(filled):
            box[0, filled], box[1, filled] = np.minimum.reduceat(x, starts), np.minimum.reduceat(y, starts)
            box[2, filled], box[3, filled] = np.maximum.reduceat(x, starts), np.maximum.reduceat(y, starts)
        self.used = (corners + len(rings.x), obstacles + count)


@dataclass(frozen=True, slots=True)
class _Grid:
    origin_x: float
    origin_y: float
    cell: float
    columns: int
    rows: int

    @classmethod
    def over(cls, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> _Grid:
        """Square cells, about one for each edge: short runs to test, few cells to walk (measured best)."""
        if len(x) == 0:
            return cls(0.0, 0.0, 1e6, 1, 1)
        low_x, low_y = float(x.min()), float(y.min())
        width, height = float(x.max()) - low_x + 1.0, float(y.max()) - low_y + 1.0
        cell = max(1000.0, math.sqrt(width * height / len(x)))
        while True:
            columns, rows = math.ceil(width / cell), math.ceil(height / cell)
            if columns * rows <= MAX_CELLS_PER_EDGE * len(x) + 64:
                return cls(low_x, low_y, cell, columns, rows)
            cell *= 1.5

    def register(
        self, floats: npt.NDArray[np.float64], low: int, high: int
    ) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        """Edges per cell: where each cell's run begins, edge numbers, packed coordinates."""
        x, y, _, _, nx, ny = floats
        where = (self.origin_x, self.origin_y, self.cell, self.columns, self.rows)
        cells = self.columns * self.rows
        counts = np.zeros(cells + 1, dtype=np.int32)
        nothing = np.empty(0, dtype=np.int32)
        kernels.register_edges(x, y, nx, ny, low, high, *where, counts, nothing, nothing.reshape(0, 4))
        first = np.zeros(cells + 1, dtype=np.int32)
        np.cumsum(counts[:-1], out=first[1:])
        total = int(first[-1])
        entry, entry_xy = np.empty(total, dtype=np.int32), np.empty((total, 4), dtype=np.int32)
        if total:
            kernels.register_edges(x, y, nx, ny, low, high, *where, first.copy(), entry, entry_xy)
        return first, entry, entry_xy


class _Memory(threading.local):
    """Scratch memory of this thread, shared by all worlds and grown as needed."""

    def __init__(self) -> None:
        self.corners = self.obstacles = self.queue = 0
        self.stamp = 0
        self.workspaces: tuple[kernels.Workspace, ...] = ()

    def get(self, corners: int, obstacles: int, queue: int = FIRST_QUEUE) -> tuple[kernels.Workspace, ...]:
        """Two workspaces, for a search from the start and one from the goal."""
        if (
            corners > self.corners
            or obstacles > self.obstacles
            or queue > self.queue
            or self.stamp > np.iinfo(np.int32).max - 2**20
        ):
            self.corners = max(self.corners, corners + corners // 8 + 64)
            self.obstacles = max(self.obstacles, obstacles + obstacles // 8 + 64)
            self.queue = max(self.queue, queue)
            self.stamp = 0
            self.workspaces = (self._new(), self._new())
        return self.workspaces

    def _new(self) -> kernels.Workspace:
        corners = self.corners
        numbers = {name: np.empty(corners) for name in kernels.Workspace._fields}
        return kernels.Workspace(
            **numbers
            | {name: np.empty(corners, dtype=np.int32) for name in ("sparent", "snode", "anode")}
            | {
                "settled": np.zeros(corners, dtype=np.int32),
                "active": np.zeros(self.obstacles, dtype=np.int32),
                "pick": np.empty(corners, dtype=np.bool_),
                "key": np.empty(self.queue),
                "item": np.empty(self.queue, dtype=np.int64),
                "path": np.empty(corners + self.obstacles + 2, dtype=np.int32),
                "state": np.zeros(3, dtype=np.int64),
            }
        )


_memory = _Memory()


class CompiledEngine:
    """Exact search by compiled kernels. Immutable; adding an obstacle makes a new engine that shares
    memory."""

    name: Final = "compiled"

    def __init__(self, shapes_mm: npt.NDArray[np.object_], rings: Rings, *, keep_in: bool) -> None:
        self._keep_in = keep_in
        buffers = _Buffers(len(rings.x), len(rings.first) - 1).appended((0, 0), rings)
        grid = _Grid.over(rings.x, rings.y)
        self._set(shapes_mm, buffers, grid, grid.register(buffers.floats, 0, len(rings.x)), len(rings.x))

    def _set(
        self,
        shapes_mm: npt.NDArray[np.object_],
        buffers: _Buffers,
        grid: _Grid,
        base: tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.int32]],
        base_corners: int,
    ) -> None:
        self._shapes_mm, self._buffers, self._grid, self._base = shapes_mm, buffers, grid, base
        self._base_corners = base_corners
        corners, obstacles = self._size = buffers.used
        extra = base
        extra_edges = corners - base_corners
        if extra_edges:
            extra = grid.register(buffers.floats, base_corners, corners)
        self._obstacles = kernels.Obstacles(
            *buffers.floats[:, :corners],
            buffers.obstacle[:corners],
            buffers.corner[:corners],
            buffers.first[: obstacles + 1],
            buffers.box[:, :obstacles],
            np.array([grid.columns, grid.rows, extra_edges], dtype=np.int64),
            np.array([grid.origin_x, grid.origin_y, grid.cell, 1.0 / grid.cell]),
            *base,
            *extra,
        )
        self._pockets = PocketIndex(shapes_mm, keep_in=self._keep_in)

    def with_obstacles(self, shapes_mm: npt.NDArray[np.object_], rings: Rings) -> CompiledEngine:
        """A new engine with more obstacles; ``shapes_mm`` are all of them."""
        engine = object.__new__(CompiledEngine)
        engine._keep_in = self._keep_in
        buffers = self._buffers.appended(self._size, rings)
        corners = buffers.used[0]
        if corners - self._base_corners > EXTRA_EDGES_BEFORE_MERGE:
            grid = _Grid.over(*buffers.floats[:2, :corners])
            engine._set(shapes_mm, buffers, grid, grid.register(buffers.floats, 0, corners), corners)
        else:
            engine._set(shapes_mm, buffers, self._grid, self._base, self._base_corners)
        return engine

    def solve(self, query: Query, mask: npt.NDArray[np.bool_]) -> Outcome:
        """The optimal way, or why there is none. ``mask`` includes the keep-in area at 0."""
        queue = FIRST_QUEUE
        while True:
            outcome = self._solve(query, mask, queue)
            if outcome.status != QUEUE_FULL:
                return outcome
            queue = max(queue, _memory.queue) * 4
            if queue > MAX_QUEUE:
                return Outcome(LIMIT, settled=outcome.settled)

    def _solve(self, query: Query, mask: npt.NDArray[np.bool_], queue: int) -> Outcome:
        workspaces = _memory.get(*self._size, queue)
        ahead, behind = workspaces
        o, ends, gauge = self._obstacles, query.ends_mm, query.gauge
        stamp = _memory.stamp = _memory.stamp + 1
        status, cost, settled, n = kernels.solve(
            o, mask, ahead, stamp, self._keep_in, *ends, *gauge, FIRST_SETTLED
        )
        if status == LIMIT:
            separating = self._pockets.separating(query.ends_mm, mask, only_if_known=True)
            if separating is None:
                back = kernels.search(
                    o,
                    mask,
                    behind,
                    stamp,
                    False,
                    *ends[2:],
                    *ends[:2],
                    -gauge[0],
                    -gauge[1],
                    gauge[2],
                    FIRST_SETTLED,
                )
                if back[0] == EXHAUSTED:
                    return self._sealed(behind, stamp, settled + back[2])
                separating = self._pockets.separating(query.ends_mm, mask)
            if separating:
                return Outcome(EXHAUSTED, settled=settled, obstacles=separating)
            status, cost, settled, n = kernels.search(o, mask, ahead, stamp, True, *ends, *gauge, MAX_SETTLED)
        if status == FOUND:
            return self._found(ahead.path[n - 2 : 0 : -1], cost, settled)
        if status == EXHAUSTED:
            return self._sealed(ahead, stamp, settled)
        return Outcome(status, settled=settled, obstacles=tuple(ahead.path[:n].tolist()))

    def _found(self, corners: npt.NDArray[np.int32], cost: float, settled: int) -> Outcome:
        o = self._obstacles
        return Outcome(
            FOUND,
            cost=cost,
            settled=settled,
            points_mm=list(zip(o.x[corners].tolist(), o.y[corners].tolist(), strict=True)),
        )

    def _sealed(self, workspace: kernels.Workspace, stamp: int, settled: int) -> Outcome:
        met = np.flatnonzero(workspace.active[: self._size[1]] == stamp)
        return Outcome(EXHAUSTED, settled=settled, obstacles=tuple(met.tolist()))

    def prepare(self, mask: npt.NDArray[np.bool_]) -> None:
        """Find the sealed pockets under this mask ahead of the first search that has to know."""
        self._pockets.separating((0.0, 0.0, 0.0, 0.0), mask)
