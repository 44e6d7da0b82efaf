"""An order as it is answered: read from the store, or as this very request has just stored it."""

from __future__ import annotations

from typing import Any, NamedTuple

from fastapi import Response
from sqlmodel import Session

from core.ids import is_id
from hub_api.access.principal import Principal
from hub_api.dispatch.ledger import unknown_order
from hub_api.dispatch.service import Placed
from hub_api.dispatch.verdicts import Told
from hub_api.features.orders.views import approval_of, as_json, candidates_of, order_view
from hub_api.hub import Hub
from hub_api.logs import remember
from hub_api.store.records import ApprovalRecord, CallbackRecord, MissionRecord, OrderRecord
from hub_api.store.repositories import approvals, callbacks, incidents, missions, orders


class _Look(NamedTuple):
    """What an order is shown from."""

    order: OrderRecord
    serving: OrderRecord
    """The order whose mission serves it: itself, or the one that it was merged into."""
    flights: list[MissionRecord]
    updates: list[CallbackRecord]
    reserved: dict[str, str]
    asked: ApprovalRecord | None
    candidates: str | None
    """As they are stored."""
    told: Told | None = None
    """The same where they are at hand."""
    other_place: dict[str, Any] | None = None
    """What was told of another place of its incident, if it concerns this order."""


async def answer(hub: Hub, placed: Placed, who: Principal) -> Response:
    """The placed order as it is answered: 201, or 200 and marked where the same request had come before."""
    fresh = _as_stored(placed, who)
    shown = await view_of(hub, placed.order.order_id, who) if fresh is None else _show(hub, fresh, who)
    if placed.replay:
        shown.headers["Idempotent-Replay"] = "true"
    else:
        shown.status_code = 201
    return shown


def _as_stored(placed: Placed, who: Principal) -> _Look | None:
    """What this request has stored, where that is all there is: the centre waits, and need not wait for it to be read."""
    order, decided = placed.order, placed.decided
    if decided is None or order.request.get("callback_url") or not _sees(who, order):
        return None
    flights = [] if decided.mission is None else [decided.mission]
    return _Look(order, order, flights, [], {}, None, decided.told.packed, decided.told)


async def view_of(hub: Hub, order_id: str, who: Principal) -> Response:
    """Everything about an order that ``who`` may see, served by whichever order's mission. Raises 4002."""

    def look(session: Session) -> _Look | None:
        order = orders.find(session, order_id)
        if order is None or not _sees(who, order):
            return None
        serving = order if order.merged_into is None else orders.get(session, order.merged_into)
        return _Look(
            order,
            serving,
            missions.of_order(session, serving.order_id),
            callbacks.of_order(session, order_id) if order.request.get("callback_url") else [],
            missions.reserved_drones(session) if serving.mission_id is not None else {},
            approvals.newest_of_order(session, serving.order_id),
            orders.candidates_of(session, serving.order_id),
            other_place=_other_place_of(session, order),
        )

    if not is_id(order_id, "ord"):
        raise unknown_order(order_id)
    found = await hub.database.read(look)
    if found is None:
        raise unknown_order(order_id)
    return _show(hub, found, who)


def _other_place_of(session: Session, order: OrderRecord) -> dict[str, Any] | None:
    incident = None if order.incident_id is None else incidents.find(session, order.incident_id)
    other = None if incident is None else incident.other_place
    return other if other is not None and order.order_id in (other["said_by"], other["kept_for"]) else None


def _sees(who: Principal, order: OrderRecord) -> bool:
    return who.visible_client is None or order.client == who.visible_client


def _show(hub: Hub, found: _Look, who: Principal) -> Response:
    order, serving = found.order, found.serving
    remember(order_id=order.order_id, incident_id=order.incident_id)
    current = next((m for m in found.flights if m.mission_id == serving.mission_id), None)
    drone = None if current is None else hub.fleet.view(current.drone_id, found.reserved)
    shown = hub.personal.show(order, allowed=who.sees_personal_data_of(order.client))
    approval = approval_of(serving, found.flights, found.asked, hub.settings.approval_chain)
    view = order_view(
        order,
        found.flights,
        found.updates,
        hub.site,
        drone,
        shown,
        approval,
        serving,
        found.other_place,
        own=who.owns(order.client),
    )
    return Response(as_json(view, _candidates(found)), media_type="application/json")


def _candidates(found: _Look) -> bytes:
    if found.told is not None and found.serving.ambulance_eta_at is None:
        return found.told.shown
    return candidates_of(found.serving, found.candidates)
