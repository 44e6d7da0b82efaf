"""Compiled missions: what is where, and that «return now» stays on planned legs from everywhere."""

from __future__ import annotations

import dataclasses
import math

import pytest

from core.errors import AirspaceError
from planner.airframe import Airframe, load_airframes
from planner.compile import mavlink_numbers as mav
from planner.compile.mavlink import compile_mission, compile_way_home
from planner.compile.mission_types import CompiledMission, MissionItem
from planner.flight_plan import DeliveryMethod, FlightPlan
from planner.policy import PlanningPolicy
from planner.wind import Wind
from tests.unit.planner.helpers import airspace, box_zone, landing_point, planned, refuge, station, wind

START, GOAL = station("a", 0, 0), landing_point("p", 3000, 0)
WALL = box_zone("wall", 1400, -800, 1600, 600)
REFUGES = (refuge("r1", 1000, 900), refuge("r2", 2000, 900))
NAV = {mav.NAV_WAYPOINT, mav.NAV_LOITER_TIME, mav.NAV_LAND, mav.NAV_TAKEOFF}


def calm_plan() -> FlightPlan:
    return planned(airspace(WALL), START, GOAL, refuges=REFUGES)


def windy_plan() -> FlightPlan:
    plan = planned(airspace(WALL), START, GOAL, refuges=REFUGES, blowing=wind(60, 9))
    assert plan.outbound[1].ground_speed_m_s != plan.inbound[1].ground_speed_m_s
    return plan


QUAD = load_airframes()["quad8_px4"]
LOW = landing_point("p", 3000, 0, delivery_methods=(DeliveryMethod.GRIPPER_LOW,))
TOUCHDOWN = landing_point("p", 3000, 0, delivery_methods=(DeliveryMethod.LAND,))


def px4_plan(**options: object) -> FlightPlan:
    return planned(airspace(WALL), START, LOW, refuges=REFUGES, airframe=QUAD, **options)


def with_retrace() -> FlightPlan:
    """A plan that flies home another way than it came, made by hand from two plans."""
    north = planned(airspace(WALL), START, GOAL, refuges=REFUGES)
    south_wall = box_zone("wall", 1400, -500, 1600, 900)
    south = planned(
        airspace(south_wall), START, GOAL, refuges=(refuge("r1", 1000, -800), refuge("r2", 2000, -800))
    )
    return dataclasses.replace(north, inbound=south.inbound, retrace=north.inbound)


def place(item: MissionItem) -> tuple[float, float, float]:
    return item.latitude_deg, item.longitude_deg, item.height_m


def flown_from(mission: CompiledMission, seq: int) -> list[MissionItem]:
    """The positions visited after a jump to ``seq`` until the vehicle lands."""
    visited = []
    for item in mission.items[seq:]:
        if item.command in NAV:
            visited.append(item)
        if item.command == mav.NAV_LAND:
            return visited
    raise AssertionError("the mission ends without landing")


@pytest.mark.parametrize("make", [calm_plan, windy_plan, with_retrace])
def test_layout(make: object) -> None:
    plan = make()  # type: ignore[operator]
    mission = compile_mission(plan)
    items, at = mission.items, mission.indices
    assert [item.seq for item in items] == list(range(len(items)))
    assert items[0].command == mav.NAV_WAYPOINT
    assert items[0].frame == mav.FRAME_GLOBAL_AMSL
    assert items[at.takeoff].command == mav.NAV_TAKEOFF
    assert at.takeoff == 1
    assert items[at.delivery_hover].command == mav.NAV_LOITER_TIME
    assert items[at.delivery_hover].param1 == plan.hover_budget_s
    assert items[at.delivery_hover].height_m == pytest.approx(15.0)
    assert at.winch_retract == at.delivery_hover + 1
    assert items[at.winch_retract].param3 == pytest.approx(-15.0)
    assert items[at.land].command == mav.NAV_LAND
    assert place(items[at.land])[:2] == pytest.approx(place(items[0])[:2])
    assert len(mission.return_entry) == len(mission.item_legs) == len(items)


