"""The tables of incidents. Personal data (caller, address, patient, responders) is sealed in columns of its own."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, Text
from sqlmodel import Field

from hub_api.store.tables import Row, UtcDateTime


class IncidentRow(Row, table=True):
    """One call for help. ``version`` grows with every change (optimistic check)."""

    __tablename__ = "incidents"
    __table_args__ = (
        Index("ix_incidents_client_reference", "client", "reference"),
        Index("ix_incidents_state", "state"),
    )

    incident_id: str = Field(primary_key=True, max_length=40)
    client: str = Field(max_length=80)
    reference: str | None = Field(default=None, max_length=80)
    state: str = Field(max_length=20)
    version: int = Field(default=1)
    source: str = Field(max_length=20)
    managed: bool
    exercise: bool
    received_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)
    place: dict[str, Any] = Field(sa_type=JSON)
    latitude_deg: float
    longitude_deg: float
    floor: int | None = Field(default=None)
    severity: str = Field(max_length=8)
    severity_code: str | None = Field(default=None, max_length=40)
    ambulance: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    escalation: str = Field(max_length=20)
    stages: dict[str, Any] = Field(sa_type=JSON)
    callback_url: str | None = Field(default=None, sa_type=Text)
    personal: str | None = Field(default=None, sa_type=Text)
    personal_erased_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    warned_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    outcome: str | None = Field(default=None, max_length=40)
    video_guidance: str = Field(default="by_severity", max_length=20)
    other_place: dict[str, Any] | None = Field(default=None, sa_type=JSON)


class IncidentPartyRow(Row, table=True):
    """Somebody who takes part in an incident; ``party_id`` is the centre's own id for them."""

    __tablename__ = "incident_parties"

    incident_id: str = Field(
        sa_column_args=(ForeignKey("incidents.incident_id"),), primary_key=True, max_length=40
    )
    party_id: str = Field(primary_key=True, max_length=80)
    kind: str = Field(max_length=20)
    role: str | None = Field(default=None, max_length=20)
    state: str = Field(max_length=20)
    times: dict[str, Any] = Field(sa_type=JSON)
    eta_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    callback_url: str | None = Field(default=None, sa_type=Text)
    personal: str | None = Field(default=None, sa_type=Text)
    changed_at: datetime = Field(sa_type=UtcDateTime)


class IncidentObservationRow(Row, table=True):
    """How the patient was at a moment; the whole of it is sealed."""

    __tablename__ = "incident_observations"
    __table_args__ = (Index("ix_incident_observations_incident_id", "incident_id"),)

    observation_id: str = Field(primary_key=True, max_length=40)
    incident_id: str = Field(sa_column_args=(ForeignKey("incidents.incident_id"),), max_length=40)
    at: datetime = Field(sa_type=UtcDateTime)
    stored_at: datetime = Field(sa_type=UtcDateTime)
    source: str = Field(max_length=40)
    personal: str | None = Field(default=None, sa_type=Text)


class IncidentKeyRow(Row, table=True):
    """One client's key for a request about incidents, bound to its body. Its primary key makes doubles impossible."""

    __tablename__ = "incident_keys"

    client: str = Field(primary_key=True, max_length=80)
    key: str = Field(primary_key=True, max_length=400)
    body_sha256: str = Field(max_length=64)
    incident_id: str = Field(sa_column_args=(ForeignKey("incidents.incident_id"),), max_length=40)
    created_at: datetime = Field(sa_type=UtcDateTime)


class SeverityCodeRow(Row, table=True):
    """What one of a centre's own codes means in grades I–IV, as the centre has said."""

    __tablename__ = "severity_codes"

    client: str = Field(primary_key=True, max_length=80)
    code: str = Field(primary_key=True, max_length=40)
    severity: str = Field(max_length=8)
    changed_at: datetime = Field(sa_type=UtcDateTime)


class AmbulancePositionRow(Row, table=True):
    """The newest told place of an incident's ambulance."""

    __tablename__ = "ambulance_positions"

    incident_id: str = Field(
        sa_column_args=(ForeignKey("incidents.incident_id"),), primary_key=True, max_length=40
    )
    unit: str | None = Field(default=None, max_length=40)
    place: dict[str, Any] = Field(sa_type=JSON)
    latitude_deg: float
    longitude_deg: float
    at: datetime = Field(sa_type=UtcDateTime)
    eta_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
