"""Fence checks: which fence is breached, and whether a destination is allowed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sitl.ardupilot.stores import FenceShape
from sitl.shapes import Ring, distance_to_ring, inside

if TYPE_CHECKING:
    from sitl.ardupilot.autopilot import ArduCopter

ALT_MAX, CIRCLE, POLYGON, ALT_MIN = 1, 2, 4, 8
GIVE_UP_M = 100.0
"""Further outside than this the vehicle lands instead of returning (AC_FENCE_GIVE_UP_DISTANCE)."""


class Fence:
    """The fence in local metres, and the breach state that FENCE_STATUS reports."""

    def __init__(self, autopilot: ArduCopter) -> None:
        self._autopilot = autopilot
        self._shapes: list[tuple[bool, Ring, float]] = []
        self.enabled = False
        self.breaches = 0
        self.breach_count = 0
        self.breach_time_s = 0.0
        self._clear_m = (0.0, 0.0, 0.0)
        """North, east, radius: no edge of a shape is nearer than this to where it was last looked for, and there
        every shape was kept."""

    def load(self, shapes: tuple[FenceShape, ...]) -> None:
        self._shapes = []
        self._clear_m = (0.0, 0.0, 0.0)
        for shape in shapes:
            ring = []
            for x, y in shape.vertices:
                ring.append(self._autopilot.to_local(x, y))
            self._shapes.append((shape.inclusion, tuple(ring), shape.radius_m))

    @property
    def has_shapes(self) -> bool:
        return bool(self._shapes)

    def _polygon_excess_m(self, north: float, east: float) -> float:
        """How far the point is on the wrong side of the worst shape; 0 when it is allowed."""
        at_n, at_e, clear_m = self._clear_m
        if math.hypot(north - at_n, east - at_e) < clear_m:
            return 0.0
        worst, nearest_m = 0.0, math.inf
        for inclusion, ring, radius in self._shapes:
            if radius > 0:
                beyond = math.hypot(north - ring[0][0], east - ring[0][1]) - radius
                worst = max(worst, beyond if inclusion else -beyond)
                nearest_m = min(nearest_m, abs(beyond))
                continue
            edge_m = distance_to_ring(ring, north, east)
            nearest_m = min(nearest_m, edge_m)
            if inside(ring, north, east) != inclusion:
                worst = max(worst, edge_m)
        self._clear_m = (north, east, nearest_m if worst <= 0.0 else 0.0)
        return worst

    def _check(self, north: float, east: float, height_m: float) -> tuple[int, float]:
        """(breached fence types, worst excess in metres) for a point ``height_m`` above home."""
        parameters = self._autopilot.parameters
        types = parameters.integer("FENCE_TYPE")
        breached, excess = 0, 0.0
        if types & ALT_MAX and height_m > parameters["FENCE_ALT_MAX"]:
            breached |= ALT_MAX
            excess = max(excess, height_m - parameters["FENCE_ALT_MAX"])
        if types & CIRCLE:
            home_n, home_e = self._autopilot.home_local
            beyond = math.hypot(north - home_n, east - home_e) - parameters["FENCE_RADIUS"]
            if beyond > 0:
                breached |= CIRCLE
                excess = max(excess, beyond)
        if types & POLYGON and self._shapes:
            beyond = self._polygon_excess_m(north, east)
            if beyond > 0:
                breached |= POLYGON
                excess = max(excess, beyond)
        return breached, excess

    def allows(self, north: float, east: float, height_m: float) -> bool:
        """Whether a destination may be flown to. Always true with the fence off."""
        return not self.enabled or self._check(north, east, height_m)[0] == 0

    def pre_arm_complaint(self) -> str | None:
        if not self.enabled:
            return None
        parameters = self._autopilot.parameters
        if parameters.integer("FENCE_TYPE") == 0:
            return "Fences enabled, but none selected"
        north, east = self._autopilot.believed_local
        if self._check(north, east, self._autopilot.height_above_home_m)[0]:
            return "vehicle outside fence"
        return None

    def update(self, now_s: float) -> tuple[int, float]:
        """New breaches since the last call, and how far outside (metres)."""
        if not self.enabled:
            self.breaches = 0
            return 0, 0.0
        north, east = self._autopilot.believed_local
        breached, excess = self._check(north, east, self._autopilot.height_above_home_m)
        new = breached & ~self.breaches
        self.breaches = breached
        if new:
            self.breach_count += 1
            self.breach_time_s = now_s
        return new, excess
