"""What a scrape costs: it counts, and reads nothing that grows with the trouble."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hub_api.store.repositories import outbox
from tests.unit.hub_api.played_drone import Script
from tests.unit.hub_api.world import play, world


@pytest.mark.usefixtures("each_database")
def test_commands_that_nobody_answers_are_counted_and_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with world(tmp_path, scripts={f"bao-0{n}": Script(deaf=True) for n in range(1, 5)}) as w:
            for number in range(3):
                assert (await w.order(f"k{number}")).status_code == 201
            assert len(await w.hub.database.read(outbox.unsettled)) == 3

            def read_whole(_session: Any) -> Any:
                raise AssertionError("commands with their plans are read for a number")

            with monkeypatch.context() as patched:
                # No time passes meanwhile: the relay, which needs them whole, sleeps.
                patched.setattr(outbox, "unsettled", read_whole)
                text = (await w.client.get("/metrics")).text
            assert "drone_aed_commands_owed 3.0" in text

    play(main())
