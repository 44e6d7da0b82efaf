"""The engine: one writer at a time, commits that survive a kill.

SQLite and PostgreSQL give the same promises: a unit of writing sees everything committed before it and
runs alone (BEGIN IMMEDIATE there, an advisory lock here, so that positions of events are committed in
their order even by two hubs on one database); a unit of reading sees one moment.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from typing import Any, Generic, TypeVar

from pydantic_core import from_json, to_json
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    NotSupportedError,
    ProgrammingError,
)
from sqlmodel import Session

from core.errors import ErrorCode, InternalError
from hub_api.actor import Actor, current_actor
from hub_api.store.prepared import for_one_transaction
from hub_api.store.records import EventRecord

T = TypeVar("T")

BUSY_TIMEOUT_S = 5.0
"""Chosen: a back-up or the command line may hold the file for a moment; longer is a fault to report."""
_READERS = 4
_TOGETHER = 64
"""Chosen: units of work that are committed together at most, so that the first need not wait long for the last."""
_APPENDED = "appended_events"
_OWED = "owed"
_ACTOR = "actor"
WRITER_LOCK = 0x0D0E_AED0
"""Chosen: the advisory lock that every writing transaction on PostgreSQL takes."""


def make_engine(url: str) -> Engine:
    """An engine for ``sqlite:///FILE`` or ``postgresql://…``. Raises 5002 for anything else.

    SQLite connections keep foreign keys, WAL and full durability (``synchronous=FULL``: a commit is on
    disk before it is acted on, power loss included). The driver's own transaction handling is switched
    off, so that a writer begins IMMEDIATE and never finds out half-way that another process was faster.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise InternalError(
            ErrorCode.SETTINGS_INVALID, "database_url is no database URL", field="database_url"
        ) from None
    backend = parsed.get_backend_name()
    if backend == "postgresql":
        return _postgresql(parsed)
    if backend != "sqlite":
        raise InternalError(
            ErrorCode.SETTINGS_INVALID,
            f"{backend} is not supported; give sqlite:///FILE or postgresql://…",
            field="database_url",
        )
    if parsed.database in (None, "", ":memory:"):
        raise InternalError(
            ErrorCode.SETTINGS_INVALID,
            "an in-memory database loses every order at a restart; name a file",
            field="database_url",
        )
    engine = create_engine(
        url,
        # Plans and decisions are large, and every event of a flight reads them.
        json_serializer=_json,
        json_deserializer=from_json,
        connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT_S},
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute(f"PRAGMA busy_timeout={int(BUSY_TIMEOUT_S * 1000)}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        mode = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
        connection.exec_driver_sql(f"BEGIN {mode}")

    return _with_plain_savepoints(engine)


def _with_plain_savepoints(engine: Engine) -> Engine:
    """Savepoints in plain words: each unit that is committed with others has one, and compiling it took longer."""

    def saying(words: str) -> Callable[[Connection, str], None]:
        def say(connection: Connection, name: str) -> None:
            connection.exec_driver_sql(f"{words} {name}")

        return say

    dialect: Any = engine.dialect
    dialect.do_savepoint = saying("SAVEPOINT")
    dialect.do_release_savepoint = saying("RELEASE SAVEPOINT")
    return engine


def _json(value: Any) -> str:
    return to_json(value).decode()


def _postgresql(url: URL) -> Engine:
    """Readers see one snapshot; a writer waits no longer for another than a SQLite writer would."""
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_pre_ping=True,
        pool_size=_READERS + 1,
        isolation_level="REPEATABLE READ",
        json_serializer=_json,
        json_deserializer=from_json,
        connect_args={
            "connect_timeout": int(BUSY_TIMEOUT_S),
            "application_name": "drone-aed hub",
            "options": f"-c timezone=UTC -c lock_timeout={int(BUSY_TIMEOUT_S * 1000)} "
            # A hub that died or hangs in a transaction must not keep the lock.
            "-c idle_in_transaction_session_timeout=30000 -c synchronous_commit=on",
        },
    )

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        if connection.get_execution_options().get("writes"):
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITER_LOCK})")

    return _with_plain_savepoints(engine)


class Owed(Enum):
    """What a transaction may leave to be done after it, by a task that sleeps until there is something."""

    COMMAND = "command"
    CALLBACK = "callback"
    APPROVAL = "approval"
    KEYS = "keys"
    """Not owed to anybody: what is remembered of API keys is outdated."""


