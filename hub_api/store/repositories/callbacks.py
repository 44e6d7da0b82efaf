"""Order updates owed to callback URLs."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, func, or_, update
from sqlalchemy import select as sa_select
from sqlmodel import Session, col, select

from core.errors import ErrorCode, InternalError
from hub_api.store.incident_tables import IncidentRow
from hub_api.store.prepared import Prepared
from hub_api.store.records import CallbackRecord
from hub_api.store.rows import Rows
from hub_api.store.tables import CallbackRow, OrderRow
from hub_api.store.units import Owed, note_owed

_FIELDS = tuple(CallbackRecord.__dataclass_fields__)
_ROWS = Rows(CallbackRow, CallbackRecord, _FIELDS)
_C = _ROWS.columns
_OLDEST = (
    sa_select(func.min(_C.seq))
    .where(_C.delivered_at.is_(None), _C.failed_at.is_(None))
    .group_by(_C.order_id, _C.incident_id, _C.url)
)
_OLDEST_OPEN = Prepared(_ROWS.select.where(_C.seq.in_(_OLDEST)).order_by(_C.seq))
"""A centre that is away for hours is owed thousands; only these are read each time that something is owed."""
_OF_ORDER = Prepared(_ROWS.select.where(_C.order_id == bindparam("order_id")).order_by(_C.seq))

_OF_INCIDENT = Prepared(_ROWS.select.where(_C.incident_id == bindparam("incident_id")).order_by(_C.seq))


def _record(row: CallbackRow) -> CallbackRecord:
    return CallbackRecord(**{name: getattr(row, name) for name in _FIELDS})


def add(
    session: Session,
    *,
    order_id: str | None,
    incident_id: str | None = None,
    event_seq: int,
    url: str,
    body: str,
    at: datetime,
) -> None:
    """Owe one update from this transaction on; of an order, or of an incident."""
    note_owed(session, Owed.CALLBACK)
    _ROWS.insert(
        session,
        order_id=order_id,
        incident_id=incident_id,
        event_seq=event_seq,
        url=url,
        body=body,
        created_at=at,
        next_attempt_at=at,
        attempts=0,
        replays=0,
    )


def open_of_each_order(session: Session) -> list[CallbackRecord]:
    """The oldest open update of every order or incident to each of its addresses: those are sent in order."""
    return _ROWS.all(session, _OLDEST_OPEN)


def dead(session: Session, *, client: str | None, before: int | None, limit: int) -> list[CallbackRecord]:
    """Updates that were given up, newest first; of one client, or of all."""
    query = select(CallbackRow).where(col(CallbackRow.failed_at).is_not(None))
    if client is not None:
        query = (
            query.join(OrderRow, col(OrderRow.order_id) == col(CallbackRow.order_id), isouter=True)
            .join(IncidentRow, col(IncidentRow.incident_id) == col(CallbackRow.incident_id), isouter=True)
            .where(or_(col(OrderRow.client) == client, col(IncidentRow.client) == client))
        )
    if before is not None:
        query = query.where(col(CallbackRow.seq) < before)
    return [_record(row) for row in session.exec(query.order_by(col(CallbackRow.seq).desc()).limit(limit))]


def count_dead(session: Session) -> int:
    """How many updates were given up and not replayed."""
    query = select(func.count()).select_from(CallbackRow).where(col(CallbackRow.failed_at).is_not(None))
    return session.exec(query).one()


def find(session: Session, seq: int) -> CallbackRecord | None:
    row = session.get(CallbackRow, seq)
    return None if row is None else _record(row)


def replay(session: Session, seq: int, at: datetime) -> None:
    """Owe a given-up update again, with all its tries."""
    note_owed(session, Owed.CALLBACK)
    session.execute(
        update(CallbackRow)
        .where(col(CallbackRow.seq) == seq)
        .values(failed_at=None, attempts=0, next_attempt_at=at, replays=col(CallbackRow.replays) + 1)
    )


def of_order(session: Session, order_id: str) -> list[CallbackRecord]:
    return _ROWS.all(session, _OF_ORDER, order_id=order_id)


def of_incident(session: Session, incident_id: str) -> list[CallbackRecord]:
    """What was owed about an incident itself, not about its orders."""
    return _ROWS.all(session, _OF_INCIDENT, incident_id=incident_id)


def client_of(session: Session, update: CallbackRecord) -> str:
    """Whose secret signs an update."""
    if update.order_id is not None:
        found = session.exec(select(OrderRow.client).where(col(OrderRow.order_id) == update.order_id)).first()
    else:
        found = session.exec(
            select(IncidentRow.client).where(col(IncidentRow.incident_id) == update.incident_id)
        ).first()
    if found is None:
        raise InternalError(ErrorCode.BROKEN_INVARIANT, f"callback {update.seq} is about nothing stored")
    return found


def mark_delivered(session: Session, seq: int, at: datetime) -> None:
    session.execute(
        update(CallbackRow)
        .where(col(CallbackRow.seq) == seq)
        .values(delivered_at=at, attempts=col(CallbackRow.attempts) + 1, last_error=None)
    )


def mark_attempt(
    session: Session, seq: int, *, error: str, next_attempt_at: datetime, failed_at: datetime | None
) -> None:
    """An attempt failed; ``failed_at`` if it was the last one."""
    session.execute(
        update(CallbackRow)
        .where(col(CallbackRow.seq) == seq)
        .values(
            attempts=col(CallbackRow.attempts) + 1,
            last_error=error[:300],
            next_attempt_at=next_attempt_at,
            failed_at=failed_at,
        )
    )
