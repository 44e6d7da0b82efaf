"""From a validated report to a stored incident and its orders; shared by every door that they come through."""

from __future__ import annotations

import json
from typing import Any

from hub_api.dispatch.incident_room import Observation
from hub_api.dispatch.incidents import Facts, NewIncident, Received
from hub_api.dispatch.modes import Mode
from hub_api.dispatch.service import NewOrder, Placed
from hub_api.features.incidents.requests import (
    IncidentChange,
    IncidentOrderRequest,
    IncidentRequest,
    PatientState,
)
from hub_api.features.orders.placing import body_sha256, canonical_sha256, wgs84_of
from hub_api.features.orders.requests import OrderRequest
from hub_api.hub import Hub
from hub_api.store.incident_records import IncidentRecord

_PERSONAL = ("caller", "doctor", "address", "access_notes", "notes")
_PLAIN = ("floor", "ambulance", "callback_url")


async def take(hub: Hub, client: str, body: IncidentRequest, key: str, *, source: str) -> Received:
    """Store an incident with the patient's state. Raises 3001, 4003, 4008."""
    severity = await hub.severity_codes.grade_of(client, body.severity, body.severity_code)
    sha256 = body_sha256(body)
    facts = _facts(body, body.model_dump(mode="json"))
    received = await hub.incidents.receive(
        NewIncident(
            client=client,
            key=key,
            body_sha256=sha256,
            source=source,
            exercise=body.exercise,
            reference=body.reference,
            place=body.position.model_dump(mode="json"),
            position=wgs84_of(body.position),
            severity=severity,
            facts=facts,
        )
    )
    if body.patient is not None:
        # Under the same key: a repeat of a request that was cut off between the two completes it.
        observation = observation_of(body.patient, f"received-{key}")
        await hub.incident_room.observe(received.incident.incident_id, observation, client=client)
    return received


def _facts(body: IncidentRequest | IncidentChange, values: dict[str, Any]) -> Facts:
    """What the body says; what it leaves out stays as it is."""
    told = body.model_fields_set
    plain = {name: values[name] for name in _PLAIN if name in told}
    if body.ambulance is not None:
        plain["ambulance"] = body.ambulance.model_dump(mode="json", include=body.ambulance.model_fields_set)
    if body.severity_code is not None:
        plain["severity_code"] = body.severity_code
    if body.video_guidance is not None and isinstance(body, IncidentRequest):
        plain["video_guidance"] = str(body.video_guidance)
    return Facts(
        plain=plain,
        personal={name: values[name] for name in _PERSONAL if name in told},
        called_at=body.called_at,
    )


async def facts_of_change(hub: Hub, client: str, body: IncidentChange) -> Facts:
    """What changes. Raises 3001, 4008."""
    facts = _facts(body, body.model_dump(mode="json"))
    plain = dict(facts.plain)
    if body.severity is not None or body.severity_code is not None:
        plain["severity"] = await hub.severity_codes.grade_of(client, body.severity, body.severity_code)
        plain["severity_code"] = body.severity_code
    point = None
    if body.position is not None:
        point = wgs84_of(body.position)
        plain |= {
            "place": body.position.model_dump(mode="json"),
            "latitude_deg": point.latitude_deg,
            "longitude_deg": point.longitude_deg,
        }
    return Facts(plain=plain, personal=facts.personal, called_at=facts.called_at, position=point)


def observation_of(body: PatientState, key: str) -> Observation:
    """How the patient is, as it is stored."""
    values = body.model_dump(mode="json", exclude={"at", "source"}, exclude_none=True)
    return Observation(key=key, body_sha256=body_sha256(body), at=body.at, source=body.source, values=values)


async def order(hub: Hub, incident: IncidentRecord, body: IncidentOrderRequest, *, key: str) -> Placed:
    """Order an AED to an incident, with what is known of it. Raises 4003, 4004."""
    known = hub.incidents.opened(incident)
    notes = "\n".join(text for text in (known.get("access_notes"), known.get("notes")) if text)
    request = OrderRequest.model_validate_json(
        json.dumps(
            {
                "position": incident.place,
                "severity": incident.severity,
                "severity_code": incident.severity_code,
                "floor": incident.floor,
                "notes": notes[:2000] or None,
                "incident_reference": incident.reference,
                "incident_id": incident.incident_id,
                "separate": body.separate,
                "caller": known.get("caller"),
                "callback_url": None if body.callback_url is None else str(body.callback_url),
                "mode": "drill" if incident.exercise else None,
                "ambulance_eta_at": (incident.ambulance or {}).get("eta_at"),
            }
        )
    )
    return await hub.orders.place(
        NewOrder(
            client=incident.client,
            key=key,
            body_sha256=canonical_sha256(body.model_dump(mode="json") | {"incident": incident.incident_id}),
            request=request.model_dump(mode="json") | {"severity": incident.severity},
            patient=wgs84_of(request.position),
            severity=incident.severity,
            mode=Mode.DRILL if incident.exercise else None,
            ambulance_eta_at=request.ambulance_eta_at,
            incident_id=incident.incident_id,
        )
    )
