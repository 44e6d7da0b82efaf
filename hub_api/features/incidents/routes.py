"""``/v1/incidents``: one call for help, with everybody and everything that belongs to it. Source: A1, A2, A11–A17."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response, Security
from sqlmodel import Session

from core.errors import DispatchError, ErrorCode
from core.ids import is_id
from hub_api.dependencies import HubDep, IdempotencyKey
from hub_api.dispatch.incident_ledger import refuse_if_closed, unknown_incident
from hub_api.dispatch.incident_room import PartyReport
from hub_api.dispatch.incident_states import Escalation, IncidentState
from hub_api.features.incidents import dossier, taking, views
from hub_api.features.incidents.requests import (
    CloseRequest,
    EscalateRequest,
    IncidentChange,
    IncidentOrderRequest,
    IncidentRequest,
    PartyRequest,
    PatientState,
    StageRequest,
)
from hub_api.features.incidents.schemas import (
    ExchangeList,
    HandOverView,
    IncidentEventPage,
    IncidentPage,
    IncidentView,
    PartyView,
)
from hub_api.features.orders.answers import answer
from hub_api.features.orders.schemas import OrderView
from hub_api.problems import declared
from hub_api.security import Principal, Scope, authenticate
from hub_api.store.incident_records import IncidentRecord
from hub_api.store.repositories import (
    callbacks,
    events,
    incident_parts,
    incidents,
    messages,
    missions,
    orders,
)
from hub_api.strict_json import StrictJsonRoute

router = APIRouter(prefix="/v1/incidents", tags=["incidents"], route_class=StrictJsonRoute)

Reader = Annotated[Principal, Security(authenticate, scopes=[Scope.ORDERS_READ])]
Writer = Annotated[Principal, Security(authenticate, scopes=[Scope.ORDERS_WRITE])]
IncidentId = Annotated[str, Path(description="As given when the incident was received.", max_length=80)]
PartyId = Annotated[
    str,
    Path(description="The centre's own id of the party.", max_length=80, pattern=r"^[^\x00-\x1f\x7f/]+$"),
]


def _replay_header() -> dict[str, object]:
    return {
        "Idempotent-Replay": {
            "description": "`true` if the same request had come before and nothing new happened.",
            "schema": {"type": "string", "enum": ["true"]},
        }
    }


@router.post(
    "",
    status_code=201,
    response_model=IncidentView,
    summary="Report an incident",
    responses={
        200: {
            "model": IncidentView,
            "description": "The same request came before, or an incident with this reference is open: it is joined.",
            "headers": _replay_header(),
        },
        **declared(400, 401, 403, 409, 413, 422, 503),
    },
)
async def report_incident(
    hub: HubDep, who: Writer, body: IncidentRequest, response: Response, idempotency_key: IdempotencyKey
) -> IncidentView:
    """Stored at once; no drone flies by this alone. The ambulance is never asked for here and never waited for (A4).

    An incident with the same `reference` that is open already gets what is sent here added; the answer is 200.
    """
    received = await taking.take(hub, who.client, body, idempotency_key, source="api")
    if received.replay:
        response.headers["Idempotent-Replay"] = "true"
    if received.replay or received.joined:
        response.status_code = 200
    return await incident_view(hub, received.incident.incident_id, who)


@router.get("", response_model=IncidentPage, summary="List incidents", responses=declared(401, 403, 422))
async def list_incidents(
    hub: HubDep,
    who: Reader,
    state: Annotated[IncidentState | None, Query(description="Only incidents in this state.")] = None,
    reference: Annotated[str | None, Query(max_length=80, description="The centre's own number.")] = None,
    before: Annotated[
        str | None, Query(pattern=r"^inc_[0-9A-HJKMNP-TV-Z]{26}$", description="Older than this one.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> IncidentPage:
    """Newest first; a client sees its own incidents, an operator all."""
    found = await hub.database.read(
        lambda s: incidents.list_page(
            s,
            client=who.visible_client,
            state=state,
            reference=reference,
            before=before,
            limit=limit + 1,
        )
    )
    page = found[:limit]
    return IncidentPage(
        incidents=[views.summary(incident) for incident in page],
        next_before=page[-1].incident_id if len(found) > limit else None,
    )


@router.get(
    "/{incident_id}",
    response_model=IncidentView,
    summary="See an incident",
    responses=declared(401, 403, 404, 422),
)
async def get_incident(hub: HubDep, who: Reader, incident_id: IncidentId) -> IncidentView:
    """Demand, centre, ambulance, volunteers and AED in one view (A2): stages, gaps, patient, parties, orders."""
    return await incident_view(hub, incident_id, who)


@router.patch(
    "/{incident_id}",
    response_model=IncidentView,
    summary="Change an incident",
    responses=declared(400, 401, 403, 404, 409, 413, 422, 503),
)
async def change_incident(
    hub: HubDep, who: Writer, incident_id: IncidentId, body: IncidentChange
) -> IncidentView:
    """Only the fields that are sent change. Safe to repeat."""
    _check_id(incident_id)
    facts = await taking.facts_of_change(hub, who.client, body)
    await hub.incidents.change(
        incident_id, facts, client=who.writable_client, video_guidance=body.video_guidance
    )
    return await incident_view(hub, incident_id, who)


@router.post(
    "/{incident_id}/orders",
    status_code=201,
    response_model=OrderView,
    summary="Order an AED to an incident",
    responses={
        200: {
            "model": OrderView,
            "description": "The same key and body came before: the same order, nothing flies twice.",
            "headers": _replay_header(),
        },
        **declared(400, 401, 403, 404, 409, 413, 422, 503),
    },
)
async def order_for_incident(
    hub: HubDep,
    who: Writer,
    incident_id: IncidentId,
    body: IncidentOrderRequest,
    idempotency_key: IdempotencyKey,
) -> Response:
    """To the incident's place, with its severity and floor; decided and answered as `POST /v1/orders` is.

    A second order for the same incident is merged into the first unless it says `separate`.
    """
    incident = await _own(hub, incident_id, who)
    placed = await taking.order(hub, incident, body, key=idempotency_key)
    return await answer(hub, placed, who)


@router.post(
    "/{incident_id}/stages",
    response_model=IncidentView,
    summary="Report that a stage was reached",
    responses=declared(400, 401, 403, 404, 409, 413, 422, 503),
)
async def reach_stage(hub: HubDep, who: Writer, incident_id: IncidentId, body: StageRequest) -> IncidentView:
    """报警、定位、派单、指导、救援、反馈 (B1), each once; another moment is a correction, audited with its reason."""
    _check_id(incident_id)
    await hub.incidents.reach(
        incident_id, body.stage, body.at, reason=body.correction_reason, client=who.writable_client
    )
    return await incident_view(hub, incident_id, who)


@router.post(
    "/{incident_id}/escalate",
    response_model=IncidentView,
    summary="Call out more help",
    responses=declared(400, 401, 403, 404, 409, 413, 422, 503),
)
async def escalate(hub: HubDep, who: Writer, incident_id: IncidentId, body: EscalateRequest) -> IncidentView:
    """Volunteers, then an AED on the ground, then one by drone (A7); never less than before.

    `drone_aed` orders one for this incident, once. The other levels are told to streams and callbacks: who alerts
    volunteers listens there.
    """
    incident = await _own(hub, incident_id, who)
    if body.level is Escalation.DRONE_AED:
        refuse_if_closed(incident)
        await taking.order(hub, incident, IncidentOrderRequest(), key=f"escalation-{incident_id}")
    await hub.incidents.escalate(incident_id, body.level, reason=body.reason, client=who.writable_client)
    return await incident_view(hub, incident_id, who)


@router.put(
    "/{incident_id}/parties/{party_id}",
    response_model=PartyView,
    summary="Report a party and how far it got",
    responses=declared(400, 401, 403, 404, 409, 413, 422, 503),
)
async def report_party(
    hub: HubDep, who: Writer, incident_id: IncidentId, party_id: PartyId, body: PartyRequest
) -> PartyView:
    """One room for every party (A12): volunteers, crew, doctor, police (A19) … with role, state and arrival.

    Safe to repeat. `treating` ends the gap «call to first hands» (A10).
    """
    _check_id(incident_id)
    party = await hub.incident_room.report_party(
        incident_id,
        party_id,
        PartyReport(
            kind=body.kind,
            role=body.role,
            state=body.state,
            at=body.at,
            eta_at=body.eta_at,
            callback_url=None if body.callback_url is None else str(body.callback_url),
            personal={"name": body.name, "phone": body.phone},
        ),
        client=who.writable_client,
    )
    incident = await hub.database.read(lambda s: incidents.get(s, incident_id))
    return views.party_view(party, hub.personal, allowed=who.sees_personal_data_of(incident.client))


@router.post(
    "/{incident_id}/observations",
    status_code=201,
    response_model=IncidentView,
    summary="Report how the patient is",
    responses={
        200: {
            "model": IncidentView,
            "description": "The same observation came before.",
            "headers": _replay_header(),
        },
        **declared(400, 401, 403, 404, 409, 413, 422, 503),
    },
)
async def observe_patient(
    hub: HubDep,
    who: Writer,
    incident_id: IncidentId,
    body: PatientState,
    response: Response,
    idempotency_key: IdempotencyKey,
) -> IncidentView:
    """Kept with its moment, so that it shows how the patient's state changed. Sealed; shown like callers are."""
    _check_id(incident_id)
    observation = taking.observation_of(body, idempotency_key)
    _, replay = await hub.incident_room.observe(incident_id, observation, client=who.writable_client)
    if replay:
        response.status_code = 200
        response.headers["Idempotent-Replay"] = "true"
    return await incident_view(hub, incident_id, who)


