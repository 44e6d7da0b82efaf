"""``drone-aed sim launch``: real autopilots on loopback, until a signal ends them."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from core.errors import DroneAedError
from core.geodesy import Wgs84Point
from sitl.autopilot import Personality
from sitl.launchers import PROFILES, Home, Launched, LaunchError, find_program, launched, pads
from sitl.launchers.programs import Order

LOOK_EVERY_S = 0.5


def launch(
    kind: Annotated[Personality, typer.Argument(help="Which autopilot.")],
    binary: Annotated[
        Path | None,
        typer.Option(help="Its program; default DRONE_AED_ARDUCOPTER or DRONE_AED_PX4."),
    ] = None,
    count: Annotated[int, typer.Option(min=1, max=50, help="How many instances.")] = 1,
    first_instance: Annotated[
        int, typer.Option(min=0, max=200, help="Number of the first; fixes ports and system id.")
    ] = 0,
    home: Annotated[
        str, typer.Option(help="latitude_deg,longitude_deg,ground_amsl_m[,heading_deg] of the first, WGS-84.")
    ] = "22.5806,113.8830,5",
    speed: Annotated[float, typer.Option(min=0.1, max=100, help="Simulated seconds per real second.")] = 1.0,
    param: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="Parameter over the airframe's.")
    ] = None,
    bare: Annotated[bool, typer.Option("--bare", help="Without the airframe's parameters.")] = False,
    folder: Annotated[
        Path | None, typer.Option(help="Working folders and logs; default a temporary one.")
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep parameters of the last run in --folder.")
    ] = False,
) -> None:
    """Start real autopilots and wait. Exit code 0 after a signal, 1 if one ends by itself, 2 if one can't start."""
    # A service manager's «stop» must not leave an autopilot behind.
    signal.signal(signal.SIGTERM, _stop)
    try:
        program = find_program(kind, binary, dict(os.environ))
        parameters = {**({} if bare else PROFILES[kind]), **_parameters(param or [])}
        with ExitStack() as stack:
            base = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="autopilots-")))
            orders = [
                Order(
                    program=program,
                    number=number,
                    home=pad,
                    folder=base / f"{kind}-{number}",
                    speed=speed,
                    parameters=parameters,
                    wipe=not keep,
                )
                for number, pad in enumerate(pads(read_home(home), count), start=first_instance)
            ]
            for vehicle in (vehicles := stack.enter_context(launched(kind, orders))):
                typer.echo(
                    f"{kind} system id {vehicle.system_id} at {vehicle.link}, also {vehicle.spare_link}, "
                    f"in {vehicle.order.folder}"
                )
            _watch(vehicles)
    except LaunchError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        typer.echo("stopped")


def main(arguments: list[str]) -> None:
    """Entry point of this command alone."""
    app = typer.Typer(add_completion=False)
    app.command()(launch)
    app(arguments, prog_name="drone-aed sim launch")


def read_home(text: str) -> Home:
    """Raises :class:`LaunchError` for anything but three or four numbers of a place on earth."""
    try:
        latitude_deg, longitude_deg, altitude_amsl_m, *heading = (float(part) for part in text.split(","))
        (heading_deg,) = heading or (0.0,)
        return Home(Wgs84Point(latitude_deg, longitude_deg), altitude_amsl_m, heading_deg)
    except (ValueError, DroneAedError):
        raise LaunchError(
            f"--home {text!r} is not latitude_deg,longitude_deg,ground_amsl_m[,heading_deg]"
        ) from None


def _parameters(texts: list[str]) -> dict[str, float]:
    found: dict[str, float] = {}
    for text in texts:
        name, _, number = text.partition("=")
        try:
            found[name.strip().upper()] = float(number)
        except ValueError:
            raise LaunchError(f"--param {text!r} is not NAME=number") from None
    return found


def _watch(vehicles: list[Launched]) -> None:
    while True:
        for vehicle in vehicles:
            if not vehicle.runs:
                typer.echo(f"error: {vehicle.why_it_ended()}", err=True)
                raise typer.Exit(1)
        time.sleep(LOOK_EVERY_S)


def _stop(number: int, frame: object) -> None:
    # Once is enough: a second signal must not interrupt the stopping.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt
