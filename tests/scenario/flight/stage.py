"""The stage for flight plays: one agent, one simulated vehicle, one virtual clock, no sockets.

The vehicle is the project's simulator, driven through bytes only; what it truly did is read from its
own testimony (``witnessed``, ``payload``), never from what the agent believes.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Hashable
from functools import cache
from pathlib import Path
from typing import Any

from core.clock import LoopClock
from core.geodesy import geodesic_distance_m
from core.ids import IdSource
from core.virtual_time import run_virtual
from flight.agent import FlightAgent
from flight.bus import InProcessBus, commands_subject
from flight.journal import Journal
from flight.messages import (
    Command,
    CommandAccepted,
    CommandRefused,
    FlightEnded,
    FlyMission,
    Message,
    PhaseChanged,
    PreflightChecked,
    TelemetrySample,
    decode,
    encode,
)
from flight.model.phases import Phase
from planner.flight_plan import FlightPlan
from sitl.airframe import load_airframe
from sitl.vehicle import SimulatedVehicle, VehicleSettings
from sitl.weather import Wind
from tests.unit.planner.helpers import NOW, airspace, drone, landing_point, planned, refuge, station

TICK_S = 0.1
METRES_PER_DEGREE = 110_750.0
"""Of latitude at 22.5° north on WGS-84."""
DRONE = drone("d1", "home", 1)


@cache
def straight_plan(distance_m: float = 300.0, **options: Any) -> FlightPlan:
    """A plan over open country: pad in the west, landing point in the east, a refuge beside the way."""
    return planned(
        airspace(),
        station("home", 0.0, 0.0),
        landing_point("park", distance_m, 0.0),
        refuges=(refuge("field", distance_m / 2, 150.0),),
        **options,
    )


class Wire:
    """A transport to the vehicle in memory. ``loss``, ``double`` and delay are the weather on it."""

    datagrams = True

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.on_data: Callable[[bytes, Hashable], None] | None = None

    async def open(self, on_data: Callable[[bytes, Hashable], None], on_closed: Any) -> None:
        self.on_data = on_data
        self._stage.wire = self

    def send(self, data: bytes, peer: Hashable) -> None:
        self._stage.carry(lambda: self._stage.vehicle.receive(data))

    async def close(self) -> None:
        self.on_data = None


class Stage:
    """Everything a play needs. Use :func:`perform`."""

    def __init__(
        self, folder: Path, *, seed: int, plan: FlightPlan, wind: Wind | None, **settings: Any
    ) -> None:
        self.clock = LoopClock(epoch=NOW)
        self.ids = IdSource(self.clock, seed=seed)
        self.bus = InProcessBus(self.clock)
        self.folder = folder
        self.plan = plan
        settings.setdefault("ready_after_s", 1.0)
        self.vehicle = SimulatedVehicle(
            1,
            plan.home.position,
            plan.home.altitude_amsl_m,
            settings=VehicleSettings(airframe=load_airframe("hex10"), wind=wind or Wind(), **settings),
            seed=seed,
        )
        self.random = random.Random(seed)
        self.loss = self.double = 0.0
        self.tick_s = TICK_S
        self.delay_s = (0.005, 0.005)
        self.distances_m: list[float] = []
        self.offsets_m: list[float] = []
        self.track: list[tuple[float, float, float]] = []
        self.ordered_at = NOW
        self.wire: Wire | None = None
        self.said: list[Message] = []
        self.telemetry: list[TelemetrySample] = []
        self.listeners: list[asyncio.Task[None]] = []
        self.agent: FlightAgent | None = None
        self.agent_options: dict[str, Any] = {}
        self._agent_task: asyncio.Task[None] | None = None
        self._heard = asyncio.Event()

    # --- the wire -----------------------------------------------------------------------------

    def carry(self, deliver: Callable[[], None]) -> None:
        for _ in range(1 + (self.random.random() < self.double)):
            if self.random.random() >= self.loss:
                delay_s = self.random.uniform(*self.delay_s)
                asyncio.get_running_loop().call_later(delay_s, deliver)

    async def _run_vehicle(self) -> None:
        while True:
            await self.clock.sleep(self.tick_s)
            self.vehicle.step(self.tick_s)
            self._survey()
            for datagram in self.vehicle.take_outgoing():
                self.carry(lambda data=datagram: self._arrive(data))

    def _survey(self) -> None:
        """True distances from the pad and from the plan's straight line, while in the air."""
        if self.vehicle.armed and self.vehicle.ticks % 50 == 0:
            self.distances_m.append(self.metres_from_pad())
            here, pad = self.vehicle.position, self.plan.home.position
            self.offsets_m.append(abs(here.latitude_deg - pad.latitude_deg) * METRES_PER_DEGREE)
        if self.vehicle.armed:
            here = self.vehicle.position
            self.track.append((here.longitude_deg, here.latitude_deg, self.vehicle.altitude_amsl_m))

    def _arrive(self, data: bytes) -> None:
        if self.wire is not None and self.wire.on_data is not None:
            self.wire.on_data(data, None)

    # --- the agent ----------------------------------------------------------------------------

    def start_agent(self) -> None:
        self.journal = journal = Journal(self.folder / "d1.jsonl")
        self.agent = FlightAgent(
            DRONE,
            lambda: Wire(self),
            self.bus,
            self.clock,
            self.ids,
            journal,
            records_dir=self.folder / "records",
            **self.agent_options,
        )
        self._agent_task = asyncio.create_task(self.agent.run())

    async def kill_agent(self) -> None:
        """Stop the controller at this very moment; the vehicle flies on."""
        assert self._agent_task is not None
        self._agent_task.cancel()
        await asyncio.gather(self._agent_task, return_exceptions=True)
        # A task that is cancelled before its first step never comes to its own clean-up.
        self.journal.close()
        self.agent = self._agent_task = None

    def forget_bus(self) -> None:
        """The hub's process dies with the agent's: whatever the bus held is gone."""
        self.bus = InProcessBus(self.clock)
        self.listen()

    def listen(self) -> None:
        """Hear everything that is said from now on."""
        for pattern, take in (
            ("fleet.*.events", self.said.append),
            ("fleet.*.telemetry", self.telemetry.append),
        ):
            self.listeners.append(asyncio.create_task(self._listen(pattern, take)))

    async def _listen(self, pattern: str, take: Callable[[Any], None]) -> None:
        async for delivery in await self.bus.subscribe(pattern):
            take(decode(delivery.payload))
            await delivery.ack()
            self._heard.set()

    # --- verbs --------------------------------------------------------------------------------

    async def tell(self, command: Command) -> None:
        await self.bus.publish(commands_subject("d1"), self.ids.new("evt"), encode(command))

    def mission(self, flight_id: str = "flt_1", **changes: Any) -> FlyMission:
        values: dict[str, Any] = {
            "command_id": self.ids.new("cmd"),
            "drone_id": "d1",
            "flight_id": flight_id,
            "order_id": "ord_1",
            "plan": self.plan,
            "issued_at": self.clock.now(),
        }
        return FlyMission(**(values | changes))

    def order(self, kind: type, **changes: Any) -> Any:
        """A steering command for the present flight."""
        values: dict[str, Any] = {
            "command_id": self.ids.new("cmd"),
            "drone_id": "d1",
            "flight_id": "flt_1",
            "issued_at": self.clock.now(),
        }
        if "reason" in kind.__dataclass_fields__:
            values["reason"] = "asked in a test"
        return kind(**(values | changes))

    def notice(self, kind: type, **changes: Any) -> Any:
        """Something that became true of the world."""
        values: dict[str, Any] = {
            "command_id": self.ids.new("cmd"),
            "drone_id": "d1",
            "issued_at": self.clock.now(),
        }
        if "flight_id" in kind.__dataclass_fields__:
            values["flight_id"] = "flt_1"
        return kind(**(values | changes))

    async def until(self, condition: Callable[[], Any], limit_s: float = 600.0) -> Any:
        """Wait until ``condition`` is truthy and return it; fails with the story so far."""
        end_s = self.clock.monotonic_s() + limit_s
        while not (found := condition()):
            if self._agent_task is not None and self._agent_task.done():
                self._agent_task.result()
            if self.clock.monotonic_s() > end_s:
                raise AssertionError("it never happened; the story:\n" + self.story())
            await self.clock.sleep(0.1)
        return found

    async def ready(self) -> None:
        await self.until(lambda: any(event.ready for event in self.of(PreflightChecked)), 60)

    async def phase(self, phase: Phase, limit_s: float = 400.0) -> PhaseChanged:
        return await self.until(
            lambda: next((e for e in self.of(PhaseChanged) if e.phase is phase), None), limit_s
        )

    async def answer(self, command: Command) -> CommandAccepted | CommandRefused:
        await self.tell(command)
        return await self.until(
            lambda: next(
                (
                    event
                    for event in self.said
                    if isinstance(event, CommandAccepted | CommandRefused)
                    and event.command_id == command.command_id
                ),
                None,
            ),
            30,
        )

    async def end(self, limit_s: float = 600.0, flight_id: str = "flt_1") -> FlightEnded:
        return await self.until(
            lambda: next((e for e in self.of(FlightEnded) if e.flight_id == flight_id), None), limit_s
        )

    # --- testimony ----------------------------------------------------------------------------

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.said if isinstance(event, kind)]

    def phases(self) -> list[Phase]:
        return [event.phase for event in self.of(PhaseChanged) if event.flight_id is not None]

    def witnessed(self) -> list[str]:
        return [seen.what for seen in self.vehicle.witnessed]

    def metres_from_pad(self) -> float:
        return geodesic_distance_m(self.vehicle.position, self.plan.home.position)

    def story(self) -> str:
        lines = [f"{type(event).__name__}: {event}"[:400] for event in self.said[-40:]]
        return "\n".join([*lines, f"vehicle: {self.vehicle.witnessed[-12:]}", f"mode {self.vehicle.mode}"])


def perform(
    play: Callable[[Stage], Awaitable[None]],
    folder: Path,
    *,
    seed: int = 1,
    plan: FlightPlan | None = None,
    wind: Wind | None = None,
    agent: dict[str, Any] | None = None,
    **settings: Any,
) -> Stage:
    """Run a play in virtual time. ``settings`` go to the simulated vehicle, ``agent`` to the agent."""

    async def run() -> Stage:
        stage = Stage(folder, seed=seed, plan=plan or straight_plan(), wind=wind, **settings)
        stage.agent_options = agent or {}
        stage.listen()
        tasks = [asyncio.create_task(stage._run_vehicle())]
        await asyncio.sleep(0)
        stage.start_agent()
        try:
            await play(stage)
        finally:
            if stage._agent_task is not None:
                await stage.kill_agent()
            for task in (*tasks, *stage.listeners):
                task.cancel()
            await asyncio.gather(*tasks, *stage.listeners, return_exceptions=True)
        return stage

    return run_virtual(run())
