"""Migrations and restores beside others: one after another, and whole or not at all, on both databases."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect
from sqlalchemy.exc import OperationalError

from core.errors import InternalError
from hub_api.store import backup
from hub_api.store.backup import back_up, restore
from hub_api.store.database import make_engine
from hub_api.store.schema import alembic_config, newest, upgrade
from tests import postgres
from tests.unit.hub_api.test_migrations import load
from tests.unit.hub_api.world import EPOCH

STARTS = """
import sys
import threading
from hub_api.store.database import make_engine
from hub_api.store.schema import upgrade
engine = make_engine(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
upgrade(engine)
"""


@pytest.fixture
def engine_of() -> Iterator[Callable[[str], Engine]]:
    made: list[Engine] = []

    def make(url: str) -> Engine:
        made.append(make_engine(url))
        return made[-1]

    yield make
    for engine in made:
        url = engine.url.render_as_string(hide_password=False)
        engine.dispose()
        if engine.dialect.name == "postgresql":
            postgres.drop_database(url)


def empty_url(kind: str, folder: Path) -> str:
    if kind == "sqlite":
        return f"sqlite:///{folder / 'new.db'}"
    return postgres.database_url(postgres.create_database())


def names_in(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return inspect(connection).get_table_names()


@pytest.mark.parametrize("release", [None, "0001"])
def test_hubs_that_start_together_migrate_once(
    tmp_path: Path, each_database: str, release: str | None, engine_of: Callable[[str], Engine]
) -> None:
    url = empty_url(each_database, tmp_path) if release is None else load(each_database, tmp_path, release)
    hubs = [
        subprocess.Popen(
            [sys.executable, "-c", STARTS, url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for hub in hubs:
        assert hub.stdout is not None
        assert hub.stdout.readline() == "ready\n"
    for hub in hubs:
        assert hub.stdin is not None
        hub.stdin.write("go\n")
        hub.stdin.flush()
    said = [hub.communicate()[1] for hub in hubs]
    assert [hub.returncode for hub in hubs] == [0, 0, 0], said
    command.check(alembic_config(engine_of(url)))


def test_a_migration_that_fails_leaves_the_release_before_it(
    tmp_path: Path,
    each_database: str,
    engine_of: Callable[[str], Engine],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = engine_of(load(each_database, tmp_path, "0001"))
    before = names_in(engine)
    create, created = Operations.create_table, 0

    def failing(self: Operations, *given: Any, **named: Any) -> Any:
        nonlocal created
        created += 1
        if created == 12:
            raise OSError("no space left on device")
        return create(self, *given, **named)

    with monkeypatch.context() as patched:
        patched.setattr(Operations, "create_table", failing)
        with pytest.raises(OSError, match="no space"):
            upgrade(engine)
    assert names_in(engine) == before
    upgrade(engine)
    command.check(alembic_config(engine))


def test_a_restore_that_fails_midway_leaves_nothing(
    tmp_path: Path,
    each_database: str,
    engine_of: Callable[[str], Engine],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "b.gz"
    # Of an earlier release with rows in many tables: the fault may come before, between and after them.
    source = make_engine(load("sqlite", tmp_path, "0011"))
    back_up(source, path, now=EPOCH)
    source.dispose()
    target = engine_of(empty_url(each_database, tmp_path))
    unpacked, seen = backup._unpacked_row, 0

    def failing(*given: Any) -> Any:
        nonlocal seen
        seen += 1
        if seen == 20:
            raise MemoryError
        return unpacked(*given)

    with monkeypatch.context() as patched:
        patched.setattr(backup, "_unpacked_row", failing)
        with pytest.raises(MemoryError):
            restore(target, path)
    assert seen == 20
    assert names_in(target) == []

    upgrade_on = backup.upgrade_on

    def stopped_at_the_end(connection: Connection, revision: str = "head") -> None:
        if revision == "head":
            raise OperationalError("COMMIT", None, OSError("the disk is full"))
        upgrade_on(connection, revision)

    with monkeypatch.context() as patched:
        patched.setattr(backup, "upgrade_on", stopped_at_the_end)
        with pytest.raises(InternalError, match="could not be stored"):
            restore(target, path)
    assert names_in(target) == []
    restore(target, path)
    command.check(alembic_config(target))


def test_the_newest_revision_is_found_without_alembic():
    assert newest() == frozenset(ScriptDirectory.from_config(alembic_config()).get_heads())


def test_a_start_on_the_newest_schema_loads_neither_alembic_nor_what_draws_reports(tmp_path: Path):
    """They take a tenth of the time until a hub that was killed is back."""
    url = f"sqlite:///{tmp_path / 'hub.db'}"
    engine = make_engine(url)
    upgrade(engine)
    engine.dispose()
    asked = (
        "import sys, hub_api.main; from hub_api.store.database import make_engine; "
        "from hub_api.store.schema import upgrade; upgrade(make_engine(sys.argv[1])); "
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'alembic', 'reportlab', 'matplotlib'}))"
    )
    found = subprocess.run([sys.executable, "-c", asked, url], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_a_file_that_others_open_in_the_same_moment_is_opened(tmp_path: Path):
    """Another connection is about to write: SQLite refuses the switch to WAL then without waiting."""
    path = tmp_path / "hub.db"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("CREATE TABLE something (a)")
        other.execute("BEGIN IMMEDIATE")
        letting_go = threading.Timer(0.2, other.execute, ("COMMIT",))
        letting_go.start()
        engine = make_engine(f"sqlite:///{path}")
        with engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        engine.dispose()
        letting_go.join()


def test_a_database_of_a_later_release_is_refused_in_a_line_and_left_alone(
    tmp_path: Path, each_database: str, engine_of: Callable[[str], Engine]
) -> None:
    engine = engine_of(empty_url(each_database, tmp_path))
    upgrade(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    before = names_in(engine)
    with pytest.raises(InternalError, match="9999, which this release does not know"):
        upgrade(engine)
    assert names_in(engine) == before


@pytest.mark.parametrize("column", ["order_id", "incident_id"])
def test_callbacks_of_one_order_are_found_without_reading_all(tmp_path: Path, column: str) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'hub.db'}")
    upgrade(engine)
    with engine.connect() as connection:
        plan = connection.exec_driver_sql(
            f"EXPLAIN QUERY PLAN SELECT * FROM callbacks WHERE {column} = 'x' ORDER BY seq"
        ).all()
    engine.dispose()
    assert f"USING INDEX ix_callbacks_{column}" in str(plan)
