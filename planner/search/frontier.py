"""Compiled parts of the search: what a leg costs, the queue, and which legs are worth queueing."""

# The compiler infers types from the arguments; annotations would only repeat the tables.
# mypy: allow-untyped-defs, allow-incomplete-defs, no-check-untyped-defs

from __future__ import annotations

import math

from planner.search.compiled import compiled, inlined
from planner.search.grid import NX, NY, PX, PY, X, Y

# The scratch memory of one search; the first index of a two-dimensional array is one of these rows.
#   corner_stamp, obstacle_stamp: number of the search that settled the corner, that activated the obstacle
#   settled      float: settled corners in order, the start first: x, y; direction of arrival and edge that
#                bounds the departure, both turned round where the obstacle is on the right, so that bends are
#                always to the left; cost from the start; lengths of the two vectors
#   settled_i    int: row of the parent, number of the corner, newest shadow (-1: none)
#   active       float: corners of active obstacles: rows X … NY as above, cost from there to the goal
#   active_i     int: which corner that is
#   groups       float: active obstacles: centre x, y, radius around it, range of rows in ``active``
#   shadows      float: what an obstacle hides from a settled corner (see cast_shadow), and the next shadow
#                of that corner
#   pick         bool: what a filter left; key, item: the queue; way: the result; state: for resuming
ARRIVE_X, ARRIVE_Y, BOUND_X, BOUND_Y, COST, ARRIVE, BOUND = 2, 3, 4, 5, 6, 7, 8
PARENT, CORNER, SHADOW = 0, 1, 2
AHEAD = 6
REACH, LOW, HIGH = 2, 3, 4
LEFT_X, LEFT_Y, RIGHT_X, RIGHT_Y, FARTHEST, NEXT = 0, 1, 2, 3, 4, 5


ITEMS = 16
"""Where the queue's items begin among the long integers; before them the state and the sizes."""


@inlined
def scratch(memory):
    """The arrays of the table above, out of the four that a call is handed: each one would cost as much as
    looking at a hundred edges."""
    floats, ints, longs, pick = memory
    n, m, shades, room = longs[5], longs[6], longs[7], longs[8]
    corner_stamp, obstacle_stamp = ints[:n], ints[n : n + m]
    at = n + m
    settled_i = ints[at : at + 3 * n].reshape(3, n)
    active_i = ints[at + 3 * n : at + 4 * n]
    way = ints[at + 4 * n : at + 5 * n + m]
    settled = floats[: 9 * n].reshape(9, n)
    active = floats[9 * n : 16 * n].reshape(7, n)
    points = floats[16 * n : 18 * n].reshape(n, 2)
    at = 18 * n
    groups = floats[at : at + 5 * m].reshape(5, m)
    at += 5 * m
    shadows = floats[at : at + 6 * shades].reshape(6, shades)
    at += 6 * shades
    key = floats[at : at + room]
    item, state = longs[ITEMS : ITEMS + room], longs[:5]
    return (
        corner_stamp, obstacle_stamp, settled, settled_i, active, active_i, groups, shadows, pick, key, item,
        way, points, state,
    )  # fmt: skip


@inlined
def leg_cost(dx, dy, wind_x, wind_y, rest, pace):
    """Length in mm without wind (``rest`` = 0), else the time of the straight leg in ms.

    ``rest`` = airspeed² − |wind|² > 0. Ground speed along unit d solves |s·d − w| = v, which gives
    |d|² / (w·d + √((w·d)² + |d|²·rest)). ``pace`` = 1 / largest ground speed, 0 where there is none: the leg
    takes at least |d|·pace. Both are convex gauges and so is the larger of the two (the tips of what can be
    reached in one second fill the intersection of two discs), so straight legs and taut bends stay optimal.
    """
    square = dx * dx + dy * dy
    if rest == 0.0:
        return math.sqrt(square)
    if square == 0.0:
        return 0.0
    along = wind_x * dx + wind_y * dy
    time = square / (along + math.sqrt(along * along + square * rest))
    return max(time, pace * math.sqrt(square))


@inlined
def push(key, item, size, cost, value):
    """Insert into the queue, a heap of four branches (shallower than two, so fewer cache misses)."""
    k = size
    while k > 0:
        parent = (k - 1) >> 2
        if key[parent] <= cost:
            break
        key[k], item[k] = key[parent], item[parent]
        k = parent
    key[k], item[k] = cost, value
    return size + 1


@inlined
def pop(key, item, size):
    """Remove the first of the queue (the caller has read it)."""
    size -= 1
    cost, value = key[size], item[size]
    k = 0
    while True:
        first = 4 * k + 1
        if first >= size:
            break
        child, least = first, key[first]
        for other in range(first + 1, min(first + 4, size)):
            if key[other] < least:
                child, least = other, key[other]
        if least >= cost:
            break
        key[k], item[k] = least, item[child]
        k = child
    key[k], item[k] = cost, value
    return size


@inlined
def in_shadow(shadows, head, dx, dy):
    """Is the leg along d known to be blocked by an obstacle that hides this direction and lies nearer?"""
    square = dx * dx + dy * dy
    while head >= 0:
        if (
            square > shadows[FARTHEST, head]
            and shadows[RIGHT_X, head] * dy - shadows[RIGHT_Y, head] * dx > 0.0
            and dx * shadows[LEFT_Y, head] - dy * shadows[LEFT_X, head] > 0.0
        ):
            return True
        head = int(shadows[NEXT, head])
    return False


