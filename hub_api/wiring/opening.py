"""The start of a hub: its parts put together, what was under way taken up, and the tasks that keep it alive."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

from flight.model.phases import FLIGHT_PHASES
from hub_api import rooms
from hub_api.agent_room import AgentRoom
from hub_api.crew import Crew
from hub_api.dispatch.consumer import consume_events, consume_telemetry
from hub_api.dispatch.other_hubs import OtherHubs
from hub_api.housekeeping import keep_house
from hub_api.hub import Hub, Parts
from hub_api.planner_process.decider import ProcessDecider
from hub_api.seat_keeper import keep_seat
from hub_api.settings import Settings
from hub_api.site_data.book import SiteInForce
from hub_api.site_data.desk import SiteDesk
from hub_api.site_data.photos import PhotoDesk
from hub_api.site_data.places import Places
from hub_api.weather.watch import WeatherWatch
from hub_api.wiring.agents import ask_for_state, first_agents, later_agent, make_agent_room
from hub_api.wiring.dispatch import Dispatch, make_dispatch
from hub_api.wiring.ground import Ground, open_ground
from hub_api.wiring.outside import Outside, make_outside
from hub_api.wiring.world import World, open_world
from planner.airframe import load_airframes, use_airframes


@asynccontextmanager
async def open_hub(settings: Settings, parts: Parts | None = None) -> AsyncIterator[Hub]:
    """Start a hub: database, fleet, order service, agents and all tasks. Stops them at the end."""
    given = parts or Parts()
    async with AsyncExitStack() as stack:
        ground = await open_ground(settings, given, stack)
        world = await open_world(ground)
        outside = make_outside(ground, world.fleet)
        crew = Crew()
        dispatch = make_dispatch(ground, world, outside, crew)
        # The first to stop: nobody works with what the stack closes then.
        stack.push_async_callback(crew.stop)
        agent_room: AgentRoom

        async def site_applied(before: SiteInForce, after: SiteInForce) -> tuple[str, ...]:
            use_airframes(after.airframes)
            world.fleet.take_site(after.site)
            notes = await agent_room.follow(before.site, after.site)
            await asyncio.get_running_loop().run_in_executor(
                None, world.planning.prepare, ground.airspace_book.current
            )
            return notes

        site_desk = SiteDesk(
            database=ground.database,
            ids=ground.ids,
            clock=ground.clock,
            book=ground.site_book,
            between_decisions=dispatch.decisions.between_decisions,
            applied=site_applied,
            flying=lambda drone_id: world.fleet.phases().get(drone_id) in FLIGHT_PHASES,
        )
        hub = _hub(ground, world, outside, dispatch, site_desk=site_desk, crew=crew)
        # The consumers subscribe before any agent or command can speak.
        crew.keep(
            consume_events(ground.bus, ground.clock, world.fleet, dispatch.answers, hub.flights.take_event),
            "events",
        )
        crew.keep(consume_telemetry(ground.bus, world.fleet), "telemetry")
        await asyncio.sleep(0)
        if not settings.flies:
            agent_room = make_agent_room(crew, None, lambda drone: later_agent(hub, given, None, drone))
            crew.keep(OtherHubs(hub.database, hub.feed).run(), "other-hubs")
            yield hub
            return
        links = rooms.open_links(settings, ground.clock) if given.agents is None else None
        if links is not None:
            crew.keep(links.run(), "links")
        agents = first_agents(hub, given, links)
        agent_room = make_agent_room(crew, links, lambda drone: later_agent(hub, given, links, drone))
        for drone, agent in zip(hub.site.drones, agents, strict=True):
            agent_room.begin(drone, agent)
        world.fleet.begins()
        await _take_up(dispatch)
        _keep_running(hub, crew, outside, dispatch)
        await ask_for_state(hub)
        yield hub


async def _take_up(dispatch: Dispatch) -> None:
    """What was under way when the hub before this one ended."""
    await dispatch.orders.resume()
    await dispatch.move_driver.resume()
    await dispatch.diversions.resume()
    await dispatch.pre_emptions.resume()


def _keep_running(hub: Hub, crew: Crew, outside: Outside, dispatch: Dispatch) -> None:
    crew.keep(keep_seat(hub.database), "seat")
    crew.keep(dispatch.relay.run(), "relay")
    crew.keep(outside.callbacks.run(), "callbacks")
    crew.keep(outside.message_sender.run(), "messages")
    if outside.identification is not None:
        crew.keep(outside.identification.collect(), "identification")
        crew.keep(outside.identification.send(), "identification-sender")
    crew.keep(dispatch.approvals.run(), "approvals")
    crew.keep(dispatch.waiting_orders.run(), "waiting-orders")
    crew.keep(dispatch.left_behind.run(), "left-behind")
    crew.keep(hub.care_desk.follow(hub.feed), "care")
    crew.keep(OtherHubs(hub.database, hub.feed).run(), "other-hubs")
    crew.keep(dispatch.incident_watch.run(), "incident-watch")
    weather = WeatherWatch(
        fleet=hub.fleet, airframes=load_airframes, bus=hub.bus, ids=hub.ids, clock=hub.clock
    )
    crew.keep(weather.run(), "weather-watch")
    crew.keep(keep_house(hub), "housekeeping")


def _hub(
    ground: Ground, world: World, outside: Outside, dispatch: Dispatch, *, site_desk: SiteDesk, crew: Crew
) -> Hub:
    database, clock, site_book, given = ground.database, ground.clock, ground.site_book, ground.given
    return Hub(
        settings=ground.settings,
        clock=clock,
        ids=ground.ids,
        bus=ground.bus,
        site_book=site_book,
        site_desk=site_desk,
        photos=PhotoDesk(database=database, ids=ground.ids, clock=clock, site=lambda: site_book.site),
        places=Places(database, lambda: site_book.site, ground.settings.effective_places_file),
        airspace_book=ground.airspace_book,
        airspace_desk=world.airspace_desk,
        database=database,
        feed=ground.feed,
        fleet=world.fleet,
        care_book=world.care_book,
        care_desk=world.care_desk,
        orders=dispatch.orders,
        flights=dispatch.flights,
        approvals=dispatch.approvals,
        incidents=dispatch.incidents,
        incident_room=dispatch.incident_room,
        severity_codes=dispatch.severity_codes,
        moves=dispatch.moves,
        commander=dispatch.commander,
        diversions=dispatch.diversions,
        gate=ground.gate,
        vault=ground.vault,
        personal=ground.personal,
        webhooks=outside.webhooks,
        wake_callbacks=outside.callbacks.wake,
        weather=world.weather,
        messages=outside.messages,
        wake_messages=outside.message_sender.wake,
        identification=outside.identification,
        recorder=outside.recorder,
        metrics=ground.metrics,
        planner=world.decider if isinstance(world.decider, ProcessDecider) else None,
        started_at=clock.now(),
        machine_now=given.machine_now or (_machine_now if given.clock is None else clock.now),
        failure=crew.failure,
    )


def _machine_now() -> datetime:
    return datetime.now(UTC)
