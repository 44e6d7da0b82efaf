"""Time as a port, so that the same code runs in real, accelerated and virtual time."""

from __future__ import annotations

import asyncio
import time
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What may be asked of time. Nothing below the composition root reads the machine's clock."""

    def now(self) -> datetime:
        """Time of day, aware, UTC."""
        ...

    def monotonic_s(self) -> float:
        """Seconds that never jump back; only differences mean something."""
        ...

    async def sleep(self, duration_s: float) -> None:
        """Wait ``duration_s`` of this clock's seconds."""
        ...

    def timeout(self, duration_s: float | None) -> AbstractAsyncContextManager[object]:
        """Context that raises ``TimeoutError`` after ``duration_s`` of this clock's seconds.

        None never does.
        """
        ...


class LoopClock:
    """A clock driven by the running event loop's time.

    On an ordinary loop with ``speedup`` 1 it is real time. With ``speedup`` N one second of this
    clock lasts 1/N of a real second: controllers and simulated vehicles then share accelerated
    time, and every time-out keeps its meaning in vehicle seconds. On a
    :class:`core.virtual_time.VirtualTimeLoop` it is virtual time.

    ``epoch`` is the time of day at ``epoch_monotonic_s`` (in this clock's seconds); by default
    «now» at construction. Two processes that should agree pass the same anchor.
    """

    def __init__(
        self,
        *,
        speedup: float = 1.0,
        epoch: datetime | None = None,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        if not speedup > 0:
            raise ValueError(f"speedup must be positive, got {speedup}")
        self.speedup = speedup
        used = loop or asyncio.get_running_loop()
        # A loop that is not asyncio's own (uvloop) has one moment, in milliseconds, for all that it does in a turn, and
        # other threads would be told when it last woke up. It counts by the system's monotonic clock: so do we.
        self._time = used.time if isinstance(used, asyncio.BaseEventLoop) else time.monotonic
        self._start_s = self._time()
        self._epoch = epoch if epoch is not None else datetime.now(UTC)
        if self._epoch.tzinfo is None:
            raise ValueError("epoch must be timezone-aware")
        self._told = (0.0, self._epoch)

    def now(self) -> datetime:
        now_s = self.monotonic_s()
        told = self._told
        if now_s != told[0]:
            # In virtual time everybody asks for the same moment again and again.
            self._told = told = (now_s, self._epoch + timedelta(seconds=now_s))
        return told[1]

    def monotonic_s(self) -> float:
        return (self._time() - self._start_s) * self.speedup

    async def sleep(self, duration_s: float) -> None:
        await asyncio.sleep(max(0.0, duration_s) / self.speedup)

    def timeout(self, duration_s: float | None) -> AbstractAsyncContextManager[object]:
        return asyncio.timeout(None if duration_s is None else max(0.0, duration_s) / self.speedup)
