"""A machine's time of day that is set anew does not move the hub that runs on it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from core.clock import LoopClock
from core.virtual_time import run_virtual
from proving_ground.hub_clock import HubClock

EPOCH = datetime(2026, 3, 1, 4, tzinfo=UTC)


def test_a_running_process_keeps_its_count_and_the_next_takes_the_machines() -> None:
    async def play() -> None:
        clock = HubClock(LoopClock(epoch=EPOCH))
        clock.start_anew()
        clock.machine_ahead_s = 300.0
        await clock.sleep(10.0)
        assert clock.now() == EPOCH + timedelta(seconds=10)
        assert clock.machine_now() == EPOCH + timedelta(seconds=310)
        clock.start_anew()
        assert clock.now() == clock.machine_now()

    run_virtual(play())


def test_a_process_that_starts_with_something_open_counts_on(tmp_path: Path) -> None:
    async def play() -> None:
        clock, file = HubClock(LoopClock(epoch=EPOCH)), tmp_path / "clock.json"
        clock.go_on(file, busy=False)
        clock.machine_ahead_s = -300.0
        await clock.sleep(10.0)
        clock.go_on(file, busy=True)
        assert clock.now() == EPOCH + timedelta(seconds=10)
        clock.go_on(file, busy=False)
        assert clock.now() == clock.machine_now() == EPOCH - timedelta(seconds=290)

    run_virtual(play())
