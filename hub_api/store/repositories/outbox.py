"""Commands owed to drones: written with the decision, sent by the relay, settled by the answer."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.engine import CursorResult
from sqlmodel import Session, col, select

from hub_api.store.records import OutboxRecord
from hub_api.store.tables import OutboxRow


def _record(row: OutboxRow) -> OutboxRecord:
    assert row.seq is not None
    return OutboxRecord(
        seq=row.seq,
        message_id=row.message_id,
        subject=row.subject,
        payload=row.payload.encode(),
        kind=row.kind,
        drone_id=row.drone_id,
        mission_id=row.mission_id,
        created_at=row.created_at,
        published_at=row.published_at,
        publications=row.publications,
        settled_at=row.settled_at,
        outcome=row.outcome,
    )


def add(
    session: Session,
    *,
    message_id: str,
    subject: str,
    payload: bytes,
    kind: str,
    drone_id: str,
    mission_id: str | None,
    created_at: datetime,
) -> None:
    """Owe a command from this transaction on."""
    session.add(
        OutboxRow(
            message_id=message_id,
            subject=subject,
            payload=payload.decode(),
            kind=kind,
            drone_id=drone_id,
            mission_id=mission_id,
            created_at=created_at,
        )
    )
    session.flush()


def unsettled(session: Session) -> list[OutboxRecord]:
    """Commands without an answer, in the order they were given."""
    query = select(OutboxRow).where(col(OutboxRow.settled_at).is_(None)).order_by(col(OutboxRow.seq))
    return [_record(row) for row in session.exec(query)]


def mark_published(session: Session, seqs: list[int], at: datetime) -> None:
    session.execute(
        update(OutboxRow)
        .where(col(OutboxRow.seq).in_(seqs))
        .values(published_at=at, publications=col(OutboxRow.publications) + 1)
    )


def settle(session: Session, message_id: str, outcome: str, at: datetime) -> OutboxRecord | None:
    """The answer is stored: the command is not owed any more. None if it was settled before."""
    result = session.execute(
        update(OutboxRow)
        .where(col(OutboxRow.message_id) == message_id, col(OutboxRow.settled_at).is_(None))
        .values(settled_at=at, outcome=outcome)
    )
    assert isinstance(result, CursorResult)
    if result.rowcount != 1:
        return None
    row = session.exec(select(OutboxRow).where(col(OutboxRow.message_id) == message_id)).one()
    return _record(row)


def settle_of_mission(session: Session, mission_id: str, outcome: str, at: datetime) -> int:
    """The mission is over: none of its commands is owed any more."""
    result = session.execute(
        update(OutboxRow)
        .where(col(OutboxRow.mission_id) == mission_id, col(OutboxRow.settled_at).is_(None))
        .values(settled_at=at, outcome=outcome)
    )
    assert isinstance(result, CursorResult)
    return result.rowcount
