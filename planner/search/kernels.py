"""The compiled kernels of the exact any-angle search, over flat arrays.

Every kernel of the search is in this one file on purpose: see :func:`planner.search.compiled.compiled`.

Arithmetic. Coordinates are integer millimetres held in float64. As long as all of them lie in one square of
67 km (2**26 mm, checked by :mod:`planner.search.shapes`), each product in an orientation test is an integer
below 2**52 and their difference one below 2**53: the sign is exact, collinear and touching cases included.
Lengths and times are ordinary floating point.

Geometry. Obstacles are open sets whose rings keep the obstacle on their left (holes run the other way round,
the keep-in ring is reversed because its outside is the obstacle). A leg is legal when it meets no obstacle's
interior; running along a boundary or through a corner is legal. Obstacles may overlap and touch.

Search. A* over corners. Only some obstacles are active; legs between corners are queued unverified and are
checked against all obstacles when they are popped. A blocked leg activates the obstacle that it met, whose
corners are then offered from everything settled so far. The active obstacles are a relaxation of the real
problem, so what is settled first and is legal is optimal, and no way among the active ones proves that there
is none. A leg is queued only when it is taut: it bends round its own corner the right way and is a tangent of
the obstacle at its far end. (Idea: RayScan, Hechenberger, Stuckey, Harabor and others, ICAPS 2020.)
"""

# The compiler infers types from the arguments; annotations would only repeat the tables below.
# mypy: allow-untyped-defs, allow-incomplete-defs, no-check-untyped-defs

from __future__ import annotations

import math

import numpy as np

from planner.search.compiled import compiled, inlined
from planner.search.problem import EXHAUSTED, FOUND, GOAL_INSIDE, LIMIT, QUEUE_FULL, START_INSIDE

# The world, as the kernels take it. Each array costs its share of a microsecond per call, so related columns
# are rows of one array.
#   corners      float (6, n): rows X … NY below; an edge leaves each corner along (NX, NY)
#   owner        int   (n): obstacle of the corner
#   bends        bool  (n): whether a way can bend there (the obstacle fills less than half a turn)
#   first        int   (m + 1): where each obstacle's corners begin
#   boxes        float (4, m): x low, y low, x high, y high
#   grid         float (8): origin x, origin y, cell size, its inverse, columns, rows, whether there are more
#                edges, number of obstacles (other arrays may have room at their end)
#   cells, edges int   where each cell's run of edges begins; (ax, ay, bx, by, corner) of each edge in the run
#   more_cells, more_edges: the same for obstacles that were added later
X, Y, PX, PY, NX, NY = 0, 1, 2, 3, 4, 5

# The scratch memory of one search; the first index of a two-dimensional array is one of these rows.
#   corner_stamp, obstacle_stamp: number of the search that settled the corner, that activated the obstacle
#   settled      float: settled corners in order, the start first: x, y; direction of arrival and edge that
#                bounds the departure, both turned round where the obstacle is on the right, so that bends are
#                always to the left; cost from the start; lengths of the two vectors
#   settled_i    int: row of the parent, number of the corner, newest shadow (-1: none)
#   active       float: corners of active obstacles: rows X … NY as above, cost from there to the goal
#   active_i     int: which corner that is
#   groups       float: active obstacles: centre x, y, radius around it, range of rows in ``active``
#   shadows      float: what an obstacle hides from a settled corner (see _cast_shadow), and the next shadow
#                of that corner
#   pick         bool: what a filter left; key, item: the queue; way: the result; state: for resuming
ARRIVE_X, ARRIVE_Y, BOUND_X, BOUND_Y, COST, ARRIVE, BOUND = 2, 3, 4, 5, 6, 7, 8
PARENT, CORNER, SHADOW = 0, 1, 2
AHEAD = 6
REACH, LOW, HIGH = 2, 3, 4
LEFT_X, LEFT_Y, RIGHT_X, RIGHT_Y, FARTHEST, NEXT = 0, 1, 2, 3, 4, 5

SNAP_MM = 2.0
"""Edges are entered in every cell within 2 mm (chosen; far above the 1e-7 mm of rounding in the walk)."""


@inlined
def _cell(value, origin, inverse, count):
    """Row or column of a coordinate; the outermost cells reach to infinity."""
    return min(max(math.floor((value - origin) * inverse), 0), count - 1)


