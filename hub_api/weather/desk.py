"""Taking readings and reports: stored, then counted, then told to the drones of the station."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from pydantic import TypeAdapter

from core.clock import Clock
from core.ids import IdSource
from flight.bus import Bus, commands_subject
from flight.messages import WindReported, encode
from hub_api.dispatch.fleet import Fleet
from hub_api.store.database import Database
from hub_api.store.repositories import weather as store
from hub_api.weather.book import QUANTITIES, Reading, WeatherBook
from hub_api.weather.reports import NotAReport, Report, read_report
from planner.site import Site
from planner.wind import Wind

log = logging.getLogger(__name__)

_REPORT = TypeAdapter(Report)


class WeatherDesk:
    """One door for sensors and feeds; at the start it brings back what was known, with its age."""

    def __init__(
        self,
        *,
        database: Database,
        book: WeatherBook,
        fleet: Fleet,
        site: Callable[[], Site],
        bus: Bus,
        ids: IdSource,
        clock: Clock,
        keep_s: float,
    ) -> None:
        self._database = database
        self.book = book
        self._fleet = fleet
        self._site = site
        self._bus = bus
        self._ids = ids
        self._clock = clock
        self._keep = timedelta(seconds=keep_s)

    @property
    def kept_since(self) -> datetime:
        """Readings from before this moment are not taken."""
        return self._clock.now() - self._keep

    async def load(self) -> None:
        """Bring back what was known before the restart, and forget what is kept no longer."""
        await self.forget_old()
        # Instruments may post apart, so the last reading alone does not tell all; a day's worth does.
        since = self._clock.now() - timedelta(days=1)
        newest = await self._database.read(store.newest_readings)
        recent = await self._database.read(partial(store.readings_since, moment=since))
        for station_id, columns in (*newest, *recent):
            self._count(station_id, _reading(columns))
        for text in await self._database.read(partial(store.reports_since, moment=since - timedelta(days=1))):
            self.book.take_report(_REPORT.validate_json(text))

    async def forget_old(self) -> int:
        """Drop what is older than the time it is kept."""
        moment = self.kept_since
        return await self._database.write(partial(store.forget_before, moment=moment))

    async def take_reading(self, station_id: str, reading: Reading) -> None:
        """Store a reading of a station of the site, and use it unless something newer is known."""
        values = {name: getattr(reading, name) for name in QUANTITIES}
        received_at = self._clock.now()
        await self._database.write(
            lambda session: store.put_reading(
                session,
                station_id,
                measured_at=reading.measured_at,
                received_at=received_at,
                values=values,
            )
        )
        wind = self._count(station_id, reading)
        if wind is not None:
            await self._tell_drones(station_id, wind)

    def _count(self, station_id: str, reading: Reading) -> Wind | None:
        self.book.take_reading(station_id, reading)
        if reading.from_deg is None or reading.speed_m_s is None:
            return None
        wind = Wind(
            from_deg=reading.from_deg,
            speed_m_s=reading.speed_m_s,
            gust_m_s=reading.gust_m_s,
            measured_at=reading.measured_at,
        )
        self._fleet.take_station_wind(station_id, wind)
        return wind

    async def _tell_drones(self, station_id: str, wind: Wind) -> None:
        for drone in self._site().drones:
            if drone.station_id == station_id:
                # A vehicle on its pad measures no wind; without a reading its own checks could not judge it.
                notice = WindReported(
                    command_id=self._ids.new("cmd"),
                    drone_id=drone.drone_id,
                    issued_at=self._clock.now(),
                    from_deg=wind.from_deg,
                    speed_m_s=wind.speed_m_s,
                    gust_m_s=wind.gust_m_s,
                    measured_at=wind.measured_at,
                )
                await self._bus.publish(commands_subject(drone.drone_id), notice.command_id, encode(notice))

    async def take_report(self, text: str) -> tuple[Report, bool] | NotAReport:
        """Read, store and use one METAR or TAF; the flag says whether it is the newest of its place."""
        now = self._clock.now()
        read = await asyncio.get_running_loop().run_in_executor(None, read_report, text, now)
        if isinstance(read, NotAReport):
            return read
        if read.issued_at < self.kept_since:
            return NotAReport("it is older than reports are kept", "报文早于保存期限")
        report = read
        understood = _REPORT.dump_json(report).decode()
        await self._database.write(
            lambda session: store.put_report(
                session,
                kind=report.kind,
                place=report.place,
                issued_at=report.issued_at,
                received_at=now,
                raw=report.raw,
                understood=understood,
            )
        )
        return report, self.book.take_report(report)


def _reading(columns: dict[str, Any]) -> Reading:
    return Reading(**columns)
