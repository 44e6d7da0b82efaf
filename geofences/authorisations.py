"""Standing authorisations as JSON: a list of approvals with area, heights, validity and number.

No published format exists for them. The outline is GeoJSON, limits are keyed as in
:mod:`geofences.readers.geojson`, times are RFC 3339 with their zone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.errors import AirspaceError, ZoneFileError
from core.geodesy import Wgs84Point
from geofences.model import Area, Authorisation, CircleArea
from geofences.readers.drafts import read_position, read_rings
from geofences.readers.fields import Fields, load_json
from geofences.readers.geojson import read_limit
from geofences.readers.result import Report
from geofences.readers.rings import to_areas
from geofences.readers.times import read_date_time


def read_authorisations(data: bytes | str | Mapping[str, Any]) -> tuple[Authorisation, ...]:
    """The authorisations of a file; 3101 naming which, the field and the reason when it is wrong."""
    top = Fields(load_json(data), feature="", path="", report=Report())
    if not isinstance(top.raw("authorisations"), list):
        top.refuse("authorisations", "a list of authorisations is expected")
    return tuple(_read(child) for child in top.children("authorisations"))


def _read(fields: Fields) -> Authorisation:
    fields.feature = fields.text("authorisation_id", None)
    valid_from, valid_until = (read_date_time(fields, name) for name in ("valid_from", "valid_until"))
    if valid_from is None or valid_until is None:
        fields.refuse("valid_from", "an authorisation needs valid_from and valid_until")
    try:
        return Authorisation(
            authorisation_id=fields.feature,
            zone_ids=fields.words("zone_ids"),
            authority=fields.text("authority", None),
            number=fields.text("number", None),
            valid_from=valid_from,
            valid_until=valid_until,
            area=_area(fields.child("area")) if fields.has("area") else None,
            floor=read_limit(fields, "lower"),
            ceiling=read_limit(fields, "upper"),
        )
    except ZoneFileError:
        raise
    except AirspaceError as error:
        raise ZoneFileError(error.detail, feature=fields.feature, field=error.field) from error


def _area(geometry: Fields) -> Area:
    kind = geometry.choice("type", {"Polygon": "Polygon", "Point": "Point"})
    coordinates, path = geometry.raw("coordinates"), geometry.at("coordinates")
    if kind == "Point":
        longitude_deg, latitude_deg = read_position(
            coordinates, feature=geometry.feature, path=path, report=geometry.report
        )
        radius_m = geometry.number("radius_m")
        if radius_m is None:
            geometry.refuse("radius_m", "is missing")
        return CircleArea(Wgs84Point(latitude_deg, longitude_deg), radius_m)
    rings = read_rings(coordinates, feature=geometry.feature, path=path, report=geometry.report)
    # Doubt about an approval falls on the side of a smaller area; several parts would be two approvals.
    areas = to_areas(rings, feature=geometry.feature, field=path, report=geometry.report, grow=False)
    if len(areas) != 1:
        geometry.refuse("coordinates", "the outline falls into several parts")
    return areas[0]
