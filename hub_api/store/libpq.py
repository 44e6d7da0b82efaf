"""PostgreSQL's own way to run a prepared statement, without a cursor.

psycopg's cursor looks for an adapter of every value, drives a generator and waits in Python: three quarters of what a
statement takes of this process. Its library speaks to the server as well (:mod:`psycopg.pq`), and a statement of ours
has few kinds of values. What those kinds are is checked when a statement is run first; the connection, its transaction
and its errors stay psycopg's.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from psycopg import Connection, DataError
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


class PgStatement:
    """One statement; each connection hears its words once."""

    def __init__(self, sql: str) -> None:
        """``sql`` with its values by name, as psycopg takes them."""
        named = dict.fromkeys(found[1] for found in _NAMED.finditer(sql) if found[1])
        self.names = tuple(named)
        """In the order in which their values are given."""
        places = {name: f"${place}" for place, name in enumerate(self.names, start=1)}
        self._sql = _NAMED.sub(lambda found: places[found[1]] if found[1] else "%", sql).encode()
        self._name = b"hub_%d" % next(_NUMBERS)
        self._loads: tuple[tuple[int, Callable[[bytes], Any]], ...] | None = None
        self.kinds: tuple[int, ...] = ()
        """The types of its columns (pg_type.oid), once it was found to give rows."""

    def run(
        self, connection: Connection[Any], known: set[bytes], values: Sequence[Any]
    ) -> tuple[Sequence[Sequence[Any]], int]:
        """Its rows, and how many it touched. ``known``: the statements that this connection has heard."""
        pgconn = connection.pgconn
        if self._name not in known:
            _checked(pgconn.prepare(self._name, self._sql))
            known.add(self._name)
        # Its stub knows no NULL.
        given: list[Any] = [_dumped(value) for value in values]
        result = _checked(pgconn.exec_prepared(self._name, given))
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
    if isinstance(value, str):
        text = value.encode()
        if b"\0" in text:
            # The library ends a text there, and would store its first half without a word.
            raise DataError("a text for PostgreSQL may not hold a NUL")
        return text
    if isinstance(value, (Json, Jsonb)):
        return to_json(value.obj)
    if isinstance(value, bool):
        return b"t" if value else b"f"
    if isinstance(value, (int, float)):
        return repr(value).encode()
    if isinstance(value, datetime):
        return value.isoformat(" ").encode()
    if isinstance(value, bytes):
        return b"\\x" + value.hex().encode()
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
