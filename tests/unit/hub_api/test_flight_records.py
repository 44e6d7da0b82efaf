"""Looking back at flights: lists, plans, tracks, events, files, and the report that people read. Source: G5, H2."""

from __future__ import annotations

import io
import math
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from core.geodesy import Wgs84Point
from flight import messages as m
from flight.model.phases import Phase
from flight.record import FlightRecord
from hub_api.access.scopes import Scope
from hub_api.dispatch.planning import PLAN
from hub_api.security import create_api_key
from hub_api.store.records import NewEvent
from hub_api.store.repositories import events, missions
from tests.unit.hub_api.played_drone import Script
from tests.unit.hub_api.test_live_airspace import feed, put
from tests.unit.hub_api.world import World, play, world

pytestmark = pytest.mark.usefixtures("each_database")


async def delivered(w: World, key: str = "k1") -> dict[str, Any]:
    """One order flown to its end; its flight."""
    order_id = (await w.order(key)).json()["order_id"]
    (flight,) = (await w.until(order_id, "CLOSED", "DELIVERY_LOST", "FAILED", "RETURNED"))["flights"]
    found: dict[str, Any] = flight | {"order_id": order_id}
    return found


async def record(w: World, flight_id: str, *, finish: bool = True) -> FlightRecord:
    """What an agent of this process would have written about the flight."""
    mission = await w.hub.database.read(lambda s: missions.find_by_flight(s, flight_id))
    assert mission is not None
    began = w.hub.clock.now()
    command = m.FlyMission(
        command_id=mission.command_id,
        drone_id=mission.drone_id,
        flight_id=flight_id,
        order_id=mission.order_id,
        plan=PLAN.validate_python(mission.plan),
        issued_at=began,
    )
    written = FlightRecord(w.hub.settings.records_dir, command)
    for number in range(240):
        second = number * 0.25
        phase = Phase.CLIMBING if second < 10 else Phase.OUTBOUND if second < 50 else Phase.HOVERING
        written.sample(sample(mission.drone_id, flight_id, began, second, phase))
    written.frame(b"\xfd\x00frame", began)
    if finish:
        written.finish()
    return written


def sample(drone_id: str, flight_id: str, began: datetime, second: float, phase: Phase) -> m.TelemetrySample:
    return m.TelemetrySample(
        drone_id=drone_id,
        flight_id=flight_id,
        at=began + timedelta(seconds=second),
        phase=phase,
        position=Wgs84Point(22.555 + second * 1e-4, 113.884),
        altitude_amsl_m=6.0 + min(80.0, second * 6.0),
        height_above_home_m=min(80.0, second * 6.0),
        velocity_east_m_s=3.0,
        velocity_north_m_s=4.0,
        velocity_up_m_s=0.0,
        heading_deg=10.0,
        charge_fraction=1.0 - second / 600.0,
        battery_voltage_v=50.0,
        battery_current_a=20.0,
        mode="AUTO",
        armed=True,
        mission_seq=3,
        line_length_m=0.0,
        wind_from_deg=90.0,
        wind_speed_m_s=2.0,
        link_age_s=0.1 + 0.1 * math.sin(second),
        eta_s=90.0 - second,
    )


