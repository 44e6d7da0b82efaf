"""Extended OpenAir (AY, AA) and KMZ archives, shaped like files that are passed around."""

from __future__ import annotations

import io
import struct
import zipfile
from datetime import UTC, datetime

import pytest

from core.errors import ZoneFileError
from core.geodesy import Wgs84Point
from geofences.airspace import Airspace
from geofences.model import Restriction
from geofences.readers import parse_kmz, parse_openair, read_kml, read_kmz, read_openair
from geofences.verdict import Allowed, Forbidden

EXTENDED = """
* Extended OpenAir
AC UNC
AY TRA
AN TRA Bao'an
AI 5f1b
AF 123.300
AG Bao'an Radar
AX 7000
AA 2026-11-22T04:00Z/2026-11-22T06:00Z
AA 2026-11-23T00:00Z/2026-11-23T24:00Z
AL GND
AH 1000FT AGL
DP 22:34:12 N 113:52:48 E
DP 22:34:12 N 113:53:24 E
DP 22:34:48 N 113:53:24 E
DP 22:34:48 N 113:52:48 E

AC E
AY RMZ
AN RMZ Somewhere
AI 5f1c
AL GND
AH 2500FT AMSL
V X=22:38:00 N 113:48:00 E
DC 2
"""
INSIDE = Wgs84Point(22.575, 113.885)


def at(day, hour, minute=0):
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


def test_activation_times_open_and_close_the_airspace():
    sky = Airspace(read_openair(EXTENDED), version="t", origin=INSIDE)
    for moment, forbidden in [
        (at(22, 3, 59), False),
        (at(22, 4), True),
        (at(22, 6), True),
        (at(22, 6, 1), False),
        (at(23, 0), True),
        (at(23, 23, 59), True),
        (at(24, 0), True),
        (at(24, 0, 1), False),
    ]:
        verdict = sky.check_point(INSIDE, 60.0, moment)
        assert isinstance(verdict, Forbidden if forbidden else Allowed), moment


@pytest.mark.parametrize(
    ("line", "before", "after"),
    [("AA 2026-11-22T04:00Z/NONE", False, True), ("AA NONE/2026-11-22T04:00Z", True, False)],
)
def test_an_open_side_has_no_end(line, before, after):
    text = EXTENDED.replace("AA 2026-11-22T04:00Z/2026-11-22T06:00Z", line).replace(
        "AA 2026-11-23T00:00Z/2026-11-23T24:00Z\n", ""
    )
    sky = Airspace(read_openair(text), version="t", origin=INSIDE)
    assert isinstance(sky.check_point(INSIDE, 60.0, at(1, 0)), Forbidden) is before
    assert isinstance(sky.check_point(INSIDE, 60.0, at(30, 0)), Forbidden) is after


@pytest.mark.parametrize("line", ["AA NONE", "AA NONE/NONE", "AA NONE ; by NOTAM"])
def test_times_by_notam_are_taken_as_always(line):
    result = parse_openair(EXTENDED.replace("AA 2026-11-22T04:00Z/2026-11-22T06:00Z", line))
    assert result.zones[0].applicability.permanent
    assert any("NOTAM" in note.what for note in result.notes)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("AA 2026-11-22T04:00Z", "is not an interval"),
        ("AA 2026-11-22T04:00Z/", "is not an interval"),
        ("AA 2026-11-22T04:00/2026-11-22T06:00", "not in UTC"),
        ("AA 2026-11-22T04:00+08:00/2026-11-22T06:00+08:00", "not in UTC"),
        ("AA 2026-13-22T04:00Z/2026-11-22T06:00Z", "is no moment"),
        ("AA 2026-11-22T25:00Z/2026-11-23T06:00Z", "is no moment"),
        ("AA 2026-11-22T24:30Z/2026-11-23T06:00Z", "is no moment"),
        ("AA 9999-12-31T24:00Z/NONE", "is no moment"),
        ("AA 2026-11-22T06:00Z/2026-11-22T04:00Z", "before it starts"),
        ("AA SR/SS", "is not a UTC time"),
    ],
)
def test_bad_activation_names_airspace_line_and_reason(line, words):
    with pytest.raises(ZoneFileError, match=words) as caught:
        read_openair(EXTENDED.replace("AA 2026-11-22T04:00Z/2026-11-22T06:00Z", line))
    assert caught.value.field == "line 10"
    assert caught.value.feature == "5f1b"


