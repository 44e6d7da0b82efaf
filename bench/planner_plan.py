"""The full plan, the choice and the conflict test, in the city of 1,000 zones.

A full plan is everything: heights, time masks, wind, way out and back, energy, rally points, fence, and the
independent verification. One core, after warm-up; a figure is the best of five for each question: what the
planner costs, not what else the machine was doing.
"""

from __future__ import annotations

import dataclasses
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import numpy as np
import shapely

from bench.planner_cases import HEIGHT_M, WIDTH_M, city_case
from bench.report import Report
from core.geodesy import Altitude, LocalFrame, Wgs84Point
from core.ids import IdSource
from geofences.airspace import Airspace
from geofences.applicability import PERMANENT, Applicability, TimePeriod
from geofences.model import GROUND, UNLIMITED, PolygonArea, Restriction, VerticalLimit, Volume, Zone
from planner.airframe import Airframe, load_airframes
from planner.choice import Decision, DispatchRequest, DroneState, Severity, Traffic, choose
from planner.corridor import corridor_of
from planner.flight_plan import DeliveryMethod, FlightPlan
from planner.intent_index import IntentIndex
from planner.intent_volumes import intent_of_plan
from planner.intents import OperationalIntent
from planner.planning import plan_flight
from planner.site import (
    Drone,
    EmergencySite,
    LandingPoint,
    PositionQuality,
    Site,
    Station,
    Surface,
    UsableHours,
    Walk,
)
from planner.task import FlightTask, NoPlan
from planner.warm import warm_up
from planner.wind import Wind

NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
ORIGIN = Wgs84Point(22.65, 113.95)
GROUND_M = 5.0
ROUNDS = 5
PLANS = 200
REFUGES = 1500
STATIONS, POINTS, CHOICES, INTENTS = 20, 150, 100, 1000
WIND = Wind(from_deg=60.0, speed_m_s=6.0, measured_at=NOW)
ALWAYS = (UsableHours(days=(1, 2, 3, 4, 5, 6, 7), start="00:00", end="24:00"),)
WALK = Walk(detour_factor=1.3, exit_s=15.0, description="street", description_zh="街道")


def run(report: Report) -> None:
    """Measure everything."""
    city = City(1000)
    _plans(report, city)
    _choices(report, city)


class FixedClock:
    """A clock that stands: every plan is made for the same moment."""

    def now(self) -> datetime:
        return NOW


