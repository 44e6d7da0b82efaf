"""Storage behind the mission protocol: mission (lossy, not atomic), rally (not atomic), fence (atomic)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mavlink

from sitl.ardupilot import items
from sitl.ardupilot.items import StoredItem

MISSION_LIMIT, RALLY_LIMIT, FENCE_LIMIT = 650, 46, 1024
RALLY_POINT = 5100
RETURN_POINT, POLYGON_IN, POLYGON_OUT, CIRCLE_IN, CIRCLE_OUT = 5000, 5001, 5002, 5003, 5004
_FENCE_FRAMES = frozenset({0, 3, 5, 6, 10, 11})


class MissionStore:
    """The mission. Seq 0 is home: what is sent there is discarded, what is read there is home."""

    mission_type = mavlink.MAV_MISSION_TYPE_MISSION
    name = "Mission"
    limit = MISSION_LIMIT

    def __init__(
        self,
        *,
        home: Callable[[], tuple[int, int, int]],
        may_clear: Callable[[], bool],
        current: Callable[[], int],
        say: Callable[[int, str], None],
    ) -> None:
        self.items: list[StoredItem] = []
        self.version = 0
        """Counts changes; the mission runner restarts the present leg when it sees a new one."""
        self._home, self._may_clear, self._current, self._say = home, may_clear, current, say
        self._expected = 0

    def count(self) -> int:
        return len(self.items)

    def begin(self, count: int) -> int:
        self._expected = count
        if len(self.items) > count:
            del self.items[count:]
            self.version += 1
        return items.ACCEPTED

    def put(self, seq: int, message: Any) -> int:
        item, result = items.store(message)
        if item is None:
            return result
        if item.command == items.DO_JUMP and (
            item.param1 == 0 or (item.param1 >= len(self.items) and item.param1 >= self._expected)
        ):
            return items.ERROR
        if seq < len(self.items):
            self.items[seq] = item
        elif seq == len(self.items):
            self.items.append(item)
        else:
            return items.ERROR
        self.version += 1
        return items.ACCEPTED

    def finish(self) -> int:
        self._say(6, "Flight plan received")
        return items.ACCEPTED

    def abandon(self) -> None:
        """Nothing is restored: the old and the new mission stay mixed, as on the real vehicle."""

    def clear(self) -> bool:
        if not self._may_clear():
            return False
        self.items.clear()
        self.version += 1
        return True

    def read(self, seq: int) -> StoredItem | None:
        if seq == 0:
            x, y, z_cm = self._home()
            return StoredItem(command=items.WAYPOINT, frame=items.GLOBAL, x=x, y=y, z_cm=z_cm)
        return self.items[seq] if seq < len(self.items) else None

    def get(self, seq: int, target: tuple[int, int]) -> Any | int:
        item = self.read(seq)
        if item is None:
            return items.ERROR
        return items.to_message(item, seq, current=seq == self._current(), target=target)


class RallyStore:
    """Rally points; altitude in whole metres, as they are stored in 16 bits."""

    mission_type = mavlink.MAV_MISSION_TYPE_RALLY
    name = "Rally"
    limit = RALLY_LIMIT

    def __init__(self, changed: Callable[[int], None]) -> None:
        self.points: list[StoredItem] = []
        self._changed = changed

    def count(self) -> int:
        return len(self.points)

    def begin(self, count: int) -> int:
        del self.points[count:]
        self._changed(len(self.points))
        return items.ACCEPTED

    def put(self, seq: int, message: Any) -> int:
        if message.command != RALLY_POINT:
            return items.UNSUPPORTED
        if not items.latitude_is_valid(message.x):
            return mavlink.MAV_MISSION_INVALID_PARAM5_X
        if not items.longitude_is_valid(message.y):
            return mavlink.MAV_MISSION_INVALID_PARAM6_Y
        if not -32768 <= message.z <= 32767:
            return mavlink.MAV_MISSION_INVALID_PARAM7
        if message.frame not in (0, 3, 5, 6, 10, 11):
            return items.UNSUPPORTED_FRAME
        frame = {0: 0, 5: 0, 3: 3, 6: 3, 10: 10, 11: 10}[message.frame]
        point = StoredItem(
            command=RALLY_POINT, frame=frame, x=message.x, y=message.y, z_cm=int(message.z) * 100
        )
        if seq < len(self.points):
            self.points[seq] = point
        elif seq == len(self.points):
            self.points.append(point)
        else:
            return items.ERROR
        self._changed(len(self.points))
        return items.ACCEPTED

    def finish(self) -> int:
        return items.ACCEPTED

    def abandon(self) -> None:
        """Not atomic: what came stays."""

    def clear(self) -> bool:
        self.points.clear()
        self._changed(0)
        return True

    def get(self, seq: int, target: tuple[int, int]) -> Any | int:
        if seq >= len(self.points):
            return int(mavlink.MAV_MISSION_INVALID_SEQUENCE)
        point = self.points[seq]
        return mavlink.MAVLink_mission_item_int_message(
            target[0], target[1], seq, point.frame, RALLY_POINT, 0, 0, 0.0, 0.0, 0.0, 0.0,
            point.x, point.y, point.z_cm / 100.0, self.mission_type,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class FenceShape:
    """A polygon (three vertices or more) or a circle (one vertex and a radius)."""

    inclusion: bool
    vertices: tuple[tuple[int, int], ...]
    """(latitude, longitude), 1e-7 degrees."""
    radius_m: float = 0.0


class FenceStore:
    """The fence: the new one replaces the old only when all of it came and is valid."""

    mission_type = mavlink.MAV_MISSION_TYPE_FENCE
    name = "Fence"
    limit = FENCE_LIMIT

    def __init__(self, changed: Callable[[], None]) -> None:
        self.stored: list[Any] = []
        self.shapes: tuple[FenceShape, ...] = ()
        self._incoming: list[Any | None] = []
        self._changed = changed

    def count(self) -> int:
        return len(self.stored)

    def begin(self, count: int) -> int:
        self._incoming = [None] * count
        return items.ACCEPTED

    def put(self, seq: int, message: Any) -> int:
        if message.frame not in _FENCE_FRAMES:
            return items.UNSUPPORTED_FRAME
        if message.command not in (RETURN_POINT, POLYGON_IN, POLYGON_OUT, CIRCLE_IN, CIRCLE_OUT):
            return items.UNSUPPORTED
        if seq >= len(self._incoming):
            return int(mavlink.MAV_MISSION_INVALID_SEQUENCE)
        self._incoming[seq] = message
        return items.ACCEPTED

    def finish(self) -> int:
        shapes = _shapes(self._incoming)
        if shapes is None:
            return items.ERROR
        self.stored = list(self._incoming)
        self.shapes = shapes
        self._incoming = []
        self._changed()
        return items.ACCEPTED

    def abandon(self) -> None:
        self._incoming = []

    def clear(self) -> bool:
        self.stored, self.shapes = [], ()
        self._changed()
        return True

    def get(self, seq: int, target: tuple[int, int]) -> Any | int:
        if seq >= len(self.stored):
            return int(mavlink.MAV_MISSION_INVALID_SEQUENCE)
        kept = self.stored[seq]
        return mavlink.MAVLink_mission_item_int_message(
            target[0], target[1], seq, 0, kept.command, 0, 0,
            0.0 if kept.command == RETURN_POINT else kept.param1, 0.0, 0.0, 0.0,
            kept.x, kept.y, 0.0, self.mission_type,
        )  # fmt: skip


def _shapes(messages: list[Any | None]) -> tuple[FenceShape, ...] | None:
    """Shapes of a complete fence; None when counts, radii or positions make no fence."""
    shapes: list[FenceShape] = []
    index = 0
    while index < len(messages):
        message = messages[index]
        if message is None or not (
            items.latitude_is_valid(message.x) and items.longitude_is_valid(message.y)
        ):
            return None
        if message.command in (POLYGON_IN, POLYGON_OUT):
            count = int(message.param1) if math.isfinite(message.param1) else 0
            group = messages[index : index + count]
            if count < 3 or len(group) < count:
                return None
            for member in group:
                if member is None or member.command != message.command or int(member.param1) != count:
                    return None
            shapes.append(
                FenceShape(message.command == POLYGON_IN, tuple((m.x, m.y) for m in group if m is not None))
            )
            index += count
            continue
        if message.command in (CIRCLE_IN, CIRCLE_OUT):
            if not (math.isfinite(message.param1) and message.param1 > 0):
                return None
            shapes.append(FenceShape(message.command == CIRCLE_IN, ((message.x, message.y),), message.param1))
        index += 1
    return tuple(shapes)
