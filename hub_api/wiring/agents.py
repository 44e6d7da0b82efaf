"""The flight agents of a hub's process, on its links or as a test gives them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from core.errors import ErrorCode, InternalError
from flight.bus import commands_subject
from flight.links.mavlink.hub import LinkHub
from flight.messages import ReportState, encode
from hub_api import rooms
from hub_api.agent_room import AgentRoom, AgentTask
from hub_api.crew import Crew
from hub_api.hub import Hub, Parts
from planner.site import Drone, Site


def make_agent_room(crew: Crew, links: LinkHub | None, agent_of: Callable[[Drone], AgentTask]) -> AgentRoom:
    """The room that begins and ends agents as drones come and go; ``links`` None: a test's agents need none."""
    return AgentRoom(
        make=agent_of,
        keep=crew.keep,
        release=lambda drone: None if links is None else links.release(drone.link, drone.system_id),
    )


def first_agents(hub: Hub, given: Parts, links: LinkHub | None) -> list[AgentTask]:
    """One agent for each drone of the site, in its order."""
    if links is not None:
        return _on_links(hub, links, hub.site)
    assert given.agents is not None
    return given.agents(hub)


def later_agent(hub: Hub, given: Parts, links: LinkHub | None, drone: Drone) -> AgentTask:
    """The agent of a drone that comes to the site while the hub runs."""
    if links is not None:
        (agent,) = _on_links(hub, links, replace(hub.site, drones=(drone,)))
        return agent
    if given.agent_of is None:
        raise InternalError(
            ErrorCode.BROKEN_INVARIANT, "whoever gives the agents gives those of later drones"
        )
    return given.agent_of(hub, drone)


async def ask_for_state(hub: Hub) -> None:
    """Every drone tells what it does, so that the hub starts from the truth and not from its memory."""
    for drone in hub.site.drones:
        command = ReportState(
            command_id=hub.ids.new("cmd"), drone_id=drone.drone_id, issued_at=hub.clock.now()
        )
        await hub.bus.publish(commands_subject(drone.drone_id), command.command_id, encode(command))


def _on_links(hub: Hub, links: LinkHub, site: Site) -> list[AgentTask]:
    return rooms.default_agents(
        site,
        hub.bus,
        hub.clock,
        hub.ids,
        journal_dir=hub.settings.journal_dir,
        records_dir=hub.settings.records_dir,
        airspace=lambda: hub.airspace,
        links=links,
        site_in_force=lambda: hub.site,
    )
