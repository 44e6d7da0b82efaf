"""Motion of a fleet of multirotors, stepped in one compiled kernel.

Reduced dynamics, argued: a multirotor under a position controller is a thrust vector whose direction
follows the commanded lean with second-order lag and whose size follows with first-order lag; the
inner rate loops are far faster than anything a ground controller can observe. Kept in full: per-axis
drag and rotor momentum drag, lean and thrust limits, wind with height profile and turbulence,
battery voltage under load. The position controller has the structure and default gains of
ArduCopter's (position P → velocity PID → lean), because its limits decide flight times.

Frame: local north, east, up, metres, origin at the launch point. One row per vehicle; a single
vehicle is a fleet of one. Time step 20 ms, semi-implicit Euler. No state lives outside the arrays,
so that equal arrays give equal flights.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from sitl.airframe import GRAVITY_M_S2, SEA_LEVEL_AIR_DENSITY_KG_M3, Airframe
from sitl.trajectory import L_ACTIVE, L_LENGTH, L_TIME_S, L_TOTAL_S, LEG_COLUMNS, leg_state

FloatArray = npt.NDArray[np.float64]
TICK_S = 0.02

# What a vehicle is doing (state columns).
(
    S_NORTH,
    S_EAST,
    S_UP,
    S_VEL_NORTH,
    S_VEL_EAST,
    S_VEL_UP,
    S_LEAN_NORTH,
    S_LEAN_EAST,
    S_LEAN_RATE_NORTH,
    S_LEAN_RATE_EAST,
    S_YAW,
    S_THRUST,
    S_INTEGRAL_NORTH,
    S_INTEGRAL_EAST,
    S_INTEGRAL_UP,
    S_GUST_ALONG,
    S_GUST_ACROSS,
    S_GUST_ACROSS_2,
    S_GUST_UP,
    S_GUST_UP_2,
    S_CURRENT_A,
    S_VOLTAGE_V,
    S_CONSUMED_AH,
    S_ENERGY_WH,
    S_ON_GROUND,
    S_IMPACT_M_S,
    S_TARGET_NORTH,
    S_TARGET_EAST,
    S_TARGET_UP,
    S_TARGET_VEL_NORTH,
    S_TARGET_VEL_EAST,
    S_TARGET_VEL_UP,
    S_TRACK_SCALE,
    S_SPEED_SCALE,
    S_REACHED,
    S_WIND_NORTH,
    S_WIND_EAST,
    S_WIND_UP,
    S_ACC_NORTH,
    S_ACC_EAST,
    S_ACC_UP,
    S_LEAN_LIMITED,
    S_SPOOL,
    S_TARGET_ACC_NORTH,
    S_TARGET_ACC_EAST,
    S_TARGET_ACC_UP,
) = range(46)
STATE_COLUMNS = 46

# What its autopilot asks for, and what its surroundings are (command columns).
(
    C_XY_MODE,
    C_Z_MODE,
    C_MOTORS_ON,
    C_NORTH,
    C_EAST,
    C_UP,
    C_VEL_NORTH,
    C_VEL_EAST,
    C_VEL_UP,
    C_YAW,
    C_YAW_FOLLOWS_TRACK,
    C_LEAN_MAX_RAD,
    C_SPEED_XY,
    C_SPEED_UP,
    C_SPEED_DOWN,
    C_ACCELERATION_XY,
    C_ACCELERATION_Z,
    C_JERK_XY,
    C_SPEED_SCALE,
    C_CORNER_OVERLAP_S,
    C_WAYPOINT_RADIUS_M,
    C_ORIGIN_NORTH,
    C_ORIGIN_EAST,
    C_ORIGIN_UP,
    C_MASS_KG,
    C_THRUST_FACTOR,
    C_GROUND_UP,
    C_WIND_NORTH,
    C_WIND_EAST,
    C_WIND_FULL_HEIGHT_M,
    C_WIND_EXPONENT,
    C_TURBULENCE_M_S,
    C_POSITION_ERROR_NORTH,
    C_POSITION_ERROR_EAST,
    C_EXTRA_DRAG_AREA_M2,
) = range(35)
COMMAND_COLUMNS = 35

XY_IDLE, XY_LEGS, XY_POINT, XY_VELOCITY = 0.0, 1.0, 2.0, 3.0
Z_IDLE, Z_LEGS, Z_HEIGHT, Z_RATE = 0.0, 1.0, 2.0, 3.0

# Constants of the airframe (airframe columns).
(
    A_QUADRATIC_DRAG,
    A_MOMENTUM_DRAG,
    A_THRUST_MAX_N,
    A_LEAN_FREQUENCY,
    A_LEAN_DAMPING,
    A_THRUST_LAG_S,
    A_YAW_RATE_MAX,
    A_POWER_LINEAR,
    A_HOVER_POWER_W,
    A_HOVER_THRUST_N,
    A_INDUCED_FRACTION,
    A_AVIONICS_W,
    A_DISC_AREA_M2,
    A_CAPACITY_AH,
    A_FULL_V,
    A_RESISTANCE_OHM,
    A_IDEAL_BATTERY,
) = range(17)
AIRFRAME_COLUMNS = 17

# ArduCopter's default controller gains (AC_PosControl, copter): position 1/s, velocity 1/s, 1/s².
_POSITION_P = 1.0
_VELOCITY_P = 2.0
_VELOCITY_I = 1.0
_INTEGRAL_MAX = 10.0
_HEIGHT_P = 1.0
_CLIMB_P = 5.0
_VERTICAL_I = 2.5
_TRACK_MARGIN = 0.05

# LiPo rest voltage as a fraction of full against remaining charge, twelve even steps from 0 to 1; from
# the discharge table ArduPilot's simulator uses (4.17 V full, 3.74 V at half, 3.1 V empty).
_REST_VOLTAGE = np.array(
    [0.60, 0.765, 0.798, 0.831, 0.851, 0.872, 0.891, 0.902, 0.914, 0.926, 0.939, 0.961, 1.0], dtype=np.float64
)


@njit(cache=True)
def _uniform(words: npt.NDArray[np.uint64], row: int) -> float:
    """Next number in (0, 1) of the row's own stream (SplitMix64)."""
    words[row] = words[row] + np.uint64(0x9E3779B97F4A7C15)
    z = words[row]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return (float(z >> np.uint64(11)) + 0.5) * (1.0 / 9007199254740992.0)


