"""An observer on a second link of a real autopilot: pymavlink's own connection, none of our code.

It never counts as a ground station (no heartbeat of that kind), so that losing our link stays losing the link.
"""

from __future__ import annotations

import contextlib
import struct
import threading
import time
from typing import Any

from pymavlink import mavutil

from core.geodesy import Wgs84Point, geodesic_distance_m
from tests.conformance.theatre import HOME, Testimony

OBSERVER_SYSTEM = 191
ONBOARD_CONTROLLER = 18
ARMED = 128
INT32, REAL32 = 6, 9
SILENT_S = 2.0
"""Chosen, real seconds: heartbeats come every second of the vehicle's. A TCP link of pymavlink whose other side was
off stays closed without a word."""
MOVED_US = 300
"""A gripper's output that travelled this far moved from one end towards the other."""


class Witness:
    """Keeps a :class:`Testimony` up to date in a thread of its own, and provokes what the verbs ask for."""

    def __init__(self, address: str, system_id: int, gripper_output: int, source_port: int | None) -> None:
        self.testimony = Testimony()
        self._address, self._system, self._output = address, system_id, gripper_output
        self._source_port = source_port
        self._held_us: int | None = None
        self._ended = threading.Event()
        self._link: Any = None
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop watching."""
        self._ended.set()
        self._thread.join(5.0)

    # --- watching -----------------------------------------------------------------------------

    def _connect(self) -> Any:
        link = mavutil.mavlink_connection(
            self._address, source_system=OBSERVER_SYSTEM, source_component=1, dialect="ardupilotmega"
        )
        if self._source_port is not None:
            link.port.bind(("127.0.0.1", self._source_port))
        return link

    def _watch(self) -> None:
        asked_s = heard_s = 0.0
        while not self._ended.is_set():
            try:
                if self._link is None:
                    self._link = self._connect()
                    heard_s = time.monotonic()
                if time.monotonic() - asked_s > 1.0:
                    asked_s = time.monotonic()
                    self._ask(self._link)
                message = self._link.recv_match(blocking=True, timeout=0.05)
            except (OSError, EOFError):
                self._hang_up()
                time.sleep(0.2)
                continue
            if message is not None and message.get_srcSystem() == self._system:
                heard_s = time.monotonic()
                self._take(message.get_type(), message)
            elif time.monotonic() - heard_s > SILENT_S:
                self._hang_up()
        self._hang_up()

    def _hang_up(self) -> None:
        if self._link is not None:
            with contextlib.suppress(OSError):
                self._link.close()
            self._link = None

    def _ask(self, link: Any) -> None:
        link.mav.heartbeat_send(ONBOARD_CONTROLLER, 8, 0, 0, 4)
        for message_id in (33, 36):
            link.mav.command_long_send(self._system, 1, 511, 0, float(message_id), 100_000.0, 0, 0, 0, 0, 0)

    def _take(self, kind: str, message: Any) -> None:
        seen = self.testimony
        if kind == "HEARTBEAT" and message.get_srcComponent() == 1:
            armed = bool(message.base_mode & ARMED)
            if armed and not seen.armed:
                seen.times_armed += 1
            seen.armed = armed
        elif kind == "GLOBAL_POSITION_INT" and (message.lat or message.lon):
            seen.position = Wgs84Point(message.lat / 1e7, message.lon / 1e7)
            seen.height_m = message.relative_alt / 1000.0
            if seen.armed:
                seen.highest_m = max(seen.highest_m, seen.height_m)
                seen.farthest_m = max(seen.farthest_m, geodesic_distance_m(seen.position, HOME.position))
        elif kind == "SERVO_OUTPUT_RAW" and message.port == 0:
            self._take_output(getattr(message, f"servo{self._output}_raw"))
        elif kind == "STATUSTEXT":
            seen.texts.append(message.text)

    def _take_output(self, width_us: int) -> None:
        if not self.testimony.armed:
            self._held_us = width_us if width_us > 1500 else self._held_us
        elif self._held_us is not None and self._held_us - width_us > MOVED_US:
            self.testimony.released = True

    # --- provoking ----------------------------------------------------------------------------

    def command(self, number: int, *params: float) -> None:
        """COMMAND_LONG, without waiting for an answer."""
        padded = [*params, *([0.0] * (7 - len(params)))]
        self._speaking().mav.command_long_send(self._system, 1, number, 0, *padded)

    def _speaking(self) -> Any:
        """The link; a provocation that nobody could hear proves nothing."""
        link = self._link
        assert link is not None, "the witness has no link to the vehicle"
        return link

    def set_float(self, name: str, value: float) -> None:
        """PARAM_SET of a float, a few times: the link may lose it."""
        for _ in range(3):
            self._speaking().mav.param_set_send(self._system, 1, name.encode(), value, REAL32)

    def set_whole(self, name: str, value: int) -> None:
        """PARAM_SET of a whole number, its bytes in the float's place (PX4)."""
        (wire,) = struct.unpack("<f", struct.pack("<i", value))
        for _ in range(3):
            self._speaking().mav.param_set_send(self._system, 1, name.encode(), wire, INT32)
