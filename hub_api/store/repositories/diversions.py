"""Flights that an operator sent to another place."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlmodel import Session, col, select

from hub_api.store.steering_tables import DiversionRow


@dataclass(frozen=True, slots=True, kw_only=True)
class DiversionRecord:
    """One diversion. ``hold_id`` and ``reroute_id`` are commands of the outbox; ``plan_id`` is the way that was sent
    last; ``held_before``: it held its position already, on somebody's command."""

    diversion_id: str
    order_id: str
    mission_id: str
    flight_id: str
    at: datetime
    by: str
    reason: str
    place_kind: str
    place_id: str
    held_before: bool
    hold_id: str
    reroute_id: str | None = None
    plan_id: str | None = None
    tries: int = 0
    settled_at: datetime | None = None
    outcome: str | None = None


_FIELDS = tuple(DiversionRecord.__dataclass_fields__)


def _record(row: DiversionRow) -> DiversionRecord:
    return DiversionRecord(**{name: getattr(row, name) for name in _FIELDS})


def insert(session: Session, diversion: DiversionRecord) -> None:
    session.add(DiversionRow(**{name: getattr(diversion, name) for name in _FIELDS}))
    session.flush()


def find(session: Session, diversion_id: str) -> DiversionRecord | None:
    row = session.get(DiversionRow, diversion_id)
    return None if row is None else _record(row)


def find_open(session: Session, diversion_id: str) -> DiversionRecord | None:
    """None for one that is settled, too."""
    found = find(session, diversion_id)
    return None if found is None or found.settled_at is not None else found


def open_diversions(session: Session, *, flight_id: str | None = None) -> list[DiversionRecord]:
    """What is not settled yet, the oldest first; of one flight or of all."""
    query = select(DiversionRow).where(col(DiversionRow.settled_at).is_(None))
    if flight_id is not None:
        query = query.where(col(DiversionRow.flight_id) == flight_id)
    return [_record(row) for row in session.exec(query.order_by(col(DiversionRow.diversion_id)))]


def chosen_point(session: Session, flight_id: str) -> str | None:
    """The landing point that a person sent the flight to last, and that it flies to; None if nobody did."""
    query = (
        select(DiversionRow.place_kind, DiversionRow.place_id)
        .where(col(DiversionRow.flight_id) == flight_id, col(DiversionRow.outcome) == "diverted")
        .order_by(col(DiversionRow.diversion_id).desc())
    )
    found = session.exec(query).first()
    return found[1] if found is not None and found[0] == "landing_point" else None


def save(session: Session, diversion: DiversionRecord, **changes: Any) -> DiversionRecord:
    row = col(DiversionRow.diversion_id) == diversion.diversion_id
    session.execute(update(DiversionRow).where(row).values(**changes))
    return replace(diversion, **changes)


def supersede(session: Session, *, flight_id: str, at: datetime) -> None:
    """Settle what is open of a flight: something newer takes its place."""
    for diversion in open_diversions(session, flight_id=flight_id):
        save(session, diversion, settled_at=at, outcome="superseded")
