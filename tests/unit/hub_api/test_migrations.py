"""From an earlier release's database, as it was dumped then, to today's: nothing lost, nothing left in plain words.

``release-0001``: the first release. ``release-0011``: the one with accounts, audit log, sealed personal data and
live airspace. Each was dumped from a hub at work: an order finished, one flying.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from alembic import command
from pydantic import SecretStr

from hub_api.access.keys import hash_secret
from hub_api.keyring import keyring
from hub_api.personal_data import PersonalData
from hub_api.store.database import Database, make_engine
from hub_api.store.records import NewEvent
from hub_api.store.repositories import airspace, api_keys, audit, callbacks, events, missions, orders
from hub_api.store.schema import alembic_config, upgrade
from hub_api.vault import Vault
from tests import postgres
from tests.unit.hub_api.test_store import AT
from tests.unit.hub_api.world import TEST_KEYS

DUMPS = Path(__file__).parents[2] / "data" / "hub"


def load(kind: str, folder: Path, release: str = "0001") -> str:
    """The URL of a database as that release left it."""
    text = (DUMPS / f"release-{release}.{kind}.sql").read_text(encoding="utf-8")
    if kind == "sqlite":
        connection = sqlite3.connect(folder / "hub.db")
        connection.executescript(text)
        connection.close()
        return f"sqlite:///{folder / 'hub.db'}"
    url = postgres.database_url(postgres.create_database())
    # Lines that begin with a backslash are for psql alone.
    lines = [line for line in text.splitlines() if not line.startswith("\\")]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("\n".join(lines).encode())
    return url


@contextmanager
def upgraded(kind: str, folder: Path, release: str) -> Iterator[Database]:
    """An earlier release's database, brought to today's schema."""
    url = load(kind, folder, release)
    engine = make_engine(url)
    upgrade(engine)
    opened = Database(engine, on_committed=lambda _: None)
    yield opened
    opened.close()
    if kind == "postgresql":
        postgres.drop_database(url)


@pytest.fixture
def database(tmp_path: Path, each_database: str) -> Iterator[Database]:
    with upgraded(each_database, tmp_path, "0001") as opened:
        yield opened


@pytest.fixture
def previous(tmp_path: Path, each_database: str) -> Iterator[Database]:
    with upgraded(each_database, tmp_path, "0011") as opened:
        yield opened


def test_the_schema_is_today_s(database: Database):
    command.check(alembic_config(database.engine))


def test_the_schema_is_today_s_from_the_previous_release_too(previous: Database):
    command.check(alembic_config(previous.engine))


def test_everything_of_the_previous_release_is_still_there(previous: Database):
    personal = PersonalData(
        Vault(keyring(SecretStr(TEST_KEYS["personal_keys"]), field="personal_keys", demo=False))
    )

    async def main() -> None:
        found = await previous.read(lambda s: orders.list_page(s, client="shenzhen-120", limit=9))
        flying, cancelled, finished = found
        assert [order.state for order in found] == ["AIRBORNE", "CANCELLED", "CLOSED"]
        assert personal.show(flying, allowed=True).values["notes"] == "line\nbreak 'quoted'"
        assert personal.show(flying, allowed=False).status == "masked"
        assert personal.show(finished, allowed=True).status == "erased"
        assert await personal.seal_earlier_orders(previous) == 0
        assert len(await previous.read(missions.reserved_drones)) == 1
        dead = await previous.read(lambda s: callbacks.dead(s, client=None, before=None, limit=9))
        assert {update.order_id for update in dead} == {cancelled.order_id}
        assert {key.client for key in await previous.read(api_keys.list_all)} == {
            "demo",
            "shenzhen-120",
            "sensors",
        }
        feeds = await previous.read(airspace.feeds)
        assert [feed.feed_id for feed in feeds] == ["city"]

    asyncio.run(main())


def test_the_previous_release_s_audit_chain_is_whole_and_goes_on(previous: Database):
    async def main() -> None:
        before = await previous.read(audit.head)
        assert before[0] > 10
        assert (await previous.read(audit.verify)).faults == ()
        await previous.write(lambda s: audit.append(s, at=AT, action="test", subject="x"))
        assert (await previous.read(audit.head))[0] == before[0] + 1
        assert (await previous.read(audit.verify)).faults == ()

    asyncio.run(main())


def test_everything_of_the_first_release_is_still_there(database: Database):
    async def main() -> None:
        finished, flying = reversed(await database.read(lambda s: orders.list_page(s, client=None, limit=9)))
        assert (finished.state, flying.state) == ("CLOSED", "AIRBORNE")
        assert finished.request["caller"] == {"name": "李女士", "phone": "13800000000"}
        assert flying.request["notes"] == "line\nbreak 'quoted'"
        told = await database.read(lambda s: events.of_order(s, finished.order_id))
        assert [event.kind for event in told][:2] == ["order_received", "decision_accepted"]
        assert len(await database.read(missions.reserved_drones)) == 1
        assert await database.read(audit.head) == (0, audit.GENESIS)

    asyncio.run(main())


def test_keys_keep_their_rights_under_the_new_names(database: Database):
    async def main() -> None:
        keys = {key.client: key.scopes for key in await database.read(api_keys.list_all)}
        assert keys["shenzhen-120"] == {"orders:read", "orders:write", "personal:read"}
        assert keys["sensors"] == {"weather:write"}
        digest = hash_secret("demo-key-known-to-everybody")
        assert await database.read(lambda s: api_keys.find_by_hash(s, digest)) is not None

    asyncio.run(main())


def test_its_personal_data_is_sealed_at_the_first_start(database: Database):
    async def main() -> None:
        personal = PersonalData(Vault(keyring(None, field="personal_keys", demo=True)))
        assert await personal.seal_earlier_orders(database) == 2
        assert await personal.seal_earlier_orders(database) == 0
        for order in await database.read(lambda s: orders.list_page(s, client=None, limit=9)):
            assert not {"caller", "notes"} & set(order.request)
            assert personal.show(order, allowed=True).values["notes"]

    asyncio.run(main())


def test_new_events_go_on_where_the_old_ones_ended(database: Database):
    async def main() -> None:
        last = await database.read(events.last_seq)
        new = NewEvent(message_id="evt_new", at=AT, stored_at=AT, kind="something")
        assert (await database.write(lambda s: events.append(s, new))).seq == last + 1

    asyncio.run(main())
