"""Do at start-up what the first question would otherwise wait for: index the airspace, load the kernels."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache

from core.geodesy import LocalFrame, Wgs84Point
from core.ids import IdKind, IdSource
from geofences.airspace import Airspace
from geofences.model import GROUND, UNLIMITED, PolygonArea, Restriction, TimeWindow, Volume, Zone
from planner.airframe import Airframe
from planner.corridor import corridor_of
from planner.fence import warm_up as warm_up_fences
from planner.flight_plan import FlightPlan
from planner.height_profile import warm_up as warm_up_heights
from planner.planning import plan_flight
from planner.policy import DEFAULT_POLICY, PlanningPolicy
from planner.rally import refuges_of
from planner.search.warm import warm_up as warm_up_search
from planner.site import (
    EmergencySite,
    LandingPoint,
    PositionQuality,
    Site,
    Station,
    Surface,
    UsableHours,
    Walk,
)
from planner.space import space_for
from planner.task import FlightTask, NoPlan
from planner.verify_shapes import shapes_of
from planner.wind import Wind

XY = tuple[float, float]

_NOWHERE = LocalFrame(Wgs84Point(0.0, 0.0))
"""Where rehearsals are flown: at sea, south of Ghana."""

_NOON = datetime(2000, 1, 1, 12, tzinfo=UTC)


def warm_up(
    airspace: Airspace,
    airframes: Iterable[Airframe],
    *,
    at: datetime | None = None,
    site: Site | None = None,
    policy: PlanningPolicy = DEFAULT_POLICY,
) -> None:
    """Prepare ``airspace`` for ``airframes``, and plan a flight each elsewhere, which runs every kernel.

    The operating areas that hold ``at`` that time (default: now by the computer's clock) and the refuges of
    ``site`` are indexed too; an area that opens later, or a site not named here, is at its first question. A
    snapshot that replaces another (``with_zone``) is worth warming up as well, before it goes into use.
    """
    _load_kernels()
    window = TimeWindow.at(datetime.now(UTC) if at is None else at)
    shapes_of(airspace)
    ground_amsl_m = airspace.terrain.ground_amsl_m(airspace.frame.origin)
    for airframe in airframes:
        _rehearse_once(airframe)
        space = space_for(airspace, corridor_of(airframe))
        warm_up_fences(space)
        if site is not None:
            refuges_of(site, space)
        moment = space.moment(window)
        height_m = policy.minimum_agl_m
        while height_m <= policy.maximum_agl_m:
            keep_in = moment.keep_in(ground_amsl_m + height_m)
            if keep_in is None or not keep_in.area.is_empty:
                space.world(keep_in)
                space.sweep(keep_in)
            height_m += policy.height_step_m


@cache
def _load_kernels() -> None:
    """Once a process: what is loaded stays loaded, however many hubs start in it."""
    warm_up_search()
    warm_up_heights()


@cache
def _rehearse_once(airframe: Airframe) -> None:
    rehearse(airframe)


def rehearse(airframe: Airframe) -> FlightPlan | NoPlan:
    """A plan that nobody flies: round a zone, within an operating area, in wind, with places to land."""
    zones = (
        _zone("area", Restriction.KEEP_IN, (-1000.0, -1000.0, 2200.0, 1000.0)),
        _zone("wall", Restriction.PROHIBITED, (500.0, -400.0, 600.0, 200.0)),
        _zone("yard", Restriction.PROHIBITED, (800.0, -300.0, 900.0, 100.0)),
    )
    sky = Airspace(zones, version="rehearsal", origin=Wgs84Point(0.0, 0.0))
    method = airframe.deliveries[0].method
    station = Station(
        station_id="rehearsal",
        name="rehearsal",
        name_zh="演练",
        position=_at(0.0, 0.0),
        ground_amsl_m=0.0,
        position_quality=PositionQuality.SURVEYED,
    )
    point = LandingPoint(
        landing_point_id="rehearsal",
        name="rehearsal",
        name_zh="演练",
        position=_at(1400.0, 0.0),
        ground_amsl_m=0.0,
        position_quality=PositionQuality.SURVEYED,
        delivery_methods=(method,),
        surface=Surface.GRASS,
        clear_radius_m=20.0,
        slope_deg=0.0,
        obstacles="none",
        surveyed_on="2000-01-01",
        photo=None,
        emergency_landing=True,
        hours=(UsableHours(days=(1, 2, 3, 4, 5, 6, 7), start="00:00", end="24:00"),),
        walk=Walk(detour_factor=1.3, exit_s=0.0, description="none", description_zh="无"),
        alternates=(),
    )
    refuges = tuple(
        EmergencySite(
            emergency_site_id=name,
            name=name,
            name_zh=name,
            position=_at(*xy),
            ground_amsl_m=0.0,
            position_quality=PositionQuality.SURVEYED,
        )
        for name, xy in (("a", (500.0, 400.0)), ("b", (850.0, 350.0)), ("c", (250.0, 200.0)))
    )
    task = FlightTask(
        drone_id="rehearsal",
        station=station,
        landing_point=point,
        airframe=airframe,
        method=method,
        wind=Wind(from_deg=200.0, speed_m_s=min(3.0, 0.2 * airframe.cruise_airspeed_m_s), measured_at=_NOON),
        charge_fraction=1.0,
        carry_s=0.0,
    )
    site = Site(
        site_id="rehearsal",
        name="rehearsal",
        name_zh="演练",
        timezone="UTC",
        stations=(station,),
        drones=(),
        landing_points=(point,),
        emergency_sites=refuges,
    )
    return plan_flight(task, site=site, airspace=sky, ids=_NoIds(), at=_NOON)


class _NoIds(IdSource):
    """Names for what nobody keeps."""

    def __init__(self) -> None:
        """Without a clock: every id is the same."""

    def new(self, kind: IdKind) -> str:
        return f"{kind}_rehearsal"


def _at(east_m: float, north_m: float) -> Wgs84Point:
    lon, lat = _NOWHERE.unproject([(east_m, north_m)])[0]
    return Wgs84Point(float(lat), float(lon))


def _zone(zone_id: str, restriction: Restriction, box_m: tuple[float, float, float, float]) -> Zone:
    west, south, east, north = box_m
    corners = ((west, south), (east, south), (east, north), (west, north))
    area = PolygonArea(tuple(_at(*corner) for corner in corners))
    return Zone(zone_id=zone_id, restriction=restriction, volumes=(Volume(area, GROUND, UNLIMITED),))