def test_flights_are_listed_newest_first_page_by_page_and_by_what_came_of_them(tmp_path: Path):
    async def main() -> None:
        turning = {f"bao-0{n}": Script(turns_back=True) for n in (2, 3, 4)}
        async with world(tmp_path, scripts=turning) as w:
            first = await delivered(w)
            second = (await w.order("k2")).json()
            await w.hub.clock.sleep(400.0)
            third = (await w.order("k3")).json()
            shown = (await w.client.get("/v1/flights")).json()
            ids = [flight["flight_id"] for flight in shown["flights"]]
            assert ids == sorted(ids, reverse=True)
            assert shown["next_before"] is None
            assert first["flight_id"] == ids[-1]
            paged: list[str] = []
            before: dict[str, str] = {}
            while True:
                page = (await w.client.get("/v1/flights", params={"limit": 2, **before})).json()
                paged += [flight["flight_id"] for flight in page["flights"]]
                if page["next_before"] is None:
                    break
                before = {"before": page["next_before"]}
            assert paged == ids

            async def wanted(**query: str) -> set[str]:
                found = (await w.client.get("/v1/flights", params=query)).json()["flights"]
                return {flight["order_id"] for flight in found}

            open_now = {third["order_id"]}
            assert await wanted(outcome="open") == open_now
            done = await wanted(outcome="delivered")
            assert first["order_id"] in done
            assert not done & open_now
            assert await wanted(order_id=second["order_id"]) == {second["order_id"]}
            assert await wanted(drone_id="bao-01", outcome="not_delivered") == set()
            assert await wanted(drone_id="nobody") == set()
            drill = (await w.order("k4", mode="drill")).json()
            assert await wanted(drill="true") == {drill["order_id"]}
            assert drill["order_id"] not in await wanted(drill="false")
            assert len(await wanted(drill="false")) == 3
            late = third["received_at"]
            assert await wanted(since=late, drill="false") == open_now
            assert await wanted(until=late) == (await wanted(drill="false")) - open_now
            line = shown["flights"][-1]
            assert (line["outcome"], line["severity"]) == ("delivered", "I")
            assert line["air_s"] > 10.0
            for query in ({"outcome": "x"}, {"since": "2026-03-01"}, {"limit": "0"}, {"before": "ord_1"}):
                assert (await w.client.get("/v1/flights", params=query)).status_code == 422

    play(main())


