"""kill -9 at every step of an order's life: before and after each commit, on both databases.

The hub dies at its n-th writing transaction: either nothing of it is stored, or all of it and nobody was told.
From that moment it neither reads nor writes. The drones live on in the next hub with what they remember.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import pytest

from hub_api.actor import current_actor
from hub_api.store.database import Database
from hub_api.store.repositories import missions, orders, outbox
from hub_api.store.units import Unit
from tests.unit.hub_api.played_drone import Memory
from tests.unit.hub_api.world import EPOCH, World, play, world

When = Literal["before the commit", "after the commit"]


class Death:
    """Lets a database's writes happen until the n-th, and nothing after it."""

    def __init__(self, database: Database, at: int | None, when: When) -> None:
        self.writes = 0
        self.died = asyncio.Event()
        self._at, self._when, self._database = at, when, database
        self._write, self._read = database.write, database.read
        database.write, database.read = self.write, self.read  # type: ignore[method-assign, assignment]

    async def write(self, work: Any) -> Any:
        await self._alive()
        self.writes += 1
        if self.writes == self._at:
            if self._when == "after the commit":
                unit = Unit(work, current_actor(), asyncio.get_running_loop().create_future())
                self._database._write_together([unit])
                assert unit.error is None
            self.died.set()
            await self._alive()
        return await self._write(work)

    async def read(self, work: Any) -> Any:
        await self._alive()
        return await self._read(work)

    async def _alive(self) -> None:
        if self.died.is_set():
            await asyncio.Event().wait()


async def life(w: World) -> None:
    placed = await w.order("call")
    await w.until(placed.json()["order_id"], "CLOSED")
    # Its last command settles a moment later.
    await w.hub.clock.sleep(30.0)


def writes_of_a_life(folder: Path) -> int:
    """How many transactions an undisturbed order needs."""

    async def main() -> int:
        async with world(folder) as w:
            death = Death(w.hub.database, None, "before the commit")
            await life(w)
            return death.writes

    count: int = play(main())
    return count


def die_and_come_back(folder: Path, at: int, when: When) -> None:
    async def first() -> dict[str, Memory] | None:
        async with world(folder) as w:
            death = Death(w.hub.database, at, when)
            living = asyncio.ensure_future(life(w))
            dying = asyncio.ensure_future(death.died.wait())
            await asyncio.wait({living, dying}, return_when=asyncio.FIRST_COMPLETED)
            memories = w.memories()
            for task in (living, dying):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
            return memories

    async def second(memories: dict[str, Memory]) -> None:
        async with world(folder, epoch=EPOCH + timedelta(seconds=200), seed=2, memories=memories) as w:
            step = f"step {at}, {when}"
            answer = await w.order("call")
            assert answer.status_code in (200, 201), (step, answer.text)
            order_id = answer.json()["order_id"]
            closed = await w.until(order_id, "CLOSED")
            stored = await w.hub.database.read(lambda s: orders.list_page(s, client=None, limit=9))
            assert [order.order_id for order in stored] == [order_id], step
            flown = [flight for drone in w.drones.values() for flight in drone.flown]
            assert flown == [closed["flights"][0]["flight_id"]], step
            assert len(closed["flights"]) == 1, step
            told = await w.events(order_id)
            ids = [event["data"]["event_id"] for event in told if "event_id" in event["data"]]
            assert len(ids) == len(set(ids)), step
            kinds = Counter(event["kind"] for event in told)
            once = ("order_received", "decision_accepted", "aed_on_ground", "flight_ended")
            assert {kind: kinds[kind] for kind in once} == dict.fromkeys(once, 1), step
            assert await w.hub.database.read(missions.reserved_drones) == {}, step
            await w.hub.clock.sleep(30.0)
            assert await w.hub.database.read(outbox.unsettled) == [], step
            assert (await w.client.get("/v1/audit/verification")).json()["whole"], step

    memories = play(first())
    assert memories is not None
    play(second(memories))


def chosen(database: str, when: When) -> tuple[int, int]:
    """First step and stride: on SQLite every step in one of the two ways, on PostgreSQL a sample.

    ``DRONE_AED_EVERY_STEP=1`` takes every step in both ways on both (about three minutes).
    """
    if os.environ.get("DRONE_AED_EVERY_STEP") == "1":
        return 0, 1
    if database == "postgresql":
        return (0, 6) if when == "after the commit" else (3, 6)
    return (0, 2) if when == "after the commit" else (1, 2)


@pytest.mark.timeout(400)
@pytest.mark.parametrize("when", ["before the commit", "after the commit"])
def test_death_at_any_step_loses_and_doubles_nothing(tmp_path: Path, each_database: str, when: When):
    (tmp_path / "undisturbed").mkdir()
    steps = range(1, writes_of_a_life(tmp_path / "undisturbed") + 1)
    assert len(steps) > 12
    offset, stride = chosen(each_database, when)
    for at in steps[offset::stride]:
        folder = tmp_path / str(at)
        folder.mkdir()
        die_and_come_back(folder, at, when)
