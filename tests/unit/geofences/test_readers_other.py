"""GeoJSON, KML and OpenAir."""

from __future__ import annotations

import json
import math
import time
from itertools import pairwise

import pytest

from core.errors import ZoneFileError
from core.geodesy import Wgs84Point, destination, geodesic_distance_m
from geofences.model import PERMANENT, CircleArea, PolygonArea, Restriction
from geofences.readers import (
    NoteKind,
    parse_geojson,
    parse_kml,
    parse_openair,
    read_geojson,
    read_kml,
    read_openair,
)
from geofences.writers import to_geojson, to_kml
from tests.unit.geofences.builders import agl, amsl, circle, square, zone

SQUARE = [[113.88, 22.57], [113.89, 22.57], [113.89, 22.58], [113.88, 22.58], [113.88, 22.57]]


def geojson(geometry=None, **properties):
    given = {"identifier": "Z1", "restriction": "PROHIBITED"} | properties
    shape = geometry or {"type": "Polygon", "coordinates": [SQUARE]}
    return {"type": "Feature", "properties": given, "geometry": shape}


def test_plain_geojson_needs_only_an_outline_and_a_rule():
    (found,) = read_geojson(json.dumps(geojson()))
    assert found.restriction is Restriction.PROHIBITED
    assert found.applicability == PERMANENT
    assert (found.volumes[0].floor.altitude, found.volumes[0].ceiling.altitude) == (None, None)


def test_limits_name_unit_and_datum():
    (found,) = read_geojson(geojson(lower_ft_agl=100, upper_m_amsl=150))
    assert found.volumes[0].floor.altitude.agl_m == pytest.approx(30.48)
    assert found.volumes[0].ceiling.altitude.amsl_m == 150.0


@pytest.mark.parametrize(
    ("document", "field", "words"),
    [
        (geojson(restriction=None), "properties.restriction", "is missing"),
        (geojson(restriction="CLOSED"), "properties.restriction", "not one of"),
        (geojson(upper_m_agl=1, upper_ft_amsl=2), "properties.upper_m_agl", "second upper limit"),
        (geojson({"type": "LineString", "coordinates": SQUARE}), "geometry.type", "has no area"),
        (geojson({"type": "Point", "coordinates": [113.88, 22.57]}), "properties.radius_m", "is missing"),
        (geojson(position_quality="fine"), "properties.position_quality", "not one of"),
        (geojson(volumes=[{}]), "properties.volumes", "1 volumes for 0 geometries"),
        (geojson(lower_m_agl=9, upper_m_agl=3), "floor", "above the ceiling"),
        (geojson() | {"properties": None}, "properties", "is missing"),
        ({"type": "FeatureCollection", "crs": {}, "features": []}, "crs", "WGS 84 only"),
        ({"type": "Topology"}, "type", "not one of FeatureCollection"),
    ],
)
def test_bad_geojson_is_refused(document, field, words):
    with pytest.raises(ZoneFileError) as caught:
        read_geojson(document)
    assert words in str(caught.value)
    assert caught.value.field is not None
    assert field in (caught.value.field, caught.value.field.rpartition("_")[0], "properties.upper_m_agl")


def test_heights_in_positions_are_ignored_and_noted():
    flat = geojson({"type": "Polygon", "coordinates": [[[*p, 120.0] for p in SQUARE]]})
    result = parse_geojson(flat)
    assert result.zones == read_geojson(geojson())
    assert {note.kind for note in result.notes} == {NoteKind.IGNORED}


def test_circles_for_maps_are_drawn_around():
    drawn = to_geojson([zone(circle(500))], circles_as_polygons=True)
    ring = drawn["features"][0]["geometry"]["coordinates"][0]
    centre = zone(circle(500)).volumes[0].area.centre
    middles = [((a[0] + b[0]) / 2, (a[1] + b[1]) / 2) for a, b in pairwise(ring)]
    for longitude, latitude in middles:
        assert geodesic_distance_m(centre, Wgs84Point(latitude, longitude)) >= 500 - 1e-3
    assert "radius_m" not in drawn["features"][0]["properties"]


