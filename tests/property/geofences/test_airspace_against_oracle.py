"""The airspace agrees with an independent judge wherever the question is not within centimetres of an edge."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from core.geodesy import EnuOffset
from geofences.airspace import Airspace
from geofences.applicability import TimeWindow
from geofences.batch import ALLOWED, OUTSIDE_OPERATING_AREA
from geofences.model import Restriction
from geofences.terrain import FlatTerrain
from geofences.verdict import Allowed, Forbidden
from tests.property.geofences import oracle
from tests.property.geofences.strategies import (
    FRAME,
    HIGH_M,
    KEEP_OUT,
    MONDAY,
    ORIGIN,
    REACH_M,
    authorisations,
    metres,
    moments,
    zones,
)

GROUND_M = 7.0
NEAR_M = 0.05
SOME = (Restriction.REQ_AUTHORISATION, Restriction.CONDITIONAL)


@st.composite
def airspaces(draw: st.DrawFn, *, keep_in: bool = True) -> Airspace:
    some = [draw(zones("P", (Restriction.PROHIBITED,)))] if draw(st.booleans()) else []
    some += [draw(zones(f"R{i}", SOME)) for i in range(draw(st.integers(0, 3)))]
    held = tuple(
        draw(authorisations((zone.zone_id,), i)) for i, zone in enumerate(some) if zone.restriction in SOME
    )
    if keep_in and draw(st.booleans()):
        some += [draw(zones(f"K{i}", (Restriction.KEEP_IN,))) for i in range(draw(st.integers(1, 2)))]
    if draw(st.booleans()):
        some.append(draw(zones("N", (Restriction.NO_RESTRICTION,))))
    return Airspace(some, version="1", origin=ORIGIN, terrain=FlatTerrain(GROUND_M), authorisations=held)


places = st.tuples(metres(-REACH_M, REACH_M), metres(-REACH_M, REACH_M))
heights = metres(-10.0, HIGH_M + 20.0)


def judged(space: Airspace, east_north_m, altitude_m, moment):
    point = FRAME.to_wgs84(EnuOffset(*east_north_m))
    return point, oracle.judge(space.zones, space.authorisations, point, altitude_m, moment, GROUND_M)


@settings(max_examples=80, deadline=None)
@given(airspaces(), st.lists(st.tuples(places, heights, moments()), min_size=1, max_size=12))
def test_points_agree_one_by_one_and_in_a_batch(space, questions):
    asked = []
    for place, altitude_m, moment in questions:
        point, (forbidding, near_m) = judged(space, place, altitude_m, moment)
        if near_m > NEAR_M:
            verdict = space.check_point(point, altitude_m, moment)
            if forbidding == set():
                assert isinstance(verdict, Allowed), verdict
            else:
                assert isinstance(verdict, Forbidden), forbidding
                assert (verdict.zone_id or "keep-in") in forbidding
            asked.append((point, altitude_m, moment, verdict))
    assume(asked)
    answers = space.check_points(
        [(p.longitude_deg, p.latitude_deg) for p, _, _, _ in asked],
        [altitude_m for _, altitude_m, _, _ in asked],
        np.array([moment.replace(tzinfo=None) for _, _, moment, _ in asked], dtype="datetime64[us]"),
    )
    for answer, (_, _, _, verdict) in zip(answers.tolist(), asked, strict=True):
        if isinstance(verdict, Allowed):
            assert answer == ALLOWED
        elif verdict.zone_id is None:
            assert answer == OUTSIDE_OPERATING_AREA
        else:
            # Among zones of one severity the batch reports the first of the file.
            found = space.zones[answer].restriction
            assert found is space.zone(verdict.zone_id).restriction


@settings(max_examples=60, deadline=None)
@given(
    airspaces(),
    places,
    places,
    heights,
    heights,
    moments(),
    st.integers(0, 3_600),
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=12, max_size=12),
)
def test_an_allowed_segment_has_no_forbidden_moment_on_it(space, start, end, low, high, moment, last_s, at):
    window = TimeWindow.lasting(moment, last_s)
    first, second = (FRAME.to_wgs84(EnuOffset(*place)) for place in (start, end))
    verdict = space.check_segment(first, low, second, high, window)
    for fraction, when in [*at, (0.0, 0.0), (1.0, 1.0), (0.0, 1.0), (1.0, 0.0)]:
        place = tuple(a + fraction * (b - a) for a, b in zip(start, end, strict=True))
        instant = window.start + timedelta(microseconds=int(when * last_s * 1_000_000))
        _, (forbidding, near_m) = judged(space, place, low + fraction * (high - low), instant)
        if near_m > NEAR_M and forbidding:
            assert isinstance(verdict, Forbidden), (fraction, when, forbidding)


@settings(max_examples=60, deadline=None)
@given(airspaces(keep_in=False), places, places, heights, heights, moments())
def test_a_forbidden_segment_has_a_forbidden_point(space, start, end, low, high, moment):
    """At one instant, looked at in 101 places along the segment."""
    first, second = (FRAME.to_wgs84(EnuOffset(*place)) for place in (start, end))
    verdict = space.check_segment(first, low, second, high, TimeWindow.at(moment))
    if isinstance(verdict, Allowed):
        return
    fractions = np.linspace(0.0, 1.0, 101)
    nearest = np.inf
    for fraction in fractions.tolist():
        place = tuple(a + fraction * (b - a) for a, b in zip(start, end, strict=True))
        _, (forbidding, near_m) = judged(space, place, low + fraction * (high - low), moment)
        if verdict.zone_id in forbidding:
            return
        nearest = min(nearest, near_m)
    # It may only have clipped a corner between two samples (up to 85 m apart).
    assert nearest < 86.0


@settings(max_examples=60, deadline=None)
@given(
    airspaces(keep_in=False),
    st.lists(places, min_size=8, max_size=8),
    heights,
    heights,
    moments(),
    st.integers(0, 3_600),
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=8, max_size=8),
)
def test_outside_all_standing_obstacles_every_height_and_moment_is_allowed(
    space, spots, one_m, other_m, moment, last_s, at
):
    low, high = sorted((one_m, other_m))
    window = TimeWindow.lasting(moment, last_s)
    standing = [o.polygon for o in space.obstacles(low, high, window)]
    for place, (share, when) in zip(spots, at, strict=True):
        point, _ = judged(space, place, low, moment)
        xy = space.frame.project([(point.longitude_deg, point.latitude_deg)])[0]
        if all(polygon.distance(shapely.Point(xy)) > NEAR_M for polygon in standing):
            instant = window.start + timedelta(microseconds=int(when * last_s * 1_000_000))
            verdict = space.check_point(point, low + share * (high - low), instant)
            assert isinstance(verdict, Allowed), verdict


def planner_view(space: Airspace, low_m: float, high_m: float) -> list[tuple[str, bytes, bool]]:
    mask = space.activity_mask(low_m, high_m, TimeWindow.lasting(MONDAY, 600))
    shapes = (obstacle.polygon.normalize().wkb for obstacle in space.obstacle_polygons)
    ids = (obstacle.zone_id for obstacle in space.obstacle_polygons)
    return list(zip(ids, shapes, mask.tolist(), strict=True))


@settings(max_examples=60, deadline=None)
@given(
    st.data(),
    st.lists(st.tuples(st.sampled_from(["add", "remove"]), st.sampled_from("ABCD")), max_size=5),
    st.booleans(),
)
def test_a_snapshot_made_from_others_is_like_one_made_afresh(data, steps, looked_at):
    held = (data.draw(authorisations(("R",), 0)), data.draw(authorisations(("R",), 1)))
    kept = [data.draw(zones("P", (Restriction.PROHIBITED,))), data.draw(zones("R", SOME))]
    space = Airspace(kept, version="0", origin=ORIGIN, authorisations=held)
    now = {zone.zone_id: zone for zone in kept}
    for version, (what, zone_id) in enumerate(steps):
        if looked_at:
            # Whatever was computed before must not survive where it is no longer true.
            planner_view(space, 0.0, 100.0)
        if what == "add":
            now[zone_id] = data.draw(zones(zone_id, (*KEEP_OUT, Restriction.KEEP_IN)))
            space = space.with_zone(now[zone_id], version=str(version))
        elif zone_id in now:
            del now[zone_id]
            space = space.without_zone(zone_id, version=str(version))
    fresh = Airspace(now.values(), version="1", origin=ORIGIN, authorisations=held)
    assert [zone.zone_id for zone in space.zones] == list(now)
    assert planner_view(space, 0.0, 60.0) == planner_view(fresh, 0.0, 60.0)
    window = TimeWindow.lasting(MONDAY, 600)
    assert space.keep_in(window) == fresh.keep_in(window)
    for _ in range(4):
        point = FRAME.to_wgs84(EnuOffset(*data.draw(places)))
        moment, altitude_m = data.draw(moments()), data.draw(heights)
        assert space.check_point(point, altitude_m, moment) == fresh.check_point(point, altitude_m, moment)
