"""From applicability to moments: the closed intervals at which a zone applies, in POSIX microseconds.

Solar events depend on the place. A zone is an area, so they are computed at the four corners of its
bounding box: a keep-out zone applies when it does at any corner, an operating area when it does at
all of them (``outwards`` False). Sun positions come from ``astral`` (NOAA's equations, within
about a minute below the polar circles).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache

from astral import Observer
from astral.sun import dawn, dusk, sunrise, sunset

from core.errors import AirspaceError, ErrorCode
from geofences.applicability import (
    DAY_S,
    Applicability,
    ClockTime,
    SolarEvent,
    SolarTime,
    TimePeriod,
    TimeWindow,
    Weekday,
    WeeklyPeriod,
)
from geofences.intervals import Intervals, intersect, union

Bounds = tuple[float, float, float, float]
"""west, south, east, north in degrees."""

FOREVER: Intervals = ((-(2**62), 2**62),)
"""All moments; 2⁶² µs is 146,000 years."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LAST_MINUTE_S = DAY_S - 60
_MAX_EVALUATED_DAYS = 400
"""Chosen: more than a year; a question over a longer span is a mistake and would cost seconds."""

_EVENTS: dict[SolarEvent, Callable[..., datetime]] = {
    SolarEvent.BMCT: dawn,
    SolarEvent.SR: sunrise,
    SolarEvent.SS: sunset,
    SolarEvent.EECT: dusk,
}


def to_us(moment: datetime) -> int:
    """POSIX microseconds, exact."""
    return (moment - _EPOCH) // _MICROSECOND


def from_us(moment_us: int) -> datetime:
    """Inverse of :func:`to_us`."""
    return _EPOCH + moment_us * _MICROSECOND


def window_us(window: TimeWindow) -> Intervals:
    """The window as one interval."""
    return ((to_us(window.start), to_us(window.end)),)


def activity(
    applicability: Applicability, window: TimeWindow, bounds: Bounds, *, outwards: bool = True
) -> Intervals:
    """The moments of ``window`` at which a zone within ``bounds`` applies."""
    asked = window_us(window)
    if applicability.permanent:
        return asked
    return union(
        part
        for period in applicability.periods
        for part in _of_period(period, window, asked, bounds, outwards=outwards)
    )


def _of_period(
    period: TimePeriod, window: TimeWindow, asked: Intervals, bounds: Bounds, *, outwards: bool
) -> Intervals:
    low = FOREVER[0][0] if period.start is None else to_us(period.start)
    high = FOREVER[0][1] if period.end is None else to_us(period.end)
    common = intersect(((low, high),), asked)
    if not common or not period.schedule:
        return common
    # Only the days near the part of the window inside the period need a calendar.
    start, end = from_us(int(common[0][0])), from_us(int(common[0][1]))
    span_days = (end - start).days
    if span_days > _MAX_EVALUATED_DAYS:
        raise AirspaceError(
            ErrorCode.ZONE_INVALID,
            f"a schedule cannot be asked over {span_days} days, at most {_MAX_EVALUATED_DAYS}",
            field="window",
        )
    # A period that starts the day before (in any offset) may reach in, and solar times two days.
    first = start.date() - timedelta(days=3)
    days = [first + timedelta(days=offset) for offset in range(span_days + 7)]
    west, south, east, north = bounds
    corners = {(south, west), (south, east), (north, west), (north, east)}
    if not any(isinstance(t, SolarTime) for weekly in period.schedule for t in (weekly.start, weekly.end)):
        corners = {(south, west)}
    result: Intervals | None = None
    for corner in corners:
        here = union(
            interval
            for weekly in period.schedule
            for day in days
            if tuple(Weekday)[day.weekday()] in weekly.days
            for interval in _on_day(weekly, day, corner, outwards=outwards)
        )
        if result is None:
            result = here
        else:
            result = union(result + here) if outwards else intersect(result, here)
    return intersect(result or (), common)


def _on_day(weekly: WeeklyPeriod, day: date, corner: tuple[float, float], *, outwards: bool) -> Intervals:
    """The interval that starts on ``day`` at ``corner`` (latitude, longitude in degrees)."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=timezone(timedelta(seconds=weekly.utc_offset_s)))
    start = _moment(weekly.start, midnight, corner)
    end = _moment(weekly.end, midnight, corner, closing=True)
    if end is not None and end <= (start or midnight):
        end = _moment(weekly.end, midnight + timedelta(days=1), corner, closing=True)
    if start is None or end is None:
        if not outwards:
            return ()
        # The sun does not do that there that day: taken as active from midnight or until midnight.
        start = start or midnight
        end = end or max(start, midnight + timedelta(days=1))
    return ((to_us(start), to_us(end)),)


def _moment(
    time: ClockTime | SolarTime, midnight: datetime, corner: tuple[float, float], *, closing: bool = False
) -> datetime | None:
    if isinstance(time, ClockTime):
        second = time.second_of_day
        if closing and _LAST_MINUTE_S <= second < DAY_S:
            # Published schedules write 23:59 for «until midnight»; the minute left out is no opening.
            second = DAY_S
        offset = timezone(timedelta(seconds=time.utc_offset_s))
        return midnight.replace(tzinfo=offset) + timedelta(seconds=second)
    return _solar(time.event, midnight.date(), round(corner[0], 3), round(corner[1], 3))


@lru_cache(maxsize=100_000)
def _solar(event: SolarEvent, day: date, latitude_deg: float, longitude_deg: float) -> datetime | None:
    """The event on the UTC day ``day``; None where the sun does not do it."""
    try:
        return _EVENTS[event](Observer(latitude_deg, longitude_deg), date=day, tzinfo=UTC)
    except ValueError:
        return None
