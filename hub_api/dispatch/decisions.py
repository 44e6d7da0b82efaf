"""Deciding: one order at a time, on what is known now, stored as a whole before anything moves."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import Context
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from core.geodesy import Wgs84Point
from core.ids import IdSource
from core.spans import span, span_zh
from hub_api.dispatch.airspace_book import AirspaceBook
from hub_api.dispatch.cases import Case, Found, Outcome, Snapshot, Taken, Waiting
from hub_api.dispatch.deciding import Decider
from hub_api.dispatch.decision_writer import DecisionWriter
from hub_api.dispatch.fleet import DroneView, Fleet, refusing, taken
from hub_api.dispatch.hope import NO_HOPE, coming_home_empty, hope_of
from hub_api.dispatch.ledger import RESTARTED, Ledger, Turn
from hub_api.dispatch.modes import fit_for
from hub_api.dispatch.open_flights import open_flights, stored_plans, with_plans
from hub_api.dispatch.order_states import UNDECIDED, OrderState
from hub_api.dispatch.outlook import Outlook
from hub_api.dispatch.planning import Answer, Question
from hub_api.dispatch.pre_emption import PreEmption, VictimGone
from hub_api.dispatch.traffic import OpenFlight
from hub_api.dispatch.verdicts import NOTHING_TOLD
from hub_api.store.database import Database
from hub_api.store.records import OrderRecord
from hub_api.store.repositories import airspace, care, events, missions, orders
from planner.reasons import Reason

log = logging.getLogger(__name__)

_RACES = 5
"""Times a drone may be snatched away by another hub on the same database before we give up. A patient who moves or
an airspace that changes meanwhile is nobody's race: it is decided again until the order is too old."""


_TOGETHER = 8
"""Chosen: orders decided in one go at most, so that the first need not wait long for the last."""


class _Outdated(Exception):
    """Place or severity was changed while the decision was made: it answers another question."""


class _DroneOut(Exception):
    """A person took the chosen drone out of service while the decision was made: somebody may be at its propellers."""


class _OldAirspace(Exception):
    """The airspace was changed while the decision was made: nobody would tell the flight of the new zones."""


