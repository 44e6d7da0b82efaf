"""How long straight legs take: corner speeds, acceleration, stopping.

A multirotor takes a corner on an arc that passes the waypoint within the acceptance radius e. For a
turn by angle φ that arc's radius is R = e·cos(φ/2) / (1 − cos(φ/2)), and the lateral acceleration
limits the speed on it to √(a·R). Between corners the speed is a trapezoid.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

XY = tuple[float, float]


def corner_speed_m_s(turn_rad: float, acceptance_radius_m: float, acceleration_m_s2: float) -> float:
    """Largest speed through a corner that turns by ``turn_rad`` (0: straight on); inf when straight."""
    cosine = math.cos(min(abs(turn_rad), math.pi) / 2.0)
    if cosine >= 1.0 - 1e-12:
        return math.inf
    return math.sqrt(acceleration_m_s2 * acceptance_radius_m * cosine / (1.0 - cosine))


def turn_rad(before: XY, after: XY) -> float:
    """Angle between two directions (unit vectors), 0…π."""
    cross = before[0] * after[1] - before[1] * after[0]
    dot = before[0] * after[0] + before[1] * after[1]
    return abs(math.atan2(cross, dot))


def speeds_at_corners_m_s(
    lengths_m: Sequence[float],
    cruise_m_s: Sequence[float],
    corners_m_s: Sequence[float],
    acceleration_m_s2: float,
) -> list[float]:
    """Speeds at the n + 1 ends of n legs, starting and ending at rest.

    ``corners_m_s`` are the n − 1 limits between legs. Two passes make every speed reachable by
    accelerating from the one before and stoppable for the one after.
    """
    count = len(lengths_m)
    speeds = [0.0] * (count + 1)
    for index in range(1, count):
        reachable = math.sqrt(speeds[index - 1] ** 2 + 2.0 * acceleration_m_s2 * lengths_m[index - 1])
        speeds[index] = min(corners_m_s[index - 1], cruise_m_s[index - 1], cruise_m_s[index], reachable)
    for index in range(count - 1, 0, -1):
        stoppable = math.sqrt(speeds[index + 1] ** 2 + 2.0 * acceleration_m_s2 * lengths_m[index])
        speeds[index] = min(speeds[index], stoppable)
    return speeds


def leg_time_s(
    length_m: float, start_m_s: float, end_m_s: float, cruise_m_s: float, acceleration_m_s2: float
) -> tuple[float, float]:
    """Duration of a leg and the highest speed on it: accelerate, cruise, brake."""
    peak_square = (start_m_s**2 + end_m_s**2) / 2.0 + acceleration_m_s2 * length_m
    peak_m_s = min(cruise_m_s, math.sqrt(peak_square))
    peak_m_s = max(peak_m_s, start_m_s, end_m_s)
    accelerating_m = (peak_m_s**2 - start_m_s**2) / (2.0 * acceleration_m_s2)
    braking_m = (peak_m_s**2 - end_m_s**2) / (2.0 * acceleration_m_s2)
    level_m = max(0.0, length_m - accelerating_m - braking_m)
    duration_s = (2.0 * peak_m_s - start_m_s - end_m_s) / acceleration_m_s2
    if level_m > 0.0:
        duration_s += level_m / peak_m_s
    return duration_s, peak_m_s


def vertical_time_s(height_m: float, rate_m_s: float, acceleration_m_s2: float) -> float:
    """Duration of a vertical move from rest to rest."""
    return leg_time_s(abs(height_m), 0.0, 0.0, rate_m_s, acceleration_m_s2)[0] if height_m else 0.0
