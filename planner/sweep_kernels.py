"""Compiled kernels of contingency and fence: which straight returns sweep over an obstacle, and how to
draw around a region with few corners without touching one.

Metres in float64; nothing here needs exact signs, because every test has the flight geography as its margin.
See :mod:`planner.contingency` for the idea and :mod:`planner.sweep` for the arrays.
"""

# The compiler infers types from the arguments; annotations would only repeat planner.sweep's tables.
# mypy: allow-untyped-defs, allow-incomplete-defs, no-check-untyped-defs

from __future__ import annotations

import math

import numpy as np

from planner.search.compiled import compiled, inlined

PIECES, NOTHING_LEFT, OUT_OF_REACH = 0, 1, 2


@inlined
def _point_segment_squared(px, py, ax, ay, bx, by):
    dx, dy = bx - ax, by - ay
    square = dx * dx + dy * dy
    share = 0.0
    if square > 0.0:
        share = min(1.0, max(0.0, ((px - ax) * dx + (py - ay) * dy) / square))
    ex, ey = px - ax - share * dx, py - ay - share * dy
    return ex * ex + ey * ey


@inlined
def _cross(ax, ay, bx, by, cx, cy):
    return (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)


@inlined
def _segments_near(ax, ay, bx, by, cx, cy, dx, dy, square):
    """Whether two segments come within the distance whose square is given."""
    if (
        _point_segment_squared(ax, ay, cx, cy, dx, dy) <= square
        or _point_segment_squared(bx, by, cx, cy, dx, dy) <= square
        or _point_segment_squared(cx, cy, ax, ay, bx, by) <= square
        or _point_segment_squared(dx, dy, ax, ay, bx, by) <= square
    ):
        return True
    first = _cross(ax, ay, bx, by, cx, cy) * _cross(ax, ay, bx, by, dx, dy)
    second = _cross(cx, cy, dx, dy, ax, ay) * _cross(cx, cy, dx, dy, bx, by)
    return first < 0.0 and second < 0.0


@inlined
def _segment_blocked(grid, cells, edges, owner, mask, clearance, ax, ay, bx, by):
    """Whether an edge of a standing obstacle comes within ``clearance`` of the segment.

    Edges are entered in every cell that their box, grown by the clearance, meets: the cells under the
    segment itself are enough.
    """
    origin_x, origin_y, size = grid[0], grid[1], grid[2]
    columns, rows = int(grid[3]), int(grid[4])
    square = clearance * clearance
    if ay > by:
        ax, ay, bx, by = bx, by, ax, ay
    low_row = max(0, math.floor((ay - origin_y) / size))
    high_row = min(rows - 1, math.floor((by - origin_y) / size))
    for row in range(low_row, high_row + 1):
        # The part of the segment in this band of rows, a hair wider than the band.
        low_y = max(ay, origin_y + row * size - 1e-6)
        high_y = min(by, origin_y + (row + 1) * size + 1e-6)
        if by - ay > 1e-9:
            x1 = ax + (bx - ax) * min(1.0, max(0.0, (low_y - ay) / (by - ay)))
            x2 = ax + (bx - ax) * min(1.0, max(0.0, (high_y - ay) / (by - ay)))
        else:
            x1, x2 = ax, bx
        low_column = max(0, math.floor((min(x1, x2) - 1e-6 - origin_x) / size))
        high_column = min(columns - 1, math.floor((max(x1, x2) + 1e-6 - origin_x) / size))
        for column in range(low_column, high_column + 1):
            cell = row * columns + column
            for at in range(cells[cell], cells[cell + 1]):
                if mask[owner[at]] and _segments_near(
                    ax, ay, bx, by, edges[at, 0], edges[at, 1], edges[at, 2], edges[at, 3], square
                ):
                    return True
    return False


@inlined
def _holds_a_place(places, place_owner, mask, ax, ay, bx, by, cx, cy):
    """Whether the triangle contains the sample corner of a standing obstacle (places ascend in x)."""
    low_x, high_x = min(ax, bx, cx), max(ax, bx, cx)
    low_y, high_y = min(ay, by, cy), max(ay, by, cy)
    first, behind = 0, places.shape[0]
    while first < behind:
        middle = (first + behind) // 2
        if places[middle, 0] < low_x:
            first = middle + 1
        else:
            behind = middle
    for at in range(first, places.shape[0]):
        x, y = places[at, 0], places[at, 1]
        if x > high_x:
            return False
        if y < low_y or y > high_y or not mask[place_owner[at]]:
            continue
        one = _cross(ax, ay, bx, by, x, y)
        two = _cross(bx, by, cx, cy, x, y)
        three = _cross(cx, cy, ax, ay, x, y)
        if (one >= 0.0 and two >= 0.0 and three >= 0.0) or (one <= 0.0 and two <= 0.0 and three <= 0.0):
            return True
    return False


