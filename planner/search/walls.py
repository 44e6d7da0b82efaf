"""Compiled proof that obstacles wall one point off from another, without searching.

A search proves that there is no way by settling every corner on one side, which is slow when a wall halves a
city. Here the wall itself is found: a closed curve inside the obstacles that the segment from start to goal
crosses an odd number of times has the two ends on different sides, and no way can leave its side.

Such a curve runs along rings and changes from one obstacle to another where their boundaries meet and their
interiors overlap: at a *link*. Links depend on the obstacles only and are found once. For a pair of ends the
crossings of each ring with the segment give every place on a ring its parity, and a union-find of rings that
carries parities meets a contradiction exactly when some cycle of rings is odd.

Why it is a proof: the curve may be pushed a little off the rings into the open interiors, because a ring of a
valid polygon has its interior on one side throughout, and at a link the two interiors share a sector. Obstacles
whose own rings touch each other, where a way could slip through the point, take no part. A corner exactly on
the line through the ends counts as left of it, which moves the segment by less than anything else; the ends
themselves must not lie on a boundary. Everything decisive is exact, but for the side on which a crossing of two
edges lies: where rounding could matter the link is not used. What is not found here is left to the search.
"""

# The compiler infers types from the arguments; annotations would only repeat the tables.
# mypy: allow-untyped-defs, allow-incomplete-defs, no-check-untyped-defs

from __future__ import annotations

import numpy as np

from planner.search.compiled import compiled, inlined
from planner.search.grid import NX, NY, X, Y, cell_of, into_corner, run_of_cells
from planner.search.problem import UNDECIDED

ROUNDING_MM = 1e-5
"""Far above the 1e-7 mm by which the place of a crossing of two edges is uncertain (chosen)."""


@inlined
def _cross(ax, ay, bx, by):
    return ax * by - ay * bx


@inlined
def _leads_inside(corners, i, on_edge, dx, dy):
    """Does direction d lead strictly into the obstacle from corner i, or from the middle of its edge?"""
    if on_edge:
        return _cross(corners[NX, i], corners[NY, i], dx, dy) > 0.0
    return into_corner(corners, i, dx, dy)


@inlined
def _interiors_overlap(corners, i, j, on_edge):
    """Corner i lies on corner j, or ``on_edge`` that leaves j: do the interiors share a sector there?

    Open sectors overlap exactly when one begins strictly inside the other, or both begin alike.
    """
    ix, iy, jx, jy = corners[NX, i], corners[NY, i], corners[NX, j], corners[NY, j]
    if _cross(ix, iy, jx, jy) == 0.0 and ix * jx + iy * jy > 0.0:
        return True
    return _leads_inside(corners, i, False, jx, jy) or _leads_inside(corners, j, on_edge, ix, iy)


@inlined
def _corner_on_edge(px, py, ax, ay, ex, ey):
    """Does p lie on the edge from a along e, its beginning included and its end not?"""
    dx, dy = px - ax, py - ay
    if _cross(ex, ey, dx, dy) != 0.0:
        return False
    along = ex * dx + ey * dy
    return 0.0 <= along < ex * ex + ey * ey


@inlined
def _link(corners, owner, ring, touching, grid, cell, i, j, links, places, n):
    """Store the links of the edges of two rings that leave corners i and j; returns the new number, -1: full."""
    ax, ay, ex, ey = corners[X, i], corners[Y, i], corners[NX, i], corners[NY, i]
    cx, cy, fx, fy = corners[X, j], corners[Y, j], corners[NX, j], corners[NY, j]
    bx, by, dx, dy = ax + ex, ay + ey, cx + fx, cy + fy
    if owner[i] == owner[j]:
        if _corner_on_edge(ax, ay, cx, cy, fx, fy) or _corner_on_edge(cx, cy, ax, ay, ex, ey):
            touching[owner[i]] = True
        return n
    c_side, d_side = _cross(ex, ey, cx - ax, cy - ay), _cross(ex, ey, dx - ax, dy - ay)
    if c_side * d_side > 0.0:
        return n
    a_side, b_side = _cross(fx, fy, ax - cx, ay - cy), _cross(fx, fy, bx - cx, by - cy)
    if a_side * b_side > 0.0:
        return n
    if c_side * d_side < 0.0 and a_side * b_side < 0.0:
        share = a_side / (a_side - b_side)
        x, y = ax + share * ex, ay + share * ey
        columns, rows = int(grid[4]), int(grid[5])
        # an edge pair meets in every cell that holds both: one of them is enough
        if cell != cell_of(y, grid[1], grid[3], rows) * columns + cell_of(x, grid[0], grid[3], columns):
            return n
        return _store(links, places, n, i, j, x, y, 0.0)
    same = ax == cx and ay == cy
    if _corner_on_edge(ax, ay, cx, cy, fx, fy) and _interiors_overlap(corners, i, j, not same):
        n = _store(links, places, n, i, j, ax, ay, 1.0)
    if (
        n >= 0
        and not same
        and _corner_on_edge(cx, cy, ax, ay, ex, ey)
        and _interiors_overlap(corners, j, i, True)
    ):
        n = _store(links, places, n, i, j, cx, cy, 1.0)
    return n


