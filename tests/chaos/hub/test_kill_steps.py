"""kill -9 at named steps of an order's life, of a real process, on both databases: a seeded few of all of them.

``make campaign-kill`` takes every step, before and after its commit.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.chaos.hub.lives import BACK_S, a_database, die_and_come_back

pytestmark = [pytest.mark.processes, pytest.mark.timeout(600)]
SEED = 1
STEPS = (
    *("order_received", "command_accepted", "phase_changed:preparing", "phase_changed:climbing"),
    *("phase_changed:lowering", "aed_released", "aed_on_ground", "phase_changed:landing"),
)
"""Of the twenty; the decision comes on top, where most is at stake. A name that is no step is never died at: that fails."""


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_hub_killed_at_a_step_loses_and_doubles_nothing(tmp_path: Path, kind: str):
    chance = random.Random(f"{SEED} {kind}")
    deaths = [
        ("decision_accepted#1", "after" if kind == "sqlite" else "before"),
        (f"{chance.choice(STEPS)}#1", chance.choice(("before", "after"))),
    ]
    for number, (step, when) in enumerate(deaths):
        folder = tmp_path / str(number)
        folder.mkdir()
        back_s = die_and_come_back(folder / "life", a_database(kind, folder), step, when)
        print(f"{kind}: {step} {when}: back after {back_s:.1f} s of processor time")
        assert back_s <= BACK_S, (step, when, back_s)
