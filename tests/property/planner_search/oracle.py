"""An optimal-route oracle that shares no code with the planner: the full visibility graph, leg by leg, by
shapely's DE-9IM relations, and Dijkstra's algorithm on it. Slow, plain, and right by inspection."""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np
import shapely

Xy = tuple[float, float]
INTERIORS_MEET = "T********"
INTERIOR_LEAVES = "**T******"


def leg_is_legal(
    a: Xy, b: Xy, obstacles: Sequence[shapely.Geometry], keep_in: shapely.Geometry | None
) -> bool:
    """A leg may touch boundaries but not enter an interior, nor leave the keep-in area."""
    leg = shapely.LineString([a, b])
    if keep_in is not None and shapely.relate_pattern(leg, keep_in, INTERIOR_LEAVES):
        return False
    return not any(shapely.relate_pattern(leg, obstacle, INTERIORS_MEET) for obstacle in obstacles)


def inside(point: Xy, obstacles: Sequence[shapely.Geometry]) -> set[int]:
    """Obstacles strictly around a point."""
    return {k for k, obstacle in enumerate(obstacles) if obstacle.contains(shapely.Point(point))}


def length(a: Xy, b: Xy) -> float:
    """Cost without wind."""
    return math.hypot(b[0] - a[0], b[1] - a[1])


def flight_time(wind: Xy, airspeed: float, ground_max: float = math.inf) -> Callable[[Xy, Xy], float]:
    """Cost with wind, from the wind triangle: the cross-wind is cancelled, the tail wind is added, and the
    autopilot lets the ground speed rise no further than ``ground_max``."""

    def cost(a: Xy, b: Xy) -> float:
        d = length(a, b)
        if d == 0.0:
            return 0.0
        along_x, along_y = (b[0] - a[0]) / d, (b[1] - a[1]) / d
        tail = wind[0] * along_x + wind[1] * along_y
        across = wind[1] * along_x - wind[0] * along_y
        return d / min(ground_max, tail + math.sqrt(airspeed**2 - across**2))

    return cost


def optimal_cost(
    start: Xy,
    goal: Xy,
    obstacles: Sequence[shapely.Geometry],
    keep_in: shapely.Geometry | None = None,
    cost: Callable[[Xy, Xy], float] = length,
) -> float:
    """Cost of the best way over every corner of every obstacle; infinite if there is none."""
    shapes = [*obstacles] + ([keep_in] if keep_in is not None else [])
    corners = [tuple(p) for shape in shapes for p in shapely.get_coordinates(shape).tolist()]
    nodes = list(dict.fromkeys([start, goal, *corners]))
    legal = _legal_pairs(nodes, obstacles, keep_in)
    best = {0: 0.0}
    queue = [(0.0, 0)]
    done: set[int] = set()
    goal_node = nodes.index(goal)
    while queue:
        d, u = heapq.heappop(queue)
        if u == goal_node:
            return d
        if u in done:
            continue
        done.add(u)
        for v in legal[u]:
            there = d + cost(nodes[u], nodes[v])
            if there < best.get(v, math.inf):
                best[v] = there
                heapq.heappush(queue, (there, v))
    return math.inf


def _legal_pairs(
    nodes: Sequence[Xy], obstacles: Sequence[shapely.Geometry], keep_in: shapely.Geometry | None
) -> list[list[int]]:
    pairs = np.array(list(itertools.combinations(range(len(nodes)), 2)), dtype=int).reshape(-1, 2)
    xy = np.array(nodes, dtype=float)
    legs = shapely.linestrings(xy[pairs])
    free = np.ones(len(legs), dtype=bool)
    for obstacle in obstacles:
        near = np.flatnonzero(free & shapely.intersects(legs, shapely.envelope(obstacle)))
        free[near] &= ~shapely.relate_pattern(legs[near], obstacle, INTERIORS_MEET)
    if keep_in is not None:
        free &= ~shapely.relate_pattern(legs, keep_in, INTERIOR_LEAVES)
    legal: list[list[int]] = [[] for _ in nodes]
    for a, b in pairs[free].tolist():
        legal[a].append(b)
        legal[b].append(a)
    return legal
