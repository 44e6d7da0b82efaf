"""From corners in the plane to flyable legs with times and energy."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from core.geodesy import LocalFrame, Wgs84Point
from planner import energy, motion
from planner.airframe import Airframe
from planner.flight_plan import Leg, LegKind, RoutePoint
from planner.wind import Wind, airspeed_for_m_s, ground_speed_m_s

XY = tuple[float, float]


@dataclass(frozen=True, slots=True)
class CruiseSpeed:
    """Ground speed and the airspeed it costs."""

    ground_m_s: float
    air_m_s: float
    limited: bool
    """Whether the airframe's largest ground speed, not its airspeed, decides."""


def cruise_speed(airframe: Airframe, wind_xy_m_s: XY, direction_xy: XY) -> CruiseSpeed | None:
    """The cruise along a track: airspeed held, ground speed limited; None where the wind wins."""
    ground_m_s = ground_speed_m_s(direction_xy, wind_xy_m_s, airframe.cruise_airspeed_m_s)
    if ground_m_s is None:
        return None
    if ground_m_s <= airframe.ground_speed_max_m_s:
        return CruiseSpeed(ground_m_s, airframe.cruise_airspeed_m_s, False)
    limit_m_s = airframe.ground_speed_max_m_s
    return CruiseSpeed(limit_m_s, airspeed_for_m_s(direction_xy, wind_xy_m_s, limit_m_s), True)


@dataclass(frozen=True, slots=True)
class CruisePart:
    """The figures of one cruise leg, before it gets its positions."""

    length_m: float
    ground_speed_m_s: float
    duration_s: float
    energy_wh: float
    limited: bool


def cruise_parts(
    airframe: Airframe, points_xy_m: Sequence[XY], wind: Wind, mass_kg: float
) -> list[CruisePart] | None:
    """Times and energy of level legs through ``points_xy_m``, at rest at both ends.

    None where the wind doesn't let some leg be flown. Plane lengths are used: within a
    :class:`LocalFrame` they differ from geodesics by a few parts per million.
    """
    wind_xy = wind.towards_xy_m_s
    lengths, directions, speeds = [], [], []
    for (x1, y1), (x2, y2) in itertools.pairwise(points_xy_m):
        length_m = math.hypot(x2 - x1, y2 - y1)
        direction = ((x2 - x1) / length_m, (y2 - y1) / length_m) if length_m > 0.0 else (0.0, 1.0)
        speed = cruise_speed(airframe, wind_xy, direction)
        if speed is None:
            return None
        lengths.append(length_m)
        directions.append(direction)
        speeds.append(speed)
    corners = [
        motion.corner_speed_m_s(
            motion.turn_rad(before, after), airframe.corridor.acceptance_radius_m, airframe.acceleration_m_s2
        )
        for before, after in itertools.pairwise(directions)
    ]
    ends = motion.speeds_at_corners_m_s(
        lengths, [speed.ground_m_s for speed in speeds], corners, airframe.acceleration_m_s2
    )
    parts = []
    for index, (length_m, speed) in enumerate(zip(lengths, speeds, strict=True)):
        duration_s, peak_m_s = motion.leg_time_s(
            length_m, ends[index], ends[index + 1], speed.ground_m_s, airframe.acceleration_m_s2
        )
        power_w = energy.level_power_w(airframe, mass_kg, speed.air_m_s)
        if peak_m_s < speed.ground_m_s:
            # Short legs never reach their cruise; slow flight may cost more than cruise does.
            power_w = max(power_w, energy.hover_power_w(airframe, mass_kg, wind.speed_m_s))
        spent_wh = power_w * duration_s / energy.JOULES_PER_WH
        spent_wh += energy.kinetic_wh(airframe, mass_kg, ends[index], peak_m_s)
        parts.append(CruisePart(length_m, speed.ground_m_s, duration_s, spent_wh, speed.limited))
    return parts


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


def climb_time_s(airframe: Airframe, height_m: float) -> float:
    """Seconds to climb ``height_m`` from rest to rest."""
    return motion.vertical_time_s(height_m, airframe.climb_rate_m_s, airframe.vertical_acceleration_m_s2)


def descent_time_s(airframe: Airframe, height_m: float) -> float:
    """Seconds to descend ``height_m`` from rest to rest."""
    return motion.vertical_time_s(height_m, airframe.descent_rate_m_s, airframe.vertical_acceleration_m_s2)


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
