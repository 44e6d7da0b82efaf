"""Orders and their idempotency keys."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import bindparam, delete, func, or_
from sqlalchemy.engine import CursorResult
from sqlmodel import Session, col, select

from core.errors import ErrorCode, InternalError
from hub_api.dispatch.order_states import TERMINAL_STATES, OrderState
from hub_api.store.prepared import Found, Prepared
from hub_api.store.records import OrderRecord
from hub_api.store.rows import Rows, run, run_later, table_of
from hub_api.store.tables import DecisionCandidatesRow, IdempotencyRow, OrderRow

_FIELDS = tuple(OrderRecord.__dataclass_fields__)
_ROWS = Rows(OrderRow, OrderRecord, _FIELDS, {"state": OrderState})
_C = _ROWS.columns
_KEYS = table_of(IdempotencyRow)
_K = _KEYS.c
_BY_ID = Prepared(_ROWS.select.where(_C.order_id == bindparam("order_id")))
_SAVE = Prepared(
    _ROWS.update().where(_C.order_id == bindparam("of_order"), _C.version == bindparam("of_version"))
)
_OF_INCIDENT = Prepared(_ROWS.select.where(_C.incident_id == bindparam("incident_id")).order_by(_C.order_id))
_ANOTHER_OPEN = Prepared(
    select(_C.order_id)
    .where(
        _C.incident_id == bindparam("incident_id"),
        _C.order_id != bindparam("but"),
        *(_C.state != str(state) for state in sorted(TERMINAL_STATES)),
    )
    .limit(1)
)
_WAITING = Prepared(_ROWS.select.where(_C.state == bindparam("state")).order_by(_C.severity, _C.order_id))
_UNDECIDED = Prepared(
    select(_C.order_id, _C.version).where(
        or_(*(_C.state == str(state) for state in (OrderState.RECEIVED, OrderState.REDECIDING)))
    )
)
_MERGED_INTO = Prepared(
    _ROWS.select.where(_C.merged_into == bindparam("carrier"), _C.state == str(OrderState.MERGED)).order_by(
        _C.order_id
    )
)
_KEEP_KEY = Prepared(_KEYS.insert())
_BY_KEY = Prepared(
    select(_K.body_sha256, _K.order_id, _K.created_at).where(
        _K.client == bindparam("client"), _K.key == bindparam("key")
    )
)
_FORGET = Prepared(
    delete(_KEYS).where(
        _K.client == bindparam("client"), _K.key == bindparam("key"), _K.created_at < bindparam("moment")
    )
)
_CANDIDATES = table_of(DecisionCandidatesRow)
_ADD_CANDIDATES = Prepared(_CANDIDATES.insert())
_DROP_CANDIDATES = Prepared(delete(_CANDIDATES).where(_CANDIDATES.c.order_id == bindparam("order_id")))
_CANDIDATES_OF = Prepared(
    select(_CANDIDATES.c.document).where(_CANDIDATES.c.order_id == bindparam("order_id"))
)


def _record(row: OrderRow) -> OrderRecord:
    fields = {name: getattr(row, name) for name in _FIELDS}
    return OrderRecord(**(fields | {"state": OrderState(row.state)}))


def insert(session: Session, order: OrderRecord, *, key: str, body_sha256: str) -> None:
    """Store a new order with its idempotency key.

    ``IntegrityError`` if another transaction took the key first: its primary key is what decides
    between concurrent doubles, and the loser stores nothing.
    """
    _ROWS.insert_record(session, order)
    run_later(
        session,
        _KEEP_KEY,
        client=order.client,
        key=key,
        body_sha256=body_sha256,
        order_id=order.order_id,
        created_at=order.received_at,
    )


def find_by_key(
    session: Session, client: str, key: str, *, not_before: datetime
) -> tuple[str, OrderRecord] | None:
    """The body's hash and the order that came with a client's key, if the key is still remembered."""
    row = run(session, _BY_KEY, client=client, key=key).first()
    if row is None or row.created_at < not_before:
        return None
    return row.body_sha256, get(session, row.order_id)


def remember_key(
    session: Session, client: str, key: str, *, body_sha256: str, order_id: str, at: datetime
) -> None:
    """Bind a client's key to what came with it. ``IntegrityError`` if another transaction took the key first."""
    session.add(
        IdempotencyRow(client=client, key=key, body_sha256=body_sha256, order_id=order_id, created_at=at)
    )
    session.flush()


