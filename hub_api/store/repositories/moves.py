"""Patients who moved while a drone was under way to them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlmodel import Session, col, select

from hub_api.store.records import MoveRecord
from hub_api.store.tables import MoveRow

NOT_TOLD = ""
"""The ``notice_id`` of a move that its drone has not been told of yet."""
_FIELDS = tuple(MoveRecord.__dataclass_fields__)


def _record(row: MoveRow) -> MoveRecord:
    return MoveRecord(**{name: getattr(row, name) for name in _FIELDS})


def insert(session: Session, move: MoveRecord) -> None:
    session.add(MoveRow(**{name: getattr(move, name) for name in _FIELDS}))
    session.flush()


def find(session: Session, move_id: str) -> MoveRecord | None:
    row = session.get(MoveRow, move_id)
    return None if row is None else _record(row)


def find_open(session: Session, move_id: str) -> MoveRecord | None:
    """None for one that is settled, too."""
    found = find(session, move_id)
    return None if found is None or found.settled_at is not None else found


def open_moves(session: Session, *, flight_id: str | None = None) -> list[MoveRecord]:
    """What is not settled yet, the oldest first; of one flight or of all."""
    query = select(MoveRow).where(col(MoveRow.settled_at).is_(None)).order_by(col(MoveRow.move_id))
    if flight_id is not None:
        query = query.where(col(MoveRow.flight_id) == flight_id)
    return [_record(row) for row in session.exec(query)]


def save(session: Session, move: MoveRecord, **changes: Any) -> MoveRecord:
    session.execute(update(MoveRow).where(col(MoveRow.move_id) == move.move_id).values(**changes))
    return replace(move, **changes)


def put_off(session: Session, *, flight_id: str) -> None:
    """What is open of a flight begins anew when nothing else is under way: the drone has another command now."""
    for move in open_moves(session, flight_id=flight_id):
        save(session, move, notice_id=NOT_TOLD, reroute_id=None, plan_id=None)


def supersede(session: Session, *, flight_id: str, at: datetime) -> None:
    """Settle what is open of a flight: something newer takes its place."""
    for move in open_moves(session, flight_id=flight_id):
        save(session, move, settled_at=at, outcome="superseded")
