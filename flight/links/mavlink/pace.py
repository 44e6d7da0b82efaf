"""How far a transfer goes ahead of its answers, and how long it waits for them, learned from the link."""

from __future__ import annotations

WINDOW = 20
"""Items on the way at first: 1 kB, a seventh of a second on a 57600 baud radio."""
SMALLEST_WINDOW = 10
"""On a radio most losses are noise: going slower than this would not mend them."""
LARGEST_WINDOW = 40
"""2 kB: an abort waits no longer than a third of a second behind them on such a radio."""
SHORTEST_S = 0.01
ROUND_TRIP_S = 0.3
"""Taken for the round trip until it is measured."""


class Pace:
    """How far to go ahead, and how long to wait, on this link."""

    def __init__(self, window: int) -> None:
        self.window = float(window)
        self._largest = max(window, LARGEST_WINDOW) if window > 1 else 1
        self._smallest = min(window, SMALLEST_WINDOW)
        self._lossless = True
        self.round_trip_s = ROUND_TRIP_S
        self._asked_s = 0.0
        self._asked = 0
        self._lost_s: float | None = None

    def asked(self, now_s: float) -> None:
        """The opening question was sent (again)."""
        self._asked_s = now_s
        self._asked += 1

    def answered(self, now_s: float) -> None:
        """Its answer came: it measures the round trip, unless it may belong to an earlier question."""
        if self._asked == 1:
            self.round_trip_s = max(SHORTEST_S, now_s - self._asked_s)

    def took(self, round_trip_s: float) -> None:
        """Something that was sent once was answered after this time. The shortest is believed: a lost
        answer makes a round trip look longer, nothing makes it look shorter."""
        self.round_trip_s = max(SHORTEST_S, min(self.round_trip_s, round_trip_s))

    def advanced(self) -> None:
        """An item has arrived: one more fits on the way; after a loss, one more each round trip."""
        step = 1.0 if self._lossless else 1.0 / self.window
        self.window = min(self._largest, self.window + step)

    def lost(self, now_s: float) -> bool:
        """Something is missing. False: that is known, what was sent for it has not had time to arrive."""
        if self._lost_s is not None and now_s - self._lost_s < self.round_trip_s:
            return False
        self._lost_s = now_s
        self._lossless = False
        self.window = max(self._smallest, self.window * 0.7)
        return True

    @property
    def timeout_s(self) -> float:
        """Silence after which something must have been lost."""
        return min(3.0, max(0.4, 1.5 * self.round_trip_s + 0.15))
