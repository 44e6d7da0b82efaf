"""Drones that are called back on their pad for a more urgent order."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import or_, select, update
from sqlmodel import Session, col

from hub_api.dispatch.order_states import UNDECIDED, OrderState
from hub_api.dispatch.sky import Victim
from hub_api.store.records import PreEmptionRecord
from hub_api.store.tables import MissionRow, OrderRow, PreEmptionRow

_FIELDS = tuple(PreEmptionRecord.__dataclass_fields__)
_CLAIMS = [col(PreEmptionRow.drone_id), col(PreEmptionRow.taker_order_id), col(PreEmptionRow.outcome)]
_DISPLACEABLE = [
    *(
        col(OrderRow.order_id),
        col(MissionRow.mission_id),
        col(MissionRow.flight_id),
        col(MissionRow.drone_id),
    ),
    *(col(OrderRow.severity), col(OrderRow.mode), col(MissionRow.commanded_at), col(OrderRow.pre_empted)),
]
_FREED = "freed"
_UNDECIDED = tuple(sorted(str(state) for state in UNDECIDED))


def _record(row: PreEmptionRow) -> PreEmptionRecord:
    return PreEmptionRecord(**{name: getattr(row, name) for name in _FIELDS})


def insert(session: Session, found: PreEmptionRecord) -> None:
    session.add(PreEmptionRow(**{name: getattr(found, name) for name in _FIELDS}))
    session.flush()


def get(session: Session, pre_emption_id: str) -> PreEmptionRecord:
    """One that must exist."""
    row = session.get(PreEmptionRow, pre_emption_id, populate_existing=True)
    assert row is not None
    return _record(row)


def open_ones(session: Session) -> list[PreEmptionRecord]:
    """Those whose drone has not answered yet, the oldest first."""
    query = (
        select(PreEmptionRow)
        .where(col(PreEmptionRow.outcome).is_(None))
        .order_by(col(PreEmptionRow.pre_emption_id))
    )
    return [_record(row) for row in session.execute(query).scalars()]


def settle(session: Session, pre_emption_id: str, outcome: str, at: datetime) -> None:
    session.execute(
        update(PreEmptionRow)
        .where(col(PreEmptionRow.pre_emption_id) == pre_emption_id)
        .values(outcome=outcome, settled_at=at)
    )


def claims(session: Session) -> tuple[dict[str, str], frozenset[str]]:
    """Drone → the order it is kept for, until that is decided; and the orders whose drone has not answered yet."""
    query = (
        select(*_CLAIMS)
        .join(OrderRow, col(OrderRow.order_id) == col(PreEmptionRow.taker_order_id))
        .where(
            or_(col(PreEmptionRow.outcome).is_(None), col(PreEmptionRow.outcome) == _FREED),
            col(OrderRow.state).in_(_UNDECIDED),
        )
    )
    kept: dict[str, str] = {}
    waiting = set()
    for drone_id, taker, outcome in session.execute(query):
        kept[drone_id] = taker
        if outcome is None:
            waiting.add(taker)
    return kept, frozenset(waiting)


def displaceable(session: Session, states: Collection[OrderState]) -> tuple[Victim, ...]:
    """Flights that have not taken off, of orders in these states; the least urgent first."""
    query = (
        select(*_DISPLACEABLE)
        .join(OrderRow, col(OrderRow.mission_id) == col(MissionRow.mission_id))
        .where(
            col(MissionRow.ended_at).is_(None),
            col(MissionRow.airborne_at).is_(None),
            col(MissionRow.withdrawn).is_(None),
            col(OrderRow.state).in_([str(state) for state in states]),
        )
        .order_by(col(OrderRow.severity).desc(), col(OrderRow.order_id).desc())
    )
    return tuple(
        Victim(
            order_id=order_id,
            mission_id=mission_id,
            flight_id=flight_id,
            drone_id=drone_id,
            severity=severity,
            drill=mode == "drill",
            proposed=commanded_at is None,
            pre_empted=pre_empted,
        )
        for order_id, mission_id, flight_id, drone_id, severity, mode, commanded_at, pre_empted in (
            session.execute(query)
        )
    )
