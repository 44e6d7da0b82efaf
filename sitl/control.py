"""The position controllers (kernels): from waypoints and set-points to wanted lean and thrust.

Structure and default gains are ArduCopter's (position P → velocity PID → lean), because its limits decide
flight times. Local north, east, up; metres, seconds, radians.
"""

from __future__ import annotations

import math

from numba import njit

from sitl.airframe import GRAVITY_M_S2
from sitl.columns import (
    A_YAW_RATE_MAX,
    C_ACCELERATION_XY,
    C_ACCELERATION_Z,
    C_CORNER_OVERLAP_S,
    C_EAST,
    C_JERK_XY,
    C_LEAN_MAX_RAD,
    C_NORTH,
    C_ORIGIN_EAST,
    C_ORIGIN_NORTH,
    C_ORIGIN_UP,
    C_POSITION_ERROR_EAST,
    C_POSITION_ERROR_NORTH,
    C_POSITION_ERROR_UP,
    C_SPEED_DOWN,
    C_SPEED_SCALE,
    C_SPEED_UP,
    C_SPEED_XY,
    C_UP,
    C_VEL_EAST,
    C_VEL_NORTH,
    C_VEL_UP,
    C_WAYPOINT_RADIUS_M,
    C_XY_MODE,
    C_YAW,
    C_YAW_FOLLOWS_TRACK,
    C_Z_MODE,
    S_ACC_UP,
    S_EAST,
    S_INTEGRAL_EAST,
    S_INTEGRAL_NORTH,
    S_INTEGRAL_UP,
    S_LEAN_EAST,
    S_LEAN_LIMITED,
    S_LEAN_NORTH,
    S_NORTH,
    S_REACHED,
    S_SPEED_SCALE,
    S_TARGET_ACC_EAST,
    S_TARGET_ACC_NORTH,
    S_TARGET_ACC_UP,
    S_TARGET_EAST,
    S_TARGET_NORTH,
    S_TARGET_UP,
    S_TARGET_VEL_EAST,
    S_TARGET_VEL_NORTH,
    S_TARGET_VEL_UP,
    S_TRACK_SCALE,
    S_UP,
    S_VEL_EAST,
    S_VEL_NORTH,
    S_VEL_UP,
    S_YAW,
    TICK_S,
    XY_POINT,
    Z_HEIGHT,
    FloatArray,
)
from sitl.trajectory import L_ACTIVE, L_LENGTH, L_TIME_S, L_TOTAL_S, leg_state

# ArduCopter's default controller gains (AC_PosControl, copter): position 1/s, velocity 1/s, 1/s².
_POSITION_P = 1.0
_VELOCITY_P = 2.0
_VELOCITY_I = 1.0
_INTEGRAL_MAX = 10.0
_HEIGHT_P = 1.0
_CLIMB_P = 5.0
_VERTICAL_I = 2.5
_TRACK_MARGIN = 0.05


@njit(cache=True, error_model="numpy")
def _approach_speed(error: float, gain: float, acceleration: float, limit: float) -> float:
    """Speed to close ``error``: proportional near the target, √(2·a·d) far away, limited."""
    distance = abs(error)
    knee = acceleration / (gain * gain)
    if distance <= knee:
        speed = gain * distance
    else:
        speed = math.sqrt(2.0 * acceleration * (distance - 0.5 * knee))
    if speed > limit:
        speed = limit
    return speed if error >= 0.0 else -speed


