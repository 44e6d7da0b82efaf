"""From applicability to moments."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest

from core.errors import AirspaceError
from geofences.applicability import (
    EVERY_DAY,
    PERMANENT,
    Applicability,
    ClockTime,
    SolarEvent,
    SolarTime,
    TimePeriod,
    TimeWindow,
    Weekday,
    WeeklyPeriod,
)
from geofences.schedule import activity, from_us, to_us

SHENZHEN = (113.8, 22.5, 113.9, 22.6)
TROMSO = (18.9, 69.6, 19.0, 69.7)


def hours(first_h, last_h, *, days=EVERY_DAY, offset_h=0):
    offset_s = offset_h * 3600
    return WeeklyPeriod(
        days, ClockTime(int(first_h * 3600), offset_s), ClockTime(int(last_h * 3600), offset_s)
    )


def schedule(*weekly, start=None, end=None):
    return Applicability((TimePeriod(start, end, tuple(weekly)),))


def spans(applicability, start, end, bounds=SHENZHEN, *, outwards=True):
    parts = activity(applicability, TimeWindow(start, end), bounds, outwards=outwards)
    return [(from_us(int(low)), from_us(int(high))) for low, high in parts]


def utc(day, hour=0, minute=0, second=0):
    """A time in the week of Monday, 23 November 2026."""
    return datetime(2026, 11, day, hour, minute, second, tzinfo=UTC)


def test_permanent_is_the_whole_window():
    assert spans(PERMANENT, utc(23), utc(24)) == [(utc(23), utc(24))]


def test_clock_times_count_days_in_their_own_offset():
    school = schedule(hours(7, 18.5, days=(Weekday.TUE,), offset_h=8))
    # Tuesday 07:00 in Shenzhen is Monday 23:00 UTC.
    assert spans(school, utc(22), utc(26)) == [(utc(23, 23), utc(24, 10, 30))]


def test_an_end_before_the_start_is_on_the_next_day():
    night = schedule(hours(22, 6, days=(Weekday.MON,)))
    assert spans(night, utc(22), utc(26)) == [(utc(23, 22), utc(24, 6))]
    # A window that begins after midnight still sees the night that began before.
    assert spans(night, utc(24, 3), utc(24, 4)) == [(utc(24, 3), utc(24, 4))]
    assert spans(night, utc(25, 3), utc(25, 4)) == []


@pytest.mark.parametrize(("last_h", "end"), [(24, utc(24)), (23 + 59 / 60, utc(24)), (23, utc(23, 23))])
def test_the_last_minute_of_a_day_is_no_opening(last_h, end):
    day = schedule(hours(0, last_h, days=(Weekday.MON,)))
    assert spans(day, utc(22), utc(26)) == [(utc(23), end)]


def test_equal_times_are_a_whole_day():
    assert spans(schedule(hours(8, 8, days=(Weekday.MON,))), utc(22), utc(26)) == [(utc(23, 8), utc(24, 8))]


def test_consecutive_days_join():
    assert spans(schedule(hours(0, 24)), utc(22), utc(26)) == [(utc(22), utc(26))]


def test_periods_bound_their_schedule_and_add_up():
    first = TimePeriod(utc(23, 12), utc(24, 12), (hours(0, 24),))
    second = TimePeriod(utc(25), None, (hours(6, 7),))
    parts = spans(Applicability((first, second)), utc(22), utc(26, 12))
    assert parts == [(utc(23, 12), utc(24, 12)), (utc(25, 6), utc(25, 7)), (utc(26, 6), utc(26, 7))]


def sun_below_horizon_at(day, altitude_deg, *, rising, latitude_deg=22.55, longitude_deg=113.85):
    """Independent of astral: declination and equation of time by Spencer's Fourier series (1971)."""
    angle = 2 * math.pi * (day.timetuple().tm_yday - 1) / 365
    declination = (
        0.006918 - 0.399912 * math.cos(angle) + 0.070257 * math.sin(angle)
        - 0.006758 * math.cos(2 * angle) + 0.000907 * math.sin(2 * angle)
        - 0.002697 * math.cos(3 * angle) + 0.00148 * math.sin(3 * angle)
    )  # fmt: skip
    equation_min = 229.18 * (
        0.000075 + 0.001868 * math.cos(angle) - 0.032077 * math.sin(angle)
        - 0.014615 * math.cos(2 * angle) - 0.04089 * math.sin(2 * angle)
    )  # fmt: skip
    latitude = math.radians(latitude_deg)
    hour_angle = math.acos(
        (math.sin(math.radians(altitude_deg)) - math.sin(latitude) * math.sin(declination))
        / (math.cos(latitude) * math.cos(declination))
    )
    noon_min = 720 - 4 * longitude_deg - equation_min
    minutes = noon_min + (-1 if rising else 1) * math.degrees(hour_angle) * 4
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(minutes=minutes)


