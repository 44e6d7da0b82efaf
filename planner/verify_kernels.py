"""The last word's own measuring of distances to original shapes; nothing else uses it, and it uses nothing else.

Metres in float64. Shapes are flat: a box (low x, low y, high x, high y) for each, and its edges (x1, y1, x2, y2) of
all rings from ``first[k]`` up to ``first[k + 1]``.
"""

# The compiler infers types from the arguments; the docstrings say what they are.
# mypy: allow-untyped-defs, allow-incomplete-defs, no-check-untyped-defs

from __future__ import annotations

from planner.search.compiled import compiled, inlined


@inlined
def _away_squared(px, py, ax, ay, bx, by):
    """Square of the distance of a point from a segment."""
    ux, uy, vx, vy = bx - ax, by - ay, px - ax, py - ay
    length_squared = ux * ux + uy * uy
    along = vx * ux + vy * uy
    if along <= 0.0 or length_squared == 0.0:
        return vx * vx + vy * vy
    if along >= length_squared:
        return (px - bx) * (px - bx) + (py - by) * (py - by)
    along /= length_squared
    ex, ey = vx - along * ux, vy - along * uy
    return ex * ex + ey * ey


@inlined
def _side(ax, ay, bx, by, px, py):
    return (bx - ax) * (py - ay) - (by - ay) * (px - ax)


@compiled
def first_near(lines, distance, boxes, first, edges, standing):
    """The first standing shape within ``distance`` (boundaries included) of any of the lines (n, 4: x1, y1, x2,
    y2; a point is a line of no length), or −1."""
    count = lines.shape[0]
    if count == 0:
        return -1
    west, south, east, north = lines[0, 0], lines[0, 1], lines[0, 0], lines[0, 1]
    for i in range(count):
        west, east = min(west, lines[i, 0], lines[i, 2]), max(east, lines[i, 0], lines[i, 2])
        south, north = min(south, lines[i, 1], lines[i, 3]), max(north, lines[i, 1], lines[i, 3])
    limit = distance * distance
    for k in range(boxes.shape[0]):
        low_x, low_y = boxes[k, 0] - distance, boxes[k, 1] - distance
        high_x, high_y = boxes[k, 2] + distance, boxes[k, 3] + distance
        if not standing[k] or low_x > east or high_x < west or low_y > north or high_y < south:
            continue
        for i in range(count):
            ax, ay, bx, by = lines[i, 0], lines[i, 1], lines[i, 2], lines[i, 3]
            if low_x > max(ax, bx) or high_x < min(ax, bx) or low_y > max(ay, by) or high_y < min(ay, by):
                continue
            inside = False
            for e in range(first[k], first[k + 1]):
                cx, cy, dx, dy = edges[e, 0], edges[e, 1], edges[e, 2], edges[e, 3]
                if (cy > ay) != (dy > ay) and ax < cx + (dx - cx) * (ay - cy) / (dy - cy):
                    inside = not inside
                if (
                    _away_squared(ax, ay, cx, cy, dx, dy) <= limit
                    or _away_squared(bx, by, cx, cy, dx, dy) <= limit
                    or _away_squared(cx, cy, ax, ay, bx, by) <= limit
                    or _away_squared(dx, dy, ax, ay, bx, by) <= limit
                ):
                    return k
                if (_side(ax, ay, bx, by, cx, cy) > 0.0) != (_side(ax, ay, bx, by, dx, dy) > 0.0) and (
                    _side(cx, cy, dx, dy, ax, ay) > 0.0
                ) != (_side(cx, cy, dx, dy, bx, by) > 0.0):
                    return k
            if inside:
                return k
    return -1
