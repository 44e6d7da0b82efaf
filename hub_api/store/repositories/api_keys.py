"""Machine credentials: only hashes are stored."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, or_, update
from sqlalchemy.engine import CursorResult
from sqlmodel import Session, col, select

from hub_api.store.access_tables import ApiKeyRow
from hub_api.store.prepared import Prepared
from hub_api.store.records import ApiKeyRecord
from hub_api.store.rows import run, table_of
from hub_api.store.units import Owed, note_owed

_TABLE = table_of(ApiKeyRow)
_C = _TABLE.c
_OPENED_BY = Prepared(
    _TABLE.select().where(
        _C.revoked_at.is_(None),
        or_(_C.secret_sha256 == bindparam("secret"), _C.previous_sha256 == bindparam("secret")),
    )
)


def _record(row: Any) -> ApiKeyRecord:
    return ApiKeyRecord(
        key_id=row.key_id,
        client=row.client,
        name=row.name,
        scopes=frozenset(row.scopes),
        created_at=row.created_at,
        revoked_at=row.revoked_at,
        expires_at=row.expires_at,
        previous_until=row.previous_until,
    )


def insert(session: Session, record: ApiKeyRecord, *, secret_sha256: str) -> None:
    note_owed(session, Owed.KEYS)
    session.add(
        ApiKeyRow(
            key_id=record.key_id,
            client=record.client,
            name=record.name,
            secret_sha256=secret_sha256,
            scopes=sorted(record.scopes),
            created_at=record.created_at,
            revoked_at=record.revoked_at,
            expires_at=record.expires_at,
        )
    )
    session.flush()


def find_by_hash(session: Session, secret_sha256: str) -> ApiKeyRecord | None:
    """The key with this secret, as its present one."""
    row = session.exec(select(ApiKeyRow).where(col(ApiKeyRow.secret_sha256) == secret_sha256)).first()
    return None if row is None else _record(row)


def find_usable(
    session: Session, secret_sha256: str, at: datetime
) -> tuple[ApiKeyRecord, datetime | None] | None:
    """The open key that this secret opens at this moment, as its present or its just replaced one, and when it
    opens it no more (None: it has no end)."""
    row = run(session, _OPENED_BY, secret=secret_sha256).first()
    if row is None:
        return None
    until: datetime | None = row.expires_at
    if row.secret_sha256 != secret_sha256:
        if row.previous_until is None:
            return None
        until = row.previous_until if until is None else min(until, row.previous_until)
    return None if until is not None and until <= at else (_record(row), until)


def find(session: Session, key_id: str) -> ApiKeyRecord | None:
    row = session.get(ApiKeyRow, key_id)
    return None if row is None else _record(row)


def rotate(session: Session, key_id: str, *, secret_sha256: str, previous_until: datetime) -> None:
    """Give the key a new secret; the old one opens it until ``previous_until``."""
    note_owed(session, Owed.KEYS)
    row = session.get_one(ApiKeyRow, key_id)
    row.previous_sha256, row.previous_until = row.secret_sha256, previous_until
    row.secret_sha256 = secret_sha256
    session.add(row)
    session.flush()


def list_all(session: Session) -> list[ApiKeyRecord]:
    return [_record(row) for row in session.exec(select(ApiKeyRow).order_by(col(ApiKeyRow.key_id)))]


def revoke(session: Session, key_id: str, at: datetime) -> bool:
    """False if there is no such key or it was revoked before."""
    note_owed(session, Owed.KEYS)
    result = session.execute(
        update(ApiKeyRow)
        .where(col(ApiKeyRow.key_id) == key_id, col(ApiKeyRow.revoked_at).is_(None))
        .values(revoked_at=at)
    )
    assert isinstance(result, CursorResult)
    return result.rowcount == 1
