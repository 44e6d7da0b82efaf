"""Missions, and the reservations that keep one drone for one mission."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import delete, update
from sqlalchemy.engine import CursorResult
from sqlmodel import Session, col, select

from core.errors import ErrorCode, InternalError
from hub_api.store.records import MissionRecord
from hub_api.store.tables import MissionRow, ReservationRow

_FIELDS = tuple(MissionRecord.__dataclass_fields__)


def _record(row: MissionRow) -> MissionRecord:
    return MissionRecord(**{name: getattr(row, name) for name in _FIELDS})


def insert(session: Session, mission: MissionRecord) -> None:
    """Store a mission and reserve its drone. ``IntegrityError`` if the drone is taken."""
    session.add(MissionRow(**{name: getattr(mission, name) for name in _FIELDS}))
    session.flush()
    session.add(
        ReservationRow(drone_id=mission.drone_id, mission_id=mission.mission_id, since=mission.created_at)
    )
    session.flush()


def release_drone(session: Session, mission_id: str) -> bool:
    """Give the drone of an ended mission free; False if it was free already."""
    result = session.execute(delete(ReservationRow).where(col(ReservationRow.mission_id) == mission_id))
    assert isinstance(result, CursorResult)
    return result.rowcount == 1


def reserved_drones(session: Session) -> dict[str, str]:
    """drone_id → mission_id of every drone that is taken."""
    return {row.drone_id: row.mission_id for row in session.exec(select(ReservationRow))}


def reserved_since(session: Session) -> dict[str, datetime]:
    """drone_id → when it was taken."""
    return {row.drone_id: row.since for row in session.exec(select(ReservationRow))}


def save(session: Session, mission: MissionRecord, **changes: Any) -> MissionRecord:
    """Write the changed fields of a mission."""
    result = session.execute(
        update(MissionRow).where(col(MissionRow.mission_id) == mission.mission_id).values(**changes)
    )
    assert isinstance(result, CursorResult)
    if result.rowcount != 1:
        raise InternalError(ErrorCode.BROKEN_INVARIANT, f"mission {mission.mission_id} is not stored")
    return replace(mission, **changes)


def find(session: Session, mission_id: str) -> MissionRecord | None:
    row = session.get(MissionRow, mission_id)
    return None if row is None else _record(row)


def find_by_flight(session: Session, flight_id: str) -> MissionRecord | None:
    row = session.exec(select(MissionRow).where(col(MissionRow.flight_id) == flight_id)).first()
    return None if row is None else _record(row)


def of_order(session: Session, order_id: str) -> list[MissionRecord]:
    """Every mission of an order, first attempt first."""
    query = select(MissionRow).where(col(MissionRow.order_id) == order_id).order_by(col(MissionRow.attempt))
    return [_record(row) for row in session.exec(query)]


def in_progress(session: Session) -> list[tuple[str, str, datetime | None]]:
    """(flight_id, drone_id, airborne_at) of every flight that has not told its safe state; no plans, they are large."""
    query = select(MissionRow.flight_id, MissionRow.drone_id, MissionRow.airborne_at).where(
        col(MissionRow.ended_at).is_(None)
    )
    return [(flight_id, drone_id, airborne_at) for flight_id, drone_id, airborne_at in session.exec(query)]


def plans_of(session: Session, flight_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The stored plans of flights, by flight."""
    if not flight_ids:
        return {}
    query = select(MissionRow.flight_id, MissionRow.plan).where(col(MissionRow.flight_id).in_(flight_ids))
    return {flight_id: dict(plan) for flight_id, plan in session.exec(query)}


def list_open(session: Session) -> list[MissionRecord]:
    """Missions whose flight has not told its safe state."""
    query = select(MissionRow).where(col(MissionRow.ended_at).is_(None)).order_by(col(MissionRow.mission_id))
    return [_record(row) for row in session.exec(query)]
