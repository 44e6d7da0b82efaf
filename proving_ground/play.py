"""One scenario being played: a hub with its agents, simulated vehicles, a centre that sends orders, and faults.

Everything speaks the way it does in the field: orders over HTTP, commands and telemetry as MAVLink bytes. Only time
is virtual, and all chance comes from the seed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import sqlalchemy
from fastapi import FastAPI

from core.clock import LoopClock
from core.ids import IdSource
from flight.bus import InProcessBus
from flight.links.transport import Transport
from hub_api import rooms
from hub_api.main import create_app
from hub_api.settings import DEMO_API_KEY, Settings
from hub_api.store.database import make_engine, upgrade
from hub_api.store.records import EventRecord
from hub_api.wiring import AgentTask, Hub, Parts, open_hub
from planner.airframe import load_airframes
from planner.site import Drone, Site, load_site
from proving_ground.cable import Cable
from proving_ground.eyes import Eye, WorldEye
from proving_ground.hub_clock import HubClock
from proving_ground.schema import FaultLine, OrderLine, Scenario
from proving_ground.tracks import Recorder
from proving_ground.world_faults import WORLD_FAULTS
from sitl.airframe import load_airframe
from sitl.autopilot import Personality
from sitl.faults import FAULTS as VEHICLE_FAULTS
from sitl.site import read_site
from sitl.vehicle import SimulatedVehicle, VehicleSettings
from sitl.weather import Wind

STEP_S = 0.1
"""How often the cables are emptied: the period of the autopilots' slow loop, before which a vehicle has little new
to say, and no more delay than a radio's. Physics and controllers run at their own, finer tick in between."""
READY_AFTER_S = 5.0
"""Chosen: an estimator that is quick to settle; waiting 40 s for it proves nothing and costs time."""
READY_LIMIT_S = 60.0
WEATHER_EVERY_S = 60.0
FLOWN_BY = {"ardupilot": "hex10", "px4": "quad8_px4"}
"""What a drone flies as where the scenario asks for another autopilot than its own."""


@dataclass(slots=True)
class FaultSeen:
    """When a fault of the scenario began, in seconds after the drones were ready."""

    fault: str
    drone_id: str
    at_s: float
    ended_at_s: float | None = None


@dataclass(slots=True)
class Placed:
    """An order that was sent: its line, its answer, and the moment (seconds after the drones were ready)."""

    line: OrderLine
    sent_at_s: float
    status: int
    body: dict[str, Any]

    @property
    def order_id(self) -> str | None:
        """None where the hub refused to take it."""
        order_id: str | None = self.body.get("order_id")
        return order_id


