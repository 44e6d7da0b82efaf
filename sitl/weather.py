"""Wind over the site: mean, height profile and turbulence, the same for every vehicle of a fleet."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Wind:
    """Wind blowing from ``from_deg`` (true) at ``speed_m_s``.

    ``profile_exponent`` with ``full_height_m``: below that height the mean falls as
    (height / full_height)^exponent. ArduPilot's simulator uses a square root below 60 m; 0 switches
    the profile off. ``turbulence_m_s`` is the vertical standard deviation of Dryden turbulence.
    """

    from_deg: float = 0.0
    speed_m_s: float = 0.0
    turbulence_m_s: float = 0.0
    profile_exponent: float = 0.5
    full_height_m: float = 60.0

    def __post_init__(self) -> None:
        for name in ("from_deg", "speed_m_s", "turbulence_m_s", "profile_exponent", "full_height_m"):
            number = getattr(self, name)
            if not math.isfinite(number) or (name != "from_deg" and number < 0):
                raise ValueError(f"wind {name} {number!r} is impossible")

    @property
    def velocity_north_east_m_s(self) -> tuple[float, float]:
        """Where the air goes: the opposite of where it comes from."""
        towards = math.radians(self.from_deg + 180.0)
        return self.speed_m_s * math.cos(towards), self.speed_m_s * math.sin(towards)


COMFORTABLE_C = 15.0
"""ISO 2533's sea level, and the temperature the airframes' figures are for."""
RESISTANCE_PER_K, CAPACITY_PER_K = 0.02, 0.006
"""LiPo below 15 °C, per kelvin: resistance grows, charge that can be drawn falls (chosen: 1.5 times and 85 % at
−10 °C, the middle of what manufacturers' curves show)."""
RAIN_POWER_PER_MM_H = 0.0012
"""Chosen: heavy rain of 30 mm/h costs 4 % of power (water on the blades, their roughness)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """The air a vehicle flies in."""

    wind: Wind = Wind()
    updraught_m_s: float = 0.0
    """Of the mean air, positive upwards."""
    rain_mm_h: float = 0.0
    temperature_c: float = COMFORTABLE_C

    def __post_init__(self) -> None:
        if not all(math.isfinite(each) for each in (self.updraught_m_s, self.rain_mm_h, self.temperature_c)):
            raise ValueError("weather must be finite")
        if self.rain_mm_h < 0 or not -60.0 <= self.temperature_c <= 60.0:
            raise ValueError(f"weather of {self.rain_mm_h} mm/h at {self.temperature_c} °C is impossible")

    @property
    def density_ratio(self) -> float:
        """Against ISO 2533's air at 15 °C, same pressure."""
        return (273.15 + COMFORTABLE_C) / (273.15 + self.temperature_c)

    @property
    def power_factor(self) -> float:
        return 1.0 + RAIN_POWER_PER_MM_H * self.rain_mm_h

    @property
    def battery_resistance_factor(self) -> float:
        return 1.0 + RESISTANCE_PER_K * max(0.0, COMFORTABLE_C - self.temperature_c)

    @property
    def battery_capacity_factor(self) -> float:
        return 1.0 - CAPACITY_PER_K * max(0.0, COMFORTABLE_C - self.temperature_c)
