"""Flights for those who look back: pages of them without their plans, and what each drone has flown in all."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, bindparam
from sqlalchemy import select as core_select
from sqlmodel import Session, col, select

from hub_api.store.prepared import Prepared
from hub_api.store.records import EventRecord, MissionRecord, OrderRecord
from hub_api.store.repositories import events, missions, orders
from hub_api.store.rows import run, run_listing, table_of
from hub_api.store.tables import EventRow, MissionRow, OrderRow

FlightOutcome = Literal["open", "delivered", "not_delivered", "never_left_ground"]
"""How far a flight came: still open; ended with the AED on the ground; ended without; never in the air."""

_M = table_of(MissionRow).c
_FLOWN = core_select(_M.drone_id, _M.airborne_at, _M.ended_at).where(
    _M.airborne_at.is_not(None), _M.ended_at.is_not(None)
)
_FLOWN_BY = Prepared(_FLOWN.where(_M.drone_id == bindparam("drone_id")))
_LISTED = tuple(name for name in MissionRecord.__dataclass_fields__ if name != "plan")


@dataclass(frozen=True, slots=True, kw_only=True)
class FlightFilter:
    """Which flights are wanted; None is «any». ``client`` None sees those of every client's orders.

    ``since`` ≤ commanded < ``until``.
    """

    client: str | None = None
    outcome: FlightOutcome | None = None
    drone_id: str | None = None
    station_id: str | None = None
    order_id: str | None = None
    drill: bool | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FlightLine:
    """One flight of a list. ``mission`` holds an empty plan: plans are large, and read one by one."""

    mission: MissionRecord
    severity: str
    incident_reference: str | None
    drill: bool


def outcome_of(mission: MissionRecord) -> FlightOutcome:
    """How far the flight came."""
    if mission.open:
        return "open"
    if mission.airborne_at is None:
        return "never_left_ground"
    return "delivered" if mission.aed_on_ground_at is not None else "not_delivered"


def page(session: Session, wanted: FlightFilter, *, before: str | None, limit: int) -> list[FlightLine]:
    """Newest first. ``before`` is the last flight_id of the previous page; ids sort by time."""
    columns = [getattr(MissionRow, name) for name in _LISTED]
    query = (
        select(*columns, col(OrderRow.severity), col(OrderRow.mode), col(OrderRow.request))  # type: ignore[call-overload]
        .join(OrderRow, col(OrderRow.order_id) == col(MissionRow.order_id))
        .where(*_conditions(wanted))
        .order_by(col(MissionRow.flight_id).desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(col(MissionRow.flight_id) < before)
    return [_line(row) for row in session.exec(query)]


def _line(row: Any) -> FlightLine:
    *fields, severity, mode, request = row
    mission = MissionRecord(plan={}, **dict(zip(_LISTED, fields, strict=True)))
    return FlightLine(
        mission=mission,
        severity=severity,
        incident_reference=request.get("incident_reference"),
        drill=mode == "drill",
    )


def _conditions(wanted: FlightFilter) -> list[ColumnElement[bool]]:
    row, found = MissionRow, []
    for column, value in (
        (OrderRow.client, wanted.client),
        (row.drone_id, wanted.drone_id),
        (row.station_id, wanted.station_id),
        (row.order_id, wanted.order_id),
    ):
        if value is not None:
            found.append(col(column) == value)
    if wanted.drill is not None:
        is_drill = col(OrderRow.mode) == "drill"
        found.append(is_drill if wanted.drill else ~is_drill)
    if wanted.since is not None:
        found.append(col(row.created_at) >= wanted.since)
    if wanted.until is not None:
        found.append(col(row.created_at) < wanted.until)
    ended, flew, delivered = col(row.ended_at), col(row.airborne_at), col(row.aed_on_ground_at)
    match wanted.outcome:
        case "open":
            found.append(ended.is_(None))
        case "never_left_ground":
            found += [ended.is_not(None), flew.is_(None)]
        case "delivered":
            found += [ended.is_not(None), flew.is_not(None), delivered.is_not(None)]
        case "not_delivered":
            found += [ended.is_not(None), flew.is_not(None), delivered.is_(None)]
    return found


def find(session: Session, flight_id: str, *, client: str | None) -> tuple[MissionRecord, OrderRecord] | None:
    """A flight with its plan, and its order; None if there is none or it is another client's."""
    mission = missions.find_by_flight(session, flight_id)
    if mission is None:
        return None
    order = orders.get(session, mission.order_id)
    return None if client is not None and order.client != client else (mission, order)


def events_of(session: Session, flight_id: str, *, after: int, limit: int) -> list[EventRecord]:
    """Events of a flight with ``seq`` greater than ``after``, in order."""
    query = (
        select(EventRow)
        .where(col(EventRow.flight_id) == flight_id, col(EventRow.seq) > after)
        .order_by(col(EventRow.seq))
        .limit(limit)
    )
    return [events.record_of(row) for row in session.exec(query)]


@dataclass(frozen=True, slots=True)
class Flown:
    """What a drone has flown: flights that left the ground, and their seconds in the air."""

    flights: int
    air_s: float


NOT_FLOWN = Flown(0, 0.0)


def flown(
    session: Session, drone_ids: Collection[str] | None = None, *, until: datetime | None = None
) -> dict[str, Flown]:
    """What each drone has flown by the stored flights that ended (before ``until``); those that never flew are left
    out.

    Added up here rather than by the database: the two know no common way to subtract moments.
    """
    query = _FLOWN
    if drone_ids is not None:
        query = query.where(_M.drone_id.in_(drone_ids))
    if until is not None:
        query = query.where(_M.ended_at < until)
    return _added_up(run_listing(session, query))


def flown_by(session: Session, drone_id: str) -> dict[str, Flown]:
    """The same for one drone."""
    return _added_up(run(session, _FLOWN_BY, drone_id=drone_id))


def _added_up(flights: Iterable[Any]) -> dict[str, Flown]:
    found: dict[str, Flown] = {}
    for drone_id, airborne_at, ended_at in flights:
        known = found.get(drone_id, NOT_FLOWN)
        found[drone_id] = Flown(
            known.flights + 1, known.air_s + max(0.0, (ended_at - airborne_at).total_seconds())
        )
    return found
