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

from sitl.air import blow, wind_at_vehicle
from sitl.airframe import GRAVITY_M_S2, SEA_LEVEL_AIR_DENSITY_KG_M3, Airframe
from sitl.columns import (
    A_AVIONICS_W,
    A_CAPACITY_AH,
    A_DISC_AREA_M2,
    A_FULL_V,
    A_HOVER_POWER_W,
    A_HOVER_THRUST_N,
    A_IDEAL_BATTERY,
    A_INDUCED_FRACTION,
    A_LEAN_DAMPING,
    A_LEAN_FREQUENCY,
    A_MOMENTUM_DRAG,
    A_POWER_LINEAR,
    A_QUADRATIC_DRAG,
    A_RESISTANCE_OHM,
    A_THRUST_LAG_S,
    A_THRUST_MAX_N,
    A_YAW_RATE_MAX,
    AIRFRAME_COLUMNS,
    C_ACCELERATION_XY,
    C_ACCELERATION_Z,
    C_DENSITY_RATIO,
    C_EXTRA_DRAG_AREA_M2,
    C_GROUND_UP,
    C_HEADING_ERROR,
    C_JERK_XY,
    C_LEAN_MAX_RAD,
    C_MASS_KG,
    C_MOTORS_ON,
    C_POWER_FACTOR,
    C_SPEED_DOWN,
    C_SPEED_SCALE,
    C_SPEED_UP,
    C_SPEED_XY,
    C_THRUST_FACTOR,
    C_TURBULENCE_M_S,
    C_WAYPOINT_RADIUS_M,
    C_XY_MODE,
    C_Z_MODE,
    COMMAND_COLUMNS,
    S_ACC_EAST,
    S_ACC_NORTH,
    S_ACC_UP,
    S_EAST,
    S_IMPACT_M_S,
    S_INTEGRAL_EAST,
    S_INTEGRAL_NORTH,
    S_LEAN_EAST,
    S_LEAN_NORTH,
    S_LEAN_RATE_EAST,
    S_LEAN_RATE_NORTH,
    S_NORTH,
    S_ON_GROUND,
    S_SPEED_SCALE,
    S_SPOOL,
    S_THRUST,
    S_TRACK_SCALE,
    S_UP,
    S_VEL_EAST,
    S_VEL_NORTH,
    S_VEL_UP,
    S_VOLTAGE_V,
    S_WIND_EAST,
    S_WIND_NORTH,
    S_WIND_UP,
    S_YAW,
    STATE_COLUMNS,
    TICK_S,
    XY_LEGS,
    XY_POINT,
    XY_VELOCITY,
    Z_HEIGHT,
    Z_IDLE,
    Z_LEGS,
    Z_RATE,
    FloatArray,
)
from sitl.control import advance_legs, shape_horizontal, shape_vertical, turn, wanted_lean_and_thrust
from sitl.kernel_cache import drop_stale_caches
from sitl.power import draw_power
from sitl.trajectory import LEG_COLUMNS

drop_stale_caches()


@njit(cache=True, error_model="numpy")
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
    density = c[C_DENSITY_RATIO]
    quadratic = a[A_QUADRATIC_DRAG] + 0.5 * SEA_LEVEL_AIR_DENSITY_KG_M3 * c[C_EXTRA_DRAG_AREA_M2]
    quadratic *= density
    momentum = a[A_MOMENTUM_DRAG] * math.sqrt(max(thrust, 0.0) * density)
    fx = -(quadratic * abs(bx) + momentum) * bx
    fy = -(quadratic * abs(by) + momentum) * by
    fz = -(quadratic * abs(bz) + momentum) * bz + thrust
    s[S_ACC_NORTH] = (fx * xn + fy * yn + fz * zn) / mass
    s[S_ACC_EAST] = (fx * xe + fy * ye + fz * ze) / mass
    s[S_ACC_UP] = (fx * xu + fy * yu + fz * zu) / mass - GRAVITY_M_S2
    return thrust


@njit(cache=True, error_model="numpy")
def _tick(
    s: FloatArray, c: FloatArray, a: FloatArray, legs: FloatArray, words: npt.NDArray[np.uint64], row: int
) -> None:
    airspeed = math.sqrt(
        (s[S_VEL_NORTH] - s[S_WIND_NORTH]) ** 2
        + (s[S_VEL_EAST] - s[S_WIND_EAST]) ** 2
        + (s[S_VEL_UP] - s[S_WIND_UP]) ** 2
    )
    if c[C_TURBULENCE_M_S] > 0.0:
        blow(s, c, words, row, airspeed)
    wind_at_vehicle(s, c)
    grounded = s[S_ON_GROUND] > 0.0
    wanted_north = wanted_east = wanted_thrust = 0.0
    if c[C_MOTORS_ON] > 0.0 and c[C_Z_MODE] != Z_IDLE:
        if c[C_XY_MODE] == XY_LEGS or c[C_Z_MODE] == Z_LEGS:
            advance_legs(s, c, legs)
        if c[C_XY_MODE] == XY_POINT or c[C_XY_MODE] == XY_VELOCITY:
            shape_horizontal(s, c)
        if c[C_Z_MODE] == Z_HEIGHT or c[C_Z_MODE] == Z_RATE:
            shape_vertical(s, c)
        wanted_north, wanted_east, wanted_thrust = wanted_lean_and_thrust(s, c, a)
        if c[C_HEADING_ERROR] != 0.0:
            # A wrong compass turns every push of the position controller.
            cosine = math.cos(c[C_HEADING_ERROR])
            sine = math.sin(c[C_HEADING_ERROR])
            wanted_north, wanted_east = (
                wanted_north * cosine + wanted_east * sine,
                wanted_east * cosine - wanted_north * sine,
            )
        if grounded:
            wanted_north = wanted_east = 0.0
            s[S_INTEGRAL_NORTH] = s[S_INTEGRAL_EAST] = 0.0
        turn(s, c, a)
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
    most = (
        a[A_THRUST_MAX_N]
        * strength
        * strength
        * c[C_THRUST_FACTOR]
        * c[C_DENSITY_RATIO]
        * s[S_SPOOL]
        / c[C_MASS_KG]
    )
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
    draw_power(s, c, a, thrust)


@njit(cache=True, error_model="numpy")
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
        s, c, a, leg_rows = states[row], commands[row], airframes[row], legs[row]
        for _ in range(ticks):
            _tick(s, c, a, leg_rows, words, row)


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
        c[C_DENSITY_RATIO] = 1.0
        c[C_POWER_FACTOR] = 1.0
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
