"""The clock of the hub's machine, which may be wrong while everybody else's is right."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta

from core.clock import LoopClock


class HubClock:
    """The world's clock with a time of day that is ``ahead_s`` off. Durations stay right, as those of a machine do
    whose time of day is set anew."""

    def __init__(self, world: LoopClock) -> None:
        self._world = world
        self.ahead_s = 0.0

    def now(self) -> datetime:
        return self._world.now() + timedelta(seconds=self.ahead_s)

    def monotonic_s(self) -> float:
        return self._world.monotonic_s()

    async def sleep(self, duration_s: float) -> None:
        await self._world.sleep(duration_s)

    def timeout(self, duration_s: float | None) -> AbstractAsyncContextManager[object]:
        return self._world.timeout(duration_s)
