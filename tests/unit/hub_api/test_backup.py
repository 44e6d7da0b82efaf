"""Back-up and restore: every row there and back, between the databases too, and nothing from a damaged file."""

from __future__ import annotations

import gzip
import json
import os
import stat
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Engine,
    Float,
    Integer,
    LargeBinary,
    String,
    Table,
    inspect,
    select,
)
from sqlmodel import AutoString

from core.errors import InternalError
from hub_api.store.backup import back_up, check, restore
from hub_api.store.database import make_engine
from hub_api.store.schema import alembic_config, upgrade
from hub_api.store.tables import Row, UtcDateTime
from tests import postgres
from tests.unit.hub_api.test_migrations import load
from tests.unit.hub_api.world import EPOCH, database_kind, database_url_of, drop_databases, play, world


def content(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    with engine.connect() as connection:
        return {
            table.name: sorted(map(repr, connection.execute(select(table)).all()))
            for table in Row.metadata.sorted_tables
        }


def empty(kind: str, folder: Path) -> str:
    folder.mkdir()
    if kind == "sqlite":
        return f"sqlite:///{folder / 'restored.db'}"
    return postgres.database_url(postgres.create_database())


@pytest.fixture
def engines() -> Iterator[Callable[[str], Engine]]:
    made: list[Engine] = []

    def make(url: str) -> Engine:
        made.append(make_engine(url))
        return made[-1]

    yield make
    for engine in made:
        engine.dispose()


@pytest.mark.parametrize("target", ["sqlite", "postgresql"])
def test_a_used_database_comes_back_as_it_was_on_either_kind(
    tmp_path: Path, each_database: str, target: str, engines: Callable[[str], Engine]
):
    async def main() -> None:
        async with world(tmp_path) as w:
            order = await w.order(notes="男，58岁", callback_url="https://centre.example/cb")
            await w.until(order.json()["order_id"], "CLOSED")
            await w.order(key="k2")

    play(main())
    source = engines(database_url_of(tmp_path))
    report = back_up(source, tmp_path / "b.gz", now=EPOCH)
    assert check(tmp_path / "b.gz") == report
    assert report.rows["orders"] == 2
    restored = engines(empty(target, tmp_path / "target"))
    restore(restored, tmp_path / "b.gz")
    assert content(restored) == content(source)
    command.check(alembic_config(restored))
    with restored.connect() as connection:
        highest = connection.exec_driver_sql("SELECT max(seq) FROM events").scalar_one()
    with pytest.raises(InternalError, match="not empty"):
        restore(restored, tmp_path / "b.gz")
    if target == "postgresql":
        with restored.begin() as connection:
            number = connection.exec_driver_sql(
                "SELECT nextval(pg_get_serial_sequence('events', 'seq'))"
            ).scalar_one()
        assert number == highest + 1
    # The restored database is one that a hub works on.
    source.dispose()
    restored.dispose()

    async def again() -> None:
        async with world(tmp_path, database_url=str(restored.url.render_as_string(hide_password=False))) as w:
            assert len((await w.client.get("/v1/orders")).json()["orders"]) == 2
            assert (await w.client.get("/v1/audit/verification")).json()["whole"] is True

    play(again())


def a_value(column: Column[Any], number: int) -> Any:
    """Something of the column's type, different for each row."""
    match column.type:
        case UtcDateTime():
            return EPOCH + timedelta(seconds=number, microseconds=123)
        case JSON():
            return {"list": [1, 2.5, None, True, "患者"], "moment": {"$moment": "no moment"}, "n": number}
        case Boolean():
            return number % 2 == 0
        case Integer():
            return number + 1
        case Float():
            return 0.1 + number
        case LargeBinary():
            return bytes(range(256)) + bytes([number])
        case String() | AutoString():
            return f"{column.name} 值 {number}"[: column.type.length]
    raise AssertionError(
        f"{column.table.name}.{column.name} is a {column.type!r}: what is that in a back-up?"
    )


def a_row(table: Table, number: int) -> dict[str, Any]:
    """A row that is full, or (odd ones) empty wherever it may be."""
    row = {}
    for column in table.columns:
        if column.nullable and number % 2 == 1:
            row[column.name] = None
        elif column.foreign_keys:
            (key,) = column.foreign_keys
            row[column.name] = a_value(key.column, number)
        else:
            row[column.name] = a_value(column, number)
    return row


@pytest.mark.parametrize("target", ["sqlite", "postgresql"])
def test_every_column_of_every_table_comes_back(
    tmp_path: Path, each_database: str, target: str, engines: Callable[[str], Engine]
):
    """A table or a type that is new is in here by itself, or fails here."""
    source = engines(database_url_of(tmp_path))
    with source.begin() as connection:
        for table in Row.metadata.sorted_tables:
            assert not connection.execute(select(table)).all(), "what does a migration store here?"
            connection.execute(table.insert(), [a_row(table, number) for number in range(4)])
    report = back_up(source, tmp_path / "b.gz", now=EPOCH)
    assert report.rows == {table.name: 4 for table in Row.metadata.sorted_tables}
    with source.connect() as connection:
        assert set(inspect(connection).get_table_names()) == {*report.rows, "alembic_version"}
    restored = engines(empty(target, tmp_path / "target"))
    restore(restored, tmp_path / "b.gz")
    assert content(restored) == content(source)
    command.check(alembic_config(restored))


@pytest.mark.parametrize("release", ["0001", "0011"])
def test_a_back_up_of_an_earlier_release_is_restored_to_today_s_schema(
    tmp_path: Path, each_database: str, release: str, engines: Callable[[str], Engine]
):
    old = engines(load(each_database, tmp_path, release))
    report = back_up(old, tmp_path / "b.gz", now=EPOCH)
    assert report.revision == release
    restored = engines(empty("sqlite", tmp_path / "target"))
    restore(restored, tmp_path / "b.gz")
    command.check(alembic_config(restored))
    old_url = old.url.render_as_string(hide_password=False)
    upgrade(old)
    assert content(restored) == content(old)
    old.dispose()
    if each_database == "postgresql":
        postgres.drop_database(old_url)


def a_back_up(folder: Path) -> Path:
    token = database_kind.set("sqlite")
    engine = make_engine(database_url_of(folder))
    back_up(engine, folder / "b.gz", now=EPOCH)
    engine.dispose()
    database_kind.reset(token)
    drop_databases()
    return folder / "b.gz"


def rewritten(path: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    lines = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    path.write_bytes(gzip.compress(b"".join(change(lines))))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda lines: lines[:-1], "not complete"),
        (lambda lines: [lines[0].replace(b"00", b"01"), *lines[1:]], "was changed"),
        (lambda lines: [lines[0], b'{"table":"orders","row":{}}\n', *lines[1:]], "was changed"),
        (lambda lines: [b'{"format":"other"}\n', *lines[1:]], "no back-up of ours"),
        (lambda lines: [b"[]\n"], "cannot be read"),
        (lambda lines: [lines[0], b'{"row":{}}\n', *lines[1:]], "was changed"),
    ],
)
def test_a_damaged_file_is_refused_before_anything_is_touched(
    tmp_path: Path, change: Any, says: str, engines: Callable[[str], Engine]
):
    path = a_back_up(tmp_path)
    rewritten(path, change)
    target = engines(empty("sqlite", tmp_path / "target"))
    with pytest.raises(InternalError, match=says):
        restore(target, path)
    with target.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar_one() == 0


