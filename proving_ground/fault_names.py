"""Every fault that a scenario may name: those of a vehicle and its radio link, and those of the world around it."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from proving_ground.world_faults import WORLD_FAULTS
from sitl.faults import FAULTS as VEHICLE_FAULTS


def is_known(name: str) -> bool:
    """Whether a scenario may use this name."""
    return name in all_faults()


def all_faults() -> dict[str, str]:
    """Name → what it does, all kinds together."""
    return {
        **{name: kind.explanation for name, kind in VEHICLE_FAULTS.items()},
        **{name: kind.explanation for name, kind in WORLD_FAULTS.items()},
    }


def meant(name: str, known: Sequence[str]) -> str:
    """The names that are like one that is not known, to follow what is said of it; empty: there is none."""
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    return f"; did you mean {' or '.join(near)}?" if near else ""


def explain_unknown(name: str) -> str:
    """A refusal that helps: near names first, else all of them."""
    known = sorted(all_faults())
    return f"unknown fault {name!r}{meant(name, known) or '; known: ' + ', '.join(known)}"
