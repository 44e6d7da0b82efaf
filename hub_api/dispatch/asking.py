"""Asking for decisions: on what is known now, one order after the other, each beside what those before it take."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from contextvars import Context
from dataclasses import replace
from functools import partial

from core.geodesy import Wgs84Point
from core.ids import IdSource
from hub_api.dispatch.airspace_book import AirspaceBook
from hub_api.dispatch.asked import Asked, tickets_of
from hub_api.dispatch.cases import Case, Found, Snapshot, Taken, Waiting
from hub_api.dispatch.deciding import Decider, Ticket, Unanswered
from hub_api.dispatch.fleet import DroneView, Fleet, refusing
from hub_api.dispatch.hope import NO_HOPE, coming_home_empty, hope_of
from hub_api.dispatch.ledger import Ledger
from hub_api.dispatch.looking import Limits, look
from hub_api.dispatch.modes import fit_for
from hub_api.dispatch.open_flights import stored_plans, with_plans
from hub_api.dispatch.order_states import UNDECIDED, OrderState
from hub_api.dispatch.outlook import Outlook
from hub_api.dispatch.planning import Answer, Question, no_plan
from hub_api.dispatch.pre_emption import PreEmption
from hub_api.dispatch.traffic import OpenFlight
from hub_api.store.database import Database
from hub_api.store.records import OrderRecord
from planner.flight_plan import FlightPlan
from planner.reasons import Reason

log = logging.getLogger(__name__)

_TOGETHER = 8
"""Chosen: orders looked at in one go at most, so that the first need not wait long for the last."""

_AHEAD = 4
"""Chosen: orders that are still asked about when the next ones are looked at, so that whoever answers never waits."""


class Asking:
    """Finds an answer for every order that waits, first come, first served.

    Orders that wait are looked at together, and asked about one after the other without waiting for the answers: whoever
    answers counts what its own answers before it take of drones and air. The next look is taken while answers are stored:
    what is decided and not stored yet counts as if it were. Where an answer is not taken as it is, those that counted on
    it are asked about again.
    """

    def __init__(
        self,
        *,
        database: Database,
        ledger: Ledger,
        fleet: Fleet,
        decider: Decider,
        ids: IdSource,
        limits: Limits,
        pre_emption: PreEmption,
        outlook: Outlook,
        book: AirspaceBook,
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._fleet = fleet
        self._decider = decider
        self._ids = ids
        self._limits = limits
        self._pre_emption = pre_emption
        self._outlook = outlook
        self._book = book
        self._rerouted: set[str] = set()
        self._queue: deque[Waiting] = deque()
        self._asked: deque[Asked] = deque()
        self._deciding: asyncio.Task[None] | None = None
        self._looking = asyncio.Lock()
        self._exchanges = 0
        self._storing: list[Waiting] = []
        self._news = asyncio.Event()
        """An order came, or an answer, or one is stored."""

    @asynccontextmanager
    async def about(self, order_id: str) -> AsyncIterator[Waiting]:
        """Ask about an order. Its answer counts as taken until the block is left: by then it is stored, or is not."""
        waiting = Waiting(order_id)
        self._queue.append(waiting)
        self._news.set()
        if self._deciding is None:
            # In nobody's name: what is done in it is not asked for by this order's centre alone.
            self._deciding = asyncio.get_running_loop().create_task(
                self._decide_waiting(), name="deciding", context=Context()
            )
        try:
            yield waiting
        finally:
            waiting.stored.set_result(None)
            self._news.set()

    def forget_plan(self, flight_id: str) -> None:
        """The flight follows another plan: its claim on the air is read again at the next look.

        Not at once: a look that is being answered counts on the plans that the book has.
        """
        self._rerouted.add(flight_id)

    @asynccontextmanager
    async def between_decisions(self) -> AsyncIterator[None]:
        """Inside this block no decision is being made or waits to be stored: what they are made on may be exchanged."""
        self._exchanges += 1
        try:
            async with self._looking:
                yield
        finally:
            self._exchanges -= 1

    async def close(self) -> None:
        """Nobody waits for a decision any more."""
        if self._deciding is not None:
            self._deciding.cancel()
            await asyncio.gather(self._deciding, return_exceptions=True)
        await self._decider.close()

    async def _decide_waiting(self) -> None:
        """Until no order waits."""
        try:
            while self._queue:
                async with self._looking:
                    await self._decide_in_turn()
        finally:
            self._deciding = None

    async def _decide_in_turn(self) -> None:
        """Until no order waits, or somebody wants to exchange what decisions are made on; and all answers are stored."""
        try:
            while True:
                self._storing = [waiting for waiting in self._storing if not waiting.stored.done()]
                if self._asked and self._asked[0].known:
                    await self._settle(self._asked.popleft())
                elif batch := self._next_batch():
                    self._storing += batch
                    await self._ask_all(batch)
                elif self._storing:
                    self._news.clear()
                    await self._news.wait()
                else:
                    return
        finally:
            self._storing.clear()
            for asked in self._asked:
                asked.drop()
            self._asked.clear()

    def _next_batch(self) -> list[Waiting]:
        """The orders to look at now; none while enough are asked about or being stored, or one of them is among those:
        nothing is looked at twice at once."""
        size = min(1 if self._decider.away else _TOGETHER, len(self._queue))
        unanswered = len(self._asked)
        if self._exchanges or not size or unanswered > _AHEAD or len(self._storing) - unanswered > _TOGETHER:
            return []
        being_stored = {waiting.order_id for waiting in self._storing}
        if any(self._queue[number].order_id in being_stored for number in range(size)):
            return []
        return [self._queue.popleft() for _ in range(size)]

    def _ask_later(self, waitings: Iterable[Waiting]) -> None:
        """They are asked about again, before everybody who came after them."""
        late = [waiting for waiting in waitings if not waiting.found.done()]
        self._storing = [waiting for waiting in self._storing if waiting not in late]
        self._queue.extendleft(reversed(late))

    def _drop_asked(self) -> None:
        """What was asked counts on something that is not so."""
        for asked in self._asked:
            asked.drop()
        self._ask_later([asked.waiting for asked in self._asked])
        self._asked.clear()

    async def _ask_all(self, batch: list[Waiting]) -> None:
        """Ask about each, in their order, beside those before them."""
        try:
            await self._ask_each(batch)
        except Exception as error:
            asked = {each.waiting for each in self._asked}
            for waiting in batch:
                if waiting not in asked and not waiting.found.done():
                    waiting.found.set_exception(error)

    async def _ask_each(self, batch: list[Waiting]) -> None:
        rerouted, self._rerouted = self._rerouted, set()
        for flight_id in rerouted:
            self._decider.forget(flight_id)
        change_seq = self._book.additions.change_seq
        order_ids = [waiting.order_id for waiting in batch if not waiting.found.done()]
        # Before the look: what is stored meanwhile is seen twice, and never not at all.
        unstored = [waiting.takes for waiting in self._storing if waiting.takes is not None]
        snapshot = await self._look(order_ids)
        snapshot = snapshot.with_unstored(unstored)
        views = self._fleet.views(snapshot.reserved)
        for place, waiting in enumerate(batch):
            if waiting.found.done():
                # Whoever asked has gone.
                continue
            case = snapshot.cases[waiting.order_id]
            if case.order.state not in UNDECIDED or waiting.order_id in snapshot.sky.waiting:
                # Decided; or a drone is being called back for it, and the decision follows.
                waiting.found.set_result(case.order)
                continue
            fleet, flight_id = snapshot.sky.unclaimed(views, waiting.order_id), self._ids.new("flt")
            ticket = self._limits.against(case, self._ledger.now()) or await self._ask(
                case, fleet, snapshot.in_progress, flight_id
            )
            asked = Asked(
                waiting=waiting,
                case=case,
                snapshot=snapshot,
                fleet=fleet,
                beside=tuple(each.waiting for each in self._asked),
                change_seq=change_seq,
                flight_id=flight_id,
                ticket=ticket,
            )
            self._asked.append(asked)
            if isinstance(ticket, Unanswered):
                self._ask_later(batch[place + 1 :])
                return

    async def _ask(
        self, case: Case, fleet: tuple[DroneView, ...], flights: tuple[OpenFlight, ...], flight_id: str
    ) -> Ticket | Unanswered | Answer:
        """Without waiting for the answer."""
        try:
            ticket = await self._decider.ask(
                self._question(case.order),
                _fit(fleet, case),
                flights,
                flight_id=flight_id,
                beside=tickets_of(self._asked),
            )
        except Unanswered as gone:
            return gone
        except Exception:
            return _failed(case.order)
        ticket.answer.add_done_callback(lambda _answer: self._news.set())
        return ticket

    async def _settle(self, asked: Asked) -> None:
        """Give the answer to whoever waits for it."""
        try:
            await self._settle_answer(asked)
        except Exception as error:
            self._drop_asked()
            if not asked.waiting.found.done():
                asked.waiting.found.set_exception(error)

    async def _settle_answer(self, asked: Asked) -> None:
        waiting, order, sky = asked.waiting, asked.case.order, asked.snapshot.sky
        answer, counted_on = await self._answer_to(asked)
        victims = self._pre_emption.victims(order, sky, answer)
        victim = None
        if victims:
            free, left = self._pre_emption.as_if(
                asked.views, asked.flights, victims, lambda drone_id: self._fleet.view(drone_id, {})
            )
            instead = await self._alone(asked.case, free, await self._with_plans(left), supposed=True)
            victim = self._pre_emption.choose(answer, instead, victims)
            answer = answer if victim is None else instead
        hope = NO_HOPE
        if answer.plan is None and order.state is OrderState.REDECIDING:
            reserved = asked.snapshot.reserved
            empty = await self._database.read(partial(coming_home_empty, reserved=reserved))
            hope = hope_of(_fit(asked.views, asked.case), empty)
        flight_id = asked.flight_id if answer.plan is counted_on else None
        found = self._found(order, answer, asked.change_seq, flight_id)
        found = replace(found, victim=victim, hope=hope)
        log.info(
            "planned %s in %.1f ms beside %d others",
            "no flight" if answer.plan is None else answer.plan.drone_id,
            (time.perf_counter() - asked.began_s) * 1e3,
            len(asked.beside),
            extra={"about": waiting.order_id},
        )
        if waiting.found.done():
            # Whoever asked has gone; those after it counted on a flight that will not be.
            if counted_on is not None:
                self._drop_asked()
            return
        plan = answer.plan
        if plan is not None:
            flight = OpenFlight(
                flight_id=found.flight_id, drone_id=plan.drone_id, airborne_at=None, plan=plan
            )
            waiting.takes = Taken(flight, found.mission_id)
        if plan is not counted_on:
            self._drop_asked()
        waiting.found.set_result(found)

    def _found(
        self, order: OrderRecord, answer: Answer, change_seq: int, flight_id: str | None = None
    ) -> Found:
        names = ("", "")
        if answer.plan is not None:
            names = self._ids.new("mis"), flight_id or self._ids.new("flt")
        return Found(order, answer, *names, change_seq)

    async def _look(self, order_ids: Sequence[str]) -> Snapshot:
        known = self._decider.known
        return await self._database.read(
            partial(look, order_ids=order_ids, pre_emption=self._pre_emption, known=known)
        )

    async def _with_plans(self, flights: tuple[OpenFlight, ...]) -> tuple[OpenFlight, ...]:
        """The same flights for a traffic book that knows none of them."""
        unknown = [flight.flight_id for flight in flights if flight.plan is None]
        return with_plans(flights, await self._database.read(partial(stored_plans, flight_ids=unknown)))

    def _question(self, order: OrderRecord) -> Question:
        return Question(
            patient=Wgs84Point(order.latitude_deg, order.longitude_deg),
            severity=order.severity,
            floor=order.request.get("floor"),
            at=self._ledger.now(),
        )

    async def _answer_to(self, asked: Asked) -> tuple[Answer, FlightPlan | None]:
        """The answer, and the plan on which those after it count."""
        ticket, order = asked.ticket, asked.case.order
        try:
            if isinstance(ticket, Ticket):
                answer = ticket.answer.result()
                return self._outlook.weigh(order, answer, self._ledger.now()), answer.plan
        except Unanswered as gone:
            ticket = gone
        except Exception:
            self._drop_asked()
            return _failed(order), None
        if isinstance(ticket, Answer):
            return ticket, None
        self._drop_asked()
        return await self._alone(asked.case, asked.views, asked.flights, unanswered=ticket), None

    async def _alone(
        self,
        case: Case,
        fleet: tuple[DroneView, ...],
        flights: tuple[OpenFlight, ...],
        *,
        supposed: bool = False,
        unanswered: Unanswered | None = None,
    ) -> Answer:
        """The answer between exactly these flights."""
        order = case.order
        question = self._question(order)
        try:
            answer = await self._decider.answer(
                question, _fit(fleet, case), flights, supposed=supposed, unanswered=unanswered
            )
            return self._outlook.weigh(order, answer, question.at)
        except Exception:
            return _failed(order)


def _fit(fleet: tuple[DroneView, ...], case: Case) -> tuple[DroneView, ...]:
    """The drones with what speaks against this very order."""
    return fit_for(refusing(fleet, case.tried), drill=case.order.drill)


def _failed(order: OrderRecord) -> Answer:
    """The centre must know at once that no drone comes; the fault, which is being handled, is for the log."""
    log.exception("planning failed", extra={"about": order.order_id})
    return no_plan(
        Reason(
            "planning_failed",
            "The planner failed on this order; the fault is logged and no drone is sent.",
            "规划程序对本订单出现故障，已记录；不派出无人机。",
        )
    )
