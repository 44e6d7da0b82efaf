"""The compiled search: exact any-angle ways over flat arrays.

A* over corners. Only some obstacles are active; legs between corners are queued unverified and are checked
against all obstacles when they are popped. A blocked leg activates the obstacle that it met, whose corners are
then offered from everything settled so far. The active obstacles are a relaxation of the real problem, so what
is settled first and is legal is optimal, and no way among the active ones proves that there is none. A leg is
queued only when it is taut: it bends round its own corner the right way and is a tangent of the obstacle at
its far end. (Idea: RayScan, Hechenberger, Stuckey, Harabor and others, ICAPS 2020.)

Tests against obstacles are in :mod:`planner.search.grid` and exact, costs and queue in
:mod:`planner.search.frontier`, in ordinary floating point.
"""

# The compiler infers types from the arguments; annotations would only repeat the tables.
# mypy: allow-untyped-defs, allow-incomplete-defs, no-check-untyped-defs

from __future__ import annotations

import math

import numpy as np

from planner.search.compiled import compiled
from planner.search.frontier import (
    AHEAD,
    ARRIVE,
    ARRIVE_X,
    ARRIVE_Y,
    BOUND,
    BOUND_X,
    BOUND_Y,
    CORNER,
    COST,
    HIGH,
    LOW,
    NEXT,
    PARENT,
    REACH,
    SHADOW,
    cast_shadow,
    in_shadow,
    leg_cost,
    offer_all_groups,
    offer_from_all_settled,
    pop,
    push,
    scratch,
)
from planner.search.grid import NX, NY, PX, PY, X, Y, first_hit, locate
from planner.search.problem import (
    EXHAUSTED,
    FOUND,
    FURTHER,
    GOAL_INSIDE,
    LIMIT,
    QUEUE_FULL,
    START_INSIDE,
    UNDECIDED,
    WHOLE,
)
from planner.search.walls import wall_between


@compiled
def search(
    corners, owner, bends, first, boxes, grid, cells, edges, more_cells, more_edges, mask,
    corner_stamp, obstacle_stamp, settled, settled_i, active, active_i, groups, shadows, pick, key, item,
    way, state, stamp, resume, start_x, start_y, goal_x, goal_y, wind_x, wind_y, rest, pace, max_settled,
):  # fmt: skip
    """Find the optimal way. Returns status, cost, number of settled corners, number of corners on the way.

    ``way`` then holds the corners from the last before the goal back to the first after the start.
    After :data:`LIMIT` the same search goes on with ``resume`` and a higher ``max_settled``.
    """
    goal = np.int64(0xFFFFFFFF)
    if resume:
        size, count, rows, obstacles, shades = state[0], state[1], state[2], state[3], state[4]
    else:
        settled[:, 0] = 0.0
        settled[X, 0], settled[Y, 0] = start_x, start_y
        settled_i[PARENT, 0] = -1
        settled_i[SHADOW, 0] = -1
        count, rows, obstacles, shades = 1, 0, 0, 0
        direct = leg_cost(goal_x - start_x, goal_y - start_y, wind_x, wind_y, rest, pace)
        size = push(key, item, 0, direct, goal)
    while size > 0:
        if count > max_settled:
            state[0], state[1], state[2], state[3], state[4] = size, count, rows, obstacles, shades
            return LIMIT, 0.0, count, 0
        cost, value = key[0], item[0]
        size = pop(key, item, size)
        s = value >> 32
        k = value & 0xFFFFFFFF
        ux, uy = settled[X, s], settled[Y, s]
        if k == goal:
            vx, vy = goal_x, goal_y
        else:
            if corner_stamp[active_i[k]] == stamp:
                continue
            vx, vy = active[X, k], active[Y, k]
        if in_shadow(shadows, settled_i[SHADOW, s], vx - ux, vy - uy):
            continue
        hit = first_hit(corners, owner, grid, cells, edges, more_cells, more_edges, mask, ux, uy, vx, vy)
        if hit >= 0:
            if (
                hit > 0
                and shades < shadows.shape[1]
                and cast_shadow(corners, first, boxes, hit, shadows, shades, ux, uy)
            ):
                shadows[NEXT, shades] = settled_i[SHADOW, s]
                settled_i[SHADOW, s] = shades
                shades += 1
            if obstacle_stamp[hit] == stamp:
                continue
            obstacle_stamp[hit] = stamp
            low = rows
            for i in range(first[hit], first[hit + 1]):
                if bends[i]:
                    for row in range(6):
                        active[row, rows] = corners[row, i]
                    active_i[rows] = i
                    active[AHEAD, rows] = leg_cost(
                        goal_x - corners[X, i], goal_y - corners[Y, i], wind_x, wind_y, rest, pace
                    )
                    rows += 1
            groups[LOW, obstacles], groups[HIGH, obstacles] = low, rows
            groups[X, obstacles] = 0.5 * (boxes[0, hit] + boxes[2, hit])
            groups[Y, obstacles] = 0.5 * (boxes[1, hit] + boxes[3, hit])
            # half the diagonal, and a millimetre for rounding
            groups[REACH, obstacles] = 1.0 + 0.5 * math.hypot(
                boxes[2, hit] - boxes[0, hit], boxes[3, hit] - boxes[1, hit]
            )
            size = offer_from_all_settled(
                stamp, corner_stamp, settled, settled_i, active, active_i, groups, shadows, obstacles, count,
                pick, key, item, size, wind_x, wind_y, rest, pace,
            )  # fmt: skip
            obstacles += 1
            if size < 0:
                return QUEUE_FULL, 0.0, count, 0
            continue
        if k == goal:
            n = 0
            while s > 0:
                way[n] = settled_i[CORNER, s]
                n += 1
                s = settled_i[PARENT, s]
            return FOUND, cost, count, n
        # settle the corner: its cost is final
        dx, dy = vx - ux, vy - uy
        corner_stamp[active_i[k]] = stamp
        settled[X, count], settled[Y, count] = vx, vy
        settled[COST, count] = settled[COST, s] + leg_cost(dx, dy, wind_x, wind_y, rest, pace)
        settled_i[PARENT, count], settled_i[CORNER, count], settled_i[SHADOW, count] = s, active_i[k], -1
        px, py, nx, ny = active[PX, k], active[PY, k], active[NX, k], active[NY, k]
        if (dx * py - dy * px) + (dx * ny - dy * nx) > 0.0:
            # obstacle on the left: bend left, no further than its next edge
            side, bound_x, bound_y = 1.0, nx, ny
        else:
            side, bound_x, bound_y = -1.0, px, py
        dx, dy, bound_x, bound_y = side * dx, side * dy, side * bound_x, side * bound_y
        settled[ARRIVE_X, count], settled[ARRIVE_Y, count] = dx, dy
        settled[BOUND_X, count], settled[BOUND_Y, count] = bound_x, bound_y
        gx, gy = goal_x - vx, goal_y - vy
        if dx * gy - dy * gx > 0.0 and gx * bound_y - gy * bound_x >= 0.0:
            if size >= key.shape[0]:
                return QUEUE_FULL, 0.0, count, 0
            size = push(
                key, item, size, settled[COST, count] + active[AHEAD, k], (np.int64(count) << 32) | goal
            )
        settled[ARRIVE, count], settled[BOUND, count] = math.hypot(dx, dy), math.hypot(bound_x, bound_y)
        size = offer_all_groups(
            stamp, corner_stamp, settled, settled_i, active, active_i, groups, shadows, obstacles,
            pick, key, item, count, size, wind_x, wind_y, rest, pace,
        )  # fmt: skip
        count += 1
        if size < 0:
            return QUEUE_FULL, 0.0, count, 0
    return EXHAUSTED, 0.0, count, 0


