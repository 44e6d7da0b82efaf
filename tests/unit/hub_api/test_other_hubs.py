"""Streams of one hub hear what another hub on the same database stores, in order, each event once."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from sqlmodel import Session
from websockets.sync.client import connect

from hub_api.dispatch.feed import EventFeed, Listener
from hub_api.dispatch.other_hubs import OtherHubs
from hub_api.settings import DEMO_API_KEY
from hub_api.store.database import Database, make_engine
from hub_api.store.records import EventRecord, NewEvent
from hub_api.store.repositories import events
from tests.unit.hub_api.server import running_hub
from tests.unit.hub_api.world import BODY, EPOCH, database_url_of, play

KEY = {"X-API-Key": DEMO_API_KEY}


def event(number: int) -> EventRecord:
    return EventRecord(seq=number, message_id=f"evt_{number}", at=EPOCH, stored_at=EPOCH, kind="k")


def seqs(listener: Listener) -> list[int | None]:
    return [None if found is None else found.seq for found in listener.waiting()]


def test_an_event_waits_for_what_another_hub_stored_before_it() -> None:
    async def main() -> None:
        feed = EventFeed()
        feed.watched = True
        listener, part = feed.listen(lambda _: True, outside=True), feed.listen(lambda _: True)
        # Before the first look nobody knows what lies before this one.
        feed.publish([event(10)])
        assert (seqs(listener), seqs(part)) == ([], [10])
        feed.look_from(10)
        assert seqs(listener) == [None]
        feed.publish([event(11)])
        feed.publish([event(13), event(14)])
        assert (seqs(listener), feed.behind.is_set()) == ([11], True)
        feed.found([event(12), event(13), event(14)])
        feed.publish([event(14)])
        feed.found([event(13)])
        feed.publish([event(15)])
        assert seqs(listener) == [12, 13, 14, 15]
        # Parts of this hub wait for what this hub does, and hear it at once.
        assert seqs(part) == [11, 13, 14, 14, 15]

    play(main())


def test_nobody_looks_where_nobody_listens() -> None:
    reads = 0

    class Counted:
        async def read(self, _work: object) -> int:
            nonlocal reads
            reads += 1
            return 7

    async def main() -> None:
        feed = EventFeed()
        task = asyncio.ensure_future(OtherHubs(Counted(), feed).run())  # type: ignore[arg-type]
        feed.listen(lambda _: True)  # a part of the hub
        await asyncio.sleep(60.0)
        assert not task.done()
        assert (reads, feed.position) == (1, 7), "once, so that whoever comes need not wait for it"
        # What this hub stores is known without looking, and screens that come read nothing again.
        feed.publish([event(8)])
        screens = [feed.listen(lambda _: True, outside=True) for _ in range(3)]
        await asyncio.sleep(1.0)
        assert feed.position == 8
        assert [seqs(screen) for screen in screens] == [[], [], []]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    play(main())


@asynccontextmanager
async def a_hub(url: str) -> AsyncIterator[tuple[Database, EventFeed]]:
    """What of a hub stores and tells."""
    feed = EventFeed()
    database = Database(make_engine(url), on_committed=feed.publish)
    looking = asyncio.ensure_future(OtherHubs(database, feed).run())
    try:
        yield database, feed
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        database.close()


def test_two_hubs_storing_at_once_are_heard_in_one_order(each_database: str, tmp_path: Path) -> None:
    url = database_url_of(tmp_path)
    count = 60

    async def store(database: Database, name: str) -> None:
        for number in range(count):

            def append(session: Session, number: int = number) -> None:
                new = NewEvent(message_id=f"{name}{number}", at=EPOCH, stored_at=EPOCH, kind="k")
                events.append(session, new)

            await database.write(append)
            if number % 7 == 0:
                await asyncio.sleep(0.01)

    async def main() -> None:
        async with a_hub(url) as (here, feed), a_hub(url) as (there, other_feed):
            heard: dict[str, list[int]] = {"here": [], "there": []}

            async def follow(name: str, listener: Listener, database: Database) -> None:
                # As a stream does it.
                position = 0
                while len(heard[name]) < 2 * count:
                    found = await listener.next()
                    if found is None:
                        page = await database.read(lambda s, p=position: events.after(s, p, limit=1000))  # type: ignore[misc]
                    else:
                        page = [found]
                    for each in page:
                        if each.seq > position:
                            position = each.seq
                            heard[name].append(position)

            async with asyncio.timeout(60), asyncio.TaskGroup() as group:
                group.create_task(follow("here", feed.listen(lambda _: True, outside=True), here))
                group.create_task(follow("there", other_feed.listen(lambda _: True, outside=True), there))
                group.create_task(store(here, "a"))
                group.create_task(store(there, "b"))
            stored = [e.seq for e in await here.read(lambda s: events.after(s, 0, limit=1000))]
            assert heard == {"here": stored, "there": stored}

    asyncio.run(main())


def test_a_screen_at_one_hub_follows_an_order_placed_at_another(each_database: str, tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
    with (
        running_hub(tmp_path / "a", database_url=database_url_of(tmp_path)) as (placing, _),
        running_hub(tmp_path / "b", database_url=database_url_of(tmp_path), duty="watch") as (watching, _),
        httpx.Client(base_url=placing, headers=KEY, trust_env=False, timeout=30.0) as centre,
        connect(
            f"{watching.replace('http', 'ws')}/v1/stream?topics=incidents", additional_headers=KEY, proxy=None
        ) as screen,
    ):
        assert json.loads(screen.recv(timeout=10))["type"] == "hello"
        placed = centre.post("/v1/orders", json=BODY, headers={"Idempotency-Key": "k"}).json()
        answered_s = time.monotonic()
        kinds: list[str] = []
        while "decision_accepted" not in kinds:
            told = json.loads(screen.recv(timeout=10))
            if told["type"] == "event" and told["order_id"] == placed["order_id"]:
                kinds.append(told["kind"])
        assert kinds[0] == "order_received"
        # It looks four times a second.
        assert time.monotonic() - answered_s < 5.0


@pytest.mark.parametrize("gap", [1, 700, 2500])
def test_whatever_was_stored_meanwhile_is_read_in_pages(each_database: str, tmp_path: Path, gap: int) -> None:
    url = database_url_of(tmp_path)

    async def main() -> None:
        async with a_hub(url) as (here, feed):
            listener = feed.listen(lambda e: e.kind == "last", outside=True)
            await listener.next()
            other = Database(make_engine(url), on_committed=lambda _: None)

            def append(session: Session) -> None:
                for number in range(gap):
                    kind = "last" if number == gap - 1 else "k"
                    new = NewEvent(message_id=f"m{number}", at=EPOCH, stored_at=EPOCH, kind=kind)
                    events.append(session, new)

            await other.write(append)
            other.close()
            async with asyncio.timeout(20):
                found = await listener.next()
            if gap > 2000:
                assert found is None, "too much to offer: whoever listens reads it"
                return
            assert found is not None
            assert found.seq == await here.read(events.last_seq)

    asyncio.run(main())
