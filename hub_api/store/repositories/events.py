"""The append-only log of what happened; the source of every stream."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, func, select
from sqlmodel import Session

from hub_api.dispatch.order_states import OrderState
from hub_api.store.database import note_appended
from hub_api.store.prepared import Prepared
from hub_api.store.records import EventRecord, NewEvent
from hub_api.store.rows import Rows, run
from hub_api.store.tables import EventRow

_FIELDS = tuple(EventRecord.__dataclass_fields__)
_NEW = tuple(NewEvent.__dataclass_fields__)
_ROWS = Rows(
    EventRow, EventRecord, _FIELDS, {"state": lambda state: None if state is None else OrderState(state)}
)
_C = _ROWS.columns
_KNOWN = Prepared(select(_C.seq).where(_C.message_id == bindparam("message_id")))
_BY_SEQ = Prepared(_ROWS.select.where(_C.seq == bindparam("seq")))
_BY_MESSAGE = Prepared(_ROWS.select.where(_C.message_id == bindparam("message_id")))
_IN_ORDER = _ROWS.select.where(_C.seq > bindparam("after")).order_by(_C.seq)
_SOME_IN_ORDER = _IN_ORDER.limit(bindparam("most"))
_AFTER = Prepared(_SOME_IN_ORDER)
_OF_ORDER = Prepared(_IN_ORDER.where(_C.order_id == bindparam("order_id")))
_SOME_OF_ORDER = Prepared(_SOME_IN_ORDER.where(_C.order_id == bindparam("order_id")))
_OF_INCIDENT = Prepared(_SOME_IN_ORDER.where(_C.incident_id == bindparam("incident_id")))
_NEWEST_OF_INCIDENT = Prepared(
    select(_C.stored_at).where(_C.incident_id == bindparam("incident_id")).order_by(_C.seq.desc()).limit(1)
)
_NEWEST_OF_ORDER = Prepared(
    select(_C.stored_at)
    .where(_C.order_id == bindparam("order_id"), _C.kind != bindparam("but"))
    .order_by(_C.seq.desc())
    .limit(1)
)
_LAST = Prepared(select(func.max(_C.seq).label("seq")))


def record_of(row: EventRow) -> EventRecord:
    """The value of a row, for the repositories that look at events another way."""
    fields = {name: getattr(row, name) for name in _FIELDS}
    return EventRecord(**(fields | {"state": None if row.state is None else OrderState(row.state)}))


def known(session: Session, message_id: str) -> bool:
    """Whether this message was stored before."""
    return run(session, _KNOWN, message_id=message_id).first() is not None


def find(session: Session, seq: int) -> EventRecord | None:
    """The event at this position of the stream."""
    return _ROWS.one(session, _BY_SEQ, seq=seq)


def find_message(session: Session, message_id: str) -> EventRecord | None:
    """The event that this message became."""
    return _ROWS.one(session, _BY_MESSAGE, message_id=message_id)


def append(session: Session, event: NewEvent) -> EventRecord:
    """Store an event; listeners hear of it after the commit."""
    fields = {name: getattr(event, name) for name in _NEW}
    record = EventRecord(**fields, seq=_ROWS.insert(session, **fields))
    note_appended(session, record)
    return record


def of_order(
    session: Session, order_id: str, *, after: int = 0, limit: int | None = None
) -> list[EventRecord]:
    """Events of an order with ``seq`` greater than ``after``, in order."""
    if limit is None:
        return _ROWS.all(session, _OF_ORDER, order_id=order_id, after=after)
    return _ROWS.all(session, _SOME_OF_ORDER, order_id=order_id, after=after, most=limit)


def of_incident(session: Session, incident_id: str, *, after: int = 0, limit: int) -> list[EventRecord]:
    """Events of an incident and of its orders with a greater ``seq``, in order."""
    return _ROWS.all(session, _OF_INCIDENT, incident_id=incident_id, after=after, most=limit)


def last_stored_of_incident(session: Session, incident_id: str) -> datetime | None:
    """When something of an incident or of its orders was stored last."""
    found: datetime | None = run(session, _NEWEST_OF_INCIDENT, incident_id=incident_id).scalar()
    return found


def last_stored_of_order(session: Session, order_id: str, *, but: str) -> datetime | None:
    """When something of an order was stored last, other than events of one kind."""
    found: datetime | None = run(session, _NEWEST_OF_ORDER, order_id=order_id, but=but).scalar()
    return found


def after(session: Session, seq: int, *, limit: int) -> list[EventRecord]:
    """All events with a greater ``seq``, in order."""
    return _ROWS.all(session, _AFTER, after=seq, most=limit)


def last_seq(session: Session) -> int:
    """Position of the newest event; 0 if there is none."""
    return run(session, _LAST).scalar() or 0
