"""From corners in the plane to flyable legs with times and energy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.geodesy import LocalFrame, Wgs84Point
from planner import energy, motion
from planner.airframe import Airframe
from planner.flight_plan import Leg, LegKind, RoutePoint
from planner.wind import Wind

XY = tuple[float, float]


@dataclass(frozen=True, slots=True)
class CruisePart:
    """The figures of one cruise leg, before it gets its positions."""

    length_m: float
    ground_speed_m_s: float
    duration_s: float
    energy_wh: float
    limited: bool
    """Whether the airframe's largest ground speed, not its airspeed, decides."""


def cruise_parts(
    airframe: Airframe, points_xy_m: Sequence[XY], wind: Wind, mass_kg: float
) -> tuple[CruisePart, ...] | None:
    """Times and energy of level legs through ``points_xy_m``, at rest at both ends.

    Airspeed is held and ground speed limited. None where the wind doesn't let some leg be flown. Plane
    lengths are used: within a :class:`LocalFrame` they differ from geodesics by a few parts per million.
    """
    wind_x, wind_y = wind.towards_xy_m_s
    table = motion.cruise(
        np.array(points_xy_m, dtype=np.float64),
        wind_x,
        wind_y,
        airframe.cruise_airspeed_m_s,
        airframe.ground_speed_max_m_s,
        airframe.acceleration_m_s2,
        airframe.corridor.acceptance_radius_m,
        energy.rotor_at(airframe, mass_kg),
    )
    if not len(table):
        return None
    return tuple(
        CruisePart(
            length_m,
            ground_m_s,
            duration_s,
            watts * duration_s / energy.JOULES_PER_WH
            + energy.kinetic_wh(airframe, mass_kg, start_m_s, peak_m_s),
            bool(limited),
        )
        for length_m, ground_m_s, duration_s, watts, peak_m_s, start_m_s, limited in table.tolist()
    )


def climb_leg(airframe: Airframe, start: RoutePoint, end: RoutePoint, mass_kg: float) -> Leg:
    """A vertical leg upwards (or of no height)."""
    height_m = end.altitude_amsl_m - start.altitude_amsl_m
    duration_s = climb_time_s(airframe, height_m)
    power_w = energy.climb_power_w(airframe, mass_kg, airframe.climb_rate_m_s)
    return Leg(
        kind=LegKind.CLIMB,
        start=start,
        end=end,
        length_m=abs(height_m),
        ground_speed_m_s=0.0,
        duration_s=duration_s,
        energy_wh=power_w * duration_s / energy.JOULES_PER_WH,
    )


def descent_leg(
    airframe: Airframe, start: RoutePoint, end: RoutePoint, mass_kg: float, *, wind: Wind, landing: bool
) -> Leg:
    """A vertical leg downwards; ``landing`` slows down over the pad as autopilots do."""
    height_m = start.altitude_amsl_m - end.altitude_amsl_m
    duration_s = landing_time_s(airframe, height_m) if landing else descent_time_s(airframe, height_m)
    power_w = energy.hover_power_w(airframe, mass_kg, wind.speed_m_s)
    return Leg(
        kind=LegKind.DESCENT,
        start=start,
        end=end,
        length_m=abs(height_m),
        ground_speed_m_s=0.0,
        duration_s=duration_s,
        energy_wh=power_w * duration_s / energy.JOULES_PER_WH,
    )


def rest_to_rest_s(distance_m: float, speed_m_s: float, acceleration_m_s2: float) -> float:
    """Seconds for a straight move from rest to rest."""
    return float(motion.leg_time_s(abs(distance_m), 0.0, 0.0, speed_m_s, acceleration_m_s2)[0])


def climb_time_s(airframe: Airframe, height_m: float) -> float:
    """Seconds to climb ``height_m`` from rest to rest."""
    return rest_to_rest_s(height_m, airframe.climb_rate_m_s, airframe.vertical_acceleration_m_s2)


def descent_time_s(airframe: Airframe, height_m: float) -> float:
    """Seconds to descend ``height_m`` from rest to rest."""
    return rest_to_rest_s(height_m, airframe.descent_rate_m_s, airframe.vertical_acceleration_m_s2)


def landing_time_s(airframe: Airframe, height_m: float) -> float:
    """Seconds from hover ``height_m`` above the pad to touch-down."""
    slow_m = min(height_m, airframe.landing_slow_below_m)
    return descent_time_s(airframe, height_m - slow_m) + slow_m / airframe.landing_rate_m_s


def cruise_legs(
    points: Sequence[Wgs84Point], altitude_amsl_m: float, parts: Sequence[CruisePart]
) -> list[Leg]:
    """Legs at one altitude through ``points``, with the figures of ``parts``."""
    ends = [RoutePoint(point, altitude_amsl_m) for point in points]
    return [
        Leg(
            kind=LegKind.CRUISE,
            start=ends[index],
            end=ends[index + 1],
            length_m=part.length_m,
            ground_speed_m_s=part.ground_speed_m_s,
            duration_s=part.duration_s,
            energy_wh=part.energy_wh,
        )
        for index, part in enumerate(parts)
    ]


def to_wgs84(frame: LocalFrame, points_xy_m: Sequence[XY]) -> list[Wgs84Point]:
    """Plane points to WGS-84 in one projection call."""
    return [Wgs84Point(float(lat), float(lon)) for lon, lat in frame.unproject(points_xy_m)]
