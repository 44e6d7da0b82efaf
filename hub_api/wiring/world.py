"""What a hub knows of the world: site, airspace, weather, the drones and how well they are cared for; and the planning
on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from hub_api import rooms
from hub_api.care.book import CareBook
from hub_api.care.desk import CareDesk
from hub_api.dispatch.airborne_planning import AirbornePlanning
from hub_api.dispatch.airspace_desk import AirspaceDesk
from hub_api.dispatch.deciding import ThreadDecider
from hub_api.dispatch.fleet import DroneView, Fleet
from hub_api.dispatch.open_flights import stored_plans
from hub_api.dispatch.planning import Planning
from hub_api.dispatch.traffic import TrafficBook
from hub_api.planner_process.decider import ProcessDecider
from hub_api.planner_process.prepared import PreparedThereToo
from hub_api.site_data.desk import load as load_site_edits
from hub_api.weather.book import WeatherBook
from hub_api.weather.desk import WeatherDesk
from hub_api.wiring.ground import Ground
from planner.airframe import load_airframes, use_airframes


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The books, their desks, and the planning that reads them."""

    care_book: CareBook
    care_desk: CareDesk
    weather: WeatherDesk
    fleet: Fleet
    planning: Planning
    decider: ThreadDecider | ProcessDecider
    airborne: AirbornePlanning
    airspace_desk: AirspaceDesk
    new_traffic_book: Callable[[], TrafficBook]


async def open_world(ground: Ground) -> World:
    """Load what the database holds of it, and make the planning ready for the first order."""
    settings, given, site_book = ground.settings, ground.given, ground.site_book
    airspace_book = ground.airspace_book
    planning = given.planning or rooms.default_planning(
        lambda: site_book.site,
        lambda: airspace_book.current,
        ground.ids,
        ground.clock,
        settings.effective_weather_required,
    )
    new_traffic_book = partial(
        TrafficBook,
        airspace_book.base.frame.origin,
        geoid_undulation_m=settings.geoid_undulation_m,
        telemetry_stale_s=settings.telemetry_stale_s,
    )
    thread = ThreadDecider(planning, new_traffic_book)
    decider: ThreadDecider | ProcessDecider = thread
    if given.planning is None and given.clock is None and settings.decides_in_a_process:
        decider = _in_a_process(ground, thread, lambda: fleet.views({}))
        planning = PreparedThereToo(planning, decider, lambda: airspace_book.current)
        decider.begin()
        ground.stack.push_async_callback(decider.close)
    await load_site_edits(ground.database, site_book)
    use_airframes(site_book.airframes)
    ground.stack.callback(use_airframes, None)
    care_book = CareBook(
        ground.clock, aed_report_required=settings.aed_report_required, dock_silent_s=settings.dock_silent_s
    )
    care_desk = CareDesk(
        database=ground.database,
        ids=ground.ids,
        clock=ground.clock,
        book=care_book,
        bus=ground.bus,
        site=lambda: site_book.site,
        recall=ground.ledger.recall_from_pad,
    )
    await care_desk.load()
    weather_book = WeatherBook(
        lambda: site_book.site,
        ground.clock,
        reading_stale_s=settings.weather_stale_s,
        report_stale_s=settings.weather_report_stale_s,
    )
    fleet = Fleet(
        site_book.site,
        ground.clock,
        telemetry_stale_s=settings.telemetry_stale_s,
        weather_stale_s=settings.weather_stale_s,
        care=lambda drone: care_book.refusals(drone, site_book.site),
        weather=weather_book,
    )
    weather = WeatherDesk(
        database=ground.database,
        book=weather_book,
        fleet=fleet,
        site=lambda: site_book.site,
        bus=ground.bus,
        ids=ground.ids,
        clock=ground.clock,
        keep_s=settings.weather_keep_s,
    )
    await weather.load()
    airspace_desk = AirspaceDesk(
        database=ground.database,
        ledger=ground.ledger,
        ids=ground.ids,
        clock=ground.clock,
        book=airspace_book,
        planning=planning,
    )
    await airspace_desk.load()
    await asyncio.get_running_loop().run_in_executor(None, planning.warm_up)
    if isinstance(decider, ProcessDecider):
        await decider.warm_up()
    return World(
        care_book=care_book,
        care_desk=care_desk,
        weather=weather,
        fleet=fleet,
        planning=planning,
        decider=decider,
        airborne=given.airborne
        or rooms.default_airborne_planning(lambda: site_book.site, lambda: airspace_book.current, ground.ids),
        airspace_desk=airspace_desk,
        new_traffic_book=new_traffic_book,
    )


def _in_a_process(
    ground: Ground, thread: ThreadDecider, fleet: Callable[[], Sequence[DroneView]]
) -> ProcessDecider:
    site_book, airspace_book, settings = ground.site_book, ground.airspace_book, ground.settings

    return ProcessDecider(
        here=thread,
        clock=ground.clock,
        in_force=lambda: (site_book.site, airspace_book.current, load_airframes()),
        plans_of=lambda ids: ground.database.read(partial(stored_plans, flight_ids=ids)),
        weather_required=settings.effective_weather_required,
        origin=airspace_book.base.frame.origin,
        geoid_undulation_m=settings.geoid_undulation_m,
        telemetry_stale_s=settings.telemetry_stale_s,
        on_here=ground.metrics.planned_here.inc,
        fleet=fleet,
    )
