"""Orders are asked about before the ones before them are answered, and again where what they counted on is not so."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable, Collection, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from core.errors import ErrorCode, InternalError
from hub_api.dispatch.deciding import Decider, Ticket, Unanswered
from hub_api.dispatch.fleet import DroneView
from hub_api.dispatch.planning import Answer, Question
from hub_api.dispatch.traffic import OpenFlight
from hub_api.store.repositories import missions
from tests.unit.hub_api.test_pre_emption import one_drone_site
from tests.unit.hub_api.world import EPOCH, World, play, world

TAKES_S = 0.05
"""How long the slow planner takes for one answer."""


class Slow:
    """Takes its time for each answer, in the order of the questions; and may fail, or go, before one of them."""

    def __init__(self, w: World, spoil: Callable[[int], Exception | None] = lambda _number: None) -> None:
        """``spoil``: what goes wrong with the question of that number, if anything does."""
        asking = w.hub.orders._decisions._asking
        self._inner, self._clock, self._spoil = asking._decider, w.hub.clock, spoil
        self._line: deque[tuple[int, asyncio.Future[Answer], asyncio.Future[Answer]]] = deque()
        self._answering: asyncio.Task[None] | None = None
        self.asked = self.alone = self.supposed = self.deepest = 0
        asking._decider = self

    @property
    def known(self) -> Collection[str]:
        return self._inner.known

    @property
    def away(self) -> bool:
        return False

    async def ask(
        self,
        question: Question,
        fleet: Sequence[DroneView],
        flights: Sequence[OpenFlight],
        *,
        flight_id: str,
        beside: Sequence[Ticket],
    ) -> Ticket:
        self.asked += 1
        inner = await self._inner.ask(question, fleet, flights, flight_id=flight_id, beside=beside)
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._line.append((self.asked, inner.answer, answer))
        self.deepest = max(self.deepest, len(self._line))
        if self._answering is None or self._answering.done():
            self._answering = asyncio.create_task(self._answer())
        return Ticket(inner.number, flight_id, answer)

    async def _answer(self) -> None:
        while self._line:
            await self._clock.sleep(TAKES_S)
            number, inner, answer = self._line.popleft()
            if answer.done():
                continue
            if (wrong := self._spoil(number)) is None:
                answer.set_result(inner.result())
                continue
            answer.set_exception(wrong)
            if isinstance(wrong, Unanswered):
                # Whoever is gone answers nothing of what was asked.
                for _, _, lost in self._line:
                    if not lost.done():
                        lost.set_exception(Unanswered("gone"))
                self._line.clear()

    async def answer(
        self,
        question: Question,
        fleet: Sequence[DroneView],
        flights: Sequence[OpenFlight],
        *,
        supposed: bool = False,
        unanswered: Unanswered | None = None,
    ) -> Answer:
        self.alone += unanswered is not None
        self.supposed += supposed
        await self._clock.sleep(TAKES_S)
        return await self._inner.answer(question, fleet, flights, supposed=supposed)

    def forget(self, flight_id: str) -> None:
        self._inner.forget(flight_id)

    async def close(self) -> None:
        await self._inner.close()


def _is_a_decider(slow: Slow) -> Decider:
    return slow


async def at_once(w: World, *orders: dict[str, Any]) -> list[dict[str, Any]]:
    """Orders of one moment, in this order."""
    answers = await asyncio.gather(*(w.order(f"key-{n}", **changes) for n, changes in enumerate(orders)))
    assert {answer.status_code for answer in answers} == {201}
    return [answer.json() for answer in answers]


def drones_of(shown: Sequence[dict[str, Any]]) -> list[str | None]:
    return [order["decision"].get("drone_id") for order in shown]


def reasons_of(order: dict[str, Any]) -> list[str]:
    return [reason["code"] for reason in order["decision"]["reasons"]]


def test_nobody_waits_for_the_answer_to_the_order_before(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            slow = Slow(w)
            began_s = w.hub.clock.monotonic_s()
            shown = await at_once(w, *[{}] * 6)
            # There are four drones: each order was planned beside what the ones before it took.
            assert drones_of(shown) == ["bao-01", "bao-02", "bao-03", "bao-04", None, None]
            assert slow.deepest > 1
            assert slow.asked == 6
            assert w.hub.clock.monotonic_s() - began_s == pytest.approx(6 * TAKES_S)

    play(main())


def test_the_next_orders_are_looked_at_while_others_are_answered(tmp_path: Path) -> None:
    """Those that come later are beside what is not answered yet, and beside what is answered and not stored."""

    async def main() -> None:
        async with world(tmp_path) as w:
            slow = Slow(w)
            first = asyncio.create_task(at_once(w, {}, {}))
            await w.hub.clock.sleep(0.2 * TAKES_S)
            later = asyncio.create_task(w.order("later"))
            shown = [*await first, (await later).json()]
            assert drones_of(shown) == ["bao-01", "bao-02", "bao-03"]
            assert (slow.asked, slow.deepest) == (3, 3)

    play(main())


def test_a_flight_that_helps_nobody_leaves_its_drone_to_the_next_order(tmp_path: Path) -> None:
    """The planner found a flight for the first order, and the ambulance is there before it."""

    async def main() -> None:
        async with world(tmp_path, site=one_drone_site(), no_benefit_margin_s=0.0) as w:
            slow = Slow(w)
            soon = (EPOCH + timedelta(seconds=10)).isoformat()
            first, second = await at_once(w, {"ambulance_eta_at": soon}, {})
            assert reasons_of(first) == ["no_benefit"]
            assert second["decision"]["drone_id"] == "bao-01"
            assert slow.asked == 3

    play(main())


def test_who_answers_may_go_in_between(tmp_path: Path) -> None:
    """The one that was being answered is asked about alone; those behind it beside what it took."""

    async def main() -> None:
        async with world(tmp_path) as w:
            slow = Slow(w, lambda number: Unanswered("gone") if number == 2 else None)
            shown = await at_once(w, {}, {}, {}, {})
            assert drones_of(shown) == ["bao-01", "bao-02", "bao-03", "bao-04"]
            assert (slow.asked, slow.alone) == (6, 1)

    play(main())


def test_a_fault_in_one_order_is_nobody_elses(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            broken = InternalError(ErrorCode.BROKEN_INVARIANT, "it failed")
            slow = Slow(w, lambda number: broken if number == 2 else None)
            shown = await at_once(w, {}, {}, {})
            assert reasons_of(shown[1]) == ["planning_failed"]
            assert drones_of(shown) == ["bao-01", None, "bao-02"]
            assert slow.asked == 4

    play(main())


def test_a_drone_that_goes_to_a_more_urgent_order_is_not_given_to_those_behind_it(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, site=one_drone_site()) as w:
            calm = (await w.order("calm", severity="IV")).json()
            await w.until(calm["order_id"], "LAUNCHING")
            slow = Slow(w)
            urgent, other, third = await at_once(w, {"severity": "I"}, {"severity": "IV"}, {"severity": "IV"})
            assert urgent["decision"] is None
            assert slow.supposed == 1
            assert [reasons_of(order) for order in (other, third)] == [["no_candidate"]] * 2
            closed = await w.until(urgent["order_id"], "CLOSED")
            assert closed["decision"]["drone_id"] == "bao-01"

    play(main())


@pytest.mark.parametrize("seed", range(12))
def test_whatever_goes_wrong_every_order_is_answered_and_no_drone_flies_twice(
    tmp_path: Path, seed: int
) -> None:
    """Orders of all severities at random moments, a planner that goes and fails, orders cancelled in between."""
    rng = random.Random(seed)

    def spoil(_number: int) -> Exception | None:
        dice = rng.random()
        if dice < 0.1:
            return Unanswered("gone")
        return InternalError(ErrorCode.BROKEN_INVARIANT, "it failed") if dice < 0.2 else None

    async def one(w: World, number: int) -> dict[str, Any]:
        await w.hub.clock.sleep(rng.uniform(0.0, 1.0))
        answer = await w.order(f"key-{number}", severity=rng.choice(("I", "II", "III", "IV")))
        assert answer.status_code == 201, answer.text
        shown: dict[str, Any] = answer.json()
        if rng.random() < 0.3:
            cancel = await w.client.post(
                f"/v1/orders/{shown['order_id']}/cancel", json={"reason": "a mistake"}
            )
            assert cancel.status_code in (200, 409), cancel.text
        return shown

    async def main() -> None:
        async with world(tmp_path) as w:
            Slow(w, spoil)
            shown = await asyncio.gather(*(one(w, number) for number in range(14)))
            for _ in range(300):
                drones = [drone_id for _, drone_id, _ in await w.hub.database.read(missions.in_progress)]
                assert len(set(drones)) == len(drones)
                await w.hub.clock.sleep(2.0)
            stored = [
                mission.flight_id
                for order in shown
                for mission in await w.hub.database.read(
                    partial(missions.of_order, order_id=order["order_id"])
                )
            ]
            for order in shown:
                assert await w.state(order["order_id"]) in ("CLOSED", "DECLINED", "CANCELLED", "FAILED")
            flown = [flight_id for drone in w.drones.values() for flight_id in drone.flown]
            assert flown
            assert len(set(flown)) == len(flown)
            assert set(flown) <= set(stored)

    play(main())
