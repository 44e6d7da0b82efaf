"""Server-sent events: resumable streams of stored events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing

from fastapi.responses import StreamingResponse

from hub_api.dispatch.feed import EventFeed
from hub_api.store.records import EventRecord

KEEP_ALIVE_S = 15.0
"""Real seconds between comments on a silent stream, so that proxies keep it open."""
RECHECK_S = 30.0
"""Real seconds between looks whether the credentials still hold."""


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
    listener = feed.listen(wants, outside=True)
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


async def while_allowed(
    stream: AsyncGenerator[bytes, None], allowed: Callable[[], Awaitable[bool]]
) -> AsyncIterator[bytes]:
    """The stream until the credentials behind it do not hold any more: it must not outlive its token.

    Looked at with what is sent, so never later than ``RECHECK_S`` and one keep-alive after they ended.
    """
    loop = asyncio.get_running_loop()
    looked_s = loop.time()
    async with aclosing(stream):
        async for chunk in stream:
            if loop.time() - looked_s >= RECHECK_S:
                if not await allowed():
                    yield b"event: credentials_ended\ndata: {}\n\n"
                    return
                looked_s = loop.time()
            yield chunk


def stream_response(
    stream: AsyncGenerator[bytes, None], allowed: Callable[[], Awaitable[bool]]
) -> StreamingResponse:
    """The HTTP response of a stream; no cache, no buffering proxy. ``allowed`` is asked while it lasts."""
    return StreamingResponse(
        while_allowed(stream, allowed),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )
