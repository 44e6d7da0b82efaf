"""What a search answers: a route, or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CostUnit = Literal["m", "s"]

NoRouteReason = Literal[
    "start_inside",
    "goal_inside",
    "start_outside_keep_in",
    "goal_outside_keep_in",
    "sealed",
    "search_limit",
]


@dataclass(frozen=True, slots=True)
class SearchRoute:
    """The optimal way among the obstacles, as straight legs in the local metric plane.

    ``points_xy_m`` begins with the given start and ends with the given goal; every point between is a
    corner of a grown obstacle. ``length_m`` is the length over ground. ``cost`` is what the search
    minimised, in ``cost_unit``: metres without wind (shortest), seconds of flight with an airspeed
    (fastest). ``expanded`` counts the corners the search settled, a measure of effort.
    """

    points_xy_m: tuple[tuple[float, float], ...]
    length_m: float
    cost: float
    cost_unit: CostUnit
    expanded: int


@dataclass(frozen=True, slots=True)
class NoSearchRoute:
    """There is no way, and why.

    ``obstacle_ids`` names the obstacles around the start (``start_inside``), around the goal
    (``goal_inside``), or those that were met while the sealed side was searched (``sealed``).
    ``search_limit`` is no proof: the search was stopped by its own bound on memory or effort, which
    callers have to treat as «no route known» and never as «no route exists».
    """

    reason: NoRouteReason
    obstacle_ids: tuple[str, ...]
    expanded: int = 0
