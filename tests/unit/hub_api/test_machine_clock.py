"""Somebody sets the time of day of the hub's machine: the hub goes on by its own count, and says how far off it is."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from core.virtual_time import run_virtual
from tests.unit.hub_api.world import world


def test_health_tells_how_far_the_machines_time_is_off(tmp_path: Path) -> None:
    async def play() -> None:
        async with world(tmp_path) as w:
            before = (await w.client.get("/v1/health")).json()
            assert before["machine_clock_off_s"] == 0.0
            w.hub.machine_now = lambda: w.hub.clock.now() - timedelta(seconds=300)
            after = (await w.client.get("/v1/health")).json()
            assert after["machine_clock_off_s"] == -300.0
            assert after["now"] >= before["now"]

    run_virtual(play())
