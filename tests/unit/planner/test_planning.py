"""Plans around zones: where they go, what they cost, and why there is none."""

from __future__ import annotations

import dataclasses
import math
from datetime import timedelta

import pytest
import shapely
from pydantic import TypeAdapter

from core.errors import AirspaceError
from core.geodesy import Altitude, geodesic_distance_m
from geofences.applicability import Applicability, TimePeriod
from geofences.model import Authorisation, Restriction, TimeWindow, VerticalLimit
from geofences.verdict import Allowed
from planner.corridor import corridor_of
from planner.flight_plan import FlightPlan, LegKind, RouteObjective
from planner.policy import PlanningPolicy
from planner.task import NoPlan
from tests.unit.planner.helpers import (
    FRAME,
    HEX10,
    NOW,
    airspace,
    at_m,
    box_zone,
    circle_zone,
    codes,
    fly,
    landing_point,
    planned,
    refuge,
    station,
    wind,
)

START, GOAL = station("a", 0, 0), landing_point("p", 3000, 0)
H = corridor_of(HEX10).half_width_m
WALL = box_zone("wall", 1400, -800, 1600, 600)
BESIDE_WALL = (refuge("r1", 1000, 900), refuge("r2", 2000, 900))


def length_m(plan: FlightPlan) -> float:
    return sum(leg.length_m for leg in plan.outbound if leg.kind is LegKind.CRUISE)


def test_straight_way_takes_what_arithmetic_says() -> None:
    plan = planned(airspace(), START, GOAL)
    assert [leg.kind for leg in plan.outbound] == [LegKind.CLIMB, LegKind.CRUISE, LegKind.DESCENT]
    distance = geodesic_distance_m(START.position, GOAL.position)
    assert length_m(plan) == pytest.approx(distance, rel=1e-5)
    timing = plan.timing
    assert timing.outbound_s == pytest.approx(distance / 20.0 + 20.0 / 4.0, rel=1e-3)
    # 60 m up at 6 m/s with 2 m/s², 45 m down to 15 m at 4.5 m/s.
    assert timing.climb_s == pytest.approx(60 / 6 + 6 / 2)
    assert timing.descent_s == pytest.approx(45 / 4.5 + 4.5 / 2)
    assert timing.time_to_aed_on_ground_s == pytest.approx(
        8 + timing.climb_s + timing.outbound_s + timing.descent_s + 11
    )
    assert timing.time_to_patient_s == pytest.approx(timing.time_to_aed_on_ground_s + 60)
    assert timing.total_s == pytest.approx(
        8 + sum(leg.duration_s for leg in plan.outbound + plan.inbound) + 90
    )
    assert plan.energy.total_wh == pytest.approx(
        sum(leg.energy_wh for leg in plan.outbound + plan.inbound) + plan.energy.hover_wh
    )
    assert plan.route_objective is RouteObjective.SHORTEST
    assert plan.retrace == ()


def test_delivers_2_km_within_150_s_in_calm_air() -> None:
    plan = planned(airspace(), START, landing_point("p", 2000, 0))
    assert plan.timing.time_to_aed_on_ground_s <= 150.0


def test_bends_around_a_wall_by_the_shorter_end() -> None:
    plan = planned(airspace(WALL), START, GOAL, refuges=BESIDE_WALL)
    # Over the top corners at y = 600 m, each a corridor's half width away: three straight legs.
    y = 600 + H
    expected = 2 * math.hypot(1400 - H, y) + (200 + 2 * H)
    assert length_m(plan) == pytest.approx(expected, rel=1e-3)
    xy = FRAME.project(
        [(leg.end.position.longitude_deg, leg.end.position.latitude_deg) for leg in plan.outbound]
    )
    assert xy[:, 1].max() == pytest.approx(y, abs=0.1)
    assert plan.corridor_half_width_m == pytest.approx(H)


