"""Faults that can be switched on and off at any moment, one table row each.

``vehicle.faults.set("winch_jam")`` starts one, ``clear`` ends it; ``strength`` scales where it means
something. A fault that must act continuously does so in :meth:`Faults.update`, on simulated time and
the vehicle's own random stream, so that equal seeds break in equal ways.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sitl import columns as p

if TYPE_CHECKING:
    from sitl.vehicle import SimulatedVehicle

Apply = Callable[["SimulatedVehicle", float], None]


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One way to break. ``strength`` says what the number means and its default."""

    name: str
    explanation: str
    apply: Apply
    clear: Apply
    default_strength: float = 1.0
    strength_meaning: str = ""
    arming_complaint: str = ""
    """What the autopilot says against arming while this lasts."""
    unhealthy_sensors: int = 0
    """SYS_STATUS health bits it takes away."""


class UnknownFault(KeyError):
    """Names the fault asked for and those that exist."""

    def __init__(self, name: str) -> None:
        super().__init__(f"unknown fault {name!r}; known: {', '.join(sorted(FAULTS))}")

    def __str__(self) -> str:
        return str(self.args[0])


def _nothing(vehicle: SimulatedVehicle, strength: float) -> None:
    """For faults that are read where they matter instead of applied."""


def _charge(vehicle: SimulatedVehicle, strength: float) -> None:
    capacity_ah = vehicle.settings.airframe.battery_capacity_ah
    vehicle.body.s[p.S_CONSUMED_AH] = capacity_ah * (1.0 - strength)


def _resistance(vehicle: SimulatedVehicle, strength: float) -> None:
    vehicle.body.arrays.airframes[0, p.A_RESISTANCE_OHM] = (
        vehicle.settings.airframe.battery_resistance_ohm * strength
    )
    vehicle.body.arrays.airframes[0, p.A_IDEAL_BATTERY] = 0.0


def _resistance_back(vehicle: SimulatedVehicle, strength: float) -> None:
    airframe = vehicle.settings.airframe
    vehicle.body.arrays.airframes[0, p.A_RESISTANCE_OHM] = airframe.battery_resistance_ohm
    vehicle.body.arrays.airframes[0, p.A_IDEAL_BATTERY] = float(airframe.battery_ideal)


def _attribute(name: str, on: bool = True) -> tuple[Apply, Apply]:
    def apply(vehicle: SimulatedVehicle, strength: float) -> None:
        setattr(vehicle.payload, name, on)

    def clear(vehicle: SimulatedVehicle, strength: float) -> None:
        setattr(vehicle.payload, name, not on)

    return apply, clear


def _thrust(vehicle: SimulatedVehicle, strength: float) -> None:
    vehicle.body.set_thrust_factor(strength)


def _thrust_back(vehicle: SimulatedVehicle, strength: float) -> None:
    vehicle.body.set_thrust_factor(1.0)


def _position_error(vehicle: SimulatedVehicle, strength: float) -> None:
    bearing = vehicle.random.uniform(0.0, 2.0 * math.pi)
    vehicle.body.set_position_error(strength * math.cos(bearing), strength * math.sin(bearing))


def _position_right(vehicle: SimulatedVehicle, strength: float) -> None:
    vehicle.body.set_position_error(0.0, 0.0)


FAULTS: dict[str, FaultKind] = {
    kind.name: kind
    for kind in (
        FaultKind("link_loss", "no byte passes in either direction", _nothing, _nothing),
        FaultKind("gps_loss", "no satellite fix", _nothing, _nothing),
        FaultKind(
            "gps_glitch", "the reported position jumps and stays away", _position_error, _position_right,
            30.0, "metres",
        ),
        FaultKind("battery_charge", "the charge drops at once", _charge, _nothing, 0.15, "fraction left"),
        FaultKind(
            "battery_sag", "internal resistance grows", _resistance, _resistance_back, 4.0, "times nominal"
        ),
        FaultKind("motor_weak", "motors give less thrust", _thrust, _thrust_back, 0.8, "share of thrust"),
        FaultKind("winch_jam", "the winch does not turn", *_attribute("jammed")),
        FaultKind("line_snag", "the line pays out but cannot be retracted", *_attribute("snagged")),
        FaultKind("hook_stuck", "the hook's servo moves, the load stays", *_attribute("hook_stuck")),
        FaultKind("no_ground_sense", "tension reads full on the ground", *_attribute("senses_ground", False)),
        FaultKind("winch_silent", "the winch reports itself unhealthy", _nothing, _nothing),
        FaultKind("release_not_confirmed", "the gripper's texts are lost", _nothing, _nothing),
    )
}  # fmt: skip


class Faults:
    """The faults active on one vehicle."""

    def __init__(self, vehicle: SimulatedVehicle) -> None:
        self._vehicle = vehicle
        self.active: dict[str, float] = {}
        self._ends_s: dict[str, float] = {}

    def set(self, name: str, strength: float | None = None, *, duration_s: float | None = None) -> None:
        """Start a fault, for ``duration_s`` of simulated time or until cleared. Raises UnknownFault."""
        if name not in FAULTS:
            raise UnknownFault(name)
        kind = FAULTS[name]
        self.active[name] = kind.default_strength if strength is None else strength
        kind.apply(self._vehicle, self.active[name])
        self._vehicle.witness("fault", name)
        if duration_s is not None:
            self._ends_s[name] = self._vehicle.time_s + duration_s

    def clear(self, name: str) -> None:
        """End a fault; one that is not active is left alone. Raises UnknownFault."""
        if name not in FAULTS:
            raise UnknownFault(name)
        self._ends_s.pop(name, None)
        if name in self.active:
            FAULTS[name].clear(self._vehicle, self.active.pop(name))
            self._vehicle.witness("fault cleared", name)

    def update(self, step_s: float) -> None:
        for name in [name for name, at_s in self._ends_s.items() if self._vehicle.time_s >= at_s]:
            self.clear(name)

    def __contains__(self, name: str) -> bool:
        return name in self.active

    def arming_complaints(self) -> list[str]:
        """Pre-arm words of sensors that are broken."""
        return [FAULTS[name].arming_complaint for name in self.active if FAULTS[name].arming_complaint]

    @property
    def unhealthy_sensors(self) -> int:
        """SYS_STATUS bits that active faults take away."""
        bits = 0
        for name in self.active:
            bits |= FAULTS[name].unhealthy_sensors
        return bits

    @property
    def winch_is_silent(self) -> bool:
        return "winch_silent" in self.active

    @property
    def gps_is_lost(self) -> bool:
        return "gps_loss" in self.active

    @property
    def link_is_down(self) -> bool:
        return "link_loss" in self.active
