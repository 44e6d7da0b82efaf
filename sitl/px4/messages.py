"""Incoming messages: who they are for, and which file answers. Parameters are answered here."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pymavlink.dialects.v20 import ardupilotmega as mavlink

from sitl.channel import Channel
from sitl.parameters import as_int32
from sitl.px4 import streams
from sitl.px4.commands import from_int, from_long

if TYPE_CHECKING:
    from sitl.px4.autopilot import Px4

PARAMETERS_PER_LOOP = 20
HASH_CHECK = "_HASH_CHECK"
"""PX4 heads a parameter list with a checksum of all parameters under this name, outside the count."""
_LIST_TYPES = frozenset({0, 1, 2, 255})


class MessageRouter:
    """Dispatch by message name."""

    def __init__(self, autopilot: Px4) -> None:
        self._autopilot = autopilot
        self._listing: list[tuple[Channel, int]] = []
        transfer = autopilot.transfer
        self._handlers: dict[str, Callable[[Any, Channel], None]] = {
            "HEARTBEAT": self._heartbeat,
            "COMMAND_LONG": lambda m, c: self._command(from_long(m), m, c),
            "COMMAND_INT": lambda m, c: self._command(from_int(m), m, c),
            "SET_MODE": self._set_mode,
            "MISSION_COUNT": lambda m, c: transfer.on_count(m, c, autopilot.now_s),
            "MISSION_ITEM_INT": lambda m, c: transfer.on_item(m, c, autopilot.now_s, as_float=False),
            "MISSION_ITEM": self._mission_item,
            "MISSION_ACK": lambda m, c: transfer.on_ack(m),
            "MISSION_REQUEST_LIST": lambda m, c: transfer.on_request_list(m, c, autopilot.now_s),
            "MISSION_REQUEST_INT": lambda m, c: transfer.on_request(m, c, autopilot.now_s, as_float=False),
            "MISSION_REQUEST": lambda m, c: transfer.on_request(m, c, autopilot.now_s, as_float=True),
            "MISSION_CLEAR_ALL": lambda m, c: transfer.on_clear_all(m, c),
            "MISSION_SET_CURRENT": self._mission_set_current,
            "PARAM_REQUEST_LIST": self._parameter_list,
            "PARAM_REQUEST_READ": self._parameter_read,
            "PARAM_SET": self._parameter_set,
            "TIMESYNC": self._timesync,
            "PING": self._ping,
        }

    def handle(self, message: Any, channel: Channel) -> None:
        handler = self._handlers.get(message.get_type())
        if handler is None:
            return
        if getattr(message, "target_system", 0) not in (0, self._autopilot.vehicle.system_id):
            return
        if getattr(message, "target_component", 0) not in (0, 1):
            return
        kind = getattr(message, "mission_type", 0)
        if kind not in _LIST_TYPES or (kind == 255 and message.get_type() != "MISSION_CLEAR_ALL"):
            return
        handler(message, channel)

    # --- link ---------------------------------------------------------------------------------
    def _heartbeat(self, message: Any, channel: Channel) -> None:
        if message.type == mavlink.MAV_TYPE_GCS:
            channel.gcs_heard_s = self._autopilot.now_s
            self._autopilot.failsafes.heard_gcs(self._autopilot.now_s)

    def _timesync(self, message: Any, channel: Channel) -> None:
        if message.tc1 == 0:
            channel.send(mavlink.MAVLink_timesync_message(round(self._autopilot.now_s * 1e9), message.ts1))

    def _ping(self, message: Any, channel: Channel) -> None:
        if message.target_system == 0 and message.target_component == 0:
            channel.send(
                mavlink.MAVLink_ping_message(
                    message.time_usec, message.seq, message.get_srcSystem(), message.get_srcComponent()
                )
            )

    # --- commands -----------------------------------------------------------------------------
    def _command(self, command: Any, message: Any, channel: Channel) -> None:
        autopilot = self._autopilot
        autopilot.commands.handle(command, channel, (message.get_srcSystem(), message.get_srcComponent()))
        if autopilot.reboot_after_ack:
            autopilot.reboot_after_ack = False
            autopilot.reboot()

    def _set_mode(self, message: Any, channel: Channel) -> None:
        # The old way: obeyed, never answered.
        main, sub = message.custom_mode >> 16 & 0xFF, message.custom_mode >> 24 & 0xFF
        if message.base_mode & mavlink.MAV_MODE_FLAG_CUSTOM_MODE_ENABLED:
            self._autopilot.commands.set_mode_silently(main, sub)

    def _mission_item(self, message: Any, channel: Channel) -> None:
        scale = 1.0 if message.frame == 2 else 1e7
        scaled = mavlink.MAVLink_mission_item_int_message(
            message.target_system, message.target_component, message.seq, message.frame, message.command,
            message.current, message.autocontinue, message.param1, message.param2, message.param3,
            message.param4, as_int32(message.x * scale), as_int32(message.y * scale), message.z, message.mission_type,
        )  # fmt: skip
        scaled._header = message._header
        self._autopilot.transfer.on_item(scaled, channel, self._autopilot.now_s, as_float=True)

    def _mission_set_current(self, message: Any, channel: Channel) -> None:
        autopilot = self._autopilot
        if not autopilot.mission.set_current(message.seq):
            autopilot.say(2, "WPM: WP CURR CMD: Not in list")
            return
        streams.broadcast(autopilot, 42)

    # --- parameters ---------------------------------------------------------------------------
    def _send_parameter(self, channel: Channel, name: str, index: int) -> None:
        parameters = self._autopilot.parameters
        channel.send(
            mavlink.MAVLink_param_value_message(
                name.encode("ascii"),
                parameters.on_wire(name),
                parameters.kind(name),
                len(parameters.names),
                index,
            )
        )

    def _parameter_list(self, message: Any, channel: Channel) -> None:
        self._listing = [entry for entry in self._listing if entry[0] is not channel]
        self._listing.append((channel, 0))
        self._send_hash(channel)

    def _send_hash(self, channel: Channel) -> None:
        parameters = self._autopilot.parameters
        channel.send(
            mavlink.MAVLink_param_value_message(
                HASH_CHECK.encode("ascii"), parameters.checksum_on_wire, 5, len(parameters.names), 65535
            )
        )

    def update(self) -> None:
        """Send the next parameters of lists under way."""
        names = self._autopilot.parameters.names
        for position, (channel, index) in enumerate(self._listing):
            end = min(index + PARAMETERS_PER_LOOP, len(names))
            for number in range(index, end):
                self._send_parameter(channel, names[number], number)
            self._listing[position] = (channel, end)
        self._listing = [entry for entry in self._listing if entry[1] < len(names)]

    def _parameter_read(self, message: Any, channel: Channel) -> None:
        parameters = self._autopilot.parameters
        if message.param_index >= 0:
            if message.param_index < len(parameters.names):
                self._send_parameter(channel, parameters.names[message.param_index], message.param_index)
        elif message.param_id == HASH_CHECK:
            self._send_hash(channel)
        elif message.param_id in parameters:
            self._send_parameter(channel, message.param_id, parameters.names.index(message.param_id))

    def _parameter_set(self, message: Any, channel: Channel) -> None:
        parameters = self._autopilot.parameters
        name = message.param_id
        if name not in parameters:
            self._autopilot.say(6, f"[pm] unknown param: {name}")
            return
        if message.param_type != parameters.kind(name):
            # Observed: a wrong type gets no answer.
            self._autopilot.say(6, f"[pm] param types mismatch param: {name}")
            return
        parameters.set(name, parameters.from_wire(message.param_value, message.param_type))
        self._send_parameter(channel, name, parameters.names.index(name))
