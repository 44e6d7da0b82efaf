"""Incidents and candidates from CSV or GeoJSON. A bad file is refused whole, with row, field and reason.

CSV: UTF-8 with a header line; every row names the ``reference_system`` of its position (WGS-84, GCJ-02, BD-09).
GeoJSON: a FeatureCollection of Points whose member ``"reference_system"`` must be ``"WGS-84"``: the RFC says so
anyway, but map services in China write GCJ-02 into GeoJSON, so the file has to say it.
The fields are the same in both (GeoJSON: in ``properties``):

- incidents: ``incident_id``, ``weight``; optional ``ambulance_s``, ``cpr_s``;
- candidates: ``kind`` (``station`` or ``landing_point``), ``id``, ``name``; for landing points optional
  ``detour_factor``, ``exit_s``.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.errors import AirspaceError, DroneAedError, ErrorCode
from core.gcj02 import ReferenceSystem, to_wgs84
from core.geodesy import Wgs84Point
from planner.checks import check_unique, refuse
from planner.siting import DEFAULT_DETOUR_FACTOR, LandingCandidate, SitingIncident, StationCandidate

_CODE = ErrorCode.SITE_FILE_INVALID
_PLACE = ("latitude_deg", "longitude_deg", "reference_system")
_INCIDENT = ("incident_id", "weight", "ambulance_s", "cpr_s")
_CANDIDATE = ("kind", "id", "name", "detour_factor", "exit_s")


def read_incidents(path: str | Path) -> tuple[SitingIncident, ...]:
    """The incidents of a file. Raises 3103 with row and field."""
    found = []
    for where, fields, position in _rows(Path(path), _INCIDENT):
        try:
            found.append(
                SitingIncident(
                    incident_id=_text(fields, "incident_id"),
                    position=position,
                    weight=_number(fields, "weight"),
                    ambulance_s=_optional(fields, "ambulance_s"),
                    cpr_s=_optional(fields, "cpr_s"),
                )
            )
        except DroneAedError as error:
            raise refuse(f"{where}.{error.field}", error.detail, _CODE) from None
    if not found:
        raise refuse(str(path), "holds no incident", _CODE)
    check_unique("incident_id", [incident.incident_id for incident in found], _CODE)
    return tuple(found)


def read_candidates(path: str | Path) -> tuple[tuple[StationCandidate, ...], tuple[LandingCandidate, ...]]:
    """Candidate stations and landing points of a file. Raises 3103 with row and field."""
    stations: list[StationCandidate] = []
    points: list[LandingCandidate] = []
    for where, fields, position in _rows(Path(path), _CANDIDATE):
        try:
            kind, identifier, name = (_text(fields, field) for field in ("kind", "id", "name"))
            if kind == "station":
                stations.append(StationCandidate(station_id=identifier, name=name, position=position))
            elif kind == "landing_point":
                detour = _optional(fields, "detour_factor")
                points.append(
                    LandingCandidate(
                        landing_point_id=identifier,
                        name=name,
                        position=position,
                        detour_factor=DEFAULT_DETOUR_FACTOR if detour is None else detour,
                        exit_s=_optional(fields, "exit_s") or 0.0,
                    )
                )
            else:
                raise refuse("kind", f"{kind!r} is neither station nor landing_point")
        except DroneAedError as error:
            raise refuse(f"{where}.{error.field}", error.detail, _CODE) from None
    if not stations:
        raise refuse(str(path), "holds no candidate station", _CODE)
    check_unique("id", [station.station_id for station in stations], _CODE)
    check_unique("id", [point.landing_point_id for point in points], _CODE)
    return tuple(stations), tuple(points)


def _rows(path: Path, known: tuple[str, ...]) -> Iterator[tuple[str, dict[str, Any], Wgs84Point]]:
    """Each row's place in the file in words, its fields, and its position."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise AirspaceError(_CODE, f"can't be read: {error.strerror}", field=str(path)) from None
    except UnicodeDecodeError as error:
        raise AirspaceError(_CODE, f"is not UTF-8 at byte {error.start}", field=str(path)) from None
    match path.suffix.lower():
        case ".csv":
            rows = _csv_rows(text, known)
        case ".geojson" | ".json":
            rows = _geojson_rows(text, known)
        case _:
            raise AirspaceError(_CODE, "must end in .csv, .geojson or .json", field=str(path))
    for where, fields in rows:
        try:
            system = _text(fields, "reference_system")
            if system not in set(ReferenceSystem):
                raise refuse("reference_system", f"{system!r} is none of {', '.join(ReferenceSystem)}")
            position = to_wgs84(
                ReferenceSystem(system), _number(fields, "latitude_deg"), _number(fields, "longitude_deg")
            )
        except DroneAedError as error:
            raise refuse(f"{where}.{error.field}", error.detail, _CODE) from None
        yield where, fields, position


