"""Orders that lost their drone while no other could fly: they wait for one, for so long and no longer.

An order that was promised a drone and lost it (to a more urgent one, or because it failed) is not given up as long as a
drone may become ready in time. It is told so with the moment at which the waiting ends, is decided again whenever
something changes that kept drones from flying, and fails at that moment with a reason of its own. An order that never
had a drone is declined at once: its centre counts on nothing yet, and an answer helps it more than hope
(docs/decisions/0027, 0034).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlmodel import Session

from core.clock import Clock
from hub_api.dispatch.fleet import DroneView, Fleet
from hub_api.dispatch.hope import Hope
from hub_api.dispatch.ledger import Ledger, Turn
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
AGAIN_S = 10.0
"""Chosen: a sensor that posts every second has an order decided again no more often than that."""
ANYWAY_S = 30.0
"""Chosen: what changes without a word (a zone's hours, a landing point that another flight leaves, a battery that charges)
is noticed so late at most."""


@dataclass(frozen=True, slots=True)
class WaitingPolicy:
    """``wait_s``: how long an order waits, 0 for not at all; ``longest_s`` after the order no flight helps any more."""

    wait_s: float
    longest_s: float

    def until(
        self, order: OrderRecord, answer: Answer, hope: Hope, now: datetime
    ) -> tuple[datetime, Hope] | None:
        """When the waiting ends, and what may come true by then; None where the order does not wait.

        A wait that has begun keeps its end, whatever the drones that it hoped for have become meanwhile.
        """
        if any(reason.code in NO_DRONE_HELPS for reason in answer.reasons):
            return None
        until = order.waiting_until
        if until is None:
            longest = order.received_at + timedelta(seconds=self.longest_s)
            until = min(now + timedelta(seconds=self.wait_s), longest)
            hope = hope.until(until)
            if order.state is not OrderState.REDECIDING or not hope:
                return None
        return (until, hope.until(until)) if now < until else None


def no_drone_in_time(until: datetime) -> Reason:
    """The waiting is over."""
    return Reason(
        "no_drone_in_time",
        f"The order lost its drone, and no other became ready until {until:%H:%M:%S} UTC.",
        f"订单失去原无人机，截至 {until:%H:%M:%S}（UTC）没有其他无人机就绪。",
    )


@dataclass(frozen=True, slots=True)
class Conditions:
    """What orders wait for a change of."""

    ready: frozenset[str]
    airspace_version: str
    weather: frozenset[tuple[object, ...]]
    """(station, what counts there), coarse enough that a sensor's last digit is no change."""

    def since(self, before: Conditions) -> Reason | None:
        """What has changed for the better, perhaps; None for nothing."""
        if new := sorted(self.ready - before.ready):
            named = ", ".join(new)
            return Reason("drone_ready", f"{named} became ready", f"{named} 已就绪")
        if self.airspace_version != before.airspace_version:
            return Reason(
                "airspace_changed",
                f"the airspace changed (version {self.airspace_version})",
                f"空域已变更（版本 {self.airspace_version}）",
            )
        if new_weather := self.weather - before.weather:
            named = ", ".join(sorted(str(each[0]) for each in new_weather))
            return Reason("weather_changed", f"the weather at {named} changed", f"{named} 天气变化")
        return None


def conditions_of(views: Iterable[DroneView], airspace_version: str) -> Conditions:
    views = tuple(views)
    return Conditions(
        frozenset(view.drone.drone_id for view in views if view.ready),
        airspace_version,
        frozenset(_weather_at(view) for view in views),
    )


def _weather_at(view: DroneView) -> tuple[object, ...]:
    wind, air = view.wind, view.weather
    blows = (
        None
        if wind is None
        else (round(wind.from_deg / 10.0), round(wind.speed_m_s), round(wind.gust_m_s or 0.0))
    )
    rain, sight, warmth = air.rain_rate_mm_h, air.visibility_m, air.temperature_deg_c
    return (
        view.drone.station_id,
        blows,
        None if rain is None else round(rain.value, 1),
        None if sight is None else round(sight.value, -2),
        None if warmth is None else round(warmth.value),
        air.hazards,
    )


@dataclass(frozen=True, slots=True)
class _Decided:
    """On what an order was decided last, as far as we know."""

    conditions: Conditions
    at: datetime


class WaitingOrders:
    """Has waiting orders decided again: when something changes that kept drones from flying, and when their time is over.

    What it remembers may be lost: an order is then decided once more than needed.
    """

    def __init__(
        self,
        *,
        database: Database,
        ledger: Ledger,
        fleet: Fleet,
        clock: Clock,
        airspace_version: Callable[[], str],
        decide_later: Callable[[str], None],
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._fleet = fleet
        self._clock = clock
        self._airspace_version = airspace_version
        self._decide_later = decide_later
        self._decided: dict[str, _Decided] = {}
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
            except Exception:
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
        before, self._decided = self._decided, {}
        if not found:
            return False
        conditions = conditions_of(self._fleet.views(reserved), self._airspace_version())
        now = self._clock.now()
        late, again = [], list[tuple[str, Reason | None]]()
        for order in found:
            assert order.waiting_until is not None
            known = before.get(order.order_id)
            if now >= order.waiting_until:
                late.append(order.order_id)
                known = _Decided(conditions, now)
            elif len(again) < AT_ONCE:
                due, why = _due(known, conditions, now)
                if due:
                    again.append((order.order_id, why))
                    known = _Decided(conditions, now)
            if known is not None:
                self._decided[order.order_id] = _without_gone(known, conditions)
        await self._tell(again)
        for order_id in (*late, *(order_id for order_id, _ in again)):
            self._decide_later(order_id)
        return True

    async def _tell(self, again: list[tuple[str, Reason | None]]) -> None:
        """Write into the orders why they are decided again, where there is something to say."""
        named = [(order_id, why) for order_id, why in again if why is not None]
        if not named:
            return

        def work(session: Session) -> None:
            for order_id, why in named:
                turn = Turn(orders.get(session, order_id))
                if turn.order.state is OrderState.WAITING:
                    self._ledger.record(
                        session,
                        turn,
                        "decided_again",
                        f"Decided again: {why.detail}",
                        f"重新决定：{why.detail_zh}",
                        data={"why": why.code},
                    )

        await self._database.write(work)


def _due(known: _Decided | None, conditions: Conditions, now: datetime) -> tuple[bool, Reason | None]:
    """Whether an order is decided again, and why; None for no reason that could be named."""
    if known is None:
        # It began to wait a moment ago, or we did: what was true at its decision is not known here.
        return True, None
    why, passed_s = conditions.since(known.conditions), (now - known.at).total_seconds()
    if why is not None and (why.code == "drone_ready" or passed_s >= AGAIN_S):
        return True, why
    return passed_s >= ANYWAY_S, None


def _without_gone(known: _Decided, conditions: Conditions) -> _Decided:
    """A drone that is not ready any more is news when it is again."""
    ready = known.conditions.ready & conditions.ready
    return replace(known, conditions=replace(known.conditions, ready=ready))
