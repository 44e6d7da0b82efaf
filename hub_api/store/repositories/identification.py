"""Batches of network identification that nobody has taken yet, in the order they were made."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func
from sqlalchemy.engine import CursorResult
from sqlmodel import Session, col, select

from hub_api.store.outside_tables import IdentificationRow


def add(session: Session, *, at: datetime, reports: int, batch: dict[str, str]) -> None:
    """Owe one batch."""
    session.add(IdentificationRow(at=at, reports=reports, body=json.dumps(batch, ensure_ascii=False)))
    session.flush()


def oldest(session: Session, limit: int) -> list[tuple[int, datetime, int, dict[str, str]]]:
    """(seq, made at, reports, batch), the oldest first."""
    query = select(IdentificationRow).order_by(col(IdentificationRow.seq)).limit(limit)
    return [(row.seq or 0, row.at, row.reports, json.loads(row.body)) for row in session.exec(query)]


def remove(session: Session, seqs: Sequence[int]) -> None:
    """They were taken."""
    session.execute(delete(IdentificationRow).where(col(IdentificationRow.seq).in_(seqs)))


def owed(session: Session) -> tuple[int, datetime | None]:
    """How many batches, and since when."""
    count, since = session.exec(select(func.count(), func.min(IdentificationRow.at))).one()
    return count, since


def forget_before(session: Session, moment: datetime) -> int:
    """Give up what is older than it is kept; how many batches."""
    result = session.execute(delete(IdentificationRow).where(col(IdentificationRow.at) < moment))
    assert isinstance(result, CursorResult)
    return result.rowcount