def test_flies_over_a_low_zone_and_under_a_high_one() -> None:
    low = box_zone("low", 1400, -800, 1600, 600, ceiling=VerticalLimit(Altitude.amsl(40)))
    assert len(planned(airspace(low), START, GOAL).outbound) == 3
    middle = box_zone("mid", 1400, -800, 1600, 600, ceiling=VerticalLimit(Altitude.amsl(75)))
    plan = planned(airspace(middle), START, GOAL)
    assert len(plan.outbound) == 3
    assert plan.outbound[0].end.altitude_amsl_m > 75 + HEX10.corridor.altitude_error_m
    high = box_zone("high", 1400, -800, 1600, 600, floor=VerticalLimit(Altitude.amsl(75)))
    plan = planned(airspace(high), START, GOAL)
    assert plan.outbound[0].end.altitude_amsl_m == pytest.approx(65)


def test_longer_way_below_is_taken_when_climbing_costs_more() -> None:
    tiny = box_zone("tiny", 1495, -20, 1505, 10, ceiling=VerticalLimit(Altitude.amsl(90)))
    plan = planned(airspace(tiny), START, GOAL, refuges=(refuge("r", 1500, 500),))
    assert plan.outbound[0].end.altitude_amsl_m == pytest.approx(65)
    assert len(plan.outbound) > 3


def test_no_way_out_of_a_closed_ring() -> None:
    ring = [
        box_zone("n", 2500, 500, 3500, 600),
        box_zone("s", 2500, -600, 3500, -500),
        box_zone("w", 2400, -600, 2500, 600),
        box_zone("e", 3500, -600, 3600, 600),
    ]
    found = fly(airspace(*ring), START, GOAL)
    assert codes(found) == {"no_route"}
    assert isinstance(found, NoPlan)
    assert "zone w" in found.reasons[0].detail


def test_landing_point_in_or_beside_a_zone_is_refused_by_name() -> None:
    found = fly(airspace(circle_zone("heli", 3000, 0, 200)), START, GOAL)
    assert codes(found) == {"forbidden_zone"}
    assert isinstance(found, NoPlan)
    assert "zone heli" in found.reasons[0].detail
    assert "zone heli" in found.reasons[0].detail_zh or "heli" in found.reasons[0].detail_zh
    assert codes(fly(airspace(circle_zone("heli", 3000, 240, 200)), START, GOAL)) == {"too_close_to_zone"}
    planned(airspace(circle_zone("heli", 3000, 200 + H + 8, 200)), START, GOAL)


def test_operating_area_is_not_left() -> None:
    area = box_zone("ops", -500, -300, 3500, 1000, restriction=Restriction.KEEP_IN)
    plan = planned(airspace(area, WALL), START, GOAL, refuges=BESIDE_WALL)
    assert length_m(plan) > 3000
    narrow = box_zone("ops", -500, -300, 3500, 600, restriction=Restriction.KEEP_IN)
    assert codes(fly(airspace(narrow, WALL), START, GOAL)) == {"no_route"}
    short = box_zone("ops", -500, -300, 3020, 600, restriction=Restriction.KEEP_IN)
    assert codes(fly(airspace(short), START, GOAL)) == {"outside_operating_area"}


def test_wind_slows_one_way_and_the_plan_says_so() -> None:
    still = planned(airspace(), START, GOAL)
    windy = planned(airspace(), START, GOAL, blowing=wind(90, 8))
    assert windy.route_objective is RouteObjective.FASTEST
    assert windy.outbound[1].ground_speed_m_s == pytest.approx(12.0)
    # Downwind the ground speed is limited, and the airspeed is lower.
    assert windy.inbound[1].ground_speed_m_s == pytest.approx(20.0)
    assert windy.timing.outbound_s > still.timing.outbound_s * 1.5
    assert windy.energy.outbound_wh > windy.energy.inbound_wh


def test_strong_wind_and_gusts_are_refused() -> None:
    assert codes(fly(airspace(), START, GOAL, blowing=wind(0, 12.1))) == {"wind_above_limit"}
    gusty = dataclasses.replace(wind(0, 5.0), gust_m_s=13.0)
    assert codes(fly(airspace(), START, GOAL, blowing=gusty)) == {"wind_above_limit"}


def test_battery_decides() -> None:
    far = landing_point("far", 9000, 0)
    planned(airspace(), START, far)
    found = fly(airspace(), START, far, charge_fraction=0.6)
    assert codes(found) == {"not_enough_energy"}


def test_point_of_no_return_moves_with_the_wind() -> None:
    far = landing_point("far", 9000, 0)
    plan = planned(airspace(), START, far)
    assert plan.point_of_no_return is not None
    assert plan.point_of_no_return.beyond_delivery


