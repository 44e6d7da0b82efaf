"""Whole plans that climb and descend: legs, times, energy, mission, returns, fence, and their last word."""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np
import pytest
from pydantic import TypeAdapter

from core.geodesy import Altitude
from geofences.model import GROUND, UNLIMITED, TimeWindow, VerticalLimit
from geofences.verdict import Allowed
from planner.compile.mavlink import compile_mission
from planner.compile.mavlink_numbers import NAV_WAYPOINT
from planner.corridor import corridor_of
from planner.flight_plan import FlightPlan, LegKind, RoutePoint
from planner.heights import legal_above_ground
from planner.intent_volumes import intent_of_plan
from planner.policy import PlanningPolicy
from planner.task import NoPlan
from planner.verify import Failed, Verified, verify_plan
from tests.unit.planner.helpers import (
    FRAME,
    HEX10,
    NOW,
    airspace,
    at_m,
    box_zone,
    codes,
    fly,
    landing_point,
    planned,
    station,
)
from tests.unit.planner.hills import Hill

LOW = PlanningPolicy(minimum_agl_m=25.0, accept_planned_return=True)
HILL = Hill(3200.0, 0.0, 90.0, 350.0)
SHELF = box_zone("shelf", 400, -20_000, 900, 20_000, floor=VerticalLimit(Altitude.agl(60)), ceiling=UNLIMITED)
MAST = box_zone("mast", 1500, -20_000, 1700, 20_000, floor=GROUND, ceiling=VerticalLimit(Altitude.agl(45)))
START, GOAL = station("s", 0, 0), landing_point("p", 4600, 0)


@pytest.fixture(scope="module")
def plan() -> FlightPlan:
    return planned(airspace(SHELF, MAST, terrain=HILL), START, GOAL, policy=LOW)


def heights_along(plan: FlightPlan) -> list[tuple[float, float]]:
    """(Metres from the pad, altitude) of the points of the way out."""
    along, found = 0.0, [(0.0, plan.outbound[0].end.altitude_amsl_m)]
    for leg in plan.outbound[1:-1]:
        rise = leg.end.altitude_amsl_m - leg.start.altitude_amsl_m
        along += math.sqrt(leg.length_m**2 - rise**2)
        found.append((along, leg.end.altitude_amsl_m))
    return found


def test_one_flight_under_a_shelf_over_a_mast_and_over_a_hill(plan: FlightPlan) -> None:
    points = heights_along(plan)
    # Under the shelf, its floor 60 m over the plain at 5 m; the margin is 4 m of altitude error.
    along, height = np.array(points).T
    assert np.interp(np.linspace(340.0, 960.0, 100), along, height).max() <= 61.0
    assert np.interp(np.linspace(1440.0, 1760.0, 100), along, height).min() >= 54.0
    assert np.interp(3200.0, along, height) >= 120.0 - 0.01
    assert points[-1][0] == pytest.approx(4600.0, abs=1.0)
    for (a, low), (b, high) in itertools.pairwise(points):
        assert abs(high - low) <= 0.1125 * (b - a) + 0.01


def test_no_single_altitude_could(plan: FlightPlan) -> None:
    """Asked of the airspace itself, at every altitude from 30 m to 150 m."""
    sky = airspace(SHELF, MAST, terrain=HILL)
    window = TimeWindow(plan.created_at, plan.valid_until)
    for altitude in range(30, 151, 2):
        verdict = sky.check_segment(START.position, altitude, GOAL.position, altitude, window)
        over_hill = altitude - 95.0 >= 25.0
        assert not (isinstance(verdict, Allowed) and over_hill), altitude


