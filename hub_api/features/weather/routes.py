"""``/v1/weather``."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Security

from hub_api.dependencies import HubDep
from hub_api.features.fields import ReasonView
from hub_api.features.weather.schemas import (
    CountsView,
    ReadingView,
    ReportOutcome,
    ReportsRequest,
    ReportsView,
    ReportView,
    SpanView,
    StationWeatherView,
    WeatherView,
)
from hub_api.hub import Hub
from hub_api.problems import declared
from hub_api.security import Principal, Scope, authenticate
from hub_api.strict_json import StrictJsonRoute
from hub_api.weather.book import WeatherBook
from hub_api.weather.reports import NotAReport, Report
from planner.airframe import load_airframes
from planner.reasons import Reason
from planner.site import Station
from planner.weather import Measured, objections, warnings

router = APIRouter(prefix="/v1/weather", tags=["fleet"], route_class=StrictJsonRoute)

Reader = Annotated[Principal, Security(authenticate, scopes=[Scope.FLEET_READ])]
Sensor = Annotated[Principal, Security(authenticate, scopes=[Scope.WEATHER_WRITE])]
LOOK_AHEAD = timedelta(minutes=30)
"""Chosen: longer than any flight."""


@router.get("", response_model=WeatherView, summary="See the weather", responses=declared(401, 403))
async def see_weather(hub: HubDep, who: Reader) -> WeatherView:
    """At every station: what its sensors measured, what counts in a decision and from where, what speaks against
    flying. Wind always comes from the station's own sensor; reports of aerodromes near enough stand in for the rest."""
    book = hub.weather.book
    return WeatherView(
        at=hub.clock.now(),
        required=sorted(hub.settings.effective_weather_required),
        stations=[_station(hub, book, station) for station in hub.site.stations],
        reports=[_report(hub, book, report) for report in book.reports()],
    )


@router.post(
    "/reports",
    response_model=ReportsView,
    summary="Report METAR and TAF",
    responses=declared(400, 401, 403, 413, 422, 503),
)
async def take_reports(hub: HubDep, who: Sensor, body: ReportsRequest) -> ReportsView:
    """Each text is read by itself: one that cannot be read does not hold up the others, and says why."""
    outcomes = []
    for text in body.reports:
        found = await hub.weather.take_report(text)
        if isinstance(found, NotAReport):
            refused = ReasonView(code="report_refused", detail=found.why, detail_zh=found.why_zh)
            outcomes.append(ReportOutcome(taken=False, refused=refused))
            continue
        report, newest = found
        outcomes.append(
            ReportOutcome(
                taken=True,
                place=report.place,
                kind=report.kind,
                issued_at=report.issued_at,
                newest=newest,
                not_understood=list(report.not_understood),
            )
        )
    return ReportsView(outcomes=outcomes)


def _station(hub: Hub, book: WeatherBook, station: Station) -> StationWeatherView:
    now = hub.clock.now()
    weather = book.at(station.station_id)
    known = load_airframes()
    here = sorted({d.airframe_id for d in hub.site.drones if d.station_id == station.station_id})
    frames = [known[airframe_id] for airframe_id in here if airframe_id in known]
    required = hub.settings.effective_weather_required
    return StationWeatherView(
        station_id=station.station_id,
        readings={
            name: ReadingView(
                value=value.value,
                measured_at=value.measured_at,
                age_s=(now - value.measured_at).total_seconds(),
                usable=book.is_fresh(value),
            )
            for name, value in book.values(station.station_id).items()
        },
        rain_rate_mm_h=_counts(weather.rain_rate_mm_h),
        visibility_m=_counts(weather.visibility_m),
        temperature_deg_c=_counts(weather.temperature_deg_c),
        hazards=list(weather.hazards),
        against={
            frame.airframe_id: _reasons(objections(weather, frame.weather, required)) for frame in frames
        },
        warnings={
            frame.airframe_id: _reasons(
                warnings(weather, frame.weather, frame.wind_limit_m_s, start=now, end=now + LOOK_AHEAD)
            )
            for frame in frames
        },
    )


def _counts(measured: Measured | None) -> CountsView | None:
    if measured is None:
        return None
    return CountsView(value=measured.value, measured_at=measured.measured_at, source=measured.source)


def _reasons(reasons: tuple[Reason, ...]) -> list[ReasonView]:
    return [ReasonView(code=item.code, detail=item.detail, detail_zh=item.detail_zh) for item in reasons]


def _report(hub: Hub, book: WeatherBook, report: Report) -> ReportView:
    distances = {
        station.station_id: distance_m
        for station in hub.site.stations
        if (distance_m := book.distance_m(station.station_id, report)) is not None
    }
    shown = {
        name: getattr(report, name)
        for name in ReportView.model_fields
        if name not in ("holds", "distances_m", "spans", "hazards", "not_understood")
    }
    return ReportView(
        **shown,
        not_understood=list(report.not_understood),
        hazards=list(report.hazards),
        holds=book.holds(report),
        distances_m=distances,
        spans=[
            SpanView(
                **{name: getattr(span, name) for name in SpanView.model_fields if name != "hazards"},
                hazards=list(span.hazards),
            )
            for span in report.spans
        ],
    )
