"""Faults of the autopilot itself, of people who meddle with it, and of what else is in its way."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sitl.faults.kinds import FaultKind

if TYPE_CHECKING:
    from sitl.vehicle import SimulatedVehicle


def _reboot(vehicle: SimulatedVehicle, strength: float) -> None:
    vehicle.autopilot.reboot()


def _pilot(vehicle: SimulatedVehicle, strength: float) -> None:
    vehicle.autopilot.pilot_takes_over()


def _pilot_lands(vehicle: SimulatedVehicle, strength: float) -> None:
    if vehicle.armed:
        vehicle.autopilot.pilot_lands()


def _forget(vehicle: SimulatedVehicle, strength: float) -> None:
    vehicle.autopilot.forget_mission()


def _begin_blocking(vehicle: SimulatedVehicle, strength: float) -> None:
    item = vehicle.autopilot.flown_item
    vehicle.faults.memory["way_blocked"] = -1.0 if item is None else float(item)


def _block(vehicle: SimulatedVehicle, strength: float, since_s: float) -> None:
    """Only the leg on which it happened is blocked: any other leads elsewhere."""
    blocked = vehicle.faults.memory["way_blocked"]
    if blocked < 0.0:
        return
    if vehicle.autopilot.flown_item == blocked:
        vehicle.body.scale_speed(0.0)
    else:
        vehicle.faults.memory["way_blocked"] = -1.0
        vehicle.body.scale_speed(1.0)


def _unblock(vehicle: SimulatedVehicle, strength: float) -> None:
    if vehicle.faults.memory["way_blocked"] >= 0.0:
        vehicle.body.scale_speed(1.0)


def _stop_motors(vehicle: SimulatedVehicle, strength: float) -> None:
    vehicle.autopilot.cut_motors()


def _occupy(vehicle: SimulatedVehicle, strength: float) -> None:
    vehicle.body.place_obstacle(vehicle.launch, strength)


def _free(vehicle: SimulatedVehicle, strength: float) -> None:
    vehicle.body.remove_obstacle()


def _intruder(vehicle: SimulatedVehicle, strength: float) -> None:
    vehicle.faults.memory["intruder"] = vehicle.random.uniform(0.0, 2.0 * math.pi)


FAULTS = (
    FaultKind("autopilot_reboot", "the autopilot starts anew; in the air its motors stop", "autopilot", _reboot),
    FaultKind("prearm_failure", "a pre-arm check fails", "autopilot", arming_complaint="Internal errors 0x100"),
    FaultKind(
        "pilot_takeover", "a safety pilot takes over: the mode changes; at its end the pilot lands it", "autopilot",
        _pilot, _pilot_lands,
    ),
    FaultKind("mission_lost", "the stored mission is gone", "autopilot", _forget),
    FaultKind("motors_cut", "somebody stops the motors by radio", "autopilot", _stop_motors),
    FaultKind(
        "landing_unnoticed", "the landed detector does not find the ground: the motors go on turning", "autopilot",
    ),
    FaultKind("ground_imagined", "the vehicle says that it stands on the ground, wherever it is", "autopilot"),
    FaultKind("telemetry_frozen", "position and speed are repeated as they were", "autopilot"),
    FaultKind(
        "clock_wrong", "the vehicle's time of day is off by this", "autopilot", default_strength=3600.0,
        unit="s",
    ),
    FaultKind(
        "pad_occupied", "something of this height stands on the launch pad", "traffic", _occupy, _free,
        default_strength=0.6, unit="m",
    ),
    FaultKind(
        "way_blocked", "the autopilot stops in front of something on its leg that no map shows, and says nothing",
        "traffic", _begin_blocking, _unblock, _block,
    ),
    FaultKind(
        "intruder", "an aircraft comes straight at the vehicle at this speed, and says so by ADS-B", "traffic",
        _intruder, default_strength=45.0, unit="m/s",
    ),
)  # fmt: skip
