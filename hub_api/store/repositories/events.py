"""The append-only log of what happened; the source of every stream."""

from __future__ import annotations

from sqlalchemy import func
from sqlmodel import Session, col, select

from hub_api.dispatch.order_states import OrderState
from hub_api.store.database import note_appended
from hub_api.store.records import EventRecord, NewEvent
from hub_api.store.tables import EventRow

_FIELDS = tuple(EventRecord.__dataclass_fields__)
_NEW = tuple(NewEvent.__dataclass_fields__)


def record_of(row: EventRow) -> EventRecord:
    """The value of a row, for the repositories that look at events another way."""
    fields = {name: getattr(row, name) for name in _FIELDS}
    return EventRecord(**(fields | {"state": None if row.state is None else OrderState(row.state)}))


def known(session: Session, message_id: str) -> bool:
    """Whether this message was stored before."""
    query = select(EventRow.seq).where(col(EventRow.message_id) == message_id)
    return session.exec(query).first() is not None


def append(session: Session, event: NewEvent) -> EventRecord:
    """Store an event; listeners hear of it after the commit."""
    row = EventRow(**{name: getattr(event, name) for name in _NEW})
    session.add(row)
    session.flush()
    record = record_of(row)
    note_appended(session, record)
    return record


def of_order(
    session: Session, order_id: str, *, after: int = 0, limit: int | None = None
) -> list[EventRecord]:
    """Events of an order with ``seq`` greater than ``after``, in order."""
    query = (
        select(EventRow)
        .where(col(EventRow.order_id) == order_id, col(EventRow.seq) > after)
        .order_by(col(EventRow.seq))
    )
    if limit is not None:
        query = query.limit(limit)
    return [record_of(row) for row in session.exec(query)]


def after(session: Session, seq: int, *, limit: int) -> list[EventRecord]:
    """All events with a greater ``seq``, in order."""
    query = select(EventRow).where(col(EventRow.seq) > seq).order_by(col(EventRow.seq)).limit(limit)
    return [record_of(row) for row in session.exec(query)]


def last_seq(session: Session) -> int:
    """Position of the newest event; 0 if there is none."""
    return session.exec(select(func.max(EventRow.seq))).one() or 0
