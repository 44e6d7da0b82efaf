"""What reports are added up from: one narrow row for each order of a period, drills left out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from sqlmodel import Session, col, select

from hub_api.store.tables import OrderRow

_CHUNK = 2000


class OrderFigures(NamedTuple):
    """The moments of one order that reports count."""

    state: str
    severity: str
    station_id: str | None
    non_flight_reason: str | None
    received_at: datetime
    decided_at: datetime | None
    airborne_at: datetime | None
    aed_on_ground_at: datetime | None
    ambulance_eta_at: datetime | None


def orders_of(
    session: Session, *, client: str | None, since: datetime, until: datetime
) -> Iterator[OrderFigures]:
    """Real orders received in [since, until), of one client or of all; no plans, no decisions, no people."""
    columns = [col(getattr(OrderRow, name)) for name in OrderFigures._fields]
    query = select(*columns).where(
        col(OrderRow.received_at) >= since, col(OrderRow.received_at) < until, col(OrderRow.mode) != "drill"
    )
    if client is not None:
        query = query.where(col(OrderRow.client) == client)
    for row in session.exec(query.execution_options(yield_per=_CHUNK)):
        yield OrderFigures(*row)