@inlined
def _offer(
    stamp, corner_stamp, settled, settled_i, active, active_i, shadows, key, item,
    s, low, high, size, wind_x, wind_y, rest, pace,
):  # fmt: skip
    """Queue the taut legs from settled row ``s`` to active rows ``low`` … ``high - 1``.

    Returns the new size of the queue, -1 if it is full.
    """
    ux, uy = settled[X, s], settled[Y, s]
    arrive_x, arrive_y = settled[ARRIVE_X, s], settled[ARRIVE_Y, s]
    bound_x, bound_y = settled[BOUND_X, s], settled[BOUND_Y, s]
    for k in range(low, high):
        dx, dy = active[X, k] - ux, active[Y, k] - uy
        before = dx * active[PY, k] - dy * active[PX, k]
        after = dx * active[NY, k] - dy * active[NX, k]
        if before * after < 0.0:
            continue
        if s > 0 and (arrive_x * dy - arrive_y * dx <= 0.0 or dx * bound_y - dy * bound_x < 0.0):
            continue
        if corner_stamp[active_i[k]] == stamp or (dx == 0.0 and dy == 0.0):
            continue
        if in_shadow(shadows, settled_i[SHADOW, s], dx, dy):
            continue
        if size >= key.shape[0]:
            return -1
        cost = settled[COST, s] + leg_cost(dx, dy, wind_x, wind_y, rest, pace) + active[AHEAD, k]
        size = push(key, item, size, cost, (s << 32) | k)
    return size


@compiled
def offer_all_groups(
    stamp, corner_stamp, settled, settled_i, active, active_i, groups, shadows, count, pick, key, item, s, size,
    wind_x, wind_y, rest, pace,
):  # fmt: skip
    """Queue the taut legs from settled row ``s`` > 0 to all active corners."""
    ux, uy = settled[X, s], settled[Y, s]
    arrive_x, arrive_y = settled[ARRIVE_X, s], settled[ARRIVE_Y, s]
    bound_x, bound_y = settled[BOUND_X, s], settled[BOUND_Y, s]
    arrive, bound = settled[ARRIVE, s], settled[BOUND, s]
    x, y, reach = groups[X, :count], groups[Y, :count], groups[REACH, :count]
    for j in range(count):  # no branch: compiles to vector instructions
        dx, dy = x[j] - ux, y[j] - uy
        bends = arrive_x * dy - arrive_y * dx > -reach[j] * arrive
        room = dx * bound_y - dy * bound_x > -reach[j] * bound
        pick[j] = bends & room
    for j in range(count):
        if pick[j]:
            size = _offer(
                stamp, corner_stamp, settled, settled_i, active, active_i, shadows, key, item,
                s, int(groups[LOW, j]), int(groups[HIGH, j]), size, wind_x, wind_y, rest, pace,
            )  # fmt: skip
            if size < 0:
                return -1
    return size


@compiled
def offer_from_all_settled(
    stamp, corner_stamp, settled, settled_i, active, active_i, groups, shadows, j, count, pick, key, item, size,
    wind_x, wind_y, rest, pace,
):  # fmt: skip
    """Queue the taut legs from all settled rows to the newly active group ``j``."""
    gx, gy, reach = groups[X, j], groups[Y, j], groups[REACH, j]
    x, y = settled[X, :count], settled[Y, :count]
    arrive_x, arrive_y, arrive = settled[ARRIVE_X, :count], settled[ARRIVE_Y, :count], settled[ARRIVE, :count]
    bound_x, bound_y, bound = settled[BOUND_X, :count], settled[BOUND_Y, :count], settled[BOUND, :count]
    for s in range(count):
        dx, dy = gx - x[s], gy - y[s]
        bends = arrive_x[s] * dy - arrive_y[s] * dx > -reach * arrive[s]
        room = dx * bound_y[s] - dy * bound_x[s] > -reach * bound[s]
        pick[s] = bends & room
    pick[0] = True
    for s in range(count):
        if pick[s]:
            size = _offer(
                stamp, corner_stamp, settled, settled_i, active, active_i, shadows, key, item,
                s, int(groups[LOW, j]), int(groups[HIGH, j]), size, wind_x, wind_y, rest, pace,
            )  # fmt: skip
            if size < 0:
                return -1
    return size


@compiled
def cast_shadow(corners, first, boxes, hit, shadows, row, ux, uy):
    """Store what obstacle ``hit`` hides from u: a connected set seen within less than half a turn meets every
    leg that goes strictly between its outermost corners and farther than its farthest."""
    cx, cy = 0.5 * (boxes[0, hit] + boxes[2, hit]) - ux, 0.5 * (boxes[1, hit] + boxes[3, hit]) - uy
    farthest = 0.0
    left_x = left_y = right_x = right_y = 0.0
    for i in range(first[hit], first[hit + 1]):
        dx, dy = corners[X, i] - ux, corners[Y, i] - uy
        square = dx * dx + dy * dy
        if square == 0.0:
            continue
        if dx * cx + dy * cy <= 0.0:
            return False
        if farthest == 0.0:
            left_x, left_y, right_x, right_y = dx, dy, dx, dy
        farthest = max(farthest, square)
        if left_x * dy - left_y * dx > 0.0:
            left_x, left_y = dx, dy
        if right_x * dy - right_y * dx < 0.0:
            right_x, right_y = dx, dy
    shadows[LEFT_X, row], shadows[LEFT_Y, row] = left_x, left_y
    shadows[RIGHT_X, row], shadows[RIGHT_Y, row] = right_x, right_y
    shadows[FARTHEST, row] = farthest
    return True
