"""What the autopilot knows of its battery: coulomb counting and voltage, and when that is too little."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sitl.ardupilot.autopilot import ArduCopter

NONE, LOW, CRITICAL = 0, 1, 2


class BatteryMonitor:
    """Assumes a full pack at power-on, as ArduPilot does."""

    def __init__(self, autopilot: ArduCopter) -> None:
        self._autopilot = autopilot
        self.level = NONE
        self._low_since_s: float | None = None
        self._critical_since_s: float | None = None

    @property
    def consumed_mah(self) -> float:
        return self._autopilot.body.consumed_ah * 1000.0

    @property
    def remaining_mah(self) -> float:
        return self._autopilot.parameters["BATT_CAPACITY"] - self.consumed_mah

    @property
    def remaining_percent(self) -> int:
        capacity = self._autopilot.parameters["BATT_CAPACITY"]
        if capacity <= 0:
            return -1
        return int(min(max(100.0 * self.remaining_mah / capacity, 0.0), 100.0))

    def _below(self, volt: str, mah: str) -> tuple[bool, bool]:
        parameters = self._autopilot.parameters
        voltage, charge = parameters[volt], parameters[mah]
        return (
            voltage > 0 and self._autopilot.body.voltage_v < voltage,
            charge > 0 and self.remaining_mah < charge,
        )

    def update(self, now_s: float) -> int:
        """A level newly reached in this call, else NONE. Levels never fall back in flight."""
        timer_s = self._autopilot.parameters["BATT_LOW_TIMER"]
        low_volt, low_mah = self._below("BATT_LOW_VOLT", "BATT_LOW_MAH")
        critical_volt, critical_mah = self._below("BATT_CRT_VOLT", "BATT_CRT_MAH")
        self._low_since_s = (self._low_since_s or now_s) if low_volt else None
        self._critical_since_s = (self._critical_since_s or now_s) if critical_volt else None
        held_low = self._low_since_s is not None and now_s - self._low_since_s >= timer_s
        held_critical = self._critical_since_s is not None and now_s - self._critical_since_s >= timer_s
        level = self.level
        if critical_mah or held_critical:
            level = CRITICAL
        elif low_mah or held_low:
            level = max(level, LOW)
        if level > self.level:
            self.level = level
            return level
        return NONE

    def reset(self) -> None:
        """At disarm a battery that is still low blocks re-arming; a recovered one does not."""
        self.level = NONE
        self._low_since_s = self._critical_since_s = None

    def pre_arm_complaint(self) -> str | None:
        parameters = self._autopilot.parameters
        if self.level != NONE or any(self._below("BATT_LOW_VOLT", "BATT_LOW_MAH")):
            return "Battery failsafe"
        if 0 < self._autopilot.body.voltage_v < parameters["BATT_ARM_VOLT"]:
            return "Battery 1 below minimum arming voltage"
        if self.remaining_mah < parameters["BATT_ARM_MAH"]:
            return "Battery 1 below minimum arming capacity"
        return None
