"""Two other landing points that the accepted flight can still reach, proved and in the mission."""

from __future__ import annotations

import dataclasses
import itertools
import math
from pathlib import Path

import numpy as np
import pytest
import shapely
from pydantic import TypeAdapter

from planner.airframe import load_airframes
from planner.choice import Decision, DispatchRequest, DroneState, Severity, choose
from planner.compile import mavlink_numbers as mav
from planner.compile.mavlink import compile_mission
from planner.export.geojson import to_geojson
from planner.export.kml import to_kml
from planner.export.png import draw_map
from planner.flight_plan import DeliveryMethod, FlightPlan, Leg, LegKind
from planner.site import PositionQuality
from tests.unit.planner.helpers import (
    FRAME,
    HEX10,
    NOW,
    FixedClock,
    airspace,
    at_m,
    box_zone,
    calm,
    fly,
    ids,
    landing_point,
    refuge,
    site,
    station,
    wind,
)

HALF_WIDTH_M, GEOGRAPHY_M = 61.12, 12.0
FIRST = landing_point("first", 2000, 0)
NEAR = landing_point("near", 2300, 200)
FURTHER = landing_point("further", 2000, -700)
FAR = landing_point("far", 2600, 900)
WALL = box_zone("wall", 1980, -400, 2040, -330)
PLACES = site(
    (station("s", 0, 0),),
    (FIRST, NEAR, FURTHER, FAR),
    (refuge("e1", 1000, 50), refuge("e2", 2050, -150), refuge("e3", 2400, 400), refuge("e4", 1950, -800)),
)


def decide(places=PLACES, zones=(WALL,), *, charge=1.0, blowing=None) -> Decision:  # type: ignore[no-untyped-def]
    return choose(
        DispatchRequest(patient=at_m(2000, 60), severity=Severity.I, floor_of_building=1, at=NOW),
        site=places,
        drone_states=[
            DroneState(
                drone=places.drones[0],
                ready=True,
                not_ready_reasons=(),
                charge_fraction=charge,
                wind=blowing or calm(),
            )
        ],
        airspace=airspace(*zones),
        airframes=load_airframes(),
        ids=ids(),
        clock=FixedClock(),  # type: ignore[arg-type]
    )


@pytest.fixture(scope="module")
def plan() -> FlightPlan:
    accepted = decide().accepted
    assert accepted is not None
    return accepted


def line(leg: Leg) -> shapely.LineString:
    points = [(p.position.longitude_deg, p.position.latitude_deg) for p in (leg.start, leg.end)]
    return shapely.LineString(FRAME.project(points))


def test_the_two_next_best_are_there_fastest_first(plan: FlightPlan) -> None:
    assert plan.landing_point_id == "first"
    assert [alternate.landing_point_id for alternate in plan.alternates] == ["near", "further"]
    times = [alternate.time_to_patient_s for alternate in plan.alternates]
    assert times == sorted(times)
    assert times[0] > plan.timing.time_to_patient_s


def test_their_ways_join_and_keep_clear(plan: FlightPlan) -> None:
    wall = shapely.box(1980, -400, 2040, -330)
    for alternate in plan.alternates:
        assert alternate.transfer[0].start == plan.delivery
        assert alternate.transfer[-1].end == alternate.inbound[0].start == alternate.delivery
        assert alternate.inbound[-1].end == plan.home
        for before, after in itertools.pairwise((*alternate.transfer, *alternate.inbound)):
            assert before.end == after.start
        for leg in (*alternate.transfer, *alternate.inbound):
            if leg.kind is LegKind.CRUISE:
                assert line(leg).distance(wall) >= HALF_WIDTH_M - 0.05


