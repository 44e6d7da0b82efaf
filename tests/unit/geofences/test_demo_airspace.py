"""The demonstration airspace: built from what is real, flyable where the site is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from core.geodesy import Wgs84Point, destination, geodesic_distance_m, initial_bearing_deg
from geofences.model import PositionQuality, Restriction, TimeWindow
from geofences.site_airspace import load_demo_airspace
from geofences.verdict import Allowed, Forbidden

CHINA = timezone(timedelta(hours=8))
TUESDAY_10_00 = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
WINDOW = TimeWindow.lasting(TUESDAY_10_00, 1800)
# As published (reference page): both ends of both runways.
RUNWAYS = [
    (Wgs84Point(22.6530, 113.8030), Wgs84Point(22.6256, 113.8180)),
    (Wgs84Point(22.6535, 113.785828), Wgs84Point(22.622829, 113.802498)),
]
STATION = Wgs84Point(22.5548, 113.8838)


def verdict_at(point, altitude_m=80.0, moment=TUESDAY_10_00):
    return load_demo_airspace().check_point(point, altitude_m, moment)


@pytest.mark.parametrize("ends", RUNWAYS)
def test_runways_and_their_approaches_are_prohibited(ends):
    first, second = ends
    heading = initial_bearing_deg(first, second)
    length_m = geodesic_distance_m(first, second)
    for along_m in (-6_500, -3_000, 0, length_m / 2, length_m, length_m + 3_000, length_m + 6_500):
        verdict = verdict_at(destination(first, heading, along_m))
        assert isinstance(verdict, Forbidden), along_m
        assert verdict.zone_id == "ZGSZ-P"
    for side in (-90, 90):
        middle = destination(first, heading, length_m / 2)
        assert verdict_at(destination(middle, heading + side, 1_499)).zone_id == "ZGSZ-P"


@pytest.mark.parametrize(
    ("latitude_deg", "longitude_deg"),
    [(22.558736, 113.925612), (22.559494, 113.942868), (22.55887, 114.045064)],
)
def test_heliports_are_prohibited(latitude_deg, longitude_deg):
    verdict = verdict_at(Wgs84Point(latitude_deg, longitude_deg), 10)
    assert isinstance(verdict, Forbidden)
    assert verdict.reason == "prohibited"


def test_the_town_is_open_under_the_standing_authorisation_only():
    verdict = verdict_at(STATION)
    assert isinstance(verdict, Allowed)
    assert verdict.authorisation_ids == ("auth-clearance",)
    assert "flat ground assumed" in verdict.terrain
    assert verdict_at(STATION, 130).zone_id == "ZGSZ-C"
    expired = datetime(2029, 6, 1, tzinfo=UTC)
    assert verdict_at(STATION, 80, expired).zone_id == "ZGSZ-C"


def test_the_straight_way_meets_a_zone():
    space = load_demo_airspace()
    verdict = space.check_segment(STATION, 80, Wgs84Point(22.57, 113.8935), 80, WINDOW)
    assert isinstance(verdict, Forbidden)
    assert verdict.zone_id == "BA-SUB1"


def test_the_stadium_is_open_above_60_m_with_its_condition():
    stadium = Wgs84Point(22.5655, 113.8775)
    assert verdict_at(stadium, 60).reason == "conditions_unconfirmed"
    verdict = verdict_at(stadium, 66)
    assert isinstance(verdict, Allowed)
    assert verdict.authorisation_ids == ("auth-clearance", "auth-stadium")
    assert verdict.conditions[0].startswith("BA-STAD: At least 60 m")


@pytest.mark.parametrize(
    ("moment", "closed"),
    [
        (datetime(2026, 11, 24, 6, 59, 59, tzinfo=CHINA), False),
        (datetime(2026, 11, 24, 7, 0, tzinfo=CHINA), True),
        (datetime(2026, 11, 24, 18, 30, tzinfo=CHINA), True),
        (datetime(2026, 11, 24, 18, 30, 1, tzinfo=CHINA), False),
        (datetime(2026, 11, 22, 10, 0, tzinfo=CHINA), False),
        (datetime(2026, 8, 4, 10, 0, tzinfo=CHINA), False),
    ],
)
def test_schools_close_their_sky_in_school_hours_of_term(moment, closed):
    assert isinstance(verdict_at(Wgs84Point(22.5862, 113.8838), 80, moment), Forbidden) is closed


def test_gushu_is_open_by_its_own_authorisation():
    verdict = verdict_at(Wgs84Point(22.5935, 113.856), 80)
    assert isinstance(verdict, Allowed)
    assert verdict.authorisation_ids == ("auth-clearance", "auth-gushu")
    assert verdict_at(Wgs84Point(22.6035, 113.856), 80).zone_id == "ZGSZ-O"


def test_outside_the_operating_area():
    verdict = verdict_at(Wgs84Point(22.53, 113.89))
    assert verdict.reason == "outside_operating_area"
    assert "宝安运行区域" in verdict.detail_zh


def test_what_is_not_published_says_so():
    for zone in load_demo_airspace().zones:
        published = zone.zone_id.startswith(("ZGSZ", "ZGNT", "HELI"))
        expected = PositionQuality.PUBLISHED if published else PositionQuality.APPROXIMATE
        assert zone.position_quality is expected
        assert zone.source.description
        assert zone.name
        assert zone.name_zh
        if zone.restriction is not Restriction.PROHIBITED:
            assert zone.message_zh
