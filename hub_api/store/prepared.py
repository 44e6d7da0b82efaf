"""Statements that are compiled once and then handed to the driver as they are.

Between a statement and the driver SQLAlchemy looks up caches, builds an execution context, a result and rows: several
times the work of the statement itself, and an order's life has some sixty statements. A :class:`Prepared` statement
lets SQLAlchemy do what only it knows, the words for each database and how values cross over, and does that once. The
session's transaction, its savepoints and the errors that it raises stay SQLAlchemy's.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

from psycopg import Error
from psycopg.pq.abc import PGresult
from sqlalchemy import ColumnElement, Connection, Delete, Dialect, Insert, Select, Update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import BindParameter
from sqlmodel import Session

from hub_api.store import libpq
from hub_api.store.libpq import Line, PgStatement

Statement = Insert | Update | Delete | Select[*tuple[Any, ...]]
Convert = Callable[[Any], Any]
Check = Callable[["Found"], None]
"""Raises if a statement gave something else than it must."""

_LINK = "link"
_CURSOR = "cursor"
_LINE = "line"


class _Link:
    """What statements need of a connection, looked up once in a transaction."""

    __slots__ = ("connection", "cursor", "dialect", "driver", "line")

    def __init__(self, connection: Connection) -> None:
        self.connection, self.dialect = connection, connection.dialect
        driver: Any = connection.connection.dbapi_connection
        self.driver = driver
        self.cursor: Any = None
        """SQLite's: one for a connection, since whatever it gives is fetched before the next statement."""
        self.line: Line | None = None
        """PostgreSQL's."""
        if self.dialect.name == "postgresql":
            self.line = self._kept(_LINE, lambda: Line(driver))
        else:
            self.cursor = self._kept(_CURSOR, driver.cursor)

    def _kept(self, name: str, make: Callable[[], Any]) -> Any:
        """What belongs to a connection of the driver, as long as that lives."""
        kept = self.connection.info.get(name)
        if kept is None or kept[0] is not self.driver:
            kept = self.connection.info[name] = self.driver, make()
        return kept[1]

    def say(self, words: str) -> None:
        """Words that need no values and give nothing. Raises what SQLAlchemy raises."""
        try:
            if self.line is None:
                self.cursor.execute(words)
            else:
                self.line.settle()
                libpq.say(self.driver, words)
        except self.dialect.loaded_dbapi.Error as error:
            raise _told(error, words, self) from error

    def say_later(self, words: str) -> None:
        """The same, together with what follows."""
        if self.line is None:
            self.say(words)
            return

        def heed(answer: PGresult) -> None:
            try:
                statement.told(answer)
            except Error as error:
                raise _told(error, words, self) from error

        statement = _as_statement(words)
        try:
            self.line.later(statement, (), heed)
        except Error as error:
            raise _told(error, words, self) from error

    def settle(self) -> None:
        """Have everything done that was left for later; raises what the first that fails raises."""
        if self.line is None:
            return
        try:
            self.line.settle()
        except Error as error:
            raise _told(error, "", self) from error

    def drop(self) -> None:
        """Heed nothing of what was left for later: it is going to be undone."""
        if self.line is not None:
            # A connection that died in it is found out by whoever undoes it.
            with suppress(Error):
                self.line.drop()


@cache
def _as_statement(words: str) -> PgStatement:
    return PgStatement(words)


def settle(connection: Connection) -> None:
    """Have everything done that was left for later on a connection; raises what the first that fails raises."""
    _Link(connection).settle()


def drop(connection: Connection) -> None:
    """Forget what was left for later, before the transaction is undone."""
    if not connection.invalidated:
        _Link(connection).drop()


def for_one_transaction(session: Session, connection: Connection) -> None:
    """Say that the session lives as long as the transaction of its connection: statements need not look for it."""
    session.info[_LINK] = _Link(connection)


def _link_of(session: Session) -> _Link:
    known: _Link | None = session.info.get(_LINK)
    return _Link(session.connection()) if known is None else known


def database_of(session: Session) -> str:
    """Which database a session speaks to, by SQLAlchemy's name."""
    return _link_of(session).dialect.name


def say(session: Session, words: str) -> None:
    """Words that need no values and give nothing, to the driver as they are. Raises what SQLAlchemy raises."""
    _link_of(session).say(words)


def say_later(session: Session, words: str) -> None:
    """The same, at the latest when the unit of work ends."""
    _link_of(session).say_later(words)


def settle_unit(session: Session) -> None:
    """The unit of work ends: have everything done that it left for later."""
    _link_of(session).settle()


def drop_unit(session: Session) -> None:
    """The unit of work is going to be undone: heed nothing of what it left for later."""
    _link_of(session).drop()


