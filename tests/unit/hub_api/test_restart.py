"""A hub that is gone in the middle of an order and comes back: nothing lost, nothing doubled.

The hub stops without a word (its tasks are cancelled wherever they are); the drones live on in the
next hub with what they remember, as agents with a journal do.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from core.clock import LoopClock
from hub_api.dispatch.fleet import Fleet
from hub_api.dispatch.order_states import OrderState
from hub_api.store.repositories import orders, outbox
from tests.unit.hub_api.played_drone import Memory, Script
from tests.unit.hub_api.played_planning import a_site
from tests.unit.hub_api.world import EPOCH, World, play, world

pytestmark = pytest.mark.usefixtures("each_database")


async def placed(w: World) -> str:
    order_id: str = (await w.order()).json()["order_id"]
    return order_id


@pytest.mark.parametrize(
    "state", ["DECIDED", "LAUNCHING", "AIRBORNE", "DELIVERING", "DELIVERED", "RETURNING"]
)
def test_an_open_order_is_followed_again_and_told_so(tmp_path: Path, state: str):
    async def first() -> tuple[str, dict[str, Memory]]:
        async with world(tmp_path, scripts={"bao-01": Script(answer_delay_s=2.0)}) as w:
            order_id = await placed(w)
            await w.until(order_id, state)
            return order_id, w.memories()

    order_id, memories = play(first())

    async def second() -> None:
        async with world(tmp_path, epoch=EPOCH + timedelta(seconds=30), seed=2, memories=memories) as w:
            closed = await w.until(order_id, "CLOSED")
            assert closed["aed_on_ground_at"] is not None
            assert len(closed["flights"]) == 1
            stored = await w.events(order_id)
            (told,) = [e for e in stored if e["kind"] == "hub_restarted"]
            assert told["data"] == {"open_flights": 1}
            ids = [e["data"].get("event_id") for e in stored if e["data"].get("event_id")]
            assert len(ids) == len(set(ids))
            flown = [flight for drone in w.drones.values() for flight in drone.flown]
            assert flown == [closed["flights"][0]["flight_id"]]
            assert await w.hub.database.read(outbox.unsettled) == []

    play(second())


def test_an_order_cut_off_before_its_decision_is_decided_after_the_restart(tmp_path: Path):
    async def first() -> str:
        async with world(tmp_path) as w:
            stored = await w.receive_only("cut-off")
            return stored.order_id

    order_id = play(first())

    async def second() -> None:
        async with world(tmp_path, epoch=EPOCH + timedelta(seconds=5), seed=2) as w:
            await w.until(order_id, "CLOSED")
            again = await w.order("cut-off")
            assert again.status_code == 200
            assert again.json()["order_id"] == order_id

    play(second())


def test_an_order_found_too_late_is_declined_with_that_reason(tmp_path: Path):
    async def first() -> str:
        async with world(tmp_path) as w:
            stored = await w.receive_only("cut-off")
            return stored.order_id

    order_id = play(first())

    async def second() -> None:
        async with world(tmp_path, epoch=EPOCH + timedelta(hours=2), seed=2) as w:
            declined = await w.until(order_id, "DECLINED")
            assert [r["code"] for r in declined["decision"]["reasons"]] == ["order_too_old"]
            assert all(not drone.flown for drone in w.drones.values())

    play(second())


def test_a_command_stored_but_never_sent_is_sent_after_the_restart(tmp_path: Path):
    """Killed between commit and send: the outbox remembers."""

    async def first() -> str:
        async with world(tmp_path, scripts={"bao-01": Script(deaf=True)}) as w:
            return await placed(w)

    order_id = play(first())

    async def second() -> None:
        async with world(tmp_path, epoch=EPOCH + timedelta(seconds=5), seed=2) as w:
            closed = await w.until(order_id, "CLOSED")
            (flight,) = closed["flights"]
            assert w.drones[flight["drone_id"]].flown == [flight["flight_id"]]

    play(second())


def test_a_command_sent_again_waits_until_the_drone_is_up(tmp_path: Path):
    """An agent that has not heard its vehicle yet would refuse, and a farther drone would fly instead."""

    async def first() -> str:
        async with world(tmp_path, scripts={"bao-01": Script(deaf=True)}) as w:
            return await placed(w)

    order_id = play(first())

    async def second() -> None:
        scripts = {"bao-01": Script(boot_s=6.0)}
        async with world(tmp_path, scripts=scripts, epoch=EPOCH + timedelta(seconds=5), seed=2) as w:
            closed = await w.until(order_id, "CLOSED")
            assert [flight["drone_id"] for flight in closed["flights"]] == ["bao-01"]

    play(second())


def test_an_order_right_after_a_start_waits_until_the_drones_are_up(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, scripts={f"bao-0{n}": Script(boot_s=6.0) for n in range(1, 5)}) as w:
            assert (await w.order()).json()["decision"]["outcome"] == "accepted"
            assert 6.0 <= w.hub.clock.monotonic_s() < 8.0

    play(main())


def test_a_restart_with_nothing_open_says_nothing(tmp_path: Path):
    async def first() -> str:
        async with world(tmp_path) as w:
            order_id = await placed(w)
            await w.until(order_id, "CLOSED")
            return order_id

    order_id = play(first())

    async def second() -> None:
        async with world(tmp_path, epoch=EPOCH + timedelta(seconds=500), seed=2) as w:
            assert "hub_restarted" not in [e["kind"] for e in await w.events(order_id)]
            found = await w.hub.database.read(lambda s: orders.get(s, order_id))
            assert found.state is OrderState.CLOSED

    play(second())


def test_a_slow_start_is_no_time_in_which_drones_kept_silent() -> None:
    async def main() -> None:
        clock = LoopClock(epoch=EPOCH)
        fleet = Fleet(a_site(), clock, telemetry_stale_s=5.0, weather_stale_s=60.0)
        # As long as the planner's rehearsal on a busy machine.
        await clock.sleep(40.0)
        fleet.begins()
        assert fleet.settling(15.0)
        assert fleet.holds_command("bao-01", 15.0)
        began_s = clock.monotonic_s()
        assert not await fleet.wait_until_settled(15.0)
        assert clock.monotonic_s() - began_s == pytest.approx(15.0)

    play(main())
