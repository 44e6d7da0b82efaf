"""Messages to people that are owed: short messages and video rooms."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, Text
from sqlmodel import Field

from hub_api.store.tables import Row, UtcDateTime


class MessageRow(Row, table=True):
    """One request to a port. ``sealed`` holds telephone numbers, texts and links until it is erased."""

    __tablename__ = "outgoing_messages"
    __table_args__ = (
        Index("ix_outgoing_messages_open", "sent_at", "failed_at", "next_attempt_at"),
        Index("ix_outgoing_messages_subject", "subject"),
    )

    message_id: str = Field(primary_key=True, max_length=40)
    kind: str = Field(max_length=20)
    purpose: str = Field(max_length=40)
    subject: str = Field(max_length=80)
    client: str = Field(max_length=80)
    role: str | None = Field(default=None, max_length=20)
    drill: bool
    sealed: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    next_attempt_at: datetime = Field(sa_type=UtcDateTime)
    attempts: int = Field(default=0)
    replays: int = Field(default=0)
    last_error: str | None = Field(default=None, max_length=300)
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    failed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    receipt: dict[str, Any] | None = Field(default=None, sa_type=JSON)
