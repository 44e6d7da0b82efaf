"""Autopilot parameters without which a plan's promises do not hold, with the reason for each.

They are data: the flight layer sets or checks them and reads them back. Names and units are
ArduCopter 4.6's and PX4 1.16's own.
"""

from __future__ import annotations

import math

from planner.compile.dialects import Dialect
from planner.compile.mission_types import RequiredParameter
from planner.flight_plan import FlightPlan


def required_parameters(plan: FlightPlan, dialect: Dialect) -> tuple[RequiredParameter, ...]:
    """The list for ``dialect``; values in the autopilot's units."""
    return _ardupilot(plan) if dialect.name == "ardupilot" else _px4(plan)


TAKEOFF_SPEED_MAX_M_S = 5.0
"""PX4's own limit of MPC_TKO_SPEED, whose default of 1.5 m/s holds for the first metres of the climb."""
LANDING_SLOWS_OVER_M = 5.0
"""From descent to landing speed within this height (chosen: PX4's own defaults are 10 m and 5 m)."""


def _slowest_cruise_m_s(plan: FlightPlan) -> float:
    """The ground speed of the slowest cruise leg: what holds where no item says another one."""
    sections = (plan.outbound, plan.inbound, plan.retrace)
    return round(min(leg.ground_speed_m_s for legs in sections for leg in legs[1:-1]), 2)


def _return_height_m(plan: FlightPlan) -> float:
    """Above home: the highest altitude of the cruise, at which the straight ways to the rally points were checked."""
    heights = [leg.end.altitude_amsl_m for legs in plan.sections().values() for leg in legs[:-1]]
    return max(heights) - plan.home.altitude_amsl_m


def _ceiling_m(plan: FlightPlan) -> float:
    return plan.autopilot_fence.ceiling_amsl_m - plan.home.altitude_amsl_m


def _rally_limit_km(plan: FlightPlan) -> float:
    """Beyond every rally point's distance from every corner of the way: the nearest always counts."""
    points = [leg.end.position for legs in plan.sections().values() for leg in legs]
    latitudes = [point.latitude_deg for point in points] + [
        rally.position.latitude_deg for rally in plan.rally_points
    ]
    longitudes = [point.longitude_deg for point in points] + [
        rally.position.longitude_deg for rally in plan.rally_points
    ]
    # Degrees to kilometres, generously: 112 km is more than any degree is long.
    span_km = 112.0 * math.hypot(max(latitudes) - min(latitudes), max(longitudes) - min(longitudes))
    return math.ceil(span_km) + 1.0


def _ardupilot(plan: FlightPlan) -> tuple[RequiredParameter, ...]:
    kinematics = plan.kinematics
    listed = [
        ("WPNAV_RADIUS", kinematics.acceptance_radius_m * 100.0, "corners are cut no further than planned"),
        (
            "WPNAV_SPEED",
            kinematics.ground_speed_max_m_s * 100.0,
            "the corridor's width is for this ground speed",
        ),
        ("WPNAV_SPEED_UP", kinematics.climb_rate_m_s * 100.0, "planned climb time"),
        ("WPNAV_SPEED_DN", kinematics.descent_rate_m_s * 100.0, "planned descent time"),
        ("WPNAV_ACCEL", kinematics.acceleration_m_s2 * 100.0, "planned corner speeds"),
        ("WPNAV_ACCEL_Z", kinematics.vertical_acceleration_m_s2 * 100.0, "planned climb time"),
        ("LAND_SPEED", kinematics.landing_rate_m_s * 100.0, "planned landing time"),
        ("LAND_ALT_LOW", kinematics.landing_slow_below_m * 100.0, "planned landing time"),
        ("FENCE_ALT_MAX", math.floor(_ceiling_m(plan)), "the way stays under its ceiling"),
        (
            "RTL_ALT",
            math.ceil(_return_height_m(plan) * 100.0),
            "straight returns were checked at cruise height",
        ),
        ("RALLY_LIMIT_KM", _rally_limit_km(plan), "the nearest rally point must count at any distance"),
        *_failsafes(plan),
        ("RALLY_INCL_HOME", 0.0, "home is a rally point where a straight way to it is legal, nowhere else"),
    ]
    return tuple(
        RequiredParameter(name=name, value=float(value), reason=reason) for name, value, reason in listed
    )


_RETRACE_ONLY = "no straight return is legal everywhere on this way: retrace it, or land"


def _failsafes(plan: FlightPlan) -> list[tuple[str, float, str]]:
    """Without rally points a straight return may be illegal: ArduPilot's SmartRTL flies back as it came.

    Values from ArduCopter's parameter list: 4 is «SmartRTL or Land», for the fence it is 5.
    """
    if plan.rally_points:
        return []
    return [
        ("FS_GCS_ENABLE", 4.0, _RETRACE_ONLY),
        ("BATT_FS_LOW_ACT", 4.0, _RETRACE_ONLY),
        ("FENCE_ACTION", 5.0, _RETRACE_ONLY),
    ]


def _px4(plan: FlightPlan) -> tuple[RequiredParameter, ...]:
    kinematics = plan.kinematics
    listed = [
        ("NAV_ACC_RAD", kinematics.acceptance_radius_m, "corners are cut no further than planned"),
        ("MPC_XY_VEL_MAX", kinematics.ground_speed_max_m_s, "the corridor's width is for this ground speed"),
        ("MPC_XY_CRUISE", _slowest_cruise_m_s(plan), "the planned ground speed; the return flies it too"),
        # The rates of missions are cut to the general limits, whose defaults are 3 and 1.5 m/s.
        ("MPC_Z_VEL_MAX_UP", kinematics.climb_rate_m_s, "planned climb time"),
        ("MPC_Z_VEL_MAX_DN", kinematics.descent_rate_m_s, "planned descent time"),
        ("MPC_Z_V_AUTO_UP", kinematics.climb_rate_m_s, "planned climb time"),
        ("MPC_Z_V_AUTO_DN", kinematics.descent_rate_m_s, "planned descent time"),
        ("MPC_ACC_HOR", kinematics.acceleration_m_s2, "planned corner speeds"),
        ("MPC_LAND_SPEED", kinematics.landing_rate_m_s, "planned landing time"),
        ("MPC_TKO_SPEED", min(kinematics.climb_rate_m_s, TAKEOFF_SPEED_MAX_M_S), "planned climb time"),
        # Between the two heights PX4 slows down linearly; from the lower one on it is at landing speed.
        ("MPC_LAND_ALT2", kinematics.landing_slow_below_m, "planned landing time"),
        ("MPC_LAND_ALT1", kinematics.landing_slow_below_m + LANDING_SLOWS_OVER_M, "planned landing time"),
        ("GF_MAX_VER_DIST", math.floor(_ceiling_m(plan)), "the way stays under its ceiling"),
        ("RTL_RETURN_ALT", _return_height_m(plan), "straight returns were checked at cruise height"),
        ("RTL_CONE_ANG", 0.0, "no lower return near its end: straight returns were checked at cruise height"),
        ("RTL_LAND_DELAY", 0.0, "the return ends on the ground, not hovering over it"),
        (
            ("RTL_TYPE", 0.0, "straight to the nearest of home and rally points, all of which were checked")
            if plan.rally_points
            else ("RTL_TYPE", 2.0, "along the mission's own legs: no straight return is legal everywhere")
        ),
        ("MIS_TKO_LAND_REQ", 0.0, "the mission may hold a second landing"),
    ]
    return tuple(
        RequiredParameter(name=name, value=float(value), reason=reason) for name, value, reason in listed
    )
