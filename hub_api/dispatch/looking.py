"""One look at what orders are decided on, and what can be said of them without a planner."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from core.spans import span, span_zh
from hub_api.dispatch.cases import Case, Snapshot
from hub_api.dispatch.ledger import RESTARTED
from hub_api.dispatch.open_flights import open_flights
from hub_api.dispatch.order_states import OrderState
from hub_api.dispatch.planning import Answer, no_plan
from hub_api.dispatch.pre_emption import PreEmption
from hub_api.store.records import OrderRecord
from hub_api.store.repositories import events, missions, orders
from planner.reasons import Reason


def look(
    session: Session, order_ids: Sequence[str], *, pre_emption: PreEmption, known: Collection[str]
) -> Snapshot:
    """What orders are decided on. ``known``: flights that come without their plan."""
    cases = {}
    for order_id in order_ids:
        order = orders.get(session, order_id)
        earlier = [] if order.mission_id is None else missions.of_order(session, order_id)
        # What the hub itself took back is no failure of its drone.
        failed = [mission.drone_id for mission in earlier if mission.withdrawn is None]
        cases[order_id] = Case(order, frozenset(failed), len(failed), _asked_at(session, order))
    sky = pre_emption.look(session)
    flights = open_flights(session, known=known)
    return Snapshot(cases, missions.reserved_drones(session), flights, sky)


def _asked_at(session: Session, order: OrderRecord) -> datetime:
    """Since when the order waits for this decision: a hub that was down for an hour must not send a drone now."""
    asked_at = order.split_at or order.received_at
    if order.state is OrderState.REDECIDING:
        return events.last_stored_of_order(session, order.order_id, but=RESTARTED) or asked_at
    return asked_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long, and with how many drones, an order is tried for."""

    age_s: float
    attempts: int

    def against(self, case: Case, now: datetime) -> Answer | None:
        """The answer to an order that is beyond them."""
        age = now - case.asked_at
        if age > timedelta(seconds=self.age_s):
            age_s = age.total_seconds()
            return no_plan(
                Reason(
                    "order_too_old",
                    f"The order waited {span(age_s)} for its decision; a flight now would come too late.",
                    f"订单等待决定已 {span_zh(age_s)}，此时起飞已无意义。",
                )
            )
        if case.attempts >= self.attempts:
            return no_plan(
                Reason(
                    "attempts_exhausted",
                    f"{case.attempts} drones were tried for this order.",
                    f"本订单已尝试 {case.attempts} 架无人机。",
                )
            )
        return None
