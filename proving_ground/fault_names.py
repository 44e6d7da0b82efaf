"""Every fault that a scenario may name: those of a vehicle and its radio link, and those of the world around it."""

from __future__ import annotations

from core.similar import meant
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


def explain_unknown(name: str) -> str:
    """A refusal that helps: near names first, else all of them."""
    known = sorted(all_faults())
    return f"unknown fault {name!r}{meant(name, known) or '; known: ' + ', '.join(known)}"
