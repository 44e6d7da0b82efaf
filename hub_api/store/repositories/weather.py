"""Readings and reports: kept for a while, so that a decision can be looked back at, and loaded at the start."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import delete, func
from sqlalchemy.engine import CursorResult
from sqlmodel import Session, col, select

from hub_api.store.outside_tables import StationReadingRow, WeatherReportRow


def put_reading(
    session: Session,
    station_id: str,
    *,
    measured_at: datetime,
    received_at: datetime,
    values: Mapping[str, float | None],
) -> None:
    """Store a reading; what it leaves out keeps what an earlier one for the same moment said."""
    row = session.get(StationReadingRow, (station_id, measured_at))
    if row is None:
        row = StationReadingRow(station_id=station_id, measured_at=measured_at, received_at=received_at)
    for name, value in values.items():
        if value is not None:
            setattr(row, name, value)
    row.received_at = received_at
    session.add(row)
    session.flush()


def readings_since(
    session: Session, moment: datetime
) -> list[tuple[str, dict[str, float | datetime | None]]]:
    """(station, its columns) of every reading measured after ``moment``, oldest first."""
    query = (
        select(StationReadingRow)
        .where(col(StationReadingRow.measured_at) >= moment)
        .order_by(col(StationReadingRow.measured_at))
    )
    return [
        (row.station_id, row.model_dump(exclude={"station_id", "received_at"})) for row in session.exec(query)
    ]


def newest_readings(session: Session) -> list[tuple[str, dict[str, float | datetime | None]]]:
    """The newest reading of each station, however old."""
    newest = (
        select(StationReadingRow.station_id, func.max(StationReadingRow.measured_at).label("at"))
        .group_by(col(StationReadingRow.station_id))
        .subquery()
    )
    query = select(StationReadingRow).join(
        newest,
        (col(StationReadingRow.station_id) == newest.c.station_id)
        & (col(StationReadingRow.measured_at) == newest.c.at),
    )
    return [
        (row.station_id, row.model_dump(exclude={"station_id", "received_at"})) for row in session.exec(query)
    ]


def put_report(
    session: Session,
    *,
    kind: str,
    place: str,
    issued_at: datetime,
    received_at: datetime,
    raw: str,
    understood: str,
) -> None:
    """Store a report, or its correction."""
    session.merge(
        WeatherReportRow(
            kind=kind,
            place=place,
            issued_at=issued_at,
            received_at=received_at,
            raw=raw,
            understood=understood,
        )
    )
    session.flush()


def reports_since(session: Session, moment: datetime) -> list[str]:
    """What was understood of the reports issued after ``moment``, oldest first."""
    query = (
        select(WeatherReportRow.understood)
        .where(col(WeatherReportRow.issued_at) >= moment)
        .order_by(col(WeatherReportRow.issued_at))
    )
    return list(session.exec(query))


def forget_before(session: Session, moment: datetime) -> int:
    """Drop what is older than the time it is kept; how many rows."""
    count = 0
    for column, table in (
        (StationReadingRow.measured_at, StationReadingRow),
        (WeatherReportRow.issued_at, WeatherReportRow),
    ):
        result = session.execute(delete(table).where(col(column) < moment))
        assert isinstance(result, CursorResult)
        count += result.rowcount
    return count