KML = """<?xml version="1.0"?>
<kml xmlns="http://earth.google.com/kml/2.1"><Document><Folder>
 <Placemark><name>Depot</name>
  <ExtendedData><SchemaData><SimpleData name="restriction">PROHIBITED</SimpleData>
   <SimpleData name="upper_m_amsl">150</SimpleData></SchemaData></ExtendedData>
  <TimeSpan><begin>2026-01-01T00:00:00Z</begin></TimeSpan>
  <Polygon><outerBoundaryIs><LinearRing><coordinates>
   113.88,22.57,90 113.89,22.57,90 113.89,22.58,90 113.88,22.58,90 113.88,22.57,90
  </coordinates></LinearRing></outerBoundaryIs>
  <innerBoundaryIs><LinearRing><coordinates>
   113.884,22.574 113.886,22.574 113.886,22.576 113.884,22.574
  </coordinates></LinearRing></innerBoundaryIs></Polygon>
 </Placemark>
 <Placemark><name>Pin</name><Point><coordinates>113.8,22.5</coordinates></Point></Placemark>
</Folder></Document></kml>"""


def test_kml_as_people_draw_it():
    result = parse_kml(KML)
    (found,) = result.zones
    assert (found.zone_id, found.name) == ("Depot", "Depot")
    assert len(found.volumes[0].area.holes) == 1
    assert found.volumes[0].ceiling.altitude.amsl_m == 150.0
    assert found.applicability.periods[0].start.year == 2026
    ignored = {note.feature: note.what for note in result.notes if note.kind is NoteKind.IGNORED}
    assert ignored.keys() == {"Depot", "Pin"}


def test_kml_without_a_rule_needs_one_from_the_caller():
    bare = KML.replace("PROHIBITED", "")
    with pytest.raises(ZoneFileError, match="Depot: is missing"):
        read_kml(bare)
    named = bare.replace('<SimpleData name="restriction"></SimpleData>', "")
    (found,) = read_kml(named, restriction=Restriction.CONDITIONAL)
    assert found.restriction is Restriction.CONDITIONAL


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<kml", "not XML"),
        ("<gpx/>", "not KML"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><kml>&b;</kml>', "not acceptable XML"),
        ('<!DOCTYPE kml SYSTEM "http://127.0.0.1/x"><kml/>', "not acceptable XML"),
        ("<kml>" + "<Folder>" * 100_000, "nested deeper"),
        (b"PK\x03\x04", "KMZ"),
        (KML.replace("113.88,22.57,90", "113.88;22.57"), "is not longitude,latitude"),
        (KML.replace("2026-01-01T00:00:00Z", "2026-01-01"), "names no time zone"),
        (KML.replace("outerBoundaryIs", "other").replace("innerBoundaryIs", "other"), "no outer boundary"),
    ],
)
def test_bad_kml_is_refused(text, words):
    with pytest.raises(ZoneFileError, match=words):
        read_kml(text)


def test_a_circle_edited_on_the_globe_is_taken_as_drawn():
    text = to_kml([zone(circle(500, ceiling=agl(120)))])
    assert isinstance(read_kml(text)[0].volumes[0].area, CircleArea)
    start = text.index("<coordinates>") + len("<coordinates>")
    first = text[start:].split()[0]
    longitude, latitude, height = first.split(",")
    moved = text.replace(first, f"{float(longitude) + 0.001},{latitude},{height}")
    result = parse_kml(moved)
    assert isinstance(result.zones[0].volumes[0].area, PolygonArea)
    assert result.zones[0].volumes[0].ceiling == agl(120)
    assert any("was edited" in note.what for note in result.notes)


OPENAIR = """* Bao'an, drawn for a test
AC R
AN Depot * with a remark
AL GND
AH 500FT AGL
DP 22:34:12 N 113:52:48 E
DP 22:34:12 N 113:53:24 E
DP 22:34.8 N 113:53.4 E
DP 22:34:48N113:52:48E

AC CTR
AN Airport
AL SFC
AH FL65
V X=22:38:00 N 113:48:00 E
DC 3.5

AC P
AN Cake
AL 1000
AH UNL
V X=22:30:00 N 113:54:00 E
V D=+
DA 2,270,360
DP 22:30:00 N 113:54:00 E
"""


