"""Which autopilot a drone has: by its type of airframe, never by a guess.

The vehicle's own HEARTBEAT is checked against it (preflight verdict «autopilot»), and a vehicle of another
kind is not touched: the same number means GUIDED to one autopilot and nothing to the other.
"""

from __future__ import annotations

from core.clock import Clock
from core.errors import ErrorCode, VehicleError
from flight.autopilots.ardupilot import ArduPilot
from flight.autopilots.base import Autopilot
from flight.autopilots.px4 import PX4
from planner.airframe import load_airframes

_KINDS: dict[str, type[ArduPilot] | type[PX4]] = {kind.name: kind for kind in (ArduPilot, PX4)}


def autopilot_for(airframe_id: str, clock: Clock) -> Autopilot:
    """The autopilot of a type of drone. Raises VehicleError 2001 for a type that nobody described."""
    airframe = load_airframes().get(airframe_id)
    if airframe is None:
        raise VehicleError(ErrorCode.VEHICLE_NOT_READY, f"no airframe {airframe_id!r} is known")
    return _KINDS[airframe.autopilot](clock)
