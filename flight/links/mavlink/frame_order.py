"""Tells a frame that was overtaken on its way from the newest one, by the sender's count of frames.

A late HEARTBEAT would otherwise turn «armed» back, a late position the drone. The count has 8 bits: half
of it is «newer», the other half «older», so it says nothing after a silence in which it may have gone
round; then the next frame is taken as it comes.
"""

from __future__ import annotations

TRUST_S = 0.25
"""The count means something this long after the last frame that was read: less than half a round of it at 500
frames a second, the unread ones included; what we ask for comes at 24."""
HALF = 128
_MAGIC_V1 = 0xFE


class FrameOrder:
    """The order of one vehicle's frames."""

    def __init__(self) -> None:
        self._last = 0
        self._last_s: float | None = None

    def is_overtaken(self, raw: bytes, now_s: float) -> bool:
        """Whether a newer frame came before this one. A frame that comes twice is not overtaken by itself."""
        sequence = raw[2] if raw[0] == _MAGIC_V1 else raw[4]
        if (
            self._last_s is not None
            and now_s - self._last_s <= TRUST_S
            and (sequence - self._last) & 0xFF > HALF
        ):
            return True
        self._last, self._last_s = sequence, now_s
        return False
