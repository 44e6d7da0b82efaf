"""A vehicle in the air with a flight that this controller knows nothing of.

Its journal was lost, or somebody flies it by hand. The vehicle goes on with what it has on board; we watch,
tell people, and do only what a person asks: hold, go on, the autopilot's own return, land. The flight ends
when the motors stop, or by hand (CloseFlight) when nobody hears the vehicle any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from flight.events import FlightEnded, UnknownFlightFound
from flight.flight_state import view_truth
from flight.model.outcomes import ActionOutcome
from flight.model.phases import Effect, Phase, Step, Trigger

if TYPE_CHECKING:
    from flight.agent import FlightAgent

SEEN_FOR_S = 3.0
"""Armed and off the ground for longer than one late message (chosen)."""
AIRBORNE_ABOVE_M = 2.0
ATTEMPT_PAUSE_S = 1.0


class Unclaimed:
    """One agent's. ``flight_id`` is set while such a flight is under way."""

    def __init__(self, agent: FlightAgent) -> None:
        self.flight_id: str | None = None
        self._agent = agent
        self._seen_since_s: float | None = None
        self._work: asyncio.Task[None] | None = None

    async def watch(self) -> None:
        """Notice such a flight, and its end."""
        agent = self._agent
        view, now_s = agent.link.view, agent.clock.monotonic_s()
        if agent.state.phase is Phase.UNCLAIMED:
            if view.armed is False:
                self._stop()
                await agent.move(Trigger.DISARMED_ELSEWHERE, "the motors of an unknown flight stopped")
            return
        flies = (
            view.armed is True
            and view.on_ground is False
            and (view.height_above_home_m or 0.0) > AIRBORNE_ABOVE_M
            and agent.state.phase is Phase.STANDBY
        )
        if not flies:
            self._seen_since_s = None
            return
        self._seen_since_s = now_s if self._seen_since_s is None else self._seen_since_s
        if now_s - self._seen_since_s < SEEN_FOR_S:
            return
        self.flight_id = agent.ids.new("flt")
        found = UnknownFlightFound(
            event_id=agent.ids.new("evt"),
            drone_id=agent.drone.drone_id,
            flight_id=self.flight_id,
            at=agent.clock.now(),
            truth=view_truth(view, agent.autopilot, agent.clock.now(), None),
        )
        await agent.move(
            Trigger.FOUND_AIRBORNE, "in the air, and the journal knows no flight", before=(found,)
        )

    def start(self, effect: Effect, group: asyncio.TaskGroup) -> None:
        """What a person asked for, until the vehicle's state shows it."""
        autopilot, link = self._agent.autopilot, self._agent.link
        actions: dict[Effect, Callable[..., Awaitable[ActionOutcome]]] = {
            Effect.STOP: autopilot.hold,
            Effect.RESUME: autopilot.resume_mission,
            Effect.FLY_TO_RALLY: autopilot.return_by_itself,
            Effect.LAND_HERE: autopilot.land,
        }
        action = actions.get(effect)
        if action is None:
            return
        self._stop()

        async def insist() -> None:
            while not (await action(link)).obeyed:
                await self._agent.clock.sleep(ATTEMPT_PAUSE_S)

        self._work = group.create_task(insist(), name=f"unclaimed {effect.value}")

    def _stop(self) -> None:
        if self._work is not None:
            self._work.cancel()
            self._work = None

    def ended(self, step: Step, detail: str) -> FlightEnded:
        """The event of its end."""
        self._stop()
        agent = self._agent
        assert self.flight_id is not None
        assert step.state.safe_state is not None
        return FlightEnded(
            event_id=agent.ids.new("evt"),
            drone_id=agent.drone.drone_id,
            flight_id=self.flight_id,
            at=agent.clock.now(),
            safe_state=step.state.safe_state,
            reason=detail,
            aed=step.state.aed,
            position=agent.link.view.position,
            charge_fraction=agent.link.view.charge_fraction,
        )
