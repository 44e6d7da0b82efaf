"""How high to fly along a way that no single altitude can fly: up and down between what is free.

The way is cut into stretches; over each the free altitudes are given as bands (:mod:`planner.height_bands`).
In the plane of «metres along the way» and «altitude» the forbidden parts are rectangles. A path through that
plane may not be steeper than the airframe climbs or descends at cruise speed.

A cheapest path bends only at corners of rectangles. Its cost is a convex function of the slope for each metre,
so between two corners that see each other a straight line is best (Jensen), and a taut string that touches
corners only is also the path whose steepest part is least steep: where that one is too steep, all are. The
two ends are free, because the drone climbs over the pad and descends over the landing point; a cost
that is linear in the height of an end has its best where the path leaves a corner at the largest slope, or at
the edge of what is free there. These are the nodes; the cheapest path over lines between them is exact.

What it costs: seconds of the climb over the pad and the descent at the end, and a little for each metre of
climbing between (energy) and for each bend. Cruising on a slope within the limit costs no time: the autopilot
holds the ground speed and the vertical speed stays under its limit.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geofences.intervals import Intervals, intersect
from planner.airframe import Airframe
from planner.checks import check_number
from planner.height_profile_kernels import ROUNDING_M, cheapest

VERTICAL_SHARE = 0.5
"""Chosen: slopes use at most half of the smaller vertical speed, so that the other half is left for holding
the altitude, for gusts and for going from one slope to the next."""

CLIMB_S_PER_M = 0.02
"""Chosen: a metre of climb on the way counts like 0.02 s (an eighth of a metre of climb over the pad at 6 m/s), so
that height is not changed for nothing."""

CORNER_S = 0.05
"""Chosen: a tie-break; of two ways that cost the same the one with fewer bends wins."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the way and the altitudes (m AMSL) that are free over all of it, ends included."""

    from_m: float
    to_m: float
    free_amsl_m: Intervals


@dataclass(frozen=True, slots=True, kw_only=True)
class ClimbLimits:
    """What an airframe may do. ``slope_max`` is height by distance, upwards and downwards alike, because
    every way must be flyable backwards as well."""

    slope_max: float
    climb_s_per_m: float
    descent_s_per_m: float

    def __post_init__(self) -> None:
        check_number("slope_max", self.slope_max, above=0.0)
        # Otherwise a climb over the pad would not be worth avoiding, and low ends not best.
        check_number("climb_s_per_m", self.climb_s_per_m, above=CLIMB_S_PER_M)
        check_number("descent_s_per_m", self.descent_s_per_m, above=CLIMB_S_PER_M)


@dataclass(frozen=True, slots=True)
class HeightProfile:
    """Altitudes where the slope changes, and at both ends; straight between. ``along_m`` ascends."""

    along_m: tuple[float, ...]
    amsl_m: tuple[float, ...]

    @property
    def level(self) -> bool:
        return min(self.amsl_m) == max(self.amsl_m)

    def at(self, along_m: float) -> float:
        """The altitude there."""
        index = min(max(bisect_right(self.along_m, along_m), 1), len(self.along_m) - 1)
        (before_m, after_m), (low_m, high_m) = (
            self.along_m[index - 1 : index + 1],
            self.amsl_m[index - 1 : index + 1],
        )
        if after_m == before_m:
            return high_m
        share = min(1.0, max(0.0, (along_m - before_m) / (after_m - before_m)))
        return low_m + share * (high_m - low_m)


@dataclass(frozen=True, slots=True)
class NoHeightProfile:
    """There is none; nothing gets past the stretch of this number."""

    stretch: int


def climb_limits(airframe: Airframe) -> ClimbLimits:
    """The limits of ``airframe`` at its largest ground speed."""
    vertical_m_s = min(airframe.climb_rate_m_s, airframe.descent_rate_m_s)
    return ClimbLimits(
        slope_max=VERTICAL_SHARE * vertical_m_s / airframe.ground_speed_max_m_s,
        climb_s_per_m=1.0 / airframe.climb_rate_m_s,
        descent_s_per_m=1.0 / airframe.descent_rate_m_s,
    )


