"""Zones as values: what is restricted, where, between which heights, when, and by whom.

A zone is a closed set: its boundary, floor, ceiling, first and last moment belong to it. Edges are
straight in longitude and latitude (RFC 7946, ED-269, ED-318), circles are sets of points by distance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import shapely

from core.errors import AirspaceError, ErrorCode
from core.geodesy import Altitude, AltitudeDatum, Wgs84Point
from geofences.applicability import PERMANENT, Applicability, TimeWindow, require_utc

__all__ = [
    "GROUND",
    "PERMANENT",
    "UNLIMITED",
    "Applicability",
    "Area",
    "Authorisation",
    "Authority",
    "CircleArea",
    "DataSource",
    "PolygonArea",
    "PositionQuality",
    "Restriction",
    "TimeWindow",
    "VerticalLimit",
    "Volume",
    "Zone",
]

MAX_CIRCLE_RADIUS_M = 200_000.0
"""Chosen: no published UAS zone is a circle of more than 108 NM; a larger number is a unit mistake."""


class Restriction(StrEnum):
    """What a zone demands of a flight."""

    PROHIBITED = "PROHIBITED"
    """No flight, and no authorisation opens it."""
    REQ_AUTHORISATION = "REQ_AUTHORISATION"
    """Forbidden unless an :class:`Authorisation` covers place, height and time."""
    CONDITIONAL = "CONDITIONAL"
    """Open to those who meet its conditions. Software cannot see whether they are met, so it is
    forbidden unless an :class:`Authorisation` records that its authority confirmed them for us."""
    NO_RESTRICTION = "NO_RESTRICTION"
    """Information only."""
    KEEP_IN = "KEEP_IN"
    """Operating area: as soon as an airspace has one, flights stay inside the union of those that apply."""


class PositionQuality(StrEnum):
    """How far the outline of a zone may be trusted."""

    SURVEYED = "surveyed"
    PUBLISHED = "published"
    APPROXIMATE = "approximate"
    """Placed by hand or from a map: good for a demonstration, not for flying."""


@dataclass(frozen=True, slots=True)
class VerticalLimit:
    """A floor or a ceiling. None is unlimited: a floor on the ground, a ceiling without end."""

    altitude: Altitude | None = None

    def __post_init__(self) -> None:
        if self.altitude is not None and self.altitude.datum is AltitudeDatum.HOME:
            raise AirspaceError(
                ErrorCode.ZONE_INVALID, "a zone has no home to measure from", field="altitude"
            )

    @property
    def datum(self) -> AltitudeDatum | None:
        return None if self.altitude is None else self.altitude.datum

    def above_datum_m(self) -> float:
        """Metres above :attr:`datum`; 3003 when unlimited."""
        if self.altitude is None:
            raise AirspaceError(ErrorCode.DATUM_MISMATCH, "an unlimited limit has no height")
        match self.altitude.datum:
            case AltitudeDatum.AMSL:
                return self.altitude.amsl_m
            case AltitudeDatum.AGL:
                return self.altitude.agl_m
            case _:
                return self.altitude.ellipsoid_m

    def describe(self) -> str:
        """For a person, e.g. ``120 m AGL``."""
        return "unlimited" if self.altitude is None else f"{self.above_datum_m():g} m {self.datum}"


UNLIMITED = VerticalLimit(None)
GROUND = VerticalLimit(None)
"""The same value as UNLIMITED, named for floors."""


@dataclass(frozen=True, slots=True)
class PolygonArea:
    """An exterior ring and holes. Rings are stored open: the first point is not repeated.

    Refused with 3102: fewer than three corners, a ring that crosses or touches itself, a hole
    outside the exterior, a span of 180° or more (no zone of ours lies on the antimeridian).
    """

    exterior: tuple[Wgs84Point, ...]
    holes: tuple[tuple[Wgs84Point, ...], ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "exterior", _open_ring(self.exterior, "exterior"))
        object.__setattr__(
            self, "holes", tuple(_open_ring(hole, f"holes[{i}]") for i, hole in enumerate(self.holes))
        )
        longitudes = [point.longitude_deg for point in self.exterior]
        if max(longitudes) - min(longitudes) >= 180.0:
            raise AirspaceError(
                ErrorCode.ZONE_INVALID, "the ring spans 180° of longitude or more", field="exterior"
            )
        outline = self.to_shapely_lon_lat()
        if not outline.is_valid:
            raise AirspaceError(
                ErrorCode.ZONE_INVALID,
                f"the outline is not a simple polygon: {shapely.is_valid_reason(outline)}",
                field="exterior",
            )

    def to_shapely_lon_lat(self) -> shapely.Polygon:
        """The polygon with (longitude, latitude) coordinates, degrees."""
        return shapely.Polygon(
            [(p.longitude_deg, p.latitude_deg) for p in self.exterior],
            [[(p.longitude_deg, p.latitude_deg) for p in hole] for hole in self.holes],
        )


def _open_ring(ring: tuple[Wgs84Point, ...], field: str) -> tuple[Wgs84Point, ...]:
    points = tuple(ring)
    if len(points) > 1 and points[0] == points[-1]:
        points = points[:-1]
    if len(points) < 3:
        raise AirspaceError(ErrorCode.ZONE_INVALID, "a ring needs three different points", field=field)
    return points


@dataclass(frozen=True, slots=True)
class CircleArea:
    """All points whose geodesic distance to ``centre`` is at most ``radius_m``."""

    centre: Wgs84Point
    radius_m: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.radius_m) and 0.0 < self.radius_m <= MAX_CIRCLE_RADIUS_M):
            raise AirspaceError(
                ErrorCode.ZONE_INVALID,
                f"a radius of {self.radius_m} m is not in (0, {MAX_CIRCLE_RADIUS_M:g}]",
                field="radius_m",
            )


Area = PolygonArea | CircleArea


@dataclass(frozen=True, slots=True)
class Volume:
    """An area between a floor and a ceiling. Both belong to it.

    A floor at or under the ground reaches down without end, so that an altitude measured a little
    too low does not slip under a zone.
    """

    area: Area
    floor: VerticalLimit = GROUND
    ceiling: VerticalLimit = UNLIMITED

    def __post_init__(self) -> None:
        if (
            self.floor.altitude is not None
            and self.ceiling.altitude is not None
            and self.floor.datum is self.ceiling.datum
            and self.floor.above_datum_m() > self.ceiling.above_datum_m()
        ):
            raise AirspaceError(
                ErrorCode.ZONE_INVALID,
                f"the floor {self.floor.describe()} is above the ceiling {self.ceiling.describe()}",
                field="floor",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """Who is responsible for a zone and how to reach them (ED-269 ``zoneAuthority``)."""

    name: str = ""
    service: str = ""
    contact_name: str = ""
    site_url: str = ""
    email: str = ""
    phone: str = ""
    purpose: str = ""
    """AUTHORIZATION, NOTIFICATION or INFORMATION, as published."""
    interval_before: str = ""
    """How long before the flight to ask; ISO 8601 duration, as published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSource:
    """Where the zone's data comes from: a sentence, and ED-318's author and times where given."""

    description: str = ""
    author: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None

    def __post_init__(self) -> None:
        for field in ("created_at", "updated_at"):
            moment = getattr(self, field)
            if moment is not None:
                object.__setattr__(self, field, require_utc(moment, field))


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """One restriction: the union of its volumes at the moments of its applicability."""

    zone_id: str
    restriction: Restriction
    volumes: tuple[Volume, ...]
    name: str = ""
    name_zh: str = ""
    reasons: tuple[str, ...] = ()
    """ED-269 reason words, e.g. AIR_TRAFFIC, SENSITIVE, EMERGENCY."""
    other_reason: str = ""
    conditions: str = ""
    """What a CONDITIONAL zone demands, as published."""
    applicability: Applicability = PERMANENT
    authorities: tuple[Authority, ...] = ()
    message: str = ""
    message_zh: str = ""
    country: str = ""
    """ISO 3166-1 alpha-3."""
    region: int | None = None
    variant: str = "COMMON"
    """COMMON or CUSTOMIZED (ED-318 ``variant``, ED-269 ``type``)."""
    u_space: bool = False
    """ED-318 type USPACE: U-space airspace. Restriction is then REQ_AUTHORISATION, since a flight
    there needs a U-space flight authorisation (EU 2021/664 art. 6)."""
    u_space_class: str = ""
    regulation_exemption: bool | None = None
    position_quality: PositionQuality = PositionQuality.PUBLISHED
    source: DataSource = DataSource()

    def __post_init__(self) -> None:
        if not self.zone_id:
            raise AirspaceError(ErrorCode.ZONE_INVALID, "a zone needs an identifier", field="zone_id")
        if not self.volumes:
            raise AirspaceError(ErrorCode.ZONE_INVALID, f"zone {self.zone_id} has no volume", field="volumes")
        if self.u_space and self.restriction is not Restriction.REQ_AUTHORISATION:
            raise AirspaceError(
                ErrorCode.ZONE_INVALID, "U-space airspace is a REQ_AUTHORISATION zone", field="u_space"
            )

    @property
    def keeps_out(self) -> bool:
        """Whether the zone can forbid a flight inside it."""
        return self.restriction in (
            Restriction.PROHIBITED,
            Restriction.REQ_AUTHORISATION,
            Restriction.CONDITIONAL,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorisation:
    """A standing approval: opens REQ_AUTHORISATION zones and confirms the conditions of CONDITIONAL
    ones, inside its area, between its heights and during its validity only.

    ``area`` None means everywhere inside the named zones. It never opens a PROHIBITED zone.
    """

    authorisation_id: str
    zone_ids: tuple[str, ...]
    authority: str
    number: str
    valid_from: datetime
    valid_until: datetime
    area: Area | None = None
    floor: VerticalLimit = GROUND
    ceiling: VerticalLimit = UNLIMITED

    def __post_init__(self) -> None:
        for field in ("authorisation_id", "authority", "number", "zone_ids"):
            if not getattr(self, field):
                raise AirspaceError(ErrorCode.ZONE_INVALID, f"an authorisation needs {field}", field=field)
        for field in ("valid_from", "valid_until"):
            object.__setattr__(self, field, require_utc(getattr(self, field), field))
        if self.valid_until < self.valid_from:
            raise AirspaceError(
                ErrorCode.ZONE_INVALID, "valid_until is before valid_from", field="valid_until"
            )
