"""The compiled engine: flat arrays, scratch memory for each thread, and calls into the kernels."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from weakref import WeakSet

import numpy as np
import numpy.typing as npt

from planner.search.compiled import COMPILING
from planner.search.frontier import ITEMS
from planner.search.grid import register_edges
from planner.search.kernels import solve
from planner.search.problem import (
    BRIEFLY,
    EXHAUSTED,
    FOUND,
    FURTHER,
    LIMIT,
    QUEUE_FULL,
    UNDECIDED,
    WHOLE,
    Outcome,
    Query,
)
from planner.search.shapes import LazyShapes, Rings
from planner.search.walls import find_links

if not COMPILING:
    raise ImportError("this engine needs a compiler: numba is missing")

MAX_SETTLED: Final = 200_000
"""Corners that one search may settle before it gives up (chosen: far beyond the benchmark with 5,000 zones,
where settling all 24,000 that a taut way can reach takes two seconds)."""

MAX_QUEUE: Final = 2**23
"""Entries of the queue before a search gives up: 128 MiB (chosen: eight times what settling everything among
5,000 zones needs)."""

FIRST_QUEUE: Final = 2**16
MAX_SHADOWS: Final = 2**17
"""Shadows remembered in one search; beyond, legs are tested against the grid."""

FIRST_SETTLED: Final = 150
"""After this many corners it is worth asking whether the goal can be reached at all (chosen: more than half
of all searches among 5,000 zones, and nine in ten among 1,000, are done by then)."""

EDGES_PER_CELL: Final = 8
MAX_CELLS_PER_EDGE: Final = 4
EXTRA_EDGES_BEFORE_MERGE: Final = 20_000
"""Edges of added obstacles have a small grid of their own, rebuilt at each addition, until there are so
many."""

MAX_STAMP: Final = 2**31 - 2**20
"""Searches are numbered in 32 bits; before they run out the scratch memory is made anew."""

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Links = tuple[Ints, Floats, Bools]
"""Where boundaries meet, and which obstacles touch themselves; see :mod:`planner.search.walls`."""


class Workspace(NamedTuple):
    """Scratch memory of one search: what the kernels take, and the parts of it that hold answers."""

    arrays: tuple[Floats, Ints, npt.NDArray[np.int64], Bools]
    way: Ints
    points: Floats


class _Claim:
    """How many obstacles some world reads; while it lives, nobody writes there."""

    __slots__ = ("__weakref__", "obstacles")

    def __init__(self, obstacles: int) -> None:
        self.obstacles = obstacles


class _Buffers:
    """Arrays with room at the end. Successive worlds share them: each reads only what it knows of, and only the newest
    that lives may append in place. A detour's world comes and goes: the next one is written where it stood."""

    def __init__(self, corners: int, obstacles: int) -> None:
        self.floats = np.empty((6, corners))
        self.obstacle = np.empty(corners, dtype=np.int32)
        self.ring = np.empty(corners, dtype=np.int32)
        self.corner = np.empty(corners, dtype=np.bool_)
        self.first = np.zeros(obstacles + 1, dtype=np.int64)
        self.box = np.empty((4, obstacles))
        self.used = (0, 0)
        self._claims: WeakSet[_Claim] = WeakSet()
        self._larger: tuple[tuple[int, int], _Buffers] | None = None
        """A copy that begins with the same up to that position."""
        self._appending = threading.Lock()

    def appended(self, at: tuple[int, int], rings: Rings) -> tuple[_Buffers, _Claim]:
        """Append obstacles behind position ``at``, in place where possible, else in a larger copy. The world that reads
        them keeps the claim."""
        with self._appending:
            claim = self._claimed(at, rings)
            if claim is not None:
                return self, claim
            if self._larger is not None and self._larger[0] == at:
                larger = self._larger[1]
                with larger._appending:
                    claim = larger._claimed(at, rings)
                if claim is not None:
                    return larger, claim
            larger = self._copied(at, rings)
            claim = larger._claimed(at, rings)
            assert claim is not None, "a copy has room for what it was made for"
            self._larger = at, larger
            return larger, claim

    def _claimed(self, at: tuple[int, int], rings: Rings) -> _Claim | None:
        """Write behind ``at``; None where there is no room, or a world lives that reads what stands there."""
        corners, obstacles = at
        after = obstacles + len(rings.first) - 1
        if corners + len(rings.x) > len(self.obstacle) or after > len(self.first) - 1:
            return None
        if self.used != at and any(claim.obstacles > obstacles for claim in self._claims):
            return None
        if self._larger is not None and self._larger[0] > at:
            # It would not begin with the same any more.
            self._larger = None
        self._write(corners, obstacles, rings)
        claim = _Claim(after)
        self._claims.add(claim)
        return claim

    def _copied(self, at: tuple[int, int], rings: Rings) -> _Buffers:
        """What stands before ``at``, with room for these and more."""
        corners, obstacles = at
        more_corners, more_obstacles = len(rings.x), len(rings.first) - 1
        copy = _Buffers(2 * (corners + more_corners) + 64, 2 * (obstacles + more_obstacles) + 16)
        copy.floats[:, :corners] = self.floats[:, :corners]
        copy.obstacle[:corners] = self.obstacle[:corners]
        copy.ring[:corners] = self.ring[:corners]
        copy.corner[:corners] = self.corner[:corners]
        copy.first[: obstacles + 1] = self.first[: obstacles + 1]
        copy.box[:, :obstacles] = self.box[:, :obstacles]
        return copy

    def _write(self, corners: int, obstacles: int, rings: Rings) -> None:
        new = slice(corners, corners + len(rings.x))
        x, y, px, py, nx, ny = self.floats[:, new]
        x[:], y[:] = rings.x, rings.y
        px[:], py[:] = rings.x[rings.previous] - rings.x, rings.y[rings.previous] - rings.y
        nx[:], ny[:] = rings.x[rings.following] - rings.x, rings.y[rings.following] - rings.y
        self.corner[new] = nx * py - ny * px > 0.0
        self.obstacle[new] = obstacles + rings.obstacle
        # a ring is named after its first corner, where the way back leads ahead
        starts = np.flatnonzero(rings.previous > np.arange(len(x)))
        self.ring[new] = corners + np.repeat(starts, np.diff(np.r_[starts, len(x)]))
        count = len(rings.first) - 1
        self.first[obstacles + 1 : obstacles + count + 1] = corners + rings.first[1:]
        filled = np.flatnonzero(np.diff(rings.first))
        first = rings.first[filled]
        box = self.box[:, obstacles : obstacles + count]
        box[:2], box[2:] = np.inf, -np.inf
        if len(filled):
            box[0, filled], box[1, filled] = np.minimum.reduceat(x, first), np.minimum.reduceat(y, first)
            box[2, filled], box[3, filled] = np.maximum.reduceat(x, first), np.maximum.reduceat(y, first)
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
        """Square cells, one for some eight edges: fewer rows to walk is worth more than shorter runs to test
        (measured among 1,000 and 5,000 zones: 1 costs a tenth more, 16 nothing less)."""
        if len(x) == 0:
            return cls(0.0, 0.0, 1e6, 1, 1)
        low_x, low_y = float(x.min()), float(y.min())
        width, height = float(x.max()) - low_x + 1.0, float(y.max()) - low_y + 1.0
        cell = max(1000.0, math.sqrt(EDGES_PER_CELL * width * height / len(x)))
        while True:
            columns, rows = math.ceil(width / cell), math.ceil(height / cell)
            if columns * rows <= MAX_CELLS_PER_EDGE * len(x) + 64:
                return cls(low_x, low_y, cell, columns, rows)
            cell *= 1.5

    def array(self, *, more: bool, obstacles: int) -> npt.NDArray[np.float64]:
        """As the kernels take it."""
        place = (self.origin_x, self.origin_y, self.cell, 1.0 / self.cell)
        return np.array([*place, self.columns, self.rows, more, obstacles], dtype=np.float64)

    def register(self, corners: npt.NDArray[np.float64], low: int, high: int) -> tuple[Ints, Ints]:
        """Edges by cell: where each cell's run begins, and the edges."""
        grid = self.array(more=False, obstacles=0)
        counts = np.zeros(self.columns * self.rows + 1, dtype=np.int32)
        register_edges(corners, low, high, grid, counts, np.empty((0, 5), dtype=np.int32))
        cells = np.zeros(len(counts), dtype=np.int32)
        np.cumsum(counts[:-1], out=cells[1:])
        edges = np.empty((int(cells[-1]), 5), dtype=np.int32)
        if len(edges):
            register_edges(corners, low, high, grid, cells.copy(), edges)
        return cells, edges


