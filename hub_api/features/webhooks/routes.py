"""``/v1/webhooks``."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response, Security

from hub_api.dependencies import HubDep
from hub_api.features.webhooks.schemas import (
    DeadLetterPage,
    DeadLetterView,
    NewWebhookSecretView,
    SecretRotationRequest,
    WebhookSecretList,
    WebhookSecretView,
)
from hub_api.problems import declared
from hub_api.security import Principal, Scope, authenticate
from hub_api.store.records import CallbackRecord, WebhookSecretRecord
from hub_api.store.repositories import callbacks, webhook_secrets
from hub_api.strict_json import StrictJsonRoute

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"], route_class=StrictJsonRoute)

Manager = Annotated[Principal, Security(authenticate, scopes=[Scope.WEBHOOKS_MANAGE])]


@router.get(
    "/secrets", response_model=WebhookSecretList, summary="List signing secrets", responses=declared(401, 403)
)
async def list_webhook_secrets(hub: HubDep, who: Manager) -> WebhookSecretList:
    """What signs the callbacks of your client now. The secrets themselves are shown only when made."""
    now = hub.clock.now()
    found = await hub.database.read(lambda s: webhook_secrets.usable(s, who.client, now))
    return WebhookSecretList(secrets=[_secret_view(secret) for secret in found])


@router.post(
    "/secrets/rotate",
    status_code=201,
    response_model=NewWebhookSecretView,
    summary="Make a new signing secret",
    responses=declared(400, 401, 403, 413, 422, 503),
)
async def rotate_webhook_secret(
    hub: HubDep, who: Manager, body: SecretRotationRequest, response: Response
) -> NewWebhookSecretView:
    """For the callbacks of your client. Until the grace is over both secrets sign every callback."""
    record, secret = await hub.webhooks.rotate(who.client, grace_s=body.grace_s)
    response.headers["Cache-Control"] = "no-store"
    return NewWebhookSecretView(**_secret_view(record).model_dump(), secret=secret)


@router.get(
    "/dead-letters",
    response_model=DeadLetterPage,
    summary="List callbacks that were given up",
    responses=declared(401, 403, 422),
)
async def list_dead_letters(
    hub: HubDep,
    who: Manager,
    before: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="Older than this one.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> DeadLetterPage:
    """Updates whose URL did not take them in any of their tries."""
    client = who.writable_client
    found = await hub.database.read(
        lambda s: callbacks.dead(s, client=client, before=before, limit=limit + 1)
    )
    page = found[:limit]
    return DeadLetterPage(
        dead_letters=[_letter_view(letter) for letter in page],
        next_before=page[-1].seq if len(found) > limit else None,
    )


@router.post(
    "/dead-letters/{callback_id}/replay",
    response_model=DeadLetterView,
    summary="Send a given-up callback again",
    responses=declared(401, 403, 404, 409, 422, 503),
)
async def replay_dead_letter(
    hub: HubDep, who: Manager, callback_id: Annotated[int, Path(ge=1, le=2**31 - 1)]
) -> DeadLetterView:
    """It is owed again from now on, with all its tries and the same `webhook-id`."""
    letter = await hub.webhooks.replay(callback_id, client=who.writable_client)
    hub.wake_callbacks()
    return _letter_view(letter)


def _secret_view(secret: WebhookSecretRecord) -> WebhookSecretView:
    return WebhookSecretView(
        secret_id=secret.secret_id,
        client=secret.client,
        created_at=secret.created_at,
        retired_until=secret.retired_until,
    )


def _letter_view(letter: CallbackRecord) -> DeadLetterView:
    return DeadLetterView(
        callback_id=letter.seq,
        order_id=letter.order_id,
        incident_id=letter.incident_id,
        url=letter.url,
        attempts=letter.attempts,
        replays=letter.replays,
        last_error=letter.last_error,
        created_at=letter.created_at,
        failed_at=letter.failed_at,
    )
