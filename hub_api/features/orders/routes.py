"""``/v1/orders``: the door for emergency centres."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response, Security
from fastapi.responses import StreamingResponse

from core.ids import is_id
from hub_api.dependencies import HubDep, IdempotencyKey
from hub_api.dispatch.ledger import unknown_order
from hub_api.dispatch.moves import NewPosition
from hub_api.dispatch.order_states import TERMINAL_STATES, OrderState
from hub_api.features.orders.answers import answer, view_of
from hub_api.features.orders.placing import body_sha256, place, wgs84_of
from hub_api.features.orders.requests import (
    ApproveRequest,
    CancelRequest,
    OrderRequest,
    PositionRequest,
    RefuseRequest,
    SplitRequest,
)
from hub_api.features.orders.schemas import OrderEventView, OrderPage, OrderView
from hub_api.features.orders.views import event_view, summary_of
from hub_api.problems import declared
from hub_api.security import Principal, Scope, authenticate, require, still_allowed
from hub_api.sse import encode, follow, stream_response
from hub_api.store.records import EventRecord, OrderRecord
from hub_api.store.repositories import events, orders
from hub_api.strict_json import StrictJsonRoute

router = APIRouter(prefix="/v1/orders", tags=["orders"], route_class=StrictJsonRoute)

Reader = Annotated[Principal, Security(authenticate, scopes=[Scope.ORDERS_READ])]
Writer = Annotated[Principal, Security(authenticate, scopes=[Scope.ORDERS_WRITE])]
Approver = Annotated[Principal, Security(authenticate, scopes=[Scope.ORDERS_APPROVE])]


async def _splitter(who: Annotated[Principal, Security(authenticate)]) -> Principal:
    """An operator, or who places orders: refused before the body is looked at."""
    if not _operates(who):
        require(who, [Scope.ORDERS_WRITE])
    return who


def _operates(who: Principal) -> bool:
    return who.may(Scope.FLEET_COMMAND) and who.may(Scope.ORDERS_READ_ALL)


Splitter = Annotated[Principal, Depends(_splitter)]
OrderId = Annotated[str, Path(description="As given when the order was placed.", max_length=80)]


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
        **declared(400, 401, 403, 404, 409, 413, 422, 503),
    },
)
async def place_order(
    hub: HubDep,
    who: Writer,
    body: OrderRequest,
    idempotency_key: IdempotencyKey,
) -> Response:
    """Stored, decided and answered in one request.

    A declined order is an answer (201, `decision.outcome = "declined"`), not an error: a patient in a
    prohibited area is served by the best legal landing point outside, or declined with every reason.

    An order belongs to an incident: that of `incident_id` or `incident_reference`, or a new one. An order for a
    patient whom a drone serves already is not flown twice: its state is MERGED, `merged_into` names the order
    whose mission it shares, and both clients are told. `separate: true` forbids it.
    """
    placed = await place(hub, who.client, body, idempotency_key)
    return await answer(hub, placed, who)


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
    return await view_of(hub, order_id, who)


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
    request: Request,
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
    if position > await hub.database.read(events.last_seq):
        # Of a database before a restore: what this one holds of the order is told from the beginning.
        position = 0

    async def stream() -> AsyncGenerator[bytes, None]:
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

    return stream_response(stream(), partial(still_allowed, request, who))


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
    return await view_of(hub, order_id, who)


@router.post(
    "/{order_id}/split",
    response_model=OrderView,
    summary="Split an order from the one it was merged into",
    responses=declared(400, 401, 403, 404, 409, 413, 422, 503),
)
async def split_order(hub: HubDep, who: Splitter, order_id: OrderId, body: SplitRequest) -> Response:
    """They are not for one patient: this order is decided on its own now. For operators, and for the order's client.

    409 where it is not merged, or where the other order was cancelled and the drone flies for this one alone.
    """
    if not is_id(order_id, "ord"):
        raise unknown_order(order_id)
    await hub.orders.split(
        order_id, client=None if _operates(who) else who.writable_client, reason=body.reason
    )
    return await view_of(hub, order_id, who)


@router.post(
    "/{order_id}/position",
    response_model=OrderView,
    summary="Say where the patient is now",
    responses={
        200: {"description": "Stored; `Idempotent-Replay` if it had come before.", "headers": _REPLAY},
        **declared(400, 401, 403, 404, 409, 413, 422, 503),
    },
)
async def move_patient(
    hub: HubDep,
    who: Writer,
    order_id: OrderId,
    body: PositionRequest,
    idempotency_key: IdempotencyKey,
) -> Response:
    """Before take-off it is decided again. A drone in the air stops and gets a proved way to the landing point that
    serves the new place, or goes on, or comes home, and the events say why. Refused (409) once the AED comes down.
    """
    await _find(hub, order_id, who)
    replay = await hub.moves.move(
        order_id,
        NewPosition(
            sender=who.client,
            client=who.writable_client,
            key=idempotency_key,
            body_sha256=body_sha256(body),
            position=body.position.model_dump(mode="json"),
            patient=wgs84_of(body.position),
            floor=body.floor,
            reason=body.reason,
        ),
    )
    shown = await view_of(hub, order_id, who)
    if replay:
        shown.headers["Idempotent-Replay"] = "true"
    return shown


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
    await hub.approvals.approve(order_id, body.flight_id, client=who.visible_client, by=who.known_as)
    return await view_of(hub, order_id, who)


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
        by=who.known_as,
        reason=body.reason,
        flight_id=body.flight_id,
    )
    return await view_of(hub, order_id, who)


async def _find(hub: HubDep, order_id: str, who: Principal) -> OrderRecord:
    if not is_id(order_id, "ord"):
        raise unknown_order(order_id)
    order = await hub.database.read(lambda s: orders.find(s, order_id))
    if order is None or (who.visible_client is not None and order.client != who.visible_client):
        raise unknown_order(order_id)
    return order


def _render(event: EventRecord) -> str:
    view: OrderEventView = event_view(event)
    return view.model_dump_json()


def _encode(event: EventRecord) -> bytes:
    return encode(str(event.seq), event.kind, _render(event))
