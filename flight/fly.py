"""Fly one delivery on one vehicle, given its connection string: no hub, no database, no site.

What ``drone-aed fly --link tcp:127.0.0.1:5760 …`` runs. The agent is the same as the hub's; only the bus
ends here. The plan is made for where the vehicle really stands.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from core.clock import Clock
from core.errors import ErrorCode, LinkError, VehicleError
from core.geodesy import Wgs84Point
from core.ids import IdSource
from flight.agent import FlightAgent
from flight.bus import InProcessBus, commands_subject
from flight.journal import Journal
from flight.links.mavlink.framing import FrameParser
from flight.links.mavlink.transports import TransportFactory, open_transport
from flight.message_parts import as_told
from flight.messages import (
    AbortFlight,
    CommandAccepted,
    CommandRefused,
    FlightEnded,
    FlyMission,
    Message,
    PreflightChecked,
    Reason,
    decode,
    encode,
)
from flight.model.phases import AIRBORNE_PHASES, Phase
from flight.model.preflight import PreflightLevel
from geofences.airspace import Airspace
from planner.airframe import Airframe
from planner.flight_plan import DeliveryMethod, FlightPlan
from planner.planning import plan_flight
from planner.policy import DEFAULT_POLICY, PlanningPolicy
from planner.site import (
    Drone,
    LandingPoint,
    PositionQuality,
    Site,
    Station,
    Surface,
    UsableHours,
    Walk,
)
from planner.task import FlightTask, NoPlan
from planner.wind import Wind

DISCOVERY_TIMEOUT_S = 30.0
READY_TIMEOUT_S = 120.0
"""A cold start needs 41 s for its position; three times that is a vehicle that will not get ready."""
ANSWER_TIMEOUT_S = 30.0
AUTOPILOT_COMPONENT = 1
_INVALID_AUTOPILOT = 8


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the vehicle stands and what it has, when a plan is to be made."""

    position: Wgs84Point
    ground_amsl_m: float
    charge_fraction: float


@dataclass(frozen=True, slots=True)
class FlyOutcome:
    """How it went. Exactly one of ``ended`` and ``reasons`` says something."""

    ended: FlightEnded | None
    reasons: tuple[Reason, ...]
    record: Path | None


MakePlan = Callable[[Standing], FlightPlan | NoPlan]


async def discover(transport_factory: TransportFactory, clock: Clock) -> int:
    """The system id of the first autopilot heard on a link. Raises 1001 when none speaks."""
    heard: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    parsers: dict[object, FrameParser] = {}
    transport = transport_factory()

    def take(data: bytes, peer: object) -> None:
        parser = parsers.setdefault(peer, FrameParser(frozenset({"HEARTBEAT"})))
        for message in parser.feed(data):
            is_autopilot = message.component_id == AUTOPILOT_COMPONENT
            if is_autopilot and message.fields.autopilot != _INVALID_AUTOPILOT and not heard.done():
                heard.set_result(message.system_id)

    def closed(reason: str) -> None:
        if not heard.done():
            heard.set_exception(LinkError(ErrorCode.LINK_LOST, reason))

    await transport.open(take, closed)
    try:
        async with clock.timeout(DISCOVERY_TIMEOUT_S):
            while not heard.done():
                # A vehicle behind udpout answers only to whom it has heard.
                transport.send(_greeting(), None)
                await asyncio.wait({heard}, timeout=0.5)
            return heard.result()
    except TimeoutError:
        raise LinkError(
            ErrorCode.LINK_UNREACHABLE, f"no autopilot was heard within {DISCOVERY_TIMEOUT_S:.0f} s"
        ) from None
    finally:
        await transport.close()


def _greeting() -> bytes:
    from flight.links.mavlink.connection import OWN_COMPONENT, OWN_SYSTEM
    from flight.links.mavlink.framing import FrameWriter

    return FrameWriter(OWN_SYSTEM, OWN_COMPONENT).pack(
        "HEARTBEAT", type=6, autopilot=_INVALID_AUTOPILOT, system_status=4, mavlink_version=3
    )


