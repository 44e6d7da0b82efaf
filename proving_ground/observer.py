"""An observer on a real autopilot's second link, or at the only one: what the autopilot reports about itself.

It shares no MAVLink code with the flight controller, and it is no ground station: losing our link stays losing it.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Hashable
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mavlink

from core.clock import Clock
from core.errors import LinkError
from core.geodesy import Wgs84Point
from flight.links.transport import Transport
from proving_ground.eyes import Sighting
from sitl.body import Terrain
from sitl.payload import LOAD_HEIGHT_M, SURVIVABLE_DROP_M

OBSERVER_SYSTEM = 191
ASK_EVERY_S = 2.0
REPORTED = (
    mavlink.MAVLINK_MSG_ID_GLOBAL_POSITION_INT,
    mavlink.MAVLINK_MSG_ID_SERVO_OUTPUT_RAW,
    mavlink.MAVLINK_MSG_ID_EXTENDED_SYS_STATE,
    mavlink.MAVLINK_MSG_ID_SYS_STATUS,
    mavlink.MAVLINK_MSG_ID_WINCH_STATUS,
)
INTERVAL_US = 200_000.0
MOVED_US = 300
"""A gripper's output that travelled this far moved from one end towards the other (both drive 1000 to 2000)."""
NEUTRAL_US = 1500
ESTIMATE_M = 1.0
"""Heights are estimates here: both simulators were seen to wander by a metre."""
CRASH_WORDS = ("crash", "attitude failure", "parachute")


class Observer:
    """An eye (:mod:`proving_ground.eyes`) on a vehicle that nobody sees from outside."""

    def __init__(self, clock: Clock, system_id: int, terrain: Terrain, gripper_output: int) -> None:
        self._clock, self.system_id, self._terrain = clock, system_id, terrain
        self._output = f"servo{gripper_output}_raw"
        self._codec = mavlink.MAVLink(None, srcSystem=OBSERVER_SYSTEM, srcComponent=1)
        self._codec.robust_parsing = True
        self._seen: list[Sighting] = []
        self._held_us: int | None = None
        self._line_m = 0.0
        self._landed: bool | None = None
        self._place: Wgs84Point | None = None
        self._transport: Transport | None = None
        self.listeners: list[Callable[[Any], None]] = []
        """Called with every message of the vehicle: whoever waits for an answer."""
        self.armed = False
        self.altitude_amsl_m = 0.0
        self.ground_speed_m_s = 0.0
        self.charge_fraction = math.nan

    # --- what is seen -------------------------------------------------------------------------

    @property
    def has_position(self) -> bool:
        """Whether the autopilot has told where it is."""
        return self._place is not None

    @property
    def position(self) -> Wgs84Point:
        assert self._place is not None, "the autopilot never told where it is"
        return self._place

    @property
    def on_ground(self) -> bool:
        """As the autopilot's landed detector says; where it never said, disarmed must do."""
        return not self.armed if self._landed is None else self._landed

    def sightings(self) -> tuple[Sighting, ...]:
        return tuple(self._seen)

    # --- its own link -------------------------------------------------------------------------

    async def watch(self, make_transport: Callable[[], Transport]) -> None:
        """Listen on a link of its own and ask for what it needs. Until cancelled."""
        while True:
            transport = make_transport()
            closed: list[str] = []
            try:
                await transport.open(self.hear, closed.append)
                self._transport = transport
                while not closed:
                    self._ask()
                    await self._clock.sleep(ASK_EVERY_S)
            except LinkError:
                await self._clock.sleep(ASK_EVERY_S)
            finally:
                self._transport = None
                await transport.close()

    def _ask(self) -> None:
        self.send(
            self._codec.heartbeat_encode(
                mavlink.MAV_TYPE_ONBOARD_CONTROLLER, mavlink.MAV_AUTOPILOT_INVALID, 0, 0, 4
            )
        )
        for message_id in REPORTED:
            self.send(
                self._codec.command_long_encode(
                    self.system_id,
                    1,
                    mavlink.MAV_CMD_SET_MESSAGE_INTERVAL,
                    0,
                    float(message_id),
                    INTERVAL_US,
                    *(0.0,) * 5,
                )
            )

    def send(self, message: Any) -> None:
        """Say something to the vehicle, where there is a link of our own."""
        if self._transport is not None:
            self._transport.send(message.pack(self._codec), None)

    # --- hearing ------------------------------------------------------------------------------

    def hear(self, data: bytes, peer: Hashable) -> None:
        """Take bytes from the vehicle."""
        try:
            messages = self._codec.parse_buffer(data) or ()
        except (mavlink.MAVError, struct.error):
            return
        for message in messages:
            if message.get_srcSystem() == self.system_id:
                self._take(message)

    def _take(self, message: Any) -> None:
        kind = message.get_type()
        for listener in list(self.listeners):
            listener(message)
        if kind == "HEARTBEAT" and message.get_srcComponent() == 1:
            self._take_armed(bool(message.base_mode & mavlink.MAV_MODE_FLAG_SAFETY_ARMED))
        elif kind == "GLOBAL_POSITION_INT" and (message.lat or message.lon):
            self._place = Wgs84Point(message.lat / 1e7, message.lon / 1e7)
            self.altitude_amsl_m = message.alt / 1000.0
            self.ground_speed_m_s = math.hypot(message.vx, message.vy) / 100.0
        elif kind == "EXTENDED_SYS_STATE" and message.landed_state:
            self._landed = message.landed_state == mavlink.MAV_LANDED_STATE_ON_GROUND
        elif kind == "SYS_STATUS" and message.battery_remaining >= 0:
            self.charge_fraction = message.battery_remaining / 100.0
        elif kind == "WINCH_STATUS":
            self._line_m = message.line_length
        elif kind == "SERVO_OUTPUT_RAW" and message.port == 0:
            self._take_output(getattr(message, self._output))
        elif kind == "STATUSTEXT" and any(word in message.text.lower() for word in CRASH_WORDS):
            self._note("crashed", message.text)

    def _take_armed(self, armed: bool) -> None:
        if armed != self.armed:
            self.armed = armed
            self._note("armed" if armed else "disarmed", "")

    def _take_output(self, width_us: int) -> None:
        if width_us > NEUTRAL_US:
            self._held_us = width_us
        elif self._held_us is not None and self._held_us - width_us > MOVED_US:
            self._held_us = None
            self._note("released", f"output at {width_us} µs")
            self._take_release()

    def _take_release(self) -> None:
        if self._place is None:
            return
        height_m = self.altitude_amsl_m - self._terrain(self._place) - self._line_m - LOAD_HEIGHT_M
        what = "on_ground" if height_m <= SURVIVABLE_DROP_M + ESTIMATE_M else "dropped"
        self._note(what, f"{max(0.0, height_m):.1f} m")

    def _note(self, what: str, detail: str) -> None:
        self._seen.append((round(self._clock.monotonic_s(), 3), what, detail))
