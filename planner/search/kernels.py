"""The compiled kernels of the exact any-angle search, over flat arrays.

Every kernel is in this one file on purpose: numba's cache watches only the file of the function that is
called, so a helper edited elsewhere would leave stale machine code behind.

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

from __future__ import annotations

import math
from collections import namedtuple
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from planner.search.problem import EXHAUSTED, FOUND, GOAL_INSIDE, LIMIT, QUEUE_FULL, START_INSIDE


def _compiled(function: Callable[..., Any]) -> Any:
    """Compile without the interpreter lock, cached on disk where any cache folder can be written."""
    try:
        return njit(cache=True, nogil=True)(function)
    except RuntimeError:  # numba found no writable cache folder; each process then compiles for itself
        return njit(nogil=True)(function)


Obstacles = namedtuple(
    "Obstacles",
    "x y px py nx ny obstacle corner first box grid_i grid_f "
    "cell_first entry entry_xy extra_first extra extra_xy",
)
"""Everything that the kernels know of the world. ``x y`` corner, ``px py`` and ``nx ny`` vectors from it to
the corners before and after on its ring, ``obstacle`` its owner, ``corner`` whether a way can bend there;
``first`` where each obstacle's corners begin; ``box`` its bounds. ``grid_i`` = columns, rows, number of
extra entries; ``grid_f`` = x, y of the origin, cell size, its inverse. ``cell_first, entry, entry_xy`` =
edges per cell, packed; ``extra…`` = the same for obstacles added later."""

Workspace = namedtuple(
    "Workspace",
    "settled active sx sy stx sty sqx sqy sside sg sparent snode "
    "ax ay apx apy anx any ah anode pick key item path state",
)
"""Scratch memory of one search. ``s…`` settled corners in order, ``a…`` corners of active obstacles,
``key item`` the queue, ``state`` its size and the two
counts of a search that may be resumed. ``settled`` and ``active`` are stamped with the number of the
search."""

SNAP_MM = 2.0
"""Edges are entered in every cell within 2 mm (chosen; far above the 1e-7 mm of rounding in the walk)."""


@_compiled
def _cell(value, origin, inverse, count):
    """Row or column of a coordinate; the outermost cells reach to infinity."""
    return min(max(math.floor((value - origin) * inverse), 0), count - 1)


@_compiled
def register_edges(
    x, y, nx, ny, low, high, origin_x, origin_y, cell, columns, rows, cell_first, entry, entry_xy
):
    """Count (``entry`` empty) or store the cells of the edges that leave corners ``low`` … ``high - 1``."""
    inverse = 1.0 / cell
    store = entry.shape[0] > 0
    for i in range(low, high):
        ax, ay = x[i], y[i]
        bx, by = ax + nx[i], ay + ny[i]
        y_low, y_high = min(ay, by), max(ay, by)
        x_low, x_high = min(ax, bx), max(ax, bx)
        row_low = _cell(y_low - SNAP_MM, origin_y, inverse, rows)
        row_high = _cell(y_high + SNAP_MM, origin_y, inverse, rows)
        slope = 0.0 if by == ay else (bx - ax) / (by - ay)
        for row in range(row_low, row_high + 1):
            if by == ay:
                left, right = x_low, x_high
            else:
                at_bottom = y_low if row == 0 else max(y_low, origin_y + row * cell - SNAP_MM)
                at_top = y_high if row == rows - 1 else min(y_high, origin_y + (row + 1) * cell + SNAP_MM)
                first, second = ax + (at_bottom - ay) * slope, ax + (at_top - ay) * slope
                left, right = max(x_low, min(first, second)), min(x_high, max(first, second))
            column_low = _cell(left - SNAP_MM, origin_x, inverse, columns)
            column_high = _cell(right + SNAP_MM, origin_x, inverse, columns)
            for column in range(column_low, column_high + 1):
                c = row * columns + column
                if store:
                    k = cell_first[c]
                    entry[k] = i
                    entry_xy[k, 0], entry_xy[k, 1], entry_xy[k, 2], entry_xy[k, 3] = ax, ay, bx, by
                cell_first[c] += 1


@_compiled
def _into_corner(px, py, nx, ny, dx, dy):
    """Does direction d leave a corner (vectors p, n to its neighbours) strictly into the obstacle on its
    left?"""
    if nx * py - ny * px > 0.0:  # the obstacle fills less than half a turn here
        return nx * dy - ny * dx > 0.0 and dx * py - dy * px > 0.0
    return not (px * dy - py * dx >= 0.0 and dx * ny - dy * nx >= 0.0)


@_compiled
def _edge_blocks(o, i, ux, uy, vx, vy, ax, ay, bx, by, side_a, side_b):
    """Does leg u→v enter the obstacle at the edge a→b leaving corner i, given that a, b are not on one
    side?"""
    if side_a * side_b < 0.0:
        ex, ey = bx - ax, by - ay
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
        if along < whole and _into_corner(o.px[i], o.py[i], o.nx[i], o.ny[i], dx, dy):
            return True
        return along > 0.0 and _into_corner(o.px[i], o.py[i], o.nx[i], o.ny[i], -dx, -dy)
    return False


@_compiled
def _scan(o, mask, cell_first, entry, entry_xy, low_cell, high_cell, forward, ux, uy, vx, vy):
    """The first obstacle among the edges of a run of cells that blocks u→v, or -1."""
    dx, dy = vx - ux, vy - uy
    k_low, k_high = cell_first[low_cell], cell_first[high_cell + 1]
    k, step, left = (k_low, 1, k_high - k_low) if forward else (k_high - 1, -1, k_high - k_low)
    while left > 0:
        ax, ay = float(entry_xy[k, 0]), float(entry_xy[k, 1])
        bx, by = float(entry_xy[k, 2]), float(entry_xy[k, 3])
        side_a = dx * (ay - uy) - dy * (ax - ux)
        side_b = dx * (by - uy) - dy * (bx - ux)
        if side_a * side_b <= 0.0:
            i = entry[k]
            if mask[o.obstacle[i]] and _edge_blocks(o, i, ux, uy, vx, vy, ax, ay, bx, by, side_a, side_b):
                return o.obstacle[i]
        k += step
        left -= 1
    return -1


@_compiled
def first_hit(o, mask, ux, uy, vx, vy):
    """The obstacle whose interior leg u→v meets, of those met the one nearest to u cell by cell; -1 if
    none."""
    columns, rows = o.grid_i[0], o.grid_i[1]
    origin_x, origin_y, cell, inverse = o.grid_f[0], o.grid_f[1], o.grid_f[2], o.grid_f[3]
    dx, dy = vx - ux, vy - uy
    slope = 0.0 if dy == 0.0 else dx / dy
    row, last = _cell(uy, origin_y, inverse, rows), _cell(vy, origin_y, inverse, rows)
    step = 1 if last >= row else -1
    forward = dx >= 0.0
    y_low, y_high = min(uy, vy), max(uy, vy)
    while True:
        if dy == 0.0:
            left, right = min(ux, vx), max(ux, vx)
        else:
            bottom = y_low if row == 0 else max(y_low, origin_y + row * cell)
            top = y_high if row == rows - 1 else min(y_high, origin_y + (row + 1) * cell)
            first, second = ux + (bottom - uy) * slope, ux + (top - uy) * slope
            left, right = min(first, second), max(first, second)
        low = row * columns + _cell(left, origin_x, inverse, columns)
        high = row * columns + _cell(right, origin_x, inverse, columns)
        hit = _scan(o, mask, o.cell_first, o.entry, o.entry_xy, low, high, forward, ux, uy, vx, vy)
        if o.grid_i[2] > 0 and hit < 0:
            hit = _scan(o, mask, o.extra_first, o.extra, o.extra_xy, low, high, forward, ux, uy, vx, vy)
        if hit >= 0 or row == last:
            return hit
        row += step


@_compiled
def point_in_obstacle(o, k, x, y):
    """1 strictly inside obstacle k, 0 on its boundary, -1 outside: exact."""
    odd = False
    for i in range(o.first[k], o.first[k + 1]):
        ax, ay = o.x[i], o.y[i]
        bx, by = ax + o.nx[i], ay + o.ny[i]
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


@_compiled
def locate(o, mask, keep_in, x, y, found):
    """Store the obstacles strictly around a point, return how many. Obstacle 0 is the outside of the keep-in
    area when ``keep_in``, and unused otherwise."""
    n = 0
    if keep_in and mask[0] and point_in_obstacle(o, 0, x, y) < 0:
        found[n] = 0
        n += 1
    for k in range(1, o.first.shape[0] - 1):
        if (
            o.box[0, k] < x < o.box[2, k]
            and o.box[1, k] < y < o.box[3, k]
            and mask[k]
            and point_in_obstacle(o, k, x, y) > 0
            and n < found.shape[0]
        ):
            found[n] = k
            n += 1
    return n


@_compiled
def leg_cost(dx, dy, wind_x, wind_y, rest):
    """Length in mm without wind (``rest`` = 0), else the time of the straight leg in ms.

    ``rest`` = airspeed² − |wind|² > 0. Ground speed along unit d solves |s·d − w| = v, which gives
    |d|² / (w·d + √((w·d)² + |d|²·rest)): a convex gauge, so straight legs and taut bends stay optimal.
    """
    square = dx * dx + dy * dy
    if rest == 0.0:
        return math.sqrt(square)
    if square == 0.0:
        return 0.0
    along = wind_x * dx + wind_y * dy
    return square / (along + math.sqrt(along * along + square * rest))


@_compiled
def _push(key, item, size, cost, value):
    """Insert into the queue, a binary heap."""
    k = size
    while k > 0:
        parent = (k - 1) >> 1
        if key[parent] <= cost:
            break
        key[k], item[k] = key[parent], item[parent]
        k = parent
    key[k], item[k] = cost, value
    return size + 1


@_compiled
def _pop(key, item, size):
    """Remove the first of the queue (the caller has read it)."""
    size -= 1
    cost, value = key[size], item[size]
    k = 0
    child = 1
    while child < size:
        if child + 1 < size and key[child + 1] < key[child]:
            child += 1
        if key[child] >= cost:
            break
        key[k], item[k] = key[child], item[child]
        k = child
        child = 2 * k + 1
    key[k], item[k] = cost, value
    return size


@_compiled
def _offer(w, stamp, s, low, high, size, wind_x, wind_y, rest):
    """Queue the taut legs from settled corner ``s`` to active corners ``low`` … ``high - 1``.

    Returns the new size of the queue, -1 if it is full. The first loop has no branch so that it compiles to
    vector instructions.
    """
    ux, uy = w.sx[s], w.sy[s]
    tx, ty, qx, qy, side = w.stx[s], w.sty[s], w.sqx[s], w.sqy[s], w.sside[s]
    ax, ay, apx, apy, anx, any_, pick = w.ax, w.ay, w.apx, w.apy, w.anx, w.any, w.pick
    for k in range(low, high):
        dx, dy = ax[k] - ux, ay[k] - uy
        before = dx * apy[k] - dy * apx[k]
        after = dx * any_[k] - dy * anx[k]
        turn = side * (tx * dy - ty * dx)
        room = side * (dx * qy - dy * qx)
        pick[k] = (before * after >= 0.0) & (((turn > 0.0) & (room >= 0.0)) | (side == 0.0))
    g = w.sg[s]
    for k in range(low, high):
        if pick[k]:
            if w.settled[w.anode[k]] == stamp:
                continue
            dx, dy = ax[k] - ux, ay[k] - uy
            if dx == 0.0 and dy == 0.0:
                continue
            if size >= w.key.shape[0]:
                return -1
            cost = g + leg_cost(dx, dy, wind_x, wind_y, rest) + w.ah[k]
            size = _push(w.key, w.item, size, cost, (s << 32) | k)
    return size


@_compiled
def search(o, mask, w, stamp, resume, start_x, start_y, goal_x, goal_y, wind_x, wind_y, rest, max_settled):
    """Find the optimal way. Returns status, cost, settled corners, corners on the way (ids in ``w.path``).

    Corner ids on the way run from the goal (number of corners + 1) back to the start (number of corners).
    After :data:`LIMIT` the same search goes on with ``resume`` and a higher ``max_settled``.
    """
    corners = o.x.shape[0]
    goal_item = np.int64(0xFFFFFFFF)
    if resume:
        size, settled, active = w.state[0], w.state[1], w.state[2]
    else:
        w.sx[0], w.sy[0], w.sg[0], w.sside[0], w.sparent[0], w.snode[0] = (
            start_x,
            start_y,
            0.0,
            0.0,
            -1,
            corners,
        )
        w.stx[0], w.sty[0], w.sqx[0], w.sqy[0] = 0.0, 0.0, 0.0, 0.0
        settled, active = 1, 0
        direct = leg_cost(goal_x - start_x, goal_y - start_y, wind_x, wind_y, rest)
        size = _push(w.key, w.item, 0, direct, goal_item)
    while size > 0:
        if settled > max_settled:
            w.state[0], w.state[1], w.state[2] = size, settled, active
            return LIMIT, 0.0, settled, 0
        cost, value = w.key[0], w.item[0]
        size = _pop(w.key, w.item, size)
        s = value >> 32
        k = value & 0xFFFFFFFF
        ux, uy = w.sx[s], w.sy[s]
        if k == goal_item:
            vx, vy = goal_x, goal_y
        else:
            if w.settled[w.anode[k]] == stamp:
                continue
            vx, vy = w.ax[k], w.ay[k]
        hit = first_hit(o, mask, ux, uy, vx, vy)
        if hit >= 0:
            if w.active[hit] == stamp:
                continue
            w.active[hit] = stamp
            low = active
            for i in range(o.first[hit], o.first[hit + 1]):
                if o.corner[i]:
                    w.ax[active], w.ay[active], w.anode[active] = o.x[i], o.y[i], i
                    w.apx[active], w.apy[active] = o.px[i], o.py[i]
                    w.anx[active], w.any[active] = o.nx[i], o.ny[i]
                    w.ah[active] = leg_cost(goal_x - o.x[i], goal_y - o.y[i], wind_x, wind_y, rest)
                    active += 1
            for s in range(settled):
                size = _offer(w, stamp, s, low, active, size, wind_x, wind_y, rest)
                if size < 0:
                    return QUEUE_FULL, 0.0, settled, 0
            continue
        if k == goal_item:
            n = 1
            w.path[0] = corners + 1
            while s >= 0:
                w.path[n] = w.snode[s]
                n += 1
                s = w.sparent[s]
            return FOUND, cost, settled, n
        # settle the corner: its cost is final
        dx, dy = vx - ux, vy - uy
        node = w.anode[k]
        w.settled[node] = stamp
        new = settled
        settled += 1
        w.sx[new], w.sy[new], w.stx[new], w.sty[new] = vx, vy, dx, dy
        w.sg[new] = w.sg[s] + leg_cost(dx, dy, wind_x, wind_y, rest)
        w.sparent[new], w.snode[new] = s, node
        before = dx * w.apy[k] - dy * w.apx[k]
        after = dx * w.any[k] - dy * w.anx[k]
        if before + after > 0.0:  # obstacle on the left: bend left, no further than its next edge
            w.sside[new], w.sqx[new], w.sqy[new] = 1.0, w.anx[k], w.any[k]
        else:
            w.sside[new], w.sqx[new], w.sqy[new] = -1.0, w.apx[k], w.apy[k]
        gx, gy = goal_x - vx, goal_y - vy
        if (
            w.sside[new] * (dx * gy - dy * gx) > 0.0
            and w.sside[new] * (gx * w.sqy[new] - gy * w.sqx[new]) >= 0.0
        ):
            if size >= w.key.shape[0]:
                return QUEUE_FULL, 0.0, settled, 0
            size = _push(w.key, w.item, size, w.sg[new] + w.ah[k], (np.int64(new) << 32) | goal_item)
        size = _offer(w, stamp, new, 0, active, size, wind_x, wind_y, rest)
        if size < 0:
            return QUEUE_FULL, 0.0, settled, 0
    return EXHAUSTED, 0.0, settled, 0


@_compiled
def solve(o, mask, w, stamp, keep_in, start_x, start_y, goal_x, goal_y, wind_x, wind_y, rest, max_settled):
    """Locate both ends, then :func:`search`. When an end is inside obstacles their numbers are in
    ``w.path``."""
    n = locate(o, mask, keep_in, start_x, start_y, w.path)
    if n > 0:
        return START_INSIDE, 0.0, 0, n
    n = locate(o, mask, keep_in, goal_x, goal_y, w.path)
    if n > 0:
        return GOAL_INSIDE, 0.0, 0, n
    return search(
        o, mask, w, stamp, False, start_x, start_y, goal_x, goal_y, wind_x, wind_y, rest, max_settled
    )


@_compiled
def solve_many(
    o, mask, w, stamp, keep_in, pairs, wind_x, wind_y, rest, max_settled, status, cost, settled, ends, ways
):
    """:func:`solve` for each row of ``pairs`` (start x y, goal x y).

    Row i's corners or obstacles go to ``ways[ends[i]:ends[i + 1]]``. Returns the rows done: fewer than all
    when ``ways`` is full.
    """
    n = 0
    for i in range(pairs.shape[0]):
        status[i], cost[i], settled[i], m = solve(
            o, mask, w, stamp + i, keep_in, pairs[i, 0], pairs[i, 1], pairs[i, 2], pairs[i, 3],
            wind_x, wind_y, rest, max_settled,
        )  # fmt: skip
        if n + m > ways.shape[0]:
            return i
        ways[n : n + m] = w.path[:m]
        n += m
        ends[i + 1] = n
    return pairs.shape[0]
