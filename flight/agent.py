"""The controller of one vehicle: one owner task that hears commands, watches, decides and acts.

Order of everything that matters: into the journal, then onto the bus, then done. The phase machine
decides (:mod:`flight.model.phases`), the director reads the vehicle (:mod:`flight.director`), the
procedures act (:mod:`flight.procedures`); this module only connects them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine
from dataclasses import replace
from pathlib import Path

from core.clock import Clock
from core.ids import IdSource
from flight.autopilots.base import Autopilot, ModeClass
from flight.autopilots.kinds import autopilot_for
from flight.bus import Bus, Delivery, Subscription, commands_subject, events_subject, telemetry_subject
from flight.command_desk import CommandDesk
from flight.delivery import Result
from flight.fault_desk import FaultDesk
from flight.flight_state import FlightUnderWay, reason_of
from flight.journal import Journal, Remembered
from flight.link_watch import LinkWatch
from flight.links.mavlink.connection import LinkClaim, VehicleConnection
from flight.links.mavlink.transports import TransportFactory
from flight.messages import (
    Command,
    Event,
    FlyMission,
    PhaseChanged,
    TelemetrySample,
    encode,
)
from flight.model.faults import Fault
from flight.model.phases import (
    RESUME_EFFECTS,
    AedState,
    Effect,
    Phase,
    Row,
    State,
    Trigger,
    advance,
)
from flight.notice_desk import NoticeDesk
from flight.procedures import EXPECTED_MODES, VALID_IN
from flight.readiness import Readiness
from flight.record import FlightRecord
from flight.replanner import Replanner
from flight.rerouting import Rerouting
from flight.resuming import Resuming
from flight.telemetry import publish_telemetry
from flight.unclaimed import Unclaimed
from geofences.airspace import Airspace
from planner.site import Drone

WATCH_PERIOD_S = 0.2
"""The owner looks at once when something is heard, and in silence this often: what silence means is counted in
seconds (chosen)."""
STILL_M_S = 0.5
"""Over ground: a hover in gusts (chosen)."""


class FlightAgent:
    """Owns one drone. :meth:`run` goes on until cancelled; a new agent on the same journal takes over.

    ``airspace`` gives the airspace of the moment (its terrain tells how high zones above ground reach, its
    authorisations whether those of a plan are valid); ``replanner`` finds another way when one is closed and
    nobody else answers. Without them the agent holds, waits for the hub, and goes home or lands.
    """

    def __init__(
        self,
        drone: Drone,
        transport_factory: TransportFactory | LinkClaim,
        bus: Bus,
        clock: Clock,
        ids: IdSource,
        journal: Journal,
        *,
        autopilot: Autopilot | None = None,
        records_dir: Path | None = None,
        airspace: Callable[[], Airspace] | None = None,
        replanner: Replanner | None = None,
    ) -> None:
        self.drone = drone
        self.link = VehicleConnection(drone.system_id, transport_factory, clock)
        self.autopilot: Autopilot = autopilot or autopilot_for(drone.airframe_id, clock)
        self.link.parameter_encoding = self.autopilot.parameter_encoding
        self.link.reads_in_order = self.autopilot.reads_in_order
        self.state = State(Phase.DISCONNECTED, clock.now())
        self.flight: FlightUnderWay | None = None
        self.started = asyncio.Event()
        """Set when the journal is read: from then on ``flight`` tells whether one is under way."""
        self._bus, self.clock, self.ids, self.journal = bus, clock, ids, journal
        self._records_dir = records_dir
        self.memory = Remembered()
        self._inbox: asyncio.Queue[Delivery] = asyncio.Queue()
        self._results: asyncio.Queue[tuple[FlightUnderWay, Effect, Result]] = asyncio.Queue()
        self._wake = asyncio.Event()
        self._looked_s = clock.monotonic_s()
        self._work: dict[asyncio.Task[None], Effect] = {}
        self._group: asyncio.TaskGroup | None = None
        self.airspace = airspace
        self.desk = CommandDesk(self)
        self.notices = NoticeDesk(self)
        self.faults = FaultDesk(self)
        self.rerouting = Rerouting(self, replanner)
        self.links = LinkWatch(self)
        self.unclaimed = Unclaimed(self)
        self.resuming = Resuming(self)
        self.readiness = Readiness(drone, self.link, self.autopilot, clock, self.publish, ids, airspace)

    # --- life ---------------------------------------------------------------------------------

    async def run(self) -> None:
        """Serve this drone. Raises only on broken expectations of our own."""
        self.memory = self.journal.remember()
        self.readiness.remember(self.memory)
        subscription = await self._bus.subscribe(
            commands_subject(self.drone.drone_id), durable=f"agent-{self.drone.drone_id}"
        )
        await self._say_again()
        removers = [self.link.add_listener(self._wake.set), self.link.add_tap(self._tap)]
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                group.create_task(self.link.run(), name="link")
                group.create_task(self.readiness.run(), name="readiness")
                group.create_task(self._listen(subscription), name="commands")
                group.create_task(publish_telemetry(self), name="telemetry")
                group.create_task(self._tick(), name="tick")
                self.resuming.take_up(self.memory)
                self.started.set()
                await self._own()
        finally:
            self._group = None
            for remove in removers:
                remove()
            if self.flight is not None and self.flight.record is not None:
                self.flight.record.finish()
            await subscription.close()
            self.journal.close()

    async def _say_again(self) -> None:
        """Hub and agent may have died together: what the journal holds is said again, with the same ids."""
        for event in self.memory.recent:
            await self.publish(event)

    @property
    def flight_id(self) -> str | None:
        """The flight under way, if there is one."""
        return self.unclaimed.flight_id if self.flight is None else self.flight.flight_id

    def begin(self, command: FlyMission) -> FlightUnderWay:
        """Set everything up for a flight; nothing is sent yet."""
        record = None
        if self._records_dir is not None:
            record = FlightRecord(self._records_dir, command)
        self.memory.flight = command
        self.flight = FlightUnderWay.begin(command, self.link, self.autopilot, self.clock, record)
        self.notices.tell_zones()
        return self.flight

    def _tap(self, frame: bytes, from_vehicle: bool) -> None:
        if self.flight is not None and self.flight.record is not None:
            self.flight.record.frame(frame, self.clock.now())

    async def _listen(self, subscription: Subscription) -> None:
        async for delivery in subscription:
            self._inbox.put_nowait(delivery)
            self._wake.set()

    async def _tick(self) -> None:
        while True:
            rest_s = self._looked_s + WATCH_PERIOD_S - self.clock.monotonic_s()
            if rest_s <= 0.0:
                self._wake.set()
                rest_s = WATCH_PERIOD_S
            await self.clock.sleep(rest_s)

    async def _own(self) -> None:
        """The owner: nothing else changes the state."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            self._looked_s = self.clock.monotonic_s()
            while not self._inbox.empty():
                await self.desk.take(self._inbox.get_nowait())
            while not self._results.empty():
                await self._take_result(*self._results.get_nowait())
            await self.rerouting.take_plans()
            await self._watch()

    # --- the machine --------------------------------------------------------------------------

    async def move(
        self,
        trigger: Trigger,
        detail: str,
        result: Result | None = None,
        *,
        before: tuple[Command | Event, ...] = (),
    ) -> None:
        """Apply a trigger: journal, say and do what the table answers.

        ``before``: a command and its answer, which go into the journal in the same write.
        """
        held = self.state
        step = advance(held, trigger, self.clock.now())
        row = step.answer
        if not isinstance(row, Row):
            return
        flight = self.flight
        effects = step.effects
        if not isinstance(row.target, Phase):
            effects = RESUME_EFFECTS.get(step.state.phase, effects)
        events: list[Event] = []
        if flight is not None:
            events = flight.announcements(
                self.ids, self.drone.drone_id, self.clock.now(), self.link.view, step, trigger, detail, result
            )
        elif Effect.END in effects:
            events = [self.unclaimed.ended(step, detail)]
        if step.state.phase is not held.phase:
            events.insert(0, self._phase_changed(held.phase, step.state.phase, detail))
        if step.state == held and not effects and not before:
            return
        self.state = step.state
        if flight is not None:
            flight.entered(step.state.phase, self.clock.now(), self.clock.monotonic_s())
        if flight is not None or self.unclaimed.flight_id is not None:
            self.journal.write(messages=(*before, *events), state=self.state)
        said = [message for message in before if not hasattr(message, "issued_at")]
        for event in (*said, *events):
            await self.publish(event)
        self._stop_work_outside(self.state.phase)
        await self.faults.note(trigger, detail)
        for effect in effects:
            self.start(effect)
        if Effect.END in effects:
            self._end()

    def _phase_changed(self, previous: Phase, phase: Phase, detail: str) -> PhaseChanged:
        flight = self.flight
        return PhaseChanged(
            event_id=self.ids.new("evt"),
            drone_id=self.drone.drone_id,
            flight_id=self.flight_id,
            at=self.clock.now(),
            phase=phase,
            previous=previous,
            reason=detail,
            eta_s=None if flight is None else flight.eta_s(self.link.view, phase, self.clock.now()),
        )

    def start(self, effect: Effect) -> None:
        """Begin the work of an effect; work of the same effect that is under way is replaced."""
        flight = self.flight
        if self._group is None:
            return
        if flight is None:
            self.unclaimed.start(effect, self._group)
            return
        now_s = self.clock.monotonic_s()
        if effect in EXPECTED_MODES:
            flight.director.expect_mode(EXPECTED_MODES[effect], now_s)
        elif effect is Effect.STAND_BACK:
            flight.director.expect_mode(frozenset(), now_s)
        work = self.rerouting.work_for(effect, flight) or flight.procedures.work_for(
            effect, hovering_for_s=flight.hovering_for_s(self.clock.now())
        )
        if work is None:
            return
        for task, running in list(self._work.items()):
            if running is effect:
                task.cancel()
        if effect in (Effect.RELEASE_AED, Effect.UNLOAD):
            self.readiness.hook_opened()

        async def run() -> None:
            result = await work()
            self._results.put_nowait((flight, effect, result))
            self._wake.set()

        task = self._group.create_task(run(), name=effect.value)
        self._work[task] = effect
        task.add_done_callback(lambda done: self._work.pop(done, None))

    def is_doing(self, effects: tuple[Effect, ...]) -> bool:
        """Whether the work of all these effects is under way."""
        return set(effects) <= set(self._work.values())

    def is_doing_any(self, effects: Collection[Effect]) -> bool:
        """Whether the work of one of these effects is under way."""
        return not set(effects).isdisjoint(self._work.values())

    def _stop_work_outside(self, phase: Phase) -> None:
        for task, effect in list(self._work.items()):
            if phase not in VALID_IN[effect]:
                task.cancel()

    async def _take_result(self, flight: FlightUnderWay, effect: Effect, result: Result) -> None:
        if flight is not self.flight or self.state.phase not in VALID_IN[effect] or result.trigger is None:
            return
        trigger = result.trigger
        if trigger is Trigger.PREPARED and self.clock.now() < flight.command.departs_at:
            trigger = Trigger.PREPARED_EARLY
            result = replace(
                result, detail=f"{result.detail}; departs at {flight.command.departs_at:%H:%M:%S} UTC"
            )
        if effect is Effect.REPLACE_MISSION:
            await self.rerouting.written(flight, trigger, result.detail)
        # Known also where the phase machine has no move for it, as for a line that strayed.
        await self.faults.note(trigger, result.detail)
        await self.move(trigger, result.detail, result)

    def _end(self) -> None:
        for task in self._work:
            task.cancel()
        flight = self.flight
        if self.flight_id is not None:
            self.memory.closed_flights.add(self.flight_id)
        if flight is not None and flight.record is not None:
            flight.record.finish()
        if self.state.aed is not AedState.ON_BOARD:
            self.memory.aed_missing = True
            self.readiness.aed_missing = True
        self.flight = None
        self.unclaimed.flight_id = None
        self.journal.rotate_if_large(self.memory)

    # --- watching -----------------------------------------------------------------------------

    async def _watch(self) -> None:
        await self.links.watch()
        if self.flight is None:
            self.readiness.active = self.state.phase is Phase.STANDBY
            await self.unclaimed.watch()
            return
        self.readiness.active = self.state.phase is Phase.WAITING
        if self.resuming.begun:
            self.resuming.go_on(self.flight)
            return
        flight, view, now_s = self.flight, self.link.view, self.clock.monotonic_s()
        flight.director.may_lower = Fault.LANDING_POINT_OCCUPIED not in flight.faults.present
        trigger = flight.director.observe(view, self.state.phase, now_s)
        if trigger is not None:
            await self.move(trigger, reason_of(trigger, view, self.autopilot, self.state.phase))
        if self.flight is None:
            return
        await self.faults.watch(flight, now_s)
        if self.flight is None:
            return
        if self.state.aed is AedState.RELEASED and flight.director.is_clear_to_approach(
            view, self.state.phase
        ):
            await self.move(Trigger.CLEAR_TO_APPROACH, "the line is clear above head height")
        self._bring_in_a_stray_line(flight)
        if flight.endurance_exceeded(view, self.clock.now(), now_s):
            await self.move(Trigger.ENDURANCE_EXCEEDED, "not heard for longer than the battery lasts")

    def _bring_in_a_stray_line(self, flight: FlightUnderWay) -> None:
        tried = Fault.LINE_NOT_RETRACTED in flight.faults.present
        under_way = Effect.RETRACT_LINE in self._work.values()
        if not tried and not under_way and flight.director.line_strays(self.link.view, self.state.phase):
            self.start(Effect.RETRACT_LINE)

    def ask_planner(self, flight: FlightUnderWay) -> None:
        """Another way is needed: see :meth:`Rerouting.ask`."""
        self.rerouting.ask(flight)

    @property
    def mission_modes(self) -> frozenset[ModeClass]:
        """What the vehicle shows while it flies a mission."""
        return frozenset({ModeClass.MISSION})

    def stands_still(self) -> bool:
        """Whether the vehicle is seen standing, so that a plan may begin where it is."""
        speed_m_s = self.link.view.ground_speed_m_s
        return speed_m_s is not None and speed_m_s <= STILL_M_S

    def wake(self) -> None:
        """Have the owner look now."""
        self._wake.set()

    def spawn(self, work: Coroutine[object, object, None], name: str) -> asyncio.Task[None] | None:
        """Run something beside the owner, ended with it; None when the agent does not run."""
        if self._group is None:
            work.close()
            return None
        return self._group.create_task(work, name=name)

    # --- saying -------------------------------------------------------------------------------

    async def publish(self, event: Event) -> None:
        if self.flight is not None and self.flight.record is not None:
            self.flight.record.event(event)
        await self._bus.publish(events_subject(self.drone.drone_id), event.event_id, encode(event))

    async def publish_sample(self, sample: TelemetrySample, message_id: str) -> None:
        if self.flight is not None and self.flight.record is not None:
            self.flight.record.sample(sample)
        await self._bus.publish(telemetry_subject(self.drone.drone_id), message_id, encode(sample))
