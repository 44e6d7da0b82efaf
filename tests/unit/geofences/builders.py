"""Small zones around a known origin, in metres east and north of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from core.geodesy import Altitude, EnuOffset, LocalFrame, Wgs84Point
from geofences.airspace import Airspace
from geofences.model import (
    GROUND,
    UNLIMITED,
    Authorisation,
    CircleArea,
    PolygonArea,
    Restriction,
    VerticalLimit,
    Volume,
    Zone,
)

ORIGIN = Wgs84Point(22.575, 113.885)
FRAME = LocalFrame(ORIGIN)
NOON = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
"""A Tuesday, 12:00 in Shenzhen."""


def at(east_m: float, north_m: float) -> Wgs84Point:
    return FRAME.to_wgs84(EnuOffset(east_m, north_m))


def box(west_m: float, south_m: float, east_m: float, north_m: float) -> tuple[Wgs84Point, ...]:
    return (at(west_m, south_m), at(east_m, south_m), at(east_m, north_m), at(west_m, north_m))


def amsl(metres: float) -> VerticalLimit:
    return VerticalLimit(Altitude.amsl(metres))


def agl(metres: float) -> VerticalLimit:
    return VerticalLimit(Altitude.agl(metres))


def square(
    half_m: float = 100.0,
    *,
    floor: VerticalLimit = GROUND,
    ceiling: VerticalLimit = UNLIMITED,
    hole_half_m: float | None = None,
    centre: tuple[float, float] = (0.0, 0.0),
) -> Volume:
    east_m, north_m = centre
    holes = ()
    if hole_half_m is not None:
        holes = (
            box(east_m - hole_half_m, north_m - hole_half_m, east_m + hole_half_m, north_m + hole_half_m),
        )
    outline = box(east_m - half_m, north_m - half_m, east_m + half_m, north_m + half_m)
    return Volume(PolygonArea(outline, holes), floor, ceiling)


def circle(radius_m: float, *, centre: tuple[float, float] = (0.0, 0.0), **limits: Any) -> Volume:
    return Volume(CircleArea(at(*centre), radius_m), **limits)


def zone(
    *volumes: Volume, zone_id: str = "Z", restriction: Restriction = Restriction.PROHIBITED, **values: Any
) -> Zone:
    return Zone(zone_id=zone_id, restriction=restriction, volumes=volumes or (square(),), **values)


def authorisation(zone_ids: Sequence[str] = ("Z",), **values: Any) -> Authorisation:
    given: dict[str, Any] = {
        "authorisation_id": "A",
        "authority": "authority",
        "number": "1",
        "valid_from": datetime(2026, 1, 1, tzinfo=UTC),
        "valid_until": datetime(2027, 1, 1, tzinfo=UTC),
    }
    return Authorisation(zone_ids=tuple(zone_ids), **(given | values))


def airspace(*zones: Zone, **values: Any) -> Airspace:
    return Airspace(zones, **({"version": "test", "origin": ORIGIN} | values))
