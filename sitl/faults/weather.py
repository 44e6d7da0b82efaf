"""Weather that is worse than forecast. The air's state is put together here; the vehicle only flies in it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from sitl.faults.kinds import FaultKind
from sitl.weather import Weather

if TYPE_CHECKING:
    from sitl.vehicle import SimulatedVehicle

GROUP = "weather"
GUST_S = 8.0
"""Length of the discrete «1 − cosine» gust of MIL-F-8785C; the time is chosen, some 80 m of air at 10 m/s."""


def _again(vehicle: SimulatedVehicle, strength: float) -> None:
    vehicle.refresh_weather()


def _goes_on(vehicle: SimulatedVehicle, strength: float, since_s: float) -> None:
    vehicle.refresh_weather()


def changed(weather: Weather, active: dict[str, float], since_s: dict[str, float]) -> Weather:
    """The weather given, as active faults make it."""
    wind = weather.wind
    if "wind_strong" in active:
        wind = replace(wind, speed_m_s=active["wind_strong"])
    if "wind_veer" in active:
        wind = replace(wind, from_deg=(wind.from_deg + active["wind_veer"]) % 360.0)
    if "wind_shear" in active:
        wind = replace(wind, profile_exponent=active["wind_shear"], full_height_m=60.0)
    if "turbulence" in active:
        wind = replace(wind, turbulence_m_s=active["turbulence"])
    if "wind_gust" in active:
        phase = since_s["wind_gust"] % GUST_S / GUST_S
        gust = active["wind_gust"] * 0.5 * (1.0 - math.cos(2.0 * math.pi * phase))
        wind = replace(wind, speed_m_s=wind.speed_m_s + gust)
    weather = replace(weather, wind=wind)
    if "downdraught" in active:
        weather = replace(weather, updraught_m_s=-active["downdraught"])
    if "rain" in active:
        weather = replace(weather, rain_mm_h=active["rain"])
    if "heat" in active:
        weather = replace(weather, temperature_c=active["heat"])
    if "cold" in active:
        weather = replace(weather, temperature_c=active["cold"])
    return weather


def _kind(name: str, explanation: str, strength: float, unit: str, *, moving: bool = False) -> FaultKind:
    return FaultKind(name, explanation, GROUP, _again, _again, _goes_on if moving else None, strength, unit)


FAULTS = (
    _kind("wind_strong", "the mean wind takes this speed, above any limit", 16.0, "m/s"),
    _kind("wind_gust", "gusts of this size come every eight seconds", 10.0, "m/s", moving=True),
    _kind("wind_veer", "the wind turns by this", 120.0, "deg"),
    _kind("wind_shear", "the wind falls towards the ground with this exponent below 60 m", 1.0, "exponent"),
    _kind("turbulence", "vertical turbulence of this standard deviation", 2.5, "m/s"),
    _kind("downdraught", "the air sinks, as behind a tower", 3.0, "m/s"),
    _kind("rain", "rain sets in", 30.0, "mm/h"),
    _kind("heat", "the air is as hot as this", 42.0, "°C"),
    _kind("cold", "the air is as cold as this", -8.0, "°C"),
)
