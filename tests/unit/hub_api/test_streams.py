"""The event stream of an order: complete, in order, resumable, and it ends."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from core.errors import ErrorCode, InternalError
from hub_api.access.principal import Principal
from hub_api.access.scopes import Scope
from hub_api.dispatch.feed import QUEUE_EVENTS, EventFeed
from hub_api.features.streams import messages
from hub_api.sse import follow as follow_feed
from hub_api.store.records import EventRecord
from hub_api.store.repositories import events
from tests.unit.hub_api.world import EPOCH, World, play, world


def parse(text: str) -> list[dict[str, Any]]:
    """Server-sent events as a client reads them: blocks between blank lines, comments left out."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if fields:
            found.append(
                {"id": int(fields["id"]), "event": fields["event"], "data": json.loads(fields["data"])}
            )
    return found


async def follow(w: World, order_id: str, **headers: str) -> list[dict[str, Any]]:
    """The whole stream; the transport hands it over when it has ended."""
    answer = await w.client.get(f"/v1/orders/{order_id}/events", headers=headers, timeout=None)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    return parse(answer.text)


def test_a_stream_tells_everything_once_and_ends_with_the_order(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            order_id = (await w.order()).json()["order_id"]
            live, later = await asyncio.gather(follow(w, order_id), _after(w, order_id))
            assert [e["id"] for e in live] == [int(e["event_id"]) for e in await w.events(order_id)]
            assert live == later
            kinds = [e["event"] for e in live]
            assert kinds[:2] == ["order_received", "decision_accepted"]
            assert kinds[-1] == "flight_ended"
            assert live[-1]["data"]["state"] == "CLOSED"
            assert kinds.index("aed_released") < kinds.index("aed_on_ground")
            for event in live:
                assert event["data"]["detail"]
                assert event["data"]["detail_zh"]
                assert event["data"]["event_id"] == str(event["id"])
            assert w.hub.feed.listener_count == 0

    async def _after(w: World, order_id: str) -> list[dict[str, Any]]:
        await w.until(order_id, "CLOSED")
        return await follow(w, order_id)

    play(main())


def test_a_stream_resumes_after_the_last_event_without_gap_or_double(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            order_id = (await w.order()).json()["order_id"]
            await w.until(order_id, "AIRBORNE")
            so_far = await w.events(order_id)
            seen = [int(e["event_id"]) for e in so_far[:-2]]
            rest = await follow(w, order_id, **{"Last-Event-ID": str(seen[-1])})
            everything = [int(e["event_id"]) for e in await w.events(order_id)]
            assert seen + [e["id"] for e in rest] == everything

    play(main())


def event(number: int) -> EventRecord:
    return EventRecord(seq=number, message_id=f"evt_{number}", at=EPOCH, stored_at=EPOCH, kind="k")


def test_a_position_that_has_not_been_yet_is_no_silence(tmp_path: Path):
    """After a restore the numbers begin anew; whoever comes with an old one must not wait until they are there again."""

    async def main() -> None:
        async with world(tmp_path) as w:
            order_id = (await w.order()).json()["order_id"]
            await w.until(order_id, "CLOSED")
            whole = await follow(w, order_id)
            assert await follow(w, order_id, **{"Last-Event-ID": "999999"}) == whole
            who = Principal("key", "demo", frozenset({str(Scope.ADMIN)}))
            told = messages.stream(
                w.hub, who, frozenset({messages.Topic.INCIDENTS}), after=999_999, telemetry_every_s=None
            )
            (hello,) = await anext(told)
            newest = await w.hub.database.read(events.last_seq)
            assert json.loads(hello.data_json)["position"] == str(newest)
            await w.order(key="k2")
            found = await anext(told)
            assert found[0].event_id is not None
            assert found[0].event_id > newest
            await told.aclose()

    play(main())


def test_a_slow_listener_is_told_to_read_the_gap():
    async def main() -> None:
        feed = EventFeed()
        listener = feed.listen(lambda e: e.seq != 3)
        feed.publish([event(n) for n in range(1, 5)])
        assert [(await listener.next()).seq for _ in range(3)] == [1, 2, 4]  # type: ignore[union-attr]
        feed.publish([event(n) for n in range(5, 5 + QUEUE_EVENTS + 10)])
        assert await listener.next() is None
        feed.publish([event(999)])
        assert (await listener.next()).seq == 999  # type: ignore[union-attr]

    play(main())


def test_a_stream_fills_a_gap_from_the_database():
    stored = [event(n) for n in range(1, 3 * QUEUE_EVENTS)]

    async def main() -> None:
        feed = EventFeed()
        visible: list[EventRecord] = stored[:5]

        async def read_after(seq: int) -> list[EventRecord]:
            return [e for e in visible if e.seq > seq]

        stream = follow_feed(
            feed,
            wants=lambda e: True,
            read_after=read_after,
            render=lambda e: "{}",
            after=2,
            finished=lambda e: e.seq == stored[-1].seq,
        )
        got = [await anext(stream) for _ in range(3)]
        visible = stored
        feed.publish(stored[5:])
        got += [chunk async for chunk in stream]
        assert [e["id"] for e in parse(b"".join(got).decode())] == [e.seq for e in stored[2:]]

    play(main())


def test_an_invalid_last_event_id_is_a_422(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            order_id = (await w.order()).json()["order_id"]
            for value in ("x", "-1", "1e3", "9" * 30):
                answer = await w.client.get(f"/v1/orders/{order_id}/events", headers={"Last-Event-ID": value})
                assert answer.status_code == 422

    play(main())


@pytest.mark.parametrize("path", ["/v1/orders/{order_id}/events", "/v1/stream/events?topics=incidents"])
def test_a_stream_does_not_outlive_its_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
):
    monkeypatch.setattr("hub_api.sse.RECHECK_S", 5.0)

    async def main() -> None:
        async with world(tmp_path) as w:
            made = (
                await w.client.post(
                    "/v1/keys", json={"client": "demo", "name": "n", "scopes": ["orders:read"]}
                )
            ).json()
            order_id = (await w.order()).json()["order_id"]
            key = {"X-API-Key": made["secret"]}
            url = path.format(order_id=order_id)
            following = asyncio.ensure_future(w.client.get(url, headers=key, timeout=None))
            await w.until(order_id, "AIRBORNE")
            await w.client.post(f"/v1/keys/{made['key_id']}/revoke")
            text = (await following).text
            assert text.endswith("event: credentials_ended\ndata: {}\n\n")
            assert "decision_accepted" in text or "topics" in path
            assert "event: aed_on_ground" not in text
            assert await w.state(order_id) != "CLOSED"
            assert w.hub.feed.listener_count == 0

    play(main())


def test_a_stream_outlives_a_store_that_does_not_answer_for_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("hub_api.sse.RECHECK_S", 5.0)

    async def main() -> None:
        async with world(tmp_path) as w:
            order_id = (await w.order()).json()["order_id"]
            url = f"/v1/orders/{order_id}/events"
            following = asyncio.ensure_future(w.client.get(url, timeout=None))
            await w.until(order_id, "LAUNCHING")
            asked = 0

            async def refused(_secret: str) -> Any:
                nonlocal asked
                asked += 1
                raise InternalError(ErrorCode.STORE_FAILED, "the database refused to read: busy")

            with monkeypatch.context() as patched:
                patched.setattr(w.hub.gate, "_principal", refused)
                await w.hub.clock.sleep(40.0)
            text = (await following).text
            assert asked > 0
            assert "credentials_ended" not in text
            assert "event: aed_on_ground" in text

    play(main())


def test_a_stream_that_follows_for_months_forgets_whose_old_orders_are(
    tmp_path: Path, monkeypatch: Any
) -> None:
    async def main() -> None:
        monkeypatch.setattr(messages, "_CLIENTS_KNOWN", 3)
        async with world(tmp_path) as w:
            who = Principal("key_1", "demo", frozenset({Scope.ORDERS_READ}))
            chosen = messages.EventFilter(w.hub, who, frozenset({messages.Topic.INCIDENTS}))
            for number in range(5):
                placed = (await w.order(f"k{number}")).json()
                found = await w.hub.database.read(lambda s, p=placed: events.of_order(s, p["order_id"]))
                assert await chosen.shows(found[0])
                assert len(chosen._clients) <= 3

    play(main())
