"""The flight agents of this process: begun and ended as drones come to the site and leave it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from core.errors import DroneAedError
from planner.site import Drone, Site

log = logging.getLogger(__name__)

AgentTask = Coroutine[Any, Any, None]


class AgentRoom:
    """One agent for each drone. ``make`` builds one and may raise 1003 to 1005 for a link that can't be had; ``keep``
    runs it for as long as the hub lives; ``release`` gives its link back."""

    def __init__(
        self,
        *,
        make: Callable[[Drone], AgentTask],
        keep: Callable[[AgentTask, str], asyncio.Task[Any]],
        release: Callable[[Drone], None],
    ) -> None:
        self._make, self._keep, self._release = make, keep, release
        self._tasks: dict[str, asyncio.Task[Any]] = {}

    def begin(self, drone: Drone, agent: AgentTask | None = None) -> None:
        """Start an agent, a given one or a new one."""
        self._tasks[drone.drone_id] = self._keep(agent or self._make(drone), f"agent-{drone.drone_id}")

    async def end(self, drone: Drone) -> None:
        """Stop an agent; nobody speaks to the vehicle any more."""
        task = self._tasks.pop(drone.drone_id, None)
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            self._release(drone)

    async def follow(self, before: Site, after: Site) -> tuple[str, ...]:
        """Agents as the new site asks for. What could not be begun is told, and logged; its drone is not ready then.

        A drone that moved to another station keeps its agent; another link, system id, airframe or mark for drills
        needs a new one, which judges by them.
        """
        old = {drone.drone_id: drone for drone in before.drones}
        new = {drone.drone_id: drone for drone in after.drones}
        for drone_id, drone in old.items():
            if drone_id not in new or _other_agent(drone, new[drone_id]):
                await self.end(drone)
        notes = []
        for drone_id, drone in new.items():
            if drone_id in old and not _other_agent(old[drone_id], drone):
                continue
            try:
                self.begin(drone)
            except DroneAedError as error:
                log.error("no agent for %s: %s", drone_id, error)
                notes.append(f"no agent for {drone_id}: {error.detail} · 无法连接 {drone_id}")
        return tuple(notes)


def _other_agent(one: Drone, other: Drone) -> bool:
    return (one.link, one.system_id, one.airframe_id, one.drills) != (
        other.link,
        other.system_id,
        other.airframe_id,
        other.drills,
    )
