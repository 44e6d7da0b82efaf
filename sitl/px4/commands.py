"""COMMAND_LONG and COMMAND_INT as PX4 takes them.

A command without a handler is UNSUPPORTED; some known to others get no answer at all. COMMAND_INT's frame
is ignored: altitudes are above mean sea level, whatever it says.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pymavlink.dialects.v20 import ardupilotmega as mavlink

from core.errors import DroneAedError
from core.geodesy import Wgs84Point
from sitl.channel import Channel
from sitl.px4 import items, streams
from sitl.px4.arming import FORCE
from sitl.px4.gripper import Asked
from sitl.px4.items import StoredItem
from sitl.px4.modes import Mode, from_main_and_sub

if TYPE_CHECKING:
    from sitl.px4.autopilot import Px4

ACCEPTED, TEMPORARILY_REJECTED, DENIED, UNSUPPORTED, FAILED = range(5)
_INT_UNSET = 0x7FFFFFFF
SILENT = frozenset({42600})
"""Commands that get no acknowledgement: observed of DO_WINCH."""
_NOBODY = (0, 0)


@dataclass(frozen=True, slots=True)
class Command:
    """A command in PX4's own shape: seven floats."""

    number: int
    p: tuple[float, float, float, float, float, float, float]
    """p[4], p[5]: degrees; p[6]: metres above mean sea level where it is an altitude."""


def from_long(message: Any) -> Command:
    return Command(
        message.command,
        (
            message.param1, message.param2, message.param3, message.param4, message.param5, message.param6,
            message.param7,
        ),
    )  # fmt: skip


def from_int(message: Any) -> Command:
    def degrees(number: int) -> float:
        return math.nan if number == _INT_UNSET else number * 1e-7

    return Command(
        message.command,
        (
            message.param1, message.param2, message.param3, message.param4, degrees(message.x),
            degrees(message.y), message.z,
        ),
    )  # fmt: skip


def _byte(number: float) -> int:
    return int(number) & 0xFF if math.isfinite(number) else 0


