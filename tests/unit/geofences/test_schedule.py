"""From applicability to moments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

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
CHINA = timezone(timedelta(hours=8))


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


def test_solar_events_match_published_times():
    """Shenzhen, 24 November 2026: sunrise 06:42, sunset 17:38, civil twilight 06:18 and 18:02 (China),
    within two minutes, from almanac tables for 22.54 N 114.06 E shifted to this longitude."""
    for event, expected in (
        (SolarEvent.BMCT, datetime(2026, 11, 24, 6, 18, tzinfo=CHINA)),
        (SolarEvent.SR, datetime(2026, 11, 24, 6, 42, tzinfo=CHINA)),
    ):
        from_then = schedule(WeeklyPeriod(EVERY_DAY, SolarTime(event), ClockTime(12 * 3600)))
        ((start, _),) = spans(from_then, utc(23, 18), utc(24, 9))
        assert abs(start - expected) < timedelta(minutes=3)
    for event, expected in (
        (SolarEvent.SS, datetime(2026, 11, 24, 17, 38, tzinfo=CHINA)),
        (SolarEvent.EECT, datetime(2026, 11, 24, 18, 2, tzinfo=CHINA)),
    ):
        until_then = schedule(WeeklyPeriod(EVERY_DAY, ClockTime(6 * 3600), SolarTime(event)))
        ((_, end),) = spans(until_then, utc(24), utc(24, 18))
        assert abs(end - expected) < timedelta(minutes=3)


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
