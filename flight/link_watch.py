"""Whether the vehicle is heard: told when it changes, and what a flight does when it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from flight.events import LinkChanged
from flight.model.faults import LINK_LOST_AFTER_S, LINK_STALE_AFTER_S
from flight.model.phases import Phase, Trigger

if TYPE_CHECKING:
    from flight.agent import FlightAgent

_UNSEEN_PHASES = (Phase.DISCONNECTED, Phase.ENDED)


class LinkWatch:
    """One agent's. Runs inside its owner task."""

    def __init__(self, agent: FlightAgent) -> None:
        self._agent = agent
        self._said: Literal["up", "stale", "lost"] | None = None

    async def watch(self) -> None:
        """Look once; a vehicle that was never heard has no link to lose."""
        agent = self._agent
        silent_s = agent.link.view.silent_for_s(agent.clock.monotonic_s())
        if silent_s is None:
            return
        now: Literal["up", "stale", "lost"] = (
            "lost" if silent_s > LINK_LOST_AFTER_S else "stale" if silent_s > LINK_STALE_AFTER_S else "up"
        )
        if now != self._said:
            self._said = now
            await agent.publish(
                LinkChanged(
                    event_id=agent.ids.new("evt"),
                    drone_id=agent.drone.drone_id,
                    flight_id=agent.flight_id,
                    at=agent.clock.now(),
                    link=now,
                    silent_s=silent_s,
                )
            )
        if now == "lost":
            await agent.move(Trigger.LINK_LOST, f"nothing heard for {silent_s:.0f} s")
        elif now == "up" and agent.state.phase in _UNSEEN_PHASES and agent.link.view.armed is not None:
            await agent.move(Trigger.CONNECTED, "heard")
