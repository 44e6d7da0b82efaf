"""Applicability as the JSON of ED-269 and ED-318."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from geofences.applicability import EVERY_DAY, Applicability, ClockTime, SolarTime, TimePeriod, WeeklyPeriod


def write_moment(moment: datetime) -> str:
    """RFC 3339 in UTC, microseconds only where there are any."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def write_clock_time(time: ClockTime) -> str:
    """``hh:mm:ssZ`` or with its offset."""
    hours, rest = divmod(time.second_of_day, 3600)
    zone = "Z"
    if time.utc_offset_s:
        minutes, seconds = divmod(abs(time.utc_offset_s), 60)
        assert seconds == 0
        zone = f"{'-' if time.utc_offset_s < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}"
    return f"{hours:02d}:{rest // 60:02d}:{rest % 60:02d}{zone}"


def write_periods(applicability: Applicability) -> list[dict[str, Any]]:
    """The periods; an empty list for a permanent zone."""
    return [] if applicability.permanent else [_period(period) for period in applicability.periods]


def _period(period: TimePeriod) -> dict[str, Any]:
    result: dict[str, Any] = {}
    if period.start is not None:
        result["startDateTime"] = write_moment(period.start)
    if period.end is not None:
        result["endDateTime"] = write_moment(period.end)
    if period.schedule:
        result["schedule"] = [_daily(weekly) for weekly in period.schedule]
    return result


def _daily(weekly: WeeklyPeriod) -> dict[str, Any]:
    days = ["ANY"] if set(weekly.days) == set(EVERY_DAY) else [day.value for day in weekly.days]
    result: dict[str, Any] = {"day": days}
    for which, moment in (("start", weekly.start), ("end", weekly.end)):
        if isinstance(moment, SolarTime):
            result[f"{which}Event"] = moment.event.value
        else:
            result[f"{which}Time"] = write_clock_time(moment)
    return result
