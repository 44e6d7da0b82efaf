"""The store: migrations, transactions, and the constraints that make doubles impossible."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from core.errors import ErrorCode, InternalError
from hub_api.dispatch.order_states import OrderState
from hub_api.store.database import Database, make_engine
from hub_api.store.records import EventRecord, MissionRecord, NewEvent, OrderRecord
from hub_api.store.repositories import events, missions, orders, outbox
from hub_api.store.schema import alembic_config, upgrade
from tests import postgres

AT = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


def order(number: int, **changes: Any) -> OrderRecord:
    base = OrderRecord(
        order_id=f"ord_{number:026d}",
        client="centre",
        state=OrderState.RECEIVED,
        version=1,
        received_at=AT,
        request={"notes": "三楼"},
        latitude_deg=22.57,
        longitude_deg=113.87,
        severity="I",
    )
    return replace(base, **changes)


def mission(number: int, order_id: str, drone_id: str) -> MissionRecord:
    return MissionRecord(
        mission_id=f"mis_{number}",
        order_id=order_id,
        attempt=number,
        flight_id=f"flt_{number}",
        drone_id=drone_id,
        station_id="st",
        landing_point_id="lp",
        plan={},
        command_id=f"cmd_{number}",
        created_at=AT,
    )


class Opened:
    def __init__(self, url: str) -> None:
        self.engine = make_engine(url)
        upgrade(self.engine)
        self.heard: list[EventRecord] = []
        self.database = Database(self.engine, on_committed=self.heard.extend)

    def write(self, work: Any) -> Any:
        return asyncio.run(self.database.write(work))

    def read(self, work: Any) -> Any:
        return asyncio.run(self.database.read(work))


@pytest.fixture
def store(tmp_path: Path, each_database: str) -> Iterator[Opened]:
    """An empty database of each kind, brought to the newest schema by the migrations."""
    if each_database == "postgresql":
        url = postgres.database_url(postgres.create_database())
    else:
        url = f"sqlite:///{tmp_path / 'hub.db'}"
    opened = Opened(url)
    yield opened
    opened.database.close()
    if each_database == "postgresql":
        postgres.drop_database(url)


@pytest.fixture
def file_store(tmp_path: Path) -> Iterator[Opened]:
    """SQLite only."""
    opened = Opened(f"sqlite:///{tmp_path / 'hub.db'}")
    yield opened
    opened.database.close()


def test_migrations_from_empty_lead_to_the_tables_without_drift(store: Opened):
    command.check(alembic_config(store.engine))


def test_migrations_can_be_undone_and_redone(store: Opened):
    config = alembic_config(store.engine)
    command.downgrade(config, "base")
    command.upgrade(config, "head")
    command.check(config)


def test_sqlite_is_durable_and_checks_foreign_keys(file_store: Opened):
    store = file_store
    with store.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar_one() == 1
    with pytest.raises(IntegrityError):
        store.write(lambda s: missions.insert(s, mission(1, "ord_missing", "d1")))


def test_an_in_memory_database_is_refused():
    with pytest.raises(InternalError) as caught:
        make_engine("sqlite://")
    assert caught.value.code is ErrorCode.SETTINGS_INVALID


def test_an_order_comes_back_as_it_was(store: Opened):
    shanghai = timezone(timedelta(hours=8))
    given = order(1, received_at=AT.astimezone(shanghai))
    store.write(lambda s: orders.insert(s, given, key="k", body_sha256="h"))
    found = store.read(lambda s: orders.get(s, given.order_id))
    assert found == given
    assert found.received_at.utcoffset() == timedelta(0)


def test_a_naive_time_is_refused_and_nothing_is_stored(store: Opened):
    given = order(1, received_at=datetime(2026, 3, 1, 8, 0))  # noqa: DTZ001
    with pytest.raises(Exception, match="naive"):
        store.write(lambda s: orders.insert(s, given, key="k", body_sha256="h"))
    assert store.read(lambda s: orders.list_page(s, client=None, limit=9)) == []


def test_a_key_is_taken_once_and_the_loser_stores_nothing(store: Opened):
    store.write(lambda s: orders.insert(s, order(1), key="k", body_sha256="h"))
    with pytest.raises(IntegrityError):
        store.write(lambda s: orders.insert(s, order(2), key="k", body_sha256="h"))
    assert [o.order_id for o in store.read(lambda s: orders.list_page(s, client=None, limit=9))] == [
        order(1).order_id
    ]
    # Another client's equal key is another key.
    store.write(lambda s: orders.insert(s, order(3, client="other"), key="k", body_sha256="h"))


def test_a_drone_is_reserved_once_until_released(store: Opened):
    store.write(lambda s: orders.insert(s, order(1), key="k", body_sha256="h"))
    store.write(lambda s: missions.insert(s, mission(1, order(1).order_id, "d1")))
    with pytest.raises(IntegrityError):
        store.write(lambda s: missions.insert(s, mission(2, order(1).order_id, "d1")))
    assert store.read(missions.reserved_drones) == {"d1": "mis_1"}
    for _ in range(2):
        # Freed again it is as free as before.
        store.write(lambda s: missions.release_drone(s, "mis_1"))
        assert store.read(missions.reserved_drones) == {}
    store.write(lambda s: missions.insert(s, mission(2, order(1).order_id, "d1")))


def test_listeners_hear_only_what_is_committed(store: Opened):
    def event(number: int) -> NewEvent:
        return NewEvent(message_id=f"evt_{number}", at=AT, stored_at=AT, kind="something")

    def fails(session: Session) -> None:
        events.append(session, event(1))
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        store.write(fails)
    assert store.heard == []
    store.write(lambda s: events.append(s, event(2)))
    assert [record.message_id for record in store.heard] == ["evt_2"]
    assert store.read(lambda s: events.after(s, 0, limit=9)) == store.heard


def test_a_stale_order_is_not_written_over_a_newer_one(store: Opened):
    store.write(lambda s: orders.insert(s, order(1), key="k", body_sha256="h"))
    newer = store.write(lambda s: orders.save(s, order(1), state=OrderState.DECLINED))
    assert newer.version == 2
    with pytest.raises(InternalError):
        store.write(lambda s: orders.save(s, order(1), state=OrderState.DECIDED))
    assert store.read(lambda s: orders.get(s, order(1).order_id)).state is OrderState.DECLINED


def test_a_command_is_owed_until_it_is_settled_once(store: Opened):
    store.write(
        lambda s: outbox.add(
            s,
            message_id="cmd_1",
            subject="fleet.d1.commands",
            payload=b"{}",
            kind="fly_mission",
            drone_id="d1",
            mission_id=None,
            created_at=AT,
        )
    )
    (owed,) = store.read(outbox.unsettled)
    store.write(lambda s: outbox.mark_published(s, [owed.seq], AT))
    assert store.read(outbox.unsettled)[0].publications == 1
    assert store.write(lambda s: outbox.settle(s, "cmd_1", "accepted", AT)) == (None,)
    assert store.read(lambda s: outbox.outcome_of(s, "cmd_1")) == "accepted"
    assert store.write(lambda s: outbox.settle(s, "cmd_1", "refused", AT)) is None
    assert store.read(outbox.unsettled) == []


def test_a_database_held_by_somebody_else_is_reported_as_ours(
    file_store: Opened, tmp_path: Path, monkeypatch: Any
):
    store = file_store
    with store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout=50")
    blocker = sqlite3.connect(tmp_path / "hub.db", isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(InternalError) as caught:
            store.write(lambda s: orders.insert(s, order(1), key="k", body_sha256="h"))
        assert caught.value.code is ErrorCode.STORE_FAILED
    finally:
        blocker.rollback()
        blocker.close()


def test_who_writes_to_a_store_that_was_closed_is_told_and_waits_for_nobody(file_store: Opened):
    async def write_late() -> None:
        file_store.database.close()
        late = [file_store.database.write(lambda s: outbox.unsettled(s)) for _ in range(3)]
        async with asyncio.timeout(5):
            answers = await asyncio.gather(*late, return_exceptions=True)
        assert [getattr(each, "code", each) for each in answers] == [ErrorCode.STORE_FAILED] * 3

    asyncio.run(write_late())


def test_keys_are_forgotten_after_their_time(store: Opened):
    store.write(lambda s: orders.insert(s, order(1), key="k", body_sha256="h"))
    assert store.write(lambda s: orders.forget_keys_before(s, AT)) == 0
    assert store.write(lambda s: orders.forget_keys_before(s, AT + timedelta(seconds=1))) == 1
    assert store.read(lambda s: orders.find_by_key(s, "centre", "k", not_before=AT)) is None


def test_writers_of_two_hubs_on_one_database_wait_for_each_other(store: Opened):
    """Positions of events are committed in their order, so that no stream can miss one."""
    other = Database(store.engine, on_committed=lambda _: None)
    inside, overlaps = [0], [0]

    def event(number: int) -> NewEvent:
        return NewEvent(message_id=f"evt_{number}", at=AT, stored_at=AT, kind="something")

    def work(number: int) -> Any:
        def write(session: Session) -> int:
            record = events.append(session, event(number))
            inside[0] += 1
            overlaps[0] += inside[0] > 1
            time.sleep(0.005)
            inside[0] -= 1
            return record.seq

        return write

    async def both() -> list[int]:
        return await asyncio.gather(
            *(database.write(work(number)) for number, database in enumerate([store.database, other] * 5))
        )

    seqs = asyncio.run(both())
    other.close()
    assert overlaps == [0]
    assert sorted(seqs) == list(range(1, 11))


def test_a_reader_sees_one_moment(store: Opened):
    def count_twice(session: Session) -> tuple[int, int]:
        before = events.last_seq(session)
        new = NewEvent(message_id="evt_1", at=AT, stored_at=AT, kind="something")
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, store.database.write(lambda s: events.append(s, new))).result()
        return before, events.last_seq(session)

    assert store.read(count_twice) == (0, 0)
    assert store.read(events.last_seq) == 1


@pytest.mark.parametrize("url", ["mysql://localhost/x", "nonsense", "postgresql+asyncpg:broken"])
def test_a_database_that_is_not_supported_is_refused(url: str):
    with pytest.raises(InternalError) as caught:
        make_engine(url)
    assert caught.value.field == "database_url"


def test_a_database_that_is_away_is_reported_as_ours():
    database = Database(make_engine("postgresql://nobody@127.0.0.1:9/nothing"), on_committed=lambda _: None)
    for attempt in (database.read(events.last_seq), database.write(events.last_seq)):
        with pytest.raises(InternalError) as caught:
            asyncio.run(attempt)
        assert caught.value.code is ErrorCode.STORE_FAILED
    database.close()


def test_missions_of_an_order_are_counted_and_the_undelivered_found(store: Opened):
    order_id = order(1).order_id

    def work(session: Session) -> None:
        orders.insert(session, order(1), key="k", body_sha256="h")
        for number, changes in ((1, {}), (2, {"ended_at": AT}), (3, {"aed_on_ground_at": AT})):
            missions.insert(session, mission(number, order_id, f"d{number}"))
            if changes:
                missions.save(session, mission(number, order_id, f"d{number}"), **changes)

    assert store.read(lambda s: missions.count_of_order(s, order_id)) == 0
    assert not store.read(lambda s: missions.any_open(s, order_id))
    store.write(work)
    assert store.read(lambda s: missions.count_of_order(s, order_id)) == 3
    assert store.read(lambda s: missions.any_open(s, order_id))
    (found,) = store.read(lambda s: missions.undelivered_of_order(s, order_id))
    assert found.mission_id == "mis_1"


def cut(engine: Engine) -> None:
    """End every session of the database, as a restart of the server does."""
    with engine.connect() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_a_database_that_was_restarted_costs_no_unit_of_work(tmp_path: Path):
    """Connections are kept, and one that died meanwhile is replaced before anything is done in it."""
    url = postgres.migrated_database()
    opened = Opened(url)
    try:
        for number in range(2):
            new = NewEvent(message_id=f"m{number}", at=AT, stored_at=AT, kind="k")
            assert opened.write(lambda s, new=new: events.append(s, new)).message_id == f"m{number}"
            assert opened.read(events.last_seq) > 0
            cut(opened.engine)
        assert opened.read(events.last_seq) > 0
    finally:
        opened.database.close()
        postgres.drop_database(url)
