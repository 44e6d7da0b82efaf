"""``/metrics``."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response, Security
from sqlmodel import Session

from hub_api.dependencies import HubDep
from hub_api.metrics import CONTENT_TYPE, Snapshot
from hub_api.problems import declared
from hub_api.security import Principal, Scope, authenticate
from hub_api.store.repositories import (
    audit,
    callbacks,
    events,
    identification,
    incidents,
    messages,
    missions,
    orders,
    outbox,
)

router = APIRouter(prefix="/metrics", tags=["health"])

Reader = Annotated[Principal, Security(authenticate, scopes=[Scope.METRICS_READ])]


@router.get(
    "",
    summary="Metrics for Prometheus",
    response_class=Response,
    responses={
        200: {
            "description": "Text exposition format.",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        },
        **declared(401, 403),
    },
)
async def read_metrics(hub: HubDep, who: Reader) -> Response:
    """Requests, decisions, events, drones, what is owed. No personal data, no order's id."""

    def look(session: Session) -> tuple[dict[str, str], int, int, int, int, int, int, int, int, int]:
        return (
            missions.reserved_drones(session),
            orders.count_open(session),
            incidents.count_open(session),
            outbox.count_unsettled(session),
            callbacks.count_dead(session),
            messages.count_owed(session),
            messages.count_dead(session),
            identification.owed(session)[0],
            audit.head(session)[0],
            events.last_seq(session),
        )

    (
        reserved,
        open_orders,
        open_incidents,
        owed,
        dead,
        to_say,
        unsaid,
        unreported,
        entries,
        last_event,
    ) = await hub.database.read(look)
    views = hub.fleet.views(reserved)
    text = hub.metrics.render(
        Snapshot(
            drones=len(views),
            drones_ready=sum(1 for view in views if view.ready),
            open_orders=open_orders,
            open_incidents=open_incidents,
            commands_owed=owed,
            callbacks_dead=dead,
            messages_owed=to_say,
            messages_dead=unsaid,
            identification_owed=unreported,
            audit_entries=entries,
            stream_listeners=hub.feed.listener_count,
            last_event=last_event,
            planner_away=int(hub.planner_away),
            planner_rehearsing=int(hub.planner is not None and hub.planner.rehearsing),
            planner_starts=0 if hub.planner is None else hub.planner.process.starts,
        )
    )
    return Response(text, media_type=CONTENT_TYPE)
