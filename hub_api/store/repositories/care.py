"""Drones out of service, AEDs, docks and maintenance."""

from __future__ import annotations

from datetime import date
from typing import Any, TypeVar

from sqlalchemy import bindparam
from sqlmodel import Session, SQLModel, col, select

from hub_api.care.model import AedReport, DockReport, MaintenanceDone, MaintenanceRule, OutOfService
from hub_api.store.care_tables import (
    AedReportRow,
    DockReportRow,
    MaintenanceDoneRow,
    MaintenanceRuleRow,
    OutOfServiceRow,
)
from hub_api.store.prepared import Prepared
from hub_api.store.rows import run, table_of

T = TypeVar("T")

_OUT = table_of(OutOfServiceRow).c
_IS_OUT = Prepared(select(_OUT.drone_id).where(_OUT.drone_id == bindparam("drone_id")))


def out_of_service(session: Session) -> list[OutOfService]:
    """Every drone that is out."""
    return [_value(OutOfService, row) for row in session.exec(select(OutOfServiceRow))]


def is_out_of_service(session: Session, drone_id: str) -> bool:
    """Whether a person took the drone out."""
    return run(session, _IS_OUT, drone_id=drone_id).first() is not None


def put_out_of_service(session: Session, record: OutOfService) -> None:
    session.merge(OutOfServiceRow(**_fields(record)))
    session.flush()


def put_in_service(session: Session, drone_id: str) -> bool:
    """False if it was not out."""
    row = session.get(OutOfServiceRow, drone_id)
    if row is None:
        return False
    session.delete(row)
    session.flush()
    return True


def aeds(session: Session) -> list[AedReport]:
    """The newest report of each drone's AED."""
    found = []
    for row in session.exec(select(AedReportRow)).all():
        last_day = None if row.pads_expire_on is None else date.fromisoformat(row.pads_expire_on)
        found.append(AedReport(**(row.model_dump() | {"pads_expire_on": last_day})))
    return found


def put_aed(session: Session, report: AedReport) -> None:
    last_day = None if report.pads_expire_on is None else report.pads_expire_on.isoformat()
    session.merge(AedReportRow(**(_fields(report) | {"pads_expire_on": last_day})))
    session.flush()


def docks(session: Session) -> list[DockReport]:
    """The newest report of each dock."""
    rows = session.exec(select(DockReportRow)).all()
    return [
        DockReport(**(row.model_dump() | {"charging_drone_ids": tuple(row.charging_drone_ids)}))
        for row in rows
    ]


def put_dock(session: Session, report: DockReport) -> None:
    fields = _fields(report) | {"charging_drone_ids": list(report.charging_drone_ids)}
    session.merge(DockReportRow(**fields))
    session.flush()


def rules(session: Session) -> list[MaintenanceRule]:
    """Every rule of every airframe."""
    return [_value(MaintenanceRule, row) for row in session.exec(select(MaintenanceRuleRow))]


def put_rule(session: Session, rule: MaintenanceRule) -> None:
    session.merge(MaintenanceRuleRow(**_fields(rule)))
    session.flush()


def delete_rule(session: Session, airframe_id: str, rule_id: str) -> bool:
    """False if there is none. What was done under it stays in the history."""
    row = session.get(MaintenanceRuleRow, (airframe_id, rule_id))
    if row is None:
        return False
    session.delete(row)
    session.flush()
    return True


def last_done(session: Session) -> list[MaintenanceDone]:
    """The last time of every work on every drone."""
    query = select(MaintenanceDoneRow).order_by(col(MaintenanceDoneRow.done_at), col(MaintenanceDoneRow.seq))
    newest = {(row.drone_id, row.rule_id): row for row in session.exec(query)}
    return [_value(MaintenanceDone, row) for row in newest.values()]


def done_on(session: Session, drone_id: str, *, limit: int) -> list[MaintenanceDone]:
    """What was done on a drone, newest first."""
    query = (
        select(MaintenanceDoneRow)
        .where(col(MaintenanceDoneRow.drone_id) == drone_id)
        .order_by(col(MaintenanceDoneRow.done_at).desc(), col(MaintenanceDoneRow.seq).desc())
        .limit(limit)
    )
    return [_value(MaintenanceDone, row) for row in session.exec(query)]


def add_done(session: Session, done: MaintenanceDone) -> None:
    session.add(MaintenanceDoneRow(**_fields(done)))
    session.flush()


def _value(kind: type[T], row: SQLModel) -> T:
    return kind(**{name: getattr(row, name) for name in kind.__dataclass_fields__})  # type: ignore[attr-defined]


def _fields(record: object) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__dataclass_fields__}  # type: ignore[attr-defined]
