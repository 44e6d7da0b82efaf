"""Drones that are called back on their pad for a more urgent order."""

from __future__ import annotations

from datetime import datetime
from functools import cache

from sqlalchemy import or_, select, update
from sqlmodel import Session, col

from hub_api.dispatch.order_states import UNDECIDED, OrderState
from hub_api.dispatch.sky import Victim
from hub_api.store.prepared import Prepared
from hub_api.store.records import PreEmptionRecord
from hub_api.store.rows import run, table_of
from hub_api.store.tables import MissionRow, OrderRow, PreEmptionRow

_FIELDS = tuple(PreEmptionRecord.__dataclass_fields__)
_P, _O, _M = table_of(PreEmptionRow).c, table_of(OrderRow).c, table_of(MissionRow).c
_FREED = "freed"
_UNDECIDED = tuple(sorted(str(state) for state in UNDECIDED))
_CLAIMS = Prepared(
    select(_P.drone_id, _P.taker_order_id, _P.outcome)
    .join_from(table_of(PreEmptionRow), table_of(OrderRow), _O.order_id == _P.taker_order_id)
    .where(
        or_(_P.outcome.is_(None), _P.outcome == _FREED),
        or_(*(_O.state == state for state in _UNDECIDED)),
    )
)


@cache
def _displaceable(states: frozenset[OrderState]) -> Prepared:
    """Without a list of values, so that it can be prepared."""
    mission = (_M.mission_id, _M.flight_id, _M.drone_id)
    return Prepared(
        select(_O.order_id, *mission, _O.severity, _O.mode, _M.commanded_at, _O.pre_empted)
        .join_from(table_of(MissionRow), table_of(OrderRow), _O.mission_id == _M.mission_id)
        .where(
            _M.ended_at.is_(None),
            _M.airborne_at.is_(None),
            _M.withdrawn.is_(None),
            or_(*(_O.state == str(state) for state in sorted(states))),
        )
        .order_by(_O.severity.desc(), _O.order_id.desc())
    )


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
    kept: dict[str, str] = {}
    waiting = set()
    for drone_id, taker, outcome in run(session, _CLAIMS):
        kept[drone_id] = taker
        if outcome is None:
            waiting.add(taker)
    return kept, frozenset(waiting)


def displaceable(session: Session, states: frozenset[OrderState]) -> tuple[Victim, ...]:
    """Flights that have not taken off, of orders in these states; the least urgent first."""
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
            run(session, _displaceable(states))
        )
    )
