"""From corners in the plane to flyable legs with times and energy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from planner import energy, motion
from planner.airframe import Airframe
from planner.flight_plan import Leg, LegKind, RoutePoint
from planner.wind import Wind

XY = tuple[float, float]


class CruisePart(NamedTuple):
    """The figures of one cruise leg, before it gets its positions."""

    length_m: float
    ground_speed_m_s: float
    duration_s: float
    energy_wh: float
    limited: bool
    """Whether the airframe's largest ground speed, not its airspeed, decides."""


class VerticalPart(NamedTuple):
    """The figures of one vertical leg, before it gets its positions."""

    height_m: float
    duration_s: float
    energy_wh: float


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
        mass_kg,
    )
    if not len(table):
        return None
    return tuple(
        CruisePart(length_m, ground_m_s, duration_s, joules / energy.JOULES_PER_WH, limited > 0.0)
        for length_m, ground_m_s, duration_s, joules, limited in table.tolist()
    )


def climb_part(airframe: Airframe, height_m: float, mass_kg: float) -> VerticalPart:
    """A vertical leg upwards (or of no height)."""
    duration_s = climb_time_s(airframe, height_m)
    power_w = energy.climb_power_w(airframe, mass_kg, airframe.climb_rate_m_s)
    return VerticalPart(abs(height_m), duration_s, power_w * duration_s / energy.JOULES_PER_WH)


def descent_part(
    airframe: Airframe, height_m: float, mass_kg: float, *, wind: Wind, landing: bool
) -> VerticalPart:
    """A vertical leg downwards; ``landing`` slows down over the pad as autopilots do."""
    duration_s = landing_time_s(airframe, height_m) if landing else descent_time_s(airframe, height_m)
    power_w = energy.hover_power_w(airframe, mass_kg, wind.speed_m_s)
    return VerticalPart(abs(height_m), duration_s, power_w * duration_s / energy.JOULES_PER_WH)


def vertical_leg(kind: LegKind, start: RoutePoint, end: RoutePoint, part: VerticalPart) -> Leg:
    """The leg with the figures of ``part``."""
    return Leg(
        kind=kind,
        start=start,
        end=end,
        length_m=part.height_m,
        ground_speed_m_s=0.0,
        duration_s=part.duration_s,
        energy_wh=part.energy_wh,
    )


def rest_to_rest_s(distance_m: float, speed_m_s: float, acceleration_m_s2: float) -> float:
    """Seconds for a straight move from rest to rest."""
    length_m = abs(distance_m)
    if length_m * acceleration_m_s2 <= speed_m_s * speed_m_s:
        # Braking begins before the speed is reached.
        return 2.0 * math.sqrt(length_m / acceleration_m_s2)
    return length_m / speed_m_s + speed_m_s / acceleration_m_s2


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


def cruise_legs(ends: Sequence[RoutePoint], parts: Sequence[CruisePart]) -> list[Leg]:
    """Legs through ``ends`` with the figures of ``parts``."""
    return [
        Leg(
            kind=LegKind.CRUISE,
            start=start,
            end=end,
            length_m=part.length_m,
            ground_speed_m_s=part.ground_speed_m_s,
            duration_s=part.duration_s,
            energy_wh=part.energy_wh,
        )
        for start, end, part in zip(ends, ends[1:], parts, strict=False)
    ]
