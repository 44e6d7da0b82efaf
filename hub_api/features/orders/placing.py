"""From a validated request to a placed order; shared by every door that orders come through."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from pydantic import BaseModel

from core.errors import AirspaceError
from core.gcj02 import ReferenceSystem, to_wgs84
from core.geodesy import Wgs84Point
from hub_api.dispatch.modes import Mode
from hub_api.dispatch.service import NewOrder, Placed
from hub_api.features.fields import Position
from hub_api.features.orders.requests import OrderRequest
from hub_api.hub import Hub

_LATER_FIELDS = {
    "severity_code": None,
    "incident_id": None,
    "separate": False,
    "called_at": None,
    "mode": None,
    "ambulance_eta_at": None,
}
"""Fields that came later: where they say nothing, the body is the same one that an earlier release has hashed."""


def wgs84_of(position: Position) -> Wgs84Point:
    """The position in WGS-84. Raises 3001 where no inverse exists (a strip at the border)."""
    try:
        return to_wgs84(
            ReferenceSystem(position.reference_system), position.latitude_deg, position.longitude_deg
        )
    except AirspaceError as error:
        # Name the field as the request calls it.
        raise AirspaceError(error.code, error.detail, field=error.field or "position") from error


def canonical_sha256(request: dict[str, Any]) -> str:
    """The hash that an idempotency key is bound to; the order of fields does not matter."""
    told = {
        name: value
        for name, value in request.items()
        if name not in _LATER_FIELDS or value != _LATER_FIELDS[name]
    }
    canonical = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def body_sha256(body: BaseModel) -> str:
    """:func:`canonical_sha256` of a request's model."""
    return canonical_sha256(body.model_dump(mode="json"))


async def place(hub: Hub, client: str, body: OrderRequest, key: str) -> Placed:
    """Store and decide. Raises 3001, 4003, 4004, 4005, 4008."""
    request = body.model_dump(mode="json")
    severity = await hub.severity_codes.grade_of(client, body.severity, body.severity_code)
    return await hub.orders.place(
        NewOrder(
            client=client,
            key=key,
            body_sha256=canonical_sha256(request),
            request=request | {"severity": severity},
            patient=wgs84_of(body.position),
            severity=severity,
            mode=None if body.mode is None else Mode(body.mode),
            ambulance_eta_at=body.ambulance_eta_at,
            incident_id=body.incident_id,
        )
    )
