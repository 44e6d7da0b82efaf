"""An incident's severity is its open orders' severity, whatever stage they are at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.hub_api.test_pre_emption import FAR, kinds, one_drone_site, placed
from tests.unit.hub_api.world import World, play, world

pytestmark = pytest.mark.usefixtures("each_database")


async def regraded(w: World, order: dict[str, Any], severity: str) -> dict[str, Any]:
    path = f"/v1/incidents/{order['incident_id']}"
    answer = await w.client.patch(path, json={"severity": severity})
    assert answer.status_code == 200, answer.text
    incident: dict[str, Any] = answer.json()
    assert incident["severity"] == severity
    return incident


async def seen(w: World, order_id: str) -> dict[str, Any]:
    order: dict[str, Any] = (await w.client.get(f"/v1/orders/{order_id}")).json()
    return order


def test_an_order_that_flies_is_protected_by_its_new_severity(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, site=one_drone_site()) as w:
            calm = await placed(w, "calm", "IV", callback_url="https://centre.example/u")
            await w.until(calm["order_id"], "LAUNCHING")
            await regraded(w, calm, "I")
            assert (await seen(w, calm["order_id"]))["severity"] == "I"
            (told,) = [e for e in await w.events(calm["order_id"]) if e["kind"] == "severity_changed"]
            assert told["data"] == {"severity": "I", "before": "IV"}
            # Nobody takes its drone any more.
            assert (await placed(w, "urgent", "I", position=FAR))["state"] == "DECLINED"
            await w.until(calm["order_id"], "CLOSED")
            assert any(b'"severity_changed"' in request.content for request in w.callbacks)
            assert (await w.client.get("/v1/audit/verification")).json()["whole"]

    play(main())


def test_a_waiting_order_that_becomes_urgent_takes_a_drone(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, site=one_drone_site(), pre_emption_limit=1) as w:
            calm = await placed(w, "calm", "III", mode="approve")
            urgent = await placed(w, "urgent", "II", position=FAR, mode="approve")
            assert urgent["state"] == "AWAITING_APPROVAL"
            await w.until(calm["order_id"], "WAITING")
            await regraded(w, calm, "I")
            again = await w.until(calm["order_id"], "AWAITING_APPROVAL")
            assert again["decision"]["drone_id"] == urgent["decision"]["drone_id"]
            await w.until(urgent["order_id"], "WAITING")

    play(main())


def test_a_merged_order_carries_its_severity_to_the_mission(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, merge_radius_m=50.0) as w:
            first = await placed(w, "first", "III", incident_reference="A")
            second = await placed(w, "second", "IV", incident_reference="B")
            assert second["state"] == "MERGED"
            await regraded(w, second, "II")
            assert "severity_changed" in await kinds(w, first["order_id"])
            stored = {
                e["data"]["severity"] for e in await w.events(first["order_id"]) if "before" in e["data"]
            }
            assert stored == {"II"}
            # Less urgent again: the mission falls back to what its own order asks.
            await regraded(w, second, "IV")
            last = [e for e in await w.events(first["order_id"]) if e["kind"] == "severity_changed"][-1]
            assert last["data"] == {"severity": "III", "before": "II"}
            await w.until(first["order_id"], "CLOSED")

    play(main())


def test_another_patient_and_a_finished_order_keep_theirs(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            first = await placed(w, "first", "II", incident_reference="A")
            await w.until(first["order_id"], "DELIVERED")
            other = await placed(w, "other", "III", incident_reference="A", separate=True)
            assert other["incident_id"] == first["incident_id"]
            await regraded(w, first, "I")
            assert (await seen(w, first["order_id"]))["severity"] == "II"
            assert (await seen(w, other["order_id"]))["severity"] == "III"

    play(main())


def test_the_same_severity_again_changes_nothing(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            order = await placed(w, "k", "II")
            await regraded(w, order, "II")
            assert "severity_changed" not in await kinds(w, order["order_id"])

    play(main())
