"""The last word's own measuring: distances to original shapes, and what a fence holds and meets. Nothing else uses
it, and it uses nothing else.

Metres in float64. Shapes are flat: a box (low x, low y, high x, high y) for each, and its edges (x1, y1, x2, y2) of
all rings from ``first[k]`` up to ``first[k + 1]``.
"""

# The compiler infers types from the arguments; the docstrings say what they are.
# mypy: allow-untyped-defs, allow-incomplete-defs, no-check-untyped-defs

from __future__ import annotations

import math

import numpy as np

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


@compiled
def straight_returns(lines, rally, step):
    """Lines (m, 4) from samples of the lines (n, 4) to the rally point (k, 2) nearest to each: from both ends and
    from points between, no further apart than ``step``."""
    total = 0
    counts = np.empty(lines.shape[0], dtype=np.int64)
    for i in range(lines.shape[0]):
        length = math.hypot(lines[i, 2] - lines[i, 0], lines[i, 3] - lines[i, 1])
        counts[i] = int(length // step) + 2
        total += counts[i]
    out = np.empty((total, 4))
    at = 0
    for i in range(lines.shape[0]):
        for sample in range(counts[i]):
            share = sample / (counts[i] - 1)
            x = lines[i, 0] + share * (lines[i, 2] - lines[i, 0])
            y = lines[i, 1] + share * (lines[i, 3] - lines[i, 1])
            best, nearest = math.inf, 0
            for k in range(rally.shape[0]):
                away = (rally[k, 0] - x) ** 2 + (rally[k, 1] - y) ** 2
                if away < best:
                    best, nearest = away, k
            out[at, 0], out[at, 1], out[at, 2], out[at, 3] = x, y, rally[nearest, 0], rally[nearest, 1]
            at += 1
    return out


@inlined
def _touch(ax, ay, bx, by, cx, cy, dx, dy, near):
    """Whether two segments meet, or come so near to it that only exact arithmetic could tell."""
    if (
        max(ax, bx) < min(cx, dx) - near
        or max(cx, dx) < min(ax, bx) - near
        or max(ay, by) < min(cy, dy) - near
        or max(cy, dy) < min(ay, by) - near
    ):
        return False
    if (_side(ax, ay, bx, by, cx, cy) > 0.0) != (_side(ax, ay, bx, by, dx, dy) > 0.0) and (
        _side(cx, cy, dx, dy, ax, ay) > 0.0
    ) != (_side(cx, cy, dx, dy, bx, by) > 0.0):
        return True
    square = near * near
    return (
        _away_squared(ax, ay, cx, cy, dx, dy) <= square
        or _away_squared(bx, by, cx, cy, dx, dy) <= square
        or _away_squared(cx, cy, ax, ay, bx, by) <= square
        or _away_squared(dx, dy, ax, ay, bx, by) <= square
    )


@inlined
def _holds(edges, low, high, x, y):
    """Whether a point lies inside the rings whose edges are those from ``low`` up to ``high``: even-odd rule."""
    inside = False
    for e in range(low, high):
        cy, dy = edges[e, 1], edges[e, 3]
        if (cy > y) != (dy > y) and x < edges[e, 0] + (edges[e, 2] - edges[e, 0]) * (y - cy) / (dy - cy):
            inside = not inside
    return inside


@compiled
def ring_edges(corners, starts):
    """The edges (x1, y1, x2, y2) of open rings: ``corners`` from ``starts[k]`` up to ``starts[k + 1]``."""
    edges = np.empty((corners.shape[0], 4))
    for k in range(starts.shape[0] - 1):
        for i in range(starts[k], starts[k + 1]):
            then = i + 1 if i + 1 < starts[k + 1] else starts[k]
            edges[i, 0], edges[i, 1] = corners[i, 0], corners[i, 1]
            edges[i, 2], edges[i, 3] = corners[then, 0], corners[then, 1]
    return edges


@compiled
def plainly_simple(edges, starts, near):
    """Whether rings (see :func:`ring_edges`) surely bound a region: none meets itself or another, and all but the
    first lie inside the first and outside each other. False means only that it must be looked at exactly."""
    count = edges.shape[0]
    rings = starts.shape[0] - 1
    for k in range(rings):
        first, behind = starts[k], starts[k + 1]
        if behind - first < 3:
            return False
        for i in range(first, behind):
            ax, ay, bx, by = edges[i, 0], edges[i, 1], edges[i, 2], edges[i, 3]
            then = i + 1 if i + 1 < behind else first
            cx, cy = edges[then, 2], edges[then, 3]
            # Edges of no length, and edges that turn back on themselves.
            if _away_squared(bx, by, ax, ay, ax, ay) <= near * near:
                return False
            if _away_squared(cx, cy, ax, ay, bx, by) <= near * near:
                return False
            if _away_squared(ax, ay, bx, by, cx, cy) <= near * near:
                return False
            for j in range(i + 1, count):
                if j == then or (i == first and j == behind - 1):
                    continue
                if _touch(ax, ay, bx, by, edges[j, 0], edges[j, 1], edges[j, 2], edges[j, 3], near):
                    return False
    for k in range(1, rings):
        x, y = edges[starts[k], 0], edges[starts[k], 1]
        if not _holds(edges, starts[0], starts[1], x, y):
            return False
        for other in range(1, rings):
            if other != k and _holds(edges, starts[other], starts[other + 1], x, y):
                return False
    return True


@compiled
def all_inside(edges, lines, distance):
    """Whether every line (n, 4) lies inside the rings and further than ``distance`` from all of them. A line that
    keeps away from the boundary is as much inside as its first end."""
    limit = distance * distance
    count = edges.shape[0]
    for i in range(lines.shape[0]):
        ax, ay, bx, by = lines[i, 0], lines[i, 1], lines[i, 2], lines[i, 3]
        low_x, high_x = min(ax, bx) - distance, max(ax, bx) + distance
        low_y, high_y = min(ay, by) - distance, max(ay, by) + distance
        inside = False
        for e in range(count):
            cx, cy, dx, dy = edges[e, 0], edges[e, 1], edges[e, 2], edges[e, 3]
            if (cy > ay) != (dy > ay) and ax < cx + (dx - cx) * (ay - cy) / (dy - cy):
                inside = not inside
            if max(cx, dx) < low_x or min(cx, dx) > high_x or max(cy, dy) < low_y or min(cy, dy) > high_y:
                continue
            if (
                _away_squared(ax, ay, cx, cy, dx, dy) <= limit
                or _away_squared(bx, by, cx, cy, dx, dy) <= limit
                or _away_squared(cx, cy, ax, ay, bx, by) <= limit
                or _away_squared(dx, dy, ax, ay, bx, by) <= limit
            ):
                return False
            if (_side(ax, ay, bx, by, cx, cy) > 0.0) != (_side(ax, ay, bx, by, dx, dy) > 0.0) and (
                _side(cx, cy, dx, dy, ax, ay) > 0.0
            ) != (_side(cx, cy, dx, dy, bx, by) > 0.0):
                return False
        if not inside:
            return False
    return True


@inlined
def _beside(ax, ay, bx, by, low_x, low_y, high_x, high_y):
    """Whether a segment surely misses a box: by its own box, or because all corners are on one side of its line."""
    if max(ax, bx) < low_x or min(ax, bx) > high_x or max(ay, by) < low_y or min(ay, by) > high_y:
        return True
    ux, uy = bx - ax, by - ay
    middle = ux * (0.5 * (low_y + high_y) - ay) - uy * (0.5 * (low_x + high_x) - ax)
    reach = 0.5 * (abs(ux) * (high_y - low_y) + abs(uy) * (high_x - low_x))
    return abs(middle) > reach


@compiled
def first_met(ring, near, boxes, first, edges, standing):
    """The first standing shape that the region of the rings ``ring`` meets, or comes within ``near`` of; or −1."""
    count = ring.shape[0]
    west, south, east, north = math.inf, math.inf, -math.inf, -math.inf
    for e in range(count):
        west, east = min(west, ring[e, 0]), max(east, ring[e, 0])
        south, north = min(south, ring[e, 1]), max(north, ring[e, 1])
    for k in range(boxes.shape[0]):
        low_x, low_y = boxes[k, 0] - near, boxes[k, 1] - near
        high_x, high_y = boxes[k, 2] + near, boxes[k, 3] + near
        if not standing[k] or low_x > east or high_x < west or low_y > north or high_y < south:
            continue
        for e in range(count):
            ax, ay, bx, by = ring[e, 0], ring[e, 1], ring[e, 2], ring[e, 3]
            if _beside(ax, ay, bx, by, low_x, low_y, high_x, high_y):
                continue
            for s in range(first[k], first[k + 1]):
                if _touch(ax, ay, bx, by, edges[s, 0], edges[s, 1], edges[s, 2], edges[s, 3], near):
                    return k
        # The boundaries keep apart: each lies wholly inside the other's region, or wholly outside.
        if first[k] < first[k + 1]:
            if _holds(ring, 0, count, edges[first[k], 0], edges[first[k], 1]):
                return k
            if _holds(edges, first[k], first[k + 1], ring[0, 0], ring[0, 1]):
                return k
    return -1


@compiled
def any_held(edges, points):
    """Whether any of the points (n, 2) lies inside the rings."""
    held = False
    for i in range(points.shape[0]):
        held = held or _holds(edges, 0, edges.shape[0], points[i, 0], points[i, 1])
    return held
