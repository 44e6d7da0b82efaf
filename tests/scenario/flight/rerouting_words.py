"""The place in which ways are closed and patients move, and what the plays of it ask."""

from typing import Any

import shapely

from core.geodesy import Wgs84Point
from core.ids import IdSource
from flight.messages import (
    SafetyActionTaken,
)
from flight.model.faults import Fault
from flight.model.phases import Phase
from flight.replanner import SiteReplanner
from geofences.airspace import Airspace
from geofences.model import Zone
from planner.flight_plan import FlightPlan
from planner.replan import Airborne, replan_flight
from planner.site import Site
from planner.task import FlightTask
from tests.scenario.flight.stage import Stage
from tests.scenario.flight.test_abort_and_steering import take_off_to
from tests.unit.planner.helpers import (
    HEX10,
    airspace,
    box_zone,
    calm,
    ids,
    landing_point,
    planned,
    refuge,
    site,
    station,
)

HOME = station("home", 0.0, 0.0)
PARK = landing_point("park", 900.0, 0.0)
SCHOOL = landing_point("school", 600.0, 400.0)
FIELDS = (refuge("field", 300.0, 200.0), refuge("yard", 600.0, -250.0))
PLACE = site((HOME,), (PARK, SCHOOL), FIELDS)
AHEAD = box_zone("pop-up", 550.0, -80.0, 650.0, 60.0)
WALL = box_zone("wall", 600.0, -15000.0, 650.0, 15000.0)


def plan() -> FlightPlan:
    return planned(airspace(), HOME, PARK, refuges=FIELDS)


def with_planner(sky: Airspace | None = None, place: Site = PLACE) -> dict[str, Any]:
    """An agent that can plan for itself: its hub may be dead."""
    open_sky = sky or airspace()
    return {
        "airspace": lambda: open_sky,
        "replanner": SiteReplanner(place, lambda: open_sky, ids()),
    }


def zone_shape(zone: Zone) -> shapely.Polygon:
    (volume,) = zone.volumes
    return shapely.Polygon([(p.longitude_deg, p.latitude_deg) for p in volume.area.exterior])


def never_in(stage: Stage, zone: Zone, since: int = 0) -> None:
    """By the simulator's true positions."""
    shape = zone_shape(zone)
    shapely.prepare(shape)
    inside = [place for place in stage.track[since:] if shape.contains(shapely.Point(place[0], place[1]))]
    assert not inside, f"{len(inside)} positions inside {zone.zone_id}"


def faults(stage: Stage) -> set[Fault]:
    return {event.fault for event in stage.of(SafetyActionTaken)}


async def out_to(stage: Stage, metres: float) -> None:
    await take_off_to(stage, Phase.OUTBOUND)
    await stage.until(lambda: stage.metres_from_pad() > metres)


def new_plan(stage: Stage, point: Any, *, at: Wgs84Point | None = None) -> FlightPlan:
    """What the hub's planner answers for a vehicle that holds."""
    view = stage.agent.link.view  # type: ignore[union-attr]
    here = Airborne(
        position=at or view.position,
        altitude_amsl_m=stage.plan.home.altitude_amsl_m + view.height_above_home_m,
        charge_fraction=view.charge_fraction,
    )
    task = FlightTask(
        drone_id="d1",
        station=HOME,
        landing_point=point,
        airframe=HEX10,
        method=stage.plan.delivery_method,
        wind=calm(),
        charge_fraction=1.0,
        carry_s=0.0,
    )
    found = replan_flight(
        here,
        task,
        deliver=True,
        site=PLACE,
        airspace=airspace(),
        ids=IdSource(stage.clock, seed=9),
        at=stage.clock.now(),
    )
    assert isinstance(found, FlightPlan), found
    return found
