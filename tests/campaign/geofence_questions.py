"""A million random 4-D questions to the airspace, judged by arithmetic that shares no code with it.

    python -m tests.campaign.geofence_questions --questions 1000000 --segments 20000 --seed 1

Each round draws an airspace of a few hundred zones (polygons with holes, circles, several volumes,
limits above sea and ground, schedules, authorisations, sometimes operating areas) and asks for
points, half of them close to an edge, a height or a moment where the answer changes. The judge works
on longitude and latitude with winding numbers, on geodesics, and on seconds of the week; it uses no
shapely and no projection. Questions within 3 cm of an edge or 1 mm of a height are not counted.
Segments are judged by 64 points on each: one forbidden point forbids the segment.

It prints the seed of the first wrong answer and exits 1, or a summary and exits 0.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
from pyproj import Geod

from core.geodesy import Altitude, AltitudeDatum, EnuOffset, LocalFrame, Wgs84Point
from geofences.airspace import Airspace
from geofences.applicability import (
    PERMANENT,
    Applicability,
    ClockTime,
    TimePeriod,
    TimeWindow,
    Weekday,
    WeeklyPeriod,
)
from geofences.batch import ALLOWED, OUTSIDE_OPERATING_AREA
from geofences.model import (
    Area,
    Authorisation,
    CircleArea,
    PolygonArea,
    Restriction,
    VerticalLimit,
    Volume,
    Zone,
)
from geofences.terrain import FlatTerrain
from geofences.verdict import Allowed

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Rng = np.random.Generator

ORIGIN = Wgs84Point(22.575, 113.885)
FRAME = LocalFrame(ORIGIN)
GEOD = Geod(ellps="WGS84")
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
WEEK_S = 7 * 86_400
GROUND_M = 6.5
NEAR_M, NEAR_HEIGHT_M = 0.03, 0.001
SIDE_M = 12_000.0
SAMPLES = 64
METRES_PER_DEGREE = 111_195.0
SEVERITY = {Restriction.PROHIBITED: 0, Restriction.REQ_AUTHORISATION: 1, Restriction.CONDITIONAL: 2}


# Drawing airspaces


def _at(east_m: float, north_m: float) -> Wgs84Point:
    return FRAME.to_wgs84(EnuOffset(east_m, north_m))


def _star(rng: Rng, x: float, y: float, low_m: float, high_m: float) -> tuple[Wgs84Point, ...]:
    corners = int(rng.integers(3, 14))
    angles = 2 * np.pi * (np.arange(corners) + rng.uniform(0.0, 0.6, corners)) / corners
    radii = rng.uniform(low_m, high_m, corners)
    return tuple(
        _at(x + r * np.cos(a), y + r * np.sin(a))
        for r, a in zip(radii.tolist(), angles.tolist(), strict=True)
    )


def _area(rng: Rng, radius_m: float | None = None) -> Area:
    x, y = rng.uniform(-SIDE_M / 2, SIDE_M / 2, 2).tolist()
    size_m = float(np.exp(rng.normal(5.8, 0.7))) if radius_m is None else radius_m
    if rng.random() < 0.35:
        return CircleArea(_at(x, y), size_m)
    # A star with corners at most 1.6 steps apart keeps clear of a circle of 0.1 of its size.
    exterior = _star(rng, x, y, 0.6 * size_m, size_m)
    holes: tuple[tuple[Wgs84Point, ...], ...] = ()
    if rng.random() < 0.4 and len(exterior) > 6:
        holes = (_star(rng, x, y, 0.05 * size_m, 0.2 * size_m),)
    return PolygonArea(exterior, holes)


def _limits(rng: Rng) -> tuple[VerticalLimit, VerticalLimit]:
    low, high = np.sort(rng.uniform(0.0, 200.0, 2)).tolist()
    make = Altitude.amsl if rng.random() < 0.5 else Altitude.agl
    floor = VerticalLimit(None if rng.random() < 0.5 else make(low))
    ceiling = VerticalLimit(None if rng.random() < 0.3 else make(high))
    return floor, ceiling


def _applicability(rng: Rng) -> Applicability:
    if rng.random() < 0.5:
        return PERMANENT
    start, end = np.sort(rng.integers(0, WEEK_S, 2)).tolist()
    weekly = []
    for _ in range(int(rng.integers(0, 3))):
        days = tuple(day for day in Weekday if rng.random() < 0.6) or (Weekday.MON,)
        offset_s = int(rng.choice([0, 8 * 3600, -19_800]))
        first, last = rng.integers(0, 86_340, 2).tolist()
        weekly.append(WeeklyPeriod(days, ClockTime(first, offset_s), ClockTime(last, offset_s)))
    period = TimePeriod(
        MONDAY + timedelta(seconds=start) if rng.random() < 0.5 else None,
        MONDAY + timedelta(seconds=end) if rng.random() < 0.5 else None,
        tuple(weekly),
    )
    return Applicability((period,)) if period != TimePeriod() else PERMANENT


def draw_airspace(rng: Rng, count: int) -> Airspace:
    restrictions = [*SEVERITY, Restriction.NO_RESTRICTION]
    zones, held = [], []
    for i in range(count):
        restriction = restrictions[int(rng.integers(0, 4))]
        volumes = tuple(Volume(_area(rng), *_limits(rng)) for _ in range(int(rng.integers(1, 3))))
        zones.append(
            Zone(
                zone_id=f"Z{i}",
                restriction=restriction,
                volumes=volumes,
                applicability=_applicability(rng),
            )
        )
        if restriction in (Restriction.REQ_AUTHORISATION, Restriction.CONDITIONAL) and rng.random() < 0.7:
            start, end = np.sort(rng.integers(0, WEEK_S, 2)).tolist()
            floor, ceiling = _limits(rng)
            kind = rng.random()
            area = None if kind < 0.4 else volumes[0].area if kind < 0.6 else _area(rng, 2_500.0)
            held.append(
                Authorisation(
                    authorisation_id=f"A{i}",
                    zone_ids=(f"Z{i}",),
                    authority="judge",
                    number=str(i),
                    valid_from=MONDAY + timedelta(seconds=start),
                    valid_until=MONDAY + timedelta(seconds=end),
                    area=area,
                    floor=floor,
                    ceiling=ceiling,
                )
            )
    if rng.random() < 0.5:
        for i in range(2):
            volume = Volume(_area(rng, 4_000.0), *_limits(rng))
            zones.append(
                Zone(
                    zone_id=f"K{i}",
                    restriction=Restriction.KEEP_IN,
                    volumes=(volume,),
                    applicability=_applicability(rng),
                )
            )
    return Airspace(
        zones, version="campaign", origin=ORIGIN, terrain=FlatTerrain(GROUND_M), authorisations=tuple(held)
    )


# Judging


@dataclass
class Questions:
    """Points in degrees, heights above sea level, seconds after MONDAY; and how near they are to a change."""

    longitude: Floats
    latitude: Floats
    amsl_m: Floats
    second: npt.NDArray[np.int64]
    near: Bools = field(init=False)

    def __post_init__(self) -> None:
        self.near = np.zeros(len(self.longitude), dtype=bool)

    def _around(self, ring: tuple[Wgs84Point, ...], margin_deg: float) -> npt.NDArray[np.int64]:
        """Numbers of the questions within or near the box of ``ring``; the others need no arithmetic."""
        longitudes, latitudes = [p.longitude_deg for p in ring], [p.latitude_deg for p in ring]
        return np.flatnonzero(
            (self.longitude >= min(longitudes) - margin_deg)
            & (self.longitude <= max(longitudes) + margin_deg)
            & (self.latitude >= min(latitudes) - margin_deg)
            & (self.latitude <= max(latitudes) + margin_deg)
        )

    def in_ring(self, ring: tuple[Wgs84Point, ...]) -> Bools:
        """Winding number not zero; marks what is near an edge."""
        some = self._around(ring, 1e-5)
        longitude, latitude = self.longitude[some], self.latitude[some]
        turns = np.zeros(len(some), dtype=np.int64)
        near = np.zeros(len(some), dtype=bool)
        scale = np.cos(np.radians(latitude))
        for a, b in zip(ring, (*ring[1:], ring[0]), strict=True):
            side = (b.longitude_deg - a.longitude_deg) * (latitude - a.latitude_deg) - (
                longitude - a.longitude_deg
            ) * (b.latitude_deg - a.latitude_deg)
            up = (a.latitude_deg <= latitude) & (latitude < b.latitude_deg) & (side > 0)
            down = (b.latitude_deg <= latitude) & (latitude < a.latitude_deg) & (side < 0)
            turns += up.astype(np.int64) - down.astype(np.int64)
            x1 = (a.longitude_deg - longitude) * scale * METRES_PER_DEGREE
            y1 = (a.latitude_deg - latitude) * METRES_PER_DEGREE
            dx = (b.longitude_deg - a.longitude_deg) * scale * METRES_PER_DEGREE
            dy = (b.latitude_deg - a.latitude_deg) * METRES_PER_DEGREE
            t = np.clip(-(x1 * dx + y1 * dy) / (dx * dx + dy * dy), 0.0, 1.0)
            near |= np.hypot(x1 + t * dx, y1 + t * dy) < NEAR_M
        self.near[some[near]] = True
        result = np.zeros(len(self.longitude), dtype=bool)
        result[some[turns != 0]] = True
        return result

    def in_area(self, area: Area) -> Bools:
        if isinstance(area, CircleArea):
            some = self._around((area.centre,), 1.2 * area.radius_m / METRES_PER_DEGREE + 1e-4)
            _, _, distance_m = GEOD.inv(
                np.full(len(some), area.centre.longitude_deg),
                np.full(len(some), area.centre.latitude_deg),
                self.longitude[some],
                self.latitude[some],
            )
            self.near[some[np.abs(distance_m - area.radius_m) < NEAR_M]] = True
            result = np.zeros(len(self.longitude), dtype=bool)
            result[some[distance_m <= area.radius_m]] = True
            return result
        inside = self.in_ring(area.exterior)
        for hole in area.holes:
            inside &= ~self.in_ring(hole)
        return inside

    def in_band(self, floor: VerticalLimit, ceiling: VerticalLimit) -> Bools:
        result = np.ones(len(self.amsl_m), dtype=bool)
        for limit, sign in ((floor, 1.0), (ceiling, -1.0)):
            if limit.altitude is None:
                continue
            height_m = limit.above_datum_m()
            if limit.altitude.datum is AltitudeDatum.AGL:
                height_m += GROUND_M
            if sign > 0 and height_m <= GROUND_M:
                continue
            self.near |= np.abs(self.amsl_m - height_m) < NEAR_HEIGHT_M
            result &= sign * (self.amsl_m - height_m) >= 0.0
        return result

    def in_time(self, applicability: Applicability) -> Bools:
        if not applicability.periods:
            return np.ones(len(self.second), dtype=bool)
        result = np.zeros(len(self.second), dtype=bool)
        for period in applicability.periods:
            within = np.ones(len(self.second), dtype=bool)
            if period.start is not None:
                within &= self.second >= int((period.start - MONDAY).total_seconds())
            if period.end is not None:
                within &= self.second <= int((period.end - MONDAY).total_seconds())
            if period.schedule:
                scheduled = np.zeros(len(self.second), dtype=bool)
                for weekly in period.schedule:
                    scheduled |= self._weekly(weekly)
                within &= scheduled
            result |= within
        return result

    def _weekly(self, weekly: WeeklyPeriod) -> Bools:
        assert isinstance(weekly.start, ClockTime)
        assert isinstance(weekly.end, ClockTime)
        local = self.second + weekly.start.utc_offset_s
        lasting_s = (weekly.end.second_of_day - weekly.start.second_of_day) % 86_400 or 86_400
        result = np.zeros(len(self.second), dtype=bool)
        for days_back in (0, 1):
            day = local // 86_400 - days_back
            since = local - day * 86_400 - weekly.start.second_of_day
            named = np.isin(day % 7, [list(Weekday).index(d) for d in weekly.days])
            result |= named & (since >= 0) & (since <= lasting_s)
        return result


def judge(space: Airspace, asked: Questions) -> npt.NDArray[np.int64]:
    """The number of the forbidding zone (strictest, then first), ALLOWED or OUTSIDE_OPERATING_AREA."""
    count = len(asked.longitude)
    best = np.full(count, 3 * len(space.zones), dtype=np.int64)
    kept_in, keep_in_exists = np.zeros(count, dtype=bool), False
    for number, zone in enumerate(space.zones):
        hit = np.zeros(count, dtype=bool)
        for volume in zone.volumes:
            hit |= asked.in_area(volume.area) & asked.in_band(volume.floor, volume.ceiling)
        hit &= asked.in_time(zone.applicability)
        if zone.restriction is Restriction.KEEP_IN:
            keep_in_exists = True
            kept_in |= hit
        elif zone.restriction in SEVERITY:
            for held in space.authorisations:
                if zone.zone_id in held.zone_ids and hit.any():
                    covered = asked.in_band(held.floor, held.ceiling)
                    covered &= asked.second >= int((held.valid_from - MONDAY).total_seconds())
                    covered &= asked.second <= int((held.valid_until - MONDAY).total_seconds())
                    if held.area is not None:
                        covered &= asked.in_area(held.area)
                    hit &= ~covered
            rank = SEVERITY[zone.restriction] * len(space.zones) + number
            best[hit] = np.minimum(best[hit], rank)
    result = best % len(space.zones)
    free = best == 3 * len(space.zones)
    result[free] = ALLOWED
    if keep_in_exists:
        result[free & ~kept_in] = OUTSIDE_OPERATING_AREA
    return result


# Asking


def draw_questions(rng: Rng, space: Airspace, count: int) -> Questions:
    places = rng.uniform(-SIDE_M / 2, SIDE_M / 2, (count, 2))
    heights = rng.uniform(0.0, 220.0, count)
    seconds = rng.integers(0, WEEK_S, count)
    corners, limits, changes = [], [GROUND_M], [0]
    for zone in space.zones:
        for volume in zone.volumes:
            area = volume.area
            points = area.exterior if isinstance(area, PolygonArea) else ()
            corners += [(p.longitude_deg, p.latitude_deg) for p in points]
            for limit in (volume.floor, volume.ceiling):
                if limit.altitude is not None:
                    above = GROUND_M if limit.altitude.datum is AltitudeDatum.AGL else 0.0
                    limits.append(limit.above_datum_m() + above)
        for period in zone.applicability.periods:
            changes += [int((m - MONDAY).total_seconds()) for m in (period.start, period.end) if m]
    close = rng.random(count) < 0.5
    near_corner = FRAME.project(np.array(corners))[rng.integers(0, len(corners), count)]
    places[close] = (near_corner + rng.normal(0.0, 5.0, (count, 2)))[close]
    close = rng.random(count) < 0.5
    heights[close] = (np.array(limits)[rng.integers(0, len(limits), count)] + rng.normal(0, 0.5, count))[
        close
    ]
    close = rng.random(count) < 0.3
    seconds[close] = (np.array(changes)[rng.integers(0, len(changes), count)] + rng.integers(-2, 3, count))[
        close
    ]
    lon_lat = FRAME.unproject(np.clip(places, -SIDE_M, SIDE_M))
    return Questions(lon_lat[:, 0], lon_lat[:, 1], heights, np.clip(seconds, 0, WEEK_S - 1))


def wrong_points(space: Airspace, asked: Questions) -> tuple[int, list[str]]:
    """(questions counted, descriptions of wrong answers)."""
    expected = judge(space, asked)
    moments = np.datetime64("2026-11-23T00:00:00", "us") + asked.second.astype("timedelta64[s]")
    answers = space.check_points(np.column_stack([asked.longitude, asked.latitude]), asked.amsl_m, moments)
    counted = ~asked.near
    wrong = np.flatnonzero(counted & (answers != expected))
    described = [
        f"{asked.longitude[i]!r}, {asked.latitude[i]!r}, {asked.amsl_m[i]!r} m, second {asked.second[i]}:"
        f" answered {answers[i]}, judged {expected[i]}"
        for i in wrong[:5].tolist()
    ]
    # One by one as well, for some: the batch and the single test are different code.
    for i in np.flatnonzero(counted)[:: max(1, len(answers) // 100)].tolist():
        point = Wgs84Point(float(asked.latitude[i]), float(asked.longitude[i]))
        moment = MONDAY + timedelta(seconds=int(asked.second[i]))
        verdict = space.check_point(point, float(asked.amsl_m[i]), moment)
        if isinstance(verdict, Allowed) != (expected[i] == ALLOWED):
            described.append(f"{point}, {asked.amsl_m[i]!r} m, {moment}: {verdict}, judged {expected[i]}")
    return int(counted.sum()), described


def wrong_segments(rng: Rng, space: Airspace, count: int) -> tuple[int, list[str]]:
    """(segments counted, descriptions of wrong answers): no allowed segment holds a forbidden moment."""
    starts = rng.uniform(-SIDE_M / 2, SIDE_M / 2, (count, 2))
    angles, lengths = rng.uniform(0, 2 * np.pi, count), rng.uniform(0.0, 1_500.0, count)
    ends = starts + lengths[:, None] * np.column_stack([np.cos(angles), np.sin(angles)])
    heights = rng.uniform(0.0, 220.0, (count, 2))
    level = rng.random(count) < 0.5
    heights[level, 1] = heights[level, 0]
    moments = rng.integers(0, WEEK_S - 3_600, count)
    durations = rng.integers(0, 900, count)
    share, when = rng.random((count, SAMPLES)), rng.random((count, SAMPLES))
    share[:, :2] = (0.0, 1.0)
    places = starts[:, None, :] + share[:, :, None] * (ends - starts)[:, None, :]
    lon_lat = FRAME.unproject(places.reshape(-1, 2))
    asked = Questions(
        lon_lat[:, 0],
        lon_lat[:, 1],
        (heights[:, :1] + share * (heights[:, 1:] - heights[:, :1])).ravel(),
        (moments[:, None] + np.floor(when * (durations[:, None] + 1)).astype(np.int64)).ravel(),
    )
    judged = judge(space, asked)
    forbidden = ((judged != ALLOWED) & ~asked.near).reshape(count, SAMPLES)
    corners = FRAME.unproject(np.concatenate([starts, ends]))
    described = []
    for i in range(count):
        first, last = (Wgs84Point(float(lat), float(lon)) for lon, lat in (corners[i], corners[count + i]))
        start = MONDAY + timedelta(seconds=int(moments[i]))
        verdict = space.check_segment(
            first,
            float(heights[i, 0]),
            last,
            float(heights[i, 1]),
            TimeWindow.lasting(start, float(durations[i])),
        )
        if forbidden[i].any() and isinstance(verdict, Allowed):
            described.append(
                f"segment {first} {heights[i, 0]} → {last} {heights[i, 1]} from {start}: allowed"
            )
    return count, described


def run(*, questions: int, segments: int, seed: int, zones: int = 250, per_round: int = 20_000) -> int:
    """Number of wrong answers; prints what was asked."""
    asked = flown = wrong = rounds = 0
    started = time.perf_counter()
    while asked < questions or flown < segments:
        rng = np.random.default_rng((seed, rounds))
        space = draw_airspace(rng, zones)
        found: list[str] = []
        if asked < questions:
            counted, found = wrong_points(space, draw_questions(rng, space, min(per_round, questions)))
            asked += counted
        if flown < segments:
            counted, more = wrong_segments(rng, space, min(400, segments - flown))
            flown += counted
            found += more
        for description in found:
            print(f"WRONG seed=({seed}, {rounds}) zones={zones}: {description}")
        wrong += len(found)
        rounds += 1
        if rounds % 10 == 0:
            print(f"{rounds} airspaces, {asked} questions, {flown} segments, {wrong} wrong", flush=True)
    print(
        f"{asked} questions and {flown} segments in {rounds} airspaces of {zones} zones, seed {seed}:"
        f" {wrong} wrong, {time.perf_counter() - started:.0f} s"
    )
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--questions", type=int, default=1_000_000)
    parser.add_argument("--segments", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    wrong = run(questions=arguments.questions, segments=arguments.segments, seed=arguments.seed)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
