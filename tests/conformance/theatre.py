"""The same stage for a simulated and for a real autopilot: one flight agent, one vehicle, one clock.

A verb (:mod:`tests.conformance.verbs`) is played on a :class:`Theatre` and never learns which vehicle flies.
What the vehicle truly did is told by a witness of its own, never by what the agent believes.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from core.clock import LoopClock
from core.geodesy import Wgs84Point, geodesic_distance_m
from core.ids import IdSource
from flight.agent import FlightAgent
from flight.bus import InProcessBus, commands_subject
from flight.journal import Journal
from flight.links.mavlink.transports import Transport
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
from flight.model.preflight import PreflightLevel
from flight.replanner import SiteReplanner
from planner.airframe import Airframe, load_airframes
from planner.choice import DispatchRequest, DroneState, Severity, choose
from planner.flight_plan import DeliveryMethod, FlightPlan
from planner.replan import Airborne, replan_flight
from planner.site import Drone
from planner.task import FlightTask
from tests.unit.planner.helpers import airspace, at_m, calm, landing_point, planned, refuge, site, station

DISTANCE_M = 250.0
HOME = station("home", 0.0, 0.0)
"""Where every vehicle stands at power-on."""
PLACES = {"park": (DISTANCE_M, 0.0), "mall": (600.0, 0.0), "school": (200.0, 180.0)}
"""Landing points: metres east and north of home."""
REFUGES = (refuge("field", 125.0, 120.0), refuge("yard", 350.0, -150.0))


def methods_of(airframe_id: str) -> tuple[DeliveryMethod, ...]:
    """The airframe's own ways of delivery, and a landing: every autopilot must be able to stand still on the ground."""
    own = tuple(terms.method for terms in load_airframes()[airframe_id].deliveries)
    return own if DeliveryMethod.LAND in own else (*own, DeliveryMethod.LAND)


def airframe_for(airframe_id: str, method: DeliveryMethod) -> Airframe:
    """The planner's figures; an airframe that does not land to deliver borrows the terms of the one that does."""
    airframe = load_airframes()[airframe_id]
    if method in (terms.method for terms in airframe.deliveries):
        return airframe
    (borrowed,) = (t for t in load_airframes()["quad8_px4"].deliveries if t.method is method)
    return replace(airframe, deliveries=(borrowed,))


@dataclass(slots=True)
class Testimony:
    """What the witness saw of the vehicle since power-on."""

    times_armed: int = 0
    armed: bool = False
    released: bool = False
    position: Wgs84Point | None = None
    height_m: float = 0.0
    highest_m: float = 0.0
    farthest_m: float = 0.0
    texts: list[str] = field(default_factory=list)

    @property
    def metres_from_home(self) -> float:
        assert self.position is not None, "the witness never saw a position"
        return geodesic_distance_m(self.position, HOME.position)


class Vehicle(Protocol):
    """A vehicle under test, simulated or real."""

    kind: str
    airframe_id: str
    system_id: int
    testimony: Testimony

    def transport(self) -> Transport:
        """A way for the agent to reach it."""
        ...

    async def power_on(self, clock: LoopClock) -> None: ...

    async def power_off(self) -> None: ...

    async def power_cycle(self) -> None:
        """Off and on again where it stands; parameters are kept."""
        ...

    async def lose_gps(self) -> None: ...

    async def drop_charge_to(self, fraction: float) -> None: ...

    async def set_mode_from_elsewhere(self, mode: str) -> None:
        """Another ground station or the pilot commands «hold» or «mission»."""
        ...


class _Severable:
    """A transport that can be cut: then nothing passes in either direction, and nobody is told.

    It can also hold back what the vehicle says, as a modem with a long queue does: it comes late, whole and in order.
    """

    def __init__(self, inner: Transport, theatre: Theatre) -> None:
        self._inner, self._theatre = inner, theatre
        self.datagrams = inner.datagrams
        self._held: deque[tuple[float, bytes, Hashable]] = deque()

    async def open(self, on_data: Callable[[bytes, Hashable], None], on_closed: Any) -> None:
        clock = self._theatre.clock

        def take(data: bytes, peer: Hashable) -> None:
            if self._theatre.link_cut:
                return
            if self._theatre.held_back_s or self._held:
                self._held.append((clock.monotonic_s() + self._theatre.held_back_s, data, peer))
            else:
                on_data(data, peer)
            while self._held and self._held[0][0] <= clock.monotonic_s():
                _, late, sender = self._held.popleft()
                on_data(late, sender)

        await self._inner.open(take, on_closed)

    def send(self, data: bytes, peer: Hashable) -> None:
        if not self._theatre.link_cut:
            self._inner.send(data, peer)

    async def close(self) -> None:
        await self._inner.close()


