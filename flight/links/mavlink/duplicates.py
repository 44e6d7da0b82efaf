"""Notices that a system id has two owners. Whoever commands such an id commands both.

Two signs: two addresses speak under it (the link notices), or, where there is one address only (a radio,
a serial line), the boot clock jumps back and forth because two vehicles booted at different times.
"""

from __future__ import annotations

from collections import deque

from flight.links.mavlink.framing import Message

REBOOTS = 3
WITHIN_S = 10.0
"""No autopilot boots three times in ten seconds: ArduCopter needs 1 s to its first message and about 40 s
to anything useful."""
HOLD_S = 15.0
"""A conflict stands for this long after its last sign; longer than a slow stream's period."""


class DuplicateWatch:
    """The signs for one vehicle."""

    def __init__(self) -> None:
        self._reason: str | None = None
        self._noted_s = 0.0
        self._reboots_s: deque[float] = deque(maxlen=REBOOTS)

    def note(self, reason: str, now_s: float) -> None:
        """A sign that somebody else saw."""
        self._reason, self._noted_s = reason, now_s

    def note_reboot(self, system_id: int, now_s: float) -> None:
        """The boot clock fell back."""
        self._reboots_s.append(now_s)
        if len(self._reboots_s) == REBOOTS and now_s - self._reboots_s[0] <= WITHIN_S:
            self.note(
                f"two vehicles answer as system {system_id}: the boot clock jumps back and forth", now_s
            )

    def note_late(self, system_id: int, message: Message, boot_s: float, now_s: float) -> None:
        """A frame that looks overtaken. Packets are seconds late at most; a boot clock that is further off
        belongs to another vehicle, whose own count of frames made it look so."""
        boot_ms = getattr(message.fields, "time_boot_ms", None)
        if boot_ms is not None and abs(boot_ms / 1000.0 - boot_s) > WITHIN_S:
            self.note_reboot(system_id, now_s)

    def conflict(self, now_s: float) -> str | None:
        """The reason, as long as it stands."""
        if self._reason is not None and now_s - self._noted_s > HOLD_S:
            self._reason = None
        return self._reason
