"""Wind as a station measures it, and what it does to the ground speed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

from planner.checks import check_aware, check_number


@dataclass(frozen=True, slots=True, kw_only=True)
class Wind:
    """A uniform horizontal wind at flight height.

    ``from_deg`` is where it comes from, degrees clockwise from true north, as meteorology and
    MAVLink's WIND message count. ``speed_m_s`` is the mean, ``gust_m_s`` the strongest gust where
    it is known (never below the mean).
    """

    from_deg: float
    speed_m_s: float
    measured_at: datetime
    gust_m_s: float | None = None

    def __post_init__(self) -> None:
        check_number("wind.from_deg", self.from_deg, minimum=0.0, maximum=360.0)
        check_number("wind.speed_m_s", self.speed_m_s, minimum=0.0, maximum=100.0)
        if self.gust_m_s is not None:
            check_number("wind.gust_m_s", self.gust_m_s, minimum=self.speed_m_s, maximum=150.0)
        check_aware("wind.measured_at", self.measured_at)

    @property
    def strongest_m_s(self) -> float:
        """The gust where known, else the mean: what a wind limit is compared with."""
        return self.speed_m_s if self.gust_m_s is None else self.gust_m_s

    @property
    def towards_xy_m_s(self) -> tuple[float, float]:
        """The air's velocity over ground, metres per second east and north."""
        angle = math.radians(self.from_deg)
        # «+ 0.0» turns -0.0 into 0.0, so that equal winds compare and print alike.
        return -self.speed_m_s * math.sin(angle) + 0.0, -self.speed_m_s * math.cos(angle) + 0.0


def ground_speed_m_s(
    direction_xy: tuple[float, float], wind_xy_m_s: tuple[float, float], airspeed_m_s: float
) -> float | None:
    """Ground speed along a straight track at constant airspeed, or None where the track can't be held.

    ``direction_xy`` is a unit vector (east, north). Wind triangle: v_g = w∥ + √(v² − w⊥²), with w∥
    the wind along the track and w⊥ across it.
    """
    along_m_s = direction_xy[0] * wind_xy_m_s[0] + direction_xy[1] * wind_xy_m_s[1]
    across_m_s = direction_xy[0] * wind_xy_m_s[1] - direction_xy[1] * wind_xy_m_s[0]
    rest = airspeed_m_s * airspeed_m_s - across_m_s * across_m_s
    if rest < 0.0:
        return None
    speed_m_s = along_m_s + math.sqrt(rest)
    return speed_m_s if speed_m_s > 0.0 else None


def airspeed_for_m_s(
    direction_xy: tuple[float, float], wind_xy_m_s: tuple[float, float], ground_speed_m_s: float
) -> float:
    """The airspeed that a given ground speed along ``direction_xy`` costs in this wind."""
    return math.hypot(
        direction_xy[0] * ground_speed_m_s - wind_xy_m_s[0],
        direction_xy[1] * ground_speed_m_s - wind_xy_m_s[1],
    )
