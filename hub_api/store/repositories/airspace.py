"""What was added to the site's airspace: feeds, authorisations, revocations, and every change."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from hub_api.store.prepared import Prepared
from hub_api.store.records import (
    AirspaceChangeRecord,
    AuthorisationRecord,
    FeedRecord,
    RevocationRecord,
)
from hub_api.store.rows import run, table_of
from hub_api.store.tables import AirspaceChangeRow, AirspaceFeedRow, AuthorisationRow, RevocationRow

_LAST = Prepared(select(func.max(table_of(AirspaceChangeRow).c.seq).label("seq")))


def feeds(session: Session) -> list[FeedRecord]:
    """Every feed in force, by name."""
    rows = session.exec(select(AirspaceFeedRow).order_by(col(AirspaceFeedRow.feed_id)))
    return [FeedRecord(**row.model_dump()) for row in rows]


def put_feed(session: Session, feed: FeedRecord) -> None:
    """Store a feed in place of its earlier version."""
    session.merge(AirspaceFeedRow(**_fields(feed)))
    session.flush()


def delete_feed(session: Session, feed_id: str) -> bool:
    """False if there is no such feed."""
    row = session.get(AirspaceFeedRow, feed_id)
    if row is None:
        return False
    session.delete(row)
    session.flush()
    return True


def authorisations(session: Session) -> list[AuthorisationRecord]:
    """Every approval ever given here, revoked ones too."""
    rows = session.exec(select(AuthorisationRow).order_by(col(AuthorisationRow.authorisation_id)))
    return [AuthorisationRecord(**row.model_dump()) for row in rows]


def add_authorisation(session: Session, record: AuthorisationRecord) -> None:
    """Store a new approval; ``IntegrityError`` if its id was used before."""
    session.add(AuthorisationRow(**_fields(record)))
    session.flush()


def revocations(session: Session) -> list[RevocationRecord]:
    """Every approval that holds no more."""
    rows = session.exec(select(RevocationRow).order_by(col(RevocationRow.authorisation_id)))
    return [RevocationRecord(**row.model_dump()) for row in rows]


def add_revocation(session: Session, record: RevocationRecord) -> None:
    """Store a revocation; ``IntegrityError`` if it was revoked before."""
    session.add(RevocationRow(**_fields(record)))
    session.flush()


def last_seq(session: Session) -> int:
    """Number of the last change; 0 before the first."""
    return run(session, _LAST).scalar() or 0


def append_change(session: Session, change: AirspaceChangeRecord) -> None:
    """Store a change under its number; ``IntegrityError`` if another hub was faster."""
    fields = _fields(change)
    for name in ("added", "removed", "changed"):
        fields[name] = list(fields[name])
    session.add(AirspaceChangeRow.model_validate(fields))
    session.flush()


def changes(session: Session, *, before_seq: int | None, limit: int) -> list[AirspaceChangeRecord]:
    """The newest changes first."""
    query = select(AirspaceChangeRow).order_by(col(AirspaceChangeRow.seq).desc()).limit(limit)
    if before_seq is not None:
        query = query.where(col(AirspaceChangeRow.seq) < before_seq)
    return [_change(row) for row in session.exec(query)]


def _change(row: AirspaceChangeRow) -> AirspaceChangeRecord:
    fields = row.model_dump()
    for name in ("added", "removed", "changed"):
        fields[name] = tuple(fields[name])
    return AirspaceChangeRecord(**fields)


def _fields(record: object) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__dataclass_fields__}  # type: ignore[attr-defined]
