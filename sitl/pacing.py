"""Simulated time paced against a clock: exact on average, catching up after a delay, never drifting."""

from __future__ import annotations

import time
from collections.abc import Callable

LONGEST_JUMP_S = 2.0
"""Chosen: after a longer standstill (a suspended machine) real seconds are skipped, and counted."""


class Pacer:
    """Says how much simulated time is due.

    Due time is computed from the start, not from the last call, so that rounding and late wake-ups never
    add up.
    """

    def __init__(self, speedup: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        if not speedup > 0:
            raise ValueError(f"speedup must be positive, got {speedup}")
        self.speedup = speedup
        self._clock = clock
        self._start_s = clock()
        self._given_s = 0.0
        self.skipped_s = 0.0
        """Real seconds given up on because the machine stood still or is too slow."""

    def due_s(self) -> float:
        """Simulated seconds owed since the last call."""
        elapsed_s = self._clock() - self._start_s - self.skipped_s
        owed_s = elapsed_s * self.speedup - self._given_s
        most_s = LONGEST_JUMP_S * self.speedup
        if owed_s > most_s:
            self.skipped_s += (owed_s - most_s) / self.speedup
            owed_s = most_s
        self._given_s += owed_s
        return owed_s