def plan_to(
    target: Wgs84Point,
    target_ground_amsl_m: float,
    *,
    airframe: Airframe,
    airspace: Airspace,
    wind: Wind,
    clock: Clock,
    ids: IdSource,
    drone_id: str,
    policy: PlanningPolicy = DEFAULT_POLICY,
    method: DeliveryMethod | None = None,
) -> MakePlan:
    """A planner for one target. Its ground height must be known: nobody guesses how far to lower.

    ``method`` None: the airframe's first.
    """
    by = airframe.deliveries[0].method if method is None else method

    def make(standing: Standing) -> FlightPlan | NoPlan:
        station = Station(
            station_id="where-it-stands",
            name="where the vehicle stands",
            name_zh="无人机当前位置",
            position=standing.position,
            ground_amsl_m=standing.ground_amsl_m,
            position_quality=PositionQuality.APPROXIMATE,
        )
        point = LandingPoint(
            landing_point_id="target",
            name="target",
            name_zh="目标点",
            position=target,
            ground_amsl_m=target_ground_amsl_m,
            position_quality=PositionQuality.APPROXIMATE,
            delivery_methods=(by,),
            surface=Surface.GRASS,
            clear_radius_m=10.0,
            slope_deg=0.0,
            obstacles="not surveyed; given on the command line",
            surveyed_on=None,
            photo=None,
            emergency_landing=False,
            hours=(UsableHours(days=(1, 2, 3, 4, 5, 6, 7), start="00:00", end="24:00"),),
            walk=Walk(detour_factor=1.0, exit_s=0.0, description="none", description_zh="无"),
            alternates=(),
        )
        site = Site(
            site_id="direct",
            name="direct",
            name_zh="直连",
            timezone="Asia/Shanghai",
            stations=(station,),
            drones=(),
            landing_points=(point,),
        )
        task = FlightTask(
            drone_id=drone_id,
            station=station,
            landing_point=point,
            airframe=airframe,
            method=by,
            wind=wind,
            charge_fraction=standing.charge_fraction,
            carry_s=0.0,
        )
        return plan_flight(task, site=site, airspace=airspace, ids=ids, at=clock.now(), policy=policy)

    return make


class _Session:
    """One agent with its bus ending here."""

    def __init__(
        self,
        agent: FlightAgent,
        bus: InProcessBus,
        clock: Clock,
        ids: IdSource,
        on_message: Callable[[Message], None] | None,
    ) -> None:
        self.agent = agent
        self.said: list[Message] = []
        self._bus, self._clock, self._ids = bus, clock, ids
        self._on_message = on_message
        self._news = asyncio.Event()

    async def listen(self) -> None:
        async for delivery in await self._bus.subscribe("fleet.>"):
            message = decode(delivery.payload)
            await delivery.ack()
            self.said.append(message)
            if self._on_message is not None:
                self._on_message(message)
            self._news.set()

    async def first(self, condition: Callable[[Message], bool], timeout_s: float) -> Message | None:
        """The first message, said already or later, that fulfils ``condition``; None after the time."""
        seen = 0
        try:
            async with self._clock.timeout(timeout_s):
                while True:
                    for message in self.said[seen:]:
                        seen += 1
                        if condition(message):
                            return message
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return None

    async def tell(self, command: FlyMission | AbortFlight) -> None:
        drone_id = self.agent.drone.drone_id
        await self._bus.publish(commands_subject(drone_id), command.command_id, encode(command))


async def fly(
    link: str | TransportFactory,
    make_plan: MakePlan,
    *,
    clock: Clock,
    ids: IdSource,
    folder: Path,
    drone_id: str = "direct",
    airframe_id: str = "hex10",
    system_id: int | None = None,
    write_parameters: bool = False,
    on_message: Callable[[Message], None] | None = None,
    abort: asyncio.Event | None = None,
) -> FlyOutcome:
    """Connect, get ready, plan from where it stands, fly, and stay until it has ended.

    ``link`` is ``udpin:``, ``udpout:`` or ``tcp:host:port``, or makes the transport itself.
    ``folder`` takes the journal and the flight record. A journal that holds a flight under way makes
    this call resume that flight instead of beginning another. ``abort`` set: the flight is given up and
    the drone comes home. ``write_parameters`` permits writing what the profile demands. Raises
    LinkError when nobody is heard, VehicleError 2001 with the verdicts when it does not get ready.
    """

    factory: TransportFactory = (lambda: open_transport(link)) if isinstance(link, str) else link
    drone = Drone(
        drone_id=drone_id,
        station_id="where-it-stands",
        airframe_id=airframe_id,
        system_id=system_id if system_id is not None else await discover(factory, clock),
        link=link if isinstance(link, str) else "given",
    )
    bus = InProcessBus(clock)
    journal = Journal(folder / f"{drone_id}.journal.jsonl")
    agent = FlightAgent(
        drone,
        factory,
        bus,
        clock,
        ids,
        journal,
        records_dir=folder,
    )
    session = _Session(agent, bus, clock, ids, on_message)
    tasks = [asyncio.create_task(session.listen())]
    await asyncio.sleep(0)
    running = asyncio.create_task(agent.run())
    story = asyncio.create_task(_tell_story(session, make_plan, clock, ids, folder, write_parameters, abort))
    try:
        await asyncio.wait({running, story}, return_when=asyncio.FIRST_COMPLETED)
        if not story.done():
            running.result()
        return await story
    finally:
        for task in (story, running, *tasks):
            task.cancel()
        await asyncio.gather(story, running, *tasks, return_exceptions=True)


