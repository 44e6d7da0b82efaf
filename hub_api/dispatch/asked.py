"""An order's question on its way: on what it was asked, beside what, and what is known of its answer."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from hub_api.dispatch.cases import Case, Snapshot, Taken, Waiting
from hub_api.dispatch.deciding import Ticket, Unanswered
from hub_api.dispatch.fleet import DroneView, taken
from hub_api.dispatch.planning import Answer
from hub_api.dispatch.traffic import OpenFlight


@dataclass(slots=True, kw_only=True)
class Asked:
    """Orders are asked about one after the other without waiting for the answers; each is beside those before it."""

    waiting: Waiting
    case: Case
    snapshot: Snapshot
    fleet: tuple[DroneView, ...]
    """Every drone as it is for this order, but for what ``beside`` takes."""
    beside: tuple[Waiting, ...]
    """Orders that were asked about before it and whose answers were not known then."""
    change_seq: int
    """Of the airspace that it is planned in."""
    flight_id: str
    ticket: Ticket | Unanswered | Answer
    """What to wait for, or what came of asking. An answer: nobody had to be asked."""
    began_s: float = field(default_factory=time.perf_counter)

    @property
    def known(self) -> bool:
        """Whether there is nothing to wait for."""
        return not isinstance(self.ticket, Ticket) or self.ticket.answer.done()

    @property
    def taken(self) -> list[Taken]:
        """What those before it took; all of them are settled when it is its turn."""
        return [waiting.takes for waiting in self.beside if waiting.takes is not None]

    @property
    def views(self) -> tuple[DroneView, ...]:
        """The fleet without what those before it took."""
        gone = {each.flight.drone_id: each.mission_id for each in self.taken}
        if not gone:
            return self.fleet
        return tuple(
            view if (mission_id := gone.get(view.drone.drone_id)) is None else taken(view, mission_id)
            for view in self.fleet
        )

    @property
    def flights(self) -> tuple[OpenFlight, ...]:
        """What is in the air or will be, with what those before it took."""
        return (*self.snapshot.in_progress, *(each.flight for each in self.taken))

    def drop(self) -> None:
        """Nobody waits for this answer any more."""
        if isinstance(self.ticket, Ticket):
            self.ticket.answer.cancel()


def tickets_of(asked: Sequence[Asked]) -> list[Ticket]:
    """Of those that somebody answers."""
    return [each.ticket for each in asked if isinstance(each.ticket, Ticket)]
