"""Positions, altitudes with their datum, and the local metric frame.

Everything inside the project is WGS-84. Other reference systems exist only at the API edge
(:mod:`core.gcj02`), as types of their own, so that a silent mix cannot be written down.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from pyproj import Geod, Proj

from core.errors import AirspaceError, ErrorCode

_GEOD = Geod(ellps="WGS84")


def check_latitude_longitude(latitude_deg: float, longitude_deg: float) -> None:
    """Raise 3001 with the field unless both are finite numbers in range."""
    if (
        type(latitude_deg) is float
        and type(longitude_deg) is float
        and -90.0 <= latitude_deg <= 90.0
        and -180.0 <= longitude_deg <= 180.0
    ):
        # Nearly always; NaN compares false. A plan has hundreds of positions.
        return
    for field, number, bound in (
        ("latitude_deg", latitude_deg, 90.0),
        ("longitude_deg", longitude_deg, 180.0),
    ):
        if not isinstance(number, (int, float)) or isinstance(number, bool) or not math.isfinite(number):
            raise AirspaceError(ErrorCode.POSITION_INVALID, f"{number!r} is not a finite number", field=field)
        if not -bound <= number <= bound:
            raise AirspaceError(
                ErrorCode.POSITION_INVALID, f"{number} is outside [-{bound:g}, {bound:g}]", field=field
            )


@dataclass(frozen=True, slots=True)
class Wgs84Point:
    """A horizontal position on WGS-84, degrees."""

    latitude_deg: float
    longitude_deg: float

    def __post_init__(self) -> None:
        check_latitude_longitude(self.latitude_deg, self.longitude_deg)


class AltitudeDatum(StrEnum):
    """What an altitude is measured from."""

    AMSL = "AMSL"
    """Above mean sea level (the geoid)."""
    AGL = "AGL"
    """Above the ground or water straight below."""
    ELLIPSOID = "ELLIPSOID"
    """Above the WGS-84 ellipsoid (ASTM F3548 ``W84``)."""
    HOME = "HOME"
    """Above the vehicle's home, as autopilots count."""


@dataclass(frozen=True, slots=True)
class Altitude:
    """A vertical position that is read only by naming its datum.

    ``Altitude.amsl(80).amsl_m`` is 80; ``Altitude.amsl(80).agl_m`` raises 3003, because the
    difference is the terrain and nobody may guess it.
    """

    _metres: float
    datum: AltitudeDatum

    def __post_init__(self) -> None:
        if not math.isfinite(self._metres):
            raise AirspaceError(ErrorCode.POSITION_INVALID, f"{self._metres!r} is not a finite altitude")

    @classmethod
    def amsl(cls, metres: float) -> Altitude:
        return cls(float(metres), AltitudeDatum.AMSL)

    @classmethod
    def agl(cls, metres: float) -> Altitude:
        return cls(float(metres), AltitudeDatum.AGL)

    @classmethod
    def ellipsoid(cls, metres: float) -> Altitude:
        return cls(float(metres), AltitudeDatum.ELLIPSOID)

    @classmethod
    def home(cls, metres: float) -> Altitude:
        return cls(float(metres), AltitudeDatum.HOME)

    def _read(self, datum: AltitudeDatum) -> float:
        if self.datum is not datum:
            raise AirspaceError(
                ErrorCode.DATUM_MISMATCH, f"altitude is given above {self.datum}, asked above {datum}"
            )
        return self._metres

    @property
    def amsl_m(self) -> float:
        return self._read(AltitudeDatum.AMSL)

    @property
    def agl_m(self) -> float:
        return self._read(AltitudeDatum.AGL)

    @property
    def ellipsoid_m(self) -> float:
        return self._read(AltitudeDatum.ELLIPSOID)

    @property
    def home_m(self) -> float:
        return self._read(AltitudeDatum.HOME)


@dataclass(frozen=True, slots=True)
class EnuOffset:
    """A horizontal offset from a :class:`LocalFrame`'s origin, metres east and north."""

    east_m: float
    north_m: float


