"""Server-sent events: resumable streams of stored events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from fastapi.responses import StreamingResponse

from hub_api.dispatch.feed import EventFeed
from hub_api.store.records import EventRecord

KEEP_ALIVE_S = 15.0
"""Real seconds between comments on a silent stream, so that proxies keep it open."""


def encode(event_id: str, kind: str, data_json: str) -> bytes:
    """One event. ``data_json`` holds no line break (JSON escapes them)."""
    return f"id: {event_id}\nevent: {kind}\ndata: {data_json}\n\n".encode()


async def follow(
    feed: EventFeed,
    *,
    wants: Callable[[EventRecord], bool],
    read_after: Callable[[int], Awaitable[list[EventRecord]]],
    render: Callable[[EventRecord], str],
    after: int,
    finished: Callable[[EventRecord], bool],
) -> AsyncIterator[bytes]:
    """Everything after position ``after``, first from the database, then live, without gap or double.

    The live queue is opened before the database is read, so nothing can fall between the two.
    """
    listener = feed.listen(wants)
    position = after
    try:
        backlog: list[EventRecord] | None = await read_after(position)
        while True:
            if backlog is None:
                try:
                    async with asyncio.timeout(KEEP_ALIVE_S):
                        event = await listener.next()
                except TimeoutError:
                    yield b": still here\n\n"
                    continue
                if event is None and feed.closed:
                    return
                backlog = await read_after(position) if event is None else [event]
            for event in backlog:
                if event.seq <= position:
                    continue
                position = event.seq
                yield encode(str(event.seq), event.kind, render(event))
                if finished(event):
                    return
            backlog = None
    finally:
        feed.leave(listener)


def stream_response(stream: AsyncIterator[bytes]) -> StreamingResponse:
    """The HTTP response of a stream; no cache, no buffering proxy."""
    return StreamingResponse(
        stream,
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )
