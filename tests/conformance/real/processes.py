"""Real autopilots as processes: what the environment names is started (:mod:`sitl.launchers`).

``DRONE_AED_ARDUCOPTER`` and ``DRONE_AED_PX4`` are paths of software-in-the-loop programs built outside this
project. ``DRONE_AED_SITL_SPEED`` sets how much faster than real time they run (default 5; PX4 loses messages
above).
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from sitl.autopilot import Personality
from sitl.launchers import VARIABLES as VARIABLES
from sitl.launchers import Home, Launched, start
from sitl.launchers.programs import Order
from tests.conformance.theatre import HOME

SPEED_VARIABLE = "DRONE_AED_SITL_SPEED"
INSTANCE = 3
"""Ports of instance 0 are where people and other tests work."""


def named_program(kind: str) -> Path | None:
    """The program that the environment names for a kind of autopilot, if it does."""
    value = os.environ.get(VARIABLES[Personality(kind)], "")
    return Path(value) if value else None


def speed() -> float:
    """How much faster than real time."""
    return float(os.environ.get(SPEED_VARIABLE, "5"))


def start_at_home(
    kind: str, program: Path, folder: Path, parameters: dict[str, float], *, again: bool
) -> Launched:
    """The instance of the conformance tests, on the pad of the stage."""
    order = Order(
        program=program,
        number=INSTANCE,
        home=Home(HOME.position, HOME.ground_amsl_m),
        folder=folder,
        speed=speed(),
        parameters=parameters,
        again=again,
    )
    return start(Personality(kind), order)


async def stop(vehicle: Launched) -> None:
    """End it without holding up the agent that may still speak to it."""
    await asyncio.to_thread(vehicle.stop)