@njit(cache=True)
def _normal(words: npt.NDArray[np.uint64], row: int) -> float:
    return math.sqrt(-2.0 * math.log(_uniform(words, row))) * math.cos(2.0 * math.pi * _uniform(words, row))


@njit(cache=True)
def _rest_voltage(remaining: float) -> float:
    if remaining <= 0.0:
        return _REST_VOLTAGE[0]
    if remaining >= 1.0:
        return 1.0
    position = remaining * 12.0
    index = int(position)
    return _REST_VOLTAGE[index] + (position - index) * (_REST_VOLTAGE[index + 1] - _REST_VOLTAGE[index])


@njit(cache=True)
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


@njit(cache=True)
def _turbulence(
    s: FloatArray, c: FloatArray, words: npt.NDArray[np.uint64], row: int, airspeed: float
) -> None:
    """Dryden turbulence at low altitude (MIL-F-8785C), in the wind's own axes.

    ``C_TURBULENCE_M_S`` is the vertical standard deviation; horizontal intensities and all length
    scales follow from height.
    """
    sigma_up = c[C_TURBULENCE_M_S]
    if sigma_up <= 0.0:
        s[S_GUST_ALONG : S_GUST_UP_2 + 1] = 0.0
        return
    height_ft = min(max((s[S_UP] - c[C_GROUND_UP]) * 3.28084, 10.0), 1000.0)
    shape = 0.177 + 0.000823 * height_ft
    length_up = height_ft / 3.28084
    length_along = length_up / shape**1.2
    sigma_along = sigma_up / shape**0.4
    speed = max(airspeed, 2.0)
    along = min(TICK_S * speed / length_along, 1.0)
    s[S_GUST_ALONG] += -along * s[S_GUST_ALONG] + sigma_along * math.sqrt(2.0 * along) * _normal(words, row)
    # Second-order axes: w = σ·(1 + √3·τ·s)/(1 + τ·s)² · noise, as two first-order states x1, x2 with the
    # same τ; output √3·x1 + (1 − √3)·x2 reproduces the zero.
    s[S_GUST_ACROSS] += -along * s[S_GUST_ACROSS] + sigma_along * math.sqrt(along) * _normal(words, row)
    s[S_GUST_ACROSS_2] += along * (s[S_GUST_ACROSS] - s[S_GUST_ACROSS_2])
    up = min(TICK_S * speed / length_up, 1.0)
    s[S_GUST_UP] += -up * s[S_GUST_UP] + sigma_up * math.sqrt(up) * _normal(words, row)
    s[S_GUST_UP_2] += up * (s[S_GUST_UP] - s[S_GUST_UP_2])


