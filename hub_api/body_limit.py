"""A request body larger than the limit is refused before anything reads it into memory, one that trickles in, and one
that is packed: unpacked it might be any size."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import ErrorCode
from hub_api.problems import problem

PATIENCE_S = 10.0
SLOWEST_BYTES_S = 64 * 1024.0
"""Chosen: half a megabit a second, a bad mobile link. A body may take so long as its limit does at that rate."""


class _TooSlow(HTTPException):
    """The body does not come to its end."""

    def __init__(self, at_most_s: float) -> None:
        said = f"the body took longer than {at_most_s:.0f} s · 请求体传输超过 {at_most_s:.0f} 秒"
        super().__init__(408, said, {"Connection": "close"})


class _TooLarge(HTTPException):
    """An HTTP exception, so that whoever reads the body lets it through as it is."""

    def __init__(self, max_body_bytes: int) -> None:
        super().__init__(413, _larger_than(max_body_bytes), {"Connection": "close"})


class BodyLimit:
    """ASGI middleware: 413 as problem details, by Content-Length or by counting.

    ``larger``: path prefix → its own limit, for the few routes that take files.
    """

    def __init__(self, app: ASGIApp, *, max_body_bytes: int, larger: Mapping[str, int] | None = None) -> None:
        self._app = app
        self._max_body_bytes = max_body_bytes
        self._larger = dict(larger or {})

    def _limit(self, path: str) -> int:
        return next(
            (n for prefix, n in self._larger.items() if path.startswith(prefix)), self._max_body_bytes
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limit(scope["path"])
        announced = next((v for k, v in scope["headers"] if k == b"content-length"), b"0")
        if announced.isdigit() and int(announced) > limit:
            await self._refuse(ErrorCode.BODY_TOO_LARGE, 413, _larger_than(limit), scope, receive, send)
            return
        packed = next((v for k, v in scope["headers"] if k == b"content-encoding"), b"identity")
        if packed.strip().lower() not in (b"identity", b""):
            said = "send the body as it is, without Content-Encoding · 请提交未压缩的请求体，不要使用 Content-Encoding"
            await self._refuse(ErrorCode.ORDER_INVALID, 415, said, scope, receive, send)
            return
        received, more = 0, True
        at_most_s = PATIENCE_S + limit / SLOWEST_BYTES_S
        deadline_s = asyncio.get_running_loop().time() + at_most_s

        async def counting() -> Message:
            nonlocal received, more
            if not more:
                # Only the end of the connection comes now, whenever that is.
                return await receive()
            try:
                async with asyncio.timeout_at(deadline_s):
                    message = await receive()
            except TimeoutError:
                raise _TooSlow(at_most_s) from None
            more = message.get("more_body", False)
            received += len(message.get("body", b""))
            if received > limit:
                raise _TooLarge(limit)
            return message

        await self._app(scope, counting, send)

    @staticmethod
    async def _refuse(
        code: ErrorCode, status: int, said: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        response = problem(code, said, status=status, headers={"Connection": "close"})
        await response(scope, receive, send)


def _larger_than(limit: int) -> str:
    return f"the body is larger than {limit} bytes · 请求体超过 {limit} 字节"
