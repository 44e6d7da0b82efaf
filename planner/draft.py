"""A way out and a way back with all their figures, before anything is built that a plan consists of.

Most drafts lose: to another height, for lack of energy, or for lack of a legal contingency. So a draft is
numbers, and positions and legs are made for the winner only (:mod:`planner.assemble`).
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import cached_property

from planner import energy, legs
from planner.airframe import Airframe, DeliveryTerms
from planner.flight_plan import RoutePoint
from planner.legs import VerticalPart
from planner.profiled_way import ProfiledWay
from planner.route import Way
from planner.space import Space
from planner.task import FlightTask


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A way out and a way back, with everything that follows from them alone.

    ``retrace`` is ``out`` backwards; ``back`` is the same object where it is also the way home.
    ``cruise_amsl_m`` is the altitude of the whole cruise, or its highest where ``profile`` gives every point of
    ``out`` its own; the way home is then the way out backwards.
    """

    task: FlightTask
    terms: DeliveryTerms
    space: Space
    cruise_amsl_m: float
    out: Way
    back: Way
    retrace: Way
    profile: ProfiledWay | None = None

    @property
    def amsl_m(self) -> tuple[float, ...]:
        """The altitude of every point of the way out."""
        if self.profile is None:
            return (self.cruise_amsl_m,) * len(self.out.points_xy_m)
        return self.profile.amsl_m

    @property
    def covered_leg(self) -> int | None:
        """The first leg of the way out from somewhere on which the drone may not climb to the highest altitude."""
        if self.profile is None or self.profile.covered_m is None:
            return None
        points = self.out.points_xy_m
        along_m = 0.0
        for number, (start, end) in enumerate(itertools.pairwise(points)):
            along_m += math.dist(start, end)
            if along_m > self.profile.covered_m:
                return number
        return len(points) - 2

    @property
    def back_is_out(self) -> bool:
        """Whether the way home is the way out backwards."""
        return self.back is self.retrace

    @property
    def ways(self) -> tuple[Way, ...]:
        """The ways whose corners differ: out, and back where that isn't out reversed."""
        return (self.out,) if self.back_is_out else (self.out, self.back)

    @property
    def airframe(self) -> Airframe:
        return self.task.airframe

    @cached_property
    def home(self) -> RoutePoint:
        """On the pad."""
        return RoutePoint(self.task.station.position, self.task.station.ground_amsl_m)

    @cached_property
    def delivery(self) -> RoutePoint:
        """The hover point over the landing point."""
        point = self.task.landing_point
        return RoutePoint(point.position, point.ground_amsl_m + self.terms.hover_height_agl_m)

    # Vertical legs: figures alone.

    @cached_property
    def climb(self) -> VerticalPart:
        """From the pad to the way out."""
        return self._climb(self.amsl_m[0] - self.home.altitude_amsl_m)

    @cached_property
    def descent(self) -> VerticalPart:
        """From the way out to the hover point."""
        return self._descent(self.amsl_m[-1] - self.delivery.altitude_amsl_m, landing=False)

    @cached_property
    def back_climb(self) -> VerticalPart:
        """From the hover point to the way home."""
        return self._climb(self.amsl_m[-1] - self.delivery.altitude_amsl_m)

    @cached_property
    def landing(self) -> VerticalPart:
        """From the way home to the pad."""
        return self._descent(self.amsl_m[0] - self.home.altitude_amsl_m, landing=True)

    def _climb(self, height_m: float) -> VerticalPart:
        return legs.climb_part(self.airframe, height_m, self.airframe.take_off_mass_kg)

    def _descent(self, height_m: float, *, landing: bool) -> VerticalPart:
        mass_kg = self.airframe.take_off_mass_kg
        return legs.descent_part(self.airframe, height_m, mass_kg, wind=self.task.wind, landing=landing)

    # Energy

    @cached_property
    def hover_wh(self) -> float:
        """The whole hover budget over the landing point."""
        power_w = energy.hover_power_w(
            self.airframe, self.airframe.take_off_mass_kg, self.task.wind.speed_m_s
        )
        return power_w * self.terms.hover_budget_s / energy.JOULES_PER_WH

    @cached_property
    def outbound_wh(self) -> float:
        """Climb, way out and descent."""
        return self.climb.energy_wh + self.out.energy_wh + self.descent.energy_wh

    @cached_property
    def inbound_wh(self) -> float:
        """Climb, way home and landing."""
        return self.back_climb.energy_wh + self.back.energy_wh + self.landing.energy_wh

    @property
    def total_wh(self) -> float:
        return self.outbound_wh + self.hover_wh + self.inbound_wh
