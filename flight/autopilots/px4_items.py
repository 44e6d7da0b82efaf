"""What a PX4 keeps of a mission item, so that a read-back can be compared with what was sent.

Observed on PX4 v1.17.0: frames relative to home always come back as 6 and absolute ones as 5, whatever was
sent, so a read-back cannot show that a rally point was sent in a frame that PX4 misreads.
"""

from __future__ import annotations

import math

from planner.compile.mission_types import MissionItem

_FRAMES = {5: 0, 6: 3}

_KEPT_PARAMS: dict[int, tuple[bool, bool, bool, bool]] = {
    # command: which of its parameters are kept.
    16: (True, True, False, True),  # NAV_WAYPOINT: hold seconds, acceptance radius, yaw
    19: (True, False, False, True),  # NAV_LOITER_TIME: seconds, yaw
    21: (False, False, False, True),  # NAV_LAND: yaw
    22: (False, False, False, True),  # NAV_TAKEOFF: yaw
    177: (True, True, False, False),  # DO_JUMP: item, repetitions
    178: (True, True, True, False),  # DO_CHANGE_SPEED
    5001: (True, False, False, False),  # fence inclusion vertex: vertex count
    5002: (True, False, False, False),
    5100: (False, False, False, False),  # rally point
}
_WITHOUT_POSITION = frozenset({178})
_NEVER_ACTIVE = frozenset({177})
"""Nothing but the parameters matters: a jump is resolved before any item becomes active."""
_WITHOUT_HEIGHT = frozenset({5001, 5002})


def _kept(value: float, keeps: bool) -> float | str | None:
    if not keeps:
        return None
    # NaN leaves the heading to PX4; it is unequal to itself.
    return "nan" if math.isnan(value) else round(value, 3)


def canonical_item(item: MissionItem) -> tuple[object, ...]:
    """An item as the autopilot keeps it. Commands that are not listed are compared whole."""
    keeps = _KEPT_PARAMS.get(item.command, (True, True, True, True))
    params = tuple(
        _kept(value, keep)
        for value, keep in zip((item.param1, item.param2, item.param3, item.param4), keeps, strict=True)
    )
    if item.command in _NEVER_ACTIVE:
        return (item.command, params, item.frame)
    if item.command in _WITHOUT_POSITION:
        return (item.command, params, item.frame, round(item.height_m, 2))
    position = (round(item.latitude_deg * 1e7), round(item.longitude_deg * 1e7))
    if item.command in _WITHOUT_HEIGHT:
        return (item.command, params, position)
    frame = _FRAMES.get(item.frame, item.frame)
    return (item.command, params, position, frame, round(item.height_m, 2))