@compiled
def settled(
    legs, points, alive, serves, dirty, tested, lows, highs, grid, cells, edges, owner, places, place_owner,
    mask, clearance, tolerance, run_on, reach,
):  # fmt: skip
    """Remove from ``alive`` every rally point that some straight return to it would cross an obstacle.

    Goes on from the state in ``serves`` (leg, point), ``tested``, ``lows`` and ``highs`` (the piece of the leg,
    metres along it) for the legs that are ``dirty``. Returns (status, leg that failed).
    """
    count_legs, count_points = legs.shape[0], points.shape[0]
    near = np.empty(count_points, dtype=np.int64)
    offset = np.empty(count_points)
    slope = np.empty(count_points)
    again = True
    while again:
        again = False
        for leg in range(count_legs):
            if not dirty[leg]:
                continue
            dirty[leg] = False
            serves[leg, :] = False
            ax, ay, bx, by = legs[leg, 0], legs[leg, 1], legs[leg, 2], legs[leg, 3]
            length = math.hypot(bx - ax, by - ay)
            ux, uy = 1.0, 0.0
            if length > 0.0:
                ux, uy = (bx - ax) / length, (by - ay) / length
            start, end = -run_on, length + run_on
            sx, sy = ax + ux * start, ay + uy * start
            ex, ey = ax + ux * end, ay + uy * end
            # No point can be nearest that is further from all of the leg than another is from any of it.
            best = np.inf
            for i in range(count_points):
                if alive[i]:
                    px, py = points[i, 0], points[i, 1]
                    best = min(best, max((px - sx) ** 2 + (py - sy) ** 2, (px - ex) ** 2 + (py - ey) ** 2))
            if best == np.inf:
                return NOTHING_LEFT, leg
            limit = (math.sqrt(best) + tolerance) ** 2
            found = 0
            furthest = 0.0
            for i in range(count_points):
                px, py = points[i, 0], points[i, 1]
                if alive[i] and _point_segment_squared(px, py, sx, sy, ex, ey) <= limit:
                    dx, dy = px - ax, py - ay
                    near[found] = i
                    offset[found] = dx * dx + dy * dy
                    slope[found] = -2.0 * (dx * ux + dy * uy)
                    away = max((px - sx) ** 2 + (py - sy) ** 2, (px - ex) ** 2 + (py - ey) ** 2)
                    furthest = max(furthest, away)
                    found += 1
            # d_i ≤ d_j + tolerance implies d_i² ≤ d_j² + slack: a little more than asked is taken.
            slack = 2.0 * tolerance * math.sqrt(furthest)
            for k in range(found):
                low, high = start, end
                for other in range(found):
                    a = slope[k] - slope[other]
                    b = offset[other] - offset[k] + slack
                    if a > 0.0:
                        high = min(high, b / a)
                    elif a < 0.0:
                        low = max(low, b / a)
                    elif b < 0.0:
                        high = -np.inf
                if low > high:
                    continue
                i = near[k]
                px, py = points[i, 0], points[i, 1]
                x1, y1 = ax + ux * low, ay + uy * low
                x2, y2 = ax + ux * high, ay + uy * high
                if tested[leg, i] and lows[leg, i] == low and highs[leg, i] == high:
                    serves[leg, i] = True
                    continue
                if (
                    _segment_blocked(grid, cells, edges, owner, mask, clearance, x1, y1, px, py)
                    or _segment_blocked(grid, cells, edges, owner, mask, clearance, x2, y2, px, py)
                    or _holds_a_place(places, place_owner, mask, x1, y1, x2, y2, px, py)
                ):
                    alive[i] = False
                    again = True
                    dirty[leg] = True
                    for asked in range(count_legs):
                        if serves[asked, i]:
                            dirty[asked] = True
                    break
                # Distance is convex along the leg and the reach linear: the ends are the worst.
                for s, x, y in ((low, x1, y1), (high, x2, y2)):
                    away = math.hypot(px - x, py - y)
                    if away > reach[leg, 0] + reach[leg, 1] * s + slack / max(1.0, away):
                        return OUT_OF_REACH, leg
                serves[leg, i], tested[leg, i] = True, True
                lows[leg, i], highs[leg, i] = low, high
    return PIECES, 0


