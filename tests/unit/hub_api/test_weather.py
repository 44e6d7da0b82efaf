"""Weather: readings in any order, reports read by a library, nothing guessed, limits checked in the decision."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.clock import Clock
from core.geodesy import Wgs84Point
from geofences.site_airspace import load_demo_airspace
from hub_api.dispatch.planning import Question, SitePlanning
from hub_api.store.repositories import weather as store
from hub_api.weather.book import Reading, WeatherBook
from hub_api.weather.reports import NotAReport, Report, read_report
from planner.airframe import load_airframes
from planner.weather import Hazard, Quantity
from tests.unit.hub_api.played_planning import a_site
from tests.unit.hub_api.world import EPOCH, World, play, world

NOW = datetime(2026, 3, 1, 8, 10, tzinfo=UTC)
METAR = "METAR ZGSZ 010800Z 04004MPS 9999 FEW033 22/15 Q1018 NOSIG"
STATION = a_site().stations[0].station_id
FINE = {
    "from_deg": 90.0,
    "speed_m_s": 3.0,
    "rain_rate_mm_h": 0.0,
    "visibility_m": 12_000.0,
    "temperature_deg_c": 20.0,
    "pressure_hpa": 1012.0,
}


def metar(text: str, now: datetime = NOW) -> Report:
    found = read_report(text, now)
    assert isinstance(found, Report), found
    return found


def test_a_metar_becomes_si_at_its_own_time():
    report = metar("METAR KJFK 010751Z 18012G20KT 1/2SM +RA BR OVC002 18/17 A2992 RMK AO2 SLP132")
    assert (report.kind, report.place, report.issued_at) == (
        "METAR",
        "KJFK",
        datetime(2026, 3, 1, 7, 51, tzinfo=UTC),
    )
    assert report.wind_m_s == pytest.approx(6.17, abs=0.01)
    assert report.gust_m_s == pytest.approx(10.29, abs=0.01)
    assert report.visibility_m == pytest.approx(804.7, abs=0.1)
    assert report.qnh_hpa == pytest.approx(1013.2, abs=0.1)
    assert (report.rain_rate_mm_h, report.temperature_deg_c, report.hazards) == (50.0, 18.0, ())


@pytest.mark.parametrize(
    ("weather", "rain_mm_h", "hazards"),
    [
        ("", 0.0, ()),
        ("-RA", 2.5, ()),
        ("RA BR", 10.0, ()),
        ("+SHRA", 50.0, ()),
        ("VCSH", 0.0, ()),
        ("BR", 0.0, ()),
        ("+TSRA", 50.0, (Hazard.THUNDERSTORM,)),
        ("VCTS", 0.0, (Hazard.THUNDERSTORM,)),
        ("-FZRA", 2.5, (Hazard.FREEZING_PRECIPITATION,)),
        ("TSGR", 10.0, (Hazard.THUNDERSTORM, Hazard.HAIL)),
        ("SQ", 0.0, (Hazard.SQUALL,)),
        ("-SN", 2.5, ()),
    ],
)
def test_weather_codes_become_a_rate_and_hazards(weather: str, rain_mm_h: float, hazards: tuple[Hazard, ...]):
    report = metar(f"METAR ZGSZ 010800Z 04004MPS 5000 {weather} FEW033 22/15 Q1018")
    assert (report.rain_rate_mm_h, report.hazards) == (rain_mm_h, hazards)


@pytest.mark.parametrize(
    "text",
    [
        "METAR ZGSZ 010800Z AUTO 04004MPS //// // ////// 22/15 Q1018",
        "METAR ZGSZ 010800Z 04004MPS 9999 WIBBLE 22/15 Q1018",
    ],
)
def test_no_dry_weather_is_concluded_from_a_broken_sensor_or_an_unknown_group(text: str):
    report = metar(text)
    assert report.rain_rate_mm_h is None
    assert report.temperature_deg_c == 22.0


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("hello world", "aerodrome"),
        ("METAR ZZZZ 010800Z 04004MPS 9999 22/15 Q1018", "aerodrome"),
        ("ZGSZ", "when"),
        ("METAR ZGSZ 010800Z NIL", "no report"),
        ("METAR ZGSZ 019999Z 04004MPS 9999 22/15 Q1018", "future"),
        ("METAR ZGSZ 011200Z 04004MPS 9999 22/15 Q1018", "future"),
        ("TAF ZGSZ 010000Z 0100/0106 04004MPS 9999", "over"),
        ("TAF ZGSZ NIL", "no"),
        ("TAF AMD ZGSZ 010306Z 0106/0206 CNL", "no report"),
        ("METAR ZGSZ \u0661\u0660", "plain"),
        ("M" * 3000, "long"),
        (" ", "empty"),
    ],
)
def test_what_is_no_report_is_refused_with_the_reason(text: str, why: str):
    found = read_report(text, NOW)
    assert isinstance(found, NotAReport), found
    assert why in found.why
    assert found.why_zh


def test_the_month_is_the_one_that_fits(tmp_path: Path):
    eve = datetime(2026, 3, 1, 0, 5, tzinfo=UTC)
    assert metar("METAR ZGSZ 282300Z 04004MPS 9999 22/15 Q1018", eve).issued_at == eve - timedelta(minutes=65)


def test_a_taf_s_spans_are_read():
    report = metar(
        "TAF ZGSZ 010306Z 0106/0206 04004MPS 6000 FEW040 TX25/0107Z TN18/0122Z "
        "TEMPO 0108/0112 04008G15MPS 0800 +TSRA BKN010CB"
    )
    steady, storm = report.spans
    assert (steady.temporary, storm.temporary) == (False, True)
    assert storm.start == datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
    assert (storm.gust_m_s, storm.visibility_m, storm.hazards) == (15.0, 800.0, (Hazard.THUNDERSTORM,))


class At(Clock):
    """A clock that is set by hand."""

    def __init__(self, now: datetime) -> None:
        self.at = now

    def now(self) -> datetime:
        return self.at


def a_book(now: datetime = NOW) -> tuple[WeatherBook, Any]:
    clock: Any = At(now)
    site = a_site()
    return WeatherBook(lambda: site, clock, reading_stale_s=600.0, report_stale_s=4500.0), clock


def test_an_older_reading_that_comes_later_changes_nothing():
    book, _ = a_book()
    book.take_reading(STATION, Reading(measured_at=NOW, rain_rate_mm_h=3.0))
    book.take_reading(
        STATION, Reading(measured_at=NOW - timedelta(seconds=30), rain_rate_mm_h=0.0, visibility_m=900.0)
    )
    weather = book.at(STATION)
    assert weather.rain_rate_mm_h is not None
    assert weather.rain_rate_mm_h.value == 3.0
    # Of what the newer one did not measure, the older one is the newest.
    assert weather.visibility_m is not None
    assert weather.visibility_m.value == 900.0


def test_a_stale_reading_is_replaced_by_a_near_report_and_a_far_one_by_nothing():
    book, clock = a_book()
    near = metar(METAR)
    far = metar("METAR VHHH 010800Z 04004MPS 0500 FG 10/10 Q1018")
    book.take_report(far)
    book.take_reading(STATION, Reading(measured_at=NOW, visibility_m=900.0))
    assert book.at(STATION).visibility_m.value == 900.0  # type: ignore[union-attr]
    clock.at = NOW + timedelta(seconds=601)
    assert book.at(STATION).visibility_m is None
    distance_m = book.distance_m(STATION, near)
    assert distance_m is not None
    book.take_report(near)
    seen = book.at(STATION)
    nearby = distance_m <= 8000.0
    assert (seen.visibility_m is not None) == nearby
    assert seen.temperature_deg_c is not None
    assert seen.temperature_deg_c.source == f"ZGSZ ({distance_m / 1000:.0f} km)"
    clock.at = near.issued_at + timedelta(seconds=4501)
    assert book.at(STATION).temperature_deg_c is None


def test_a_report_never_stands_in_for_wind(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            (taken,) = await send_reports(w, METAR.replace("010800Z", f"{w.hub.clock.now():%d%H%M}Z"))
            assert taken["taken"], taken
            assert all(view.wind is None for view in w.hub.fleet.views({}))

    play(main())


def test_an_older_report_does_not_replace_a_newer_one():
    book, _ = a_book()
    assert book.take_report(metar(METAR))
    assert not book.take_report(metar(METAR.replace("010800Z", "010730Z").replace("22/15", "30/15")))
    assert [report.temperature_deg_c for report in book.reports()] == [22.0]
    # A correction of the same time counts.
    assert book.take_report(metar(METAR.replace("METAR", "METAR COR").replace("22/15", "12/05")))
    assert [report.temperature_deg_c for report in book.reports()] == [12.0]


async def post(w: World, station_id: str = STATION, **reading: Any) -> Any:
    body = {"measured_at": w.hub.clock.now().isoformat(), **reading}
    return await w.client.post(f"/v1/stations/{station_id}/weather", json=body)


async def send_reports(w: World, *texts: str) -> Any:
    answer = await w.client.post("/v1/weather/reports", json={"reports": list(texts)})
    assert answer.status_code == 200, answer.text
    return answer.json()["outcomes"]


@pytest.mark.parametrize(
    ("reading", "field"),
    [
        ({"rain_rate_mm_h": -0.1}, "rain_rate_mm_h"),
        ({"rain_rate_mm_h": 501.0}, "rain_rate_mm_h"),
        ({"visibility_m": -1.0}, "visibility_m"),
        ({"temperature_deg_c": -273.0}, "temperature_deg_c"),
        ({"temperature_deg_c": 295.0}, "temperature_deg_c"),
        ({"pressure_hpa": 101325.0}, "pressure_hpa"),
        ({"from_deg": 10.0}, "from_deg"),
        ({"speed_m_s": 10.0}, "from_deg"),
        ({"gust_m_s": 10.0}, "gust_m_s"),
        ({"from_deg": 10.0, "speed_m_s": 9.0, "gust_m_s": 8.0}, "gust_m_s"),
        ({}, "body"),
        ({"humidity": 0.5}, "humidity"),
        ({"temperature_deg_c": "20"}, "temperature_deg_c"),
        ({"temperature_deg_c": 20.0, "measured_at": "2026-03-01T08:00:00"}, "measured_at"),
        ({"temperature_deg_c": 20.0, "measured_at": "2026-03-01T09:00:00Z"}, "measured_at"),
        ({"temperature_deg_c": 20.0, "measured_at": "2025-12-01T09:00:00Z"}, "measured_at"),
    ],
)
def test_a_reading_that_cannot_be_is_refused_and_its_field_named(
    tmp_path: Path, reading: dict[str, Any], field: str
):
    async def main() -> None:
        async with world(tmp_path) as w:
            answer = await post(w, **reading)
            assert answer.status_code == 422, answer.text
            assert answer.json()["errors"][0]["field"] == field
            assert w.hub.weather.book.values(STATION) == {}

    play(main())


@pytest.mark.usefixtures("each_database")
def test_readings_and_reports_survive_a_restart_with_their_age(tmp_path: Path):
    async def before() -> None:
        async with world(tmp_path) as w:
            assert (await post(w, **FINE)).status_code == 204
            await w.hub.clock.sleep(5.0)
            assert (await post(w, temperature_deg_c=21.0)).status_code == 204
            early = (EPOCH - timedelta(minutes=3)).isoformat()
            assert (await post(w, temperature_deg_c=9.0, measured_at=early)).status_code == 204
            await send_reports(w, METAR, "TAF ZGSZ 010306Z 0106/0206 04004MPS 6000 FEW040")

    async def after() -> None:
        async with world(tmp_path, seed=2, epoch=EPOCH + timedelta(seconds=400)) as w:
            seen = (await w.client.get("/v1/weather")).json()
            station = next(item for item in seen["stations"] if item["station_id"] == STATION)
            assert station["readings"]["temperature_deg_c"]["value"] == 21.0
            assert station["readings"]["temperature_deg_c"]["age_s"] == pytest.approx(395.0, abs=1.0)
            assert station["readings"]["speed_m_s"]["usable"] is True
            assert [report["kind"] for report in seen["reports"]] == ["METAR", "TAF"]
            assert all(
                view.wind is not None for view in w.hub.fleet.views({}) if view.drone.station_id == STATION
            )
            await w.hub.clock.sleep(400.0)
            assert all(view.wind is None for view in w.hub.fleet.views({}))
            late = EPOCH + timedelta(days=31)
            kept = await w.hub.database.write(lambda s: store.forget_before(s, late))
            # Three readings and two reports.
            assert kept == 5

    play(before())
    play(after())


def test_each_text_has_its_own_outcome(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            good, bad, old = await send_reports(w, METAR, "rubbish", METAR.replace("010800Z", "010700Z"))
            assert (good["taken"], good["newest"], good["place"]) == (True, True, "ZGSZ")
            assert (bad["taken"], bad["refused"]["code"]) == (False, "report_refused")
            assert (old["taken"], old["newest"]) == (True, False)
            shown = (await w.client.get("/v1/weather")).json()
            assert [report["raw"] for report in shown["reports"]] == [METAR]

    play(main())


@pytest.mark.parametrize("scopes", [["fleet:read"], ["orders:write"], ["admin"]])
def test_only_sensors_and_feeds_report(tmp_path: Path, scopes: list[str]):
    async def main() -> None:
        async with world(tmp_path) as w:
            made = await w.client.post("/v1/keys", json={"client": "c", "name": "n", "scopes": scopes})
            key = {"X-API-Key": made.json()["secret"]}
            answer = await w.client.post("/v1/weather/reports", json={"reports": [METAR]}, headers=key)
            assert answer.status_code == (200 if scopes == ["admin"] else 403)
            seen = await w.client.get("/v1/weather", headers=key)
            assert seen.status_code == (403 if scopes == ["orders:write"] else 200)

    play(main())


async def decide(w: World, required: Sequence[Quantity] = tuple(Quantity)) -> Any:
    """A decision of the real planner on this hub's weather."""
    airspace = load_demo_airspace()
    planning = SitePlanning(
        a_site(),
        lambda: airspace,
        load_airframes(),
        w.hub.ids,
        w.hub.clock,
        weather_required=frozenset(required),
    )
    question = Question(patient=Wgs84Point(22.5706, 113.8945), severity="I", floor=1, at=w.hub.clock.now())
    return await asyncio.to_thread(planning.decide, question, w.hub.fleet.views({}), None)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, None),
        ({"rain_rate_mm_h": 4.1}, "rain_above_limit"),
        ({"visibility_m": 1400.0}, "visibility_below_limit"),
        ({"temperature_deg_c": -11.0}, "temperature_outside_limits"),
        ({"temperature_deg_c": 41.0}, "temperature_outside_limits"),
        ({"gust_m_s": 12.5}, "wind_above_limit"),
        ({"from_deg": None, "speed_m_s": None}, "wind_unknown"),
        ({"rain_rate_mm_h": None}, "rain_unknown"),
        ({"visibility_m": None}, "visibility_unknown"),
        ({"temperature_deg_c": None}, "temperature_unknown"),
    ],
)
def test_the_decision_checks_the_airframe_s_limits_and_refuses_what_is_not_known(
    tmp_path: Path, changes: dict[str, float | None], code: str | None
):
    async def main() -> None:
        async with world(tmp_path) as w:
            await w.hub.fleet.wait_until_settled(30.0)
            for station in a_site().stations:
                reading = {name: value for name, value in (FINE | changes).items() if value is not None}
                assert (await post(w, station.station_id, **reading)).status_code == 204
            answer = await decide(w)
            if code is None:
                assert answer.plan is not None, answer.reasons
                return
            assert answer.plan is None
            assert answer.refusals[code] == answer.candidates_total

    play(main())


