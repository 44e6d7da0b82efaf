"""Unions of closed intervals on a line, as sorted tuples of (low, high).

Used for the part of a segment (0 … 1) that lies in a volume, and for moments (POSIX microseconds).
Everything is closed: [0, 1] and [1, 2] meet, and together they cover [0, 2].
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

Intervals = tuple[tuple[float, float], ...]


def union(parts: Iterable[tuple[float, float]]) -> Intervals:
    """Sorted, disjoint intervals with the same points."""
    merged: list[tuple[float, float]] = []
    for low, high in sorted(parts):
        if merged and low <= merged[-1][1]:
            if high > merged[-1][1]:
                merged[-1] = (merged[-1][0], high)
        else:
            merged.append((low, high))
    return tuple(merged)


def intersect(first: Intervals, second: Intervals) -> Intervals:
    """Common points of two unions."""
    result: list[tuple[float, float]] = []
    i = j = 0
    while i < len(first) and j < len(second):
        low = max(first[i][0], second[j][0])
        high = min(first[i][1], second[j][1])
        if low <= high:
            result.append((low, high))
        if first[i][1] < second[j][1]:
            i += 1
        else:
            j += 1
    return tuple(result)


def covers(cover: Intervals, wanted: Intervals, *, slack: float = 0.0) -> bool:
    """Whether ``cover`` holds all of ``wanted``; gaps of at most ``slack`` are overlooked."""
    joined: list[tuple[float, float]] = []
    for low, high in cover:
        if joined and low - joined[-1][1] <= slack:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return all(any(low - slack <= a and b <= high + slack for low, high in joined) for a, b in wanted)


def where_between(start: float, end: float, low: float, high: float) -> Intervals:
    """The t in [0, 1] at which start + t·(end − start) lies in [low, high]."""
    if start == end:
        return ((0.0, 1.0),) if low <= start <= high else ()
    at_low = (low - start) / (end - start)
    at_high = (high - start) / (end - start)
    first, last = max(0.0, min(at_low, at_high)), min(1.0, max(at_low, at_high))
    # The quotients are rounded; the ends themselves are known exactly.
    if low <= start <= high:
        first = 0.0
        last = max(last, 0.0)
    if low <= end <= high:
        last = 1.0
        first = min(first, 1.0)
    return ((first, last),) if first <= last else ()


def rectangles_cover(
    wanted_places: Intervals,
    wanted_moments: Intervals,
    cover: Sequence[tuple[Intervals, Intervals]],
    *,
    slack: float = 0.0,
) -> bool:
    """Whether every (place, moment) wanted lies in one of the covering products places × moments.

    ``slack`` applies to places only.
    """
    for low, high in wanted_moments:
        cuts = {low, high}
        for _, moments in cover:
            cuts.update(cut for part in moments for cut in part if low < cut < high)
        steps = sorted(cuts)
        slices = list(pairwise(steps)) or [(low, low)]
        for first, last in slices:
            # Covering moments are closed, so what holds in an open slice holds at its ends.
            places = union(
                part
                for places, moments in cover
                if any(a <= first and last <= b for a, b in moments)
                for part in places
            )
            if not covers(places, wanted_places, slack=slack):
                return False
    return True
