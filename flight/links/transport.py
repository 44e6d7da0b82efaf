"""What every way for bytes looks like."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Protocol

OnData = Callable[[bytes, Hashable], None]
"""Called with what arrived and from which peer (None where there is only one)."""


class Transport(Protocol):
    """One open way to one or more peers."""

    @property
    def datagrams(self) -> bool:
        """Whether every chunk is a datagram: complete in itself."""
        ...

    async def open(self, on_data: OnData, on_closed: Callable[[str], None]) -> None:
        """Start. Raises LinkError 1001 if there is no way."""
        ...

    def send(self, data: bytes, peer: Hashable) -> None:
        """Hand bytes over; they may be lost. ``peer`` None: the only one, or nobody yet."""
        ...

    async def close(self) -> None: ...


TransportFactory = Callable[[], Transport]
