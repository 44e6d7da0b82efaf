"""Plans that begin in the air: proved like the others, and flyable from where the vehicle stands."""

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest
import shapely

from core.errors import AirspaceError
from geofences.airspace import Airspace
from geofences.model import TimeWindow
from geofences.verdict import Allowed
from planner.airframe import load_airframes
from planner.compile import mavlink_numbers as mav
from planner.compile.mavlink import compile_mission
from planner.export.geojson import to_geojson
from planner.export.kml import to_kml
from planner.flight_plan import DeliveryMethod, FlightPlan, LegKind
from planner.intent_volumes import intent_of_plan
from planner.replan import Airborne, Refuge, replan_flight
from planner.task import FlightTask, NoPlan
from tests.unit.planner.helpers import (
    HEX10,
    NOW,
    airspace,
    at_m,
    box_zone,
    calm,
    ids,
    landing_point,
    refuge,
    site,
    station,
    wind,
)

HOME = station("home", 0.0, 0.0)
PARK = landing_point("park", 1500.0, 0.0)
SCHOOL = landing_point("school", 900.0, 700.0)
FIELDS = (refuge("field", 500.0, 200.0), refuge("yard", 1000.0, -300.0))
IN_THE_WAY = box_zone("new", 700.0, -120.0, 900.0, 150.0)


def standing(
    east_m: float = 400.0, north_m: float = 0.0, charge: float = 0.9, amsl_m: float = 65.0
) -> Airborne:
    return Airborne(position=at_m(east_m, north_m), altitude_amsl_m=amsl_m, charge_fraction=charge)


def again(
    sky: Airspace, here: Airborne, *, point=PARK, deliver: bool = True, blowing=None
) -> FlightPlan | NoPlan:
    task = FlightTask(
        drone_id="d1",
        station=HOME,
        landing_point=point,
        airframe=HEX10,
        method=DeliveryMethod.WINCH,
        wind=blowing or calm(),
        charge_fraction=1.0,
        carry_s=30.0,
    )
    place = site((HOME,), (PARK, SCHOOL), FIELDS)
    return replan_flight(here, task, deliver=deliver, site=place, airspace=sky, ids=ids(), at=NOW)


def legal(plan: FlightPlan, sky: Airspace) -> bool:
    """By the airspace's exact test and by plain distances to the zone's corners, not by the planner."""
    window = TimeWindow(NOW, NOW + timedelta(seconds=plan.timing.total_s))
    zones = [obstacle.polygon for obstacle in sky.obstacle_polygons]
    for leg in (*plan.outbound, *plan.inbound, *plan.retrace):
        verdict = sky.check_segment(
            leg.start.position, leg.start.altitude_amsl_m, leg.end.position, leg.end.altitude_amsl_m, window
        )
        if not isinstance(verdict, Allowed):
            return False
        ends = [sky.frame.to_enu(point.position) for point in (leg.start, leg.end)]
        line = shapely.LineString([(end.east_m, end.north_m) for end in ends])
        if leg.kind is LegKind.CRUISE and any(
            line.distance(zone) < plan.corridor_half_width_m - 0.1 for zone in zones
        ):
            return False
    return True


@pytest.mark.parametrize("blowing", [None, wind(90.0, 6.0)])
def test_a_way_round_a_zone_that_was_just_closed(blowing: object) -> None:
    sky = airspace(IN_THE_WAY)
    plan = again(sky, standing(), blowing=blowing)
    assert isinstance(plan, FlightPlan), plan
    assert plan.start == standing().point
    assert plan.outbound[0].start == plan.start
    assert plan.outbound[-1].end == plan.delivery
    assert plan.inbound[-1].end == plan.home
    assert legal(plan, sky)
    assert len(plan.outbound) > 3, "it bends"
    assert plan.energy.total_wh + plan.energy.uncertainty_wh + plan.energy.reserve_wh <= plan.energy.usable_wh


def test_turning_back_is_legal_from_every_leg_and_ends_on_the_pad() -> None:
    sky = airspace(IN_THE_WAY)
    plan = again(sky, standing())
    assert isinstance(plan, FlightPlan)
    # The first legs of the retrace are the way out backwards, leg by leg.
    ways_out = list(plan.outbound[1:-1])
    for back, out in zip(plan.retrace[1 : 1 + len(ways_out)], reversed(ways_out), strict=True):
        assert (back.start, back.end) == (out.end, out.start)
    assert plan.retrace[-1].end == plan.home
    mission = compile_mission(plan)
    for seq, leg in enumerate(mission.item_legs):
        if leg is None or leg.section != "outbound" or leg.index == len(plan.outbound) - 1:
            continue
        entry = mission.return_entry[seq]
        jumped = next(i for i in range(entry, len(mission.items)) if mission.item_legs[i] is not None)
        target = mission.item_legs[jumped]
        assert target is not None
        assert target.section == "retrace"
        if leg.index > 0:
            assert plan.retrace[target.index].end == plan.outbound[leg.index].start
        else:
            assert plan.retrace[target.index].start.position == plan.start.position


