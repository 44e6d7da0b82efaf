"""Statements that are compiled once and then handed to the driver as they are.

Between a statement and the driver SQLAlchemy looks up caches, builds an execution context, a result and rows: several
times the work of the statement itself, and an order's life has some sixty statements. A :class:`Prepared` statement
lets SQLAlchemy do what only it knows, the words for each database and how values cross over, and does that once. The
session's transaction, its savepoints and the errors that it raises stay SQLAlchemy's.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import ColumnElement, Connection, Delete, Dialect, Insert, Select, Update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import BindParameter
from sqlmodel import Session

from hub_api.store import libpq
from hub_api.store.libpq import PgStatement

Statement = Insert | Update | Delete | Select[*tuple[Any, ...]]
Convert = Callable[[Any], Any]

_CONNECTION = "connection"
_CURSOR = "cursor"
_HEARD = "heard"


def for_one_transaction(session: Session, connection: Connection) -> None:
    """Say that the session lives as long as the transaction of its connection: statements need not look for it."""
    session.info[_CONNECTION] = connection


def _connection_of(session: Session) -> Connection:
    known: Connection | None = session.info.get(_CONNECTION)
    return session.connection() if known is None else known


def _driver_of(connection: Connection) -> Any:
    return connection.connection.dbapi_connection


def _cursor_of(connection: Connection) -> Any:
    """The one cursor of a connection: whatever it gives is fetched before the next statement."""
    return _kept(connection, _CURSOR, lambda driver: driver.cursor())


def _kept(connection: Connection, name: str, make: Callable[[Any], Any]) -> Any:
    """What belongs to a connection of the driver, as long as that lives."""
    driver = _driver_of(connection)
    kept = connection.info.get(name)
    if kept is None or kept[0] is not driver:
        kept = connection.info[name] = driver, make(driver)
    return kept[1]


def say(session: Session, words: str) -> None:
    """Words that need no values and give nothing, to the driver as they are. Raises what SQLAlchemy raises."""
    say_to(_connection_of(session), words)


def say_to(connection: Connection, words: str) -> None:
    """The same to a connection, several commands in one turn where the database takes them."""
    try:
        if connection.dialect.name == "postgresql":
            libpq.say(_driver_of(connection), words)
        else:
            _cursor_of(connection).execute(words)
    except Exception as error:
        raise _told(error, words, connection) from error


class Found:
    """What a prepared statement gave: its rows, or how many it touched and the key of the one that it stored."""

    __slots__ = ("key", "rowcount", "rows")

    def __init__(self, rows: Sequence[Any], rowcount: int, key: Any) -> None:
        self.rows, self.rowcount, self.key = rows, rowcount, key

    def __iter__(self) -> Iterator[Any]:
        return iter(self.rows)

    def first(self) -> Any:
        """The first row, its columns by name and by place; None if there is none."""
        return self.rows[0] if self.rows else None

    def scalar(self) -> Any:
        """The first column of the first row; None if there is no row."""
        return self.rows[0][0] if self.rows else None


class Prepared:
    """A statement without lists among its values: an ``IN`` of unknown length has no one form to keep."""

    def __init__(self, statement: Statement) -> None:
        self._statement = statement
        self._forms: WeakKeyDictionary[Dialect, dict[tuple[str, ...], _Form]] = WeakKeyDictionary()

    def run(self, session: Session, values: Mapping[str, Any]) -> Found:
        """Run in the session's transaction. Raises what SQLAlchemy raises, ``IntegrityError`` above all."""
        connection = _connection_of(session)
        dialect, names = connection.dialect, tuple(values)
        forms = self._forms.get(dialect)
        if forms is None:
            forms = self._forms.setdefault(dialect, {})
        form = forms.get(names)
        if form is None:
            form = forms[names] = _Form(self._statement, dialect, names)
        return form.run(connection, values)


