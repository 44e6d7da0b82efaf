"""Reading and writing rows by prepared statements.

The unit of work of the ORM costs several times what its statement does, and an order's life has some sixty
statements. So what every order does is written against the tables themselves; both see the same transaction.
Statements are built once, when a module is loaded, get their values by name, and go to the driver as they are
(:mod:`hub_api.store.prepared`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
        self._record, self._names = record, tuple(names)
        self._fields_of = FieldsOf(self._names)
        self._adjust = dict(adjust or {})
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
        fields = dict(zip(self._names, values, strict=True))
        for name, adjust in self._adjust.items():
            fields[name] = adjust(fields[name])
        return self._record(**fields)

    def insert(self, session: Session, **fields: Any) -> None:
        """Store a row. ``IntegrityError`` where a constraint is broken, at the latest when the unit of work ends."""
        self._insert.run_later(session, fields)

    def insert_record(self, session: Session, record: Record) -> None:
        """The same for all fields of a record."""
        self._insert.run_later(session, self._fields_of(record))

    def insert_numbered(self, session: Session, **fields: Any) -> Any:
        """Store a row at once; gives the number that the database gave it."""
        return self._insert.run(session, fields).key

    def insert_expected(self, session: Session, number: int, **fields: Any) -> None:
        """Store a row that the database is going to give this number. Raises 5003 if it gave another."""

        def check(found: Found) -> None:
            if found.key != number:
                raise InternalError(
                    ErrorCode.BROKEN_INVARIANT, f"{self.table.name} gave {found.key} instead of {number}"
                )

        self._insert.run_later(session, fields, check)

    def update(self) -> Update:
        """An update of the table, for preparing."""
        return update(self.table)
