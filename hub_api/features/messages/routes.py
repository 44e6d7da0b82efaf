"""``/v1/messages``. Source: A5, A6."""

from __future__ import annotations

import logging
from typing import Annotated

from fastapi import APIRouter, Path, Query, Security

from core.errors import InternalError
from hub_api.dependencies import HubDep
from hub_api.features.messages.schemas import MessagePage, MessageView
from hub_api.hub import Hub
from hub_api.problems import declared
from hub_api.security import Principal, Scope, authenticate
from hub_api.store.repositories import messages
from hub_api.store.repositories.messages import MessageKind, MessageRecord, MessageState
from hub_api.strict_json import StrictJsonRoute

log = logging.getLogger(__name__)

router = APIRouter(prefix="/v1/messages", tags=["messages"], route_class=StrictJsonRoute)

Reader = Annotated[Principal, Security(authenticate, scopes=[Scope.ORDERS_READ])]
Writer = Annotated[Principal, Security(authenticate, scopes=[Scope.ORDERS_WRITE])]


@router.get("", response_model=MessagePage, summary="List messages", responses=declared(401, 403, 422))
async def list_messages(
    hub: HubDep,
    who: Reader,
    subject: Annotated[str | None, Query(max_length=80, description="Of this incident or order.")] = None,
    state: Annotated[MessageState | None, Query(description="`failed`: the dead letters.")] = None,
    before: Annotated[
        str | None, Query(pattern=r"^msg_[0-9A-HJKMNP-TV-Z]{26}$", description="Older than this one.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> MessagePage:
    """Short messages and video rooms of your centre, newest first: taken, still owed, or given up and why."""
    client = who.visible_client
    found = await hub.database.read(
        lambda s: messages.page(
            s, client=client, subject=subject, state=state, before=before, limit=limit + 1
        )
    )
    page = found[:limit]
    return MessagePage(
        messages=[_view(hub, record, who) for record in page],
        next_before=page[-1].message_id if len(found) > limit else None,
    )


@router.post(
    "/{message_id}/send-again",
    response_model=MessageView,
    summary="Send a given-up message again",
    responses=declared(401, 403, 404, 409, 503),
)
async def send_message_again(
    hub: HubDep, who: Writer, message_id: Annotated[str, Path(max_length=80)]
) -> MessageView:
    """It is owed again from now on, with all its tries, as a message of its own: it may ring twice."""
    client = who.writable_client
    record = await hub.database.write(lambda s: hub.messages.send_again(s, message_id, client=client))
    hub.wake_messages()
    return _view(hub, record, who)


def _view(hub: Hub, record: MessageRecord, who: Principal) -> MessageView:
    return MessageView(
        message_id=record.message_id,
        kind=record.kind,
        purpose=record.purpose,
        subject=record.subject,
        role=record.role,
        drill=record.drill,
        state=record.state,
        phone_ending=_ending(hub, record) if who.sees_personal_data_of(record.client) else None,
        attempts=record.attempts,
        replays=record.replays,
        last_error=record.last_error,
        created_at=record.created_at,
        expires_at=record.expires_at,
        sent_at=record.sent_at,
        failed_at=record.failed_at,
    )


def _ending(hub: Hub, record: MessageRecord) -> str | None:
    if record.kind is not MessageKind.SMS or record.sealed is None:
        return None
    try:
        return str(hub.messages.content(record)["phone"])[-4:]
    except InternalError as error:
        log.error(
            "message %s cannot be opened: %s",
            record.message_id,
            error.detail,
            extra={"about": record.subject},
        )
        return None
