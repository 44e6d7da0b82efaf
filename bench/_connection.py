"""A client that costs little: one kept-alive connection, a request at a time, the body as bytes.

The load shares the machine with what it measures, and a full client takes longer over an answer than the hub may.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import urlsplit

LARGEST_HEAD = 1 << 16


class Connection:
    """HTTP/1.1 to one address, with an API key."""

    def __init__(self, url: str, key: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None
        self._address = (parts.hostname, parts.port)
        self._key = key
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, path: str, body: dict[str, Any], idempotency_key: str) -> tuple[int, bytes]:
        """Status and body of the answer. A connection that was closed while it was idle is opened again."""
        reused = self._streams is not None
        try:
            return await self._post(path, body, idempotency_key)
        except (asyncio.IncompleteReadError, ConnectionError):
            if not reused:
                raise
            self.close()
            return await self._post(path, body, idempotency_key)

    async def _post(self, path: str, body: dict[str, Any], idempotency_key: str) -> tuple[int, bytes]:
        if self._streams is None:
            self._streams = await asyncio.open_connection(*self._address, limit=LARGEST_HEAD)
        reader, writer = self._streams
        content = json.dumps(body).encode()
        lines = (
            f"POST {path} HTTP/1.1",
            "Host: hub",
            f"X-API-Key: {self._key}",
            f"Idempotency-Key: {idempotency_key}",
            "Content-Type: application/json",
            f"Content-Length: {len(content)}",
        )
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + content)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = next(line for line in head.split(b"\r\n") if line.startswith(b"content-length:"))
        return int(head.split()[1]), await reader.readexactly(int(length.split(b":")[1]))

    def close(self) -> None:
        """Hang up."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None
