"""What happens to an incident after it is known: stages, help, silence, its end. Source: A7, A10, A18, B1."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.errors import ErrorCode, InternalError
from hub_api.dispatch.incident_ledger import IncidentLedger
from hub_api.store.incident_records import IncidentRecord
from tests.unit.hub_api.incident_words import at, incident, kinds, report, stage_times
from tests.unit.hub_api.played_drone import Script
from tests.unit.hub_api.world import EPOCH, play, world

pytestmark = pytest.mark.usefixtures("each_database")


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