@compiled
def largest(
    legs, points, grid, cells, edges, owner, places, place_owner, mask, clearance, tolerance, run_on, reach,
):  # fmt: skip
    """Whether some legal set of rally points exists: what :func:`settled` returns for all ``points``."""
    count_legs, count = legs.shape[0], points.shape[0]
    return settled(
        legs, points, np.ones(count, dtype=np.bool_), np.zeros((count_legs, count), dtype=np.bool_),
        np.ones(count_legs, dtype=np.bool_), np.zeros((count_legs, count), dtype=np.bool_),
        np.empty((count_legs, count)), np.empty((count_legs, count)), grid, cells, edges, owner, places,
        place_owner, mask, clearance, tolerance, run_on, reach,
    )  # fmt: skip


@compiled
def choose(
    legs, points, grid, cells, edges, owner, places, place_owner, mask, clearance, tolerance, run_on, reach, aim,
    out_leg, out_point, out_low, out_high,
):  # fmt: skip
    """The largest legal set of rally points, thinned to ``aim`` or as near to it as it goes.

    Those go first that serve the least of the legs. Writes the pieces that remain (leg, point, from, to in
    metres along the leg) and returns (status, count of pieces or number of the leg that failed).
    """
    count_legs, count = legs.shape[0], points.shape[0]
    alive = np.ones(count, dtype=np.bool_)
    serves = np.zeros((count_legs, count), dtype=np.bool_)
    dirty = np.ones(count_legs, dtype=np.bool_)
    tested = np.zeros((count_legs, count), dtype=np.bool_)
    lows, highs = np.empty((count_legs, count)), np.empty((count_legs, count))
    status, failed = settled(
        legs, points, alive, serves, dirty, tested, lows, highs, grid, cells, edges, owner, places, place_owner,
        mask, clearance, tolerance, run_on, reach,
    )  # fmt: skip
    if status != PIECES:
        return status, failed
    # From here on only the points that serve: they are few.
    number = np.empty(count, dtype=np.int64)
    left = 0
    for i in range(count):
        if serves[:, i].any():
            number[left] = i
            left += 1
    number = number[:left]
    points = points[number]
    alive = np.ones(left, dtype=np.bool_)
    serves, tested = serves[:, number], tested[:, number]
    lows, highs = lows[:, number], highs[:, number]
    essential = np.zeros(left, dtype=np.bool_)
    served = np.empty(left)
    at_once = True
    while True:
        relevant = 0
        for i in range(left):
            served[i] = 0.0
            alive[i] = False
            for leg in range(count_legs):
                if serves[leg, i]:
                    alive[i] = True
                    served[i] += highs[leg, i] - lows[leg, i]
            relevant += alive[i]
        if relevant <= aim:
            break
        go = np.zeros(left, dtype=np.bool_)
        least = -1
        if at_once:
            # Mostly the few that serve most do it alone; if not, one after the other.
            order = np.argsort(served)
            for place in range(left - aim):
                go[order[place]] = alive[order[place]]
        else:
            for i in range(left):
                if alive[i] and not essential[i] and (least < 0 or served[i] < served[least]):
                    least = i
            if least < 0:
                break
            go[least] = True
        try_alive, try_serves, try_tested = alive.copy(), serves.copy(), tested.copy()
        try_lows, try_highs = lows.copy(), highs.copy()
        for i in range(left):
            if go[i]:
                try_alive[i] = False
                for leg in range(count_legs):
                    if serves[leg, i]:
                        dirty[leg] = True
        status, failed = settled(
            legs, points, try_alive, try_serves, dirty, try_tested, try_lows, try_highs, grid, cells, edges,
            owner, places, place_owner, mask, clearance, tolerance, run_on, reach,
        )  # fmt: skip
        if status == PIECES:
            serves, tested, lows, highs = try_serves, try_tested, try_lows, try_highs
        else:
            dirty[:] = False
            if not at_once:
                # Without this one some return has nowhere legal to go.
                essential[least] = True
        at_once = False
    written = 0
    for leg in range(count_legs):
        for i in range(left):
            if serves[leg, i]:
                out_leg[written], out_point[written] = leg, number[i]
                out_low[written], out_high[written] = lows[leg, i], highs[leg, i]
                written += 1
    return PIECES, written


@inlined
def _ring_meets(rings, after, ring_end, ax, ay, bx, by, skip_one, skip_two):
    """Whether segment a→b properly meets or touches a live edge other than those at the two given corners."""
    for at in range(ring_end):
        onward = after[at]
        if onward < 0 or at in (skip_one, skip_two) or onward in (skip_one, skip_two):
            continue
        cx, cy, dx, dy = rings[at, 0], rings[at, 1], rings[onward, 0], rings[onward, 1]
        if max(cx, dx) < min(ax, bx) or min(cx, dx) > max(ax, bx):
            continue
        if max(cy, dy) < min(ay, by) or min(cy, dy) > max(ay, by):
            continue
        one, two = _cross(ax, ay, bx, by, cx, cy), _cross(ax, ay, bx, by, dx, dy)
        three, four = _cross(cx, cy, dx, dy, ax, ay), _cross(cx, cy, dx, dy, bx, by)
        if (one <= 0.0 <= two or two <= 0.0 <= one) and (three <= 0.0 <= four or four <= 0.0 <= three):
            return True
    return False