def test_times_and_energy_are_those_of_the_legs(plan: FlightPlan) -> None:
    legs = plan.outbound
    assert plan.timing.climb_s == legs[0].duration_s
    assert plan.timing.outbound_s == pytest.approx(sum(leg.duration_s for leg in legs[1:-1]))
    assert plan.energy.outbound_wh == pytest.approx(sum(leg.energy_wh for leg in legs))
    assert plan.energy.inbound_wh == pytest.approx(sum(leg.energy_wh for leg in plan.inbound))
    assert legs[0].end.altitude_amsl_m - legs[0].start.altitude_amsl_m == pytest.approx(legs[0].length_m)
    climbing = next(leg for leg in legs[1:-1] if leg.end.altitude_amsl_m > leg.start.altitude_amsl_m + 20)
    level_like = next(
        leg for leg in plan.inbound[1:-1] if (leg.start, leg.end) == (climbing.end, climbing.start)
    )
    assert climbing.energy_wh > level_like.energy_wh


def test_the_way_home_is_the_way_out_backwards(plan: FlightPlan) -> None:
    assert plan.retrace == ()
    out = [(leg.start, leg.end) for leg in plan.outbound[1:-1]]
    back = [(leg.end, leg.start) for leg in reversed(plan.inbound[1:-1])]
    assert out == back
    assert {entry.planned_return for entry in plan.contingencies} == {"retrace", "continue"}


def test_under_a_shelf_no_straight_return_is_planned(plan: FlightPlan) -> None:
    """An autopilot would climb into the shelf; without the policy's consent the plan is refused for that."""
    assert plan.rally_points == ()
    strict = dataclasses.replace(LOW, accept_planned_return=False)
    refused = fly(airspace(SHELF, MAST, terrain=HILL), START, GOAL, policy=strict)
    assert "no_legal_contingency" in codes(refused)


def test_over_a_hill_the_returns_are_flown_high_enough() -> None:
    """The hill alone, which none of the single altitudes 15 m apart suits: all is open above, so straight returns at
    the highest altitude are planned."""
    hill = Hill(1500.0, 0.0, 85.0, 500.0)
    policy = PlanningPolicy(minimum_agl_m=25.0)
    found = planned(
        airspace(terrain=hill), station("s", 0, 0, 12.0), landing_point("p", 3000, 0), policy=policy
    )
    heights = {leg.end.altitude_amsl_m for leg in found.outbound[:-1]}
    assert len(heights) > 1
    assert found.rally_points
    assert {point.altitude_amsl_m for point in found.rally_points} == {max(heights)}
    assert found.autopilot_fence.ceiling_amsl_m == max(heights) + 4.0


def test_the_mission_flies_every_height(plan: FlightPlan) -> None:
    mission = compile_mission(plan)
    home_m = plan.home.altitude_amsl_m
    for item, leg in zip(mission.items, mission.item_legs, strict=True):
        if leg is not None and item.command == NAV_WAYPOINT:
            planned_m = plan.section(leg.section)[leg.index].end.altitude_amsl_m
            assert item.height_m == pytest.approx(planned_m - home_m, abs=0.006)
    takeoff = mission.items[mission.indices.takeoff]
    assert takeoff.height_m == pytest.approx(plan.outbound[0].end.altitude_amsl_m - home_m, abs=0.006)
    needed = {parameter.name: parameter.value for parameter in mission.required_parameters}
    top_m = max(leg.end.altitude_amsl_m for leg in plan.outbound) - home_m
    assert needed["FENCE_ALT_MAX"] > top_m
    assert needed["RTL_ALT"] >= 100.0 * top_m


def test_the_intent_holds_the_slopes(plan: FlightPlan) -> None:
    intent = intent_of_plan(plan, owner="us", priority=400, geoid_undulation_m=0.0)
    low = min(leg.start.altitude_amsl_m for leg in plan.outbound[1:-1])
    high = max(leg.end.altitude_amsl_m for leg in plan.outbound[1:-1])
    assert any(v.altitude_lower_m <= low <= v.altitude_upper_m < high for v in intent.volumes)
    assert any(v.altitude_upper_m >= high + 9.0 for v in intent.volumes)


def test_it_crosses_the_bus_as_json(plan: FlightPlan) -> None:
    adapter = TypeAdapter(FlightPlan)
    assert adapter.validate_json(adapter.dump_json(plan)) == plan


