"""Storage behind PX4's mission protocol: each kind of plan is replaced as a whole or not at all.

An upload whose checksum equals that of the stored plan is acknowledged and not applied again.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mavlink

from sitl.px4 import items
from sitl.px4.items import StoredItem

MISSION_LIMIT, FENCE_LIMIT, RALLY_LIMIT = 500, 64, 32
"""Of PX4 1.17's simulator build."""
Changed = Callable[[int | None], None]
"""Told when a plan was replaced; the argument is the seq marked as current, if one was."""


class PlanStore:
    """Mission, fence or rally points."""

    def __init__(self, mission_type: int, limit: int, changed: Changed) -> None:
        self.mission_type = mission_type
        self.limit = limit
        self.items: tuple[StoredItem, ...] = ()
        self.checksum = 0
        self._changed = changed
        self._incoming: list[StoredItem] = []
        self._incoming_checksum = 0
        self._marked: int | None = None

    def begin(self) -> None:
        self._incoming, self._incoming_checksum, self._marked = [], 0, None

    def put(self, message: Any) -> int:
        """Take the next item. Returns a MAV_MISSION_RESULT."""
        item, result = items.store(message)
        if item is None:
            return result
        self._incoming_checksum = zlib.crc32(items.digest_part(message), self._incoming_checksum)
        misplaced = item.command in items.NOT_IN_A_MISSION
        if misplaced and self.mission_type == mavlink.MAV_MISSION_TYPE_MISSION:
            return items.ERROR
        if item.command in (items.POLYGON_IN, items.POLYGON_OUT) and item.parameters[0] < 3:
            return items.ERROR
        self._incoming.append(item)
        if message.current:
            self._marked = message.seq
        return items.ACCEPTED

    def finish(self) -> None:
        """All items came: this is the plan now."""
        if self._incoming_checksum != self.checksum:
            self.items, self.checksum = tuple(self._incoming), self._incoming_checksum
            self._changed(self._marked)
        self._incoming = []

    def clear(self) -> None:
        self.items, self.checksum = (), 0
        self._changed(0)

    def get(self, seq: int, current: int, target: tuple[int, int]) -> Any:
        """MISSION_ITEM_INT of an item that exists."""
        return items.to_message(
            self.items[seq], seq, current=seq == current, target=target, kind=self.mission_type
        )
