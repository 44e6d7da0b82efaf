"""The mission protocol as PX4 speaks it: one transfer at a time, whatever it carries.

Observed: it asks with MISSION_REQUEST_INT, again every 0.25 s, and gives up after 5 s; a wrong sequence
number is ignored; a repeated last item is acknowledged again; cancelling is honoured.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mavlink

from sitl.channel import Channel
from sitl.px4 import items
from sitl.px4.stores import PlanStore

ASK_AGAIN_S = 0.25
GIVE_UP_S = 5.0
CRITICAL, INFO = 2, 6
_Peer = tuple[int, int]


class State(Enum):
    """What the transfer is doing."""

    IDLE = auto()
    RECEIVING = auto()
    SENDING = auto()


class Transfer:
    """The one transfer of the vehicle: up or down, mission, fence or rally points."""

    def __init__(
        self, stores: dict[int, PlanStore], current: Callable[[], int], say: Callable[[int, str], None]
    ) -> None:
        self.stores = stores
        self._current, self._say = current, say
        self.state = State.IDLE
        self._kind = 0
        self._next = 0
        self._count = 0
        self._peer: _Peer = (0, 0)
        self._channel: Channel | None = None
        self._heard_s = 0.0
        self._asked_s = 0.0
        self._as_float = False

    @staticmethod
    def _sender(message: Any) -> _Peer:
        return message.get_srcSystem(), message.get_srcComponent()

    def _ack(self, channel: Channel, peer: _Peer, result: int) -> None:
        channel.send(mavlink.MAVLink_mission_ack_message(peer[0], peer[1], result, self._kind))

    def _ask(self, now_s: float) -> None:
        assert self._channel is not None
        self._asked_s = now_s
        request = (
            mavlink.MAVLink_mission_request_message
            if self._as_float
            else mavlink.MAVLink_mission_request_int_message
        )
        self._channel.send(request(self._peer[0], self._peer[1], self._next, self._kind))

    # --- up -----------------------------------------------------------------------------------
    def on_count(self, message: Any, channel: Channel, now_s: float) -> None:
        peer = self._sender(message)
        if self.state is State.SENDING:
            self._say(CRITICAL, "WPM: IGN MISSION_COUNT: Busy")
            self._ack(channel, peer, items.ERROR)
            return
        if self.state is State.RECEIVING:
            self._heard_s = now_s
            if peer != self._peer:
                self._ack(channel, peer, items.ERROR)
            elif self._next > 0:
                self._say(CRITICAL, "WPM: REJ. CMD: Busy")
                self._ack(channel, peer, items.ERROR)
            else:
                self._ask(now_s)
            return
        self._kind, self._peer, self._channel = message.mission_type, peer, channel
        store = self.stores[self._kind]
        if message.count > store.limit:
            self._ack(channel, peer, items.NO_SPACE)
            return
        if message.count == 0:
            store.clear()
            self._ack(channel, peer, items.ACCEPTED)
            return
        store.begin()
        self.state = State.RECEIVING
        self._as_float = False
        self._next, self._count = 0, message.count
        self._heard_s = now_s
        self._ask(now_s)

    def on_item(self, message: Any, channel: Channel, now_s: float, *, as_float: bool) -> None:
        peer = self._sender(message)
        if peer != self._peer:
            self._say(CRITICAL, "REJ. MIS ITEM: partner id mismatch")
            return
        if message.mission_type != self._kind:
            self._ack(channel, peer, items.ERROR)
            return
        if self.state is State.IDLE:
            if self._next == message.seq + 1:
                # The last acknowledgement was lost.
                self._ack(channel, peer, items.ACCEPTED)
            else:
                self._say(CRITICAL, "IGN MISSION_ITEM: No transfer")
                self._ack(channel, peer, items.ERROR)
            return
        if self.state is State.SENDING:
            self._say(CRITICAL, "IGN MISSION_ITEM: Busy")
            self._ack(channel, peer, items.ERROR)
            return
        self._heard_s = now_s
        self._as_float = as_float
        if message.seq != self._next:
            return
        store = self.stores[self._kind]
        result = store.put(message)
        if result != items.ACCEPTED:
            if result != items.ERROR:
                self._say(CRITICAL, "IGN MISSION_ITEM: Invalid item")
            self._ack(channel, peer, result)
            self.state = State.IDLE
            return
        self._next += 1
        if self._next < self._count:
            self._ask(now_s)
            return
        self.state = State.IDLE
        store.finish()
        self._ack(channel, peer, items.ACCEPTED)

    def on_ack(self, message: Any) -> None:
        if self._sender(message) != self._peer:
            self._say(CRITICAL, "REJ. WP CMD: partner id mismatch")
            return
        cancelled = message.type == mavlink.MAV_MISSION_OPERATION_CANCELLED
        done = self.state is State.SENDING and message.mission_type == self._kind
        if done or (self.state is State.RECEIVING and cancelled):
            self.state = State.IDLE

    # --- down ---------------------------------------------------------------------------------
    def on_request_list(self, message: Any, channel: Channel, now_s: float) -> None:
        peer = self._sender(message)
        finished = self._next == len(self.stores[self._kind].items)
        again = self.state is State.SENDING and message.mission_type == self._kind and peer == self._peer
        if self.state is not State.IDLE and not again and not (self.state is State.SENDING and finished):
            self._say(INFO, "Mission download request ignored, already active")
            return
        self.state = State.SENDING
        self._kind, self._peer, self._channel = message.mission_type, peer, channel
        self._next, self._count = 0, len(self.stores[self._kind].items)
        self._heard_s = now_s
        channel.send(mavlink.MAVLink_mission_count_message(peer[0], peer[1], self._count, self._kind))

    def on_request(self, message: Any, channel: Channel, now_s: float, *, as_float: bool) -> None:
        peer = self._sender(message)
        if peer != self._peer:
            self._say(CRITICAL, "WPM: REJ. CMD: partner id mismatch")
            return
        if self.state is State.IDLE:
            return
        if self.state is State.RECEIVING:
            self._say(CRITICAL, "WPM: REJ. CMD: Busy")
            return
        if message.mission_type != self._kind:
            return
        self._heard_s = now_s
        if message.seq == self._next and self._next < self._count:
            self._next += 1
        elif message.seq != self._next - 1:
            self.state = State.IDLE
            self._ack(channel, peer, items.ERROR)
            self._say(CRITICAL, "WPM: REJ. CMD: Req. WP was unexpected")
            return
        store = self.stores[self._kind]
        if message.seq >= len(store.items):
            self.state = State.IDLE
            self._ack(channel, peer, items.ERROR)
            self._say(CRITICAL, "WPM: REJ. CMD: Req. WP was unexpected")
            return
        found = store.get(message.seq, self._current(), peer)
        if not as_float:
            channel.send(found)
            return
        # Asked the old way, it answers the old way; frames 5 and 6 are then 0 and 3.
        located = found.frame != items.FRAME_MISSION
        scale = 1e-7 if located else 1.0
        channel.send(
            mavlink.MAVLink_mission_item_message(
                found.target_system, found.target_component, found.seq,
                {5: 0, 6: 3}.get(found.frame, found.frame), found.command, found.current, found.autocontinue,
                found.param1, found.param2, found.param3, found.param4, found.x * scale, found.y * scale,
                found.z, found.mission_type,
            )
        )  # fmt: skip

    def on_clear_all(self, message: Any, channel: Channel) -> None:
        if self.state is not State.IDLE:
            self._say(CRITICAL, "WPM: IGN CLEAR CMD: Busy")
            return
        kind = message.mission_type
        self._kind = kind
        if kind == mavlink.MAV_MISSION_TYPE_ALL:
            for store in self.stores.values():
                store.clear()
            self._kind = 0
            channel.send(mavlink.MAVLink_mission_ack_message(*self._sender(message), items.ACCEPTED, kind))
            return
        self.stores[kind].clear()
        self._ack(channel, self._sender(message), items.ACCEPTED)

    def update(self, now_s: float) -> None:
        if self.state is State.IDLE:
            return
        if now_s - self._heard_s > GIVE_UP_S:
            self._say(CRITICAL, "Operation timeout")
            self.state = State.IDLE
        elif self.state is State.RECEIVING and now_s - self._asked_s > ASK_AGAIN_S:
            self._ask(now_s)
