"""Deciding: what was found for an order is stored as a whole before anything moves, if it still holds by then."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from hub_api.dispatch.asking import Asking
from hub_api.dispatch.cases import Found, Outcome
from hub_api.dispatch.decision_writer import DecisionWriter
from hub_api.dispatch.fleet import Fleet
from hub_api.dispatch.ledger import Turn
from hub_api.dispatch.order_states import UNDECIDED
from hub_api.dispatch.planning import Answer, no_plan
from hub_api.dispatch.pre_emption import PreEmption, VictimGone
from hub_api.store.database import Database
from hub_api.store.records import OrderRecord
from hub_api.store.repositories import airspace, care, orders
from planner.reasons import Reason

log = logging.getLogger(__name__)

_RACES = 5
"""Times a drone may be snatched away by another hub on the same database before we give up. A patient who moves or
an airspace that changes meanwhile is nobody's race: it is decided again until the order is too old."""


class _Outdated(Exception):
    """Place or severity was changed while the decision was made: it answers another question."""


class _DroneOut(Exception):
    """A person took the chosen drone out of service while the decision was made: somebody may be at its propellers."""


class _OldAirspace(Exception):
    """The airspace was changed while the decision was made: nobody would tell the flight of the new zones."""


class DecisionMaker:
    """Chooses drone and landing point for orders; each decision is stored in a transaction of its own, by whoever asks
    for it."""

    def __init__(
        self,
        *,
        database: Database,
        fleet: Fleet,
        asking: Asking,
        fleet_settle_s: float,
        writer: DecisionWriter,
        pre_emption: PreEmption,
        catch_up: Callable[[], Awaitable[None]],
    ) -> None:
        """``catch_up`` waits until the airspace in force is the one that is stored."""
        self._database = database
        self._fleet = fleet
        self._asking = asking
        self._settle_s = fleet_settle_s
        self._writer = writer
        self._pre_emption = pre_emption
        self._catch_up = catch_up

    async def decide(self, order_id: str) -> Outcome:
        """Decide the order if it still waits for it; otherwise give it as it is."""
        await self._fleet.wait_until_settled(self._settle_s)
        races = 0
        while races < _RACES:
            try:
                async with self._asking.about(order_id) as waiting:
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
        lost = Reason(
            "drones_taken",
            "Every chosen drone was taken by another order at the same moment.",
            "选中的无人机均被其他订单同时占用。",
        )
        return await self._database.write(
            lambda s: self._store(s, Found(orders.get(s, order_id), no_plan(lost), "", "", 0))
        )

    def forget_plan(self, flight_id: str) -> None:
        """See :meth:`.asking.Asking.forget_plan`."""
        self._asking.forget_plan(flight_id)

    def between_decisions(self) -> AbstractAsyncContextManager[None]:
        """See :meth:`.asking.Asking.between_decisions`."""
        return self._asking.between_decisions()

    async def close(self) -> None:
        """Nobody waits for a decision any more."""
        await self._asking.close()

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
