"""Orders and their idempotency keys."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, update
from sqlalchemy.engine import CursorResult
from sqlmodel import Session, col, select

from core.errors import ErrorCode, InternalError
from hub_api.dispatch.order_states import TERMINAL_STATES, OrderState
from hub_api.store.records import OrderRecord
from hub_api.store.tables import IdempotencyRow, OrderRow

_FIELDS = tuple(OrderRecord.__dataclass_fields__)


def _record(row: OrderRow) -> OrderRecord:
    fields = {name: getattr(row, name) for name in _FIELDS}
    return OrderRecord(**(fields | {"state": OrderState(row.state)}))


def insert(session: Session, order: OrderRecord, *, key: str, body_sha256: str) -> None:
    """Store a new order with its idempotency key.

    ``IntegrityError`` if another transaction took the key first: its primary key is what decides
    between concurrent doubles, and the loser stores nothing.
    """
    session.add(OrderRow(**{name: getattr(order, name) for name in _FIELDS}))
    session.flush()
    session.add(
        IdempotencyRow(
            client=order.client,
            key=key,
            body_sha256=body_sha256,
            order_id=order.order_id,
            created_at=order.received_at,
        )
    )
    session.flush()


def find_by_key(
    session: Session, client: str, key: str, *, not_before: datetime
) -> tuple[str, OrderRecord] | None:
    """The body's hash and the order that came with a client's key, if the key is still remembered."""
    row = session.get(IdempotencyRow, (client, key))
    if row is None or row.created_at < not_before:
        return None
    return row.body_sha256, get(session, row.order_id)


def forget_key_if_older(session: Session, client: str, key: str, moment: datetime) -> None:
    """Make a key usable again once the promise to remember it is over."""
    session.execute(
        delete(IdempotencyRow).where(
            col(IdempotencyRow.client) == client,
            col(IdempotencyRow.key) == key,
            col(IdempotencyRow.created_at) < moment,
        )
    )


def forget_keys_before(session: Session, moment: datetime) -> int:
    """Drop keys older than the promise to remember them; the orders stay."""
    result = session.execute(delete(IdempotencyRow).where(col(IdempotencyRow.created_at) < moment))
    assert isinstance(result, CursorResult)
    return result.rowcount


def find(session: Session, order_id: str) -> OrderRecord | None:
    row = session.get(OrderRow, order_id)
    return None if row is None else _record(row)


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


def count_open(session: Session) -> int:
    """How many orders are not final."""
    final = [str(state) for state in TERMINAL_STATES]
    query = select(func.count()).select_from(OrderRow).where(col(OrderRow.state).not_in(final))
    return session.exec(query).one()


def save(session: Session, order: OrderRecord, **changes: Any) -> OrderRecord:
    """Write the changed fields of an order, if nobody changed it since it was read; 5003 otherwise."""
    fields = changes | {"version": order.version + 1}
    result = session.execute(
        update(OrderRow)
        .where(col(OrderRow.order_id) == order.order_id, col(OrderRow.version) == order.version)
        .values(**fields)
    )
    assert isinstance(result, CursorResult)
    if result.rowcount != 1:
        raise InternalError(
            ErrorCode.BROKEN_INVARIANT, f"order {order.order_id} was changed by somebody else meanwhile"
        )
    return replace(order, **fields)