def moved(plan: FlightPlan, index: int, by_m: float) -> FlightPlan:
    """The plan with one point of the way out (and home) higher or lower."""
    old = plan.outbound[index].end
    new = RoutePoint(old.position, old.altitude_amsl_m + by_m)

    def change(legs):  # type: ignore[no-untyped-def]
        return tuple(
            dataclasses.replace(
                leg,
                start=new if leg.start == old else leg.start,
                end=new if leg.end == old else leg.end,
            )
            for leg in legs
        )

    return dataclasses.replace(plan, outbound=change(plan.outbound), inbound=change(plan.inbound))


def judge(plan: FlightPlan) -> Verified | Failed:
    return verify_plan(
        plan,
        airspace=airspace(SHELF, MAST, terrain=HILL),
        corridor=corridor_of(HEX10),
        window=TimeWindow.lasting(NOW, 1500.0),
        policy=LOW,
    )


def test_the_last_word_notices_a_wrong_height(plan: FlightPlan) -> None:
    assert isinstance(judge(plan), Verified)
    inner = [i for i, leg in enumerate(plan.outbound) if leg.kind is LegKind.CRUISE][:-1]
    assert inner
    noticed = 0
    for index in inner:
        along, _ = heights_along(plan)[index]
        if 250.0 <= along <= 1050.0:
            assert isinstance(judge(moved(plan, index, 15.0)), Failed), along
            noticed += 1
        if 1350.0 <= along <= 1850.0 or 2900.0 <= along <= 3500.0:
            assert isinstance(judge(moved(plan, index, -30.0)), Failed), along
            noticed += 1
    assert noticed >= 3


def test_flat_ground_without_shelves_is_flown_at_one_altitude_as_before() -> None:
    found = planned(airspace(MAST), START, landing_point("p", 3000, 0))
    assert {leg.end.altitude_amsl_m for leg in found.outbound[:-1]} == {65.0}


def test_where_nothing_helps_the_reason_names_what_is_in_the_way() -> None:
    """A ring around the landing point leaves a gap of 5 m of height, which is less than twice the altitude error."""
    sides = [
        (2000, -1000, 2300, 1000),
        (3700, -1000, 4000, 1000),
        (2000, -1000, 4000, -700),
        (2000, 700, 4000, 1000),
    ]
    rings = [
        box_zone(
            f"{name}{i}",
            *side,
            floor=GROUND if floor is None else VerticalLimit(Altitude.agl(floor)),
            ceiling=UNLIMITED if ceiling is None else VerticalLimit(Altitude.agl(ceiling)),
        )
        for i, side in enumerate(sides)
        for name, floor, ceiling in (("lid", 40, None), ("base", None, 35))
    ]
    refused = fly(airspace(*rings), START, landing_point("p", 3000, 0), policy=LOW)
    assert "no_route" in codes(refused)
    assert isinstance(refused, NoPlan)
    assert any("zone lid0" in reason.detail for reason in refused.reasons)


def test_the_ground_beside_the_way_counts() -> None:
    """A cliff 6 m beside the centre line, inside the flight geography: the altitude that clears the line is too low."""

    class Cliff(Hill):
        def ground_range_amsl_m(
            self, west_deg: float, south_deg: float, east_deg: float, north_deg: float
        ) -> tuple[float, float]:
            edge_deg = at_m(0.0, 6.0).latitude_deg
            return 5.0, 70.0 if north_deg > edge_deg and west_deg < east_deg else 5.0

    ways = ((0.0, 0.0), (3000.0, 0.0))
    ask = (Cliff(0, 0, 0, 100), FRAME, PlanningPolicy(), corridor_of(HEX10), ways)
    assert not legal_above_ground(*ask, 80.0)
    assert not legal_above_ground(*ask, 129.0)
    lower = ((0.0, -50.0), (3000.0, -50.0))
    assert legal_above_ground(*ask[:4], lower, 80.0)