@router.post(
    "/{incident_id}/close",
    response_model=IncidentView,
    summary="Close an incident with its outcome",
    responses=declared(400, 401, 403, 404, 409, 413, 422, 503),
)
async def close_incident(
    hub: HubDep, who: Writer, incident_id: IncidentId, body: CloseRequest
) -> IncidentView:
    """反馈. Refused while a drone is still on its way with the AED."""
    _check_id(incident_id)
    utstein = None if body.utstein is None else body.utstein.model_dump(mode="json", exclude_none=True)
    await hub.incidents.close(incident_id, body.outcome, utstein=utstein, client=who.writable_client)
    return await incident_view(hub, incident_id, who)


@router.get(
    "/{incident_id}/hand-over",
    response_model=HandOverView,
    summary="Hand-over data for the hospital",
    responses=declared(401, 403, 404, 422),
)
async def hand_over(hub: HubDep, who: Reader, incident_id: IncidentId) -> HandOverView:
    """Times, AEDs, shocks, observations and the Utstein core elements, as far as they were reported (A18)."""
    look = await _look(hub, incident_id, who)
    allowed = who.sees_personal_data_of(look.incident.client)
    return dossier.hand_over(look, hub.personal, allowed=allowed, now=hub.clock.now())


@router.get(
    "/{incident_id}/events",
    response_model=IncidentEventPage,
    summary="What happened to an incident",
    responses=declared(401, 403, 404, 422),
)
async def list_events(
    hub: HubDep,
    who: Reader,
    incident_id: IncidentId,
    after: Annotated[int, Query(ge=0, le=2**62, description="Events after this one.")] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 200,
) -> IncidentEventPage:
    """Its own events and those of its orders, in order. Live: `/v1/stream?topics=incidents`."""
    await _look(hub, incident_id, who)
    found = await hub.database.read(
        lambda s: events.of_incident(s, incident_id, after=after, limit=limit + 1)
    )
    page = found[:limit]
    return IncidentEventPage(
        events=[views.event_view(event) for event in page],
        next_after=page[-1].seq if len(found) > limit else None,
    )


