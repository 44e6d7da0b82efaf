"""How autopilots differ in what they take as a mission, fence and rally list.

Sources: ArduCopter 4.6.0-dev and PX4 1.16/1.17, observed in their own simulators (``docs/conformance.md``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from planner.compile import mavlink_numbers as mav

if TYPE_CHECKING:
    from planner.flight_plan import FlightPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One autopilot's rules.

    ``home_first``: sequence 0 is taken as home and discarded. ``do_frame``: the frame of items
    without a position. ``yaw_free``: param 4 that leaves the heading to the autopilot.
    ``returns_home_too``: whether home stays a place of return beside the rally points.
    ``drives_winch``: whether it can lower a line at all. ``item_keeps_altitude``: items without a position
    carry the altitude of the leg around them.
    ``speed_by_parameter``: a speed that holds for the whole way is a parameter, not an item.
    ``rally_tells_ground``: a rally point's altitude is its ground's, and the return flies its own parameter above it.
    ``lands_for_good``: a landing in the middle of a mission ends it; otherwise nothing may stand behind one.
    """

    name: str
    home_first: bool
    do_frame: int
    yaw_free: float
    max_items: int
    max_fence_vertices: int
    max_rally_points: int
    returns_home_too: bool
    drives_winch: bool
    item_keeps_altitude: bool
    speed_by_parameter: bool
    lands_for_good: bool
    rally_tells_ground: bool


ARDUPILOT = Dialect(
    name="ardupilot",
    home_first=True,
    # Read back as 0 whatever was sent, so 0 is sent and the comparison is exact.
    do_frame=mav.FRAME_GLOBAL_AMSL,
    yaw_free=0.0,
    max_items=650,
    # The store holds a few hundred vertices; kept low so that uploads stay short (chosen).
    max_fence_vertices=200,
    max_rally_points=46,
    # RALLY_INCL_HOME 0.
    returns_home_too=False,
    drives_winch=True,
    item_keeps_altitude=False,
    speed_by_parameter=False,
    # It disarms on the ground before the next item.
    lands_for_good=True,
    rally_tells_ground=False,
)

PX4 = Dialect(
    name="px4",
    home_first=False,
    do_frame=mav.FRAME_MISSION,
    # 0 would mean north.
    yaw_free=math.nan,
    max_items=500,
    max_fence_vertices=64,
    max_rally_points=32,
    returns_home_too=True,
    # DO_WINCH as a command is not even acknowledged; as an item it waits and does nothing (1.17.0).
    drives_winch=False,
    # PX4 1.17.0 flies to the altitude field of an active item without a position, 0 AMSL if nothing is
    # there, when home's altitude is corrected meanwhile: seen, a touchdown with motors on.
    item_keeps_altitude=True,
    # One speed for the whole way needs no item at all.
    speed_by_parameter=True,
    # It stays armed, and the next waypoint takes off again: seen on 1.16 and, from its own pad, on 1.17.0.
    lands_for_good=False,
    # rtl.cpp of 1.17: the rally point's altitude plus RTL_RETURN_ALT. Told the height of the flight there, it climbed to
    # twice that, through every ceiling.
    rally_tells_ground=True,
)

DIALECTS = {dialect.name: dialect for dialect in (ARDUPILOT, PX4)}


def returns_are_proved(plan: FlightPlan, autopilot: str) -> bool:
    """Whether every place that this autopilot may return to is one of the plan's proved rally points.

    PX4 takes the nearest of its rally points and home: with rally points, home must be one of them.
    """
    if not DIALECTS[autopilot].returns_home_too or not plan.rally_points:
        return True
    return any(point.position == plan.home.position for point in plan.rally_points)
