"""An incident as its centre works with it, over HTTP. Source: A1–A19, B1, B4, G5."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.errors import ErrorCode, InternalError
from hub_api.access.scopes import Role
from hub_api.dispatch.incident_ledger import IncidentLedger
from hub_api.store.incident_records import IncidentRecord
from tests.unit.hub_api.test_access import a_key, an_account, bearer, log_in
from tests.unit.hub_api.world import EPOCH, PATIENT, Script, World, play, world

pytestmark = pytest.mark.usefixtures("each_database")

CALLER = {"name": "李女士", "phone": "13812345678"}
DOCTOR = {"name": "张医生", "phone": "13987654321"}
ADDRESS, ACCESS, NOTES = "示例路1号2栋301", "北门进，门禁码4711", "男，58岁，无意识"
SECRETS = (*CALLER.values(), *DOCTOR.values(), ADDRESS, ACCESS, NOTES, "王志愿者", "13700000001")
REPORT: dict[str, Any] = {"position": PATIENT, "severity": "I", "reference": "BA-1"}
FULL: dict[str, Any] = REPORT | {
    "caller": CALLER,
    "doctor": DOCTOR,
    "address": ADDRESS,
    "access_notes": ACCESS,
    "notes": NOTES,
    "floor": 3,
}


def at(seconds: float) -> str:
    return (EPOCH + timedelta(seconds=seconds)).isoformat()


async def report(w: World, key: str = "i1", **changes: Any) -> httpx.Response:
    return await w.client.post("/v1/incidents", json={**REPORT, **changes}, headers={"Idempotency-Key": key})


async def incident(w: World, incident_id: str, **headers: str) -> dict[str, Any]:
    answer = await w.client.get(f"/v1/incidents/{incident_id}", headers=headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def kinds(w: World, incident_id: str) -> list[str]:
    found = (await w.client.get(f"/v1/incidents/{incident_id}/events")).json()["events"]
    return [event["kind"] for event in found]


def stage_times(view: dict[str, Any]) -> dict[str, str | None]:
    return {stage["stage"]: stage["at"] for stage in view["stages"]}


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


def test_a_stage_is_reached_once_and_corrected_with_a_reason(tmp_path: Path):
    """Source: B1."""

    async def main() -> None:
        async with world(tmp_path) as w:
            incident_id = (await report(w)).json()["incident_id"]
            url = f"/v1/incidents/{incident_id}/stages"
            first = await w.client.post(url, json={"stage": "rescued", "at": at(100)})
            assert first.status_code == 200
            same = await w.client.post(url, json={"stage": "rescued", "at": at(100)})
            assert same.status_code == 200
            other = await w.client.post(url, json={"stage": "rescued", "at": at(90)})
            assert (other.status_code, other.json()["errors"][0]["field"]) == (409, "correction_reason")
            body = {"stage": "rescued", "at": at(90), "correction_reason": "看了视频"}
            corrected = (await w.client.post(url, json=body)).json()
            times = stage_times(corrected)
            assert datetime.fromisoformat(times["rescued"] or "") == EPOCH + timedelta(seconds=90)
            entries = (await w.client.get("/v1/audit", params={"subject": incident_id})).json()["entries"]
            actions = [entry["action"] for entry in entries][::-1]
            assert actions == ["incident_received", "stage_reached", "stage_corrected"]
            hashes = [(e["before_sha256"], e["after_sha256"]) for e in entries[::-1]]
            assert hashes[1][0] == hashes[0][1]
            assert hashes[2][0] == hashes[1][1]
            assert (await w.client.get("/v1/audit/verification")).json()["whole"]

    play(main())


def test_a_moment_without_an_offset_is_refused(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            incident_id = (await report(w)).json()["incident_id"]
            body = {"stage": "call", "at": "2026-03-01T16:01:40"}
            answer = await w.client.post(f"/v1/incidents/{incident_id}/stages", json=body)
            assert answer.status_code == 422
            assert answer.json()["errors"][0]["field"] == "at"

    play(main())


def test_a_gap_that_could_not_be_stored_is_counted_once_when_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    stamp = IncidentLedger.stamp

    def failing(*given: Any, **named: Any) -> IncidentRecord:
        stamp(*given, **named)
        raise InternalError(ErrorCode.STORE_FAILED, "the disk is full")

    async def main() -> None:
        async with world(tmp_path) as w:
            incident_id = (await report(w, called_at=at(-60))).json()["incident_id"]
            url, body = f"/v1/incidents/{incident_id}/stages", {"stage": "rescued", "at": at(120)}
            monkeypatch.setattr(IncidentLedger, "stamp", failing)
            assert (await w.client.post(url, json=body)).status_code == 503
            monkeypatch.undo()
            assert (await w.client.post(url, json=body)).status_code == 200
            text = (await w.client.get("/metrics")).text
            assert "drone_aed_call_to_first_hands_seconds_count 1.0" in text

    play(main())


@pytest.mark.parametrize("by", ["party", "cpr", "stage"])
def test_the_gap_from_call_to_first_hands_is_measured(tmp_path: Path, by: str):
    """Source: A10."""

    async def main() -> None:
        async with world(tmp_path) as w:
            incident_id = (await report(w, called_at=at(-60))).json()["incident_id"]
            url = f"/v1/incidents/{incident_id}"
            if by == "party":
                body = {"kind": "volunteer", "role": "cpr", "state": "treating", "at": at(120)}
                answer = await w.client.put(f"{url}/parties/v-1", json=body)
            elif by == "cpr":
                body = {"at": at(120), "source": "caller", "cpr_in_progress": True}
                answer = await w.client.post(
                    f"{url}/observations", json=body, headers={"Idempotency-Key": "p"}
                )
            else:
                answer = await w.client.post(f"{url}/stages", json={"stage": "rescued", "at": at(120)})
            assert answer.status_code in (200, 201), answer.text
            seen = await incident(w, incident_id)
            assert seen["gaps"]["call_to_first_hands_s"] == 180.0
            # An exercise and an incident without a call time are not in the figures.
            await report(w, "drill", reference="X-1", exercise=True, called_at=at(-10))
            await report(w, "untold", reference="X-2")
            span = {"since": at(-100), "until": at(1000)}
            figures = (await w.client.get("/v1/reports/first-hands", params=span)).json()
            assert figures["incidents"] == 2
            assert figures["call_to_first_hands"] == {
                "incidents": 1,
                "median_s": 180.0,
                "p90_s": 180.0,
                "longest_s": 180.0,
            }
            text = (await w.client.get("/metrics")).text
            assert "drone_aed_call_to_first_hands_seconds_count 1.0" in text
            assert 'drone_aed_call_to_first_hands_seconds_bucket{le="180.0"} 1.0' in text

    play(main())


def test_help_is_escalated_and_never_taken_back(tmp_path: Path):
    """Source: A7."""

    async def main() -> None:
        async with world(tmp_path) as w:
            incident_id = (await report(w)).json()["incident_id"]
            url = f"/v1/incidents/{incident_id}/escalate"
            up = await w.client.post(url, json={"level": "ground_aed", "reason": "心脏骤停"})
            assert up.json()["escalation"] == "ground_aed"
            assert up.json()["orders"] == []
            down = await w.client.post(url, json={"level": "volunteers", "reason": "r"})
            assert (down.status_code, down.json()["code"]) == (409, 4004)
            drone = (await w.client.post(url, json={"level": "drone_aed", "reason": "太远"})).json()
            assert drone["escalation"] == "drone_aed"
            (order,) = drone["orders"]
            assert order["outcome"] == "accepted"
            again = (await w.client.post(url, json={"level": "drone_aed", "reason": "太远"})).json()
            assert len(again["orders"]) == 1

    play(main())


def test_how_the_patient_is_is_kept_with_its_moments(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            incident_id = (
                await report(w, patient={"at": at(0), "source": "caller", "conscious": "no"})
            ).json()["incident_id"]
            url = f"/v1/incidents/{incident_id}/observations"
            body = {"at": at(60), "source": "aed", "shocks_delivered": 1, "rhythm": "aed_shockable"}
            first = await w.client.post(url, json=body, headers={"Idempotency-Key": "p1"})
            again = await w.client.post(url, json=body, headers={"Idempotency-Key": "p1"})
            assert (first.status_code, again.status_code) == (201, 200)
            other = await w.client.post(
                url, json=body | {"shocks_delivered": 2}, headers={"Idempotency-Key": "p1"}
            )
            assert other.status_code == 409
            seen = await incident(w, incident_id)
            assert [item["values"] for item in seen["patient"]] == [
                {"conscious": "no"},
                {"shocks_delivered": 1, "rhythm": "aed_shockable"},
            ]

    play(main())


def test_a_silent_incident_raises_one_warning_until_somebody_moves(tmp_path: Path):
    """Source: B4."""

    async def main() -> None:
        async with world(tmp_path, incident_still_s=60.0) as w:
            incident_id = (await report(w)).json()["incident_id"]
            await w.hub.clock.sleep(50.0)
            assert "incident_still" not in await kinds(w, incident_id)
            await w.hub.clock.sleep(25.0)
            assert (await kinds(w, incident_id)).count("incident_still") == 1
            seen = await incident(w, incident_id)
            assert seen["still_since"] is not None
            await w.hub.clock.sleep(200.0)
            assert (await kinds(w, incident_id)).count("incident_still") == 1
            await w.client.patch(f"/v1/incidents/{incident_id}", json={"floor": 2})
            assert (await incident(w, incident_id))["still_since"] is None
            await w.hub.clock.sleep(75.0)
            assert (await kinds(w, incident_id)).count("incident_still") == 2

    play(main())


def test_a_flying_drone_is_no_silence_and_its_landing_starts_one(tmp_path: Path):
    async def main() -> None:
        scripts = {f"bao-0{n}": Script(phase_s=100.0) for n in range(1, 5)}
        async with world(tmp_path, scripts=scripts, incident_still_s=60.0) as w:
            incident_id = (await report(w)).json()["incident_id"]
            order = await w.client.post(
                f"/v1/incidents/{incident_id}/orders", json={}, headers={"Idempotency-Key": "o"}
            )
            await w.until(order.json()["order_id"], "DELIVERED", at_most_s=2000.0)
            assert "incident_still" not in await kinds(w, incident_id)
            # The AED is there, and nobody says that anybody has taken it.
            await w.hub.clock.sleep(90.0)
            assert "incident_still" in await kinds(w, incident_id)

    play(main())


def test_an_incident_closes_with_its_outcome_and_is_handed_over(tmp_path: Path):
    """Source: A18."""

    async def main() -> None:
        async with world(tmp_path) as w:
            incident_id = (await report(w, called_at=at(-60))).json()["incident_id"]
            url = f"/v1/incidents/{incident_id}"
            order = await w.client.post(f"{url}/orders", json={}, headers={"Idempotency-Key": "o"})
            early = await w.client.post(f"{url}/close", json={"outcome": "handed_over"})
            assert (early.status_code, early.json()["code"]) == (409, 4004)
            await w.until(order.json()["order_id"], "DELIVERED")
            shocks = {"at": at(200), "source": "aed", "shocks_delivered": 2}
            await w.client.post(f"{url}/observations", json=shocks, headers={"Idempotency-Key": "s"})
            utstein = {"bystander_aed": "shock_delivered", "first_monitored_rhythm": "pea"}
            closing = {"outcome": "handed_over", "utstein": utstein}
            closed = (await w.client.post(f"{url}/close", json=closing)).json()
            assert (closed["state"], closed["outcome"]) == ("CLOSED", "handed_over")
            assert stage_times(closed)["feedback"] is not None
            over = (await w.client.get(f"{url}/hand-over")).json()
            assert over["shocks_delivered"] == 2
            assert over["utstein_2014"]["bystander_aed"] == "shock_delivered"
            assert over["utstein_2014"]["survived_event"] is None
            assert "survived_event" in over["not_reported"]
            assert "bystander_aed" not in over["not_reported"]
            (aed,) = over["aeds"]
            assert aed["aed_on_ground_at"] is not None
            for path, body in (
                ("orders", {}),
                ("stages", {"stage": "guided", "at": at(9)}),
                ("escalate", {"level": "drone_aed", "reason": "r"}),
                ("close", {"outcome": "other"}),
            ):
                late = await w.client.post(f"{url}/{path}", json=body, headers={"Idempotency-Key": path})
                assert late.status_code == 409, (path, late.text)
            # The same order by its reference is a new call: an order is never refused for paperwork.
            again = await w.order("k9", incident_reference="BA-1")
            assert again.json()["incident_id"] != incident_id

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
