"""A space while the same zones stand: everything that depends on heights and times but on no flight.

Which zones stand changes a few times a day, flights are planned by the second. So what follows from the zones
alone (masks, operating areas, which columns are free) is worked out once for all windows in which the
airspace answers alike (:meth:`geofences.airspace.Airspace.standing_key`), and looked up afterwards.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import numpy.typing as npt
import shapely

from geofences.model import TimeWindow
from planner.search import NoSearchRoute
from planner.task import NoPlan

if TYPE_CHECKING:
    from planner.flight_plan import FlightPlan
    from planner.policy import PlanningPolicy
    from planner.space import KeepIn, Space

Mask = npt.NDArray[np.bool_]
XY = tuple[float, float]
Key = TypeVar("Key")
Kept = TypeVar("Kept")

_FAR = 4.0
"""Chosen, in half widths of the corridor: obstacles are grown by one, at sharp corners by two
(:data:`planner.search.shapes.MITRE_LIMIT`)."""

_REMEMBERED = 4096
"""Chosen: answers of one kind kept before all are forgotten; a city has some hundred pads and heights."""

_ANSWERS = 8192
"""Chosen: questions remembered, the oldest forgotten first; 150 landing points, each asked about from fifty stations."""


@dataclass(frozen=True, slots=True)
class KnownAnswer:
    """A question's course: the lower bounds that were passed, in rising order, and what they led to.

    ``bounds_s``: of the time until the AED is on the ground, one for each step of the search. ``found`` None: the last
    bound was late enough for whoever asked, and nobody looked further. So the answer to any «earlier than» can be told
    without searching again, and it is the one that the search would give.
    """

    bounds_s: tuple[float, ...]
    found: FlightPlan | NoPlan | None

    def bound_from(self, before_s: float) -> float | None:
        """The bound at which a search for something earlier than ``before_s`` ends, if there is one."""
        return next((bound_s for bound_s in self.bounds_s if before_s <= bound_s < math.inf), None)


class Moment:
    """What stands in ``space`` during ``window``, and during every window of the same key."""

    def __init__(self, space: Space, window: TimeWindow) -> None:
        self.space = space
        self._window = window
        self._zones = None if space.base is None else space.base.moment(window)
        """The same without the further obstacles of a detour: what is known of it need not be found again."""
        self._masks: dict[tuple[float, float], Mask] = {}
        self._keep_ins: dict[float, KeepIn | None] = {}
        self._undominated: dict[tuple[float, ...], tuple[float, ...]] = {}
        self._columns: dict[tuple[XY, float, float], tuple[int, ...]] = {}
        self._always_closed: dict[PlanningPolicy, Mask] = {}
        self._answered: dict[tuple[object, ...], tuple[tuple[object, ...], KnownAnswer]] = {}
        self._too_near: dict[tuple[XY, float], tuple[str, ...]] = {}
        self._always_too_near: dict[tuple[XY, PlanningPolicy], bool] = {}

    def mask(self, low_amsl_m: float, high_amsl_m: float) -> Mask:
        """Standing obstacles between two altitudes; not to be changed."""

        def look() -> Mask:
            if self._zones is None:
                return self.space.mask(low_amsl_m, high_amsl_m, self._window)
            further = np.ones(len(self.space.extra_polygons), dtype=np.bool_)
            return np.append(self._zones.mask(low_amsl_m, high_amsl_m), further)

        return _kept(self._masks, (low_amsl_m, high_amsl_m), look)

    def keep_in(self, cruise_amsl_m: float) -> KeepIn | None:
        """The operating area that holds at this height throughout; None when the airspace has none."""
        return _kept(
            self._keep_ins,
            cruise_amsl_m,
            lambda: self.space.keep_in(cruise_amsl_m, cruise_amsl_m, self._window),
        )

    def undominated(self, layers: tuple[float, ...]) -> tuple[float, ...]:
        """Without heights at which everything stands that stands at a lower one: the climb buys nothing.

        Over uneven ground height itself may be what is needed, so there all are kept.
        """
        if self._zones is not None:
            # What a detour keeps away from stands at every height.
            return self._zones.undominated(layers)
        if not math.isinf(self.space.airspace.terrain.resolution_m):
            return layers
        return _kept(self._undominated, layers, lambda: self._sifted(layers))

    def _sifted(self, layers: tuple[float, ...]) -> tuple[float, ...]:
        kept: list[float] = []
        for layer in layers:
            mask, keep_in = self.mask(layer, layer), self.keep_in(layer)
            if not any(
                self.keep_in(lower) is keep_in and not (self.mask(lower, lower) & ~mask).any()
                for lower in kept
            ):
                kept.append(layer)
        return tuple(kept)

    def beside_column(self, xy: XY, low_amsl_m: float, high_amsl_m: float) -> tuple[int, ...]:
        """Obstacles within the flight geography of the vertical way over ``xy`` between two altitudes."""

        def look() -> tuple[int, ...]:
            width_m = self.space.corridor.flight_geography_m
            if self._zones is not None:
                first = len(self.space.polygons) - len(self.space.extra_polygons)
                further = self.space.extra_near(shapely.Point(xy), width_m) + first
                return (*self._zones.beside_column(xy, low_amsl_m, high_amsl_m), *further.tolist())
            mask = self.mask(low_amsl_m, high_amsl_m)
            return tuple(self.space.near(shapely.Point(xy), width_m, mask).tolist())

        return _kept(self._columns, (xy, low_amsl_m, high_amsl_m), look)

    def always_closed(self, policy: PlanningPolicy, make: Callable[[], Mask]) -> Mask:
        """What ``make`` finds to close every altitude that the policy allows; not to be changed."""
        return _kept(self._always_closed, policy, make)

    def too_near(self, xy: XY, cruise_amsl_m: float) -> tuple[str, ...]:
        """The zones that no cruise at this height over ``xy`` keeps the corridor's half width from."""

        def look() -> tuple[str, ...]:
            reach_m = _FAR * self.space.corridor.half_width_m
            if self._zones is not None and not len(self.space.extra_near(shapely.Point(xy), reach_m)):
                return self._zones.too_near(xy, cruise_amsl_m)
            return self._inside(xy, self.keep_in(cruise_amsl_m), self.mask(cruise_amsl_m, cruise_amsl_m))

        return _kept(self._too_near, (xy, cruise_amsl_m), look)

    def always_too_near(self, xy: XY, policy: PlanningPolicy, closed: Callable[[], Mask]) -> bool:
        """Whether zones of ``closed``, those that close every altitude of the policy, do so over ``xy``."""

        def look() -> bool:
            keep_in = self.space.keep_in_at_any_height(self._window)
            return bool(self._inside(xy, keep_in, closed()))

        return _kept(self._always_too_near, (xy, policy), look)

    def answer(self, key: tuple[object, ...]) -> KnownAnswer | None:
        """What became of a question that was asked before under this sky."""
        found = self._answered.get(key)
        return None if found is None else found[1]

    def remember(self, key: tuple[object, ...], about: tuple[object, ...], answer: KnownAnswer) -> None:
        """``about``: the objects whose identities are in ``key``; they are kept, so that no others get those."""
        while key not in self._answered and len(self._answered) >= _ANSWERS:
            del self._answered[next(iter(self._answered))]
        self._answered[key] = (about, answer)

    def _inside(self, xy: XY, keep_in: KeepIn | None, mask: Mask) -> tuple[str, ...]:
        """Which obstacles the search's own test finds around a place; it is asked for a way that leads nowhere."""
        if keep_in is not None and keep_in.area.is_empty:
            return ()
        found = self.space.world(keep_in).shortest(xy, xy, mask=mask)
        if isinstance(found, NoSearchRoute) and found.reason == "start_inside":
            return found.obstacle_ids
        return ()


def _kept(memory: dict[Key, Kept], key: Key, make: Callable[[], Kept]) -> Kept:
    """What is remembered under ``key``, made now if it isn't yet."""
    if key not in memory:
        if len(memory) >= _REMEMBERED:
            memory.clear()
        memory[key] = make()
    return memory[key]
