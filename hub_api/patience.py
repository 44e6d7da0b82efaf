"""Clients that never finish what they began (slow loris, CWE-400): a request's head has so long, then the connection ends.

uvicorn closes connections that are idle after an answer, but waits for ever for the rest of a head. How long a body
may take is :mod:`hub_api.body_limit`'s.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_S = 10.0
"""Chosen: a head is a few hundred bytes, even over a bad mobile link."""
_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class ImpatientProtocol(H11Protocol):
    """HTTP/1.1 as uvicorn speaks it, with a deadline for every request's head."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        super().connection_lost(exc)

    def _watch(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            self._forget()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(HEAD_S, self._give_up)

    def _forget(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        # A WebSocket has taken the connection over; or a request came in the same moment.
        taken_over = self.transport.get_protocol() is not self
        under_way = self.cycle is not None and not self.cycle.response_complete
        if taken_over or under_way or self.transport.is_closing():
            return
        self.transport.write(_TOO_SLOW)
        self.transport.close()
