"""The audit log: who changed what, when, from what to what; append-only, chained by hashes.

Entry *n* hashes its own content together with the hash of entry *n − 1*, so that nobody can change,
insert, remove or reorder entries without every later hash being wrong. What the chain cannot show by
itself is that its newest entries were cut off; that needs a head that was noted elsewhere
(``drone-aed audit head``, the hourly log line, the metric).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, is_dataclass
from datetime import UTC, datetime
from typing import Any

from sqlmodel import Session, col, select

from hub_api.store.prepared import Prepared
from hub_api.store.records import AuditRecord
from hub_api.store.rows import FieldsOf, Rows
from hub_api.store.tables import AuditRow
from hub_api.store.units import actor_of

GENESIS = "0" * 64
_LAST = "last_audit_entry"
_FIELDS = tuple(AuditRecord.__dataclass_fields__)
_HASHED = tuple(name for name in _FIELDS if name != "hash")
_hashed_of = FieldsOf(_HASHED)
_PAGE = 1000
_ROWS = Rows(AuditRow, AuditRecord, _FIELDS)
_C = _ROWS.columns
_NEWEST = Prepared(_ROWS.select.order_by(_C.seq.desc()).limit(1))


_CANONICAL = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)


def _canonical(value: object) -> bytes:
    return _CANONICAL.encode(value).encode()


def digest_of(value: object) -> str | None:
    """SHA-256 of a record or JSON value in one canonical form; None for None (it did not exist)."""
    if value is None:
        return None
    plain = asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
    if isinstance(plain, dict):
        plain = {name: sorted(item) if isinstance(item, frozenset) else item for name, item in plain.items()}
    return hashlib.sha256(_canonical(plain)).hexdigest()


def digest_of_fields(fields: dict[str, Any]) -> str:
    """The same of a record's fields by name, none of them a set."""
    return hashlib.sha256(_canonical(fields)).hexdigest()


def hash_of(entry: AuditRecord) -> str:
    """What the entry's hash must be."""
    return digest_of_fields(_hashed_of(entry))


def append(
    session: Session,
    *,
    at: datetime,
    action: str,
    subject: str,
    before: str | None = None,
    after: str | None = None,
    detail: dict[str, Any] | None = None,
) -> AuditRecord:
    """Add an entry in the transaction of the change itself: both are stored or neither.

    ``before`` and ``after`` are digests (:func:`digest_of`); ``detail`` holds no personal data and no secret.
    The store has one writer at a time, so the entry before this one is the newest there is.
    """
    # Nobody else writes before this transaction ends, so what it added last is the newest.
    newest: AuditRecord | None = session.info.get(_LAST) or _ROWS.one(session, _NEWEST)
    actor = actor_of(session)
    fields: dict[str, Any] = dict(
        seq=1 if newest is None else newest.seq + 1,
        at=at.astimezone(UTC).isoformat(),
        actor_kind=actor.kind,
        actor_id=actor.actor_id,
        client=actor.client,
        action=action,
        subject=subject[:200],
        before_sha256=before,
        after_sha256=after,
        detail=_canonical(detail or {}).decode(),
        previous_hash=GENESIS if newest is None else newest.hash,
    )
    fields["hash"] = digest_of_fields(fields)
    _ROWS.insert(session, **fields)
    session.info[_LAST] = entry = AuditRecord(**fields)
    return entry


def page(session: Session, *, before: int | None, subject: str | None, limit: int) -> list[AuditRecord]:
    """Newest first."""
    query = select(AuditRow).order_by(col(AuditRow.seq).desc()).limit(limit)
    if before is not None:
        query = query.where(col(AuditRow.seq) < before)
    if subject is not None:
        query = query.where(col(AuditRow.subject) == subject)
    return [_record(row) for row in session.exec(query)]


def head(session: Session) -> tuple[int, str]:
    """Number and hash of the newest entry; (0, zeros) of an empty log."""
    newest = _ROWS.one(session, _NEWEST)
    return (0, GENESIS) if newest is None else (newest.seq, newest.hash)


def _record(row: AuditRow) -> AuditRecord:
    return AuditRecord(**{name: getattr(row, name) for name in _FIELDS})


@dataclass(frozen=True, slots=True)
class Verification:
    """What a walk along the chain found; ``faults`` is empty for a whole chain."""

    entries: int
    head: str
    faults: tuple[str, ...]


def verify(session: Session, *, known_head: tuple[int, str] | None = None) -> Verification:
    """Walk the whole chain. ``known_head`` (seq, hash), noted earlier, must still be a part of it."""
    faults: list[str] = []
    previous, expected_seq = GENESIS, 1
    # The head of an empty log is a part of every log.
    seen_known = known_head in (None, (0, GENESIS))
    for entry in _in_order(session):
        if entry.seq != expected_seq:
            faults.append(f"entries {expected_seq} to {entry.seq - 1} are missing")
            expected_seq = entry.seq
        elif entry.previous_hash != previous:
            faults.append(f"entry {entry.seq} does not follow the one before it")
        if entry.hash != hash_of(entry):
            faults.append(f"entry {entry.seq} was changed")
        if known_head is not None and entry.seq == known_head[0]:
            seen_known = True
            if entry.hash != known_head[1]:
                faults.append(f"entry {entry.seq} is not the one that was noted")
        previous, expected_seq = entry.hash, expected_seq + 1
    if not seen_known and known_head is not None:
        faults.append(f"the log ends before entry {known_head[0]}, which was noted")
    return Verification(expected_seq - 1, previous, tuple(faults))


def _in_order(session: Session) -> Iterator[AuditRecord]:
    position = -1
    while True:
        query = select(AuditRow).where(col(AuditRow.seq) > position).order_by(col(AuditRow.seq)).limit(_PAGE)
        rows = session.exec(query).all()
        if not rows:
            return
        for row in rows:
            position = row.seq
            yield _record(row)
        session.expunge_all()