@dataclass
class Play:
    """The running world. Made by :func:`staged`."""

    scenario: Scenario
    seed: int
    site: Site
    site_file: Path
    folder: Path
    clock: LoopClock
    vehicles: dict[str, SimulatedVehicle] = field(default_factory=dict)
    eyes: dict[str, Eye] = field(default_factory=dict)
    """Who testifies what each drone did."""
    sight_error_m: float = 0.0
    """How wrong a height may be that an eye tells; the simulated world tells the truth."""
    notes: tuple[str, ...] = ()
    ready_limit_s: float = READY_LIMIT_S
    cables: dict[str, Cable] = field(default_factory=dict)
    placed: dict[str, Placed] = field(default_factory=dict)
    faults: list[FaultSeen] = field(default_factory=list)
    recorder: Recorder = field(default_factory=Recorder)
    watchers: list[Callable[[], None]] = field(default_factory=list)
    """Called after every step of the vehicles."""
    weather_reports: bool = True
    stored: int = 0
    """Events that the hub has stored: while there is no new one, nobody need look at the orders again."""
    started_s: float = 0.0
    _wind_m_s: float | None = None
    _hub: AsyncExitStack = field(default_factory=AsyncExitStack)
    _app_hub: Hub | None = None
    _client: httpx.AsyncClient | None = None
    _starts: int = 0
    _broken: Callable[..., None] | None = None
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    hub_clock: HubClock = field(init=False)

    def __post_init__(self) -> None:
        self.hub_clock = HubClock(self.clock)

    # --- the world ----------------------------------------------------------------------------

    @property
    def hub(self) -> Hub:
        """The running hub."""
        assert self._app_hub is not None, "the hub is down"
        return self._app_hub

    @property
    def client(self) -> httpx.AsyncClient:
        """The centre's connection."""
        assert self._client is not None, "the hub is down"
        return self._client

    @property
    def now_s(self) -> float:
        """Seconds after the drones were ready."""
        return self.clock.monotonic_s() - self.started_s

    def build_vehicles(self) -> None:
        """Power the drones on, on their pads."""
        layout = read_site(self.site_file)
        berths = {berth.system_id: berth for berth in layout.berths}
        for drone in self.site.drones:
            berth = berths[drone.system_id]
            self.vehicles[drone.drone_id] = SimulatedVehicle(
                drone.system_id,
                berth.place,
                berth.ground_amsl_m,
                settings=VehicleSettings(
                    airframe=load_airframe(drone.airframe_id),
                    terrain=layout.terrain(berth),
                    ready_after_s=READY_AFTER_S,
                    autopilot=Personality(self.scenario.world.autopilot.value),
                    parameters=dict(self.scenario.world.parameters),
                    wind=self._wind(None),
                ),
                seed=self.seed,
            )
            self.eyes[drone.drone_id] = WorldEye(self.vehicles[drone.drone_id])

    def transport_of(self, drone: Drone) -> Transport:
        """A new plug at the drone's cable; the old one, if any, is dead."""
        cable = Cable(self.vehicles[drone.drone_id])
        self.cables[drone.drone_id] = cable
        return cable

    async def run_vehicles(self) -> None:
        """Move every vehicle with the clock, carry its words and have watchers look. Until cancelled."""
        done_s = self.clock.monotonic_s()
        while True:
            await self.clock.sleep(STEP_S)
            now_s = self.clock.monotonic_s()
            for drone_id, vehicle in self.vehicles.items():
                vehicle.step(now_s - done_s)
                if drone_id in self.cables:
                    self.cables[drone_id].deliver()
            done_s = now_s
            self.recorder.sample(now_s - self.started_s, self.eyes)
            for look in self.watchers:
                look()

    async def report_weather(self) -> None:
        """What the stations' sensors do. Until cancelled."""
        while True:
            if self.weather_reports and self._client is not None:
                await self._report_weather_once(self._client)
            await self.clock.sleep(WEATHER_EVERY_S)

    async def _report_weather_once(self, client: httpx.AsyncClient) -> None:
        weather = self.scenario.weather
        mean_m_s = weather.speed_m_s if self._wind_m_s is None else self._wind_m_s
        body: dict[str, Any] = {
            "from_deg": weather.from_deg,
            "speed_m_s": mean_m_s,
            "measured_at": self.clock.now().isoformat(),
        }
        if weather.gust_m_s is not None:
            body["gust_m_s"] = max(weather.gust_m_s, mean_m_s)
        for station_id in sorted({drone.station_id for drone in self.site.drones}):
            await client.post(f"/v1/stations/{station_id}/weather", json=body)

    # --- the hub ------------------------------------------------------------------------------

    async def start_hub(self) -> None:
        """Start hub and agents on the same data as before."""
        settings = Settings(
            _env_file=None,
            data_dir=self.folder / "data",
            demo=True,
            site_file=self.site_file,
            log_level="ERROR",
        )
        self._starts += 1
        database = settings.data_dir / "hub.db"
        if not database.exists():
            settings.prepare_data_dir()
            database.write_bytes(_empty_database())
        ids = IdSource(self.hub_clock, seed=1000 * self.seed + self._starts)

        def agents(hub: Hub) -> list[AgentTask]:
            return rooms.default_agents(
                hub.site,
                hub.bus,
                hub.clock,
                hub.ids,
                journal_dir=settings.journal_dir,
                records_dir=settings.records_dir,
                airspace=lambda: hub.airspace,
                transport_of=self.transport_of,
            )

        parts = Parts(
            clock=self.hub_clock, bus=InProcessBus(self.hub_clock), ids=ids, site=self.site, agents=agents
        )
        app = _application()
        app.state.hub = self._app_hub = await self._hub.enter_async_context(open_hub(settings, parts))
        self._app_hub.feed.listen(self._count_stored)
        self._client = await self._hub.enter_async_context(
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app=app, raise_app_exceptions=False),
                base_url="http://hub",
                trust_env=False,
                headers={"X-API-Key": DEMO_API_KEY},
            )
        )
        await self._report_weather_once(self._client)

    def _count_stored(self, event: EventRecord) -> bool:
        self.stored += 1
        return False

    async def stop_hub(self) -> None:
        """The process ends: tasks stop where they are, the bus is gone; vehicles fly on."""
        self._client = self._app_hub = None
        await self._hub.aclose()
        self._hub = AsyncExitStack()
        self.cables.clear()

    async def restart_hub(self, *, after_s: float) -> None:
        """Kill the hub and start it again ``after_s`` later."""
        await self.stop_hub()
        await self.clock.sleep(after_s)
        await self.start_hub()

    def break_database(self, why: str) -> None:
        """From now on every write fails as a real database would say it."""
        engine = self.hub.database._engine

        def refuse(conn: Any, cursor: Any, statement: str, *rest: Any) -> None:
            if statement.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE")):
                raise sqlalchemy.exc.OperationalError(statement, None, Exception(why))

        sqlalchemy.event.listen(engine, "before_cursor_execute", refuse)
        self._broken = refuse

    def mend_database(self) -> None:
        """The database takes writes again."""
        if self._broken is not None and self._app_hub is not None:
            sqlalchemy.event.remove(self.hub.database._engine, "before_cursor_execute", self._broken)
        self._broken = None

    def check(self) -> None:
        """Raise what broke in the play itself: a world that has stopped proves nothing."""
        for task in self.tasks:
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                raise error
        if self._app_hub is not None and self._app_hub.failure.done():
            self._app_hub.failure.result()

    async def until_ready(self) -> None:
        """Wait until every drone may be sent, or says for a while why it may not; then the scenario's clock starts.

        A storm or a broken part is what some scenarios are about: such a drone will never be ready.
        """
        until_s = self.clock.monotonic_s() + self.ready_limit_s
        while self.clock.monotonic_s() < until_s:
            self.check()
            if all(view.ready for view in self.hub.fleet.views({})):
                break
            await self.clock.sleep(1.0)
        self.started_s = self.clock.monotonic_s()
        self.recorder.clear()

    # --- the centre ---------------------------------------------------------------------------

    async def place(self, line: OrderLine) -> None:
        """Send one order."""
        await self._post(line.name, line, key=f"{self.scenario.name}-{line.name}")

    async def send_again(self, name: str) -> None:
        """The same order, same key: a centre that did not hear the answer."""
        line = self.placed[name].line
        await self._post(f"{name}-again", line, key=f"{self.scenario.name}-{name}")

    async def repeat_call(self, name: str) -> None:
        """Another order for the same patient, as a second caller causes it."""
        line = self.placed[name].line
        await self._post(f"{name}-second", line, key=f"{self.scenario.name}-{name}-second")

    async def _post(self, name: str, line: OrderLine, *, key: str) -> None:
        body = {
            "position": line.patient.model_dump(),
            "severity": line.severity,
            **({} if line.floor is None else {"floor": line.floor}),
        }
        sent_at_s = self.now_s
        answer = await self.client.post("/v1/orders", json=body, headers={"Idempotency-Key": key})
        self.placed[name] = Placed(line, sent_at_s, answer.status_code, answer.json())

    async def cancel(self, name: str, reason: str) -> None:
        """Cancel an order that was sent."""
        order_id = self.placed[name].order_id
        if order_id is not None:
            await self.client.post(f"/v1/orders/{order_id}/cancel", json={"reason": reason})

    async def command(self, drone_id: str, kind: str) -> None:
        """What an operator does at the console."""
        await self.client.post(
            f"/v1/drones/{drone_id}/commands", json={"command": kind, "reason": "scenario"}
        )

    # --- faults -------------------------------------------------------------------------------

    def blow(self, speed_m_s: float | None) -> None:
        """The wind takes another speed for every vehicle; None: the scenario's own again."""
        self._wind_m_s = speed_m_s
        for vehicle in self.vehicles.values():
            vehicle.body.set_wind(self._wind(speed_m_s))

    def _wind(self, speed_m_s: float | None) -> Wind:
        weather = self.scenario.weather
        return Wind(
            from_deg=weather.from_deg,
            speed_m_s=weather.speed_m_s if speed_m_s is None else speed_m_s,
            turbulence_m_s=weather.turbulence_m_s,
        )

    async def break_it(self, line: FaultLine, drone_id: str, order: str) -> None:
        """Let one fault happen now, and end after its duration."""
        seen = FaultSeen(line.fault, drone_id, self.now_s)
        self.faults.append(seen)
        if line.fault in VEHICLE_FAULTS:
            self.break_vehicle(line, drone_id)
            return
        kind = WORLD_FAULTS[line.fault]
        strength = kind.default_strength if line.strength is None else line.strength
        await kind.begin(self, drone_id, order, strength)
        end = kind.end
        if end is not None:
            await self._later(line, lambda: end(self, drone_id, order, strength), seen)

    def break_vehicle(self, line: FaultLine, drone_id: str) -> None:
        """A fault of the vehicle or its radio begins; it ends by itself."""
        faults = self.vehicles[drone_id].faults
        faults.set(line.fault, line.strength, duration_s=line.duration_s)

    async def _later(self, line: FaultLine, end: Callable[[], Awaitable[None]], seen: FaultSeen) -> None:
        if line.duration_s is None:
            return
        await self.clock.sleep(line.duration_s)
        await end()
        seen.ended_at_s = self.now_s


@cache
def _application() -> FastAPI:
    """The hub's routes and middleware, made once a process: only the hub behind them changes."""
    return create_app(Settings(_env_file=None, demo=True))


@cache
def _empty_database() -> bytes:
    """A database after all migrations, made once a process: every scenario starts with a copy."""
    with TemporaryDirectory(prefix="proving-") as folder:
        file = Path(folder) / "hub.db"
        engine = make_engine(f"sqlite:///{file}")
        upgrade(engine)
        engine.dispose()
        return file.read_bytes()


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
        await play.start_hub()
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