class _Unit(Generic[T]):
    """A unit of work that waits for the writer, and what came of it."""

    def __init__(self, work: Callable[[Session], T], actor: Actor) -> None:
        self._work, self._actor = work, actor
        self._result: T | None = None
        self._appended: list[EventRecord] = []
        self.owed: frozenset[Owed] = frozenset()
        self.error: Exception | None = None

    def run(self, connection: Connection) -> None:
        """Do the work in the connection's transaction; raises what the work raises, with nothing of it stored."""
        with (
            Session(connection, expire_on_commit=False, join_transaction_mode="create_savepoint") as session,
            session.begin(),
        ):
            self._do(session)

    def run_alone(self, engine: Engine) -> None:
        """The same in a transaction of its own."""
        with Session(engine, expire_on_commit=False) as session, session.begin():
            self._do(session)

    def _do(self, session: Session) -> None:
        session.info[_ACTOR] = self._actor
        for_one_transaction(session)
        self._result = self._work(session)
        session.flush()
        self._appended = session.info.get(_APPENDED, [])
        self.owed = frozenset(session.info.get(_OWED, ()))

    def outcome(self) -> tuple[T, list[EventRecord]]:
        """What the work gave and the events that it stored, once it is committed; or the error."""
        if self.error is not None:
            raise self.error
        return self._result, self._appended  # type: ignore[return-value]


class Database:
    """Runs units of work: ``write`` in one serial writer, ``read`` beside it.

    A unit is a plain function of a session. It runs in a worker thread (inline in virtual time), is
    committed as a whole, and only then are its events handed to ``on_committed``, so that no
    listener ever hears of something that a crash could still undo.

    Units that wait for the writer are committed together: each in a savepoint of its own, so that one that fails
    undoes nothing of another, and the disk is waited for once. None of them is told of before that.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        on_committed: Callable[[list[EventRecord]], None],
        on_owed: Callable[[frozenset[Owed]], None] = lambda _owed: None,
    ) -> None:
        self._engine = engine
        self._immediate = (
            engine.execution_options(sqlite_begin="IMMEDIATE")
            if engine.dialect.name == "sqlite"
            # The snapshot must be taken after the lock is held, not before.
            else engine.execution_options(writes=True, isolation_level="READ COMMITTED")
        )
        self._on_committed = on_committed
        self._on_owed = on_owed
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="store-writer")
        self._waiting: deque[_Unit[Any]] = deque()
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="store-reader")

    async def write(self, work: Callable[[Session], T]) -> T:
        """Run ``work`` in one transaction; raises what ``work`` raises, with nothing stored then."""
        unit = _Unit(work, current_actor())
        # A cancelled request must not leave the listeners without an event that was committed.
        return await asyncio.shield(self._write(unit))

    async def _write(self, unit: _Unit[T]) -> T:
        self._waiting.append(unit)
        # Whoever comes first takes along what waits by then; at the latest, our own turn takes us.
        await asyncio.get_running_loop().run_in_executor(self._writer, self._write_waiting)
        result, appended = unit.outcome()
        if appended:
            self._on_committed(appended)
        if unit.owed:
            self._on_owed(unit.owed)
        return result

    async def read(self, work: Callable[[Session], T]) -> T:
        """Run ``work`` on a consistent snapshot, without waiting for writers."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._look, work)

    @property
    def engine(self) -> Engine:
        """For back-up and checks that need the schema rather than a unit of work."""
        return self._engine

    def _write_waiting(self) -> None:
        """Everything that waits now, in its order, in one transaction."""
        units: list[_Unit[Any]] = []
        while self._waiting and len(units) < _TOGETHER:
            units.append(self._waiting.popleft())
        if not units:
            return
        try:
            if len(units) == 1:
                units[0].run_alone(self._immediate)
                return
            with self._immediate.begin() as connection:
                for unit in units:
                    self._try(unit, connection)
        except Exception as error:
            for unit in units:
                unit.error = unit.error or _as_told(error)

    @staticmethod
    def _try(unit: _Unit[Any], connection: Connection) -> None:
        try:
            unit.run(connection)
        except Exception as error:
            if _refused(error):
                # The database itself refuses: nobody's work is stored.
                raise
            unit.error = error

    def _look(self, work: Callable[[Session], T]) -> T:
        try:
            with Session(self._engine) as session, session.begin():
                for_one_transaction(session)
                return work(session)
        except DBAPIError as error:
            if not _refused(error):
                raise
            raise InternalError(
                ErrorCode.STORE_FAILED, f"the database refused to read: {error.orig}"
            ) from error

    def close(self) -> None:
        """Finish running work and close every connection."""
        self._writer.shutdown()
        self._readers.shutdown()
        self._engine.dispose()


def _refused(error: Exception) -> bool:
    """Whether it is the database that failed, and not the work: gone, locked, read-only after a change-over, damaged."""
    ours = (IntegrityError, DataError, ProgrammingError, NotSupportedError)
    return isinstance(error, DBAPIError) and not isinstance(error, ours)


def _as_told(error: Exception) -> Exception:
    """A refusal of the database as 5002; what a unit of work raised, as it is."""
    if isinstance(error, DBAPIError) and _refused(error):
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
    session.info.setdefault(_APPENDED, []).append(record)


def note_owed(session: Session, owed: Owed) -> None:
    """Wake whoever does it once this transaction is committed; used by the repositories."""
    session.info.setdefault(_OWED, set()).add(owed)
