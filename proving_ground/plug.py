"""The way between an agent and a real autopilot, with the same bad radio in it that simulated vehicles have.

Faults of the link are ours to make: what happens to a datagram is :mod:`sitl.faults.link`'s business there and here.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable

from core.clock import Clock
from flight.links.transport import OnData, Transport
from sitl.faults.link import Attacker, Link

CARRY_S = 0.05
"""How often late datagrams are looked for, vehicle seconds: finer than any lateness that a fault asks for."""
_MAGIC_V1, _MAGIC_V2, _SIGNED = 0xFE, 0xFD, 0x01
_WAITS_MAX = 4096
"""A stream that holds no frame in so many bytes carries something else: pass it on as it is."""


class Radio:
    """What is wrong with one drone's link at the moment. Outlives plugs: a hub that restarts keeps its bad radio."""

    def __init__(self, clock: Clock, chance: random.Random, system_id: int) -> None:
        self.active: dict[str, float] = {}
        """Fault → strength."""
        self.down = Link(chance, self.active)
        self.up = Link(chance, self.active)
        self.attacker = Attacker(chance, self.active, system_id)
        self._clock = clock

    @property
    def now_s(self) -> float:
        """The clock of everything that is late here."""
        return self._clock.monotonic_s()

    @property
    def is_plain(self) -> bool:
        """Whether every byte passes at once."""
        return not self.active and self.down.is_plain and self.up.is_plain


class Plug:
    """A transport of :mod:`flight.links` to a real autopilot, through a :class:`Radio`, that an observer may tap."""

    def __init__(self, inner: Transport, radio: Radio, tap: OnData | None) -> None:
        self._inner, self._radio, self._tap = inner, radio, tap
        self._rest = b""
        self._peer: Hashable = None
        self._on_data: OnData | None = None

    @property
    def datagrams(self) -> bool:
        return self._inner.datagrams

    async def open(self, on_data: OnData, on_closed: Callable[[str], None]) -> None:
        self._on_data = on_data
        await self._inner.open(self._arrive, on_closed)

    def _arrive(self, data: bytes, peer: Hashable) -> None:
        if self._tap is not None:
            self._tap(data, peer)
        self._peer = peer
        radio = self._radio
        if not self.datagrams:
            # A radio loses packets, not pieces of a stream that begin anywhere.
            data, self._rest = whole_frames(self._rest + data)
        radio.attacker.hear(data)
        if radio.is_plain:
            self._hand(data)
        else:
            radio.down.send(0, data, radio.now_s)

    def send(self, data: bytes, peer: Hashable) -> None:
        if self._radio.is_plain:
            self._inner.send(data, peer)
        else:
            self._radio.up.send(0, data, self._radio.now_s)

    def carry(self, step_s: float) -> None:
        """Bring what is late and has arrived by now, and what an attacker sends."""
        radio = self._radio
        for _, data in radio.down.take(radio.now_s):
            self._hand(data)
        for _, data in radio.up.take(radio.now_s):
            self._inner.send(data, self._peer)
        for frame in radio.attacker.attack(step_s, round(radio.now_s * 1000)):
            self._hand(frame)

    def _hand(self, data: bytes) -> None:
        if data and self._on_data is not None:
            self._on_data(data, self._peer)

    async def close(self) -> None:
        self._on_data = None
        await self._inner.close()


def whole_frames(stream: bytes) -> tuple[bytes, bytes]:
    """Cut a stream behind its last whole MAVLink frame: (what may pass, what must wait for more)."""
    at = 0
    while at < len(stream):
        length = _frame_length(stream, at)
        if length is None or at + length > len(stream):
            break
        at += length
    if len(stream) - at > _WAITS_MAX:
        return stream, b""
    return stream[:at], stream[at:]


def _frame_length(stream: bytes, at: int) -> int | None:
    """Bytes of the frame that begins here; 1 where none begins; None where that can't be told yet."""
    if stream[at] not in (_MAGIC_V1, _MAGIC_V2):
        return 1
    if len(stream) - at < 3:
        return None
    if stream[at] == _MAGIC_V1:
        return stream[at + 1] + 8
    return stream[at + 1] + 12 + (13 if stream[at + 2] & _SIGNED else 0)
