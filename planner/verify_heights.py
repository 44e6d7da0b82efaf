"""The part of the last word that is about heights: the ground under every leg, and legs that climb or descend.

Level legs are judged by one band of altitudes (:mod:`planner.verify`). A sloped leg is judged in short pieces, each
with its own altitudes and its own ground, because what it passes over or under lies within its corridor.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from geofences.airspace import Airspace
from geofences.model import TimeWindow
from planner.corridor import Corridor
from planner.policy import PlanningPolicy

Floats = npt.NDArray[np.float64]
Box = tuple[float, float, float, float]

PIECE_M = 40.0
"""Chosen: shorter than the pieces that the heights were found with (50 m), and cut at other places."""

LEAST_PIECE_M = 1.0
"""Chosen: a piece that is refused is judged again in halves down to this length, because a whole piece's altitudes are
held against a zone that only its end may be near. A climb changes less than a decimetre over it."""

SAMPLE_M = 10.0
"""Chosen: the ground is looked at this often, or as often as the terrain model changes if that is less."""

TOLERANCE_M = 0.05
"""As in :mod:`planner.verify`: positions and altitudes are rounded."""


def ground_problem(
    cruise: Floats, returns_amsl_m: float, returns: Floats, airspace: Airspace, corridor: Corridor,
    policy: PlanningPolicy,
) -> str | None:  # fmt: skip
    """What is wrong with the heights above ground, by samples.

    ``cruise`` (n, 2, 3) are both ends of every cruise leg as longitude, latitude, altitude; ``returns`` (m, 2, 2)
    both ends of straight returns, flown at ``returns_amsl_m``. Only uneven ground is looked at.
    """
    terrain = airspace.terrain
    if math.isinf(terrain.resolution_m):
        return None
    level = np.full((len(returns), 2, 1), returns_amsl_m)
    lines = np.concatenate([cruise, np.concatenate([returns, level], axis=2)]) if len(returns) else cruise
    step_m = min(SAMPLE_M, terrain.resolution_m)
    for start, end in lines:
        north_m = 111_320.0 * (end[1] - start[1])
        east_m = 111_320.0 * math.cos(math.radians(start[1])) * (end[0] - start[0])
        share = np.linspace(0.0, 1.0, math.ceil(math.hypot(north_m, east_m) / step_m) + 2)[:, None]
        for longitude, latitude, amsl_m in (start + share * (end - start)).tolist():
            low_m, high_m = terrain.ground_range_amsl_m(longitude, latitude, longitude, latitude)
            least_m, most_m = amsl_m - high_m, amsl_m - low_m
            if not least_m >= policy.minimum_agl_m - TOLERANCE_M:
                return f"a line is {least_m:.1f} m above the ground, less than {policy.minimum_agl_m:.0f} m"
            if not most_m <= policy.maximum_agl_m - corridor.altitude_error_m + TOLERANCE_M:
                return f"a line is {most_m:.1f} m above the ground, too near to {policy.maximum_agl_m:.0f} m"
    return None


@dataclass(frozen=True, slots=True)
class Sloped:
    """Pieces of legs with different altitudes at their ends, and what was found about them.

    ``problem`` is None when all is well; ``passed`` are the obstacles whose height over some piece was looked at.
    """

    problem: str | None
    passed: frozenset[int]


def sloped_legs(
    ends_xy_m: Floats,
    heights_amsl_m: Floats,
    *,
    top_amsl_m: float | None,
    airspace: Airspace,
    corridor: Corridor,
    window: TimeWindow,
    shapes: Callable[[npt.NDArray[np.object_], float], list[tuple[int, int, str]]],
) -> Sloped:
    """Judge legs ``ends_xy_m`` (n, 2, 2; frame metres) at ``heights_amsl_m`` (n, 2).

    ``shapes`` tells (line, obstacle, zone id) of the airspace's original shapes within a distance of lines.
    ``top_amsl_m`` is the altitude of straight returns, to which the drone must be able to climb from everywhere on
    the way; None without them.
    """
    error_m, width_m = corridor.altitude_error_m, corridor.half_width_m - TOLERANCE_M
    pieces, bands = _pieces(ends_xy_m, heights_amsl_m)
    lines = shapely.linestrings(pieces)
    boxes = _boxes(airspace, lines, corridor.half_width_m)
    near: dict[int, list[tuple[int, str]]] = {}
    for piece, obstacle, zone_id in shapes(lines, width_m):
        near.setdefault(piece, []).append((obstacle, zone_id))
    passed: set[int] = set()

    def in_halves(piece: int) -> Sloped | None:
        """The same again for both halves of a refused piece; None where it is short enough to be refused."""
        start, end = pieces[piece]
        if np.hypot(*(end - start)) <= LEAST_PIECE_M:
            return None
        points = np.array([start, (start + end) / 2.0, end])
        altitudes = np.array([bands[piece, 0], bands[piece].mean(), bands[piece, 1]])
        return sloped_legs(
            np.stack([points[:-1], points[1:]], axis=1),
            np.stack([altitudes[:-1], altitudes[1:]], axis=1),
            top_amsl_m=top_amsl_m,
            airspace=airspace,
            corridor=corridor,
            window=window,
            shapes=shapes,
        )

    def refused(piece: int, problem: str) -> str | None:
        finer = in_halves(piece)
        if finer is None:
            return problem
        passed.update(finer.passed)
        return finer.problem

    for piece, (low_m, high_m) in enumerate(np.sort(bands, axis=1).tolist()):
        reaching_m = high_m if top_amsl_m is None else max(high_m, top_amsl_m)
        wanted = (low_m - error_m, reaching_m + error_m)
        for obstacle, zone_id in near.get(piece, ()):
            passed.add(obstacle)
            if airspace.activity_mask(*wanted, window)[obstacle] and not _inside(
                airspace.free_altitudes([obstacle], boxes[piece], window), wanted
            ):
                problem = refused(
                    piece,
                    f"a cruise leg between {low_m:.0f} and {high_m:.0f} m above sea level is within the heights of "
                    f"zone {zone_id}, or a climb from it to the returns' height is",
                )
                if problem is not None:
                    return Sloped(problem, frozenset(passed))
        if airspace.has_operating_areas:
            area = shapely.buffer(lines[piece], width_m)
            if not _inside(airspace.operating_altitudes(area, boxes[piece], window), wanted):
                problem = refused(piece, "the way leaves the operating area or its heights")
                if problem is not None:
                    return Sloped(problem, frozenset(passed))
    return Sloped(None, frozenset(passed))


def _inside(bands: tuple[tuple[float, float], ...], wanted: tuple[float, float]) -> bool:
    return any(low - TOLERANCE_M <= wanted[0] and wanted[1] <= high + TOLERANCE_M for low, high in bands)


def _pieces(ends: Floats, heights: Floats) -> tuple[Floats, Floats]:
    """Straight pieces of the legs (k, 2, 2) and the altitudes of both ends of each (k, 2)."""
    lengths = np.hypot(*(ends[:, 1] - ends[:, 0]).T)
    pieces, bands = [], []
    for (start, end), (low, high), length in zip(ends, heights, lengths, strict=True):
        share = np.linspace(0.0, 1.0, math.ceil(length / PIECE_M) + 1 if length > 0.0 else 2)
        points = start + share[:, None] * (end - start)
        altitude = low + share * (high - low)
        pieces.append(np.stack([points[:-1], points[1:]], axis=1))
        bands.append(np.stack([altitude[:-1], altitude[1:]], axis=1))
    return np.concatenate(pieces), np.concatenate(bands)


def _boxes(airspace: Airspace, lines: npt.NDArray[np.object_], margin_m: float) -> list[Box]:
    west, south, east, north = shapely.bounds(lines).T
    corners = np.stack(
        [west - margin_m, south - margin_m, east + margin_m, south - margin_m,
         east + margin_m, north + margin_m, west - margin_m, north + margin_m], axis=1
    ).reshape(-1, 2)  # fmt: skip
    lon_lat = airspace.frame.unproject(corners).reshape(-1, 4, 2)
    low, high = lon_lat.min(axis=1), lon_lat.max(axis=1)
    return [(float(w), float(s), float(e), float(n)) for (w, s), (e, n) in zip(low, high, strict=True)]
