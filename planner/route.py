"""Legal ways between two points at one height: shortest, or fastest in the wind."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from planner.airframe import Airframe
from planner.flight_plan import RouteObjective
from planner.legs import CruisePart, cruise_parts, rest_to_rest_s
from planner.search import NoSearchRoute, SearchRoute, SearchWorld
from planner.space import Mask
from planner.wind import Wind

XY = tuple[float, float]

CALM_M_S = 0.05
"""Chosen: weaker wind changes a leg's time by less than 0.3 %."""


@dataclass(frozen=True)
class Way:
    """Corners in frame metres, the cruise legs' figures, and what it is the best of."""

    points_xy_m: tuple[XY, ...]
    parts: tuple[CruisePart, ...]
    objective: RouteObjective

    @cached_property
    def duration_s(self) -> float:
        return sum(part.duration_s for part in self.parts)

    @cached_property
    def energy_wh(self) -> float:
        return sum(part.energy_wh for part in self.parts)


@dataclass(frozen=True, slots=True)
class WindWins:
    """Some leg can't be flown at cruise airspeed against this wind."""


def find_way(
    world: SearchWorld, start: XY, goal: XY, *, mask: Mask, airframe: Airframe, wind: Wind, mass_kg: float
) -> Way | NoSearchRoute | WindWins:
    """The best legal way for ``airframe`` in ``wind``: one search, and its answer is the optimum.

    In calm air that is the shortest way. In wind it is the way of least cruise time, where every leg is flown at
    constant airspeed or at the airframe's largest ground speed, whichever is slower. What corners cost in
    speed is in the figures of the parts but not in what is minimised.
    """
    if wind.speed_m_s <= CALM_M_S:
        return _way(world.shortest(start, goal, mask=mask), airframe, wind, mass_kg, RouteObjective.SHORTEST)
    if wind.speed_m_s >= airframe.cruise_airspeed_m_s:
        return WindWins()
    found = _fastest(world, start, goal, mask, airframe, wind)
    return _way(found, airframe, wind, mass_kg, RouteObjective.FASTEST)


def least_time_s(
    world: SearchWorld, start: XY, goal: XY, *, mask: Mask, airframe: Airframe, wind: Wind
) -> float:
    """A lower bound of the cruise among the obstacles of ``mask``; inf where there is no way."""
    windy = CALM_M_S < wind.speed_m_s < airframe.cruise_airspeed_m_s
    if windy:
        found = _fastest(world, start, goal, mask, airframe, wind)
    else:
        found = world.shortest(start, goal, mask=mask)
    if isinstance(found, NoSearchRoute):
        # A search that gave up proves nothing.
        return 0.0 if found.reason == "search_limit" else math.inf
    if windy:
        return found.cost
    return rest_to_rest_s(found.length_m, airframe.ground_speed_max_m_s, airframe.acceleration_m_s2)


def _fastest(
    world: SearchWorld, start: XY, goal: XY, mask: Mask, airframe: Airframe, wind: Wind
) -> SearchRoute | NoSearchRoute:
    return world.shortest(
        start,
        goal,
        mask=mask,
        wind_xy_m_s=wind.towards_xy_m_s,
        airspeed_m_s=airframe.cruise_airspeed_m_s,
        ground_speed_max_m_s=airframe.ground_speed_max_m_s,
    )


def reversed_way(way: Way, airframe: Airframe, wind: Wind, mass_kg: float) -> Way | WindWins:
    """The same corners backwards, with their own times in the wind."""
    points = tuple(reversed(way.points_xy_m))
    parts = cruise_parts(airframe, points, wind, mass_kg)
    return WindWins() if parts is None else Way(points, parts, way.objective)


def _way(
    found: SearchRoute | NoSearchRoute,
    airframe: Airframe,
    wind: Wind,
    mass_kg: float,
    objective: RouteObjective,
) -> Way | NoSearchRoute | WindWins:
    if isinstance(found, NoSearchRoute):
        return found
    points = _distinct(found.points_xy_m)
    parts = cruise_parts(airframe, points, wind, mass_kg)
    return WindWins() if parts is None else Way(points, parts, objective)


def _distinct(points: tuple[XY, ...]) -> tuple[XY, ...]:
    """Without corners that repeat their predecessor: a leg of no length has no direction."""
    kept = [points[0]]
    for point in points[1:-1]:
        if point not in (kept[-1], points[-1]):
            kept.append(point)
    return (*kept, points[-1])