@compiled
def register_edges(corners, low, high, grid, cells, edges):
    """Count (``edges`` empty) or store by cell the edges that leave corners ``low`` … ``high - 1``.

    Storing moves each entry of ``cells`` from the beginning of its run to the end.
    """
    origin_x, origin_y, cell, inverse = grid[0], grid[1], grid[2], grid[3]
    columns, rows = int(grid[4]), int(grid[5])
    store = edges.shape[0] > 0
    for i in range(low, high):
        ax, ay = corners[X, i], corners[Y, i]
        bx, by = ax + corners[NX, i], ay + corners[NY, i]
        y_low, y_high = min(ay, by), max(ay, by)
        x_low, x_high = min(ax, bx), max(ax, bx)
        row_low = _cell(y_low - SNAP_MM, origin_y, inverse, rows)
        row_high = _cell(y_high + SNAP_MM, origin_y, inverse, rows)
        slope = 0.0 if by == ay else (bx - ax) / (by - ay)
        for row in range(row_low, row_high + 1):
            if by == ay:
                left, right = x_low, x_high
            else:
                bottom = y_low if row == 0 else max(y_low, origin_y + row * cell - SNAP_MM)
                top = y_high if row == rows - 1 else min(y_high, origin_y + (row + 1) * cell + SNAP_MM)
                one, other = ax + (bottom - ay) * slope, ax + (top - ay) * slope
                left, right = max(x_low, min(one, other)), min(x_high, max(one, other))
            column_low = _cell(left - SNAP_MM, origin_x, inverse, columns)
            column_high = _cell(right + SNAP_MM, origin_x, inverse, columns)
            for c in range(row * columns + column_low, row * columns + column_high + 1):
                if store:
                    k = cells[c]
                    edges[k, 0], edges[k, 1], edges[k, 2], edges[k, 3] = ax, ay, bx, by
                    edges[k, 4] = i
                cells[c] += 1


@inlined
def _into_corner(corners, i, dx, dy):
    """Does direction d leave corner i strictly into the obstacle on its left?"""
    px, py, nx, ny = corners[PX, i], corners[PY, i], corners[NX, i], corners[NY, i]
    if nx * py - ny * px > 0.0:  # the obstacle fills less than half a turn here
        return nx * dy - ny * dx > 0.0 and dx * py - dy * px > 0.0
    return not (px * dy - py * dx >= 0.0 and dx * ny - dy * nx >= 0.0)


@compiled
def _edge_blocks(corners, i, ux, uy, vx, vy, side_a, side_b):
    """Does leg u→v enter the obstacle at the edge a→b that leaves corner i?

    Asked only where a and b are not strictly on one side of the leg's line.
    """
    ax, ay = corners[X, i], corners[Y, i]
    if side_a * side_b < 0.0:
        ex, ey = corners[NX, i], corners[NY, i]
        u_side = ex * (uy - ay) - ey * (ux - ax)
        v_side = ex * (vy - ay) - ey * (vx - ax)
        if u_side * v_side < 0.0:
            return True
        # one end lies in the middle of the edge: blocked when the other is on the obstacle's side
        return (u_side == 0.0 and v_side > 0.0) or (v_side == 0.0 and u_side > 0.0)
    if side_a == 0.0:
        # corner a lies on the leg's line; corner b, if it does too, is judged with its own edge
        dx, dy = vx - ux, vy - uy
        along = dx * (ax - ux) + dy * (ay - uy)
        whole = dx * dx + dy * dy
        if along < 0.0 or along > whole:
            return False
        if along < whole and _into_corner(corners, i, dx, dy):
            return True
        return along > 0.0 and _into_corner(corners, i, -dx, -dy)
    return False


@inlined
def _scan(corners, owner, cells, edges, mask, low, high, forward, ux, uy, vx, vy):
    """The first obstacle among the edges of a run of cells that blocks u→v, or -1."""
    dx, dy = vx - ux, vy - uy
    left = cells[high + 1] - cells[low]
    k, step = cells[low], 1
    if not forward:
        k, step = cells[high + 1] - 1, -1
    while left > 0:
        side_a = dx * (edges[k, 1] - uy) - dy * (edges[k, 0] - ux)
        side_b = dx * (edges[k, 3] - uy) - dy * (edges[k, 2] - ux)
        if side_a * side_b <= 0.0:
            i = edges[k, 4]
            if mask[owner[i]] and _edge_blocks(corners, i, ux, uy, vx, vy, side_a, side_b):
                return owner[i]
        k += step
        left -= 1
    return -1


