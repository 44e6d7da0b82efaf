"""One hub at a time takes orders and flies: whoever does sits on the database's seat.

Two hubs that fly on one database would both command its drones. On PostgreSQL the seat is a session's advisory lock, and
the session is the writer's own: a hub that lost the seat cannot write, not even once. On SQLite it is a lock of a file
beside the database, never of the database's own file, whose locks would go with any descriptor of it that is closed. Both
vanish with the process that holds them. Why: docs/decisions/0047.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import socket
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Connection, Engine

from core.errors import ErrorCode, InternalError

SEAT_LOCK = 0x0D0E_AED1
"""Chosen: the advisory lock of the hub that flies, beside the writer's (:data:`hub_api.store.database.WRITER_LOCK`)."""
WAIT_S = 2.0
"""Chosen: a process that was killed a moment ago may not be cleared away yet; a hub that lives is met as well after this."""
_AGAIN_S = 0.05
_LONGEST_HOST = 16
"""PostgreSQL keeps 63 characters of a session's name."""


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that flies: machine, process id, and when it took the seat (UTC, RFC 3339)."""

    host: str
    pid: str
    since: str
    mark: str
    """Tells two apart that share all this: processes in containers are often number 1."""

    @classmethod
    def of_this_process(cls) -> Self:
        since = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        host = "".join(part if part.isprintable() and part != " " else "?" for part in socket.gethostname())
        return cls(host[:_LONGEST_HOST], str(os.getpid()), since, secrets.token_hex(3))

    @property
    def line(self) -> str:
        """As it is kept where others can read it."""
        return f"drone-aed {self.host} {self.pid} {self.since} {self.mark}"

    @classmethod
    def read(cls, line: str) -> Self | None:
        """None for what no hub of ours wrote."""
        match line.split(" "):
            case ["drone-aed", host, pid, since, mark]:
                return cls(host, pid, since, mark)
        return None

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}, since {self.since}"


class TakenElsewhere(InternalError):
    """5001: another hub flies on this database."""

    def __init__(self, holder: Holder | None) -> None:
        who = "somebody who does not say" if holder is None else str(holder)
        super().__init__(
            ErrorCode.STORE_FAILED,
            f"another hub takes orders and flies on this database: {who}. Stop it first, or start this one with duty=watch",
            field="database_url",
        )
        self.holder = holder


class FileSeat:
    """Beside a SQLite file. A link to the database leads to the same seat."""

    def __init__(self, database: Path, wait_s: float = WAIT_S) -> None:
        self.path = Path(f"{database.resolve()}.flies")
        self._wait_s = wait_s
        self._me = Holder.of_this_process()
        self._file: int | None = None

    def hold(self) -> None:
        """Sit down, or make sure that we sit. Raises :class:`TakenElsewhere`."""
        if self._file is not None and self._is_at_its_place(self._file):
            return
        try:
            taken = self._taken()
        except OSError as error:
            raise InternalError(
                ErrorCode.STORE_FAILED,
                f"the lock {self.path} cannot be had: {error.strerror}",
                field="database_url",
            ) from error
        self.leave()
        self._file = taken

    def prepare(self, _connection: Connection) -> None:
        """A connection to SQLite holds nothing."""

    def leave(self) -> None:
        """Another hub may fly."""
        if self._file is not None:
            # Said, not left to closing: a forked copy of this process would hold it on.
            fcntl.flock(self._file, fcntl.LOCK_UN)
            os.close(self._file)
            self._file = None

    def _taken(self) -> int:
        deadline_s = time.monotonic() + self._wait_s
        while True:
            file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if self._is_at_its_place(file):
                    os.ftruncate(file, 0)
                    os.pwrite(file, self._me.line.encode(), 0)
                    return file
                # Somebody removed it between the two.
            except BlockingIOError:
                if time.monotonic() > deadline_s:
                    said = os.pread(file, 200, 0).decode("utf-8", "replace")
                    os.close(file)
                    raise TakenElsewhere(Holder.read(said)) from None
            except BaseException:
                os.close(file)
                raise
            os.close(file)
            time.sleep(_AGAIN_S)

    def _is_at_its_place(self, file: int) -> bool:
        """Whoever removes the file makes a seat beside ours."""
        try:
            return os.path.samestat(os.fstat(file), os.stat(self.path))
        except FileNotFoundError:
            return False


class SessionSeat:
    """On PostgreSQL: held by each connection of the writer, one after the other."""

    def __init__(self, wait_s: float = WAIT_S) -> None:
        self._wait_s = wait_s
        self._me = Holder.of_this_process()

    def hold(self) -> None:
        """The connection does."""

    def leave(self) -> None:
        """It goes with its connection."""

    def prepare(self, connection: Connection) -> None:
        """Sit down on this connection, which must not be in a transaction. Raises :class:`TakenElsewhere`."""
        deadline_s = time.monotonic() + self._wait_s
        # Past SQLAlchemy, which would begin a transaction for it.
        cursor = connection.connection.cursor()
        try:
            cursor.execute("SELECT set_config('application_name', %s, false)", (self._me.line,))
            while not _value(cursor, f"SELECT pg_try_advisory_lock({SEAT_LOCK})"):
                cursor.execute(_WHO)
                found = cursor.fetchone()
                pid, name = (None, "") if found is None else found
                if name == self._me.line:
                    # A connection of ours broke and the server has not noticed.
                    cursor.execute("SELECT pg_terminate_backend(%s)", (pid,))
                elif time.monotonic() > deadline_s:
                    raise TakenElsewhere(Holder.read(name or ""))
                time.sleep(_AGAIN_S)
        except connection.dialect.loaded_dbapi.Error as error:
            raise InternalError(
                ErrorCode.STORE_FAILED, f"the database refused to write: {error}", field="database_url"
            ) from error
        finally:
            cursor.close()


_WHO = f"""
    SELECT activity.pid, activity.application_name
    FROM pg_locks JOIN pg_stat_activity AS activity USING (pid)
    WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND classid = 0 AND objid = {SEAT_LOCK}
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def _value(cursor: Any, words: str) -> Any:
    cursor.execute(words)
    return cursor.fetchone()[0]


Seat = FileSeat | SessionSeat


def seat_of(engine: Engine) -> Seat:
    """The seat of the hub that flies on this database."""
    if engine.dialect.name == "postgresql":
        return SessionSeat()
    return FileSeat(Path(str(engine.url.database)))
