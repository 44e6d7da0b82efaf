"""What operators' screens share: ambulances with their age, alarms that somebody has seen, figures by role."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub_api.access.scopes import Role
from tests.unit.hub_api.test_access import a_key, an_account, bearer, log_in
from tests.unit.hub_api.world import EPOCH, World, play, world

pytestmark = pytest.mark.usefixtures("each_database")

WHERE = {"reference_system": "GCJ-02", "latitude_deg": 22.5700, "longitude_deg": 113.8990}


def at(seconds: float) -> str:
    return (EPOCH + timedelta(seconds=seconds)).isoformat()


async def tell(w: World, incident_id: str, seconds: float, **changes: Any) -> httpx.Response:
    body = {"position": WHERE, "at": at(seconds), **changes}
    return await w.client.post(f"/v1/incidents/{incident_id}/ambulance", json=body)


async def entered(w: World, name: str) -> dict[str, str]:
    return bearer((await log_in(w, name)).json()["access_token"])


async def shown(w: World) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await w.client.get("/v1/ambulances")).json()["ambulances"]
    return found


def test_the_ambulance_is_where_it_was_told_last_and_grows_old(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            incident_id = (await w.order(ambulance_eta_at=at(600.0))).json()["incident_id"]
            assert await shown(w) == []
            told = await tell(w, incident_id, 0.0, unit="BA-07")
            assert told.status_code == 200, told.text
            (view,) = await shown(w)
            assert view["unit"] == "BA-07"
            # Half a kilometre off if the reference system were not named.
            offset_deg = view["position"]["wgs84_longitude_deg"] - WHERE["longitude_deg"]  # type: ignore[operator]
            assert -0.006 < offset_deg < -0.004
            assert view["eta_at"] is not None, "the incident's own, where none was told with the place"
            assert not view["stale"]
            await w.hub.clock.sleep(31.0)
            (view,) = await shown(w)
            assert view["stale"]
            assert view["age_s"] > 30.0
            late = await tell(w, incident_id, -5.0, unit="BA-08")
            assert late.json()["unit"] == "BA-07", "what comes late takes nothing back"
            future = await tell(w, incident_id, 600.0)
            assert (future.status_code, future.json()["errors"][0]["field"]) == (422, "at")
            newer = await tell(w, incident_id, 30.0, eta_at=at(300.0))
            assert newer.json()["eta_at"].startswith(at(300.0)[:19])
            assert not newer.json()["stale"]

    play(main())


def test_a_place_without_its_reference_system_or_of_a_closed_incident_is_refused(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            order = (await w.order()).json()
            incident_id = order["incident_id"]
            bare = {"latitude_deg": 22.57, "longitude_deg": 113.9}
            assert (await tell(w, incident_id, 0.0, position=bare)).status_code == 422
            assert (await tell(w, "inc_unknown", 0.0)).status_code == 404
            other = {"X-API-Key": (await a_key(w, "orders:write", "orders:read", client="other"))[1]}
            elsewhere = await w.client.post(
                f"/v1/incidents/{incident_id}/ambulance",
                json={"position": WHERE, "at": at(0.0)},
                headers=other,
            )
            assert elsewhere.status_code == 404
            await tell(w, incident_id, 0.0)
            assert (await w.client.get("/v1/ambulances", headers=other)).json() == {"ambulances": []}
            await w.until(order["order_id"], "CLOSED")
            await w.hub.clock.sleep(1.0)
            assert await shown(w) == [], "its incident is closed"
            assert (await tell(w, incident_id, 1.0)).status_code == 409

    play(main())


def test_an_alarm_is_acknowledged_once_for_every_screen(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            order_id = (await w.order()).json()["order_id"]
            await w.until(order_id, "AIRBORNE")
            event = (await w.events(order_id))[-1]
            await an_account(w, "li.na", Role.OPERATOR)
            await an_account(w, "wang.wei", Role.OPERATOR)
            await an_account(w, "looker", Role.VIEWER)
            first, second, viewer = [await entered(w, name) for name in ("li.na", "wang.wei", "looker")]
            body = {"event_ids": [event["event_id"], "999999"]}
            said = await w.client.post("/v1/alarms/acknowledge", json=body, headers=first)
            assert said.status_code == 200, said.text
            (seen,) = said.json()["acknowledged"]
            assert (seen["event_id"], seen["by"]) == (event["event_id"], "li.na")
            again = (await w.client.post("/v1/alarms/acknowledge", json=body, headers=second)).json()
            assert again["acknowledged"] == [seen], "the first one counts"
            refused = await w.client.post("/v1/alarms/acknowledge", json=body, headers=viewer)
            assert refused.status_code == 403
            told = [e for e in await w.events(order_id) if e["kind"] == "alarm_acknowledged"]
            (stored,) = told
            assert stored["data"]["event_id"] == event["event_id"]
            assert stored["state"] is not None, "a screen must not take it for an answered question"
            own = {"event_ids": [stored["event_id"]]}
            nothing = await w.client.post("/v1/alarms/acknowledge", json=own, headers=first)
            assert nothing.json() == {"acknowledged": []}

    play(main())


def test_a_screen_just_opened_is_told_what_nobody_acknowledged(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            order = (await w.order(mode="approve")).json()
            order_id, flight_id = order["order_id"], order["decision"]["flight_id"]
            await an_account(w, "li.na", Role.OPERATOR)
            operator = await entered(w, "li.na")
            asked = {"kind": ["decision_proposed", "flight_ended"]}

            async def told() -> list[dict[str, Any]]:
                answer = await w.client.get("/v1/alarms", params=asked, headers=operator)
                assert answer.status_code == 200, answer.text
                found: list[dict[str, Any]] = answer.json()["events"]
                return found

            (proposed,) = await told()
            assert (proposed["kind"], proposed["order_id"]) == ("decision_proposed", order_id)
            assert proposed["incident_id"] == order["incident_id"]
            other = {"X-API-Key": (await a_key(w, "orders:read", client="other"))[1]}
            elsewhere = await w.client.get("/v1/alarms", params=asked, headers=other)
            assert elsewhere.json() == {"events": []}, "of another centre"
            assert (await w.client.get("/v1/alarms", headers=operator)).status_code == 422, "no kinds"
            seen = {"event_ids": [proposed["event_id"]]}
            await w.client.post("/v1/alarms/acknowledge", json=seen, headers=operator)
            assert await told() == [], "somebody has seen it"
            await w.client.post(
                f"/v1/orders/{order_id}/approve", json={"flight_id": flight_id}, headers=operator
            )
            await w.until(order_id, "CLOSED")
            assert await told() == [], "an order that is over alarms nobody"

    play(main())


def test_an_administrator_reads_figures_of_all_centres_and_no_order(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            order_id = (await w.order()).json()["order_id"]
            await w.until(order_id, "CLOSED")
            await an_account(w, "root", Role.ADMINISTRATOR)
            who = await entered(w, "root")
            share = await w.client.get("/v1/reports/take-off-share", headers=who)
            assert share.json()["total"]["took_off"] == 1
            assert (await w.client.get("/v1/reports/response-times", headers=who)).status_code == 200
            assert (await w.client.get("/v1/zones", headers=who)).status_code == 200
            assert (await w.client.get(f"/v1/orders/{order_id}", headers=who)).status_code == 403
            other = {"X-API-Key": (await a_key(w, "orders:read", client="other"))[1]}
            theirs = (await w.client.get("/v1/reports/take-off-share", headers=other)).json()
            assert theirs["total"]["orders"] == 0

    play(main())