def test_stale_weather_refuses_and_weather_that_is_not_required_is_not_asked_for(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            await w.hub.fleet.wait_until_settled(30.0)
            for station in a_site().stations:
                await post(w, station.station_id, **FINE)
            await w.hub.clock.sleep(601.0)
            stale = await decide(w)
            assert {"wind_unknown", "rain_unknown", "visibility_unknown"} <= set(stale.refusals)
            for station in a_site().stations:
                await post(w, station.station_id, from_deg=90.0, speed_m_s=2.0)
            assert (await decide(w)).plan is None
            assert (await decide(w, required=())).plan is not None

    play(main())


def test_a_thunderstorm_at_the_aerodrome_refuses_and_a_forecast_one_only_warns(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            await w.hub.fleet.wait_until_settled(30.0)
            for station in a_site().stations:
                await post(w, station.station_id, **FINE)
            await send_reports(
                w,
                "TAF ZGSZ 010306Z 0106/0206 04004MPS 9999 FEW040 TEMPO 0107/0112 04008G15MPS 0800 +TSRA BKN010CB",
            )
            warned = await decide(w)
            assert warned.plan is not None
            codes = {reason.code for reason in warned.warnings}
            assert codes == {"forecast_wind", "forecast_visibility", "forecast_rain", "forecast_hazard"}
            await send_reports(w, "METAR ZGSZ 010800Z 04004MPS 9999 TS FEW033CB 22/15 Q1018")
            refused = await decide(w)
            assert refused.refusals.get("hazardous_weather", 0) > 0
            view = (await w.client.get("/v1/weather")).json()["stations"][0]
            assert "hazardous_weather" in {reason["code"] for reason in view["against"]["hex10"]}

    play(main())