class Theatre:
    """Everything a verb needs."""

    def __init__(self, folder: Path, vehicle: Vehicle, clock: LoopClock, method: DeliveryMethod) -> None:
        self.folder, self.vehicle, self.clock, self.method = folder, vehicle, clock, method
        self.ids = IdSource(clock, seed=1)
        self.bus = InProcessBus(clock)
        self.link_cut = False
        self.held_back_s = 0.0
        self.said: list[Message] = []
        self.telemetry: list[TelemetrySample] = []
        self.agent: FlightAgent | None = None
        self._agent_task: asyncio.Task[None] | None = None
        self._listeners: list[asyncio.Task[None]] = []
        self._journal: Journal | None = None
        self.points = {
            name: landing_point(name, *place, delivery_methods=(method,)) for name, place in PLACES.items()
        }
        self.site = site((HOME,), tuple(self.points.values()), REFUGES)
        self.plan()  # what a first plan compiles is compiled before anybody waits for it

    # --- life ---------------------------------------------------------------------------------

    async def open(self) -> None:
        """Power on, and let an agent take the vehicle."""
        for pattern, take in (
            ("fleet.*.events", self.said.append),
            ("fleet.*.telemetry", self.telemetry.append),
        ):
            subscription = await self.bus.subscribe(pattern)
            self._listeners.append(asyncio.create_task(self._listen(subscription, take)))
        await self.vehicle.power_on(self.clock)
        self.start_agent()

    async def _listen(self, subscription: Any, take: Callable[[Any], None]) -> None:
        async for delivery in subscription:
            take(decode(delivery.payload))
            await delivery.ack()

    async def close(self) -> None:
        """Stop the agent, then the vehicle."""
        if self._agent_task is not None:
            await self.kill_agent()
        for task in self._listeners:
            task.cancel()
        await asyncio.gather(*self._listeners, return_exceptions=True)
        await self.vehicle.power_off()

    def start_agent(self) -> None:
        drone = Drone(
            drone_id="d1",
            station_id="home",
            airframe_id=self.vehicle.airframe_id,
            system_id=self.vehicle.system_id,
            link="given by the theatre",
        )
        self._journal = Journal(self.folder / "d1.jsonl")
        self.agent = FlightAgent(
            drone,
            lambda: _Severable(self.vehicle.transport(), self),
            self.bus,
            self.clock,
            self.ids,
            self._journal,
            records_dir=self.folder / "records",
            airspace=airspace,
            replanner=SiteReplanner(self.site, airspace, self.ids),
        )
        self._agent_task = asyncio.create_task(self.agent.run())

    async def kill_agent(self) -> None:
        """Stop the controller at this very moment; the vehicle flies on."""
        assert self._agent_task is not None
        assert self._journal is not None
        self._agent_task.cancel()
        await asyncio.gather(self._agent_task, return_exceptions=True)
        self._journal.close()
        self.agent = self._agent_task = None

    # --- plans and commands -------------------------------------------------------------------

    @property
    def airframe(self) -> Airframe:
        """The planner's figures of this type of drone."""
        return airframe_for(self.vehicle.airframe_id, self.method)

    def plan(self, place: str = "park") -> FlightPlan:
        """A plan over open country from where the vehicle was powered on."""
        return planned(
            airspace(),
            HOME,
            self.points[place],
            refuges=REFUGES,
            airframe=self.airframe,
            at=self.clock.now(),
        )

    def plan_with_an_alternate(self) -> FlightPlan:
        """As the dispatch chooses it for a patient beside the park: behind the park comes the next landing point."""
        chosen = choose(
            DispatchRequest(
                patient=at_m(DISTANCE_M, 20.0), severity=Severity.I, floor_of_building=1, at=self.clock.now()
            ),
            site=self.site,
            drone_states=[
                DroneState(
                    drone=replace(self.site.drones[0], drone_id="d1"),
                    ready=True,
                    not_ready_reasons=(),
                    charge_fraction=1.0,
                    wind=calm(),
                )
            ],
            airspace=airspace(),
            airframes=load_airframes(),
            ids=self.ids,
            clock=self.clock,
        ).accepted
        assert chosen is not None
        assert chosen.landing_point_id == "park"
        assert chosen.alternates, "no alternate could be planned"
        return chosen

    def plan_from_here(self, place: str) -> FlightPlan:
        """A plan to another landing point from where the vehicle stands in the air."""
        assert self.agent is not None
        view = self.agent.link.view
        assert view.position is not None
        assert view.height_above_home_m is not None
        task = FlightTask(
            drone_id="d1",
            station=HOME,
            landing_point=self.points[place],
            airframe=self.airframe,
            method=self.method,
            wind=calm(),
            charge_fraction=view.charge_fraction or 0.0,
            carry_s=0.0,
        )
        standing = Airborne(
            position=view.position,
            altitude_amsl_m=HOME.ground_amsl_m + view.height_above_home_m,
            charge_fraction=view.charge_fraction or 0.0,
        )
        found = replan_flight(
            standing,
            task,
            deliver=True,
            site=self.site,
            airspace=airspace(),
            ids=self.ids,
            at=self.clock.now(),
        )
        assert isinstance(found, FlightPlan), found
        return found

    async def tell(self, command: Command) -> None:
        await self.bus.publish(commands_subject("d1"), self.ids.new("evt"), encode(command))

    def order(self, kind: type, **changes: Any) -> Any:
        """A command of a kind, for the present flight."""
        values: dict[str, Any] = {
            "command_id": self.ids.new("cmd"),
            "drone_id": "d1",
            "flight_id": "flt_1",
            "issued_at": self.clock.now(),
        }
        known = kind.__dataclass_fields__
        if "reason" in known:
            values["reason"] = "asked in a conformance test"
        return kind(**{name: value for name, value in (values | changes).items() if name in known})

    async def answer(self, command: Command) -> CommandAccepted | CommandRefused:
        """Send a command and wait for its answer."""
        await self.tell(command)
        return await self.until(
            lambda: next(
                (
                    said
                    for said in self.said
                    if isinstance(said, CommandAccepted | CommandRefused)
                    and said.command_id == command.command_id
                ),
                None,
            ),
            30,
        )

    async def accepted(self, kind: type, **changes: Any) -> None:
        """Send a command that must be accepted."""
        said = await self.answer(self.order(kind, **changes))
        assert isinstance(said, CommandAccepted), f"{kind.__name__} was refused: {said}\n{self.story()}"

    async def fly(self, plan: FlightPlan | None = None, flight_id: str = "flt_1") -> FlightPlan:
        """Wait until it is ready, plan, and order the flight."""
        await self.ready()
        made = plan or self.plan()
        await self.accepted(FlyMission, order_id="ord_1", plan=made, flight_id=flight_id)
        return made

    # --- waiting ------------------------------------------------------------------------------

    async def until(self, condition: Callable[[], Any], limit_s: float) -> Any:
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
        """Until the agent finds nothing against a flight. Parameters that block are written once: the
        operator's permission is part of the play."""
        assert self.agent is not None
        readiness, written = self.agent.readiness, False
        end_s = self.clock.monotonic_s() + 150.0
        while not (self.agent.state.phase is Phase.STANDBY and self._checked_ready()):
            blocking = [v for v in readiness.verdicts() if v.level is PreflightLevel.BLOCK]
            if not written and any((v.check, v.code) == ("parameters", "mismatch") for v in blocking):
                written = True
                await readiness.write_profile()
            if self.clock.monotonic_s() > end_s:
                raise AssertionError(f"not ready: {blocking}\n{self.story()}")
            await self.clock.sleep(0.2)

    def _checked_ready(self) -> bool:
        assert self.agent is not None
        checks = self.of(PreflightChecked)
        fresh = not any(v.level is PreflightLevel.BLOCK for v in self.agent.readiness.verdicts())
        return bool(checks) and checks[-1].ready and fresh

    async def phase(self, *phases: Phase, limit_s: float = 300.0) -> PhaseChanged:
        """The first change to one of ``phases``, said already or later."""
        return await self.until(
            lambda: next((e for e in self.of(PhaseChanged) if e.phase in phases), None), limit_s
        )

    async def end(self, limit_s: float = 500.0, flight_id: str = "flt_1") -> FlightEnded:
        return await self.until(
            lambda: next((e for e in self.of(FlightEnded) if e.flight_id == flight_id), None), limit_s
        )

    # --- testimony ----------------------------------------------------------------------------

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.said if isinstance(event, kind)]

    def phases(self) -> list[Phase]:
        return [event.phase for event in self.of(PhaseChanged) if event.flight_id is not None]

    def story(self) -> str:
        lines = [f"{event.at:%H:%M:%S} {type(event).__name__}: {event}"[:330] for event in self.said[-30:]]
        seen = self.telemetry[-1] if self.telemetry else "no telemetry"
        return "\n".join([*lines, f"last: {seen}", f"the witness: {self.vehicle.testimony}"])
