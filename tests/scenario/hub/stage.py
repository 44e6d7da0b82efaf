"""The whole system in one process and in virtual time: hub, agents, simulated vehicles.

Nothing is played here except the cable: vehicles and agents exchange real MAVLink bytes in memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from core.clock import LoopClock
from core.ids import IdSource
from flight.bus import InProcessBus
from hub_api import rooms
from hub_api.agent_room import AgentTask
from hub_api.hub import Hub, Parts
from hub_api.main import create_app
from hub_api.settings import DEMO_API_KEY, Settings
from planner.site import Drone, Site, load_site
from proving_ground.cable import Cable
from sitl.airframe import load_airframe
from sitl.site import read_site
from sitl.vehicle import SimulatedVehicle, VehicleSettings

SITE_FILE = Path(__file__).parents[3] / "examples" / "sites" / "baoan.json"
EPOCH = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)
STEP_S = 0.05
"""How often the cable is emptied; vehicles run at their own, finer tick in between."""


@dataclass
class Fleet:
    """Simulated vehicles that live on while hubs come and go."""

    site: Site
    vehicles: dict[str, SimulatedVehicle] = field(default_factory=dict)
    cables: dict[str, Cable] = field(default_factory=dict)

    @classmethod
    def of(cls, site: Site, **settings: Any) -> Fleet:
        fleet = cls(site)
        layout = read_site(SITE_FILE)
        berths = {berth.system_id: berth for berth in layout.berths}
        for number, drone in enumerate(site.drones):
            berth = berths[drone.system_id]
            chosen = VehicleSettings(
                airframe=load_airframe(berth.airframe_id), terrain=layout.terrain(berth), ready_after_s=5.0
            )
            fleet.vehicles[drone.drone_id] = SimulatedVehicle(
                drone.system_id,
                berth.place,
                berth.ground_amsl_m,
                settings=replace(chosen, **settings),
                seed=number,
            )
        return fleet

    def transport_of(self, drone: Drone) -> Cable:
        cable = Cable(self.vehicles[drone.drone_id])
        self.cables[drone.drone_id] = cable
        return cable

    async def run(self, clock: LoopClock) -> None:
        """Move every vehicle with the clock and carry its words. Until cancelled."""
        done_s = clock.monotonic_s()
        while True:
            await clock.sleep(STEP_S)
            now_s = clock.monotonic_s()
            for drone_id, vehicle in self.vehicles.items():
                vehicle.step(now_s - done_s)
                if drone_id in self.cables:
                    self.cables[drone_id].deliver()
            done_s = now_s


@dataclass
class Stage:
    """A running hub among flying vehicles, and a client that speaks to it over HTTP."""

    hub: Hub
    client: httpx.AsyncClient
    fleet: Fleet
    settings: Settings

    async def order(self, key: str, **body: Any) -> dict[str, Any]:
        answer = await self.client.post("/v1/orders", json=body, headers={"Idempotency-Key": key})
        assert answer.status_code in (200, 201), answer.text
        shown: dict[str, Any] = answer.json()
        return shown

    async def until(self, order_id: str, *states: str, at_most_s: float = 900.0) -> dict[str, Any]:
        """Wait until the order is in one of the states."""
        listener = self.hub.feed.listen(lambda event: event.order_id == order_id)
        try:
            async with self.hub.clock.timeout(at_most_s):
                while True:
                    shown: dict[str, Any] = (await self.client.get(f"/v1/orders/{order_id}")).json()
                    if shown["state"] in states:
                        return shown
                    await listener.next()
        finally:
            self.hub.feed.leave(listener)

    async def until_ready(self, count: int, at_most_s: float = 180.0) -> None:
        """Wait until so many drones may be sent; says what holds the others back if it takes too long."""
        drones: list[dict[str, Any]] = []
        try:
            async with self.hub.clock.timeout(at_most_s):
                while True:
                    drones = (await self.client.get("/v1/drones")).json()["drones"]
                    if sum(drone["ready"] for drone in drones) >= count:
                        return
                    await self.hub.clock.sleep(1.0)
        except TimeoutError:
            why = {d["drone_id"]: [r["code"] for r in d["not_ready_reasons"]] for d in drones}
            raise AssertionError(f"drones are not ready: {why}") from None

    async def weather(self, *, from_deg: float = 90.0, speed_m_s: float = 3.0) -> None:
        for station in self.hub.site.stations:
            answer = await self.client.post(
                f"/v1/stations/{station.station_id}/weather",
                json={
                    "from_deg": from_deg,
                    "speed_m_s": speed_m_s,
                    "measured_at": self.hub.clock.now().isoformat(),
                },
            )
            assert answer.status_code == 204, answer.text


def baoan(drones: int = 4) -> Site:
    """The demonstration site with its first drones only: a vehicle costs time even when it stands."""
    whole = load_site(SITE_FILE)
    return replace(whole, drones=whole.drones[:drones])


@asynccontextmanager
async def stage(
    data_dir: Path, fleet: Fleet, clock: LoopClock, *, seed: int = 1, **settings: Any
) -> AsyncIterator[Stage]:
    """A hub with real agents on ``data_dir`` for vehicles that already exist."""
    chosen = Settings(
        _env_file=None, **({"data_dir": data_dir, "demo": True, "site_file": SITE_FILE} | settings)
    )
    ids = IdSource(clock, seed=seed)

    def agents(hub: Hub) -> list[AgentTask]:
        return rooms.default_agents(
            hub.site,
            hub.bus,
            hub.clock,
            hub.ids,
            journal_dir=chosen.journal_dir,
            records_dir=chosen.records_dir,
            airspace=lambda: hub.airspace,
            transport_of=fleet.transport_of,
        )

    app = create_app(
        chosen, Parts(clock=clock, bus=InProcessBus(clock), ids=ids, site=fleet.site, agents=agents)
    )
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://hub", headers={"X-API-Key": DEMO_API_KEY}
        ) as client:
            shown = Stage(app.state.hub, client, fleet, chosen)
            await shown.weather()
            yield shown


@asynccontextmanager
async def flying(fleet: Fleet) -> AsyncIterator[LoopClock]:
    """Vehicles that move for as long as the block lasts."""
    clock = LoopClock(epoch=EPOCH)
    task = asyncio.create_task(fleet.run(clock))
    try:
        yield clock
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
