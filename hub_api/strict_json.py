"""JSON bodies read strictly: a field given twice is ambiguous and NaN is no number, so both are refused."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

MOST_DIGITS = 100
"""Chosen: more than any number here has, and far from what keeps a processor busy."""
_HALF = re.compile(r"\\u[dD][89a-fA-F]")


def loads(body: bytes) -> Any:
    """Like ``json.loads``; ``JSONDecodeError`` for doubled fields, for NaN and Infinity, for numbers without end and
    for halves of characters too: none of them can be stored or answered."""
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

    def whole(digits: str) -> int:
        if len(digits) > MOST_DIGITS:
            raise json.JSONDecodeError(f"a whole number has at most {MOST_DIGITS} digits", text, 0)
        return int(digits)

    found = json.loads(text, object_pairs_hook=no_doubles, parse_constant=no_constant, parse_int=whole)
    if _HALF.search(text):
        _refuse_halves(found, text)
    return found


def _refuse_halves(value: Any, text: str) -> None:
    """Half a surrogate pair is no character."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise json.JSONDecodeError("half a surrogate pair is no character", text, 0) from None


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