class DecisionMaker:
    """Chooses drone and landing point for orders, first come, first served.

    Orders that wait are decided together: on one look at fleet and traffic, one after the other, each with what the ones
    before it take of drones and air. Each is stored in a transaction of its own, by whoever asked for it. The next look
    is taken while they are: what is decided and not stored yet counts as if it were.
    """

    def __init__(
        self,
        *,
        database: Database,
        ledger: Ledger,
        fleet: Fleet,
        decider: Decider,
        ids: IdSource,
        fleet_settle_s: float,
        order_max_age_s: float,
        max_attempts: int,
        writer: DecisionWriter,
        pre_emption: PreEmption,
        outlook: Outlook,
        book: AirspaceBook,
        catch_up: Callable[[], Awaitable[None]],
    ) -> None:
        """``catch_up`` waits until the airspace in force is the one that is stored."""
        self._database = database
        self._ledger = ledger
        self._fleet = fleet
        self._decider = decider
        self._ids = ids
        self._settle_s = fleet_settle_s
        self._max_age = timedelta(seconds=order_max_age_s)
        self._max_attempts = max_attempts
        self._writer = writer
        self._pre_emption = pre_emption
        self._outlook = outlook
        self._book = book
        self._catch_up = catch_up
        self._rerouted: set[str] = set()
        self._queue: deque[Waiting] = deque()
        self._deciding: asyncio.Task[None] | None = None
        self._looking = asyncio.Lock()
        self._exchanges = 0
        self._storing: list[Waiting] = []
        self._news = asyncio.Event()
        """An order came, or one is stored."""

    async def decide(self, order_id: str) -> Outcome:
        """Decide the order if it still waits for it; otherwise give it as it is."""
        await self._fleet.wait_until_settled(self._settle_s)
        races = 0
        while races < _RACES:
            waiting = Waiting(order_id)
            self._queue.append(waiting)
            self._news.set()
            if self._deciding is None:
                # In nobody's name: what is done in it is not asked for by this order's centre alone.
                self._deciding = asyncio.get_running_loop().create_task(
                    self._decide_waiting(), name="deciding", context=Context()
                )
            try:
                found = await waiting.found
                if isinstance(found, OrderRecord):
                    return Outcome(found)
                outcome = await self._database.write(partial(self._store, found=found))
                if found.victim is not None:
                    self._pre_emption.displaced(found.victim)
                return outcome
            except IntegrityError:
                races += 1
                log.warning("the chosen drone was taken meanwhile; deciding again")
            except _Outdated:
                log.info("the order was changed meanwhile; deciding again")
            except _DroneOut:
                races += 1
                log.warning("the chosen drone was taken out of service meanwhile; deciding again")
            except VictimGone:
                races += 1
                log.info("the other order's drone is not to be had any more; deciding again")
            except _OldAirspace:
                log.info("the airspace was changed meanwhile; deciding again")
                await self._catch_up()
            finally:
                if not waiting.stored.done():
                    waiting.stored.set_result(None)
                    self._news.set()
        lost = Reason(
            "drones_taken",
            "Every chosen drone was taken by another order at the same moment.",
            "选中的无人机均被其他订单同时占用。",
        )
        return await self._database.write(
            lambda s: self._store(s, self._found(orders.get(s, order_id), _none(lost), 0))
        )

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
                batch = self._next_batch()
                if not batch:
                    if not self._storing:
                        return
                    self._news.clear()
                    await self._news.wait()
                    continue
                self._storing += batch
                try:
                    await self._answer_all(batch)
                except Exception as error:
                    for waiting in batch:
                        if not waiting.found.done():
                            waiting.found.set_exception(error)
        finally:
            self._storing.clear()

    def _next_batch(self) -> list[Waiting]:
        """The orders to look at now; none while enough are being stored, or one of them is among those: nothing is looked
        at twice at once."""
        size = min(_TOGETHER, len(self._queue))
        if self._exchanges or not size or len(self._storing) > _TOGETHER:
            return []
        being_stored = {waiting.order_id for waiting in self._storing}
        if any(self._queue[number].order_id in being_stored for number in range(size)):
            return []
        return [self._queue.popleft() for _ in range(size)]

    async def _answer_all(self, batch: list[Waiting]) -> None:
        """An answer for each, in their order; the later ones leave alone what the earlier ones take."""
        rerouted, self._rerouted = self._rerouted, set()
        for flight_id in rerouted:
            # No planning is under way.
            self._decider.forget(flight_id)
        change_seq = self._book.additions.change_seq
        order_ids = [waiting.order_id for waiting in batch if not waiting.found.done()]
        # Before the look: what is stored meanwhile is seen twice, and never not at all.
        unstored = [waiting.takes for waiting in self._storing if waiting.takes is not None]
        snapshot = await self._database.read(lambda session: self._look(session, order_ids))
        snapshot = snapshot.with_unstored(unstored)
        views = self._fleet.views(snapshot.reserved)
        flights = list(snapshot.in_progress)
        for waiting in batch:
            if waiting.found.done():
                # Whoever asked has gone.
                continue
            case = snapshot.cases[waiting.order_id]
            if case.order.state not in UNDECIDED or waiting.order_id in snapshot.sky.waiting:
                # Decided; or a drone is being called back for it, and the decision follows.
                waiting.found.set_result(case.order)
                continue
            began_s = time.perf_counter()
            own = snapshot.sky.unclaimed(views, waiting.order_id)
            answer = await self._answer(case, own, tuple(flights))
            victims = self._pre_emption.victims(case.order, snapshot.sky, answer)
            victim = None
            if victims:
                free, left = self._pre_emption.as_if(
                    own, flights, victims, lambda drone_id: self._fleet.view(drone_id, {})
                )
                instead = await self._answer(case, free, await self._with_plans(left), supposed=True)
                victim = self._pre_emption.choose(answer, instead, victims)
                answer = answer if victim is None else instead
            hope = NO_HOPE
            if answer.plan is None and case.order.state is OrderState.REDECIDING:
                empty = await self._database.read(partial(coming_home_empty, reserved=snapshot.reserved))
                hope = hope_of(fit_for(refusing(own, case.tried), drill=case.order.drill), empty)
            found = replace(self._found(case.order, answer, change_seq), victim=victim, hope=hope)
            log.info(
                "planned %s in %.1f ms, one of %d orders",
                "no flight" if answer.plan is None else answer.plan.drone_id,
                (time.perf_counter() - began_s) * 1e3,
                len(batch),
                extra={"about": waiting.order_id},
            )
            plan = answer.plan
            if plan is not None:
                flight = OpenFlight(
                    flight_id=found.flight_id, drone_id=plan.drone_id, airborne_at=None, plan=plan
                )
                waiting.takes = Taken(flight, found.mission_id)
                flights.append(flight)
                views = tuple(
                    taken(view, found.mission_id) if view.drone.drone_id == plan.drone_id else view
                    for view in views
                )
            if not waiting.found.done():
                waiting.found.set_result(found)

    def _found(self, order: OrderRecord, answer: Answer, change_seq: int) -> Found:
        names = ("", "") if answer.plan is None else (self._ids.new("mis"), self._ids.new("flt"))
        return Found(order, answer, *names, change_seq)

    def _look(self, session: Session, order_ids: list[str]) -> Snapshot:
        cases = {}
        for order_id in order_ids:
            order = orders.get(session, order_id)
            earlier = [] if order.mission_id is None else missions.of_order(session, order_id)
            # What the hub itself took back is no failure of its drone.
            failed = [mission.drone_id for mission in earlier if mission.withdrawn is None]
            asked_at = self._asked_at(session, order)
            cases[order_id] = Case(order, frozenset(failed), len(failed), asked_at)
        sky = self._pre_emption.look(session)
        # With its plan where it has not been given yet to whoever decides.
        flights = open_flights(session, known=self._decider.known)
        return Snapshot(cases, missions.reserved_drones(session), flights, sky)

    @staticmethod
    def _asked_at(session: Session, order: OrderRecord) -> datetime:
        """Since when the order waits for this decision: a hub that was down for an hour must not send a drone now."""
        asked_at = order.split_at or order.received_at
        if order.state is OrderState.REDECIDING:
            return events.last_stored_of_order(session, order.order_id, but=RESTARTED) or asked_at
        return asked_at

    async def _with_plans(self, flights: tuple[OpenFlight, ...]) -> tuple[OpenFlight, ...]:
        """The same flights for a traffic book that knows none of them."""
        unknown = [flight.flight_id for flight in flights if flight.plan is None]
        return with_plans(flights, await self._database.read(partial(stored_plans, flight_ids=unknown)))

    async def _answer(
        self,
        case: Case,
        fleet: tuple[DroneView, ...],
        in_progress: tuple[OpenFlight, ...],
        *,
        supposed: bool = False,
    ) -> Answer:
        order = case.order
        now = self._ledger.now()
        if now - case.asked_at > self._max_age:
            age_s = (now - case.asked_at).total_seconds()
            return _none(
                Reason(
                    "order_too_old",
                    f"The order waited {span(age_s)} for its decision; a flight now would come too late.",
                    f"订单等待决定已 {span_zh(age_s)}，此时起飞已无意义。",
                )
            )
        if case.attempts >= self._max_attempts:
            return _none(
                Reason(
                    "attempts_exhausted",
                    f"{case.attempts} drones were tried for this order.",
                    f"本订单已尝试 {case.attempts} 架无人机。",
                )
            )
        question = Question(
            patient=Wgs84Point(order.latitude_deg, order.longitude_deg),
            severity=order.severity,
            floor=order.request.get("floor"),
            at=now,
        )
        views = fit_for(refusing(fleet, case.tried), drill=order.drill)
        try:
            answer = await self._decider.answer(question, views, in_progress, supposed=supposed)
            return self._outlook.weigh(order, answer, now)
        except Exception:
            # The centre must know at once that no drone comes; the fault itself is for the log.
            log.exception("planning failed for %s", question, extra={"about": order.order_id})
            return _none(
                Reason(
                    "planning_failed",
                    "The planner failed on this order; the fault is logged and no drone is sent.",
                    "规划程序对本订单出现故障，已记录；不派出无人机。",
                )
            )

    def _store(self, session: Session, found: Found) -> Outcome:
        order = orders.get(session, found.asked.order_id)
        if order.state not in UNDECIDED:
            # Cancelled while we were thinking.
            return Outcome(order)
        answer = found.answer
        if _question_of(order) != _question_of(found.asked) and not _holds_anywhere(answer):
            raise _Outdated
        # The writer runs alone: a change of the airspace is either seen here, or sees the flight that is stored here.
        if answer.airspace_version and airspace.last_seq(session) != found.change_seq:
            raise _OldAirspace
        if answer.plan is not None and care.is_out_of_service(session, answer.plan.drone_id):
            raise _DroneOut
        turn = Turn(order)
        if found.victim is not None and not self._pre_emption.displace(session, turn, found.victim):
            # The drone of the other order is called back from its pad; the decision follows when it stands free.
            return Outcome(turn.order)
        if answer.plan is None:
            decided = self._writer.decline(session, turn, answer, found.hope)
        else:
            decided = self._writer.accept(session, turn, found, answer.plan)
        return Outcome(turn.order, decided)


def _question_of(order: OrderRecord) -> tuple[float, float, int | None, str]:
    return order.latitude_deg, order.longitude_deg, order.request.get("floor"), order.severity


_ANYWHERE = frozenset({"order_too_old", "attempts_exhausted", "drones_taken"})


def _holds_anywhere(answer: Answer) -> bool:
    """Whether it is declined for a reason that has nothing to do with where the patient is."""
    return answer.plan is None and all(reason.code in _ANYWHERE for reason in answer.reasons)


def _none(reason: Reason) -> Answer:
    return Answer(plan=None, told=NOTHING_TOLD, reasons=(reason,), airspace_version="")
