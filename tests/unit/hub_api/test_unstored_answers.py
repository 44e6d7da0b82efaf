"""A drone has answered, and the database has refused for so long to store it that its time is over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.hub_api.played_drone import Script
from tests.unit.hub_api.test_interleavings import STORE_FAILED
from tests.unit.hub_api.world import World, play, world


def refuse_writes(w: World) -> None:
    async def refuse(_work: Any) -> Any:
        raise STORE_FAILED

    w.hub.database.write = refuse  # type: ignore[method-assign]


def take_writes(w: World) -> None:
    del w.hub.database.write


@pytest.mark.parametrize("refuses_s", [12.4 + tenth / 10 for tenth in range(8)])
def test_a_drone_whose_answer_was_heard_is_not_replaced(tmp_path: Path, refuses_s: float):
    """Whichever comes first when the database is back: its answer's next try, or the relay's."""

    async def main() -> None:
        async with world(tmp_path, scripts={"bao-01": Script(answer_delay_s=1.0, phase_s=30.0)}) as w:
            order = (await w.order()).json()
            refuse_writes(w)
            await w.hub.clock.sleep(refuses_s)
            assert w.drones["bao-01"].flown
            take_writes(w)
            closed = await w.until(order["order_id"], "CLOSED")
            assert [flight["drone_id"] for flight in closed["flights"]] == ["bao-01"]
            assert "command_unanswered" not in [e["kind"] for e in await w.events(order["order_id"])]

    play(main())
