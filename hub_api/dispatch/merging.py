"""Two orders for one patient: recognised in the transaction that stores the second, served by one mission.

The second order is MERGED into the first, its *carrier*, and is told everything that happens to the carrier's
mission. Nothing is merged silently: both orders get an event, both callback URLs an update. What was merged
wrongly is split by a person and decided on its own; an order that must never be merged says ``separate``.

The store has one writer at a time, so of two orders for one patient one always sees the other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from core.errors import DispatchError, ErrorCode
from core.geodesy import Wgs84Point, geodesic_distance_m
from hub_api.dispatch.ledger import Ledger, Turn
from hub_api.dispatch.order_states import TERMINAL_STATES, UNDECIDED, OrderEvent, OrderState, Refuse, advance
from hub_api.dispatch.two_places import FAR_APART_M
from hub_api.store.records import EventRecord, OrderRecord
from hub_api.store.repositories import orders

CARRYING = (
    frozenset(OrderState) - TERMINAL_STATES - {OrderState.MERGED, OrderState.CANCELLING, OrderState.FAILING}
)
"""States of an order whose mission will deliver, or has just delivered, as far as anybody knows."""

METRES_PER_DEGREE = 111_000.0
"""Of latitude, a little less than anywhere on the ellipsoid: the box around the circle must not be too small."""

_ENDINGS = {
    OrderState.CLOSED: OrderEvent.CARRIER_CLOSED,
    OrderState.DECLINED: OrderEvent.CARRIER_DECLINED,
    OrderState.FAILED: OrderEvent.CARRIER_FAILED,
    OrderState.CANCELLED: OrderEvent.SPLIT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """A new order, as far as it matters for who may carry it."""

    patient: Wgs84Point
    received_at: datetime
    separate: bool
    drill: bool
    needs_approval: bool


@dataclass(frozen=True, slots=True)
class Carrier:
    """An order that could carry another, and why."""

    order: OrderRecord
    distance_m: float
    why: str


class Merger:
    """Merges, splits and follows, inside transactions given by the caller."""

    def __init__(self, ledger: Ledger, *, radius_m: float, window_s: float) -> None:
        self._ledger = ledger
        self._radius_m = radius_m
        self._window = timedelta(seconds=window_s)

    def near(self, session: Session, sought: Sought) -> list[Carrier]:
        """Orders near a new one in place and time that could carry it, the nearest first."""
        if self._radius_m == 0.0 or sought.separate:
            return []
        patient = sought.patient
        latitude_deg = self._radius_m / METRES_PER_DEGREE
        longitude_deg = latitude_deg / max(0.01, math.cos(math.radians(patient.latitude_deg)))
        found = orders.near(
            session,
            states=CARRYING,
            since=sought.received_at - self._window,
            latitude_deg=(patient.latitude_deg - latitude_deg, patient.latitude_deg + latitude_deg),
            longitude_deg=(patient.longitude_deg - longitude_deg, patient.longitude_deg + longitude_deg),
        )
        carriers = [
            Carrier(order, distance_m, "near_in_place_and_time")
            for order in found
            if (distance_m := _distance_m(patient, order)) <= self._radius_m and _may_carry(order, sought)
        ]
        return sorted(carriers, key=lambda carrier: (carrier.distance_m, carrier.order.order_id))

    def merge(
        self, session: Session, turn: Turn, sought: Sought, near: Sequence[Carrier], *, new_incident: bool
    ) -> bool:
        """Merge a new order into one for the same patient, if there is one. ``new_incident``: it has no other order."""
        if sought.separate:
            return False
        nearest = next(iter(near), None)
        carrier = (None if new_incident else self._of_incident(session, turn.order, sought)) or nearest
        if nearest is not None and carrier is not None and nearest.order.order_id == carrier.order.order_id:
            # It may be of the same incident only because it is near.
            names_it = turn.order.request.get("incident_id") or turn.order.request.get("incident_reference")
            carrier = carrier if names_it else nearest
        if carrier is None:
            return False
        first = Turn(carrier.order)
        changes: dict[str, Any] = {"merged_orders": first.order.merged_orders + 1}
        # The mission is as urgent as the most urgent of its orders («I» sorts first).
        changes["severity"] = min(first.order.severity, turn.order.severity)
        self._ledger.change(session, first, **changes)
        why, why_zh = _WHY[carrier.why]
        data = {"why": carrier.why, "distance_m": round(carrier.distance_m, 1)}
        first.moved = True
        self._ledger.record(
            session,
            first,
            "order_merged_here",
            f"Order {turn.order.order_id} is for the same patient ({why}): one drone serves both",
            f"订单 {turn.order.order_id} 为同一患者（{why_zh}），由同一架无人机投送",
            data=data | {"merged_order_id": turn.order.order_id},
        )
        self._ledger.change(session, turn, merged_into=first.order.order_id)
        self._ledger.apply(session, turn, OrderEvent.MERGED, strict=True)
        self._ledger.record(
            session,
            turn,
            "order_merged",
            f"Merged into order {first.order.order_id} ({why}): its drone serves both",
            f"已并入订单 {first.order.order_id}（{why_zh}），由同一架无人机投送",
            data=data | {"merged_into": first.order.order_id, "mission_state": first.order.state},
        )
        return True

    @staticmethod
    def _of_incident(session: Session, order: OrderRecord, sought: Sought) -> Carrier | None:
        """The oldest order of the same incident that could carry this one. Places too far apart are two patients,
        whatever their reference says: one drone cannot serve both."""
        if order.incident_id is None:
            return None
        return next(
            (
                Carrier(other, distance_m, "same_incident")
                for other in orders.of_incident(session, order.incident_id)
                if other.order_id != order.order_id
                and _may_carry(other, sought)
                and (distance_m := _distance_m(sought.patient, other)) <= FAR_APART_M
            ),
            None,
        )

    def cancel(self, session: Session, turn: Turn, reason: str) -> bool:
        """A centre cancels an order that shares a mission: the mission flies on while another order needs it.

        False if the order shares none. Raises 4004 once the AED is on the ground.
        """
        if turn.order.state is OrderState.MERGED:
            self._cancel_merged(session, turn, reason)
            return True
        if turn.order.merged_orders == 0 or turn.order.state not in CARRYING:
            return False
        _refuse_if_delivered(turn.order)
        if turn.order.withdrawn_at is None:
            self._ledger.change(session, turn, withdrawn_at=self._ledger.now())
            turn.moved = True
            self._ledger.record(
                session,
                turn,
                "order_withdrawn",
                f"The centre cancelled the order: {reason}; the drone flies on for the orders merged into it",
                f"调度中心取消订单：{reason}；无人机继续为并入的订单投送",
                data={"reason": reason},
            )
        return True

    def _cancel_merged(self, session: Session, turn: Turn, reason: str) -> None:
        assert turn.order.merged_into is not None
        carrier = Turn(orders.get(session, turn.order.merged_into))
        _refuse_if_delivered(carrier.order)
        self._ledger.apply(session, turn, OrderEvent.CANCEL, strict=True)
        self._ledger.record(
            session,
            turn,
            "cancel_requested",
            f"The centre cancelled the order: {reason}",
            f"调度中心取消订单：{reason}",
            data={"reason": reason, "merged_into": carrier.order.order_id},
        )
        self._let_go(session, carrier, turn.order.order_id, "merged_order_cancelled", "cancelled", "已取消")

    def _let_go(
        self, session: Session, carrier: Turn, order_id: str, kind: str, what: str, what_zh: str
    ) -> None:
        """One order less needs the mission; without any, it is called back."""
        self._ledger.change(session, carrier, merged_orders=carrier.order.merged_orders - 1)
        self._ledger.record(
            session,
            carrier,
            kind,
            f"Order {order_id}, which shared this mission, was {what}",
            f"共用本次投送的订单 {order_id} {what_zh}",
            data={"merged_order_id": order_id},
        )
        if carrier.order.withdrawn_at is None or carrier.order.merged_orders > 0:
            return
        if self._ledger.apply(session, carrier, OrderEvent.CANCEL):
            if carrier.order.state is OrderState.CANCELLING:
                self._ledger.close_if_flights_ended(session, carrier)
            self._ledger.record(
                session,
                carrier,
                "cancel_requested",
                "No order needs the mission any more",
                "已无订单需要本次投送",
            )

    def split(self, session: Session, order_id: str, reason: str) -> Turn:
        """Take an order out of a merge, to be decided on its own. Raises 4004 where it can't be."""
        turn = Turn(orders.get(session, order_id))
        carrier = (
            None if turn.order.merged_into is None else Turn(orders.get(session, turn.order.merged_into))
        )
        if (
            carrier is not None
            and carrier.order.withdrawn_at is not None
            and carrier.order.merged_orders == 1
        ):
            raise DispatchError(
                ErrorCode.TRANSITION_REFUSED,
                "the other order was cancelled, the drone flies for this one alone · "
                "另一订单已取消，无人机仅为本订单投送",
            )
        self._ledger.apply(session, turn, OrderEvent.SPLIT, strict=True)
        assert carrier is not None
        self._ledger.change(session, turn, merged_into=None, split_at=self._ledger.now())
        self._ledger.record(
            session,
            turn,
            "order_split",
            f"Split from order {carrier.order.order_id}, decided on its own: {reason}",
            f"已从订单 {carrier.order.order_id} 拆分，单独决定：{reason}",
            data={"reason": reason, "split_from": carrier.order.order_id},
        )
        self._let_go(session, carrier, order_id, "order_split_off", "split off", "已拆分")
        return turn

    def follow(self, session: Session, turn: Turn, record: EventRecord) -> None:
        """The carrier moved: tell the orders merged into it, and end them with it. Called by the ledger."""
        carrier = turn.order
        if carrier.merged_orders == 0 or record.kind == "order_withdrawn":
            return
        ending = _ENDINGS.get(carrier.state)
        for merged in orders.merged_into(session, carrier.order_id):
            other = Turn(merged)
            if ending is None:
                other.moved = True
            else:
                # First what the mission was: why an order ended is judged by it.
                self._ledger.change(session, other, **self._left_behind(carrier, ending))
                self._ledger.apply(session, other, ending)
                if ending is OrderEvent.SPLIT:
                    turn.decide_also.append(merged.order_id)
            self._ledger.record(
                session,
                other,
                "mission_moved",
                record.detail,
                record.detail_zh,
                data={
                    "merged_into": carrier.order_id,
                    "mission_state": carrier.state,
                    "mission_event": record.kind,
                },
            )

    def _left_behind(self, carrier: OrderRecord, ending: OrderEvent) -> dict[str, Any]:
        if ending is OrderEvent.SPLIT:
            return {"merged_into": None, "split_at": self._ledger.now()}
        return {
            "decision": carrier.decision,
            "decided_at": carrier.decided_at,
            "station_id": carrier.station_id,
            "airborne_at": carrier.airborne_at,
            "aed_on_ground_at": carrier.aed_on_ground_at,
        }


def _may_carry(order: OrderRecord, sought: Sought) -> bool:
    """A drill never carries a patient's order, and nobody waits for an approval that their own order needs not."""
    waits_for_a_person = order.needs_approval and order.state in UNDECIDED | {OrderState.AWAITING_APPROVAL}
    return (
        order.state in CARRYING
        and not order.request.get("separate")
        and order.drill == sought.drill
        and (sought.needs_approval or not waits_for_a_person)
    )


def _distance_m(here: Wgs84Point, other: OrderRecord) -> float:
    return geodesic_distance_m(here, Wgs84Point(other.latitude_deg, other.longitude_deg))


_WHY = {
    "same_incident": ("the same incident", "同一事件"),
    "near_in_place_and_time": ("near in place and time", "位置和时间相近"),
}


def _refuse_if_delivered(carrier: OrderRecord) -> None:
    """Raises 4004 where the mission could not be cancelled either."""
    rule = advance(carrier.state, OrderEvent.CANCEL)
    if isinstance(rule, Refuse):
        raise DispatchError(
            ErrorCode.TRANSITION_REFUSED, f"{rule.why} (state {carrier.state}) · {rule.why_zh}"
        )
