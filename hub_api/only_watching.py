"""A hub that watches changes nothing: whatever would is told to go to the hub that flies."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from core.errors import ErrorCode
from hub_api.problems import problem

READING = frozenset({"GET", "HEAD", "OPTIONS"})
LOGGING_IN = "/v1/auth/"
"""Whoever watches shows who they are first."""


class OnlyWatching:
    """ASGI middleware: 421 as problem details, before anything of the request is read."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in READING or scope["path"].startswith(LOGGING_IN):
            await self._app(scope, receive, send)
            return
        response = problem(
            ErrorCode.NOT_AT_THIS_HUB,
            "this hub shows what another one does: send orders and changes to the hub that flies · "
            "本系统仅供查看：订单与修改请提交给负责飞行的系统",
            headers={"Connection": "close"},
        )
        await response(scope, receive, send)
