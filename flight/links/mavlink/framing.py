"""Bytes ⇄ MAVLink frames: one parser for each peer, never shared.

A parser keeps its own buffer, resynchronises after garbage, verifies the CRC with the message's
seed, and unpacks only the message ids that somebody wants. Sources are not trusted: the caller
filters on :attr:`Message.system_id`. Layout: MAVLink 2 serialisation guide (magic 0xFD, 10 bytes
header, CRC-16/MCRF4XX over header without magic, payload and CRC_EXTRA, optional 13 bytes of
signature; MAVLink 1 has magic 0xFE and 6 bytes of header).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastcrc import crc16

from flight.links.mavlink.dialect import BY_NAME, LAYOUTS, pack_payload

_MAGIC_V2 = 0xFD
_MAGIC_V1 = 0xFE
_FLAG_SIGNED = 0x01
_mcrf4xx = crc16.mcrf4xx


@dataclass(frozen=True, slots=True)
class Message:
    """One received message: who says so, and what. ``fields`` is a namedtuple of MAVLink's own names."""

    name: str
    system_id: int
    component_id: int
    fields: Any
    raw: bytes


@dataclass(slots=True)
class ParserCounts:
    """What went through a parser, for link quality."""

    frames: int = 0
    unwanted: int = 0
    unknown_ids: int = 0
    bad_crc: int = 0
    garbage_bytes: int = 0


class FrameParser:
    """Turns a byte stream, or datagrams, of one peer into messages.

    ``wanted`` names the messages to unpack (None: all). Frames of other ids are checked for their
    CRC, counted and skipped.
    """

    def __init__(self, wanted: frozenset[str] | None = None) -> None:
        self._buffer = bytearray()
        self._wanted = None if wanted is None else frozenset(BY_NAME[name].msg_id for name in wanted)
        self.counts = ParserCounts()

    def feed(self, data: bytes) -> list[Message]:
        """The messages completed by ``data``. Never raises, whatever the bytes are."""
        buffer = self._buffer
        buffer += data
        found: list[Message] = []
        at = 0
        end = len(buffer)
        counts = self.counts
        while at < end:
            magic = buffer[at]
            if magic == _MAGIC_V2:
                if end - at < 12:
                    break
                length = buffer[at + 1]
                flags = buffer[at + 2]
                if flags & ~_FLAG_SIGNED:
                    # Unknown incompatibility flags: the specification asks to drop the packet.
                    at += 1
                    counts.garbage_bytes += 1
                    continue
                body_end = at + 10 + length
                frame_end = body_end + 2 + (13 if flags & _FLAG_SIGNED else 0)
                if frame_end > end:
                    break
                msg_id = buffer[at + 7] | buffer[at + 8] << 8 | buffer[at + 9] << 16
                system_id, component_id, payload_at = buffer[at + 5], buffer[at + 6], at + 10
            elif magic == _MAGIC_V1:
                if end - at < 8:
                    break
                length = buffer[at + 1]
                body_end = at + 6 + length
                frame_end = body_end + 2
                if frame_end > end:
                    break
                msg_id = buffer[at + 5]
                system_id, component_id, payload_at = buffer[at + 3], buffer[at + 4], at + 6
            else:
                at += 1
                counts.garbage_bytes += 1
                continue
            layout = LAYOUTS.get(msg_id)
            if layout is None:
                # Its CRC cannot be checked without the seed. Trusting the length could swallow a
                # good frame, so only the magic is skipped.
                counts.unknown_ids += 1
                at += 1
                continue
            crc = _mcrf4xx(bytes(buffer[at + 1 : body_end]) + bytes((layout.crc_extra,)))
            if crc != buffer[body_end] | buffer[body_end + 1] << 8:
                counts.bad_crc += 1
                at += 1
                continue
            counts.frames += 1
            if self._wanted is None or msg_id in self._wanted:
                payload = bytes(buffer[payload_at:body_end])
                raw = bytes(buffer[at:frame_end])
                found.append(Message(layout.name, system_id, component_id, layout.unpack(payload), raw))
            else:
                counts.unwanted += 1
            at = frame_end
        del buffer[:at]
        return found

    def feed_datagram(self, data: bytes) -> list[Message]:
        """The messages of one datagram. What is left incomplete never gets its rest: it is searched
        again behind each false start and then dropped."""
        found = self.feed(data)
        while self._buffer:
            del self._buffer[0]
            self.counts.garbage_bytes += 1
            found += self.feed(b"")
        return found


class FrameWriter:
    """Packs messages of one sender; counts the sequence number that receivers use to see loss."""

    def __init__(self, system_id: int, component_id: int) -> None:
        self._system_id = system_id
        self._component_id = component_id
        self._sequence = 0

    def pack(self, name: str, **values: Any) -> bytes:
        """One MAVLink 2 frame. KeyError: unknown name; struct.error: a value that does not fit."""
        layout = BY_NAME[name]
        payload = pack_payload(name, values)
        header = bytes(
            (
                len(payload),
                0,
                0,
                self._sequence,
                self._system_id,
                self._component_id,
                layout.msg_id & 0xFF,
                layout.msg_id >> 8 & 0xFF,
                layout.msg_id >> 16,
            )
        )
        self._sequence = (self._sequence + 1) & 0xFF
        crc = _mcrf4xx(header + payload + bytes((layout.crc_extra,)))
        return bytes((_MAGIC_V2,)) + header + payload + bytes((crc & 0xFF, crc >> 8))
