"""Dates, times of day and weekly schedules as ED-269 and ED-318 write them.

Times occur as ``hh:mmZ``, ``hh:mm:ssZ``, ``hh:mm:ss.ffZ`` and with offsets. A time without its
offset is refused: in Shenzhen the guess would be wrong by eight hours.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime

from core.errors import AirspaceError
from geofences.applicability import (
    EVERY_DAY,
    Applicability,
    ClockTime,
    SolarEvent,
    SolarTime,
    TimePeriod,
    Weekday,
    WeeklyPeriod,
)
from geofences.readers.fields import Fields, quote

_TIME_OF_DAY = re.compile(
    r"(?P<hour>\d{2}):(?P<minute>\d{2})(?::(?P<second>\d{2}(?:\.\d{1,9})?))?"
    r"\s*(?P<zone>Z|z|[+-]\d{2}(?::?\d{2})?)?",
    re.ASCII,
)


def read_date_time(fields: Fields, name: str, *, zone_required: bool = True) -> datetime | None:
    """An RFC 3339 moment in UTC, None when missing."""
    if not fields.has(name):
        return None
    text = fields.text(name).strip()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        fields.refuse(name, f"{quote(text)} is not a date and time (RFC 3339)")
    if moment.tzinfo is None:
        if zone_required:
            fields.refuse(name, f"{quote(text)} names no time zone")
        fields.report.tolerated(
            fields.feature, fields.at(name), "no time zone in a date of record: taken as UTC"
        )
        moment = moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        fields.refuse(name, f"{quote(text)} is out of range")


def read_clock_time(fields: Fields, name: str, *, closing: bool) -> ClockTime:
    """A time of day with its offset. Fractions of a second are rounded outwards."""
    text = fields.text(name, None).strip()
    match = _TIME_OF_DAY.fullmatch(text)
    if match is None:
        fields.refuse(name, f"{quote(text)} is not a time of day such as 07:30Z or 07:30:00.00Z")
    if match["zone"] is None:
        fields.refuse(name, f"{quote(text)} names no time zone")
    hour, minute, second = int(match["hour"]), int(match["minute"]), float(match["second"] or 0.0)
    whole = hour * 3600 + minute * 60 + (math.ceil(second) if closing else math.floor(second))
    if minute > 59 or second >= 61.0 or whole > 86_400:
        fields.refuse(name, f"{quote(text)} is no time of day")
    offset_s = 0
    if match["zone"] not in "Zz":
        digits = match["zone"][1:].replace(":", "")
        offset_s = int(digits[:2]) * 3600 + int(digits[2:] or 0) * 60
        offset_s = -offset_s if match["zone"][0] == "-" else offset_s
    try:
        return ClockTime(whole, offset_s)
    except AirspaceError as error:
        fields.refuse(name, error.detail)


def read_applicability(fields: Fields, name: str) -> Applicability:
    """The list of time periods at ``name``; missing or empty means permanent.

    A period that is marked permanent is permanent whatever else it says, which errs to caution.
    """
    periods: list[TimePeriod] = []
    for period in fields.children(name):
        permanent = period.yes_no("permanent")
        start, end = read_date_time(period, "startDateTime"), read_date_time(period, "endDateTime")
        schedule = tuple(
            weekly
            for daily in period.children(period.first_of("schedule", "dailyPeriod"))
            if (weekly := _read_daily(daily)) is not None
        )
        if permanent:
            if start or end or schedule:
                period.report.tolerated(
                    period.feature, period.at("permanent"), "marked permanent and limited: taken as permanent"
                )
            return Applicability()
        if not (start or end or schedule):
            if permanent is False:
                period.report.tolerated(
                    period.feature,
                    period.at("permanent"),
                    "not permanent yet without limits: taken as permanent",
                )
            return Applicability()
        try:
            periods.append(TimePeriod(start, end, schedule))
        except AirspaceError as error:
            period.refuse("endDateTime", error.detail)
    return Applicability(tuple(periods))


def _read_daily(daily: Fields) -> WeeklyPeriod | None:
    days: list[Weekday] = []
    words = daily.words("day")
    for word in words:
        if word.upper() == "ANY":
            days.extend(EVERY_DAY)
        elif word.upper() in Weekday.__members__:
            days.append(Weekday(word.upper()))
        else:
            daily.refuse("day", f"{quote(word)} is not one of {', '.join(Weekday)}, ANY")
    limits = ("startTime", "startEvent", "endTime", "endEvent")
    if not any(daily.has(limit) for limit in limits):
        if not days or set(days) == set(EVERY_DAY):
            daily.report.tolerated(daily.feature, daily.path, "an empty schedule entry: no limit")
            return None
        return WeeklyPeriod(_in_order(days), ClockTime(0), ClockTime(86_400))
    if not days:
        daily.refuse("day", "is missing")
    start, end = _read_moment(daily, "start", closing=False), _read_moment(daily, "end", closing=True)
    try:
        return WeeklyPeriod(_in_order(days), start, end)
    except AirspaceError as error:
        daily.refuse(f"{error.field}Time", error.detail)


def _in_order(days: list[Weekday]) -> tuple[Weekday, ...]:
    return tuple(day for day in Weekday if day in days)


def _read_moment(daily: Fields, which: str, *, closing: bool) -> ClockTime | SolarTime:
    time, event = f"{which}Time", f"{which}Event"
    if daily.has(time) and daily.has(event):
        daily.refuse(event, f"both {time} and {event} are given")
    if daily.has(event):
        return SolarTime(daily.choice(event, {e.value: e for e in SolarEvent}))
    return read_clock_time(daily, time, closing=closing)
