"""Rally points from which every straight return is legal.

When the link, the battery or a fence fails, autopilots fly in a straight line to the nearest rally point
and land there. Nobody can steer that, so the set of rally points is chosen such that, from every point
of every cruise leg, the straight line to the rally point nearest to it is legal.

The choice is a greatest fixed point. Start from all candidates. Every leg falls into pieces, one for each
candidate that is nearest there; the area swept by the returns from one piece is a triangle (leg piece,
rally point). If a triangle comes closer than the flight geography to an obstacle, that candidate must go:
in any smaller set that contains it, it is still nearest to that piece. Removing it enlarges its
neighbours' pieces, so the rest is tested again. What remains is the largest legal set; if nothing
remains, none exists among the candidates. Candidates that are nearest to no piece are dropped at the end:
they change nothing.

Pieces are widened by what the drone may be off its leg, and legs prolonged at both ends by its stopping
distance, because a return starts from where it comes to rest. So a leg stands for both directions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from planner.airframe import Airframe, braking_distance_m
from planner.space import KeepIn, Mask, Space

XY = tuple[float, float]
LegXY = tuple[XY, XY]
Floats = npt.NDArray[np.float64]

CLEARANCE_FACTOR = 1.05
"""Returns keep this many flight geographies from every obstacle: the fence, drawn around them with
round corners of finite steps, then stays clear too."""


@dataclass(frozen=True, slots=True)
class RallySet:
    """``chosen``: indices of candidates kept; ``by_leg``: for every leg the chosen ones (as positions in
    ``chosen``) that are nearest somewhere on it; ``swept``: the areas of all straight returns."""

    chosen: tuple[int, ...]
    by_leg: tuple[tuple[int, ...], ...]
    swept: tuple[shapely.Geometry, ...]


@dataclass(frozen=True, slots=True)
class NoRallySet:
    """No set among the candidates is legal; ``leg_index`` is the leg where the last one fell."""

    leg_index: int


def stopping_distance_m(airframe: Airframe) -> float:
    """How far the drone runs on along its leg before a return starts."""
    return braking_distance_m(airframe.ground_speed_max_m_s, airframe.corridor.braking_tilt_deg)


def choose_rally_points(
    space: Space,
    *,
    legs: Sequence[LegXY],
    candidates: Sequence[XY],
    mask: Mask,
    keep_in: KeepIn | None,
    run_on_m: float,
    limit: int,
) -> RallySet | NoRallySet:
    """The largest legal set of relevant rally points, thinned to ``limit``; or the leg that has none.

    ``legs`` and ``candidates`` are in frame metres; candidates must already be fit to land on.
    """
    if not candidates:
        return NoRallySet(0)
    clearance_m = CLEARANCE_FACTOR * space.corridor.flight_geography_m
    tolerance_m = 2.0 * space.corridor.flight_geography_m
    points = np.asarray(candidates, dtype=np.float64)
    alive = np.ones(len(points), dtype=np.bool_)
    swept: dict[tuple[int, int, float, float], shapely.Geometry] = {}
    verdicts: dict[tuple[int, int, float, float], bool] = {}
    pieces: list[list[tuple[int, float, float]]] = []
    changed = True
    while changed:
        changed = False
        kept = np.flatnonzero(alive)
        pieces = [_pieces(leg, points[kept], kept, tolerance_m, run_on_m) for leg in legs]
        asked = [
            (index, *piece)
            for index, found in enumerate(pieces)
            for piece in found
            if (index, *piece) not in verdicts
        ]
        for key in asked:
            swept[key] = _triangle(legs[key[0]], points[key[1]], key[2], key[3], run_on_m)
        _judge(space, asked, swept, verdicts, mask, keep_in, clearance_m)
        for index, found in enumerate(pieces):
            for candidate, low, high in found:
                if not verdicts[index, candidate, low, high] and alive[candidate]:
                    alive[candidate] = False
                    changed = True
                    if not alive.any():
                        return NoRallySet(index)
        if not changed:
            served: dict[int, float] = {}
            for found in pieces:
                for candidate, low, high in found:
                    served[candidate] = served.get(candidate, 0.0) + high - low
            if len(served) > limit:
                # Too many for the autopilot: the one that serves least goes, its neighbours are tested again.
                alive[min(served, key=lambda candidate: served[candidate])] = False
                changed = True
    relevant = sorted({candidate for found in pieces for candidate, _, _ in found})
    position = {candidate: place for place, candidate in enumerate(relevant)}
    return RallySet(
        chosen=tuple(int(candidate) for candidate in relevant),
        by_leg=tuple(tuple(sorted({position[candidate] for candidate, _, _ in found})) for found in pieces),
        swept=tuple(swept[index, *piece] for index, found in enumerate(pieces) for piece in found),
    )


def _pieces(
    leg: LegXY, points: Floats, numbers: npt.NDArray[np.int64], tolerance_m: float, run_on_m: float
) -> list[tuple[int, float, float]]:
    """(candidate, from, to) with from, to in metres along the leg: where each is nearest or nearly so.

    Squared distances to candidates differ by a linear function of the way along the leg. «Nearly»
    means that another is nearer by less than ``tolerance_m``.
    """
    points, numbers = _possible(leg, points, numbers, tolerance_m + run_on_m)
    start = np.asarray(leg[0])
    vector = np.asarray(leg[1]) - start
    length_m = float(np.hypot(vector[0], vector[1]))
    unit = vector / length_m if length_m > 0.0 else np.array((1.0, 0.0))
    start_m, end_m = -run_on_m, length_m + run_on_m
    relative = points - start
    offset = np.einsum("ij,ij->i", relative, relative)
    slope = -2.0 * (relative @ unit)
    # Squared distance of candidate i at s: offset_i + slope_i s + s².
    furthest_m = max(float(np.sqrt(max(0.0, (offset + slope * s).max() + s * s))) for s in (start_m, end_m))
    slack = tolerance_m * 2.0 * furthest_m
    # Candidate i matters where offset_i + slope_i s ≤ offset_j + slope_j s + slack for all j.
    a = slope[:, None] - slope[None, :]
    b = offset[None, :] - offset[:, None] + slack
    with np.errstate(divide="ignore", invalid="ignore"):
        bound = b / a
    high = np.where(a > 0.0, bound, np.inf).min(axis=1)
    low = np.where(a < 0.0, bound, -np.inf).max(axis=1)
    possible = np.where(a == 0.0, b >= 0.0, True).all(axis=1)
    low = np.maximum(low, start_m)
    high = np.minimum(high, end_m)
    return [
        (int(numbers[i]), float(low[i]), float(high[i]))
        for i in np.flatnonzero(possible & (low <= high)).tolist()
    ]


def _possible(
    leg: LegXY, points: Floats, numbers: npt.NDArray[np.int64], margin_m: float
) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Without those that are further from all of the leg than another one is from any of it."""
    (x1, y1), (x2, y2) = leg
    to_start = np.hypot(points[:, 0] - x1, points[:, 1] - y1)
    to_end = np.hypot(points[:, 0] - x2, points[:, 1] - y2)
    length_m = float(np.hypot(x2 - x1, y2 - y1))
    if length_m > 0.0:
        along = ((points[:, 0] - x1) * (x2 - x1) + (points[:, 1] - y1) * (y2 - y1)) / length_m
        along = np.clip(along, 0.0, length_m) / length_m
        nearest = np.hypot(points[:, 0] - x1 - along * (x2 - x1), points[:, 1] - y1 - along * (y2 - y1))
    else:
        nearest = to_start
    # Distance to a point is convex along a leg, so its largest is at an end.
    best_m = float(np.maximum(to_start, to_end).min())
    keep = nearest <= best_m + 2.0 * margin_m
    return points[keep], numbers[keep]


