"""PX4's fence: what of an upload is really used, and whether a place is allowed.

Observed surprises, kept: a shape that does not contain home (or is violated where the vehicle flies) is
acknowledged, then discarded with a text; after a circle every polygon vertex is read as the start of a
polygon of its own; vertices that are missing make a polygon that contains nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sitl.px4 import items
from sitl.px4.items import StoredItem
from sitl.shapes import Ring, inside

if TYPE_CHECKING:
    from sitl.px4.autopilot import Px4

LOADED_AFTER_S = 0.8
"""Observed: the text about a discarded shape comes more than 0.7 s after the acknowledgement."""
NONE, WARN, HOLD, RETURN, TERMINATE, LAND = range(6)
"""GF_ACTION."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A shape in use, in local metres."""

    inclusion: bool
    ring: Ring
    """Empty: vertices were missing, and it contains nothing."""
    centre: tuple[float, float] = (0.0, 0.0)
    radius_m: float = 0.0
    is_circle: bool = False

    def allows(self, north: float, east: float) -> bool:
        if self.is_circle:
            # Squared on both sides: a negative radius is as good as a positive one.
            within = math.hypot(north - self.centre[0], east - self.centre[1]) < abs(self.radius_m)
        else:
            within = bool(self.ring) and inside(self.ring, north, east)
        return within == self.inclusion


class Fence:
    """The shapes in use and the limits by parameter."""

    def __init__(self, autopilot: Px4) -> None:
        self._autopilot = autopilot
        self.shapes: list[Shape] = []
        self._load_at_s: float | None = None
        self.breached = False

    def changed(self) -> None:
        """A new fence was stored; it is read a little later."""
        self._load_at_s = self._autopilot.now_s + LOADED_AFTER_S

    @property
    def loading(self) -> bool:
        return self._load_at_s is not None

    def _read(self, stored: tuple[StoredItem, ...]) -> list[Shape]:
        shapes: list[Shape] = []
        index, after_circle = 0, False
        local = [self._autopilot.to_local(item.x, item.y) for item in stored]
        while index < len(stored):
            item = stored[index]
            if item.command in (items.CIRCLE_IN, items.CIRCLE_OUT):
                after_circle = True
                shapes.append(
                    Shape(
                        item.command == items.CIRCLE_IN, (), local[index], item.parameters[0], is_circle=True
                    )
                )
                index += 1
            elif item.command in (items.POLYGON_IN, items.POLYGON_OUT):
                count = int(item.parameters[0])
                ring = tuple(local[index : index + count])
                shapes.append(Shape(item.command == items.POLYGON_IN, ring if len(ring) == count else ()))
                index += 1 if after_circle else count
            else:
                index += 1
        return shapes

    def _load(self) -> None:
        autopilot = self._autopilot
        self.shapes = []
        for shape in self._read(autopilot.fence_store.items):
            kept = True
            if autopilot.home_set and not shape.allows(*autopilot.home_local):
                autopilot.say(2, "Geofence invalid, doesn't contain Home position")
                kept = False
            flying = not autopilot.landed and autopilot.parameters.integer("GF_ACTION") != NONE
            if flying and not shape.allows(*autopilot.believed_local):
                autopilot.say(2, "Geofence invalid, doesn't contain current vehicle position")
                kept = False
            if kept:
                self.shapes.append(shape)

    def allows(self, north: float, east: float, height_m: float) -> bool:
        """Whether a place ``height_m`` above home is inside the shapes and the limits."""
        parameters = self._autopilot.parameters
        home_n, home_e = self._autopilot.home_local
        farthest, highest = parameters["GF_MAX_HOR_DIST"], parameters["GF_MAX_VER_DIST"]
        if 0 < farthest <= math.hypot(north - home_n, east - home_e):
            return False
        if 0 < highest <= height_m:
            return False
        return all(shape.allows(north, east) for shape in self.shapes)

    def allows_destination(self, north: float, east: float, height_m: float) -> bool:
        """For DO_REPOSITION: with action «none» or «warn» everything is flown."""
        if self._autopilot.parameters.integer("GF_ACTION") in (NONE, WARN):
            return True
        return self.allows(north, east, height_m)

    def update(self, now_s: float) -> bool:
        """True in the loop in which a breach begins."""
        if self._load_at_s is not None and now_s >= self._load_at_s:
            self._load_at_s = None
            self._load()
            self._autopilot.mission.check_again()
        autopilot = self._autopilot
        outside = not autopilot.landed and not self.allows(
            *autopilot.believed_local, autopilot.height_above_home_m
        )
        begins = outside and not self.breached
        self.breached = outside
        if begins and autopilot.parameters.integer("GF_ACTION") != NONE:
            autopilot.say(2, "Geofence: approaching or outside geofence")
        return begins
