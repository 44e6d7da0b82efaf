"""Plain GeoJSON (RFC 7946) with the zone's rules in ``properties``.

What people have is an outline; what a zone needs is a rule. So ``restriction`` is mandatory, and a
limit names its unit and datum by its key: ``lower_m_agl``, ``upper_m_amsl``, ``upper_ft_agl`` … A circle is a
Point with ``radius_m``. ``applicability`` is written as in ED-269. Without limits a zone reaches from
the ground up without end; without applicability it is permanent. Volumes with limits of their own are a
GeometryCollection with as many objects of limits in ``properties.volumes``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from core.errors import ZoneFileError
from geofences.model import Authority, DataSource, PositionQuality, Restriction, VerticalLimit, Zone
from geofences.readers.drafts import VolumeDraft, ZoneDraft, build_zones, read_position, read_rings
from geofences.readers.fields import Fields, load_json, quote
from geofences.readers.limits import DATUMS, UNITS, check_values, make_limit
from geofences.readers.result import ReadResult, Report
from geofences.readers.times import read_applicability, read_date_time

RESTRICTIONS: dict[str, Restriction] = {restriction.value: restriction for restriction in Restriction}
_MAX_COLLECTION_DEPTH = 8


def read_geojson(data: bytes | str | Mapping[str, Any]) -> tuple[Zone, ...]:
    """The zones of a GeoJSON file; 3101 naming feature, field and reason when it cannot be used."""
    return parse_geojson(data).zones


def parse_geojson(data: bytes | str | Mapping[str, Any]) -> ReadResult:
    """As :func:`read_geojson`, with the notes of what was repaired, tolerated or ignored."""
    report = Report()
    document = load_json(data)
    top = Fields(document, feature="", path="", report=report)
    kind = top.choice("type", {"FeatureCollection": "collection", "Feature": "feature"})
    if top.has("crs"):
        raise ZoneFileError("names a reference system of its own; RFC 7946 is WGS 84 only", field="crs")
    features = [document] if kind == "feature" else top.items("features")
    drafts = [draft_feature(feature, index, report) for index, feature in enumerate(features)]
    return ReadResult("GeoJSON", build_zones(drafts, report), tuple(report.notes))


def draft_feature(feature: object, index: int, report: Report) -> ZoneDraft:
    """One feature as a draft; KML is read through it too."""
    outer = Fields(feature, feature=f"features[{index}]", path="", report=report)
    fields = outer.child("properties")
    identifier = fields.text("identifier").strip() or outer.text("id").strip()
    if not identifier:
        fields.refuse("identifier", "is missing")
    outer.feature = fields.feature = identifier
    quality = fields.text("position_quality", PositionQuality.PUBLISHED.value)
    if quality not in set(PositionQuality):
        fields.refuse("position_quality", f"{quality!r} is not one of {', '.join(PositionQuality)}")
    values: dict[str, Any] = {
        "zone_id": identifier,
        "country": fields.text("country").strip().upper(),
        "name": fields.text("name"),
        "name_zh": fields.text("name_zh"),
        "variant": fields.text("variant", "COMMON").upper(),
        "restriction": fields.choice("restriction", RESTRICTIONS),
        "conditions": fields.text("conditions"),
        "region": fields.integer("region"),
        "reasons": tuple(word.upper() for word in fields.words("reasons")),
        "other_reason": fields.text("other_reason"),
        "regulation_exemption": fields.yes_no("regulation_exemption"),
        "u_space": bool(fields.yes_no("u_space")),
        "u_space_class": fields.text("u_space_class"),
        "message": fields.text("message"),
        "message_zh": fields.text("message_zh"),
        "applicability": read_applicability(fields, "applicability"),
        "authorities": tuple(_authority(child) for child in fields.children("authorities")),
        "position_quality": PositionQuality(quality),
        "source": DataSource(
            description=fields.text("source"),
            author=fields.text("source_author"),
            created_at=read_date_time(fields, "created_at"),
            updated_at=read_date_time(fields, "updated_at"),
        ),
    }
    check_values(values, fields)
    geometry = outer.child("geometry")
    volumes: list[VolumeDraft] = []
    if fields.has("volumes"):
        # One object of limits for each geometry of the collection.
        parts, limits = list(geometry.children("geometries")), list(fields.children("volumes"))
        if len(parts) != len(limits):
            fields.refuse("volumes", f"{len(limits)} volumes for {len(parts)} geometries")
        for part, limit in zip(parts, limits, strict=True):
            volumes.extend(_volumes(part, limit, depth=0))
    else:
        volumes.extend(_volumes(geometry, fields, depth=0))
    return ZoneDraft(identifier, values, volumes)


def _authority(fields: Fields) -> Authority:
    return Authority(
        **{
            name: fields.text(name)
            for name in (
                "name", "service", "contact_name", "site_url", "email", "phone", "purpose", "interval_before",
            )
        }
    )  # fmt: skip


def read_limit(fields: Fields, which: str) -> VerticalLimit:
    """The ``lower`` or ``upper`` limit, whose key names unit and datum; unlimited when there is none."""
    found: VerticalLimit | None = None
    for unit in ("m", "ft"):
        for word, datum in DATUMS.items():
            name = f"{which}_{unit}_{word.lower()}"
            height = fields.number(name)
            if height is not None:
                if found is not None:
                    fields.refuse(name, f"a second {which} limit")
                found = make_limit(height * UNITS[unit], datum)
    return found or VerticalLimit(None)


def _volumes(geometry: Fields, properties: Fields, *, depth: int) -> Iterator[VolumeDraft]:
    floor, ceiling = read_limit(properties, "lower"), read_limit(properties, "upper")
    kind = geometry.text("type", None)
    coordinates = geometry.raw("coordinates")
    path = geometry.at("coordinates")
    common: dict[str, Any] = {"feature": geometry.feature, "report": geometry.report}
    if kind == "Polygon":
        yield VolumeDraft(path, floor, ceiling, rings=read_rings(coordinates, path=path, **common))
    elif kind == "MultiPolygon":
        for i, polygon in enumerate(geometry.items("coordinates")):
            where = f"{path}[{i}]"
            yield VolumeDraft(where, floor, ceiling, rings=read_rings(polygon, path=where, **common))
    elif kind == "Point":
        radius_m = properties.number("radius_m")
        if radius_m is None:
            properties.refuse("radius_m", "is missing: a Point needs it to be a circle")
        centre = read_position(coordinates, path=path, **common)
        yield VolumeDraft(path, floor, ceiling, centre=centre, radius_m=radius_m)
    elif kind == "GeometryCollection" and depth < _MAX_COLLECTION_DEPTH:
        for part in geometry.children("geometries"):
            yield from _volumes(part, properties, depth=depth + 1)
    else:
        geometry.refuse("type", f"{quote(kind)} has no area")
