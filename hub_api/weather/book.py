"""What is known of the weather at each station, from where, and whether it is young and near enough to count.

The station's own sensor goes before any report while it is fresh. Reports stand in for rain, visibility and
temperature, never for wind: half an hour old and kilometres away it says nothing about the gusts at the pad.
Forecasts only warn. What is too old or too far is not used and not guessed: it is then not known.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from core.clock import Clock
from core.geodesy import Wgs84Point, geodesic_distance_m
from hub_api.weather.reports import Report
from planner.site import Site
from planner.weather import UNKNOWN, Forecast, Measured, Weather

LOCAL_REACH_M = 8000.0
"""Rain and visibility: what an aerodrome's report covers; farther off is «in the vicinity» (ICAO Annex 3, 4.4.2.3: 8 km)."""
HAZARD_REACH_M = 16_000.0
"""Chosen: as far as Annex 3 lets an aerodrome report a thunderstorm as in its vicinity."""
REGIONAL_REACH_M = 30_000.0
"""Temperature and forecasts; chosen: the same air, outside mountains."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a station's sensors measured at one moment; None for what they do not measure. Pressure at the station."""

    measured_at: datetime
    from_deg: float | None = None
    speed_m_s: float | None = None
    gust_m_s: float | None = None
    rain_rate_mm_h: float | None = None
    visibility_m: float | None = None
    temperature_deg_c: float | None = None
    pressure_hpa: float | None = None


QUANTITIES = tuple(item.name for item in fields(Reading) if item.name != "measured_at")


class Value(NamedTuple):
    """The newest value of one quantity."""

    value: float
    measured_at: datetime


class WeatherBook:
    """Lives on the event loop's thread only. Filled from the store at the start, then with every reading."""

    def __init__(
        self, site: Callable[[], Site], clock: Clock, *, reading_stale_s: float, report_stale_s: float
    ) -> None:
        self._clock = clock
        self._site = site
        self._stale = timedelta(seconds=reading_stale_s)
        self._report_stale = timedelta(seconds=report_stale_s)
        self._values: dict[str, dict[str, Value]] = {}
        self._reports: dict[tuple[str, str], Report] = {}
        self._distances_m: dict[tuple[Wgs84Point, str], float] = {}

    def take_reading(self, station_id: str, reading: Reading) -> None:
        """Remember each quantity, unless something newer is known: readings may come late and out of order."""
        known = self._values.setdefault(station_id, {})
        for name in QUANTITIES:
            value = getattr(reading, name)
            if value is None:
                continue
            before = known.get(name)
            if before is None or before.measured_at <= reading.measured_at:
                known[name] = Value(value, reading.measured_at)

    def take_report(self, report: Report) -> bool:
        """Remember a report; False if a newer one of that place is known already."""
        before = self._reports.get((report.kind, report.place))
        if before is not None and before.issued_at > report.issued_at:
            return False
        self._reports[report.kind, report.place] = report
        return True

    def values(self, station_id: str) -> dict[str, Value]:
        """The newest value of every quantity, whatever its age."""
        return dict(self._values.get(station_id, {}))

    def reports(self) -> list[Report]:
        """The newest report of each kind and place, by place."""
        return [self._reports[key] for key in sorted(self._reports)]

    def is_fresh(self, value: Value) -> bool:
        """Whether a reading is young enough to decide on."""
        return self._clock.now() - value.measured_at <= self._stale

    def holds(self, report: Report) -> bool:
        """Whether a report still counts."""
        now = self._clock.now()
        if report.valid_until is not None:
            return now < report.valid_until
        return now - report.issued_at <= self._report_stale

    def distance_m(self, station_id: str, report: Report) -> float | None:
        """From a station to the place of a report; None for a station that the site does not know."""
        position = next(
            (each.position for each in self._site().stations if each.station_id == station_id), None
        )
        if position is None:
            return None
        key = (position, report.place)
        if key not in self._distances_m:
            place = Wgs84Point(report.latitude_deg, report.longitude_deg)
            self._distances_m[key] = geodesic_distance_m(position, place)
        return self._distances_m[key]

    def at(self, station_id: str) -> Weather:
        """What counts at a station now."""
        near = self._near(station_id)
        if not near and station_id not in self._values:
            return UNKNOWN
        found = Weather(
            rain_rate_mm_h=self._one(station_id, "rain_rate_mm_h", near, LOCAL_REACH_M),
            visibility_m=self._one(station_id, "visibility_m", near, LOCAL_REACH_M),
            temperature_deg_c=self._one(station_id, "temperature_deg_c", near, REGIONAL_REACH_M),
            forecasts=tuple(_forecasts(near)),
        )
        for distance_m, report in near:
            if report.kind == "METAR" and report.hazards and distance_m <= HAZARD_REACH_M:
                return replace(found, hazards=report.hazards, hazards_source=_source(report, distance_m))
        return found

    def _near(self, station_id: str) -> list[tuple[float, Report]]:
        """Reports that hold, the nearest first."""
        found = []
        for report in self._reports.values():
            distance_m = self.distance_m(station_id, report)
            if distance_m is not None and distance_m <= REGIONAL_REACH_M and self.holds(report):
                found.append((distance_m, report))
        return sorted(found, key=lambda pair: (pair[0], pair[1].kind))

    def _one(
        self, station_id: str, name: str, near: list[tuple[float, Report]], reach_m: float
    ) -> Measured | None:
        own = self._values.get(station_id, {}).get(name)
        if own is not None and self.is_fresh(own):
            return Measured(value=own.value, measured_at=own.measured_at, source="The station's sensor")
        for distance_m, report in near:
            value = getattr(report, name)
            if report.kind == "METAR" and value is not None and distance_m <= reach_m:
                return Measured(value=value, measured_at=report.issued_at, source=_source(report, distance_m))
        return None


def _source(report: Report, distance_m: float) -> str:
    return f"{report.place} ({distance_m / 1000.0:.0f} km)"


def _forecasts(near: list[tuple[float, Report]]) -> list[Forecast]:
    """Of the nearest forecast only: two that differ would be a choice of ours."""
    for distance_m, report in near:
        if report.kind == "TAF":
            return [
                Forecast(
                    source=_source(report, distance_m),
                    start=span.start,
                    end=span.end,
                    temporary=span.temporary,
                    strongest_wind_m_s=span.gust_m_s if span.gust_m_s is not None else span.wind_m_s,
                    visibility_m=span.visibility_m,
                    rain_rate_mm_h=span.rain_rate_mm_h,
                    hazards=span.hazards,
                )
                for span in report.spans
            ]
    return []
