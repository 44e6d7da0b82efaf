"""PostgreSQL's own way to run a prepared statement, without a cursor.

psycopg's cursor looks for an adapter of every value, drives a generator and waits in Python: three quarters of what a
statement takes of this process. Its library speaks to the server as well (:mod:`psycopg.pq`), and a statement of ours
has few kinds of values. What those kinds are is checked when a statement is run first; the connection, its transaction
and its errors stay psycopg's.

Most of what a transaction writes gives nothing that has to be known at once. Such statements wait in a :class:`Line` for
the next one whose answer is asked for, and go to the server with it in one turn.
"""

from __future__ import annotations

import itertools
import re
import select
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from psycopg import Connection, DataError, OperationalError
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult
from psycopg.types.json import Json, Jsonb
from pydantic_core import from_json, to_json

_NUMBERS = itertools.count(1)
_NAMED = re.compile(r"%\((\w+)\)s|%%")
_GOOD = frozenset({ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK})


def say(connection: Connection[Any], words: str) -> None:
    """One or several commands that give nothing. Raises psycopg's errors."""
    _checked(connection.pgconn.exec_(words.encode()))


Heed = Callable[[PGresult], None]
"""What becomes of the answer to a statement that nobody waits for; raises where it is not what it must be."""


class Line:
    """A connection of psycopg's: the statements that it has heard, and those that wait to be said to it."""

    _MOST = 64
    """Chosen: statements that wait, so that neither side has more to send than the other takes meanwhile."""

    def __init__(self, connection: Connection[Any]) -> None:
        self._pgconn = connection.pgconn
        self._heard: set[PgStatement] = set()
        self._waiting: list[Heed] = []

    def later(self, statement: PgStatement, values: Sequence[Any], heed: Heed) -> None:
        """Say it with the next statement that is waited for; ``heed`` gets its answer then, or never if it is dropped."""
        if len(self._waiting) >= self._MOST:
            self.settle()
        self._learn(statement)
        # Its stub knows no NULL.
        given: list[Any] = [_dumped(value) for value in values]
        if not self._waiting:
            self._pgconn.enter_pipeline_mode()
        self._pgconn.send_query_prepared(statement.name, given)
        self._waiting.append(heed)

    def now(self, statement: PgStatement, values: Sequence[Any]) -> PGresult:
        """Say it, and whatever waits before it; its answer. Raises what the first that waited and failed raises."""
        self._learn(statement)
        given: list[Any] = [_dumped(value) for value in values]
        if not self._waiting:
            return self._pgconn.exec_prepared(statement.name, given)
        self._pgconn.send_query_prepared(statement.name, given)
        found: list[PGresult] = []
        self._waiting.append(found.append)
        self._turn()
        return found[0]

    def settle(self) -> None:
        """Say whatever waits, and heed its answers. Raises what the first that fails raises."""
        if self._waiting:
            self._turn()

    def drop(self) -> None:
        """Heed nothing of what waits: it is going to be undone."""
        if self._waiting:
            self._waiting = [_heedless] * len(self._waiting)
            self._turn()

    def _learn(self, statement: PgStatement) -> None:
        """A statement is told once; alone, so that what waits has nothing to do with whether it is understood."""
        if statement in self._heard:
            return
        self.settle()
        _checked(self._pgconn.prepare(statement.name, statement.sql))
        self._heard.add(statement)

    def _turn(self) -> None:
        """Heed the answers to everything that was sent, in order, once all of them are here."""
        pgconn, waiting, self._waiting = self._pgconn, self._waiting, []
        pgconn.pipeline_sync()
        answers: list[PGresult] = []
        while (answer := self._next()) is not None and answer.status != ExecStatus.PIPELINE_SYNC:
            answers.append(answer)
            # Each answer has an end of its own.
            self._next()
        if answer is None and (not answers or answers[-1].status in _GOOD):
            raise OperationalError(f"the server's answer is missing: {pgconn.get_error_message()}")
        if answer is not None:
            pgconn.exit_pipeline_mode()
        for heed, found in zip(waiting, answers, strict=False):
            heed(found)

    def _next(self) -> PGresult | None:
        """The library would wait for it as well, but nothing else of this process would go on meanwhile."""
        pgconn = self._pgconn
        while pgconn.flush():
            _wait(pgconn.socket, writing=True)
            pgconn.consume_input()
        while pgconn.is_busy():
            _wait(pgconn.socket)
            pgconn.consume_input()
        return pgconn.get_result()


