"""The append-only log of what happened; the source of every stream."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import String, and_, bindparam, cast, column, func, literal, or_, select, table
from sqlmodel import Session

from hub_api.dispatch.order_states import TERMINAL_STATES, OrderState
from hub_api.store.prepared import Prepared, database_of
from hub_api.store.records import EventRecord, NewEvent
from hub_api.store.rows import FieldsOf, Rows, run, run_listing, table_of
from hub_api.store.tables import EventRow, OrderRow
from hub_api.store.units import NEXT_NUMBER, note_appended

_FIELDS = tuple(EventRecord.__dataclass_fields__)
_NEW = tuple(NewEvent.__dataclass_fields__)
_fields_of = FieldsOf(_NEW)
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
_SEQUENCE = Prepared(select(column("last_value"), column("is_called")).select_from(table("events_seq_seq")))
"""PostgreSQL's: what numbers the events."""
_LAST = Prepared(select(func.max(_C.seq).label("seq")))
ACKNOWLEDGES = "ack-"
"""Before the position of an alarm: the ``message_id`` of what acknowledges it."""
_LOOKED_BACK = 20_000
"""Chosen: so many events of the log are looked through at most; no open order began before them."""
_ACKNOWLEDGEMENT = _ROWS.table.alias("acknowledgement")
_ORDERS = table_of(OrderRow).c
_UNACKNOWLEDGED = (
    _ROWS.select.select_from(
        _ROWS.table.outerjoin(table_of(OrderRow), _ORDERS.order_id == _C.order_id).outerjoin(
            _ACKNOWLEDGEMENT,
            _ACKNOWLEDGEMENT.c.message_id == literal(ACKNOWLEDGES).concat(cast(_C.seq, String)),
        )
    )
    .where(
        _C.seq > bindparam("after"),
        _C.kind.in_(bindparam("kinds", expanding=True)),
        _ACKNOWLEDGEMENT.c.seq.is_(None),
        or_(
            and_(_C.order_id.is_(None), _C.stored_at >= bindparam("since")),
            _ORDERS.state.not_in([str(state) for state in TERMINAL_STATES]),
        ),
    )
    .order_by(_C.seq.desc())
    .limit(bindparam("most"))
)


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
    fields = _fields_of(event)
    seq = _next_number(session)
    if seq is None:
        seq = _ROWS.insert_numbered(session, **fields)
    else:
        _ROWS.insert_expected(session, seq, **fields)
    record = _ROWS.made([*fields.values(), seq])
    note_appended(session, record)
    return record


def _next_number(session: Session) -> int | None:
    """The number of the next event, where the database tells it before it is stored and so need not be waited for.

    Nobody else writes before this transaction ends, so the sequence goes on from where it stands.
    """
    if database_of(session) != "postgresql":
        return None
    seq: int | None = session.info.get(NEXT_NUMBER)
    if seq is None:
        stands = run(session, _SEQUENCE).first()
        seq = int(stands.last_value) + stands.is_called
    session.info[NEXT_NUMBER] = seq + 1
    return seq


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


def unacknowledged(
    session: Session, kinds: Sequence[str], *, since: datetime, limit: int
) -> list[EventRecord]:
    """The newest events of these kinds that nobody acknowledged, in order: of orders that are not over, and since
    then of no order.
    """
    after = last_seq(session) - _LOOKED_BACK
    found = run_listing(session, _UNACKNOWLEDGED, kinds=list(kinds), after=after, since=since, most=limit)
    return [_ROWS.made(tuple(row)) for row in found][::-1]