@njit(cache=True)
def _wind(s: FloatArray, c: FloatArray) -> None:
    height = s[S_UP] - c[C_GROUND_UP]
    factor = 1.0
    if c[C_WIND_EXPONENT] > 0.0 and height < c[C_WIND_FULL_HEIGHT_M]:
        factor = (max(height, 0.0) / c[C_WIND_FULL_HEIGHT_M]) ** c[C_WIND_EXPONENT]
    north = c[C_WIND_NORTH] * factor
    east = c[C_WIND_EAST] * factor
    up = 0.0
    if c[C_TURBULENCE_M_S] > 0.0:
        root3 = math.sqrt(3.0)
        across = root3 * s[S_GUST_ACROSS] + (1.0 - root3) * s[S_GUST_ACROSS_2]
        along = s[S_GUST_ALONG]
        speed = math.hypot(north, east)
        cosine = north / speed if speed > 1e-3 else 1.0
        sine = east / speed if speed > 1e-3 else 0.0
        north += along * cosine - across * sine
        east += along * sine + across * cosine
        up = root3 * s[S_GUST_UP] + (1.0 - root3) * s[S_GUST_UP_2]
    s[S_WIND_NORTH] = north
    s[S_WIND_EAST] = east
    s[S_WIND_UP] = up


@njit(cache=True)
def _advance_legs(s: FloatArray, c: FloatArray, legs: FloatArray) -> None:
    """Move the target along the previous, this and the next leg; slow down where the vehicle lags."""
    tn = s[S_TARGET_VEL_NORTH]
    te = s[S_TARGET_VEL_EAST]
    tu = s[S_TARGET_VEL_UP]
    target_speed = math.sqrt(tn * tn + te * te + tu * tu)
    wanted = 1.0
    if target_speed > 1e-6:
        lag = (
            (s[S_TARGET_NORTH] - s[S_NORTH]) * tn
            + (s[S_TARGET_EAST] - s[S_EAST]) * te
            + (s[S_TARGET_UP] - s[S_UP]) * tu
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
        dn = c[C_ORIGIN_NORTH] + this[1] * this[L_LENGTH] - s[S_NORTH]
        de = c[C_ORIGIN_EAST] + this[2] * this[L_LENGTH] - s[S_EAST]
        du = c[C_ORIGIN_UP] + this[3] * this[L_LENGTH] - s[S_UP]
        if dn * dn + de * de + du * du <= c[C_WAYPOINT_RADIUS_M] ** 2:
            s[S_REACHED] = 1.0


@njit(cache=True)
def _shape_horizontal(s: FloatArray, c: FloatArray) -> None:
    """Target for point and velocity modes: acceleration-limited change of the target's own velocity."""
    limit = c[C_ACCELERATION_XY]
    if c[C_XY_MODE] == XY_POINT:
        dn = c[C_NORTH] - s[S_TARGET_NORTH]
        de = c[C_EAST] - s[S_TARGET_EAST]
        distance = math.hypot(dn, de)
        speed = _approach_speed(distance, _POSITION_P, limit * 0.5, c[C_SPEED_XY])
        wn = dn / distance * speed if distance > 1e-6 else 0.0
        we = de / distance * speed if distance > 1e-6 else 0.0
    else:
        wn = c[C_VEL_NORTH]
        we = c[C_VEL_EAST]
    # The target must not run away from a vehicle that cannot follow.
    lag = math.hypot(s[S_TARGET_NORTH] - s[S_NORTH], s[S_TARGET_EAST] - s[S_EAST])
    if lag > 5.0:
        wn *= 5.0 / lag
        we *= 5.0 / lag
    an = (wn - s[S_TARGET_VEL_NORTH]) / 0.5
    ae = (we - s[S_TARGET_VEL_EAST]) / 0.5
    size = math.hypot(an, ae)
    if size > limit:
        an *= limit / size
        ae *= limit / size
    s[S_TARGET_ACC_NORTH] = an
    s[S_TARGET_ACC_EAST] = ae
    s[S_TARGET_VEL_NORTH] += an * TICK_S
    s[S_TARGET_VEL_EAST] += ae * TICK_S
    s[S_TARGET_NORTH] += s[S_TARGET_VEL_NORTH] * TICK_S
    s[S_TARGET_EAST] += s[S_TARGET_VEL_EAST] * TICK_S


@njit(cache=True)
def _shape_vertical(s: FloatArray, c: FloatArray) -> None:
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
    s[S_TARGET_UP] = min(max(s[S_TARGET_UP], s[S_UP] - 2.0), s[S_UP] + 2.0)


@njit(cache=True)
def _control(s: FloatArray, c: FloatArray, a: FloatArray) -> tuple[float, float, float]:
    """Wanted lean (tangent, north and east) and specific thrust from targets: P → PID → lean."""
    # The autopilot only knows where it believes to be.
    north = s[S_NORTH] + c[C_POSITION_ERROR_NORTH]
    east = s[S_EAST] + c[C_POSITION_ERROR_EAST]
    en = s[S_TARGET_NORTH] - north
    ee = s[S_TARGET_EAST] - east
    distance = math.hypot(en, ee)
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
    size = math.hypot(an, ae)
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
        speed = math.hypot(s[S_TARGET_VEL_NORTH], s[S_TARGET_VEL_EAST])
        if speed > 1e-3:
            # Staying on the track goes before speed along it.
            un = s[S_TARGET_VEL_NORTH] / speed
            ue = s[S_TARGET_VEL_EAST] / speed
            along = an * un + ae * ue
            across_n = an - along * un
            across_e = ae - along * ue
            across = math.hypot(across_n, across_e)
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

    eu = s[S_TARGET_UP] - s[S_UP]
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


@njit(cache=True)
def _move(s: FloatArray, c: FloatArray, a: FloatArray) -> float:
    """One tick of motion. Returns the thrust in newtons."""
    mass = c[C_MASS_KG]
    ln = s[S_LEAN_NORTH]
    le = s[S_LEAN_EAST]
    norm = math.sqrt(1.0 + ln * ln + le * le)
    # Body axes in north, east, up: z along the thrust; x and y are heading and right, carried along by the
    # smallest rotation that takes «up» to z, as an attitude controller does that is given thrust and heading.
    zn = ln / norm
    ze = le / norm
    zu = 1.0 / norm
    hn = math.cos(s[S_YAW])
    he = math.sin(s[S_YAW])
    share = (hn * zn + he * ze) / (1.0 + zu)
    xn = hn - share * zn
    xe = he - share * ze
    xu = -share * (1.0 + zu)
    share = (-he * zn + hn * ze) / (1.0 + zu)
    yn = -he - share * zn
    ye = hn - share * ze
    yu = -share * (1.0 + zu)
    rn = s[S_VEL_NORTH] - s[S_WIND_NORTH]
    re = s[S_VEL_EAST] - s[S_WIND_EAST]
    ru = s[S_VEL_UP] - s[S_WIND_UP]
    bx = rn * xn + re * xe + ru * xu
    by = rn * yn + re * ye + ru * yu
    bz = rn * zn + re * ze + ru * zu
    thrust = s[S_THRUST] * mass
    quadratic = a[A_QUADRATIC_DRAG] + 0.5 * SEA_LEVEL_AIR_DENSITY_KG_M3 * c[C_EXTRA_DRAG_AREA_M2]
    momentum = a[A_MOMENTUM_DRAG] * math.sqrt(max(thrust, 0.0))
    fx = -(quadratic * abs(bx) + momentum) * bx
    fy = -(quadratic * abs(by) + momentum) * by
    fz = -(quadratic * abs(bz) + momentum) * bz + thrust
    s[S_ACC_NORTH] = (fx * xn + fy * yn + fz * zn) / mass
    s[S_ACC_EAST] = (fx * xe + fy * ye + fz * ze) / mass
    s[S_ACC_UP] = (fx * xu + fy * yu + fz * zu) / mass - GRAVITY_M_S2
    return thrust


@njit(cache=True)
def _draw_power(s: FloatArray, c: FloatArray, a: FloatArray, thrust: float) -> None:
    """Electrical power from thrust and airflow, then current and voltage of the pack."""
    if a[A_POWER_LINEAR] > 0.0:
        power = a[A_HOVER_POWER_W] * thrust / a[A_HOVER_THRUST_N]
    else:
        hover = a[A_HOVER_POWER_W] - a[A_AVIONICS_W]
        double_disc = 2.0 * SEA_LEVEL_AIR_DENSITY_KG_M3 * a[A_DISC_AREA_M2]
        hover_flow = math.sqrt(a[A_HOVER_THRUST_N] / double_disc)
        efficiency = a[A_HOVER_THRUST_N] * hover_flow / (a[A_INDUCED_FRACTION] * hover)
        still_flow_sq = max(thrust, 0.0) / double_disc
        rn = s[S_VEL_NORTH] - s[S_WIND_NORTH]
        re = s[S_VEL_EAST] - s[S_WIND_EAST]
        ru = s[S_VEL_UP] - s[S_WIND_UP]
        speed_sq = rn * rn + re * re
        flow_sq = -0.5 * speed_sq + math.sqrt(0.25 * speed_sq * speed_sq + still_flow_sq * still_flow_sq)
        ln = s[S_LEAN_NORTH]
        le = s[S_LEAN_EAST]
        norm = math.sqrt(1.0 + ln * ln + le * le)
        through = (rn * ln + re * le + ru) / norm
        useful = max(thrust * (math.sqrt(flow_sq) + through), 0.3 * thrust * math.sqrt(flow_sq))
        profile = hover * (1.0 - a[A_INDUCED_FRACTION]) * (max(thrust, 0.0) / a[A_HOVER_THRUST_N]) ** 1.5
        power = a[A_AVIONICS_W] + useful / max(efficiency, 0.05) + profile
    if a[A_IDEAL_BATTERY] > 0.0:
        voltage = a[A_FULL_V]
        current = power / voltage
    else:
        rest = a[A_FULL_V] * _rest_voltage(1.0 - s[S_CONSUMED_AH] / a[A_CAPACITY_AH])
        root = rest * rest - 4.0 * power * a[A_RESISTANCE_OHM]
        voltage = 0.5 * (rest + math.sqrt(root)) if root > 0.0 else 0.5 * rest
        current = (rest - voltage) / a[A_RESISTANCE_OHM] if root <= 0.0 else power / voltage
    s[S_CURRENT_A] = current
    s[S_VOLTAGE_V] += (voltage - s[S_VOLTAGE_V]) * 0.5
    s[S_CONSUMED_AH] += current * TICK_S / 3600.0
    s[S_ENERGY_WH] += current * voltage * TICK_S / 3600.0


@njit(cache=True)
def _turn(s: FloatArray, c: FloatArray, a: FloatArray) -> None:
    wanted = c[C_YAW]
    if c[C_YAW_FOLLOWS_TRACK] > 0.0:
        speed = math.hypot(s[S_TARGET_VEL_NORTH], s[S_TARGET_VEL_EAST])
        wanted = s[S_YAW]
        if speed > 0.05 * c[C_SPEED_XY]:
            wanted = math.atan2(s[S_TARGET_VEL_EAST], s[S_TARGET_VEL_NORTH])
    error = (wanted - s[S_YAW] + math.pi) % (2.0 * math.pi) - math.pi
    rate = min(max(2.0 * error, -a[A_YAW_RATE_MAX]), a[A_YAW_RATE_MAX])
    s[S_YAW] = (s[S_YAW] + rate * TICK_S) % (2.0 * math.pi)


@njit(cache=True)
def _tick(
    s: FloatArray, c: FloatArray, a: FloatArray, legs: FloatArray, words: npt.NDArray[np.uint64], row: int
) -> None:
    airspeed = math.sqrt(
        (s[S_VEL_NORTH] - s[S_WIND_NORTH]) ** 2
        + (s[S_VEL_EAST] - s[S_WIND_EAST]) ** 2
        + (s[S_VEL_UP] - s[S_WIND_UP]) ** 2
    )
    if c[C_TURBULENCE_M_S] > 0.0:
        _turbulence(s, c, words, row, airspeed)
    _wind(s, c)
    grounded = s[S_ON_GROUND] > 0.0
    wanted_north = wanted_east = wanted_thrust = 0.0
    if c[C_MOTORS_ON] > 0.0 and c[C_Z_MODE] != Z_IDLE:
        if c[C_XY_MODE] == XY_LEGS or c[C_Z_MODE] == Z_LEGS:
            _advance_legs(s, c, legs)
        if c[C_XY_MODE] == XY_POINT or c[C_XY_MODE] == XY_VELOCITY:
            _shape_horizontal(s, c)
        if c[C_Z_MODE] == Z_HEIGHT or c[C_Z_MODE] == Z_RATE:
            _shape_vertical(s, c)
        wanted_north, wanted_east, wanted_thrust = _control(s, c, a)
        if grounded:
            wanted_north = wanted_east = 0.0
            s[S_INTEGRAL_NORTH] = s[S_INTEGRAL_EAST] = 0.0
        _turn(s, c, a)
    # Motors spool up in half a second, as MOT_SPOOL_TIME says.
    if c[C_MOTORS_ON] > 0.0 and c[C_Z_MODE] != Z_IDLE:
        s[S_SPOOL] = min(s[S_SPOOL] + TICK_S / 0.5, 1.0)
    else:
        s[S_SPOOL] = max(s[S_SPOOL] - TICK_S / 0.5, 0.0)

    frequency = a[A_LEAN_FREQUENCY]
    damping = 2.0 * a[A_LEAN_DAMPING] * frequency
    s[S_LEAN_RATE_NORTH] += (
        frequency * frequency * (wanted_north - s[S_LEAN_NORTH]) - damping * s[S_LEAN_RATE_NORTH]
    ) * TICK_S
    s[S_LEAN_RATE_EAST] += (
        frequency * frequency * (wanted_east - s[S_LEAN_EAST]) - damping * s[S_LEAN_RATE_EAST]
    ) * TICK_S
    s[S_LEAN_NORTH] += s[S_LEAN_RATE_NORTH] * TICK_S
    s[S_LEAN_EAST] += s[S_LEAN_RATE_EAST] * TICK_S
    strength = s[S_VOLTAGE_V] / a[A_FULL_V]
    most = a[A_THRUST_MAX_N] * strength * strength * c[C_THRUST_FACTOR] * s[S_SPOOL] / c[C_MASS_KG]
    wanted_thrust = min(wanted_thrust * c[C_THRUST_FACTOR], most)
    blend = TICK_S / a[A_THRUST_LAG_S]
    s[S_THRUST] += (wanted_thrust - s[S_THRUST]) * min(blend, 1.0)

    thrust = _move(s, c, a)
    if grounded and s[S_ACC_UP] <= 0.0:
        s[S_VEL_NORTH] = s[S_VEL_EAST] = s[S_VEL_UP] = 0.0
        s[S_ACC_NORTH] = s[S_ACC_EAST] = s[S_ACC_UP] = 0.0
        s[S_UP] = c[C_GROUND_UP]
    else:
        s[S_ON_GROUND] = 0.0
        s[S_VEL_NORTH] += s[S_ACC_NORTH] * TICK_S
        s[S_VEL_EAST] += s[S_ACC_EAST] * TICK_S
        s[S_VEL_UP] += s[S_ACC_UP] * TICK_S
        s[S_NORTH] += s[S_VEL_NORTH] * TICK_S
        s[S_EAST] += s[S_VEL_EAST] * TICK_S
        s[S_UP] += s[S_VEL_UP] * TICK_S
        if s[S_UP] <= c[C_GROUND_UP]:
            impact = math.sqrt(s[S_VEL_UP] ** 2 + s[S_VEL_NORTH] ** 2 + s[S_VEL_EAST] ** 2)
            s[S_IMPACT_M_S] = max(s[S_IMPACT_M_S], impact)
            s[S_UP] = c[C_GROUND_UP]
            s[S_ON_GROUND] = 1.0
            s[S_VEL_NORTH] = s[S_VEL_EAST] = s[S_VEL_UP] = 0.0
    _draw_power(s, c, a, thrust)


@njit(cache=True)
def step_fleet(
    states: FloatArray,
    commands: FloatArray,
    airframes: FloatArray,
    legs: FloatArray,
    words: npt.NDArray[np.uint64],
    ticks: int,
) -> None:
    """Advance every row by ``ticks`` of 20 ms."""
    for row in range(states.shape[0]):
        for _ in range(ticks):
            _tick(states[row], commands[row], airframes[row], legs[row], words, row)


@dataclass(slots=True)
class FleetArrays:
    """The arrays of ``n`` vehicles; row i is vehicle i."""

    states: FloatArray
    commands: FloatArray
    airframes: FloatArray
    legs: FloatArray
    random_words: npt.NDArray[np.uint64]

    @classmethod
    def empty(cls, count: int) -> FleetArrays:
        return cls(
            states=np.zeros((count, STATE_COLUMNS)),
            commands=np.zeros((count, COMMAND_COLUMNS)),
            airframes=np.zeros((count, AIRFRAME_COLUMNS)),
            legs=np.zeros((count, 3, LEG_COLUMNS)),
            random_words=np.zeros(count, dtype=np.uint64),
        )

    def place(self, row: int, airframe: Airframe, seed: int) -> None:
        """Put ``airframe``, fully charged and at rest on the ground, into ``row``."""
        quadratic, momentum = airframe.drag_coefficients
        hover_n = airframe.empty_mass_kg * GRAVITY_M_S2
        a = self.airframes[row]
        a[A_QUADRATIC_DRAG] = quadratic
        a[A_MOMENTUM_DRAG] = momentum
        a[A_THRUST_MAX_N] = hover_n * airframe.maximum_thrust_to_weight
        a[A_LEAN_FREQUENCY] = airframe.attitude_natural_frequency_rad_s
        a[A_LEAN_DAMPING] = airframe.attitude_damping
        a[A_THRUST_LAG_S] = airframe.thrust_lag_s
        a[A_YAW_RATE_MAX] = math.radians(airframe.yaw_rate_max_deg_s)
        a[A_POWER_LINEAR] = 1.0 if airframe.power_model == "linear" else 0.0
        a[A_HOVER_POWER_W] = airframe.hover_power_w
        a[A_HOVER_THRUST_N] = hover_n
        a[A_INDUCED_FRACTION] = airframe.induced_fraction
        a[A_AVIONICS_W] = airframe.avionics_power_w
        a[A_DISC_AREA_M2] = airframe.rotor_disc_area_m2
        a[A_CAPACITY_AH] = airframe.battery_capacity_ah
        a[A_FULL_V] = airframe.battery_full_v
        a[A_RESISTANCE_OHM] = airframe.battery_resistance_ohm
        a[A_IDEAL_BATTERY] = 1.0 if airframe.battery_ideal else 0.0
        s = self.states[row]
        s[:] = 0.0
        s[S_VOLTAGE_V] = airframe.battery_full_v
        s[S_ON_GROUND] = 1.0
        s[S_TRACK_SCALE] = 1.0
        s[S_SPEED_SCALE] = 1.0
        c = self.commands[row]
        c[:] = 0.0
        c[C_MASS_KG] = airframe.empty_mass_kg
        c[C_THRUST_FACTOR] = 1.0
        c[C_SPEED_SCALE] = 1.0
        c[C_SPEED_XY] = 10.0
        c[C_SPEED_UP] = 2.5
        c[C_SPEED_DOWN] = 1.5
        c[C_ACCELERATION_XY] = 2.5
        c[C_ACCELERATION_Z] = 1.0
        c[C_JERK_XY] = 1.0
        c[C_LEAN_MAX_RAD] = math.radians(30.0)
        c[C_WAYPOINT_RADIUS_M] = 2.0
        self.legs[row] = 0.0
        self.random_words[row] = np.uint64((seed * 0x9E3779B97F4A7C15 + 0x1234567) & 0xFFFFFFFFFFFFFFFF)
