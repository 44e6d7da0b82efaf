"""JSON bodies read strictly: a field given twice is ambiguous and NaN is no number, so both are refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute


def loads(body: bytes) -> Any:
    """Like ``json.loads``; ``JSONDecodeError`` for doubled fields and for NaN and Infinity too."""
    text = body.decode("utf-8")

    def no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in pairs:
            if name in found:
                raise json.JSONDecodeError(f"field {name[:60]!r} is given twice", text, 0)
            found[name] = value
        return found

    def no_constant(name: str) -> Any:
        raise json.JSONDecodeError(f"{name} is no JSON number", text, 0)

    return json.loads(text, object_pairs_hook=no_doubles, parse_constant=no_constant)


class _StrictRequest(Request):
    async def json(self) -> Any:
        return loads(await self.body())


class StrictJsonRoute(APIRoute):
    """A route whose JSON body is read by :func:`loads`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def strict(request: Request) -> Response:
            return await handler(_StrictRequest(request.scope, request.receive))

        return strict
