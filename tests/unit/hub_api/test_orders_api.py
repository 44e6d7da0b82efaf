"""An order's life as an emergency centre sees it, over HTTP."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from core.gcj02 import wgs84_to_gcj02
from core.geodesy import Wgs84Point
from tests.unit.hub_api.played_drone import Script
from tests.unit.hub_api.world import EPOCH, play, world

pytestmark = pytest.mark.usefixtures("each_database")


def test_an_order_is_delivered_and_closed(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            answer = await w.order()
            assert answer.status_code == 201, answer.text
            order = answer.json()
            decision = order["decision"]
            assert decision["outcome"] == "accepted"
            assert decision["drone_id"] in w.drones
            assert decision["eta"]["aed_on_ground_s"] == 94.0
            assert decision["eta"]["aed_on_ground_at"] > decision["decided_at"]
            assert decision["landing_point"]["name_zh"]
            assert {c["verdict"] for c in decision["candidates"]} == {"chosen", "possible"}
            closed = await w.until(order["order_id"], "CLOSED")
            assert closed["aed_on_ground_at"] is not None
            (flight,) = closed["flights"]
            assert flight["safe_state"] == "on_pad"
            assert flight["flight_id"] == decision["flight_id"]
            assert w.drones[decision["drone_id"]].flown == [decision["flight_id"]]
            states = [e["state"] for e in await w.events(order["order_id"])]
            distinct = [s for i, s in enumerate(states) if i == 0 or s != states[i - 1]]
            assert distinct == [
                "RECEIVED",
                "DECIDED",
                "LAUNCHING",
                "AIRBORNE",
                "DELIVERING",
                "DELIVERED",
                "RETURNING",
                "CLOSED",
            ]

    play(main())


@pytest.mark.parametrize("ambulance", [None, "2026-03-01T08:20:00Z"])
def test_an_answer_says_what_is_stored(tmp_path: Path, ambulance: str | None):
    """It is made of what was just stored, and not read again."""

    async def main() -> None:
        async with world(tmp_path) as w:
            fields = {} if ambulance is None else {"ambulance_eta_at": ambulance}
            for number in range(len(w.drones) + 1):
                answer = await w.order(f"k{number}", separate=True, **fields)
                told = answer.json()
                read = (await w.client.get(f"/v1/orders/{told['order_id']}")).json()
                if told["decision"]["outcome"] == "accepted":
                    # Its drone may have answered meanwhile.
                    assert told["state"] == "DECIDED"
                    told["state"] = told["mission_state"] = read["state"]
                    told["flights"][0]["accepted_at"] = read["flights"][0]["accepted_at"]
                    told["flights"][0]["phase"] = read["flights"][0]["phase"]
                    told["live"] = read["live"]
                assert told == read
            assert told["decision"]["outcome"] == "declined"

    play(main())


def test_the_same_key_and_body_fly_once(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            first = await w.order("same")
            again = await w.order("same")
            assert (first.status_code, again.status_code) == (201, 200)
            assert "Idempotent-Replay" not in first.headers
            assert again.headers["Idempotent-Replay"] == "true"
            assert again.json()["order_id"] == first.json()["order_id"]
            await w.until(first.json()["order_id"], "CLOSED")
            late = await w.order("same")
            assert late.status_code == 200
            assert late.json()["state"] == "CLOSED"
            assert sum(len(d.flown) for d in w.drones.values()) == 1

    play(main())


def test_the_same_key_with_another_body_is_a_conflict(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            await w.order("same")
            other = await w.order("same", severity="II")
            assert other.status_code == 409
            assert other.headers["content-type"] == "application/problem+json"
            assert other.json()["code"] == 4003
            assert len((await w.client.get("/v1/orders")).json()["orders"]) == 1

    play(main())


def test_a_key_is_free_again_after_a_day_and_not_before(tmp_path: Path):
    async def place(at: datetime, severity: str) -> httpx.Response:
        async with world(tmp_path, epoch=at, seed=at.hour + 1) as w:
            return await w.order("same", severity=severity)

    first = play(place(EPOCH, "I"))
    assert play(place(EPOCH + timedelta(hours=23), "II")).status_code == 409
    second = play(place(EPOCH + timedelta(hours=25), "II"))
    assert second.status_code == 201
    assert second.json()["order_id"] != first.json()["order_id"]


def test_equal_orders_at_the_same_moment_are_one(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            answers = await asyncio.gather(*(w.order("same") for _ in range(10)))
            assert sorted(a.status_code for a in answers) == [200] * 9 + [201]
            assert len({a.json()["order_id"] for a in answers}) == 1
            assert all(a.json()["decision"]["outcome"] == "accepted" for a in answers)
            await w.until(answers[0].json()["order_id"], "CLOSED")
            assert sum(len(d.flown) for d in w.drones.values()) == 1

    play(main())


def test_as_many_orders_as_drones_fly_and_the_next_is_declined_with_reasons(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            count = len(w.drones)
            answers = await asyncio.gather(*(w.order(f"k{i}") for i in range(count + 1)))
            assert all(a.status_code == 201 for a in answers)
            decisions = [a.json()["decision"] for a in answers]
            accepted = [d for d in decisions if d["outcome"] == "accepted"]
            (declined,) = [d for d in decisions if d["outcome"] == "declined"]
            assert {d["drone_id"] for d in accepted} == set(w.drones)
            assert declined["reasons"][0]["detail_zh"]
            assert declined["candidates"]
            for candidate in declined["candidates"]:
                assert candidate["verdict"] == "refused"
                assert [r["code"] for r in candidate["reasons"]] == ["on_mission"]
            for answer in answers:
                await w.until(answer.json()["order_id"], "CLOSED", "DECLINED")
            # Every drone is free again.
            assert (await w.order("later")).json()["decision"]["outcome"] == "accepted"

    play(main())


def test_a_gcj02_position_is_converted_and_shown_both_ways(tmp_path: Path):
    async def main() -> None:
        truth = Wgs84Point(22.5601, 113.8901)
        shifted = wgs84_to_gcj02(truth)
        async with world(tmp_path) as w:
            position = {
                "reference_system": "GCJ-02",
                "latitude_deg": shifted.latitude_deg,
                "longitude_deg": shifted.longitude_deg,
            }
            shown = (await w.order(position=position)).json()["position"]
            assert shown["latitude_deg"] == shifted.latitude_deg
            assert shown["wgs84_latitude_deg"] == pytest.approx(truth.latitude_deg, abs=1e-7)
            assert shown["wgs84_longitude_deg"] == pytest.approx(truth.longitude_deg, abs=1e-7)
            (question,) = w.planner.questions
            assert question.patient.latitude_deg == pytest.approx(truth.latitude_deg, abs=1e-7)

    play(main())


def test_a_cancel_before_take_off_keeps_the_drone_on_the_ground(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            order_id = (await w.order()).json()["order_id"]
            await w.until(order_id, "LAUNCHING")
            answer = await w.client.post(f"/v1/orders/{order_id}/cancel", json={"reason": "误报"})
            assert answer.status_code == 200
            assert answer.json()["state"] == "CANCELLING"
            done = await w.until(order_id, "CANCELLED")
            assert done["flights"][0]["safe_state"] == "never_left_ground"
            assert done["flights"][0]["airborne_at"] is None
            again = await w.client.post(f"/v1/orders/{order_id}/cancel", json={"reason": "误报"})
            assert (again.status_code, again.json()["state"]) == (200, "CANCELLED")

    play(main())


def test_a_cancel_in_the_air_brings_the_drone_home(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            order_id = (await w.order()).json()["order_id"]
            await w.until(order_id, "AIRBORNE")
            await w.client.post(f"/v1/orders/{order_id}/cancel", json={"reason": "ambulance arrived"})
            done = await w.until(order_id, "CANCELLED")
            assert done["flights"][0]["safe_state"] == "on_pad"
            assert done["aed_on_ground_at"] is None
            kinds = [e["kind"] for e in await w.events(order_id)]
            assert "cancel_requested" in kinds
            assert "aed_on_ground" not in kinds

    play(main())


def test_a_cancel_after_the_delivery_is_refused(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            order_id = (await w.order()).json()["order_id"]
            await w.until(order_id, "DELIVERED", "RETURNING")
            answer = await w.client.post(f"/v1/orders/{order_id}/cancel", json={"reason": "too late"})
            assert answer.status_code == 409
            assert answer.json()["code"] == 4004
            assert await w.state(order_id) in {"DELIVERED", "RETURNING"}
            await w.until(order_id, "CLOSED")

    play(main())


def test_a_drone_that_refuses_is_replaced(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, scripts={"bao-01": Script(answer="refuse")}) as w:
            order = (await w.order()).json()
            assert order["decision"]["drone_id"] == "bao-01"
            closed = await w.until(order["order_id"], "CLOSED")
            first, second = closed["flights"]
            assert (first["drone_id"], first["safe_state"]) == ("bao-01", "never_left_ground")
            assert second["drone_id"] != "bao-01"
            assert second["aed_on_ground_at"] is not None
            assert closed["decision"]["drone_id"] == second["drone_id"]

    play(main())


def test_a_drone_that_turns_back_is_replaced_and_the_order_waits_for_both(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, scripts={"bao-01": Script(turns_back=True, phase_s=60.0)}) as w:
            order = (await w.order()).json()
            delivered = await w.until(order["order_id"], "DELIVERED", "RETURNING")
            assert [f["ended_at"] is None for f in delivered["flights"]] == [True, True]
            closed = await w.until(order["order_id"], "CLOSED")
            assert [f["safe_state"] for f in closed["flights"]] == ["on_pad", "on_pad"]

    play(main())


def test_a_silent_drone_is_replaced_and_called_back(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, scripts={"bao-01": Script(answer="silent")}) as w:
            order = (await w.order()).json()
            await w.until(order["order_id"], "DELIVERED", "RETURNING")
            kinds = [command.kind for command in w.drones["bao-01"].commands]
            assert kinds.count("fly_mission") >= 2
            assert "abort_flight" in kinds
            assert len(w.drones["bao-01"].flown) == 0
            assert "command_unanswered" in [e["kind"] for e in await w.events(order["order_id"])]

    play(main())


def test_no_drone_left_to_try_fails_the_order_with_reasons(tmp_path: Path):
    async def main() -> None:
        scripts = {f"bao-0{i}": Script(answer="refuse") for i in range(1, 9)}
        async with world(tmp_path, scripts=scripts, max_attempts=10) as w:
            order = (await w.order()).json()
            failed = await w.until(order["order_id"], "FAILED")
            assert failed["decision"]["outcome"] == "declined"
            assert failed["decision"]["candidates"]
            assert all(
                [r["code"] for r in c["reasons"]] == ["tried_before"]
                for c in failed["decision"]["candidates"]
            )
            assert len(failed["flights"]) == len(w.drones)

    play(main())


def test_drones_that_are_not_ready_say_why(tmp_path: Path):
    async def main() -> None:
        scripts = {
            "bao-01": Script(ready=False),
            "bao-02": Script(silent_from_start=True),
        }
        async with world(tmp_path, scripts=scripts, fleet_settle_s=2.0) as w:
            order = (await w.order()).json()
            reasons = {
                c["drone_id"]: [r["code"] for r in c["reasons"]] for c in order["decision"]["candidates"]
            }
            assert reasons["bao-01"] == ["gps_no_fix"]
            assert reasons["bao-02"] == ["never_reported"]
            drones = {d["drone_id"]: d for d in (await w.client.get("/v1/drones")).json()["drones"]}
            assert drones["bao-01"]["ready"] is False
            assert drones["bao-01"]["not_ready_reasons"][0]["detail_zh"] == "未定位"
            assert drones["bao-02"]["telemetry"] is None
            assert drones["bao-03"]["telemetry"]["age_s"] < 5
            # A drone that is away for good delays nobody once the hub has settled.
            before_s = w.hub.clock.monotonic_s()
            await w.order("later")
            assert w.hub.clock.monotonic_s() == before_s
            health = (await w.client.get("/v1/health")).json()
            assert (health["status"], health["drones"], health["drones_ready"]) == ("degraded", 4, 0)

    play(main())


def test_a_person_can_call_a_drone_home_and_reads_the_answer(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, max_attempts=1) as w:
            order = (await w.order()).json()
            drone_id = order["decision"]["drone_id"]
            await w.until(order["order_id"], "AIRBORNE")
            body = {"command": "abort_flight", "reason": "雷暴"}
            answer = await w.client.post(f"/v1/drones/{drone_id}/commands", json=body)
            assert answer.json()["outcome"] == "accepted"
            failed = await w.until(order["order_id"], "FAILED")
            assert failed["flights"][0]["safe_state"] == "on_pad"
            assert "operator_command" in [e["kind"] for e in await w.events(order["order_id"])]
            idle = await w.client.post(f"/v1/drones/{drone_id}/commands", json=body)
            assert (idle.status_code, idle.json()["code"]) == (409, 4004)
            unknown = await w.client.post("/v1/drones/none/commands", json=body)
            assert (unknown.status_code, unknown.json()["code"]) == (404, 4005)

    play(main())


def test_a_loaded_aed_is_confirmed_to_the_drone(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, scripts={"bao-02": Script(deaf=True)}) as w:
            body = {"confirmed_by": "王工"}
            heard = await w.client.post("/v1/drones/bao-01/aed-loaded", json=body)
            assert heard.json()["outcome"] == "accepted"
            deaf = await w.client.post("/v1/drones/bao-02/aed-loaded", json=body)
            assert deaf.json()["outcome"] == "pending"
            # Somebody stood at the drone and says that it may fly: that is written down, with the credentials.
            for drone_id, said in (("bao-01", heard), ("bao-02", deaf)):
                page = (await w.client.get("/v1/audit", params={"subject": drone_id})).json()
                (entry,) = page["entries"]
                assert entry["action"] == "aed_loaded_confirmed"
                assert entry["actor_id"].startswith("key_")
                assert json.loads(entry["detail"]) == {
                    "confirmed_by": "王工",
                    "command_id": said.json()["command_id"],
                }

    play(main())
