"""Another aircraft that the vehicle hears by ADS-B and passes on to its ground stations."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pymavlink.dialects.v20 import ardupilotmega as mavlink

from core.geodesy import EnuOffset

if TYPE_CHECKING:
    from sitl.vehicle import SimulatedVehicle

STARTS_AT_M = 3000.0
"""Chosen: about as far as a low helicopter is heard between houses."""
REPORT_S = 1.0
_ADDRESS = 0x780A11
"""An ICAO address of the block that is China's; the aircraft is none in particular."""


class Intruder:
    """Flies straight through where the vehicle was when it set out, at the vehicle's height."""

    def __init__(self, vehicle: SimulatedVehicle) -> None:
        self._vehicle = vehicle
        self._start: tuple[float, float, float] | None = None
        self._bearing: float | None = None
        self._flown_m = 0.0
        self._next_report_s = 0.0

    def update(self, step_s: float) -> None:
        """Every 0.1 s; reports once a second while the fault is active."""
        vehicle = self._vehicle
        speed_m_s = vehicle.faults.active.get("intruder")
        if speed_m_s is None:
            return
        bearing = vehicle.faults.memory["intruder"]
        if bearing != self._bearing:
            self._bearing, self._start = bearing, None
        body = vehicle.body
        if self._start is None:
            self._start = (
                body.north_m + STARTS_AT_M * math.cos(bearing),
                body.east_m + STARTS_AT_M * math.sin(bearing),
                body.altitude_amsl_m,
            )
            self._flown_m = 0.0
        self._flown_m += speed_m_s * step_s
        if vehicle.time_s < self._next_report_s:
            return
        self._next_report_s = vehicle.time_s + REPORT_S
        north_m = self._start[0] - self._flown_m * math.cos(bearing)
        east_m = self._start[1] - self._flown_m * math.sin(bearing)
        place = body.frame.to_wgs84(EnuOffset(east_m, north_m))
        heading_cdeg = round(math.degrees(bearing + math.pi) * 100) % 36000
        report = mavlink.MAVLink_adsb_vehicle_message(
            _ADDRESS, round(place.latitude_deg * 1e7), round(place.longitude_deg * 1e7), 0,
            round(self._start[2] * 1000), heading_cdeg, round(speed_m_s * 100), 0, b"INTRUDER", 7, 1, 0x1F, 1200,
        )  # fmt: skip
        for channel in vehicle.channels:
            channel.send(report)
