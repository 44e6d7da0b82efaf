"""Flat polygons in local metres (north, east): inside or not, and how far from the edge."""

from __future__ import annotations

import math

Ring = tuple[tuple[float, float], ...]


def inside(ring: Ring, north: float, east: float) -> bool:
    """Even-odd rule."""
    result = False
    previous_n, previous_e = ring[-1]
    for vertex_n, vertex_e in ring:
        if (vertex_n > north) != (previous_n > north):
            crossing_e = vertex_e + (north - vertex_n) * (previous_e - vertex_e) / (previous_n - vertex_n)
            if east < crossing_e:
                result = not result
        previous_n, previous_e = vertex_n, vertex_e
    return result


def distance_to_ring(ring: Ring, north: float, east: float) -> float:
    """Metres to the nearest point of the edge."""
    best = math.inf
    previous_n, previous_e = ring[-1]
    for vertex_n, vertex_e in ring:
        along_n, along_e = vertex_n - previous_n, vertex_e - previous_e
        length_sq = along_n * along_n + along_e * along_e
        share = 0.0
        if length_sq > 0:
            share = ((north - previous_n) * along_n + (east - previous_e) * along_e) / length_sq
            share = min(max(share, 0.0), 1.0)
        best = min(
            best, math.hypot(north - previous_n - share * along_n, east - previous_e - share * along_e)
        )
        previous_n, previous_e = vertex_n, vertex_e
    return best