async def _tell_story(
    session: _Session,
    make_plan: MakePlan,
    clock: Clock,
    ids: IdSource,
    folder: Path,
    write_parameters: bool,
    abort: asyncio.Event | None,
) -> FlyOutcome:
    agent = session.agent
    await agent.started.wait()
    if agent.flight_id is None:
        await _get_ready(session, clock, write_parameters)
        # In a thread: a planner that holds the loop for a second silences our heartbeats as well.
        plan = await asyncio.to_thread(make_plan, _standing(agent))
        if isinstance(plan, NoPlan):
            reasons = as_told(plan.reasons)
            return FlyOutcome(None, reasons, None)
        flight_id = ids.new("flt")
        command = FlyMission(
            command_id=ids.new("cmd"),
            drone_id=agent.drone.drone_id,
            flight_id=flight_id,
            order_id=None,
            plan=plan,
            issued_at=clock.now(),
        )
        await session.tell(command)
        answer = await session.first(
            lambda m: isinstance(m, CommandAccepted | CommandRefused) and m.command_id == command.command_id,
            ANSWER_TIMEOUT_S,
        )
        if answer is None:
            raise VehicleError(ErrorCode.VEHICLE_BUSY, "the agent gave no answer")
        if isinstance(answer, CommandRefused):
            return FlyOutcome(None, answer.reasons, None)
    else:
        flight_id = agent.flight_id
    watching = (
        None if abort is None else asyncio.create_task(_abort_when(session, clock, ids, flight_id, abort))
    )
    try:
        ended = await session.first(
            lambda m: isinstance(m, FlightEnded) and m.flight_id == flight_id,
            timedelta(hours=3).total_seconds(),
        )
    finally:
        if watching is not None:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching
    assert isinstance(ended, FlightEnded)
    return FlyOutcome(ended, (), folder / flight_id)


async def _abort_when(
    session: _Session, clock: Clock, ids: IdSource, flight_id: str, abort: asyncio.Event
) -> None:
    await abort.wait()
    await session.tell(
        AbortFlight(
            command_id=ids.new("cmd"),
            drone_id=session.agent.drone.drone_id,
            flight_id=flight_id,
            issued_at=clock.now(),
            reason="asked for at the keyboard",
        )
    )


async def _get_ready(session: _Session, clock: Clock, write_parameters: bool) -> None:
    agent = session.agent
    deadline_s = clock.monotonic_s() + READY_TIMEOUT_S
    written = False
    while clock.monotonic_s() < deadline_s:
        checked = next((m for m in reversed(session.said) if isinstance(m, PreflightChecked)), None)
        if checked is not None and checked.ready and agent.state.phase is Phase.STANDBY:
            return
        if agent.state.phase in AIRBORNE_PHASES:
            return
        wrong = checked is not None and any(
            verdict.check == "parameters" and verdict.code == "mismatch" for verdict in checked.verdicts
        )
        if wrong and write_parameters and not written:
            written = True
            await agent.readiness.write_profile()
        await clock.sleep(0.25)
    verdicts = agent.readiness.verdicts()
    blocking = "; ".join(f"{v.check}: {v.detail}" for v in verdicts if v.level is PreflightLevel.BLOCK)
    raise VehicleError(ErrorCode.VEHICLE_NOT_READY, blocking or "the vehicle does not stand by")


def _standing(agent: FlightAgent) -> Standing:
    view = agent.link.view
    if view.position is None or view.altitude_amsl_m is None or view.charge_fraction is None:
        raise VehicleError(ErrorCode.VEHICLE_NOT_READY, "position, altitude or charge are not known")
    # Home is where it was armed last or where it got its position; it stands there now.
    ground_m = view.home_altitude_amsl_m if view.home_altitude_amsl_m is not None else view.altitude_amsl_m
    return Standing(view.home or view.position, ground_m, view.charge_fraction)
