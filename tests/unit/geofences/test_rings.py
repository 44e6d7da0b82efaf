"""Outlines: repaired only where every reading agrees, and reported."""

from __future__ import annotations

import time

import numpy as np
import pytest
import shapely

from core.errors import AirspaceError, ZoneFileError
from core.geodesy import Wgs84Point
from geofences.model import PolygonArea
from geofences.readers.result import Report
from geofences.readers.rings import to_areas

# One metre of latitude and (at the equator) of longitude, in degrees.
M = 1 / 111_320.0


def areas(*rings, grow=True):
    report = Report()
    found = to_areas(
        [[(x * M, y * M) for x, y in ring] for ring in rings],
        feature="F",
        field="coordinates",
        report=report,
        grow=grow,
    )
    return found, [note.what for note in report.notes]


def area_m2(found):
    return sum(area.to_shapely_lon_lat().area for area in found) / M / M


SQUARE = [(0, 0), (100, 0), (100, 100), (0, 100), (0, 0)]


def test_a_simple_ring_is_left_alone():
    found, notes = areas(SQUARE, [(20, 20), (40, 20), (40, 40), (20, 20)])
    assert len(found) == 1
    assert len(found[0].holes) == 1
    assert notes == []


def test_open_rings_and_repeated_points_are_repaired_and_reported():
    found, notes = areas([(0, 0), (100, 0), (100, 0), (100, 100), (0, 100)])
    assert area_m2(found) == pytest.approx(10_000)
    assert notes == ["the ring was not closed", "1 repeated points were dropped"]


def test_a_spike_without_width_is_dropped():
    found, notes = areas([(0, 0), (100, 0), (100, 50), (300, 50), (100, 50), (100, 100), (0, 100), (0, 0)])
    assert area_m2(found) == pytest.approx(10_000)
    assert notes == ["1 spikes without width were dropped"]


def test_a_ring_that_touches_itself_falls_into_its_parts():
    # Two squares that meet in a corner, both wound the same way.
    found, notes = areas(
        [(0, 0), (50, 0), (50, 50), (100, 50), (100, 100), (50, 100), (50, 50), (0, 50), (0, 0)]
    )
    assert len(found) == 2
    assert area_m2(found) == pytest.approx(5_000)
    assert len(notes) == 1
    assert "every reading agrees" in notes[0]


def test_a_hole_reached_through_a_touching_corner_stays_a_hole():
    ring = [(0, 0), (100, 0), (100, 100), (0, 100), (0, 0), (20, 60), (60, 60), (60, 20), (0, 0)]
    found, _ = areas(ring)
    assert area_m2(found) == pytest.approx(
        10_000 - shapely.Polygon([(0, 0), (20, 60), (60, 60), (60, 20)]).area
    )


def test_a_thin_crossing_is_repaired_to_the_safe_side():
    # The last edge overshoots the first by 40 cm.
    ring = [(0, 0), (100, 0), (100, 100), (0, 100), (0, -0.4), (3, 0.4), (0, 0)]
    grown, notes = areas(ring)
    shrunk, _ = areas(ring, grow=False)
    assert "not a simple polygon" in notes[0]
    assert area_m2(shrunk) < area_m2(grown) < area_m2(shrunk) + 3.0
    assert area_m2(grown) == pytest.approx(10_000, abs=3.0)


@pytest.mark.parametrize(
    "ring",
    [
        # A bow-tie: two lobes, or two swapped corners?
        [(0, 0), (100, 100), (100, 0), (0, 100), (0, 0)],
        # A pentagram: is its middle inside?
        [(50, 100), (80, 0), (0, 60), (100, 60), (20, 0), (50, 100)],
    ],
)
def test_what_has_several_readings_is_refused(ring):
    with pytest.raises(ZoneFileError, match="more than one way") as caught:
        areas(ring)
    assert caught.value.feature == "F"
    assert caught.value.field == "coordinates"


def test_holes_must_lie_inside():
    with pytest.raises(ZoneFileError, match="holes do not lie inside"):
        areas(SQUARE, [(200, 200), (240, 200), (240, 240), (200, 200)])


@pytest.mark.parametrize("ring", [[(0, 0), (1, 1), (0, 0)], [(0, 0), (10, 0), (20, 0), (0, 0)], [(0, 0)] * 5])
def test_a_ring_without_area_is_refused(ring):
    with pytest.raises(ZoneFileError):
        areas(ring)


def test_the_model_itself_refuses_a_bow_tie():
    corners = [(0, 0), (1, 1), (1, 0), (0, 1)]
    with pytest.raises(AirspaceError, match="not a simple polygon"):
        PolygonArea(tuple(Wgs84Point(y, x) for x, y in corners))


def test_many_spikes_and_spikes_on_spikes_are_dropped_at_once():
    ring = [(0, 0), (100, 0)]
    for i in range(1, 30_000):
        y = i / 1000
        ring += [(100, y), (100 + i, y), (200 + i, y + 1), (100 + i, y), (100, y)]
    ring += [(100, 100), (0, 100), (-50, 100), (-50, 80), (-50, 100), (0, 100), (0, 0)]
    started = time.process_time()
    found, notes = areas(ring)
    assert time.process_time() - started < 10.0
    assert area_m2(found) == pytest.approx(10_000)
    assert notes == ["60000 spikes without width were dropped"]


def test_a_tangle_is_refused_at_once():
    rng = np.random.default_rng(3)
    ring = [tuple(point) for point in rng.uniform(0, 1000, (20_000, 2)).tolist()]
    started = time.process_time()
    with pytest.raises(ZoneFileError, match="more than one way"):
        areas([*ring, ring[0]])
    assert time.process_time() - started < 5.0


def test_a_long_outline_with_one_small_fault_is_repaired():
    around = np.linspace(0, 2 * np.pi, 20_001)
    ring = [(1000 * np.cos(a), 1000 * np.sin(a)) for a in around[:-1].tolist()]
    ring[5], ring[6] = ring[6], ring[5]
    found, notes = areas([*ring, ring[0]])
    assert area_m2(found) == pytest.approx(np.pi * 1e6, rel=1e-4)
    assert len(notes) == 1
