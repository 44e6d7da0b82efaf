"""Two things at once, and a store that fails for a moment: nobody who waits for a drone is forgotten or refused for it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from core.errors import ErrorCode, InternalError
from flight import messages as m
from hub_api.dispatch.planning import PLAN
from hub_api.store.repositories import missions
from tests.unit.hub_api.played_drone import Memory, Script
from tests.unit.hub_api.test_approvals import APPROVE, proposed
from tests.unit.hub_api.test_deciding_together import order
from tests.unit.hub_api.test_live_airspace import feed, put
from tests.unit.hub_api.world import EPOCH, PATIENT, World, play, world

STORE_FAILED = InternalError(ErrorCode.STORE_FAILED, "the database refused to read: busy")


def test_a_flight_that_takes_another_way_while_orders_are_decided_declines_none(tmp_path: Path) -> None:
    """The traffic book must not lose the plan of a flight on which an order under way is being planned."""

    async def main() -> None:
        async with world(tmp_path) as w:
            first = await order(w, "first")
            flight_id = first["flights"][0]["flight_id"]
            # From here on the book holds the first flight's plan.
            await order(w, "second")
            decisions = w.hub.orders._decisions
            look = decisions._asking._look

            async def rerouted_meanwhile(*given: Any) -> Any:
                found = await look(*given)
                decisions.forget_plan(flight_id)
                return found

            decisions._asking._look = rerouted_meanwhile  # type: ignore[method-assign]
            third = await order(w, "third")
            assert third["decision"]["outcome"] == "accepted", third["decision"]["reasons"]

    play(main())


def test_after_it_the_other_way_is_what_the_flight_claims(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            placed = await order(w, "first")
            await order(w, "second")
            decisions = w.hub.orders._decisions
            flight_id = placed["flights"][0]["flight_id"]
            plan = PLAN.validate_python(await _plan_of(w, flight_id))
            other = m.FlightRerouted(
                event_id="evt-other-way",
                drone_id=plan.drone_id,
                flight_id=flight_id,
                at=w.hub.clock.now(),
                previous_plan_id=plan.plan_id,
                plan=PLAN.validate_python(PLAN.dump_python(plan, mode="json") | {"plan_id": "plan-other"}),
                reason="zone",
            )
            await w.hub.flights.take_event(other)
            await order(w, "third")
            assert decisions._asking._decider._turns._book._entries[flight_id].plan.plan_id == "plan-other"

    play(main())


async def _plan_of(w: World, flight_id: str) -> dict[str, Any]:
    return (await w.hub.database.read(lambda s: missions.plans_of(s, [flight_id])))[flight_id]


def test_a_patient_who_moves_all_the_time_is_not_refused_for_it(tmp_path: Path) -> None:
    """Each new position outdates the decision under way; it is no drone that was taken by somebody else."""

    async def main() -> None:
        async with world(tmp_path) as w:
            write, moved = w.hub.database.write, 0

            async def interrupted(work: Any) -> Any:
                nonlocal moved
                if getattr(getattr(work, "func", None), "__name__", "") == "_store" and moved < 7:
                    moved += 1
                    order_id = work.keywords["found"].asked.order_id
                    there = PATIENT | {"latitude_deg": 22.5601 + 0.0001 * moved}
                    answer = await w.client.post(
                        f"/v1/orders/{order_id}/position",
                        json={"position": there, "reason": "the caller walks"},
                        headers={"Idempotency-Key": f"move-{moved}"},
                    )
                    assert answer.status_code == 200, answer.text
                return await write(work)

            w.hub.database.write = interrupted  # type: ignore[method-assign]
            shown = await order(w, "key-1")
            assert shown["decision"]["outcome"] == "accepted", shown["decision"]["reasons"]
            assert len(w.planner.questions) == 8
            assert w.planner.questions[-1].patient.latitude_deg == pytest.approx(22.5608)

    play(main())


def test_an_airspace_changed_between_the_look_and_the_approval_is_seen(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, **APPROVE) as w:
            found = await proposed(w)
            write, changed = w.hub.database.write, False

            async def interrupted(work: Any) -> Any:
                nonlocal changed
                if "approve" in getattr(work, "__qualname__", "") and not changed:
                    changed = True
                    assert (await put(w, feed("LATE"))).status_code == 200
                return await write(work)

            w.hub.database.write = interrupted  # type: ignore[method-assign]
            answer = await w.client.post(
                f"/v1/orders/{found['order_id']}/approve",
                json={"flight_id": found["decision"]["flight_id"]},
            )
            assert answer.status_code == 200, answer.text
            kinds = [event["kind"] for event in await w.events(found["order_id"])]
            assert "approval_outdated" in kinds
            assert "approval_given" not in kinds

    play(main())


def test_a_decision_that_the_store_refused_is_made_as_soon_as_it_answers(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            look, refused = w.hub.orders._decisions._asking._look, 0

            def failing(*given: Any) -> Any:
                nonlocal refused
                refused += 1
                if refused <= 3:
                    raise STORE_FAILED
                return look(*given)

            w.hub.orders._decisions._asking._look = failing  # type: ignore[method-assign]
            answer = await w.order("k1")
            assert answer.status_code == 503, answer.text
            # Nobody asks again: the order is stored, and a patient waits.
            await w.hub.clock.sleep(5.0)
            (placed,) = (await w.client.get("/v1/orders")).json()["orders"]
            assert placed["state"] in ("DECIDED", "LAUNCHING")

    play(main())


def test_however_often_somebody_asks_an_order_is_tried_on_once(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            answer, asked = w.hub.orders._decisions._asking._ask_each, 0

            async def failing(_batch: Any) -> None:
                nonlocal asked
                asked += 1
                raise STORE_FAILED

            w.hub.orders._decisions._asking._ask_each = failing  # type: ignore[method-assign]
            order_id = (await w.receive_only("k1")).order_id
            for _ in range(100):
                w.hub.orders.decide_later(order_id)
                await w.hub.clock.sleep(0.1)
            asked = 0
            await w.hub.clock.sleep(60.0)
            # One that tries, ever more rarely; not one for each time that somebody asked.
            assert 1 <= asked <= 10
            w.hub.orders._decisions._asking._ask_each = answer  # type: ignore[method-assign]
            await w.until(order_id, "LAUNCHING")

    play(main())


def test_another_drone_is_chosen_although_the_store_failed_just_then(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, scripts={"bao-01": Script(answer="refuse", answer_delay_s=3.0)}) as w:
            placed = (await w.order("k1")).json()
            assert placed["decision"]["drone_id"] == "bao-01"
            look, refused = w.hub.orders._decisions._asking._look, 0

            def failing(*given: Any) -> Any:
                nonlocal refused
                refused += 1
                if refused == 1:
                    raise STORE_FAILED
                return look(*given)

            w.hub.orders._decisions._asking._look = failing  # type: ignore[method-assign]
            closed = await w.until(placed["order_id"], "CLOSED", "FAILED")
            assert closed["state"] == "CLOSED"
            assert refused >= 2

    play(main())


def test_a_hub_that_was_down_for_an_hour_sends_no_other_drone(tmp_path: Path) -> None:
    """It died while another drone was being chosen; an hour later nobody is helped by one."""

    async def first() -> tuple[str, dict[str, Memory]]:
        async with world(tmp_path, scripts={"bao-01": Script(answer="refuse")}) as w:

            async def never(*_given: Any) -> Any:
                await asyncio.Event().wait()

            placed = (await w.order("k1")).json()
            w.hub.orders._decisions.decide = never  # type: ignore[method-assign]
            await w.until(placed["order_id"], "REDECIDING")
            return placed["order_id"], w.memories()

    order_id, memories = play(first())

    async def again(minutes: int, seed: int) -> str:
        epoch = EPOCH + timedelta(minutes=minutes)
        async with world(tmp_path, epoch=epoch, seed=seed, memories=memories) as w:
            over = await w.until(order_id, "FAILED", "CLOSED")
            if over["state"] == "FAILED":
                assert over["decision"]["reasons"][0]["code"] == "order_too_old"
            return str(over["state"])

    assert play(again(60, 2)) == "FAILED"


def test_a_zone_that_no_longer_restricts_is_taken_back_from_the_drones(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            placed = await order(w, "k1")
            drone = w.drones[placed["decision"]["drone_id"]]
            await put(w, feed("P1"))
            await w.hub.clock.sleep(2.0)
            changed = (await put(w, feed("P1", restriction="NO_RESTRICTION"))).json()
            assert changed["changed"] == ["P1"]
            await w.hub.clock.sleep(2.0)
            # The same zone, far away now: nothing of it is left here either.
            await put(w, feed("P1"))
            await w.hub.clock.sleep(2.0)
            assert (await put(w, feed("P1", at=[114.2, 22.9]))).json()["changed"] == ["P1"]
            await w.hub.clock.sleep(2.0)
            # What is not answered comes again under its own id.
            told = {c.command_id: c for c in drone.commands if isinstance(c, m.ZoneActivated | m.ZoneCleared)}
            kinds = [command.kind for command in told.values()]
            assert kinds == ["zone_activated", "zone_cleared", "zone_activated", "zone_cleared"]

    play(main())


@pytest.mark.parametrize("mode", ["automatic", "approve"])
def test_a_drone_taken_out_of_service_at_that_moment_does_not_fly(tmp_path: Path, mode: str) -> None:
    """Between the plan and its command somebody takes it out, and may be at its propellers."""

    async def main() -> None:
        async with world(tmp_path, default_mode=mode) as w:
            write, out = w.hub.database.write, False

            async def interrupted(work: Any) -> Any:
                nonlocal out
                name = getattr(getattr(work, "func", work), "__qualname__", "")
                if not out and ("approve" in name if mode == "approve" else name.endswith("._store")):
                    out = True
                    answer = await w.client.post(
                        "/v1/drones/bao-01/out-of-service", json={"reason": "a propeller is nicked"}
                    )
                    assert answer.status_code in (200, 204), answer.text
                return await write(work)

            w.hub.database.write = interrupted  # type: ignore[method-assign]
            placed = (await w.order("k1")).json()
            if mode == "approve":
                assert placed["decision"]["drone_id"] == "bao-01"
                url = f"/v1/orders/{placed['order_id']}/approve"
                body = {"flight_id": placed["decision"]["flight_id"]}
                placed = (await w.client.post(url, json=body)).json()
            assert out
            assert placed["decision"]["outcome"] == "accepted"
            assert placed["decision"]["drone_id"] != "bao-01"
            await w.hub.clock.sleep(20.0)
            assert w.drones["bao-01"].flown == []

    play(main())
