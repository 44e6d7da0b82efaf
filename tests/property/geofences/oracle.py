"""An independent judge of 4-D questions: no shapely, no frame, no code of geofences but its values.

Points are judged in longitude and latitude by winding numbers, circles by geodesics, times minute by
minute with plain calendar arithmetic. It also says how near a point is to any boundary, because within
some centimetres either answer may be right.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta, timezone

from pyproj import Geod

from core.geodesy import AltitudeDatum, Wgs84Point
from geofences.applicability import Applicability, ClockTime, Weekday
from geofences.model import (
    Authorisation,
    CircleArea,
    PolygonArea,
    Restriction,
    VerticalLimit,
    Zone,
)

GEOD = Geod(ellps="WGS84")
METRES_PER_DEGREE = 111_195.0


def winding(longitude: float, latitude: float, ring: tuple[Wgs84Point, ...]) -> int:
    turns = 0
    for first, second in zip(ring, (*ring[1:], ring[0]), strict=True):
        x1, y1, x2, y2 = first.longitude_deg, first.latitude_deg, second.longitude_deg, second.latitude_deg
        side = (x2 - x1) * (latitude - y1) - (longitude - x1) * (y2 - y1)
        if y1 <= latitude:
            if y2 > latitude and side > 0:
                turns += 1
        elif y2 <= latitude and side < 0:
            turns -= 1
    return turns


def edge_distance_m(point: Wgs84Point, ring: tuple[Wgs84Point, ...]) -> float:
    """Distance to the nearest edge, on a small flat map around the point (good near the point)."""
    scale = math.cos(math.radians(point.latitude_deg))

    def flat(p: Wgs84Point) -> tuple[float, float]:
        return (
            (p.longitude_deg - point.longitude_deg) * METRES_PER_DEGREE * scale,
            (p.latitude_deg - point.latitude_deg) * METRES_PER_DEGREE,
        )

    nearest = math.inf
    for first, second in zip(ring, (*ring[1:], ring[0]), strict=True):
        (x1, y1), (x2, y2) = flat(first), flat(second)
        dx, dy = x2 - x1, y2 - y1
        squared = dx * dx + dy * dy
        t = 0.0 if squared == 0 else min(1.0, max(0.0, -(x1 * dx + y1 * dy) / squared))
        nearest = min(nearest, math.hypot(x1 + t * dx, y1 + t * dy))
    return nearest


def in_area(point: Wgs84Point, area: PolygonArea | CircleArea) -> tuple[bool, float]:
    """(inside, metres to the boundary)."""
    if isinstance(area, CircleArea):
        distance_m = GEOD.inv(
            area.centre.longitude_deg, area.centre.latitude_deg, point.longitude_deg, point.latitude_deg
        )[2]
        return distance_m <= area.radius_m, abs(distance_m - area.radius_m)
    rings = (area.exterior, *area.holes)
    inside = winding(point.longitude_deg, point.latitude_deg, area.exterior) != 0
    for hole in area.holes:
        if winding(point.longitude_deg, point.latitude_deg, hole) != 0:
            inside = False
    return inside, min(edge_distance_m(point, ring) for ring in rings)


def height_of(limit: VerticalLimit, ground_m: float) -> float | None:
    if limit.altitude is None:
        return None
    metres = limit.above_datum_m()
    return metres + ground_m if limit.altitude.datum is AltitudeDatum.AGL else metres


def in_height(
    floor: VerticalLimit, ceiling: VerticalLimit, altitude_m: float, ground_m: float
) -> tuple[bool, float]:
    low, high = height_of(floor, ground_m), height_of(ceiling, ground_m)
    near = math.inf
    above = True
    if low is not None and low > ground_m:
        above = altitude_m >= low
        near = abs(altitude_m - low)
    below = True
    if high is not None:
        below = altitude_m <= high
        near = min(near, abs(altitude_m - high))
    return above and below, near


def in_time(applicability: Applicability, moment: datetime) -> bool:
    """Calendar arithmetic on every day that may matter; clock times only."""
    if not applicability.periods:
        return True
    for period in applicability.periods:
        if period.start is not None and moment < period.start:
            continue
        if period.end is not None and moment > period.end:
            continue
        if not period.schedule:
            return True
        for weekly in period.schedule:
            start, end = weekly.start, weekly.end
            assert isinstance(start, ClockTime)
            assert isinstance(end, ClockTime)
            local = moment.astimezone(timezone(timedelta(seconds=start.utc_offset_s)))
            midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
            for days_back in (0, 1):
                day = midnight - timedelta(days=days_back)
                if list(Weekday)[day.weekday()] not in weekly.days:
                    continue
                first = day + timedelta(seconds=start.second_of_day)
                until_s = end.second_of_day
                if 86_340 <= until_s < 86_400:
                    until_s = 86_400
                last = day + timedelta(seconds=until_s)
                if last <= first:
                    last += timedelta(days=1)
                if first <= local <= last:
                    return True
    return False


def authorised(
    authorisation: Authorisation, point: Wgs84Point, altitude_m: float, moment: datetime, ground_m: float
) -> tuple[bool, float]:
    near = math.inf
    inside = True
    if authorisation.area is not None:
        inside, near = in_area(point, authorisation.area)
    in_band, near_height = in_height(authorisation.floor, authorisation.ceiling, altitude_m, ground_m)
    valid = authorisation.valid_from <= moment <= authorisation.valid_until
    return inside and in_band and valid, min(near, near_height)


def judge(
    zones: tuple[Zone, ...],
    authorisations: tuple[Authorisation, ...],
    point: Wgs84Point,
    altitude_m: float,
    moment: datetime,
    ground_m: float,
) -> tuple[set[str], float]:
    """(ids of the zones that forbid it, «keep-in» among them; metres to the nearest boundary)."""
    forbidding: set[str] = set()
    near = math.inf
    keep_in_exists, kept_in = False, False
    for zone in zones:
        active = in_time(zone.applicability, moment)
        hit = False
        for volume in zone.volumes:
            inside, near_area = in_area(point, volume.area)
            in_band, near_height = in_height(volume.floor, volume.ceiling, altitude_m, ground_m)
            near = min(near, near_area, near_height)
            hit = hit or (inside and in_band and active)
        if zone.restriction is Restriction.KEEP_IN:
            keep_in_exists = True
            kept_in = kept_in or hit
        elif hit and zone.restriction is Restriction.PROHIBITED:
            forbidding.add(zone.zone_id)
        elif hit and zone.restriction is not Restriction.NO_RESTRICTION:
            opened = False
            for authorisation in authorisations:
                if zone.zone_id in authorisation.zone_ids:
                    covers, near_authorised = authorised(authorisation, point, altitude_m, moment, ground_m)
                    near = min(near, near_authorised)
                    opened = opened or covers
            if not opened:
                forbidding.add(zone.zone_id)
    if keep_in_exists and not kept_in:
        forbidding.add("keep-in")
    return forbidding, near