@router.get(
    "/{incident_id}/exchanges",
    response_model=ExchangeList,
    summary="What was exchanged about an incident, and with whom",
    responses=declared(401, 403, 404, 422),
)
async def list_exchanges(hub: HubDep, who: Reader, incident_id: IncidentId) -> ExchangeList:
    """Every message in and out with its state, for the governance of exchanged data (G5)."""
    return ExchangeList(exchanges=dossier.exchanges(await _look(hub, incident_id, who)))


def _check_id(incident_id: str) -> None:
    if not is_id(incident_id, "inc"):
        raise unknown_incident(incident_id)


async def _own(hub: HubDep, incident_id: str, who: Principal) -> IncidentRecord:
    """The incident, if this reader may order for it: an order is its client's own."""
    _check_id(incident_id)
    incident = await hub.database.read(lambda s: hub.incidents.of(s, incident_id, who.writable_client))
    if incident.client != who.client:
        raise DispatchError(
            ErrorCode.CREDENTIALS_INSUFFICIENT,
            "orders for an incident are placed by its own client · 仅事件所属机构可下单",
        )
    return incident


async def _look(hub: HubDep, incident_id: str, who: Principal) -> views.IncidentLook:
    _check_id(incident_id)

    def look(session: Session) -> views.IncidentLook | None:
        incident = incidents.find(session, incident_id)
        if incident is None or (who.visible_client is not None and incident.client != who.visible_client):
            return None
        placed = orders.of_incident(session, incident_id)
        serving = {order.merged_into or order.order_id: order.order_id for order in placed}
        return views.IncidentLook(
            incident=incident,
            orders=placed,
            missions=[
                (order_id, mission)
                for carrier_id, order_id in serving.items()
                for mission in missions.of_order(session, carrier_id)
            ],
            parties=incident_parts.parties_of(session, incident_id),
            observations=incident_parts.observations_of(session, incident_id),
            messages=messages.of_subject(session, incident_id),
            updates=sorted(
                [
                    *callbacks.of_incident(session, incident_id),
                    *(u for order in placed for u in callbacks.of_order(session, order.order_id)),
                ],
                key=lambda update: update.seq,
            ),
        )

    found = await hub.database.read(look)
    if found is None:
        raise unknown_incident(incident_id)
    return found


async def incident_view(hub: HubDep, incident_id: str, who: Principal) -> IncidentView:
    """Everything of an incident that ``who`` may see. Raises 4005."""
    look = await _look(hub, incident_id, who)
    client = look.incident.client
    return views.view(look, hub.personal, allowed=who.sees_personal_data_of(client), own=who.owns(client))
