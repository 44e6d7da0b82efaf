"""The engine: one writer at a time, commits that survive a kill.

SQLite and PostgreSQL give the same promises: a unit of writing sees everything committed before it and
runs alone (BEGIN IMMEDIATE there, an advisory lock here, so that positions of events are committed in
their order even by two hubs on one database); a unit of reading sees one moment.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from typing import Any, TypeVar

from pydantic_core import from_json, to_json
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlmodel import Session

from core.errors import ErrorCode, InternalError
from hub_api.actor import current_actor
from hub_api.store.held import HeldConnection, Readers
from hub_api.store.prepared import drop, say_to, settle
from hub_api.store.records import EventRecord
from hub_api.store.seat import Seat, SessionSeat
from hub_api.store.units import Owed, Unit, as_told, is_refused, run_together

T = TypeVar("T")

BUSY_TIMEOUT_S = 5.0
"""Chosen: a back-up or the command line may hold the file for a moment; longer is a fault to report."""
_READERS = 4
_DOUBT_S = 1.0
"""Chosen: so long after a refusal whoever sleeps until something is owed looks again. A commit may have been made and only
its answer be lost."""
_MAY_BE_OWED = frozenset(Owed) - {Owed.KEYS}
"""Keys are read again after a while anyway, and must be known while the database is away."""
_TOGETHER = 64
"""Chosen: units of work that are committed together at most, so that the first need not wait long for the last."""
WRITER_LOCK = 0x0D0E_AED0
"""Chosen: the advisory lock that every writing transaction on PostgreSQL takes."""
_WRITING: dict[str, dict[str, str]] = {
    "sqlite": {"begin": "BEGIN IMMEDIATE"},
    "postgresql": {
        # The snapshot must be taken after the lock is held, not before.
        "begin": f"BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_advisory_xact_lock({WRITER_LOCK})",
        "isolation_level": "AUTOCOMMIT",
    },
}
_READING: dict[str, dict[str, str]] = {
    "sqlite": {},
    "postgresql": {"begin": "BEGIN ISOLATION LEVEL REPEATABLE READ", "isolation_level": "AUTOCOMMIT"},
}
"""How transactions begin on connections that are kept. «AUTOCOMMIT» keeps PostgreSQL's driver from beginning one itself,
in a turn of its own and only with the first statement: a connection that died must be found out before."""


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
        _use_wal(cursor)
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute(f"PRAGMA busy_timeout={int(BUSY_TIMEOUT_S * 1000)}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        say_to(connection, connection.get_execution_options().get("begin", "BEGIN DEFERRED"))

    return engine


def _use_wal(cursor: sqlite3.Cursor) -> None:
    """A file is switched once, and whoever meets another process at it is refused at once, whatever the time-out."""
    deadline_s = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline_s:
                raise
            time.sleep(0.01)
        else:
            return


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
            # psycopg prepares nothing: after a rollback it would have the server forget what we prepared as well.
            "prepare_threshold": None,
            # A machine that is gone says nothing: what its hub held is free after a dozen seconds, on either side.
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 3,
            "tcp_user_timeout": 11_000,
            "options": f"-c timezone=UTC -c lock_timeout={int(BUSY_TIMEOUT_S * 1000)} "
            "-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3 "
            # A hub that died or hangs in a transaction must not keep the lock.
            "-c idle_in_transaction_session_timeout=30000 -c synchronous_commit=on",
        },
    )

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        if (words := connection.get_execution_options().get("begin")) is not None:
            say_to(connection, words)

    @event.listens_for(engine, "before_cursor_execute")
    def _say_before(connection: Any, *_statement: Any) -> None:
        settle(connection)

    event.listen(engine, "commit", settle)
    event.listen(engine, "rollback", drop)
    return engine


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
        seat: Seat | None = None,
    ) -> None:
        """``seat``: without it nothing is written; None for who does not fly (the command line, a hub that watches)."""
        self._engine = engine
        self._seat = seat
        to_write = engine.execution_options(**_WRITING[engine.dialect.name])
        self._to_write = HeldConnection(to_write, *(() if seat is None else (seat.prepare,)))
        self._to_read = Readers(engine.execution_options(**_READING[engine.dialect.name]))
        self._on_committed = on_committed
        self._on_owed = on_owed
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="store-writer")
        self._waiting: deque[Unit[Any]] = deque()
        self._writing: asyncio.Task[None] | None = None
        self._doubt: asyncio.TimerHandle | None = None
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="store-reader")

    async def write(self, work: Callable[[Session], T]) -> T:
        """Run ``work`` in one transaction; raises what ``work`` raises, with nothing stored then."""
        loop = asyncio.get_running_loop()
        unit = Unit(work, current_actor(), loop.create_future())
        self._waiting.append(unit)
        if self._writing is None:
            # In nobody's name: it writes for everybody who waits meanwhile.
            self._writing = loop.create_task(self._write_waiting(), name="store-writing", context=Context())
        # A cancelled request must not leave the listeners without an event that was committed.
        return await asyncio.shield(unit.done)

    async def _write_waiting(self) -> None:
        """Until nobody waits: whatever waits by then in one transaction, and then whatever came meanwhile."""
        loop = asyncio.get_running_loop()
        units: list[Unit[Any]] = []
        try:
            while self._waiting:
                units = [self._waiting.popleft() for _ in range(min(_TOGETHER, len(self._waiting)))]
                await loop.run_in_executor(self._writer, self._write_together, units)
                for unit in units:
                    self._tell(unit)
                if self._doubt is None and any(map(_is_in_doubt, units)):
                    self._doubt = loop.call_later(_DOUBT_S, self._look_again)
        except RuntimeError as error:
            # The writer is closed. Whoever comes that late is told, and does not wait for ever.
            told = InternalError(ErrorCode.STORE_FAILED, f"nothing is stored any more: {error}")
            for unit in (*units, *self._waiting):
                if not unit.done.done():
                    unit.done.set_exception(told)
            self._waiting.clear()
        finally:
            self._writing = None

    def _tell(self, unit: Unit[Any]) -> None:
        """The listeners first, then whoever asked for it."""
        error = unit.error
        if error is None:
            try:
                if unit.appended:
                    self._on_committed(unit.appended)
                if unit.owed:
                    self._on_owed(frozenset(unit.owed))
            except Exception as failed:
                error = failed
        if unit.done.done():
            return
        if error is None:
            unit.done.set_result(unit.result)
        else:
            unit.done.set_exception(error)

    def _look_again(self) -> None:
        self._doubt = None
        self._on_owed(_MAY_BE_OWED)

    async def read(self, work: Callable[[Session], T]) -> T:
        """Run ``work`` on a consistent snapshot, without waiting for writers."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._look, work)

    async def take_seat(self) -> None:
        """Sit down before anything is read or written. Raises :class:`~hub_api.store.seat.TakenElsewhere`, and what the
        driver raises where there is no database."""
        await asyncio.get_running_loop().run_in_executor(self._writer, self._sit, self._to_write.connect)

    async def keep_seat(self) -> None:
        """Make sure that we sit, and sit down again where the database was away. Raises the same; 5001 while it is away."""
        await asyncio.get_running_loop().run_in_executor(self._writer, self._sit, self._ask)

    def _sit(self, so_that: Callable[[], None]) -> None:
        if self._seat is not None:
            self._seat.hold()
            if isinstance(self._seat, SessionSeat):
                so_that()

    def _ask(self) -> None:
        try:
            with self._to_write.transaction():
                pass
        except DBAPIError as error:
            raise as_told(error) from error

    @property
    def engine(self) -> Engine:
        """For back-up and checks that need the schema rather than a unit of work."""
        return self._engine

    def _write_together(self, units: list[Unit[Any]]) -> None:
        """In one transaction; each unit knows afterwards what came of it."""
        try:
            with self._to_write.transaction() as connection:
                run_together(connection, units)
        except Exception as error:
            for unit in units:
                unit.error = unit.error or as_told(error)

    def _look(self, work: Callable[[Session], T]) -> T:
        try:
            return self._to_read.look(work)
        except DBAPIError as error:
            if not is_refused(error):
                raise
            raise InternalError(
                ErrorCode.STORE_FAILED, f"the database refused to read: {error.orig}"
            ) from error

    def close(self) -> None:
        """Finish running work and close every connection."""
        if self._doubt is not None:
            self._doubt.cancel()
        self._writer.shutdown()
        self._readers.shutdown()
        self._to_write.close()
        if self._seat is not None:
            self._seat.leave()
        self._to_read.close()
        self._engine.dispose()


def _is_in_doubt(unit: Unit[Any]) -> bool:
    """Whether the database failed with this unit, so that nobody knows whether it is stored."""
    return isinstance(unit.error, InternalError) and unit.error.code is ErrorCode.STORE_FAILED
