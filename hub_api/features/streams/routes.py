"""``/v1/stream``: by WebSocket; ``/v1/stream/events``: the same by server-sent events."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Security, WebSocket
from fastapi.responses import StreamingResponse

from core.errors import DispatchError, ErrorCode
from hub_api.access.principal import Principal
from hub_api.dependencies import HubDep
from hub_api.features.streams.messages import NEEDS, StreamMessage, Topic, stream
from hub_api.hub import Hub
from hub_api.known_query import faults
from hub_api.problems import declared
from hub_api.security import authenticate, require, still_allowed
from hub_api.sse import RECHECK_S, encode, stream_response

router = APIRouter(prefix="/v1/stream", tags=["streams"])

Anybody = Annotated[Principal, Security(authenticate)]
PROTOCOL = "drone-aed.v1"
"""The WebSocket subprotocol; a browser, which can set no headers, adds ``bearer.TOKEN`` beside it."""
SHORTEST_BATCH_S = 0.1
"""Chosen: telemetry comes four times a second, no screen shows more than ten."""
NOT_AUTHENTICATED, NOT_ALLOWED, BAD_REQUEST, TOO_MANY = 4401, 4403, 4400, 4429
SERVICE_RESTART = 1012
_CLOSE = {
    ErrorCode.CREDENTIALS_MISSING: NOT_AUTHENTICATED,
    ErrorCode.CREDENTIALS_INSUFFICIENT: NOT_ALLOWED,
    ErrorCode.RATE_LIMITED: TOO_MANY,
}


@router.get(
    "/events",
    summary="Follow everything",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "Server-sent events; those with an id can be resumed from it.",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        },
        **declared(401, 403, 422),
    },
)
async def follow_everything(
    request: Request,
    hub: HubDep,
    who: Anybody,
    topics: Annotated[list[Topic], Query(min_length=1, description="What to follow; repeat for several.")],
    last_event_id: Annotated[
        str | None, Header(pattern=r"^\d{1,18}$", description="Resume after this event.")
    ] = None,
    after: Annotated[
        int | None, Query(ge=0, le=10**18 - 1, description="The same, for clients that cannot set headers.")
    ] = None,
    telemetry_every_s: Annotated[
        float | None,
        Query(
            ge=SHORTEST_BATCH_S,
            le=60,
            description="The newest samples of all drones in one `telemetry_batch`, at most once in so many seconds; "
            "without it each sample is a message of its own.",
        ),
    ] = None,
) -> StreamingResponse:
    """Incidents, fleet and telemetry, as far as the credentials reach. The same as the WebSocket `/v1/stream`
    (subprotocol `drone-aed.v1`, same query), for clients without one.
    """
    chosen = frozenset(topics)
    require(who, [NEEDS[topic] for topic in chosen])
    position = int(last_event_id) if last_event_id is not None else after

    async def body() -> AsyncGenerator[bytes, None]:
        async with contextlib.aclosing(
            stream(hub, who, chosen, after=position, telemetry_every_s=telemetry_every_s)
        ) as messages:
            async for found in messages:
                yield b"".join(map(_sse, found))

    return stream_response(body(), partial(still_allowed, request, who))


@router.websocket("")
async def follow_by_websocket(
    socket: WebSocket,
    topics: Annotated[list[str] | None, Query()] = None,
    after: Annotated[str | None, Query()] = None,
    telemetry_every_s: Annotated[str | None, Query()] = None,
) -> None:
    """JSON messages; close codes 4400, 4401, 4403 and 4429 say what HTTP's 400, 401, 403 and 429 say."""
    hub: Hub = socket.app.state.hub
    offered = socket.scope.get("subprotocols", [])
    try:
        who = await _identify(hub, socket, offered)
        _check_names(socket)
        chosen = _topics(topics)
        position, every_s = _position(after), _every_s(telemetry_every_s)
        require(who, [NEEDS[topic] for topic in chosen])
    except DispatchError as error:
        # Accepted first: a refused handshake tells a browser nothing, a close code does.
        await socket.accept(subprotocol=PROTOCOL if PROTOCOL in offered else None)
        await socket.close(_CLOSE.get(error.code, BAD_REQUEST), _short(error.detail))
        return
    await socket.accept(subprotocol=PROTOCOL if PROTOCOL in offered else None)
    sender = asyncio.ensure_future(_send(hub, socket, who, chosen, position, every_s))
    watcher = asyncio.ensure_future(_watch(hub, _secret(socket, offered), who))
    listener = asyncio.ensure_future(_until_gone(socket))
    try:
        await asyncio.wait({sender, watcher, listener}, return_when=asyncio.FIRST_COMPLETED)
        if listener.done():
            return
        code, why = (
            (NOT_AUTHENTICATED, "the credentials do not hold any more")
            if watcher.done()
            else (1012, "the hub stops")
        )
        with contextlib.suppress(RuntimeError):
            await socket.close(code, why)
    finally:
        for task in (sender, watcher, listener):
            task.cancel()
        await asyncio.gather(sender, watcher, listener, return_exceptions=True)