@njit(cache=True, error_model="numpy")
def advance_legs(s: FloatArray, c: FloatArray, legs: FloatArray) -> None:
    """Move the target along the previous, this and the next leg; slow down where the vehicle lags."""
    # The autopilot only knows where it believes to be.
    north = s[S_NORTH] + c[C_POSITION_ERROR_NORTH]
    east = s[S_EAST] + c[C_POSITION_ERROR_EAST]
    up = s[S_UP] + c[C_POSITION_ERROR_UP]
    tn = s[S_TARGET_VEL_NORTH]
    te = s[S_TARGET_VEL_EAST]
    tu = s[S_TARGET_VEL_UP]
    target_speed = math.sqrt(tn * tn + te * te + tu * tu)
    wanted = 1.0
    if target_speed > 1e-6:
        lag = (
            (s[S_TARGET_NORTH] - north) * tn + (s[S_TARGET_EAST] - east) * te + (s[S_TARGET_UP] - up) * tu
        ) / target_speed
        along = (s[S_VEL_NORTH] * tn + s[S_VEL_EAST] * te + s[S_VEL_UP] * tu) / target_speed
        wanted = min(max(_TRACK_MARGIN + (along - _POSITION_P * lag) / target_speed, 0.0), 1.0)
    s[S_TRACK_SCALE] += (wanted - s[S_TRACK_SCALE]) * TICK_S * c[C_JERK_XY] / c[C_ACCELERATION_XY]
    step_max = c[C_ACCELERATION_XY] / max(c[C_SPEED_XY], 0.2) * TICK_S
    s[S_SPEED_SCALE] += min(max(c[C_SPEED_SCALE] - s[S_SPEED_SCALE], -step_max), step_max)
    scale = s[S_SPEED_SCALE]
    step = TICK_S * s[S_TRACK_SCALE] * scale

    pn = c[C_ORIGIN_NORTH]
    pe = c[C_ORIGIN_EAST]
    pu = c[C_ORIGIN_UP]
    vn = ve = vu = an = ae = au = 0.0
    for index in range(3):
        leg = legs[index]
        if leg[L_ACTIVE] == 0.0:
            continue
        if index == 2:
            # The next leg starts within the overlap that was found legal at this corner.
            this = legs[1]
            if leg[L_TIME_S] == 0.0 and this[L_TIME_S] < this[L_TOTAL_S] - c[C_CORNER_OVERLAP_S]:
                continue
        leg[L_TIME_S] = min(leg[L_TIME_S] + step, leg[L_TOTAL_S])
        distance, speed, acceleration = leg_state(leg[L_TIME_S], leg)
        if index == 0:
            distance -= leg[L_LENGTH]
        pn += leg[1] * distance
        pe += leg[2] * distance
        pu += leg[3] * distance
        vn += leg[1] * speed
        ve += leg[2] * speed
        vu += leg[3] * speed
        an += leg[1] * acceleration
        ae += leg[2] * acceleration
        au += leg[3] * acceleration
    s[S_TARGET_NORTH] = pn
    s[S_TARGET_EAST] = pe
    s[S_TARGET_UP] = pu
    s[S_TARGET_VEL_NORTH] = vn * scale
    s[S_TARGET_VEL_EAST] = ve * scale
    s[S_TARGET_VEL_UP] = vu * scale
    s[S_TARGET_ACC_NORTH] = an * scale * scale
    s[S_TARGET_ACC_EAST] = ae * scale * scale
    s[S_TARGET_ACC_UP] = au * scale * scale

    this = legs[1]
    following = legs[2]
    finished = this[L_TIME_S] >= this[L_TOTAL_S]
    if following[L_ACTIVE] != 0.0:
        # A fast waypoint counts once the next leg is further than this one has left to go.
        if finished or (
            following[L_TIME_S] > 0.0 and following[L_TIME_S] >= this[L_TOTAL_S] - this[L_TIME_S]
        ):
            s[S_REACHED] = 1.0
    elif finished:
        dn = c[C_ORIGIN_NORTH] + this[1] * this[L_LENGTH] - north
        de = c[C_ORIGIN_EAST] + this[2] * this[L_LENGTH] - east
        du = c[C_ORIGIN_UP] + this[3] * this[L_LENGTH] - up
        if dn * dn + de * de + du * du <= c[C_WAYPOINT_RADIUS_M] ** 2:
            s[S_REACHED] = 1.0


@njit(cache=True, error_model="numpy")
def shape_horizontal(s: FloatArray, c: FloatArray) -> None:
    """Target for point and velocity modes: acceleration-limited change of the target's own velocity."""
    limit = c[C_ACCELERATION_XY]
    if c[C_XY_MODE] == XY_POINT:
        dn = c[C_NORTH] - s[S_TARGET_NORTH]
        de = c[C_EAST] - s[S_TARGET_EAST]
        distance = math.sqrt(dn * dn + de * de)
        speed = _approach_speed(distance, _POSITION_P, limit * 0.5, c[C_SPEED_XY])
        wn = dn / distance * speed if distance > 1e-6 else 0.0
        we = de / distance * speed if distance > 1e-6 else 0.0
    else:
        wn = c[C_VEL_NORTH]
        we = c[C_VEL_EAST]
    # The target must not run away from a vehicle that cannot follow.
    behind_n = s[S_TARGET_NORTH] - s[S_NORTH] - c[C_POSITION_ERROR_NORTH]
    behind_e = s[S_TARGET_EAST] - s[S_EAST] - c[C_POSITION_ERROR_EAST]
    lag = math.sqrt(behind_n * behind_n + behind_e * behind_e)
    if lag > 5.0:
        wn *= 5.0 / lag
        we *= 5.0 / lag
    an = (wn - s[S_TARGET_VEL_NORTH]) / 0.5
    ae = (we - s[S_TARGET_VEL_EAST]) / 0.5
    size = math.sqrt(an * an + ae * ae)
    if size > limit:
        an *= limit / size
        ae *= limit / size
    s[S_TARGET_ACC_NORTH] = an
    s[S_TARGET_ACC_EAST] = ae
    s[S_TARGET_VEL_NORTH] += an * TICK_S
    s[S_TARGET_VEL_EAST] += ae * TICK_S
    s[S_TARGET_NORTH] += s[S_TARGET_VEL_NORTH] * TICK_S
    s[S_TARGET_EAST] += s[S_TARGET_VEL_EAST] * TICK_S


@njit(cache=True, error_model="numpy")
def shape_vertical(s: FloatArray, c: FloatArray) -> None:
    limit = c[C_ACCELERATION_Z]
    if c[C_Z_MODE] == Z_HEIGHT:
        error = c[C_UP] - s[S_TARGET_UP]
        top = c[C_SPEED_UP] if error >= 0.0 else c[C_SPEED_DOWN]
        wanted = _approach_speed(error, _HEIGHT_P, limit, top)
    else:
        wanted = c[C_VEL_UP]
    change = (wanted - s[S_TARGET_VEL_UP]) / 0.2
    change = min(max(change, -limit), limit)
    s[S_TARGET_ACC_UP] = change
    s[S_TARGET_VEL_UP] += change * TICK_S
    s[S_TARGET_UP] += s[S_TARGET_VEL_UP] * TICK_S
    # As above: at most 2 m ahead of the vehicle.
    up = s[S_UP] + c[C_POSITION_ERROR_UP]
    s[S_TARGET_UP] = min(max(s[S_TARGET_UP], up - 2.0), up + 2.0)