@inlined
def _store(links, places, n, i, j, x, y, exact):
    if n >= links.shape[0]:
        return -1
    links[n, 0], links[n, 1] = i, j
    places[n, 0], places[n, 1], places[n, 2] = x, y, exact
    return n + 1


@inlined
def _links_of(
    corners, owner, ring, touching, grid, cell, edges, p, others, begin, end, links, places, n
):  # fmt: skip
    """Store the links of edge ``p`` of ``edges`` with the ``others`` from ``begin`` to ``end``."""
    i = edges[p, 4]
    x_low, x_high = min(edges[p, 0], edges[p, 2]), max(edges[p, 0], edges[p, 2])
    y_low, y_high = min(edges[p, 1], edges[p, 3]), max(edges[p, 1], edges[p, 3])
    for q in range(begin, end):
        if (
            (others[q, 0] > x_high) & (others[q, 2] > x_high)
            | (others[q, 0] < x_low) & (others[q, 2] < x_low)
            | (others[q, 1] > y_high) & (others[q, 3] > y_high)
            | (others[q, 1] < y_low) & (others[q, 3] < y_low)
        ):
            continue
        j = others[q, 4]
        if ring[i] != ring[j]:
            n = _link(corners, owner, ring, touching, grid, cell, i, j, links, places, n)
            if n < 0:
                return -1
    return n


@compiled
def find_links(
    corners, owner, ring, grid, cells, edges, more_cells, more_edges, low, touching, links, places
):
    """Store every link of which one corner has a number from ``low``; returns how many, -1 if there is no room.

    ``links`` int (n, 2): the corners that the two meeting edges leave; ``places`` float (n, 3): where they
    meet, and 1 where that is a corner and exact. ``touching`` becomes True for obstacles whose rings touch
    each other. Either all obstacles are new (``low`` 0), or those among ``more_edges`` from ``low``.
    """
    n = 0
    for cell in range(cells.shape[0] - 1):
        new, new_runs = (edges, cells) if low == 0 else (more_edges, more_cells)
        for p in range(new_runs[cell], new_runs[cell + 1]):
            if new[p, 4] < low:
                continue
            # edges of one corner after the other among the new ones, each with those before it
            n = _links_of(
                corners, owner, ring, touching, grid, cell, new, p, new, new_runs[cell], p, links, places, n
            )
            if n >= 0 and low > 0:
                n = _links_of(
                    corners, owner, ring, touching, grid, cell, new, p, edges, cells[cell], cells[cell + 1],
                    links, places, n,
                )  # fmt: skip
            if n < 0:
                return -1
    return n


@inlined
def _cross_edges(corners, owner, cells, edges, mask, low, high, sx, sy, tx, ty, crossed, hits, n):
    """Enter the edges of a run of cells that the segment s→t crosses, each once; -1: an end is on a boundary."""
    dx, dy = tx - sx, ty - sy
    for k in range(cells[low], cells[high + 1]):
        i = edges[k, 4]
        a_side = _cross(dx, dy, edges[k, 0] - sx, edges[k, 1] - sy)
        b_side = _cross(dx, dy, edges[k, 2] - sx, edges[k, 3] - sy)
        if a_side * b_side > 0.0 or crossed[i] or not mask[owner[i]]:
            continue
        ax, ay, ex, ey = corners[X, i], corners[Y, i], corners[NX, i], corners[NY, i]
        for x, y in ((sx, sy), (tx, ty)):
            if (x == ax + ex and y == ay + ey) or _corner_on_edge(x, y, ax, ay, ex, ey):
                return -1
        s_side, t_side = _cross(ex, ey, sx - ax, sy - ay), _cross(ex, ey, tx - ax, ty - ay)
        if (a_side >= 0.0) != (b_side >= 0.0) and s_side * t_side < 0.0:
            crossed[i] = True
            hits[n] = i
            n += 1
    return n


@inlined
def _parity_along(corners, ring, crossed, odd, i, x, y, sx, sy, tx, ty):
    """Parity of the crossings from the beginning of a ring to the place (x, y) on the edge that leaves i."""
    if not crossed[i]:
        return odd[i]
    dx, dy = tx - sx, ty - sy
    before = _cross(dx, dy, corners[X, i] - sx, corners[Y, i] - sy) >= 0.0
    return odd[i] != (before != (_cross(dx, dy, x - sx, y - sy) >= 0.0))


