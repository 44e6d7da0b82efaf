"""How often a client may ask: a token bucket each, orders counted apart from everything else.

Orders have a bucket of their own, so that a dispatcher's screen that polls too often can never be the
reason why an AED is not ordered.
"""

from __future__ import annotations

import math
from collections import OrderedDict

from core.clock import Clock

MOST_CLIENTS = 10_000
"""Buckets kept; the one that was used longest ago goes first (it is full again by then)."""


class RateLimit:
    """Token buckets by name: ``rate_per_s`` refills, ``burst`` is the most at once."""

    def __init__(self, clock: Clock, *, rate_per_s: float, burst: int) -> None:
        self._clock = clock
        self._rate_per_s = rate_per_s
        self._burst = float(burst)
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, name: str) -> int | None:
        """What :meth:`take` would answer, without taking."""
        left = self._left(name)
        return None if left >= 1.0 else self._until_one(left)

    def _left(self, name: str) -> float:
        left, seen_s = self._buckets.get(name, (self._burst, 0.0))
        return min(self._burst, left + (self._clock.monotonic_s() - seen_s) * self._rate_per_s)

    def _until_one(self, left: float) -> int:
        return max(1, math.ceil((1.0 - left) / self._rate_per_s))

    def give_back(self, name: str) -> None:
        """What was taken turned out not to count."""
        self._buckets[name] = (min(self._burst, self._left(name) + 1.0), self._clock.monotonic_s())

    def take(self, name: str) -> int | None:
        """None if the request may pass, else the whole seconds to wait (at least 1)."""
        left = self._left(name)
        allowed = left >= 1.0
        self._buckets.pop(name, None)
        self._buckets[name] = (left - 1.0 if allowed else left, self._clock.monotonic_s())
        while len(self._buckets) > MOST_CLIENTS:
            self._buckets.popitem(last=False)
        return None if allowed else self._until_one(left)