def test_openair():
    result = parse_openair(OPENAIR)
    depot, airport, cake = result.zones
    assert (depot.zone_id, depot.restriction) == ("Depot", Restriction.REQ_AUTHORISATION)
    assert depot.volumes[0].ceiling.altitude.agl_m == pytest.approx(152.4)
    corner = depot.volumes[0].area.exterior[2]
    assert (corner.latitude_deg, corner.longitude_deg) == pytest.approx((22.58, 113.89))
    assert airport.volumes[0].area.radius_m == 6482.0
    assert airport.volumes[0].area.centre.latitude_deg == pytest.approx(22.6333333)
    # FL 65 is 1981 m in a standard atmosphere; a ceiling is taken higher.
    assert airport.volumes[0].ceiling.altitude.amsl_m > 2300
    assert cake.restriction is Restriction.PROHIBITED
    assert cake.volumes[0].floor.altitude.amsl_m == pytest.approx(304.8)
    assert cake.volumes[0].ceiling.altitude is None
    assert any("flight level" in note.what for note in result.notes)


def sector(direction, start, end, *, corner_first):
    """A pie (arc bulging out) or what is left of a square beside it (arc bulging in)."""
    lines = ["AC P", "AN Arc", "AL GND", "AH UNL", "V X=22:30:00 N 113:54:00 E", f"V D={direction}"]
    arc = f"DA 2,{start},{end}"
    return "\n".join([*lines, *(["DP 22:30:00 N 113:54:00 E", arc] if corner_first else [arc])])


CENTRE = Wgs84Point(22.5, 113.9)


@pytest.mark.parametrize(("direction", "start", "end"), [("+", 270, 360), ("-", 360, 270), ("+", 350, 80)])
def test_an_arc_that_bulges_out_is_contained(direction, start, end):
    (found,) = read_openair(sector(direction, start, end, corner_first=True))
    outline = found.volumes[0].area.to_shapely_lon_lat()
    import shapely

    low, high = (start, end) if direction == "+" else (end, start)
    turn = (high - low) % 360
    for share in range(1, 200):
        rim = destination(CENTRE, low + turn * share / 200, 2 * 1852 - 0.001)
        assert outline.covers(shapely.Point(rim.longitude_deg, rim.latitude_deg))
        beyond = destination(CENTRE, low + turn * share / 200, 2 * 1852 + 1.0)
        assert not outline.covers(shapely.Point(beyond.longitude_deg, beyond.latitude_deg))


def test_an_arc_that_bulges_in_leaves_the_zone_whole():
    corner = destination(CENTRE, 315, 2 * 1852 * math.sqrt(2))
    text = "\n".join(
        [
            "AC P", "AN Bite", "AL GND", "AH UNL", "V X=22:30:00 N 113:54:00 E", "V D=+", "DA 2,270,360",
            f"DP {_dms(corner.latitude_deg)} N {_dms(corner.longitude_deg)} E",
        ]
    )  # fmt: skip
    (found,) = read_openair(text)
    outline = found.volumes[0].area.to_shapely_lon_lat()
    import shapely

    for share in range(5, 195):
        just_outside_the_circle = destination(CENTRE, 270 + 90 * share / 200, 2 * 1852 + 0.001)
        place = shapely.Point(just_outside_the_circle.longitude_deg, just_outside_the_circle.latitude_deg)
        assert outline.covers(place)


def _dms(degrees):
    whole = int(degrees)
    minutes = (degrees - whole) * 60
    return f"{whole}:{int(minutes):02d}:{(minutes - int(minutes)) * 60:05.2f}"


