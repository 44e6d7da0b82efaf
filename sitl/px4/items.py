"""Mission items as PX4 takes them apart and puts them together again when they are read back.

Observed: an item's frame decides how it is understood. Positions take frames 0, 3, 5 and 6, everything else
only MAV_FRAME_MISSION (2). What the item's struct has no room for comes back as 0.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mavlink

WAYPOINT, LOITER_UNLIM, LOITER_TIME, RTL, LAND, TAKEOFF, LOITER_TO_ALT = 16, 17, 19, 20, 21, 22, 31
DELAY, CONDITION_GATE = 93, 4501
DO_JUMP, DO_CHANGE_SPEED, DO_SET_HOME, DO_LAND_START = 177, 178, 179, 189
DO_SET_ROI_LOCATION, DO_SET_ROI, NAV_ROI, DO_GRIPPER, DO_WINCH = 195, 201, 80, 211, 42600
COMPONENT_ARM_DISARM = 400
FENCE_RETURN, POLYGON_IN, POLYGON_OUT, CIRCLE_IN, CIRCLE_OUT, RALLY = 5000, 5001, 5002, 5003, 5004, 5100
FRAME_MISSION = 2
_LOCATED_FRAMES = frozenset({0, 3, 5, 6})
_LOCATED = frozenset(
    {
        WAYPOINT, LOITER_UNLIM, LOITER_TIME, LAND, TAKEOFF, LOITER_TO_ALT, 84, 85, CONDITION_GATE,
        FENCE_RETURN, POLYGON_IN, POLYGON_OUT, CIRCLE_IN, CIRCLE_OUT, RALLY, COMPONENT_ARM_DISARM,
        DO_SET_ROI_LOCATION, NAV_ROI, DO_SET_ROI,
    }
)  # fmt: skip
"""Commands that a frame with a position may carry."""
_UNLOCATED = frozenset(
    {
        DO_JUMP, DO_WINCH, DO_GRIPPER, DO_CHANGE_SPEED, DO_SET_HOME, DO_LAND_START, 2003, 203, 204, 205,
        1000, 532, 1001, 2000, 2001, 2500, 2501, 200, 206, 260, 214, 530, 534, 3000, DELAY, RTL, 196, 197,
        112, 114, 187, COMPONENT_ARM_DISARM, NAV_ROI, DO_SET_ROI,
    }
)  # fmt: skip
"""Commands that MAV_FRAME_MISSION may carry."""
POSITIONS = frozenset({WAYPOINT, LOITER_UNLIM, LOITER_TIME, LAND, TAKEOFF, LOITER_TO_ALT, 84, 85})
"""Items the vehicle flies to."""
MARKERS = frozenset({DO_LAND_START})
WITH_TIMEOUT = frozenset({DO_WINCH, DO_GRIPPER, 1000})
"""Items that wait MIS_COMMAND_TOUT, whatever their device does."""
NOT_IN_A_MISSION = frozenset({POLYGON_IN, POLYGON_OUT, CIRCLE_IN, CIRCLE_OUT, RALLY})
ACCEPTED, ERROR, UNSUPPORTED_FRAME, UNSUPPORTED, NO_SPACE, INVALID_PARAM1 = 0, 1, 2, 3, 4, 6


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredItem:
    """One item in the vehicle's memory."""

    command: int
    frame: int
    parameters: tuple[float, float, float, float]
    """What survives of param1 … param4."""
    x: int
    """Latitude, 1e-7 degrees; in MAV_FRAME_MISSION whatever was sent."""
    y: int
    z: float
    """Metres. PX4 keeps it where positions keep their altitude, for every item: that is the danger."""
    autocontinue: bool = True

    @property
    def is_position(self) -> bool:
        return self.command in POSITIONS

    @property
    def is_relative(self) -> bool:
        """Altitude counts from home."""
        return self.frame in (3, 6)

    @property
    def hold_s(self) -> float:
        """Seconds to stay at the item."""
        if self.command in (WAYPOINT, LOITER_TIME, DELAY):
            seconds = self.parameters[0]
            return seconds if math.isfinite(seconds) and seconds > 0 else 0.0
        return 0.0


def _kept(
    command: int, frame: int, p: tuple[float, float, float, float]
) -> tuple[float, float, float, float]:
    if frame == FRAME_MISSION:
        return p
    if command in (WAYPOINT, 84, 85):
        return (p[0], p[1], 0.0, _heading(p[3])) if command == WAYPOINT else (0.0, 0.0, 0.0, _heading(p[3]))
    if command == LOITER_UNLIM:
        return 0.0, 0.0, p[2], _heading(p[3])
    if command == LOITER_TIME:
        return p[0], float(p[1] > 0), p[2], float(p[3] > 0)
    if command in (LAND, TAKEOFF):
        return 0.0, p[1] if command == LAND else 0.0, 0.0, _heading(p[3])
    if command == LOITER_TO_ALT:
        return float(p[0] > 0), p[1], 0.0, float(p[3] > 0)
    if command in (POLYGON_IN, POLYGON_OUT):
        return (float(int(p[0] + 0.5) & 0xFFFF) if math.isfinite(p[0]) else 0.0), 0.0, 0.0, 0.0
    if command in (CIRCLE_IN, CIRCLE_OUT):
        return p[0], 0.0, 0.0, 0.0
    return 0.0, 0.0, 0.0, 0.0


def _heading(degrees: float) -> float:
    return degrees % 360.0 if math.isfinite(degrees) else math.nan


def store(message: Any) -> tuple[StoredItem | None, int]:
    """The stored form of a MISSION_ITEM_INT, or None and the MAV_MISSION_RESULT that says why not."""
    command, frame = message.command, message.frame
    parameters = (message.param1, message.param2, message.param3, message.param4)
    if frame in _LOCATED_FRAMES:
        if command not in _LOCATED:
            return None, UNSUPPORTED
        if command in (NAV_ROI, DO_SET_ROI) and message.param1 not in (0.0, 3.0):
            return None, INVALID_PARAM1
    elif frame == FRAME_MISSION:
        if command not in _UNLOCATED:
            return None, UNSUPPORTED
        if command in (NAV_ROI, DO_SET_ROI) and message.param1 not in (0.0, 1.0, 2.0):
            return None, INVALID_PARAM1
    else:
        return None, UNSUPPORTED_FRAME
    return (
        StoredItem(
            command=command,
            frame=frame,
            parameters=_kept(command, frame, parameters),
            x=message.x,
            y=message.y,
            z=message.z,
            autocontinue=bool(message.autocontinue),
        ),
        ACCEPTED,
    )


def to_message(item: StoredItem, seq: int, *, current: bool, target: tuple[int, int], kind: int) -> Any:
    """MISSION_ITEM_INT of a stored item. Positions come back in frame 5 or 6, whatever was sent."""
    frame = item.frame
    if frame != FRAME_MISSION:
        frame = 6 if item.is_relative else 5
    return mavlink.MAVLink_mission_item_int_message(
        target[0], target[1], seq, frame, item.command, int(current), int(item.autocontinue),
        *item.parameters, item.x, item.y, item.z, kind,
    )  # fmt: skip


def digest_part(message: Any) -> bytes:
    """What of an item as sent goes into the plan's checksum: an equal checksum means «already have it»."""
    return struct.pack(
        "<BHB4fiif", message.frame, message.command, message.autocontinue, message.param1, message.param2,
        message.param3, message.param4, message.x, message.y, message.z,
    )  # fmt: skip
