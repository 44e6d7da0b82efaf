"""Ways for bytes to reach a vehicle: UDP in, UDP out, TCP, serial (:mod:`flight.links.address`).

A transport only carries bytes; it neither parses nor trusts them.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Hashable
from typing import Any

from core.errors import ErrorCode, LinkError
from flight.links.address import LinkAddress
from flight.links.address import parse_link as parse_link
from flight.links.serial_port import SerialTransport
from flight.links.transport import OnData
from flight.links.transport import Transport as Transport
from flight.links.transport import TransportFactory as TransportFactory

DRAIN_LIMIT = 64
"""Datagrams read in one go before other work gets its turn (measured: no loss at 60 k messages/s)."""
RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024


def open_transport(link: str) -> Transport:
    """The (closed) transport for a link string."""
    address = parse_link(link)
    if address.scheme == "tcp":
        return TcpTransport(address)
    if address.scheme == "serial":
        return SerialTransport(address)
    return UdpTransport(address)


class UdpTransport:
    """UDP with the socket drained in batches by the loop's reader callback."""

    datagrams = True

    def __init__(self, address: LinkAddress) -> None:
        self._address = address
        self._socket: socket.socket | None = None
        self._on_data: OnData | None = None

    async def open(self, on_data: OnData, on_closed: Callable[[str], None]) -> None:
        loop = asyncio.get_running_loop()
        address = self._address
        try:
            found = await loop.getaddrinfo(address.host, address.port, type=socket.SOCK_DGRAM)
            family, kind, protocol, _, where = found[0]
            self._socket = socket.socket(family, kind, protocol)
            self._socket.setblocking(False)
            with contextlib.suppress(OSError):
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
            if address.scheme == "udpin":
                self._socket.bind(where)
            else:
                if address.source_port is not None:
                    self._socket.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", address.source_port))
                self._socket.connect(where)
        except OSError as error:
            await self.close()
            raise LinkError(ErrorCode.LINK_UNREACHABLE, f"{address}: {error.strerror or error}") from error
        self._on_data = on_data
        loop.add_reader(self._socket.fileno(), self._drain)

    def _drain(self) -> None:
        for _ in range(DRAIN_LIMIT):
            if self._socket is None or self._on_data is None:
                return
            try:
                data, peer = self._socket.recvfrom(65535)
            except BlockingIOError:
                return
            except OSError:
                # A connected UDP socket reports the peer's closed port here; the vehicle may come back.
                return
            self._on_data(data, peer if self._address.scheme == "udpin" else None)

    def send(self, data: bytes, peer: Hashable) -> None:
        if self._socket is None:
            return
        with contextlib.suppress(OSError):
            if self._address.scheme == "udpout":
                self._socket.send(data)
            elif isinstance(peer, tuple):
                self._socket.sendto(data, peer)

    async def close(self) -> None:
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket.fileno())
            self._socket.close()
            self._socket = None


class _TcpProtocol(asyncio.Protocol):
    def __init__(self, on_data: OnData, on_closed: Callable[[str], None]) -> None:
        self._on_data, self._on_closed = on_data, on_closed

    def data_received(self, data: bytes) -> None:
        self._on_data(data, None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._on_closed("connection closed" if exc is None else str(exc))


class TcpTransport:
    """A TCP client, as ArduPilot's simulator serves it (one client for each port)."""

    datagrams = False

    CONNECT_TIMEOUT_S = 5.0
    """Real seconds: the handshake happens in the network, not in the vehicle's time."""
    BACKLOG_LIMIT_BYTES = 1_000_000
    """More than this unsent means that the other side no longer reads: better to lose than to queue."""

    def __init__(self, address: LinkAddress) -> None:
        self._address = address
        self._transport: Any = None

    async def open(self, on_data: OnData, on_closed: Callable[[str], None]) -> None:
        loop = asyncio.get_running_loop()
        address = self._address
        try:
            async with asyncio.timeout(self.CONNECT_TIMEOUT_S):
                self._transport, _ = await loop.create_connection(
                    lambda: _TcpProtocol(on_data, on_closed), address.host, address.port
                )
        except (OSError, TimeoutError) as error:
            raise LinkError(ErrorCode.LINK_UNREACHABLE, f"{address}: {error or 'timed out'}") from error
        connected = self._transport.get_extra_info("socket")
        if connected is not None:
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data: bytes, peer: Hashable) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if transport.get_write_buffer_size() < self.BACKLOG_LIMIT_BYTES:
            transport.write(data)

    async def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
            self._transport = None
