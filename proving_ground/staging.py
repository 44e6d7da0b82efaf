"""Setting a play up and taking it down again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from core.clock import LoopClock
from planner.airframe import load_airframes
from planner.site import Site, load_site
from proving_ground.play import Play
from proving_ground.schema import Scenario

FLOWN_BY = {"ardupilot": "hex10", "px4": "quad8_px4"}
"""What a drone flies as where the scenario asks for another autopilot than its own."""


@asynccontextmanager
async def staged(scenario: Scenario, *, seed: int, folder: Path, site_file: Path) -> AsyncIterator[Play]:
    """The world of a scenario with its drones ready. Inside a running (virtual) event loop."""
    play = Play(
        scenario=scenario,
        seed=seed,
        site=site_of(scenario, site_file),
        site_file=site_file,
        folder=folder,
        clock=LoopClock(epoch=scenario.world.start),
    )
    play.build_vehicles()
    async with performed(play):
        yield play


def site_of(scenario: Scenario, site_file: Path) -> Site:
    """The site with the scenario's drones only."""
    whole = load_site(site_file)
    autopilot, airframes = scenario.world.autopilot.value, load_airframes()
    drones = tuple(
        drone
        if airframes[drone.airframe_id].autopilot == autopilot
        else replace(drone, airframe_id=FLOWN_BY[autopilot])
        for drone in whole.drones
    )
    chosen = scenario.world.drones
    if chosen is None:
        return replace(whole, drones=drones)
    known = {drone.drone_id for drone in whole.drones}
    unknown = [name for name in chosen if name not in known]
    if unknown:
        raise ValueError(f"world.drones: the site has no {', '.join(unknown)}")
    return replace(whole, drones=tuple(drone for drone in drones if drone.drone_id in chosen))


@asynccontextmanager
async def performed(play: Play) -> AsyncIterator[None]:
    """Vehicles, hub and weather run inside; the drones are ready at the beginning."""
    play.tasks.append(asyncio.create_task(play.run_vehicles()))
    try:
        await play.process.start()
        play.tasks.append(asyncio.create_task(play.report_weather()))
        try:
            await play.until_ready()
            yield
        finally:
            await play.stop_hub()
    finally:
        for task in play.tasks:
            task.cancel()
        await asyncio.gather(*play.tasks, return_exceptions=True)