@inlined
def _first_hit(corners, owner, grid, cells, edges, more_cells, more_edges, mask, ux, uy, vx, vy):
    """The obstacle whose interior leg u→v meets, nearest to u cell by cell; -1 if none."""
    origin_x, origin_y, cell, inverse = grid[0], grid[1], grid[2], grid[3]
    columns, rows, more = int(grid[4]), int(grid[5]), grid[6] > 0.0
    dx, dy = vx - ux, vy - uy
    slope = 0.0 if dy == 0.0 else dx / dy
    row, last = _cell(uy, origin_y, inverse, rows), _cell(vy, origin_y, inverse, rows)
    step = 1 if last >= row else -1
    forward = dx >= 0.0
    x_low, x_high = min(ux, vx), max(ux, vx)
    y_low, y_high = min(uy, vy), max(uy, vy)
    while True:
        left, right = x_low, x_high
        if dy != 0.0:
            bottom = y_low if row == 0 else max(y_low, origin_y + row * cell)
            top = y_high if row == rows - 1 else min(y_high, origin_y + (row + 1) * cell)
            one, other = ux + (bottom - uy) * slope, ux + (top - uy) * slope
            left, right = min(one, other), max(one, other)
        low = row * columns + _cell(left, origin_x, inverse, columns)
        high = row * columns + _cell(right, origin_x, inverse, columns)
        hit = _scan(corners, owner, cells, edges, mask, low, high, forward, ux, uy, vx, vy)
        if more and hit < 0:
            hit = _scan(corners, owner, more_cells, more_edges, mask, low, high, forward, ux, uy, vx, vy)
        if hit >= 0 or row == last:
            return hit
        row += step


@inlined
def _edges_meet(edges, i, other, j):
    """Do two edges cross or touch? Exact."""
    ax, ay, bx, by = float(edges[i, 0]), float(edges[i, 1]), float(edges[i, 2]), float(edges[i, 3])
    cx, cy, dx, dy = float(other[j, 0]), float(other[j, 1]), float(other[j, 2]), float(other[j, 3])
    if max(ax, bx) < min(cx, dx) or max(cx, dx) < min(ax, bx):
        return False
    if max(ay, by) < min(cy, dy) or max(cy, dy) < min(ay, by):
        return False
    c_side = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    d_side = (bx - ax) * (dy - ay) - (by - ay) * (dx - ax)
    a_side = (dx - cx) * (ay - cy) - (dy - cy) * (ax - cx)
    b_side = (dx - cx) * (by - cy) - (dy - cy) * (bx - cx)
    return c_side * d_side <= 0.0 and a_side * b_side <= 0.0


@compiled
def meeting_obstacles(owner, grid, cells, edges, more_cells, more_edges, pairs):
    """Store pairs of obstacles whose boundaries meet, repeatedly; returns how many, -1 if there is no room."""
    more = grid[6] > 0.0
    n = 0
    for c in range(int(grid[4]) * int(grid[5])):
        for i in range(cells[c], cells[c + 1]):
            a = owner[edges[i, 4]]
            for j in range(i + 1, cells[c + 1]):
                b = owner[edges[j, 4]]
                if a != b and _edges_meet(edges, i, edges, j):
                    if n >= pairs.shape[0]:
                        return -1
                    pairs[n, 0], pairs[n, 1] = a, b
                    n += 1
        if not more:
            continue
        for i in range(more_cells[c], more_cells[c + 1]):
            a = owner[more_edges[i, 4]]
            for j in range(i + 1, more_cells[c + 1]):
                b = owner[more_edges[j, 4]]
                if a != b and _edges_meet(more_edges, i, more_edges, j):
                    if n >= pairs.shape[0]:
                        return -1
                    pairs[n, 0], pairs[n, 1] = a, b
                    n += 1
            for j in range(cells[c], cells[c + 1]):
                b = owner[edges[j, 4]]
                if _edges_meet(more_edges, i, edges, j):
                    if n >= pairs.shape[0]:
                        return -1
                    pairs[n, 0], pairs[n, 1] = a, b
                    n += 1
    return n


@compiled
def point_in_obstacle(corners, first, k, x, y):
    """1 strictly inside obstacle k, 0 on its boundary, -1 outside: exact."""
    odd = False
    for i in range(first[k], first[k + 1]):
        ax, ay = corners[X, i], corners[Y, i]
        bx, by = ax + corners[NX, i], ay + corners[NY, i]
        if ax == x and ay == y:
            return 0
        if (ay > y) != (by > y):
            side = (bx - ax) * (y - ay) - (by - ay) * (x - ax)
            if side == 0.0:
                return 0
            if (side > 0.0) == (by > ay):
                odd = not odd
        elif ay == y and by == y and min(ax, bx) <= x <= max(ax, bx):
            return 0
    return 1 if odd else -1