def test_fence_and_rally_points_serve_them(plan: FlightPlan) -> None:
    fence = shapely.Polygon(
        FRAME.project([(p.longitude_deg, p.latitude_deg) for p in plan.autopilot_fence.inclusion]),
        [
            FRAME.project([(p.longitude_deg, p.latitude_deg) for p in ring])
            for ring in plan.autopilot_fence.exclusions
        ],
    )
    wall = shapely.box(1980, -400, 2040, -330)
    rally = FRAME.project([(p.position.longitude_deg, p.position.latitude_deg) for p in plan.rally_points])
    assert not fence.intersects(wall)
    for name, chain in plan.sections().items():
        for index, leg in enumerate(chain):
            if leg.kind is not LegKind.CRUISE:
                continue
            assert fence.covers(line(leg).buffer(GEOGRAPHY_M - 0.1)), (name, index)
            for share in np.linspace(0.0, 1.0, 9):
                here = line(leg).interpolate(share, normalized=True)
                nearest = min(rally, key=lambda xy: math.dist(xy, (here.x, here.y)))
                back = shapely.LineString([(here.x, here.y), nearest])
                assert back.distance(wall) >= GEOGRAPHY_M
                assert fence.covers(back)
    legs = {(entry.section, entry.leg_index) for entry in plan.contingencies}
    expected = {
        (name, index)
        for name, chain in plan.sections().items()
        if name != "retrace"
        for index in range(1, len(chain) - 1)
    }
    assert legs == expected
    assert all(entry.rally_indices for entry in plan.contingencies)


def test_figures_are_sums_of_the_legs(plan: FlightPlan) -> None:
    for alternate, point in zip(plan.alternates, (NEAR, FURTHER), strict=True):
        flown = sum(leg.duration_s for leg in alternate.transfer)
        assert alternate.extra_s == pytest.approx(flown + 11.0)
        arrival_s = plan.timing.time_to_aed_on_ground_s - plan.timing.lower_s
        assert alternate.time_to_patient_s == pytest.approx(arrival_s + alternate.extra_s + alternate.carry_s)
        walk_m = math.dist(
            FRAME.project([(point.position.longitude_deg, point.position.latitude_deg)])[0], (2000, 60)
        )
        assert alternate.carry_s == pytest.approx(10.0 + 1.3 * walk_m / 1.8, rel=1e-3)
        spent = sum(leg.energy_wh for leg in (*alternate.transfer, *alternate.inbound))
        # 1231 W of hover at 10 kg for 90 s, as the airframe's file says.
        assert alternate.energy_wh - spent == pytest.approx(1231.0 * 90.0 / 3600.0, rel=0.02)
        whole = plan.energy.outbound_wh + plan.energy.hover_wh + alternate.energy_wh
        assert whole * 1.16 + plan.energy.reserve_wh <= plan.energy.usable_wh + 1e-6


def test_they_are_sections_of_the_mission(plan: FlightPlan) -> None:
    mission = compile_mission(plan)
    assert len(mission.indices.alternates) == 2
    for number, (alternate, where) in enumerate(
        zip(plan.alternates, mission.indices.alternates, strict=True), start=1
    ):
        assert where.landing_point_id == alternate.landing_point_id
        items = mission.items
        up, hover, land = items[where.transfer_first], items[where.delivery_hover], items[where.land]
        assert (up.latitude_deg, up.longitude_deg) == pytest.approx(
            (plan.delivery.position.latitude_deg, plan.delivery.position.longitude_deg), abs=1e-7
        )
        assert up.command == mav.NAV_WAYPOINT
        assert hover.command == mav.NAV_LOITER_TIME
        assert hover.param1 == alternate.hover_budget_s
        assert hover.height_m == pytest.approx(15.0, abs=0.01)
        assert land.command == mav.NAV_LAND
        assert items[where.winch_retract].command == mav.DO_WINCH
        assert where.transfer_first < where.delivery_hover < where.inbound_first < where.land
        assert mission.return_entry[where.delivery_hover] == where.inbound_first
        assert mission.return_entry[where.transfer_first] == where.transfer_first
        named = [leg for leg in mission.item_legs if leg is not None and leg.section == f"transfer-{number}"]
        assert [leg.index for leg in named] == list(range(len(alternate.transfer)))
    # Nothing leads into an alternate by itself: what stands before it is a landing.
    assert mission.items[mission.indices.alternates[0].transfer_first - 1].command == mav.NAV_LAND


