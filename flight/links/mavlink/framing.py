"""Bytes ⇄ MAVLink frames: one parser for each peer, never shared.

A parser keeps what is left of the stream, resynchronises after garbage, verifies the CRC with the
message's seed, has the signature judged (:mod:`flight.links.mavlink.signing`), and unpacks only the
message ids that somebody wants; the others are checked for their CRC and counted. Sources are not
trusted: the caller filters on :attr:`Message.system_id`. Layout: MAVLink 2 serialisation guide (magic
0xFD, 10 bytes header, CRC-16/MCRF4XX over header without magic, payload and CRC_EXTRA, optional 13
bytes of signature; MAVLink 1 has magic 0xFE and 6 bytes of header).

Two ways lead to the same messages: a loop in Python, best for a datagram with one frame, and a compiled
kernel for chunks with many (:mod:`flight.links.mavlink.kernel`). A test holds them to each other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from struct import Struct
from typing import Any, Protocol

import numpy as np
from fastcrc import crc16

from flight.links.mavlink import kernel
from flight.links.mavlink.dialect import BY_NAME, LAYOUTS, pack_payload
from flight.links.mavlink.dialect import Message as Message

_MAGIC_V2 = 0xFD
_MAGIC_V1 = 0xFE
FLAG_SIGNED = 0x01
SIGNATURE_BYTES = 13
KERNEL_FROM_BYTES = 512
"""From here on the compiled kernel's call pays (measured: about ten frames)."""
_mcrf4xx = crc16.mcrf4xx
_header_v2 = Struct("<BBBBBBHB").unpack_from


class Judge(Protocol):
    """Decides whether a frame that is whole comes from whom it says."""

    def admits(self, system_id: int, component_id: int, raw: bytes, signed: bool) -> bool:
        """Called once for each wanted frame with a good CRC, in the order of their arrival."""
        ...


class Signer(Protocol):
    """Signs what we send."""

    def sign(self, frame: bytes) -> bytes:
        """The 13 bytes that follow ``frame`` (whose header says that it is signed)."""
        ...


@dataclass(slots=True)
class ParserCounts:
    """What went through a parser, for link quality."""

    frames: int = 0
    unwanted: int = 0
    unknown_ids: int = 0
    bad_crc: int = 0
    garbage_bytes: int = 0
    not_admitted: int = 0


_SHAPES = tuple(
    (layout.packer.unpack_from, layout.gather, layout.message, layout.packer.size, bytes((layout.crc_extra,)))
    for layout in LAYOUTS.values()
)
_BY_ID = {msg_id: (*_SHAPES[row], row) for row, msg_id in enumerate(kernel.IDS)}


class _Keys(dict[int, tuple[Any, ...]]):
    """What the kernel's keys mean: system id, component id, signed, unpack_from, gather, class."""

    def __missing__(self, key: int) -> tuple[Any, ...]:
        unpack_from, gather, message, _, _ = _SHAPES[key >> 17]
        meaning = (key >> 9 & 0xFF, key >> 1 & 0xFF, bool(key & 1), unpack_from, gather, message)
        self[key] = meaning
        return meaning


_KEYS = _Keys()


