"""COMMAND_LONG and COMMAND_INT: what is accepted, refused and done, one method a command.

An ACK says that the command was taken, not that it took effect: as on the real vehicle.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pymavlink.dialects.v20 import ardupilotmega as mavlink

from core.geodesy import Wgs84Point
from sitl.ardupilot import items, streams
from sitl.ardupilot.arming import FORCE_ARM, FORCE_DISARM
from sitl.ardupilot.modes import Mode
from sitl.channel import Channel

if TYPE_CHECKING:
    from sitl.ardupilot.autopilot import ArduCopter

ACCEPTED, DENIED, UNSUPPORTED, FAILED = 0, 2, 3, 4
COMMAND_INT_ONLY, COMMAND_UNSUPPORTED_FRAME = 8, 9
CHANGE_MODE_FLAG = 1
FORCED_REBOOT = 20190226


def whole(number: float, otherwise: int = -1) -> int:
    """The integer a C cast keeps of ``number``; ``otherwise`` for what is not a number or infinite."""
    return int(number) if math.isfinite(number) else otherwise


@dataclass(frozen=True, slots=True)
class Command:
    """A command in COMMAND_INT's shape, whichever message brought it."""

    number: int
    p1: float
    p2: float
    p3: float
    p4: float
    x: int
    y: int
    z: float
    frame: int
    was_long: bool


def from_long(message: Any) -> Command:
    """ArduPilot turns COMMAND_LONG into COMMAND_INT with positions scaled, frame 3 (relative to home)."""
    located = message.command in _LOCATED
    scale = 1e7 if located else 1.0

    def whole(number: float) -> int:
        return int(number * scale) if math.isfinite(number) and abs(number * scale) < 2**31 else 0

    return Command(
        message.command, message.param1, message.param2, message.param3, message.param4,
        whole(message.param5), whole(message.param6), message.param7, 3, True,
    )  # fmt: skip


def from_int(message: Any) -> Command:
    return Command(
        message.command, message.param1, message.param2, message.param3, message.param4,
        message.x, message.y, message.z, message.frame, False,
    )  # fmt: skip


_LOCATED = frozenset({179, 192, 195, 201, 16, 17, 21, 22})


