"""Compiled kernels of the fence: the outline of many overlapping convex figures, and the proof that it holds them.

Metres in float64. The outline is a proposal: it is used when it closes into rings, and only after
:func:`encloses` has measured that everything lies inside with its distance.
"""

# The compiler infers types from the arguments; the docstrings say what they are.
# mypy: allow-untyped-defs, allow-incomplete-defs, no-check-untyped-defs

from __future__ import annotations

import math

import numpy as np

from planner.search.compiled import compiled, inlined


@inlined
def _turn(ax, ay, bx, by, cx, cy):
    return (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)


@inlined
def _squared_to_segment(px, py, ax, ay, bx, by):
    dx, dy = bx - ax, by - ay
    square = dx * dx + dy * dy
    share = 0.0
    if square > 0.0:
        share = min(1.0, max(0.0, ((px - ax) * dx + (py - ay) * dy) / square))
    ex, ey = px - ax - share * dx, py - ay - share * dy
    return ex * ex + ey * ey


@inlined
def _hull(points, count, out):
    """Corners of the convex hull, counter-clockwise; sorts the first ``count`` of ``points`` in place."""
    for i in range(1, count):
        x, y = points[i, 0], points[i, 1]
        k = i - 1
        while k >= 0 and (points[k, 0] > x or (points[k, 0] == x and points[k, 1] > y)):
            points[k + 1, 0], points[k + 1, 1] = points[k, 0], points[k, 1]
            k -= 1
        points[k + 1, 0], points[k + 1, 1] = x, y
    size = 0
    for half in range(2):
        base = size
        for step in range(count):
            i = step if half == 0 else count - 1 - step
            x, y = points[i, 0], points[i, 1]
            while (
                size - base >= 2
                and _turn(out[size - 2, 0], out[size - 2, 1], out[size - 1, 0], out[size - 1, 1], x, y)
                <= 1e-9
            ):
                size -= 1
            out[size, 0], out[size, 1] = x, y
            size += 1
        # The last corner of each half is the first of the other.
        size -= 1
    return size


@compiled
def widened(corners, around):
    """The hulls (k, room, 2) of the figure ``around`` each of the corners (k, 3, 2), and their sizes."""
    count, sides = corners.shape[0], around.shape[0]
    per = corners.shape[1] * sides
    hulls = np.empty((count, per + 2, 2))
    sizes = np.empty(count, dtype=np.int64)
    points = np.empty((per, 2))
    for k in range(count):
        for c in range(corners.shape[1]):
            for s in range(sides):
                points[c * sides + s, 0] = corners[k, c, 0] + around[s, 0]
                points[c * sides + s, 1] = corners[k, c, 1] + around[s, 1]
        sizes[k] = _hull(points, per, hulls[k])
    return hulls, sizes


@compiled
def bare_edges(hulls, sizes, shift, out):
    """The parts of the hulls' edges that lie inside no other hull: rows of x1, y1, x2, y2. Returns how many, −1
    where ``out`` is too small.

    Where edges coincide, the hull that comes first keeps its own: every hull counts as larger by ``shift`` for
    those after it and as smaller by it for those before.
    """
    count = hulls.shape[0]
    boxes = np.empty((count, 4))
    for k in range(count):
        boxes[k, 0], boxes[k, 1], boxes[k, 2], boxes[k, 3] = np.inf, np.inf, -np.inf, -np.inf
        for i in range(sizes[k]):
            boxes[k, 0], boxes[k, 1] = min(boxes[k, 0], hulls[k, i, 0]), min(boxes[k, 1], hulls[k, i, 1])
            boxes[k, 2], boxes[k, 3] = max(boxes[k, 2], hulls[k, i, 0]), max(boxes[k, 3], hulls[k, i, 1])
    lows, highs = np.empty(count), np.empty(count)
    found = 0
    for k in range(count):
        for i in range(sizes[k]):
            onward = i + 1 if i + 1 < sizes[k] else 0
            ax, ay, bx, by = hulls[k, i, 0], hulls[k, i, 1], hulls[k, onward, 0], hulls[k, onward, 1]
            covered = 0
            for other in range(count):
                if (
                    other == k
                    or boxes[other, 0] > max(ax, bx) + shift
                    or boxes[other, 2] < min(ax, bx) - shift
                    or boxes[other, 1] > max(ay, by) + shift
                    or boxes[other, 3] < min(ay, by) - shift
                ):
                    continue
                grown = shift if other < k else -shift
                low, high = 0.0, 1.0
                for j in range(sizes[other]):
                    after = j + 1 if j + 1 < sizes[other] else 0
                    cx, cy = hulls[other, j, 0], hulls[other, j, 1]
                    dx, dy = hulls[other, after, 0] - cx, hulls[other, after, 1] - cy
                    length = math.hypot(dx, dy)
                    if length == 0.0:
                        continue
                    # How far a and b lie to the left of the edge: inside is left.
                    one = (dx * (ay - cy) - dy * (ax - cx)) / length + grown
                    two = (dx * (by - cy) - dy * (bx - cx)) / length + grown
                    if one < 0.0 and two < 0.0:
                        low, high = 1.0, 0.0
                        break
                    if one < 0.0:
                        low = max(low, one / (one - two))
                    elif two < 0.0:
                        high = min(high, one / (one - two))
                    if low >= high:
                        break
                if low < high:
                    # Kept sorted by where they begin.
                    at = covered
                    while at > 0 and lows[at - 1] > low:
                        lows[at], highs[at] = lows[at - 1], highs[at - 1]
                        at -= 1
                    lows[at], highs[at] = low, high
                    covered += 1
            reached = 0.0
            for at in range(covered + 1):
                until = lows[at] if at < covered else 1.0
                if until > reached:
                    if found >= out.shape[0]:
                        return -1
                    out[found, 0], out[found, 1] = ax + reached * (bx - ax), ay + reached * (by - ay)
                    out[found, 2], out[found, 3] = ax + until * (bx - ax), ay + until * (by - ay)
                    found += 1
                if at < covered:
                    reached = max(reached, highs[at])
    return found


