"""Do at start-up what the first question would otherwise wait for: index the airspace, load the kernels."""

from __future__ import annotations

from collections.abc import Iterable

import shapely

from geofences.airspace import Airspace
from planner.airframe import Airframe
from planner.corridor import corridor_of
from planner.search import SearchWorld
from planner.space import space_for


def warm_up(airspace: Airspace, airframes: Iterable[Airframe]) -> None:
    """Prepare ``airspace`` for ``airframes`` and run every search kernel once.

    A snapshot that replaces another (``with_zone``) is worth warming up too, before it goes into use.
    """
    for airframe in airframes:
        space = space_for(airspace, corridor_of(airframe))
        space.world(None)
        around = _around_a_square()
        for airspeed_m_s in (None, airframe.cruise_airspeed_m_s):
            around.shortest((-50.0, 0.0), (50.0, 0.0), airspeed_m_s=airspeed_m_s)


def _around_a_square() -> SearchWorld:
    return SearchWorld.build([shapely.box(-10.0, -10.0, 10.0, 10.0)], buffer_m=1.0)
