"""When a zone applies: permanently, between dates, or by a weekly schedule with clock and solar times.

The shape follows EUROCAE ED-269 and ED-318 ``TimePeriod``, whose lists mean «any of these».
Nothing here computes an instant; :mod:`geofences.schedule` does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from core.errors import AirspaceError, ErrorCode

DAY_S = 86_400
_MAX_UTC_OFFSET_S = 14 * 3600
"""UTC+14 (Line Islands) is the largest civil offset in use."""


def require_utc(moment: datetime, field: str) -> datetime:
    """``moment`` in UTC, or 3102: a time of day without its zone may be eight hours wrong here."""
    if moment.tzinfo is None:
        raise AirspaceError(ErrorCode.ZONE_INVALID, f"{moment.isoformat()} names no time zone", field=field)
    return moment.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """A closed interval of time, aware UTC; ``start == end`` is one instant."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", require_utc(self.start, "start"))
        object.__setattr__(self, "end", require_utc(self.end, "end"))
        if self.end < self.start:
            raise AirspaceError(
                ErrorCode.ZONE_INVALID,
                f"the window ends at {self.end.isoformat()}, before it starts at {self.start.isoformat()}",
                field="end",
            )

    @classmethod
    def at(cls, moment: datetime) -> TimeWindow:
        """The single instant ``moment``."""
        return cls(moment, moment)

    @classmethod
    def lasting(cls, start: datetime, duration_s: float) -> TimeWindow:
        """From ``start`` for ``duration_s`` seconds."""
        return cls(start, start + timedelta(seconds=duration_s))


class Weekday(StrEnum):
    """Days as ED-269 writes them, Monday first."""

    MON = "MON"
    TUE = "TUE"
    WED = "WED"
    THU = "THU"
    FRI = "FRI"
    SAT = "SAT"
    SUN = "SUN"


EVERY_DAY: tuple[Weekday, ...] = tuple(Weekday)


class SolarEvent(StrEnum):
    """Moments given by the sun, as ED-318 writes them."""

    BMCT = "BMCT"
    """Begin of morning civil twilight: the sun's centre 6° under the horizon, rising."""
    SR = "SR"
    """Sunrise."""
    SS = "SS"
    """Sunset."""
    EECT = "EECT"
    """End of evening civil twilight: the sun's centre 6° under the horizon, setting."""


@dataclass(frozen=True, slots=True)
class ClockTime:
    """A time of day: seconds after midnight in the zone ``utc_offset_s`` east of UTC.

    ``second_of_day`` 86400 is the midnight that ends the day; a :class:`WeeklyPeriod` keeps it as 0.
    """

    second_of_day: int
    utc_offset_s: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.second_of_day <= DAY_S:
            raise AirspaceError(
                ErrorCode.ZONE_INVALID, f"{self.second_of_day} s is no time of day", field="second_of_day"
            )
        if abs(self.utc_offset_s) > _MAX_UTC_OFFSET_S:
            raise AirspaceError(
                ErrorCode.ZONE_INVALID, f"{self.utc_offset_s} s is no civil UTC offset", field="utc_offset_s"
            )


@dataclass(frozen=True, slots=True)
class SolarTime:
    """A time of day given by the sun at the zone."""

    event: SolarEvent


@dataclass(frozen=True, slots=True)
class WeeklyPeriod:
    """Every named day from ``start`` until ``end``; an end that is not after the start is on the next day.

    The weekday is the one at ``start``, in the UTC offset of the clock time given (UTC for two
    solar times): ED-269 and ED-318 count days in UTC like their times.
    """

    days: tuple[Weekday, ...]
    start: ClockTime | SolarTime
    end: ClockTime | SolarTime

    def __post_init__(self) -> None:
        if not self.days:
            raise AirspaceError(ErrorCode.ZONE_INVALID, "a weekly period names no day", field="days")
        clock = [moment for moment in (self.start, self.end) if isinstance(moment, ClockTime)]
        if len({moment.utc_offset_s for moment in clock}) > 1:
            raise AirspaceError(
                ErrorCode.ZONE_INVALID, "start and end are in different UTC offsets", field="end"
            )
        if isinstance(self.start, ClockTime) and self.start.second_of_day == DAY_S:
            raise AirspaceError(ErrorCode.ZONE_INVALID, "a period cannot start at 24:00", field="start")
        if isinstance(self.end, ClockTime) and self.end.second_of_day == DAY_S:
            # The midnight that ends the day and the one that begins the next are the same moment.
            object.__setattr__(self, "end", ClockTime(0, self.end.utc_offset_s))

    @property
    def utc_offset_s(self) -> int:
        """Offset in which the weekday is counted."""
        for moment in (self.start, self.end):
            if isinstance(moment, ClockTime):
                return moment.utc_offset_s
        return 0


@dataclass(frozen=True, slots=True)
class TimePeriod:
    """Between ``start`` and ``end`` (None: open), and within it only at ``schedule`` unless that is empty."""

    start: datetime | None = None
    end: datetime | None = None
    schedule: tuple[WeeklyPeriod, ...] = ()

    def __post_init__(self) -> None:
        for field in ("start", "end"):
            moment = getattr(self, field)
            if moment is not None:
                object.__setattr__(self, field, require_utc(moment, field))
        if self.start is not None and self.end is not None and self.end < self.start:
            raise AirspaceError(
                ErrorCode.ZONE_INVALID,
                f"the period ends at {self.end.isoformat()}, before it starts at {self.start.isoformat()}",
                field="end",
            )


@dataclass(frozen=True, slots=True)
class Applicability:
    """The moments at which a zone applies: in any of ``periods``; without periods, always."""

    periods: tuple[TimePeriod, ...] = ()

    @property
    def permanent(self) -> bool:
        """True when there is no moment at which the zone does not apply."""
        if not self.periods:
            return True
        return any(p.start is None and p.end is None and not p.schedule for p in self.periods)

    @property
    def solar(self) -> bool:
        """True when any schedule depends on the sun, hence on the place."""
        return any(
            isinstance(moment, SolarTime)
            for period in self.periods
            for weekly in period.schedule
            for moment in (weekly.start, weekly.end)
        )


PERMANENT = Applicability()
