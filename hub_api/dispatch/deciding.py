"""Where decisions are computed: in this process, or in one of their own (:mod:`hub_api.planner_process`)."""

from __future__ import annotations

import asyncio
import itertools
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Protocol

from core.errors import ErrorCode, InternalError
from hub_api.dispatch.fleet import DroneView, taken
from hub_api.dispatch.planning import Answer, Planning, Question
from hub_api.dispatch.traffic import OpenFlight, TrafficBook

_REMEMBERED = 256
"""Chosen: answers of which it is known what they took; ten times as many as are asked for at once."""


class Unanswered(Exception):
    """Whoever was asked has gone. :meth:`Decider.answer` takes it from there."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """A question that was asked, and its answer to be. Whoever does not want it any more cancels the answer."""

    number: int
    flight_id: str
    """The name of the flight, if one is found."""
    answer: asyncio.Future[Answer]

    @property
    def lost(self) -> bool:
        """Whether nobody knows what it took."""
        return self.answer.done() and (self.answer.cancelled() or self.answer.exception() is not None)


class Decider(Protocol):
    """Answers questions one after the other, each between what flies at that moment. Lives on the event loop."""

    @property
    def known(self) -> Collection[str]:
        """Open flights whose plan need not be given again."""
        ...

    @property
    def away(self) -> bool:
        """Whether it would answer but one question at a time now."""
        ...

    async def ask(
        self,
        question: Question,
        fleet: Sequence[DroneView],
        flights: Sequence[OpenFlight],
        *,
        flight_id: str,
        beside: Sequence[Ticket],
    ) -> Ticket:
        """Ask without waiting for the answer. Raises :class:`Unanswered`.

        ``flight_id``: the name of the flight, if one is found. ``beside``: questions that were asked before; what their
        answers take of drones and air is taken for this one.
        """
        ...

    async def answer(
        self,
        question: Question,
        fleet: Sequence[DroneView],
        flights: Sequence[OpenFlight],
        *,
        supposed: bool = False,
        unanswered: Unanswered | None = None,
    ) -> Answer:
        """The decision of :meth:`.planning.Planning.decide` between exactly these ``flights``.

        ``supposed``: the flights are not what really flies; all are given with their plans, and none is remembered.
        ``unanswered``: what came of asking this question before.
        """
        ...

    def forget(self, flight_id: str) -> None:
        """The flight follows another plan from now on: it will be given again, with the next question."""
        ...

    async def close(self) -> None:
        """Nobody asks any more."""
        ...


class InTurn:
    """The questions of one thread or process in the order in which they are asked, each beside what others took."""

    def __init__(self, new_book: Callable[[], TrafficBook]) -> None:
        """``new_book`` makes an empty traffic book."""
        self._new_book = new_book
        self._book = new_book()
        self._took: OrderedDict[int, OpenFlight | None] = OrderedDict()
        self._made: dict[str, OpenFlight] = {}

    def forget(self, flight_id: str) -> None:
        """The flight's plan is given anew with the next question."""
        self._book.forget(flight_id)
        self._made.pop(flight_id, None)

    def answer(
        self,
        planning: Planning,
        number: int,
        question: Question,
        fleet: Sequence[DroneView],
        flights: Sequence[OpenFlight],
        *,
        flight_id: str | None,
        beside: Sequence[int],
    ) -> Answer:
        """See :meth:`Decider.ask`. Flights come without a plan where it was given, or made here, before.

        Without a ``flight_id`` nothing that comes later can be beside it.
        """
        others = self._taken_by(beside)
        if others:
            busy = {flight.drone_id for flight in others}
            fleet = tuple([taken(view, "") if view.drone.drone_id in busy else view for view in fleet])
        flights = [*map(self._with_plan, flights), *others]
        answer = decided(planning, self._book, question, fleet, flights)
        if flight_id is not None:
            self._remember(number, flight_id, answer)
        return answer

    def _remember(self, number: int, flight_id: str, answer: Answer) -> None:
        plan, took = answer.plan, None
        if plan is not None:
            took = OpenFlight(flight_id=flight_id, drone_id=plan.drone_id, airborne_at=None, plan=plan)
            self._made[flight_id] = took
        self._took[number] = took
        while len(self._took) > _REMEMBERED:
            _, old = self._took.popitem(last=False)
            if old is not None:
                self._made.pop(old.flight_id, None)

    def supposed(
        self,
        planning: Planning,
        question: Question,
        fleet: Sequence[DroneView],
        flights: Sequence[OpenFlight],
    ) -> Answer:
        """Between flights that are not what really flies; nothing of it is remembered."""
        return decided(planning, self._new_book(), question, fleet, flights)

    def _with_plan(self, flight: OpenFlight) -> OpenFlight:
        """What was made here and is not in the book yet needs its plan."""
        if flight.plan is not None or self._book.holds(flight.flight_id):
            return flight
        return replace(flight, plan=self._made[flight.flight_id].plan)

    def _taken_by(self, numbers: Sequence[int]) -> list[OpenFlight]:
        found = []
        for number in numbers:
            if number not in self._took:
                raise InternalError(ErrorCode.BROKEN_INVARIANT, f"question {number} was not answered here")
            took = self._took[number]
            if took is not None:
                found.append(took)
        return found


