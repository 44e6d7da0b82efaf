"""Real autopilots (ArduPilot, PX4) as processes on loopback, where their software-in-the-loop programs are.

Nothing is looked for and nothing is downloaded: a person names the program.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from core.geodesy import Wgs84Point, destination
from sitl.autopilot import Personality
from sitl.launchers import ardupilot, px4
from sitl.launchers.programs import Home as Home
from sitl.launchers.programs import Launched as Launched
from sitl.launchers.programs import LaunchError as LaunchError
from sitl.launchers.programs import Order, check_program

VARIABLES = {Personality.ARDUPILOT: "DRONE_AED_ARDUCOPTER", Personality.PX4: "DRONE_AED_PX4"}
"""The environment variable that names each program."""
PROFILES = {Personality.ARDUPILOT: ardupilot.PROFILE, Personality.PX4: px4.PROFILE}
"""Parameters of the airframe that each flies for us, sources in its module."""
PAD_SPACING_M = 10.0
"""Chosen: as the simulated fleet stands (sitl.site.lay_out)."""
_START = {Personality.ARDUPILOT: ardupilot.start, Personality.PX4: px4.start}


def find_program(kind: Personality, given: Path | None, environment: dict[str, str]) -> Path:
    """The program that is given, else the one that the environment names. Raises :class:`LaunchError`."""
    variable = VARIABLES[kind]
    named = given if given is not None else Path(environment[variable]) if environment.get(variable) else None
    if named is None:
        raise LaunchError(f"no {kind} program: give --binary PATH or set {variable}")
    check_program(named, kind)
    return named


def start(kind: Personality, order: Order) -> Launched:
    """Start one instance at once; it does not speak yet (:meth:`Launched.wait_until_it_speaks`)."""
    return _START[kind](order)


def pads(home: Home, count: int) -> list[Home]:
    """``count`` pads in a row eastwards."""
    first: Wgs84Point = home.place
    return [
        Home(
            destination(first, 90.0, PAD_SPACING_M * index) if index else first,
            home.altitude_amsl_m,
            home.heading_deg,
        )
        for index in range(count)
    ]


@contextmanager
def launched(kind: Personality, orders: Sequence[Order]) -> Iterator[list[Launched]]:
    """Instances that all speak; every one is stopped at the end, whatever happens in between.

    Raises :class:`LaunchError` for a busy port, a program that ends, or one that stays silent.
    """
    running: list[Launched] = []
    try:
        for order in orders:
            running.append(start(kind, order))
        for vehicle in running:
            vehicle.wait_until_it_speaks()
        yield running
    finally:
        for vehicle in running:
            vehicle.ask_to_stop()
        for vehicle in running:
            vehicle.stop()
