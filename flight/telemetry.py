"""What a vehicle shows, several times a second, for the hub and for the record of its flight."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flight.flight_state import telemetry_sample
from flight.procedures import COMMANDED

if TYPE_CHECKING:
    from flight.agent import FlightAgent

PERIOD_S = 0.25
IDLE_PERIOD_S = 1.0


async def publish_telemetry(agent: FlightAgent) -> None:
    """A sample each time; none while nothing was ever heard. Until cancelled."""
    number = 0
    run_id = agent.ids.new("evt")
    while True:
        await agent.clock.sleep(IDLE_PERIOD_S if agent.flight is None else PERIOD_S)
        if agent.link.view.heard_s is None:
            continue
        sample = telemetry_sample(
            agent.link.view,
            agent.autopilot,
            agent.flight,
            drone_id=agent.drone.drone_id,
            phase=agent.state.phase,
            shows_phase=not agent.is_doing_any(COMMANDED),
            now=agent.clock.now(),
            now_s=agent.clock.monotonic_s(),
        )
        number += 1
        await agent.publish_sample(sample, f"{run_id}-{number}")
