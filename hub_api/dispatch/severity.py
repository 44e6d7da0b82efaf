"""An incident's severity changed: its open orders are as urgent as it is now.

What the severity decides afterwards follows by itself: whose drone may be taken, whose drone it may lose, what happens to
a proposal that nobody answers, how long a flight may take. A flight that is under way goes on. An order for another
patient of the incident (``separate``) keeps its own severity.
"""

from __future__ import annotations

from sqlmodel import Session

from hub_api.dispatch.ledger import Ledger, Turn
from hub_api.dispatch.order_states import TERMINAL_STATES, OrderState
from hub_api.store.incident_records import IncidentRecord
from hub_api.store.records import OrderRecord
from hub_api.store.repositories import orders

_SETTLED = TERMINAL_STATES | {
    *(OrderState.CANCELLING, OrderState.FAILING, OrderState.DELIVERED, OrderState.RETURNING),
}
"""Its AED is on the ground, or none will come: no decision follows any more."""


class SeverityFollower:
    """Carries a severity to orders, inside a transaction given by the caller."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def follow(self, session: Session, incident: IncidentRecord) -> list[str]:
        """Orders that wait for a drone and have become more urgent: to be decided again after the commit.

        Changes the incident's record too: read it again afterwards.
        """
        again = []
        for order_id in [order.order_id for order in orders.of_incident(session, incident.incident_id)]:
            order = orders.get(session, order_id)
            own = order.request["severity"]
            if order.state in _SETTLED or order.request.get("separate") or own == incident.severity:
                continue
            request = {
                **order.request,
                "severity": incident.severity,
                "severity_code": incident.severity_code,
            }
            after = self._set(session, order, request, f"that of its incident, it was {own}", f"原为 {own}")
            if after.state is OrderState.MERGED and after.merged_into is not None:
                carrier = orders.get(session, after.merged_into)
                if _of_mission(session, carrier) != carrier.severity:
                    why = f"the most urgent of the orders that it serves, it was {carrier.severity}"
                    after = self._set(
                        session,
                        carrier,
                        carrier.request,
                        why,
                        f"取其服务订单的最高级别，原为 {carrier.severity}",
                    )
            if after.state is OrderState.WAITING:
                again.append(after.order_id)
        return again

    def _set(
        self, session: Session, order: OrderRecord, request: dict[str, object], why: str, why_zh: str
    ) -> OrderRecord:
        turn = Turn(order)
        self._ledger.change(session, turn, request=request)
        severity = _of_mission(session, turn.order)
        self._ledger.change(session, turn, severity=severity)
        self._ledger.record(
            session,
            turn,
            "severity_changed",
            f"The severity is {severity}: {why}",
            f"病情分级为 {severity}（{why_zh}）",
            data={"severity": severity, "before": order.severity},
            tell=True,
        )
        return turn.order


def _of_mission(session: Session, order: OrderRecord) -> str:
    """A mission is as urgent as the most urgent of its orders («I» sorts first)."""
    served = orders.merged_into(session, order.order_id) if order.merged_orders else []
    return str(min(each.request["severity"] for each in (order, *served)))
