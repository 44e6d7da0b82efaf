"""An incident as its centre works with it, over HTTP. Source: A1–A19, B1, B4, G5."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.unit.hub_api.incident_words import (
    ADDRESS,
    CALLER,
    FULL,
    NOTES,
    at,
    incident,
    kinds,
    report,
    stage_times,
)
from tests.unit.hub_api.test_access import a_key
from tests.unit.hub_api.world import EPOCH, PATIENT, play, world

pytestmark = pytest.mark.usefixtures("each_database")


def test_an_incident_is_stored_once_for_each_key(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            first, again = await report(w), await report(w)
            assert (first.status_code, again.status_code) == (201, 200)
            assert again.headers["Idempotent-Replay"] == "true"
            assert again.json()["incident_id"] == first.json()["incident_id"]
            other = await report(w, severity="II")
            assert (other.status_code, other.json()["code"]) == (409, 4003)
            listed = (await w.client.get("/v1/incidents")).json()["incidents"]
            assert [item["incident_id"] for item in listed] == [first.json()["incident_id"]]

    play(main())


def test_a_position_without_its_reference_system_is_refused(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            bare = {"latitude_deg": 22.56, "longitude_deg": 113.89}
            answer = await report(w, position=bare)
            assert answer.status_code == 422
            assert answer.json()["code"] == 3002
            assert answer.json()["errors"][0]["field"] == "position.reference_system"

    play(main())


def test_one_incident_shows_demand_centre_ambulance_volunteers_and_aed(tmp_path: Path):
    """Source: A2, A4, A12."""

    async def main() -> None:
        async with world(tmp_path) as w:
            ambulance = {"unit": "BA-07", "dispatched_at": at(-20), "eta_at": at(500)}
            made = (await report(w, **(FULL | {"ambulance": ambulance, "called_at": at(-60)}))).json()
            incident_id = made["incident_id"]
            party = {"kind": "volunteer", "role": "cpr", "state": "en_route", "at": at(1), "eta_at": at(90)}
            answer = await w.client.put(f"/v1/incidents/{incident_id}/parties/v-1", json=party)
            assert answer.status_code == 200, answer.text
            order = await w.client.post(
                f"/v1/incidents/{incident_id}/orders", json={}, headers={"Idempotency-Key": "o1"}
            )
            assert order.status_code == 201, order.text
            assert order.json()["incident_id"] == incident_id
            assert (order.json()["floor"], order.json()["caller"]) == (3, CALLER)
            await w.until(order.json()["order_id"], "AIRBORNE")
            seen = await incident(w, incident_id)
            by_kind = {party["kind"]: party for party in seen["parties"]}
            assert set(by_kind) == {"caller", "centre", "ambulance", "volunteer", "drone_aed"}
            assert by_kind["drone_aed"]["state"] == "airborne"
            assert by_kind["ambulance"]["eta_at"] is not None
            assert by_kind["volunteer"]["role"] == "cpr"
            assert seen["escalation"] == "drone_aed"
            # The ambulance's dispatch is the first one: it is no drone that dispatches.
            assert stage_times(seen)["dispatched"] is not None
            assert [s["source"] for s in seen["stages"] if s["stage"] == "dispatched"] == [
                "ambulance_dispatched"
            ]

    play(main())


def test_nothing_that_is_not_there_is_shown_as_a_party(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            made = (await report(w)).json()
            assert [party["kind"] for party in made["parties"]] == ["centre"]
            assert made["ambulance"] is None

    play(main())


def test_an_order_makes_its_incident_and_closes_it(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            order = (await w.order(notes=NOTES, caller=CALLER, called_at=at(-30))).json()
            seen = await incident(w, order["incident_id"])
            assert (seen["state"], seen["source"], seen["caller"]) == ("OPEN", "order", CALLER)
            times = stage_times(seen)
            assert datetime.fromisoformat(times["call"] or "") == EPOCH - timedelta(seconds=30)
            assert times["dispatched"] is not None
            assert times["rescued"] is None
            await w.until(order["order_id"], "CLOSED")
            closed = await incident(w, order["incident_id"])
            assert (closed["state"], closed["outcome"]) == ("CLOSED", "orders_finished")
            # Nobody reported an outcome: the sixth stage is not reached by itself.
            assert stage_times(closed)["feedback"] is None
            assert closed["gaps"]["call_to_aed_on_ground_s"] > 0

    play(main())


def test_an_order_joins_the_open_incident_with_its_reference(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            made = (await report(w)).json()
            order = (await w.order(incident_reference="BA-1")).json()
            assert order["incident_id"] == made["incident_id"]
            other = (await w.order("k2", incident_reference="BA-2")).json()
            assert other["incident_id"] != made["incident_id"]
            await w.until(order["order_id"], "CLOSED")
            # Somebody works with it: it does not close by itself.
            assert (await incident(w, made["incident_id"]))["state"] == "OPEN"

    play(main())


def test_a_report_joins_the_incident_that_an_order_made(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            order = (await w.order(incident_reference="BA-1", notes=NOTES)).json()
            joined = await report(w, address=ADDRESS)
            assert joined.status_code == 200
            assert "Idempotent-Replay" not in joined.headers
            seen = joined.json()
            assert seen["incident_id"] == order["incident_id"]
            assert (seen["notes"], seen["address"]) == (NOTES, ADDRESS)
            assert "incident_joined" in await kinds(w, seen["incident_id"])

    play(main())


def test_a_change_writes_only_what_is_sent_and_tells_no_personal_value(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            incident_id = (await report(w, **FULL)).json()["incident_id"]
            url = f"/v1/incidents/{incident_id}"
            changed = (await w.client.patch(url, json={"floor": 9, "address": "另一地址"})).json()
            assert (changed["floor"], changed["address"]) == (9, "另一地址")
            assert (changed["caller"], changed["notes"]) == (CALLER, NOTES)
            before = len(await kinds(w, incident_id))
            await w.client.patch(url, json={"floor": 9, "address": "另一地址"})
            assert len(await kinds(w, incident_id)) == before
            events = (await w.client.get(f"{url}/events")).json()["events"]
            told = next(event for event in events if event["kind"] == "incident_changed")
            assert told["data"]["fields"] == ["floor", "address"]
            assert "另一地址" not in json.dumps(events, ensure_ascii=False)

    play(main())


def test_a_position_is_not_changed_under_a_flying_drone(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            incident_id = (await report(w)).json()["incident_id"]
            url = f"/v1/incidents/{incident_id}"
            moved = {"position": PATIENT | {"latitude_deg": 22.5605}}
            assert (await w.client.patch(url, json=moved)).status_code == 200
            order = await w.client.post(f"{url}/orders", json={}, headers={"Idempotency-Key": "o"})
            refused = await w.client.patch(url, json={"position": PATIENT})
            assert (refused.status_code, refused.json()["errors"][0]["field"]) == (409, "position")
            await w.until(order.json()["order_id"], "CLOSED")
            assert (await w.client.patch(url, json={"position": PATIENT})).status_code == 200

    play(main())


def test_the_centre_s_own_codes_are_mapped_and_never_guessed(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            unknown = await w.order(severity=None, severity_code="9-E-1")
            assert (unknown.status_code, unknown.json()["reason"]) == (422, "severity_code_unknown")
            assert unknown.json()["errors"][0]["field"] == "severity_code"
            table = {"codes": {"9-E-1": "I", "26-A-1": "IV"}}
            assert (await w.client.put("/v1/severity-codes", json=table)).json() == table
            order = (await w.order("k2", severity=None, severity_code="9-E-1")).json()
            assert (order["severity"], order["severity_code"]) == ("I", "9-E-1")
            told = await report(w, severity=None, severity_code="26-A-1")
            assert (told.json()["severity"], told.json()["severity_code"]) == ("IV", "26-A-1")
            odd = await report(w, "i2", reference="BA-2", severity="I", severity_code="26-A-1")
            assert (odd.status_code, odd.json()["errors"][0]["field"]) == (422, "severity_code")
            neither = await w.order("k3", severity=None)
            assert (neither.status_code, neither.json()["errors"][0]["field"]) == (422, "severity")
            # Another client's codes are another table.
            _, secret = await a_key(w, "orders:write", "orders:read", client="other")
            foreign = await w.client.post(
                "/v1/orders",
                json={"position": PATIENT, "severity_code": "9-E-1"},
                headers={"Idempotency-Key": "k", "X-API-Key": secret},
            )
            assert foreign.status_code == 422
            await w.client.put("/v1/severity-codes", json={"codes": {"26-A-1": "IV"}})
            gone = await w.order("k4", severity=None, severity_code="9-E-1")
            assert gone.status_code == 422

    play(main())
