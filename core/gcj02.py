"""GCJ-02 (Chinese maps) and BD-09 (Baidu): types and conversions, for the API edge only.

The offset to WGS-84 is 50–500 m: a mix flies an AED into the next street, so each system is a
type of its own and a position that does not name its system is refused.

GCJ-02 applies in mainland China. Hong Kong and Macau publish plain WGS-84 although the usual
bounding-box test includes them; the regions below exclude both, with an uncertainty of about
1 km along their land border, where no caller can know which rule a map provider applied.

Constants: Krasovsky 1940 ellipsoid, a = 6378245 m, e² = 0.00669342162296594323; the offset
polynomial is the published reverse-engineered one that every map client carries.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from core.errors import AirspaceError, ErrorCode
from core.geodesy import Wgs84Point, check_latitude_longitude

_A_M = 6378245.0
_E2 = 0.00669342162296594323
_BD_X_PI = math.pi * 3000.0 / 180.0


class ReferenceSystem(StrEnum):
    """The reference systems that a position may name."""

    WGS84 = "WGS-84"
    GCJ02 = "GCJ-02"
    BD09 = "BD-09"


@dataclass(frozen=True, slots=True)
class Gcj02Point:
    """A horizontal position on GCJ-02 (火星坐标), degrees. Amap, Tencent maps, mini-programs."""

    latitude_deg: float
    longitude_deg: float

    def __post_init__(self) -> None:
        check_latitude_longitude(self.latitude_deg, self.longitude_deg)


@dataclass(frozen=True, slots=True)
class Bd09Point:
    """A horizontal position on BD-09, degrees. Baidu maps."""

    latitude_deg: float
    longitude_deg: float

    def __post_init__(self) -> None:
        check_latitude_longitude(self.latitude_deg, self.longitude_deg)


# (longitude, latitude) outlines, hand-drawn along the Shenzhen river and the Zhuhai land border.
_HONG_KONG = (
    (113.8250, 22.1300), (114.5200, 22.1300), (114.5200, 22.5600), (114.2350, 22.5500),
    (114.2250, 22.5450), (114.1850, 22.5550), (114.1600, 22.5600), (114.1500, 22.5480),
    (114.1280, 22.5350), (114.1130, 22.5285), (114.0900, 22.5225), (114.0680, 22.5125),
    (114.0500, 22.5020), (114.0200, 22.4950), (113.9500, 22.4600), (113.8900, 22.4450),
    (113.8250, 22.3500),
)  # fmt: skip
_MACAU = (
    (113.5280, 22.1060), (113.6050, 22.1060), (113.6050, 22.2100), (113.5580, 22.2170),
    (113.5480, 22.2165), (113.5370, 22.2120), (113.5350, 22.1700), (113.5400, 22.1450),
)  # fmt: skip


def _inside(longitude_deg: float, latitude_deg: float, ring: tuple[tuple[float, float], ...]) -> bool:
    inside = False
    x2, y2 = ring[-1]
    for x1, y1 in ring:
        crosses = (y1 > latitude_deg) != (y2 > latitude_deg)
        if crosses and longitude_deg < (x2 - x1) * (latitude_deg - y1) / (y2 - y1) + x1:
            inside = not inside
        x2, y2 = x1, y1
    return inside


def gcj02_applies(latitude_deg: float, longitude_deg: float) -> bool:
    """Whether map providers shift this place: mainland China's box less Hong Kong and Macau."""
    if not (72.004 <= longitude_deg <= 137.8347 and 0.8293 <= latitude_deg <= 55.8271):
        return False
    return not (
        _inside(longitude_deg, latitude_deg, _HONG_KONG) or _inside(longitude_deg, latitude_deg, _MACAU)
    )


