"""``make conformance``: say which real autopilots are named, and play every verb on each of them.

Arguments go to pytest, e.g. ``-k "px4 and deliver"``.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.conformance.real.processes import VARIABLES, named_program

_ROOM = Path(__file__).resolve().parent
_NAMES = {"ardupilot": "ArduCopter", "px4": "PX4"}


def main(arguments: list[str]) -> int:
    """The exit code: 2 when a named program does not exist or none is named."""
    named = 0
    for kind, variable in VARIABLES.items():
        program = named_program(kind)
        if program is None:
            print(f"{_NAMES[kind]}: {variable} names no program, so no real {_NAMES[kind]} is flown")
        elif not os.access(program, os.X_OK):
            print(f"{_NAMES[kind]}: {variable} names {program}, which is no program")
            return 2
        else:
            named += 1
            print(f"{_NAMES[kind]}: {program}")
    if not named:
        print("Nothing was flown. The same verbs fly the project's own simulator in `make test`.")
        return 2
    os.environ["DRONE_AED_CONFORMANCE"] = "1"
    sys.stdout.flush()
    return int(pytest.main([str(_ROOM), "-v", "-p", "no:cacheprovider", *arguments]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
