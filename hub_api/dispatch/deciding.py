"""Where decisions are computed: in this process, or in one of their own (:mod:`hub_api.planner_process`)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from hub_api.dispatch.fleet import DroneView
from hub_api.dispatch.planning import Answer, Planning, Question
from hub_api.dispatch.traffic import OpenFlight, TrafficBook


class Decider(Protocol):
    """Answers questions one after the other, each between what flies at that moment. Lives on the event loop."""

    @property
    def known(self) -> Collection[str]:
        """Open flights whose plan need not be given again."""
        ...

    async def answer(
        self,
        question: Question,
        fleet: Sequence[DroneView],
        flights: Sequence[OpenFlight],
        *,
        supposed: bool = False,
    ) -> Answer:
        """The decision of :meth:`.planning.Planning.decide` between exactly these ``flights``.

        ``supposed``: the flights are not what really flies; all are given with their plans, and none is remembered.
        """
        ...

    def forget(self, flight_id: str) -> None:
        """The flight follows another plan from now on: it will be given again. Not while a question is answered."""
        ...

    async def close(self) -> None:
        """Nobody asks any more."""
        ...


class ThreadDecider:
    """In a thread of this process."""

    def __init__(self, planning: Planning, new_book: Callable[[], TrafficBook]) -> None:
        """``new_book`` makes an empty traffic book."""
        self._planning = planning
        self._new_book = new_book
        self._book = new_book()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="planner")

    @property
    def known(self) -> Collection[str]:
        return self._book.known

    async def answer(
        self,
        question: Question,
        fleet: Sequence[DroneView],
        flights: Sequence[OpenFlight],
        *,
        supposed: bool = False,
    ) -> Answer:
        """See :class:`Decider`."""
        book = self._new_book() if supposed else self._book
        return await asyncio.get_running_loop().run_in_executor(
            self._thread, decided, self._planning, book, question, fleet, flights
        )

    def forget(self, flight_id: str) -> None:
        """See :class:`Decider`. No planning is under way: the book is ours."""
        self._book.forget(flight_id)

    async def close(self) -> None:
        """See :class:`Decider`."""
        self._thread.shutdown()


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
