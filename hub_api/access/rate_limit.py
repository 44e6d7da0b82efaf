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

    def take(self, name: str) -> int | None:
        """None if the request may pass, else the whole seconds to wait (at least 1)."""
        now_s = self._clock.monotonic_s()
        left, seen_s = self._buckets.pop(name, (self._burst, now_s))
        left = min(self._burst, left + (now_s - seen_s) * self._rate_per_s)
        allowed = left >= 1.0
        self._buckets[name] = (left - 1.0 if allowed else left, now_s)
        while len(self._buckets) > MOST_CLIENTS:
            self._buckets.popitem(last=False)
        return None if allowed else max(1, math.ceil((1.0 - left) / self._rate_per_s))