def test_a_cut_file_is_refused(tmp_path: Path, engines: Callable[[str], Engine]):
    path = a_back_up(tmp_path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InternalError):
        check(path)


def test_a_file_that_rotted_anywhere_is_refused(tmp_path: Path):
    path = a_back_up(tmp_path)
    whole = path.read_bytes()
    for place in range(10, len(whole), len(whole) // 40):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        with pytest.raises(InternalError):
            check(path)


def test_a_back_up_is_on_the_disk_before_it_takes_the_place_of_the_last_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    done: list[str] = []
    sync, replace = os.fsync, os.replace

    def syncing(descriptor: int) -> None:
        kind = "folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file"
        if kind == "file":
            # Whole by then: nothing may wait in a buffer of ours.
            partial = next(tmp_path.glob("b.gz.partial"))
            assert gzip.decompress(partial.read_bytes()).endswith(b"}\n")
        done.append(kind)
        sync(descriptor)

    def replacing(source: Path, target: Path) -> None:
        done.append("replace")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", syncing)
    monkeypatch.setattr(os, "replace", replacing)
    a_back_up(tmp_path)
    assert done == ["file", "replace", "folder"]


def test_a_back_up_of_a_later_release_is_refused(tmp_path: Path, engines: Callable[[str], Engine]):
    path = a_back_up(tmp_path)
    lines = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    header = json.loads(lines[0]) | {"revision": "9999"}
    import hashlib

    body = [json.dumps(header).encode() + b"\n", *lines[1:-1]]
    footer = json.loads(lines[-1]) | {"sha256": hashlib.sha256(b"".join(body)).hexdigest()}
    path.write_bytes(gzip.compress(b"".join([*body, json.dumps(footer).encode() + b"\n"])))
    with pytest.raises(InternalError, match="9999"):
        restore(engines(empty("sqlite", tmp_path / "target")), path)


def test_the_file_is_for_its_owner_only(tmp_path: Path):
    assert a_back_up(tmp_path).stat().st_mode & 0o077 == 0