@compiled
def chained(edges, count, near, corners, ring_starts):
    """Join edges end to start into closed rings. Returns the number of rings, 0 where some end has no start
    within ``near``; ``corners`` and ``ring_starts`` are written, the latter with one more entry for the end."""
    used = np.zeros(count, dtype=np.bool_)
    rings = written = 0
    square = near * near
    for first in range(count):
        if used[first]:
            continue
        ring_starts[rings] = written
        at = first
        while True:
            used[at] = True
            corners[written, 0], corners[written, 1] = edges[at, 0], edges[at, 1]
            written += 1
            x, y = edges[at, 2], edges[at, 3]
            best, best_square = -1, square
            for other in range(count):
                if used[other] and other != first:
                    continue
                dx, dy = edges[other, 0] - x, edges[other, 1] - y
                away = dx * dx + dy * dy
                if away <= best_square and (other != at):
                    best, best_square = other, away
            if best < 0:
                return 0
            if best == first:
                break
            at = best
        rings += 1
    ring_starts[rings] = written
    return rings


@compiled
def needed(ring, distance):
    """Numbers of a ring's corners without those that lie within ``distance`` of the line between their
    neighbours. Of two corners in a row at most one goes, so the ring moves by no more than that."""
    count = ring.shape[0]
    kept = np.ones(count, dtype=np.bool_)
    left = count
    for i in range(count):
        before, after = (i - 1) % count, (i + 1) % count
        if left <= 3 or not kept[before] or not kept[after]:
            continue
        square = _squared_to_segment(
            ring[i, 0], ring[i, 1], ring[before, 0], ring[before, 1], ring[after, 0], ring[after, 1]
        )
        if square <= distance * distance:
            kept[i] = False
            left -= 1
    return np.flatnonzero(kept)


@inlined
def _nearer(ax, ay, bx, by, cx, cy, dx, dy, square):
    """Whether two segments are nearer than the distance whose square is given, or cross."""
    if (
        _squared_to_segment(ax, ay, cx, cy, dx, dy) < square
        or _squared_to_segment(bx, by, cx, cy, dx, dy) < square
        or _squared_to_segment(cx, cy, ax, ay, bx, by) < square
        or _squared_to_segment(dx, dy, ax, ay, bx, by) < square
    ):
        return True
    one, two = _turn(ax, ay, bx, by, cx, cy), _turn(ax, ay, bx, by, dx, dy)
    three, four = _turn(cx, cy, dx, dy, ax, ay), _turn(cx, cy, dx, dy, bx, by)
    return (one > 0.0) != (two > 0.0) and (three > 0.0) != (four > 0.0)


@compiled
def encloses(corners, ring_starts, shapes, distance):
    """Whether the region of closed rings holds every shape (k, n, 2; a closed chain of corners) with everything
    within ``distance`` of it: one corner inside by the even-odd rule, and no ring nearer than that."""
    square = distance * distance
    rings, points = ring_starts.shape[0] - 1, shapes.shape[1]
    for k in range(shapes.shape[0]):
        inside = False
        px, py = shapes[k, 0, 0], shapes[k, 0, 1]
        low_x, high_x, low_y, high_y = px, px, py, py
        for c in range(1, points):
            low_x, high_x = min(low_x, shapes[k, c, 0]), max(high_x, shapes[k, c, 0])
            low_y, high_y = min(low_y, shapes[k, c, 1]), max(high_y, shapes[k, c, 1])
        for ring in range(rings):
            begin, end = ring_starts[ring], ring_starts[ring + 1]
            # A whole ring inside the shape would be near none of its sides.
            swallowed = False
            rx, ry = corners[begin, 0], corners[begin, 1]
            for c in range(points):
                then = c + 1 if c + 1 < points else 0
                cx, cy, dx, dy = shapes[k, c, 0], shapes[k, c, 1], shapes[k, then, 0], shapes[k, then, 1]
                if (cy > ry) != (dy > ry) and rx < cx + (dx - cx) * (ry - cy) / (dy - cy):
                    swallowed = not swallowed
            if swallowed:
                return False
            for i in range(begin, end):
                onward = i + 1 if i + 1 < end else begin
                ax, ay, bx, by = corners[i, 0], corners[i, 1], corners[onward, 0], corners[onward, 1]
                if (ay > py) != (by > py) and px < ax + (bx - ax) * (py - ay) / (by - ay):
                    inside = not inside
                if (
                    max(ax, bx) < low_x - distance
                    or min(ax, bx) > high_x + distance
                    or max(ay, by) < low_y - distance
                    or min(ay, by) > high_y + distance
                ):
                    continue
                for c in range(points):
                    then = c + 1 if c + 1 < points else 0
                    if _nearer(
                        ax, ay, bx, by, shapes[k, c, 0], shapes[k, c, 1], shapes[k, then, 0],
                        shapes[k, then, 1], square,
                    ):  # fmt: skip
                        return False
        if not inside:
            return False
    return True
