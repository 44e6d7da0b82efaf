"""Missions, and the reservations that keep one drone for one mission."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, select
from sqlmodel import Session

from core.errors import DispatchError, ErrorCode, InternalError
from hub_api.store.prepared import Found, Prepared
from hub_api.store.records import MissionRecord
from hub_api.store.rows import Rows, run, run_later, run_listing, table_of
from hub_api.store.tables import MissionRow, ReservationRow

_FIELDS = tuple(MissionRecord.__dataclass_fields__)
_ROWS = Rows(MissionRow, MissionRecord, _FIELDS)
_C = _ROWS.columns
_RESERVATIONS = table_of(ReservationRow)
_R = _RESERVATIONS.c
_RESERVE = Prepared(_RESERVATIONS.insert())
_RELEASE = Prepared(delete(_RESERVATIONS).where(_R.mission_id == bindparam("mission_id")))
_RESERVED = Prepared(select(_R.drone_id, _R.mission_id))
_PROPOSED = Prepared(
    select(_R.mission_id)
    .join_from(_RESERVATIONS, _ROWS.table, _C.mission_id == _R.mission_id)
    .where(_C.commanded_at.is_(None))
)
_RESERVED_SINCE = Prepared(select(_R.drone_id, _R.since))
_SAVE = Prepared(_ROWS.update().where(_C.mission_id == bindparam("of_mission")))
_BY_ID = Prepared(_ROWS.select.where(_C.mission_id == bindparam("mission_id")))
_BY_FLIGHT = Prepared(_ROWS.select.where(_C.flight_id == bindparam("flight_id")))
_PLAN = _FIELDS.index("plan")
_SHORT = tuple(name for name in _FIELDS if name != "plan")
_SHORT_BY_FLIGHT = Prepared(
    select(*(_C[name] for name in _SHORT)).where(_C.flight_id == bindparam("flight_id"))
)
_OF_ORDER = Prepared(_ROWS.select.where(_C.order_id == bindparam("order_id")).order_by(_C.attempt))
_UNDELIVERED = Prepared(
    _ROWS.select.where(
        _C.order_id == bindparam("order_id"), _C.ended_at.is_(None), _C.aed_on_ground_at.is_(None)
    ).order_by(_C.attempt)
)
_COUNT = Prepared(select(func.count().label("all")).where(_C.order_id == bindparam("order_id")))
_ANY_OPEN = Prepared(
    select(_C.mission_id).where(_C.order_id == bindparam("order_id"), _C.ended_at.is_(None)).limit(1)
)
_OPEN = Prepared(_ROWS.select.where(_C.ended_at.is_(None)).order_by(_C.mission_id))
_IN_PROGRESS = Prepared(select(_C.flight_id, _C.drone_id, _C.airborne_at).where(_C.ended_at.is_(None)))
_PLANS = select(_C.flight_id, _C.plan).where(_C.flight_id.in_(bindparam("flights", expanding=True)))


def insert(session: Session, mission: MissionRecord) -> None:
    """Store a mission and reserve its drone. ``IntegrityError`` if the drone is taken."""
    _ROWS.insert_record(session, mission)
    run_later(
        session,
        _RESERVE,
        drone_id=mission.drone_id,
        mission_id=mission.mission_id,
        since=mission.created_at,
    )


def release_drone(session: Session, mission_id: str) -> None:
    """Give the drone of an ended mission free, if it is not yet."""
    run_later(session, _RELEASE, mission_id=mission_id)


def proposed(session: Session) -> frozenset[str]:
    """Missions that have a drone and were never commanded: they wait for a person."""
    return frozenset(row.mission_id for row in run(session, _PROPOSED))


def reserved_drones(session: Session) -> dict[str, str]:
    """drone_id → mission_id of every drone that is taken."""
    return {row.drone_id: row.mission_id for row in run(session, _RESERVED)}


def under_command(session: Session, drone_id: str) -> MissionRecord:
    """The commanded mission that has the drone. Raises 4004 where there is none."""
    mission_id = reserved_drones(session).get(drone_id)
    mission = find(session, mission_id) if mission_id else None
    if mission is None or mission.commanded_at is None:
        raise DispatchError(
            ErrorCode.TRANSITION_REFUSED, f"{drone_id} is on no flight · 该无人机没有飞行任务"
        )
    return mission


def reserved_since(session: Session) -> dict[str, datetime]:
    """drone_id → when it was taken."""
    return {row.drone_id: row.since for row in run(session, _RESERVED_SINCE)}


def save(session: Session, mission: MissionRecord, **changes: Any) -> MissionRecord:
    """Write the changed fields of a mission."""

    def check(found: Found) -> None:
        if found.rowcount != 1:
            raise InternalError(ErrorCode.BROKEN_INVARIANT, f"mission {mission.mission_id} is not stored")

    run_later(session, _SAVE, check, of_mission=mission.mission_id, **changes)
    return _ROWS.changed(mission, changes)


def find(session: Session, mission_id: str) -> MissionRecord | None:
    return _ROWS.one(session, _BY_ID, mission_id=mission_id)


def find_by_flight(session: Session, flight_id: str) -> MissionRecord | None:
    return _ROWS.one(session, _BY_FLIGHT, flight_id=flight_id)


def short_by_flight(session: Session, flight_id: str) -> MissionRecord | None:
    """The same with an empty plan: plans are large, and most of what a drone tells of its flight has nothing to do with
    it."""
    found = run(session, _SHORT_BY_FLIGHT, flight_id=flight_id).first()
    return None if found is None else _ROWS.made([*found[:_PLAN], {}, *found[_PLAN:]])


def of_order(session: Session, order_id: str) -> list[MissionRecord]:
    """Every mission of an order, first attempt first."""
    return _ROWS.all(session, _OF_ORDER, order_id=order_id)


def undelivered_of_order(session: Session, order_id: str) -> list[MissionRecord]:
    """Missions of an order that are open and have no AED on the ground, first attempt first."""
    return _ROWS.all(session, _UNDELIVERED, order_id=order_id)


def count_of_order(session: Session, order_id: str) -> int:
    """How many missions an order has had. Their plans are large, and not read for it."""
    found: int = run(session, _COUNT, order_id=order_id).scalar()
    return found


def any_open(session: Session, order_id: str) -> bool:
    """Whether a mission of an order has not told its safe state."""
    return run(session, _ANY_OPEN, order_id=order_id).first() is not None


def in_progress(session: Session) -> list[tuple[str, str, datetime | None]]:
    """(flight_id, drone_id, airborne_at) of every flight that has not told its safe state; no plans, they are large."""
    return [(row.flight_id, row.drone_id, row.airborne_at) for row in run(session, _IN_PROGRESS)]


def plans_of(session: Session, flight_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The stored plans of flights, by flight."""
    if not flight_ids:
        return {}
    return {row.flight_id: row.plan for row in run_listing(session, _PLANS, flights=list(flight_ids))}


def list_open(session: Session) -> list[MissionRecord]:
    """Missions whose flight has not told its safe state."""
    return _ROWS.all(session, _OPEN)
