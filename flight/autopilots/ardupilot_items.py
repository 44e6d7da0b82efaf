"""What an ArduCopter keeps of a mission item, so that a read-back can be compared with what was sent.

Observed on ArduCopter V4.6.0-dev: frames 5, 6 and 11 come back as 0, 3 and 10, DO items always as
frame 0; altitudes to the centimetre; item 0 is replaced by home; WAYPOINT keeps only an integer
hold time, LOITER_TIME only its seconds; fence and rally items come back exactly.
"""

from __future__ import annotations

from planner.compile.mission_types import MissionItem

_FRAMES = {5: 0, 6: 3, 11: 10}

_KEPT_PARAMS: dict[int, tuple[str, str, str, str]] = {
    # command: how each parameter is kept. «int» truncated, «float» as sent, «-» not kept.
    16: ("int", "-", "-", "-"),  # NAV_WAYPOINT: hold seconds
    19: ("int", "-", "-", "-"),  # NAV_LOITER_TIME: seconds
    21: ("-", "-", "-", "-"),  # NAV_LAND
    22: ("-", "-", "-", "-"),  # NAV_TAKEOFF
    93: ("int", "-", "-", "-"),  # NAV_DELAY
    178: ("int", "float", "float", "-"),  # DO_CHANGE_SPEED
    211: ("int", "int", "-", "-"),  # DO_GRIPPER
    5000: ("-", "-", "-", "-"),  # fence return point
    5001: ("int", "-", "-", "-"),  # fence inclusion vertex: vertex count
    5002: ("int", "-", "-", "-"),
    5003: ("float", "-", "-", "-"),  # circles: radius
    5004: ("float", "-", "-", "-"),
    5100: ("-", "-", "-", "-"),  # rally point
    42600: ("int", "int", "float", "float"),  # DO_WINCH
}
_WITHOUT_POSITION = frozenset({93, 178, 211, 42600})
_WITHOUT_HEIGHT = frozenset({5000, 5001, 5002, 5003, 5004})


def _kept(value: float, how: str) -> float | None:
    if how == "-":
        return None
    return float(int(value)) if how == "int" else round(value, 4)


def canonical_item(item: MissionItem) -> tuple[object, ...]:
    """A fence or rally item, or a mission item other than home, as the autopilot keeps it."""
    kept = _KEPT_PARAMS.get(item.command, ("float", "float", "float", "float"))
    params = tuple(
        _kept(value, how)
        for value, how in zip((item.param1, item.param2, item.param3, item.param4), kept, strict=True)
    )
    if item.command in _WITHOUT_POSITION:
        return (item.command, params)
    position = (round(item.latitude_deg * 1e7), round(item.longitude_deg * 1e7))
    if item.command in _WITHOUT_HEIGHT:
        return (item.command, params, position)
    frame = _FRAMES.get(item.frame, item.frame)
    return (item.command, params, position, frame, round(item.height_m * 100))


def canonical_mission_item(item: MissionItem) -> tuple[object, ...] | None:
    """As :func:`canonical_item`; nothing of item 0 can be compared, it is always home."""
    return None if item.seq == 0 else canonical_item(item)
