"""Faults of a flight under way: debounced, told, and turned into what the failsafe table asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flight.events import FaultCleared, SafetyActionTaken
from flight.model.failsafe import decide, react
from flight.model.faults import NEEDS_A_NEW_PLAN, Fault, Finding, SafetyAction
from flight.model.phases import FLIGHT_PHASES, AedState, Phase, Row, Trigger, advance

if TYPE_CHECKING:
    from flight.agent import FlightAgent
    from flight.flight_state import FlightUnderWay

FAULT_PERIOD_S = 0.2
"""Every fault is debounced over seconds or counted from the last message; five looks a second are enough."""
NEW_PLAN_WITHIN_S = 60.0
"""How long a flight stands off for a new plan or a person's word: at hover power that is some 20 Wh, and a
centre that does not answer in a minute will not answer in two (chosen)."""
GIVE_WAY_WITHIN_S = 180.0
"""How long a flight stands for another aircraft alone: one that circles is no passer-by (chosen; ``energy_short`` ends
it sooner where the battery asks for it)."""
ALTERNATE_AFTER_S = 15.0
"""How long a flight waits over an occupied landing point before it goes on to the plan's next one: people who
were asked to step aside have done so by then, and the patient waits too (chosen)."""

HELD_LONG_S = 45.0
"""How long a person holds a flight until it is told that the patient waits (chosen: as for a pilot's hands)."""
HELD_TOO_LONG_S = 120.0
"""How long a patient waits for a drone that a person holds: whoever looks at a landing point by video has decided by
then, and who heard the alarm for 75 s and did nothing is not there (chosen)."""
GIVE_BACK_WITHIN_S = 45.0
"""How long a patient waits for a drone that somebody else flies: a pilot who avoids something gives it back by then, one
who lands it does not, and another drone may be near (chosen)."""

SAFETY_TRIGGERS = {
    SafetyAction.HOLD: Trigger.SAFETY_HOLD,
    SafetyAction.RETURN: Trigger.SAFETY_RETURN,
    SafetyAction.DIVERT: Trigger.SAFETY_DIVERT,
    SafetyAction.LAND: Trigger.SAFETY_LAND,
    SafetyAction.TERMINATE: Trigger.SAFETY_TERMINATE,
}
_WAY_OUT = frozenset({Phase.CLIMBING, Phase.OUTBOUND, Phase.HOVERING, Phase.TOUCHING_DOWN})
_LATCHED_BY = {
    Trigger.LOWERING_FAILED: Fault.WINCH_JAM,
    Trigger.RELEASE_UNCONFIRMED: Fault.RELEASE_NOT_CONFIRMED,
    Trigger.RETRACTION_FAILED: Fault.LINE_NOT_RETRACTED,
    Trigger.CONTROL_TAKEN: Fault.CONTROL_TAKEN,
    Trigger.ABORT: Fault.ORDER_CANCELLED,
}
_ENDED_BY = {
    Trigger.LINE_IN: (Fault.WINCH_JAM, Fault.LINE_NOT_RETRACTED),
    Trigger.RELEASE_CONFIRMED: (Fault.RELEASE_NOT_CONFIRMED,),
    Trigger.CONTROL_GIVEN_BACK: (Fault.CONTROL_TAKEN,),
    Trigger.CAUSE_GONE: (Fault.NO_NEW_WAY,),
}


class FaultDesk:
    """Watches the faults of one agent's flight. Runs inside its owner task."""

    def __init__(self, agent: FlightAgent) -> None:
        self._agent = agent

    async def watch(self, flight: FlightUnderWay, now_s: float) -> None:
        """Look at the vehicle, tell what appeared and cleared, and have done what is asked."""
        if now_s - flight.faults_watched_s < FAULT_PERIOD_S:
            return
        flight.faults_watched_s = now_s
        agent = self._agent
        findings = flight.director.faults.findings(
            agent.link.view, agent.state.phase, now_s, agent.clock.now()
        )
        held_s = self._patient_waits_s(Phase.HOLDING)
        if held_s > HELD_LONG_S:
            findings.append(Finding(Fault.HELD_LONG, f"held for {held_s:.0f} s while the patient waits"))
        appeared, cleared = flight.faults.update(findings, now_s)
        for finding in appeared:
            await self._say_fault(finding.fault, finding.detail)
        for fault in cleared:
            await self._say_cleared(fault)
        await self._act(flight)
        if agent.flight is flight and agent.state.phase is Phase.STANDING_OFF:
            await self._stand_off(flight, now_s)
        elif agent.flight is flight and agent.state.phase is Phase.HANDED_OVER:
            await self._wait_for_the_pilot()
        elif agent.flight is flight and held_s > HELD_TOO_LONG_S:
            await agent.move(Trigger.HELD_TOO_LONG, f"a person has held it for {HELD_TOO_LONG_S:.0f} s")

    def _patient_waits_s(self, phase: Phase) -> float:
        """How long the flight has been in ``phase`` while somebody waits for its AED; 0 where nobody does."""
        agent, state = self._agent, self._agent.state
        waits = (
            state.phase is phase
            and state.aed is AedState.ON_BOARD
            and not state.failure_announced
            and state.held in _WAY_OUT
        )
        return (agent.clock.now() - state.since).total_seconds() if waits else 0.0

    async def _wait_for_the_pilot(self) -> None:
        """Not for ever: what is still to be delivered is given up, the vehicle is left alone."""
        if self._patient_waits_s(Phase.HANDED_OVER) > GIVE_BACK_WITHIN_S:
            await self._agent.move(
                Trigger.NOT_GIVEN_BACK, f"somebody else has controlled it for {GIVE_BACK_WITHIN_S:.0f} s"
            )

    async def _act(self, flight: FlightUnderWay) -> None:
        agent = self._agent
        present = flight.faults.present
        if not present:
            return
        ways = flight.director.faults.ways_open(agent.link.view, agent.state.phase, agent.clock.now())
        action = decide(present, agent.state.phase, ways)
        trigger = SAFETY_TRIGGERS.get(action)
        if trigger is None:
            return
        step = advance(agent.state, trigger, agent.clock.now())
        answer = step.answer
        if not isinstance(answer, Row) or (
            answer.target is agent.state.phase and agent.is_doing(step.effects)
        ):
            # It is being done already.
            return
        if trigger is Trigger.SAFETY_HOLD:
            # Another stop, another search: what was not found from elsewhere may be found from here.
            await self.clear(Fault.NO_NEW_WAY)
        worst = [
            f"{fault.value}: {detail}"
            for fault, detail in present.items()
            if react([fault], agent.state.phase) > SafetyAction.WARN
        ]
        await agent.move(trigger, "; ".join(worst))

    async def _stand_off(self, flight: FlightUnderWay, now_s: float) -> None:
        """Go on when nothing asks for standing any more; else ask for another way, and not for ever."""
        agent = self._agent
        present = flight.faults.present
        if react(present, Phase.STANDING_OFF) < SafetyAction.HOLD:
            await agent.move(Trigger.CAUSE_GONE, "nothing stands in the way any more")
            return
        if NEEDS_A_NEW_PLAN & present.keys() and not flight.asked_planner and agent.stands_still():
            flight.asked_planner = True
            agent.ask_planner(flight)
        since_s = flight.standing_since_s
        stops = {each for each in present if react([each], Phase.STANDING_OFF) >= SafetyAction.HOLD}
        if (
            stops == {Fault.LANDING_POINT_OCCUPIED}
            and since_s is not None
            and now_s - since_s > ALTERNATE_AFTER_S
        ):
            await agent.rerouting.offer_alternate(flight)
            if agent.state.phase is not Phase.STANDING_OFF:
                return
        limit_s = GIVE_WAY_WITHIN_S if stops == {Fault.INTRUDER} else NEW_PLAN_WITHIN_S
        if since_s is not None and now_s - since_s > limit_s and Fault.NO_NEW_WAY not in present:
            await self.latch(Fault.NO_NEW_WAY, f"no way on within {limit_s:.0f} s")

    async def note(self, trigger: Trigger, detail: str) -> None:
        """Facts that the phase machine answered by itself are recorded as faults too."""
        fault = _LATCHED_BY.get(trigger)
        if fault is not None:
            await self.latch(fault, detail)
        await self.clear(*_ENDED_BY.get(trigger, ()))

    async def latch(self, fault: Fault, detail: str) -> None:
        """A fact that holds until it is ended by name, or with the flight."""
        flight = self._agent.flight
        if self._agent.state.phase not in FLIGHT_PHASES:
            return
        if flight is not None and flight.faults.latch(fault, detail):
            await self._say_fault(fault, detail)

    async def clear(self, *faults: Fault) -> None:
        """End facts, and say so where they were known."""
        flight = self._agent.flight
        if flight is None:
            return
        for ended in flight.faults.clear(*faults):
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
