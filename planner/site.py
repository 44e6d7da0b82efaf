"""What stands on the ground: stations, drones, landing points, emergency sites. Read from one JSON file."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import TypeAdapter, ValidationError

from core.errors import AirspaceError, DroneAedError, ErrorCode
from core.geodesy import Wgs84Point
from planner.checks import check_number, check_text, check_unique, refuse
from planner.flight_plan import DeliveryMethod

_CODE = ErrorCode.SITE_FILE_INVALID


class PositionQuality(StrEnum):
    """How far a position can be trusted. A plan to anything but a SURVEYED point says so as a condition."""

    SURVEYED = "surveyed"
    """Measured on the spot, ≤ 1 m."""
    PUBLISHED = "published"
    """Taken from a published map or register."""
    APPROXIMATE = "approximate"
    """Placed by hand for a demonstration: tens to hundreds of metres off."""


class Surface(StrEnum):
    """What the AED is lowered onto."""

    GRASS = "grass"
    PAVING = "paving"
    ASPHALT = "asphalt"
    SPORTS_FIELD = "sports_field"
    ROOF = "roof"


@dataclass(frozen=True, slots=True, kw_only=True)
class UsableHours:
    """Days (ISO: 1 Monday … 7 Sunday) and local times «HH:MM» between which a landing point may be used.

    ``end`` may be «24:00». A span over midnight is written as two entries.
    """

    days: tuple[int, ...]
    start: str
    end: str

    def __post_init__(self) -> None:
        if not self.days or any(day not in range(1, 8) for day in self.days):
            raise refuse("hours.days", f"{self.days!r} must be days from 1 to 7", _CODE)
        if not self.start_minute < self.end_minute:
            raise refuse("hours.end", f"{self.end!r} must be after {self.start!r}", _CODE)

    @property
    def start_minute(self) -> int:
        """Minutes after local midnight."""
        return _minute_of_day("hours.start", self.start)

    @property
    def end_minute(self) -> int:
        """Minutes after local midnight, at most 1440."""
        return _minute_of_day("hours.end", self.end)


@lru_cache(maxsize=4096)
def _minute_of_day(field: str, text: str) -> int:
    hour, _, minute = text.partition(":")
    if not (len(text) == 5 and _digits(hour) and _digits(minute) and int(minute) < 60):
        raise refuse(field, f"{text!r} is not HH:MM", _CODE)
    total = int(hour) * 60 + int(minute)
    if total > 24 * 60:
        raise refuse(field, f"{text!r} is after 24:00", _CODE)
    return total


def _digits(text: str) -> bool:
    """Two of 0–9; other scripts have digits of their own, and «²» is one that is no number."""
    return len(text) == 2 and text.isascii() and text.isdigit()


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """How people get from the landing point to the streets around it.

    ``detour_factor`` multiplies the straight line (fences, crossings), ``exit_s`` is what leaving the
    place costs before that (gates, stairs). ``description`` says the way in words.
    """

    detour_factor: float
    exit_s: float
    description: str
    description_zh: str

    def __post_init__(self) -> None:
        check_number("walk.detour_factor", self.detour_factor, minimum=1.0, maximum=5.0, code=_CODE)
        check_number("walk.exit_s", self.exit_s, minimum=0.0, maximum=3600.0, code=_CODE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """Where drones stand ready. ``ground_amsl_m`` is the height of the pad."""

    station_id: str
    name: str
    name_zh: str
    position: Wgs84Point
    ground_amsl_m: float
    position_quality: PositionQuality

    def __post_init__(self) -> None:
        check_text("station_id", self.station_id, _CODE)
        check_number("ground_amsl_m", self.ground_amsl_m, minimum=-500.0, maximum=9000.0, code=_CODE)


class DrillUse(StrEnum):
    """Whether a drone may practise. Nothing flies in a drill but what somebody marked for it."""

    NO = "no"
    """For patients only."""
    ALLOWED = "allowed"
    """For patients, and for drills while no patient needs it; every simulated vehicle may be marked so."""
    ONLY = "only"
    """For drills only: no order for a patient gets it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drone:
    """A drone at a station. ``system_id`` is its MAVLink system id, ``link`` where it answers."""

    drone_id: str
    station_id: str
    airframe_id: str
    system_id: int
    link: str
    drills: DrillUse = DrillUse.NO

    def __post_init__(self) -> None:
        for field in ("drone_id", "station_id", "airframe_id", "link"):
            check_text(field, getattr(self, field), _CODE)
        if not 1 <= self.system_id <= 254:
            raise refuse(
                "system_id", f"{self.system_id} is outside 1…254 (255 is the ground controller)", _CODE
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class LandingPoint:
    """A place where an AED may be put down, as surveyed.

    ``clear_radius_m`` is free of obstacles and can be kept free of people; ``slope_deg`` the ground's
    slope; ``obstacles`` what stands around in words; ``surveyed_on`` an ISO date or None where nobody has
    been there; ``emergency_landing`` whether the drone itself may land here when it must.
    ``alternates`` are two other landing points from which the same streets can be served.
    """

    landing_point_id: str
    name: str
    name_zh: str
    position: Wgs84Point
    ground_amsl_m: float
    position_quality: PositionQuality
    delivery_methods: tuple[DeliveryMethod, ...]
    surface: Surface
    clear_radius_m: float
    slope_deg: float
    obstacles: str
    surveyed_on: str | None
    photo: str | None
    emergency_landing: bool
    hours: tuple[UsableHours, ...]
    walk: Walk
    alternates: tuple[str, ...]

    def __post_init__(self) -> None:
        check_text("landing_point_id", self.landing_point_id, _CODE)
        check_number("ground_amsl_m", self.ground_amsl_m, minimum=-500.0, maximum=9000.0, code=_CODE)
        check_number("clear_radius_m", self.clear_radius_m, above=0.0, maximum=1000.0, code=_CODE)
        check_number("slope_deg", self.slope_deg, minimum=0.0, maximum=45.0, code=_CODE)
        if not self.delivery_methods:
            raise refuse("delivery_methods", "at least one is needed", _CODE)
        if self.surveyed_on is not None:
            try:
                date.fromisoformat(self.surveyed_on)
            except ValueError:
                raise refuse("surveyed_on", f"{self.surveyed_on!r} is no ISO date", _CODE) from None
        if not self.hours:
            raise refuse("hours", "say when it may be used; always is 00:00 to 24:00 on all days", _CODE)

    def usable_at(self, at: datetime, timezone: ZoneInfo) -> bool:
        """Whether the moment lies in the usable hours (end exclusive)."""
        local = at.astimezone(timezone)
        minute = local.hour * 60 + local.minute
        day = local.isoweekday()
        return any(day in span.days and span.start_minute <= minute < span.end_minute for span in self.hours)

    def usable_throughout(self, start: datetime, end: datetime, timezone: ZoneInfo) -> bool:
        """Whether every minute from ``start`` to ``end`` is usable."""
        first, last = start.astimezone(timezone), end.astimezone(timezone)
        if first.date() == last.date():
            # Mostly one span holds both.
            day = first.isoweekday()
            from_minute, to_minute = first.hour * 60 + first.minute, last.hour * 60 + last.minute
            for span in self.hours:
                if day in span.days and span.start_minute <= from_minute <= to_minute < span.end_minute:
                    return True
        moment = start
        while moment < end:
            if not self.usable_at(moment, timezone):
                return False
            moment += timedelta(minutes=1)
        return self.usable_at(end, timezone)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencySite:
    """A place kept free enough for a drone to come down when it must: a rally point candidate."""

    emergency_site_id: str
    name: str
    name_zh: str
    position: Wgs84Point
    ground_amsl_m: float
    position_quality: PositionQuality

    def __post_init__(self) -> None:
        check_text("emergency_site_id", self.emergency_site_id, _CODE)
        check_number("ground_amsl_m", self.ground_amsl_m, minimum=-500.0, maximum=9000.0, code=_CODE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Everything one operator runs in one city. Ids are unique; every drone's station exists."""

    site_id: str
    name: str
    name_zh: str
    timezone: str
    stations: tuple[Station, ...]
    drones: tuple[Drone, ...]
    landing_points: tuple[LandingPoint, ...]
    emergency_sites: tuple[EmergencySite, ...] = ()

    def __post_init__(self) -> None:
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError):
            raise refuse("timezone", f"{self.timezone!r} is no IANA time zone", _CODE) from None
        check_unique("stations", [station.station_id for station in self.stations], _CODE)
        check_unique("drones", [drone.drone_id for drone in self.drones], _CODE)
        check_unique("drones", [f"system_id {drone.system_id}" for drone in self.drones], _CODE)
        check_unique("landing_points", [point.landing_point_id for point in self.landing_points], _CODE)
        check_unique("emergency_sites", [site.emergency_site_id for site in self.emergency_sites], _CODE)
        stations = {station.station_id for station in self.stations}
        for index, drone in enumerate(self.drones):
            if drone.station_id not in stations:
                raise refuse(
                    f"drones[{index}].station_id", f"there is no station {drone.station_id!r}", _CODE
                )
        points = {point.landing_point_id for point in self.landing_points}
        for index, point in enumerate(self.landing_points):
            for other in point.alternates:
                if other not in points or other == point.landing_point_id:
                    raise refuse(
                        f"landing_points[{index}].alternates", f"{other!r} is no other landing point", _CODE
                    )

    @property
    def zone_info(self) -> ZoneInfo:
        """The time zone in which usable hours are meant."""
        return ZoneInfo(self.timezone)

    def station(self, station_id: str) -> Station:
        """The station of that id; KeyError is a broken invariant, ids are checked on construction."""
        return next(station for station in self.stations if station.station_id == station_id)

    def landing_point(self, landing_point_id: str) -> LandingPoint:
        """The landing point of that id."""
        return next(point for point in self.landing_points if point.landing_point_id == landing_point_id)


_SECTIONS: dict[str, tuple[type, TypeAdapter[Any]]] = {
    "stations": (Station, TypeAdapter(Station)),
    "drones": (Drone, TypeAdapter(Drone)),
    "landing_points": (LandingPoint, TypeAdapter(LandingPoint)),
    "emergency_sites": (EmergencySite, TypeAdapter(EmergencySite)),
}


def load_site(source: str | Path | bytes) -> Site:
    """Read a site file (path, or its bytes).

    The file names its reference system (``"reference_system": "WGS-84"``, nothing else is taken:
    surveys are WGS-84) and leaves nothing out. Raises 3103 with the field at fault.
    """
    if isinstance(source, bytes):
        data = source
    else:
        try:
            data = Path(source).read_bytes()
        except OSError as error:
            raise AirspaceError(_CODE, f"can't be read: {error.strerror}", field=str(source)) from None
    try:
        raw = json.loads(data)
    except ValueError as error:
        raise AirspaceError(_CODE, f"not JSON: {error}") from None
    if not isinstance(raw, dict):
        raise AirspaceError(_CODE, "must be a JSON object")
    raw = {key: value for key, value in raw.items() if key not in ("$schema", "description")}
    if raw.pop("reference_system", None) != "WGS-84":
        raise refuse("reference_system", "the file must say that its positions are WGS-84", _CODE)
    allowed = {field.name for field in fields(Site)}
    for key in raw:
        if key not in allowed:
            raise refuse(key, "is no field of a site", _CODE)
    for key in ("site_id", "name", "name_zh", "timezone", "stations", "drones", "landing_points"):
        if key not in raw:
            raise refuse(key, "is missing", _CODE)
    sections: dict[str, Any] = {
        section: _read_section(section, raw.pop(section, [])) for section in _SECTIONS
    }
    for key, value in raw.items():
        check_text(key, value, _CODE)
    return Site(**raw, **sections)


def _read_section(section: str, items: object) -> tuple[Any, ...]:
    if not isinstance(items, list):
        raise refuse(section, "must be a list", _CODE)
    found = []
    for index, item in enumerate(items):
        try:
            found.append(read_item(section, item))
        except DroneAedError as error:
            raise refuse(f"{section}[{index}].{error.field}", error.detail, _CODE) from None
    return tuple(found)


def read_item(section: str, item: object) -> Any:
    """One station, drone, landing point or emergency site in the shape of a site file. Raises 3103 with its field."""
    kind, adapter = _SECTIONS[section]
    known = {field.name for field in fields(kind)}
    if isinstance(item, dict):
        for key in item:
            if key not in known:
                raise refuse(key, "is not known here", _CODE)
    try:
        return adapter.validate_python(item)
    except ValidationError as error:
        first = error.errors()[0]
        inner = ".".join(str(part) for part in first["loc"])
        raise refuse(inner, str(first["msg"]), _CODE) from None
    except DroneAedError as error:
        raise refuse(str(error.field), error.detail, _CODE) from None


def item_json(item: Station | Drone | LandingPoint | EmergencySite) -> dict[str, Any]:
    """The item as a site file writes it; :func:`read_item` reads it back."""
    found: dict[str, Any] = TypeAdapter(type(item)).dump_python(item, mode="json")
    return found