def _sse(message: StreamMessage) -> bytes:
    if message.kind == "keep_alive":
        return b": still here\n\n"
    if message.event_id is None:
        return f"event: {message.kind}\ndata: {message.data_json}\n\n".encode()
    return encode(str(message.event_id), message.kind, message.data_json)


def _secret(socket: WebSocket, offered: list[str]) -> str:
    authorization = socket.headers.get("authorization", "")
    secret = socket.headers.get("x-api-key") or authorization.removeprefix("Bearer ").strip()
    return secret or next(
        (item.removeprefix("bearer.") for item in offered if item.startswith("bearer.")), ""
    )


async def _identify(hub: Hub, socket: WebSocket, offered: list[str]) -> Principal:
    secret = _secret(socket, offered)
    if not secret:
        raise DispatchError(
            ErrorCode.CREDENTIALS_MISSING, "send X-API-Key, Authorization or bearer.TOKEN · 请提供凭证"
        )
    return await hub.gate.identify(secret, address=socket.client.host if socket.client else "unknown")


def _check_names(socket: WebSocket) -> None:
    for fault in faults(socket):
        name = fault["loc"][1]
        raise DispatchError(ErrorCode.ORDER_INVALID, f"{name}: {fault['msg']}", field=f"query.{name}")


def _short(reason: str) -> str:
    """What a close frame holds of a reason: 123 bytes (RFC 6455, 5.5), whole characters."""
    return reason.encode()[:123].decode(errors="ignore")


def _topics(given: list[str] | None) -> frozenset[Topic]:
    try:
        return frozenset(Topic(name) for item in given or () for name in item.split(",")) or _none()
    except ValueError:
        return _none()


def _none() -> frozenset[Topic]:
    raise DispatchError(
        ErrorCode.ORDER_INVALID,
        f"name topics: {', '.join(Topic)} · 请指定主题：{', '.join(Topic)}",
        field="query.topics",
    )


def _position(after: str | None) -> int | None:
    if after is None:
        return None
    if not (after.isascii() and after.isdigit() and len(after) <= 18):
        raise DispatchError(
            ErrorCode.ORDER_INVALID, "after is an event id · after 须为事件编号", field="query.after"
        )
    return int(after)


def _every_s(given: str | None) -> float | None:
    if given is None:
        return None
    try:
        every_s = float(given)
    except ValueError:
        every_s = -1.0
    if not SHORTEST_BATCH_S <= every_s <= 60.0:
        raise DispatchError(
            ErrorCode.ORDER_INVALID,
            f"telemetry_every_s is a number from {SHORTEST_BATCH_S} to 60 · telemetry_every_s 须为 {SHORTEST_BATCH_S} 至 60",
            field="query.telemetry_every_s",
        )
    return every_s


async def _send(
    hub: Hub,
    socket: WebSocket,
    who: Principal,
    topics: frozenset[Topic],
    after: int | None,
    every_s: float | None,
) -> None:
    async with contextlib.aclosing(
        stream(hub, who, topics, after=after, telemetry_every_s=every_s)
    ) as messages:
        async for found in messages:
            for message in found:
                await socket.send_text(message.data_json)


async def _watch(hub: Hub, secret: str, who: Principal) -> None:
    """Ends when the credentials do not hold any more: a stream must not outlive its token.

    Asked beside the limits of requests: who is told «too often» has not shown that the credentials hold.
    """
    while True:
        await asyncio.sleep(RECHECK_S)
        if not await hub.gate.still_holds(secret, who):
            return


async def _until_gone(socket: WebSocket) -> None:
    """Reads and drops what the client says; ends when it leaves."""
    with contextlib.suppress(RuntimeError):
        while (await socket.receive())["type"] != "websocket.disconnect":
            pass
