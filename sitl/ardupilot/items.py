"""Mission items as ArduCopter keeps them: smaller than what was sent, hence lossy when read back."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from pymavlink.dialects.v20 import ardupilotmega as mavlink

WITH_LOCATION = frozenset({16, 17, 18, 19, 21, 22, 30, 31, 82, 84, 85, 94, 179, 188, 189, 191, 201})
NAVIGATION_LAST = 95
"""MAV_CMD_NAV_LAST: up to here items are navigation, above they are «do» items."""
ALSO_NAVIGATION = frozenset({213, 42702})
TAKEOFF, WAYPOINT, LAND, RTL = 22, 16, 21, 20
LOITER_UNLIM, LOITER_TURNS, LOITER_TIME, DELAY = 17, 18, 19, 93
DO_JUMP, DO_CHANGE_SPEED, DO_GRIPPER, DO_WINCH, DO_FENCE_ENABLE = 177, 178, 211, 42600, 207
PAYLOAD_PLACE, DO_LAND_START, CONDITION_DELAY, CONDITION_YAW = 94, 189, 112, 115
SUPPORTED = WITH_LOCATION | {
    20, 92, 93, 112, 114, 115, 177, 178, 181, 182, 183, 184, 202, 203, 205, 206, 207, 208, 210, 211, 212,
    213, 218, 222, 600, 601, 2000, 2500, 2501, 42600, 42700, 42702,
}  # fmt: skip
"""Command ids ArduCopter 4.6 stores. Refused among others: 195, 197, 214, 192, 530, 113."""

SPOKEN_NAMES = {
    16: "WP", 17: "LoitUnlim", 18: "LoitTurns", 19: "LoitTime", 20: "RTL", 21: "Land", 22: "Takeoff",
    31: "LoitAltitude", 82: "SplineWP", 92: "GuidedEnable", 93: "Delay", 94: "PayloadPlace",
    112: "CondDelay", 114: "CondDist", 115: "CondYaw", 177: "Jump", 178: "ChangeSpeed", 179: "SetHome",
    183: "SetServo", 189: "LandStart", 201: "SetROI", 207: "FenceEnable", 208: "Parachute",
    211: "Gripper", 42600: "Winch",
}  # fmt: skip
"""How the vehicle announces an item it starts."""
NOT_REPORTED_REACHED = frozenset({181, 182, 183, 184, 202, 203, 206, 208, 211, 218, 600, 2000, 2500, 2501})
"""Items whose completion the mission library keeps to itself: no MISSION_ITEM_REACHED."""

GLOBAL, RELATIVE, TERRAIN = 0, 3, 10
_STORED_FRAME = {0: GLOBAL, 2: GLOBAL, 5: GLOBAL, 3: RELATIVE, 6: RELATIVE, 10: TERRAIN, 11: TERRAIN}
_YAW_MAY_BE_NAN = frozenset({WAYPOINT, LAND, TAKEOFF, 84})
ACCEPTED, ERROR, UNSUPPORTED_FRAME, UNSUPPORTED, NO_SPACE, INVALID = 0, 1, 2, 3, 4, 5
ALTITUDE_LIMIT_M = 83_000.0
"""LOCATION_ALT_MAX_M of ArduPilot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredItem:
    """One item in the vehicle's memory: parameters already cut to what it keeps."""

    command: int
    frame: int = GLOBAL
    param1: float = 0.0
    param2: float = 0.0
    param3: float = 0.0
    param4: float = 0.0
    x: int = 0
    """Latitude, 1e-7 degrees."""
    y: int = 0
    """Longitude, 1e-7 degrees."""
    z_cm: int = 0

    @property
    def is_navigation(self) -> bool:
        return self.command <= NAVIGATION_LAST or self.command in ALSO_NAVIGATION

    @property
    def has_position(self) -> bool:
        return self.command in WITH_LOCATION and (self.x != 0 or self.y != 0)


def _byte(number: float) -> float:
    return float(int(number) & 0xFF)


def _unsigned16(number: float) -> float:
    return float(int(number) & 0xFFFF)


