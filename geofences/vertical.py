"""Floors and ceilings of different datums as one interval of altitude above mean sea level.

``outwards`` chooses the side of doubt: keep-out zones are taken as large as the ground and geoid
bounds allow, operating areas and authorisations as small.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from core.errors import AirspaceError, ErrorCode
from core.geodesy import AltitudeDatum
from geofences.model import VerticalLimit

VERTICAL_SLACK_M = 1e-6
"""Chosen: far under any altimeter, far over the rounding of a float sum such as ground + limit."""


@dataclass(frozen=True, slots=True)
class GeoidRange:
    """Bounds of the geoid's height above the WGS-84 ellipsoid in the area of an airspace, metres.

    The default holds anywhere on Earth: EGM96 undulations lie between −107.0 m (Indian Ocean) and
    +85.4 m (New Guinea) (NGA, EGM96 documentation). A caller who knows the local undulation
    narrows it; until then ellipsoidal limits are widened by those bounds.
    """

    low_m: float = -107.0
    high_m: float = 85.4

    def __post_init__(self) -> None:
        if not -107.0 <= self.low_m <= self.high_m <= 86.0:
            raise AirspaceError(
                ErrorCode.DATUM_MISMATCH,
                f"[{self.low_m}, {self.high_m}] m is no range of geoid undulations",
            )


ANY_GEOID = GeoidRange()


def amsl_interval(
    floor: VerticalLimit,
    ceiling: VerticalLimit,
    ground_amsl_m: tuple[float, float],
    geoid: GeoidRange,
    *,
    outwards: bool,
) -> tuple[float, float]:
    """(low, high) in metres above mean sea level where the ground lies within ``ground_amsl_m``.

    A floor at or under the ground is -inf. low > high means: possibly nowhere.
    """
    ground_low_m, ground_high_m = ground_amsl_m
    return (
        _floor(floor, ground_low_m, ground_high_m, geoid, outwards=outwards),
        _ceiling(ceiling, ground_low_m, ground_high_m, geoid, outwards=outwards),
    )


def _floor(
    floor: VerticalLimit, ground_low_m: float, ground_high_m: float, geoid: GeoidRange, *, outwards: bool
) -> float:
    if floor.altitude is None:
        return -math.inf
    metres = floor.above_datum_m()
    if floor.datum is AltitudeDatum.AGL:
        if metres <= 0.0:
            return -math.inf
        return metres + (ground_low_m if outwards else ground_high_m)
    if floor.datum is AltitudeDatum.ELLIPSOID:
        metres -= geoid.high_m if outwards else geoid.low_m
    return -math.inf if metres <= (ground_high_m if outwards else ground_low_m) else metres


def _ceiling(
    ceiling: VerticalLimit, ground_low_m: float, ground_high_m: float, geoid: GeoidRange, *, outwards: bool
) -> float:
    if ceiling.altitude is None:
        return math.inf
    metres = ceiling.above_datum_m()
    if ceiling.datum is AltitudeDatum.AGL:
        return metres + (ground_high_m if outwards else ground_low_m)
    if ceiling.datum is AltitudeDatum.ELLIPSOID:
        return metres - (geoid.low_m if outwards else geoid.high_m)
    return metres
