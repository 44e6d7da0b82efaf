"""PX4's payload deliverer with a servo gripper: what it says has nothing to do with what the hook does.

Observed: IN_PROGRESS at once, ACCEPTED when the timer PD_GRIPPER_TO has run out; the same on the ground
disarmed, where the servo output does not move unless COM_PREARM_MODE is 2. At boot it is told to grab.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sitl.channel import Channel
    from sitl.px4.autopilot import Px4

RELEASE, GRAB = 0, 1
ACCEPTED, TEMPORARILY_REJECTED, DENIED, IN_PROGRESS, CANCELLED = 0, 1, 2, 5, 6
GRIPPER_FUNCTION = 430
"""PWM_MAIN_FUNCn of a gripper output."""
PREARM_ALWAYS = 2
RELEASED_US, GRABBED_US, DISARMED_US = 1000, 2000, 900
"""Observed pulse widths."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Who gets the final answer; nobody when a mission asked."""

    channel: Channel | None
    peer: tuple[int, int]


class Gripper:
    """State machine of the deliverer, and the servo behind it."""

    def __init__(self, autopilot: Px4) -> None:
        self._autopilot = autopilot
        self.commanded = GRAB
        self._moving_until_s: float | None = None
        self._asked: Asked | None = None

    @property
    def output(self) -> int | None:
        """Number of the output the gripper is on, 1…; None: none is mapped."""
        parameters = self._autopilot.parameters
        for number in range(1, 17):
            name = f"PWM_MAIN_FUNC{number}"
            if name in parameters and parameters.integer(name) == GRIPPER_FUNCTION:
                return number
        return None

    @property
    def is_alive(self) -> bool:
        """The output has a signal: armed, or always with COM_PREARM_MODE 2."""
        return self._autopilot.armed or self._autopilot.parameters.integer("COM_PREARM_MODE") == PREARM_ALWAYS

    @property
    def pulse_us(self) -> int:
        if not self.is_alive:
            return DISARMED_US
        if "release_not_confirmed" in self._autopilot.vehicle.faults:
            return GRABBED_US
        return RELEASED_US if self.commanded == RELEASE else GRABBED_US

    def _answer(self, asked: Asked, result: int) -> None:
        if asked.channel is not None:
            progress = 255 if result == IN_PROGRESS else 0
            self._autopilot.commands.acknowledge(211, result, asked.channel, asked.peer, progress=progress)

    def command(self, action: int, asked: Asked) -> None:
        """DO_GRIPPER. Its answers come from here, now and later."""
        moving = self._moving_until_s is not None
        if moving and action == self.commanded:
            self._answer(asked, TEMPORARILY_REJECTED)
            return
        if moving and self._asked is not None:
            self._answer(self._asked, CANCELLED)
        if not moving and action == self.commanded:
            self._answer(asked, ACCEPTED)
            return
        if action not in (RELEASE, GRAB):
            self._answer(asked, DENIED)
            return
        self.commanded = action
        self._moving_until_s = self._autopilot.now_s + self._autopilot.parameters["PD_GRIPPER_TO"]
        self._asked = asked
        self._answer(asked, IN_PROGRESS)

    def update(self, now_s: float) -> None:
        if self._moving_until_s is not None and now_s >= self._moving_until_s:
            self._moving_until_s = None
            if self._asked is not None:
                self._answer(self._asked, ACCEPTED)
                self._asked = None
        if self.is_alive and self.output is not None:
            # With a signal, the servo goes where it was last told to, however long ago that was.
            payload = self._autopilot.vehicle.payload
            if self.commanded == RELEASE:
                payload.open_hook(now_s)
            else:
                payload.close_hook(now_s)
