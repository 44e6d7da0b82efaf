"""Small intents for deconfliction tests: metres from the origin, seconds from NOW."""

from __future__ import annotations

from datetime import timedelta

from planner.intents import Circle, IntentState, OperationalIntent, Polygon, Volume4D
from tests.unit.planner.helpers import NOW, at_m


def box(
    west_m: float,
    south_m: float,
    east_m: float,
    north_m: float,
    *,
    heights_m: tuple[float, float] = (0.0, 150.0),
    seconds: tuple[float, float] = (0.0, 600.0),
) -> Volume4D:
    corners = ((west_m, south_m), (east_m, south_m), (east_m, north_m), (west_m, north_m))
    return volume(Polygon(tuple(at_m(x, y) for x, y in corners)), heights_m, seconds)


def disc(
    east_m: float,
    north_m: float,
    radius_m: float,
    *,
    heights_m: tuple[float, float] = (0.0, 150.0),
    seconds: tuple[float, float] = (0.0, 600.0),
) -> Volume4D:
    return volume(Circle(at_m(east_m, north_m), radius_m), heights_m, seconds)


def volume(
    outline: Polygon | Circle, heights_m: tuple[float, float], seconds: tuple[float, float]
) -> Volume4D:
    return Volume4D(
        outline=outline,
        altitude_lower_m=heights_m[0],
        altitude_upper_m=heights_m[1],
        time_start=NOW + timedelta(seconds=seconds[0]),
        time_end=NOW + timedelta(seconds=seconds[1]),
    )


def intent(
    name: str,
    *volumes: Volume4D,
    priority: int = 0,
    state: IntentState = IntentState.ACCEPTED,
    owner: str = "other",
) -> OperationalIntent:
    return OperationalIntent(
        intent_id=name, owner=owner, state=state, priority=priority, volumes=tuple(volumes)
    )
