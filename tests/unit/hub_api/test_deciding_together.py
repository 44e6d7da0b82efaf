"""Orders that wait are decided on one look, each with what the ones before it take; and never in yesterday's airspace."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

from hub_api.dispatch.fleet import DroneView
from hub_api.dispatch.planning import Answer, Question
from hub_api.store.repositories import missions
from planner.choice import Traffic
from tests.unit.hub_api.test_live_airspace import feed, put
from tests.unit.hub_api.world import BODY, World, play, world


class Asked:
    """Notes what the planner is asked, and lets it answer."""

    def __init__(self, w: World) -> None:
        self.versions: list[str] = []
        self.ready: list[set[str]] = []
        self.intents: list[int] = []
        self._hub, self._decide = w.hub, w.planner.decide
        w.planner.decide = self.decide  # type: ignore[method-assign]

    def decide(self, question: Question, drones: Any, traffic: Traffic | None) -> Answer:
        views: tuple[DroneView, ...] = drones
        self.versions.append(self._hub.airspace.version)
        self.ready.append({view.drone.drone_id for view in views if view.ready})
        self.intents.append(0 if traffic is None else len(traffic.intents))
        return self._decide(question, drones, traffic)


async def order(w: World, key: str) -> dict[str, Any]:
    answer = await w.client.post("/v1/orders", json=BODY, headers={"Idempotency-Key": key})
    assert answer.status_code == 201, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


def test_orders_of_one_moment_share_a_look_and_no_drone(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            await order(w, "warm")
            asked, looks = Asked(w), 0
            look = w.hub.orders._decisions._asking._look

            def counted(*given: Any) -> Any:
                nonlocal looks
                looks += 1
                return look(*given)

            w.hub.orders._decisions._asking._look = counted  # type: ignore[method-assign]
            shown = await asyncio.gather(*(order(w, f"key-{number}") for number in range(3)))
            drones = [item["decision"]["drone_id"] for item in shown]
            assert len(set(drones)) == 3
            assert looks < 3
            # Each was planned beside what the ones before it take.
            first, second, third = asked.ready
            assert len(first - second) == len(second - third) == 1
            assert asked.intents == [asked.intents[0] + extra for extra in range(3)]
            reserved = await w.hub.database.read(missions.reserved_drones)
            for item in shown:
                flight = item["flights"][0]
                assert flight["flight_id"] == item["decision"]["flight_id"]
                assert item["decision"]["drone_id"] in reserved

    play(main())


def test_an_order_is_decided_while_the_one_before_it_is_stored_and_leaves_its_drone_alone(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            await order(w, "warm")
            asked = Asked(w)
            write, second_planned = w.hub.database.write, asyncio.Event()
            stores = 0

            async def slow(work: Any) -> Any:
                nonlocal stores
                if isinstance(work, partial) and work.func.__name__ == "_store":
                    stores += 1
                    if stores == 1:
                        await second_planned.wait()
                return await write(work)

            w.hub.database.write = slow  # type: ignore[method-assign]
            first = asyncio.create_task(order(w, "first"))
            while not asked.ready:
                await w.hub.clock.sleep(0.01)
            second = asyncio.create_task(order(w, "second"))
            while len(asked.ready) < 2:
                await w.hub.clock.sleep(0.01)
            second_planned.set()
            one, other = await first, await second
            assert one["decision"]["drone_id"] not in asked.ready[1]
            assert asked.intents[1] == asked.intents[0] + 1
            assert one["decision"]["drone_id"] != other["decision"]["drone_id"]

    play(main())


def test_a_decision_made_in_an_airspace_that_was_changed_is_made_again(tmp_path: Path) -> None:
    """The zone is stored after the plan is made and before it is stored: nobody would tell the drone of it."""

    async def main() -> None:
        async with world(tmp_path) as w:
            asked = Asked(w)
            write = w.hub.database.write
            old = w.hub.airspace.version

            async def interrupted(work: Any) -> Any:
                if isinstance(work, partial) and work.func.__name__ == "_store" and len(asked.versions) == 1:
                    assert (await put(w, feed("LATE"))).status_code == 200
                return await write(work)

            w.hub.database.write = interrupted  # type: ignore[method-assign]
            shown = await order(w, "key-1")
            assert w.hub.airspace.version != old
            assert asked.versions == [old, w.hub.airspace.version]
            assert shown["decision"]["outcome"] == "accepted"
            assert len(shown["flights"]) == 1
            kinds = [event["kind"] for event in await w.events(shown["order_id"])]
            assert kinds.count("decision_accepted") == 1

    play(main())


def test_a_change_that_is_stored_and_not_yet_in_force_is_waited_for(tmp_path: Path) -> None:
    """Deciding again at once would use the old airspace again: the change is under way, and is waited for."""

    async def main() -> None:
        async with world(tmp_path) as w:
            asked = Asked(w)
            old = w.hub.airspace.version
            write, began, stored = w.hub.database.write, asyncio.Event(), asyncio.Event()

            async def slow(work: Any) -> Any:
                if not isinstance(work, partial):
                    result = await write(work)
                    if work.__qualname__.startswith("AirspaceDesk"):
                        stored.set()
                        # Committed, and the desk has not been told yet.
                        await w.hub.clock.sleep(2.0)
                    return result
                if work.func.__name__ == "_store" and not began.is_set():
                    began.set()
                    await stored.wait()
                return await write(work)

            w.hub.database.write = slow  # type: ignore[method-assign]
            placing = asyncio.ensure_future(order(w, "key-1"))
            await began.wait()
            changing = asyncio.ensure_future(put(w, feed("LATE")))
            shown = await placing
            await changing
            assert asked.versions == [old, w.hub.airspace.version]
            assert shown["decision"]["outcome"] == "accepted"

    play(main())