class FrameParser:
    """Turns a byte stream, or datagrams, of one peer into messages.

    ``wanted`` names the messages to unpack (None: all). ``judge`` decides about signatures (None: frames
    are taken signed or not, and signatures are not looked at).
    """

    def __init__(self, wanted: frozenset[str] | None = None, judge: Judge | None = None) -> None:
        ids = kernel.IDS if wanted is None else {BY_NAME[name].msg_id for name in wanted}
        self._wanted = np.array([msg_id in ids for msg_id in kernel.IDS], dtype=np.bool_)
        self._is_wanted: list[bool] = self._wanted.tolist()
        self._judge = judge
        self._rest = b""
        self.counts = ParserCounts()

    def feed(self, data: bytes) -> list[Message]:
        """The messages completed by ``data``. Never raises, whatever the bytes are."""
        if self._rest:
            data = self._rest + data
        found: list[Message] = []
        stopped = self._take(data, False, found.append)
        self._rest = data[stopped:]
        return found

    def feed_datagram(self, data: bytes) -> list[Message]:
        """The messages of one datagram. What is left incomplete never gets its rest: it is searched
        again behind each false start and then dropped."""
        found: list[Message] = []
        self._take(data, True, found.append)
        return found

    def _take(self, data: bytes, final: bool, found: Callable[[Message], None]) -> int:
        if len(data) >= KERNEL_FROM_BYTES:
            compiled = kernel.loaded()
            if compiled is not None:
                return self._take_compiled(compiled, data, final, found)
        return self._take_plain(data, final, found)

    def _take_compiled(
        self, compiled: kernel.Kernel, data: bytes, final: bool, found: Callable[[Message], None]
    ) -> int:
        at, end = 0, len(data)
        counts, keys, payloads = self.counts, _KEYS, compiled.payloads
        admits = None if self._judge is None else self._judge.admits
        new = tuple.__new__
        while at < end:
            columns, stopped, seen = compiled.scan(data, at, final, self._wanted)
            counts.garbage_bytes += seen[kernel.GARBAGE]
            counts.bad_crc += seen[kernel.BAD_CRC]
            counts.unknown_ids += seen[kernel.UNKNOWN_ID]
            counts.frames += seen[kernel.FRAMES]
            counts.unwanted += seen[kernel.UNWANTED]
            for key, place, start, stop in zip(*columns):  # noqa: B905 - columns of one array
                system_id, component_id, signed, unpack_from, gather, message = keys[key]
                raw = data[start:stop]
                if admits is not None and not admits(system_id, component_id, raw, signed):
                    counts.not_admitted += 1
                    continue
                flat = unpack_from(payloads, place)
                if gather is not None:
                    flat = gather(flat)
                found(new(message, flat + (system_id, component_id, raw)))  # noqa: RUF005 - half the time
            if stopped == at:
                break
            at = stopped
        return at

    def _take_plain(self, data: bytes, final: bool, found: Callable[[Message], None]) -> int:
        counts, judge, is_wanted = self.counts, self._judge, self._is_wanted
        by_id, crc_of = _BY_ID, _mcrf4xx
        at, end = 0, len(data)
        while at < end:
            magic = data[at]
            if magic == _MAGIC_V2:
                frame_end = end + 1
                if end - at >= 12:
                    length, flags, _, _, system_id, component_id, low, high = _header_v2(data, at + 1)
                    if flags > FLAG_SIGNED:
                        # Unknown incompatibility flags: the specification asks to drop the packet.
                        at += 1
                        counts.garbage_bytes += 1
                        continue
                    payload_at = at + 10
                    body_end = payload_at + length
                    frame_end = body_end + 2 + flags * SIGNATURE_BYTES
                    msg_id = low | high << 16
            elif magic == _MAGIC_V1:
                frame_end = end + 1
                if end - at >= 8:
                    flags = 0
                    system_id, component_id, msg_id = data[at + 3 : at + 6]
                    payload_at = at + 6
                    body_end = payload_at + data[at + 1]
                    frame_end = body_end + 2
            else:
                at += 1
                counts.garbage_bytes += 1
                continue
            if frame_end > end:
                if not final:
                    break
                at += 1
                counts.garbage_bytes += 1
                continue
            layout = by_id.get(msg_id)
            if layout is None:
                # Its CRC cannot be checked without the seed. Trusting the length could swallow a
                # good frame, so only the magic is skipped.
                counts.unknown_ids += 1
                at += 1
                continue
            unpack_from, gather, message, size, extra, row = layout
            if crc_of(data[at + 1 : body_end] + extra) != data[body_end] | data[body_end + 1] << 8:
                counts.bad_crc += 1
                at += 1
                continue
            counts.frames += 1
            if is_wanted[row]:
                raw = data[at:frame_end]
                if judge is None or judge.admits(system_id, component_id, raw, flags == FLAG_SIGNED):
                    if body_end - payload_at < size:
                        payload = data[payload_at:body_end] + bytes(size - body_end + payload_at)
                        flat = unpack_from(payload)
                    else:
                        flat = unpack_from(data, payload_at)
                    if gather is not None:
                        flat = gather(flat)
                    tail = (system_id, component_id, raw)
                    found(tuple.__new__(message, flat + tail))
                else:
                    counts.not_admitted += 1
            else:
                counts.unwanted += 1
            at = frame_end
        return at


class FrameWriter:
    """Packs messages of one sender; counts the sequence number that receivers use to see loss.

    One writer for each link: its receivers see one sequence. ``signer`` signs a frame for its vehicle.
    """

    def __init__(self, system_id: int, component_id: int) -> None:
        self._system_id = system_id
        self._component_id = component_id
        self._sequence = 0

    def pack(self, name: str, *, signer: Signer | None = None, **values: Any) -> bytes:
        """One MAVLink 2 frame. KeyError: unknown name; struct.error: a value that does not fit."""
        layout = BY_NAME[name]
        payload = pack_payload(name, values)
        header = bytes(
            (
                len(payload),
                0 if signer is None else FLAG_SIGNED,
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
        frame = bytes((_MAGIC_V2,)) + header + payload + bytes((crc & 0xFF, crc >> 8))
        return frame if signer is None else frame + signer.sign(frame)