def test_an_autopilot_that_would_take_off_again_gets_one_landing() -> None:
    """PX4 flies on behind a landing in the middle of a mission."""
    quad = load_airframes()["quad8_px4"]
    point = landing_point("park", 1500.0, 0.0, delivery_methods=(DeliveryMethod.GRIPPER_LOW,))
    task = FlightTask(
        drone_id="d1",
        station=HOME,
        landing_point=point,
        airframe=quad,
        method=DeliveryMethod.GRIPPER_LOW,
        wind=wind(45.0, 5.0),
        charge_fraction=1.0,
        carry_s=0.0,
    )
    place = site((HOME,), (point,), FIELDS)
    sky = airspace(IN_THE_WAY)
    plan = replan_flight(
        standing(charge=1.0), task, deliver=True, site=place, airspace=sky, ids=ids(), at=NOW
    )
    assert isinstance(plan, FlightPlan), plan
    assert not plan.retrace
    mission = compile_mission(plan)
    lands = [item.seq for item in mission.items if item.command == mav.NAV_LAND]
    assert lands == [mission.items[-1].seq]
    for seq, leg in enumerate(mission.item_legs):
        if leg is not None and leg.section == "outbound" and 0 < leg.index < len(plan.outbound) - 1:
            jumped = next(n for n in mission.item_legs[mission.return_entry[seq] :] if n is not None)
            assert plan.inbound[jumped.index].end == plan.outbound[leg.index].start


def test_the_mission_of_a_vehicle_in_the_air_is_begun_after_its_take_off() -> None:
    plan = again(airspace(), standing())
    assert isinstance(plan, FlightPlan)
    mission = compile_mission(plan)
    assert mission.items[1].command == mav.NAV_TAKEOFF
    begin = mission.items[mission.indices.takeoff]
    assert begin.command == mav.NAV_WAYPOINT
    assert begin.latitude_deg == pytest.approx(plan.start.position.latitude_deg, abs=1e-7)
    assert not any(item.command == mav.NAV_TAKEOFF for item in mission.items[2:])


def test_another_landing_point() -> None:
    plan = again(airspace(), standing(), point=SCHOOL)
    assert isinstance(plan, FlightPlan)
    assert plan.landing_point_id == "school"
    assert plan.delivery.position == SCHOOL.position


def test_only_home() -> None:
    sky = airspace(box_zone("behind", 100.0, -80.0, 200.0, 80.0))
    plan = again(sky, standing(), deliver=False)
    assert isinstance(plan, FlightPlan)
    assert not plan.delivers
    assert plan.inbound[0].start == plan.start
    assert plan.inbound[-1].end == plan.home
    assert legal(plan, sky)
    mission = compile_mission(plan)
    assert mission.indices.delivery_hover is None
    assert mission.indices.takeoff == mission.indices.inbound_first
    assert mission.items[-1].command == mav.NAV_LAND
    assert not any(item.command == mav.NAV_LOITER_TIME for item in mission.items)


def test_what_is_declared_of_a_way_home_begins_in_the_air() -> None:
    plan = again(airspace(), standing(amsl_m=80.0), deliver=False)
    assert isinstance(plan, FlightPlan)
    intent = intent_of_plan(plan, owner="us", priority=400, geoid_undulation_m=0.0)
    first, *_, last = intent.volumes
    assert first.altitude_lower_m == pytest.approx(min(80.0, plan.inbound[0].end.altitude_amsl_m) - 10.0)
    assert last.altitude_lower_m == pytest.approx(HOME.ground_amsl_m - 10.0)
    assert first.time_start <= plan.created_at
    flown = plan.valid_until + timedelta(seconds=sum(leg.duration_s for leg in plan.inbound))
    assert last.time_end >= flown
    starts = [volume.time_start for volume in intent.volumes]
    assert starts == sorted(starts)


def test_a_way_home_alone_can_be_exported() -> None:
    plan = again(airspace(), standing(), deliver=False)
    assert isinstance(plan, FlightPlan)
    kinds = [feature["properties"]["kind"] for feature in to_geojson(plan)["features"]]
    assert "inbound" in kinds
    assert "outbound" not in kinds
    assert "<name>inbound</name>" in to_kml(plan).replace("ns0:", "").replace("kml:", "")


def test_from_a_hover_low_over_a_landing_point_it_climbs_first() -> None:
    plan = again(airspace(), standing(1500.0, 0.0, amsl_m=20.0), point=SCHOOL)
    assert isinstance(plan, FlightPlan)
    assert plan.outbound[0].end.altitude_amsl_m >= 65.0
    assert plan.autopilot_fence.ceiling_amsl_m >= plan.outbound[0].end.altitude_amsl_m


