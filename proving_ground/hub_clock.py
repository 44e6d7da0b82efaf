"""The clock of the hub's machine, which may be wrong while everybody else's is right."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta

from core.clock import LoopClock


class HubClock:
    """What a hub's process counts by: the machine's time of day at its start, and durations from there on.

    Somebody who sets the machine's time of day anew (``machine_ahead_s``) does not move a running process
    (:class:`core.clock.LoopClock` does the same in the field); the next start takes it.
    """

    def __init__(self, world: LoopClock) -> None:
        self._world = world
        self.machine_ahead_s = 0.0
        self._taken_s = 0.0

    def start_anew(self) -> None:
        """Another process reads the machine's time of day."""
        self._taken_s = self.machine_ahead_s

    def machine_now(self) -> datetime:
        """What the machine's time of day is."""
        return self._world.now() + timedelta(seconds=self.machine_ahead_s)

    def now(self) -> datetime:
        return self._world.now() + timedelta(seconds=self._taken_s)

    def monotonic_s(self) -> float:
        return self._world.monotonic_s()

    async def sleep(self, duration_s: float) -> None:
        await self._world.sleep(duration_s)

    def timeout(self, duration_s: float | None) -> AbstractAsyncContextManager[object]:
        return self._world.timeout(duration_s)
