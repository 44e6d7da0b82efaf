"""What the engines take and give, in millimetres and plain numbers."""

from __future__ import annotations

from typing import Final, NamedTuple

FOUND: Final = 0
EXHAUSTED: Final = 1
"""Every corner that can be reached was settled: there is no way."""
LIMIT: Final = 2
"""The search used up its effort; it may be resumed."""
QUEUE_FULL: Final = 3
"""The search needs a larger queue and has to be started again."""
START_INSIDE: Final = 4
GOAL_INSIDE: Final = 5
UNDECIDED: Final = -1
"""Whether a wall parts the ends could not be told."""

WHOLE: Final = 0
BRIEFLY: Final = 1
FURTHER: Final = 2
"""Phases of a search, see :func:`planner.search.kernels.solve`."""

Gauge = tuple[float, float, float, float]


class Query(NamedTuple):
    """One search. ``ends_mm`` = start x, y, goal x, y in integer millimetres.

    ``gauge`` = wind x, y in m/s, airspeed² − |wind|² in m²/s², and 1 / largest ground speed in s/m (0: no
    limit); all zero to minimise length.
    """

    ends_mm: tuple[float, float, float, float]
    gauge: Gauge


class Outcome(NamedTuple):
    """``status`` is one of the numbers above; ``cost`` in mm, or ms with a gauge; ``points_mm`` the corners
    between start and goal; ``obstacles`` the numbers of those to blame when there is no way (0: keep-in)."""

    status: int
    cost: float = 0.0
    settled: int = 0
    points_mm: list[tuple[float, float]] | None = None
    obstacles: tuple[int, ...] = ()
