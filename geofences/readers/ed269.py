"""EUROCAE ED-269 UAS geographical zones as JSON (2020 edition, as EU authorities publish it).

Tolerated and noted: the list called ``UASZoneList`` and schedules ``dailyPeriod`` (FOCA), properties under
``properties`` or ``UASZone`` as in GeoJSON, a bare list of features, single values where lists belong,
latitude before longitude (see :mod:`.drafts`), numbers as text, the case of words, the Z spelling
REQ_AUTHORIZATION, identifiers longer than seven characters.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.errors import ZoneFileError
from geofences.model import Authority, Restriction, Zone
from geofences.readers.drafts import VolumeDraft, ZoneDraft, build_zones, read_position, read_rings
from geofences.readers.extension import read_extension
from geofences.readers.fields import Fields, load_json, quote
from geofences.readers.limits import UNITS, check_values, read_limits
from geofences.readers.result import ReadResult, Report
from geofences.readers.times import read_applicability

RESTRICTIONS: dict[str, Restriction] = {
    "PROHIBITED": Restriction.PROHIBITED,
    "REQ_AUTHORISATION": Restriction.REQ_AUTHORISATION,
    "REQ_AUTHORIZATION": Restriction.REQ_AUTHORISATION,
    "CONDITIONAL": Restriction.CONDITIONAL,
    "NO_RESTRICTION": Restriction.NO_RESTRICTION,
}
IDENTIFIER_LENGTH = 7
"""ED-269 and ED-318: at most seven characters."""


def read_ed269(data: bytes | str | Mapping[str, Any]) -> tuple[Zone, ...]:
    """The zones of an ED-269 file; 3101 naming feature, field and reason when it cannot be used."""
    return parse_ed269(data).zones


def parse_ed269(data: bytes | str | Mapping[str, Any]) -> ReadResult:
    """As :func:`read_ed269`, with the notes of what was repaired, tolerated or ignored."""
    report = Report()
    document = load_json(data)
    features = document
    if isinstance(document, Mapping):
        features = document.get("features", document.get("UASZoneList"))
    if not isinstance(features, list):
        raise ZoneFileError(f"expected a list of features, found {quote(features)}", field="features")
    drafts = [_draft(feature, index, report) for index, feature in enumerate(features)]
    return ReadResult("ED-269", build_zones(drafts, report), tuple(report.notes))


def _draft(feature: object, index: int, report: Report) -> ZoneDraft:
    place = f"features[{index}]"
    outer = Fields(feature, feature=place, path="", report=report)
    fields = outer
    for wrapper in ("properties", "UASZone"):
        if isinstance(fields.raw(wrapper), Mapping):
            report.tolerated(place, fields.at(wrapper), "properties nested")
            fields = fields.child(wrapper)
    identifier = fields.text("identifier").strip()
    if not identifier:
        fields.refuse("identifier", "is missing")
    outer.feature = fields.feature = identifier
    if len(identifier) > IDENTIFIER_LENGTH:
        report.tolerated(identifier, "identifier", f"longer than {IDENTIFIER_LENGTH} characters")
    values: dict[str, Any] = {
        "zone_id": identifier,
        "country": fields.text("country").strip().upper(),
        "name": fields.text("name"),
        "variant": fields.text("type", "COMMON").upper(),
        "restriction": fields.choice("restriction", RESTRICTIONS),
        "conditions": fields.sentences("restrictionConditions"),
        "region": fields.integer("region"),
        "reasons": tuple(word.upper() for word in fields.words(fields.first_of("reason", "reasons"))),
        "other_reason": fields.text("otherReasonInfo"),
        "regulation_exemption": fields.yes_no("regulationExemption"),
        "u_space_class": fields.sentences("uSpaceClass"),
        "message": fields.sentences("message"),
        "applicability": read_applicability(fields, "applicability"),
        "authorities": tuple(_authority(child) for child in fields.children("zoneAuthority")),
    }
    if not fields.has("applicability"):
        fields.refuse("applicability", "is missing")
    read_extension(fields, values)
    check_values(values, fields)
    holder = outer if outer.has("geometry") else fields
    volumes = [_volume(child) for child in holder.children("geometry")]
    return ZoneDraft(identifier, values, volumes)


def _authority(fields: Fields) -> Authority:
    return Authority(
        name=fields.text("name"),
        service=fields.text("service"),
        contact_name=fields.text("contactName"),
        site_url=fields.text("siteURL"),
        email=fields.text("email"),
        phone=fields.text("phone"),
        purpose=fields.text("purpose"),
        interval_before=fields.text("intervalBefore"),
    )


def _volume(fields: Fields) -> VolumeDraft:
    floor, ceiling = read_limits(
        fields,
        unit="uomDimensions",
        lower="lowerLimit",
        lower_reference="lowerVerticalReference",
        upper="upperLimit",
        upper_reference="upperVerticalReference",
    )
    projection = fields.child("horizontalProjection")
    kind = projection.choice("type", {"Circle": "Circle", "Polygon": "Polygon"})
    if kind == "Polygon":
        rings = read_rings(
            projection.raw("coordinates"),
            feature=fields.feature,
            path=projection.at("coordinates"),
            report=fields.report,
        )
        return VolumeDraft(projection.at("coordinates"), floor, ceiling, rings=rings)
    centre_name = projection.first_of("center", "centre")
    centre = read_position(
        projection.raw(centre_name),
        feature=fields.feature,
        path=projection.at(centre_name),
        report=fields.report,
    )
    radius = projection.number("radius")
    if radius is None:
        projection.refuse("radius", "is missing")
    if fields.raw("uomDimensions") is not None and fields.choice("uomDimensions", UNITS) != 1.0:
        # The standard has one unit for all dimensions of a volume; feeds that give heights in feet
        # were seen to give radii in metres (9260.0 = 5 NM). The larger reading errs to caution.
        fields.report.tolerated(
            fields.feature,
            projection.at("radius"),
            "beside heights in feet: taken as metres, the larger reading",
        )
    return VolumeDraft(projection.at("radius"), floor, ceiling, centre=centre, radius_m=radius)
