"""``/v1/adapters``: messages of other systems as incidents. Source: A1, A3; dispatch.md (CAP 1.2, NENA EIDO)."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from json import JSONDecodeError
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response, Security

from core.errors import DispatchError, ErrorCode
from core.ids import is_id
from hub_api.adapters import cap, eido
from hub_api.adapters.common import Reported, malformed
from hub_api.dependencies import HubDep
from hub_api.dispatch.incident_ledger import unknown_incident
from hub_api.dispatch.incident_states import IncidentState, Outcome
from hub_api.dispatch.merging import CARRYING
from hub_api.dispatch.order_states import OrderState
from hub_api.features.adapters.schemas import CAP_EXAMPLE, EIDO_EXAMPLE, AdapterView
from hub_api.features.incidents import taking
from hub_api.features.incidents.requests import IncidentOrderRequest
from hub_api.features.incidents.routes import incident_view
from hub_api.problems import declared
from hub_api.security import Principal, Scope, authenticate
from hub_api.store.repositories import incidents, orders
from hub_api.strict_json import loads

router = APIRouter(tags=["adapters"])

Reader = Annotated[Principal, Security(authenticate, scopes=[Scope.ORDERS_READ])]
Writer = Annotated[Principal, Security(authenticate, scopes=[Scope.ORDERS_WRITE])]
WithOrder = Annotated[
    bool,
    Query(
        description="Also order an AED by drone to the incident, as `POST /v1/incidents/{id}/orders` does."
    ),
]
_REPLAY = {
    "Idempotent-Replay": {
        "description": "`true` if the same message had come before and nothing new happened.",
        "schema": {"type": "string", "enum": ["true"]},
    }
}
_KNOWN: dict[int | str, dict[str, Any]] = {
    200: {
        "model": AdapterView,
        "description": "The same message came before, it adds to an open incident, or it took one back.",
        "headers": _REPLAY,
    }
}


def _body(media_type: str, schema: dict[str, Any], value: Any) -> dict[str, Any]:
    return {
        "requestBody": {
            "required": True,
            "content": {
                media_type: {
                    "schema": schema,
                    "examples": {"arrest": {"summary": "A cardiac arrest", "value": value}},
                }
            },
        }
    }


@router.post(
    "/v1/adapters/cap",
    status_code=201,
    response_model=AdapterView,
    summary="Take a CAP 1.2 alert",
    responses={**_KNOWN, **declared(400, 401, 403, 404, 409, 413, 422, 503)},
    openapi_extra=_body("application/xml", {"type": "string", "format": "binary"}, CAP_EXAMPLE),
)
async def take_cap(
    hub: HubDep, who: Writer, request: Request, response: Response, order: WithOrder = False
) -> AdapterView:
    """An Alert or Update of category Health or Rescue becomes an incident; a Cancel closes it and calls drones back.

    Its place is the first `circle` (WGS-84, at most 0.5 km). Its grade is the parameter `severity` (I–IV), or what the
    client's severity codes say of `eventCode` or of `CAP:Extreme`, `CAP:Severe` …; anything else is a 422 that names
    the element. The same sender and identifier again is the same incident; with other content 409.
    """
    alert = cap.read(await request.body())
    if alert.report is None:
        assert alert.cancels is not None
        response.status_code = 200
        return await _take_back(hub, who, alert.cancels)
    return await _take(hub, who, alert.report, response, source="cap", order=order)


@router.post(
    "/v1/adapters/eido",
    status_code=201,
    response_model=AdapterView,
    summary="Take a NENA EIDO",
    responses={**_KNOWN, **declared(400, 401, 403, 404, 409, 413, 422, 503)},
    openapi_extra=_body("application/json", {"type": "object"}, EIDO_EXAMPLE),
)
async def take_eido(
    hub: HubDep, who: Writer, request: Request, response: Response, order: WithOrder = False
) -> AdapterView:
    """An Emergency Incident Data Object 1.0 becomes an incident; a later one of the same incident adds to it.

    Its place is the incident's own location by value (PIDF-LO, WGS-84 point or circle); an address is not geocoded.
    Its grade is what the client's severity codes say of `incidentPriorityInternalText`, or of `EIDO:1`, `EIDO:2` …
    for `incidentCommonPriorityNumber`.
    """
    try:
        document = loads(await request.body())
    except (JSONDecodeError, UnicodeDecodeError, RecursionError):
        raise malformed("the body is no JSON", "请求体不是有效的 JSON") from None
    return await _take(hub, who, eido.read(document), response, source="eido", order=order)


async def _take(
    hub: HubDep, who: Principal, report: Reported, response: Response, *, source: str, order: bool
) -> AdapterView:
    received = await taking.take(hub, who.client, report.request, report.key, source=source)
    if received.replay or received.joined:
        response.status_code = 200
    if received.replay:
        response.headers["Idempotent-Replay"] = "true"
    order_id = None
    if order:
        key = f"{source}-{hashlib.sha256(report.key.encode()).hexdigest()}"
        placed = await taking.order(hub, received.incident, IncidentOrderRequest(), key=key)
        order_id = placed.order.order_id
    return AdapterView(
        incident=await incident_view(hub, received.incident.incident_id, who),
        order_id=order_id,
        ignored=list(report.ignored),
    )


async def _take_back(hub: HubDep, who: Principal, key: str) -> AdapterView:
    """A Cancel: nothing flies for it any more, as far as that can still be stopped."""
    not_before = hub.clock.now() - timedelta(seconds=hub.settings.idempotency_keep_s)
    found = await hub.database.read(lambda s: incidents.find_key(s, who.client, key, not_before=not_before))
    if found is None:
        raise DispatchError(
            ErrorCode.RESOURCE_UNKNOWN,
            "no such alert is known here · 未收到过该警报",
            field="alert.references",
        )
    incident_id = found[1]
    placed = await hub.database.read(lambda s: orders.of_incident(s, incident_id))
    for one in placed:
        if one.state in CARRYING | {OrderState.MERGED} and one.aed_on_ground_at is None:
            await hub.orders.cancel(one.order_id, client=who.client, reason="CAP Cancel")
    incident = await hub.database.read(lambda s: incidents.get(s, incident_id))
    if incident.state is IncidentState.OPEN:
        await hub.incidents.close(incident_id, Outcome.CANCELLED, utstein=None, client=who.client)
    return AdapterView(incident=await incident_view(hub, incident_id, who), order_id=None, ignored=[])


@router.get(
    "/v1/incidents/{incident_id}/cap",
    response_class=Response,
    summary="An incident as a CAP 1.2 alert",
    responses={
        200: {
            "description": "For partners' systems: place, grade and state, no personal data; a closed one is a Cancel.",
            "content": {cap.MEDIA_TYPE: {"schema": {"type": "string"}}},
        },
        **declared(401, 403, 404, 422),
    },
)
async def give_cap(
    hub: HubDep,
    who: Reader,
    incident_id: Annotated[str, Path(description="As given when the incident was received.", max_length=80)],
) -> Response:
    """Scope Restricted, positions in WGS-84, the grade as parameter `severity`; the hub's sender is `drone-aed`."""
    if not is_id(incident_id, "inc"):
        raise unknown_incident(incident_id)
    incident = await hub.database.read(lambda s: incidents.find(s, incident_id))
    if incident is None or (who.visible_client is not None and incident.client != who.visible_client):
        raise unknown_incident(incident_id)
    document = cap.write(incident, sender="drone-aed", now=hub.clock.now())
    return Response(document, media_type=cap.MEDIA_TYPE)
