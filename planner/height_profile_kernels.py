"""The compiled part of :mod:`planner.height_profile`: shortest path among corners in the plane of way and height."""

# The compiler infers types from the arguments; the docstrings say what they are.
# mypy: allow-untyped-defs, allow-incomplete-defs, no-check-untyped-defs

from __future__ import annotations

import math

import numpy as np

from planner.search.compiled import compiled, inlined

ROUNDING_M = 1e-6


@inlined
def blocked_at(cuts, first, low, high, from_cut, from_m, to_cut, to_m):
    """The stretch that a straight line between heights at two cuts can't pass, or −1 where it passes all."""
    start, span = cuts[from_cut], cuts[to_cut] - cuts[from_cut]
    before = from_m
    for k in range(from_cut, to_cut):
        after = from_m + (to_m - from_m) * (cuts[k + 1] - start) / span
        bottom, top = min(before, after) + ROUNDING_M, max(before, after) - ROUNDING_M
        held = False
        for b in range(first[k], first[k + 1]):
            if low[b] <= bottom and top <= high[b]:
                held = True
                break
        if not held:
            return k
        before = after
    return -1


@compiled
def cheapest(cuts, first, low, high, node_cut, node_m, slope, start_cost, end_cost, climb_cost, corner_cost):
    """(Predecessor of every node, the cheapest end node or −1, the furthest stretch that was entered).

    ``cuts`` (n + 1) ascend along the way; the free heights of stretch k are the bands ``first[k]`` up to
    ``first[k + 1]`` of ``low`` and ``high``. Nodes ascend by cut; those at cut 0 begin, those at cut n end.
    Costs are for each metre of height at the beginning, at the end, of climb between, and for each corner.
    """
    count, last_cut = len(node_cut), len(cuts) - 1
    best = np.full(count, math.inf)
    before = np.full(count, -1, dtype=np.int64)
    furthest = 0
    end = -1
    for j in range(count):
        if node_cut[j] == 0:
            best[j] = start_cost * node_m[j]
            continue
        for i in range(j):
            if node_cut[i] == node_cut[j] or best[i] == math.inf:
                continue
            rise = node_m[j] - node_m[i]
            if abs(rise) > slope * (cuts[node_cut[j]] - cuts[node_cut[i]]) + ROUNDING_M:
                continue
            cost = best[i] + corner_cost + climb_cost * abs(rise)
            if cost >= best[j]:
                continue
            blocked = blocked_at(cuts, first, low, high, node_cut[i], node_m[i], node_cut[j], node_m[j])
            if blocked < 0:
                best[j], before[j] = cost, i
                furthest = max(furthest, node_cut[j])
            else:
                furthest = max(furthest, blocked)
        if node_cut[j] == last_cut:
            best[j] += end_cost * node_m[j]
            if end < 0 or best[j] < best[end]:
                end = j
    if end >= 0 and best[end] == math.inf:
        end = -1
    return before, end, furthest
