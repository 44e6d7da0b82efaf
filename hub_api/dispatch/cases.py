"""What decisions are made on, and what comes of them before it is stored."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from hub_api.dispatch.hope import NO_HOPE, Hope
from hub_api.dispatch.planning import Answer
from hub_api.dispatch.sky import Sky, Victim
from hub_api.dispatch.traffic import OpenFlight
from hub_api.dispatch.verdicts import Told
from hub_api.store.records import MissionRecord, OrderRecord


@dataclass(frozen=True, slots=True)
class Case:
    """An order to decide, and what was tried for it."""

    order: OrderRecord
    tried: frozenset[str]
    attempts: int
    asked_at: datetime
    """Since when the order waits for this decision."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a decision takes that is not stored yet: a drone, and its way through the air."""

    flight: OpenFlight
    mission_id: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What several orders are decided on: the same moment for all of them."""

    cases: dict[str, Case]
    reserved: dict[str, str]
    in_progress: tuple[OpenFlight, ...]
    sky: Sky

    def with_unstored(self, taken: Sequence[Taken]) -> Snapshot:
        """As if ``taken`` were stored; what is stored already is not counted twice."""
        stored = {flight.flight_id for flight in self.in_progress}
        new = [each for each in taken if each.flight.flight_id not in stored]
        if not new:
            return self
        return replace(
            self,
            reserved={each.flight.drone_id: each.mission_id for each in new} | self.reserved,
            in_progress=(*self.in_progress, *(each.flight for each in new)),
        )


@dataclass(frozen=True, slots=True)
class Found:
    """An answer that is not stored yet, under the names that its flight will have if it is."""

    asked: OrderRecord
    answer: Answer
    mission_id: str
    flight_id: str
    change_seq: int
    """Of the airspace that it was planned in."""
    victim: Victim | None = None
    """Whose drone it takes."""
    hope: Hope = NO_HOPE
    """Drones that may come, where none can fly now and the order had one."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What an order's first decision stored beside it, and all that there is of it then."""

    mission: MissionRecord | None
    told: Told


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of asking for a decision. ``decided``: by this very call, for the first time and for good; None where
    the rest has to be read."""

    order: OrderRecord
    decided: Decided | None = None


class Waiting:
    """An order whose decision somebody waits for."""

    def __init__(self, order_id: str) -> None:
        loop = asyncio.get_running_loop()
        self.order_id = order_id
        self.found: asyncio.Future[Found | OrderRecord] = loop.create_future()
        """An answer to store, or the order as it is because there is nothing to decide."""
        self.stored: asyncio.Future[None] = loop.create_future()
        """Done when the answer is stored, or will not be."""
        self.takes: Taken | None = None
