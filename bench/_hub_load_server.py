"""The hub under load: a city's airspace and fleet, drones that answer at once, everything else as it is.

``python -m bench._hub_load_server --data-dir DIR --database-url URL``; prints «ready URL» when it listens.
The drones accept, deliver and are home again within two seconds: what is measured is the hub, and a fleet
that really flies would be away after the first seconds.
"""

from __future__ import annotations

import argparse
import asyncio
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from bench.planner_plan import City
from core.geodesy import Wgs84Point
from flight import messages as m
from flight.bus import commands_subject, events_subject, telemetry_subject
from flight.model.phases import AedState, Phase, SafeState
from hub_api.agent_room import AgentTask
from hub_api.event_loop import run
from hub_api.hub import Hub, Parts
from hub_api.main import serve
from hub_api.settings import Settings
from planner.corridor import corridor_of
from planner.site import Site
from planner.wind import Wind

ZONES, DRONES, POINTS = 5000, 200, 150
FLIGHT_S = 2.0
TELEMETRY_S = 1.0


def city_site(city: City) -> Site:
    """Stations all over the city, one drone each, and landing points among them."""
    rng = np.random.default_rng(5_000)
    clear_m = corridor_of(city.airframe).half_width_m + 2.0
    stations = tuple(city.station(n, p) for n, p in enumerate(city.free_places(rng, DRONES, clear_m)))
    points = tuple(city.landing_point(n, p) for n, p in enumerate(city.free_places(rng, POINTS, clear_m)))
    return city.site(stations, points)


class QuickDrone:
    """Answers like an agent whose flight is over in no time."""

    def __init__(self, hub: Hub, drone_id: str, home: Wgs84Point) -> None:
        self._hub, self._drone_id, self._home = hub, drone_id, home

    async def run(self) -> None:
        """Until cancelled."""
        bus = self._hub.bus
        subscription = await bus.subscribe(
            commands_subject(self._drone_id), durable=f"agent-{self._drone_id}"
        )
        async with asyncio.TaskGroup() as group:
            group.create_task(self._report())
            async for delivery in subscription:
                command = m.decode(delivery.payload)
                if isinstance(command, m.FlyMission):
                    group.create_task(self._fly(command))
                await delivery.ack()

    async def _fly(self, command: m.FlyMission) -> None:
        head = partial(self._head, command.flight_id)
        point = command.plan.delivery.position
        await self._say(m.CommandAccepted(**head(), command_id=command.command_id, command_kind=command.kind))
        await self._hub.clock.sleep(FLIGHT_S)
        proof = (m.Evidence("bench", "released", self._hub.clock.now()),)
        await self._say(m.AedOnGround(**head(), position=point, line_height_agl_m=5.0, evidence=proof))
        ended = m.FlightEnded(
            **head(), safe_state=SafeState.ON_PAD, reason="", aed=AedState.RELEASED, position=None
        )
        await self._say(ended)

    def _head(self, flight_id: str | None) -> dict[str, Any]:
        clock = self._hub.clock
        return {
            "event_id": self._hub.ids.new("evt"),
            "drone_id": self._drone_id,
            "flight_id": flight_id,
            "at": clock.now(),
        }

    async def _say(self, event: m.Event) -> None:
        await self._hub.bus.publish(events_subject(self._drone_id), event.event_id, m.encode(event))

    async def _report(self) -> None:
        head = self._head(None)
        head.pop("flight_id")
        await self._say(
            m.PreflightChecked(
                **head,
                ready=True,
                verdicts=(),
                charge_fraction=1.0,
                wind_from_deg=None,
                wind_speed_m_s=None,
            )
        )
        number = 0
        while True:
            number += 1
            sample = m.TelemetrySample(
                drone_id=self._drone_id,
                flight_id=None,
                at=self._hub.clock.now(),
                phase=Phase.STANDBY,
                position=self._home,
                altitude_amsl_m=5.0,
                height_above_home_m=0.0,
                velocity_east_m_s=0.0,
                velocity_north_m_s=0.0,
                velocity_up_m_s=0.0,
                heading_deg=0.0,
                charge_fraction=1.0,
                battery_voltage_v=50.0,
                battery_current_a=1.0,
                mode="GUIDED",
                armed=False,
                mission_seq=0,
                line_length_m=0.0,
                wind_from_deg=None,
                wind_speed_m_s=None,
                link_age_s=0.1,
                eta_s=None,
            )
            payload = m.encode(sample)
            await self._hub.bus.publish(
                telemetry_subject(self._drone_id), f"{self._drone_id}-{number}", payload
            )
            await self._hub.clock.sleep(TELEMETRY_S)


async def _main(data_dir: Path, database_url: str, planner: Literal["process", "thread"]) -> None:
    city = City(ZONES)
    site = city_site(city)
    airframes = {city.airframe.airframe_id: city.airframe}

    def agents(hub: Hub) -> list[AgentTask]:
        calm = Wind(from_deg=60.0, speed_m_s=3.0, measured_at=hub.clock.now())
        for station in site.stations:
            hub.fleet.take_station_wind(station.station_id, calm)
        return [
            QuickDrone(hub, drone.drone_id, site.station(drone.station_id).position).run()
            for drone in site.drones
        ]

    settings = Settings(
        _env_file=None,
        data_dir=data_dir,
        database_url=database_url,
        demo=True,
        planner=planner,
        port=0,
        log_level="WARNING",
        request_rate_s=1e6,
        order_rate_s=1e6,
    )
    parts = Parts(
        site=site,
        airspace=city.airspace,
        airframes=airframes,
        agents=agents,
    )
    await serve(settings, lambda url: print(f"ready {url}", flush=True), parts)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--database-url", required=True)
    parser.add_argument("--planner", choices=("process", "thread"), default="process")
    given = parser.parse_args()
    run(_main(given.data_dir, given.database_url, given.planner))