class City:
    """The case's zones as an airspace, and free places in it.

    Of the zones 70 % reach from the ground up without end, 20 % end at 40–110 m, 10 % begin at 70–100 m; a
    tenth apply at other times only.
    """

    def __init__(self, count: int) -> None:
        case = city_case(count, pairs=1)
        self.frame = LocalFrame(ORIGIN)
        self.middle = np.array([WIDTH_M / 2.0, HEIGHT_M / 2.0])
        # A battery for 2 × 15 km against the wind, so that ways and not watt-hours are measured.
        self.airframe: Airframe = dataclasses.replace(load_airframes()["hex10"], battery_wh=2500.0)
        rng = np.random.default_rng(20261121)
        self.airspace = Airspace(
            [self._zone(number, corners, rng) for number, corners in enumerate(case.zones)],
            version=f"bench-{count}",
            origin=ORIGIN,
        )
        self.tree = shapely.STRtree(case.polygons)
        self.refuges = tuple(
            EmergencySite(
                emergency_site_id=f"refuge-{number}",
                name=f"refuge {number}",
                name_zh=f"备降点{number}",
                position=self.point(place),
                ground_amsl_m=GROUND_M,
                position_quality=PositionQuality.SURVEYED,
            )
            for number, place in enumerate(self.free_places(rng, REFUGES, 20.0))
        )

    def _zone(self, number: int, corners: np.ndarray, rng: np.random.Generator) -> Zone:
        kind, height_m = rng.random(), float(rng.uniform(0.0, 1.0))
        floor, ceiling = GROUND, UNLIMITED
        if kind > 0.9:
            floor = VerticalLimit(Altitude.amsl(70.0 + 30.0 * height_m))
        elif kind > 0.7:
            ceiling = VerticalLimit(Altitude.amsl(40.0 + 70.0 * height_m))
        applies = PERMANENT
        if rng.random() < 0.1:
            later = NOW + timedelta(hours=6)
            applies = Applicability(periods=(TimePeriod(start=later, end=later + timedelta(hours=2)),))
        outline = tuple(self.point(corner) for corner in corners)
        return Zone(
            zone_id=f"zone-{number}",
            restriction=Restriction.PROHIBITED,
            volumes=(Volume(PolygonArea(outline), floor, ceiling),),
            applicability=applies,
        )

    def point(self, place: np.ndarray) -> Wgs84Point:
        """A place of the case's plane on the earth."""
        longitude_deg, latitude_deg = self.frame.unproject([place - self.middle])[0]
        return Wgs84Point(float(latitude_deg), float(longitude_deg))

    def free_places(self, rng: np.random.Generator, count: int, clearance_m: float) -> np.ndarray:
        """Places at least ``clearance_m`` from every zone."""
        found: list[np.ndarray] = []
        while len(found) < count:
            place = rng.uniform((200.0, 200.0), (WIDTH_M - 200.0, HEIGHT_M - 200.0))
            if not len(self.tree.query(shapely.Point(place), predicate="dwithin", distance=clearance_m)):
                found.append(place)
        return np.array(found)

    def pairs(self, rng: np.random.Generator, count: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """Pairs of places 2–15 km apart, a corridor's half width and 2 m from every zone."""
        clear_m = corridor_of(self.airframe).half_width_m + 2.0
        found: list[tuple[np.ndarray, np.ndarray]] = []
        while len(found) < count:
            start, goal = self.free_places(rng, 2, clear_m)
            if 2000.0 <= float(np.hypot(*(goal - start))) <= 15000.0:
                found.append((start, goal))
        return found

    def station(self, number: int, place: np.ndarray) -> Station:
        """A station at a place."""
        return Station(
            station_id=f"station-{number}",
            name=f"station {number}",
            name_zh=f"站点{number}",
            position=self.point(place),
            ground_amsl_m=GROUND_M,
            position_quality=PositionQuality.SURVEYED,
        )

    def landing_point(self, number: int, place: np.ndarray) -> LandingPoint:
        """A landing point at a place."""
        return LandingPoint(
            landing_point_id=f"point-{number}",
            name=f"point {number}",
            name_zh=f"投放点{number}",
            position=self.point(place),
            ground_amsl_m=GROUND_M,
            position_quality=PositionQuality.SURVEYED,
            delivery_methods=(DeliveryMethod.WINCH,),
            surface=Surface.GRASS,
            clear_radius_m=10.0,
            slope_deg=1.0,
            obstacles="none",
            surveyed_on="2026-10-01",
            photo=None,
            emergency_landing=False,
            hours=ALWAYS,
            walk=WALK,
            alternates=(),
        )

    def site(self, stations: tuple[Station, ...], points: tuple[LandingPoint, ...]) -> Site:
        """A site of these, one drone at each station, and all refuges."""
        drones = tuple(
            Drone(
                drone_id=f"drone-{number}",
                station_id=station.station_id,
                airframe_id=self.airframe.airframe_id,
                system_id=number % 254 + 1,
                link=f"udpout:127.0.0.1:{14550 + number}",
            )
            for number, station in enumerate(stations[:254])
        )
        return Site(
            site_id="bench",
            name="bench",
            name_zh="基准",
            timezone="Asia/Shanghai",
            stations=stations,
            drones=drones,
            landing_points=points,
            emergency_sites=self.refuges,
        )


def best_ms(
    call: Callable[[], object], rounds: int = ROUNDS, clock: Callable[[], float] = time.perf_counter
) -> float:
    """The fastest of some runs, milliseconds."""
    times = []
    for _ in range(rounds):
        began = clock()
        call()
        times.append(clock() - began)
    return 1e3 * min(times)


def plan_questions(city: City, count: int) -> tuple[Site, list[FlightTask]]:
    """Tasks 2–15 km long, and the one site that they belong to."""
    rng = np.random.default_rng(777_000)
    pairs = city.pairs(rng, count)
    stations = tuple(city.station(number, start) for number, (start, _) in enumerate(pairs))
    points = tuple(city.landing_point(number, goal) for number, (_, goal) in enumerate(pairs))
    tasks = [
        FlightTask(
            drone_id=f"drone-{number}",
            station=station,
            landing_point=point,
            airframe=city.airframe,
            method=DeliveryMethod.WINCH,
            wind=WIND,
            charge_fraction=1.0,
            carry_s=60.0,
        )
        for number, (station, point) in enumerate(zip(stations, points, strict=True))
    ]
    return city.site(stations, points), tasks


def _plans(report: Report, city: City) -> None:
    ids = IdSource(FixedClock(), seed=1)  # type: ignore[arg-type]
    site, tasks = plan_questions(city, PLANS)
    warm_up(city.airspace, [city.airframe], at=NOW, site=site)

    def ask(task: FlightTask) -> FlightPlan | NoPlan:
        return plan_flight(task, site=site, airspace=city.airspace, ids=ids, at=NOW)

    answers: list[FlightPlan | NoPlan] = []
    first_ms = [best_ms(lambda task=task: answers.append(ask(task)), 1) for task in tasks]  # type: ignore[misc]
    times = np.array([best_ms(partial(ask, task)) for task in tasks])
    cpu = np.array([best_ms(partial(ask, task), clock=time.thread_time) for task in tasks])
    made = np.array([isinstance(answer, FlightPlan) for answer in answers])
    why = Counter(
        reason.code for answer in answers if isinstance(answer, NoPlan) for reason in answer.reasons
    )
    refused = ", ".join(f"{code} {count}" for code, count in why.most_common()) or "none refused"
    note = (
        f"best of {ROUNDS}; 2-15 km, wind 6 m/s, {REFUGES} refuges; refused {int((~made).sum())}: {refused}"
    )
    report.add("planner.plan_1000.p50_ms", float(np.percentile(times, 50)), "ms", len(times), note)
    report.add("planner.plan_1000.p99_ms", float(np.percentile(times, 99)), "ms", len(times), "")
    shared = "the same by CPU time, where other processes share the core"
    report.add("planner.plan_1000.cpu_p50_ms", float(np.percentile(cpu, 50)), "ms", len(cpu), shared)
    report.add("planner.plan_1000.cpu_p99_ms", float(np.percentile(cpu, 99)), "ms", len(cpu), "")
    report.add("planner.plan_1000.first_ms", first_ms[0], "ms", 1, "the first plan after warm-up")
    report.add(
        "planner.plan_1000.once_p50_ms", float(np.percentile(first_ms, 50)), "ms", len(first_ms),
        "each question asked for the first time, once",
    )  # fmt: skip


def _choices(report: Report, city: City) -> None:
    """20 stations × 150 landing points in the middle 12 × 12 km, among 1,000 active intents."""
    ids = IdSource(FixedClock(), seed=2)  # type: ignore[arg-type]
    rng = np.random.default_rng(20_150)
    clear_m = corridor_of(city.airframe).half_width_m + 2.0

    def central(count: int, clearance_m: float) -> list[np.ndarray]:
        found: list[np.ndarray] = []
        while len(found) < count:
            places = city.free_places(rng, count, clearance_m)
            found += [place for place in places if np.abs(place - city.middle).max() <= 6000.0]
        return found[:count]

    stations = tuple(city.station(n, place) for n, place in enumerate(central(STATIONS, clear_m)))
    points = tuple(city.landing_point(n, place) for n, place in enumerate(central(POINTS, clear_m)))
    site = city.site(stations, points)
    warm_up(city.airspace, [city.airframe], at=NOW, site=site)
    states = [
        DroneState(drone=drone, ready=True, not_ready_reasons=(), charge_fraction=1.0, wind=WIND)
        for drone in site.drones
    ]
    traffic = Traffic(intents=_traffic(city), owner="bench", geoid_undulation_m=-3.0)
    patients = [city.point(place) for place in central(CHOICES, 0.0)]

    def ask(patient: Wgs84Point) -> Decision:
        return choose(
            DispatchRequest(patient=patient, severity=Severity.I, floor_of_building=8, at=NOW),
            site=site,
            drone_states=states,
            airspace=city.airspace,
            airframes={city.airframe.airframe_id: city.airframe},
            ids=ids,
            clock=FixedClock(),  # type: ignore[arg-type]
            traffic=traffic,
        )

    decisions = [ask(patient) for patient in patients]
    times = np.array([best_ms(partial(ask, patient), 3) for patient in patients])
    served = sum(decision.accepted is not None for decision in decisions)
    note = (
        f"{STATIONS} stations x {POINTS} points, every combination with its verdict, energy, contingency, "
        f"{len(traffic.intents)} active intents; {served} of {len(patients)} served"
    )
    report.add("planner.choice.p50_ms", float(np.percentile(times, 50)), "ms", len(times), note)
    report.add("planner.choice.p99_ms", float(np.percentile(times, 99)), "ms", len(times), "best of 3")


def _traffic(city: City) -> IntentIndex:
    """1,000 plans made in an empty sky over the city, within ten minutes, as active intents."""
    rng = np.random.default_rng(1_000)
    sky = Airspace([], version="empty", origin=ORIGIN)
    ids = IdSource(FixedClock(), seed=3)  # type: ignore[arg-type]
    intents: list[OperationalIntent] = []
    while len(intents) < INTENTS:
        start, goal = rng.uniform((500.0, 500.0), (WIDTH_M - 500.0, HEIGHT_M - 500.0), (2, 2))
        if not 1000.0 <= float(np.hypot(*(goal - start))) <= 8000.0:
            continue
        station, point = city.station(0, start), city.landing_point(0, goal)
        task = FlightTask(
            drone_id="other",
            station=station,
            landing_point=point,
            airframe=city.airframe,
            method=DeliveryMethod.WINCH,
            wind=WIND,
            charge_fraction=1.0,
            carry_s=0.0,
        )
        at = NOW + timedelta(seconds=float(rng.uniform(0, 600)))
        plan = plan_flight(task, site=city.site((station,), (point,)), airspace=sky, ids=ids, at=at)
        if isinstance(plan, FlightPlan):
            intents.append(intent_of_plan(plan, owner="other", priority=0, geoid_undulation_m=-3.0))
    return IntentIndex(intents, origin=ORIGIN)
