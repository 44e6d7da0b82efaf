"""Zones that were closed after a plan was made, and whether the plan's way meets them.

Heights: where the ground is known (an airspace is at hand) the zones' own limits count. Where it is not,
limits above ground or above the ellipsoid are not guessed: such a zone then reaches from the ground up
without end. Limits above mean sea level count always.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import shapely

from core.geodesy import AltitudeDatum, Wgs84Point
from geofences.airspace import Airspace
from geofences.model import GROUND, UNLIMITED, TimeWindow, VerticalLimit, Zone
from geofences.terrain import FlatTerrain, Terrain
from planner.airframe import load_airframes
from planner.corridor import corridor_of
from planner.flight_plan import FlightPlan, LegKind

XY = tuple[float, float]


def _known(limit: VerticalLimit, otherwise: VerticalLimit) -> VerticalLimit:
    return limit if limit.datum is AltitudeDatum.AMSL else otherwise


def _without_ground(zone: Zone) -> Zone:
    volumes = tuple(
        replace(volume, floor=_known(volume.floor, GROUND), ceiling=_known(volume.ceiling, UNLIMITED))
        for volume in zone.volumes
    )
    return replace(zone, volumes=volumes)


class ClosedZones:
    """The closed zones of one flight, in metres of a plane around its pad."""

    def __init__(self, zones: Iterable[Zone], origin: Wgs84Point, terrain: Terrain | None) -> None:
        zones = tuple(zones)
        self._names = {zone.zone_id: zone.name or zone.zone_id for zone in zones}
        self._airspace: Airspace | None = None
        if zones:
            held = zones if terrain is not None else tuple(_without_ground(zone) for zone in zones)
            self._airspace = Airspace(
                held, version="closed in flight", origin=origin, terrain=terrain or FlatTerrain(0.0)
            )

    @property
    def empty(self) -> bool:
        """Whether no zone was closed."""
        return self._airspace is None

    def _standing(
        self, low_amsl_m: float, high_amsl_m: float, now: datetime, for_s: float
    ) -> list[tuple[str, shapely.Polygon]]:
        if self._airspace is None:
            return []
        window = TimeWindow(now, now + timedelta(seconds=for_s))
        mask = self._airspace.activity_mask(low_amsl_m, high_amsl_m, window)
        return [
            (obstacle.zone_id, obstacle.polygon)
            for obstacle, stands in zip(self._airspace.obstacle_polygons, mask, strict=True)
            if stands
        ]

    def met_by(
        self,
        line: Sequence[XY],
        clearance_m: float,
        *,
        low_amsl_m: float,
        high_amsl_m: float,
        now: datetime,
        for_s: float,
        leaving: frozenset[str] = frozenset(),
    ) -> str | None:
        """The name of a zone nearer than ``clearance_m`` to the line, some time within ``for_s``; else None.

        ``leaving``: ids of zones that do not count, because whoever flies the line is in them and leaves them.
        """
        if self._airspace is None or not line:
            return None
        way = shapely.LineString(line) if len(line) > 1 else shapely.Point(line[0])
        for zone_id, polygon in self._standing(low_amsl_m, high_amsl_m, now, for_s):
            if zone_id not in leaving and shapely.dwithin(polygon, way, clearance_m):
                return self._names[zone_id]
        return None

    def around(self, here: XY, altitude_amsl_m: float, error_m: float, now: datetime) -> str | None:
        """The name of a zone that the place lies in at this moment; else None."""
        inside = self.all_around(here, altitude_amsl_m, error_m, now)
        return self._names[inside[0]] if inside else None

    def all_around(self, here: XY, altitude_amsl_m: float, error_m: float, now: datetime) -> tuple[str, ...]:
        """The ids of all zones that the place lies in at this moment."""
        point = shapely.Point(here)
        low_m, high_m = altitude_amsl_m - error_m, altitude_amsl_m + error_m
        return tuple(
            zone_id
            for zone_id, polygon in self._standing(low_m, high_m, now, 1.0)
            if shapely.intersects(polygon, point)
        )

    def length_inside_m(self, line: Sequence[XY], altitude_amsl_m: float, now: datetime) -> float:
        """How far one flies along the line until the zones that one is in are left."""
        if len(line) < 2:
            return 0.0
        way = shapely.LineString(line)
        shapes = [polygon for _, polygon in self._standing(altitude_amsl_m, altitude_amsl_m, now, 1.0)]
        if not shapes:
            return 0.0
        rest = shapely.difference(way, shapely.union_all(shapes))
        if rest.is_empty:
            return float(way.length)
        # The nearest place outside, along the line.
        first = min(shapely.line_locate_point(way, shapely.Point(xy)) for xy in shapely.get_coordinates(rest))
        return float(first)

    def on_plan(self, plan: FlightPlan, departs_at: datetime) -> str | None:
        """The name of a closed zone that a plan leads through, its flight geography kept; None when it is free."""
        airframe = load_airframes().get(plan.airframe_id)
        if self._airspace is None or airframe is None:
            return None
        corridor = corridor_of(airframe)
        legs = (*plan.outbound, *plan.inbound)
        altitudes = [
            point.altitude_amsl_m
            for leg in legs
            if leg.kind is LegKind.CRUISE
            for point in (leg.start, leg.end)
        ]
        points = [legs[0].start, *(leg.end for leg in legs)]
        line = [self._airspace.frame.to_enu(point.position) for point in points]
        return self.met_by(
            [(place.east_m, place.north_m) for place in line],
            corridor.flight_geography_m,
            low_amsl_m=min(altitudes) - corridor.altitude_error_m,
            high_amsl_m=max(altitudes) + corridor.altitude_error_m,
            now=departs_at,
            for_s=plan.timing.total_s + plan.hover_budget_s + 60.0,
        )
