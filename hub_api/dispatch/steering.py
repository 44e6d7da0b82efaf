"""What changes of a flight under way have in common: they are looked at until settled, and begin where the drone stands."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime, timedelta

from core.clock import Clock
from core.geodesy import Wgs84Point
from flight.model.phases import Phase
from hub_api.dispatch.airborne_planning import Whereabouts
from hub_api.dispatch.fleet import DroneView
from hub_api.store.records import OrderRecord
from planner.reasons import Reason

log = logging.getLogger(__name__)

LOOK_S = 0.5
"""How often a change under way is looked at; a stop and a plan take seconds."""
STILL_M_S = 0.5
"""Over ground: as the agent judges a hover (:data:`flight.agent.STILL_M_S`)."""
MOST_TRIES = 3
REFUSED_EVERY_WAY = Reason("reroute_refused", "The drone refused every way.", "无人机拒绝了所有改航方案。")
"""After :data:`MOST_TRIES`."""


async def until_settled(
    look: Callable[[], Awaitable[bool]], clock: Clock, what: str, *, every_s: float = LOOK_S
) -> None:
    """Look again and again until it is settled, whatever goes wrong in between: a drone stands and waits."""
    while True:
        try:
            if await look():
                return
        except Exception:
            log.exception("%s could not be looked at; trying again", what)
        await clock.sleep(every_s)


def whereabouts_of(order: OrderRecord, at: datetime) -> Whereabouts:
    """Where the order's patient is."""
    patient = Wgs84Point(order.latitude_deg, order.longitude_deg)
    return Whereabouts(patient=patient, floor=order.request.get("floor"), at=at)


def stands_still(view: DroneView, since: datetime, now: datetime, phases: Collection[Phase]) -> bool:
    """By telemetry that is younger than the command: a plan has to begin where the vehicle stands. How old it is says
    our own clock alone; the drone's may be seconds off."""
    sample, age_s = view.telemetry, view.telemetry_age_s
    if sample is None or age_s is None or sample.phase not in phases:
        return False
    if now - timedelta(seconds=age_s) <= since:
        return False
    speeds = (sample.velocity_east_m_s, sample.velocity_north_m_s, sample.velocity_up_m_s)
    return all(speed is not None and abs(speed) <= STILL_M_S for speed in speeds)
