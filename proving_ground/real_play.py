"""A scenario against real autopilots: the same hub, agents, orders and world faults, in (a multiple of) real time.

What the simulated world testifies is not there: an observer tells what each autopilot reports about itself.
"""

from __future__ import annotations

import asyncio
import math
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from core.clock import LoopClock
from core.geodesy import geodesic_distance_m
from flight.links.mavlink.transports import open_transport
from flight.links.transport import OnData, Transport
from planner.site import Drone, Site
from proving_ground.observer import Observer
from proving_ground.play import Play, performed, site_of
from proving_ground.result import Run
from proving_ground.runner import broken_run, perform
from proving_ground.schema import FaultLine, Scenario
from sitl.autopilot import Personality
from sitl.faults import FAULTS as VEHICLE_FAULTS
from sitl.launchers import PROFILES, Home, Launched, LaunchError, ardupilot, launched, px4
from sitl.launchers.programs import Order
from sitl.site import SiteLayout, read_site

READY_LIMIT_S = 240.0
"""Chosen, vehicle seconds: ArduCopter's estimator was seen to take 42 s, reading the parameters about as long."""
SAMPLE_S = 0.25
SETTLE_S = 120.0
"""Vehicle seconds until the first position must have come."""
PAD_RADIUS_M = 50.0
"""Chosen: farther from its pad, an autopilot stands somewhere else than the scenario says."""
CABLE_FAULTS = frozenset({"link_loss", "link_flap"})
"""Faults of the radio that we make ourselves, by pulling the plug between agent and autopilot."""
FIRST_INSTANCE = 1
"""Ports of instance 0 are where people work."""
OBSERVER_PORT = 24_600
AIRFRAMES = {Personality.ARDUPILOT: "hex10", Personality.PX4: "quad8_px4"}
OUTPUTS = {Personality.ARDUPILOT: ardupilot.GRIPPER_OUTPUT, Personality.PX4: px4.GRIPPER_OUTPUT}
NAMES = {Personality.ARDUPILOT: "ArduCopter", Personality.PX4: "PX4"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Against:
    """Which autopilots fly. Either a program that is started for every drone, or links to running ones."""

    kind: Personality
    program: Path | None = None
    links: tuple[str, ...] = ()
    """One for each drone of the scenario, in the site's order."""
    speed: float = 1.0


def why_not(scenario: Scenario, site_file: Path, against: Against) -> str:
    """Why this scenario can't be flown against these autopilots, in one line; empty if it can."""
    for line in scenario.faults:
        if line.fault in VEHICLE_FAULTS and line.fault not in CABLE_FAULTS:
            return f"the fault {line.fault} is the simulated vehicle's; a real {NAMES[against.kind]} can't be given it"
        if line.fault == "wind_change" and (against.kind is not Personality.ARDUPILOT or against.links):
            return (
                "the fault wind_change needs an ArduCopter that is started here: no other's wind can be set"
            )
    try:
        drones = site_of(scenario, site_file).drones
    except ValueError as error:
        return str(error)
    if against.links and len(against.links) != len(drones):
        return f"the scenario has {len(drones)} drones, --link names {len(against.links)}"
    if against.kind is Personality.PX4 and FIRST_INSTANCE + len(drones) > px4.INSTANCES_MAX:
        return f"PX4 has ports for {px4.INSTANCES_MAX - FIRST_INSTANCE} drones"
    return ""


def run_against(scenario: Scenario, *, seed: int, site_file: Path, file: str, against: Against) -> Run:
    """Play and judge. Raises :class:`LaunchError` where no autopilot can be started or heard."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="proving-") as folder:
        stage = _staged(scenario, seed=seed, folder=Path(folder), site_file=site_file, against=against)
        try:
            run = asyncio.run(perform(stage, file))
        except LaunchError:
            raise
        except Exception:
            run = broken_run(scenario, seed, file)
    return replace(run, real_s=time.perf_counter() - began)


class Plug:
    """A way to an autopilot that can be pulled, and that an observer may tap."""

    def __init__(self, inner: Transport, pulled: Callable[[], bool], tap: OnData | None) -> None:
        self._inner, self._pulled, self._tap = inner, pulled, tap

    @property
    def datagrams(self) -> bool:
        return self._inner.datagrams

    async def open(self, on_data: OnData, on_closed: Callable[[str], None]) -> None:
        def take(data: bytes, peer: Hashable) -> None:
            if self._tap is not None:
                self._tap(data, peer)
            if not self._pulled():
                on_data(data, peer)

        await self._inner.open(take, on_closed)

    def send(self, data: bytes, peer: Hashable) -> None:
        if not self._pulled():
            self._inner.send(data, peer)

    async def close(self) -> None:
        await self._inner.close()


@dataclass
class RealPlay(Play):
    """The running world with real autopilots in it."""

    against: Against = field(default_factory=lambda: Against(kind=Personality.ARDUPILOT))
    observers: dict[str, Observer] = field(default_factory=dict)
    pulled: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    """Drone → from, until (this clock), period in seconds (0: all the time)."""

    def transport_of(self, drone: Drone) -> Transport:
        """A plug at the drone's link."""
        tap = self.observers[drone.drone_id].hear if self.against.links else None
        return Plug(open_transport(drone.link), partial(self.is_pulled, drone.drone_id), tap)

    def is_pulled(self, drone_id: str) -> bool:
        """Whether the plug is out at this moment."""
        since_s, until_s, period_s = self.pulled.get(drone_id, (0.0, 0.0, 0.0))
        now_s = self.clock.monotonic_s()
        if not since_s <= now_s < until_s:
            return False
        return not period_s or ((now_s - since_s) / period_s) % 1.0 < 0.5

    async def run_vehicles(self) -> None:
        """Note where everybody is; they move by themselves. Until cancelled."""
        while True:
            await self.clock.sleep(SAMPLE_S)
            if all(observer.has_position for observer in self.observers.values()):
                self.recorder.sample(self.clock.monotonic_s() - self.started_s, self.eyes)
            for look in self.watchers:
                look()

    def break_vehicle(self, line: FaultLine, drone_id: str) -> None:
        """Pull the plug; :func:`why_not` has refused everything else."""
        now_s = self.clock.monotonic_s()
        lasts_s = math.inf if line.duration_s is None else line.duration_s
        strength = VEHICLE_FAULTS[line.fault].default_strength if line.strength is None else line.strength
        self.pulled[drone_id] = (now_s, now_s + lasts_s, strength if line.fault == "link_flap" else 0.0)

    def blow(self, speed_m_s: float | None) -> None:
        """The wind takes another speed, where the autopilot's own simulator can be told."""
        self._wind_m_s = speed_m_s
        for observer in self.observers.values():
            observer.set_parameter(
                "SIM_WIND_SPD", self.scenario.weather.speed_m_s if speed_m_s is None else speed_m_s
            )

    async def until_observed(self, layout: SiteLayout) -> None:
        """Wait for every autopilot's position, and see that it stands on its pad."""
        pads = {berth.name: berth.place for berth in layout.berths}
        for drone in self.site.drones:
            observer = self.observers[drone.drone_id]
            try:
                async with self.clock.timeout(SETTLE_S):
                    while not observer.has_position:
                        self.check()
                        await self.clock.sleep(0.5)
            except TimeoutError:
                raise LaunchError(f"{drone.drone_id} at {drone.link} does not tell where it is") from None
            away_m = geodesic_distance_m(observer.position, pads[drone.drone_id])
            if away_m > PAD_RADIUS_M:
                raise LaunchError(f"{drone.drone_id} at {drone.link} stands {away_m:.0f} m from its pad")


def _orders(
    scenario: Scenario, site: Site, layout: SiteLayout, against: Against, folder: Path
) -> list[Order]:
    assert against.program is not None
    berths = {berth.name: berth for berth in layout.berths}
    weather = scenario.weather
    wind = (
        {"SIM_WIND_SPD": weather.speed_m_s, "SIM_WIND_DIR": weather.from_deg}
        if against.kind is Personality.ARDUPILOT
        else {}
    )
    return [
        Order(
            program=against.program,
            number=FIRST_INSTANCE + index,
            home=Home(berths[drone.drone_id].place, berths[drone.drone_id].ground_amsl_m),
            folder=folder / drone.drone_id,
            speed=against.speed,
            parameters={**PROFILES[against.kind], **wind, **scenario.world.parameters},
        )
        for index, drone in enumerate(site.drones)
    ]


def _notes(scenario: Scenario, against: Against) -> tuple[str, ...]:
    name = NAMES[against.kind]
    where = against.program.name if against.program is not None else ", ".join(against.links)
    weather = scenario.weather
    blows = against.kind is Personality.ARDUPILOT and not against.links
    return (
        f"flown by a real {name} ({where}), {against.speed:g} × real time; its chance does not come from the seed",
        f"nobody saw the vehicle from outside: tracks, releases and landings are what {name} reports itself",
        "the AED counts as put down where the gripper's output opened within 1.5 m of the ground, by estimate",
        (
            f"its simulator's wind is {weather.speed_m_s:g} m/s from {weather.from_deg:g}°, without turbulence"
            if blows
            else "the scenario's wind is reported to the hub but does not blow on the vehicle"
        ),
    )


@asynccontextmanager
async def _staged(
    scenario: Scenario, *, seed: int, folder: Path, site_file: Path, against: Against
) -> AsyncIterator[Play]:
    layout = read_site(site_file)
    site = site_of(scenario, site_file)
    drones = tuple(replace(drone, airframe_id=AIRFRAMES[against.kind]) for drone in site.drones)
    with ExitStack() as stack:
        if against.links:
            drones = tuple(
                replace(drone, link=link) for drone, link in zip(drones, against.links, strict=True)
            )
            running: list[Launched] = []
        else:
            orders = _orders(scenario, site, layout, against, folder / "autopilots")
            running = stack.enter_context(launched(against.kind, orders))
            drones = tuple(
                replace(drone, link=vehicle.link, system_id=vehicle.system_id)
                for drone, vehicle in zip(drones, running, strict=True)
            )
        play = RealPlay(
            scenario=scenario,
            seed=seed,
            site=replace(site, drones=drones),
            site_file=site_file,
            folder=folder,
            clock=LoopClock(speedup=against.speed, epoch=scenario.world.start),
            notes=_notes(scenario, against),
            ready_limit_s=READY_LIMIT_S,
            against=against,
        )
        berths = {berth.name: berth for berth in layout.berths}
        for drone in play.site.drones:
            terrain = layout.terrain(berths[drone.drone_id])
            observer = Observer(play.clock, drone.system_id, terrain, OUTPUTS[against.kind])
            play.observers[drone.drone_id] = play.eyes[drone.drone_id] = observer
        for index, (drone, vehicle) in enumerate(zip(play.site.drones, running, strict=False)):
            link = vehicle.spare_link
            if link.startswith("udpout:"):
                link = f"{link}:{OBSERVER_PORT + index}"
            observer = play.observers[drone.drone_id]
            play.tasks.append(asyncio.create_task(observer.watch(partial(open_transport, link))))
        async with performed(play):
            await play.until_observed(layout)
            yield play
