"""What stands in the way of one flight, in words about its places and zones."""

from __future__ import annotations

from collections.abc import Sequence
from weakref import WeakKeyDictionary

from geofences.airspace import Airspace
from geofences.verdict import Verdict
from planner import reasons
from planner.corridor import Corridor
from planner.profiled_way import NoProfiledWay
from planner.reasons import Reason
from planner.route import Way, WindWins
from planner.search import NoSearchRoute
from planner.task import FlightTask

Where = tuple[str, str]


_OF_HEIGHT = (
    "no_route",
    "no_legal_height",
    "too_close_to_zone",
    "outside_operating_area",
    "operating_area_closed",
)
"""Reasons against single heights that a way which climbs and descends may overcome."""


class Refusals:
    """The reasons against one task, each once, in the order of their discovery."""

    def __init__(self, task: FlightTask, airspace: Airspace, corridor: Corridor) -> None:
        self._airspace, self._corridor = airspace, corridor
        station, point = task.station, task.landing_point
        self.pad: Where = (f"The pad of {station.name}", f"{station.name_zh}的起降坪")
        self.point: Where = (f"The landing point {point.name}", f"投放点{point.name_zh}")
        self._found: dict[tuple[str, str], Reason] = {}

    @property
    def all(self) -> tuple[Reason, ...]:
        return tuple(self._found.values())

    @property
    def may_be_height(self) -> bool:
        """Whether another height might help: something other than energy, wind, returns or the fence was against it."""
        return any(reason.code in _OF_HEIGHT for reason in self._found.values())

    def add(self, reason: Reason) -> None:
        self._found.setdefault((reason.code, reason.detail), reason)

    def accepted(self, way: Way | NoSearchRoute | WindWins) -> Way | None:
        """The way, or None and the reason noted."""
        if isinstance(way, Way):
            return way
        self.add(reasons.wind_too_strong_on_leg() if isinstance(way, WindWins) else self._no_way(way))
        return None

    def add_column(self, where: Where, verdict: Verdict, zone_ids: Sequence[str]) -> None:
        """A vertical way is too near to zones: the airspace's own word, or how near they are."""
        said = reasons.from_verdict(*where, verdict)
        width_m = self._corridor.flight_geography_m
        self.add(said or reasons.too_close_to_zone(*where, self._names(zone_ids), width_m))

    def add_too_near(self, where: Where, zone_ids: Sequence[str]) -> None:
        """A place is nearer to zones than the corridor is wide."""
        self.add(reasons.too_close_to_zone(*where, self._names(zone_ids), self._corridor.half_width_m))

    def add_no_profile(self, found: NoProfiledWay, zone_ids: Sequence[str]) -> None:
        """Neither one height nor a way that climbs and descends."""
        if found.route is not None:
            self.accepted(found.route)
        else:
            self.add(reasons.no_height_profile(self._names(zone_ids)))

    def add_no_contingency(self, leg_index: int, out_legs: int) -> None:
        """No straight return is legal from this leg, counted over the ways out and home."""
        inbound = leg_index >= out_legs
        number = leg_index - out_legs if inbound else leg_index
        self.add(reasons.no_legal_contingency("inbound" if inbound else "outbound", number + 1))

    def _no_way(self, refusal: NoSearchRoute) -> Reason:
        zones, width_m = self._names(refusal.obstacle_ids), self._corridor.half_width_m
        match refusal.reason:
            case "start_inside":
                return reasons.too_close_to_zone(*self.pad, zones, width_m)
            case "goal_inside":
                return reasons.too_close_to_zone(*self.point, zones, width_m)
            case "start_outside_keep_in":
                return reasons.outside_operating_area(*self.pad, width_m)
            case "goal_outside_keep_in":
                return reasons.outside_operating_area(*self.point, width_m)
            case "sealed":
                return reasons.no_route(zones)
            case _:
                return reasons.search_gave_up()

    def _names(self, zone_ids: Sequence[str]) -> tuple[str, ...]:
        names = _names_of(self._airspace)
        return tuple(names.get(zone_id) or zone_id for zone_id in zone_ids)


_names: WeakKeyDictionary[Airspace, dict[str, str]] = WeakKeyDictionary()


def _names_of(airspace: Airspace) -> dict[str, str]:
    """The zones that have a name, by their id; gathered once, a city refuses by the thousand."""
    found = _names.get(airspace)
    if found is None:
        found = _names[airspace] = {zone.zone_id: zone.name for zone in airspace.zones if zone.name}
    return found
