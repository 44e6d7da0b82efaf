"""A scenario against real autopilots: the same hub, agents, orders and world faults, in (a multiple of) real time.

What the simulated world testifies is not there: an observer tells what each autopilot reports about itself.
"""

from __future__ import annotations

import asyncio
import math
import random
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from core.clock import LoopClock
from core.geodesy import geodesic_distance_m
from flight.links.mavlink.transports import open_transport
from flight.links.transport import Transport
from flight.model.words import Phase
from planner.airframe import load_airframes
from planner.site import Drone, Site
from proving_ground.heard import heard
from proving_ground.meddler import Meddler
from proving_ground.observer import ESTIMATE_M, Observer
from proving_ground.play import FaultSeen, Play
from proving_ground.plug import CARRY_S, Plug, Radio
from proving_ground.real_faults import LINK_FAULTS, REAL_FAULTS, TICK_S
from proving_ground.result import Run
from proving_ground.runner import broken_run, finished, perform
from proving_ground.schema import FaultLine, Scenario
from proving_ground.staging import performed, site_of
from sitl.autopilot import Personality
from sitl.faults import FAULTS as VEHICLE_FAULTS
from sitl.launchers import PROFILES, Home, Launched, LaunchError, ardupilot, launched, px4
from sitl.launchers.programs import Order
from sitl.site import SiteLayout, read_site

READY_LIMIT_S = 240.0
"""Chosen, vehicle seconds: ArduCopter's estimator was seen to take 42 s, reading the parameters about as long."""
STEADY_S = 5.0
"""Chosen, vehicle seconds: an ArduCopter was seen ready and a second later not."""
SAMPLE_S = 0.25
SETTLE_S = 120.0
"""Vehicle seconds until the first position must have come."""
PAD_RADIUS_M = 50.0
"""Chosen: farther from its pad, an autopilot stands somewhere else than the scenario says."""
FIRST_INSTANCE = 1
"""Ports of instance 0 are where people work."""
OBSERVER_PORT = 24_600
WINCH_PHASES = frozenset({Phase.LOWERING, Phase.RETRACTING})
"""Phases that last only where a line runs out and in."""
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
        if reason := _why_no_fault(line.fault, against):
            return reason
        if against.kind is Personality.PX4 and line.when.phase in WINCH_PHASES:
            return (
                f"the fault {line.fault} waits for the phase {line.when.phase}, which a PX4 with a gripper "
                "passes through in no time"
            )
    world = scenario.world
    if world.parameters and world.autopilot.value != against.kind.value:
        return f"its world.parameters are for {world.autopilot}; a real {NAMES[against.kind]} has others"
    try:
        drones = site_of(scenario, site_file).drones
    except ValueError as error:
        return str(error)
    if against.links and len(against.links) != len(drones):
        return f"the scenario has {len(drones)} drones, --link names {len(against.links)}"
    if against.kind is Personality.PX4 and FIRST_INSTANCE + len(drones) > px4.INSTANCES_MAX:
        return f"PX4 has ports for {px4.INSTANCES_MAX - FIRST_INSTANCE} drones"
    return ""


def _why_no_fault(fault: str, against: Against) -> str:
    name = NAMES[against.kind]
    if fault in LINK_FAULTS:
        return ""
    if fault in VEHICLE_FAULTS and fault not in REAL_FAULTS[against.kind]:
        return f"the fault {fault} is the simulated vehicle's; a real {name} can't be given it"
    if fault == "wind_change" and against.kind is not Personality.ARDUPILOT:
        return f"the fault wind_change can't be given: the simulator of a real {name} has no wind to set"
    if against.links and (fault in VEHICLE_FAULTS or fault == "wind_change"):
        return f"the fault {fault} comes on a second link, which only a {name} that is started here has"
    return ""


