"""The intent index against brute force: another projection, discs as polygons, samples of common points."""

from __future__ import annotations

import itertools
import math
from datetime import timedelta

import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from core.geodesy import LocalFrame, Wgs84Point
from planner.intent_index import IntentIndex
from planner.intents import Circle, OperationalIntent, Polygon, Volume4D
from tests.unit.planner.helpers import ORIGIN
from tests.unit.planner.intents import disc, intent, volume

MERCATOR = Transformer.from_crs(
    "EPSG:4326",
    f"+proj=tmerc +lat_0={ORIGIN.latitude_deg} +lon_0={ORIGIN.longitude_deg} +ellps=WGS84",
    always_xy=True,
)
"""Transverse Mercator: true to 1 ppm within these 2 km, and nothing that the index uses."""
DOUBT_M = 0.03
"""Pairs this close to touching may be decided either way by the two projections and the drawn circles."""
FAR = LocalFrame(Wgs84Point(22.60, 113.95))

METRES = st.integers(-1000, 1000).map(float)
SPANS = st.tuples(st.integers(0, 12), st.integers(1, 6)).map(
    lambda pair: (10.0 * pair[0], 10.0 * (pair[0] + pair[1]))
)


@st.composite
def stars(draw: st.DrawFn) -> Volume4D:
    """A star-shaped, often concave ring."""
    x, y = draw(METRES), draw(METRES)
    radii = draw(st.lists(st.integers(20, 400), min_size=3, max_size=7))
    ring = []
    for number, radius_m in enumerate(radii):
        angle = 2.0 * math.pi * number / len(radii)
        lon, lat = _FRAME.unproject([(x + radius_m * math.cos(angle), y + radius_m * math.sin(angle))])[0]
        ring.append(Wgs84Point(float(lat), float(lon)))
    return volume(Polygon(tuple(ring)), draw(SPANS), draw(SPANS))


_FRAME = LocalFrame(ORIGIN)


@st.composite
def discs(draw: st.DrawFn) -> Volume4D:
    return disc(
        draw(METRES),
        draw(METRES),
        float(draw(st.integers(10, 400))),
        heights_m=draw(SPANS),
        seconds=draw(SPANS),
    )


VOLUMES = st.one_of(stars(), discs())
INTENTS = st.lists(st.lists(VOLUMES, min_size=1, max_size=4), min_size=1, max_size=6).map(
    lambda found: [intent(f"i{number}", *volumes) for number, volumes in enumerate(found)]
)


def shape(one: Volume4D) -> shapely.Polygon:
    if isinstance(one.outline, Circle):
        x, y = MERCATOR.transform(one.outline.centre.longitude_deg, one.outline.centre.latitude_deg)
        return shapely.Point(x, y).buffer(one.outline.radius_m, quad_segs=64)
    return shapely.Polygon([MERCATOR.transform(p.longitude_deg, p.latitude_deg) for p in one.outline.ring])


def overlap(one: Volume4D, other: Volume4D) -> bool:
    """In height and time, closed."""
    return (
        one.altitude_lower_m <= other.altitude_upper_m
        and other.altitude_lower_m <= one.altitude_upper_m
        and one.time_start <= other.time_end
        and other.time_start <= one.time_end
    )


@settings(max_examples=120, deadline=None)
@given(INTENTS, st.lists(VOLUMES, min_size=1, max_size=4), st.data())
def test_every_pair_is_found_and_no_other(
    active: list[OperationalIntent], volumes: list[Volume4D], data: st.DataObject
) -> None:
    asked = intent("asked", *volumes)
    index = IntentIndex(origin=data.draw(st.sampled_from([ORIGIN, FAR.origin])))
    for one in data.draw(st.permutations(active)):
        index = index.adding(one)
    removed = data.draw(st.sets(st.sampled_from([one.intent_id for one in active])))
    for name in removed:
        index = index.removing(name)
    found = {
        (conflict.intent_id, conflict.volume_index, conflict.other_volume_index)
        for conflict in index.conflicts(asked)
    }
    assert not removed & {name for name, _, _ in found}
    for one in active:
        if one.intent_id in removed:
            continue
        for (mine, ours), (theirs, other) in itertools.product(enumerate(volumes), enumerate(one.volumes)):
            key = (one.intent_id, mine, theirs)
            distance_m = shape(ours).distance(shape(other))
            if not overlap(ours, other) or distance_m > DOUBT_M:
                assert key not in found
            elif shape(ours).buffer(-DOUBT_M).intersects(shape(other)):
                assert key in found


