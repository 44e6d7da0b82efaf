"""Whether PX4 calls a stored mission valid. The acknowledgement of the upload does not wait for this.

Not checked, as on the real one: legs against the fence, altitudes that are no numbers, distances.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sitl.px4 import items
from sitl.px4.items import StoredItem

if TYPE_CHECKING:
    from sitl.px4.autopilot import Px4

_BEFORE_TAKEOFF = frozenset(
    {
        0, items.DELAY, items.DO_JUMP, items.DO_CHANGE_SPEED, items.DO_SET_HOME, items.DO_LAND_START, 2003, 203,
        2000, 2001, 2500, 2501, 200, 204, 205, 1000, 1001, 201, 195, 196, 197, 206, 214, 530, 532, 534, 3000,
    }
)  # fmt: skip
"""Items that may stand before the take-off. Gripper and winch may not."""


def _takeoff_complaint(autopilot: Px4, item: StoredItem, after_a_position: bool) -> str | None:
    height_m = item.z if item.is_relative else item.z - autopilot.home_amsl_m
    if height_m < 1e-6:
        return "Mission rejected: Takeoff altitude below home altitude!"
    if after_a_position:
        return "Mission rejected: takeoff not first waypoint item"
    return None


def _ends_complaint(autopilot: Px4, takes_off: bool, lands: bool) -> str | None:
    required = autopilot.parameters.integer("MIS_TKO_LAND_REQ")
    if required == 1 and not takes_off:
        return "Mission rejected: Takeoff waypoint required."
    if required == 2 and not lands:
        return "Mission rejected: Landing waypoint/pattern required."
    if required == 3 and not (takes_off and lands):
        return "Mission rejected: Takeoff or Landing item missing."
    if required in (4, 5) and takes_off != lands:
        return "Mission rejected: Add Takeoff or Landing item, or remove it."
    return None


def _fence_complaint(autopilot: Px4, stored: tuple[StoredItem, ...]) -> str | None:
    if not autopilot.fence.shapes:
        return None
    for index, item in enumerate(stored):
        if not item.is_position:
            continue
        north, east = autopilot.to_local(item.x, item.y)
        height_m = item.z if item.is_relative else item.z - autopilot.home_amsl_m
        if not autopilot.fence.allows(north, east, height_m):
            return f"Geofence violation for waypoint {index + 1}"
    return None


def complaint(autopilot: Px4, stored: tuple[StoredItem, ...]) -> str | None:
    """The text of the first thing that makes the mission invalid; None: valid."""
    if not stored:
        return "Mission rejected: empty"
    if stored[0].command == items.LAND and autopilot.landed:
        return "Mission rejected: starts with landing"
    seen_position = takes_off = lands = False
    for item in stored:
        if item.command == items.TAKEOFF:
            found = _takeoff_complaint(autopilot, item, seen_position)
            if found is not None:
                return found
            takes_off = True
        lands |= item.command == items.LAND
        seen_position |= item.command not in _BEFORE_TAKEOFF
    return _ends_complaint(autopilot, takes_off, lands) or _fence_complaint(autopilot, stored)