def forget_key_if_older(session: Session, client: str, key: str, moment: datetime) -> None:
    """Make a key usable again once the promise to remember it is over."""
    run(session, _FORGET, client=client, key=key, moment=moment)


def is_remembered(session: Session, client: str, key: str, *, not_before: datetime) -> bool:
    """Whether a key is bound to something; one that is no longer promised to be remembered becomes usable again."""
    row = run(session, _BY_KEY, client=client, key=key).first()
    if row is not None and row.created_at < not_before:
        forget_key_if_older(session, client, key, not_before)
        return False
    return row is not None


def forget_keys_before(session: Session, moment: datetime) -> int:
    """Drop keys older than the promise to remember them; the orders stay."""
    result = session.execute(delete(IdempotencyRow).where(col(IdempotencyRow.created_at) < moment))
    assert isinstance(result, CursorResult)
    return result.rowcount


def find(session: Session, order_id: str) -> OrderRecord | None:
    return _ROWS.one(session, _BY_ID, order_id=order_id)


def get(session: Session, order_id: str) -> OrderRecord:
    """An order that must exist; 5003 otherwise."""
    order = find(session, order_id)
    if order is None:
        raise InternalError(ErrorCode.BROKEN_INVARIANT, f"order {order_id} is referred to but not stored")
    return order


def list_page(
    session: Session,
    *,
    client: str | None,
    states: Collection[OrderState] = (),
    before: str | None = None,
    limit: int,
) -> list[OrderRecord]:
    """Newest first. ``before`` is the last order_id of the previous page; ids sort by time."""
    query = select(OrderRow).order_by(col(OrderRow.order_id).desc()).limit(limit)
    if client is not None:
        query = query.where(col(OrderRow.client) == client)
    if states:
        query = query.where(col(OrderRow.state).in_([str(state) for state in states]))
    if before is not None:
        query = query.where(col(OrderRow.order_id) < before)
    return [_record(row) for row in session.exec(query)]


class OrderPlace(NamedTuple):
    """What a search needs of an order."""

    order_id: str
    incident_reference: str | None
    latitude_deg: float
    longitude_deg: float


def where_they_are(
    session: Session, *, client: str | None, order_id: str | None, limit: int
) -> list[OrderPlace]:
    """The newest orders, or one of them; without decisions, which are large and asked for at every letter typed."""
    query = (
        select(OrderRow.order_id, OrderRow.request, OrderRow.latitude_deg, OrderRow.longitude_deg)
        .order_by(col(OrderRow.order_id).desc())
        .limit(limit)
    )
    if client is not None:
        query = query.where(col(OrderRow.client) == client)
    if order_id is not None:
        query = query.where(col(OrderRow.order_id) == order_id)
    return [
        OrderPlace(found, request.get("incident_reference"), latitude_deg, longitude_deg)
        for found, request, latitude_deg, longitude_deg in session.exec(query)
    ]


def list_unsealed(session: Session, limit: int) -> list[OrderRecord]:
    """Orders of an earlier release whose request still holds personal data in plain words."""
    query = (
        select(OrderRow)
        .where(col(OrderRow.personal).is_(None), col(OrderRow.personal_erased_at).is_(None))
        .order_by(col(OrderRow.order_id))
        .limit(limit)
    )
    return [_record(row) for row in session.exec(query)]


def list_sealed_finished_before(session: Session, moment: datetime, limit: int) -> list[OrderRecord]:
    """Orders finished before ``moment`` whose personal data is still kept."""
    query = (
        select(OrderRow)
        .where(col(OrderRow.personal).is_not(None), col(OrderRow.finished_at) < moment)
        .order_by(col(OrderRow.order_id))
        .limit(limit)
    )
    return [_record(row) for row in session.exec(query)]


