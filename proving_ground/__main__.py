"""``python -m proving_ground``; ``drone-aed sim`` starts the same."""

from __future__ import annotations

import sys

if __name__ == "__main__":
    if sys.argv[1:2] == ["launch"]:
        # Starting an autopilot needs neither the hub nor the planner's compiler, which take seconds to load.
        from proving_ground.launch import main

        main(sys.argv[2:])
    else:
        from proving_ground.cli import main as play

        play()
