"""The newest told place of each incident's ambulance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from hub_api.dispatch.incident_states import IncidentState
from hub_api.store.incident_tables import AmbulancePositionRow, IncidentRow


@dataclass(frozen=True, slots=True, kw_only=True)
class AmbulanceRecord:
    """Position in WGS-84; ``place`` as it was sent."""

    incident_id: str
    unit: str | None
    place: dict[str, Any]
    latitude_deg: float
    longitude_deg: float
    at: datetime
    eta_at: datetime | None


_FIELDS = tuple(AmbulanceRecord.__dataclass_fields__)


def _record(row: AmbulancePositionRow) -> AmbulanceRecord:
    return AmbulanceRecord(**{name: getattr(row, name) for name in _FIELDS})


def keep_newest(session: Session, told: AmbulanceRecord) -> AmbulanceRecord:
    """Store it unless something newer is known; what is known now."""
    row = session.get(AmbulancePositionRow, told.incident_id, with_for_update=True)
    if row is not None and row.at > told.at:
        return _record(row)
    session.merge(AmbulancePositionRow(**{name: getattr(told, name) for name in _FIELDS}))
    session.flush()
    return told


def of_open_incidents(
    session: Session, *, client: str | None
) -> list[tuple[AmbulanceRecord, Mapping[str, Any] | None]]:
    """With what the incident itself tells of its ambulance. ``client`` None: of every client."""
    query = (
        select(AmbulancePositionRow, IncidentRow.ambulance)
        .join(IncidentRow, col(IncidentRow.incident_id) == col(AmbulancePositionRow.incident_id))
        .where(col(IncidentRow.state) == IncidentState.OPEN)
        .order_by(col(AmbulancePositionRow.incident_id))
    )
    if client is not None:
        query = query.where(col(IncidentRow.client) == client)
    return [(_record(row), ambulance) for row, ambulance in session.exec(query)]
