"""No plan comes near a zone: judged by shapely on the published shapes, in another projection.

Nothing of the planner or the airspace is used to judge: zones are plain numbers here, projected by a
transverse Mercator, while the code under test uses an azimuthal equidistant plane.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from pyproj import Geod, Transformer

from core.geodesy import Altitude, Wgs84Point
from geofences.airspace import Airspace
from geofences.model import (
    GROUND,
    UNLIMITED,
    CircleArea,
    PolygonArea,
    Restriction,
    VerticalLimit,
    Volume,
    Zone,
)
from planner.flight_plan import FlightPlan, Leg, LegKind
from planner.task import NoPlan
from tests.unit.planner.helpers import fly, landing_point, refuge, station, wind

LATITUDE, LONGITUDE = 22.57, 113.88
TO_PLANE = Transformer.from_crs(
    "EPSG:4326", f"+proj=tmerc +lat_0={LATITUDE} +lon_0={LONGITUDE} +ellps=WGS84", always_xy=True
)
GEOD = Geod(ellps="WGS84")
HALF_WIDTH_M, GEOGRAPHY_M, HEIGHT_ERROR_M = 61.12, 12.0, 4.0
SLACK_M = 0.1


@dataclass(frozen=True)
class Shape:
    """A zone as numbers: a circle (centre lon, lat, radius) or a ring of (lon, lat), and its heights."""

    centre: tuple[float, float]
    radius_m: float | None
    ring: tuple[tuple[float, float], ...]
    low_amsl_m: float | None
    high_amsl_m: float | None

    def zone(self, number: int) -> Zone:
        if self.radius_m is not None:
            area = CircleArea(Wgs84Point(self.centre[1], self.centre[0]), self.radius_m)
        else:
            area = PolygonArea(tuple(Wgs84Point(lat, lon) for lon, lat in self.ring))
        floor = GROUND if self.low_amsl_m is None else VerticalLimit(Altitude.amsl(self.low_amsl_m))
        ceiling = UNLIMITED if self.high_amsl_m is None else VerticalLimit(Altitude.amsl(self.high_amsl_m))
        return Zone(
            zone_id=f"z{number}", restriction=Restriction.PROHIBITED, volumes=(Volume(area, floor, ceiling),)
        )

    def reaches(self, low_m: float, high_m: float) -> bool:
        bottom = -math.inf if self.low_amsl_m is None else self.low_amsl_m
        top = math.inf if self.high_amsl_m is None else self.high_amsl_m
        return bottom <= high_m and top >= low_m

    @cached_property
    def core(self) -> shapely.Geometry:
        """The polygon, or the circle's centre, in the plane."""
        if self.radius_m is None:
            return shapely.Polygon(np.column_stack(TO_PLANE.transform(*np.array(self.ring).T)))
        return shapely.Point(TO_PLANE.transform(*self.centre))

    def distance_m(self, line: list[tuple[float, float]]) -> float:
        """From a line of (lon, lat); negative or zero inside."""
        path = shapely.LineString(np.column_stack(TO_PLANE.transform(*np.array(line).T)))
        return float(self.core.distance(path)) - (self.radius_m or 0.0)


def lon_lat(x_m: float, y_m: float) -> tuple[float, float]:
    lon, lat = TO_PLANE.transform(x_m, y_m, direction="INVERSE")
    return lon, lat


metres = st.floats(-2600, 2600)
heights = st.sampled_from(
    [(None, None), (None, None), (None, 30.0), (None, 75.0), (70.0, None), (85.0, 95.0), (None, 100.0)]
)


@st.composite
def shapes(draw: st.DrawFn) -> Shape:
    x, y = draw(metres), draw(metres)
    low, high = draw(heights)
    if draw(st.booleans()):
        return Shape(lon_lat(x, y), draw(st.floats(30, 450)), (), low, high)
    count = draw(st.integers(3, 8))
    radii = [draw(st.floats(40, 500)) for _ in range(count)]
    turn = draw(st.floats(0, 2 * math.pi))
    ring = tuple(
        lon_lat(
            x + radii[i] * math.cos(turn + 2 * math.pi * i / count),
            y + radii[i] * math.sin(turn + 2 * math.pi * i / count),
        )
        for i in range(count)
    )
    return Shape((0.0, 0.0), None, ring, low, high)


def path_of(leg: Leg) -> list[tuple[float, float]]:
    return [(p.position.longitude_deg, p.position.latitude_deg) for p in (leg.start, leg.end)]


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    zones=st.lists(shapes(), max_size=14),
    start=st.tuples(st.floats(-2800, -1500), metres),
    goal=st.tuples(st.floats(1500, 2800), metres),
    refuges=st.lists(st.tuples(metres, metres), max_size=12),
    blowing=st.tuples(st.floats(0, 360), st.one_of(st.just(0.0), st.floats(0, 11))),
    seed=st.integers(0, 2**32 - 1),
)
def test_plans_keep_out_of_every_zone(
    zones: list[Shape],
    start: tuple[float, float],
    goal: tuple[float, float],
    refuges: list[tuple[float, float]],
    blowing: tuple[float, float],
    seed: int,
) -> None:
    judge(zones, start, goal, refuges, blowing, seed)