class Commands:
    """Executes commands. Every copy of a command is executed: nothing is de-duplicated."""

    def __init__(self, autopilot: ArduCopter) -> None:
        self._autopilot = autopilot
        self._handlers: dict[int, Callable[[Command, Channel], int | None]] = {
            400: self._arm,
            22: self._takeoff,
            21: lambda c, ch: self._mode(Mode.LAND),
            20: lambda c, ch: self._mode(Mode.RTL),
            17: lambda c, ch: self._mode(Mode.LOITER),
            176: self._set_mode,
            300: self._mission_start,
            511: self._set_interval,
            510: self._get_interval,
            512: self._request_message,
            520: self._capabilities,
            192: self._reposition,
            224: self._set_current,
            193: self._pause,
            178: self._change_speed,
            42600: self._winch,
            211: self._gripper,
            207: self._fence,
            185: self._terminate,
            246: self._reboot,
            179: self._set_home,
            410: self._get_home,
            115: self._yaw,
            208: self._parachute,
            401: self._run_prearm_checks,
            428: lambda c, ch: ACCEPTED,
        }

    def handle(self, command: Command, channel: Channel, peer: tuple[int, int]) -> None:
        handler = self._handlers.get(command.number)
        result = UNSUPPORTED if handler is None else handler(command, channel)
        if result is None:
            return
        self.acknowledge(command.number, result, channel, peer)

    @staticmethod
    def acknowledge(number: int, result: int, channel: Channel, peer: tuple[int, int]) -> None:
        channel.send(mavlink.MAVLink_command_ack_message(number, result, 0, 0, peer[0], peer[1]))

    # --- flying -------------------------------------------------------------------------------
    def _arm(self, command: Command, channel: Channel) -> int:
        arming = self._autopilot.arming
        if command.p1 == 1.0:
            done = arming.arm(force=command.p2 == FORCE_ARM)
        elif command.p1 == 0.0:
            done = arming.disarm_by_command(force=command.p2 == FORCE_DISARM)
        else:
            return UNSUPPORTED
        return ACCEPTED if done else FAILED

    def _takeoff(self, command: Command, channel: Channel) -> int:
        if command.frame != mavlink.MAV_FRAME_GLOBAL_RELATIVE_ALT:
            return DENIED
        if not math.isfinite(command.z):
            return FAILED
        return ACCEPTED if self._autopilot.user_takeoff(command.z) else FAILED

    def _mode(self, mode: Mode) -> int:
        return ACCEPTED if self._autopilot.set_mode(mode) else FAILED

    def _set_mode(self, command: Command, channel: Channel) -> int:
        if not whole(command.p1, 0) & mavlink.MAV_MODE_FLAG_CUSTOM_MODE_ENABLED:
            return DENIED
        try:
            mode = Mode(whole(command.p2))
        except ValueError:
            self._autopilot.say(4, f"No such mode {whole(command.p2)}")
            return FAILED
        return self._mode(mode)

    def _mission_start(self, command: Command, channel: Channel) -> int:
        return ACCEPTED if self._autopilot.start_mission() else FAILED

    def _reposition(self, command: Command, channel: Channel) -> int:
        autopilot = self._autopilot
        if command.was_long:
            return COMMAND_INT_ONLY
        changes_mode = bool(whole(command.p2, 0) & CHANGE_MODE_FLAG)
        if autopilot.mode is not Mode.GUIDED and not changes_mode:
            return DENIED
        if not (items.latitude_is_valid(command.x) and items.longitude_is_valid(command.y)):
            return DENIED
        if command.frame not in (0, 3, 5, 6, 10, 11) or not math.isfinite(command.z):
            return DENIED
        if command.x == 0 and command.y == 0:
            return DENIED
        north, east = autopilot.to_local(command.x, command.y)
        up = autopilot.up_from(command.z, command.frame)
        height_m = up + autopilot.body.launch_amsl_m - autopilot.home_amsl_m
        if not autopilot.fence.allows(north, east, height_m):
            return FAILED
        if autopilot.mode is not Mode.GUIDED and not autopilot.set_mode(Mode.GUIDED):
            return FAILED
        return ACCEPTED if autopilot.guided_go(north, east, up) else FAILED

    def _pause(self, command: Command, channel: Channel) -> int:
        autopilot = self._autopilot
        choice = whole(command.p1)
        if choice not in (0, 1):
            return DENIED
        done = False
        if autopilot.mode is Mode.AUTO:
            done = (
                autopilot.mission.navigation.pause()
                if choice == 0
                else autopilot.mission.navigation.unpause()
            )
        elif autopilot.mode is Mode.GUIDED and autopilot.guided_target is not None:
            if choice == 0:
                autopilot.body.hold_horizontally()
                autopilot.body.climb_to(autopilot.body.believed_up_m)
                done = True
            else:
                done = autopilot.guided_go(*autopilot.guided_target)
        if not done:
            autopilot.say(6, "Failed to pause" if choice == 0 else "Failed to resume")
            return FAILED
        return ACCEPTED

    def _change_speed(self, command: Command, channel: Channel) -> int:
        if not 0 < command.p2 < math.inf:
            return FAILED
        return (
            ACCEPTED if self._autopilot.tuning.change_speed(whole(command.p1 + 0.5), command.p2) else FAILED
        )

    def _yaw(self, command: Command, channel: Channel) -> int:
        if not 0 <= command.p1 <= 360 or command.p4 not in (0.0, 1.0):
            return FAILED
        heading = math.radians(command.p1)
        if command.p4 == 1.0:
            heading = self._autopilot.body.yaw_rad + math.copysign(heading, command.p3 or 1.0)
        self._autopilot.body.point_nose(heading)
        return ACCEPTED

    def _terminate(self, command: Command, channel: Channel) -> int:
        if command.p1 <= 0.5:
            return FAILED
        self._autopilot.say(2, "Terminating due to GCS request")
        self._autopilot.disarm("terminated")
        return ACCEPTED

    # --- mission, fence, home -----------------------------------------------------------------
    def _set_current(self, command: Command, channel: Channel) -> int:
        mission = self._autopilot.mission
        index = whole(command.p1)
        if not 0 <= index < mission.count:
            return DENIED
        if command.p2 == 1.0:
            mission.reset()
        if not mission.set_current(index):
            return FAILED
        if command.p2 == 1.0:
            mission.resume()
        streams.broadcast(self._autopilot, 42)
        return ACCEPTED

    def _fence(self, command: Command, channel: Channel) -> int:
        choice = whole(command.p1)
        if choice == 0:
            self._autopilot.enable_fence(False)
            return ACCEPTED
        if choice == 1:
            return ACCEPTED if self._autopilot.enable_fence(True) else FAILED
        return ACCEPTED if choice == 2 else FAILED

    def _set_home(self, command: Command, channel: Channel) -> int:
        autopilot = self._autopilot
        if command.p1 == 1.0 or (command.x == 0 and command.y == 0):
            if not autopilot.position_ok:
                return FAILED
            autopilot.set_home(autopilot.believed_position, autopilot.body.altitude_amsl_m, locked=True)
            return ACCEPTED
        if command.p1 != 0.0:
            return FAILED
        if not (items.latitude_is_valid(command.x) and items.longitude_is_valid(command.y)):
            return DENIED
        if not math.isfinite(command.z):
            return DENIED
        amsl_m = autopilot.up_from(command.z, 0 if command.was_long else command.frame)
        autopilot.set_home(
            Wgs84Point(command.x * 1e-7, command.y * 1e-7), amsl_m + autopilot.body.launch_amsl_m, locked=True
        )
        return ACCEPTED

    def _get_home(self, command: Command, channel: Channel) -> int:
        if not self._autopilot.home_set:
            return FAILED
        channel.send(streams.build(self._autopilot, 242))
        return ACCEPTED

    # --- messages -----------------------------------------------------------------------------
    def _set_interval(self, command: Command, channel: Channel) -> int:
        message_id, interval_us = whole(command.p1), command.p2
        if not streams.is_known(message_id) or not math.isfinite(interval_us):
            return FAILED
        now_s = self._autopilot.now_s
        if interval_us < 0:
            channel.set_interval(message_id, None, now_s)
        elif interval_us == 0:
            default_s = streams.DEFAULT_INTERVALS_S.get(message_id)
            channel.set_interval(message_id, default_s, now_s)
        else:
            # 50 Hz is what the simulator's streams can follow; the real one clamps to its loop as well.
            channel.set_interval(message_id, max(interval_us * 1e-6, 0.02), now_s)
        return ACCEPTED

    def _get_interval(self, command: Command, channel: Channel) -> int:
        message_id = whole(command.p1)
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
        message_id = whole(command.p1)
        if not streams.is_known(message_id):
            return FAILED
        message = streams.build(self._autopilot, message_id)
        if message is None:
            return FAILED
        channel.send(message)
        return ACCEPTED

    def _capabilities(self, command: Command, channel: Channel) -> int:
        if command.p1 != 1.0:
            return FAILED
        channel.send(streams.build(self._autopilot, 148))
        return ACCEPTED

    # --- gear and the rest --------------------------------------------------------------------
    def _winch(self, command: Command, channel: Channel) -> int:
        if not all(math.isfinite(number) for number in (command.p2, command.p3, command.p4)):
            # ArduPilot's simulator ends here with a floating-point trap: refused, and told to the test.
            self._autopilot.vehicle.witness("not a number in DO_WINCH")
            return FAILED
        done = self._autopilot.gear.winch(whole(command.p2), command.p3, command.p4)
        return ACCEPTED if done else FAILED

    def _gripper(self, command: Command, channel: Channel) -> int:
        if not math.isfinite(command.p2):
            self._autopilot.vehicle.witness("not a number in DO_GRIPPER")
            return FAILED
        return ACCEPTED if self._autopilot.gear.grip(whole(command.p2)) else FAILED

    def _parachute(self, command: Command, channel: Channel) -> int:
        # Observed: acked even without a parachute.
        if whole(command.p1) not in (0, 1, 2):
            return FAILED
        if whole(command.p1) == 2:
            self._autopilot.release_parachute()
        return ACCEPTED

    def _run_prearm_checks(self, command: Command, channel: Channel) -> int:
        for complaint in self._autopilot.arming.pre_arm_complaints():
            self._autopilot.say(2, f"PreArm: {complaint}")
        return ACCEPTED

    def _reboot(self, command: Command, channel: Channel) -> int | None:
        if self._autopilot.armed and command.y != FORCED_REBOOT:
            return FAILED
        if command.p1 not in (1.0, 3.0):
            return UNSUPPORTED
        self._autopilot.reboot_after_ack = True
        return ACCEPTED