def run_against(scenario: Scenario, *, seed: int, site_file: Path, file: str, against: Against) -> Run:
    """Play and judge. Raises :class:`LaunchError` where no autopilot can be started or heard."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="proving-") as folder:
        stage = _staged(scenario, seed=seed, folder=Path(folder), site_file=site_file, against=against)
        with heard() as ear:
            try:
                run = asyncio.run(perform(stage, file))
            except LaunchError:
                raise
            except Exception:
                run = broken_run(scenario, seed, file)
    return finished(run, ear, time.perf_counter() - began)


@dataclass
class RealPlay(Play):
    """The running world with real autopilots in it."""

    against: Against = field(default_factory=lambda: Against(kind=Personality.ARDUPILOT))
    observers: dict[str, Observer] = field(default_factory=dict)
    meddlers: dict[str, Meddler] = field(default_factory=dict)
    radios: dict[str, Radio] = field(default_factory=dict)
    plugs: dict[str, Plug] = field(default_factory=dict)

    def radio_of(self, drone: Drone) -> Radio:
        """What is wrong with its link; one for the whole scenario, whoever plugs in."""
        chance = random.Random(f"{self.seed}-{drone.drone_id}")
        return self.radios.setdefault(drone.drone_id, Radio(self.clock, chance, drone.system_id))

    def transport_of(self, drone: Drone) -> Transport:
        """A plug at the drone's link."""
        tap = self.observers[drone.drone_id].hear if self.against.links else None
        plug = Plug(open_transport(drone.link), self.radio_of(drone), tap)
        self.plugs[drone.drone_id] = plug
        return plug

    async def carry_radio(self) -> None:
        """Bring what bad links hold back. Until cancelled."""
        while True:
            await self.clock.sleep(CARRY_S)
            for drone_id, plug in self.plugs.items():
                if not self.radios[drone_id].is_plain:
                    plug.carry(CARRY_S)

    async def run_vehicles(self) -> None:
        """Note where everybody is; they move by themselves. Until cancelled."""
        while True:
            await self.clock.sleep(SAMPLE_S)
            if all(observer.has_position for observer in self.observers.values()):
                self.recorder.sample(
                    self.clock.monotonic_s() - self.started_s, self.eyes, self.process.airspace
                )
            for look in self.watchers:
                look()

    async def break_it(self, line: FaultLine, drone_id: str, order: str) -> None:
        """A vehicle's fault counts from when it was seen given; :func:`why_not` has refused what can't be."""
        if line.fault not in VEHICLE_FAULTS:
            await super().break_it(line, drone_id, order)
            return
        strength = VEHICLE_FAULTS[line.fault].default_strength if line.strength is None else line.strength
        if line.fault in LINK_FAULTS:
            active = self.radios[drone_id].active
            active[line.fault] = strength
            seen = self._begun(line, drone_id)
            await self._lasts(line)
            active.pop(line.fault)
        else:
            fault, meddler = REAL_FAULTS[self.against.kind][line.fault], self.meddlers[drone_id]
            await fault.begin(meddler, strength)
            seen = self._begun(line, drone_id)
            tick = fault.tick
            await self._lasts(line, None if tick is None else partial(tick, meddler, strength))
            await fault.end(meddler, strength)
        seen.ended_at_s = self.now_s

    def _begun(self, line: FaultLine, drone_id: str) -> FaultSeen:
        self.faults.append(seen := FaultSeen(line.fault, drone_id, self.now_s))
        return seen

    async def _lasts(self, line: FaultLine, tick: Callable[[float], None] | None = None) -> None:
        """Until its duration is over; for good where it has none."""
        began_s = self.clock.monotonic_s()
        lasts_s = math.inf if line.duration_s is None else line.duration_s
        while (since_s := self.clock.monotonic_s() - began_s) < lasts_s:
            if tick is not None:
                tick(since_s)
            await self.clock.sleep(min(TICK_S, lasts_s - since_s))

    def blow(self, speed_m_s: float | None) -> None:
        """The wind takes another speed, where the autopilot's own simulator can be told."""
        self._wind_m_s = speed_m_s
        wanted_m_s = self.scenario.weather.speed_m_s if speed_m_s is None else speed_m_s
        for meddler in self.meddlers.values():
            # What is not seen set breaks the play (Play.check).
            self.tasks.append(asyncio.create_task(meddler.set("SIM_WIND_SPD", wanted_m_s)))

    async def until_ready(self) -> None:
        """As everywhere, and for a while: a real estimator that has just found its position may lose it once more.

        Who was not ready is told with its reasons: on a slow machine this is what goes wrong.
        """
        await super().until_ready()
        steady_since_s = self.clock.monotonic_s()
        until_s = steady_since_s + self.ready_limit_s / 2
        while steady_since_s + STEADY_S > self.clock.monotonic_s() < until_s:
            self.check()
            await self.clock.sleep(0.5)
            if not all(view.ready for view in self.hub.fleet.views({})):
                steady_since_s = self.clock.monotonic_s()
        self.started_s = self.clock.monotonic_s()
        self.recorder.clear()
        for view in self.hub.fleet.views({}):
            if not view.ready:
                why = "; ".join(reason.detail for reason in view.not_ready) or "no reason told"
                self.notes += (
                    f"{view.drone.drone_id} was not ready after {self.ready_limit_s:.0f} s: {why}",
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
        {
            "SIM_WIND_SPD": weather.speed_m_s,
            "SIM_WIND_DIR": weather.from_deg,
        }
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


def _slower(site: Site, kind: Personality) -> float:
    """How much longer this autopilot's airframe takes than the site's; 1 where it is no slower."""
    airframes = load_airframes()
    expected_m_s = max(airframes[drone.airframe_id].cruise_airspeed_m_s for drone in site.drones)
    return max(1.0, expected_m_s / airframes[AIRFRAMES[kind]].cruise_airspeed_m_s)


def _in_its_time(scenario: Scenario, slower: float) -> Scenario:
    """The scenario with time limits for an airframe that is so much slower than the one it was written for."""
    lines = tuple(
        line
        if line.delivered_within_s is None
        else line.model_copy(update={"delivered_within_s": round(slower * line.delivered_within_s, 1)})
        for line in scenario.expect
    )
    return scenario.model_copy(update={"expect": lines})


def _notes(scenario: Scenario, against: Against, slower: float) -> tuple[str, ...]:
    name = NAMES[against.kind]
    where = against.program.name if against.program is not None else ", ".join(against.links)
    weather = scenario.weather
    blows = against.kind is Personality.ARDUPILOT and not against.links
    return (
        f"flown by a real {name} ({where}), {against.speed:g} × real time; its chance does not come from the seed",
        f"nobody saw the vehicle from outside: tracks, releases and landings are what {name} reports itself",
        "the AED counts as put down where the gripper's output opened within 1.5 m of the ground, by estimate",
        (
            f"its simulator's wind is {weather.speed_m_s:g} m/s from {weather.from_deg:g}° above 60 m, less below, "
            "without turbulence"
            if blows
            else "the scenario's wind is reported to the hub but does not blow on the vehicle"
        ),
        *(
            (f"time limits are {slower:.2f} × the scenario's: its {AIRFRAMES[against.kind]} flies slower",)
            if slower > 1.0
            else ()
        ),
    )


@asynccontextmanager
async def _staged(
    scenario: Scenario, *, seed: int, folder: Path, site_file: Path, against: Against
) -> AsyncIterator[Play]:
    layout = read_site(site_file)
    site = site_of(scenario, site_file)
    slower = _slower(site, against.kind)
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
            scenario=_in_its_time(scenario, slower),
            seed=seed,
            site=replace(site, drones=drones),
            site_file=site_file,
            folder=folder,
            clock=LoopClock(speedup=against.speed, epoch=scenario.world.start),
            notes=_notes(scenario, against, slower),
            ready_limit_s=READY_LIMIT_S,
            sight_error_m=ESTIMATE_M,
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
            play.meddlers[drone.drone_id] = Meddler(
                play.clock, observer, against.kind, sticks_port=vehicle.sticks_port
            )
        play.tasks.append(asyncio.create_task(play.carry_radio()))
        async with performed(play):
            await play.until_observed(layout)
            yield play