def _triangle(leg: LegXY, rally: Floats, low_m: float, high_m: float, run_on_m: float) -> shapely.Geometry:
    (x1, y1), (x2, y2) = leg
    length_m = float(np.hypot(x2 - x1, y2 - y1))
    ux, uy = ((x2 - x1) / length_m, (y2 - y1) / length_m) if length_m > 0.0 else (1.0, 0.0)
    return shapely.convex_hull(
        shapely.MultiPoint(
            [
                (x1 + ux * low_m, y1 + uy * low_m),
                (x1 + ux * high_m, y1 + uy * high_m),
                (float(rally[0]), float(rally[1])),
            ]
        )
    )


def _judge(
    space: Space,
    asked: Sequence[tuple[int, int, float, float]],
    swept: dict[tuple[int, int, float, float], shapely.Geometry],
    verdicts: dict[tuple[int, int, float, float], bool],
    mask: Mask,
    keep_in: KeepIn | None,
    clearance_m: float,
) -> None:
    if not asked:
        return
    shapes = np.array([swept[key] for key in asked], dtype=object)
    blocked = space.blocked(shapes, clearance_m, mask)
    if keep_in is not None:
        blocked |= ~shapely.covers(keep_in.inner, shapes)
    for key, bad in zip(asked, blocked.tolist(), strict=True):
        verdicts[key] = not bad
