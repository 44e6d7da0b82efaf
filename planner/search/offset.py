"""The compiled mitred buffer of simple rings: what shapely does for any polygon, ten times faster for plain ones.

A ring is moved outwards edge by edge and rounded to millimetres. The result is accepted only if it is certain:
every edge still runs the way it ran, and the new ring neither crosses nor touches itself (tested exactly). Then
it winds once round everything within the distance. Every other ring is left to shapely.
"""

# The compiler infers types from the arguments.
# mypy: allow-untyped-defs, allow-incomplete-defs, no-check-untyped-defs

from __future__ import annotations

import math

from planner.search.compiled import COMPILING, compiled, inlined

if not COMPILING:
    raise ImportError("the compiled buffer needs a compiler: numba is missing")

MAX_CORNERS = 400
"""Rings with more corners are left to shapely: the test for self-crossing compares all pairs of edges (chosen:
that many cost some 0.2 ms)."""


@inlined
def _twice_area(xy, low, high):
    area = 0.0
    for i in range(low, high):
        j = i + 1 if i + 1 < high else low
        # relative to the first corner, so that small rings far from the origin keep their digits
        area += (xy[i, 0] - xy[low, 0]) * (xy[j, 1] - xy[low, 1])
        area -= (xy[j, 0] - xy[low, 0]) * (xy[i, 1] - xy[low, 1])
    return area


@inlined
def _side(ax, ay, bx, by, cx, cy):
    return (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)


@inlined
def _is_simple(out, low, high):
    """Exactly: do no two edges of the ring of integer corners cross or touch, but neighbours in their corner?"""
    n = high - low
    for i in range(n):
        ax, ay = out[low + i, 0], out[low + i, 1]
        j = low + (i + 1) % n
        bx, by = out[j, 0], out[j, 1]
        after = low + (i + 2) % n
        if (
            _side(ax, ay, bx, by, out[after, 0], out[after, 1]) == 0.0
            and (bx - ax) * (out[after, 0] - bx) + (by - ay) * (out[after, 1] - by) < 0.0
        ):
            return False  # a spike
        x_low, x_high, y_low, y_high = min(ax, bx), max(ax, bx), min(ay, by), max(ay, by)
        for k in range(i + 2, n - 1 if i == 0 else n):
            cx, cy = out[low + k, 0], out[low + k, 1]
            m = low + (k + 1) % n
            dx, dy = out[m, 0], out[m, 1]
            if max(cx, dx) < x_low or min(cx, dx) > x_high or max(cy, dy) < y_low or min(cy, dy) > y_high:
                continue
            if (
                _side(ax, ay, bx, by, cx, cy) * _side(ax, ay, bx, by, dx, dy) <= 0.0
                and _side(cx, cy, dx, dy, ax, ay) * _side(cx, cy, dx, dy, bx, by) <= 0.0
            ):
                return False
    return True


@compiled
def offset_rings(xy, first, shell, distance, limit, out, out_first, accepted):
    """Move every ring outwards by ``distance`` (mm), mitred up to ``limit`` distances and bevelled beyond.

    ``xy`` (n, 2) in mm without closing points, ring r in ``first[r]:first[r + 1]``; ``shell`` tells shells from
    holes. Corners go to ``out``, which must have room for 2n, with the obstacle on their left; ring r is in
    ``out_first[r]:out_first[r + 1]``, empty unless ``accepted``.
    """
    written = 0
    for r in range(first.shape[0] - 1):
        low, high = first[r], first[r + 1]
        n = high - low
        start = written
        out_first[r] = start
        accepted[r] = False
        if n < 3 or n > MAX_CORNERS:
            continue
        forward = (_twice_area(xy, low, high) > 0.0) == shell[r]
        good = True
        first_x = first_y = last_x = last_y = 0.0
        edge_x = edge_y = 0.0
        for step in range(n):
            i = low + (step if forward else n - 1 - step)
            before = low + ((step - 1 + n) % n if forward else (n - step) % n)
            after = low + ((step + 1) % n if forward else (2 * n - 2 - step) % n)
            ix, iy = xy[i, 0] - xy[before, 0], xy[i, 1] - xy[before, 1]
            ox, oy = xy[after, 0] - xy[i, 0], xy[after, 1] - xy[i, 1]
            i_length, o_length = math.hypot(ix, iy), math.hypot(ox, oy)
            if i_length == 0.0 or o_length == 0.0:
                good = False
                break
            ix, iy, ox, oy = ix / i_length, iy / i_length, ox / o_length, oy / o_length
            # outward normals (iy, -ix), (oy, -ox); along their bisector the corner moves distance / cosine
            bx, by = iy + oy, -ix - ox
            length = math.hypot(bx, by)
            if length < 1e-6:
                good = False
                break
            bx, by = bx / length, by / length
            cosine = bx * iy - by * ix
            if ix * oy - iy * ox > 0.0 and cosine * limit < 1.0:
                # too sharp: cut off at limit distances from the corner, across the bisector
                slide = distance * (limit - cosine) / (bx * ix + by * iy)
                x1, y1 = xy[i, 0] + distance * iy + slide * ix, xy[i, 1] - distance * ix + slide * iy
                x2, y2 = xy[i, 0] + distance * oy - slide * ox, xy[i, 1] - distance * ox - slide * oy
            else:
                x1 = x2 = xy[i, 0] + distance / cosine * bx
                y1 = y2 = xy[i, 1] + distance / cosine * by
            if step == 0:
                first_x, first_y = x1, y1
            elif (x1 - last_x) * edge_x + (y1 - last_y) * edge_y <= 0.0:
                good = False  # the edge has turned round: neighbours ran into each other
                break
            edge_x, edge_y, last_x, last_y = ox, oy, x2, y2
            for part in range(1 if x1 == x2 and y1 == y2 else 2):
                x, y = (round(x1), round(y1)) if part == 0 else (round(x2), round(y2))
                if written == start or x != out[written - 1, 0] or y != out[written - 1, 1]:
                    out[written, 0], out[written, 1] = x, y
                    written += 1
        if good and (first_x - last_x) * edge_x + (first_y - last_y) * edge_y <= 0.0:
            good = False
        if good and out[written - 1, 0] == out[start, 0] and out[written - 1, 1] == out[start, 1]:
            written -= 1
        if good and written - start >= 3 and _is_simple(out, start, written):
            accepted[r] = (_twice_area(out, start, written) > 0.0) == shell[r]
        if not accepted[r]:
            written = start
    out_first[first.shape[0] - 1] = written
