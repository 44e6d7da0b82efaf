"""One MAVLink conversation of a simulated vehicle: framing both ways and its own message rates.

pymavlink is the codec. Frames are gathered into datagrams of at most 1200 bytes, so that one system
call carries what one step produced.
"""

from __future__ import annotations

import math
import struct
from typing import Any

from fastcrc.crc16 import mcrf4xx
from pymavlink.dialects.v20 import ardupilotmega as mavlink

from sitl.wire import Spoken

DATAGRAM_BYTES = 1200
"""Fits any path MTU that carries UDP without fragments."""
WAITING_DATAGRAMS_MAX = 4096
"""A peer that never reads loses the oldest, as a radio's buffer would."""

_HEADER = struct.Struct("<BBBBBBHB").pack
"""Length, incompatible and compatible flags, sequence, system, component, message id: the guide's header."""

_SEEDS = tuple(bytes((seed,)) for seed in range(256))


def _payload(codec: mavlink.MAVLink, crc_extra: int, payload: bytes, force_mavlink1: bool = False) -> bytes:
    """In the place of a message's own framing: only its payload."""
    return payload


class Channel:
    """Encoder, decoder and stream timetable towards one peer."""

    def __init__(self, system_id: int, component_id: int = 1) -> None:
        self._codec = mavlink.MAVLink(None, srcSystem=system_id, srcComponent=component_id)
        self._codec.robust_parsing = True
        self.intervals_s: dict[int, float] = {}
        self.due_s: dict[int, float] = {}
        self.shortest_interval_s = 1.0
        self._next_due_s = math.inf
        self.greeted = False
        """Whether the default streams were set up."""
        self.gcs_heard_s: float | None = None
        """Last heartbeat of a ground station here, vehicle time; PX4 sends texts only where there is one."""
        self._frames: list[bytes] = []
        self._size = 0
        self._datagrams: list[bytes] = []

    def decode(self, data: bytes) -> list[Any]:
        """Messages in ``data``; corrupt frames are dropped as a receiver drops them."""
        messages = self._codec.parse_buffer(data) or []
        return [message for message in messages if message.get_msgId() >= 0]

    def send(self, message: Any) -> None:
        if type(message) is Spoken:
            kind = message.kind
            frame = self._frame(kind.message_id, kind.crc_extra, kind.payload(message.values))
        else:
            # pymavlink lays out the payload; its generic framing costs more than all the rest of a message.
            message._pack = _payload
            # The class knows its id: some messages have a field of that name.
            frame = self._frame(type(message).id, message.crc_extra, message.pack(self._codec))
        if self._size + len(frame) > DATAGRAM_BYTES:
            self._flush()
        self._frames.append(frame)
        self._size += len(frame)

    def _frame(self, message_id: int, crc_extra: int, payload: bytes) -> bytes:
        """MAVLink 2, unsigned; trailing zero bytes of a payload are not sent, but for the first."""
        codec = self._codec
        sent = payload.rstrip(b"\0") or payload[:1]
        header = _HEADER(
            len(sent),
            0,
            0,
            codec.seq,
            codec.srcSystem,
            codec.srcComponent,
            message_id & 0xFFFF,
            message_id >> 16,
        )
        codec.seq = (codec.seq + 1) % 256
        body = header + sent
        return b"\xfd" + body + mcrf4xx(body + _SEEDS[crc_extra]).to_bytes(2, "little")

    def _flush(self) -> None:
        if self._frames:
            self._datagrams.append(b"".join(self._frames))
            self._frames.clear()
            self._size = 0
            if len(self._datagrams) > WAITING_DATAGRAMS_MAX:
                del self._datagrams[:-WAITING_DATAGRAMS_MAX]

    def take_outgoing(self) -> list[bytes]:
        self._flush()
        datagrams, self._datagrams = self._datagrams, []
        return datagrams

    # --- streams ------------------------------------------------------------------------------
    def set_interval(self, message_id: int, interval_s: float | None, now_s: float) -> None:
        """None stops the message."""
        if interval_s is None:
            self.intervals_s.pop(message_id, None)
            self.due_s.pop(message_id, None)
        else:
            self.intervals_s[message_id] = interval_s
            self.due_s[message_id] = now_s
            self._next_due_s = min(self._next_due_s, now_s)
        self.shortest_interval_s = min(self.intervals_s.values(), default=1.0)

    def take_due(self, now_s: float) -> list[int]:
        """Message ids whose time has come; each is then due one interval later, without drift."""
        if now_s + 1e-9 < self._next_due_s:
            return []
        due = [message_id for message_id, at_s in self.due_s.items() if at_s <= now_s + 1e-9]
        for message_id in due:
            at_s = self.due_s[message_id] + self.intervals_s[message_id]
            self.due_s[message_id] = at_s if at_s > now_s else now_s + self.intervals_s[message_id]
        self._next_due_s = min(self.due_s.values(), default=math.inf)
        return due
