"""However a file is damaged, it is read or refused with 3101; nothing else ever comes out of a reader."""

from __future__ import annotations

import contextlib
import copy
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import ZoneFileError
from geofences.authorisations import read_authorisations
from geofences.readers import read_ed269, read_ed318, read_geojson, read_kml, read_openair
from geofences.writers import to_geojson, to_kml
from tests.unit.geofences.builders import agl, circle, square, zone
from tests.unit.geofences.test_readers_ed import ed269, ed318, enaire_like, foca_like
from tests.unit.geofences.test_readers_other import KML, OPENAIR

BOTH = zone(square(100, hole_half_m=20), circle(50, floor=agl(60)), name="both")
AUTHORISATIONS = {
    "authorisations": [
        {
            "authorisation_id": "A",
            "zone_ids": ["Z"],
            "authority": "x",
            "number": "1",
            "valid_from": "2026-01-01T00:00:00Z",
            "valid_until": "2027-01-01T00:00:00Z",
            "upper_m_agl": 120,
            "area": {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]},
        }
    ]
}
JSON_FILES = [
    (read_ed269, ed269()),
    (read_ed269, foca_like()),
    (read_ed318, ed318()),
    (read_ed318, enaire_like()),
    (read_geojson, to_geojson([BOTH])),
    (read_authorisations, AUTHORISATIONS),
]
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**400), 10**400),
    st.integers(-200, 200),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.sampled_from(
        ["", "YES", "Polygon", "Circle", "Point", "07:30Z", "2026-01-01T00:00:00Z", "KEEP_IN", "m"]
    ),
    st.lists(st.integers(-3, 3), max_size=3),
    st.dictionaries(
        st.sampled_from(["type", "text", "coordinates", "identifier"]), st.integers(), max_size=2
    ),
    st.just([]),
    st.just({}),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of every member and element."""
    result = [path] if path else []
    members = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, child in members:
        result += places(child, (*path, key))
    return result


def damage(data: st.DataObject, document: Any) -> Any:
    document = copy.deepcopy(document)
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(places(document)))
        target = document
        try:
            for key in path[:-1]:
                target = target[key]
            what = data.draw(st.sampled_from(["replace", "remove", "twice"]))
            if what == "remove":
                del target[path[-1]]
            elif what == "twice" and isinstance(target, list):
                target.insert(path[-1], target[path[-1]])
            else:
                target[path[-1]] = data.draw(VALUES)
        except (KeyError, IndexError, TypeError):
            continue
        if not places(document):
            break
    return document


def read_or_refused(read: Any, content: Any) -> None:
    # Anything but a ZoneFileError fails the test.
    with contextlib.suppress(ZoneFileError):
        read(content)


@settings(max_examples=600, deadline=None)
@given(st.data(), st.sampled_from(range(len(JSON_FILES))))
def test_damaged_json(data, which):
    read, document = JSON_FILES[which]
    damaged = damage(data, document)
    read_or_refused(read, json.dumps(damaged).encode())


@settings(max_examples=200, deadline=None)
@given(st.data(), st.sampled_from([OPENAIR, KML, to_kml([BOTH])]))
def test_damaged_text(data, text):
    read = read_openair if text is OPENAIR else read_kml
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.integers(0, 30)))
        filler = data.draw(st.text('0123456789:.,<>/NSEWDACVX=+-\n "{}[]', max_size=6) | st.text(max_size=3))
        text = text[:start] + filler + text[end:]
    read_or_refused(read, text)


@settings(max_examples=60, deadline=None)
@given(
    st.binary(max_size=200), st.sampled_from([read_ed269, read_ed318, read_geojson, read_kml, read_openair])
)
def test_any_bytes(content, read):
    read_or_refused(read, content)
