"""A plan and views for tests without a vehicle."""

from dataclasses import replace
from functools import cache
from typing import Any

from core.geodesy import Wgs84Point, destination
from flight.autopilots.ardupilot import AUTO, ArduPilot
from flight.director import Director
from flight.model.view import LandedState, VehicleView
from planner.compile.mavlink import compile_mission
from planner.flight_plan import FlightPlan
from tests.unit.planner.helpers import airspace, landing_point, planned, refuge, station


@cache
def plan() -> FlightPlan:
    """800 m to the east over open country, a refuge beside the way."""
    return planned(
        airspace(),
        station("home", 0.0, 0.0),
        landing_point("park", 800.0, 0.0),
        refuges=(refuge("field", 400.0, 150.0),),
    )


class NoClock:
    """Nothing here waits."""


def director(of: FlightPlan | None = None) -> Director:
    of = of or plan()
    autopilot = ArduPilot(NoClock())  # type: ignore[arg-type]
    return Director(
        of,
        compile_mission(of),
        mode_class=autopilot.mode_class,
        estimator_ready=autopilot.estimator_ready,
    )


def view(**changes: Any) -> VehicleView:
    """Healthy, heard at 100 s, armed in AUTO at the pad's position and cruise height."""
    values: dict[str, Any] = {
        "heard_s": 100.0,
        "armed": True,
        "custom_mode": AUTO,
        "heartbeat_s": 100.0,
        "position": plan().home.position,
        "altitude_amsl_m": 65.0,
        "height_above_home_m": 60.0,
        "velocity_east_m_s": 0.0,
        "velocity_north_m_s": 0.0,
        "velocity_up_m_s": 0.0,
        "gps_fix_type": 6,
        "hdop": 0.8,
        "satellites": 14,
        "ekf_flags": 831,
        "charge_fraction": 1.0,
        "prearm_ok": True,
        "landed_state": LandedState.IN_AIR,
        "mission_seq": 3,
        "line_length_m": 0.0,
        "winch_flags": 1,
        "winch_s": 100.0,
    }
    return VehicleView(**(values | changes))


def at_delivery(**changes: Any) -> VehicleView:
    """Hovering where the plan wants the AED lowered."""
    flight = plan()
    height_m = flight.delivery.altitude_amsl_m - flight.home.altitude_amsl_m
    values: dict[str, Any] = {
        "position": flight.delivery.position,
        "height_above_home_m": height_m,
        "mission_seq": compile_mission(flight).indices.delivery_hover,
    }
    return view(**(values | changes))


def moved(start: Wgs84Point, bearing_deg: float, distance_m: float) -> Wgs84Point:
    return destination(start, bearing_deg, distance_m)


__all__ = ["at_delivery", "director", "moved", "plan", "replace", "view"]