@pytest.mark.parametrize("make", [calm_plan, windy_plan, with_retrace])
def test_every_item_ends_the_leg_it_names(make: object) -> None:
    plan = make()  # type: ignore[operator]
    mission = compile_mission(plan)
    for item, leg in zip(mission.items, mission.item_legs, strict=True):
        if leg is None:
            continue
        end = getattr(plan, leg.section)[leg.index].end
        assert item.frame == mav.FRAME_RELATIVE_TO_HOME
        assert item.latitude_deg == pytest.approx(end.position.latitude_deg, abs=1e-7)
        assert item.longitude_deg == pytest.approx(end.position.longitude_deg, abs=1e-7)
        assert item.height_m == pytest.approx(end.altitude_amsl_m - plan.home.altitude_amsl_m, abs=0.01)
    named = {(leg.section, leg.index) for leg in mission.item_legs if leg}
    expected = {
        (section, index)
        for section in ("outbound", "inbound", "retrace")
        for index in range(len(getattr(plan, section)))
    }
    assert named == expected


@pytest.mark.parametrize("make", [calm_plan, windy_plan, with_retrace])
def test_return_now_flies_the_way_out_backwards(make: object) -> None:
    plan = make()  # type: ignore[operator]
    mission = compile_mission(plan)
    for item, leg in zip(mission.items, mission.item_legs, strict=True):
        if leg is None or leg.section != "outbound":
            continue
        visited = [place(found) for found in flown_from(mission, mission.return_entry[item.seq])]
        last = len(plan.outbound) - 1
        if leg.index == last:
            continue
        # Back to where this leg began, then to where each one before it began, then the pad.
        expected = [plan.outbound[index].start for index in range(leg.index, -1, -1)]
        assert len(visited) == len(expected)
        for (latitude, longitude, height), point in zip(visited, expected, strict=True):
            assert latitude == pytest.approx(point.position.latitude_deg, abs=2e-7)
            assert longitude == pytest.approx(point.position.longitude_deg, abs=2e-7)
            assert height == pytest.approx(point.altitude_amsl_m - plan.home.altitude_amsl_m, abs=0.02)
    hover = mission.indices.delivery_hover
    assert mission.return_entry[hover] == mission.indices.inbound_first
    for seq in range(mission.indices.inbound_first, len(mission.items)):
        if mission.item_legs[seq] is not None:
            assert flown_from(mission, mission.return_entry[seq])[0].seq == seq


def test_speeds_are_right_after_any_jump() -> None:
    plan = windy_plan()
    mission = compile_mission(plan)
    for item, leg in zip(mission.items, mission.item_legs, strict=True):
        if leg is None or not 0 < leg.index < len(getattr(plan, leg.section)) - 1:
            continue
        entry = mission.items[mission.return_entry[item.seq]]
        before = mission.items[item.seq - 1]
        assert before.command == mav.DO_CHANGE_SPEED
        assert before.param1 == mav.SPEED_TYPE_GROUND
        assert before.param2 == pytest.approx(
            getattr(plan, leg.section)[leg.index].ground_speed_m_s, abs=0.01
        )
        # A jump lands on a speed or on a landing, never on a bare cruise item.
        assert (
            entry.command in (mav.DO_CHANGE_SPEED, mav.NAV_LAND) or entry.seq == mission.indices.inbound_first
        )
    calm = compile_mission(calm_plan())
    assert [i.seq for i in calm.items if i.command == mav.DO_CHANGE_SPEED] == [2]


@pytest.mark.parametrize("blowing", [None, wind(60, 7)])
def test_px4_has_no_home_and_real_positions(blowing: Wind | None) -> None:
    plan = px4_plan(blowing=blowing)
    mission = compile_mission(plan)
    assert mission.autopilot == "px4"
    first = mission.items[0]
    assert first.command == mav.NAV_TAKEOFF
    assert first.latitude_deg == pytest.approx(plan.home.position.latitude_deg, abs=1e-7)
    assert first.longitude_deg == pytest.approx(plan.home.position.longitude_deg, abs=1e-7)
    assert math.isnan(first.param4)
    assert [i.command for i in mission.items].count(mav.NAV_TAKEOFF) == 1
    for item in mission.items:
        if item.command not in NAV:
            assert item.command == mav.DO_CHANGE_SPEED
            assert item.frame == mav.FRAME_MISSION
            # What PX4 may descend to while this item is active: the leg's own altitude, never 0.
            leg = mission.item_legs[item.seq + 1]
            assert leg is not None
            end = plan.section(leg.section)[leg.index].end
            assert item.height_m == pytest.approx(end.altitude_amsl_m, abs=0.01)
            assert item.height_m > 50
    if blowing is None:
        assert {item.command for item in mission.items} <= NAV
        values = {p.name: p.value for p in mission.required_parameters}
        assert values["MPC_XY_CRUISE"] == pytest.approx(plan.outbound[1].ground_speed_m_s, abs=0.01)
    assert all(item.frame == mav.FRAME_RELATIVE_TO_HOME for item in mission.rally)
    assert len(mission.fence) <= 64


