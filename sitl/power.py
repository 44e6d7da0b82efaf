"""Electrical power of the rotors, and what the battery makes of it (kernels)."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from sitl.airframe import SEA_LEVEL_AIR_DENSITY_KG_M3
from sitl.columns import (
    A_AVIONICS_W,
    A_CAPACITY_AH,
    A_DISC_AREA_M2,
    A_FULL_V,
    A_HOVER_POWER_W,
    A_HOVER_THRUST_N,
    A_IDEAL_BATTERY,
    A_INDUCED_FRACTION,
    A_POWER_LINEAR,
    A_RESISTANCE_OHM,
    C_DENSITY_RATIO,
    C_POWER_FACTOR,
    S_CONSUMED_AH,
    S_CURRENT_A,
    S_ENERGY_WH,
    S_LEAN_EAST,
    S_LEAN_NORTH,
    S_VEL_EAST,
    S_VEL_NORTH,
    S_VEL_UP,
    S_VOLTAGE_V,
    S_WIND_EAST,
    S_WIND_NORTH,
    S_WIND_UP,
    TICK_S,
    FloatArray,
)

# LiPo rest voltage as a fraction of full against remaining charge, twelve even steps from 0 to 1; from
# the discharge table ArduPilot's simulator uses (4.17 V full, 3.74 V at half, 3.1 V empty).
_REST_VOLTAGE = np.array(
    [0.60, 0.765, 0.798, 0.831, 0.851, 0.872, 0.891, 0.902, 0.914, 0.926, 0.939, 0.961, 1.0], dtype=np.float64
)


@njit(cache=True, error_model="numpy")
def _rest_voltage(remaining: float) -> float:
    if remaining <= 0.0:
        return _REST_VOLTAGE[0]
    if remaining >= 1.0:
        return 1.0
    position = remaining * 12.0
    index = int(position)
    return _REST_VOLTAGE[index] + (position - index) * (_REST_VOLTAGE[index + 1] - _REST_VOLTAGE[index])


@njit(cache=True, error_model="numpy")
def draw_power(s: FloatArray, c: FloatArray, a: FloatArray, thrust: float) -> None:
    """Electrical power from thrust and airflow, then current and voltage of the pack."""
    if a[A_POWER_LINEAR] > 0.0:
        power = a[A_HOVER_POWER_W] * thrust / a[A_HOVER_THRUST_N]
    else:
        hover = a[A_HOVER_POWER_W] - a[A_AVIONICS_W]
        double_disc = 2.0 * SEA_LEVEL_AIR_DENSITY_KG_M3 * a[A_DISC_AREA_M2]
        # What the airframe's hover says of its efficiency holds at sea level; the flow is that of today's air.
        hover_flow = math.sqrt(a[A_HOVER_THRUST_N] / double_disc)
        efficiency = a[A_HOVER_THRUST_N] * hover_flow / (a[A_INDUCED_FRACTION] * hover)
        still_flow_sq = max(thrust, 0.0) / (double_disc * c[C_DENSITY_RATIO])
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
        load = max(thrust, 0.0) / a[A_HOVER_THRUST_N]
        profile = hover * (1.0 - a[A_INDUCED_FRACTION]) * load * math.sqrt(load)
        power = a[A_AVIONICS_W] + useful / max(efficiency, 0.05) + profile
    power *= c[C_POWER_FACTOR]
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