def list_sealed(session: Session, *, after: str, limit: int) -> list[OrderRecord]:
    """Orders with sealed personal data in the order of their ids, from ``after`` on."""
    query = (
        select(OrderRow)
        .where(col(OrderRow.personal).is_not(None), col(OrderRow.order_id) > after)
        .order_by(col(OrderRow.order_id))
        .limit(limit)
    )
    return [_record(row) for row in session.exec(query)]


def list_open(session: Session) -> list[OrderRecord]:
    """Every order that is not final, oldest first."""
    final = [str(state) for state in TERMINAL_STATES]
    query = select(OrderRow).where(col(OrderRow.state).not_in(final)).order_by(col(OrderRow.order_id))
    return [_record(row) for row in session.exec(query)]


def waiting(session: Session) -> list[OrderRecord]:
    """Orders that wait for a drone, the most urgent first («I» sorts first), then the oldest."""
    return _ROWS.all(session, _WAITING, state=str(OrderState.WAITING))


def undecided(session: Session) -> list[tuple[str, int]]:
    """(order_id, version) of every order that waits for nothing but its decision."""
    return [(row.order_id, row.version) for row in run(session, _UNDECIDED)]


def of_incident(session: Session, incident_id: str) -> list[OrderRecord]:
    """Every order of an incident, oldest first."""
    return _ROWS.all(session, _OF_INCIDENT, incident_id=incident_id)


def another_open(session: Session, order: OrderRecord) -> bool:
    """Whether an order of the same incident other than this one is not final."""
    found = run(session, _ANOTHER_OPEN, incident_id=order.incident_id, but=order.order_id)
    return found.first() is not None


def merged_into(session: Session, order_id: str) -> list[OrderRecord]:
    """Orders that another's mission serves now, oldest first."""
    return _ROWS.all(session, _MERGED_INTO, carrier=order_id)


@cache
def _near(states: frozenset[OrderState]) -> Prepared:
    """Without a list of values, so that it can be prepared."""
    return Prepared(
        _ROWS.select.where(
            or_(*(_C.state == str(state) for state in sorted(states))),
            _C.received_at >= bindparam("since"),
            _C.latitude_deg.between(bindparam("south"), bindparam("north")),
            _C.longitude_deg.between(bindparam("west"), bindparam("east")),
        )
    )


def near(
    session: Session,
    *,
    states: frozenset[OrderState],
    since: datetime,
    latitude_deg: tuple[float, float],
    longitude_deg: tuple[float, float],
) -> list[OrderRecord]:
    """Orders in these states, received since a moment, inside a box of WGS-84 degrees."""
    return _ROWS.all(
        session,
        _near(states),
        since=since,
        south=latitude_deg[0],
        north=latitude_deg[1],
        west=longitude_deg[0],
        east=longitude_deg[1],
    )


def count_open(session: Session) -> int:
    """How many orders are not final."""
    final = [str(state) for state in TERMINAL_STATES]
    query = select(func.count()).select_from(OrderRow).where(col(OrderRow.state).not_in(final))
    return session.exec(query).one()


def save(session: Session, order: OrderRecord, **changes: Any) -> OrderRecord:
    """Write the changed fields of an order, if nobody changed it since it was read; 5003 otherwise."""
    fields = changes | {"version": order.version + 1}

    def check(found: Found) -> None:
        if found.rowcount != 1:
            raise InternalError(
                ErrorCode.BROKEN_INVARIANT, f"order {order.order_id} was changed by somebody else meanwhile"
            )

    run_later(session, _SAVE, check, of_order=order.order_id, of_version=order.version, **fields)
    return _ROWS.changed(order, fields)


def put_candidates(session: Session, order_id: str, document: str, *, first: bool) -> None:
    """Store the candidates of an order's decision; in place of an earlier decision's unless it is the first."""
    if not first:
        run_later(session, _DROP_CANDIDATES, order_id=order_id)
    run_later(session, _ADD_CANDIDATES, order_id=order_id, document=document)


def candidates_of(session: Session, order_id: str) -> str | None:
    """The stored candidates of an order's decision; None where there is none, or they are inside an old one."""
    found: str | None = run(session, _CANDIDATES_OF, order_id=order_id).scalar()
    return found
