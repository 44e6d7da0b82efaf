"""Proposed flights that were put before people."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, update
from sqlalchemy.engine import CursorResult
from sqlmodel import Session, col, select

from hub_api.store.prepared import Prepared
from hub_api.store.records import ApprovalRecord
from hub_api.store.rows import Rows
from hub_api.store.tables import ApprovalRow
from hub_api.store.units import Owed, note_owed

_FIELDS = tuple(ApprovalRecord.__dataclass_fields__)
_ROWS = Rows(ApprovalRow, ApprovalRecord, _FIELDS)
_C = _ROWS.columns
_NEWEST_OF_ORDER = Prepared(
    _ROWS.select.where(_C.order_id == bindparam("order_id"))
    .order_by(_C.asked_at.desc(), _C.mission_id.desc())
    .limit(1)
)


def _record(row: ApprovalRow) -> ApprovalRecord:
    return ApprovalRecord(**{name: getattr(row, name) for name in _FIELDS})


def insert(session: Session, approval: ApprovalRecord) -> None:
    note_owed(session, Owed.APPROVAL)
    session.add(ApprovalRow(**{name: getattr(approval, name) for name in _FIELDS}))
    session.flush()


def find(session: Session, mission_id: str) -> ApprovalRecord | None:
    row = session.get(ApprovalRow, mission_id)
    return None if row is None else _record(row)


def newest_of_order(session: Session, order_id: str) -> ApprovalRecord | None:
    """The last request for an approval that the order caused."""
    return _ROWS.one(session, _NEWEST_OF_ORDER, order_id=order_id)


def due(session: Session, now: datetime) -> list[ApprovalRecord]:
    """Unanswered requests whose next alarm is due, the longest waiting first."""
    query = (
        select(ApprovalRow)
        .where(col(ApprovalRow.answered_at).is_(None), col(ApprovalRow.next_alarm_at) <= now)
        .order_by(col(ApprovalRow.asked_at))
    )
    return [_record(row) for row in session.exec(query)]


def next_due_at(session: Session) -> datetime | None:
    """When the next alarm is due; None while nothing waits."""
    query = select(func.min(ApprovalRow.next_alarm_at)).where(col(ApprovalRow.answered_at).is_(None))
    return session.exec(query).one()


def save(session: Session, approval: ApprovalRecord, **changes: Any) -> ApprovalRecord:
    session.execute(
        update(ApprovalRow).where(col(ApprovalRow.mission_id) == approval.mission_id).values(**changes)
    )
    return replace(approval, **changes)


def answer(
    session: Session, mission_id: str, *, answer: str, by: str, reason: str | None, at: datetime
) -> bool:
    """Store the answer, once; False if there was one, or nobody was asked."""
    result = session.execute(
        update(ApprovalRow)
        .where(col(ApprovalRow.mission_id) == mission_id, col(ApprovalRow.answered_at).is_(None))
        .values(answer=answer, answered_by=by, reason=reason, answered_at=at)
    )
    assert isinstance(result, CursorResult)
    return result.rowcount == 1