def say_to(connection: Connection, words: str) -> None:
    """The same to a connection, several commands in one turn where the database takes them."""
    _Link(connection).say(words)


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
        self._last: tuple[Dialect | None, dict[tuple[str, ...], _Form]] = (None, {})
        """The forms of the database that was asked last: mostly there is one."""

    def run(self, session: Session, values: Mapping[str, Any]) -> Found:
        """Run in the session's transaction. Raises what SQLAlchemy raises, ``IntegrityError`` above all."""
        link = _link_of(session)
        return self._form(link, values).run(link, values)

    def run_later(self, session: Session, values: Mapping[str, Any], check: Check | None = None) -> None:
        """The same, at the latest when the unit of work ends, where nothing has to be known of it before; what follows
        in the transaction follows it. ``check`` sees what it gave, and what either raises fails the unit."""
        link = _link_of(session)
        form = self._form(link, values)
        # Only who keeps the link of a transaction can see to what is left for later.
        if _LINK in session.info and form.leave(link, values, check):
            return
        found = form.run(link, values)
        if check is not None:
            check(found)

    def _form(self, link: _Link, values: Mapping[str, Any]) -> _Form:
        dialect, forms = self._last
        if dialect is not link.dialect:
            forms = self._forms.setdefault(link.dialect, {})
            self._last = link.dialect, forms
        names = tuple(values)
        form = forms.get(names)
        if form is None:
            form = forms[names] = _Form(self._statement, link.dialect, names)
        return form


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
        self._straight = PgStatement(self._sql) if dialect.name == "postgresql" else None
        places = compiled.positiontup if self._straight is None else self._straight.names
        assert places is not None, "values by place"
        converts = {name: _binder(bind, dialect) for name, bind in compiled.binds.items()}
        fixed = {name: bind for name, bind in compiled.binds.items() if name not in names}
        assert not any(bind.required for bind in fixed.values()), (
            f"a value is missing for one of {set(fixed)}"
        )
        self._parameters = tuple(
            (None, None, _converted(fixed[name].effective_value, converts[name]))
            if name in fixed
            else (name, converts[name], None)
            for name in places
        )
        """For each place the name of its value and what makes it the driver's; or the value, if it is always the same."""
        self._columns = (
            statement.selected_columns if isinstance(statement, Select) else statement.exported_columns
        )
        self._answers: bool | None = None
        """Whether it gives rows; found out when it is run first."""
        self._read: _Reader | None = None
        self._key = _key_of(statement)

    def run(self, link: _Link, values: Mapping[str, Any]) -> Found:
        parameters = self._given(values)
        try:
            if self._straight is None or link.line is None:
                return self._run_by_cursor(link, values, parameters)
            answer = link.line.now(self._straight, parameters)
            return self._found(self._straight, link, answer, values)
        except link.dialect.loaded_dbapi.Error as error:
            raise _told(error, self._sql, link) from error

    def leave(self, link: _Link, values: Mapping[str, Any], check: Check | None) -> bool:
        """Leave it for later; False where this database has no later."""
        statement, line = self._straight, link.line
        if statement is None or line is None:
            return False

        def heed(answer: PGresult) -> None:
            try:
                found = self._found(statement, link, answer, values)
            except Error as error:
                raise _told(error, self._sql, link) from error
            if check is not None:
                check(found)

        try:
            line.later(statement, self._given(values), heed)
        except Error as error:
            raise _told(error, self._sql, link) from error
        return True

    def _given(self, values: Mapping[str, Any]) -> list[Any]:
        return [
            fixed if name is None else values[name] if convert is None else convert(values[name])
            for name, convert, fixed in self._parameters
        ]

    def _run_by_cursor(self, link: _Link, values: Mapping[str, Any], parameters: list[Any]) -> Found:
        cursor = link.cursor
        cursor.execute(self._sql, parameters)
        if self._answers is None:
            self._answers = cursor.description is not None
        if not self._answers:
            return Found((), cursor.rowcount, self._stored_key(values, cursor))
        if self._read is None:
            kinds = [each[1] for each in cursor.description]
            self._read = _Reader(self._columns, kinds, link.dialect)
        return Found(self._read.rows(cursor.fetchall()), cursor.rowcount, None)

    def _found(
        self, statement: PgStatement, link: _Link, answer: PGresult, values: Mapping[str, Any]
    ) -> Found:
        rows, touched = statement.told(answer)
        if self._key is not None or not statement.answers:
            # PostgreSQL tells the number that it gave to a row.
            return Found((), touched, rows[0][0] if rows else values.get(self._key or ""))
        if self._read is None:
            self._read = _Reader(self._columns, statement.kinds, link.dialect)
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


def _converted(value: Any, convert: Convert | None) -> Any:
    return value if convert is None else convert(value)


def _key_of(statement: Statement) -> str | None:
    """The first column of the key that a stored row gets; None for what stores none."""
    if not isinstance(statement, Insert):
        return None
    return next(iter(statement.table.primary_key.columns)).name  # type: ignore[attr-defined]


def _told(error: Any, sql: str, link: _Link) -> Exception:
    """The driver's error as SQLAlchemy's, without the values: they are people's."""
    dialect = link.dialect
    driver_error = dialect.loaded_dbapi.Error
    gone = dialect.is_disconnect(error, link.driver, None)
    if gone:
        link.connection.invalidate(error)
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
