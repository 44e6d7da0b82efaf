"""Every verb of the conformance list, played by the project's own simulated vehicle in both personalities."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.clock import LoopClock
from core.virtual_time import run_virtual
from planner.flight_plan import DeliveryMethod
from tests.conformance.embedded import EmbeddedVehicle
from tests.conformance.theatre import Theatre, methods_of
from tests.conformance.verbs import VERBS, plays
from tests.unit.planner.helpers import NOW

AIRFRAMES = {"ardupilot": "hex10", "px4": "quad8_px4"}
PLAYS = [
    pytest.param(kind, name, method, id=f"{kind}-{name}-{method.value.lower()}")
    for kind, airframe_id in AIRFRAMES.items()
    for name, method in plays(kind, methods_of(airframe_id))
]


@pytest.mark.parametrize(("kind", "name", "method"), PLAYS)
def test_verb(kind: str, name: str, method: DeliveryMethod, tmp_path: Path) -> None:
    async def play() -> None:
        theatre = Theatre(tmp_path, EmbeddedVehicle(kind, AIRFRAMES[kind]), LoopClock(epoch=NOW), method)
        await theatre.open()
        try:
            await VERBS[name](theatre)
        finally:
            await theatre.close()

    run_virtual(play())