class _Memory(threading.local):
    """Scratch memory of this thread, shared by all worlds and grown as needed."""

    def __init__(self) -> None:
        self.corners = self.obstacles = self.queue = 0
        self.stamp = 0
        self.workspaces: tuple[Workspace, ...] = ()

    def get(self, corners: int, obstacles: int, queue: int = FIRST_QUEUE) -> tuple[Workspace, ...]:
        """Two workspaces, for a search from the start and one from the goal."""
        if (
            corners > self.corners
            or obstacles > self.obstacles
            or queue > self.queue
            or self.stamp > MAX_STAMP
        ):
            self.corners = max(self.corners, corners + corners // 8 + 64)
            self.obstacles = max(self.obstacles, obstacles + obstacles // 8 + 64)
            self.queue = max(self.queue, queue)
            self.stamp = 0
            self.workspaces = (self._new(), self._new())
        return self.workspaces

    def _new(self) -> Workspace:
        """Room for a search, as :func:`planner.search.frontier.scratch` cuts it up."""
        n, m, shades, room = self.corners, self.obstacles, MAX_SHADOWS, self.queue
        floats = np.empty(18 * n + 5 * m + 6 * shades + room)
        ints = np.zeros(6 * n + 2 * m, dtype=np.int32)
        longs = np.empty(ITEMS + room, dtype=np.int64)
        longs[:ITEMS] = 0
        longs[5:9] = n, m, shades, room
        way = ints[5 * n + m : 6 * n + 2 * m]
        points = floats[16 * n : 18 * n].reshape(n, 2)
        return Workspace((floats, ints, longs, np.empty(max(n, m), dtype=np.bool_)), way, points)


_memory = _Memory()


class CompiledEngine:
    """Exact search by compiled kernels. Immutable; adding an obstacle makes a new engine that shares
    memory."""

    name: Final = "compiled"

    def __init__(self, _shapes: LazyShapes, rings: Rings, *, keep_in: bool) -> None:
        """``rings`` say all; shapes are what other engines need."""
        self._keep_in = keep_in
        empty = _Buffers(len(rings.x), len(rings.first) - 1)
        buffers, self._claim = empty.appended((0, 0), rings)
        grid = _Grid.over(rings.x, rings.y)
        size = (len(rings.x), len(rings.first) - 1)
        self._set(size, buffers, grid, grid.register(buffers.floats, 0, size[0]), size[0], None)

    def _set(
        self,
        size: tuple[int, int],
        buffers: _Buffers,
        grid: _Grid,
        base: tuple[Ints, Ints],
        base_corners: int,
        before: CompiledEngine | None,
    ) -> None:
        """``before`` is the engine whose links hold for this one too; without it all are found anew."""
        self._buffers, self._grid, self._base = buffers, grid, base
        self._base_corners = base_corners
        corners, obstacles = self._size = size
        more = base
        if corners > base_corners:
            more = grid.register(buffers.floats, base_corners, corners)
        here = (buffers.floats, buffers.obstacle, buffers.corner, buffers.first, buffers.box)
        about = grid.array(more=corners > base_corners, obstacles=obstacles)
        ring = buffers.ring[:corners]
        low, known = (0, None) if before is None else (before._size[0], before._links)
        self._links: Links = _links(
            (buffers.floats, buffers.obstacle, ring, about, *base, *more), obstacles, low, known
        )
        self._world = (*here, about, *base, *more, ring, *self._links)

    def with_obstacles(self, _shapes: LazyShapes, rings: Rings) -> CompiledEngine:
        """A new engine with more obstacles."""
        engine = object.__new__(CompiledEngine)
        engine._keep_in = self._keep_in
        buffers, engine._claim = self._buffers.appended(self._size, rings)
        size = (self._size[0] + len(rings.x), self._size[1] + len(rings.first) - 1)
        corners = size[0]
        if corners - self._base_corners > EXTRA_EDGES_BEFORE_MERGE:
            grid = _Grid.over(*buffers.floats[:2, :corners])
            engine._set(size, buffers, grid, grid.register(buffers.floats, 0, corners), corners, None)
        else:
            engine._set(size, buffers, self._grid, self._base, self._base_corners, self)
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
        ahead, behind = _memory.get(*self._size, queue)
        ends, gauge = query.ends_mm, query.gauge
        stamp = _memory.stamp = _memory.stamp + 1
        effort = (FIRST_SETTLED, MAX_SETTLED)
        world, keep_in = self._world, self._keep_in
        status, cost, settled, n = solve(
            world, mask, ahead.arrays, stamp, WHOLE, keep_in, *ends, *gauge, *effort
        )
        if status == FOUND:
            return Outcome(FOUND, cost, settled, ahead.points[:n].tolist())
        if status == UNDECIDED:
            # perhaps the goal's side is small: a search from there proves as much
            headwind = (-gauge[0], -gauge[1], *gauge[2:])
            back = solve(
                world, mask, behind.arrays, stamp, BRIEFLY, keep_in, *ends[2:], *ends[:2], *headwind, *effort
            )
            if back[0] == EXHAUSTED:
                return Outcome(EXHAUSTED, settled=settled + back[2], obstacles=_list(behind, back[3]))
            if back[0] == FOUND:
                way = behind.points[: back[3]][::-1]
                return Outcome(FOUND, back[1], settled + back[2], way.tolist())
            status, cost, settled, n = solve(
                world, mask, ahead.arrays, stamp, FURTHER, keep_in, *ends, *gauge, *effort
            )
            if status == FOUND:
                return Outcome(FOUND, cost, settled, ahead.points[:n].tolist())
        return Outcome(status, settled=settled, obstacles=_list(ahead, n))


def _list(memory: Workspace, count: int) -> tuple[int, ...]:
    return tuple(sorted(set(memory.way[:count].tolist())))


def _links(place: tuple[npt.NDArray[Any], ...], obstacles: int, low: int, known: Links | None) -> Links:
    """Where boundaries meet (see :func:`planner.search.walls.find_links`). What is ``known`` holds for the corners
    below ``low``."""
    touching = np.zeros(obstacles, dtype=np.bool_)
    if known is not None:
        touching[: len(known[2])] = known[2]
    room = 1024
    while True:
        links, places = np.empty((room, 2), dtype=np.int32), np.empty((room, 3))
        n = find_links(*place, low, touching, links, places)
        if n >= 0:
            break
        room *= 4
    links, places = links[:n].copy(), places[:n].copy()
    if known is not None:
        links, places = np.concatenate([known[0], links]), np.concatenate([known[1], places])
    return links, places, touching
