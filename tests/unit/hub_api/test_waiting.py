"""An order that lost its drone waits for another one, is told until when, and ends with a reason of its own."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hub_api.dispatch.order_states import OrderState
from hub_api.dispatch.planning import Answer
from hub_api.dispatch.waiting import WaitingPolicy, may_come, no_drone_in_time
from hub_api.store.records import OrderRecord
from hub_api.store.repositories import orders
from planner.reasons import Reason
from tests.unit.hub_api.played_drone import Memory, Script
from tests.unit.hub_api.test_pre_emption import FAR, kinds, one_drone_site, placed
from tests.unit.hub_api.world import EPOCH, World, play, world

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
POLICY = WaitingPolicy(wait_s=300.0, longest_s=600.0)


def an_order(state: OrderState = OrderState.REDECIDING, **changes: Any) -> OrderRecord:
    fields: dict[str, Any] = {
        "order_id": "ord_1",
        "client": "c",
        "state": state,
        "version": 1,
        "received_at": NOW,
        "request": {},
        "latitude_deg": 22.5,
        "longitude_deg": 113.9,
        "severity": "II",
    }
    return OrderRecord(**(fields | changes))


def no(code: str) -> Answer:
    return Answer(plan=None, candidates=(), reasons=(Reason(code, "…", "…"),), airspace_version="")


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("order", "code", "coming", "now_s", "until_s"),
    [
        (an_order(), "no_candidate", ("d",), 10.0, 310.0),
        (an_order(), "no_candidate", ("d",), 400.0, 600.0),
        (an_order(), "no_candidate", ("d",), 600.0, None),
        (an_order(), "no_candidate", (), 10.0, None),
        (an_order(), "attempts_exhausted", ("d",), 10.0, None),
        (an_order(), "no_benefit", ("d",), 10.0, None),
        (an_order(OrderState.RECEIVED), "no_candidate", ("d",), 10.0, None),
        (an_order(OrderState.WAITING, waiting_until=at(310)), "no_candidate", (), 309.0, 310.0),
        (an_order(OrderState.WAITING, waiting_until=at(310)), "no_candidate", ("d",), 310.0, None),
        (an_order(OrderState.WAITING, waiting_until=at(310)), "planning_failed", ("d",), 20.0, None),
        (an_order(waiting_until=at(310)), "no_candidate", ("d",), 200.0, 310.0),
    ],
)
def test_how_long_an_order_waits(
    order: OrderRecord, code: str, coming: tuple[str, ...], now_s: float, until_s: float | None
):
    until = POLICY.until(order, no(code), coming, at(now_s))
    assert until == (None if until_s is None else at(until_s))


def test_zero_means_not_at_all():
    assert WaitingPolicy(0.0, 600.0).until(an_order(), no("no_candidate"), ("d",), NOW) is None


@asynccontextmanager
async def one_waits(
    folder: Path, **settings: Any
) -> AsyncIterator[tuple[World, dict[str, Any], dict[str, Any]]]:
    """The only drone has gone to a more urgent patient."""
    async with world(folder, site=one_drone_site(), **settings) as w:
        calm = await placed(w, "calm", "IV", callback_url="https://dispatch.example/u")
        await w.until(calm["order_id"], "LAUNCHING")
        urgent = await placed(w, "urgent", "I", position=FAR)
        yield w, await w.until(calm["order_id"], "WAITING"), urgent


@pytest.mark.usefixtures("each_database")
def test_it_is_told_until_when_and_fails_then_with_a_reason(tmp_path: Path):
    async def main() -> None:
        async with one_waits(tmp_path, drone_wait_s=20.0) as (w, waits, urgent):
            until = datetime.fromisoformat(waits["waiting_until"])
            assert 18.0 <= (until - w.hub.clock.now()).total_seconds() <= 20.0
            (told,) = [e for e in await w.events(waits["order_id"]) if e["kind"] == "waiting_for_drone"]
            assert told["data"]["may_come"] == ["bao-01"]
            assert datetime.fromisoformat(told["data"]["waiting_until"]) == until
            failed = await w.until(waits["order_id"], "FAILED")
            assert 0.0 <= (w.hub.clock.now() - until).total_seconds() < 3.0
            assert failed["waiting_until"] is None
            assert failed["decision"]["reasons"][0]["code"] == "no_drone_in_time"
            await w.until(urgent["order_id"], "CLOSED")
            sent = [json.loads(request.content) for request in w.callbacks]
            assert {"waiting_for_drone", "redecision_declined"} <= {update["kind"] for update in sent}
            assert "WAITING" in {update["state"] for update in sent}
            stored = await w.hub.database.read(lambda s: orders.get(s, waits["order_id"]))
            assert stored.non_flight_reason == "no_drone_in_time"

    play(main())


@pytest.mark.usefixtures("each_database")
def test_a_waiting_order_may_be_cancelled(tmp_path: Path):
    async def main() -> None:
        async with one_waits(tmp_path) as (w, waits, urgent):
            url = f"/v1/orders/{waits['order_id']}/cancel"
            assert (await w.client.post(url, json={"reason": "误报"})).json()["state"] == "CANCELLED"
            await w.until(urgent["order_id"], "CLOSED")
            await w.hub.clock.sleep(60.0)
            assert await w.state(waits["order_id"]) == "CANCELLED"

    play(main())


def test_a_patient_who_moves_meanwhile_does_not_wait_longer(tmp_path: Path):
    async def main() -> None:
        async with one_waits(tmp_path) as (w, waits, _):
            there = {"reference_system": "WGS-84", "latitude_deg": 22.5701, "longitude_deg": 113.8951}
            answer = await w.client.post(
                f"/v1/orders/{waits['order_id']}/position",
                json={"position": there, "reason": "caller walked"},
                headers={"Idempotency-Key": "moved"},
            )
            assert answer.status_code == 200, answer.text
            again = await w.until(waits["order_id"], "WAITING")
            assert again["waiting_until"] == waits["waiting_until"]
            closed = await w.until(waits["order_id"], "CLOSED")
            assert closed["position"]["latitude_deg"] == there["latitude_deg"]

    play(main())


@pytest.mark.usefixtures("each_database")
def test_a_hub_killed_meanwhile_goes_on_waiting(tmp_path: Path):
    async def first() -> tuple[str, str, dict[str, Memory]]:
        async with one_waits(tmp_path) as (w, waits, _):
            return waits["order_id"], waits["waiting_until"], w.memories()

    order_id, until, memories = play(first())

    async def second(after_s: float, state: str) -> None:
        again = EPOCH + timedelta(seconds=after_s)
        async with world(tmp_path, site=one_drone_site(), epoch=again, seed=2, memories=memories) as w:
            order = (await w.client.get(f"/v1/orders/{order_id}")).json()
            assert (order["state"], order["waiting_until"]) == ("WAITING", until)
            closed = await w.until(order_id, state)
            if state == "FAILED":
                assert closed["decision"]["reasons"][0]["code"] == "no_drone_in_time"

    play(second(30.0, "CLOSED"))


def test_a_hub_that_comes_back_too_late_says_so(tmp_path: Path):
    async def first() -> str:
        async with one_waits(tmp_path, drone_wait_s=60.0) as (_, waits, _urgent):
            order_id: str = waits["order_id"]
            return order_id

    order_id = play(first())

    async def second() -> None:
        again = EPOCH + timedelta(seconds=500)
        # The drone never comes up again.
        scripts = {"bao-01": Script(silent_from_start=True)}
        async with world(tmp_path, site=one_drone_site(), epoch=again, seed=2, scripts=scripts) as w:
            failed = await w.until(order_id, "FAILED")
            assert failed["decision"]["reasons"][0]["code"] == "no_drone_in_time"

    play(second())


@pytest.mark.usefixtures("each_database")
def test_of_two_that_wait_the_more_urgent_gets_the_drone(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, site=one_drone_site(2)) as w:
            places = [
                {"reference_system": "WGS-84", "latitude_deg": 22.56 + k * 0.01, "longitude_deg": 113.89}
                for k in range(4)
            ]
            third = await placed(w, "third", "IV", position=places[0])
            second = await placed(w, "second", "III", position=places[1])
            for order in (third, second):
                await w.until(order["order_id"], "LAUNCHING")
            for number, place in enumerate(places[2:]):
                await placed(w, f"urgent{number}", "I", position=place)
            for order in (third, second):
                await w.until(order["order_id"], "WAITING")
            first_home = await w.until(second["order_id"], "CLOSED")
            later = await w.until(third["order_id"], "CLOSED")
            assert first_home["aed_on_ground_at"] <= later["aed_on_ground_at"]

    play(main())


@pytest.mark.parametrize(
    ("script", "end"),
    [
        (Script(answer="refuse"), "CLOSED"),
        # Nobody knows where that drone is: the order is watched on.
        (Script(answer="silent"), "RETURNING"),
        (Script(deaf=True), "RETURNING"),
    ],
    ids=("refuses", "silent", "deaf"),
)
def test_a_drone_that_fails_before_take_off_is_replaced_by_one_that_is_ready(
    tmp_path: Path, script: Script, end: str
):
    async def main() -> None:
        async with world(tmp_path, site=one_drone_site(2), scripts={"bao-01": script}) as w:
            order = await placed(w, "k", "II")
            assert order["decision"]["drone_id"] == "bao-01"
            delivered = await w.until(order["order_id"], end)
            assert delivered["aed_on_ground_at"] is not None
            assert [flight["drone_id"] for flight in delivered["flights"]] == ["bao-01", "bao-02"]
            assert "waiting_for_drone" not in await kinds(w, order["order_id"])

    play(main())


def test_a_drone_that_fails_before_take_off_is_replaced_by_one_that_comes_home(tmp_path: Path):
    async def main() -> None:
        scripts = {"bao-02": Script(answer="refuse")}
        async with world(tmp_path, site=one_drone_site(2), scripts=scripts) as w:
            other = await placed(w, "other", "II", position=FAR)
            await w.until(other["order_id"], "AIRBORNE")
            order = await placed(w, "k", "II")
            assert order["decision"]["drone_id"] == "bao-02"
            await w.until(order["order_id"], "WAITING")
            closed = await w.until(order["order_id"], "CLOSED")
            assert [flight["drone_id"] for flight in closed["flights"]] == ["bao-02", "bao-01"]

    play(main())


def test_without_a_drone_that_may_come_it_fails_at_once(tmp_path: Path):
    async def main() -> None:
        scripts = {"bao-01": Script(answer="refuse"), "bao-02": Script(ready=False)}
        async with world(tmp_path, site=one_drone_site(2), scripts=scripts, fleet_settle_s=1.0) as w:
            await w.hub.clock.sleep(2)
            order = await placed(w, "k", "II")
            failed = await w.until(order["order_id"], "FAILED")
            assert "waiting_for_drone" not in await kinds(w, order["order_id"])
            assert failed["decision"]["reasons"][0]["code"] != "no_drone_in_time"

    play(main())


def test_only_what_ends_by_itself_is_hope(tmp_path: Path):
    async def main() -> None:
        scripts = {"bao-02": Script(ready=False)}
        async with world(tmp_path, site=one_drone_site(2), scripts=scripts, fleet_settle_s=1.0) as w:
            await w.hub.clock.sleep(2)
            assert may_come(w.hub.fleet.views({})) == ()
            assert may_come(w.hub.fleet.views({"bao-01": "mis_1", "bao-02": "mis_2"})) == ("bao-01", "bao-02")

    play(main())


def test_the_reason_names_the_moment():
    reason = no_drone_in_time(NOW)
    assert "08:00:00" in reason.detail
    assert "08:00:00" in reason.detail_zh
