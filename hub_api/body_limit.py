"""A request body larger than the limit is refused before anything reads it into memory."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import ErrorCode
from hub_api.problems import problem


class _TooLarge(HTTPException):
    """An HTTP exception, so that whoever reads the body lets it through as it is."""

    def __init__(self, max_body_bytes: int) -> None:
        super().__init__(413, f"the body is larger than {max_body_bytes} bytes", {"Connection": "close"})


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
            await self._refuse(limit, scope, receive, send)
            return
        received = 0

        async def counting() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise _TooLarge(limit)
            return message

        await self._app(scope, counting, send)

    async def _refuse(self, limit: int, scope: Scope, receive: Receive, send: Send) -> None:
        response = problem(
            ErrorCode.BODY_TOO_LARGE,
            f"the body is larger than {limit} bytes",
            status=413,
            headers={"Connection": "close"},
        )
        await response(scope, receive, send)
