"""Winch and gripper as ArduCopter drives them: drivers made at boot, servo functions read at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sitl.ardupilot.autopilot import ArduCopter

WINCH_SERVO, WINCH_DAIWA = 1, 2
SERVO_FUNCTION_WINCH, SERVO_FUNCTION_GRIPPER = 88, 28


class Gear:
    """The drivers of one boot: changing WINCH_TYPE or GRIP_TYPE needs another."""

    def __init__(self, autopilot: ArduCopter) -> None:
        self._autopilot = autopilot
        parameters = autopilot.parameters
        self.winch_type = parameters.integer("WINCH_TYPE")
        self.gripper_type = parameters.integer("GRIP_TYPE") if parameters["GRIP_ENABLE"] else 0
        payload = autopilot.vehicle.payload
        payload.relax()
        payload.counted_length_m = 0.0
        self.connect()

    def _servo_assigned(self, function: int) -> bool:
        return any(
            self._autopilot.parameters[name] == function
            for name in self._autopilot.parameters.names
            if name.startswith("SERVO") and name.endswith("_FUNCTION")
        )

    def connect(self) -> None:
        """Read the settings that take effect at once: rates, servo functions."""
        payload = self._autopilot.vehicle.payload
        payload.rate_max_m_s = self._autopilot.parameters["WINCH_RATE_MAX"]
        payload.gain_1_s = self._autopilot.parameters["WINCH_POS_P"]
        payload.measures = self.winch_type == WINCH_DAIWA
        payload.driven = self.winch_type != WINCH_SERVO or self._servo_assigned(SERVO_FUNCTION_WINCH)

    def winch(self, action: int, length_m: float, rate_m_s: float) -> bool:
        """DO_WINCH. False: there is no winch, or it does not know the action."""
        if self.winch_type == 0:
            return False
        payload = self._autopilot.vehicle.payload
        if action == 0:
            payload.relax()
        elif action == 1:
            payload.release_length(length_m)
            if self._autopilot.parameters.integer("WINCH_OPTIONS") & 2:
                verb = "raising" if length_m < 0 else "lowering"
                self._autopilot.say(
                    6, f"Winch: {verb} {abs(length_m):4.1f}m to {payload.length_wanted_m:4.1f}m"
                )
        elif action == 2:
            payload.set_rate(rate_m_s)
        else:
            return False
        return True

    def grip(self, action: int) -> bool:
        """DO_GRIPPER. False: switched off, or no such action."""
        if self._autopilot.parameters["GRIP_ENABLE"] == 0 or action not in (0, 1):
            return False
        if self.gripper_type == 0:
            # Switched on without a driver: acked, nothing happens.
            return True
        payload = self._autopilot.vehicle.payload
        said = (
            payload.open_hook(self._autopilot.now_s)
            if action == 0
            else payload.close_hook(self._autopilot.now_s)
        )
        if said is not None:
            self._autopilot.say(6, said)
        return True