@inlined
def _root(parent, flipped, k):
    """Root of a ring (numbers begin at 1, 0 means none), and the parity on the way there."""
    odd = False
    while parent[k] != 0:
        odd = odd != flipped[k]
        k = parent[k] - 1
    return k, odd


@inlined
def _blame(owner, ring, links, head, following, a, b, came, stack, obstacles):
    """Obstacles on the path from ring ``a`` to ring ``b`` in the forest of links; returns how many."""
    stack[0], came[a] = a, a + 1
    depth = 1
    while depth > 0 and came[b] == 0:
        depth -= 1
        k = stack[depth]
        entry = head[k]
        while entry != 0:
            one, other = ring[links[(entry - 1) >> 1, 0]], ring[links[(entry - 1) >> 1, 1]]
            there = other if one == k else one
            if came[there] == 0:
                came[there] = k + 1
                stack[depth] = there
                depth += 1
            entry = following[entry - 1]
    n, k = 0, b
    while True:
        obstacles[n] = owner[k]
        n += 1
        if k == a:
            return n
        k = came[k] - 1


@compiled
def wall_between(
    corners, owner, ring, grid, cells, edges, more_cells, more_edges, links, places, touching, mask,
    sx, sy, tx, ty, obstacles,
):  # fmt: skip
    """Store the obstacles of a closed wall between s and t and return how many.

    0: no wall separates them. :data:`UNDECIDED`: an end lies on a boundary, or obstacles that touch themselves
    are in force. ``mask`` are the obstacles in force; no end may be strictly inside one.
    """
    size = ring.shape[0]
    crossed, odd, done = (
        np.zeros(size, dtype=np.bool_), np.zeros(size, dtype=np.bool_), np.zeros(size, dtype=np.bool_),
    )  # fmt: skip
    rows = int(grid[5])
    row, last = cell_of(sy, grid[1], grid[3], rows), cell_of(ty, grid[1], grid[3], rows)
    if last < row:
        row, last = last, row
    hits = np.empty(size, dtype=np.int32)
    n = 0
    while row <= last and n >= 0:
        low, high = run_of_cells(grid, row, sx, sy, tx, ty)
        n = _cross_edges(corners, owner, cells, edges, mask, low, high, sx, sy, tx, ty, crossed, hits, n)
        if n >= 0 and grid[6] > 0.0:
            n = _cross_edges(
                corners, owner, more_cells, more_edges, mask, low, high, sx, sy, tx, ty, crossed, hits, n
            )
        row += 1
    if n < 0:
        return UNDECIDED
    for h in range(n):
        start = ring[hits[h]]
        if done[start]:
            continue
        done[start] = True
        parity, i = False, start
        while i < size and ring[i] == start:
            odd[i] = parity
            parity = parity != crossed[i]
            i += 1
        if parity and not touching[owner[start]]:
            obstacles[0] = owner[start]
            return 1
    count = links.shape[0]
    parent, flipped = np.zeros(size, dtype=np.int32), np.zeros(size, dtype=np.bool_)
    rank = np.zeros(size, dtype=np.int8)
    head, following = np.zeros(size, dtype=np.int32), np.empty(2 * count, dtype=np.int32)
    for k in range(count):
        i, j = links[k, 0], links[k, 1]
        if not (mask[owner[i]] and mask[owner[j]]) or touching[owner[i]] or touching[owner[j]]:
            continue
        x, y = places[k, 0], places[k, 1]
        if places[k, 2] == 0.0 and (crossed[i] or crossed[j]):
            dx, dy = tx - sx, ty - sy
            if abs(_cross(dx, dy, x - sx, y - sy)) <= ROUNDING_MM * (abs(dx) + abs(dy)):
                continue
        differ = _parity_along(corners, ring, crossed, odd, i, x, y, sx, sy, tx, ty) != _parity_along(
            corners, ring, crossed, odd, j, x, y, sx, sy, tx, ty
        )
        a, a_odd = _root(parent, flipped, ring[i])
        b, b_odd = _root(parent, flipped, ring[j])
        if a == b:
            if (a_odd != b_odd) != differ:
                came, stack = np.zeros(size, dtype=np.int32), np.empty(size, dtype=np.int32)
                return _blame(owner, ring, links, head, following, ring[i], ring[j], came, stack, obstacles)
            continue
        if rank[a] > rank[b]:
            a, b = b, a
        parent[a], flipped[a] = b + 1, (a_odd != b_odd) != differ
        if rank[a] == rank[b]:
            rank[b] += 1
        for entry, end in ((2 * k, ring[i]), (2 * k + 1, ring[j])):
            following[entry] = head[end]
            head[end] = entry + 1
    for k in range(touching.shape[0]):
        if touching[k] and mask[k]:
            return UNDECIDED
    return 0
