"""Incidents, and the keys of the requests that made them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, or_
from sqlalchemy.engine import CursorResult
from sqlmodel import Session, col, select

from core.errors import ErrorCode, InternalError
from hub_api.dispatch.incident_states import Escalation, IncidentState
from hub_api.store.incident_records import IncidentRecord
from hub_api.store.incident_tables import IncidentKeyRow, IncidentRow
from hub_api.store.prepared import Found, Prepared
from hub_api.store.rows import Rows, run, run_later

_FIELDS = tuple(IncidentRecord.__dataclass_fields__)
_ROWS = Rows(IncidentRow, IncidentRecord, _FIELDS, {"state": IncidentState, "escalation": Escalation})
_C = _ROWS.columns
_BY_ID = Prepared(_ROWS.select.where(_C.incident_id == bindparam("incident_id")))
_CARED_FOR = Prepared(
    select(_C.managed).where(
        _C.incident_id == bindparam("incident_id"), _C.state != str(IncidentState.CLOSED)
    )
)
_OPEN = Prepared(
    _ROWS.select.where(
        _C.client == bindparam("client"),
        _C.reference == bindparam("reference"),
        _C.state == str(IncidentState.OPEN),
        _C.exercise == bindparam("exercise"),
    )
    .order_by(_C.incident_id.desc())
    .limit(1)
)
_SAVE = Prepared(
    _ROWS.update().where(_C.incident_id == bindparam("of_incident"), _C.version == bindparam("of_version"))
)


def _record(row: IncidentRow) -> IncidentRecord:
    return _ROWS.made([getattr(row, name) for name in _FIELDS])


def insert(session: Session, incident: IncidentRecord) -> None:
    _ROWS.insert_record(session, incident)


def find(session: Session, incident_id: str) -> IncidentRecord | None:
    return _ROWS.one(session, _BY_ID, incident_id=incident_id)


def is_managed(session: Session, incident_id: str) -> bool | None:
    """Whether somebody works with the incident itself; None if it is closed, or unknown."""
    found: bool | None = run(session, _CARED_FOR, incident_id=incident_id).scalar()
    return found


def get(session: Session, incident_id: str) -> IncidentRecord:
    """An incident that must exist; 5003 otherwise."""
    incident = find(session, incident_id)
    if incident is None:
        raise InternalError(
            ErrorCode.BROKEN_INVARIANT, f"incident {incident_id} is referred to but not stored"
        )
    return incident


def find_open(session: Session, client: str, reference: str, *, exercise: bool) -> IncidentRecord | None:
    """The client's newest open incident with its own number; of the exercises, or of the others."""
    return _ROWS.one(session, _OPEN, client=client, reference=reference, exercise=exercise)


def list_page(
    session: Session,
    *,
    client: str | None,
    state: IncidentState | None,
    reference: str | None,
    before: str | None,
    limit: int,
) -> list[IncidentRecord]:
    """Newest first. ``before`` is the last incident_id of the previous page; ids sort by time."""
    query = select(IncidentRow).order_by(col(IncidentRow.incident_id).desc()).limit(limit)
    if client is not None:
        query = query.where(col(IncidentRow.client) == client)
    if state is not None:
        query = query.where(col(IncidentRow.state) == state)
    if reference is not None:
        query = query.where(col(IncidentRow.reference) == reference)
    if before is not None:
        query = query.where(col(IncidentRow.incident_id) < before)
    return [_record(row) for row in session.exec(query)]


def list_still(session: Session, *, since: datetime, limit: int) -> list[IncidentRecord]:
    """Open incidents that nobody changed since ``since`` and nobody was warned about, the longest silent first."""
    query = (
        select(IncidentRow)
        .where(
            col(IncidentRow.state) == IncidentState.OPEN,
            col(IncidentRow.updated_at) < since,
            col(IncidentRow.warned_at).is_(None),
        )
        .order_by(col(IncidentRow.updated_at))
        .limit(limit)
    )
    return [_record(row) for row in session.exec(query)]


def list_received(
    session: Session, *, client: str | None, since: datetime, until: datetime
) -> list[IncidentRecord]:
    """Incidents received in a span of time, exercises left out: what reports add up."""
    query = select(IncidentRow).where(
        col(IncidentRow.received_at) >= since,
        col(IncidentRow.received_at) < until,
        col(IncidentRow.exercise).is_(False),
    )
    if client is not None:
        query = query.where(col(IncidentRow.client) == client)
    return [_record(row) for row in session.exec(query)]


def list_sealed_idle_before(session: Session, moment: datetime, limit: int) -> list[IncidentRecord]:
    """Incidents closed before ``moment``, or left alone since then, whose personal data is still kept."""
    query = (
        select(IncidentRow)
        .where(
            col(IncidentRow.personal_erased_at).is_(None),
            or_(col(IncidentRow.closed_at) < moment, col(IncidentRow.updated_at) < moment),
        )
        .order_by(col(IncidentRow.incident_id))
        .limit(limit)
    )
    return [_record(row) for row in session.exec(query)]


def list_sealed(session: Session, *, after: str, limit: int) -> list[IncidentRecord]:
    """Incidents with sealed personal data in the order of their ids, from ``after`` on."""
    query = (
        select(IncidentRow)
        .where(col(IncidentRow.personal).is_not(None), col(IncidentRow.incident_id) > after)
        .order_by(col(IncidentRow.incident_id))
        .limit(limit)
    )
    return [_record(row) for row in session.exec(query)]


def count_open(session: Session) -> int:
    """How many incidents are open."""
    query = select(func.count()).select_from(IncidentRow).where(col(IncidentRow.state) == IncidentState.OPEN)
    return session.exec(query).one()


def save(session: Session, incident: IncidentRecord, **changes: Any) -> IncidentRecord:
    """Write the changed fields, if nobody changed the incident since it was read; 5003 otherwise."""
    fields = changes | {"version": incident.version + 1}
    of = {"of_incident": incident.incident_id, "of_version": incident.version}

    def check(found: Found) -> None:
        if found.rowcount != 1:
            raise InternalError(
                ErrorCode.BROKEN_INVARIANT,
                f"incident {incident.incident_id} was changed by somebody else meanwhile",
            )

    run_later(session, _SAVE, check, **of, **fields)
    return _ROWS.changed(incident, fields)


def remember_key(
    session: Session, *, client: str, key: str, body_sha256: str, incident_id: str, at: datetime
) -> None:
    """Bind a key to its body. ``IntegrityError`` if another transaction took the key first."""
    session.add(
        IncidentKeyRow(
            client=client, key=key, body_sha256=body_sha256, incident_id=incident_id, created_at=at
        )
    )
    session.flush()


def find_key(session: Session, client: str, key: str, *, not_before: datetime) -> tuple[str, str] | None:
    """The body's hash and the incident that came with a key, if the key is still remembered."""
    row = session.get(IncidentKeyRow, (client, key))
    if row is None or row.created_at < not_before:
        return None
    return row.body_sha256, row.incident_id


def forget_keys(
    session: Session, *, before: datetime, client: str | None = None, key: str | None = None
) -> int:
    """Drop keys older than the promise to remember them, all or one; the incidents stay."""
    statement = delete(IncidentKeyRow).where(col(IncidentKeyRow.created_at) < before)
    if client is not None and key is not None:
        statement = statement.where(col(IncidentKeyRow.client) == client, col(IncidentKeyRow.key) == key)
    result = session.execute(statement)
    assert isinstance(result, CursorResult)
    return result.rowcount
