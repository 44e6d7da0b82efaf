"""Who watches a vehicle: its simulated world, or, of a real autopilot, what it reports about itself."""

from __future__ import annotations

from typing import Protocol

from core.geodesy import Wgs84Point
from sitl.vehicle import SimulatedVehicle

Sighting = tuple[float, str, str]
"""(seconds since power-on, what, detail)."""


class Eye(Protocol):
    """What judging needs to know of a vehicle."""

    @property
    def armed(self) -> bool: ...

    @property
    def on_ground(self) -> bool: ...

    @property
    def position(self) -> Wgs84Point: ...

    @property
    def altitude_amsl_m(self) -> float: ...

    @property
    def ground_speed_m_s(self) -> float: ...

    @property
    def charge_fraction(self) -> float: ...

    def sightings(self) -> tuple[Sighting, ...]:
        """Armed, released, on_ground, dropped, crashed … in order."""
        ...


class WorldEye:
    """Sees a simulated vehicle as it truly is."""

    def __init__(self, vehicle: SimulatedVehicle) -> None:
        self._vehicle = vehicle

    @property
    def armed(self) -> bool:
        return self._vehicle.armed

    @property
    def on_ground(self) -> bool:
        return self._vehicle.body.on_ground

    @property
    def position(self) -> Wgs84Point:
        return self._vehicle.position

    @property
    def altitude_amsl_m(self) -> float:
        return self._vehicle.altitude_amsl_m

    @property
    def ground_speed_m_s(self) -> float:
        north, east, _ = self._vehicle.body.velocity_m_s
        return float((north * north + east * east) ** 0.5)

    @property
    def charge_fraction(self) -> float:
        vehicle = self._vehicle
        return 1.0 - vehicle.body.consumed_ah / vehicle.settings.airframe.battery_capacity_ah

    def sightings(self) -> tuple[Sighting, ...]:
        return tuple((round(seen.at_s, 3), seen.what, seen.detail) for seen in self._vehicle.witnessed)
