"""``drone-aed fly``: one delivery with one vehicle, given its link; a real ArduCopter or a simulated one."""

from __future__ import annotations

import asyncio
import re
import signal
from pathlib import Path
from typing import Annotated

import typer

from core.clock import LoopClock
from core.gcj02 import ReferenceSystem
from core.ids import IdSource
from flight.fly import FlyOutcome, plan_to
from flight.fly import fly as run_flight
from flight.messages import Event, Message
from geofences.airspace import Airspace
from geofences.site_airspace import load_demo_airspace
from geofences.terrain import FlatTerrain
from hub_api.commands.plan import read_position
from hub_api.dispatch.narration import narrate
from planner.airframe import load_airframes
from planner.wind import Wind


def fly(
    link: Annotated[
        str, typer.Option(help="udpin:host:port, udpout:host:port or tcp:host:port, e.g. tcp:127.0.0.1:5760")
    ],
    target: Annotated[str, typer.Option(help="Latitude,longitude in degrees where the AED shall stand.")],
    reference_system: Annotated[ReferenceSystem, typer.Option(help="Of the target; it is never guessed.")],
    target_ground_amsl_m: Annotated[
        float, typer.Option(help="Ground height there: it decides how far is lowered.")
    ],
    wind_from_deg: Annotated[float, typer.Option(min=0, max=360, help="Measured; where it comes from.")],
    wind_speed_m_s: Annotated[float, typer.Option(min=0, help="Measured.")],
    airframe: Annotated[str, typer.Option(help=f"One of: {', '.join(sorted(load_airframes()))}.")] = "hex10",
    no_zones: Annotated[
        bool, typer.Option("--no-zones", help="Plan without the demo airspace, e.g. at a test field.")
    ] = False,
    write_parameters: Annotated[
        bool, typer.Option("--write-parameters", help="Write what the airframe profile demands.")
    ] = False,
    system_id: Annotated[int | None, typer.Option(help="MAVLink system id; found by itself.")] = None,
    speedup: Annotated[float, typer.Option(help="Of the simulation; 1 for a real vehicle.")] = 1.0,
    records: Annotated[Path, typer.Option(help="Where the flight record is kept.")] = Path("flight-records"),
) -> None:
    """Plan from where the vehicle stands, fly, deliver, come home. Ctrl-C gives up and brings it home.

    Called again after a crash, it takes the same flight up again instead of beginning another.
    """
    place = read_position(target, reference_system, field="target")
    frames = load_airframes()
    if airframe not in frames:
        raise typer.BadParameter(
            f"{airframe!r} is none of {', '.join(sorted(frames))}", param_hint="--airframe"
        )
    airspace = (
        Airspace((), version="no-zones", origin=place, terrain=FlatTerrain(target_ground_amsl_m))
        if no_zones
        else load_demo_airspace()
    )
    # One folder a link: its journal lets a second call after a kill take the same flight up again.
    folder = records / f"fly-{re.sub(r'[^A-Za-z0-9]+', '-', link)}"
    folder.mkdir(parents=True, exist_ok=True)

    async def run() -> FlyOutcome:
        clock = LoopClock(speedup=speedup)
        ids = IdSource(clock)
        abort = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, abort.set)
        wind = Wind(from_deg=wind_from_deg % 360.0, speed_m_s=wind_speed_m_s, measured_at=clock.now())
        return await run_flight(
            link,
            plan_to(
                place,
                target_ground_amsl_m,
                airframe=frames[airframe],
                airspace=airspace,
                wind=wind,
                clock=clock,
                ids=ids,
                drone_id="direct",
            ),
            clock=clock,
            ids=ids,
            folder=folder,
            system_id=system_id,
            write_parameters=write_parameters,
            on_message=_show,
            abort=abort,
        )

    outcome = asyncio.run(run())
    for reason in outcome.reasons:
        typer.echo(f"not flown: {reason.code}: {reason.detail} {reason.detail_zh}")
    if outcome.ended is None:
        raise typer.Exit(1)
    typer.echo(f"flight record: {outcome.record}")


def _show(message: Message) -> None:
    if not isinstance(message, Event):
        return
    english, chinese = narrate(message)
    typer.echo(f"{message.at:%H:%M:%S}  {english}  {chinese}")
