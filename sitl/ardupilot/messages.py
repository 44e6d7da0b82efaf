"""Incoming messages: who they are for, and which file answers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pymavlink.dialects.v20 import ardupilotmega as mavlink

from sitl.ardupilot import items, streams
from sitl.ardupilot.commands import from_int, from_long
from sitl.ardupilot.modes import Mode
from sitl.ardupilot.transfer import Transfer
from sitl.channel import Channel
from sitl.parameters import as_int32

if TYPE_CHECKING:
    from sitl.ardupilot.autopilot import ArduCopter

PARAMETERS_PER_LOOP = 20
"""A full list takes about 1.3 s: a radio's worth, and no burst that overruns a socket."""
_POSITION_IGNORED = 0x0007
_VELOCITY_IGNORED = 0x0038


class MessageRouter:
    """Dispatch by message name; parameter and stream requests are answered here."""

    def __init__(self, autopilot: ArduCopter) -> None:
        self._autopilot = autopilot
        self._listing: list[tuple[Channel, int]] = []
        self._handlers: dict[str, Callable[[Any, Channel], None]] = {
            "HEARTBEAT": self._heartbeat,
            "COMMAND_LONG": self._command_long,
            "COMMAND_INT": self._command_int,
            "SET_MODE": self._set_mode,
            "MISSION_COUNT": lambda m, c: self._transfer(m).on_count(m, c, autopilot.now_s),
            "MISSION_ITEM_INT": lambda m, c: self._transfer(m).on_item(m, c, autopilot.now_s),
            "MISSION_ITEM": self._mission_item,
            "MISSION_REQUEST_LIST": lambda m, c: self._transfer(m).on_request_list(m, c),
            "MISSION_REQUEST_INT": lambda m, c: self._transfer(m).on_request(m, c, as_float=False),
            "MISSION_REQUEST": lambda m, c: self._transfer(m).on_request(m, c, as_float=True),
            "MISSION_CLEAR_ALL": lambda m, c: self._transfer(m).on_clear_all(m, c),
            "MISSION_WRITE_PARTIAL_LIST": lambda m, c: self._transfer(m).on_write_partial_list(
                m, c, autopilot.now_s
            ),
            "MISSION_SET_CURRENT": self._mission_set_current,
            "PARAM_REQUEST_LIST": self._parameter_list,
            "PARAM_REQUEST_READ": self._parameter_read,
            "PARAM_SET": self._parameter_set,
            "TIMESYNC": self._timesync,
            "REQUEST_DATA_STREAM": self._data_stream,
            "SET_POSITION_TARGET_GLOBAL_INT": self._position_target_global,
            "SET_POSITION_TARGET_LOCAL_NED": self._position_target_local,
        }

    def _transfer(self, message: Any) -> Transfer:
        return self._autopilot.transfers[message.mission_type]

    def handle(self, message: Any, channel: Channel) -> None:
        handler = self._handlers.get(message.get_type())
        if handler is None:
            return
        if getattr(message, "target_system", 0) not in (0, self._autopilot.vehicle.system_id):
            return
        if getattr(message, "target_component", 0) not in (0, 1):
            return
        kind = getattr(message, "mission_type", None)
        if kind is not None and kind not in self._autopilot.transfers:
            return
        handler(message, channel)

    def update(self, now_s: float) -> None:
        """Send the next parameters of lists under way."""
        for position, (channel, index) in enumerate(self._listing):
            end = min(index + PARAMETERS_PER_LOOP, len(self._autopilot.parameters.names))
            for number in range(index, end):
                self._send_parameter(channel, self._autopilot.parameters.names[number], number)
            self._listing[position] = (channel, end)
        self._listing = [entry for entry in self._listing if entry[1] < len(self._autopilot.parameters.names)]

    # --- link ---------------------------------------------------------------------------------
    def _heartbeat(self, message: Any, channel: Channel) -> None:
        # Only heartbeats of the configured ground station's system id keep its failsafe quiet.
        if message.get_srcSystem() == self._autopilot.parameters.integer("SYSID_MYGCS"):
            self._autopilot.failsafes.heard_gcs(self._autopilot.now_s)

    def _timesync(self, message: Any, channel: Channel) -> None:
        if message.tc1 == 0:
            now_ns = round(self._autopilot.now_s * 1e9)
            channel.send(mavlink.MAVLink_timesync_message(now_ns, message.ts1))

    def _data_stream(self, message: Any, channel: Channel) -> None:
        interval_s = 1.0 / message.req_message_rate if message.req_message_rate > 0 else None
        wanted = interval_s if message.start_stop else None
        for message_id in streams.STREAM_GROUPS.get(message.req_stream_id, ()):
            channel.set_interval(message_id, wanted, self._autopilot.now_s)

    # --- commands -----------------------------------------------------------------------------
    def _command_long(self, message: Any, channel: Channel) -> None:
        self._command(from_long(message), message, channel)

    def _command_int(self, message: Any, channel: Channel) -> None:
        self._command(from_int(message), message, channel)

    def _command(self, command: Any, message: Any, channel: Channel) -> None:
        autopilot = self._autopilot
        autopilot.commands.handle(command, channel, (message.get_srcSystem(), message.get_srcComponent()))
        if autopilot.reboot_after_ack:
            autopilot.reboot_after_ack = False
            autopilot.reboot()

    def _set_mode(self, message: Any, channel: Channel) -> None:
        autopilot = self._autopilot
        result = 4
        if message.base_mode & mavlink.MAV_MODE_FLAG_CUSTOM_MODE_ENABLED:
            try:
                result = 0 if autopilot.set_mode(Mode(message.custom_mode)) else 4
            except ValueError:
                autopilot.say(4, f"No such mode {message.custom_mode}")
        autopilot.commands.acknowledge(
            mavlink.MAVLINK_MSG_ID_SET_MODE,
            result,
            channel,
            (message.get_srcSystem(), message.get_srcComponent()),
        )

    def _mission_item(self, message: Any, channel: Channel) -> None:
        transfer = self._transfer(message)
        transfer.warn_about_item()
        scaled = mavlink.MAVLink_mission_item_int_message(
            message.target_system, message.target_component, message.seq, message.frame, message.command,
            message.current, message.autocontinue, message.param1, message.param2, message.param3,
            message.param4, as_int32(message.x * 1e7), as_int32(message.y * 1e7), message.z, message.mission_type,
        )  # fmt: skip
        scaled._header = message._header
        transfer.on_item(scaled, channel, self._autopilot.now_s)

    def _mission_set_current(self, message: Any, channel: Channel) -> None:
        if self._autopilot.mission.set_current(message.seq):
            streams.broadcast(self._autopilot, 42)

    # --- parameters ---------------------------------------------------------------------------
    def _send_parameter(self, channel: Channel, name: str, index: int) -> None:
        parameters = self._autopilot.parameters
        channel.send(
            mavlink.MAVLink_param_value_message(
                name.encode("ascii"), parameters[name], parameters.kind(name), len(parameters.names), index
            )
        )

    def _parameter_list(self, message: Any, channel: Channel) -> None:
        self._listing = [entry for entry in self._listing if entry[0] is not channel]
        self._listing.append((channel, 0))

    def _parameter_read(self, message: Any, channel: Channel) -> None:
        names = self._autopilot.parameters.names
        if message.param_index >= 0:
            if message.param_index < len(names):
                self._send_parameter(channel, names[message.param_index], message.param_index)
            return
        if message.param_id in self._autopilot.parameters:
            self._send_parameter(channel, message.param_id, names.index(message.param_id))

    def _parameter_set(self, message: Any, channel: Channel) -> None:
        name = message.param_id
        if name not in self._autopilot.parameters:
            return
        self._autopilot.parameters.set(name, message.param_value)
        # The value now in force goes to everyone, whether it changed or not; index 65535: not from a list.
        for each in self._autopilot.vehicle.channels:
            self._send_parameter(each, name, 65535)

    # --- guided targets -----------------------------------------------------------------------
    def _position_target_global(self, message: Any, channel: Channel) -> None:
        autopilot = self._autopilot
        if autopilot.mode is not Mode.GUIDED or message.type_mask & _POSITION_IGNORED:
            return
        if message.coordinate_frame not in (0, 3, 5, 6, 10, 11):
            return
        if not (items.latitude_is_valid(message.lat_int) and items.longitude_is_valid(message.lon_int)):
            return
        north, east = autopilot.to_local(message.lat_int, message.lon_int)
        # Outside the fence: silently ignored, as observed.
        autopilot.guided_go(north, east, autopilot.up_from(message.alt, message.coordinate_frame))

    def _position_target_local(self, message: Any, channel: Channel) -> None:
        autopilot = self._autopilot
        numbers = (message.x, message.y, message.z, message.vx, message.vy, message.vz)
        if autopilot.mode is not Mode.GUIDED or not all(math.isfinite(number) for number in numbers):
            return
        body = autopilot.body
        if not message.type_mask & _POSITION_IGNORED:
            north, east, up = message.x, message.y, -message.z
            if message.coordinate_frame in (7, 9):
                here_n, here_e = autopilot.believed_local
                north, east, up = here_n + north, here_e + east, body.believed_up_m + up
            autopilot.guided_go(north, east, up)
        elif not message.type_mask & _VELOCITY_IGNORED and autopilot.armed and not autopilot.landed:
            north_m_s, east_m_s = message.vx, message.vy
            if message.coordinate_frame in (8, 9):
                cosine, sine = math.cos(body.yaw_rad), math.sin(body.yaw_rad)
                north_m_s, east_m_s = (
                    message.vx * cosine - message.vy * sine,
                    message.vx * sine + message.vy * cosine,
                )
            autopilot.guided_target = (*autopilot.believed_local, body.believed_up_m)
            body.fly_velocity(north_m_s, east_m_s)
            body.climb_at(-message.vz)
