"""A person lets a flight go, or not, or does not answer; a drill is the same and never real."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hub_api.access.scopes import Role
from hub_api.store.repositories import approvals, missions, outbox
from tests.unit.hub_api.played_drone import Memory, Script
from tests.unit.hub_api.test_access import a_key, an_account, log_in
from tests.unit.hub_api.test_live_airspace import feed
from tests.unit.hub_api.world import EPOCH, World, play, world

pytestmark = pytest.mark.usefixtures("each_database")
APPROVE = {"default_mode": "approve"}


async def proposed(w: World, key: str = "k1", **changes: Any) -> dict[str, Any]:
    answer = await w.order(key, **changes)
    assert answer.status_code == 201, answer.text
    order: dict[str, Any] = answer.json()
    assert order["state"] == "AWAITING_APPROVAL", order
    return order


async def approve(w: World, order: dict[str, Any]) -> dict[str, Any]:
    body = {"flight_id": order["decision"]["flight_id"]}
    answer = await w.client.post(f"/v1/orders/{order['order_id']}/approve", json=body)
    assert answer.status_code == 200, answer.text
    approved: dict[str, Any] = answer.json()
    return approved


async def kinds(w: World, order_id: str) -> list[str]:
    return [event["kind"] for event in await w.events(order_id)]


def flown(w: World) -> list[str]:
    return [flight for drone in w.drones.values() for flight in drone.flown]


def test_nothing_is_commanded_before_the_approval_and_the_drone_is_kept(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, **APPROVE) as w:
            order = await proposed(w)
            decision, approval = order["decision"], order["approval"]
            assert decision["outcome"] == "accepted"
            assert (approval["level"], approval["recipient"]) == (0, "role:operator")
            assert approval["flight_id"] == decision["flight_id"]
            assert order["flights"][0]["commanded_at"] is None
            await w.hub.clock.sleep(5)
            assert await w.hub.database.read(outbox.unsettled) == []
            assert flown(w) == []
            assert list(await w.hub.database.read(missions.reserved_drones)) == [decision["drone_id"]]
            other = await proposed(w, "k2")
            assert other["decision"]["drone_id"] != decision["drone_id"]
            approved = await approve(w, order)
            assert approved["state"] == "DECIDED"
            assert (approved["approval"]["answer"], approved["approval"]["answered_by"]) == (
                "approved",
                "well-known demo key",
            )
            again = await approve(w, order)
            assert again["state"] in ("DECIDED", "LAUNCHING")
            closed = await w.until(order["order_id"], "CLOSED")
            assert [f["flight_id"] for f in closed["flights"]] == [decision["flight_id"]]
            assert flown(w) == [decision["flight_id"]]
            assert await w.state(other["order_id"]) == "AWAITING_APPROVAL"

    play(main())


def test_a_refused_flight_declines_the_order_with_the_reason_and_frees_the_drone(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, **APPROVE) as w:
            order = await proposed(w)
            url = f"/v1/orders/{order['order_id']}/refuse"
            refused = (await w.client.post(url, json={"reason": "雷暴"})).json()
            assert refused["state"] == "DECLINED"
            assert refused["decision"]["outcome"] == "declined"
            (reason,) = refused["decision"]["reasons"]
            assert reason["code"] == "refused_by_operator"
            assert "雷暴" in reason["detail_zh"]
            assert refused["approval"]["answer"] == "refused"
            assert refused["flights"][0]["safe_state"] == "never_left_ground"
            assert (await w.client.post(url, json={"reason": "雷暴"})).status_code == 200
            late = await w.client.post(
                f"/v1/orders/{order['order_id']}/approve", json={"flight_id": order["decision"]["flight_id"]}
            )
            assert (late.status_code, late.json()["code"]) == (409, 4004)
            assert await w.hub.database.read(missions.reserved_drones) == {}
            assert flown(w) == []

    play(main())


def test_an_approval_is_for_the_flight_that_was_seen(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, **APPROVE) as w:
            order = await proposed(w)
            answer = await w.client.post(
                f"/v1/orders/{order['order_id']}/approve", json={"flight_id": "flt_another"}
            )
            assert (answer.status_code, answer.json()["errors"][0]["field"]) == (409, "flight_id")
            assert await w.state(order["order_id"]) == "AWAITING_APPROVAL"
            automatic = (await w.client.get("/v1/orders/ord_00000000000000000000000000")).status_code
            assert automatic == 404

    play(main())


def test_the_next_in_line_is_alarmed_and_the_centre_told(tmp_path: Path):
    async def main() -> None:
        chain = ["account:wang", "account:li", "role:operator"]
        async with world(tmp_path, approval_chain=chain, **APPROVE) as w:
            order = await proposed(w, callback_url="https://dispatch.example/updates")
            await w.hub.clock.sleep(50)
            told = [e for e in await w.events(order["order_id"]) if e["kind"] == "approval_alarm"]
            assert [(e["data"]["level"], e["data"]["recipient"]) for e in told] == [
                (1, "account:li"),
                (2, "role:operator"),
                (3, "role:operator"),
            ]
            waited = [e["data"]["waited_s"] for e in told]
            assert waited == pytest.approx([15.0, 30.0, 45.0], abs=0.5)
            sent = [json.loads(request.content) for request in w.callbacks]
            assert [s["kind"] for s in sent] == ["decision_proposed", *["approval_alarm"] * 3]
            assert await w.state(order["order_id"]) == "AWAITING_APPROVAL"
            assert flown(w) == []
            approved = await approve(w, order)
            assert approved["approval"]["level"] == 3
            assert approved["approval"]["next_alarm_at"] is None
            count = len(await w.events(order["order_id"]))
            await w.until(order["order_id"], "CLOSED")
            later = [e["kind"] for e in (await w.events(order["order_id"]))[count:]]
            assert "approval_alarm" not in later

    play(main())


def test_what_is_wrong_with_one_order_keeps_nobody_from_being_asked_for_another(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, **APPROVE) as w:
            broken, whole = await proposed(w, "k1"), await proposed(w, "k2")
            outdated, stumbled = w.hub.approvals._outdated, 0

            def failing(mission: Any) -> Any:
                nonlocal stumbled
                if mission.order_id == broken["order_id"]:
                    stumbled += 1
                    raise KeyError("airspace_version")
                return outdated(mission)

            w.hub.approvals._outdated = failing  # type: ignore[method-assign]
            await w.hub.clock.sleep(40.0)
            assert not w.hub.failure.done()
            assert "approval_alarm" in await kinds(w, whole["order_id"])
            assert "approval_alarm" not in await kinds(w, broken["order_id"])
            assert 2 <= stumbled <= 40, "tried again, and not without a pause"
            w.hub.approvals._outdated = outdated  # type: ignore[method-assign]
            await w.hub.clock.sleep(2.0)
            assert "approval_alarm" in await kinds(w, broken["order_id"])

    play(main())


def test_without_an_answer_it_flies_only_where_the_policy_says_so(tmp_path: Path):
    async def main() -> None:
        policies = {"I": "launch", "II": "decline"}
        async with world(tmp_path, approval_timeout_policies=policies, **APPROVE) as w:
            launched, declined, waits = [
                await proposed(w, severity, severity=severity) for severity in ("I", "II", "III")
            ]
            began_s = w.hub.clock.monotonic_s()
            flying = await w.until(launched["order_id"], "DECIDED", "LAUNCHING")
            assert w.hub.clock.monotonic_s() - began_s == pytest.approx(15.0, abs=1.0)
            assert (flying["approval"]["answer"], flying["approval"]["answered_by"]) == ("launched", "policy")
            over = await w.until(declined["order_id"], "DECLINED")
            assert over["decision"]["reasons"][0]["code"] == "approval_unanswered"
            await w.until(launched["order_id"], "CLOSED")
            assert await w.state(waits["order_id"]) == "AWAITING_APPROVAL"
            assert len(flown(w)) == 1

    play(main())


def test_a_flight_that_nobody_ever_answers_frees_its_drone_in_the_end(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, order_max_age_s=120.0, **APPROVE) as w:
            order = await proposed(w)
            over = await w.until(order["order_id"], "DECLINED")
            assert over["decision"]["reasons"][0]["code"] == "approval_expired"
            assert await w.hub.database.read(missions.reserved_drones) == {}

    play(main())


def test_an_old_plan_is_made_again_and_flies_if_it_is_the_same_flight(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, **APPROVE) as w:
            order = await proposed(w)
            await w.hub.clock.sleep(115)
            approved = await approve(w, order)
            assert approved["state"] == "DECIDED"
            first, second = approved["flights"]
            assert (first["withdrawn"], first["safe_state"]) == ("plan_outdated", "never_left_ground")
            assert second["flight_id"] == approved["decision"]["flight_id"] != first["flight_id"]
            assert second["drone_id"] == first["drone_id"]
            await w.until(order["order_id"], "CLOSED")
            assert flown(w) == [second["flight_id"]]

    play(main())


def test_a_plan_in_another_airspace_is_made_again(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, **APPROVE) as w:
            order = await proposed(w)
            changed = await w.client.put(
                "/v1/airspace/feeds/police",
                params={"format": "geojson", "reason": "test"},
                content=feed("CLOSED"),
            )
            assert changed.status_code == 200, changed.text
            approved = await approve(w, order)
            (told,) = [e for e in await w.events(order["order_id"]) if e["kind"] == "approval_outdated"]
            assert "airspace_changed" in [r["code"] for r in told["data"]["reasons"]]
            # The played planner makes every plan in the same airspace: this one is outdated again.
            assert approved["state"] == "DECIDED"

    play(main())


def test_another_drone_needs_another_approval(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, **APPROVE) as w:
            order = await proposed(w)
            first = order["decision"]["drone_id"]
            w.drones[first].script.ready = False
            await w.drones[first]._preflight(ready=False)
            await asyncio.sleep(0)
            await w.hub.clock.sleep(1)
            approved = await approve(w, order)
            assert approved["state"] == "AWAITING_APPROVAL"
            assert approved["decision"]["drone_id"] != first
            assert approved["approval"]["answer"] is None
            assert flown(w) == []
            assert (await approve(w, approved))["state"] == "DECIDED"
            await w.until(order["order_id"], "CLOSED")

    play(main())


def test_a_drone_that_refuses_is_replaced_only_with_another_approval(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, scripts={"bao-01": Script(answer="refuse")}, **APPROVE) as w:
            order = await proposed(w)
            assert order["decision"]["drone_id"] == "bao-01"
            await approve(w, order)
            second = await w.until(order["order_id"], "AWAITING_APPROVAL")
            assert second["decision"]["drone_id"] != "bao-01"
            refused = await w.client.post(
                f"/v1/orders/{order['order_id']}/refuse", json={"reason": "too far · 太远"}
            )
            assert refused.json()["state"] == "FAILED"
            assert flown(w) == []
            assert await w.hub.database.read(missions.reserved_drones) == {}

    play(main())


def test_a_cancel_while_it_waits_ends_it_at_once(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, **APPROVE) as w:
            order = await proposed(w)
            url = f"/v1/orders/{order['order_id']}/cancel"
            cancelled = (await w.client.post(url, json={"reason": "误报"})).json()
            assert cancelled["state"] == "CANCELLED"
            assert cancelled["approval"]["answer"] == "withdrawn"
            assert await w.hub.database.read(missions.reserved_drones) == {}
            await w.hub.clock.sleep(60)
            assert "approval_alarm" not in await kinds(w, order["order_id"])

    play(main())


def test_a_proposed_flight_is_neither_commanded_nor_closed_by_hand(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, **APPROVE) as w:
            order = await proposed(w)
            decision = order["decision"]
            command = await w.client.post(
                f"/v1/drones/{decision['drone_id']}/commands",
                json={"command": "abort_flight", "reason": "x"},
            )
            assert command.status_code == 409
            shown = (await w.client.get(f"/v1/drones/{decision['drone_id']}")).json()["commands"]
            assert {option["allowed"] for option in shown} == {False}
            assert {option["refused"]["code"] for option in shown} == {"not_commanded"}
            closing = await w.client.post(
                f"/v1/flights/{decision['flight_id']}/close",
                json={"safe_state": "on_pad", "reason": "x", "confirmed_by": "x"},
            )
            assert closing.status_code == 409
            assert await w.state(order["order_id"]) == "AWAITING_APPROVAL"

    play(main())


def test_after_a_kill_the_alarms_go_on_from_the_stored_times(tmp_path: Path):
    chain = ["account:wang", "account:li", "account:zhao", "role:operator"]

    async def first() -> tuple[dict[str, Any], dict[str, Memory]]:
        async with world(tmp_path, approval_chain=chain, **APPROVE) as w:
            order = await proposed(w)
            await w.hub.clock.sleep(20)
            return order, w.memories()

    order, memories = play(first())

    async def second() -> None:
        again = EPOCH + timedelta(seconds=52)
        async with world(
            tmp_path, approval_chain=chain, epoch=again, seed=2, memories=memories, **APPROVE
        ) as w:
            # Those who should have been asked meanwhile are asked at once, in order; then time goes on.
            await w.hub.clock.sleep(2)
            told = [e for e in await w.events(order["order_id"]) if e["kind"] == "approval_alarm"]
            assert [e["data"]["recipient"] for e in told] == ["account:li", "account:zhao", "role:operator"]
            assert await w.state(order["order_id"]) == "AWAITING_APPROVAL"
            approved = await approve(w, order)
            assert approved["state"] == "DECIDED", approved
            await w.until(order["order_id"], "CLOSED")
            assert len(flown(w)) == 1

    play(second())


def test_an_order_may_ask_for_more_caution_and_not_for_less(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, client_modes={"careful": "approve", "desk": "drill"}) as w:
            assert (await w.order("k1")).json()["mode"] == "automatic"
            assert (await w.order("k2", mode="approve")).json()["state"] == "AWAITING_APPROVAL"

            async def place(client: str, mode: str | None) -> Any:
                _, secret = await a_key(w, "orders:write", "orders:read", client=client)
                position = {"reference_system": "WGS-84", "latitude_deg": 22.56, "longitude_deg": 113.89}
                body = {"position": position, "severity": "I", "mode": mode}
                headers = {"X-API-Key": secret, "Idempotency-Key": f"{client}-{mode}"}
                return await w.client.post("/v1/orders", json=body, headers=headers)

            assert (await place("careful", None)).json()["state"] == "AWAITING_APPROVAL"
            less = await place("careful", "automatic")
            assert (less.status_code, less.json()["errors"][0]["field"]) == (422, "mode")
            drilled = (await place("desk", None)).json()
            assert (drilled["mode"], drilled["drill"]) == ("drill", True)
            assert (await place("desk", "approve")).status_code == 422
            practised = (await place("careful", "drill")).json()
            assert practised["mode"] == "drill"
            # A drill practises what the client's real orders go through.
            assert practised["state"] in ("AWAITING_APPROVAL", "DECLINED")
            assert len((await w.client.get("/v1/orders")).json()["orders"]) == 5

    play(main())


def test_only_an_operator_approves(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, **APPROVE) as w:
            order = await proposed(w)
            body = {"flight_id": order["decision"]["flight_id"]}
            url = f"/v1/orders/{order['order_id']}/approve"
            _, secret = await a_key(w, "orders:write", "orders:read", client="demo")
            assert (await w.client.post(url, json=body, headers={"X-API-Key": secret})).status_code == 403
            _, foreign = await a_key(w, "orders:approve", "orders:read", client="other")
            assert (await w.client.post(url, json=body, headers={"X-API-Key": foreign})).status_code == 404
            await an_account(w, "wang", Role.OPERATOR)
            token = (await log_in(w, "wang")).json()["access_token"]
            answer = await w.client.post(
                url, json=body, headers={"Authorization": f"Bearer {token}", "X-API-Key": ""}
            )
            assert answer.status_code == 200, answer.text
            assert answer.json()["approval"]["answered_by"] == "wang"

    play(main())


def test_the_audit_log_names_who_approved(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, **APPROVE) as w:
            order = await proposed(w)
            await approve(w, order)
            entries = (await w.client.get("/v1/audit", params={"subject": order["order_id"]})).json()[
                "entries"
            ]
            (entry,) = [e for e in entries if e["action"] == "approval_given"]
            assert entry["actor_kind"] == "machine"
            stored = await w.hub.database.read(lambda s: approvals.newest_of_order(s, order["order_id"]))
            assert stored is not None
            assert stored.answered_by == "well-known demo key"

    play(main())
