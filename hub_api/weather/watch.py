"""The weather is judged again while drones fly: what would keep a drone on its pad is told to the one in the air.

The drone decides what that means in its phase (``weather_unfit`` in the failsafe table). Nothing is concluded from
what is not known any more: a sensor that fell silent keeps drones on the ground and turns none back.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from core.clock import Clock
from core.ids import IdSource
from flight.bus import Bus, commands_subject
from flight.message_parts import Reason, as_told
from flight.messages import WeatherJudged, encode
from flight.model.phases import FLIGHT_PHASES, Phase
from hub_api.dispatch.fleet import DroneView, Fleet
from planner.airframe import Airframe
from planner.weather import objections

log = logging.getLogger(__name__)

LOOK_S = 2.0
HOLDS_S = 10.0
"""Chosen, as for the wind that a vehicle measures: one drop on a sensor turns no drone back."""
_WATCHED = FLIGHT_PHASES - {Phase.UNCLAIMED}


class WeatherWatch:
    """Looks at every flight under way. What it remembers may be lost: a drone is then told once more."""

    def __init__(
        self,
        *,
        fleet: Fleet,
        airframes: Callable[[], Mapping[str, Airframe]],
        bus: Bus,
        ids: IdSource,
        clock: Clock,
    ) -> None:
        self._fleet = fleet
        self._airframes = airframes
        self._bus = bus
        self._ids = ids
        self._clock = clock
        self._unfit_since_s: dict[str, float] = {}
        self._told: set[str] = set()
        """Flights that were told that the weather is not fit."""

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.look()
            except Exception:
                log.exception("the weather of flights could not be judged; trying again")
            await self._clock.sleep(LOOK_S)

    async def look(self) -> None:
        """Judge the weather of every flight once, and tell what changed."""
        flying: set[str] = set()
        for drone_id, phase in self._fleet.phases().items():
            view = self._fleet.view(drone_id, {}) if phase in _WATCHED else None
            sample = None if view is None else view.telemetry
            if view is not None and sample is not None and sample.flight_id is not None:
                flying.add(sample.flight_id)
                await self._judge(view, sample.flight_id)
        self._told &= flying
        self._unfit_since_s = {key: since for key, since in self._unfit_since_s.items() if key in flying}

    async def _judge(self, view: DroneView, flight_id: str) -> None:
        airframe = self._airframes()[view.drone.airframe_id]
        against = objections(view.weather, airframe.weather, ())
        now_s = self._clock.monotonic_s()
        if not against:
            self._unfit_since_s.pop(flight_id, None)
            if flight_id in self._told:
                await self._tell(view, flight_id, ())
                self._told.discard(flight_id)
            return
        since_s = self._unfit_since_s.setdefault(flight_id, now_s)
        if now_s - since_s >= HOLDS_S and flight_id not in self._told:
            reasons = as_told(against)
            await self._tell(view, flight_id, reasons)
            self._told.add(flight_id)

    async def _tell(self, view: DroneView, flight_id: str, against: tuple[Reason, ...]) -> None:
        notice = WeatherJudged(
            command_id=self._ids.new("cmd"),
            drone_id=view.drone.drone_id,
            flight_id=flight_id,
            issued_at=self._clock.now(),
            against=against,
        )
        await self._bus.publish(commands_subject(notice.drone_id), notice.command_id, encode(notice))
