"""The simulator: physics throughput, a vehicle's cost with its MAVLink, a fleet of 50 in real time."""

from __future__ import annotations

import math
import os
import time
import tracemalloc

from pymavlink.dialects.v20 import ardupilotmega as mavlink

from bench.report import Report
from core.geodesy import Wgs84Point, destination
from sitl import columns as c
from sitl.airframe import load_airframe
from sitl.physics import FleetArrays, step_fleet
from sitl.vehicle import SimulatedVehicle, VehicleSettings

PLACE = Wgs84Point(22.58, 113.88)
STREAMS_S = {
    33: 0.2, 30: 0.5, 1: 1.0, 147: 1.0, 24: 1.0, 193: 1.0, 42: 0.5, 62: 1.0, 74: 0.5, 168: 1.0, 9005: 0.25,
    245: 0.5,
}  # fmt: skip
"""What a controller asks of a vehicle in flight: 21 messages a second and the heartbeat."""


def run(report: Report) -> None:
    """Measure and report."""
    _physics(report)
    _one_vehicle(report)
    _fleet(report)


def _flying(count: int) -> FleetArrays:
    """``count`` rows on their way to points 2 km off, in gusty wind."""
    arrays = FleetArrays.empty(count)
    airframe = load_airframe("hex10")
    for row in range(count):
        arrays.place(row, airframe, row)
        commands = arrays.commands[row]
        commands[c.C_MOTORS_ON] = 1.0
        commands[c.C_XY_MODE], commands[c.C_Z_MODE] = c.XY_POINT, c.Z_HEIGHT
        commands[c.C_NORTH] = 2000.0 * math.cos(row)
        commands[c.C_EAST] = 2000.0 * math.sin(row)
        commands[c.C_UP], commands[c.C_SPEED_XY] = 80.0, 20.0
        commands[c.C_WIND_EAST], commands[c.C_TURBULENCE_M_S] = 5.0, 1.0
    return arrays


def _physics(report: Report) -> None:
    vehicles, seconds = 1000, 10.0
    arrays = _flying(vehicles)
    step = (arrays.states, arrays.commands, arrays.airframes, arrays.legs, arrays.random_words)
    step_fleet(*step, 50)
    started_s = time.process_time()
    step_fleet(*step, round(seconds / c.TICK_S))
    used_s = time.process_time() - started_s
    report.add(
        "sitl.physics_factor",
        vehicles * seconds / used_s,
        "vehicle-s/CPU-s",
        vehicles,
        "motion, control, wind with turbulence, battery at 50 Hz; no MAVLink",
    )


def _vehicle(number: int) -> tuple[SimulatedVehicle, mavlink.MAVLink]:
    """A vehicle with its streams asked for, hovering at 30 m."""
    vehicle = SimulatedVehicle(
        number,
        destination(PLACE, 90.0, 10.0 * number),
        5.0,
        settings=VehicleSettings(
            airframe=load_airframe("hex10"), parameters={"FENCE_ENABLE": 0}, ready_after_s=0.0
        ),
    )
    codec = mavlink.MAVLink(None, srcSystem=255, srcComponent=190)

    def command(*values: float) -> None:
        padded = [*values, *[0.0] * (8 - len(values))]
        message = mavlink.MAVLink_command_long_message(number, 1, int(padded[0]), 0, *padded[1:])
        vehicle.receive(message.pack(codec))

    vehicle.step(0.5)
    for message_id, interval_s in STREAMS_S.items():
        command(511, message_id, interval_s * 1e6)
    command(176, 1, 4)
    command(400, 1)
    command(22, 0, 0, 0, 0, 0, 0, 30)
    vehicle.step(20.0)
    return vehicle, codec


def _one_vehicle(report: Report) -> None:
    vehicle, _ = _vehicle(1)
    seconds = 60.0
    started_s = time.process_time()
    for _ in range(round(seconds / 0.1)):
        vehicle.step(0.1)
        vehicle.take_outgoing()
    used_s = time.process_time() - started_s
    report.add(
        "sitl.vehicle_factor",
        seconds / used_s,
        "vehicle-s/CPU-s",
        1,
        f"with autopilot and {sum(1 / each for each in STREAMS_S.values()) + 1:.0f} messages a second",
    )


def _fleet(report: Report) -> None:
    # Allocations, not the resident peak: measurements before this one have raised the peak already.
    tracemalloc.start()
    fleet = [_vehicle(number)[0] for number in range(1, 51)]
    allocated_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    seconds = 10.0
    started_s = time.process_time()
    for _ in range(round(seconds / 0.05)):
        for vehicle in fleet:
            vehicle.step(0.05)
            vehicle.take_outgoing()
    used_s = time.process_time() - started_s
    cores = min(2, os.cpu_count() or 1)
    report.add(
        "sitl.fleet_50.cpu_fraction",
        used_s / seconds / cores,
        "1",
        50,
        f"of {cores} cores in real time, sockets not counted, 50 ms steps",
    )
    report.add(
        "sitl.memory_per_vehicle",
        allocated_bytes / 2**20 / 50,
        "MiB",
        50,
        "allocated and kept, each in flight",
    )
