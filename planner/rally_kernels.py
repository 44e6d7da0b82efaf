"""Compiled kernels around the choice of rally points: which refuges are offered, and what returns sweep over.

Metres in float64, in a space's frame.
"""

# The compiler infers types from the arguments; the docstrings say what they are.
# mypy: allow-untyped-defs, allow-incomplete-defs, no-check-untyped-defs

from __future__ import annotations

import math

import numpy as np

from planner.search.compiled import compiled


@compiled
def beside(places, fit, legs, near):
    """Numbers of the ``places`` (n, 2) that are ``fit`` and within ``near`` of the box around some leg (k, 4)."""
    found = np.empty(places.shape[0], dtype=np.int64)
    count = 0
    for i in range(places.shape[0]):
        if not fit[i]:
            continue
        x, y = places[i, 0], places[i, 1]
        for leg in range(legs.shape[0]):
            if (
                x >= min(legs[leg, 0], legs[leg, 2]) - near
                and x <= max(legs[leg, 0], legs[leg, 2]) + near
                and y >= min(legs[leg, 1], legs[leg, 3]) - near
                and y <= max(legs[leg, 1], legs[leg, 3]) + near
            ):
                found[count] = i
                count += 1
                break
    return found[:count]


@compiled
def within_reach(legs, candidates, reach, margin):
    """Numbers of the ``candidates`` (n, 2) in the box around all legs, widened by the furthest that a return may be
    from any of them (``reach``: at the leg's start, and its change for each metre) and ``margin``."""
    furthest = 0.0
    west, south, east, north = math.inf, math.inf, -math.inf, -math.inf
    for leg in range(legs.shape[0]):
        ax, ay, bx, by = legs[leg, 0], legs[leg, 1], legs[leg, 2], legs[leg, 3]
        west, east = min(west, ax, bx), max(east, ax, bx)
        south, north = min(south, ay, by), max(north, ay, by)
        furthest = max(furthest, reach[leg, 0] + max(0.0, reach[leg, 1] * math.hypot(bx - ax, by - ay)))
    room = furthest + margin
    found = np.empty(candidates.shape[0], dtype=np.int64)
    count = 0
    for i in range(candidates.shape[0]):
        x, y = candidates[i, 0], candidates[i, 1]
        if west - room <= x <= east + room and south - room <= y <= north + room:
            found[count] = i
            count += 1
    return found[:count]


@compiled
def swept(legs, candidates, leg, point, low, high):
    """Triangles (n, 3, 2) of the returns from pieces of legs (from ``low`` to ``high`` metres along each) to a
    candidate."""
    out = np.empty((leg.shape[0], 3, 2))
    for i in range(leg.shape[0]):
        ax, ay = legs[leg[i], 0], legs[leg[i], 1]
        dx, dy = legs[leg[i], 2] - ax, legs[leg[i], 3] - ay
        length = math.hypot(dx, dy)
        ux, uy = (dx / length, dy / length) if length > 0.0 else (1.0, 0.0)
        out[i, 0, 0], out[i, 0, 1] = ax + ux * low[i], ay + uy * low[i]
        out[i, 1, 0], out[i, 1, 1] = ax + ux * high[i], ay + uy * high[i]
        out[i, 2, 0], out[i, 2, 1] = candidates[point[i], 0], candidates[point[i], 1]
    return out
