"""What keeps a hub from starting is one line on standard error and exit code 2, never a traceback."""

from __future__ import annotations

import logging
import os
import socket
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from hub_api.commands.main import main
from hub_api.settings.names import PREFIX
from hub_api.store.database import make_engine
from hub_api.store.schema import upgrade
from tests import postgres

ROOT = Path(__file__).resolve().parents[3]


class Refusal:
    """Starts ``drone-aed serve`` where it can't, in this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capfd = monkeypatch, capfd

    def of(self, data_dir: Path, *arguments: str, **environment: str) -> str:
        for name, value in environment.items():
            self._monkeypatch.setenv(name, value)
        given = ("--demo", "--port", "0", "--data-dir", str(data_dir), *arguments)
        self._monkeypatch.setattr(sys, "argv", ["drone-aed", "serve", *given])
        with pytest.raises(SystemExit) as ended:
            main()
        said = self._capfd.readouterr()
        assert (ended.value.code, said.out) == (2, "")
        lines = [line for line in said.err.splitlines() if " INFO " not in line]
        assert len(lines) == 1, said.err
        return lines[0]


@pytest.fixture
def refusal(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Refusal]:
    def none() -> None:
        raise OSError

    monkeypatch.chdir(ROOT)
    # A process that plans has nothing to do here.
    monkeypatch.setenv("DRONE_AED_PLANNER", "thread")
    monkeypatch.setattr("hub_api.planner_process.spawned.spawn", none)
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield Refusal(monkeypatch, capfd)
    root.handlers[:], root.level = before


@pytest.fixture
def server_url() -> Iterator[str]:
    name = postgres.create_database()
    url = postgres.database_url(name)
    yield url
    postgres.drop_database(url)


def later_schema(url: str) -> None:
    engine = make_engine(url)
    upgrade(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    engine.dispose()


def test_a_database_of_a_later_release(refusal: Refusal, tmp_path: Path) -> None:
    later_schema(f"sqlite:///{tmp_path / 'hub.db'}")
    said = refusal.of(tmp_path)
    assert "5001 store_failed" in said
    assert "9999" in said
    assert "back-up" in said


def test_a_database_of_a_later_release_on_postgresql(
    refusal: Refusal, tmp_path: Path, server_url: str
) -> None:
    later_schema(server_url)
    assert "9999" in refusal.of(tmp_path, DRONE_AED_DATABASE_URL=server_url)


def test_a_port_that_somebody_has(refusal: Refusal, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refusal.of(tmp_path, "--port", str(port))
    assert f"127.0.0.1:{port}" in said
    assert "[port]" in said
    # Nothing was opened for it.
    assert not (tmp_path / "hub.db").exists()


def test_an_address_of_another_machine(refusal: Refusal, tmp_path: Path) -> None:
    assert "192.0.2.1" in refusal.of(tmp_path, "--host", "192.0.2.1")


def test_a_database_that_is_not_there(refusal: Refusal, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"postgresql://somebody:geheim@127.0.0.1:{port}/hub"
    said = refusal.of(tmp_path, DRONE_AED_DATABASE_URL=url)
    assert "cannot be opened" in said
    assert "refused" in said
    assert "geheim" not in said


def test_a_wrong_password(refusal: Refusal, tmp_path: Path, server_url: str) -> None:
    name = f"stranger_{os.getpid()}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'right'".encode())
        found = connection.execute("SHOW hba_file").fetchone()
        assert found is not None
        rules = Path(str(found[0]))
        rules.write_text(f"local all {name} scram-sha-256\n{rules.read_text()}")
        connection.execute("SELECT pg_reload_conf()")
    try:
        rest = server_url.partition("@")[2]
        said = refusal.of(tmp_path, DRONE_AED_DATABASE_URL=f"postgresql://{name}:geheim@{rest}")
        assert "password authentication failed" in said
        assert "geheim" not in said
    finally:
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute(f"DROP ROLE {name}".encode())


def test_a_data_directory_that_cannot_be(refusal: Refusal, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = refusal.of(tmp_path / "file" / "data")
    assert "[data_dir]" in said
    assert "Not a directory" in said


def test_a_file_that_is_no_database(refusal: Refusal, tmp_path: Path) -> None:
    (tmp_path / "hub.db").write_bytes(os.urandom(8192))
    assert "not a database" in refusal.of(tmp_path)


def test_a_damaged_database(refusal: Refusal, tmp_path: Path) -> None:
    file = tmp_path / "hub.db"
    engine = make_engine(f"sqlite:///{file}")
    upgrade(engine)
    engine.dispose()
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    whole = bytearray(file.read_bytes())
    # The header and the schema's first page stay.
    whole[4096:] = os.urandom(len(whole) - 4096)
    file.write_bytes(whole)
    assert "malformed" in refusal.of(tmp_path)


def test_a_site_file_that_is_not_there_or_no_site(refusal: Refusal, tmp_path: Path) -> None:
    assert "nowhere.json" in refusal.of(tmp_path, "--site", "nowhere.json")
    (tmp_path / "site.json").write_text("{")
    assert "not JSON" in refusal.of(tmp_path, "--site", str(tmp_path / "site.json"))


def test_a_setting_that_is_none(refusal: Refusal, tmp_path: Path) -> None:
    name = PREFIX + "DATABSE_URL"
    said = refusal.of(tmp_path, **{name: "sqlite:///elsewhere.db"})
    assert f"{name} in the environment is no setting; did you mean DRONE_AED_DATABASE_URL" in said
    assert list(tmp_path.iterdir()) == []
