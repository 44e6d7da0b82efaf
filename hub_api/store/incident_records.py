"""Incidents as the store hands them out: frozen values, never rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hub_api.dispatch.incident_states import Escalation, IncidentState


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentRecord:
    """One call for help. Position in WGS-84; ``place`` is the position as it was sent.

    ``managed``: somebody works with the incident itself; one that exists only because of its orders closes
    with the last of them. ``stages``: stage → {"at", "source"}.
    """

    incident_id: str
    client: str
    reference: str | None
    state: IncidentState
    version: int
    source: str
    managed: bool
    exercise: bool
    received_at: datetime
    updated_at: datetime
    place: dict[str, Any]
    latitude_deg: float
    longitude_deg: float
    floor: int | None
    severity: str
    severity_code: str | None = None
    ambulance: dict[str, Any] | None = None
    escalation: Escalation = Escalation.AMBULANCE
    stages: dict[str, Any] = field(default_factory=dict)
    callback_url: str | None = None
    personal: str | None = None
    personal_erased_at: datetime | None = None
    warned_at: datetime | None = None
    closed_at: datetime | None = None
    outcome: str | None = None
    video_guidance: str = "by_severity"
    other_place: dict[str, Any] | None = None
    """See :mod:`hub_api.dispatch.two_places`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyRecord:
    """Somebody who takes part. ``times``: state → when it was first reported."""

    incident_id: str
    party_id: str
    kind: str
    role: str | None
    state: str
    times: dict[str, Any]
    eta_at: datetime | None
    callback_url: str | None
    personal: str | None
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservationRecord:
    """How the patient was at a moment; ``personal`` holds the whole of it, sealed, until it is erased."""

    observation_id: str
    incident_id: str
    at: datetime
    stored_at: datetime
    source: str
    personal: str | None
