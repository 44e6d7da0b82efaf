"""kill -9 at named steps of a life, of a real process, on both databases: a seeded few of all of them.

``make campaign-kill`` takes every step, before and after its commit.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.chaos.hub.incident_story import OneIncident
from tests.chaos.hub.lives import BACK_S, OneOrder, Story, a_database, die_and_come_back

pytestmark = [pytest.mark.processes, pytest.mark.timeout(600)]
SEED = 1
STEPS = (
    *("order_received", "command_accepted", "phase_changed:preparing", "phase_changed:climbing"),
    *("phase_changed:lowering", "aed_released", "aed_on_ground", "phase_changed:landing"),
)
"""Of the twenty; the decision comes on top, where most is at stake. A name that is no step is never died at: that fails."""
INCIDENT_STEPS = (
    *("incident_received", "incident_escalated", "order_received+order_merged_here+order_merged"),
    *("order_split+order_split_off", "decision_proposed", "approval_refused", "approval_alarm+mission_moved"),
    *("approval_given+mission_moved", "incident_closed", "(update callbacks)"),
)
"""Those that an order alone does not have."""


def die(story: Story, kind: str, folder: Path, step: str, when: str) -> None:
    folder.mkdir()
    back_s = die_and_come_back(story, folder / "life", a_database(kind, folder), step, when)
    assert back_s is not None, step
    print(f"{kind}: {step} {when}: back after {back_s:.1f} s of processor time")
    assert back_s <= BACK_S, (step, when, back_s)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_hub_killed_at_a_step_loses_and_doubles_nothing(tmp_path: Path, kind: str):
    chance = random.Random(f"{SEED} {kind}")
    deaths = [
        ("decision_accepted#1", "after" if kind == "sqlite" else "before"),
        (f"{chance.choice(STEPS)}#1", chance.choice(("before", "after"))),
        # The drone knows it and the hub does not: what is asked for again would be a second flight.
        ("(journal aed_released)#1" if kind == "sqlite" else "(journal flight_ended)#1", "after"),
    ]
    for number, (step, when) in enumerate(deaths):
        die(OneOrder(), kind, tmp_path / str(number), step, when)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_nothing_of_an_incident_is_lost_or_doubled(tmp_path: Path, kind: str):
    chance = random.Random(f"{SEED} incident {kind}")
    story = OneIncident()
    try:
        die(
            story,
            kind,
            tmp_path / "0",
            f"{chance.choice(INCIDENT_STEPS)}#1",
            chance.choice(("before", "after")),
        )
    finally:
        story.close()
