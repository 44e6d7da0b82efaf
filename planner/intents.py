"""Operational intents: where and when a flight says it will be, as 4-D volumes in the shapes of ASTM F3548-21.

Our own flights and those of other operators are compared in this form and no other. Outlines are WGS-84 and
their edges geodesics; altitudes are metres above the WGS-84 ellipsoid (the standard's reference ``W84``), never
above the sea or the ground; times are aware UTC. All sets are closed: a boundary belongs to its volume.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import shapely

from core.errors import DroneAedError, ErrorCode
from core.geodesy import Wgs84Point
from planner.checks import check_aware, check_number, check_text, refuse

PRIORITY_MAX = 2**31 - 1
"""F3548 takes a 32-bit integer."""

_KINDS = {"dict": "a JSON object", "list": "a list", "str": "a text"}


class IntentState(StrEnum):
    """F3548's states of an operational intent."""

    ACCEPTED = "Accepted"
    """Agreed, not flying yet."""
    ACTIVATED = "Activated"
    """Flying inside its volumes."""
    NONCONFORMING = "Nonconforming"
    """Outside its volumes, expected to come back. It gives way to nobody."""
    CONTINGENT = "Contingent"
    """Out of control or unable to come back. It gives way to nobody."""


INTENT_STATES_ZH: Mapping[IntentState, str] = {
    IntentState.ACCEPTED: "已接受",
    IntentState.ACTIVATED: "飞行中",
    IntentState.NONCONFORMING: "偏离",
    IntentState.CONTINGENT: "应急",
}


@dataclass(frozen=True, slots=True)
class Circle:
    """Everything within ``radius_m`` of ``centre``, metres on the ellipsoid."""

    centre: Wgs84Point
    radius_m: float

    def __post_init__(self) -> None:
        check_number("outline_circle.radius", self.radius_m, above=0.0, maximum=50_000.0)


@dataclass(frozen=True, slots=True)
class Polygon:
    """A simple ring of at least three different points, open: the first is not repeated. No holes in F3548."""

    ring: tuple[Wgs84Point, ...]

    def __post_init__(self) -> None:
        if len(self.ring) < 3:
            raise refuse("outline_polygon.vertices", f"a ring needs three points, not {len(self.ring)}")
        if _goes_round_once(self.ring):
            return
        if len(set(self.ring)) < len(self.ring):
            raise refuse("outline_polygon.vertices", "a point occurs twice")
        shape = shapely.Polygon([(point.longitude_deg, point.latitude_deg) for point in self.ring])
        if not shape.is_valid or shape.area == 0.0:
            raise refuse("outline_polygon.vertices", "the ring crosses or touches itself")


def _goes_round_once(ring: tuple[Wgs84Point, ...]) -> bool:
    """Whether the ring is clearly convex, so that it neither crosses nor touches itself: it turns to the same side at
    every corner, and goes from west to east and back once. Ours are; asking GEOS takes many times as long."""
    before_x, before_y = ring[-1].longitude_deg, ring[-1].latitude_deg
    along_x = before_x - ring[-2].longitude_deg
    along_y = before_y - ring[-2].latitude_deg
    side, turns, heads_east = 0.0, 0, along_x > 0.0
    for point in ring:
        step_x, step_y = point.longitude_deg - before_x, point.latitude_deg - before_y
        turn = along_x * step_y - along_y * step_x
        # Far above rounding: 1e-18 square degrees are a hundredth of a square millimetre.
        if abs(turn) < 1e-18 or turn * side < 0.0:
            return False
        side = turn
        turns += heads_east != (step_x > 0.0)
        heads_east = step_x > 0.0
        before_x, before_y = point.longitude_deg, point.latitude_deg
        along_x, along_y = step_x, step_y
    return turns == 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume4D:
    """An outline between two altitudes (metres above the WGS-84 ellipsoid) between two moments."""

    outline: Polygon | Circle
    altitude_lower_m: float
    altitude_upper_m: float
    time_start: datetime
    time_end: datetime

    def __post_init__(self) -> None:
        check_number("altitude_lower", self.altitude_lower_m, minimum=-8000.0, maximum=100_000.0)
        check_number("altitude_upper", self.altitude_upper_m, minimum=-8000.0, maximum=100_000.0)
        if not self.altitude_lower_m < self.altitude_upper_m:
            raise refuse("altitude_upper", "must be above altitude_lower")
        check_aware("time_start", self.time_start)
        check_aware("time_end", self.time_end)
        if not self.time_start < self.time_end:
            raise refuse("time_end", "must be after time_start")

    def shifted(self, delay: timedelta) -> Volume4D:
        """The same space, later."""
        return replace(self, time_start=self.time_start + delay, time_end=self.time_end + delay)


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationalIntent:
    """One flight's volumes. A larger ``priority`` goes first, as in F3548; ``owner`` is its manager."""

    intent_id: str
    owner: str
    state: IntentState
    priority: int
    volumes: tuple[Volume4D, ...]

    def __post_init__(self) -> None:
        check_text("intent_id", self.intent_id)
        check_text("owner", self.owner)
        check_number("priority", self.priority, minimum=-PRIORITY_MAX - 1, maximum=PRIORITY_MAX)
        if not self.volumes:
            raise refuse("volumes", "an intent without a volume says nothing")

    @property
    def gives_way_to_nobody(self) -> bool:
        """Whether its aircraft does not follow its intent, so that no priority moves it."""
        return self.state in (IntentState.NONCONFORMING, IntentState.CONTINGENT)

    def blocks(self, priority: int) -> bool:
        """Whether an intent of ``priority`` has to yield to it: first come, first served among equals."""
        return self.gives_way_to_nobody or self.priority >= priority

    def delayed(self, delay: timedelta) -> OperationalIntent:
        """The same intent, later."""
        return replace(self, volumes=tuple(volume.shifted(delay) for volume in self.volumes))


