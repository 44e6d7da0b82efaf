"""Framing and CRC of a whole buffer in one compiled call; numba, optional.

Finds the frames of a chunk of bytes, checks their CRC and lays every wanted payload out at its full
length, so that Python only has to unpack. Sixty times faster than the same loop in Python, but a call
costs some microseconds: :mod:`flight.links.mavlink.framing` uses it for chunks that hold many frames,
and goes without it where it is not loaded. :func:`load` compiles (once; kept on disk), which takes
seconds: call it at start, never while vehicles fly.
"""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import numpy.typing as npt

from flight.links.mavlink.dialect import LAYOUTS

log = logging.getLogger(__name__)

COLUMNS = 4
"""Of a found frame: key, place of its payload, start, end. The key is
``row << 17 | system id << 9 | component id << 1 | signed``: few different ones in a stream, so what they
mean is looked up once."""
CAPACITY = 2048
"""Frames of one call; a caller goes on where the call stopped."""
LARGEST_PAYLOAD_BYTES = 255
UNKNOWN = -1

GARBAGE, BAD_CRC, UNKNOWN_ID, FRAMES, UNWANTED = range(5)
"""Places in the array of counts."""

IDS = tuple(LAYOUTS)
"""Message ids by row."""
ROWS = np.full(65536, UNKNOWN, dtype=np.int16)
"""Row by message id; no id of the dialect is larger."""
SIZES = np.array([layout.packer.size for layout in LAYOUTS.values()], dtype=np.int64)
EXTRAS = np.array([layout.crc_extra for layout in LAYOUTS.values()], dtype=np.uint8)
for _row, _msg_id in enumerate(IDS):
    ROWS[_msg_id] = _row


def _crc_table() -> npt.NDArray[np.uint16]:
    """CRC-16/MCRF4XX, a byte at a time: polynomial 0x1021 reflected (0x8408)."""
    table = np.zeros(256, dtype=np.uint16)
    for value in range(256):
        crc = value
        for _ in range(8):
            crc = crc >> 1 ^ (0x8408 if crc & 1 else 0)
        table[value] = crc
    return table


CRC_TABLE = _crc_table()


def _scan(data, at, final, wanted, rows, sizes, extras, crc_table, payloads, found, counts):  # type: ignore[no-untyped-def]
    """Frames of ``data`` from ``at``: (number found, where it stopped).

    ``final``: nothing follows, so an unfinished frame is garbage and is searched again behind its start.
    """
    end = data.shape[0]
    number = 0
    place = 0
    while at < end and number < found.shape[1]:
        magic = data[at]
        signed = np.int64(0)
        if magic == 0xFD:
            header = 10
            smallest = 12
        elif magic == 0xFE:
            header = 6
            smallest = 8
        else:
            at += 1
            counts[GARBAGE] += 1
            continue
        body_end = frame_end = end + 1
        if end - at >= smallest:
            if magic == 0xFD:
                signed = np.int64(data[at + 2])
                if signed > 1:
                    # Unknown incompatibility flags: the specification asks to drop the packet.
                    at += 1
                    counts[GARBAGE] += 1
                    continue
            body_end = at + header + np.int64(data[at + 1])
            frame_end = body_end + 2 + 13 * signed
        if frame_end > end:
            if not final:
                break
            at += 1
            counts[GARBAGE] += 1
            continue
        if magic == 0xFD:
            system_id, component_id = data[at + 5], data[at + 6]
            msg_id = np.int64(data[at + 7]) | np.int64(data[at + 8]) << 8 | np.int64(data[at + 9]) << 16
        else:
            system_id, component_id = data[at + 3], data[at + 4]
            msg_id = np.int64(data[at + 5])
        row = np.int64(UNKNOWN)
        if msg_id < rows.shape[0]:
            row = np.int64(rows[msg_id])
        if row == UNKNOWN:
            # Without its seed the CRC can't be checked, and an unchecked length could swallow a good frame.
            at += 1
            counts[UNKNOWN_ID] += 1
            continue
        crc = np.uint16(0xFFFF)
        for place_of_byte in range(at + 1, body_end):
            crc = np.uint16((crc >> 8) ^ crc_table[(crc ^ data[place_of_byte]) & 0xFF])
        crc = np.uint16((crc >> 8) ^ crc_table[(crc ^ extras[row]) & 0xFF])
        if np.int64(crc) != np.int64(data[body_end]) | np.int64(data[body_end + 1]) << 8:
            at += 1
            counts[BAD_CRC] += 1
            continue
        counts[FRAMES] += 1
        if wanted[row]:
            size = sizes[row]
            length = min(body_end - at - header, size)
            for offset in range(length):
                payloads[place + offset] = data[at + header + offset]
            for offset in range(length, size):
                payloads[place + offset] = 0
            found[0, number] = row << 17 | np.int64(system_id) << 9 | np.int64(component_id) << 1 | signed
            found[1, number] = place
            found[2, number] = at
            found[3, number] = frame_end
            number += 1
            place += size
        else:
            counts[UNWANTED] += 1
        at = frame_end
    return number, at


class Kernel:
    """The compiled scan with its tables and its scratch memory; serves one caller at a time."""

    def __init__(self, scan: Any) -> None:
        self._scan = scan
        self.payloads = bytearray(CAPACITY * LARGEST_PAYLOAD_BYTES)
        self._payloads = np.frombuffer(self.payloads, dtype=np.uint8)
        self._found = np.zeros((COLUMNS, CAPACITY), dtype=np.int32)
        self._counts = np.zeros(5, dtype=np.int64)

    def scan(
        self, data: bytes, at: int, final: bool, wanted: npt.NDArray[np.bool_]
    ) -> tuple[list[list[int]], int, list[int]]:
        """Columns of the frames found, where the scan stopped, and the counts.

        The payloads are in :attr:`payloads` until the next call.
        """
        counts = self._counts
        counts[:] = 0
        view = np.frombuffer(data, dtype=np.uint8)
        number, stopped = self._scan(
            view, at, final, wanted, ROWS, SIZES, EXTRAS, CRC_TABLE, self._payloads, self._found, counts
        )
        return self._found[:, :number].tolist(), int(stopped), counts.tolist()


_loaded: Kernel | None = None


def loaded() -> Kernel | None:
    """The kernel, if :func:`load` was called and worked."""
    return _loaded


def load() -> Kernel | None:
    """Compile the kernel or take it from numba's cache. None where numba can't; Python then does the work."""
    global _loaded
    if _loaded is None:
        try:
            import numba

            if getattr(numba.config, "DISABLE_JIT", False):
                return None
            kernel = Kernel(numba.njit(cache=True, nogil=True)(_scan))
            kernel.scan(bytes(1), 0, True, np.ones(len(IDS), dtype=np.bool_))
        except Exception as error:  # a broken compiler must not keep vehicles from being heard
            log.warning(
                "MAVLink kernel not available, decoding in Python: %s: %s", type(error).__name__, error
            )
            return None
        _loaded = kernel
    return _loaded


def main() -> None:
    """``python -m flight.links.mavlink.kernel``: compile ahead of time."""
    load()


if __name__ == "__main__":
    main()
