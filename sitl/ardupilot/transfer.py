"""The mission protocol as ArduCopter speaks it: mission, fence and rally, one state machine each.

Observed: it asks with MISSION_REQUEST and accepts MISSION_ITEM_INT; asks again every second, gives up
after eight with ack 15; a wrong sequence number gets ack 13 and the transfer stays open; a second
uploader gets 14; cancel is ignored. What the stores do with the items (atomic or not) is theirs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from pymavlink.dialects.v20 import ardupilotmega as mavlink

from sitl.channel import Channel

ASK_AGAIN_S = 1.0
GIVE_UP_S = 8.0


class ItemStore(Protocol):
    """Where items of one mission type end up."""

    mission_type: int
    name: str
    limit: int

    def count(self) -> int: ...

    def begin(self, count: int) -> int:
        """An upload of ``count`` items starts. Returns a MAV_MISSION_RESULT."""
        ...

    def put(self, seq: int, message: Any) -> int:
        """Take one item. Returns a MAV_MISSION_RESULT."""
        ...

    def finish(self) -> int:
        """All items came. Returns a MAV_MISSION_RESULT."""
        ...

    def abandon(self) -> None:
        """The upload ended without its last item."""
        ...

    def clear(self) -> bool: ...

    def get(self, seq: int, target: tuple[int, int]) -> Any | int:
        """The item as MISSION_ITEM_INT, or the MAV_MISSION_RESULT that says why not."""
        ...


class Transfer:
    """Uploads and downloads of one mission type."""

    def __init__(self, store: ItemStore, say: Callable[[int, str], None]) -> None:
        self.store = store
        self._say = say
        self.receiving = False
        self._next = 0
        self._last = 0
        self._peer = (0, 0)
        self._channel: Channel | None = None
        self._heard_s = 0.0
        self._asked_s = 0.0
        self._warned_item = False
        self._warned_request = False

    def _ack(self, channel: Channel, peer: tuple[int, int], result: int) -> None:
        channel.send(mavlink.MAVLink_mission_ack_message(peer[0], peer[1], result, self.store.mission_type))

    def _ask(self, now_s: float) -> None:
        assert self._channel is not None
        self._asked_s = now_s
        self._channel.send(
            mavlink.MAVLink_mission_request_message(
                self._peer[0], self._peer[1], self._next, self.store.mission_type
            )
        )

    def _close(self) -> None:
        self.receiving = False
        self._channel = None

    def on_count(self, message: Any, channel: Channel, now_s: float) -> None:
        self._begin(message, channel, now_s, 0, message.count - 1, message.count)

    def _begin(self, message: Any, channel: Channel, now_s: float, first: int, last: int, count: int) -> None:
        peer = (message.get_srcSystem(), message.get_srcComponent())
        if self.receiving:
            if peer != self._peer:
                self._ack(channel, peer, mavlink.MAV_MISSION_DENIED)
                return
            self.store.abandon()
        if count > self.store.limit:
            self._ack(channel, peer, mavlink.MAV_MISSION_NO_SPACE)
            self._say(4, f"Only {self.store.limit} items are supported")
            return
        result = self.store.begin(count)
        if result != mavlink.MAV_MISSION_ACCEPTED:
            self._ack(channel, peer, result)
            return
        self._peer, self._channel = peer, channel
        if count == 0:
            self._ack(channel, peer, self.store.finish())
            self._close()
            return
        self.receiving = True
        self._next, self._last = first, last
        self._heard_s = now_s
        self._ask(now_s)

    def on_write_partial_list(self, message: Any, channel: Channel, now_s: float) -> None:
        peer = (message.get_srcSystem(), message.get_srcComponent())
        count = self.store.count()
        if not 0 <= message.start_index <= message.end_index <= count:
            self._say(4, "Flight plan update rejected")
            self._ack(channel, peer, mavlink.MAV_MISSION_ERROR)
            return
        self._peer, self._channel = peer, channel
        self.receiving = True
        self._next, self._last = message.start_index, message.end_index
        self._heard_s = now_s
        self._ask(now_s)

    def on_item(self, message: Any, channel: Channel, now_s: float) -> None:
        peer = (message.get_srcSystem(), message.get_srcComponent())
        if not self.receiving or self._channel is None:
            self._ack(channel, peer, mavlink.MAV_MISSION_ERROR)
            return
        if message.seq != self._next:
            self._ack(self._channel, peer, mavlink.MAV_MISSION_INVALID_SEQUENCE)
            return
        if peer != self._peer:
            self._ack(self._channel, peer, mavlink.MAV_MISSION_DENIED)
            return
        result = self.store.put(message.seq, message)
        if result != mavlink.MAV_MISSION_ACCEPTED:
            self._ack(self._channel, peer, result)
            self.store.abandon()
            self._close()
            return
        self._heard_s = now_s
        self._next += 1
        if self._next > self._last:
            self._ack(self._channel, peer, self.store.finish())
            self._close()
            return
        self._ask(now_s)

    def warn_about_item(self) -> None:
        if not self._warned_item:
            self._warned_item = True
            self._say(4, "got MISSION_ITEM; GCS should send MISSION_ITEM_INT")

    def on_request_list(self, message: Any, channel: Channel) -> None:
        peer = (message.get_srcSystem(), message.get_srcComponent())
        if self.receiving:
            self._ack(channel, peer, mavlink.MAV_MISSION_DENIED)
            return
        channel.send(
            mavlink.MAVLink_mission_count_message(
                peer[0], peer[1], self.store.count(), self.store.mission_type
            )
        )

    def on_request(self, message: Any, channel: Channel, *, as_float: bool) -> None:
        peer = (message.get_srcSystem(), message.get_srcComponent())
        if self.receiving:
            self._ack(channel, peer, mavlink.MAV_MISSION_DENIED)
            return
        found = self.store.get(message.seq, peer)
        if isinstance(found, int):
            self._ack(channel, peer, found)
            return
        if not as_float:
            channel.send(found)
            return
        if not self._warned_request:
            self._warned_request = True
            self._say(4, "got MISSION_REQUEST; use MISSION_REQUEST_INT!")
        channel.send(
            mavlink.MAVLink_mission_item_message(
                found.target_system, found.target_component, found.seq, found.frame, found.command,
                found.current, found.autocontinue, found.param1, found.param2, found.param3, found.param4,
                found.x * 1e-7, found.y * 1e-7, found.z, found.mission_type,
            )
        )  # fmt: skip

    def on_clear_all(self, message: Any, channel: Channel) -> None:
        peer = (message.get_srcSystem(), message.get_srcComponent())
        done = not self.receiving and self.store.clear()
        self._ack(channel, peer, mavlink.MAV_MISSION_ACCEPTED if done else mavlink.MAV_MISSION_ERROR)

    def update(self, now_s: float) -> None:
        if not self.receiving or self._channel is None:
            return
        if now_s - self._heard_s > GIVE_UP_S:
            self._say(4, f"{self.store.name} upload timeout")
            self._ack(self._channel, self._peer, mavlink.MAV_MISSION_OPERATION_CANCELLED)
            self.store.abandon()
            self._close()
        elif now_s - self._asked_s > ASK_AGAIN_S:
            self._ask(now_s)