def volume_to_json(volume: Volume4D) -> dict[str, Any]:
    """F3548's ``Volume4D``."""
    space: dict[str, Any] = {
        "altitude_lower": {"value": volume.altitude_lower_m, "reference": "W84", "units": "M"},
        "altitude_upper": {"value": volume.altitude_upper_m, "reference": "W84", "units": "M"},
    }
    if isinstance(volume.outline, Circle):
        space["outline_circle"] = {
            "center": _point_to_json(volume.outline.centre),
            "radius": {"value": volume.outline.radius_m, "units": "M"},
        }
    else:
        space["outline_polygon"] = {"vertices": [_point_to_json(point) for point in volume.outline.ring]}
    return {
        "volume": space,
        "time_start": _time_to_json(volume.time_start),
        "time_end": _time_to_json(volume.time_end),
    }


def intent_to_json(intent: OperationalIntent) -> dict[str, Any]:
    """F3548's ``OperationalIntent`` (``reference`` and ``details``), without the fields that a DSS adds.

    Volumes of an intent that left its plan are off-nominal ones in F3548.
    """
    volumes = [volume_to_json(volume) for volume in intent.volumes]
    nominal = not intent.gives_way_to_nobody
    return {
        "reference": {
            "id": intent.intent_id,
            "manager": intent.owner,
            "state": intent.state.value,
            "time_start": _time_to_json(min(volume.time_start for volume in intent.volumes)),
            "time_end": _time_to_json(max(volume.time_end for volume in intent.volumes)),
        },
        "details": {
            "volumes": volumes if nominal else [],
            "off_nominal_volumes": [] if nominal else volumes,
            "priority": intent.priority,
        },
    }


def intent_from_json(data: object) -> OperationalIntent:
    """Read F3548's ``OperationalIntent``. Raises 3201 with the field for anything missing or wrong.

    Fields that the comparison doesn't need (versions, OVN, URLs) may be there and are left aside. Nominal
    and off-nominal volumes count alike.
    """
    reference = _member(data, "reference", "", dict)
    details = _member(data, "details", "", dict)
    intent_id = _member(reference, "id", "reference.", str)
    try:
        uuid.UUID(intent_id)
    except ValueError:
        raise refuse("reference.id", f"{intent_id!r} is no UUID") from None
    state = _member(reference, "state", "reference.", str)
    if state not in set(IntentState):
        raise refuse("reference.state", f"{state!r} is none of {', '.join(IntentState)}")
    priority = details.get("priority", 0)
    if not isinstance(priority, int) or isinstance(priority, bool):
        raise refuse("details.priority", f"{priority!r} is not a whole number")
    volumes: list[Volume4D] = []
    for section in ("volumes", "off_nominal_volumes"):
        listed = details.get(section, [])
        if not isinstance(listed, list):
            raise refuse(f"details.{section}", "must be a list")
        volumes += [
            volume_from_json(item, field=f"details.{section}[{index}]") for index, item in enumerate(listed)
        ]
    try:
        return OperationalIntent(
            intent_id=intent_id,
            owner=_member(reference, "manager", "reference.", str),
            state=IntentState(state),
            priority=priority,
            volumes=tuple(volumes),
        )
    except DroneAedError as error:
        names = {"owner": "reference.manager"}
        inner = error.field or ""
        raise refuse(names.get(inner, f"details.{inner}"), error.detail) from None


