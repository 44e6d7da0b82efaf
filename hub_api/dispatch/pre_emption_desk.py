"""Waiting for a drone that is called back on its pad for a more urgent order.

Every step is read from the store again, so that a hub that was killed meanwhile goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from sqlmodel import Session

from core.clock import Clock
from hub_api.dispatch.fleet import Fleet
from hub_api.dispatch.ledger import Ledger, Turn
from hub_api.dispatch.order_states import UNDECIDED
from hub_api.dispatch.pre_emption import Victim
from hub_api.dispatch.steering import until_settled
from hub_api.logs import bind
from hub_api.store.database import Database
from hub_api.store.records import MissionRecord, OrderRecord, PreEmptionRecord
from hub_api.store.repositories import missions, orders, outbox, pre_emptions

LOOK_S = 0.2
CALLED_BACK = "called_back"
"""Of a flight that was called off for an order which does not need its drone any more."""


class PreEmptionDesk:
    """Sees every pre-emption through: the drone stands free, or it does not, and the urgent order is decided."""

    def __init__(
        self,
        *,
        database: Database,
        ledger: Ledger,
        clock: Clock,
        fleet: Fleet,
        decide_later: Callable[[str], None],
        spawn: Callable[[Coroutine[Any, Any, object]], asyncio.Task[Any]],
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._clock = clock
        self._fleet = fleet
        self._decide_later = decide_later
        self._spawn = spawn
        self._followed: set[str] = set()

    def displaced(self, victim: Victim) -> None:
        """A flight lost its drone (it is decided again), or is being called back (it is waited for)."""
        if victim.proposed:
            self._decide_later(victim.order_id)
        else:
            self._spawn(self.resume())

    async def resume(self) -> None:
        """Follow everything that is open and not followed yet."""
        for found in await self._database.read(pre_emptions.open_ones):
            if found.pre_emption_id not in self._followed:
                self._followed.add(found.pre_emption_id)
                self._spawn(self._drive(found.pre_emption_id))

    async def _drive(self, pre_emption_id: str) -> None:
        await until_settled(
            lambda: self._look(pre_emption_id), self._clock, f"pre-emption {pre_emption_id}", every_s=LOOK_S
        )
        self._followed.discard(pre_emption_id)

    async def _look(self, pre_emption_id: str) -> bool:
        """One step; True once it is settled."""

        def read(session: Session) -> tuple[PreEmptionRecord, MissionRecord, OrderRecord, str | None]:
            found = pre_emptions.get(session, pre_emption_id)
            mission = missions.find(session, found.victim_mission_id)
            assert mission is not None
            taker = orders.get(session, found.taker_order_id)
            return found, mission, taker, outbox.outcome_of(session, found.abort_id)

        found, mission, taker, answered = await self._database.read(read)
        bind(taker.order_id)
        if found.outcome is not None:
            return True
        outcome = self._outcome(found, mission, taker, answered)
        if outcome is None:
            return False
        await self._database.write(lambda session: self._settle(session, found, outcome))
        if outcome != "not_needed":
            self._decide_later(taker.order_id)
        return True

    def _outcome(
        self, found: PreEmptionRecord, mission: MissionRecord, taker: OrderRecord, answered: str | None
    ) -> str | None:
        if taker.state not in UNDECIDED:
            return "not_needed"
        if mission.airborne_at is not None or answered == "refused":
            return "too_late"
        late = self._clock.now() >= found.until
        if not mission.open:
            view = self._fleet.view(found.drone_id, {})
            return "freed" if late or (view is not None and view.ready) else None
        return "timed_out" if late else None

    def _settle(self, session: Session, found: PreEmptionRecord, outcome: str) -> None:
        if pre_emptions.get(session, found.pre_emption_id).outcome is not None:
            return
        pre_emptions.settle(session, found.pre_emption_id, outcome, self._ledger.now())
        if outcome == "freed":
            return
        mission = missions.find(session, found.victim_mission_id)
        if mission is not None and mission.open:
            # It flies on for its own order; or it is called off for nothing, and may be chosen again.
            missions.save(session, mission, withdrawn=None if outcome == "too_late" else CALLED_BACK)
        said, said_zh = _SAID[outcome]
        for order_id in (found.taker_order_id, found.victim_order_id):
            self._ledger.record(
                session,
                Turn(orders.get(session, order_id)),
                "pre_emption_over",
                said.format(drone=found.drone_id),
                said_zh.format(drone=found.drone_id),
                data={"outcome": outcome},
                tell=True,
            )


_SAID = {
    "too_late": (
        "{drone} had taken off already and flies on for the order it was sent for",
        "{drone} 已起飞，继续执行原订单",
    ),
    "timed_out": ("{drone} does not say that it stands free", "{drone} 未确认可用"),
    "not_needed": (
        "{drone} is not needed for the more urgent order any more",
        "更紧急的订单不再需要 {drone}",
    ),
}
