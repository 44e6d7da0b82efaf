"""Which scenarios fly against which real autopilots: decided, and refused with a reason, before anything is started."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from flight.links.address import parse_link
from proving_ground.loader import Loaded
from proving_ground.real_play import Against, why_not
from sitl.autopilot import Personality
from sitl.launchers import LaunchError, find_program

SPEED = 5.0
"""Times real time: PX4 loses messages above (observed)."""


@dataclass(frozen=True, slots=True)
class Unplayable:
    """A scenario that these autopilots can't fly, and why, in one line."""

    item: Loaded
    reason: str


def who_flies(kind: Personality, binary: Path | None, links: tuple[str, ...], speed: float | None) -> Against:
    """The autopilots that the options name. Raises :class:`LaunchError`, or LinkError for what is no link."""
    if binary is not None and links:
        raise LaunchError("give --binary (it is started) or --link (it runs already), not both")
    program = None if links else find_program(kind, binary, dict(os.environ))
    for text in links:
        parse_link(text)
    return Against(kind=kind, program=program, links=links, speed=speed or (1.0 if links else SPEED))


def sorted_out(
    loaded: list[Loaded], against: Against, *, skip: bool
) -> tuple[list[Loaded], list[Unplayable]]:
    """What can be flown and what can't.

    Raises :class:`LaunchError`, a line for each, where nothing is left or nothing may be skipped.
    """
    unplayable = [
        Unplayable(item, reason)
        for item in loaded
        if (reason := why_not(item.scenario, item.site_file, against))
    ]
    left_out = [left.item for left in unplayable]
    playable = [item for item in loaded if item not in left_out]
    if unplayable and (not skip or not playable):
        raise LaunchError("\n".join(f"{left.item.file}: {left.reason}" for left in unplayable))
    return playable, unplayable
