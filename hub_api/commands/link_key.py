"""``drone-aed link-key``: give a vehicle the key with which it and we sign every message from then on."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from core.clock import LoopClock
from flight.links.key_store import KeyStore
from flight.links.mavlink.connection import VehicleConnection
from flight.links.mavlink.enrol import Enrolment, EnrolmentOutcome, set_up_signing
from flight.links.mavlink.hub import LinkHub
from flight.links.mavlink.signing import SigningTimes
from planner.site import Drone, load_site

HEARD_S = 10.0
"""A vehicle says HEARTBEAT every second; chosen ten times that."""

_SAID = {
    Enrolment.PROVED: "signs with the new key and obeys it",
    Enrolment.DEAF: "signs with the new key, but does not answer what we sign: look at its parameters",
    Enrolment.NOT_TAKEN: "went on as before; the key is kept and may be sent again",
    Enrolment.ARMED: "is armed, or does not say whether it is: keys are given on the ground only",
}


def link_key(
    drone_id: Annotated[str, typer.Argument(help="The drone, as the site file names it.")],
    site_file: Annotated[Path, typer.Option(help="The site file.")],
    keys_file: Annotated[Path, typer.Option(help="Where keys are kept: DRONE_AED_LINK_KEYS_FILE.")],
    link_is_private: Annotated[
        bool,
        typer.Option(
            "--link-is-private", help="You vouch that nobody else hears this link: the key goes in the open."
        ),
    ] = False,
) -> None:
    """Make a key, send it over a private link, and see that the vehicle signs with it. The hub must be stopped."""
    site = load_site(site_file)
    drone = next((drone for drone in site.drones if drone.drone_id == drone_id), None)
    if drone is None:
        raise typer.BadParameter(f"the site has no drone {drone_id!r}", param_hint="DRONE_ID")
    outcome = asyncio.run(_enrol(drone, keys_file, link_is_private))
    if outcome is None:
        typer.echo(f"{drone_id} is not heard on {drone.link} within {HEARD_S:.0f} s", err=True)
        raise typer.Exit(1)
    typer.echo(f"{drone_id} {_SAID[outcome.status]}" + (f" (key {outcome.key_id})" if outcome.key_id else ""))
    if outcome.status is not Enrolment.PROVED:
        raise typer.Exit(1)


async def _enrol(drone: Drone, keys_file: Path, link_is_private: bool) -> EnrolmentOutcome | None:
    clock = LoopClock()
    times = SigningTimes(clock, keys_file.with_suffix(".times.json"))
    hub = LinkHub(clock, keys=KeyStore(keys_file, clock), times=times)
    claim = hub.claim(drone.link, drone.system_id, owner=drone.drone_id)
    connection = VehicleConnection(drone.system_id, claim, clock)
    tasks = [asyncio.create_task(hub.run()), asyncio.create_task(connection.run())]
    try:
        if not await connection.wait_for(lambda view: view.armed is not None, HEARD_S):
            return None
        return await set_up_signing(hub, connection, drone.drone_id, clock, link_is_private=link_is_private)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
