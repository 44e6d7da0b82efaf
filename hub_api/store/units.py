"""Units of work: what each gives, and how several of them share one transaction without touching one another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, NotSupportedError, ProgrammingError
from sqlmodel import Session

from core.errors import ErrorCode, InternalError
from hub_api.actor import Actor
from hub_api.store.prepared import drop_unit, for_one_transaction, say, say_later, settle_unit
from hub_api.store.records import EventRecord

T = TypeVar("T")

_APPENDED = "appended_events"
_OWED = "owed"
_ACTOR = "actor"
NEXT_NUMBER = "next_event"
"""What the next event of this transaction will be numbered, where that is known; of the repository of events."""


class Owed(Enum):
    """What a transaction may leave to be done after it, by a task that sleeps until there is something."""

    COMMAND = "command"
    CALLBACK = "callback"
    APPROVAL = "approval"
    KEYS = "keys"
    """Not owed to anybody: what is remembered of API keys is outdated."""


class Unit(Generic[T]):
    """A unit of work that waits for the writer, and what came of it."""

    def __init__(self, work: Callable[[Session], T], actor: Actor, done: asyncio.Future[T]) -> None:
        """``done`` gets the result or the error, on the event loop, once the unit is committed or is not."""
        self._work, self._actor = work, actor
        self.done = done
        self.result: T | None = None
        self.appended: list[EventRecord] = []
        self.owed: set[Owed] = set()
        self.error: Exception | None = None

    def run(self, session: Session) -> None:
        """Do the work in the session's transaction; raises what it raises, and leaves it to the caller to undo it."""
        session.info |= {_ACTOR: self._actor, _APPENDED: self.appended, _OWED: self.owed}
        self.result = self._work(session)
        session.flush()
        settle_unit(session)

    def run_beside_others(self, session: Session) -> None:
        """The same in a savepoint: one that fails undoes nothing of another, and what it raised is kept."""
        known = dict(session.info)
        say_later(session, "SAVEPOINT unit")
        try:
            self.run(session)
        except Exception as error:
            if is_refused(error):
                # The database itself refuses: nobody's work is stored.
                raise
            self.error = error
            # Whatever else fails of it is no news, and must not be taken for the others' failure.
            drop_unit(session)
            say(session, "ROLLBACK TO SAVEPOINT unit")
            # What is remembered of this transaction is of what stays in it.
            session.info.clear()
            session.info |= known
            # But a sequence goes on, whatever is undone.
            session.info.pop(NEXT_NUMBER, None)
        # The savepoint is left as it is: the commit ends all of them, and the next one of this name is the one meant.
        if session.in_transaction():
            # The ORM was used: rows that it keeps may be changed by the next unit's plain statements.
            session.expunge_all()


class UnitSession(Session):
    """A session for several units of work. A flush that fails would end the whole transaction: here it has a
    savepoint of its own, and the unit around it is undone by whoever runs it."""

    _flushing_alone = False

    def flush(self, objects: Sequence[Any] | None = None) -> None:
        if self._flushing_alone:
            # By the savepoint that is being made for this flush.
            return
        if not self.new and not self.dirty and not self.deleted:
            return
        self._flushing_alone = True
        try:
            savepoint = self.begin_nested()
        finally:
            self._flushing_alone = False
        with savepoint:
            super().flush(objects)


def run_together(connection: Connection, units: list[Unit[Any]]) -> None:
    """Every unit in the connection's transaction, in their order. Raises if the database refuses; one that stands alone
    raises what its work raises."""
    with UnitSession(connection, expire_on_commit=False, join_transaction_mode="rollback_only") as session:
        for_one_transaction(session, connection)
        if len(units) == 1:
            units[0].run(session)
        else:
            for unit in units:
                unit.run_beside_others(session)
        # What the ORM took part in must not be undone by its leaving.
        session.commit()


def is_refused(error: Exception) -> bool:
    """Whether it is the database that failed, and not the work: gone, locked, read-only after a change-over, damaged."""
    ours = (IntegrityError, DataError, ProgrammingError, NotSupportedError)
    return isinstance(error, DBAPIError) and not isinstance(error, ours)


def as_told(error: Exception) -> Exception:
    """A refusal of the database as 5002; what a unit of work raised, as it is."""
    if isinstance(error, DBAPIError) and is_refused(error):
        told = InternalError(ErrorCode.STORE_FAILED, f"the database refused to write: {error.orig}")
        told.__cause__ = error
        return told
    return error


def actor_of(session: Session) -> Actor:
    """Who asked for this unit of work."""
    actor: Actor = session.info[_ACTOR]
    return actor


def note_appended(session: Session, record: EventRecord) -> None:
    """Remember an event of this transaction for the listeners; used by the event repository."""
    session.info[_APPENDED].append(record)


def note_owed(session: Session, owed: Owed) -> None:
    """Wake whoever does it once this transaction is committed; used by the repositories."""
    session.info[_OWED].add(owed)