def volume_from_json(data: object, *, field: str = "volume4d") -> Volume4D:
    """Read F3548's ``Volume4D``. Both altitudes and both times must be there: an open end isn't guessed.

    A last vertex that repeats the first is dropped: the standard forbids it, many writers do it, and it
    can mean nothing else.
    """
    space = _member(data, "volume", f"{field}.", dict)
    where = f"{field}.volume."
    given = [name for name in ("outline_circle", "outline_polygon") if space.get(name) is not None]
    if len(given) != 1:
        raise refuse(f"{where}outline", "needs either outline_circle or outline_polygon")
    try:
        outline: Polygon | Circle
        if given[0] == "outline_circle":
            circle = _member(space, "outline_circle", where, dict)
            inner = f"{where}outline_circle."
            outline = Circle(
                _point(_member(circle, "center", inner, dict), f"{inner}center"),
                _length(_member(circle, "radius", inner, dict), f"{inner}radius"),
            )
        else:
            polygon = _member(space, "outline_polygon", where, dict)
            vertices = _member(polygon, "vertices", f"{where}outline_polygon.", list)
            ring = [
                _point(item, f"{where}outline_polygon.vertices[{index}]")
                for index, item in enumerate(vertices)
            ]
            if len(ring) > 3 and ring[0] == ring[-1]:
                ring.pop()
            outline = Polygon(tuple(ring))
        return Volume4D(
            outline=outline,
            altitude_lower_m=_altitude(space, "altitude_lower", where),
            altitude_upper_m=_altitude(space, "altitude_upper", where),
            time_start=_time(data, "time_start", f"{field}."),
            time_end=_time(data, "time_end", f"{field}."),
        )
    except DroneAedError as error:
        inner = error.field or ""
        if inner.startswith(field):
            raise
        place = f"{field}." if inner.startswith("time_") else where
        raise refuse(place + inner, error.detail) from None


def _member(data: object, name: str, where: str, kind: type) -> Any:
    if not isinstance(data, dict):
        raise refuse(where.rstrip(".") or "intent", "must be a JSON object")
    if name not in data or data[name] is None:
        raise refuse(where + name, "is missing")
    if not isinstance(data[name], kind) or (isinstance(data[name], bool) and kind is not bool):
        raise refuse(where + name, f"must be {_KINDS[kind.__name__]}")
    return data[name]


def _number(data: dict[str, Any], name: str, where: str) -> float:
    if name not in data:
        raise refuse(where + name, "is missing")
    check_number(where + name, data[name])
    return float(data[name])


def _point(data: object, where: str) -> Wgs84Point:
    if not isinstance(data, dict):
        raise refuse(where, "must be a JSON object with lng and lat")
    latitude_deg, longitude_deg = _number(data, "lat", f"{where}."), _number(data, "lng", f"{where}.")
    try:
        return Wgs84Point(latitude_deg, longitude_deg)
    except DroneAedError as error:
        name = "lat" if error.field == "latitude_deg" else "lng"
        raise refuse(f"{where}.{name}", error.detail, ErrorCode.POSITION_INVALID) from None


def _length(data: dict[str, Any], where: str) -> float:
    if data.get("units") != "M":
        raise refuse(f"{where}.units", f"{data.get('units')!r} is not M")
    return _number(data, "value", f"{where}.")


def _altitude(space: dict[str, Any], name: str, where: str) -> float:
    altitude = _member(space, name, where, dict)
    if altitude.get("reference") != "W84":
        raise refuse(f"{where}{name}.reference", f"{altitude.get('reference')!r} is not W84")
    return _length(altitude, f"{where}{name}")


def _time(data: object, name: str, where: str) -> datetime:
    moment = _member(data, name, where, dict)
    if moment.get("format") != "RFC3339":
        raise refuse(f"{where}{name}.format", f"{moment.get('format')!r} is not RFC3339")
    text = _member(moment, "value", f"{where}{name}.", str)
    try:
        if not text.endswith(("Z", "z")):
            raise ValueError
        return datetime.fromisoformat(text[:-1] + "+00:00")
    except ValueError:
        raise refuse(f"{where}{name}.value", f"{text!r} is no RFC 3339 time in UTC (…Z)") from None


def _point_to_json(point: Wgs84Point) -> dict[str, float]:
    return {"lng": point.longitude_deg, "lat": point.latitude_deg}


def _time_to_json(moment: datetime) -> dict[str, str]:
    text = moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return {"value": text, "format": "RFC3339"}
