"""Who may see an incident, who is told of it, and how personal data is kept and erased."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from hub_api.access.scopes import Role
from tests.unit.hub_api.incident_words import FULL, NOTES, SECRETS, at, incident, report
from tests.unit.hub_api.test_access import a_key, an_account, bearer, log_in
from tests.unit.hub_api.world import PATIENT, play, world

pytestmark = pytest.mark.usefixtures("each_database")


def test_another_client_s_incident_is_not_there(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            incident_id = (await report(w)).json()["incident_id"]
            _, secret = await a_key(w, "orders:write", "orders:read", "personal:read", client="other")
            foreign = {"X-API-Key": secret, "Idempotency-Key": "k"}
            url = f"/v1/incidents/{incident_id}"
            observation = {"at": at(0), "source": "crew"}
            party = {"kind": "police", "state": "alerted", "at": at(0)}
            for method, path, body in (
                ("GET", "", None),
                ("GET", "/hand-over", None),
                ("GET", "/events", None),
                ("GET", "/exchanges", None),
                ("PATCH", "", {"floor": 1}),
                ("POST", "/orders", {}),
                ("POST", "/stages", {"stage": "call", "at": at(0)}),
                ("POST", "/escalate", {"level": "volunteers", "reason": "r"}),
                ("POST", "/observations", observation),
                ("PUT", "/parties/p", party),
                ("POST", "/close", {"outcome": "other"}),
            ):
                answer = await w.client.request(method, url + path, json=body, headers=foreign)
                assert answer.status_code == 404, (method, path, answer.text)
            assert (await w.client.get("/v1/incidents", headers=foreign)).json()["incidents"] == []
            named = await w.client.post(
                "/v1/orders",
                json={"position": PATIENT, "severity": "I", "incident_id": incident_id},
                headers=foreign,
            )
            assert (named.status_code, named.json()["errors"][0]["field"]) == (404, "incident_id")

    play(main())


def test_the_police_s_own_system_hears_of_the_incident(tmp_path: Path):
    """Source: A19."""

    async def main() -> None:
        async with world(tmp_path) as w:
            centre, police = "https://centre.example/cb", "https://police.example/cb"
            incident_id = (await report(w, callback_url=centre)).json()["incident_id"]
            url = f"/v1/incidents/{incident_id}"
            party = {"kind": "police", "role": "traffic", "state": "alerted", "at": at(1)}
            await w.client.put(f"{url}/parties/p-9", json=party | {"callback_url": police})
            order = await w.client.post(f"{url}/orders", json={}, headers={"Idempotency-Key": "o"})
            await w.until(order.json()["order_id"], "CLOSED")
            await w.hub.clock.sleep(10.0)
            told: dict[str, list[str]] = {centre: [], police: []}
            for request in w.callbacks:
                assert request.headers["webhook-signature"]
                told[str(request.url)].append(json.loads(request.content)["kind"])
            assert told[centre][0] == "incident_received"
            assert told[police][0] == "party_reported"
            for kind in ("decision_accepted", "aed_on_ground", "flight_ended"):
                assert kind in told[police]
            assert told[centre][-len(told[police]) :] == told[police]
            exchanged = (await w.client.get(f"{url}/exchanges")).json()["exchanges"]
            out = [item for item in exchanged if item["direction"] == "out"]
            assert {item["partner"] for item in out} == {"centre.example", "police.example"}
            assert all(item["state"] == "taken" for item in out)

    play(main())


def test_a_dead_address_does_not_hold_up_the_other_and_is_listed(tmp_path: Path):
    async def main() -> None:
        centre, police = "https://centre.example/cb", "https://police.example/cb"

        def answer(request: httpx.Request) -> httpx.Response:
            return httpx.Response(500 if request.url.host == "police.example" else 204)

        async with world(tmp_path, answer_callback=answer, callback_attempts=2) as w:
            incident_id = (await report(w, callback_url=centre)).json()["incident_id"]
            url = f"/v1/incidents/{incident_id}"
            party = {"kind": "police", "state": "alerted", "at": at(1), "callback_url": police}
            await w.client.put(f"{url}/parties/p-9", json=party)
            await w.client.patch(url, json={"floor": 2})
            await w.hub.clock.sleep(30.0)
            assert sum(1 for r in w.callbacks if r.url.host == "centre.example") == 3
            letters = (await w.client.get("/v1/webhooks/dead-letters")).json()["dead_letters"]
            assert {letter["incident_id"] for letter in letters} == {incident_id}
            assert {letter["order_id"] for letter in letters} == {None}

    play(main())


def test_incidents_are_streamed_to_their_own_client(tmp_path: Path):
    async def main() -> None:
        from hub_api.access.principal import Principal
        from hub_api.features.streams.messages import EventFilter, Topic
        from hub_api.store.repositories import events

        async with world(tmp_path) as w:
            incident_id = (await report(w)).json()["incident_id"]
            found = await w.hub.database.read(lambda s: events.of_incident(s, incident_id, limit=9))
            for client, seen in (("demo", True), ("other", False)):
                who = Principal("key", client, frozenset({"orders:read"}))
                chosen = EventFilter(w.hub, who, frozenset({Topic.INCIDENTS}))
                assert [await chosen.shows(event) for event in found] == [seen] * len(found)

    play(main())


def test_nothing_personal_is_stored_told_or_logged_in_plain_words(tmp_path: Path):
    """Source: G6."""

    async def main() -> None:
        async with world(tmp_path) as w:
            incident_id = (await report(w, **FULL, callback_url="https://centre.example/cb")).json()[
                "incident_id"
            ]
            url = f"/v1/incidents/{incident_id}"
            party = {"kind": "volunteer", "state": "treating", "at": at(5)}
            await w.client.put(f"{url}/parties/v", json=party | {"name": "王志愿者", "phone": "13700000001"})
            order = await w.client.post(f"{url}/orders", json={}, headers={"Idempotency-Key": "o"})
            await w.until(order.json()["order_id"], "CLOSED")
            closing = {"outcome": "handed_over", "utstein": {"first_monitored_rhythm": "pea"}}
            await w.client.post(f"{url}/close", json=closing)
            await w.hub.clock.sleep(5.0)
            assert w.callbacks
            for request in w.callbacks:
                assert all(secret not in request.content.decode() for secret in SECRETS)

    play(main())
    for path in tmp_path.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        for secret in SECRETS:
            assert secret.encode() not in content, path
            assert json.dumps(secret)[1:-1].encode() not in content, path


def test_personal_data_is_masked_by_role_and_erased_in_time(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            incident_id = (
                await report(w, **FULL, patient={"at": at(0), "source": "caller", "note": NOTES})
            ).json()["incident_id"]
            url = f"/v1/incidents/{incident_id}"
            party = {"kind": "volunteer", "state": "arrived", "at": at(5), "name": "王志愿者"}
            await w.client.put(f"{url}/parties/v", json=party)
            await an_account(w, "operator", Role.OPERATOR)
            header = bearer((await log_in(w, "operator")).json()["access_token"])
            for path in ("", "/hand-over", "/events", "/exchanges"):
                answer = await w.client.get(url + path, headers=header)
                assert answer.status_code == 200, answer.text
                text = answer.text
                assert all(secret not in text for secret in SECRETS), path
            masked = await incident(w, incident_id, **header)
            assert masked["personal_data"] == "masked"
            assert masked["patient"][0]["values"] is None
            await w.client.post(f"{url}/close", json={"outcome": "other"})
            now = w.hub.clock.now()
            kept = await w.hub.personal.erase_finished_before(
                w.hub.database, now - timedelta(days=1), now=now
            )
            assert kept == 0
            gone = await w.hub.personal.erase_finished_before(
                w.hub.database, now + timedelta(days=1), now=now
            )
            # The incident, and the room, its end and the two short messages about it.
            assert gone == 1 + 4
            erased = await incident(w, incident_id)
            assert (erased["personal_data"], erased["caller"]) == ("erased", None)
            assert erased["patient"][0]["personal_data"] == "erased"
            (volunteer,) = [p for p in erased["parties"] if p["kind"] == "volunteer"]
            assert volunteer["name"] is None
            entries = (await w.client.get("/v1/audit", params={"subject": incident_id})).json()["entries"]
            assert entries[0]["action"] == "personal_data_erased"

    play(main())


def test_what_comes_in_after_an_erasure_is_erased_in_its_time_too(tmp_path: Path):
    """Nobody closed the incident, its time was over, and then somebody reports to it again."""

    async def main() -> None:
        async with world(tmp_path) as w:
            incident_id = (await report(w, **FULL)).json()["incident_id"]
            url = f"/v1/incidents/{incident_id}"

            async def erase() -> int:
                later = w.hub.clock.now() + timedelta(days=1)
                return await w.hub.personal.erase_finished_before(w.hub.database, later, now=later)

            assert await erase() >= 1
            party = {"kind": "volunteer", "state": "arrived", "at": at(5), "name": "王志愿者"}
            await w.client.put(f"{url}/parties/v", json=party)
            assert "王志愿者" in (await w.client.get(url)).text
            assert await erase() == 1
            assert "王志愿者" not in (await w.client.get(url)).text

    play(main())