@pytest.mark.parametrize("day", [datetime(2026, 11, 24), datetime(2026, 3, 21), datetime(2026, 6, 21)])  # noqa: DTZ001
@pytest.mark.parametrize(
    ("event", "altitude_deg", "rising"),
    [
        (SolarEvent.BMCT, -6.0, True),
        (SolarEvent.SR, -0.833, True),
        (SolarEvent.SS, -0.833, False),
        (SolarEvent.EECT, -6.0, False),
    ],
)
def test_solar_events_agree_with_another_formula(day, event, altitude_deg, rising):
    expected = sun_below_horizon_at(day, altitude_deg, rising=rising)
    around = (expected - timedelta(hours=3), expected + timedelta(hours=3))
    clock = ClockTime((expected.hour + 4) % 24 * 3600)
    ((start, _),) = spans(schedule(WeeklyPeriod(EVERY_DAY, SolarTime(event), clock)), *around)
    assert abs(start - expected) < timedelta(minutes=3)


def test_daylight_spans_the_utc_midnight():
    daylight = schedule(WeeklyPeriod(EVERY_DAY, SolarTime(SolarEvent.SR), SolarTime(SolarEvent.SS)))
    parts = spans(daylight, utc(23, 12), utc(25, 12))
    assert len(parts) == 2
    for start, end in parts:
        assert start.hour == 22
        assert end.hour == 9
        assert end - start < timedelta(hours=12)


def test_a_wide_zone_is_closed_while_it_is_anywhere_and_open_while_it_is_everywhere():
    daylight = schedule(WeeklyPeriod(EVERY_DAY, SolarTime(SolarEvent.SR), SolarTime(SolarEvent.SS)))
    wide = (100.0, 22.5, 120.0, 22.6)
    (long,) = spans(daylight, utc(23, 12), utc(24, 14), wide)
    (short,) = spans(daylight, utc(23, 12), utc(24, 14), wide, outwards=False)
    (middle,) = spans(daylight, utc(23, 12), utc(24, 14), (110.0, 22.55, 110.0, 22.55))
    assert long[0] < middle[0] < short[0]
    assert short[1] < middle[1] < long[1]
    # Twenty degrees are eighty minutes of sun.
    assert short[0] - long[0] == pytest.approx(timedelta(minutes=80), abs=timedelta(minutes=1))


def test_without_sunrise_the_day_is_closed_for_zones_and_shut_for_operating_areas():
    polar_night = datetime(2026, 12, 21, tzinfo=UTC)
    daylight = schedule(WeeklyPeriod(EVERY_DAY, SolarTime(SolarEvent.SR), SolarTime(SolarEvent.SS)))
    noon = (polar_night + timedelta(hours=11), polar_night + timedelta(hours=12))
    assert spans(daylight, *noon, TROMSO) == [noon]
    assert spans(daylight, *noon, TROMSO, outwards=False) == []


def test_microseconds_survive():
    moment = datetime(2026, 11, 23, 1, 2, 3, 456_789, tzinfo=UTC)
    assert from_us(to_us(moment)) == moment


def test_a_question_over_years_is_refused():
    with pytest.raises(AirspaceError, match="cannot be asked over"):
        spans(schedule(hours(1, 2)), utc(23), utc(23) + timedelta(days=900))


@pytest.mark.parametrize(
    "make",
    [
        lambda: ClockTime(86_401),
        lambda: ClockTime(0, 15 * 3600),
        lambda: WeeklyPeriod((), ClockTime(0), ClockTime(1)),
        lambda: WeeklyPeriod(EVERY_DAY, ClockTime(0, 3600), ClockTime(1)),
        lambda: WeeklyPeriod(EVERY_DAY, ClockTime(86_400), ClockTime(1)),
        lambda: TimePeriod(utc(24), utc(23)),
        lambda: TimeWindow(utc(24), utc(23)),
        lambda: TimeWindow(datetime(2026, 1, 1), datetime(2026, 1, 2)),  # noqa: DTZ001
    ],
)
def test_impossible_times_are_refused(make):
    with pytest.raises(AirspaceError):
        make()