def _kept_parameters(
    command: int, p1: float, p2: float, p3: float, p4: float
) -> tuple[float, float, float, float]:
    """What survives storage, per command."""
    if command in (WAYPOINT, LAND, TAKEOFF, 82):
        return _unsigned16(p1), 0.0, 0.0, 0.0
    if command == LOITER_TIME:
        return _unsigned16(p1), 0.0, -1.0 if p3 < 0 else 1.0, 1.0 if p4 > 0 else 0.0
    if command == LOITER_UNLIM:
        return 0.0, 0.0, math.copysign(_unsigned16(abs(p3)), p3), 0.0
    if command == LOITER_TURNS:
        return float(int(p1) & 0xFF), 0.0, math.copysign(_unsigned16(abs(p3)), p3), 1.0 if p4 > 0 else 0.0
    if command == RTL:
        return 0.0, 0.0, 0.0, 0.0
    if command == DELAY:
        return float(int(p1)), float(int(p2)), float(int(p3)), float(int(p4))
    if command == DO_JUMP:
        return _unsigned16(p1), float(int(p2)), 0.0, 0.0
    if command == DO_CHANGE_SPEED:
        return _byte(p1), p2, p3, 0.0
    if command == DO_GRIPPER:
        return _byte(p1), _byte(p2), 0.0, 0.0
    if command == DO_WINCH:
        return _byte(p1), _byte(p2), p3, p4
    if command in (DO_FENCE_ENABLE, 208, 201, 179):
        return _unsigned16(p1), 0.0, 0.0, 0.0
    if command == PAYLOAD_PLACE:
        return _unsigned16(p1 * 100.0) / 100.0, 0.0, 0.0, 0.0
    if command == CONDITION_DELAY:
        return p1, 0.0, 0.0, 0.0
    return p1, p2, p3, p4


def latitude_is_valid(x: int) -> bool:
    return abs(x) <= 900_000_000


def longitude_is_valid(y: int) -> bool:
    return abs(y) <= 1_800_000_000


def store(message: Any) -> tuple[StoredItem | None, int]:
    """The stored form of a MISSION_ITEM_INT, or None and the MAV_MISSION_RESULT that says why not."""
    command = message.command
    parameters = (message.param1, message.param2, message.param3, message.param4)
    for index, number in enumerate(parameters):
        may_be_nan = index == 3 and command in _YAW_MAY_BE_NAN
        if math.isinf(number) or (math.isnan(number) and not may_be_nan):
            return None, mavlink.MAV_MISSION_INVALID_PARAM1 + index
    if command not in SUPPORTED:
        return None, INVALID if command in (0, 1) else UNSUPPORTED
    kept = _kept_parameters(command, *(0.0 if math.isnan(number) else number for number in parameters))
    item = StoredItem(command=command, param1=kept[0], param2=kept[1], param3=kept[2], param4=kept[3])
    if command not in WITH_LOCATION:
        return item, ACCEPTED
    if not latitude_is_valid(message.x):
        return None, mavlink.MAV_MISSION_INVALID_PARAM5_X
    if not longitude_is_valid(message.y):
        return None, mavlink.MAV_MISSION_INVALID_PARAM6_Y
    if math.isnan(message.z) or abs(message.z) >= ALTITUDE_LIMIT_M:
        return None, mavlink.MAV_MISSION_INVALID_PARAM7
    if message.frame not in _STORED_FRAME:
        return None, UNSUPPORTED_FRAME
    return (
        replace(
            item,
            frame=_STORED_FRAME[message.frame],
            x=message.x,
            y=message.y,
            z_cm=int(np.float32(message.z) * np.float32(100.0)),
        ),
        ACCEPTED,
    )


def to_message(item: StoredItem, seq: int, *, current: bool, target: tuple[int, int]) -> Any:
    """MISSION_ITEM_INT of a stored item."""
    return mavlink.MAVLink_mission_item_int_message(
        target[0],
        target[1],
        seq,
        item.frame,
        item.command,
        int(current),
        1,
        item.param1,
        item.param2,
        item.param3,
        item.param4,
        item.x,
        item.y,
        item.z_cm / 100.0,
        mavlink.MAV_MISSION_TYPE_MISSION,
    )
