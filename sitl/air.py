"""The air a vehicle flies in: mean wind with its height profile, and Dryden turbulence (kernels)."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit

from sitl.columns import (
    C_GROUND_UP,
    C_TURBULENCE_M_S,
    C_WIND_EAST,
    C_WIND_EXPONENT,
    C_WIND_FULL_HEIGHT_M,
    C_WIND_NORTH,
    C_WIND_UP,
    S_GUST_ACROSS,
    S_GUST_ACROSS_2,
    S_GUST_ALONG,
    S_GUST_UP,
    S_GUST_UP_2,
    S_UP,
    S_WIND_EAST,
    S_WIND_NORTH,
    S_WIND_UP,
    TICK_S,
    FloatArray,
)

_SHORT = np.uint64(0xFFFF)
_SHORT_MEAN = 4.0 * 32767.5
_SHORT_SPREAD = math.sqrt(4.0 * (65536.0 * 65536.0 - 1.0) / 12.0)


@njit(cache=True, error_model="numpy")
def _noise(words: npt.NDArray[np.uint64], row: int) -> float:
    """Next number of the row's own stream (SplitMix64): mean 0, variance 1, nearly normal.

    The sum of a word's four 16-bit parts. What it drives are filters with time constants of many ticks, which
    make of it what they would of normal noise; it costs a fifth of a logarithm and a cosine.
    """
    words[row] = words[row] + np.uint64(0x9E3779B97F4A7C15)
    z = words[row]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    total = (
        (z & _SHORT)
        + ((z >> np.uint64(16)) & _SHORT)
        + ((z >> np.uint64(32)) & _SHORT)
        + (z >> np.uint64(48))
    )
    return (float(total) - _SHORT_MEAN) / _SHORT_SPREAD


@njit(cache=True, error_model="numpy")
def blow(s: FloatArray, c: FloatArray, words: npt.NDArray[np.uint64], row: int, airspeed: float) -> None:
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
    root = shape**0.4
    length_along = length_up / (root * root * root)
    sigma_along = sigma_up / root
    speed = max(airspeed, 2.0)
    along = min(TICK_S * speed / length_along, 1.0)
    s[S_GUST_ALONG] += -along * s[S_GUST_ALONG] + sigma_along * math.sqrt(2.0 * along) * _noise(words, row)
    # Second-order axes: w = σ·(1 + √3·τ·s)/(1 + τ·s)² · noise, as two first-order states x1, x2 with the
    # same τ; output √3·x1 + (1 − √3)·x2 reproduces the zero.
    s[S_GUST_ACROSS] += -along * s[S_GUST_ACROSS] + sigma_along * math.sqrt(along) * _noise(words, row)
    s[S_GUST_ACROSS_2] += along * (s[S_GUST_ACROSS] - s[S_GUST_ACROSS_2])
    up = min(TICK_S * speed / length_up, 1.0)
    s[S_GUST_UP] += -up * s[S_GUST_UP] + sigma_up * math.sqrt(up) * _noise(words, row)
    s[S_GUST_UP_2] += up * (s[S_GUST_UP] - s[S_GUST_UP_2])


@njit(cache=True, error_model="numpy")
def wind_at_vehicle(s: FloatArray, c: FloatArray) -> None:
    height = s[S_UP] - c[C_GROUND_UP]
    factor = 1.0
    if c[C_WIND_EXPONENT] > 0.0 and height < c[C_WIND_FULL_HEIGHT_M]:
        share = max(height, 0.0) / c[C_WIND_FULL_HEIGHT_M]
        exponent = c[C_WIND_EXPONENT]
        factor = math.sqrt(share) if exponent == 0.5 else share**exponent
    north = c[C_WIND_NORTH] * factor
    east = c[C_WIND_EAST] * factor
    up = c[C_WIND_UP]
    if c[C_TURBULENCE_M_S] > 0.0:
        root3 = math.sqrt(3.0)
        across = root3 * s[S_GUST_ACROSS] + (1.0 - root3) * s[S_GUST_ACROSS_2]
        along = s[S_GUST_ALONG]
        speed = math.sqrt(north * north + east * east)
        cosine = north / speed if speed > 1e-3 else 1.0
        sine = east / speed if speed > 1e-3 else 0.0
        north += along * cosine - across * sine
        east += along * sine + across * cosine
        up += root3 * s[S_GUST_UP] + (1.0 - root3) * s[S_GUST_UP_2]
    s[S_WIND_NORTH] = north
    s[S_WIND_EAST] = east
    s[S_WIND_UP] = up
