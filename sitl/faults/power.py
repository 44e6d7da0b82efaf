"""Faults of battery, motors and parachute."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sitl import columns as p
from sitl.faults.kinds import BATTERY, MOTORS, Act, FaultKind

if TYPE_CHECKING:
    from sitl.vehicle import SimulatedVehicle

GROUP = "power"


def _charge(vehicle: SimulatedVehicle, strength: float) -> None:
    capacity_ah = vehicle.settings.airframe.battery_capacity_ah
    vehicle.body.s[p.S_CONSUMED_AH] = capacity_ah * (1.0 - strength)


def _to_level(which: str) -> tuple[str, str]:
    return ("BATT_LOW_MAH", "BAT_LOW_THR") if which == "low" else ("BATT_CRT_MAH", "BAT_CRIT_THR")


def _drop_to(which: str) -> Act:
    def begin(vehicle: SimulatedVehicle, strength: float) -> None:
        """Just below the autopilot's own threshold, so that its failsafe is what is tested."""
        mah, share = _to_level(which)
        parameters = vehicle.autopilot.parameters
        capacity_ah = vehicle.settings.airframe.battery_capacity_ah
        left = parameters[share] if share in parameters else parameters[mah] / 1000.0 / capacity_ah
        left = max(left, 0.02) - 0.005
        vehicle.body.s[p.S_CONSUMED_AH] = max(
            float(vehicle.body.s[p.S_CONSUMED_AH]), capacity_ah * (1.0 - left)
        )

    return begin


def _resistance(vehicle: SimulatedVehicle, strength: float) -> None:
    vehicle.body.wear_battery(resistance_factor=strength)


def _resistance_back(vehicle: SimulatedVehicle, strength: float) -> None:
    vehicle.body.wear_battery(resistance_factor=1.0)


def _cell(vehicle: SimulatedVehicle, strength: float) -> None:
    vehicle.body.wear_battery(cells_lost=strength)


def _cell_back(vehicle: SimulatedVehicle, strength: float) -> None:
    vehicle.body.wear_battery(cells_lost=0.0)


def _self_discharge(vehicle: SimulatedVehicle, strength: float, since_s: float) -> None:
    vehicle.body.s[p.S_CONSUMED_AH] += strength * 0.1 / 3600.0


def _thrust(vehicle: SimulatedVehicle, strength: float) -> None:
    vehicle.body.set_thrust_factor(strength)


def _thrust_back(vehicle: SimulatedVehicle, strength: float) -> None:
    vehicle.body.set_thrust_factor(1.0)


def _motor_loss(vehicle: SimulatedVehicle, strength: float) -> None:
    """With six rotors or more the opposite one is throttled too and it flies on; with fewer it falls."""
    rotors = vehicle.settings.airframe.rotor_count
    left = (rotors - 2.0 * strength) / rotors if rotors >= 6 else 0.3
    vehicle.body.set_thrust_factor(max(left, 0.05))


FAULTS = (
    FaultKind(
        "battery_charge", "the charge drops to this at once", GROUP, _charge, default_strength=0.15,
        unit="fraction left",
    ),
    FaultKind("battery_low", "the charge drops below the autopilot's low threshold", GROUP, _drop_to("low")),
    FaultKind(
        "battery_critical", "the charge drops below the autopilot's critical threshold", GROUP,
        _drop_to("critical"),
    ),
    FaultKind(
        "battery_sag", "internal resistance grows", GROUP, _resistance, _resistance_back,
        default_strength=4.0, unit="times nominal",
    ),
    FaultKind(
        "battery_cell_loss", "cells of the pack are dead", GROUP, _cell, _cell_back, unit="cells",
        unhealthy_sensors=BATTERY,
    ),
    FaultKind(
        "battery_leak", "something else draws this current, too", GROUP, tick=_self_discharge,
        default_strength=20.0, unit="A",
    ),
    FaultKind(
        "motor_weak", "motors give this share of their thrust", GROUP, _thrust, _thrust_back,
        default_strength=0.8, unit="share of thrust",
    ),
    FaultKind(
        "motor_loss", "motors stop for good", GROUP, _motor_loss, _thrust_back, unit="motors",
        unhealthy_sensors=MOTORS, arming_complaint="Motors: Check frame class and type",
    ),
    FaultKind("parachute_jam", "the parachute does not open when it should", GROUP),
)  # fmt: skip
