"""Messages to people: owed from the transaction that wants them, until a port took them or they are given up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import func, update
from sqlalchemy.engine import CursorResult
from sqlmodel import Session, col, select

from hub_api.store.message_tables import MessageRow


class MessageKind(StrEnum):
    """Which port takes it."""

    SMS = "sms"
    VIDEO_ROOM = "video_room"
    VIDEO_CLOSE = "video_close"


class MessageState(StrEnum):
    """How far it got. «Sent» says that the other side took it, not that anybody read it."""

    OWED = "owed"
    SENT = "sent"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRecord:
    """One message; ``sealed`` is what it is about people, None once erased."""

    message_id: str
    kind: MessageKind
    purpose: str
    subject: str
    client: str
    role: str | None
    drill: bool
    sealed: str | None
    created_at: datetime
    expires_at: datetime
    next_attempt_at: datetime
    attempts: int = 0
    replays: int = 0
    last_error: str | None = None
    sent_at: datetime | None = None
    failed_at: datetime | None = None
    receipt: dict[str, Any] | None = None

    @property
    def state(self) -> MessageState:
        """Owed, sent or given up."""
        if self.sent_at is not None:
            return MessageState.SENT
        return MessageState.OWED if self.failed_at is None else MessageState.FAILED


_FIELDS = tuple(MessageRecord.__dataclass_fields__)


def _record(row: MessageRow) -> MessageRecord:
    fields = {name: getattr(row, name) for name in _FIELDS}
    return MessageRecord(**(fields | {"kind": MessageKind(row.kind)}))


def insert(session: Session, record: MessageRecord) -> None:
    session.add(MessageRow(**{name: getattr(record, name) for name in _FIELDS}))
    session.flush()


def find(session: Session, message_id: str) -> MessageRecord | None:
    row = session.get(MessageRow, message_id)
    return None if row is None else _record(row)


def owed(session: Session, limit: int) -> list[MessageRecord]:
    """What is neither sent nor given up, the most urgent first."""
    query = (
        select(MessageRow)
        .where(col(MessageRow.sent_at).is_(None), col(MessageRow.failed_at).is_(None))
        .order_by(col(MessageRow.next_attempt_at), col(MessageRow.message_id))
        .limit(limit)
    )
    return [_record(row) for row in session.exec(query)]


def of_subject(session: Session, subject: str) -> list[MessageRecord]:
    """Everything about one incident or order, oldest first; a room before the messages that bring its links."""
    query = (
        select(MessageRow)
        .where(col(MessageRow.subject) == subject)
        .order_by(col(MessageRow.created_at), col(MessageRow.kind).desc(), col(MessageRow.message_id))
    )
    return [_record(row) for row in session.exec(query)]


def page(
    session: Session,
    *,
    client: str | None,
    subject: str | None,
    state: MessageState | None,
    before: str | None,
    limit: int,
) -> list[MessageRecord]:
    """Newest first; of one client, or of all."""
    query = select(MessageRow).order_by(col(MessageRow.message_id).desc()).limit(limit)
    if client is not None:
        query = query.where(col(MessageRow.client) == client)
    if subject is not None:
        query = query.where(col(MessageRow.subject) == subject)
    if state is MessageState.SENT:
        query = query.where(col(MessageRow.sent_at).is_not(None))
    elif state is MessageState.FAILED:
        query = query.where(col(MessageRow.failed_at).is_not(None))
    elif state is MessageState.OWED:
        query = query.where(col(MessageRow.sent_at).is_(None), col(MessageRow.failed_at).is_(None))
    if before is not None:
        query = query.where(col(MessageRow.message_id) < before)
    return [_record(row) for row in session.exec(query)]


def count_owed(session: Session) -> int:
    query = select(func.count()).select_from(MessageRow)
    return session.exec(
        query.where(col(MessageRow.sent_at).is_(None), col(MessageRow.failed_at).is_(None))
    ).one()


def count_dead(session: Session) -> int:
    """Given up and not sent again."""
    query = select(func.count()).select_from(MessageRow).where(col(MessageRow.failed_at).is_not(None))
    return session.exec(query).one()


def mark_sent(session: Session, message_id: str, *, at: datetime, receipt: dict[str, Any]) -> bool:
    """Whether it was still owed."""
    result = session.execute(
        update(MessageRow)
        .where(
            col(MessageRow.message_id) == message_id,
            col(MessageRow.sent_at).is_(None),
            col(MessageRow.failed_at).is_(None),
        )
        .values(sent_at=at, attempts=col(MessageRow.attempts) + 1, last_error=None, receipt=receipt)
    )
    assert isinstance(result, CursorResult)
    return result.rowcount == 1


def mark_attempt(
    session: Session, message_id: str, *, error: str, next_attempt_at: datetime, failed_at: datetime | None
) -> bool:
    """An attempt failed; ``failed_at`` if it was the last one. Whether the message was still owed."""
    result = session.execute(
        update(MessageRow)
        .where(
            col(MessageRow.message_id) == message_id,
            col(MessageRow.sent_at).is_(None),
            col(MessageRow.failed_at).is_(None),
        )
        .values(
            attempts=col(MessageRow.attempts) + 1,
            last_error=error[:300],
            next_attempt_at=next_attempt_at,
            failed_at=failed_at,
        )
    )
    assert isinstance(result, CursorResult)
    return result.rowcount == 1


def give_up_of_subject(session: Session, subject: str, *, why: str, at: datetime) -> int:
    """What is still owed about a subject is not wanted any more; how many that were. The end of a room still is."""
    result = session.execute(
        update(MessageRow)
        .where(
            col(MessageRow.subject) == subject,
            col(MessageRow.kind) != str(MessageKind.VIDEO_CLOSE),
            col(MessageRow.sent_at).is_(None),
            col(MessageRow.failed_at).is_(None),
        )
        .values(failed_at=at, last_error=why[:300])
    )
    assert isinstance(result, CursorResult)
    return result.rowcount


def replay(session: Session, message_id: str, *, at: datetime, expires_at: datetime) -> None:
    """Owe a given-up message again, with all its tries."""
    session.execute(
        update(MessageRow)
        .where(col(MessageRow.message_id) == message_id)
        .values(
            failed_at=None,
            attempts=0,
            next_attempt_at=at,
            expires_at=expires_at,
            replays=col(MessageRow.replays) + 1,
        )
    )


def sealed_created_before(session: Session, moment: datetime, limit: int) -> list[MessageRecord]:
    """Messages from before ``moment`` that still say something about people."""
    query = (
        select(MessageRow)
        .where(col(MessageRow.sealed).is_not(None), col(MessageRow.created_at) < moment)
        .order_by(col(MessageRow.message_id))
        .limit(limit)
    )
    return [_record(row) for row in session.exec(query)]


def sealed_after(session: Session, after: str, limit: int) -> list[MessageRecord]:
    """Sealed messages in the order of their ids."""
    query = (
        select(MessageRow)
        .where(col(MessageRow.sealed).is_not(None), col(MessageRow.message_id) > after)
        .order_by(col(MessageRow.message_id))
        .limit(limit)
    )
    return [_record(row) for row in session.exec(query)]


def set_sealed(session: Session, message_id: str, sealed: str | None) -> None:
    """Seal anew, or erase with None."""
    session.execute(update(MessageRow).where(col(MessageRow.message_id) == message_id).values(sealed=sealed))