@compiled
def solve(
    world, mask, memory, stamp, phase, keep_in, start_x, start_y, goal_x, goal_y, wind_x, wind_y, rest, pace,
    first_settled, max_settled,
):  # fmt: skip
    """Answer a whole question. Returns status, cost, number of settled corners, and how many of what.

    ``phase`` :data:`WHOLE` looks what lies around the ends, searches until ``first_settled`` corners are
    settled, then asks whether a wall parts the ends, and searches on until ``max_settled``. Where that could
    not be told the status is :data:`UNDECIDED`: :data:`BRIEFLY` only searches until ``first_settled``,
    :data:`FURTHER` takes up the last search in this memory again.

    FOUND: the corners between the ends are in ``points`` of the ``memory`` (see :func:`.frontier.scratch`).
    EXHAUSTED, START_INSIDE, GOAL_INSIDE: the obstacles to blame are in ``way``.
    """
    (
        corners, owner, bends, first, boxes, grid, cells, edges, more_cells, more_edges,
        ring, links, places, touching,
    ) = world  # fmt: skip
    (
        corner_stamp, obstacle_stamp, settled, settled_i, active, active_i, groups, shadows, pick, key, item,
        way, points, state,
    ) = scratch(memory)  # fmt: skip
    if phase == WHOLE:
        n = locate(corners, first, boxes, grid, mask, keep_in, start_x, start_y, way)
        if n > 0:
            return START_INSIDE, 0.0, 0, n
        n = locate(corners, first, boxes, grid, mask, keep_in, goal_x, goal_y, way)
        if n > 0:
            return GOAL_INSIDE, 0.0, 0, n
    resume = phase == FURTHER
    limit = max_settled if resume else first_settled
    while True:
        status, cost, count, n = search(
            corners, owner, bends, first, boxes, grid, cells, edges, more_cells, more_edges, mask,
            corner_stamp, obstacle_stamp, settled, settled_i, active, active_i, groups, shadows, pick, key, item,
            way, state, stamp, resume, start_x, start_y, goal_x, goal_y, wind_x, wind_y, rest, pace, limit,
        )  # fmt: skip
        if status != LIMIT or resume or phase != WHOLE:
            break
        walls = wall_between(
            corners, owner, ring, grid, cells, edges, more_cells, more_edges, links, places, touching, mask,
            start_x, start_y, goal_x, goal_y, way,
        )  # fmt: skip
        if walls > 0:
            return EXHAUSTED, 0.0, count, walls
        if walls == UNDECIDED:
            return UNDECIDED, 0.0, count, 0
        resume, limit = True, max_settled
    if status == FOUND:
        for k in range(n):
            points[k, 0], points[k, 1] = corners[X, way[n - 1 - k]], corners[Y, way[n - 1 - k]]
    if status == EXHAUSTED:
        n = 0
        for k in range(int(grid[7])):
            if obstacle_stamp[k] == stamp:
                way[n] = k
                n += 1
    return status, cost, count, n
