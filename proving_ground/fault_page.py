"""The table of faults in docs/faults.md, from the registries themselves: ``python -m proving_ground.fault_page FILE``."""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path

from proving_ground.real_faults import LINK_FAULTS, REAL_FAULTS
from proving_ground.real_play import NAMES
from proving_ground.world_faults import WORLD_FAULTS
from sitl.faults import FAULTS as VEHICLE_FAULTS
from sitl.faults.kinds import FaultKind

_HEAD = """# Faults

Generated from `sitl/faults` and `proving_ground/world_faults.py`; do not edit. `drone-aed sim faults` prints the same names.
How a scenario uses them: [proving-ground.md](proving-ground.md). «Real»: also on which real
autopilot (`--against`).
"""
_COLUMNS = "\n| fault | what happens | strength | real |\n|---|---|---|---|\n"


def fault_page() -> str:
    """The whole page."""
    parts = [_HEAD]
    for group, kinds in groupby(sorted(VEHICLE_FAULTS.values(), key=_group), key=_group):
        rows = [
            _row(kind.name, kind.explanation, kind.default_strength, kind.unit, real=_real(kind.name))
            for kind in kinds
        ]
        parts.append(f"\n## The vehicle: {group}\n{_COLUMNS}{''.join(rows)}")
    rows = [
        _row(
            fault.name,
            fault.explanation + ("" if fault.end is not None else "; has no duration"),
            fault.default_strength,
            fault.unit,
            real="ArduCopter" if fault.name == "wind_change" else "both",
        )
        for fault in WORLD_FAULTS.values()
    ]
    parts.append(f"\n## The world around it\n{_COLUMNS}{''.join(rows)}")
    parts.append(
        "\nOf the real autopilots, faults of the link and of the world can be given to any; the others come on a second"
        "\nlink, which only one that the command starts itself has (no `--link`).\n"
    )
    return "".join(parts)


def _group(kind: FaultKind) -> str:
    return kind.group


def _real(fault: str) -> str:
    """Which real autopilots can be given a fault of the vehicle."""
    if fault in LINK_FAULTS:
        return "both"
    given = [NAMES[kind] for kind, faults in REAL_FAULTS.items() if fault in faults]
    return "both" if len(given) == len(REAL_FAULTS) else "".join(given)


def _row(name: str, explanation: str, strength: float, unit: str, *, real: str) -> str:
    shown = f"{strength:g} {unit}" if unit else ""
    return f"| `{name}` | {explanation} | {shown} | {real} |\n"


def main() -> None:
    """Write the page to the file that is named."""
    Path(sys.argv[1]).write_text(fault_page(), encoding="utf-8")


if __name__ == "__main__":
    main()