@pytest.mark.parametrize(
    ("airspace_class", "kind", "restriction"),
    [
        ("UNC", "P", Restriction.PROHIBITED),
        ("E", "P", Restriction.PROHIBITED),
        ("E", "RMZ", Restriction.REQ_AUTHORISATION),
        ("G", "FIS", Restriction.NO_RESTRICTION),
        ("UNC", "FIR", Restriction.NO_RESTRICTION),
        ("C", "FIR", Restriction.REQ_AUTHORISATION),
        ("P", "NONE", Restriction.PROHIBITED),
        ("G", "SOMETHING", Restriction.REQ_AUTHORISATION),
    ],
)
def test_the_stricter_of_class_and_kind_counts(airspace_class, kind, restriction):
    text = EXTENDED.replace("AC UNC", f"AC {airspace_class}").replace("AY TRA", f"AY {kind}")
    result = parse_openair(text)
    assert result.zones[0].restriction is restriction
    assert any("'SOMETHING'" in note.what for note in result.notes) is (kind == "SOMETHING")


def test_a_second_kind_is_refused():
    with pytest.raises(ZoneFileError, match="a second AY"):
        read_openair(EXTENDED.replace("AY TRA", "AY TRA\nAY P"))


KML = """<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark><name>Depot</name>
<ExtendedData><Data name="restriction"><value>PROHIBITED</value></Data></ExtendedData><Polygon><outerBoundaryIs>
<LinearRing><coordinates>113.88,22.57 113.89,22.57 113.89,22.58 113.88,22.57</coordinates></LinearRing>
</outerBoundaryIs></Polygon></Placemark></Document></kml>"""


def archive(*entries, compression=zipfile.ZIP_DEFLATED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as written:
        for name, content in entries:
            written.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_kmz_gives_what_its_kml_gives(compression):
    data = archive(("doc.kml", KML), ("files/pin.png", b"\x89PNG"), compression=compression)
    assert read_kmz(data) == read_kml(KML)
    assert parse_kmz(data).file_format == "KMZ"


def test_the_first_kml_of_the_top_folder_is_the_main_file():
    other = KML.replace("Depot", "Other")
    data = archive(("files/deep.kml", other), ("Zones.KML", KML), ("second.kml", other))
    assert [zone.name for zone in read_kmz(data)] == ["Depot"]


def test_errors_inside_name_the_placemark():
    with pytest.raises(ZoneFileError) as caught:
        read_kmz(archive(("doc.kml", KML.replace("113.89,22.57", "east,22.57"))))
    assert caught.value.feature == "Depot"
    assert caught.value.field == "Polygon.outerBoundaryIs"


def test_a_bomb_is_refused_by_what_it_unpacks_to(monkeypatch):
    monkeypatch.setattr("geofences.readers.kmz.MAX_UNPACKED_BYTES", 2**20)
    data = archive(("doc.kml", KML + " " * 2**24))
    assert len(data) < 2**16
    with pytest.raises(ZoneFileError, match="more than 1048576 bytes"):
        read_kmz(data)
    # An archive that lies about the size says so by its checksum or its end, never by growing.
    small = struct.pack("<I", 100)
    lying = data.replace(struct.pack("<I", len(KML) + 2**24), small)
    assert lying != data
    with pytest.raises(ZoneFileError):
        read_kmz(lying)


def test_archives_that_are_none_or_hold_nothing_are_refused():
    cases = [
        (b"PK\x03\x04 torn", "not a readable KMZ"),
        (KML.encode(), "not a readable KMZ"),
        (archive(("readme.txt", b"")), "no KML file in its top folder"),
        (archive(("maps/doc.kml", KML)), "only 'maps/doc.kml' deeper down"),
        (archive(("doc.kml", KML))[:-30], "not a readable KMZ"),
    ]
    for data, words in cases:
        with pytest.raises(ZoneFileError, match=words):
            read_kmz(data)
    damaged = bytearray(archive(("doc.kml", KML)))
    damaged[60] ^= 0xFF
    with pytest.raises(ZoneFileError, match="not a readable KMZ"):
        read_kmz(bytes(damaged))


def test_encrypted_archives_are_refused():
    data = bytearray(archive(("doc.kml", KML)))
    central = data.index(b"PK\x01\x02")
    data[central + 8] |= 1
    with pytest.raises(ZoneFileError, match="is encrypted"):
        read_kmz(bytes(data))


def test_kml_that_refers_to_other_files_is_refused():
    linked = KML.replace(
        "<Placemark>",
        "<NetworkLink><name>More</name><Link><href>files/more.kml</href></Link></NetworkLink><Placemark>",
    )
    with pytest.raises(ZoneFileError, match=r"'files/more\.kml'") as caught:
        read_kml(linked)
    assert caught.value.feature == "More"
    assert caught.value.field == "NetworkLink"
    with pytest.raises(ZoneFileError, match="read it as kmz"):
        read_kml(archive(("doc.kml", KML)))