def height_profile(
    stretches: Sequence[Stretch],
    *,
    limits: ClimbLimits,
    start_amsl_m: Intervals,
    end_amsl_m: Intervals,
    level_amsl_m: float | None = None,
) -> HeightProfile | NoHeightProfile:
    """The cheapest altitudes along ``stretches``, which follow one another without a gap.

    ``start_amsl_m`` and ``end_amsl_m`` are the altitudes that can be reached over the pad and left over the landing
    point; ``level_amsl_m`` is taken as it is where all of the way is free there.
    """
    if level_amsl_m is not None and all(
        _holds(bands, level_amsl_m)
        for bands in (start_amsl_m, end_amsl_m, *(stretch.free_amsl_m for stretch in stretches))
    ):
        return HeightProfile((stretches[0].from_m, stretches[-1].to_m), (level_amsl_m, level_amsl_m))
    merged, numbers = _merged(stretches)
    blocked = next((i for i, stretch in enumerate(merged) if not stretch.free_amsl_m), None)
    if blocked is not None:
        return NoHeightProfile(numbers[blocked])
    cuts = np.array([merged[0].from_m, *(stretch.to_m for stretch in merged)])
    nodes = _nodes(merged, cuts, limits.slope_max, start_amsl_m, end_amsl_m)
    first = np.cumsum([0, *(len(stretch.free_amsl_m) for stretch in merged)])
    bands = np.array([band for stretch in merged for band in stretch.free_amsl_m], dtype=np.float64)
    node_cut = np.array([cut for cut, _ in nodes], dtype=np.int64)
    node_m = np.array([height for _, height in nodes], dtype=np.float64)
    before, end, furthest = cheapest(
        cuts, first, bands[:, 0].copy(), bands[:, 1].copy(), node_cut, node_m, limits.slope_max,
        limits.climb_s_per_m, limits.descent_s_per_m, CLIMB_S_PER_M, CORNER_S,
    )  # fmt: skip
    if end < 0:
        return NoHeightProfile(numbers[min(int(furthest), len(merged) - 1)])
    path = [int(end)]
    while before[path[-1]] >= 0:
        path.append(int(before[path[-1]]))
    path.reverse()
    return HeightProfile(
        tuple(float(cuts[node_cut[number]]) for number in path),
        tuple(float(node_m[number]) for number in path),
    )


def warm_up() -> None:
    """Load the compiled part, on a way of two stretches."""
    stretches = (Stretch(0.0, 500.0, ((0.0, 10.0),)), Stretch(500.0, 1000.0, ((5.0, 20.0),)))
    limits = ClimbLimits(slope_max=0.1, climb_s_per_m=0.2, descent_s_per_m=0.2)
    height_profile(stretches, limits=limits, start_amsl_m=((0.0, 10.0),), end_amsl_m=((0.0, 20.0),))


def _holds(bands: Intervals, height_m: float) -> bool:
    return any(low <= height_m <= high for low, high in bands)


def _merged(stretches: Sequence[Stretch]) -> tuple[list[Stretch], list[int]]:
    """Neighbours with the same free altitudes as one; and for each the number of its first stretch."""
    merged: list[Stretch] = []
    numbers: list[int] = []
    for number, stretch in enumerate(stretches):
        if merged and merged[-1].free_amsl_m == stretch.free_amsl_m:
            merged[-1] = Stretch(merged[-1].from_m, stretch.to_m, stretch.free_amsl_m)
        else:
            merged.append(stretch)
            numbers.append(number)
    return merged, numbers


def _nodes(
    merged: Sequence[Stretch],
    cuts: np.ndarray,
    slope: float,
    start_amsl_m: Intervals,
    end_amsl_m: Intervals,
) -> list[tuple[int, float]]:
    """(Cut, altitude) of everything that a cheapest path may bend at, in the order of the cuts."""
    last = len(merged)
    inner: list[tuple[int, float]] = []
    for cut in range(1, last):
        left, right = merged[cut - 1].free_amsl_m, merged[cut].free_amsl_m
        edges = {height for band in (*left, *right) for height in band if math.isfinite(height)}
        inner += [(cut, height) for height in sorted(edges) if _holds(left, height) and _holds(right, height)]
    starts = _lowest(merged[0].free_amsl_m, start_amsl_m)
    ends = _lowest(merged[-1].free_amsl_m, end_amsl_m)
    # Low ends are cheap ends: the edge below, or as low as the largest slope allows before or after a corner.
    length_m = float(cuts[-1] - cuts[0])
    corners = [(float(cuts[cut] - cuts[0]), height) for cut, height in inner]
    at_start = {
        height - slope * along for along, height in (*corners, *((length_m, height) for height in ends))
    }
    at_end = {
        height - slope * (length_m - along) for along, height in (*corners, *((0.0, h) for h in starts))
    }
    starts |= {h for h in at_start if _holds(merged[0].free_amsl_m, h) and _holds(start_amsl_m, h)}
    ends |= {h for h in at_end if _holds(merged[-1].free_amsl_m, h) and _holds(end_amsl_m, h)}
    return [
        *((0, height) for height in _thinned(starts)),
        *inner,
        *((last, height) for height in _thinned(ends)),
    ]


def _lowest(free: Intervals, reachable: Intervals) -> set[float]:
    """The lower ends of what is both."""
    return {low for low, _ in intersect(free, reachable) if math.isfinite(low)}


def _thinned(heights: set[float]) -> list[float]:
    """Ascending, without those that differ only by rounding."""
    kept: list[float] = []
    for height in sorted(heights):
        if not kept or height - kept[-1] > ROUNDING_M:
            kept.append(height)
    return kept
