"""Faults of what the vehicle knows about itself: GPS, compass, barometer, inertial sensors, estimator."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sitl.faults.kinds import ACCELEROMETER, AHRS, BAROMETER, COMPASS, GPS, GYRO, FaultKind

if TYPE_CHECKING:
    from sitl.vehicle import SimulatedVehicle

GROUP = "sensors"
NOISE_TIME_S = 30.0
"""Chosen: correlation time of GPS noise, as of multipath between houses."""
HEIGHT_NOISE_TIME_S = 10.0
TICK_S = 0.1


def _jump(vehicle: SimulatedVehicle, strength: float) -> None:
    bearing = vehicle.random.uniform(0.0, 2.0 * math.pi)
    vehicle.body.set_position_error(strength * math.cos(bearing), strength * math.sin(bearing))


def _right(vehicle: SimulatedVehicle, strength: float) -> None:
    vehicle.body.set_position_error(0.0, 0.0)


def _start_spoofing(vehicle: SimulatedVehicle, strength: float) -> None:
    vehicle.faults.memory["gps_spoof"] = vehicle.random.uniform(0.0, 2.0 * math.pi)


def _spoof(vehicle: SimulatedVehicle, strength: float, since_s: float) -> None:
    bearing = vehicle.faults.memory["gps_spoof"]
    off_m = strength * since_s
    vehicle.body.set_position_error(off_m * math.cos(bearing), off_m * math.sin(bearing))


def _wander(vehicle: SimulatedVehicle, strength: float, since_s: float) -> None:
    """First-order noise: standard deviation ``strength`` on each axis, correlated over half a minute."""
    north, east = vehicle.body.position_error_m
    keep = math.exp(-TICK_S / NOISE_TIME_S)
    spread = strength * math.sqrt(1.0 - keep * keep)
    chance = vehicle.random
    vehicle.body.set_position_error(
        north * keep + chance.gauss(0.0, spread), east * keep + chance.gauss(0.0, spread)
    )


def _drift(vehicle: SimulatedVehicle, strength: float, since_s: float) -> None:
    # A slow change of pressure: the whole error after two minutes.
    vehicle.body.set_height_error(strength * min(since_s / 120.0, 1.0))


def _height_jumps(vehicle: SimulatedVehicle, strength: float) -> None:
    vehicle.body.set_height_error(strength)


def _height_right(vehicle: SimulatedVehicle, strength: float) -> None:
    vehicle.body.set_height_error(0.0)


def _height_wanders(vehicle: SimulatedVehicle, strength: float, since_s: float) -> None:
    """Without a barometer the height is GPS's: standard deviation ``strength``."""
    keep = math.exp(-TICK_S / HEIGHT_NOISE_TIME_S)
    spread = strength * math.sqrt(1.0 - keep * keep)
    vehicle.body.set_height_error(vehicle.body.height_error_m * keep + vehicle.random.gauss(0.0, spread))


def _turn(vehicle: SimulatedVehicle, strength: float) -> None:
    vehicle.body.set_heading_error(math.radians(strength))


def _turn_back(vehicle: SimulatedVehicle, strength: float) -> None:
    vehicle.body.set_heading_error(0.0)


FAULTS = (
    FaultKind("gps_loss", "no satellite fix", GROUP, unhealthy_sensors=GPS),
    FaultKind(
        "gps_glitch", "the reported position jumps and stays away", GROUP, _jump, _right,
        default_strength=30.0, unit="m",
    ),
    FaultKind(
        "gps_spoof", "somebody draws the reported position away at this speed", GROUP, _start_spoofing, _right,
        _spoof, default_strength=3.0, unit="m/s",
    ),
    FaultKind(
        "gps_noise", "the reported position wanders with this standard deviation", GROUP, end=_right,
        tick=_wander, default_strength=3.0, unit="m",
    ),
    FaultKind(
        "gps_few_satellites", "so few satellites that the fix is a bad one", GROUP,
        default_strength=5.0, unit="satellites", arming_complaint="GPS 1: not healthy",
    ),
    FaultKind(
        "compass_error", "magnetic iron: the heading is wrong by this", GROUP, _turn, _turn_back,
        default_strength=20.0, unit="deg",
    ),
    FaultKind(
        "compass_loss", "the compass is dead", GROUP, arming_complaint="Compass not healthy",
        unhealthy_sensors=COMPASS,
    ),
    FaultKind(
        "barometer_drift", "the pressure changes: after two minutes the height is wrong by this", GROUP,
        end=_height_right, tick=_drift, default_strength=5.0, unit="m",
    ),
    FaultKind(
        "barometer_jump", "the reported height jumps by this", GROUP, _height_jumps, _height_right,
        default_strength=4.0, unit="m",
    ),
    FaultKind(
        "barometer_loss", "no pressure: the height is that of GPS, with this standard deviation", GROUP,
        end=_height_right, tick=_height_wanders, default_strength=2.5, unit="m",
        arming_complaint="Baro not healthy", unhealthy_sensors=BAROMETER,
    ),
    FaultKind(
        "imu_fault", "the inertial sensors disagree", GROUP, arming_complaint="Accels inconsistent",
        unhealthy_sensors=GYRO | ACCELEROMETER,
    ),
    FaultKind(
        "ekf_failure", "the estimator has lost its position", GROUP,
        arming_complaint="AHRS: not healthy", unhealthy_sensors=AHRS,
    ),
)  # fmt: skip
