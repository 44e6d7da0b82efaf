"""The arithmetic of a cruise, compiled: wind triangle, corners, acceleration, power.

*Wind.* Ground speed along a straight track at constant airspeed v: v_g = w∥ + √(v² − w⊥²), with w∥ the
wind along the track and w⊥ across it; limited to the airframe's largest ground speed.

*Corners.* A multirotor takes a corner on an arc that passes the waypoint within the acceptance radius e. For
a turn by angle φ that arc's radius is R = e·cos(φ/2) / (1 − cos(φ/2)), and the lateral acceleration limits
the speed on it to √(a·R). Between corners the speed is a trapezoid.

*Power.* See :mod:`planner.energy`.

SI units throughout; tracks are (east, north).
"""

# The compiler infers types from the arguments; the docstrings say what they are.
# mypy: allow-untyped-defs, allow-incomplete-defs, no-check-untyped-defs

from __future__ import annotations

import math

import numpy as np

from planner.search.compiled import compiled, inlined

# Columns of what cruise() writes.
LENGTH, GROUND, DURATION, JOULES, LIMITED = 0, 1, 2, 3, 4
COLUMNS = 5


@inlined
def ground_speed_m_s(track_x, track_y, wind_x, wind_y, airspeed):
    """Ground speed along the unit vector (track_x, track_y), or nan where the track can't be held."""
    along = track_x * wind_x + track_y * wind_y
    across = track_x * wind_y - track_y * wind_x
    rest = airspeed * airspeed - across * across
    if rest < 0.0:
        return math.nan
    speed = along + math.sqrt(rest)
    return speed if speed > 0.0 else math.nan


@inlined
def airspeed_for_m_s(track_x, track_y, wind_x, wind_y, ground):
    """The airspeed that a ground speed along a track costs."""
    return math.hypot(track_x * ground - wind_x, track_y * ground - wind_y)


@inlined
def corner_speed_m_s(cosine_of_turn, acceptance_radius, acceleration):
    """Largest speed through a corner, from the cosine of its turn (1: straight on); inf when straight."""
    # cos(φ/2) from cos φ.
    cosine = math.sqrt(min(1.0, max(0.0, 0.5 * (1.0 + cosine_of_turn))))
    if cosine >= 1.0 - 1e-12:
        return math.inf
    return math.sqrt(acceleration * acceptance_radius * cosine / (1.0 - cosine))


@inlined
def leg_time_s(length, start, end, cruise, acceleration):
    """(Duration, highest speed) of a leg between two speeds: accelerate, cruise, brake."""
    peak = min(cruise, math.sqrt((start * start + end * end) / 2.0 + acceleration * length))
    peak = max(peak, start, end)
    accelerating = (peak * peak - start * start) / (2.0 * acceleration)
    braking = (peak * peak - end * end) / (2.0 * acceleration)
    level = max(0.0, length - accelerating - braking)
    duration = (2.0 * peak - start - end) / acceleration
    if level > 0.0:
        duration += level / peak
    return duration, peak


@inlined
def speeds_at_ends_m_s(lengths, cruise, corners, acceleration):
    """Speeds at the n + 1 ends of n legs, at rest at first and last; ``corners`` limits the n − 1 between.

    Two passes make every speed reachable by accelerating from the one before and stoppable for the one
    after.
    """
    count = len(lengths)
    speeds = np.zeros(count + 1)
    for i in range(1, count):
        reachable = math.sqrt(speeds[i - 1] ** 2 + 2.0 * acceleration * lengths[i - 1])
        speeds[i] = min(corners[i - 1], cruise[i - 1], cruise[i], reachable)
    for i in range(count - 1, 0, -1):
        speeds[i] = min(speeds[i], math.sqrt(speeds[i + 1] ** 2 + 2.0 * acceleration * lengths[i]))
    return speeds


@inlined
def level_power_w(rotor, airspeed):
    """Battery power in level flight; ``rotor`` is as :func:`planner.energy.rotor_at` makes it."""
    profile, induced, tip, v0, half_rho_area, efficiency, avionics = (
        rotor[0], rotor[1], rotor[2], rotor[3], rotor[4], rotor[5], rotor[6],
    )  # fmt: skip
    square = airspeed * airspeed
    slip = square / (2.0 * v0 * v0)
    # √(√(1+x²) − x), written so that it doesn't cancel at high speed.
    factor = math.sqrt(1.0 / (math.sqrt(1.0 + slip * slip) + slip))
    mechanical = profile * (1.0 + 3.0 * square / (tip * tip)) + induced * factor
    return (mechanical + half_rho_area * square * airspeed) / efficiency + avionics


@compiled
def cruise(points, wind_x, wind_y, airspeed, ground_max, acceleration, acceptance_radius, rotor, mass):
    """A row for every leg through ``points`` (n, 2), at rest at both ends; an empty table where the wind wins.

    Columns: length, ground speed, duration, joules from the battery, limited. Accelerating over ground costs
    kinetic energy, braking gives nothing back.
    """
    count = points.shape[0] - 1
    table = np.empty((count, COLUMNS))
    tracks = np.empty((count, 2))
    calm_hover = level_power_w(rotor, 0.0)
    hover = max(calm_hover, level_power_w(rotor, math.hypot(wind_x, wind_y)))
    for i in range(count):
        dx, dy = points[i + 1, 0] - points[i, 0], points[i + 1, 1] - points[i, 1]
        length = math.hypot(dx, dy)
        tracks[i, 0], tracks[i, 1] = (dx / length, dy / length) if length > 0.0 else (0.0, 1.0)
        speed = ground_speed_m_s(tracks[i, 0], tracks[i, 1], wind_x, wind_y, airspeed)
        if math.isnan(speed):
            return np.empty((0, COLUMNS))
        table[i, LENGTH], table[i, GROUND] = length, min(speed, ground_max)
        table[i, LIMITED] = 1.0 if speed > ground_max else 0.0
    corners = np.empty(max(0, count - 1))
    for i in range(count - 1):
        cosine = tracks[i, 0] * tracks[i + 1, 0] + tracks[i, 1] * tracks[i + 1, 1]
        corners[i] = corner_speed_m_s(cosine, acceptance_radius, acceleration)
    speeds = speeds_at_ends_m_s(table[:, LENGTH], table[:, GROUND], corners, acceleration)
    for i in range(count):
        ground = table[i, GROUND]
        duration, peak = leg_time_s(table[i, LENGTH], speeds[i], speeds[i + 1], ground, acceleration)
        air = airspeed_for_m_s(tracks[i, 0], tracks[i, 1], wind_x, wind_y, ground)
        watts = level_power_w(rotor, air)
        if peak < ground:
            # Short legs never reach their cruise; slow flight may cost more than cruise does.
            watts = max(watts, hover)
        kinetic = 0.5 * mass * max(0.0, peak * peak - speeds[i] * speeds[i]) / rotor[5]
        table[i, DURATION], table[i, JOULES] = duration, watts * duration + kinetic
    return table
