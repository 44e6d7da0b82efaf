"""What a fault is: one row with its name, its strength's unit, and what it does to a vehicle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sitl.vehicle import SimulatedVehicle

Act = Callable[["SimulatedVehicle", float], None]
"""(vehicle, strength)."""
Tick = Callable[["SimulatedVehicle", float, float], None]
"""(vehicle, strength, seconds since the fault began): for what goes on changing, every 0.1 s."""

GYRO, ACCELEROMETER, COMPASS, BAROMETER, GPS, MOTORS, AHRS, BATTERY = (
    0x1, 0x2, 0x4, 0x8, 0x20, 0x8000, 0x200000, 0x2000000,
)  # fmt: skip
"""SYS_STATUS health bits (MAV_SYS_STATUS_SENSOR)."""


def nothing(vehicle: SimulatedVehicle, strength: float) -> None:
    """For faults that are read where they matter instead of applied."""


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One way to break."""

    name: str
    explanation: str
    group: str
    """Where it belongs in a list: link, sensors, power, weather, gear, traffic, autopilot."""
    begin: Act = nothing
    end: Act = nothing
    tick: Tick | None = None
    default_strength: float = 1.0
    unit: str = ""
    """Of the strength; empty where the strength means nothing."""
    arming_complaint: str = ""
    """What the autopilot says against arming while this lasts."""
    unhealthy_sensors: int = 0
    """SYS_STATUS health bits it takes away."""