class _Form:
    """One statement for one database, with values for these names."""

    def __init__(self, statement: Statement, dialect: Dialect, names: tuple[str, ...]) -> None:
        compiled = statement.compile(dialect=dialect, column_keys=sorted(names))
        assert isinstance(compiled, SQLCompiler)
        # What would need more than the driver: lists, values made by Python, names that need escaping.
        assert not compiled.post_compile_params | compiled.literal_execute_params, "no lists"
        assert not (*compiled.insert_prefetch, *compiled.update_prefetch), "no defaults made in Python"
        assert not compiled.escaped_bind_names, "plain names only"
        self._sql = str(compiled)
        self._by_place = compiled.positiontup
        self._fixed: dict[str, Any] = {}
        self._given: list[tuple[str, Convert | None]] = []
        for name, bind in compiled.binds.items():
            convert = _binder(bind, dialect)
            if name in names:
                self._given.append((name, convert))
            else:
                assert not bind.required, f"a value for {name} is missing"
                value = bind.effective_value
                self._fixed[name] = value if convert is None else convert(value)
        self._columns = (
            statement.selected_columns if isinstance(statement, Select) else statement.exported_columns
        )
        self._answers: bool | None = None
        """Whether it gives rows; found out when it is run first."""
        self._read: _Reader | None = None
        self._key = _key_of(statement)
        self._straight: PgStatement | None = None
        if dialect.name == "postgresql":
            self._straight = PgStatement(self._sql)

    def run(self, connection: Connection, values: Mapping[str, Any]) -> Found:
        bound = self._fixed.copy()
        for name, convert in self._given:
            value = values[name]
            bound[name] = value if convert is None else convert(value)
        if self._straight is not None:
            return self._run_straight(self._straight, connection, bound)
        parameters = bound if self._by_place is None else [bound[name] for name in self._by_place]
        cursor = _cursor_of(connection)
        try:
            cursor.execute(self._sql, parameters)
            if self._answers is None:
                # Asking costs PostgreSQL's driver a list of columns each time.
                self._answers = cursor.description is not None
            if not self._answers:
                return Found((), cursor.rowcount, self._stored_key(values, cursor))
            if self._key is not None:
                # PostgreSQL tells the number that it gave to the row.
                return Found((), cursor.rowcount, cursor.fetchone()[0])
            if self._read is None:
                kinds = [each[1] for each in cursor.description]
                self._read = _Reader(self._columns, kinds, connection.dialect)
            return Found(self._read.rows(cursor.fetchall()), cursor.rowcount, None)
        except Exception as error:
            raise _told(error, self._sql, connection) from error

    def _run_straight(
        self, statement: PgStatement, connection: Connection, values: Mapping[str, Any]
    ) -> Found:
        heard: set[bytes] = _kept(connection, _HEARD, lambda _driver: set())
        try:
            rows, touched = statement.run(_driver_of(connection), heard, values)
        except Exception as error:
            raise _told(error, self._sql, connection) from error
        if self._key is not None or not statement.answers:
            return Found((), touched, rows[0][0] if rows else values.get(self._key or ""))
        if self._read is None:
            self._read = _Reader(self._columns, statement.kinds, connection.dialect)
        return Found(self._read.rows(rows), touched, None)

    def _stored_key(self, values: Mapping[str, Any], cursor: Any) -> Any:
        if self._key is None:
            return None
        return values[self._key] if self._key in values else cursor.lastrowid  # noqa: SIM401 -- only SQLite has it


class _Reader:
    """From what a database sends to rows with names."""

    def __init__(self, columns: Iterable[ColumnElement[Any]], types: Iterable[Any], dialect: Dialect) -> None:
        """``types``: of the columns, in the words of the driver."""
        row: Any = namedtuple("Row", [str(column.key) for column in columns])  # type: ignore[misc]
        self._row = row._make
        self._converts: list[tuple[int, Convert]] = []
        for place, (column, kind) in enumerate(zip(columns, types, strict=True)):
            convert = column.type.dialect_impl(dialect).result_processor(dialect, kind)
            if convert is not None:
                self._converts.append((place, convert))

    def rows(self, found: Sequence[Any]) -> list[Any]:
        return [self._row(self._converted(values)) for values in found]

    def _converted(self, values: Sequence[Any]) -> Sequence[Any]:
        read = list(values)
        for place, convert in self._converts:
            if read[place] is not None:
                read[place] = convert(read[place])
        return read


def _binder(bind: BindParameter[Any], dialect: Dialect) -> Convert | None:
    """How a value becomes what the driver takes; None if it is that already."""
    convert: Convert | None = bind.type.dialect_impl(dialect).bind_processor(dialect)
    return convert


def _key_of(statement: Statement) -> str | None:
    """The first column of the key that a stored row gets; None for what stores none."""
    if not isinstance(statement, Insert):
        return None
    return next(iter(statement.table.primary_key.columns)).name  # type: ignore[attr-defined]


def _told(error: Exception, sql: str, connection: Connection) -> Exception:
    """The driver's error as SQLAlchemy's, without the values: they are people's."""
    dialect = connection.dialect
    driver_error = dialect.loaded_dbapi.Error
    if not isinstance(error, driver_error):
        return error
    gone = dialect.is_disconnect(error, _driver_of(connection), None)
    if gone:
        connection.invalidate(error)
    told = DBAPIError.instance(
        sql,
        None,
        error,
        driver_error,
        hide_parameters=True,
        connection_invalidated=gone,
        dialect=dialect,
    )
    assert isinstance(told, Exception)
    return told
