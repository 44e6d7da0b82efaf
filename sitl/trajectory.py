"""Jerk-limited motion along one straight leg: start speed → cruise → rest.

ArduCopter (since 4.1) flies waypoints on S-curves and blends the end of one leg with the start of the
next; the timing of a flight is mostly decided here. A leg is seven phases (jerk up, constant
acceleration, jerk down, cruise and the mirror image); the finite rise time of the jerk itself
(«snap») is modelled by averaging the profile with its copy ``jerk_rise_s`` later.

A leg lives in one row of numbers so that the physics kernel can evaluate it for a whole fleet.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit

FloatRow = npt.NDArray[np.float64]

# Columns of a leg row.
(
    L_ACTIVE,
    L_NORTH,
    L_EAST,
    L_UP,
    L_LENGTH,
    L_JERK,
    L_START_SPEED,
    L_CRUISE_SPEED,
    L_RISE_JERK_S,
    L_RISE_CONST_S,
    L_CRUISE_S,
    L_FALL_JERK_S,
    L_FALL_CONST_S,
    L_JERK_RISE_S,
    L_TOTAL_S,
    L_TIME_S,
) = range(16)
LEG_COLUMNS = 16


@njit(cache=True, error_model="numpy")
def _ramp_times(change: float, acceleration: float, jerk: float) -> tuple[float, float]:
    """(jerk phase, constant phase) seconds of a jerk-limited speed change of ``change`` m/s."""
    if change <= 0.0:
        return 0.0, 0.0
    if change * jerk <= acceleration * acceleration:
        return math.sqrt(change / jerk), 0.0
    return acceleration / jerk, change / acceleration - acceleration / jerk


@njit(cache=True, error_model="numpy")
def _ramp(
    time_s: float, from_speed: float, sign: float, jerk: float, jerk_s: float, const_s: float
) -> tuple[float, float, float]:
    """Distance, speed, acceleration after ``time_s`` of a ramp that starts at ``from_speed``."""
    if time_s <= 0.0:
        return 0.0, from_speed, 0.0
    peak = jerk * jerk_s
    if time_s < jerk_s:
        a = jerk * time_s
        v = 0.5 * jerk * time_s * time_s
        s = jerk * time_s * time_s * time_s / 6.0
    elif time_s < jerk_s + const_s:
        t = time_s - jerk_s
        v1 = 0.5 * jerk * jerk_s * jerk_s
        a = peak
        v = v1 + peak * t
        s = jerk * jerk_s**3 / 6.0 + v1 * t + 0.5 * peak * t * t
    else:
        total = 2.0 * jerk_s + const_s
        change = peak * (jerk_s + const_s)
        left = total - time_s
        if left < 0.0:
            left = 0.0
        a = jerk * left
        v = change - 0.5 * jerk * left * left
        # A ramp is symmetric about its middle: distance = half the total plus what is mirrored.
        s = change * total / 2.0 - (change * left - jerk * left * left * left / 6.0)
        if time_s > total:
            s += change * (time_s - total)
    return from_speed * time_s + sign * s, from_speed + sign * v, sign * a


@njit(cache=True, error_model="numpy")
def _profile(time_s: float, leg: FloatRow) -> tuple[float, float, float]:
    jerk = leg[L_JERK]
    rise = 2.0 * leg[L_RISE_JERK_S] + leg[L_RISE_CONST_S]
    fall = 2.0 * leg[L_FALL_JERK_S] + leg[L_FALL_CONST_S]
    v0 = leg[L_START_SPEED]
    vp = leg[L_CRUISE_SPEED]
    if time_s <= 0.0:
        return 0.0, v0, 0.0
    if time_s < rise:
        sign = 1.0 if vp >= v0 else -1.0
        return _ramp(time_s, v0, sign, jerk, leg[L_RISE_JERK_S], leg[L_RISE_CONST_S])
    if time_s < rise + leg[L_CRUISE_S]:
        return 0.5 * (v0 + vp) * rise + vp * (time_s - rise), vp, 0.0
    left = rise + leg[L_CRUISE_S] + fall - time_s
    if left <= 0.0:
        return leg[L_LENGTH], 0.0, 0.0
    s, v, a = _ramp(left, 0.0, 1.0, jerk, leg[L_FALL_JERK_S], leg[L_FALL_CONST_S])
    return leg[L_LENGTH] - s, v, -a


@njit(cache=True, error_model="numpy")
def leg_state(time_s: float, leg: FloatRow) -> tuple[float, float, float]:
    """Distance along the leg (m), speed (m/s) and acceleration (m/s²) ``time_s`` after its start."""
    lag = leg[L_JERK_RISE_S]
    s1, v1, a1 = _profile(time_s, leg)
    if lag <= 0.0:
        return s1, v1, a1
    s2, v2, a2 = _profile(time_s - lag, leg)
    return 0.5 * (s1 + s2), 0.5 * (v1 + v2), 0.5 * (a1 + a2)


@njit(cache=True, error_model="numpy")
def plan_leg(
    leg: FloatRow,
    north_m: float,
    east_m: float,
    up_m: float,
    start_speed_m_s: float,
    speed_m_s: float,
    acceleration_m_s2: float,
    jerk_m_s3: float,
    jerk_rise_s: float,
) -> None:
    """Fill ``leg`` with the fastest profile over the displacement (north, east, up) that ends at rest.

    A leg that starts in motion has no jerk rise time: its delayed copy would lag behind for ever.
    """
    length = math.sqrt(north_m * north_m + east_m * east_m + up_m * up_m)
    leg[:] = 0.0
    leg[L_LENGTH] = length
    leg[L_JERK] = jerk_m_s3
    lag = jerk_rise_s if start_speed_m_s <= 0.0 else 0.0
    leg[L_JERK_RISE_S] = lag
    leg[L_ACTIVE] = 1.0
    if length < 1e-6:
        return
    leg[L_NORTH] = north_m / length
    leg[L_EAST] = east_m / length
    leg[L_UP] = up_m / length
    v0 = start_speed_m_s
    vp = speed_m_s
    low = 0.0
    high = max(speed_m_s, v0)
    for attempt in range(60):
        rise_j, rise_c = _ramp_times(abs(vp - v0), acceleration_m_s2, jerk_m_s3)
        fall_j, fall_c = _ramp_times(vp, acceleration_m_s2, jerk_m_s3)
        ramps = 0.5 * (v0 + vp) * (2.0 * rise_j + rise_c) + 0.5 * vp * (2.0 * fall_j + fall_c)
        if ramps <= length:
            if attempt == 0 or high - low < 1e-9:
                break
            low = vp
        else:
            high = vp
        if attempt == 59:
            break
        vp = 0.5 * (low + high)
    cruise = max(0.0, (length - ramps) / vp) if vp > 1e-9 else 0.0
    leg[L_START_SPEED] = v0
    leg[L_CRUISE_SPEED] = vp
    leg[L_RISE_JERK_S] = rise_j
    leg[L_RISE_CONST_S] = rise_c
    leg[L_FALL_JERK_S] = fall_j
    leg[L_FALL_CONST_S] = fall_c
    leg[L_CRUISE_S] = cruise
    leg[L_TOTAL_S] = 2.0 * (rise_j + fall_j) + rise_c + fall_c + cruise + lag


@njit(cache=True, error_model="numpy")
def corner_overlap_s(
    leg: FloatRow, following: FloatRow, radius_m: float, corner_acceleration_m_s2: float
) -> float:
    """How long before its end ``leg`` may overlap with the start of ``following``.

    The largest overlap for which, half-way through it, the blended point is within ``radius_m`` of the
    waypoint, no faster than either leg's cruise, and accelerates no more than the cornering limit; and
    which stays within the braking phase of one leg and the speeding-up phase of the other.
    """
    lag = leg[L_JERK_RISE_S]
    fall = 2.0 * leg[L_FALL_JERK_S] + leg[L_FALL_CONST_S] + lag
    rise = 2.0 * following[L_RISE_JERK_S] + following[L_RISE_CONST_S] + lag
    limit = min(fall, rise, following[L_TOTAL_S] * 0.5)
    speed_limit = min(leg[L_CRUISE_SPEED], following[L_CRUISE_SPEED]) + 1e-6
    best = 0.0
    steps = 40
    for step in range(1, steps + 1):
        overlap = limit * step / steps
        s1, v1, a1 = leg_state(leg[L_TOTAL_S] - overlap * 0.5, leg)
        s2, v2, a2 = leg_state(overlap * 0.5, following)
        gap = s1 - leg[L_LENGTH]
        pn = leg[L_NORTH] * gap + following[L_NORTH] * s2
        pe = leg[L_EAST] * gap + following[L_EAST] * s2
        pu = leg[L_UP] * gap + following[L_UP] * s2
        vn = leg[L_NORTH] * v1 + following[L_NORTH] * v2
        ve = leg[L_EAST] * v1 + following[L_EAST] * v2
        an = leg[L_NORTH] * a1 + following[L_NORTH] * a2
        ae = leg[L_EAST] * a1 + following[L_EAST] * a2
        if math.sqrt(pn * pn + pe * pe + pu * pu) > radius_m:
            break
        if math.hypot(vn, ve) > speed_limit or math.hypot(an, ae) > corner_acceleration_m_s2:
            break
        best = overlap
    return best