def test_the_fence_holds_the_vehicle_and_its_height() -> None:
    here = standing(amsl_m=100.0)
    plan = again(airspace(IN_THE_WAY), here)
    assert isinstance(plan, FlightPlan)
    assert plan.autopilot_fence.ceiling_amsl_m > 100.0
    ring = shapely.Polygon([(p.longitude_deg, p.latitude_deg) for p in plan.autopilot_fence.inclusion])
    assert ring.contains(shapely.Point(here.position.longitude_deg, here.position.latitude_deg))


def test_too_little_charge_is_a_reason() -> None:
    refused = again(airspace(), standing(charge=0.2))
    assert isinstance(refused, NoPlan)
    assert {reason.code for reason in refused.reasons} == {"not_enough_energy"}


def test_a_vehicle_at_the_edge_of_the_zone_gets_no_plan() -> None:
    refused = again(airspace(IN_THE_WAY), standing(680.0))
    assert isinstance(refused, NoPlan)
    assert refused.reasons


def test_a_sealed_way_names_the_zone() -> None:
    walls = [
        box_zone("w1", 600.0, -3000.0, 700.0, 3000.0),
        box_zone("w2", 600.0, 2900.0, 4000.0, 3000.0),
        box_zone("w3", 600.0, -3000.0, 4000.0, -2900.0),
        box_zone("w4", 3900.0, -3000.0, 4000.0, 3000.0),
    ]
    refused = again(airspace(*walls), standing())
    assert isinstance(refused, NoPlan)
    assert any("zone w" in reason.detail for reason in refused.reasons)


def test_the_chain_of_an_airborne_plan_is_checked() -> None:
    plan = again(airspace(), standing())
    assert isinstance(plan, FlightPlan)
    with pytest.raises(AirspaceError, match="two ends"):
        replace(plan, start=None)
    joints = itertools.pairwise(plan.outbound)
    assert all(before.end == after.start for before, after in joints)


def diverted(sky: Airspace, here: Airborne, *, charge: float = 0.9) -> FlightPlan | NoPlan:
    task = FlightTask(
        drone_id="d1",
        station=HOME,
        landing_point=PARK,
        airframe=HEX10,
        method=DeliveryMethod.WINCH,
        wind=calm(),
        charge_fraction=1.0,
        carry_s=30.0,
    )
    to = Refuge(name="North", name_zh="北站", position=NORTH.position, ground_amsl_m=NORTH.ground_amsl_m)
    place = site((HOME, NORTH), (PARK, SCHOOL), FIELDS)
    return replan_flight(
        replace(here, charge_fraction=charge),
        task,
        deliver=False,
        site=place,
        airspace=sky,
        ids=ids(),
        at=NOW,
        refuge=to,
    )


NORTH = station("north", 600.0, 800.0)


def test_a_diversion_lands_on_another_pad_round_whatever_is_closed() -> None:
    wall = box_zone("wall", 300.0, 300.0, 700.0, 400.0)
    sky = airspace(wall)
    plan = diverted(sky, standing())
    assert isinstance(plan, FlightPlan), plan
    assert not plan.delivers
    assert plan.home.position == HOME.position, "heights go on counting from where it took off"
    assert plan.lands_at == plan.landing == plan.inbound[-1].end
    assert plan.landing.position == NORTH.position
    assert plan.landing.altitude_amsl_m == NORTH.ground_amsl_m
    assert legal(plan, sky)
    assert len(plan.inbound) > 3, "it bends"
    mission = compile_mission(plan)
    land = mission.items[mission.indices.land]
    assert (land.latitude_deg, land.longitude_deg) == (
        round(NORTH.position.latitude_deg, 7),
        round(NORTH.position.longitude_deg, 7),
    )
    assert intent_of_plan(plan, owner="o", priority=1, geoid_undulation_m=0.0).volumes


def test_a_diversion_that_cannot_be_proved_says_why() -> None:
    around = box_zone("around", 500.0, 700.0, 700.0, 900.0)
    refused = diverted(airspace(around), standing())
    assert isinstance(refused, NoPlan)
    assert "North" in " ".join(reason.detail for reason in refused.reasons)
    empty = diverted(airspace(), standing(), charge=0.2)
    assert isinstance(empty, NoPlan)
    assert {reason.code for reason in empty.reasons} == {"not_enough_energy"}


def test_only_a_plan_that_begins_in_the_air_and_delivers_nothing_lands_elsewhere() -> None:
    plan = again(airspace(), standing())
    assert isinstance(plan, FlightPlan)
    with pytest.raises(AirspaceError, match="lands_at"):
        replace(plan, lands_at=plan.delivery)
