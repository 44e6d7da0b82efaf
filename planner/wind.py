"""Wind as a station measures it."""

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