def _wait(socket: int, *, writing: bool = False) -> None:
    """Until the server has sent something, or takes something more."""
    if sys.platform == "win32":
        select.select([socket], [socket] if writing else [], [])
        return
    poll = select.poll()
    poll.register(socket, select.POLLIN | select.POLLOUT if writing else select.POLLIN)
    poll.poll()


def _heedless(_answer: PGresult) -> None:
    pass


class PgStatement:
    """One statement; each connection hears its words once."""

    def __init__(self, sql: str) -> None:
        """``sql`` with its values by name, as psycopg takes them."""
        named = dict.fromkeys(found[1] for found in _NAMED.finditer(sql) if found[1])
        self.names = tuple(named)
        """In the order in which their values are given."""
        places = {name: f"${place}" for place, name in enumerate(self.names, start=1)}
        self.sql = _NAMED.sub(lambda found: places[found[1]] if found[1] else "%", sql).encode()
        self.name = b"hub_%d" % next(_NUMBERS)
        self._loads: tuple[tuple[int, Callable[[bytes], Any]], ...] | None = None
        self.kinds: tuple[int, ...] = ()
        """The types of its columns (pg_type.oid), once it was found to give rows."""

    def told(self, answer: PGresult) -> tuple[Sequence[Sequence[Any]], int]:
        """What it gave: its rows, and how many it touched. Raises psycopg's errors."""
        result = _checked(answer)
        if result.status == ExecStatus.COMMAND_OK:
            touched = result.command_tuples
            return (), -1 if touched is None else touched
        if self._loads is None:
            self.kinds = tuple(result.ftype(place) for place in range(result.nfields))
            self._loads = tuple(enumerate(map(_load_of, self.kinds)))
        count, value_of, loads = result.ntuples, result.get_value, self._loads
        rows = [
            [None if (found := value_of(row, place)) is None else load(found) for place, load in loads]
            for row in range(count)
        ]
        return rows, count

    @property
    def answers(self) -> bool:
        """Whether it was found to give rows."""
        return self._loads is not None


def _checked(result: PGresult) -> PGresult:
    if result.status not in _GOOD:
        raise error_from_result(result, encoding="utf-8")
    return result


def _dumped(value: Any) -> bytes | None:
    """As PostgreSQL reads it in text; the statement says of which type it is."""
    if value is None:
        return None
    dump = _DUMPS.get(type(value))
    if dump is None:
        dump = _DUMPS[type(value)] = _dump_of(value)
    return dump(value)


def _text(value: str) -> bytes:
    text = value.encode()
    if b"\0" in text:
        # The library ends a text there, and would store its first half without a word.
        raise DataError("a text for PostgreSQL may not hold a NUL")
    return text


_DUMPS: dict[type, Callable[[Any], bytes]] = {
    str: _text,
    Json: lambda value: to_json(value.obj),
    Jsonb: lambda value: to_json(value.obj),
    bool: lambda value: b"t" if value else b"f",
    int: lambda value: int.__repr__(value).encode(),
    float: lambda value: float.__repr__(value).encode(),
    datetime: lambda value: value.isoformat(" ").encode(),
    bytes: lambda value: b"\\x" + value.hex().encode(),
}
"""By type; words that are an enumeration's are added when one comes first."""


def _dump_of(value: Any) -> Callable[[Any], bytes]:
    for kind, dump in _DUMPS.items():
        if isinstance(value, kind):
            return dump
    raise TypeError(f"a {type(value).__name__} has no way into a statement")


def _moment(text: bytes) -> datetime:
    return datetime.fromisoformat(text.decode())


def _bytes(text: bytes) -> bytes:
    return bytes.fromhex(text[2:].decode())


_LOADS: dict[int, Callable[[bytes], Any]] = {
    16: b"t".__eq__,
    17: _bytes,
    20: int,
    21: int,
    23: int,
    25: bytes.decode,
    114: from_json,
    701: float,
    1043: bytes.decode,
    1184: _moment,
    3802: from_json,
}
"""By type (pg_type.oid, which are fixed): boolean, bytea, the integers, text, json, double precision, varchar, timestamptz,
jsonb."""


def _load_of(kind: int) -> Callable[[bytes], Any]:
    load = _LOADS.get(kind)
    if load is None:
        raise TypeError(f"nothing is known of PostgreSQL's type {kind}")
    return load
