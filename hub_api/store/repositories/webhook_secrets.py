"""Signing secrets of clients' webhooks, as the vault sealed them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update
from sqlmodel import Session, col, select

from hub_api.store.records import WebhookSecretRecord
from hub_api.store.tables import WebhookSecretRow

_FIELDS = tuple(WebhookSecretRecord.__dataclass_fields__)


def _record(row: WebhookSecretRow) -> WebhookSecretRecord:
    return WebhookSecretRecord(**{name: getattr(row, name) for name in _FIELDS})


def usable(session: Session, client: str, at: datetime) -> list[WebhookSecretRecord]:
    """What signs for a client now, the newest first."""
    query = (
        select(WebhookSecretRow)
        .where(col(WebhookSecretRow.client) == client)
        .order_by(col(WebhookSecretRow.created_at).desc(), col(WebhookSecretRow.secret_id).desc())
    )
    rows = session.exec(query)
    return [_record(row) for row in rows if row.retired_until is None or row.retired_until > at]


def insert(session: Session, secret: WebhookSecretRecord) -> None:
    session.add(WebhookSecretRow(**{name: getattr(secret, name) for name in _FIELDS}))
    session.flush()


def retire(session: Session, client: str, until: datetime) -> None:
    """Every secret of the client that has no end yet signs only until ``until``."""
    session.execute(
        update(WebhookSecretRow)
        .where(col(WebhookSecretRow.client) == client, col(WebhookSecretRow.retired_until).is_(None))
        .values(retired_until=until)
    )


def list_all(session: Session) -> list[WebhookSecretRecord]:
    return [_record(row) for row in session.exec(select(WebhookSecretRow))]


def reseal(session: Session, secret_id: str, sealed: str) -> None:
    """Write the same secret sealed with another key."""
    session.execute(
        update(WebhookSecretRow).where(col(WebhookSecretRow.secret_id) == secret_id).values(sealed=sealed)
    )
