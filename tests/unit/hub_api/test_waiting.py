"""An order that lost its drone waits for another one, is told until when, and ends with a reason of its own."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hub_api.dispatch.hope import NO_HOPE, Hope, coming_home_empty, hope_of
from hub_api.dispatch.order_states import OrderState
from hub_api.dispatch.planning import Answer
from hub_api.dispatch.verdicts import NOTHING_TOLD
from hub_api.dispatch.waiting import AGAIN_S, ANYWAY_S, WaitingPolicy, no_drone_in_time
from hub_api.store.records import OrderRecord
from hub_api.store.repositories import missions, orders
from planner.reasons import Reason
from tests.unit.hub_api.played_drone import Memory, Script
from tests.unit.hub_api.test_live_airspace import feed, put
from tests.unit.hub_api.test_pre_emption import FAR, kinds, one_drone_site, placed
from tests.unit.hub_api.test_weather import post as reading
from tests.unit.hub_api.world import EPOCH, World, play, world

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
POLICY = WaitingPolicy(wait_s=300.0, longest_s=600.0)
BY_ITSELF = Hope(("d",))


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
    return Answer(plan=None, told=NOTHING_TOLD, reasons=(Reason(code, "…", "…"),), airspace_version="")


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("order", "code", "hope", "now_s", "until_s"),
    [
        (an_order(), "no_candidate", BY_ITSELF, 10.0, 310.0),
        (an_order(), "no_candidate", BY_ITSELF, 400.0, 600.0),
        (an_order(), "no_candidate", BY_ITSELF, 600.0, None),
        (an_order(), "no_candidate", NO_HOPE, 10.0, None),
        (an_order(), "attempts_exhausted", BY_ITSELF, 10.0, None),
        (an_order(), "no_benefit", BY_ITSELF, 10.0, None),
        (an_order(OrderState.RECEIVED), "no_candidate", BY_ITSELF, 10.0, None),
        (an_order(OrderState.WAITING, waiting_until=at(310)), "no_candidate", NO_HOPE, 309.0, 310.0),
        (an_order(OrderState.WAITING, waiting_until=at(310)), "no_candidate", BY_ITSELF, 310.0, None),
        (an_order(OrderState.WAITING, waiting_until=at(310)), "planning_failed", BY_ITSELF, 20.0, None),
        (an_order(waiting_until=at(310)), "no_candidate", BY_ITSELF, 200.0, 310.0),
    ],
)
def test_how_long_an_order_waits(
    order: OrderRecord, code: str, hope: Hope, now_s: float, until_s: float | None
):
    waits = POLICY.until(order, no(code), hope, at(now_s))
    assert (None if waits is None else waits[0]) == (None if until_s is None else at(until_s))


@pytest.mark.parametrize(("home_s", "in_time"), [(None, True), (250.0, True), (251.0, False)])
def test_a_drone_that_comes_home_empty_is_hope_only_if_it_can_be_loaded_in_time(
    home_s: float | None, in_time: bool
):
    hope = Hope((), {"d": None if home_s is None else at(home_s)})
    waits = POLICY.until(an_order(), no("no_candidate"), hope, at(10.0))
    assert (waits is not None) is in_time
    # Beside another hope it is not named where it can't come in time.
    waits = POLICY.until(an_order(), no("no_candidate"), Hope(("e",), hope.with_another_aed), at(10.0))
    assert waits is not None
    assert waits[1] == Hope(("e",), hope.with_another_aed if in_time else {})


def test_zero_means_not_at_all():
    assert WaitingPolicy(0.0, 600.0).until(an_order(), no("no_candidate"), BY_ITSELF, NOW) is None


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
            # It flies for the urgent patient and leaves its AED there.
            assert (told["data"]["may_come"], told["data"]["needs_aed"]) == ([], ["bao-01"])
            assert "bao-01" in told["detail"]
            assert "bao-01" in told["detail_zh"]
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
            assert not hope_of(w.hub.fleet.views({}), {})
            views = w.hub.fleet.views({"bao-01": "mis_1", "bao-02": "mis_2"})
            assert hope_of(views, {}) == Hope(("bao-01", "bao-02"))
            assert hope_of(views, {"bao-01": NOW}) == Hope(("bao-02",), {"bao-01": NOW})

    play(main())


def test_a_drone_that_leaves_its_aed_elsewhere_is_told_from_one_that_keeps_it(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, site=one_drone_site(2)) as w:

            async def empty() -> set[str]:
                reserved = await w.hub.database.read(missions.reserved_drones)
                assert set(reserved) <= {"bao-01", "bao-02"}
                return set(await w.hub.database.read(lambda s: coming_home_empty(s, reserved)))

            first, second = await placed(w, "first", "II"), await placed(w, "second", "II", position=FAR)
            assert await empty() == {"bao-01", "bao-02"}
            await w.until(second["order_id"], "AIRBORNE")
            url = f"/v1/orders/{second['order_id']}/cancel"
            assert (await w.client.post(url, json={"reason": "误报"})).status_code == 200
            assert await empty() == {"bao-01"}
            await w.until(first["order_id"], "RETURNING")
            assert await empty() == {"bao-01"}
            await w.until(first["order_id"], "CLOSED")
            assert await empty() == set()

    play(main())


def test_a_proposed_flight_keeps_its_aed(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, site=one_drone_site(), default_mode="approve") as w:
            assert (await w.order()).json()["state"] == "AWAITING_APPROVAL"
            reserved = await w.hub.database.read(missions.reserved_drones)
            assert set(reserved) == {"bao-01"}
            assert await w.hub.database.read(lambda s: coming_home_empty(s, reserved)) == {}

    play(main())


def test_where_the_only_drone_is_home_too_late_the_order_fails_at_once(tmp_path: Path):
    async def main() -> None:
        scripts = {"bao-02": Script(answer="refuse")}
        async with world(tmp_path, site=one_drone_site(2), scripts=scripts, drone_wait_s=200.0) as w:
            other = await placed(w, "other", "II", position=FAR)
            await w.until(other["order_id"], "AIRBORNE")
            order = await placed(w, "k", "II")
            await w.until(order["order_id"], "FAILED")
            assert "waiting_for_drone" not in await kinds(w, order["order_id"])

    play(main())


async def decisions_of(w: World, order_id: str) -> list[str]:
    return [e["data"]["why"] for e in await w.events(order_id) if e["kind"] == "decided_again"]


@pytest.mark.usefixtures("each_database")
def test_weather_airspace_and_drones_have_it_decided_again_and_the_story_says_which(tmp_path: Path):
    async def main() -> None:
        scripts = {"bao-01": Script(phase_s=30.0)}
        async with one_waits(tmp_path, drone_wait_s=600.0, scripts=scripts) as (w, waits, _urgent):
            order_id = waits["order_id"]
            await w.hub.clock.sleep(3.0)
            asked: list[datetime] = []
            decide = w.hub.orders._decisions.decide

            async def counting(decided: str) -> OrderRecord:
                if decided == order_id:
                    asked.append(w.hub.clock.now())
                return await decide(decided)

            w.hub.orders._decisions.decide = counting  # type: ignore[method-assign]
            await w.hub.clock.sleep(ANYWAY_S - 5.0)
            assert asked == []
            assert await decisions_of(w, order_id) == []

            async def wind(speed_m_s: float) -> None:
                measured_at = w.hub.clock.now().isoformat()
                station = w.hub.site.drones[0].station_id
                answer = await reading(
                    w, station, speed_m_s=speed_m_s, from_deg=90.0, measured_at=measured_at
                )
                assert answer.status_code == 204, answer.text

            await wind(4.0)
            await w.hub.clock.sleep(2.0)
            assert await decisions_of(w, order_id) == ["weather_changed"]
            assert len(asked) == 1
            # The same again, or its last digit, is no change; and a gusty sensor is not asked after every word.
            await wind(4.1)
            await w.hub.clock.sleep(2.0)
            assert len(asked) == 1
            await wind(9.0)
            await w.hub.clock.sleep(2.0)
            assert len(asked) == 1
            await w.hub.clock.sleep(AGAIN_S)
            assert await decisions_of(w, order_id) == ["weather_changed"] * 2
            # Nothing changes: it is looked at all the same, without a word.
            count = len(asked)
            await w.hub.clock.sleep(ANYWAY_S + 2.0)
            assert len(asked) == count + 1
            assert await decisions_of(w, order_id) == ["weather_changed"] * 2
            changed = await put(w, feed("W1"))
            assert changed.status_code == 200, changed.text
            await w.hub.clock.sleep(AGAIN_S + 2.0)
            assert (await decisions_of(w, order_id))[2:] == ["airspace_changed"]
            closed = await w.until(order_id, "CLOSED")
            assert (await decisions_of(w, order_id))[-1] == "drone_ready"
            (told,) = [e for e in await w.events(order_id) if e["data"].get("why") == "drone_ready"]
            assert "bao-01" in told["detail"]
            assert closed["aed_on_ground_at"] is not None

    play(main())


def test_the_reason_names_the_moment():
    reason = no_drone_in_time(NOW)
    assert "08:00:00" in reason.detail
    assert "08:00:00" in reason.detail_zh
