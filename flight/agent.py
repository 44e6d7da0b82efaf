"""The controller of one vehicle: one owner task that hears commands, watches, decides and acts.

Order of everything that matters: into the journal, then onto the bus, then done. The phase machine
decides (:mod:`flight.model.phases`), the director reads the vehicle (:mod:`flight.director`), the
procedures act (:mod:`flight.procedures`); this module only connects them.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from core.clock import Clock
from core.ids import IdSource
from flight.autopilots.base import Autopilot
from flight.autopilots.kinds import autopilot_for
from flight.bus import Bus, Delivery, Subscription, commands_subject, events_subject, telemetry_subject
from flight.command_desk import CommandDesk
from flight.delivery import Result
from flight.fault_desk import FaultDesk
from flight.flight_state import FlightUnderWay, reason_of, telemetry_sample, view_truth
from flight.journal import Journal, Remembered
from flight.links.mavlink.connection import VehicleConnection
from flight.links.mavlink.transports import TransportFactory
from flight.messages import (
    Command,
    Event,
    FlightResumed,
    FlyMission,
    LinkChanged,
    PhaseChanged,
    encode,
)
from flight.model.failsafe import LINK_LOST_AFTER_S, LINK_STALE_AFTER_S, Fault
from flight.model.phases import (
    FLIGHT_PHASES,
    RESUME_EFFECTS,
    AedState,
    Effect,
    Phase,
    Row,
    State,
    Trigger,
    advance,
)
from flight.procedures import EXPECTED_MODES, VALID_IN
from flight.readiness import Readiness
from flight.record import FlightRecord
from planner.site import Drone

WATCH_PERIOD_S = 0.1
"""The owner looks at least this often, and at once when something is heard."""
TELEMETRY_PERIOD_S = 0.25
IDLE_TELEMETRY_PERIOD_S = 1.0
RESUME_FRESH_S = 2.0

_UNSEEN_PHASES = (Phase.DISCONNECTED, Phase.ENDED)


class FlightAgent:
    """Owns one drone. :meth:`run` goes on until cancelled; a new agent on the same journal takes over."""

    def __init__(
        self,
        drone: Drone,
        transport_factory: TransportFactory,
        bus: Bus,
        clock: Clock,
        ids: IdSource,
        journal: Journal,
        *,
        autopilot: Autopilot | None = None,
        records_dir: Path | None = None,
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
        self._work: dict[asyncio.Task[None], Effect] = {}
        self._group: asyncio.TaskGroup | None = None
        self._link_state: str | None = None
        self._resuming = False
        self._resume_task: asyncio.Task[None] | None = None
        self._desk = CommandDesk(self)
        self._faults = FaultDesk(self)
        self.readiness = Readiness(drone, self.link, self.autopilot, clock, self.publish, ids)

    # --- life ---------------------------------------------------------------------------------

    async def run(self) -> None:
        """Serve this drone. Raises only on broken expectations of our own."""
        self.memory = self.journal.remember()
        self.readiness.aed_missing = self.memory.aed_missing
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
                group.create_task(self._publish_telemetry(), name="telemetry")
                group.create_task(self._tick(), name="tick")
                self._take_up()
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

    def _take_up(self) -> None:
        memory = self.memory
        if not memory.under_way or memory.flight is None or memory.state is None:
            return
        self.state = memory.state
        flight = self.begin(memory.flight)
        flight.hovering_since = memory.hovering_since
        flight.motors_since = next(
            (e.at for e in memory.flight_events if isinstance(e, PhaseChanged) and e.phase is Phase.ARMING),
            None,
        )
        if any(event.kind == "aed_on_ground" for event in memory.flight_events):
            flight.director.announced_approach()
        self._resuming = True

    @property
    def flight_id(self) -> str | None:
        """The flight under way, if there is one."""
        return None if self.flight is None else self.flight.flight_id

    def begin(self, command: FlyMission) -> FlightUnderWay:
        """Set everything up for a flight; nothing is sent yet."""
        record = None
        if self._records_dir is not None:
            record = FlightRecord(self._records_dir, command.flight_id, command.plan)
        self.memory.flight = command
        self.flight = FlightUnderWay.begin(command, self.link, self.autopilot, self.clock, record)
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
            await self.clock.sleep(WATCH_PERIOD_S)
            self._wake.set()

    async def _own(self) -> None:
        """The owner: nothing else changes the state."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while not self._inbox.empty():
                await self._desk.take(self._inbox.get_nowait())
            while not self._results.empty():
                await self._take_result(*self._results.get_nowait())
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
        if step.state.phase is not held.phase:
            events.insert(0, self._phase_changed(held.phase, step.state.phase, detail))
        if step.state == held and not effects and not before:
            return
        self.state = step.state
        if flight is not None:
            flight.entered(step.state.phase, self.clock.now())
            self.journal.write(messages=(*before, *events), state=self.state)
        said = [message for message in before if not hasattr(message, "issued_at")]
        for event in (*said, *events):
            await self.publish(event)
        self._stop_work_outside(self.state.phase)
        await self._faults.note(trigger, detail)
        for effect in effects:
            self._start(effect)
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
            eta_s=None if flight is None else flight.director.eta_s(self.link.view, phase),
        )

    def _start(self, effect: Effect) -> None:
        flight = self.flight
        if flight is None or self._group is None:
            return
        now_s = self.clock.monotonic_s()
        if effect in EXPECTED_MODES:
            flight.director.expect_mode(EXPECTED_MODES[effect], now_s)
        elif effect is Effect.STAND_BACK:
            flight.director.expect_mode(frozenset(), now_s)
        work = flight.procedures.work_for(effect, hovering_for_s=flight.hovering_for_s(self.clock.now()))
        if work is None:
            return
        for task, running in list(self._work.items()):
            if running is effect:
                task.cancel()
        if effect is Effect.RELEASE_AED:
            self.readiness.hook_opened()

        async def run() -> None:
            result = await work()
            self._results.put_nowait((flight, effect, result))
            self._wake.set()

        task = self._group.create_task(run(), name=effect.value)
        self._work[task] = effect
        task.add_done_callback(lambda done: self._work.pop(done, None))

    def _stop_work_outside(self, phase: Phase) -> None:
        for task, effect in list(self._work.items()):
            if phase not in VALID_IN[effect]:
                task.cancel()

    async def _take_result(self, flight: FlightUnderWay, effect: Effect, result: Result) -> None:
        if flight is not self.flight or self.state.phase not in VALID_IN[effect] or result.trigger is None:
            return
        # Known also where the phase machine has no move for it, as for a line that strayed.
        await self._faults.note(result.trigger, result.detail)
        await self.move(result.trigger, result.detail, result)

    def _end(self) -> None:
        for task in self._work:
            task.cancel()
        flight = self.flight
        if flight is not None:
            self.memory.closed_flights.add(flight.flight_id)
            if self.state.aed is not AedState.ON_BOARD:
                self.memory.aed_missing = True
                self.readiness.aed_missing = True
            if flight.record is not None:
                flight.record.finish()
        self.flight = None

    # --- watching -----------------------------------------------------------------------------

    async def _watch(self) -> None:
        await self._watch_link()
        if self.flight is None:
            self.readiness.active = self.state.phase is Phase.STANDBY
            return
        self.readiness.active = False
        if self._resuming:
            await self._resume()
            return
        flight, view, now_s = self.flight, self.link.view, self.clock.monotonic_s()
        trigger = flight.director.observe(view, self.state.phase, now_s)
        if trigger is not None:
            await self.move(trigger, reason_of(trigger, view, self.autopilot, self.state.phase))
        if self.flight is None:
            return
        await self._faults.watch(flight, now_s)
        if self.flight is None:
            return
        if self.state.aed is AedState.RELEASED and flight.director.is_clear_to_approach(view):
            await self.move(Trigger.CLEAR_TO_APPROACH, "the line is clear above head height")
        self._bring_in_a_stray_line(flight)
        if flight.endurance_exceeded(view, self.clock.now(), now_s):
            await self.move(Trigger.ENDURANCE_EXCEEDED, "not heard for longer than the battery lasts")

    def _bring_in_a_stray_line(self, flight: FlightUnderWay) -> None:
        tried = Fault.LINE_NOT_RETRACTED in flight.faults.present
        under_way = Effect.RETRACT_LINE in self._work.values()
        if not tried and not under_way and flight.director.line_strays(self.link.view, self.state.phase):
            self._start(Effect.RETRACT_LINE)

    async def _watch_link(self) -> None:
        silent_s = self.link.view.silent_for_s(self.clock.monotonic_s())
        if silent_s is None:
            return
        now = "lost" if silent_s > LINK_LOST_AFTER_S else "stale" if silent_s > LINK_STALE_AFTER_S else "up"
        if now != self._link_state:
            self._link_state = now
            await self.publish(
                LinkChanged(
                    event_id=self.ids.new("evt"),
                    drone_id=self.drone.drone_id,
                    flight_id=self.flight_id,
                    at=self.clock.now(),
                    link=now,  # type: ignore[arg-type]
                    silent_s=silent_s,
                )
            )
        if now == "lost":
            await self.move(Trigger.LINK_LOST, f"nothing heard for {silent_s:.0f} s")
        elif now == "up" and self.state.phase in _UNSEEN_PHASES and self.link.view.armed is not None:
            await self.move(Trigger.CONNECTED, "heard")

    # --- resuming -----------------------------------------------------------------------------

    async def _resume(self) -> None:
        """Wait until the vehicle has said where it stands, then take the flight up where it is."""
        if self._resume_task is not None:
            return
        flight, view, now_s = self.flight, self.link.view, self.clock.monotonic_s()
        assert flight is not None
        if flight.endurance_exceeded(view, self.clock.now(), now_s):
            self._resuming = False
            return
        known = (view.heartbeat_s, view.position_s, view.mission_s, view.landed_s)
        if any(at_s is None or now_s - at_s > RESUME_FRESH_S for at_s in known) or self._group is None:
            return
        if view.autopilot_type != self.autopilot.mav_autopilot:
            return
        self._resume_task = self._group.create_task(self._finish_resume(flight), name="resume")

    async def _finish_resume(self, flight: FlightUnderWay) -> None:
        view = self.link.view
        matches: bool | None = None
        if view.armed:
            matches = await self.autopilot.mission_matches(self.link, flight.director.mission)
        journalled = self.state.phase
        truth = view_truth(view, self.autopilot, self.clock.now(), matches)
        flight.expect_mode_of(self.state.phase, view, self.clock.monotonic_s())
        self._resuming = False
        if journalled is Phase.ARMING and view.armed is False:
            await self.move(Trigger.ARMING_FAILED, "the controller restarted while arming")
        elif matches is False and journalled in FLIGHT_PHASES:
            flight.director.mission_is_ours = False
            await self.move(Trigger.CONTROL_TAKEN, "the vehicle holds a mission that is not ours")
        elif view.armed or journalled is Phase.PREPARING:
            for effect in RESUME_EFFECTS.get(journalled, ()):
                self._start(effect)
        resumed = FlightResumed(
            event_id=self.ids.new("evt"),
            drone_id=self.drone.drone_id,
            flight_id=flight.flight_id,
            at=self.clock.now(),
            journalled_phase=journalled,
            phase=self.state.phase,
            aed=self.state.aed,
            truth=truth,
        )
        self.journal.write(messages=[resumed])
        await self.publish(resumed)
        self._wake.set()

    # --- saying -------------------------------------------------------------------------------

    async def publish(self, event: Event) -> None:
        if self.flight is not None and self.flight.record is not None:
            self.flight.record.event(event)
        await self._bus.publish(events_subject(self.drone.drone_id), event.event_id, encode(event))

    async def _publish_telemetry(self) -> None:
        number = 0
        run_id = self.ids.new("evt")
        while True:
            idle = self.flight is None
            await self.clock.sleep(IDLE_TELEMETRY_PERIOD_S if idle else TELEMETRY_PERIOD_S)
            if self.link.view.heard_s is None:
                continue
            sample = telemetry_sample(
                self.link.view,
                self.autopilot,
                self.flight,
                drone_id=self.drone.drone_id,
                phase=self.state.phase,
                now=self.clock.now(),
                now_s=self.clock.monotonic_s(),
            )
            if self.flight is not None and self.flight.record is not None:
                self.flight.record.sample(sample)
            number += 1
            await self._bus.publish(
                telemetry_subject(self.drone.drone_id), f"{run_id}-{number}", encode(sample)
            )
