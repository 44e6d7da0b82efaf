"""ED-269 and ED-318: the standards, what authorities make of them, and what is refused."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime

import pytest

from core.errors import ZoneFileError
from core.geodesy import AltitudeDatum, Wgs84Point
from geofences.applicability import (
    EVERY_DAY,
    PERMANENT,
    ClockTime,
    SolarEvent,
    SolarTime,
    TimePeriod,
    Weekday,
    WeeklyPeriod,
)
from geofences.model import CircleArea, PolygonArea, PositionQuality, Restriction
from geofences.readers import NoteKind, parse_ed269, parse_ed318, read_ed269, read_ed318
from geofences.readers.fields import Fields
from geofences.readers.result import Report
from geofences.readers.times import read_clock_time

SQUARE = [[113.88, 22.57], [113.89, 22.57], [113.89, 22.58], [113.88, 22.58], [113.88, 22.57]]


def ed269(**changes):
    feature = {
        "identifier": "CHN0001",
        "country": "CHN",
        "name": "School",
        "type": "COMMON",
        "restriction": "REQ_AUTHORISATION",
        "restrictionConditions": ["Ask first"],
        "region": 3,
        "reason": ["POPULATION", "OTHER"],
        "otherReasonInfo": "children",
        "uSpaceClass": "X",
        "message": "Ask the school",
        "regulationExemption": "NO",
        "applicability": [
            {
                "permanent": "NO",
                "startDateTime": "2026-09-01T00:00:00.00Z",
                "endDateTime": "2027-01-31T23:59:59Z",
                "schedule": [
                    {"day": ["MON", "WED"], "startTime": "07:30Z", "endTime": "16:00:00.00Z"},
                    {"day": ["ANY"], "startTime": "20:00+08:00", "endTime": "06:00+08:00"},
                ],
            }
        ],
        "zoneAuthority": [
            {
                "name": "School",
                "service": "Office",
                "contactName": "Ms Li",
                "siteURL": "https://example.org",
                "email": "office@example.org",
                "phone": "1",
                "purpose": "AUTHORIZATION",
                "intervalBefore": "P1D",
            }
        ],
        "geometry": [
            {
                "uomDimensions": "FT",
                "lowerLimit": 0,
                "lowerVerticalReference": "AGL",
                "upperLimit": 400,
                "upperVerticalReference": "AMSL",
                "horizontalProjection": {"type": "Polygon", "coordinates": [SQUARE]},
            },
            {
                "uomDimensions": "M",
                "lowerLimit": 50,
                "lowerVerticalReference": "AMSL",
                "upperVerticalReference": "AMSL",
                "horizontalProjection": {"type": "Circle", "center": [113.9, 22.6], "radius": 250.5},
            },
        ],
    }
    return {"features": [feature | changes]}


def ed318(geometry=None, **changes):
    properties = {
        "identifier": "CHN0002",
        "country": "CHN",
        "name": [{"text": "Park", "lang": "en-GB"}, {"text": "公园", "lang": "zh-CN"}],
        "type": "CONDITIONAL",
        "variant": "CUSTOMIZED",
        "restrictionConditions": "Daylight only",
        "region": 0,
        "reason": ["NATURE"],
        "message": [{"text": "Birds", "lang": "en"}],
        "regulationExemption": "YES",
        "limitedApplicability": [
            {
                "startDateTime": "2026-03-01T00:00:00Z",
                "schedule": [
                    {"day": ["ANY"], "startEvent": "BMCT", "endEvent": "EECT"},
                    {"day": ["SUN"], "startEvent": "SR", "endTime": "12:00:00Z"},
                ],
            }
        ],
        "zoneAuthority": [{"name": [{"text": "Parks", "lang": "en"}], "purpose": "NOTIFICATION"}],
        "dataSource": {
            "creationDateTime": "2026-01-01T00:00:00Z",
            "originator": [{"text": "Survey", "lang": "en"}],
        },
    }
    polygon = {
        "type": "Polygon",
        "coordinates": [SQUARE],
        "layer": {
            "upper": 328.084,
            "upperReference": "WGS84",
            "lower": 10,
            "lowerReference": "AGL",
            "uom": "ft",
        },
    }
    feature = {"type": "Feature", "properties": properties | changes, "geometry": geometry or polygon}
    return {"type": "FeatureCollection", "metadata": {}, "features": [feature]}


def test_ed269_in_full():
    result = parse_ed269(json.dumps(ed269()).encode())
    (zone,) = result.zones
    assert result.notes == ()
    assert (zone.zone_id, zone.country, zone.name, zone.region) == ("CHN0001", "CHN", "School", 3)
    assert zone.restriction is Restriction.REQ_AUTHORISATION
    assert (zone.conditions, zone.message, zone.other_reason) == ("Ask first", "Ask the school", "children")
    assert zone.reasons == ("POPULATION", "OTHER")
    assert (zone.regulation_exemption, zone.u_space_class, zone.variant) == (False, "X", "COMMON")
    assert zone.authorities[0].contact_name == "Ms Li"
    assert zone.authorities[0].interval_before == "P1D"
    first, second = zone.volumes
    assert isinstance(first.area, PolygonArea)
    assert len(first.area.exterior) == 4
    assert first.area.exterior[1] == Wgs84Point(22.57, 113.89)
    assert first.floor.altitude.agl_m == 0.0
    assert first.ceiling.altitude.amsl_m == pytest.approx(121.92)
    assert second.area == CircleArea(Wgs84Point(22.6, 113.9), 250.5)
    assert second.floor.altitude.amsl_m == 50.0
    assert second.ceiling.altitude is None
    (period,) = zone.applicability.periods
    assert period.start == datetime(2026, 9, 1, tzinfo=UTC)
    assert period.schedule == (
        WeeklyPeriod((Weekday.MON, Weekday.WED), ClockTime(27_000), ClockTime(57_600)),
        WeeklyPeriod(EVERY_DAY, ClockTime(72_000, 28_800), ClockTime(21_600, 28_800)),
    )


def test_ed318_in_full():
    result = parse_ed318(json.dumps(ed318()).encode())
    (zone,) = result.zones
    assert result.notes == ()
    assert (zone.name, zone.name_zh, zone.message) == ("Park", "公园", "Birds")
    assert zone.restriction is Restriction.CONDITIONAL
    assert (zone.variant, zone.conditions, zone.regulation_exemption) == ("CUSTOMIZED", "Daylight only", True)
    assert zone.authorities[0].name == "Parks"
    assert zone.source.author == "Survey"
    assert zone.source.created_at == datetime(2026, 1, 1, tzinfo=UTC)
    (volume,) = zone.volumes
    assert volume.ceiling.altitude.datum is AltitudeDatum.ELLIPSOID
    assert volume.ceiling.altitude.ellipsoid_m == pytest.approx(100.0)
    assert volume.floor.altitude.agl_m == pytest.approx(3.048)
    assert zone.applicability.periods == (
        TimePeriod(
            datetime(2026, 3, 1, tzinfo=UTC),
            None,
            (
                WeeklyPeriod(EVERY_DAY, SolarTime(SolarEvent.BMCT), SolarTime(SolarEvent.EECT)),
                WeeklyPeriod((Weekday.SUN,), SolarTime(SolarEvent.SR), ClockTime(43_200)),
            ),
        ),
    )


def test_ed318_collections_circles_and_inherited_layers():
    layer = {"upper": 120, "upperReference": "AGL", "lower": 0, "lowerReference": "AMSL"}
    geometry = {
        "type": "GeometryCollection",
        "layer": layer,
        "geometries": [
            {"type": "Point", "coordinates": [113.9, 22.6], "extent": {"subType": "Circle", "radius": 300}},
            {"type": "MultiPolygon", "coordinates": [[SQUARE], [[[x + 0.1, y] for x, y in SQUARE]]]},
        ],
    }
    (zone,) = read_ed318(ed318(geometry))
    assert [type(volume.area).__name__ for volume in zone.volumes] == [
        "CircleArea",
        "PolygonArea",
        "PolygonArea",
    ]
    assert zone.volumes[0].area.radius_m == 300.0
    # Without uom the schema says metres.
    assert {volume.ceiling.altitude.agl_m for volume in zone.volumes} == {120.0}


def test_u_space_needs_an_authorisation():
    (zone,) = read_ed318(ed318(type="USPACE"))
    assert zone.u_space
    assert zone.restriction is Restriction.REQ_AUTHORISATION


def test_both_spellings_of_authorisation():
    assert read_ed269(ed269(restriction="REQ_AUTHORIZATION")) == read_ed269(ed269())
    assert read_ed318(ed318(type="REQ_AUTHORISATION")) == read_ed318(ed318(type="REQ_AUTHORIZATION"))


@pytest.mark.parametrize(
    ("text", "seconds", "offset_s"),
    [
        ("07:30Z", 27_000, 0),
        ("07:30:15Z", 27_015, 0),
        ("00:00:00.00Z", 0, 0),
        ("23:59:59.99Z", 86_399, 0),
        ("07:30+08:00", 27_000, 28_800),
        ("07:30:00-0330", 27_000, -12_600),
        ("24:00Z", 86_400, 0),
    ],
)
def test_times_of_day(text, seconds, offset_s):
    fields = Fields({"startTime": text}, feature="f", path="", report=Report())
    assert read_clock_time(fields, "startTime", closing=False) == ClockTime(seconds, offset_s)


def test_fractions_of_seconds_are_rounded_outwards():
    fields = Fields({"t": "10:00:00.5Z"}, feature="f", path="", report=Report())
    assert read_clock_time(fields, "t", closing=False).second_of_day == 36_000
    assert read_clock_time(fields, "t", closing=True).second_of_day == 36_001


@pytest.mark.parametrize("text", ["07:30", "7:30Z", "25:00Z", "07:60Z", "noon", "07:30:99Z"])
def test_times_that_are_none(text):
    fields = Fields({"startTime": text}, feature="f", path="schedule[0]", report=Report())
    with pytest.raises(ZoneFileError) as caught:
        read_clock_time(fields, "startTime", closing=False)
    assert caught.value.field == "schedule[0].startTime"


def foca_like():
    """The shape of the Swiss feed: another list name, another schedule name, nulls, numbers as text."""
    document = ed269(
        applicability=[
            {
                "permanent": "YES",
                "startDateTime": None,
                "endDateTime": None,
                "dailyPeriod": [{"day": [], "startTime": None, "endTime": None}],
            }
        ]
    )
    geometry = document["features"][0]["geometry"][0]
    geometry |= {"lowerLimit": "0", "upperLimit": None, "uomDimensions": "M"}
    return {"formatVersion": "1.0.0", "UASZoneList": document["features"]}


def enaire_like():
    """The shape of the Spanish feed: nested properties, empty strings, one layer for the feature."""
    return {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [[[x - 117.5, y + 18] for x, y in SQUARE]]},
        "properties": {
            "limitedApplicability": [
                {
                    "startDateTime": "",
                    "endDateTime": "",
                    "schedule": [
                        {"day": "ANY", "startTime": "", "startEvent": "", "endTime": "", "endEvent": ""}
                    ],
                }
            ],
            "UASZone": {
                "identifier": " 90",
                "country": "ESP",
                "name": "Helipuerto",
                "type": "REQ_AUTHORIZATION",
                "variant": "COMMON",
                "restrictionConditions": "",
                "region": "0",
                "reasons": "AIR_TRAFFIC",
                "regulationExemption": "No",
                "message": "Contacto",
                "extendedProperties": "Helipuerto",
            },
            "zoneAuthority": [{"purpose": "AUTHORIZATION", "intervalBefore": 0, "name": ""}],
            "dataSource": {"creationDateTime": "2024-09-03T19:41:38", "originator": ""},
            "verticalLayer": {
                "upper": 900,
                "upperReference": "AGL",
                "lower": 90,
                "lowerReference": "AGL",
                "UOM": "",
            },
        },
    }


def test_the_swiss_shape_is_read():
    result = parse_ed269(foca_like())
    (zone,) = result.zones
    assert zone.applicability == PERMANENT
    assert zone.volumes[0].ceiling.altitude is None
    assert zone.volumes[0].floor.altitude.agl_m == 0.0
    assert {note.kind for note in result.notes} == {NoteKind.TOLERATED}


def test_the_spanish_shape_is_read():
    result = parse_ed318(enaire_like())
    (zone,) = result.zones
    assert (zone.zone_id, zone.reasons, zone.region) == ("90", ("AIR_TRAFFIC",), 0)
    assert zone.applicability == PERMANENT
    assert zone.volumes[0].floor.altitude.agl_m == 90.0
    assert zone.volumes[0].ceiling.altitude.agl_m == 900.0
    noted = {note.field for note in result.notes}
    assert {"properties.UASZone", "properties.verticalLayer", "properties.UASZone.reasons"} <= noted


def test_no_height_at_all_is_taken_as_all_heights():
    feature = enaire_like()
    feature["properties"]["verticalLayer"] |= {"upper": 0, "lower": 0}
    result = parse_ed318(feature)
    volume = result.zones[0].volumes[0]
    assert (volume.floor.altitude, volume.ceiling.altitude) == (None, None)
    assert any("taken as all heights" in note.what for note in result.notes)


def test_a_radius_beside_feet_is_read_as_metres_and_noted():
    document = ed269()
    document["features"][0]["geometry"][1] |= {"uomDimensions": "FT"}
    result = parse_ed269(document)
    assert result.zones[0].volumes[1].area.radius_m == 250.5
    assert result.zones[0].volumes[1].floor.altitude.amsl_m == pytest.approx(15.24)
    assert any("larger reading" in note.what for note in result.notes)


def test_one_identifier_for_several_features_is_numbered():
    document = ed269()
    document["features"] *= 3
    result = parse_ed269(document)
    assert [zone.zone_id for zone in result.zones] == ["CHN0001", "CHN0001#2", "CHN0001#3"]


def swap(value):
    if isinstance(value, list) and value and isinstance(value[0], float):
        return value[::-1]
    return [swap(item) for item in value]


def swapped(document):
    document = copy.deepcopy(document)
    for feature in document["features"]:
        for volume in feature["geometry"]:
            projection = volume["horizontalProjection"]
            for name in ("coordinates", "center"):
                if name in projection:
                    projection[name] = swap(projection[name])
    return document


def test_latitude_first_is_noticed_by_the_country_and_noted():
    result = parse_ed269(swapped(ed269()))
    assert result.zones == read_ed269(ed269())
    assert any("latitude before longitude" in note.what for note in result.notes)


def test_latitude_first_is_noticed_without_a_country_only_where_it_is_certain():
    assert read_ed269(swapped(ed269(country="")))[0].volumes == read_ed269(ed269())[0].volumes


def test_a_file_of_both_orders_is_refused():
    document = ed269()
    document["features"] += swapped(ed269(identifier="OTHER"))["features"]
    with pytest.raises(ZoneFileError, match="in another order than in feature CHN0001"):
        read_ed269(document)


def test_positions_outside_the_country_are_noted():
    result = parse_ed269(ed269(country="CHE"))
    assert any(note.field == "country" for note in result.notes)


def changed(document, path, value):
    document = copy.deepcopy(document)
    target = document["features"][0]
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    return document


VOLUME = ("geometry", 0)
PROJECTION = (*VOLUME, "horizontalProjection")


@pytest.mark.parametrize(
    ("path", "value", "field", "words"),
    [
        (("identifier",), "", "identifier", "is missing"),
        (("identifier",), ["x"], "identifier", "expected text"),
        (("country",), "China", "country", "ISO 3166-1"),
        (("restriction",), "MAYBE", "restriction", "'MAYBE' is not one of PROHIBITED"),
        (("applicability",), [], "applicability", None),
        (("applicability", 0, "permanent"), "PERHAPS", "applicability[0].permanent", "YES, NO"),
        (("applicability", 0, "startDateTime"), "2026-09-01T00:00", "applicability[0].startDateTime", "time zone"),
        (("applicability", 0, "endDateTime"), "2025-01-01T00:00Z", "applicability[0].endDateTime", "before"),
        (("applicability", 0, "schedule", 0, "day"), ["FUN"], "applicability[0].schedule[0].day", "'FUN'"),
        (("applicability", 0, "schedule", 0, "startTime"), "07:30", "applicability[0].schedule[0].startTime", "zone"),
        (("geometry",), [], "geometry", "no geometry"),
        ((*VOLUME, "uomDimensions"), None, "geometry[0].uomDimensions", "is missing"),
        ((*VOLUME, "uomDimensions"), "NM", "geometry[0].uomDimensions", "'NM' is not one of"),
        ((*VOLUME, "upperVerticalReference"), None, "geometry[0].upperVerticalReference", "is missing"),
        ((*VOLUME, "upperVerticalReference"), "QFE", "geometry[0].upperVerticalReference", "'QFE'"),
        ((*VOLUME, "upperLimit"), "high", "geometry[0].upperLimit", "expected a number"),
        ((*VOLUME, "upperLimit"), 1e999, "geometry[0].upperLimit", "not a finite number"),
        ((*VOLUME, "lowerLimit"), True, "geometry[0].lowerLimit", "expected a number"),
        (("geometry", 1, "upperLimit"), 10, "geometry[1].lowerLimit", "is above the ceiling"),
        ((*PROJECTION, "type"), "Corridor", "geometry[0].horizontalProjection.type", "'Corridor'"),
        ((*PROJECTION, "coordinates"), [], "geometry[0].horizontalProjection.coordinates", "expected rings"),
        ((*PROJECTION, "coordinates"), [[[1, "2"]]], "coordinates[0][0]", "'2' is not a coordinate"),
        ((*PROJECTION, "coordinates"), [SQUARE[:2]], "coordinates[0]", "three different points"),
        ((*PROJECTION, "coordinates", 0, 1), [193.89, 22.57], "coordinates", "outside [-180, 180]"),
        (("geometry", 1, "horizontalProjection", "radius"), None, "geometry[1].horizontalProjection.radius", "missing"),
        (("geometry", 1, "horizontalProjection", "radius"), -5, "geometry[1].horizontalProjection.radius", "not in (0"),
        (("geometry", 1, "horizontalProjection", "radius"), 1e7, "horizontalProjection.radius", "not in (0"),
    ],
)  # fmt: skip
def test_a_bad_file_is_refused_with_feature_field_and_reason(path, value, field, words):
    document = changed(ed269(), path, value)
    if path == ("applicability",):
        del document["features"][0]["applicability"]
        words = "is missing"
    with pytest.raises(ZoneFileError) as caught:
        read_ed269(document)
    assert caught.value.feature == ("features[0]" if path == ("identifier",) else "CHN0001")
    assert caught.value.field is not None
    assert caught.value.field.endswith(field)
    assert words in caught.value.detail


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\xff\xfe", "not UTF-8"),
        (b"{", "not JSON: "),
        (b"[1, NaN]", "NaN is no number"),
        (b'{"features": 3}', "expected a list of features"),
        (b'{"features": [3]}', "expected an object, found 3"),
        (b"[" * 200_000, "nested too deeply"),
        (b"1" * 10_000, "not usable JSON"),
    ],
)
def test_a_file_that_is_none_is_refused(data, words):
    with pytest.raises(ZoneFileError, match=words):
        read_ed269(data)


def test_the_demonstration_extension_is_checked():
    extension = {"droneAed": {"positionQuality": "approximate", "nameZh": "学校", "source": "by hand"}}
    (zone,) = read_ed269(ed269(extendedProperties=extension))
    assert (zone.position_quality, zone.name_zh) == (PositionQuality.APPROXIMATE, "学校")
    extension["droneAed"]["positionQuality"] = "good"
    with pytest.raises(ZoneFileError) as caught:
        read_ed269(ed269(extendedProperties=extension))
    assert caught.value.field == "extendedProperties.droneAed.positionQuality"
