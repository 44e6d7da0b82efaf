"""A restarted controller takes its flight up again, by what the vehicle shows."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from flight.alternates import alternate_mission
from flight.autopilots.base import ModeClass
from flight.events import FlightRerouted, FlightResumed, PhaseChanged
from flight.flight_state import FlightUnderWay, view_truth
from flight.journal import Remembered
from flight.message_parts import VehicleTruth
from flight.model.faults import LATCHED
from flight.model.phases import FLIGHT_PHASES, RESUME_EFFECTS, Effect, Phase, Trigger

if TYPE_CHECKING:
    from flight.agent import FlightAgent

RESUME_FRESH_S = 2.0
_DISARMED_PHASES = (Phase.PREPARING, Phase.WAITING, Phase.UNLOADING)


class Resuming:
    """One agent's. ``begun``: the journal holds a flight under way, and the vehicle has not been seen yet."""

    def __init__(self, agent: FlightAgent) -> None:
        self.begun = False
        self._agent = agent
        self._task: asyncio.Task[None] | None = None

    def take_up(self, memory: Remembered) -> None:
        """Be where the journal ends; what the vehicle shows decides the rest."""
        agent = self._agent
        if memory.unclaimed_flight is not None and memory.state is not None:
            agent.state = memory.state
            agent.unclaimed.flight_id = memory.unclaimed_flight
            return
        if not memory.under_way or memory.flight is None or memory.state is None:
            return
        agent.state = memory.state
        flight = agent.begin(memory.flight)
        if memory.plan is not None and memory.plan != flight.plan:
            flight.follow(memory.plan, agent.link, agent.autopilot, agent.clock)
        flight.reroute = memory.reroute
        flight.hovering_since = memory.hovering_since
        if memory.state.phase is Phase.STANDING_OFF:
            stood_s = (agent.clock.now() - memory.state.since).total_seconds()
            flight.standing_since_s = agent.clock.monotonic_s() - stood_s
        began = (
            event.at
            for event in memory.flight_events
            if isinstance(event, FlightRerouted)
            or (isinstance(event, PhaseChanged) and event.phase is Phase.ARMING)
        )
        flight.motors_since = max(began, default=None)
        if any(event.kind == "aed_on_ground" for event in memory.flight_events):
            flight.director.announced_approach()
        for fault, detail in memory.latched.items():
            if fault in LATCHED:
                flight.faults.latch(fault, detail)
        self.begun = True

    def go_on(self, flight: FlightUnderWay) -> None:
        """Wait until the vehicle has said where it stands, then take the flight up where it is."""
        if self._task is not None:
            return
        agent = self._agent
        view, now_s = agent.link.view, agent.clock.monotonic_s()
        if flight.endurance_exceeded(view, agent.clock.now(), now_s):
            self.begun = False
            return
        known = (view.heartbeat_s, view.position_s, view.mission_s, view.landed_s)
        if any(at_s is None or now_s - at_s > RESUME_FRESH_S for at_s in known):
            return
        if view.autopilot_type != agent.autopilot.mav_autopilot:
            return
        self._task = agent.spawn(self._finish(flight), "resume")

    async def _finish(self, flight: FlightUnderWay) -> None:
        agent = self._agent
        view = agent.link.view
        journalled = agent.state.phase
        matches: bool | None = None
        # While another mission was being written, what is on board may be half of either.
        if view.armed and journalled is not Phase.REROUTING:
            matches = await agent.autopilot.mission_matches(agent.link, flight.director.mission)
        truth = view_truth(view, agent.autopilot, agent.clock.now(), matches)
        flight.expect_mode_of(journalled, view, agent.clock.monotonic_s())
        self.begun = False
        if journalled is Phase.REROUTING and view.armed:
            await self._go_on_rerouting(flight)
        elif journalled is Phase.ARMING and view.armed is False:
            await agent.move(Trigger.ARMING_FAILED, "the controller restarted while arming")
        elif matches is False and journalled in FLIGHT_PHASES:
            flight.director.mission_is_ours = False
            await agent.move(Trigger.CONTROL_TAKEN, "the vehicle holds a mission that is not ours")
        elif view.armed or journalled in _DISARMED_PHASES:
            for effect in RESUME_EFFECTS.get(journalled, ()):
                agent.start(effect)
        await self._say_resumed(flight, journalled, truth)

    async def _go_on_rerouting(self, flight: FlightUnderWay) -> None:
        """The new mission may be on board and begun already; then it is followed. Else it is written (again),
        and begun only if the vehicle still stands where it begins."""
        agent, view = self._agent, self._agent.link.view
        plan = flight.plan if flight.reroute is None else flight.reroute.plan
        mission = flight.mission_of(plan, agent.autopilot)
        flies = view.custom_mode is not None and (
            agent.autopilot.mode_class(view.custom_mode) is ModeClass.MISSION
        )
        if alternate_mission(flight.plan, flight.director.mission, plan) is not None:
            # An alternate is on board from the beginning: only its own items say that it was begun.
            flies = flies and (view.mission_seq or 0) >= mission.indices.takeoff
        on_board = await agent.autopilot.mission_matches(agent.link, mission)
        if flies and on_board:
            trigger = Trigger.REROUTED if plan.delivers else Trigger.REROUTED_HOME
            detail = "the new mission is on board and was begun before the restart"
            await agent.rerouting.written(flight, trigger, detail)
            await agent.move(trigger, detail)
        elif flight.reroute is not None:
            agent.start(Effect.REPLACE_MISSION)
        else:
            flight.director.mission_is_ours = False
            await agent.move(Trigger.CONTROL_TAKEN, "the vehicle does not fly the mission that was written")

    async def _say_resumed(self, flight: FlightUnderWay, journalled: Phase, truth: VehicleTruth) -> None:
        agent = self._agent
        resumed = FlightResumed(
            event_id=agent.ids.new("evt"),
            drone_id=agent.drone.drone_id,
            flight_id=flight.flight_id,
            at=agent.clock.now(),
            journalled_phase=journalled,
            phase=agent.state.phase,
            aed=agent.state.aed,
            truth=truth,
        )
        agent.journal.write(messages=[resumed])
        await agent.publish(resumed)
        agent.wake()
