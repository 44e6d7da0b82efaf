"""One hub flies on a database: a second one is refused with who sits there, and a dead one leaves its place at once."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import psycopg
import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from core.errors import InternalError
from hub_api import seat_keeper
from hub_api.seat_keeper import keep_seat
from hub_api.settings import DEMO_API_KEY
from hub_api.store.database import Database, make_engine
from hub_api.store.schema import newest, revisions, upgrade
from hub_api.store.seat import SEAT_LOCK, FileSeat, Holder, SessionSeat, TakenElsewhere, seat_of
from tests import postgres
from tests.unit.hub_api.server import running_hub
from tests.unit.hub_api.test_start_refusals import Refusal, refusal  # noqa: F401
from tests.unit.hub_api.world import BODY, database_url_of

KEY = {"X-API-Key": DEMO_API_KEY}
HOLDS = """
import asyncio, sys, time
from hub_api.store.database import Database, make_engine
from hub_api.store.seat import seat_of
engine = make_engine(sys.argv[1])
database = Database(engine, on_committed=lambda _: None, seat=seat_of(engine))
asyncio.run(database.take_seat())
print("sits", flush=True)
time.sleep(600)
"""


@pytest.fixture
def database_of(each_database: str, tmp_path: Path) -> Iterator[Callable[[], Database]]:
    """Hubs that fly, on one new database."""
    url = (
        f"sqlite:///{tmp_path / 'hub.db'}"
        if each_database == "sqlite"
        else postgres.database_url(postgres.create_database())
    )
    made: list[Database] = []

    def make() -> Database:
        engine = make_engine(url)
        seat = FileSeat(tmp_path / "hub.db", 0.1) if each_database == "sqlite" else SessionSeat(0.1)
        made.append(Database(engine, on_committed=lambda _: None, seat=seat))
        return made[-1]

    yield make
    for database in made:
        database.close()
    if each_database == "postgresql":
        postgres.drop_database(url)


def url_of(database: Database) -> str:
    return database.engine.url.set(drivername=database.engine.dialect.name).render_as_string(
        hide_password=False
    )


def nothing(_session: Session) -> None:
    """A unit that stores nothing."""


def test_a_second_one_is_told_who_sits_there(database_of: Callable[[], Database]) -> None:
    async def main() -> None:
        first, second = database_of(), database_of()
        await first.take_seat()
        with pytest.raises(TakenElsewhere) as refused:
            await second.take_seat()
        holder = refused.value.holder
        assert holder is not None
        assert holder.pid == str(os.getpid())
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", holder.since)
        assert f"process {holder.pid} on {holder.host}, since {holder.since}" in str(refused.value)
        await first.keep_seat()
        first.close()
        await second.take_seat()

    asyncio.run(main())


def test_a_killed_process_leaves_its_place(database_of: Callable[[], Database]) -> None:
    database = database_of()
    engine = database.engine
    if isinstance(seat_of(engine), SessionSeat):
        upgrade(engine)
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDS, url_of(database)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "sits\n"
        with pytest.raises(TakenElsewhere, match=f"process {process.pid} "):
            asyncio.run(database.take_seat())
        process.send_signal(signal.SIGKILL)
        killed_s = time.monotonic()
        while True:
            try:
                asyncio.run(database.take_seat())
                break
            except TakenElsewhere:
                assert time.monotonic() - killed_s < 5.0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_who_lost_its_place_cannot_write() -> None:
    """PostgreSQL: the lock is the writer's own."""
    url = postgres.database_url(postgres.create_database())
    databases = [
        Database(make_engine(url), on_committed=lambda _: None, seat=SessionSeat(0.1)) for _ in range(2)
    ]

    async def main() -> None:
        first, second = databases
        await first.take_seat()
        await first.write(nothing)
        hang_up(url)
        # Nobody else came: it sits down again by itself.
        await first.keep_seat()
        await first.write(nothing)
        hang_up(url)
        await second.take_seat()
        with pytest.raises(TakenElsewhere):
            await first.write(nothing)
        with pytest.raises(TakenElsewhere):
            await first.keep_seat()
        await second.write(nothing)
        # Who does not fly writes beside it: accounts, keys, retention by the command line.
        plain = Database(make_engine(url), on_committed=lambda _: None)
        await plain.write(nothing)
        plain.close()

    try:
        asyncio.run(main())
    finally:
        for database in databases:
            database.close()
        postgres.drop_database(url)


