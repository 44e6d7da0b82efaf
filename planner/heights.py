"""Which altitudes a flight may choose from, over ground that is known.

A layer is one altitude above mean sea level for the whole cruise. It is high enough over the highest
ground and low enough over the lowest, pads and landing points included, with the altitude error kept at
the upper limit.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from core.geodesy import LocalFrame, Wgs84Point
from geofences.terrain import Terrain
from planner.corridor import Corridor
from planner.policy import PlanningPolicy

if TYPE_CHECKING:
    from planner.space import Space

XY = tuple[float, float]


def layers_amsl_m(
    terrain: Terrain,
    policy: PlanningPolicy,
    corridor: Corridor,
    *,
    points: Sequence[Wgs84Point],
    grounds_amsl_m: Sequence[float],
) -> tuple[float, ...]:
    """Cruise altitudes to try, lowest first; empty when no altitude suits both ends.

    ``grounds_amsl_m`` are the surveyed heights of pad and landing point, which may differ from the terrain
    model's: the lowest layer clears the higher of both, the highest respects the lower.
    """
    modelled = [_range(terrain, point, point) for point in points]
    low_ground_m = min(low for low, _ in modelled)
    high_ground_m = max(*(high for _, high in modelled), *grounds_amsl_m)
    lowest_m = high_ground_m + policy.minimum_agl_m
    highest_m = low_ground_m + policy.maximum_agl_m - corridor.altitude_error_m
    if not (math.isfinite(lowest_m) and math.isfinite(highest_m)) or lowest_m > highest_m:
        return ()
    steps = int((highest_m - lowest_m) // policy.height_step_m)
    return tuple(lowest_m + step * policy.height_step_m for step in range(steps + 1))


def legal_above_ground(
    terrain: Terrain,
    frame: LocalFrame,
    policy: PlanningPolicy,
    corridor: Corridor,
    points_xy_m: Sequence[XY],
    cruise_amsl_m: float,
) -> bool:
    """Whether the whole way keeps both height limits above the terrain, by bounds over boxes along it, the flight
    geography to each side included."""
    if math.isinf(terrain.resolution_m):
        # The same ground everywhere: the layers already respect it.
        return True
    corners = [Wgs84Point(float(lat), float(lon)) for lon, lat in frame.unproject(points_xy_m)]
    ceiling_m = cruise_amsl_m - policy.maximum_agl_m + corridor.altitude_error_m
    floor_m = cruise_amsl_m - policy.minimum_agl_m
    for start, end in itertools.pairwise(corners):
        pieces = max(1, math.ceil(_span_m(start, end) / PIECE_M))
        for piece in range(pieces):
            low_m, high_m = _range(
                terrain,
                _between(start, end, piece / pieces),
                _between(start, end, (piece + 1) / pieces),
                corridor.flight_geography_m,
            )
            if not (low_m >= ceiling_m and high_m <= floor_m):
                return False
    return True


def into_ground(
    space: Space, policy: PlanningPolicy, swept: npt.NDArray[np.float64], return_amsl_m: float
) -> npt.NDArray[np.bool_]:
    """For every triangle of straight returns (n, 3, 2), whether its ground rules out flying at ``return_amsl_m``."""
    terrain = space.airspace.terrain
    bad = np.zeros(len(swept), dtype=np.bool_)
    if math.isinf(terrain.resolution_m) or not len(swept):
        # The same ground everywhere: the layers already respect it.
        return bad
    ceiling_m = return_amsl_m - policy.maximum_agl_m + space.corridor.altitude_error_m
    floor_m = return_amsl_m - policy.minimum_agl_m
    for number, (start, end, goal) in enumerate(swept):
        # The triangle in strips from its leg towards the rally point, and the strips in boxes.
        middle = 0.5 * (start + end)
        strips = max(1, math.ceil(float(np.hypot(*(goal - middle))) / PIECE_M))
        share = np.linspace(0.0, 1.0, strips + 1)[:, None]
        left, right = start + share * (goal - start), end + share * (goal - end)
        corners = np.stack([left[:-1], right[:-1], left[1:], right[1:]], axis=1)
        lon_lat = space.frame.unproject(corners.reshape(-1, 2)).reshape(-1, 4, 2)
        low, high = lon_lat.min(axis=1), lon_lat.max(axis=1)
        for (west, south), (east, north) in zip(low.tolist(), high.tolist(), strict=True):
            low_m, high_m = terrain.ground_range_amsl_m(west, south, east, north)
            if not (low_m >= ceiling_m and high_m <= floor_m):
                bad[number] = True
                break
    return bad


PIECE_M = 200.0
"""Chosen: boxes around diagonal pieces of this length waste little ground."""


def _span_m(start: Wgs84Point, end: Wgs84Point) -> float:
    north_m = 111_000.0 * (end.latitude_deg - start.latitude_deg)
    east_m = 111_000.0 * (end.longitude_deg - start.longitude_deg)
    return math.hypot(north_m, east_m)


def _between(start: Wgs84Point, end: Wgs84Point, share: float) -> Wgs84Point:
    return Wgs84Point(
        start.latitude_deg + share * (end.latitude_deg - start.latitude_deg),
        start.longitude_deg + share * (end.longitude_deg - start.longitude_deg),
    )


def _range(
    terrain: Terrain, one: Wgs84Point, other: Wgs84Point, margin_m: float = 0.0
) -> tuple[float, float]:
    # 110 km is less than any degree of latitude is long, so the margin is never too small.
    north_deg = margin_m / 110_000.0
    east_deg = north_deg / max(
        math.cos(math.radians(max(abs(one.latitude_deg), abs(other.latitude_deg)))), 0.01
    )
    return terrain.ground_range_amsl_m(
        min(one.longitude_deg, other.longitude_deg) - east_deg,
        min(one.latitude_deg, other.latitude_deg) - north_deg,
        max(one.longitude_deg, other.longitude_deg) + east_deg,
        max(one.latitude_deg, other.latitude_deg) + north_deg,
    )
