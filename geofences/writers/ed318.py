"""EUROCAE ED-318 (GeoJSON with layers), by the published schema; see :mod:`geofences.readers.ed318`.

An unlimited ceiling has no value in the standard. Some authorities write 99999 m; we leave the member out,
which the schema allows and our reader takes as unlimited.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from core.geodesy import AltitudeDatum
from geofences.model import Authority, CircleArea, Restriction, VerticalLimit, Volume, Zone
from geofences.readers.extension import write_extension
from geofences.writers.geojson import ring_coordinates
from geofences.writers.times import write_moment, write_periods

_REFERENCE = {
    AltitudeDatum.AGL: "AGL",
    AltitudeDatum.AMSL: "AMSL",
    AltitudeDatum.ELLIPSOID: "WGS84",
}
_ZONE_TYPE = {
    Restriction.PROHIBITED: "PROHIBITED",
    Restriction.REQ_AUTHORISATION: "REQ_AUTHORIZATION",
    Restriction.CONDITIONAL: "CONDITIONAL",
    Restriction.NO_RESTRICTION: "NO_RESTRICTION",
    # An operating area opens; see geofences.readers.extension.
    Restriction.KEEP_IN: "NO_RESTRICTION",
}


def to_ed318(
    zones: Iterable[Zone], *, issued: datetime | None = None, provider: str = "", description: str = ""
) -> dict[str, Any]:
    """An ED-318 FeatureCollection of the zones."""
    metadata: dict[str, Any] = {}
    if issued is not None:
        metadata["issued"] = write_moment(issued)
    if provider:
        metadata["provider"] = _texts(provider)
    if description:
        metadata["description"] = _texts(description)
    return {
        "type": "FeatureCollection",
        "metadata": metadata,
        "features": [_feature(zone) for zone in zones],
    }


def _texts(english: str, chinese: str = "") -> list[dict[str, str]]:
    result = [{"text": english, "lang": "en-GB"}] if english else []
    return [*result, {"text": chinese, "lang": "zh-CN"}] if chinese else result


def _feature(zone: Zone) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "identifier": zone.zone_id,
        "country": zone.country,
        "name": _texts(zone.name, zone.name_zh),
        "type": "USPACE" if zone.u_space else _ZONE_TYPE[zone.restriction],
        "variant": zone.variant,
        "restrictionConditions": zone.conditions,
        "region": zone.region,
        "reason": list(zone.reasons),
        "otherReasonInfo": _texts(zone.other_reason),
        "regulationExemption": None
        if zone.regulation_exemption is None
        else _yes_no(zone.regulation_exemption),
        "message": _texts(zone.message, zone.message_zh),
        "limitedApplicability": write_periods(zone.applicability),
        "dataSource": _source(zone),
        "extendedProperties": write_extension(zone),
    }
    properties = {name: value for name, value in properties.items() if value not in (None, "", [], {})}
    # Mandatory even when there is nothing to say.
    properties["country"] = zone.country
    properties["zoneAuthority"] = [_authority(authority) for authority in zone.authorities]
    geometries = [_geometry(volume) for volume in zone.volumes]
    geometry = (
        geometries[0] if len(geometries) == 1 else {"type": "GeometryCollection", "geometries": geometries}
    )
    return {"type": "Feature", "id": zone.zone_id, "geometry": geometry, "properties": properties}


def _yes_no(value: bool) -> str:
    return "YES" if value else "NO"


def _source(zone: Zone) -> dict[str, Any]:
    result: dict[str, Any] = {}
    if zone.source.created_at is not None:
        result["creationDateTime"] = write_moment(zone.source.created_at)
    if zone.source.updated_at is not None:
        result["updateDateTime"] = write_moment(zone.source.updated_at)
    if zone.source.author:
        result["originator"] = _texts(zone.source.author)
    return result


def _authority(authority: Authority) -> dict[str, Any]:
    result: dict[str, Any] = {
        "name": _texts(authority.name),
        "service": _texts(authority.service),
        "contactName": _texts(authority.contact_name),
        "siteURL": authority.site_url,
        "email": authority.email,
        "phone": authority.phone,
        "purpose": authority.purpose,
        "intervalBefore": authority.interval_before,
    }
    return {name: value for name, value in result.items() if value not in ("", [])}


def _geometry(volume: Volume) -> dict[str, Any]:
    layer: dict[str, Any] = {}
    for which, limit in (("upper", volume.ceiling), ("lower", volume.floor)):
        layer |= _limit(which, limit)
    result: dict[str, Any]
    if isinstance(volume.area, CircleArea):
        centre = volume.area.centre
        result = {
            "type": "Point",
            "coordinates": [centre.longitude_deg, centre.latitude_deg],
            "extent": {"subType": "Circle", "radius": volume.area.radius_m},
        }
    else:
        rings = (volume.area.exterior, *volume.area.holes)
        result = {"type": "Polygon", "coordinates": [ring_coordinates(ring) for ring in rings]}
    return result | {"layer": layer | {"uom": "m"}}


def _limit(which: str, limit: VerticalLimit) -> dict[str, Any]:
    if limit.altitude is None:
        return {}
    return {which: limit.above_datum_m(), f"{which}Reference": _REFERENCE[limit.altitude.datum]}
