"""What our writers write, our readers read back as equal zones, with nothing to note but the known."""

from __future__ import annotations

import json
from xml.etree import ElementTree

from hypothesis import given, settings
from hypothesis import strategies as st

from geofences.model import Zone
from geofences.readers import parse_ed318, parse_geojson, parse_kml
from geofences.writers import to_ed318, to_geojson, to_kml
from tests.property.geofences.strategies import full_zones

some_zones = st.lists(full_zones(), min_size=1, max_size=2, unique_by=lambda zone: zone.zone_id)
# Identifiers of more than seven characters do not occur here, so no reader has anything to tolerate.


@settings(max_examples=50, deadline=None)
@given(some_zones)
def test_geojson(zones: list[Zone]) -> None:
    result = parse_geojson(json.dumps(to_geojson(zones), ensure_ascii=False).encode())
    assert result.zones == tuple(zones)
    assert result.notes == ()


@settings(max_examples=50, deadline=None)
@given(some_zones)
def test_ed318(zones: list[Zone]) -> None:
    result = parse_ed318(json.dumps(to_ed318(zones), ensure_ascii=False).encode())
    assert result.zones == tuple(zones)
    assert result.notes == ()


@settings(max_examples=50, deadline=None)
@given(some_zones)
def test_kml(zones: list[Zone]) -> None:
    text = to_kml(zones)
    ElementTree.fromstring(text)
    result = parse_kml(text.encode())
    assert result.zones == tuple(zones)
    assert {note.kind.value for note in result.notes} <= {"ignored"}
