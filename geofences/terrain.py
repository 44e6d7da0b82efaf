"""Ground heights: the difference between AGL and AMSL, which nobody may guess.

Limits above ground are compared with flights above mean sea level. A terrain therefore gives, for a
box, bounds that hold everywhere in it; where it knows nothing it says (-inf, inf), and zones are
then taken as large as they could be (operating areas and authorisations as small).
"""

from __future__ import annotations

import math
from typing import Protocol

from core.errors import AirspaceError, ErrorCode
from core.geodesy import Wgs84Point


class Terrain(Protocol):
    """Port to a ground model."""

    @property
    def description(self) -> str:
        """What this model is, for results and records."""
        ...

    @property
    def resolution_m(self) -> float:
        """Distance over which ground is sampled; ``math.inf`` when it is the same everywhere."""
        ...

    def ground_amsl_m(self, point: Wgs84Point) -> float:
        """Ground height at ``point``, metres above mean sea level; 3003 where it is unknown."""
        ...

    def ground_range_amsl_m(
        self, west_deg: float, south_deg: float, east_deg: float, north_deg: float
    ) -> tuple[float, float]:
        """Bounds (lowest, highest) of the ground in a box; (-inf, inf) where any of it is unknown."""
        ...


class FlatTerrain:
    """The same ground everywhere: an assumption, and said so."""

    def __init__(self, ground_amsl_m: float, *, because: str = "") -> None:
        if not math.isfinite(ground_amsl_m):
            raise AirspaceError(ErrorCode.DATUM_MISMATCH, f"{ground_amsl_m} is not a ground height")
        self._ground_amsl_m = float(ground_amsl_m)
        self._because = f" ({because})" if because else ""

    def __repr__(self) -> str:
        return f"FlatTerrain({self._ground_amsl_m:g})"

    @property
    def description(self) -> str:
        return f"flat ground assumed at {self._ground_amsl_m:g} m above mean sea level{self._because}"

    @property
    def resolution_m(self) -> float:
        return math.inf

    def ground_amsl_m(self, point: Wgs84Point) -> float:
        return self._ground_amsl_m

    def ground_range_amsl_m(
        self, west_deg: float, south_deg: float, east_deg: float, north_deg: float
    ) -> tuple[float, float]:
        return (self._ground_amsl_m, self._ground_amsl_m)
