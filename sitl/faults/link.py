"""A bad radio link: what happens to datagrams between the vehicle and its peers. Seeded."""

from __future__ import annotations

import heapq
import random
from collections import deque
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mavlink

from sitl.faults.kinds import FaultKind

GROUP = "link"
REORDER_S = (0.05, 0.3)
"""How late a datagram comes that others overtake."""
REMEMBERED = 200
"""Datagrams an eavesdropper keeps for playing them again."""

FAULTS = (
    FaultKind("link_loss", "no byte passes in either direction", GROUP),
    FaultKind(
        "link_packet_loss", "each datagram is lost with this probability", GROUP, default_strength=0.3,
        unit="probability",
    ),
    FaultKind(
        "link_flap", "the link goes and comes with this period", GROUP, default_strength=4.0, unit="s",
    ),
    FaultKind(
        "link_delay", "every datagram comes later, by up to this time", GROUP, default_strength=2.0, unit="s",
    ),
    FaultKind(
        "link_duplicate", "each datagram comes twice with this probability", GROUP, default_strength=0.3,
        unit="probability",
    ),
    FaultKind(
        "link_reorder", "datagrams overtake each other with this probability", GROUP, default_strength=0.3,
        unit="probability",
    ),
    FaultKind(
        "link_corrupt", "one bit of a datagram flips with this probability", GROUP, default_strength=0.1,
        unit="probability",
    ),
    FaultKind(
        "link_forged", "somebody sends frames that claim to be this vehicle, this many a second", GROUP,
        default_strength=5.0, unit="1/s",
    ),
    FaultKind(
        "link_replayed", "somebody plays old frames of this vehicle again, this many a second", GROUP,
        default_strength=5.0, unit="1/s",
    ),
)  # fmt: skip
_SHAPING = frozenset({"link_packet_loss", "link_delay", "link_duplicate", "link_reorder", "link_corrupt"})


class Link:
    """One direction of a vehicle's radio, per channel. Time is the vehicle's."""

    def __init__(self, chance: random.Random, active: dict[str, float]) -> None:
        self._chance = chance
        self._active = active
        self._waiting: list[tuple[float, int, int, bytes]] = []
        self._number = 0

    @property
    def is_plain(self) -> bool:
        """Nothing happens here: everything passes at once."""
        if self._waiting:
            return False
        return not self._active or not any(name.startswith("link_") for name in self._active)

    def is_down(self, now_s: float) -> bool:
        active = self._active
        if "link_loss" in active:
            return True
        return "link_flap" in active and (now_s / active["link_flap"]) % 1.0 >= 0.5

    def _happens(self, name: str) -> bool:
        share = self._active.get(name)
        return share is not None and self._chance.random() < share

    def send(self, channel: int, data: bytes, now_s: float) -> None:
        """Give a datagram to the link; :meth:`take` brings out what arrives."""
        if self.is_down(now_s):
            return
        for _ in range(2 if self._happens("link_duplicate") else 1):
            if self._happens("link_packet_loss"):
                continue
            sent = self._flipped(data) if data and self._happens("link_corrupt") else data
            late_s = (
                self._chance.uniform(0.0, self._active["link_delay"]) if "link_delay" in self._active else 0.0
            )
            if self._happens("link_reorder"):
                late_s += self._chance.uniform(*REORDER_S)
            self._number += 1
            heapq.heappush(self._waiting, (now_s + late_s, self._number, channel, sent))

    def take(self, now_s: float) -> list[tuple[int, bytes]]:
        """(channel, datagram) of everything that has arrived by now."""
        arrived = []
        while self._waiting and self._waiting[0][0] <= now_s + 1e-9:
            _, _, channel, data = heapq.heappop(self._waiting)
            arrived.append((channel, data))
        return arrived

    def _flipped(self, data: bytes) -> bytes:
        changed = bytearray(data)
        changed[self._chance.randrange(len(changed))] ^= 1 << self._chance.randrange(8)
        return bytes(changed)


class Attacker:
    """Listens to the vehicle's frames and sends forged and old ones to its peers."""

    def __init__(self, chance: random.Random, active: dict[str, float], system_id: int) -> None:
        self._chance = chance
        self._active = active
        self._codec = mavlink.MAVLink(None, srcSystem=system_id, srcComponent=1)
        self._heard: deque[bytes] = deque(maxlen=REMEMBERED)
        self._owed = {"link_forged": 0.0, "link_replayed": 0.0}

    def hear(self, data: bytes) -> None:
        if "link_replayed" in self._active:
            self._heard.append(data)

    def _count(self, name: str, step_s: float) -> int:
        self._owed[name] += self._active.get(name, 0.0) * step_s
        whole = int(self._owed[name])
        self._owed[name] -= whole
        return whole

    def attack(self, step_s: float, boot_ms: int) -> list[bytes]:
        """What he sends during ``step_s``."""
        if "link_forged" not in self._active and "link_replayed" not in self._active:
            return []
        frames = [self._forged(boot_ms) for _ in range(self._count("link_forged", step_s))]
        for _ in range(self._count("link_replayed", step_s)):
            if self._heard:
                frames.append(self._heard[self._chance.randrange(len(self._heard))])
        return frames

    def _forged(self, boot_ms: int) -> bytes:
        choice = self._chance.randrange(4)
        message: Any
        if choice == 0:
            # «Disarmed, on the ground.»
            message = mavlink.MAVLink_heartbeat_message(2, 3, 0x51, 0, 3, 3)
        elif choice == 1:
            message = mavlink.MAVLink_global_position_int_message(
                boot_ms, 5_000_000, 5_000_000, 0, 0, 0, 0, 0, 0
            )
        elif choice == 2:
            # «Command taken.»
            message = mavlink.MAVLink_command_ack_message(400, 0, 0, 0, 255, 190)
        else:
            message = mavlink.MAVLink_extended_sys_state_message(0, 1)
        self._codec.seq = self._chance.randrange(256)
        return bytes(message.pack(self._codec))
