"""What goes with the patient, and what was exchanged with whom: an incident from the outside. Source: A18, G5."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from hub_api.features.incidents.requests import Utstein
from hub_api.features.incidents.schemas import AedView, ExchangeView, HandOverView
from hub_api.features.incidents.views import (
    IncidentLook,
    ambulance_of,
    gaps,
    location,
    parties,
    patient_of,
    stages,
)
from hub_api.personal_data import PersonalData
from hub_api.store.records import MissionRecord


def hand_over(look: IncidentLook, personal: PersonalData, *, allowed: bool, now: datetime) -> HandOverView:
    """What the hospital needs to know. Source: A18."""
    incident = look.incident
    shown = personal.reveal(incident.incident_id, incident.personal, allowed=allowed)
    told: Mapping[str, Any] = shown.values.get("utstein") or {}
    observations = [patient_of(item, personal, allowed) for item in look.observations]
    shocks = [
        item.values["shocks_delivered"]
        for item in observations
        if item.values and item.values.get("shocks_delivered") is not None
    ]
    utstein = {name: told.get(name) for name in Utstein.model_fields}
    return HandOverView(
        incident_id=incident.incident_id,
        reference=incident.reference,
        state=incident.state,
        made_at=now,
        severity=incident.severity,
        position=location(incident),
        floor=incident.floor,
        personal_data=shown.status,
        stages=stages(incident),
        gaps=gaps(look),
        ambulance=ambulance_of(incident),
        aeds=[_aed(order_id, mission) for order_id, mission in look.missions],
        parties=parties(look, personal, allowed=allowed),
        observations=observations,
        shocks_delivered=max(shocks, default=None),
        outcome=incident.outcome,
        utstein_2014=utstein if shown.status == "shown" else None,
        # Who may not see it is not told that there was nothing.
        not_reported=[name for name, value in utstein.items() if value is None]
        if shown.status in ("shown", "erased")
        else [],
    )


def _aed(order_id: str, mission: MissionRecord) -> AedView:
    return AedView(
        order_id=order_id,
        flight_id=mission.flight_id,
        drone_id=mission.drone_id,
        landing_point_id=mission.landing_point_id,
        commanded_at=mission.commanded_at,
        airborne_at=mission.airborne_at,
        aed_on_ground_at=mission.aed_on_ground_at,
        ended_at=mission.ended_at,
        safe_state=mission.safe_state,
    )


def exchanges(look: IncidentLook) -> list[ExchangeView]:
    """What came in and what was owed to whom. Source: G5."""
    incident = look.incident
    came_in = [
        ExchangeView(
            at=incident.received_at,
            direction="in",
            partner=incident.client,
            what=f"incident ({incident.source})",
            state="taken",
            taken_at=incident.received_at,
            attempts=1,
            last_error=None,
        ),
        *(
            ExchangeView(
                at=order.received_at,
                direction="in",
                partner=order.client,
                what=f"order {order.order_id}",
                state="taken",
                taken_at=order.received_at,
                attempts=1,
                last_error=None,
            )
            for order in look.orders
        ),
    ]
    went_out = [
        ExchangeView(
            at=update.created_at,
            direction="out",
            partner=urlsplit(update.url).hostname or update.url,
            what=f"callback for event {update.event_seq}",
            state=(
                "taken"
                if update.delivered_at is not None
                else "given_up"
                if update.failed_at is not None
                else "owed"
            ),
            taken_at=update.delivered_at,
            attempts=update.attempts,
            last_error=update.last_error,
        )
        for update in look.updates
    ]
    said = [
        ExchangeView(
            at=message.created_at,
            direction="out",
            partner=message.role or "video service",
            what=f"{message.kind} ({message.purpose})",
            state={"sent": "taken", "owed": "owed", "failed": "given_up"}[message.state],
            taken_at=message.sent_at,
            attempts=message.attempts,
            last_error=message.last_error,
        )
        for message in look.messages
    ]
    return sorted(came_in + went_out + said, key=lambda item: item.at)