class ThreadDecider:
    """In a thread of this process."""

    def __init__(self, planning: Planning, new_book: Callable[[], TrafficBook]) -> None:
        """``new_book`` makes an empty traffic book."""
        self._planning = planning
        self._turns = InTurn(new_book)
        self._numbers = itertools.count(1)
        self._known: set[str] = set()
        self._again: list[str] = []
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="planner")

    @property
    def known(self) -> Collection[str]:
        """See :class:`Decider`."""
        return self._known

    @property
    def away(self) -> bool:
        """See :class:`Decider`."""
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
        """See :class:`Decider`."""
        number, answer = self._ask(question, fleet, flights, flight_id, beside)
        return Ticket(number, flight_id, answer)

    def _ask(
        self,
        question: Question,
        fleet: Sequence[DroneView],
        flights: Sequence[OpenFlight],
        flight_id: str | None,
        beside: Sequence[Ticket],
    ) -> tuple[int, asyncio.Future[Answer]]:
        number = next(self._numbers)
        again, self._again = self._again, []
        numbers = [ticket.number for ticket in beside]

        def work() -> Answer:
            for each in again:
                self._turns.forget(each)
            return self._turns.answer(
                self._planning, number, question, fleet, flights, flight_id=flight_id, beside=numbers
            )

        self._known = names_of(flights, beside, flight_id)
        return number, asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def answer(
        self,
        question: Question,
        fleet: Sequence[DroneView],
        flights: Sequence[OpenFlight],
        *,
        supposed: bool = False,
        unanswered: Unanswered | None = None,
    ) -> Answer:
        """See :class:`Decider`."""
        assert unanswered is None, "a thread stays"
        if supposed:
            return await asyncio.get_running_loop().run_in_executor(
                self._thread, self._turns.supposed, self._planning, question, fleet, flights
            )
        return await self._ask(question, fleet, flights, None, ())[1]

    def forget(self, flight_id: str) -> None:
        """See :class:`Decider`."""
        self._known.discard(flight_id)
        self._again.append(flight_id)

    async def close(self) -> None:
        """See :class:`Decider`."""
        self._thread.shutdown()


def names_of(flights: Sequence[OpenFlight], beside: Sequence[Ticket], flight_id: str | None) -> set[str]:
    """Flights whose plan is known once this is answered; of those still to be found it does no harm if they are not."""
    named = {flight.flight_id for flight in flights} | {ticket.flight_id for ticket in beside}
    return named if flight_id is None else named | {flight_id}


def decided(
    planning: Planning,
    book: TrafficBook,
    question: Question,
    fleet: Sequence[DroneView],
    flights: Sequence[OpenFlight],
) -> Answer:
    """One answer, whoever's thread or process this is."""
    by_drone = {view.drone.drone_id: view for view in fleet}
    return planning.decide(question, fleet, book.traffic(flights, by_drone, question.at))
