"""A request body larger than the limit is refused before anything reads it into memory."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import ErrorCode
from hub_api.problems import problem


class _TooLarge(HTTPException):
    """An HTTP exception, so that whoever reads the body lets it through as it is."""

    def __init__(self, max_body_bytes: int) -> None:
        super().__init__(413, f"the body is larger than {max_body_bytes} bytes", {"Connection": "close"})


class BodyLimit:
    """ASGI middleware: 413 as problem details, by Content-Length or by counting."""

    def __init__(self, app: ASGIApp, *, max_body_bytes: int) -> None:
        self._app = app
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = next((v for k, v in scope["headers"] if k == b"content-length"), b"0")
        if announced.isdigit() and int(announced) > self._max_body_bytes:
            await self._refuse(scope, receive, send)
            return
        received = 0

        async def counting() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_body_bytes:
                raise _TooLarge(self._max_body_bytes)
            return message

        await self._app(scope, counting, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = problem(
            ErrorCode.BODY_TOO_LARGE,
            f"the body is larger than {self._max_body_bytes} bytes",
            status=413,
            headers={"Connection": "close"},
        )
        await response(scope, receive, send)