@pytest.mark.parametrize("autopilot", ["ardupilot", "px4"])
def test_the_autopilots_own_return_is_flown_at_the_height_that_was_checked(autopilot: str) -> None:
    """PX4 adds its parameter to the rally point's altitude (rtl.cpp); ArduPilot takes the higher of the two."""
    plan = px4_plan() if autopilot == "px4" else calm_plan()
    mission = compile_mission(plan, autopilot=autopilot)
    values = {p.name: p.value for p in mission.required_parameters}
    checked_m = max(point.altitude_amsl_m for point in plan.rally_points) - plan.home.altitude_amsl_m
    assert mission.rally
    for item in mission.rally:
        if autopilot == "px4":
            flown_m = item.height_m + values["RTL_RETURN_ALT"]
        else:
            flown_m = max(item.height_m, values["RTL_ALT"] / 100.0)
        assert flown_m == pytest.approx(checked_m, abs=0.02)


def test_fence_lists_polygons_with_their_counts() -> None:
    mission = compile_mission(calm_plan())
    inclusion = [i for i in mission.fence if i.command == mav.FENCE_VERTEX_INCLUSION]
    assert inclusion == list(mission.fence[: len(inclusion)])
    assert all(item.param1 == len(inclusion) for item in inclusion)
    assert len(mission.rally) == len(calm_plan().rally_points)


def test_required_parameters_hold_the_plan() -> None:
    plan = calm_plan()
    values = {p.name: p.value for p in compile_mission(plan).required_parameters}
    height = plan.outbound[0].end.altitude_amsl_m - plan.home.altitude_amsl_m
    assert values["RTL_ALT"] == pytest.approx(height * 100, abs=1)
    assert height < values["FENCE_ALT_MAX"] <= height + 4
    assert values["WPNAV_SPEED"] == 2000
    assert values["WPNAV_RADIUS"] == 500
    assert values["RALLY_INCL_HOME"] == 0
    assert values["RALLY_LIMIT_KM"] >= 3
    assert all(p.reason for p in compile_mission(px4_plan()).required_parameters)


def test_px4_lowers_nothing() -> None:
    with pytest.raises(AirspaceError, match="px4 drives no winch"):
        compile_mission(calm_plan(), autopilot="px4")


@pytest.mark.parametrize(
    "airframe", [QUAD, dataclasses.replace(load_airframes()["hex10"], deliveries=QUAD.deliveries)]
)
def test_the_way_home_after_a_landing_begins_there_and_ends_on_the_pad(airframe: Airframe) -> None:
    plan = planned(airspace(WALL), START, TOUCHDOWN, refuges=REFUGES, airframe=airframe)
    whole = compile_mission(plan, autopilot=airframe.autopilot)
    # Unattended it goes home with the AED: nothing in the mission lands at the delivery.
    assert [item.command for item in whole.items].count(mav.NAV_LAND) == 1
    mission = compile_way_home(plan, autopilot=airframe.autopilot)
    items, at = mission.items, mission.indices
    assert items[at.takeoff].command == mav.NAV_TAKEOFF
    assert at.takeoff == (1 if airframe.autopilot == "ardupilot" else 0)
    assert place(items[at.takeoff]) == pytest.approx(
        (
            plan.delivery.position.latitude_deg,
            plan.delivery.position.longitude_deg,
            plan.inbound[0].end.altitude_amsl_m - plan.home.altitude_amsl_m,
        )
    )
    assert items[at.land].command == mav.NAV_LAND
    assert items[at.land].seq == len(items) - 1
    flown = [place(item) for item in flown_from(mission, at.takeoff)]
    expected = [
        (
            leg.end.position.latitude_deg,
            leg.end.position.longitude_deg,
            leg.end.altitude_amsl_m - plan.home.altitude_amsl_m,
        )
        for leg in plan.inbound
    ]
    assert len(flown) == len(expected)
    for one, other in zip(flown, expected, strict=True):
        assert one == pytest.approx(other, abs=0.01)
    assert len(mission.return_entry) == len(mission.item_legs) == len(items)
    for item, leg in zip(items, mission.item_legs, strict=True):
        if leg is not None:
            assert flown_from(mission, mission.return_entry[item.seq])[0].seq == item.seq
    assert (mission.fence, mission.rally) == (whole.fence, whole.rally)