def dense(rng: np.random.Generator) -> list[Shape]:
    """A crowded city: shapes of every kind thrown over the ways."""
    found = []
    for _ in range(int(rng.integers(10, 45))):
        x, y = rng.uniform(-2600, 2600, 2)
        low, high = [(None, None), (None, 75.0), (70.0, None), (None, 100.0)][int(rng.integers(0, 4))]
        if rng.random() < 0.4:
            found.append(Shape(lon_lat(x, y), float(rng.uniform(30, 300)), (), low, high))
            continue
        count, turn = int(rng.integers(3, 10)), rng.uniform(0, 2 * math.pi)
        angles = turn + 2 * math.pi * np.arange(count) / count
        radii = rng.uniform(40, 400, count)
        ring = tuple(
            lon_lat(x + r * math.cos(a), y + r * math.sin(a)) for r, a in zip(radii, angles, strict=True)
        )
        found.append(Shape((0.0, 0.0), None, ring, low, high))
    return found


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32 - 1))
def test_plans_keep_out_in_a_crowded_city(seed: int) -> None:
    rng = np.random.default_rng(seed)
    refuges = [(float(x), float(y)) for x, y in rng.uniform(-3000, 3000, (60, 2))]
    start = (float(rng.uniform(-2800, -1500)), float(rng.uniform(-2600, 2600)))
    goal = (float(rng.uniform(1500, 2800)), float(rng.uniform(-2600, 2600)))
    blowing = (float(rng.uniform(0, 360)), float(rng.choice([0.0, 0.0, rng.uniform(0, 11)])))
    judge(dense(rng), start, goal, refuges, blowing, seed)


def judge(
    zones: list[Shape],
    start: tuple[float, float],
    goal: tuple[float, float],
    refuges: list[tuple[float, float]],
    blowing: tuple[float, float],
    seed: int,
) -> None:
    """Plan, and measure everything that the plan promises."""
    sky = Airspace(
        [shape.zone(i) for i, shape in enumerate(zones)], version="t", origin=Wgs84Point(LATITUDE, LONGITUDE)
    )
    plan = fly(
        sky,
        station("a", *start),
        landing_point("p", *goal),
        refuges=tuple(refuge(f"r{i}", x, y) for i, (x, y) in enumerate(refuges)),
        blowing=wind(*blowing),
    )
    if isinstance(plan, NoPlan):
        assert plan.reasons
        event(f"refused: {plan.reasons[0].code}")
        return
    event(f"planned with {len(plan.outbound) - 2} cruise legs")
    for leg in (*plan.outbound, *plan.inbound, *plan.retrace):
        low = min(leg.start.altitude_amsl_m, leg.end.altitude_amsl_m)
        high = max(leg.start.altitude_amsl_m, leg.end.altitude_amsl_m)
        cruise = leg.kind is LegKind.CRUISE
        needed_m = HALF_WIDTH_M if cruise else GEOGRAPHY_M
        for shape in zones:
            if shape.reaches(low - HEIGHT_ERROR_M * cruise, high + HEIGHT_ERROR_M * cruise):
                assert shape.distance_m(path_of(leg)) >= needed_m - SLACK_M
    check_returns(plan, zones, np.random.default_rng(seed))
    check_fence(plan, zones)


def check_returns(plan: FlightPlan, zones: list[Shape], rng: np.random.Generator) -> None:
    """From random places on every cruise leg straight to the nearest rally point, at cruise height."""
    assert plan.rally_points
    rally = np.array([(p.position.longitude_deg, p.position.latitude_deg) for p in plan.rally_points])
    cruise_m = plan.rally_points[0].altitude_amsl_m
    for leg in (*plan.outbound, *plan.inbound):
        if leg.kind is not LegKind.CRUISE:
            continue
        assert leg.start.altitude_amsl_m == cruise_m
        (x1, y1), (x2, y2) = path_of(leg)
        for share in rng.uniform(0, 1, 6):
            x, y = x1 + share * (x2 - x1), y1 + share * (y2 - y1)
            ones = np.ones(len(rally))
            away = GEOD.inv(x * ones, y * ones, rally[:, 0], rally[:, 1])[2]
            nearest = rally[int(np.argmin(away))]
            line = [(x, y), (float(nearest[0]), float(nearest[1]))]
            for shape in zones:
                if shape.reaches(cruise_m - HEIGHT_ERROR_M, cruise_m + HEIGHT_ERROR_M):
                    assert shape.distance_m(line) >= GEOGRAPHY_M - SLACK_M
    for x, y in rally:
        for shape in zones:
            if shape.reaches(5.0, cruise_m):
                assert shape.distance_m([(x, y), (x, y)]) >= GEOGRAPHY_M - SLACK_M


def check_fence(plan: FlightPlan, zones: list[Shape]) -> None:
    """The fence holds the way with its flight geography, and nothing forbidden at cruise height."""
    cruise_m = plan.outbound[0].end.altitude_amsl_m

    def ring(points: tuple[Wgs84Point, ...]) -> np.ndarray:
        lons, lats = zip(*((p.longitude_deg, p.latitude_deg) for p in points), strict=True)
        return np.column_stack(TO_PLANE.transform(lons, lats))

    fence = shapely.Polygon(
        ring(plan.autopilot_fence.inclusion), [ring(hole) for hole in plan.autopilot_fence.exclusions]
    )
    assert fence.is_valid
    for leg in (*plan.outbound, *plan.inbound):
        path = shapely.LineString(np.column_stack(TO_PLANE.transform(*np.array(path_of(leg)).T)))
        assert fence.contains(shapely.buffer(path, GEOGRAPHY_M - SLACK_M))
    for shape in zones:
        if not shape.reaches(cruise_m - HEIGHT_ERROR_M, cruise_m + HEIGHT_ERROR_M):
            continue
        assert fence.distance(shape.core) > (shape.radius_m or 0.0) * (1 - 1e-6)
