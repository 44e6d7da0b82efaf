"""Plain GeoJSON (RFC 7946) in the form that :mod:`geofences.readers.geojson` reads.

Limits are keyed by unit and datum. Where the volumes of a zone differ in limits or radius, the
geometry is a GeometryCollection and ``properties.volumes`` says them one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from core.geodesy import AltitudeDatum, Wgs84Point
from geofences.model import Area, CircleArea, VerticalLimit, Volume, Zone
from geofences.shapes import circle_corners
from geofences.writers.times import write_moment, write_periods

_DATUM_WORD = {
    AltitudeDatum.AGL: "agl",
    AltitudeDatum.AMSL: "amsl",
    AltitudeDatum.ELLIPSOID: "wgs84",
}


def to_geojson(zones: Iterable[Zone], *, circles_as_polygons: bool = False) -> dict[str, Any]:
    """A FeatureCollection of the zones.

    ``circles_as_polygons`` is for maps that know no circle: it draws circumscribed polygons, and
    what is written then is no longer equal to the zones.
    """
    features = [_feature(zone, circles_as_polygons=circles_as_polygons) for zone in zones]
    return {"type": "FeatureCollection", "features": features}


def ring_coordinates(ring: Sequence[Wgs84Point]) -> list[list[float]]:
    """A closed ring of [longitude, latitude]."""
    coordinates = [[point.longitude_deg, point.latitude_deg] for point in ring]
    return [*coordinates, coordinates[0]]


def outline(area: Area) -> tuple[tuple[Wgs84Point, ...], ...]:
    """Rings of an area; a circle's is circumscribed."""
    if isinstance(area, CircleArea):
        return (tuple(circle_corners(area)),)
    return (area.exterior, *area.holes)


def zone_properties(zone: Zone) -> dict[str, Any]:
    """Everything of a zone but its volumes; what is empty is left out."""
    properties: dict[str, Any] = {
        "identifier": zone.zone_id,
        "restriction": zone.restriction.value,
        "name": zone.name,
        "name_zh": zone.name_zh,
        "country": zone.country,
        "variant": zone.variant,
        "conditions": zone.conditions,
        "region": zone.region,
        "reasons": list(zone.reasons),
        "other_reason": zone.other_reason,
        "regulation_exemption": _yes_no(zone.regulation_exemption),
        "u_space": _yes_no(zone.u_space) if zone.u_space else None,
        "u_space_class": zone.u_space_class,
        "message": zone.message,
        "message_zh": zone.message_zh,
        "applicability": write_periods(zone.applicability),
        "authorities": [
            {name: value for name, value in asdict(authority).items() if value}
            for authority in zone.authorities
        ],
        "position_quality": zone.position_quality.value,
        "source": zone.source.description,
        "source_author": zone.source.author,
        "created_at": zone.source.created_at and write_moment(zone.source.created_at),
        "updated_at": zone.source.updated_at and write_moment(zone.source.updated_at),
    }
    return {name: value for name, value in properties.items() if value not in (None, "", [])}


def volume_limits(volume: Volume) -> dict[str, Any]:
    """Floor, ceiling and radius of a volume, keyed by unit and datum."""
    result: dict[str, Any] = _limit("lower", volume.floor) | _limit("upper", volume.ceiling)
    if isinstance(volume.area, CircleArea):
        result["radius_m"] = volume.area.radius_m
    return result


def _feature(zone: Zone, *, circles_as_polygons: bool) -> dict[str, Any]:
    properties = zone_properties(zone)
    geometries = [_geometry(volume.area, circles_as_polygons=circles_as_polygons) for volume in zone.volumes]
    limits = [volume_limits(volume) for volume in zone.volumes]
    if circles_as_polygons:
        limits = [{name: value for name, value in limit.items() if name != "radius_m"} for limit in limits]
    if len(geometries) == 1:
        geometry = geometries[0]
        properties |= limits[0]
    elif all(limit == limits[0] for limit in limits) and all(g["type"] == "Polygon" for g in geometries):
        geometry = {"type": "MultiPolygon", "coordinates": [g["coordinates"] for g in geometries]}
        properties |= limits[0]
    else:
        geometry = {"type": "GeometryCollection", "geometries": geometries}
        properties["volumes"] = limits
    return {"type": "Feature", "id": zone.zone_id, "properties": properties, "geometry": geometry}


def _yes_no(value: bool | None) -> str | None:
    return None if value is None else ("YES" if value else "NO")


def _geometry(area: Area, *, circles_as_polygons: bool) -> dict[str, Any]:
    if isinstance(area, CircleArea) and not circles_as_polygons:
        return {"type": "Point", "coordinates": [area.centre.longitude_deg, area.centre.latitude_deg]}
    return {"type": "Polygon", "coordinates": [ring_coordinates(ring) for ring in outline(area)]}


def _limit(which: str, limit: VerticalLimit) -> dict[str, float]:
    if limit.altitude is None:
        return {}
    return {f"{which}_m_{_DATUM_WORD[limit.altitude.datum]}": limit.above_datum_m()}
