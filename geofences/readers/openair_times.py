"""When an OpenAir airspace is active: the ``AA`` lines of extended OpenAir (Naviter, 2023).

``AA start/end`` is an ISO 8601 interval in UTC, either side may be NONE (open), several lines mean «any of
these». ``AA NONE`` means that times will be given elsewhere, by NOTAM: nobody reads those here, so such
an airspace is taken as always active.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from core.errors import AirspaceError, ZoneFileError
from geofences.applicability import PERMANENT, Applicability, TimePeriod
from geofences.readers.fields import quote
from geofences.readers.result import Report

_MOMENT = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?", re.ASCII
)


def read_activation(text: str, *, place: str, where: str, report: Report) -> TimePeriod | None:
    """The period of one ``AA`` line, None for «times follow by NOTAM»; 3101 where it can't be read."""
    words = [word.strip() for word in text.split(";", 1)[0].strip().upper().split("/")]
    if words in (["NONE"], ["NONE", "NONE"]):
        report.tolerated(place, where, "activation by NOTAM (AA NONE): taken as permanent")
        return None
    if len(words) != 2 or not all(words):
        raise ZoneFileError(
            f"{quote(text)} is not an interval such as 2026-11-22T04:00Z/2026-11-22T06:00Z",
            feature=place,
            field=where,
        )
    start, end = (_moment(word, place, where) for word in words)
    try:
        return TimePeriod(start, end)
    except AirspaceError as error:
        raise ZoneFileError(error.detail, feature=place, field=where) from error


def applicability_of(periods: list[TimePeriod | None]) -> Applicability:
    """Any of the periods; permanent without one, or where one of them is not known."""
    known = [period for period in periods if period is not None]
    return Applicability(tuple(known)) if known and len(known) == len(periods) else PERMANENT


def _moment(word: str, place: str, where: str) -> datetime | None:
    if word == "NONE":
        return None
    match = _MOMENT.fullmatch(word)
    if match is None:
        raise ZoneFileError(
            f"{quote(word)} is not a UTC time such as 2026-11-22T04:00Z", feature=place, field=where
        )
    if match[7] != "Z":
        raise ZoneFileError(f"{quote(word)} is not in UTC (Z)", feature=place, field=where)
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    # 24:00 is the midnight that ends the day.
    ends_the_day = (hour, minute, second) == (24, 0, 0)
    try:
        moment = datetime(year, month, day, 0 if ends_the_day else hour, minute, second, tzinfo=UTC)
        return moment + timedelta(days=1) if ends_the_day else moment
    except (ValueError, OverflowError) as error:
        raise ZoneFileError(f"{quote(word)} is no moment: {error}", feature=place, field=where) from error