class Commands:
    """Executes commands. Every copy of a command is executed."""

    def __init__(self, autopilot: Px4) -> None:
        self._autopilot = autopilot
        self._handlers: dict[int, Callable[[Command, Channel], int | None]] = {
            400: self._arm,
            22: self._takeoff,
            21: self._land,
            20: self._return,
            176: self._set_mode,
            300: self._mission_start,
            192: self._reposition,
            186: self._change_altitude,
            178: self._change_speed,
            179: self._set_home,
            185: self._terminate,
            187: lambda c, ch: ACCEPTED,
            246: self._reboot,
            410: self._get_home,
            511: self._set_interval,
            510: self._get_interval,
            512: self._request_message,
            520: self._capabilities,
            401: self._run_prearm_checks,
        }

    def handle(self, command: Command, channel: Channel, peer: tuple[int, int]) -> None:
        if command.number in SILENT:
            return
        if command.number == items.DO_GRIPPER:
            # A double «1.0» is an action, too; what is no number is none.
            action = int(command.p[1]) if math.isfinite(command.p[1]) else -1
            self._autopilot.gripper.command(action, Asked(channel, peer))
            return
        handler = self._handlers.get(command.number)
        result = UNSUPPORTED if handler is None else handler(command, channel)
        if result is None:
            return
        self.acknowledge(command.number, result, channel, peer)
        if command.number == 176 and not self._autopilot.armed:
            # Observed on 1.17: acknowledged twice while disarmed.
            self.acknowledge(command.number, result, channel, peer)

    @staticmethod
    def acknowledge(
        number: int, result: int, channel: Channel, peer: tuple[int, int], *, progress: int = 0
    ) -> None:
        channel.send(mavlink.MAVLink_command_ack_message(number, result, progress, 0, peer[0], peer[1]))

    def from_mission(self, item: StoredItem) -> None:
        """An action of the mission: executed, answered to nobody."""
        autopilot = self._autopilot
        p = item.parameters
        if item.command == items.DO_GRIPPER:
            action = int(p[1]) if math.isfinite(p[1]) else -1
            autopilot.gripper.command(action, Asked(None, _NOBODY))
        elif item.command == items.DO_CHANGE_SPEED:
            autopilot.guidance.change_speed(p[1])
        elif item.command == items.RTL:
            autopilot.want_mode(Mode.AUTO_RTL)
            autopilot.say(6, "Returning to launch")
            autopilot.mission.finished = True
        elif item.command == items.COMPONENT_ARM_DISARM and p[0] == 0.0:
            autopilot.disarm("external command")

    # --- flying -------------------------------------------------------------------------------
    def _arm(self, command: Command, channel: Channel) -> int:
        autopilot = self._autopilot
        if not math.isfinite(command.p[0]) or round(command.p[0]) not in (0, 1):
            autopilot.say(2, f"Unsupported ARM_DISARM param: {command.p[0]:.3f}")
            return UNSUPPORTED
        if round(command.p[0]) == 1:
            return ACCEPTED if autopilot.arming.arm("external command") else TEMPORARILY_REJECTED
        done = autopilot.disarm("external command", forced=command.p[1] == FORCE)
        return ACCEPTED if done else TEMPORARILY_REJECTED

    def _want(self, mode: Mode, *, force: bool = False) -> int:
        return ACCEPTED if self._autopilot.want_mode(mode, force=force) else TEMPORARILY_REJECTED

    def _takeoff(self, command: Command, channel: Channel) -> int:
        self._autopilot.takeoff.want(command.p[6])
        return self._want(Mode.AUTO_TAKEOFF)

    def _land(self, command: Command, channel: Channel) -> int:
        result = self._want(Mode.AUTO_LAND, force=True)
        if result == ACCEPTED:
            self._autopilot.say(6, "Landing at current position")
        return result

    def _return(self, command: Command, channel: Channel) -> int:
        result = self._want(Mode.AUTO_RTL)
        if result == ACCEPTED:
            self._autopilot.say(6, "Returning to launch")
        return result

    def _set_mode(self, command: Command, channel: Channel) -> int:
        base, main, sub = (_byte(number) for number in command.p[:3])
        if not base & mavlink.MAV_MODE_FLAG_CUSTOM_MODE_ENABLED:
            return self._want(Mode.AUTO_MISSION) if base & 4 else ACCEPTED
        mode = from_main_and_sub(main, sub)
        if isinstance(mode, str):
            self._autopilot.say(2, mode)
            return TEMPORARILY_REJECTED
        if mode is None:
            # A main mode nobody knows is accepted, and nothing happens.
            return ACCEPTED
        return self._want(mode, force=mode is Mode.AUTO_LAND)

    def set_mode_silently(self, main: int, sub: int) -> None:
        """SET_MODE, the message of old."""
        mode = from_main_and_sub(main, sub)
        if isinstance(mode, Mode):
            self._want(mode, force=mode is Mode.AUTO_LAND)

    def _mission_start(self, command: Command, channel: Channel) -> int:
        autopilot = self._autopilot
        if not autopilot.mission.valid:
            autopilot.say(2, "Mission start denied! No valid mission")
            return DENIED
        first = command.p[0]
        if not math.isfinite(first) or not -1 <= first < len(autopilot.mission_store.items):
            return DENIED
        if autopilot.want_mode(Mode.AUTO_MISSION) and autopilot.arming.arm("mission start"):
            return ACCEPTED
        return TEMPORARILY_REJECTED

    def _place(self, latitude_deg: float, longitude_deg: float) -> tuple[float, float] | None:
        """Local north and east; None when they are no position."""
        if not (math.isfinite(latitude_deg) and math.isfinite(longitude_deg)):
            return None
        try:
            return self._autopilot.body.local_of(Wgs84Point(latitude_deg, longitude_deg))
        except DroneAedError:
            return None

    def _reposition(self, command: Command, channel: Channel) -> int:
        """Accepted when the mode could be changed; whether it is flown is another matter."""
        flags = int(command.p[1]) if math.isfinite(command.p[1]) else 0
        if flags != 1:
            return UNSUPPORTED
        self._go(command.p[4], command.p[5], command.p[6], command.p[0], "Reposition is outside geofence")
        return self._want(Mode.AUTO_LOITER)

    def _change_altitude(self, command: Command, channel: Channel) -> int:
        self._go(math.nan, math.nan, command.p[0], -1.0, "Altitude change is outside geofence")
        return self._want(Mode.AUTO_LOITER)

    def _go(
        self, latitude_deg: float, longitude_deg: float, amsl_m: float, speed: float, outside: str
    ) -> None:
        autopilot = self._autopilot
        if not autopilot.armed:
            return
        place = self._place(latitude_deg, longitude_deg)
        stop = autopilot.body.stopping_point()
        north, east = (stop[0], stop[1]) if place is None else place
        up = amsl_m - autopilot.body.launch_amsl_m if math.isfinite(amsl_m) else autopilot.body.believed_up_m
        height_m = up + autopilot.body.launch_amsl_m - autopilot.home_amsl_m
        if not autopilot.fence.allows_destination(north, east, height_m):
            autopilot.say(2, outside)
            return
        autopilot.hold.reposition((north, east, up), speed if math.isfinite(speed) and speed > 0 else None)

    def _change_speed(self, command: Command, channel: Channel) -> int:
        if not math.isfinite(command.p[1]):
            return DENIED
        self._autopilot.guidance.change_speed(command.p[1])
        return ACCEPTED

    def _terminate(self, command: Command, channel: Channel) -> int:
        if not command.p[0] > 0.5 or not self._autopilot.armed:
            return DENIED
        self._autopilot.terminate()
        return ACCEPTED

    # --- home ---------------------------------------------------------------------------------
    def _set_home(self, command: Command, channel: Channel) -> int:
        autopilot = self._autopilot
        if not autopilot.position_ok:
            return TEMPORARILY_REJECTED
        if command.p[0] > 0.5:
            autopilot.set_home(autopilot.believed_position, autopilot.believed_amsl_m)
            return ACCEPTED
        if self._place(command.p[4], command.p[5]) is None or not math.isfinite(command.p[6]):
            return DENIED
        autopilot.set_home(Wgs84Point(command.p[4], command.p[5]), command.p[6], manual=True)
        return ACCEPTED

    def _get_home(self, command: Command, channel: Channel) -> int:
        message = streams.build(self._autopilot, 242)
        if message is None:
            return DENIED
        channel.send(message)
        return ACCEPTED

    # --- messages -----------------------------------------------------------------------------
    def _set_interval(self, command: Command, channel: Channel) -> int:
        message_id, interval_us = command.p[0], command.p[1]
        if not (math.isfinite(message_id) and math.isfinite(interval_us)) or not streams.is_known(
            int(message_id)
        ):
            return FAILED
        now_s = self._autopilot.now_s
        if interval_us < 0:
            channel.set_interval(int(message_id), None, now_s)
        elif interval_us == 0:
            channel.set_interval(int(message_id), streams.DEFAULT_INTERVALS_S.get(int(message_id)), now_s)
        else:
            channel.set_interval(int(message_id), max(interval_us * 1e-6, 0.02), now_s)
        return ACCEPTED

    def _get_interval(self, command: Command, channel: Channel) -> int:
        message_id = int(command.p[0]) if math.isfinite(command.p[0]) else -1
        if not streams.is_known(message_id):
            return FAILED
        interval_s = channel.intervals_s.get(message_id)
        channel.send(
            mavlink.MAVLink_message_interval_message(
                message_id, -1 if interval_s is None else round(interval_s * 1e6)
            )
        )
        return ACCEPTED

    def _request_message(self, command: Command, channel: Channel) -> int:
        message_id = int(command.p[0]) if math.isfinite(command.p[0]) else -1
        if not streams.is_known(message_id):
            return DENIED
        message = streams.build(self._autopilot, message_id)
        if message is None:
            return DENIED
        channel.send(message)
        return ACCEPTED

    def _capabilities(self, command: Command, channel: Channel) -> int:
        channel.send(streams.build(self._autopilot, 148))
        return ACCEPTED

    def _run_prearm_checks(self, command: Command, channel: Channel) -> int:
        if self._autopilot.armed:
            return TEMPORARILY_REJECTED
        for each in self._autopilot.arming.complaints():
            self._autopilot.say(2, each)
        return ACCEPTED

    def _reboot(self, command: Command, channel: Channel) -> int:
        if _byte(command.p[0]) == 0:
            return ACCEPTED
        if self._autopilot.armed or _byte(command.p[0]) not in (1, 3):
            return DENIED
        self._autopilot.reboot_after_ack = True
        return ACCEPTED
