"""Reading and writing rows by prepared statements.

The unit of work of the ORM costs several times what its statement does, and an order's life has some sixty
statements. So what every order does is written against the tables themselves; both see the same transaction.
Statements are built once, when a module is loaded, get their values by name, and go to the driver as they are
(:mod:`hub_api.store.prepared`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from operator import attrgetter
from typing import Any, Generic, TypeVar

from sqlalchemy import Table, Update, insert, select, update
from sqlalchemy.engine import CursorResult
from sqlmodel import Session

from core.errors import ErrorCode, InternalError
from hub_api.store.prepared import Found, Prepared, Statement
from hub_api.store.tables import Row

Record = TypeVar("Record")


def table_of(row: type[Row]) -> Table:
    """The table behind a row class."""
    table: Table = row.__table__  # type: ignore[attr-defined]
    return table


def run(session: Session, statement: Prepared, **values: Any) -> Found:
    """Run a prepared statement in the session's transaction."""
    return statement.run(session, values)


def run_later(
    session: Session, statement: Prepared, check: Callable[[Found], None] | None = None, **values: Any
) -> None:
    """Run a prepared statement that nobody waits for at once (:meth:`Prepared.run_later`)."""
    statement.run_later(session, values, check)


def run_listing(session: Session, statement: Statement, **values: Any) -> CursorResult[Any]:
    """The same for a statement with a list among its values, or with a limit of its own."""
    return session.connection().execute(statement, values)


class FieldsOf:
    """The fields of a record by name; asked for one by one they would take several times as long."""

    def __init__(self, names: Sequence[str]) -> None:
        """At least two of them."""
        self._names = tuple(names)
        self._get = attrgetter(*self._names)

    def __call__(self, record: object) -> dict[str, Any]:
        return dict(zip(self._names, self._get(record), strict=True))


class RecordsOf(Generic[Record]):
    """Makes frozen slotted records of one class through its slots: by their names, one by one, as the class itself does
    it, they would take several times as long. Nothing but the values makes such a record, and nothing is checked."""

    def __init__(self, kind: Callable[..., Record]) -> None:
        assert isinstance(kind, type)
        assert is_dataclass(kind)
        assert not hasattr(kind, "__post_init__"), "a record is its values"
        self._kind: Any = kind
        self.names = tuple(field.name for field in fields(kind))
        slots = [getattr(kind, name) for name in self.names]
        self._get = tuple(slot.__get__ for slot in slots)
        self._put = tuple(slot.__set__ for slot in slots)
        self._put_named = dict(zip(self.names, self._put, strict=True))

    def made(self, values: Iterable[Any]) -> Record:
        """Of the values of all fields, in their order."""
        record: Record = object.__new__(self._kind)
        for put, value in zip(self._put, values, strict=True):
            put(record, value)
        return record

    def changed(self, record: Record, changes: Mapping[str, Any]) -> Record:
        """As :func:`dataclasses.replace`. ``KeyError`` for what is no field."""
        changed = self.made([get(record) for get in self._get])
        for name, value in changes.items():
            self._put_named[name](changed, value)
        return changed


class Rows(Generic[Record]):
    """One table's rows as records. ``adjust`` turns what a column holds into what a record's field holds."""

    def __init__(
        self,
        row: type[Row],
        record: Callable[..., Record],
        names: Sequence[str],
        adjust: Mapping[str, Callable[[Any], Any]] | None = None,
    ) -> None:
        self.table = table_of(row)
        self.columns = self.table.c
        self._records, self._names = RecordsOf(record), tuple(names)
        assert self._names == self._records.names
        self._fields_of = FieldsOf(self._names)
        self._adjust = tuple((self._names.index(name), change) for name, change in (adjust or {}).items())
        self.changed = self._records.changed
        self.select = select(*(self.columns[name] for name in self._names))
        """All fields of a record; narrow it with ``where``."""
        self._insert = Prepared(insert(self.table))

    def one(self, session: Session, statement: Prepared, **values: Any) -> Record | None:
        """The first record of a statement made of :attr:`select`."""
        found = statement.run(session, values).first()
        return None if found is None else self.made(found)

    def all(self, session: Session, statement: Prepared, **values: Any) -> list[Record]:
        """Every record of a statement made of :attr:`select`."""
        return [self.made(found) for found in statement.run(session, values)]

    def made(self, values: Sequence[Any]) -> Record:
        """The record of a row of :attr:`select`."""
        adjusted = list(values)
        for place, adjust in self._adjust:
            adjusted[place] = adjust(adjusted[place])
        return self._records.made(adjusted)

    def insert(self, session: Session, **values: Any) -> None:
        """Store a row. ``IntegrityError`` where a constraint is broken, at the latest when the unit of work ends."""
        self._insert.run_later(session, values)

    def insert_record(self, session: Session, record: Record) -> None:
        """The same for all fields of a record."""
        self._insert.run_later(session, self._fields_of(record))

    def insert_numbered(self, session: Session, **values: Any) -> Any:
        """Store a row at once; gives the number that the database gave it."""
        return self._insert.run(session, values).key

    def insert_expected(self, session: Session, number: int, **values: Any) -> None:
        """Store a row that the database is going to give this number. Raises 5003 if it gave another."""

        def check(found: Found) -> None:
            if found.key != number:
                raise InternalError(
                    ErrorCode.BROKEN_INVARIANT, f"{self.table.name} gave {found.key} instead of {number}"
                )

        self._insert.run_later(session, values, check)

    def update(self) -> Update:
        """An update of the table, for preparing."""
        return update(self.table)
