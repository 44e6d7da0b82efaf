"""Compiled tests against the obstacles: which one does a leg meet first, which ones are around a point.

Arithmetic. Coordinates are integer millimetres held in float64. As long as all of them lie in one square of
67 km (2**26 mm, checked by :mod:`planner.search.shapes`), each product in an orientation test is an integer
below 2**52 and their difference one below 2**53: the sign is exact, collinear and touching cases included.

Geometry. Obstacles are open sets whose rings keep the obstacle on their left (holes run the other way round,
the keep-in ring is reversed because its outside is the obstacle). A leg is legal when it meets no obstacle's
interior; running along a boundary or through a corner is legal. Obstacles may overlap and touch.
"""

# The compiler infers types from the arguments; annotations would only repeat the tables.
# mypy: allow-untyped-defs, allow-incomplete-defs, no-check-untyped-defs

from __future__ import annotations

import math

from planner.search.compiled import compiled, inlined

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

SNAP_MM = 2.0
"""Edges are entered in every cell within 2 mm (chosen; far above the 1e-7 mm of rounding in the walk)."""


@inlined
def cell_of(value, origin, inverse, count):
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
        row_low = cell_of(y_low - SNAP_MM, origin_y, inverse, rows)
        row_high = cell_of(y_high + SNAP_MM, origin_y, inverse, rows)
        slope = 0.0 if by == ay else (bx - ax) / (by - ay)
        for row in range(row_low, row_high + 1):
            if by == ay:
                left, right = x_low, x_high
            else:
                bottom = y_low if row == 0 else max(y_low, origin_y + row * cell - SNAP_MM)
                top = y_high if row == rows - 1 else min(y_high, origin_y + (row + 1) * cell + SNAP_MM)
                one, other = ax + (bottom - ay) * slope, ax + (top - ay) * slope
                left, right = max(x_low, min(one, other)), min(x_high, max(one, other))
            column_low = cell_of(left - SNAP_MM, origin_x, inverse, columns)
            column_high = cell_of(right + SNAP_MM, origin_x, inverse, columns)
            for c in range(row * columns + column_low, row * columns + column_high + 1):
                if store:
                    k = cells[c]
                    edges[k, 0], edges[k, 1], edges[k, 2], edges[k, 3] = ax, ay, bx, by
                    edges[k, 4] = i
                cells[c] += 1


@inlined
def into_corner(corners, i, dx, dy):
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
        if along < whole and into_corner(corners, i, dx, dy):
            return True
        return along > 0.0 and into_corner(corners, i, -dx, -dy)
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
def run_of_cells(grid, row, ux, uy, vx, vy):
    """The first and last cell of a row that the leg u→v passes."""
    origin_x, origin_y, cell, inverse = grid[0], grid[1], grid[2], grid[3]
    columns, rows = int(grid[4]), int(grid[5])
    left, right = min(ux, vx), max(ux, vx)
    if vy != uy:
        slope = (vx - ux) / (vy - uy)
        y_low, y_high = min(uy, vy), max(uy, vy)
        bottom = y_low if row == 0 else max(y_low, origin_y + row * cell)
        top = y_high if row == rows - 1 else min(y_high, origin_y + (row + 1) * cell)
        one, other = ux + (bottom - uy) * slope, ux + (top - uy) * slope
        left, right = min(one, other), max(one, other)
    low = row * columns + cell_of(left, origin_x, inverse, columns)
    return low, row * columns + cell_of(right, origin_x, inverse, columns)


@inlined
def first_hit(corners, owner, grid, cells, edges, more_cells, more_edges, mask, ux, uy, vx, vy):
    """The obstacle whose interior leg u→v meets, nearest to u cell by cell; -1 if none."""
    rows, more = int(grid[5]), grid[6] > 0.0
    row, last = cell_of(uy, grid[1], grid[3], rows), cell_of(vy, grid[1], grid[3], rows)
    step = 1 if last >= row else -1
    forward = vx >= ux
    while True:
        low, high = run_of_cells(grid, row, ux, uy, vx, vy)
        hit = _scan(corners, owner, cells, edges, mask, low, high, forward, ux, uy, vx, vy)
        if more and hit < 0:
            hit = _scan(corners, owner, more_cells, more_edges, mask, low, high, forward, ux, uy, vx, vy)
        if hit >= 0 or row == last:
            return hit
        row += step


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
