"""A serial line (USB, telemetry radio) on the event loop, with nothing but the system's own calls."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import termios
import tty
from collections.abc import Callable, Hashable

from core.errors import ErrorCode, LinkError
from flight.links.address import LinkAddress
from flight.links.transport import OnData

READ_BYTES = 4096
READS_AT_ONCE = 16
"""Then other work gets its turn."""
BACKLOG_LIMIT_BYTES = 16_384
"""About three seconds of a 57600 baud line: older frames are worth nothing, so new ones are dropped."""


class SerialTransport:
    """8 data bits, no parity, 1 stop bit, no flow control. Taken for ourselves alone while it is open."""

    datagrams = False

    def __init__(self, address: LinkAddress) -> None:
        self._address = address
        self._descriptor: int | None = None
        self._backlog = bytearray()
        self._on_data: OnData | None = None
        self._on_closed: Callable[[str], None] | None = None
        self.dropped_frames = 0

    async def open(self, on_data: OnData, on_closed: Callable[[str], None]) -> None:
        address = self._address
        speed = getattr(termios, f"B{address.port}", None)
        if speed is None:
            raise LinkError(
                ErrorCode.LINK_ADDRESS_INVALID,
                f"{address.port} baud is no speed of this system's serial lines",
                field="link",
            )
        try:
            descriptor = os.open(address.host, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise LinkError(ErrorCode.LINK_UNREACHABLE, f"{address}: {error.strerror}") from error
        try:
            self._prepare(descriptor, speed)
        except (OSError, termios.error) as error:
            os.close(descriptor)
            raise LinkError(ErrorCode.LINK_UNREACHABLE, f"{address}: no serial line: {error}") from error
        self._descriptor, self._on_data, self._on_closed = descriptor, on_data, on_closed
        self._backlog.clear()
        asyncio.get_running_loop().add_reader(descriptor, self._read)

    @staticmethod
    def _prepare(descriptor: int, speed: int) -> None:
        # Two programs on one line would each get a part of every frame.
        fcntl.ioctl(descriptor, termios.TIOCEXCL)
        tty.setraw(descriptor, termios.TCSANOW)
        settings = termios.tcgetattr(descriptor)
        settings[2] = settings[2] & ~(termios.CSTOPB | termios.PARENB | termios.CRTSCTS)
        settings[2] |= termios.CLOCAL | termios.CREAD
        settings[4] = settings[5] = speed
        termios.tcsetattr(descriptor, termios.TCSANOW, settings)
        termios.tcflush(descriptor, termios.TCIOFLUSH)

    def _read(self) -> None:
        for _ in range(READS_AT_ONCE):
            if self._descriptor is None or self._on_data is None:
                return
            try:
                data = os.read(self._descriptor, READ_BYTES)
            except BlockingIOError:
                return
            except OSError as error:
                self._lost(error.strerror or str(error))
                return
            if not data:
                self._lost("the device is gone")
                return
            self._on_data(data, None)
            if len(data) < READ_BYTES:
                return

    def _lost(self, reason: str) -> None:
        on_closed = self._on_closed
        self._shut()
        if on_closed is not None:
            on_closed(f"{self._address}: {reason}")

    def send(self, data: bytes, peer: Hashable) -> None:
        if self._descriptor is None:
            return
        if len(self._backlog) + len(data) > BACKLOG_LIMIT_BYTES:
            # Whole frames only: half of one would spoil the next.
            self.dropped_frames += 1
            return
        waiting = bool(self._backlog)
        self._backlog += data
        if not waiting:
            self._write()

    def _write(self) -> None:
        descriptor = self._descriptor
        if descriptor is None:
            return
        loop = asyncio.get_running_loop()
        try:
            while self._backlog:
                written = os.write(descriptor, self._backlog)
                del self._backlog[:written]
        except BlockingIOError:
            loop.add_writer(descriptor, self._write)
            return
        except OSError as error:
            if error.errno != errno.EINTR:
                self._lost(error.strerror or str(error))
            return
        loop.remove_writer(descriptor)

    def _shut(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            loop = asyncio.get_running_loop()
            loop.remove_reader(descriptor)
            loop.remove_writer(descriptor)
            with contextlib.suppress(OSError):
                os.close(descriptor)

    async def close(self) -> None:
        self._on_closed = None
        self._shut()