def holders(url: str) -> list[int]:
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute("SELECT pid FROM pg_locks WHERE objid = %s AND granted", (SEAT_LOCK,))
        return [pid for (pid,) in found]


def hang_up(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        held = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = %s"
        assert connection.execute(held, (SEAT_LOCK,)).rowcount == 1
        while connection.execute("SELECT 1 FROM pg_locks WHERE objid = %s", (SEAT_LOCK,)).fetchone():
            time.sleep(0.01)


def test_a_session_of_ours_that_the_server_still_holds_is_ended() -> None:
    """The network broke: the server has not noticed, and we come again."""
    url = postgres.database_url(postgres.create_database())
    seat = SessionSeat(0.1)
    engines: list[Engine] = [make_engine(url) for _ in range(2)]
    try:
        with engines[0].connect() as broken, engines[1].connect() as again:
            seat.prepare(broken)
            seat.prepare(again)
            pids = [one.connection.dbapi_connection.info.backend_pid for one in (broken, again)]  # type: ignore[union-attr]
            assert holders(url) == [pids[1]]
            broken.invalidate()
    finally:
        for engine in engines:
            engine.dispose()
        postgres.drop_database(url)


def test_a_lock_file_that_somebody_removed_is_made_again(tmp_path: Path) -> None:
    first, second = FileSeat(tmp_path / "hub.db", 0.1), FileSeat(tmp_path / "hub.db", 0.1)
    first.hold()
    first.path.unlink()
    first.hold()
    with pytest.raises(TakenElsewhere):
        second.hold()
    first.path.unlink()
    second.hold()
    with pytest.raises(TakenElsewhere):
        first.hold()
    second.leave()
    first.hold()
    first.leave()


def test_a_link_to_the_database_leads_to_the_same_place(tmp_path: Path) -> None:
    (tmp_path / "hub.db").touch()
    (tmp_path / "link.db").symlink_to(tmp_path / "hub.db")
    first, second = FileSeat(tmp_path / "hub.db", 0.1), FileSeat(tmp_path / "link.db", 0.1)
    first.hold()
    with pytest.raises(TakenElsewhere):
        second.hold()
    first.leave()


def test_what_nobody_of_ours_wrote_names_nobody(tmp_path: Path) -> None:
    assert Holder.read("") is None
    assert Holder.read("psql") is None
    me = Holder.of_this_process()
    assert Holder.read(me.line) == me
    assert len(me.line.encode()) <= 63
    assert "somebody who does not say" in str(TakenElsewhere(None))


def test_a_place_that_cannot_be_had_is_a_refusal(tmp_path: Path) -> None:
    with pytest.raises(InternalError, match="cannot be had: No such file"):
        FileSeat(tmp_path / "nowhere" / "hub.db", 0.1).hold()


def test_the_watch_says_that_the_database_is_away_once_and_ends_only_for_another_hub(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(seat_keeper, "LOOK_S", 0.0)
    holder = Holder("other", "7", "2026-11-30T00:00:00Z", "a1b2c3")
    away = InternalError(TakenElsewhere(holder).code, "away")
    said: list[InternalError | None] = [None, away, away, None, away, TakenElsewhere(holder)]

    class Told:
        async def keep_seat(self) -> None:
            if (fault := said.pop(0)) is not None:
                raise fault

    with caplog.at_level(logging.WARNING), pytest.raises(TakenElsewhere):
        asyncio.run(keep_seat(Told()))  # type: ignore[arg-type]
    assert [record.levelname for record in caplog.records] == ["CRITICAL", "WARNING", "CRITICAL"]


def test_serve_refuses_beside_another_one_and_touches_nothing(
    refusal: Refusal,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    database_of: Callable[[], Database],
) -> None:
    monkeypatch.setattr(FileSeat.__init__, "__defaults__", (0.1,))
    monkeypatch.setattr(SessionSeat.__init__, "__defaults__", (0.1,))
    database = database_of()
    url = url_of(database)
    asyncio.run(database.take_seat())
    said = refusal.of(tmp_path / "other", DRONE_AED_DATABASE_URL=url)
    assert f"another hub takes orders and flies on this database: process {os.getpid()} on " in said
    # Not even the schema: it may be of a later release.
    with database.engine.connect() as connection:
        assert revisions(connection) == frozenset()
    # And who only watches does not bring it there either.
    said = refusal.of(tmp_path / "other", DRONE_AED_DATABASE_URL=url, DRONE_AED_DUTY="watch")
    assert "at schema none, not at this release's" in said


def test_a_hub_that_watches_shows_and_changes_nothing(each_database: str, tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
    url = database_url_of(tmp_path) or f"sqlite:///{tmp_path / 'hub.db'}"
    with (
        running_hub(tmp_path / "a", database_url=url) as (flying, _),
        running_hub(tmp_path / "b", database_url=url, duty="watch") as (watching, _),
        httpx.Client(headers=KEY, trust_env=False, timeout=30.0) as client,
    ):
        order = {"json": BODY, "headers": {"Idempotency-Key": "k"}}
        refused = client.post(f"{watching}/v1/orders", **order)  # type: ignore[arg-type]
        assert refused.status_code == 421
        assert refused.json()["reason"] == "not_at_this_hub"
        assert "负责飞行的系统" in refused.json()["detail_zh"]
        placed = client.post(f"{flying}/v1/orders", **order).json()  # type: ignore[arg-type]
        shown = client.get(f"{watching}/v1/orders/{placed['order_id']}")
        assert shown.json()["order_id"] == placed["order_id"]
        ready = client.get(f"{watching}/v1/health/ready")
        assert (ready.status_code, ready.json()["flies"]) == (503, False)
        assert client.get(f"{flying}/v1/health/ready").json()["flies"] is True
        for method, path in (
            ("PUT", "/v1/stations/x"),
            ("DELETE", "/v1/drones/x"),
            ("PATCH", "/v1/accounts/x"),
        ):
            assert client.request(method, watching + path).status_code == 421
        # Whoever watches shows who they are first.
        assert client.post(f"{watching}/v1/auth/login", json={}).status_code == 422


def test_a_hub_whose_place_was_taken_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seat_keeper, "LOOK_S", 0.05)
    monkeypatch.setattr(FileSeat.__init__, "__defaults__", (0.1,))
    url = f"sqlite:///{tmp_path / 'hub.db'}"
    other = FileSeat(tmp_path / "hub.db")
    with ExitStack() as stack:
        _, server = stack.enter_context(running_hub(tmp_path, database_url=url))
        while True:
            # The hub looks all the time, and may be the faster one.
            other.path.unlink(missing_ok=True)
            with suppress(TakenElsewhere):
                other.hold()
                break
        server._thread.join(20.0)
        assert not server._thread.is_alive()
        with pytest.raises(TakenElsewhere):
            stack.close()
    other.leave()


def test_the_schema_is_there_once_the_one_that_flies_has_started(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'hub.db'}"
    with running_hub(tmp_path, database_url=url):
        held = json.dumps((tmp_path / "hub.db.flies").read_text().split(" ")[:1])
    assert held == '["drone-aed"]'
    engine = make_engine(url)
    with engine.connect() as connection:
        assert revisions(connection) == newest()
    engine.dispose()
