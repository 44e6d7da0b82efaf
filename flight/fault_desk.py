"""Faults of a flight under way: debounced, told, and turned into what the failsafe table asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flight.messages import FaultCleared, SafetyActionTaken
from flight.model.failsafe import Fault, SafetyAction, react
from flight.model.phases import Trigger

if TYPE_CHECKING:
    from flight.agent import FlightAgent
    from flight.flight_state import FlightUnderWay

FAULT_PERIOD_S = 0.2
"""Every fault is debounced over seconds or counted from the last message; five looks a second are enough."""

_SAFETY_TRIGGERS = {
    SafetyAction.HOLD: Trigger.SAFETY_HOLD,
    SafetyAction.RETURN: Trigger.SAFETY_RETURN,
    SafetyAction.DIVERT: Trigger.SAFETY_DIVERT,
    SafetyAction.LAND: Trigger.SAFETY_LAND,
    SafetyAction.TERMINATE: Trigger.SAFETY_TERMINATE,
}
_LATCHED_BY = {
    Trigger.LOWERING_FAILED: Fault.WINCH_JAM,
    Trigger.RELEASE_UNCONFIRMED: Fault.RELEASE_NOT_CONFIRMED,
    Trigger.RETRACTION_FAILED: Fault.LINE_NOT_RETRACTED,
    Trigger.CONTROL_TAKEN: Fault.CONTROL_TAKEN,
}
_ENDED_BY = {
    Trigger.LINE_IN: (Fault.WINCH_JAM, Fault.LINE_NOT_RETRACTED),
    Trigger.RELEASE_CONFIRMED: (Fault.RELEASE_NOT_CONFIRMED,),
    Trigger.CONTROL_GIVEN_BACK: (Fault.CONTROL_TAKEN,),
}


class FaultDesk:
    """Watches the faults of one agent's flight. Runs inside its owner task."""

    def __init__(self, agent: FlightAgent) -> None:
        self._agent = agent

    async def watch(self, flight: FlightUnderWay, now_s: float) -> None:
        """Look at the vehicle, tell what appeared and cleared, and do what is asked, once."""
        if now_s - flight.faults_watched_s < FAULT_PERIOD_S:
            return
        flight.faults_watched_s = now_s
        findings = flight.director.findings(self._agent.link.view, self._agent.state.phase, now_s)
        appeared, cleared = flight.faults.update(findings, now_s)
        for finding in appeared:
            await self._say_fault(finding.fault, finding.detail)
        for fault in cleared:
            await self._say_cleared(fault)
        present = flight.faults.present
        action = react(present, self._agent.state.phase)
        if action <= flight.action_taken:
            flight.action_taken = min(flight.action_taken, max(action, SafetyAction.NONE))
            return
        flight.action_taken = action
        trigger = _SAFETY_TRIGGERS.get(action)
        if trigger is not None:
            worst = [f"{fault.value}: {detail}" for fault, detail in present.items()]
            await self._agent.move(trigger, "; ".join(worst))

    async def note(self, trigger: Trigger, detail: str) -> None:
        """Facts that the phase machine answered by itself are recorded as faults too."""
        flight = self._agent.flight
        if flight is None:
            return
        fault = _LATCHED_BY.get(trigger)
        if fault is not None and flight.faults.latch(fault, detail):
            await self._say_fault(fault, detail)
        for ended in flight.faults.clear(*_ENDED_BY.get(trigger, ())):
            await self._say_cleared(ended)

    async def _say_fault(self, fault: Fault, detail: str) -> None:
        event = SafetyActionTaken(
            event_id=self._agent.ids.new("evt"),
            drone_id=self._agent.drone.drone_id,
            flight_id=self._agent.flight_id,
            at=self._agent.clock.now(),
            fault=fault,
            action=react([fault], self._agent.state.phase),
            phase=self._agent.state.phase,
            detail=detail,
        )
        self._agent.journal.write(messages=[event])
        await self._agent.publish(event)

    async def _say_cleared(self, fault: Fault) -> None:
        event = FaultCleared(
            event_id=self._agent.ids.new("evt"),
            drone_id=self._agent.drone.drone_id,
            flight_id=self._agent.flight_id,
            at=self._agent.clock.now(),
            fault=fault,
        )
        self._agent.journal.write(messages=[event])
        await self._agent.publish(event)
