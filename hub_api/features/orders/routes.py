"""``/v1/orders``: the door for emergency centres."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Header, Path, Query, Response, Security
from fastapi.responses import StreamingResponse
from sqlmodel import Session

from core.errors import AirspaceError
from core.gcj02 import ReferenceSystem, to_wgs84
from core.ids import is_id
from hub_api.dependencies import HubDep
from hub_api.dispatch.modes import Mode
from hub_api.dispatch.order_states import TERMINAL_STATES, OrderState
from hub_api.dispatch.service import NewOrder, unknown_order
from hub_api.features.orders.schemas import (
    ApproveRequest,
    CancelRequest,
    OrderEventView,
    OrderPage,
    OrderRequest,
    OrderView,
    RefuseRequest,
)
from hub_api.features.orders.views import (
    approval_of,
    as_json,
    candidates_of,
    event_view,
    order_view,
    summary_of,
)
from hub_api.problems import declared
from hub_api.security import Principal, Scope, authenticate
from hub_api.sse import encode, follow, stream_response
from hub_api.store.records import ApprovalRecord, CallbackRecord, EventRecord, MissionRecord, OrderRecord
from hub_api.store.repositories import approvals, callbacks, events, missions, orders
from hub_api.strict_json import StrictJsonRoute

router = APIRouter(prefix="/v1/orders", tags=["orders"], route_class=StrictJsonRoute)

Reader = Annotated[Principal, Security(authenticate, scopes=[Scope.ORDERS_READ])]
Writer = Annotated[Principal, Security(authenticate, scopes=[Scope.ORDERS_WRITE])]
Approver = Annotated[Principal, Security(authenticate, scopes=[Scope.ORDERS_APPROVE])]
OrderId = Annotated[str, Path(description="As given when the order was placed.", max_length=80)]


class _Look(NamedTuple):
    """What is read to show an order."""

    order: OrderRecord
    flights: list[MissionRecord]
    updates: list[CallbackRecord]
    reserved: dict[str, str]
    asked: ApprovalRecord | None
    candidates: str | None


_REPLAY = {
    "Idempotent-Replay": {
        "description": "`true` if the same request had come before and nothing new happened.",
        "schema": {"type": "string", "enum": ["true"]},
    }
}


@router.post(
    "",
    status_code=201,
    response_model=OrderView,
    summary="Order an AED to a patient",
    responses={
        200: {
            "model": OrderView,
            "description": "The same key and body came before: the same order, nothing flies twice.",
            "headers": _REPLAY,
        },
        201: {
            "description": "Decided: accepted with drone, landing point and ETA, or declined with reasons."
        },
        **declared(400, 401, 403, 409, 413, 422, 503),
    },
)
async def place_order(
    hub: HubDep,
    who: Writer,
    body: OrderRequest,
    idempotency_key: Annotated[
        str,
        Header(
            min_length=1,
            max_length=200,
            pattern=r"^[\x21-\x7e]+$",
            description="Unique per order and client, kept for 24 h: repeat with it until answered.",
            examples=["BA-120-2026-000123-1"],
        ),
    ],
) -> Response:
    """Stored, decided and answered in one request.

    A declined order is an answer (201, `decision.outcome = "declined"`), not an error: a patient in a
    prohibited area is served by the best legal landing point outside, or declined with every reason.
    """
    request = body.model_dump(mode="json")
    position = body.position
    try:
        patient = to_wgs84(
            ReferenceSystem(position.reference_system), position.latitude_deg, position.longitude_deg
        )
    except AirspaceError as error:
        # The border strip where no inverse exists: name the field as the request calls it.
        raise AirspaceError(error.code, error.detail, field=error.field or "position") from error
    canonical = json.dumps(request, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    placed = await hub.orders.place(
        NewOrder(
            client=who.client,
            key=idempotency_key,
            body_sha256=hashlib.sha256(canonical.encode()).hexdigest(),
            request=request,
            patient=patient,
            severity=body.severity,
            mode=None if body.mode is None else Mode(body.mode),
            ambulance_eta_at=body.ambulance_eta_at,
        )
    )
    shown = await _view(hub, placed.order.order_id, who)
    if placed.replay:
        shown.headers["Idempotent-Replay"] = "true"
    else:
        shown.status_code = 201
    return shown


@router.get("", response_model=OrderPage, summary="List orders", responses=declared(401, 403, 422))
async def list_orders(
    hub: HubDep,
    who: Reader,
    state: Annotated[list[OrderState] | None, Query(description="Only orders in these states.")] = None,
    before: Annotated[
        str | None, Query(pattern=r"^ord_[0-9A-HJKMNP-TV-Z]{26}$", description="Orders older than this one.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> OrderPage:
    """Newest first; a client sees its own orders, an administrator all."""
    found = await hub.database.read(
        lambda s: orders.list_page(
            s, client=who.visible_client, states=state or (), before=before, limit=limit + 1
        )
    )
    page = found[:limit]
    return OrderPage(
        orders=[summary_of(order) for order in page],
        next_before=page[-1].order_id if len(found) > limit else None,
    )


@router.get(
    "/{order_id}", response_model=OrderView, summary="See an order", responses=declared(401, 403, 404)
)
async def get_order(hub: HubDep, who: Reader, order_id: OrderId) -> Response:
    """The order, its decision, its flights and, while a drone flies, where it is."""
    return await _view(hub, order_id, who)


@router.get(
    "/{order_id}/events",
    summary="Follow an order",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "Server-sent events; `data` is an OrderEventView. Ends after the final state.",
            "content": {"text/event-stream": {"schema": {"$ref": "#/components/schemas/OrderEventView"}}},
        },
        **declared(401, 403, 404, 422),
    },
)
async def follow_order(
    hub: HubDep,
    who: Reader,
    order_id: OrderId,
    last_event_id: Annotated[
        str | None,
        Header(pattern=r"^\d{1,18}$", description="Resume after this event; sent by browsers on reconnect."),
    ] = None,
    after: Annotated[
        int, Query(ge=0, le=10**18 - 1, description="The same, for clients that cannot set headers.")
    ] = 0,
) -> StreamingResponse:
    """Everything that happened and happens to the order, in order, without gap or double."""
    order = await _find(hub, order_id, who)
    position = int(last_event_id) if last_event_id is not None else after

    async def stream() -> AsyncIterator[bytes]:
        async def read_after(seq: int) -> list[EventRecord]:
            return await hub.database.read(lambda s: events.of_order(s, order.order_id, after=seq))

        if order.state in TERMINAL_STATES:
            for event in await read_after(position):
                yield _encode(event)
            return
        async for chunk in follow(
            hub.feed,
            wants=lambda event: event.order_id == order.order_id,
            read_after=read_after,
            render=_render,
            after=position,
            finished=lambda event: event.state in TERMINAL_STATES,
        ):
            yield chunk

    return stream_response(stream())


@router.post(
    "/{order_id}/cancel",
    response_model=OrderView,
    summary="Cancel an order",
    responses=declared(400, 401, 403, 404, 409, 413, 422, 503),
)
async def cancel_order(hub: HubDep, who: Writer, order_id: OrderId, body: CancelRequest) -> Response:
    """Nothing flies that has not started; a drone in the air comes home along its planned legs.

    Safe to repeat. Once the AED is on the ground there is nothing to cancel: 409.
    """
    if not is_id(order_id, "ord"):
        raise unknown_order(order_id)
    await hub.orders.cancel(order_id, client=who.writable_client, reason=body.reason)
    return await _view(hub, order_id, who)


@router.post(
    "/{order_id}/approve",
    response_model=OrderView,
    summary="Approve a proposed flight",
    responses=declared(400, 401, 403, 404, 409, 413, 422, 503),
)
async def approve_order(hub: HubDep, who: Approver, order_id: OrderId, body: ApproveRequest) -> Response:
    """The flight is commanded, if its plan may still be flown; otherwise it is planned again at once.

    A new plan for the same drone and landing point flies; any other is proposed anew (`AWAITING_APPROVAL` again,
    another `decision.flight_id`). Safe to repeat.
    """
    await _find(hub, order_id, who)
    await hub.approvals.approve(
        order_id, body.flight_id, client=who.visible_client, by=who.name or who.client
    )
    return await _view(hub, order_id, who)


@router.post(
    "/{order_id}/refuse",
    response_model=OrderView,
    summary="Refuse a proposed flight",
    responses=declared(400, 401, 403, 404, 409, 413, 422, 503),
)
async def refuse_order(hub: HubDep, who: Approver, order_id: OrderId, body: RefuseRequest) -> Response:
    """The order is declined with the reason; its drone is free. Safe to repeat."""
    await _find(hub, order_id, who)
    await hub.approvals.refuse(
        order_id,
        client=who.visible_client,
        by=who.name or who.client,
        reason=body.reason,
        flight_id=body.flight_id,
    )
    return await _view(hub, order_id, who)


async def _find(hub: HubDep, order_id: str, who: Principal) -> OrderRecord:
    if not is_id(order_id, "ord"):
        raise unknown_order(order_id)
    order = await hub.database.read(lambda s: orders.find(s, order_id))
    if order is None or (who.visible_client is not None and order.client != who.visible_client):
        raise unknown_order(order_id)
    return order


async def _view(hub: HubDep, order_id: str, who: Principal) -> Response:
    """Everything about an order that ``who`` may see."""

    def look(session: Session) -> _Look | None:
        order = orders.find(session, order_id)
        if order is None or (who.visible_client is not None and order.client != who.visible_client):
            return None
        return _Look(
            order,
            missions.of_order(session, order_id),
            callbacks.of_order(session, order_id) if order.request.get("callback_url") else [],
            missions.reserved_drones(session) if order.mission_id is not None else {},
            approvals.newest_of_order(session, order_id),
            orders.candidates_of(session, order_id),
        )

    if not is_id(order_id, "ord"):
        raise unknown_order(order_id)
    found = await hub.database.read(look)
    if found is None:
        raise unknown_order(order_id)
    order = found.order
    current = next((m for m in found.flights if m.mission_id == order.mission_id), None)
    drone = None if current is None else hub.fleet.view(current.drone_id, found.reserved)
    shown = hub.personal.show(order, allowed=who.sees_personal_data_of(order.client))
    approval = approval_of(order, found.flights, found.asked, hub.settings.approval_chain)
    view = order_view(order, found.flights, found.updates, hub.site, drone, shown, approval)
    return Response(as_json(view, candidates_of(order, found.candidates)), media_type="application/json")


def _render(event: EventRecord) -> str:
    view: OrderEventView = event_view(event)
    return view.model_dump_json()


def _encode(event: EventRecord) -> bytes:
    return encode(str(event.seq), event.kind, _render(event))
