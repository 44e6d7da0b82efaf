"""Ways for drones in the air, clear of every other open flight."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from hub_api.dispatch.airborne_planning import AirbornePlanning, Whereabouts
from hub_api.dispatch.fleet import DroneView, Fleet
from hub_api.dispatch.open_flights import open_flights
from hub_api.dispatch.refuges import Place
from hub_api.dispatch.traffic import TrafficBook
from hub_api.store.database import Database
from planner.choice import Traffic
from planner.flight_plan import FlightPlan
from planner.reasons import Reason

log = logging.getLogger(__name__)

Found = FlightPlan | tuple[Reason, ...]


class Ways:
    """Asks the planner for one, between what the other flights claim at this moment.

    ``new_book`` makes an empty traffic book: the one of the decisions belongs to their thread.
    """

    def __init__(
        self,
        *,
        database: Database,
        fleet: Fleet,
        planning: AirbornePlanning,
        new_book: Callable[[], TrafficBook],
    ) -> None:
        self._database = database
        self._fleet = fleet
        self._planning = planning
        self._new_book = new_book

    async def find(
        self, flight_id: str, where: Whereabouts, view: DroneView, plan: FlightPlan
    ) -> FlightPlan | tuple[Reason, ...]:
        """Another way for the flight to whoever is at ``where``, or why there is none."""
        return await self._ask(
            flight_id, where.at, lambda traffic: self._planning.reroute(where, view, plan, traffic)
        )

    async def find_to(
        self, to: Place, flight_id: str, where: Whereabouts, view: DroneView, plan: FlightPlan
    ) -> FlightPlan | tuple[Reason, ...]:
        """A way for the flight to a place that a person chose, or every reason against it."""
        return await self._ask(
            flight_id, where.at, lambda traffic: self._planning.divert(to, where, view, plan, traffic)
        )

    async def _ask(self, flight_id: str, at: datetime, question: Callable[[Traffic], Found]) -> Found:
        others = await self._database.read(lambda session: open_flights(session, but=flight_id))
        views = {each.drone.drone_id: each for each in self._fleet.views({})}

        def look() -> Found:
            return question(self._new_book().traffic(others, views, at))

        try:
            return await asyncio.get_running_loop().run_in_executor(None, look)
        except Exception:
            # The drone stands in the air: it must hear at once that it goes on or home.
            log.exception("planning another way for %s failed", flight_id, extra={"about": flight_id})
            return (
                Reason(
                    "planning_failed",
                    "The planner failed on this way; the fault is logged.",
                    "规划程序出现故障，已记录。",
                ),
            )