def test_zone_that_opens_later_counts_while_the_flight_may_last() -> None:
    plan = planned(airspace(), START, GOAL)
    longest = timedelta(seconds=120 + plan.timing.total_s)

    def closing(after: timedelta) -> FlightPlan | NoPlan:
        period = TimePeriod(start=NOW + after, end=NOW + after + timedelta(hours=1))
        zone = dataclasses.replace(WALL, applicability=Applicability(periods=(period,)))
        return fly(airspace(zone), START, GOAL, refuges=BESIDE_WALL)

    later = closing(timedelta(hours=1))
    assert isinstance(later, FlightPlan)
    assert len(later.outbound) == 3
    soon = closing(longest - timedelta(seconds=5))
    assert isinstance(soon, FlightPlan)
    assert len(soon.outbound) > 3


def test_authorisation_opens_a_zone_and_is_named() -> None:
    wall = dataclasses.replace(WALL, restriction=Restriction.REQ_AUTHORISATION)
    paper = Authorisation(
        authorisation_id="auth-1",
        zone_ids=("wall",),
        authority="CAAC",
        number="7",
        valid_from=NOW - timedelta(days=1),
        valid_until=NOW + timedelta(days=1),
    )
    plan = planned(airspace(wall, authorisations=(paper,)), START, GOAL)
    assert len(plan.outbound) == 3
    assert plan.authorisation_ids == ("auth-1",)
    late = dataclasses.replace(paper, valid_until=NOW + timedelta(seconds=60))
    around = planned(airspace(wall, authorisations=(late,)), START, GOAL, refuges=BESIDE_WALL)
    assert len(around.outbound) > 3
    assert around.authorisation_ids == ()


def test_no_straight_return_no_flight() -> None:
    # From the far side of the wall the straight way home crosses it, and there is no refuge there.
    found = fly(airspace(WALL), START, GOAL)
    assert codes(found) == {"no_legal_contingency"}
    plan = planned(airspace(WALL), START, GOAL, policy=PlanningPolicy(accept_planned_return=True))
    assert plan.rally_points == ()
    assert all(contingency.planned_return for contingency in plan.contingencies)


def test_extra_obstacles_are_kept_away_from() -> None:
    blocker = shapely.box(1400, -800, 1600, 600)
    plan = planned(airspace(), START, GOAL, refuges=BESIDE_WALL, extra_obstacles=(("intent", blocker),))
    reference = planned(airspace(WALL), START, GOAL, refuges=BESIDE_WALL)
    assert length_m(plan) == pytest.approx(length_m(reference), rel=1e-4)


def test_every_leg_is_legal_in_the_words_of_the_airspace() -> None:
    sky = airspace(WALL, circle_zone("c", 2300, -450, 300))
    plan = planned(sky, START, GOAL, refuges=BESIDE_WALL)
    window = TimeWindow(NOW, NOW + timedelta(hours=1))
    for leg in (*plan.outbound, *plan.inbound):
        verdict = sky.check_segment(
            leg.start.position, leg.start.altitude_amsl_m, leg.end.position, leg.end.altitude_amsl_m, window
        )
        assert isinstance(verdict, Allowed)


def test_plan_survives_json() -> None:
    plan = planned(airspace(WALL), START, GOAL, refuges=BESIDE_WALL, blowing=wind(200, 6))
    adapter = TypeAdapter(FlightPlan)
    assert adapter.validate_json(adapter.dump_json(plan)) == plan


def test_broken_plans_cannot_be_made() -> None:
    plan = planned(airspace(WALL), START, GOAL, refuges=BESIDE_WALL)
    with pytest.raises(AirspaceError, match="gap"):
        dataclasses.replace(plan, outbound=(plan.outbound[0], *plan.outbound[2:]))
    with pytest.raises(AirspaceError, match="two ends"):
        dataclasses.replace(plan, home=dataclasses.replace(plan.home, position=at_m(5, 5)))
    with pytest.raises(AirspaceError, match="reserve"):
        dataclasses.replace(plan, energy=dataclasses.replace(plan.energy, usable_wh=150.0))
    with pytest.raises(AirspaceError, match="valid_until"):
        dataclasses.replace(plan, valid_until=plan.created_at)