def test_a_flight_shows_its_plan_with_the_zones_around(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            flight = await delivered(w)
            url = f"/v1/flights/{flight['flight_id']}"
            shown = (await w.client.get(url)).json()
            assert shown["planned"]["time_to_aed_on_ground_s"] == 94.0
            assert shown["planned"]["route_m"] == 600.0
            plan = (await w.client.get(f"{url}/plan")).json()
            kinds = [feature["properties"]["kind"] for feature in plan["features"]]
            assert kinds == ["outbound", "inbound", "autopilot_fence", "home", "delivery"]
            heights = [point[2] for point in plan["features"][0]["geometry"]["coordinates"]]
            assert heights == [6.0, 86.0, 86.0, 21.0]
            assert (plan["plan_number"], plan["plan_count"]) == (1, 1)
            assert [zone["id"] for zone in plan["zones"]] == ["Z1"]
            assert plan["zones_as_planned"] is True
            # Zones change afterwards: what is shown is today's, and says so. A zone far away is not shown.
            await put(w, feed("P1"))
            await put(w, feed("FAR", at=[114.5, 22.9]), name="far")
            plan = (await w.client.get(f"{url}/plan")).json()
            assert {zone["id"] for zone in plan["zones"]} == {"Z1", "P1"}
            assert plan["zones_as_planned"] is False
            assert plan["zones_version"] == w.hub.airspace.version
            assert (await w.client.get(f"{url}/plan", params={"number": 2})).status_code == 404

    play(main())


def test_a_track_is_a_time_series_as_dense_as_wanted(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            flight_id = (await delivered(w))["flight_id"]
            url = f"/v1/flights/{flight_id}/track"
            absent = await w.client.get(url)
            assert absent.status_code == 404
            assert "not on this hub" in absent.json()["detail"]
            assert "本机没有" in absent.json()["detail_zh"]
            await record(w, flight_id)
            whole = (await w.client.get(url, params={"every_s": 0})).json()
            assert (len(whole["t_s"]), whole["samples_recorded"]) == (240, 240)
            assert whole["complete"] is True
            lengths = {
                len(series) for name, series in whole.items() if isinstance(series, list) and name != "phases"
            }
            assert lengths == {240}
            assert whole["t_s"][:3] == [0.0, 0.25, 0.5]
            assert set(whole["ground_speed_m_s"]) == {5.0}
            assert whole["summary"]["highest_m"] == 80.0
            thin = (await w.client.get(url, params={"every_s": 5})).json()
            assert len(thin["t_s"]) == 13
            assert [mark["phase"] for mark in thin["phases"]] == ["climbing", "outbound", "hovering"]
            assert thin["summary"] == whole["summary"]
            assert (await w.client.get(url, params={"every_s": -1})).status_code == 422

    play(main())


def test_events_of_a_flight_come_page_by_page(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            flight = await delivered(w)
            url = f"/v1/flights/{flight['flight_id']}/events"
            everything = (await w.client.get(url)).json()["events"]
            assert {event["flight_id"] for event in everything} == {flight["flight_id"]}
            kinds = [event["kind"] for event in everything]
            assert "aed_on_ground" in kinds
            assert kinds[-1] == "flight_ended"
            paged: list[Any] = []
            after = "0"
            while after is not None:
                page = (await w.client.get(url, params={"limit": 3, "after": after})).json()
                paged += page["events"]
                after = page["next_after"]
            assert paged == everything

    play(main())


def test_files_are_given_out_when_they_are_there_and_no_others(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            flight_id = (await delivered(w))["flight_id"]
            url = f"/v1/flights/{flight_id}"
            shown = (await w.client.get(url)).json()["record"]
            assert shown["status"] == "not_here"
            assert [file["name"] for file in shown["files"]] == ["report.pdf"]
            assert (await w.client.get(f"{url}/files/tlog")).status_code == 404
            open_record = await record(w, flight_id, finish=False)
            assert (await w.client.get(url)).json()["record"]["status"] == "recording"
            waiting = await w.client.get(f"{url}/files/kml")
            assert waiting.status_code == 404
            assert "still being recorded" in waiting.json()["detail"]
            open_record.finish()
            shown = (await w.client.get(url)).json()["record"]
            assert shown["status"] == "complete"
            assert {file["name"] for file in shown["files"]} == {"tlog", "kml", "report.pdf"}
            for file in shown["files"]:
                answer = await w.client.get(file["url"])
                assert answer.status_code == 200, file
                assert flight_id in answer.headers["content-disposition"]
                if file["size_bytes"] is not None:
                    assert len(answer.content) == file["size_bytes"]
            tlog = await w.client.get(f"{url}/files/tlog")
            assert tlog.content.endswith(b"\xfd\x00frame")
            kml = (await w.client.get(f"{url}/files/kml")).text
            assert "<coordinates>113.8840000,22.5550000" in kml
            (w.hub.settings.data_dir / "secret").write_text("x")
            for path in (
                "plan.json",
                "../../secret",
                "..%2F..%2Fsecret",
                "%2e%2e/secret",
                "tlog/../plan.json",
            ):
                assert (await w.client.get(f"{url}/files/{path}")).status_code in (404, 422), path
            for other in ("flt_none", "..", "flt_01KJM6JM008GQ741755PS246JR"):
                assert (await w.client.get(f"/v1/flights/{other}/files/tlog")).status_code in (404, 422)

    play(main())


def test_the_report_tells_the_flight_in_both_languages(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            flight = await delivered(w)
            await record(w, flight["flight_id"])
            answer = await w.client.get(f"/v1/flights/{flight['flight_id']}/files/report.pdf")
            assert answer.headers["content-type"] == "application/pdf"
            reader = PdfReader(io.BytesIO(answer.content))
            text = "".join(page.extract_text() for page in reader.pages).replace("\n", "")
            for said in (
                "AED 无人机投送飞行报告",
                "AED 已送达地面",
                "The AED was delivered",
                flight["flight_id"],
                flight["order_id"],
                "宝安中心站点",
                "Bao'an Centre station",
                "flight_ended",
                "80.0 m",
                "5.0 m/s",
            ):
                assert said in text, (said, text[:1500])
            fonts = {
                str(font.get_object()["/BaseFont"])
                for page in reader.pages
                for font in page["/Resources"]["/Font"].values()  # type: ignore[index]
            }
            assert "/STSong-Light" in fonts
            # The same flight without its record: said, not hidden.
            other = await delivered(w, "k2")
            answer = await w.client.get(f"/v1/flights/{other['flight_id']}/files/report.pdf")
            text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages)
            assert "本机没有该次飞行的机载记录" in text.replace("\n", "")

    play(main())


def test_an_event_longer_than_a_page_does_not_cost_the_report(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            flight = await delivered(w)
            event = NewEvent(
                message_id="evt_long",
                at=w.hub.clock.now(),
                stored_at=w.hub.clock.now(),
                kind="operator_command",
                flight_id=flight["flight_id"],
                detail="word " * 4000 + "the end",
                detail_zh="字" * 4000,
            )
            await w.hub.database.write(lambda s: events.append(s, event))
            answer = await w.client.get(f"/v1/flights/{flight['flight_id']}/files/report.pdf")
            assert answer.status_code == 200, answer.text
            text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages)
            assert "the end" in text.replace("\n", " ")

    play(main())


def test_a_kill_while_a_plan_is_written_leaves_the_flight_readable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    class Killed(BaseException):
        pass

    write_bytes = Path.write_bytes

    def torn(path: Path, data: bytes) -> int:
        write_bytes(path, data[: len(data) // 2])
        raise Killed

    async def main() -> None:
        async with world(tmp_path) as w:
            flight = await delivered(w)
            written = await record(w, flight["flight_id"], finish=False)
            mission = await w.hub.database.read(lambda s: missions.find_by_flight(s, flight["flight_id"]))
            assert mission is not None
            monkeypatch.setattr(Path, "write_bytes", torn)
            with pytest.raises(Killed):
                written.rerouted(PLAN.validate_python(mission.plan))
            monkeypatch.undo()
            written.finish()
            answer = await w.client.get(f"/v1/flights/{flight['flight_id']}/plan")
            assert answer.status_code == 200, answer.text
            assert answer.json()["plan_count"] == 1

    play(main())


def test_a_font_that_is_none_is_an_error_that_leaks_nothing(tmp_path: Path):
    async def main() -> None:
        nofont = tmp_path / "font.ttf"
        nofont.write_text("no font")
        async with world(tmp_path, report_font_file=nofont) as w:
            flight = await delivered(w)
            answer = await w.client.get(f"/v1/flights/{flight['flight_id']}/files/report.pdf")
            assert answer.status_code == 500
            assert "font" not in answer.text

    play(main())


def test_another_client_s_flights_are_not_there(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            flight = await delivered(w)
            url = f"/v1/flights/{flight['flight_id']}"

            async def answers(client: str, *scopes: Scope) -> tuple[int, int]:
                secret, _ = await create_api_key(
                    w.hub.database, w.hub.ids, w.hub.clock, client=client, name="k", scopes=frozenset(scopes)
                )
                headers = {"X-API-Key": secret}
                listed = await w.client.get("/v1/flights", headers=headers)
                if listed.status_code != 200:
                    return listed.status_code, (await w.client.get(url, headers=headers)).status_code
                one = await w.client.get(url, headers=headers)
                return len(listed.json()["flights"]), one.status_code

            assert await answers("other-centre", Scope.FLEET_READ) == (0, 404)
            assert await answers("demo", Scope.FLEET_READ) == (1, 200)
            assert await answers("technicians", Scope.FLEET_READ, Scope.FLEET_MAINTAIN) == (1, 200)
            assert await answers("police", Scope.FLEET_READ, Scope.ORDERS_READ_ALL) == (1, 200)
            assert await answers("demo", Scope.ORDERS_READ) == (403, 403)

    play(main())
