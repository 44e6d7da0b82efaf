"""Every verb of the conformance list, played by the real autopilots that the environment names."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from core.clock import LoopClock
from planner.flight_plan import DeliveryMethod
from tests.conformance.real.processes import named_program, speed
from tests.conformance.real.vehicles import VEHICLES
from tests.conformance.theatre import Theatre, methods_of
from tests.conformance.verbs import VERBS, plays

PLAYS = [
    pytest.param(kind, name, method, id=f"{kind}-{name}-{method.value.lower()}")
    for kind, vehicle in VEHICLES.items()
    if named_program(kind) is not None
    for name, method in plays(kind, methods_of(vehicle.airframe_id))
]
TOO_LONG_S = 400.0
"""Real seconds for one play on a busy machine."""


@pytest.mark.processes
@pytest.mark.timeout(TOO_LONG_S)
@pytest.mark.parametrize(("kind", "name", "method"), PLAYS)
def test_verb(kind: str, name: str, method: DeliveryMethod, tmp_path: Path) -> None:
    program = named_program(kind)
    assert program is not None

    async def play() -> None:
        vehicle = VEHICLES[kind](program, tmp_path / "autopilot")
        theatre = Theatre(tmp_path, vehicle, LoopClock(speedup=speed()), method)
        await theatre.open()
        try:
            await VERBS[name](theatre)
        finally:
            await theatre.close()

    asyncio.run(play())
