"""One MAVLink conversation of a simulated vehicle: framing both ways and its own message rates.

pymavlink is the codec. Frames are gathered into datagrams of at most 1200 bytes, so that one system
call carries what one step produced.
"""

from __future__ import annotations

from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mavlink

DATAGRAM_BYTES = 1200
"""Fits any path MTU that carries UDP without fragments."""
WAITING_DATAGRAMS_MAX = 4096
"""A peer that never reads loses the oldest, as a radio's buffer would."""


class Channel:
    """Encoder, decoder and stream timetable towards one peer."""

    def __init__(self, system_id: int, component_id: int = 1) -> None:
        self._codec = mavlink.MAVLink(None, srcSystem=system_id, srcComponent=component_id)
        self._codec.robust_parsing = True
        self.intervals_s: dict[int, float] = {}
        self.due_s: dict[int, float] = {}
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
        frame: bytes = message.pack(self._codec)
        self._codec.seq = (self._codec.seq + 1) % 256
        if self._size + len(frame) > DATAGRAM_BYTES:
            self._flush()
        self._frames.append(frame)
        self._size += len(frame)

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

    def take_due(self, now_s: float) -> list[int]:
        """Message ids whose time has come; each is then due one interval later, without drift."""
        due = [message_id for message_id, at_s in self.due_s.items() if at_s <= now_s + 1e-9]
        for message_id in due:
            at_s = self.due_s[message_id] + self.intervals_s[message_id]
            self.due_s[message_id] = at_s if at_s > now_s else now_s + self.intervals_s[message_id]
        return due

    @property
    def shortest_interval_s(self) -> float:
        return min(self.intervals_s.values(), default=1.0)