@compiled
def coarsen(
    rings, after, before, limit, grid, cells, edges, owner, places, place_owner, mask, clearance,
):  # fmt: skip
    """Take corners out of rings by adding triangles only, until ``limit`` are left or none can go.

    The region lies on the left of every ring (exterior counter-clockwise, holes clockwise). A triangle is
    added at a notch, or over an edge whose neighbours, prolonged, meet outside; never one that comes within
    ``clearance`` of a standing obstacle or meets the region elsewhere. ``after`` and ``before`` link the
    corners of each ring and are −1 for corners taken out. Returns the number of corners left.
    """
    total = rings.shape[0]
    count = 0
    for at in range(total):
        if after[at] >= 0:
            count += 1
    # What it costs to take a corner out; inf where it can't, -1 where it is not known.
    cost = np.full(total, -1.0)
    meet = np.zeros((total, 2))
    while count > limit:
        for at in range(total):
            if after[at] < 0 or cost[at] >= 0.0:
                continue
            cost[at] = np.inf
            left, right = before[at], after[at]
            if after[right] == left or right == left:
                continue
            ax, ay, vx, vy = rings[left, 0], rings[left, 1], rings[at, 0], rings[at, 1]
            bx, by = rings[right, 0], rings[right, 1]
            turn = _cross(ax, ay, vx, vy, bx, by)
            if turn <= 0.0:
                cost[at] = -0.5 * turn
                continue
            further = after[right]
            cx, cy = rings[further, 0], rings[further, 1]
            if _cross(vx, vy, bx, by, cx, cy) <= 0.0 or after[further] == left:
                continue
            # The edge before, prolonged forwards, and the edge after, prolonged backwards.
            px, py, qx, qy = vx - ax, vy - ay, bx - cx, by - cy
            slant = px * qy - py * qx
            if slant <= 1e-9:
                continue
            share = ((bx - vx) * qy - (by - vy) * qx) / slant
            if share <= 0.0:
                continue
            meet[at, 0], meet[at, 1] = vx + share * px, vy + share * py
            cost[at] = 0.5 * abs(_cross(vx, vy, meet[at, 0], meet[at, 1], bx, by))
        best = 0
        for at in range(total):
            if after[at] >= 0 and (after[best] < 0 or cost[at] < cost[best]):
                best = at
        if after[best] < 0 or cost[best] == np.inf:
            return count
        left, right = before[best], after[best]
        ax, ay, vx, vy = rings[left, 0], rings[left, 1], rings[best, 0], rings[best, 1]
        bx, by = rings[right, 0], rings[right, 1]
        notch = _cross(ax, ay, vx, vy, bx, by) <= 0.0
        if notch:
            bad = (
                _ring_meets(rings, after, total, ax, ay, bx, by, left, right)
                or _segment_blocked(grid, cells, edges, owner, mask, clearance, ax, ay, bx, by)
                or _holds_a_place(places, place_owner, mask, ax, ay, vx, vy, bx, by)
            )
        else:
            mx, my = meet[best, 0], meet[best, 1]
            bad = (
                _ring_meets(rings, after, total, vx, vy, mx, my, best, best)
                or _ring_meets(rings, after, total, mx, my, bx, by, right, right)
                or _segment_blocked(grid, cells, edges, owner, mask, clearance, vx, vy, mx, my)
                or _segment_blocked(grid, cells, edges, owner, mask, clearance, mx, my, bx, by)
                or _holds_a_place(places, place_owner, mask, vx, vy, mx, my, bx, by)
            )
        if bad:
            cost[best] = np.inf
            continue
        if not notch:
            # The corner moves to where the prolonged edges meet, and its neighbour goes.
            rings[best, 0], rings[best, 1] = meet[best, 0], meet[best, 1]
            gone, keep = right, best
        else:
            gone, keep = best, left
        after[before[gone]] = after[gone]
        before[after[gone]] = before[gone]
        after[gone], before[gone] = -1, -1
        count -= 1
        # Whoever saw one of these corners has to think again.
        at = before[before[keep]]
        for _ in range(5):
            cost[at] = -1.0
            at = after[at]
    return count