class LocalFrame:
    """Metric plane around ``origin``: azimuthal equidistant projection on the WGS-84 ellipsoid.

    Distances from the origin are exact. Across the plane the worst relative error of a length at
    distance r is about r²/(6R²): ≤ 1 ppm within 15 km, ≤ 4.3 ppm within 32 km,
    ≤ 41.5 ppm within 100 km, tested against geodesics. A longer reach is refused with 3004 rather than
    quietly wrong. There and back again changes a point by less than 1 mm (PROJ snaps to the origin
    below 1e-10 rad).
    """

    MAX_REACH_M = 100_000.0
    """Chosen: a city and its surroundings; beyond it planning in one plane is a mistake."""

    def __init__(self, origin: Wgs84Point) -> None:
        self.origin = origin
        self._projection = Proj(
            proj="aeqd", lat_0=origin.latitude_deg, lon_0=origin.longitude_deg, ellps="WGS84"
        )

    def __repr__(self) -> str:
        return f"LocalFrame({self.origin!r})"

    def to_enu(self, point: Wgs84Point) -> EnuOffset:
        east_m, north_m = self._projection(point.longitude_deg, point.latitude_deg)
        if not math.hypot(east_m, north_m) <= self.MAX_REACH_M:
            raise AirspaceError(
                ErrorCode.OUTSIDE_LOCAL_FRAME, f"{point} is more than 100 km from the frame's origin"
            )
        return EnuOffset(east_m, north_m)

    def to_wgs84(self, offset: EnuOffset) -> Wgs84Point:
        longitude_deg, latitude_deg = self._projection(offset.east_m, offset.north_m, inverse=True)
        return Wgs84Point(latitude_deg, longitude_deg)

    def project(self, lon_lat_deg: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Array (n, 2) of (longitude, latitude) in degrees → (n, 2) of (east, north) in metres.

        For shapely and GeoJSON adapters, whose coordinates are (lon, lat).
        """
        given = np.asarray(lon_lat_deg, dtype=np.float64).reshape(-1, 2)
        east_m, north_m = self._projection(given[:, 0], given[:, 1])
        result = np.column_stack([east_m, north_m])
        reach_m = np.hypot(result[:, 0], result[:, 1])
        if not bool(np.all(reach_m <= self.MAX_REACH_M)):
            raise AirspaceError(
                ErrorCode.OUTSIDE_LOCAL_FRAME, "a coordinate is more than 100 km from the frame's origin"
            )
        return result

    def unproject(self, east_north_m: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Array (n, 2) of (east, north) in metres → (n, 2) of (longitude, latitude) in degrees."""
        given = np.asarray(east_north_m, dtype=np.float64).reshape(-1, 2)
        longitude_deg, latitude_deg = self._projection(given[:, 0], given[:, 1], inverse=True)
        return np.column_stack([longitude_deg, latitude_deg])


def geodesic_distance_m(start: Wgs84Point, end: Wgs84Point) -> float:
    """Length of the geodesic on the WGS-84 ellipsoid, metres (Karney, through PROJ)."""
    return float(_GEOD.inv(start.longitude_deg, start.latitude_deg, end.longitude_deg, end.latitude_deg)[2])


def geodesic_distances_m(
    start: Wgs84Point, longitudes_deg: npt.NDArray[np.float64], latitudes_deg: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Lengths of the geodesics from ``start`` to many points: the same figures as one by one."""
    count = len(longitudes_deg)
    found = _GEOD.inv(
        np.full(count, start.longitude_deg), np.full(count, start.latitude_deg), longitudes_deg, latitudes_deg
    )[2]
    return np.asarray(found, dtype=np.float64)


def initial_bearing_deg(start: Wgs84Point, end: Wgs84Point) -> float:
    """Azimuth at ``start`` towards ``end``, degrees clockwise from true north in [0, 360)."""
    azimuth_deg = _GEOD.inv(start.longitude_deg, start.latitude_deg, end.longitude_deg, end.latitude_deg)[0]
    return float(azimuth_deg) % 360.0


def destination(start: Wgs84Point, bearing_deg: float, distance_m: float) -> Wgs84Point:
    """The point ``distance_m`` along the geodesic that leaves ``start`` at ``bearing_deg``."""
    longitude_deg, latitude_deg, _ = _GEOD.fwd(
        start.longitude_deg, start.latitude_deg, bearing_deg, distance_m
    )
    return Wgs84Point(float(latitude_deg), float(longitude_deg))
