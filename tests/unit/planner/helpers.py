"""Small worlds for planner tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from core.geodesy import LocalFrame, Wgs84Point
from core.ids import IdSource
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
from planner.airframe import Airframe, load_airframes
from planner.flight_plan import DeliveryMethod, FlightPlan
from planner.planning import plan_flight
from planner.policy import DEFAULT_POLICY, PlanningPolicy
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
from planner.wind import Wind

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
ORIGIN = Wgs84Point(22.57, 113.88)
FRAME = LocalFrame(ORIGIN)
HEX10 = load_airframes()["hex10"]
ALWAYS = (UsableHours(days=(1, 2, 3, 4, 5, 6, 7), start="00:00", end="24:00"),)


class FixedClock:
    """A clock that stands."""

    def __init__(self, at: datetime = NOW) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def monotonic_s(self) -> float:
        return 0.0


def ids() -> IdSource:
    return IdSource(FixedClock(), seed=7)  # type: ignore[arg-type]


def at_m(east_m: float, north_m: float) -> Wgs84Point:
    """A point by metres from the origin, through the frame under test nowhere else."""
    lon, lat = FRAME.unproject([(east_m, north_m)])[0]
    return Wgs84Point(float(lat), float(lon))


def box_zone(
    zone_id: str,
    west_m: float,
    south_m: float,
    east_m: float,
    north_m: float,
    *,
    restriction: Restriction = Restriction.PROHIBITED,
    floor: VerticalLimit = GROUND,
    ceiling: VerticalLimit = UNLIMITED,
    **more: object,
) -> Zone:
    corners = ((west_m, south_m), (east_m, south_m), (east_m, north_m), (west_m, north_m))
    area = PolygonArea(tuple(at_m(x, y) for x, y in corners))
    return Zone(
        zone_id=zone_id,
        name=f"zone {zone_id}",
        restriction=restriction,
        volumes=(Volume(area, floor, ceiling),),
        **more,  # type: ignore[arg-type]
    )


def circle_zone(zone_id: str, east_m: float, north_m: float, radius_m: float) -> Zone:
    area = CircleArea(at_m(east_m, north_m), radius_m)
    return Zone(
        zone_id=zone_id,
        name=f"zone {zone_id}",
        restriction=Restriction.PROHIBITED,
        volumes=(Volume(area, GROUND, UNLIMITED),),
    )


def airspace(*zones: Zone, **more: object) -> Airspace:
    return Airspace(zones, version="test-1", origin=ORIGIN, **more)  # type: ignore[arg-type]


def station(station_id: str, east_m: float, north_m: float, ground_amsl_m: float = 5.0) -> Station:
    return Station(
        station_id=station_id,
        name=f"station {station_id}",
        name_zh=f"站点{station_id}",
        position=at_m(east_m, north_m),
        ground_amsl_m=ground_amsl_m,
        position_quality=PositionQuality.SURVEYED,
    )


def landing_point(point_id: str, east_m: float, north_m: float, **changes: object) -> LandingPoint:
    point = LandingPoint(
        landing_point_id=point_id,
        name=f"point {point_id}",
        name_zh=f"投放点{point_id}",
        position=at_m(east_m, north_m),
        ground_amsl_m=5.0,
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
        walk=Walk(detour_factor=1.3, exit_s=10.0, description="path", description_zh="小路"),
        alternates=(),
    )
    return replace(point, **changes)  # type: ignore[arg-type]


def refuge(site_id: str, east_m: float, north_m: float) -> EmergencySite:
    return EmergencySite(
        emergency_site_id=site_id,
        name=site_id,
        name_zh=site_id,
        position=at_m(east_m, north_m),
        ground_amsl_m=5.0,
        position_quality=PositionQuality.SURVEYED,
    )


def drone(drone_id: str, station_id: str, system_id: int) -> Drone:
    return Drone(
        drone_id=drone_id,
        station_id=station_id,
        airframe_id="hex10",
        system_id=system_id,
        link=f"udpout:127.0.0.1:{14550 + system_id}",
    )


def site(
    stations: tuple[Station, ...],
    points: tuple[LandingPoint, ...],
    refuges: tuple[EmergencySite, ...] = (),
) -> Site:
    return Site(
        site_id="test",
        name="test",
        name_zh="测试",
        timezone="Asia/Shanghai",
        stations=stations,
        drones=tuple(drone(f"d{i}", s.station_id, i) for i, s in enumerate(stations, start=1)),
        landing_points=points,
        emergency_sites=refuges,
    )


def calm() -> Wind:
    return Wind(from_deg=0.0, speed_m_s=0.0, measured_at=NOW)


def wind(from_deg: float, speed_m_s: float) -> Wind:
    return Wind(from_deg=from_deg, speed_m_s=speed_m_s, measured_at=NOW)


def fly(
    sky: Airspace,
    start: Station,
    point: LandingPoint,
    *,
    blowing: Wind | None = None,
    refuges: tuple[EmergencySite, ...] = (),
    charge_fraction: float = 1.0,
    airframe: Airframe = HEX10,
    policy: PlanningPolicy = DEFAULT_POLICY,
    at: datetime = NOW,
    extra_obstacles: tuple = (),  # type: ignore[type-arg]
) -> FlightPlan | NoPlan:
    return plan_flight(
        FlightTask(
            drone_id="d1",
            station=start,
            landing_point=point,
            airframe=airframe,
            method=point.delivery_methods[0],
            wind=blowing or calm(),
            charge_fraction=charge_fraction,
            carry_s=60.0,
        ),
        site=site((start,), (point,), refuges),
        airspace=sky,
        ids=ids(),
        at=at,
        policy=policy,
        extra_obstacles=extra_obstacles,
    )


def planned(*args: object, **more: object) -> FlightPlan:
    found = fly(*args, **more)  # type: ignore[arg-type]
    assert isinstance(found, FlightPlan), found
    return found


def codes(found: FlightPlan | NoPlan) -> set[str]:
    assert isinstance(found, NoPlan), "a plan was found"
    return {reason.code for reason in found.reasons}
