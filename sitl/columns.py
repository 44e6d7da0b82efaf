"""Column numbers of the physics arrays: what a vehicle does, what it is asked for, what it is made of.

One row per vehicle and one kernel for all of them: that is what makes a fleet cheap.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

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
    C_POSITION_ERROR_UP,
    C_EXTRA_DRAG_AREA_M2,
    C_WIND_UP,
    C_DENSITY_RATIO,
    C_POWER_FACTOR,
    C_HEADING_ERROR,
) = range(40)
COMMAND_COLUMNS = 40

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
