"""Orders that lost their drone while no other could fly: they wait for one, for so long and no longer.

An order that was promised a drone and lost it (to a more urgent one, or because it failed) is not given up as long as a
drone may become ready in time. It is told so with the moment at which the waiting ends, is decided again whenever
another drone stands ready, and fails at that moment with a reason of its own. An order that never had a drone is
declined at once: its centre counts on nothing yet, and an answer helps it more than hope.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from core.clock import Clock
from core.errors import DroneAedError
from hub_api.dispatch.fleet import DroneView, Fleet
from hub_api.dispatch.non_flights import NO_DRONE_HELPS
from hub_api.dispatch.order_states import OrderState
from hub_api.dispatch.planning import Answer
from hub_api.store.database import Database
from hub_api.store.records import OrderRecord
from hub_api.store.repositories import missions, orders
from planner.reasons import Reason

log = logging.getLogger(__name__)

LOOK_S = 1.0
"""Chosen: a drone that lands is reserved some seconds longer anyway."""
AT_ONCE = 4
"""Chosen: so many waiting orders are decided again in one look, the most urgent first: new orders come before them."""
_PASSING = frozenset({"on_mission", "not_standby", "claimed"})
"""What keeps a drone from flying and ends by itself. A drone that is silent, or that people keep on the ground, is no
reason to wait."""


def may_come(views: Iterable[DroneView]) -> tuple[str, ...]:
    """Drones that are not ready now, and may be without anybody's doing."""
    return tuple(
        view.drone.drone_id
        for view in views
        if view.not_ready and all(reason.code in _PASSING for reason in view.not_ready)
    )


@dataclass(frozen=True, slots=True)
class WaitingPolicy:
    """``wait_s``: how long an order waits, 0 for not at all; ``longest_s`` after the order no flight helps any more."""

    wait_s: float
    longest_s: float

    def until(
        self, order: OrderRecord, answer: Answer, coming: tuple[str, ...], now: datetime
    ) -> datetime | None:
        """When the waiting ends; None where the order does not wait.

        A wait that has begun keeps its end, whatever the drones that it hoped for have become meanwhile.
        """
        if any(reason.code in NO_DRONE_HELPS for reason in answer.reasons):
            return None
        until = order.waiting_until
        if until is None:
            if order.state is not OrderState.REDECIDING or not coming:
                return None
            longest = order.received_at + timedelta(seconds=self.longest_s)
            until = min(now + timedelta(seconds=self.wait_s), longest)
        return until if now < until else None


def no_drone_in_time(until: datetime) -> Reason:
    """The waiting is over."""
    return Reason(
        "no_drone_in_time",
        f"The order lost its drone, and no other became ready until {until:%H:%M:%S} UTC.",
        f"订单失去原无人机，截至 {until:%H:%M:%S}（UTC）没有其他无人机就绪。",
    )


class WaitingOrders:
    """Has waiting orders decided again: when a drone becomes ready that was not, and when their time is over.

    What it remembers of readiness may be lost: an order is then decided once more than needed.
    """

    def __init__(
        self, *, database: Database, fleet: Fleet, clock: Clock, decide_later: Callable[[str], None]
    ) -> None:
        self._database = database
        self._fleet = fleet
        self._clock = clock
        self._decide_later = decide_later
        self._ready_before: dict[str, frozenset[str]] = {}
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """An order may have begun to wait."""
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._wake.clear()
            try:
                some = await self.look()
            except DroneAedError:
                log.exception("waiting orders could not be looked at; trying again")
                some = True
            if some:
                await self._clock.sleep(LOOK_S)
            else:
                await self._wake.wait()

    async def look(self) -> bool:
        """Decide again what may have changed; whether any order waits."""

        def read(session: Session) -> tuple[list[OrderRecord], dict[str, str]]:
            found = orders.waiting(session)
            return found, missions.reserved_drones(session) if found else {}

        found, reserved = await self._database.read(read)
        before, self._ready_before = self._ready_before, {}
        if not found:
            return False
        ready = frozenset(view.drone.drone_id for view in self._fleet.views(reserved) if view.ready)
        now, again = self._clock.now(), 0
        for order in found:
            known = before.get(order.order_id, frozenset())
            assert order.waiting_until is not None
            late = now >= order.waiting_until
            if late or (ready - known and again < AT_ONCE):
                again += not late
                self._decide_later(order.order_id)
                known = ready
            self._ready_before[order.order_id] = known & ready
        return True
