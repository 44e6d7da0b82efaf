"""The exact 4-D test, case by case."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import shapely

from core.errors import AirspaceError, ErrorCode
from geofences.applicability import Applicability, ClockTime, TimePeriod, TimeWindow, Weekday, WeeklyPeriod
from geofences.model import Restriction
from geofences.terrain import FlatTerrain
from geofences.verdict import Allowed, Forbidden
from tests.unit.geofences.builders import (
    NOON,
    agl,
    airspace,
    amsl,
    at,
    authorisation,
    circle,
    square,
    zone,
)

TEN_MINUTES = TimeWindow.lasting(NOON, 600)
LATER = NOON + timedelta(hours=1)


def forbidden_at(space, east_m, north_m, altitude_m=50.0, moment=NOON):
    return isinstance(space.check_point(at(east_m, north_m), altitude_m, moment), Forbidden)


def segment(space, start, end, window=TEN_MINUTES):
    (x1, y1, z1), (x2, y2, z2) = start, end
    return space.check_segment(at(x1, y1), z1, at(x2, y2), z2, window)


def test_inside_is_forbidden_and_outside_allowed():
    space = airspace(zone())
    assert forbidden_at(space, 0, 0)
    assert not forbidden_at(space, 150, 0)
    verdict = space.check_point(at(0, 0), 50, NOON)
    assert verdict == Forbidden(
        zone_id="Z",
        zone_name="Z",
        reason="prohibited",
        detail="Zone Z «Z» is prohibited from the ground to unlimited.",
        detail_zh="区域 Z「Z」禁止飞行（地面至不限）。",
        terrain="flat ground assumed at 0 m above mean sea level",
    )


def test_the_boundary_belongs_to_the_zone():
    space = airspace(zone(square(floor=amsl(50), ceiling=amsl(100))))
    assert forbidden_at(space, 100, 0, 75)
    assert forbidden_at(space, 100, 100, 75)
    assert forbidden_at(space, 0, 0, 50)
    assert forbidden_at(space, 0, 0, 100)
    assert not forbidden_at(space, 100.02, 0, 75)
    assert not forbidden_at(space, 0, 0, 49.999)
    assert not forbidden_at(space, 0, 0, 100.001)


def test_the_boundary_of_a_hole_belongs_to_the_zone():
    space = airspace(zone(square(hole_half_m=50)))
    assert not forbidden_at(space, 0, 0)
    assert not forbidden_at(space, 49.9, 0)
    assert forbidden_at(space, 50, 0)
    assert forbidden_at(space, 75, 0)


def test_a_circle_is_tested_by_distance_not_by_corners():
    space = airspace(zone(circle(1000)))
    for bearing in np.linspace(0, 2 * np.pi, 97):
        x, y = np.sin(bearing), np.cos(bearing)
        assert forbidden_at(space, 1000 * x, 1000 * y)
        assert not forbidden_at(space, 1000.05 * x, 1000.05 * y)


def test_area_and_height_must_agree_in_the_same_volume():
    space = airspace(
        zone(
            square(100, floor=amsl(0), ceiling=amsl(50)),
            square(100, floor=amsl(60), ceiling=amsl(100), centre=(1000, 0)),
        )
    )
    assert not forbidden_at(space, 0, 0, 80)
    assert not forbidden_at(space, 1000, 0, 30)
    assert forbidden_at(space, 1000, 0, 80)


def test_a_floor_at_or_under_the_ground_reaches_down():
    space = airspace(zone(square(floor=agl(0), ceiling=agl(100))), terrain=FlatTerrain(30))
    assert forbidden_at(space, 0, 0, 20)
    assert forbidden_at(space, 0, 0, 130)
    assert not forbidden_at(space, 0, 0, 130.01)
    under_ground = airspace(zone(square(floor=amsl(10))), terrain=FlatTerrain(30))
    assert forbidden_at(under_ground, 0, 0, 5)


def test_time_counts_and_its_ends_belong():
    period = TimePeriod(NOON, NOON + timedelta(minutes=30))
    space = airspace(zone(applicability=Applicability((period,))))
    assert forbidden_at(space, 0, 0, moment=NOON)
    assert forbidden_at(space, 0, 0, moment=NOON + timedelta(minutes=30))
    assert not forbidden_at(space, 0, 0, moment=NOON - timedelta(microseconds=1))
    assert not forbidden_at(space, 0, 0, moment=NOON + timedelta(minutes=30, microseconds=1))
    before = TimeWindow(NOON - timedelta(minutes=20), NOON - timedelta(minutes=1))
    assert isinstance(segment(space, (-500, 0, 50), (500, 0, 50), before), Allowed)
    touching = TimeWindow(NOON - timedelta(minutes=20), NOON)
    assert isinstance(segment(space, (-500, 0, 50), (500, 0, 50), touching), Forbidden)


def test_segment_through_over_under_and_beside():
    space = airspace(zone(square(floor=amsl(40), ceiling=amsl(60))))
    assert isinstance(segment(space, (-500, 0, 50), (500, 0, 50)), Forbidden)
    assert isinstance(segment(space, (-500, 0, 61), (500, 0, 61)), Allowed)
    assert isinstance(segment(space, (-500, 0, 39), (500, 0, 39)), Allowed)
    assert isinstance(segment(space, (-500, 101, 50), (500, 101, 50)), Allowed)
    assert isinstance(segment(space, (-500, 100, 50), (500, 100, 50)), Forbidden)
    verdict = segment(space, (-500, 0, 50), (500, 0, 50))
    assert "entered after 400 m" in verdict.detail


def test_a_climbing_segment_meets_the_zone_only_where_height_and_place_agree():
    space = airspace(zone(square(floor=amsl(40), ceiling=amsl(60))))
    # Over the square at t = 0.4 … 0.6, hence at 80 … 120 m: above it, though 40–60 m is crossed before.
    assert isinstance(segment(space, (-500, 0, 0), (500, 0, 200)), Allowed)
    # At 40 … 60 m exactly over it.
    assert isinstance(segment(space, (-500, 0, 0), (500, 0, 100)), Forbidden)
    # Touches the ceiling exactly at the edge of the square.
    assert isinstance(segment(space, (-500, 0, 0), (500, 0, 150)), Forbidden)
    assert isinstance(segment(space, (-500, 0, 0), (500, 0, 150.5)), Allowed)


def test_a_vertical_segment():
    space = airspace(zone(square(floor=amsl(40), ceiling=amsl(60))))
    assert isinstance(segment(space, (0, 0, 0), (0, 0, 39)), Allowed)
    assert isinstance(segment(space, (0, 0, 0), (0, 0, 40)), Forbidden)
    assert isinstance(segment(space, (0, 0, 100), (0, 0, 61)), Allowed)


def test_a_segment_through_the_hole_crosses_the_ring():
    space = airspace(zone(square(hole_half_m=50)))
    assert isinstance(segment(space, (-40, 0, 50), (40, 0, 50)), Allowed)
    assert isinstance(segment(space, (-40, 0, 50), (60, 0, 50)), Forbidden)


def test_prohibited_is_reported_before_milder_zones_and_the_nearer_first():
    space = airspace(
        zone(square(50, centre=(-200, 0)), zone_id="near", restriction=Restriction.CONDITIONAL),
        zone(square(50, centre=(0, 0)), zone_id="first"),
        zone(square(50, centre=(200, 0)), zone_id="second"),
    )
    assert segment(space, (-500, 0, 50), (500, 0, 50)).zone_id == "first"
    assert segment(space, (500, 0, 50), (-500, 0, 50)).zone_id == "second"


def test_conditional_is_forbidden_until_confirmed_and_then_names_its_condition():
    rule = zone(restriction=Restriction.CONDITIONAL, conditions="stay above 60 m")
    assert segment(airspace(rule), (-500, 0, 50), (500, 0, 50)).reason == "conditions_unconfirmed"
    confirmed = airspace(rule, authorisations=(authorisation(),))
    verdict = segment(confirmed, (-500, 0, 50), (500, 0, 50))
    assert verdict.conditions == ("Z: stay above 60 m",)
    assert verdict.authorisation_ids == ("A",)


def test_no_restriction_restricts_nothing():
    assert not forbidden_at(airspace(zone(restriction=Restriction.NO_RESTRICTION)), 0, 0)


def test_an_authorisation_opens_place_height_and_time_only():
    rule = zone(square(200), restriction=Restriction.REQ_AUTHORISATION)
    held = authorisation(
        area=square(100).area,
        floor=amsl(20),
        ceiling=amsl(80),
        valid_from=NOON,
        valid_until=NOON + timedelta(minutes=10),
    )
    space = airspace(rule, authorisations=(held,))
    assert not forbidden_at(space, 0, 0, 50)
    assert forbidden_at(space, 150, 0, 50)
    assert forbidden_at(space, 0, 0, 19)
    assert forbidden_at(space, 0, 0, 81)
    assert forbidden_at(space, 0, 0, 50, NOON - timedelta(seconds=1))
    assert forbidden_at(space, 0, 0, 50, NOON + timedelta(minutes=11))
    assert isinstance(segment(space, (-90, 0, 30), (90, 0, 70)), Allowed)
    # Partly covered in place, in height, in time.
    assert isinstance(segment(space, (-90, 0, 50), (150, 0, 50)), Forbidden)
    assert isinstance(segment(space, (-90, 0, 50), (90, 0, 90)), Forbidden)
    late = TimeWindow(NOON, NOON + timedelta(minutes=11))
    assert isinstance(segment(space, (-90, 0, 50), (90, 0, 50), late), Forbidden)


def test_two_authorisations_may_cover_a_segment_together():
    rule = zone(square(200), restriction=Restriction.REQ_AUTHORISATION)
    west = authorisation(authorisation_id="W", area=square(100, centre=(-100, 0)).area)
    east = authorisation(authorisation_id="E", area=square(100, centre=(100, 0)).area)
    apart = authorisation(authorisation_id="E", area=square(99, centre=(101, 0)).area)
    both = airspace(rule, authorisations=(west, east))
    assert segment(both, (-150, 0, 50), (150, 0, 50)).authorisation_ids == ("E", "W")
    gap = airspace(rule, authorisations=(west, apart))
    assert isinstance(segment(gap, (-150, 0, 50), (150, 0, 50)), Forbidden)
    first = authorisation(authorisation_id="1", valid_until=NOON)
    second = authorisation(authorisation_id="2", valid_from=NOON)
    in_turn = airspace(rule, authorisations=(first, second))
    around_noon = TimeWindow(NOON - timedelta(hours=1), NOON + timedelta(hours=1))
    assert isinstance(segment(in_turn, (-150, 0, 50), (150, 0, 50), around_noon), Allowed)


def test_an_authorisation_of_another_zone_opens_nothing():
    inner = zone(zone_id="inner", restriction=Restriction.REQ_AUTHORISATION)
    outer = zone(square(300), zone_id="outer", restriction=Restriction.REQ_AUTHORISATION)
    space = airspace(inner, outer, authorisations=(authorisation(["outer"]),))
    assert space.check_point(at(0, 0), 50, NOON).zone_id == "inner"
    assert not forbidden_at(space, 200, 0)


@pytest.mark.parametrize("restriction", [Restriction.PROHIBITED, Restriction.KEEP_IN])
def test_what_cannot_be_authorised_is_refused(restriction):
    with pytest.raises(AirspaceError, match="cannot be authorised"):
        airspace(zone(restriction=restriction), authorisations=(authorisation(),))


def test_an_authorisation_of_an_unknown_zone_is_refused():
    with pytest.raises(AirspaceError, match="unknown zone nowhere"):
        airspace(zone(), authorisations=(authorisation(["nowhere"]),))


def test_two_zones_of_one_name_are_refused():
    with pytest.raises(AirspaceError, match="two zones are called Z"):
        airspace(zone(), zone())


def test_keep_in_is_the_union_of_operating_areas():
    west = zone(square(100, centre=(-100, 0)), zone_id="W", restriction=Restriction.KEEP_IN)
    east = zone(square(100, centre=(100, 0), ceiling=amsl(60)), zone_id="E", restriction=Restriction.KEEP_IN)
    space = airspace(west, east)
    assert isinstance(segment(space, (-150, 0, 50), (150, 0, 50)), Allowed)
    assert isinstance(segment(space, (-150, 0, 50), (150, 0, 70)), Forbidden)
    assert segment(space, (-150, 0, 50), (250, 0, 50)).reason == "outside_operating_area"
    assert not forbidden_at(space, 200, 0)
    assert forbidden_at(space, 200.1, 0)
    assert space.keep_in(TEN_MINUTES).area == pytest.approx(2 * 200 * 200, rel=1e-6)
    assert space.keep_in(TEN_MINUTES, 0, 100).area == pytest.approx(200 * 200, rel=1e-6)
    assert airspace(zone()).keep_in(TEN_MINUTES) is None


def test_a_closed_operating_area_closes_everything():
    hours = WeeklyPeriod((Weekday.TUE,), ClockTime(8 * 3600, 8 * 3600), ClockTime(12 * 3600, 8 * 3600))
    area = zone(
        square(1000),
        restriction=Restriction.KEEP_IN,
        applicability=Applicability((TimePeriod(schedule=(hours,)),)),
    )
    space = airspace(area)
    assert not forbidden_at(space, 0, 0, moment=NOON)
    verdict = space.check_point(at(0, 0), 50, LATER)
    assert verdict.reason == "operating_area_closed"
    assert "13:00:00（北京时间）" in verdict.detail_zh
    assert space.keep_in(TimeWindow(LATER, LATER)).is_empty
    # Open at the start of the window only.
    assert isinstance(segment(space, (0, 0, 50), (10, 0, 50)), Forbidden)


def test_questions_out_of_reach_are_refused():
    with pytest.raises(AirspaceError) as caught:
        airspace(zone()).check_point(at(0, 80_000), 50, NOON)
    assert caught.value.code is ErrorCode.OUTSIDE_LOCAL_FRAME


def test_a_zone_may_reach_beyond_what_is_asked():
    space = airspace(zone(square(70_000), zone_id="wide"), zone(circle(150_000), zone_id="round"))
    for east_m, north_m in ((0, 0), (60_000, 0), (60_000, -60_000)):
        assert forbidden_at(space, east_m, north_m)
    outside = airspace(zone(square(1_000, centre=(90_000, 0))))
    assert not forbidden_at(outside, 60_000, 0)


def test_obstacles_know_heights_times_and_authorisations():
    hours = WeeklyPeriod((Weekday.TUE,), ClockTime(0), ClockTime(3600))
    space = airspace(
        zone(square(floor=amsl(50), ceiling=amsl(100)), zone_id="band"),
        zone(zone_id="night", applicability=Applicability((TimePeriod(schedule=(hours,)),))),
        zone(square(300), zone_id="open", restriction=Restriction.REQ_AUTHORISATION),
        zone(restriction=Restriction.KEEP_IN, zone_id="in"),
        zone(restriction=Restriction.NO_RESTRICTION, zone_id="info"),
        authorisations=(authorisation(["open"], area=square(200).area, ceiling=amsl(120)),),
    )

    def ids(floor_m, ceiling_m, window=TEN_MINUTES):
        return [o.zone_id for o in space.obstacles(floor_m, ceiling_m, window)]

    assert ids(0, 40) == ["open"]
    assert ids(0, 50) == ["band", "open"]
    assert ids(101, 120) == ["open"]
    # Above the authorisation's ceiling the inner part stands too.
    assert ids(101, 121) == ["open", "open"]
    night = TimeWindow.at(datetime(2026, 11, 24, 0, 30, tzinfo=UTC))
    assert ids(0, 40, night) == ["night", "open"]
    (ring,) = [o.polygon for o in space.obstacles(0, 40, TEN_MINUTES)]
    assert ring.area == pytest.approx(600**2 - 400**2, rel=1e-3)
    mask = space.activity_mask(101, 121, TEN_MINUTES)
    standing = [p for p, on in zip(space.obstacle_polygons, mask, strict=True) if on]
    assert shapely.union_all([p.polygon for p in standing]).area == pytest.approx(600**2, rel=1e-6)
    assert mask.tobytes() != space.activity_mask(101, 120, TEN_MINUTES).tobytes()


def test_circles_are_circumscribed_for_the_planner():
    for radius_m in (0.5, 50.0, 500.0, 20_000.0):
        (obstacle,) = airspace(zone(circle(radius_m))).obstacles(0, 10, TEN_MINUTES)
        outline = shapely.Point(0, 0).buffer(radius_m, quad_segs=720)
        assert obstacle.polygon.covers(outline)
        assert obstacle.polygon.hausdorff_distance(outline) < max(1.6, 0.0006 * radius_m)


def test_versions_share_what_did_not_change():
    first = airspace(zone(zone_id="a"), zone(square(centre=(1000, 0)), zone_id="b"))
    second = first.with_zone(zone(square(centre=(2000, 0)), zone_id="c"), version="2")
    third = second.with_zone(zone(square(centre=(3000, 0)), zone_id="a"), version="3")
    fourth = third.without_zone("b", version="4")
    assert forbidden_at(second, 2000, 0)
    assert not forbidden_at(first, 2000, 0)
    assert forbidden_at(third, 3000, 0)
    assert not forbidden_at(third, 0, 0)
    assert forbidden_at(third, 1000, 0)
    assert not forbidden_at(fourth, 1000, 0)
    assert forbidden_at(fourth, 2000, 0)
    change = fourth.changes_since(first)
    assert (change.added, change.removed, change.changed) == (("c",), ("b",), ("a",))
    assert fourth.version == "4"
    with pytest.raises(AirspaceError, match="no zone is called b"):
        fourth.without_zone("b", version="5")
