"""Compile the kernels once, so that the first start is as quick as the others: ``python -m sitl.warm``."""

from __future__ import annotations

from core.geodesy import Wgs84Point
from sitl.vehicle import SimulatedVehicle


def warm() -> None:
    """Run one vehicle far enough that every kernel has been called with its real argument types."""
    vehicle = SimulatedVehicle(1, Wgs84Point(0.0, 0.0))
    vehicle.step(0.1)
    vehicle.body.start_legs()
    vehicle.body.next_leg((100.0, 0.0, 0.0), (100.0, 100.0, 0.0), reinitialise=True)
    vehicle.body.change_speed(5.0)
    vehicle.step(0.1)


if __name__ == "__main__":
    warm()