def test_gripper_needs_no_winch_and_unknown_autopilots_are_refused() -> None:
    low = landing_point("p", 3000, 0, delivery_methods=(DeliveryMethod.GRIPPER_LOW,))
    mission = compile_mission(planned(airspace(), START, low))
    assert mission.indices.winch_retract is None
    assert all(item.command != mav.DO_WINCH for item in mission.items)
    assert mission.items[mission.indices.delivery_hover].height_m == pytest.approx(2.0)
    with pytest.raises(AirspaceError, match="betaflight"):
        compile_mission(calm_plan(), autopilot="betaflight")


def test_px4_is_refused_where_its_straight_way_home_is_illegal() -> None:
    """PX4 counts home among its rally points; ArduPilot is told not to."""
    plan = px4_plan()
    away = tuple(point for point in plan.rally_points if point.position != plan.home.position)
    assert away
    without_home = dataclasses.replace(plan, rally_points=away)
    compile_mission(without_home, autopilot="ardupilot")
    with pytest.raises(AirspaceError, match="straight home"):
        compile_mission(without_home, autopilot="px4")


def test_without_rally_points_nothing_returns_straight() -> None:
    plan = planned(airspace(WALL), START, GOAL, policy=PlanningPolicy(accept_planned_return=True))
    assert plan.rally_points == ()
    ardupilot = {p.name: p.value for p in compile_mission(plan).required_parameters}
    assert (ardupilot["FS_GCS_ENABLE"], ardupilot["BATT_FS_LOW_ACT"], ardupilot["FENCE_ACTION"]) == (4, 4, 5)
    low = planned(
        airspace(WALL), START, LOW, airframe=QUAD, policy=PlanningPolicy(accept_planned_return=True)
    )
    assert low.rally_points == ()
    px4 = {p.name: p.value for p in compile_mission(low).required_parameters}
    assert px4["RTL_TYPE"] == 2
    with_rally = {p.name: p.value for p in compile_mission(calm_plan()).required_parameters}
    assert "FENCE_ACTION" not in with_rally


@pytest.mark.parametrize("blowing", [None, wind(60, 7)])
def test_nothing_stands_behind_the_landing_of_a_px4(blowing: Wind | None) -> None:
    """A real one took off from its pad again and flew what stood there."""
    north = px4_plan(blowing=blowing)
    south_wall = box_zone("wall", 1400, -500, 1600, 900)
    south = planned(
        airspace(south_wall),
        START,
        LOW,
        refuges=(refuge("r1", 1000, -800), refuge("r2", 2000, -800)),
        airframe=QUAD,
    )
    plan = dataclasses.replace(north, inbound=south.inbound, retrace=north.inbound)
    mission = compile_mission(plan)
    items, at = mission.items, mission.indices
    assert [item.seq for item in items if item.command == mav.NAV_LAND] == [len(items) - 1]
    assert at.land == at.retrace_land == len(items) - 1

    def flown(seq: int) -> list[MissionItem]:
        """With jumps taken, as PX4 takes them."""
        visited: list[MissionItem] = []
        while seq < len(items):
            item = items[seq]
            if item.command == mav.DO_JUMP:
                assert item.param2 >= 100
                seq = int(item.param1)
                continue
            if item.command in NAV:
                visited.append(item)
            seq += 1
        return visited

    for first, legs in ((at.inbound_first, plan.inbound), (at.retrace_first, plan.retrace)):
        expected = [leg.end for leg in legs]
        visited = flown(first)
        assert len(visited) == len(expected)
        for item, point in zip(visited, expected, strict=True):
            assert item.latitude_deg == pytest.approx(point.position.latitude_deg, abs=2e-7)
            assert item.longitude_deg == pytest.approx(point.position.longitude_deg, abs=2e-7)
            assert item.height_m == pytest.approx(point.altitude_amsl_m - plan.home.altitude_amsl_m, abs=0.02)
    for item, leg in zip(items, mission.item_legs, strict=True):
        if leg is not None and leg.section == "outbound" and 0 < leg.index < len(plan.outbound) - 1:
            back = flown(mission.return_entry[item.seq])
            expected = [plan.outbound[index].start for index in range(leg.index, -1, -1)]
            assert [found.latitude_deg for found in back] == pytest.approx(
                [point.position.latitude_deg for point in expected], abs=2e-7
            )