def test_arcs_between_two_points():
    first, second = destination(CENTRE, 10, 3000), destination(CENTRE, 100, 3000)
    text = "\n".join(
        [
            "AC Q", "AN Between", "AL GND", "AH 2000 MSL", "V X=22:30:00 N 113:54:00 E", "V D=-",
            f"DB {_dms(first.latitude_deg)} N {_dms(first.longitude_deg)} E,"
            f" {_dms(second.latitude_deg)} N {_dms(second.longitude_deg)} E",
        ]
    )  # fmt: skip
    (found,) = read_openair(text)
    # Counter-clockwise from 10° to 100° is 270° of the circle.
    area_m2 = found.volumes[0].area.to_shapely_lon_lat().area * 111_195**2 * math.cos(math.radians(22.5))
    share = 270 / 360 * math.pi * 3000**2 + 0.5 * 3000**2
    assert area_m2 == pytest.approx(share, rel=0.01)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("AH 500FT AGL", "AH high", "Depot: 'high' is not a height"),
        ("AH 500FT AGL", "", "lacks its floor"),
        ("AH 500FT AGL", "AH 500FT AGL\nAH 900FT AGL", "a second AH"),
        ("AL 1000\nAH UNL", "AL 1000\nAH 500", "above the ceiling"),
        ("113:52:48 E", "113:72:48 E", "more than 59 minutes"),
        ("22:34:12 N 113:53:24 E", "22.57 113.89", "is not a position"),
        ("V X=22:38:00 N 113:48:00 E\n", "", "no centre"),
        ("V D=+", "V D=left", "direction 'left'"),
        ("DC 3.5", "DC -1", "'-1' is not a number"),
        ("DA 2,270,360", "DA 2,270", "is not radius, start angle, end angle"),
        ("DC 3.5", "DY 22:38:00 N 113:48:00 E", "airways"),
        ("AC CTR", "XX", "'XX' is not a command"),
        ("DC 3.5", "DC 3.5\nDP 22:38:00 N 113:48:00 E", "both a circle and an outline"),
        ("* Bao'an, drawn for a test", "AN early", "before the first AC"),
    ],
)
def test_bad_openair_is_refused_with_its_line(old, new, words):
    assert old in OPENAIR
    with pytest.raises(ZoneFileError, match=words) as caught:
        read_openair(OPENAIR.replace(old, new, 1))
    if "above the ceiling" not in words:
        assert caught.value.field is not None
        assert caught.value.field.startswith("line ")


def test_unknown_classes_need_approval_and_the_table_may_be_given():
    text = OPENAIR.replace("AC R", "AC XYZ")
    result = parse_openair(text)
    assert result.zones[0].restriction is Restriction.REQ_AUTHORISATION
    assert any("'XYZ'" in note.what for note in result.notes)
    assert (
        read_openair(text, classes={"XYZ": Restriction.PROHIBITED})[0].restriction is Restriction.PROHIBITED
    )


def test_latin_1_names_are_read_and_noted():
    result = parse_openair(OPENAIR.replace("Depot", "Dépôt").encode("latin-1"))
    assert result.zones[0].name == "Dépôt"
    assert result.notes[0].field == "encoding"


def test_volumes_of_different_limits_survive_geojson():
    both = zone(square(100, ceiling=amsl(50)), circle(50, floor=agl(60)))
    assert read_geojson(to_geojson([both])) == (both,)


@pytest.mark.parametrize(
    ("corners", "word"), [(600_000, "simplify it"), (40_001, "more than one way to repair")]
)
def test_rings_that_would_keep_a_reader_busy_are_refused_at_once(corners: int, word: str) -> None:
    """A zigzag that crosses itself all along: within the limits of a repair it would take minutes."""
    ring = [[113.0 + i * 1e-6, 22.0 + (i % 2) * 1e-6] for i in range(corners)]
    zigzag = {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "geometry": {"type": "Polygon", "coordinates": [[*ring, ring[0]]]},
                "properties": {"identifier": "MANY", "restriction": "PROHIBITED"},
            }
        ],
    }
    began_s = time.process_time()
    with pytest.raises(ZoneFileError, match=word):
        read_geojson(zigzag)
    assert time.process_time() - began_s < 10.0