def _csv_rows(text: str, known: tuple[str, ...]) -> Iterator[tuple[str, dict[str, Any]]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        for name in reader.fieldnames or ():
            if name not in known and name not in _PLACE:
                raise refuse(f"column {name}", "is not known here", _CODE)
        # Of two columns of one name the reader would silently take the last.
        check_unique("columns", list(reader.fieldnames or ()), _CODE)
        for row in reader:
            where = f"line {reader.line_num}"
            if None in row or None in row.values():
                raise refuse(where, "has another number of fields than the header", _CODE)
            yield where, row
    except csv.Error as error:
        raise refuse(f"line {reader.line_num}", f"is no CSV: {error}", _CODE) from None


def _geojson_rows(text: str, known: tuple[str, ...]) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        raw = json.loads(text)
    except ValueError as error:
        raise AirspaceError(_CODE, f"not JSON: {error}") from None
    if not isinstance(raw, dict) or raw.get("type") != "FeatureCollection":
        raise refuse("type", "must be a FeatureCollection", _CODE)
    if raw.get("reference_system") != "WGS-84":
        raise refuse("reference_system", "the file must say that its positions are WGS-84", _CODE)
    features = raw.get("features")
    if not isinstance(features, list):
        raise refuse("features", "must be a list", _CODE)
    for index, feature in enumerate(features):
        where = f"features[{index}]"
        properties = feature.get("properties") if isinstance(feature, dict) else None
        geometry = feature.get("geometry") if isinstance(feature, dict) else None
        if not isinstance(properties, dict) or not isinstance(geometry, dict):
            raise refuse(where, "must be a feature with properties and a geometry", _CODE)
        for name in properties:
            if name not in known:
                raise refuse(f"{where}.{name}", "is not known here", _CODE)
        coordinates = geometry.get("coordinates")
        if geometry.get("type") != "Point" or not isinstance(coordinates, list) or len(coordinates) < 2:
            raise refuse(f"{where}.geometry", "must be a Point", _CODE)
        place = {"longitude_deg": coordinates[0], "latitude_deg": coordinates[1]}
        yield where, {**properties, **place, "reference_system": "WGS-84"}


def _text(fields: dict[str, Any], name: str) -> str:
    text = fields.get(name)
    if not isinstance(text, str) or not text.strip():
        raise refuse(name, "is missing" if text in (None, "") else f"{text!r} is not a text")
    return text.strip()


def _number(fields: dict[str, Any], name: str) -> float:
    number = _optional(fields, name)
    if number is None:
        raise refuse(name, "is missing")
    return number


def _optional(fields: dict[str, Any], name: str) -> float | None:
    """A number, or None where the field is absent or empty; what it may be is the value's own check."""
    raw = fields.get(name)
    if raw is None or raw == "":
        return None
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        raise refuse(name, f"{raw!r} is not a number")
    try:
        return float(raw)
    except ValueError:
        raise refuse(name, f"{raw!r} is not a number") from None
