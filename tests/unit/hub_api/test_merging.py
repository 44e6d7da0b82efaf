"""Two orders for one patient: one drone, never silently. Source: A11, issue «two orders for one patient»."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.hub_api.played_drone import Script
from tests.unit.hub_api.test_access import a_key
from tests.unit.hub_api.world import BODY, EPOCH, PATIENT, World, play, world

pytestmark = pytest.mark.usefixtures("each_database")

NEAR = PATIENT | {"latitude_deg": 22.5601 + 30.0 / 111_000.0}
FAR = PATIENT | {"latitude_deg": 22.5601 + 80.0 / 111_000.0}
MERGING: dict[str, Any] = {"merge_radius_m": 50.0, "merge_window_s": 300.0}


def flown(w: World) -> int:
    return sum(len(drone.flown) for drone in w.drones.values())


async def cancel(w: World, order_id: str, **headers: str) -> httpx.Response:
    return await w.client.post(f"/v1/orders/{order_id}/cancel", json={"reason": "误报"}, headers=headers)


async def split(w: World, order_id: str) -> httpx.Response:
    return await w.client.post(f"/v1/orders/{order_id}/split", json={"reason": "两名患者"})


async def order(w: World, key: str = "k1", **changes: Any) -> dict[str, Any]:
    answer = await w.order(key, **changes)
    assert answer.status_code == 201, answer.text
    placed: dict[str, Any] = answer.json()
    return placed


def test_a_second_order_nearby_is_answered_with_the_first_s_mission(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, **MERGING) as w:
            first = await order(w, "k1")
            second = await order(w, "k2", position=NEAR, callback_url="https://centre.example/cb")
            assert (second["state"], second["merged_into"]) == ("MERGED", first["order_id"])
            assert second["decision"] == first["decision"]
            assert [f["flight_id"] for f in second["flights"]] == [first["decision"]["flight_id"]]
            # One patient, one incident.
            assert second["incident_id"] == first["incident_id"]
            closed = await w.until(second["order_id"], "CLOSED")
            assert closed["aed_on_ground_at"] is not None
            assert await w.state(first["order_id"]) == "CLOSED"
            assert flown(w) == 1
            # Neither order was merged silently: both say so, and why.
            for order_id, kind in (
                (first["order_id"], "order_merged_here"),
                (second["order_id"], "order_merged"),
            ):
                (told,) = [event for event in await w.events(order_id) if event["kind"] == kind]
                assert told["data"]["why"] == "near_in_place_and_time"
                assert 28.0 < told["data"]["distance_m"] < 32.0
                assert told["detail_zh"]
            # The second centre hears of every step of the drone that it shares.
            await w.hub.clock.sleep(5.0)
            bodies = [json.loads(request.content) for request in w.callbacks]
            missions = [body["mission_state"] for body in bodies]
            assert missions[-1] == "CLOSED"
            for state in ("LAUNCHING", "AIRBORNE", "DELIVERING", "DELIVERED", "RETURNING"):
                assert state in missions
            assert {body["order_id"] for body in bodies} == {second["order_id"]}

    play(main())


@pytest.mark.parametrize(
    ("changes", "settings"),
    [
        ({"position": FAR}, {}),
        ({"position": NEAR, "separate": True}, {}),
        ({"position": NEAR}, {"merge_radius_m": 0.0}),
    ],
)
def test_orders_that_are_not_for_one_patient_fly_apart(
    tmp_path: Path, changes: dict[str, Any], settings: dict[str, Any]
):
    async def main() -> None:
        async with world(tmp_path, **(MERGING | settings)) as w:
            first, second = await order(w, "k1"), await order(w, "k2", **changes)
            assert second["merged_into"] is None
            assert second["decision"]["drone_id"] != first["decision"]["drone_id"]
            await w.until(first["order_id"], "CLOSED")
            await w.until(second["order_id"], "CLOSED")
            assert flown(w) == 2

    play(main())


def test_an_order_later_than_the_window_flies_on_its_own(tmp_path: Path):
    async def main() -> None:
        scripts = {f"bao-0{n}": Script(phase_s=200.0) for n in range(1, 5)}
        async with world(tmp_path, scripts=scripts, **MERGING) as w:
            await order(w, "k1")
            await w.hub.clock.sleep(301.0)
            assert (await order(w, "k2", position=NEAR))["merged_into"] is None

    play(main())


def test_orders_of_one_incident_are_merged_beyond_the_radius_and_at_any_time(tmp_path: Path):
    async def main() -> None:
        scripts = {f"bao-0{n}": Script(phase_s=200.0) for n in range(1, 5)}
        async with world(tmp_path, scripts=scripts, merge_radius_m=0.0) as w:
            first = await order(w, "k1", incident_reference="BA-1")
            await w.hub.clock.sleep(400.0)
            second = await order(w, "k2", incident_reference="BA-1", position=FAR)
            assert second["merged_into"] == first["order_id"]
            (told,) = [e for e in await w.events(second["order_id"]) if e["kind"] == "order_merged"]
            assert told["data"]["why"] == "same_incident"
            third = await order(w, "k3", incident_reference="BA-1", separate=True)
            assert third["merged_into"] is None
            assert third["incident_id"] == first["incident_id"]

    play(main())


def test_an_order_after_the_first_has_ended_is_decided_on_its_own(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, **MERGING) as w:
            first = await order(w, "k1", incident_reference="BA-1")
            await w.until(first["order_id"], "CLOSED")
            again = await order(w, "k2", incident_reference="BA-1")
            assert (again["merged_into"], again["decision"]["outcome"]) == (None, "accepted")

    play(main())


def test_both_clients_see_a_merge_and_neither_sees_the_other_s_order(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, **MERGING) as w:
            first = await order(w, "k1")
            _, secret = await a_key(w, "orders:write", "orders:read", client="penguin")
            header = {"X-API-Key": secret}
            answer = await w.client.post(
                "/v1/orders", json=BODY | {"position": NEAR}, headers=header | {"Idempotency-Key": "p"}
            )
            second = answer.json()
            assert second["merged_into"] == first["order_id"]
            assert second["incident_id"] != first["incident_id"]
            assert second["decision"]["drone_id"] == first["decision"]["drone_id"]
            assert (await w.client.get(f"/v1/orders/{first['order_id']}", headers=header)).status_code == 404
            seen = (await w.client.get(f"/v1/incidents/{second['incident_id']}", headers=header)).json()
            assert [p["kind"] for p in seen["parties"]] == ["centre", "drone_aed"]
            here = [e["kind"] for e in await w.events(first["order_id"])]
            assert "order_merged_here" in here

    play(main())


def test_a_cancelled_first_order_flies_on_for_the_second(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, **MERGING) as w:
            first, second = await order(w, "k1"), await order(w, "k2", position=NEAR)
            await w.until(first["order_id"], "AIRBORNE")
            answer = await cancel(w, first["order_id"])
            assert answer.status_code == 200
            assert answer.json()["withdrawn_at"] is not None
            assert answer.json()["state"] == "AIRBORNE"
            assert (await cancel(w, first["order_id"])).status_code == 200
            kinds = [e["kind"] for e in await w.events(first["order_id"])]
            assert kinds.count("order_withdrawn") == 1
            closed = await w.until(second["order_id"], "CLOSED")
            assert closed["aed_on_ground_at"] is not None

    play(main())


def test_a_cancelled_second_order_leaves_the_first_alone(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, **MERGING) as w:
            first, second = await order(w, "k1"), await order(w, "k2", position=NEAR)
            assert (await cancel(w, second["order_id"])).json()["state"] == "CANCELLED"
            assert (await cancel(w, second["order_id"])).json()["state"] == "CANCELLED"
            assert (await w.client.get(f"/v1/orders/{first['order_id']}")).json()["merged_orders"] == 0
            assert (await w.until(first["order_id"], "CLOSED"))["aed_on_ground_at"] is not None

    play(main())


@pytest.mark.parametrize("first_goes_first", [True, False])
def test_when_nobody_needs_it_any_more_the_drone_comes_home(tmp_path: Path, first_goes_first: bool):
    async def main() -> None:
        async with world(tmp_path, **MERGING) as w:
            first, second = await order(w, "k1"), await order(w, "k2", position=NEAR)
            await w.until(first["order_id"], "AIRBORNE")
            pair = [first["order_id"], second["order_id"]]
            for order_id in pair if first_goes_first else reversed(pair):
                assert (await cancel(w, order_id)).status_code == 200
            ended = await w.until(first["order_id"], "CANCELLED")
            assert await w.state(second["order_id"]) == "CANCELLED"
            assert ended["aed_on_ground_at"] is None
            assert ended["flights"][0]["safe_state"] == "on_pad"

    play(main())


def test_nothing_is_cancelled_once_the_aed_is_on_the_ground(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, **MERGING) as w:
            first, second = await order(w, "k1"), await order(w, "k2", position=NEAR)
            await w.until(first["order_id"], "DELIVERED")
            for order_id in (first["order_id"], second["order_id"]):
                refused = await cancel(w, order_id)
                assert (refused.status_code, refused.json()["code"]) == (409, 4004)

    play(main())


def test_a_split_order_gets_a_drone_of_its_own(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, **MERGING) as w:
            first, second = await order(w, "k1"), await order(w, "k2", position=NEAR)
            # Long after it was received, an order that is split only now is not too old.
            await w.hub.clock.sleep(20.0)
            apart = (await split(w, second["order_id"])).json()
            assert (apart["merged_into"], apart["decision"]["outcome"]) == (None, "accepted")
            assert apart["decision"]["drone_id"] != first["decision"]["drone_id"]
            again = await split(w, second["order_id"])
            assert (again.status_code, again.json()["code"]) == (409, 4004)
            await w.until(first["order_id"], "CLOSED")
            await w.until(second["order_id"], "CLOSED")
            assert flown(w) == 2
            unmerged = await split(w, first["order_id"])
            assert unmerged.status_code == 409

    play(main())


def test_an_order_is_not_split_from_the_flight_that_is_for_it_alone(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, **MERGING) as w:
            first, second = await order(w, "k1"), await order(w, "k2", position=NEAR)
            await cancel(w, first["order_id"])
            refused = await split(w, second["order_id"])
            assert refused.status_code == 409
            assert (await w.until(second["order_id"], "CLOSED"))["aed_on_ground_at"] is not None

    play(main())


def test_only_an_operator_or_its_client_splits_an_order(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, **MERGING) as w:
            await order(w, "k1")
            second = await order(w, "k2", position=NEAR)
            url = f"/v1/orders/{second['order_id']}/split"
            for scopes, status in (
                (("orders:read",), 403),
                (("orders:write", "orders:read"), 404),
                (("fleet:command", "orders:read-all"), 200),
            ):
                _, secret = await a_key(w, *scopes, client="other")
                answer = await w.client.post(url, json={"reason": "r"}, headers={"X-API-Key": secret})
                # An operator without orders:read may split; whether they may look is another matter.
                assert answer.status_code == status, (scopes, answer.text)

    play(main())


def test_the_more_urgent_order_makes_the_mission_urgent(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, **MERGING) as w:
            from hub_api.store.repositories import orders

            first = await order(w, "k1", severity="III")
            await order(w, "k2", position=NEAR, severity="I")
            stored = await w.hub.database.read(lambda s: orders.get(s, first["order_id"]))
            assert stored.severity == "I"
            assert (await w.client.get(f"/v1/orders/{first['order_id']}")).json()["severity"] == "III"

    play(main())


def test_a_declined_first_order_declines_the_second_with_its_reasons(tmp_path: Path):
    async def main() -> None:
        scripts = {f"bao-0{n}": Script(ready=False) for n in range(1, 5)}
        async with world(tmp_path, scripts=scripts, **MERGING) as w:
            one, two = await asyncio.gather(order(w, "k1"), order(w, "k2", position=NEAR))
            assert one["state"] == two["state"] == "DECLINED"
            assert one["decision"]["reasons"] == two["decision"]["reasons"]

    play(main())


def test_a_failed_mission_fails_both(tmp_path: Path):
    async def main() -> None:
        scripts = {f"bao-0{n}": Script(turns_back=True) for n in range(1, 5)}
        async with world(tmp_path, scripts=scripts, max_attempts=2, **MERGING) as w:
            first, second = await order(w, "k1"), await order(w, "k2", position=NEAR)
            await w.until(first["order_id"], "FAILED")
            failed = await w.until(second["order_id"], "FAILED")
            assert failed["finished_at"] is not None
            assert len(failed["flights"]) == 2

    play(main())


def test_orders_at_the_same_moment_are_one_mission(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, **MERGING) as w:
            placed = await asyncio.gather(*(order(w, f"k{n}", position=NEAR) for n in range(8)))
            carriers = [o["order_id"] for o in placed if o["merged_into"] is None]
            assert len(carriers) == 1
            assert all(o["decision"]["outcome"] == "accepted" for o in placed)
            assert len({o["decision"]["flight_id"] for o in placed}) == 1
            for one in placed:
                await w.until(one["order_id"], "CLOSED")
            assert flown(w) == 1

    play(main())


def test_a_merge_survives_a_restart(tmp_path: Path):
    async def before() -> tuple[str, str, Any]:
        async with world(tmp_path, **MERGING) as w:
            first, second = await order(w, "k1"), await order(w, "k2", position=NEAR)
            await w.until(first["order_id"], "AIRBORNE")
            return first["order_id"], second["order_id"], w.memories()

    async def after(first: str, second: str, memories: Any) -> None:
        async with world(
            tmp_path, epoch=EPOCH + timedelta(seconds=60), seed=2, memories=memories, **MERGING
        ) as w:
            assert await w.state(second) == "MERGED"
            again = await w.order("k2", position=NEAR)
            assert (again.status_code, again.json()["order_id"]) == (200, second)
            await w.until(first, "CLOSED")
            assert (await w.until(second, "CLOSED"))["aed_on_ground_at"] is not None
            assert (await w.client.get("/v1/audit/verification")).json()["whole"]

    play(after(*play(before())))


def test_an_order_cut_off_before_its_decision_carries_after_the_restart(tmp_path: Path):
    async def before() -> str:
        async with world(tmp_path, **MERGING) as w:
            return (await w.receive_only("k1")).order_id

    async def after(first: str) -> None:
        async with world(tmp_path, epoch=EPOCH + timedelta(seconds=20), seed=2, **MERGING) as w:
            second = await order(w, "k2", position=NEAR)
            assert second["merged_into"] == first
            assert second["decision"]["outcome"] == "accepted"
            await w.until(second["order_id"], "CLOSED")
            assert flown(w) == 1

    play(after(play(before())))


def test_a_patient_who_moves_takes_the_incident_along_and_the_merged_order_hears_of_it(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, **MERGING) as w:
            first, second = await order(w, "k1"), await order(w, "k2", position=NEAR)
            moved = PATIENT | {"latitude_deg": 22.5612}
            url = f"/v1/orders/{first['order_id']}/position"
            body = {"position": moved, "reason": "换了楼栋"}
            answer = await w.client.post(url, json=body, headers={"Idempotency-Key": "m"})
            assert answer.status_code == 200, answer.text
            seen = (await w.client.get(f"/v1/incidents/{first['incident_id']}")).json()
            assert seen["position"]["latitude_deg"] == 22.5612
            told = [e["data"].get("mission_event") for e in await w.events(second["order_id"])]
            assert "patient_moved" in told
            refused = await w.client.post(
                f"/v1/orders/{second['order_id']}/position", json=body, headers={"Idempotency-Key": "m2"}
            )
            assert refused.status_code == 409

    play(main())


@pytest.mark.parametrize("left", [False, True], ids=("shared", "cancelled meanwhile"))
def test_a_mission_that_an_automatic_order_shares_waits_for_no_second_approval(tmp_path: Path, left: bool):
    """The approved drone fails: the next one is for a patient whose other centre asks for no approval."""

    async def main() -> None:
        scripts = {"bao-01": Script(answer="refuse", answer_delay_s=3.0)}
        async with world(tmp_path, scripts=scripts, **MERGING) as w:
            first = await order(w, "k1", mode="approve")
            body = {"flight_id": first["decision"]["flight_id"]}
            answer = await w.client.post(f"/v1/orders/{first['order_id']}/approve", json=body)
            assert answer.json()["state"] == "DECIDED"
            second = await order(w, "k2", position=NEAR)
            assert (second["mode"], second["merged_into"]) == ("automatic", first["order_id"])
            if left:
                assert (await cancel(w, second["order_id"])).status_code == 200
                again = await w.until(first["order_id"], "AWAITING_APPROVAL")
                assert again["decision"]["drone_id"] != "bao-01"
                return
            closed = await w.until(second["order_id"], "CLOSED")
            assert closed["aed_on_ground_at"] is not None
            assert [flight["drone_id"] for flight in closed["flights"]] == ["bao-01", "bao-02"]
            kinds = [event["kind"] for event in await w.events(first["order_id"])]
            assert "redecision_accepted" in kinds
            assert "redecision_proposed" not in kinds

    play(main())
