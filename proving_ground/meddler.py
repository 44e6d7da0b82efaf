"""Somebody else at a real autopilot: sets its simulator's parameters, commands it, moves its pilot's sticks.

Nothing here counts before it is seen: a parameter is read back, a command is acknowledged. A fault that was only sent
has tested nothing.
"""

from __future__ import annotations

import asyncio
import math
import socket
import struct
from collections.abc import Callable
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mavlink

from core.clock import Clock
from proving_ground.observer import Observer
from sitl.autopilot import Personality
from sitl.launchers.programs import LOOPBACK

ASK_AGAIN_S = 2.0
GIVE_UP_S = 20.0
"""Chosen, vehicle seconds: ten repetitions; both answer at once on loopback."""
STICKS_EVERY_S = 0.1
"""Both take sticks for lost when they rest for half a second or more."""
_ACCEPTED = (mavlink.MAV_RESULT_ACCEPTED, mavlink.MAV_RESULT_IN_PROGRESS)


class NotGiven(Exception):
    """A fault could not be given to this autopilot; one line why."""


class Meddler:
    """Acts on one autopilot over its observer's link."""

    def __init__(
        self,
        clock: Clock,
        observer: Observer,
        kind: Personality,
        *,
        sticks_port: int | None = None,
    ) -> None:
        self.clock, self.kind = clock, kind
        self._observer = observer
        self._sticks_port = sticks_port
        """Where an ArduCopter hears its remote control, on loopback."""
        self._types: dict[str, int] = {}
        self._before: dict[str, float] = {}
        self._sticks: asyncio.Task[None] | None = None

    # --- parameters ---------------------------------------------------------------------------

    async def parameter(self, name: str) -> float:
        """Its present value. Raises :class:`NotGiven` where it is unknown."""
        message = await self._answer(
            lambda: self._observer.send(mavlink.MAVLink_param_request_read_message(
                self._observer.system_id, 1, name.encode(), -1
            )),
            lambda heard: heard.get_type() == "PARAM_VALUE" and heard.param_id == name,
            f"the parameter {name} was not answered: this autopilot does not know it",
        )  # fmt: skip
        self._types[name] = message.param_type
        return self._read(message)

    async def set(self, name: str, value: float) -> None:
        """Set and see it set; :meth:`restore` knows what it was."""
        before = await self.parameter(name)
        self._before.setdefault(name, before)
        await self._answer(
            lambda: self.nudge(name, value),
            lambda heard: (
                heard.get_type() == "PARAM_VALUE"
                and heard.param_id == name
                and math.isclose(self._read(heard), value, rel_tol=1e-5, abs_tol=1e-9)
            ),
            f"the parameter {name} did not become {value:g}",
        )

    def nudge(self, name: str, value: float) -> None:
        """Set without looking, for what changes many times; :meth:`set` came first."""
        kind = self._types[name]
        wire = value
        if self.kind is Personality.PX4 and kind != mavlink.MAV_PARAM_TYPE_REAL32:
            # PX4 sends the bytes of a whole number in the float's place.
            (wire,) = struct.unpack("<f", struct.pack("<i", round(value)))
        self._observer.send(
            mavlink.MAVLink_param_set_message(self._observer.system_id, 1, name.encode(), wire, kind)
        )

    async def restore(self, name: str) -> None:
        """As it was before the first :meth:`set`."""
        if name in self._before:
            await self.set(name, self._before.pop(name))

    def _read(self, message: Any) -> float:
        if self.kind is Personality.PX4 and message.param_type != mavlink.MAV_PARAM_TYPE_REAL32:
            (whole,) = struct.unpack("<i", struct.pack("<f", message.param_value))
            return float(whole)
        return float(message.param_value)

    # --- commands and sticks ------------------------------------------------------------------

    async def command(self, number: int, *params: float) -> None:
        """COMMAND_LONG; raises :class:`NotGiven` unless it is accepted."""
        padded = (*params, *(0.0,) * (7 - len(params)))
        answer = await self._answer(
            lambda: self._observer.send(
                mavlink.MAVLink_command_long_message(self._observer.system_id, 1, number, 0, *padded)
            ),
            lambda heard: heard.get_type() == "COMMAND_ACK" and heard.command == number,
            f"the command {number} was not answered",
        )
        if answer.result not in _ACCEPTED:
            raise NotGiven(f"the command {number} was refused with result {answer.result}")

    async def clear_mission(self) -> None:
        """As somebody at another ground station does; raises :class:`NotGiven` unless the autopilot says that it did."""
        answer = await self._answer(
            lambda: self._observer.send(
                mavlink.MAVLink_mission_clear_all_message(
                    self._observer.system_id, 1, mavlink.MAV_MISSION_TYPE_MISSION
                )
            ),
            lambda heard: (
                heard.get_type() == "MISSION_ACK" and heard.mission_type == mavlink.MAV_MISSION_TYPE_MISSION
            ),
            "clearing the mission was not answered",
        )
        if answer.type != mavlink.MAV_MISSION_ACCEPTED:
            raise NotGiven(f"clearing the mission was refused with result {answer.type}")

    def hold_sticks(self, mode_switch_us: int = 1500) -> None:
        """Sticks in the middle from now on; an ArduCopter's mode switch where it is wanted."""
        self.let_go_of_sticks()
        self._sticks = asyncio.create_task(self._keep(mode_switch_us))

    async def _keep(self, mode_switch_us: int) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
            while True:
                if self.kind is Personality.PX4:
                    self._observer.send(
                        mavlink.MAVLink_manual_control_message(self._observer.system_id, 0, 0, 500, 0, 0)
                    )
                elif self._sticks_port is not None:
                    channels = (1500, 1500, 1500, 1500, mode_switch_us, 1000, 1000, 1800)
                    way.sendto(struct.pack("<8H", *channels), (LOOPBACK, self._sticks_port))
                await self.clock.sleep(STICKS_EVERY_S)

    def let_go_of_sticks(self) -> None:
        """Nobody moves them any more."""
        if self._sticks is not None:
            self._sticks.cancel()
            self._sticks = None

    # --- asking -------------------------------------------------------------------------------

    async def _answer(self, ask: Callable[[], None], fits: Callable[[Any], bool], else_: str) -> Any:
        found: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def look(message: Any) -> None:
            if not found.done() and fits(message):
                found.set_result(message)

        self._observer.listeners.append(look)
        try:
            end_s = self.clock.monotonic_s() + GIVE_UP_S
            while self.clock.monotonic_s() < end_s:
                ask()
                try:
                    async with self.clock.timeout(ASK_AGAIN_S):
                        return await asyncio.shield(found)
                except TimeoutError:
                    continue
            raise NotGiven(else_)
        finally:
            self._observer.listeners.remove(look)
