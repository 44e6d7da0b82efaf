"""The clock of the hub's machine, which may be wrong while everybody else's is right."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from pathlib import Path

from core.clock import LoopClock
from hub_api.kept_count import Machine, time_at_start


class HubClock:
    """What a hub's process counts by: the machine's time of day at its start, and durations from there on.

    Somebody who sets the machine's time of day anew (``machine_ahead_s``) does not move a running process
    (:class:`core.clock.LoopClock` does the same in the field), nor one that starts with something open
    (:mod:`hub_api.kept_count`).
    """

    def __init__(self, world: LoopClock) -> None:
        self._world = world
        self.machine_ahead_s = 0.0
        self._taken_s = 0.0

    def start_anew(self) -> None:
        """Another process reads the machine's time of day."""
        self._taken_s = self.machine_ahead_s

    def go_on(self, file: Path, *, busy: bool) -> None:
        """It finds what the process before it left."""
        machine = Machine(now=self.machine_now, steady_s=self._world.monotonic_s, boot="the only one")
        taken = time_at_start(file, machine, busy=busy)
        self._taken_s = (taken - self._world.now()).total_seconds()

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
