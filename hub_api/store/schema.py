"""The schema: brought to the newest by one hub at a time, as a whole or not at all.

Hubs that start together on one database wait for each other here. All migrations of an upgrade are one transaction,
so that a fault or a kill in the middle leaves the release before it.

Alembic is loaded where there is something to migrate: a hub that comes back after a crash is waited for, and asks only
whether its schema is the newest.
"""

from __future__ import annotations

import re
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect
from sqlalchemy.exc import DBAPIError

if TYPE_CHECKING:
    from alembic.config import Config

from core.errors import ErrorCode, InternalError
from hub_api.store.database import BUSY_TIMEOUT_S, WRITER_LOCK

MIGRATION_WAIT_S = 120.0
"""Chosen: as long as another hub may take to migrate a large database; a second one waits for it instead of failing."""


_NAMED = ("revision", "down_revision")
_REVISION = re.compile(rf'^({"|".join(_NAMED)}) = "(\w+)"$', re.MULTILINE)
_VERSION_TABLE = "alembic_version"


def alembic_config(bind: Engine | Connection | None = None) -> Config:
    """Alembic's configuration for the migrations inside this package, without an ini file."""
    from alembic.config import Config

    # Its own default is what was standard output when it was imported.
    config = Config(stdout=sys.stdout)
    config.set_main_option("script_location", str(resources.files("hub_api.store") / "migrations"))
    if bind is not None:
        config.attributes["bind"] = bind
    return config


def upgrade(engine: Engine) -> None:
    """Bring the database to the newest schema; from empty or from any earlier release. Raises 5001 for a later one, and
    for one that cannot be opened."""
    with opening(engine):
        _upgrade(engine)


@contextmanager
def opening(engine: Engine) -> Iterator[None]:
    """Raises 5001 with what the database says, for one that cannot be opened."""
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        said = str(error.orig if isinstance(error, DBAPIError) else error).strip() or type(error).__name__
        # The driver adds advice in further lines.
        detail = f"the database {engine.url.render_as_string()} cannot be opened: {said.splitlines()[0]}"
        raise InternalError(ErrorCode.STORE_FAILED, detail, field="database_url") from error


def _upgrade(engine: Engine) -> None:
    with engine.connect() as connection:
        found = revisions(connection)
    if found == newest():
        return
    if later := found - _named()["revision"]:
        raise InternalError(
            ErrorCode.STORE_FAILED,
            f"the database is at schema {', '.join(sorted(later))}, which this release does not know: start the release "
            "that made it, or restore a back-up of an earlier one",
            field="database_url",
        )
    with alone(engine) as connection:
        upgrade_on(connection)


def refuse_other_schema(engine: Engine) -> None:
    """Raise 5001 unless the schema is this release's: who only watches changes nothing under the hub that flies."""
    with opening(engine), engine.connect() as connection:
        found = revisions(connection)
    if found != newest():
        raise InternalError(
            ErrorCode.STORE_FAILED,
            f"the database is at schema {', '.join(sorted(found)) or 'none'}, not at this release's: a hub with duty=fly "
            "brings it there",
            field="database_url",
        )


def upgrade_on(connection: Connection, revision: str = "head") -> None:
    """Bring the schema to ``revision`` inside the connection's transaction."""
    if revisions(connection) != newest():
        from alembic import command

        command.upgrade(alembic_config(connection), revision)


@contextmanager
def alone(engine: Engine) -> Iterator[Connection]:
    """A transaction that no other writer runs beside, for work on the schema; it waits long for its turn."""
    wait_ms = int(MIGRATION_WAIT_S * 1000)
    if engine.dialect.name == "postgresql":
        # The snapshot must be taken after the lock is held, not before.
        with engine.execution_options(isolation_level="READ COMMITTED").begin() as connection:
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {wait_ms}")
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITER_LOCK})")
            yield connection
        return
    with engine.execution_options(begin="BEGIN IMMEDIATE").connect() as connection:
        _busy_timeout(connection, wait_ms)
        try:
            with connection.begin():
                yield connection
        finally:
            _busy_timeout(connection, int(BUSY_TIMEOUT_S * 1000))


def _busy_timeout(connection: Connection, timeout_ms: int) -> None:
    # Past SQLAlchemy, which would begin a transaction for it.
    cursor = connection.connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={timeout_ms}")
    cursor.close()


def newest() -> frozenset[str]:
    """The revision of this package's newest migration: that which none comes after."""
    named = _named()
    return frozenset(named["revision"] - named["down_revision"])


@cache
def _named() -> dict[str, set[str]]:
    """The revisions of this package's migrations, and those that they come after."""
    found: dict[str, set[str]] = {name: set() for name in _NAMED}
    for file in (resources.files("hub_api.store") / "migrations" / "versions").iterdir():
        if file.name.endswith(".py"):
            for name, revision in _REVISION.findall(file.read_text(encoding="utf-8")):
                found[name].add(revision)
    return found


def revisions(connection: Connection) -> frozenset[str]:
    """What the database says that it is at; empty for a new one."""
    if not inspect(connection).has_table(_VERSION_TABLE):
        return frozenset()
    return frozenset(connection.exec_driver_sql(f"SELECT version_num FROM {_VERSION_TABLE}").scalars())
