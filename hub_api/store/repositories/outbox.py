"""Commands owed to drones: written with the decision, sent by the relay, settled by the answer."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, func, select
from sqlmodel import Session

from hub_api.store.prepared import Prepared
from hub_api.store.records import OutboxRecord
from hub_api.store.rows import Rows, run, run_later
from hub_api.store.tables import OutboxRow
from hub_api.store.units import Owed, note_owed

_FIELDS = tuple(OutboxRecord.__dataclass_fields__)
_ROWS = Rows(OutboxRow, OutboxRecord, _FIELDS, {"payload": str.encode})
_C = _ROWS.columns
_OWED = _C.settled_at.is_(None)
_UNSETTLED = Prepared(_ROWS.select.where(_OWED).order_by(_C.seq))
_COUNT = Prepared(select(func.count().label("owed")).select_from(OutboxRow).where(_OWED))
_BY_ID = Prepared(_ROWS.select.where(_C.message_id == bindparam("message_id")))
_PUBLISHED = Prepared(
    _ROWS.update()
    .where(_C.seq == bindparam("of_seq"))
    .values(published_at=bindparam("at"), publications=_C.publications + 1)
)
_ANSWERED: dict[str, Any] = {"settled_at": bindparam("at"), "outcome": bindparam("how")}
_SETTLE = Prepared(
    _ROWS.update()
    .where(_C.message_id == bindparam("of_message"), _OWED)
    .values(_ANSWERED)
    .returning(_C.mission_id)
)
_SETTLE_MISSION = Prepared(
    _ROWS.update().where(_C.mission_id == bindparam("of_mission"), _OWED).values(_ANSWERED)
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
    note_owed(session, Owed.COMMAND)
    _ROWS.insert(
        session,
        message_id=message_id,
        subject=subject,
        payload=payload.decode(),
        kind=kind,
        drone_id=drone_id,
        mission_id=mission_id,
        created_at=created_at,
        publications=0,
    )


def unsettled(session: Session) -> list[OutboxRecord]:
    """Commands without an answer, in the order they were given."""
    return _ROWS.all(session, _UNSETTLED)


def count_unsettled(session: Session) -> int:
    """How many commands have no answer; they are large, and not read for it."""
    found = run(session, _COUNT).first()
    return int(found.owed)


def outcome_of(session: Session, message_id: str) -> str | None:
    """What became of a command; None while it is owed."""
    found = _ROWS.one(session, _BY_ID, message_id=message_id)
    return None if found is None else found.outcome


def mark_published(session: Session, seqs: list[int], at: datetime) -> None:
    """They are on the bus; not answered yet."""
    for seq in seqs:
        run_later(session, _PUBLISHED, of_seq=seq, at=at)


class Settled(NamedTuple):
    """A command that is owed no more."""

    mission_id: str | None


def settle(session: Session, message_id: str, outcome: str, at: datetime) -> Settled | None:
    """The answer is stored: the command is not owed any more. None if it was settled before."""
    found = run(session, _SETTLE, of_message=message_id, at=at, how=outcome).first()
    return None if found is None else Settled(found.mission_id)


def settle_of_mission(session: Session, mission_id: str, outcome: str, at: datetime) -> None:
    """The mission is over: none of its commands is owed any more."""
    run_later(session, _SETTLE_MISSION, of_mission=mission_id, at=at, how=outcome)
