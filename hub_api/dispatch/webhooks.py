"""Signing callbacks: the Standard Webhooks headers, HMAC-SHA256 over id, time and body.

Every client has a secret of its own; one that was replaced signs beside the new one until its grace is
over, so that a receiver may change over whenever it likes. ``examples/webhooks/receiver.py`` shows how
to check.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

from sqlmodel import Session

from core.clock import Clock
from core.errors import DispatchError, ErrorCode
from core.ids import IdSource
from hub_api.store.database import Database
from hub_api.store.records import CallbackRecord, WebhookSecretRecord
from hub_api.store.repositories import audit, callbacks, webhook_secrets
from hub_api.vault import Vault

SECRET_PREFIX = "whsec_"
_SECRET_BYTES = 32
"""Standard Webhooks asks for 24 to 64."""


def signature_of(secret: str, message_id: str, timestamp_s: int, body: bytes) -> str:
    """One entry of ``webhook-signature``."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = f"{message_id}.{timestamp_s}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


class Webhooks:
    """Signs updates, keeps the clients' secrets, and owes given-up updates again."""

    def __init__(self, database: Database, vault: Vault, ids: IdSource, clock: Clock) -> None:
        self._database = database
        self._vault = vault
        self._ids = ids
        self._clock = clock

    async def headers_of(self, update: CallbackRecord) -> dict[str, str]:
        """What identifies and signs this update. A client without a secret gets one now, which it learns by
        rotating: an update is never sent unsigned."""
        now = self._clock.now()

        def look(session: Session) -> tuple[str, list[WebhookSecretRecord]]:
            client = callbacks.client_of(session, update)
            return client, webhook_secrets.usable(session, client, now)

        client, found = await self._database.read(look)
        if not found:
            record, _ = self._made(client)
            await self._database.write(lambda s: self._keep_first(s, record))
            found = await self._database.read(lambda s: webhook_secrets.usable(s, client, now))
        message_id, timestamp_s = f"msg_{update.seq}", int(now.timestamp())
        signatures = [
            signature_of(self._open(secret), message_id, timestamp_s, update.body.encode())
            for secret in found
        ]
        return {
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp_s),
            "webhook-signature": " ".join(signatures),
        }

    def _open(self, secret: WebhookSecretRecord) -> str:
        return str(self._vault.open(secret.sealed, record=secret.secret_id)["secret"])

    async def rotate(self, client: str, *, grace_s: float) -> tuple[WebhookSecretRecord, str]:
        """A new secret for a client, shown this once; the old ones sign ``grace_s`` longer."""
        record, secret = self._made(client)

        def work(session: Session) -> None:
            retired_until = record.created_at + timedelta(seconds=grace_s)
            webhook_secrets.retire(session, client, retired_until)
            self._keep(session, record, grace_s)

        await self._database.write(work)
        return record, secret

    def _made(self, client: str) -> tuple[WebhookSecretRecord, str]:
        secret = SECRET_PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()
        secret_id, now = self._ids.new("whs"), self._clock.now()
        record = WebhookSecretRecord(
            secret_id=secret_id,
            client=client,
            sealed=self._vault.seal({"secret": secret}, record=secret_id),
            created_at=now,
        )
        return record, secret

    def _keep_first(self, session: Session, record: WebhookSecretRecord) -> None:
        """Unless somebody made one meanwhile: that one was shown, and must not be retired by ours."""
        if not webhook_secrets.usable(session, record.client, record.created_at):
            self._keep(session, record, 0.0)

    @staticmethod
    def _keep(session: Session, record: WebhookSecretRecord, grace_s: float) -> None:
        webhook_secrets.insert(session, record)
        audit.append(
            session,
            at=record.created_at,
            action="webhook_secret_rotated",
            subject=record.client,
            after=audit.digest_of(record),
            detail={"secret_id": record.secret_id, "grace_s": grace_s},
        )

    async def replay(self, seq: int, *, client: str | None) -> CallbackRecord:
        """Owe a given-up update again. Raises 4005 if there is none of this client, 4004 if it is not given up."""
        now = self._clock.now()

        def work(session: Session) -> CallbackRecord:
            return replay(session, seq, client=client, now=now)

        return await self._database.write(work)


def replay(session: Session, seq: int, *, client: str | None, now: datetime) -> CallbackRecord:
    """The transaction of :meth:`Webhooks.replay`; the command line uses it too."""
    before = callbacks.find(session, seq)
    if before is None or (client is not None and callbacks.client_of(session, before) != client):
        raise DispatchError(ErrorCode.RESOURCE_UNKNOWN, f"there is no callback {seq} · 没有该回调")
    if before.failed_at is None:
        raise DispatchError(ErrorCode.TRANSITION_REFUSED, "the callback was not given up · 该回调未被放弃")
    callbacks.replay(session, seq, now)
    session.expire_all()
    after = callbacks.find(session, seq)
    assert after is not None
    audit.append(
        session,
        at=now,
        action="callback_replayed",
        subject=before.order_id or before.incident_id or "",
        before=audit.digest_of(before),
        after=audit.digest_of(after),
        detail={"callback": seq},
    )
    return after
