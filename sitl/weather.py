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
