"""Around every request: an id that logs and answer share, and how long it took."""

from __future__ import annotations

import re
import secrets
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub_api.logs import request_context

_NAMED = re.compile(r"/v1/(?:orders|incidents|flights)/([a-z]{3}_[A-Za-z0-9]{1,60})(?:/|$)")
_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
"""A stranger may send any word as a method, and each would be a metric for good."""
_GIVEN = re.compile(rb"[A-Za-z0-9._-]{1,64}")


class RequestLog:
    """ASGI middleware. ``X-Request-Id`` of the client is kept if it is harmless, else one is made."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
        request_id = given.decode() if _GIVEN.fullmatch(given) else secrets.token_hex(8)
        named = _NAMED.match(scope["path"])
        began_s = time.monotonic()

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request_id.encode())]
                self._observe(scope, str(message["status"]), time.monotonic() - began_s)
            await send(message)

        with request_context(request_id, named and named.group(1)):
            await self._app(scope, receive, sending)

    @staticmethod
    def _observe(scope: Scope, status: str, took_s: float) -> None:
        hub = getattr(scope["app"].state, "hub", None)
        if hub is not None:
            # The template, not the path: a metric for every order would grow without end.
            route = getattr(scope.get("route"), "path", "none")
            method = scope["method"] if scope["method"] in _METHODS else "other"
            hub.metrics.requests.labels(method, route, status).observe(took_s)
