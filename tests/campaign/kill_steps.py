"""kill -9 at every step of an order's life and of an incident's, before and after its commit, on both databases; and
whenever a drone has written a word down that nobody has heard.

``python -m tests.campaign.kill_steps [--databases sqlite,postgresql] [--stories order,incident]``

Each death is one process that kills itself with SIGKILL and one that must know everything: about seven seconds
of processor time for an order, fifteen for an incident. Stops at the first that loses or doubles anything, and says at
which step.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.chaos.hub.incident_story import OneIncident
from tests.chaos.hub.lives import (
    BACK_S,
    OneOrder,
    Story,
    a_database,
    die_and_come_back,
    moments_of,
    steps_of_a_life,
)

STORIES: dict[str, Callable[[], Story]] = {"order": OneOrder, "incident": OneIncident}
MOST_ALIKE = 3
"""Transactions that store no event (callbacks that were taken) are many and all alike: so many of a kind."""


@contextmanager
def told(kind: str) -> Iterator[Story]:
    """A story of its own for each death."""
    story = STORIES[kind]()
    try:
        yield story
    finally:
        if isinstance(story, OneIncident):
            story.close()


def worth_dying_at(step: str) -> bool:
    name, _, number = step.rpartition("#")
    return not name.startswith("(") or int(number) <= MOST_ALIKE


def main() -> int:
    """Exit code 1 when something was lost, doubled, or late."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--databases", default="sqlite,postgresql")
    parser.add_argument("--stories", default="order,incident")
    parser.add_argument("--steps", default="", help="only steps whose names begin like this")
    asked = parser.parse_args()
    slowest_s, deaths, missed = 0.0, 0, 0
    with tempfile.TemporaryDirectory() as name:
        for database in asked.databases.split(","):
            seen: set[str] = set()
            for kind in asked.stories.split(","):
                folder = Path(name) / database / kind
                folder.mkdir(parents=True)
                with told(kind) as story:
                    found = steps_of_a_life(story, folder / "undisturbed", a_database(database, folder))
                # What an order's life has tried already is the same step in an incident's.
                steps = [
                    step
                    for step in found
                    if step not in seen and worth_dying_at(step) and step.startswith(asked.steps)
                ]
                seen |= set(steps)
                print(f"{database}, {kind}: {len(steps)} steps", flush=True)
                for number, step in enumerate(steps):
                    for when in moments_of(step):
                        place = folder / f"{number}-{when}"
                        place.mkdir()
                        try:
                            with told(kind) as story:
                                back_s = die_and_come_back(
                                    story, place / "life", a_database(database, place), step, when
                                )
                        except AssertionError as broken:
                            print(f"BROKEN {database}: {step}, {when} its commit: {broken}")
                            return 1
                        if back_s is None:
                            missed += 1
                            print(f"  {step} {when}: did not come again", flush=True)
                            continue
                        slowest_s, deaths = max(slowest_s, back_s), deaths + 1
                        print(f"  {step} {when}: back after {back_s:.1f} s of processor time", flush=True)
    print(
        f"{deaths} deaths, nothing lost, nothing doubled; slowest start {slowest_s:.1f} s of processor time; "
        f"{missed} steps did not come again"
    )
    return 0 if slowest_s <= BACK_S and missed <= deaths // 5 else 1


if __name__ == "__main__":
    sys.exit(main())
