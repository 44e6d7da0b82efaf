"""EUROCAE ED-318 UAS geographical zones: GeoJSON with vertical layers and circles.

Members as in the published schema (UASGeoZones/ED-318). Tolerated and noted: properties under
``UASZone`` and the layer under ``properties.verticalLayer`` (ENAIRE), plain strings where lists of texts
belong, a lone day, ``reasons`` for ``reason``, the S spelling REQ_AUTHORISATION, ``creationDate``. Of texts in
several languages the English one is kept, and a Chinese one beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from core.errors import ZoneFileError
from geofences.model import Authority, DataSource, Restriction, VerticalLimit, Zone
from geofences.readers.drafts import VolumeDraft, ZoneDraft, build_zones, read_position, read_rings
from geofences.readers.extension import read_extension
from geofences.readers.fields import Fields, load_json, quote
from geofences.readers.limits import check_values, read_limits
from geofences.readers.result import ReadResult, Report
from geofences.readers.times import read_applicability, read_date_time

_U_SPACE = "USPACE"
ZONE_TYPES: dict[str, str] = {
    "USPACE": _U_SPACE,
    "PROHIBITED": Restriction.PROHIBITED,
    "REQ_AUTHORIZATION": Restriction.REQ_AUTHORISATION,
    "REQ_AUTHORISATION": Restriction.REQ_AUTHORISATION,
    "CONDITIONAL": Restriction.CONDITIONAL,
    "NO_RESTRICTION": Restriction.NO_RESTRICTION,
}
_MAX_COLLECTION_DEPTH = 8
_ALL_HEIGHTS = (VerticalLimit(None), VerticalLimit(None))
Limits = tuple[VerticalLimit, VerticalLimit]


def read_ed318(data: bytes | str | Mapping[str, Any]) -> tuple[Zone, ...]:
    """The zones of an ED-318 file; 3101 naming feature, field and reason when it cannot be used."""
    return parse_ed318(data).zones


def parse_ed318(data: bytes | str | Mapping[str, Any]) -> ReadResult:
    """As :func:`read_ed318`, with the notes of what was repaired, tolerated or ignored."""
    report = Report()
    document = load_json(data)
    top = Fields(document, feature="", path="", report=report)
    kind = top.choice("type", {"FeatureCollection": "collection", "Feature": "feature"})
    if top.has("metadata") and top.child("metadata").has("otherGeoid"):
        # AMSL then means another geoid than EGM-96; local geoids differ from it by metres.
        geoid = top.child("metadata").text("otherGeoid")
        report.tolerated("", "metadata.otherGeoid", f"AMSL limits refer to {geoid}: taken as mean sea level")
    features = [document] if kind == "feature" else top.items("features")
    drafts = [_draft(feature, index, report) for index, feature in enumerate(features)]
    return ReadResult("ED-318", build_zones(drafts, report), tuple(report.notes))


def _draft(feature: object, index: int, report: Report) -> ZoneDraft:
    outer = Fields(feature, feature=f"features[{index}]", path="", report=report)
    properties = outer.child("properties")
    zone = properties
    if isinstance(properties.raw("UASZone"), Mapping):
        report.tolerated(outer.feature, properties.at("UASZone"), "properties nested")
        zone = properties.child("UASZone")
    identifier = zone.text("identifier").strip()
    if not identifier:
        zone.refuse("identifier", "is missing")
    outer.feature = properties.feature = zone.feature = identifier
    kind = zone.choice("type", ZONE_TYPES)
    name, name_zh = _texts(zone, "name")
    message, message_zh = _texts(zone, "message")
    values: dict[str, Any] = {
        "zone_id": identifier,
        "country": zone.text("country").strip().upper(),
        "name": name,
        "name_zh": name_zh,
        "restriction": Restriction.REQ_AUTHORISATION if kind == _U_SPACE else kind,
        "u_space": kind == _U_SPACE,
        "variant": zone.text("variant", "COMMON").upper(),
        "conditions": zone.sentences("restrictionConditions"),
        "region": zone.integer("region"),
        "reasons": tuple(word.upper() for word in zone.words(zone.first_of("reason", "reasons"))),
        "other_reason": _text(zone, "otherReasonInfo"),
        "regulation_exemption": zone.yes_no("regulationExemption"),
        "message": message,
        "message_zh": message_zh,
        "applicability": read_applicability(properties, "limitedApplicability"),
        "authorities": tuple(_authority(child) for child in properties.children("zoneAuthority")),
    }
    if properties.has("dataSource"):
        source = properties.child("dataSource")
        values["source"] = DataSource(
            author=_text(source, source.first_of("originator", "author")),
            created_at=read_date_time(
                source, source.first_of("creationDateTime", "creationDate"), zone_required=False
            ),
            updated_at=read_date_time(source, "updateDateTime", zone_required=False),
        )
    read_extension(zone, values)
    check_values(values, zone)
    limits: Limits | None = None
    if properties.has("verticalLayer"):
        report.tolerated(identifier, properties.at("verticalLayer"), "the layer of the whole feature")
        limits = _layer(properties.child("verticalLayer"))
    return ZoneDraft(identifier, values, list(_volumes(outer.child("geometry"), limits, depth=0)))


def _texts(fields: Fields, name: str) -> tuple[str, str]:
    """(English or first text, Chinese text) of a list of localised texts, or of a plain string."""
    value = fields.raw(name)
    if value is None or isinstance(value, str):
        return fields.text(name), ""
    by_language: dict[str, str] = {}
    for child in fields.children(name):
        text = child.text("text")
        if text:
            by_language.setdefault(child.text("lang").lower()[:2], text)
    chinese = by_language.pop("zh", "")
    if not by_language:
        return "", chinese
    english = by_language.get("en", next(iter(by_language.values())))
    others = sorted(lang for lang, text in by_language.items() if text != english)
    if others:
        fields.report.ignored(fields.feature, fields.at(name), f"other languages: {', '.join(others)}")
    return english, chinese


def _text(fields: Fields, name: str) -> str:
    english, chinese = _texts(fields, name)
    return english or chinese


def _authority(fields: Fields) -> Authority:
    return Authority(
        name=_text(fields, "name"),
        service=_text(fields, "service"),
        contact_name=_text(fields, "contactName"),
        site_url=fields.text("siteURL"),
        email=fields.text("email"),
        phone=fields.text("phone"),
        purpose=fields.text("purpose"),
        interval_before=fields.text("intervalBefore"),
    )


def _layer(fields: Fields) -> Limits:
    return read_limits(
        fields,
        unit="UOM" if fields.has("UOM") else "uom",
        lower="lower",
        lower_reference="lowerReference",
        upper="upper",
        upper_reference="upperReference",
        # ED-318: «if this member is not specified, metres».
        default_unit=1.0,
    )


def _volumes(geometry: Fields, outer: Limits | None, *, depth: int) -> Iterator[VolumeDraft]:
    limits = _layer(geometry.child("layer")) if geometry.has("layer") else outer
    kind = geometry.text("type", None)
    common: dict[str, Any] = {"feature": geometry.feature, "report": geometry.report}
    path = geometry.at("coordinates")
    if kind == "GeometryCollection" and depth < _MAX_COLLECTION_DEPTH:
        for part in geometry.children("geometries"):
            yield from _volumes(part, limits, depth=depth + 1)
        return
    if limits is None:
        geometry.report.tolerated(geometry.feature, geometry.at("layer"), "no layer: taken as all heights")
        limits = _ALL_HEIGHTS
    floor, ceiling = limits
    if kind == "Polygon":
        rings = read_rings(geometry.raw("coordinates"), path=path, **common)
        yield VolumeDraft(path, floor, ceiling, rings=rings)
    elif kind == "MultiPolygon":
        for i, polygon in enumerate(geometry.items("coordinates")):
            where = f"{path}[{i}]"
            rings = read_rings(polygon, path=where, **common)
            yield VolumeDraft(where, floor, ceiling, rings=rings)
    elif kind == "Point":
        extent = geometry.child("extent")
        extent.choice("subType", {"Circle": "Circle"})
        radius_m = extent.number("radius")
        if radius_m is None:
            extent.refuse("radius", "is missing")
        centre = read_position(geometry.raw("coordinates"), path=path, **common)
        yield VolumeDraft(extent.at("radius"), floor, ceiling, centre=centre, radius_m=radius_m)
    else:
        raise ZoneFileError(f"{quote(kind)} has no area", feature=geometry.feature, field=geometry.at("type"))