def _offset_deg(latitude_deg: float, longitude_deg: float) -> tuple[float, float]:
    x, y = longitude_deg - 105.0, latitude_deg - 35.0
    root = math.sqrt(abs(x))
    wave = 20.0 * math.sin(6.0 * x * math.pi) + 20.0 * math.sin(2.0 * x * math.pi)
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    north += (wave + 20.0 * math.sin(y * math.pi) + 40.0 * math.sin(y / 3.0 * math.pi)) * 2.0 / 3.0
    north += (160.0 * math.sin(y / 12.0 * math.pi) + 320.0 * math.sin(y * math.pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    east += (wave + 20.0 * math.sin(x * math.pi) + 40.0 * math.sin(x / 3.0 * math.pi)) * 2.0 / 3.0
    east += (150.0 * math.sin(x / 12.0 * math.pi) + 300.0 * math.sin(x / 30.0 * math.pi)) * 2.0 / 3.0
    phi = math.radians(latitude_deg)
    magic = 1.0 - _E2 * math.sin(phi) ** 2
    north_deg = math.degrees(north / (_A_M * (1.0 - _E2) / (magic * math.sqrt(magic))))
    east_deg = math.degrees(east / (_A_M / math.sqrt(magic) * math.cos(phi)))
    return north_deg, east_deg


def wgs84_to_gcj02(point: Wgs84Point) -> Gcj02Point:
    """Forward formula; identity where GCJ-02 does not apply."""
    if not gcj02_applies(point.latitude_deg, point.longitude_deg):
        return Gcj02Point(point.latitude_deg, point.longitude_deg)
    north_deg, east_deg = _offset_deg(point.latitude_deg, point.longitude_deg)
    return Gcj02Point(point.latitude_deg + north_deg, point.longitude_deg + east_deg)


def gcj02_to_wgs84(point: Gcj02Point) -> Wgs84Point:
    """Inverse of :func:`wgs84_to_gcj02` by fixed-point iteration, to 1e-9° (0.1 mm).

    The offset changes by less than 1 % per offset, so each round gains two digits; 12 rounds are
    the bound. Where the rule's boundary lies between both images no inverse exists: then the
    position is refused (3001) instead of guessed.
    """
    if not gcj02_applies(point.latitude_deg, point.longitude_deg):
        return Wgs84Point(point.latitude_deg, point.longitude_deg)
    latitude_deg, longitude_deg = point.latitude_deg, point.longitude_deg
    for _ in range(12):
        north_deg, east_deg = _offset_deg(latitude_deg, longitude_deg)
        previous = latitude_deg, longitude_deg
        latitude_deg, longitude_deg = point.latitude_deg - north_deg, point.longitude_deg - east_deg
        if max(abs(latitude_deg - previous[0]), abs(longitude_deg - previous[1])) < 1e-10:
            break
    result = Wgs84Point(latitude_deg, longitude_deg)
    back = wgs84_to_gcj02(result)
    error_deg = max(
        abs(back.latitude_deg - point.latitude_deg), abs(back.longitude_deg - point.longitude_deg)
    )
    if error_deg > 1e-7:
        raise AirspaceError(
            ErrorCode.POSITION_INVALID,
            "the GCJ-02 position lies on the border between shifted and unshifted maps; send WGS-84",
            field="position",
        )
    return result


def gcj02_to_bd09(point: Gcj02Point) -> Bd09Point:
    """Baidu's second step: a rotation and a shift of 0.0065°/0.006°."""
    x, y = point.longitude_deg, point.latitude_deg
    radius = math.hypot(x, y) + 0.00002 * math.sin(y * _BD_X_PI)
    angle = math.atan2(y, x) + 0.000003 * math.cos(x * _BD_X_PI)
    return Bd09Point(radius * math.sin(angle) + 0.006, radius * math.cos(angle) + 0.0065)


def bd09_to_gcj02(point: Bd09Point) -> Gcj02Point:
    """Inverse of :func:`gcj02_to_bd09` by fixed-point iteration, to 1e-10°."""
    latitude_deg, longitude_deg = point.latitude_deg - 0.006, point.longitude_deg - 0.0065
    for _ in range(12):
        image = gcj02_to_bd09(Gcj02Point(latitude_deg, longitude_deg))
        north_deg, east_deg = (
            point.latitude_deg - image.latitude_deg,
            point.longitude_deg - image.longitude_deg,
        )
        latitude_deg, longitude_deg = latitude_deg + north_deg, longitude_deg + east_deg
        if max(abs(north_deg), abs(east_deg)) < 1e-11:
            break
    return Gcj02Point(latitude_deg, longitude_deg)


def to_wgs84(system: ReferenceSystem, latitude_deg: float, longitude_deg: float) -> Wgs84Point:
    """The API edge: a position in a named reference system → WGS-84. Raises 3001 on bad numbers."""
    match system:
        case ReferenceSystem.WGS84:
            return Wgs84Point(latitude_deg, longitude_deg)
        case ReferenceSystem.GCJ02:
            return gcj02_to_wgs84(Gcj02Point(latitude_deg, longitude_deg))
        case ReferenceSystem.BD09:
            return gcj02_to_wgs84(bd09_to_gcj02(Bd09Point(latitude_deg, longitude_deg)))
