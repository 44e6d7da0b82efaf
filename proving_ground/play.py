"""One scenario being played: a hub with its agents, simulated vehicles, a centre that sends orders, and faults.

Everything speaks the way it does in the field: orders over HTTP, commands and telemetry as MAVLink bytes. Only time
is virtual, and all chance comes from the seed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from core.clock import LoopClock
from flight.links.transport import Transport
from hub_api.hub import Hub
from planner.site import Drone, Site
from proving_ground.cable import Cable
from proving_ground.centre import Centre
from proving_ground.eyes import Eye, WorldEye
from proving_ground.hub_clock import HubClock
from proving_ground.hub_process import HubProcess
from proving_ground.schema import FaultLine, Scenario
from proving_ground.tracks import Recorder
from proving_ground.world_faults import WORLD_FAULTS
from sitl.airframe import load_airframe
from sitl.autopilot import Personality
from sitl.faults import FAULTS as VEHICLE_FAULTS
from sitl.px4.home import WANDER_MAX_M
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


@dataclass(slots=True)
class FaultSeen:
    """When a fault of the scenario began, in seconds after the drones were ready."""

    fault: str
    drone_id: str
    at_s: float
    ended_at_s: float | None = None


@dataclass
class Play:
    """The running world. Made by :func:`proving_ground.staging.staged`."""

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
    faults: list[FaultSeen] = field(default_factory=list)
    recorder: Recorder = field(default_factory=Recorder)
    watchers: list[Callable[[], None]] = field(default_factory=list)
    """Called after every step of the vehicles."""
    at_fault: Callable[[FaultLine], FaultLine] = lambda line: line
    """Asked when a fault is about to begin: the fault that begins instead (:mod:`proving_ground.branches`)."""
    weather_reports: bool = True
    started_s: float = 0.0
    _wind_m_s: float | None = None
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    hub_clock: HubClock = field(init=False)
    process: HubProcess = field(init=False)
    centre: Centre = field(init=False)

    def __post_init__(self) -> None:
        self.hub_clock = HubClock(self.clock)
        self.process = HubProcess(
            site=self.site,
            site_file=self.site_file,
            folder=self.folder,
            seed=self.seed,
            clock=self.hub_clock,
            transport_of=self.transport_of,
            started=self.report_weather_once,
        )
        self.centre = Centre(self)

    # --- the world ----------------------------------------------------------------------------

    @property
    def now_s(self) -> float:
        """Seconds after the drones were ready."""
        return self.clock.monotonic_s() - self.started_s

    def height_error_m(self, drone: Drone) -> float:
        """What the drone's height over the ground may be off without anything being broken."""
        vehicle = self.vehicles.get(drone.drone_id)
        wanders = (
            vehicle is not None
            and vehicle.personality is Personality.PX4
            and vehicle.settings.gnss_height_wanders
        )
        return self.sight_error_m + (WANDER_MAX_M if wanders else 0.0)

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
            self.recorder.sample(now_s - self.started_s, self.eyes, self.process.airspace)
            for look in self.watchers:
                look()

    async def report_weather(self) -> None:
        """What the stations' sensors do. Until cancelled."""
        while True:
            if self.weather_reports and self.process.is_up:
                await self.report_weather_once()
            await self.clock.sleep(WEATHER_EVERY_S)

    async def report_weather_once(self) -> None:
        """What the sensor of every station measures now."""
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
            await self.client.post(f"/v1/stations/{station_id}/weather", json=body)

    # --- the hub ------------------------------------------------------------------------------

    @property
    def hub(self) -> Hub:
        """The running hub."""
        return self.process.hub

    @property
    def client(self) -> httpx.AsyncClient:
        """The centre's connection."""
        return self.process.client

    async def stop_hub(self) -> None:
        """The process ends; vehicles fly on."""
        await self.process.stop()
        self.cables.clear()

    async def restart_hub(self, *, after_s: float) -> None:
        """Kill the hub and start it again ``after_s`` later."""
        await self.stop_hub()
        await self.clock.sleep(after_s)
        await self.process.start()

    def check(self) -> None:
        """Raise what broke in the play itself: a world that has stopped proves nothing."""
        for task in self.tasks:
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                raise error
        self.process.check()

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