@njit(cache=True, error_model="numpy")
def wanted_lean_and_thrust(s: FloatArray, c: FloatArray, a: FloatArray) -> tuple[float, float, float]:
    """Wanted lean (tangent, north and east) and specific thrust from targets: P → PID → lean."""
    # The autopilot only knows where it believes to be.
    north = s[S_NORTH] + c[C_POSITION_ERROR_NORTH]
    east = s[S_EAST] + c[C_POSITION_ERROR_EAST]
    en = s[S_TARGET_NORTH] - north
    ee = s[S_TARGET_EAST] - east
    distance = math.sqrt(en * en + ee * ee)
    fix = _approach_speed(distance, _POSITION_P, c[C_ACCELERATION_XY], c[C_SPEED_XY])
    vn = s[S_TARGET_VEL_NORTH]
    ve = s[S_TARGET_VEL_EAST]
    if distance > 1e-9:
        vn += en / distance * fix
        ve += ee / distance * fix
    en = vn - s[S_VEL_NORTH]
    ee = ve - s[S_VEL_EAST]
    an = s[S_TARGET_ACC_NORTH] + _VELOCITY_P * en + s[S_INTEGRAL_NORTH]
    ae = s[S_TARGET_ACC_EAST] + _VELOCITY_P * ee + s[S_INTEGRAL_EAST]

    most = GRAVITY_M_S2 * math.tan(c[C_LEAN_MAX_RAD])
    size = math.sqrt(an * an + ae * ae)
    s[S_LEAN_LIMITED] = 0.0
    free_n = _VELOCITY_I * en * TICK_S
    free_e = _VELOCITY_I * ee * TICK_S
    if size > most:
        s[S_LEAN_LIMITED] = 1.0
        # The integrator may not push further into the limit.
        pushing = free_n * an + free_e * ae
        if pushing > 0.0:
            free_n -= pushing * an / (size * size)
            free_e -= pushing * ae / (size * size)
        speed = math.sqrt(s[S_TARGET_VEL_NORTH] ** 2 + s[S_TARGET_VEL_EAST] ** 2)
        if speed > 1e-3:
            # Staying on the track goes before speed along it.
            un = s[S_TARGET_VEL_NORTH] / speed
            ue = s[S_TARGET_VEL_EAST] / speed
            along = an * un + ae * ue
            across_n = an - along * un
            across_e = ae - along * ue
            across = math.sqrt(across_n * across_n + across_e * across_e)
            if across >= most:
                an = across_n * most / across
                ae = across_e * most / across
            else:
                room = math.sqrt(most * most - across * across)
                along = min(max(along, -room), room)
                an = across_n + along * un
                ae = across_e + along * ue
        else:
            an *= most / size
            ae *= most / size
    s[S_INTEGRAL_NORTH] = min(max(s[S_INTEGRAL_NORTH] + free_n, -_INTEGRAL_MAX), _INTEGRAL_MAX)
    s[S_INTEGRAL_EAST] = min(max(s[S_INTEGRAL_EAST] + free_e, -_INTEGRAL_MAX), _INTEGRAL_MAX)

    eu = s[S_TARGET_UP] - s[S_UP] - c[C_POSITION_ERROR_UP]
    climb = s[S_TARGET_VEL_UP] + min(max(_HEIGHT_P * eu, -c[C_SPEED_DOWN]), c[C_SPEED_UP])
    acceleration = s[S_TARGET_ACC_UP] + _CLIMB_P * (climb - s[S_VEL_UP])
    acceleration = min(max(acceleration, -0.8 * GRAVITY_M_S2), 0.8 * GRAVITY_M_S2)
    s[S_INTEGRAL_UP] += _VERTICAL_I * (acceleration - s[S_ACC_UP]) * TICK_S
    s[S_INTEGRAL_UP] = min(max(s[S_INTEGRAL_UP], -6.0), 6.0)
    lean_n = s[S_LEAN_NORTH]
    lean_e = s[S_LEAN_EAST]
    boost = min(math.sqrt(1.0 + lean_n * lean_n + lean_e * lean_e), 2.5)
    thrust = (GRAVITY_M_S2 + acceleration + s[S_INTEGRAL_UP]) * boost
    return an / GRAVITY_M_S2, ae / GRAVITY_M_S2, max(thrust, 0.0)


@njit(cache=True, error_model="numpy")
def turn(s: FloatArray, c: FloatArray, a: FloatArray) -> None:
    wanted = c[C_YAW]
    if c[C_YAW_FOLLOWS_TRACK] > 0.0:
        speed = math.sqrt(s[S_TARGET_VEL_NORTH] ** 2 + s[S_TARGET_VEL_EAST] ** 2)
        wanted = s[S_YAW]
        if speed > 0.05 * c[C_SPEED_XY]:
            wanted = math.atan2(s[S_TARGET_VEL_EAST], s[S_TARGET_VEL_NORTH])
    error = (wanted - s[S_YAW] + math.pi) % (2.0 * math.pi) - math.pi
    rate = min(max(2.0 * error, -a[A_YAW_RATE_MAX]), a[A_YAW_RATE_MAX])
    s[S_YAW] = (s[S_YAW] + rate * TICK_S) % (2.0 * math.pi)