@compiled
def locate(corners, first, boxes, grid, mask, keep_in, x, y, found):
    """Store the obstacles strictly around a point, return how many. Obstacle 0 is the outside of the keep-in
    area when ``keep_in``, and unused otherwise."""
    n = 0
    if keep_in and mask[0] and point_in_obstacle(corners, first, 0, x, y) < 0:
        found[n] = 0
        n += 1
    for k in range(1, int(grid[7])):
        if (
            (boxes[0, k] < x) & (x < boxes[2, k]) & (boxes[1, k] < y) & (y < boxes[3, k])
            and mask[k]
            and point_in_obstacle(corners, first, k, x, y) > 0
        ):
            found[n] = k
            n += 1
    return n


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
def _push(key, item, size, cost, value):
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
def _pop(key, item, size):
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
def _in_shadow(shadows, head, dx, dy):
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
        if _in_shadow(shadows, settled_i[SHADOW, s], dx, dy):
            continue
        if size >= key.shape[0]:
            return -1
        cost = settled[COST, s] + leg_cost(dx, dy, wind_x, wind_y, rest, pace) + active[AHEAD, k]
        size = _push(key, item, size, cost, (s << 32) | k)
    return size


@compiled
def _offer_all_groups(
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
def _offer_from_all_settled(
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
def _cast_shadow(corners, first, boxes, hit, shadows, row, ux, uy):
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
        size = _push(key, item, 0, direct, goal)
    while size > 0:
        if count > max_settled:
            state[0], state[1], state[2], state[3], state[4] = size, count, rows, obstacles, shades
            return LIMIT, 0.0, count, 0
        cost, value = key[0], item[0]
        size = _pop(key, item, size)
        s = value >> 32
        k = value & 0xFFFFFFFF
        ux, uy = settled[X, s], settled[Y, s]
        if k == goal:
            vx, vy = goal_x, goal_y
        else:
            if corner_stamp[active_i[k]] == stamp:
                continue
            vx, vy = active[X, k], active[Y, k]
        if _in_shadow(shadows, settled_i[SHADOW, s], vx - ux, vy - uy):
            continue
        hit = _first_hit(corners, owner, grid, cells, edges, more_cells, more_edges, mask, ux, uy, vx, vy)
        if hit >= 0:
            if (
                hit > 0
                and shades < shadows.shape[1]
                and _cast_shadow(corners, first, boxes, hit, shadows, shades, ux, uy)
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
            size = _offer_from_all_settled(
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
            size = _push(
                key, item, size, settled[COST, count] + active[AHEAD, k], (np.int64(count) << 32) | goal
            )
        settled[ARRIVE, count], settled[BOUND, count] = math.hypot(dx, dy), math.hypot(bound_x, bound_y)
        size = _offer_all_groups(
            stamp, corner_stamp, settled, settled_i, active, active_i, groups, shadows, obstacles,
            pick, key, item, count, size, wind_x, wind_y, rest, pace,
        )  # fmt: skip
        count += 1
        if size < 0:
            return QUEUE_FULL, 0.0, count, 0
    return EXHAUSTED, 0.0, count, 0


@compiled
def solve(
    corners, owner, bends, first, boxes, grid, cells, edges, more_cells, more_edges, mask,
    corner_stamp, obstacle_stamp, settled, settled_i, active, active_i, groups, shadows, pick, key, item,
    way, state, stamp, keep_in, start_x, start_y, goal_x, goal_y, wind_x, wind_y, rest, pace, max_settled,
):  # fmt: skip
    """Locate both ends, then :func:`search`. Obstacles around an end are stored in ``way``."""
    n = locate(corners, first, boxes, grid, mask, keep_in, start_x, start_y, way)
    if n > 0:
        return START_INSIDE, 0.0, 0, n
    n = locate(corners, first, boxes, grid, mask, keep_in, goal_x, goal_y, way)
    if n > 0:
        return GOAL_INSIDE, 0.0, 0, n
    return search(
        corners, owner, bends, first, boxes, grid, cells, edges, more_cells, more_edges, mask,
        corner_stamp, obstacle_stamp, settled, settled_i, active, active_i, groups, shadows, pick, key, item,
        way, state, stamp, False, start_x, start_y, goal_x, goal_y, wind_x, wind_y, rest, pace, max_settled,
    )  # fmt: skip