def test_in_wind_speeds_are_said_before_their_legs() -> None:
    accepted = decide(blowing=wind(200, 7)).accepted
    assert accepted is not None
    assert accepted.alternates
    mission = compile_mission(accepted)
    for seq, leg in enumerate(mission.item_legs):
        if leg is None or accepted.section(leg.section)[leg.index].kind is not LegKind.CRUISE:
            continue
        before = mission.items[seq - 1]
        assert before.command == mav.DO_CHANGE_SPEED
        planned_m_s = accepted.section(leg.section)[leg.index].ground_speed_m_s
        assert before.param2 == pytest.approx(planned_m_s, abs=0.006)


def test_a_battery_for_the_flight_alone_offers_none(plan: FlightPlan) -> None:
    need = plan.energy.total_wh + plan.energy.uncertainty_wh + plan.energy.reserve_wh
    charge = (need + 1.0) / HEX10.battery_wh + (1.0 - HEX10.usable_fraction)
    accepted = decide(charge=charge).accepted
    assert accepted is not None
    assert accepted.landing_point_id == "first"
    assert accepted.alternates == ()


def test_what_lies_in_a_zone_is_no_alternate() -> None:
    accepted = decide(zones=(WALL, box_zone("yard", 2250, 170, 2500, 400))).accepted
    assert accepted is not None
    assert [alternate.landing_point_id for alternate in accepted.alternates] == ["further", "far"]


def test_positions_that_nobody_surveyed_are_said() -> None:
    near = landing_point("near", 2300, 200, position_quality=PositionQuality.APPROXIMATE)
    places = site(PLACES.stations, (FIRST, near), PLACES.emergency_sites)
    accepted = decide(places).accepted
    assert accepted is not None
    assert any("point near is approximate" in condition for condition in accepted.conditions)


def test_alternates_cross_the_bus_as_json(plan: FlightPlan) -> None:
    adapter = TypeAdapter(FlightPlan)
    assert adapter.validate_json(adapter.dump_json(plan)) == plan


def test_nothing_stands_behind_a_landing_that_does_not_end_the_mission(plan: FlightPlan) -> None:
    """PX4 stays armed after a landing in the middle of a mission, and its next waypoint takes off again."""
    gripped = dataclasses.replace(plan, delivery_method=DeliveryMethod.GRIPPER_LOW, airframe_id="quad8_px4")
    mission = compile_mission(gripped, autopilot="px4")
    assert mission.indices.alternates == ()
    assert [item.command for item in mission.items].count(mav.NAV_LAND) == 1
    assert mission.items[-1].command == mav.NAV_LAND


def test_px4_gets_one_way_home_in_any_wind() -> None:
    quad = load_airframes()["quad8_px4"]
    assert quad.autopilot == "px4"
    point = landing_point("p", 2000, 0, delivery_methods=(DeliveryMethod.GRIPPER_LOW,))
    around = tuple(
        box_zone(f"b{i}", 500 + 400 * i, -300 + 200 * i, 700 + 400 * i, 100 + 200 * i) for i in range(2)
    )
    refuges = (refuge("r1", 400, -100), refuge("r2", 1600, -150), refuge("r3", 1000, -500))
    found = fly(
        airspace(*around), station("s", 0, 0), point, blowing=wind(180, 7), airframe=quad, refuges=refuges
    )
    assert isinstance(found, FlightPlan), found
    assert found.retrace == ()


def test_maps_show_alternates(plan: FlightPlan, tmp_path: Path) -> None:
    features = to_geojson(plan)["features"]
    kinds = [feature["properties"]["kind"] for feature in features]
    assert {"transfer-1", "home-1", "transfer-2", "home-2"} <= set(kinds)
    places = [f["properties"]["landing_point_id"] for f in features if f["properties"]["kind"] == "alternate"]
    assert places == ["near", "further"]
    assert "alternate near" in to_kml(plan)
    picture = tmp_path / "plan.png"
    draw_map(picture, airspace(WALL), plan=plan)
    assert picture.read_bytes().startswith(b"\x89PNG")