@settings(max_examples=60, deadline=None)
@given(INTENTS, VOLUMES)
def test_a_common_point_at_one_moment_is_a_conflict(active: list[OperationalIntent], ours: Volume4D) -> None:
    """By geodesic distances and ray casting on raw degrees, without any projection."""
    index = IntentIndex(active, origin=ORIGIN)
    found = {
        (conflict.intent_id, conflict.other_volume_index)
        for conflict in index.conflicts(intent("asked", ours))
    }
    for one in active:
        for number, other in enumerate(one.volumes):
            if overlap(ours, other) and any(inside(ours, p) and inside(other, p) for p in samples(other)):
                assert (one.intent_id, number) in found


def samples(one: Volume4D) -> list[Wgs84Point]:
    if isinstance(one.outline, Circle):
        x, y = _FRAME.project([(one.outline.centre.longitude_deg, one.outline.centre.latitude_deg)])[0]
        around = [
            (
                x + share * one.outline.radius_m * math.cos(angle),
                y + share * one.outline.radius_m * math.sin(angle),
            )
            for share in (0.0, 0.5, 0.999)
            for angle in (0.3, 1.7, 2.9, 4.4)
        ]
        return [Wgs84Point(float(lat), float(lon)) for lon, lat in _FRAME.unproject(around)]
    ring = one.outline.ring
    return [
        Wgs84Point(
            sum(w * p.latitude_deg for w, p in zip(weights, corners, strict=True)),
            sum(w * p.longitude_deg for w, p in zip(weights, corners, strict=True)),
        )
        for corners in itertools.combinations(ring, 3)
        for weights in ((0.98, 0.01, 0.01), (1 / 3, 1 / 3, 1 / 3))
    ]


def inside(one: Volume4D, point: Wgs84Point) -> bool:
    from pyproj import Geod

    if isinstance(one.outline, Circle):
        centre = one.outline.centre
        away_m = Geod(ellps="WGS84").inv(
            centre.longitude_deg, centre.latitude_deg, point.longitude_deg, point.latitude_deg
        )[2]
        return bool(away_m <= one.outline.radius_m)
    x, y, crossings = point.longitude_deg, point.latitude_deg, 0
    for a, b in zip(one.outline.ring, (*one.outline.ring[1:], one.outline.ring[0]), strict=True):
        if (a.latitude_deg > y) != (b.latitude_deg > y):
            share = (y - a.latitude_deg) / (b.latitude_deg - a.latitude_deg)
            crossings += x < a.longitude_deg + share * (b.longitude_deg - a.longitude_deg)
    return crossings % 2 == 1


@settings(max_examples=60, deadline=None)
@given(INTENTS, st.lists(VOLUMES, min_size=1, max_size=3), st.integers(0, 200))
def test_the_forbidden_delays_are_those_that_conflict(
    active: list[OperationalIntent], volumes: list[Volume4D], delay_s: int
) -> None:
    index = IntentIndex(active, origin=ORIGIN)
    asked = intent("asked", *volumes)
    intervals = index.blocked_delays_us(asked, timedelta(seconds=200))
    forbidden = any(start <= delay_s * 1_000_000 <= end for start, end, _ in intervals)
    assert forbidden == bool(index.conflicts(asked.delayed(timedelta(seconds=delay_s))))
