"""``/v1/alarms``: what one operator acknowledged is silent on every screen.

What is an alarm, and how loud, is the screen's own judgement of an event; what is stored here is only that somebody
has seen that event, who and when. It is an event itself, so streams carry it and the order's timeline keeps it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Security
from pydantic import Field
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from hub_api.dependencies import HubDep
from hub_api.features.alarms.schemas import (
    Acknowledgements,
    AcknowledgementView,
    AcknowledgeRequest,
    OpenAlarms,
    OpenAlarmView,
)
from hub_api.features.orders.views import event_view
from hub_api.features.streams.messages import NEEDS, EventFilter, Topic
from hub_api.hub import Hub
from hub_api.problems import declared
from hub_api.security import Principal, Scope, authenticate, require
from hub_api.store.records import EventRecord, NewEvent
from hub_api.store.repositories import events, incidents, orders
from hub_api.strict_json import StrictJsonRoute

router = APIRouter(prefix="/v1/alarms", tags=["fleet"], route_class=StrictJsonRoute)

Commanding = Annotated[Principal, Security(authenticate, scopes=[Scope.FLEET_COMMAND])]

Anybody = Annotated[Principal, Security(authenticate)]

KIND = "alarm_acknowledged"
SHIFT = timedelta(hours=12)
"""Chosen: what nobody acknowledged for a whole shift, and belongs to no order, alarms nobody any more."""
_MOST = 500


@router.get(
    "", response_model=OpenAlarms, summary="Alarms nobody acknowledged", responses=declared(401, 403, 422)
)
async def open_alarms(
    hub: HubDep,
    who: Anybody,
    kind: Annotated[
        list[Annotated[str, Field(max_length=60)]],
        Query(min_length=1, max_length=40, description="Kinds of events that alarm this screen."),
    ],
) -> OpenAlarms:
    """For a screen that was just opened: what it would have heard, of orders that are not over and of no order.
    The newest 500 that the credentials see in streams.
    """
    topics = frozenset(topic for topic in (Topic.INCIDENTS, Topic.FLEET) if who.may(NEEDS[topic]))
    if not topics:
        require(who, [NEEDS[Topic.FLEET]])
    kinds = sorted(set(kind) - {KIND})
    since = hub.clock.now() - SHIFT
    found = await hub.database.read(lambda s: events.unacknowledged(s, kinds, since=since, limit=_MOST))
    shown = EventFilter(hub, who, topics)
    return OpenAlarms(
        events=[
            OpenAlarmView(
                **event_view(event).model_dump(), order_id=event.order_id, incident_id=event.incident_id
            )
            for event in found
            if await shown.shows(event)
        ]
    )


@router.post(
    "/acknowledge",
    response_model=Acknowledgements,
    summary="Acknowledge alarms",
    responses=declared(400, 401, 403, 413, 422, 503),
)
async def acknowledge_alarms(hub: HubDep, who: Commanding, body: AcknowledgeRequest) -> Acknowledgements:
    """For every screen. The first one counts; the same again changes nothing. Safe to repeat."""

    def work(session: Session) -> list[AcknowledgementView]:
        found = []
        for event_id in dict.fromkeys(body.event_ids):
            alarm = events.find(session, int(event_id))
            if alarm is not None and alarm.kind != KIND and _visible(session, alarm, who):
                found.append(_acknowledged(hub, session, alarm, who))
        return found

    try:
        return Acknowledgements(acknowledged=await hub.database.write(work))
    except IntegrityError:
        # Another hub on the same database stored one of them a moment ago.
        return Acknowledgements(acknowledged=await hub.database.write(work))


def _visible(session: Session, alarm: EventRecord, who: Principal) -> bool:
    client = who.visible_client
    if client is None:
        return True
    if alarm.order_id is not None:
        return orders.get(session, alarm.order_id).client == client
    return alarm.incident_id is None or incidents.get(session, alarm.incident_id).client == client


def _acknowledged(hub: Hub, session: Session, alarm: EventRecord, who: Principal) -> AcknowledgementView:
    message_id = f"{events.ACKNOWLEDGES}{alarm.seq}"
    known = events.find_message(session, message_id)
    if known is None:
        now = hub.clock.now()
        by = who.known_as
        known = events.append(
            session,
            NewEvent(
                message_id=message_id,
                at=now,
                stored_at=now,
                kind=KIND,
                order_id=alarm.order_id,
                incident_id=alarm.incident_id,
                mission_id=alarm.mission_id,
                flight_id=alarm.flight_id,
                drone_id=alarm.drone_id,
                state=None if alarm.order_id is None else orders.get(session, alarm.order_id).state,
                detail=f"{by} acknowledged the alarm: {alarm.detail}",
                detail_zh=f"{by} 已确认告警：{alarm.detail_zh}",
                data={"event_id": str(alarm.seq), "by": by},
            ),
        )
    return AcknowledgementView(event_id=str(alarm.seq), by=known.data["by"], at=known.at)
