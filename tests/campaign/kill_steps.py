"""kill -9 at every step of an order's life, before and after its commit, on both databases.

``python -m tests.campaign.kill_steps [--databases sqlite,postgresql]``

Each death is one process that kills itself with SIGKILL and one that must know everything: about seven seconds
of processor time. Stops at the first that loses or doubles anything, and says at which step.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.chaos.hub.lives import BACK_S, a_database, die_and_come_back, steps_of_a_life


def main() -> int:
    """Exit code 1 when something was lost, doubled, or late."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--databases", default="sqlite,postgresql")
    asked = parser.parse_args()
    slowest_s, deaths = 0.0, 0
    with tempfile.TemporaryDirectory() as name:
        for kind in asked.databases.split(","):
            folder = Path(name) / kind
            folder.mkdir()
            steps = steps_of_a_life(folder / "undisturbed", a_database(kind, folder))
            print(f"{kind}: {len(steps)} steps", flush=True)
            for number, step in enumerate(steps):
                for when in ("before", "after"):
                    place = folder / f"{number}-{when}"
                    place.mkdir()
                    try:
                        back_s = die_and_come_back(place / "life", a_database(kind, place), step, when)
                    except AssertionError as broken:
                        print(f"BROKEN {kind}: {step}, {when} its commit: {broken}")
                        return 1
                    slowest_s, deaths = max(slowest_s, back_s), deaths + 1
                    print(f"  {step} {when}: back after {back_s:.1f} s of processor time", flush=True)
    print(
        f"{deaths} deaths, nothing lost, nothing doubled; slowest start {slowest_s:.1f} s of processor time"
    )
    return 0 if slowest_s <= BACK_S else 1


if __name__ == "__main__":
    sys.exit(main())
