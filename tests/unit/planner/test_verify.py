"""The last word can say no: every promise of a plan, broken one at a time, is noticed."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from geofences.airspace import Airspace
from geofences.model import Restriction, TimeWindow, Zone
from planner.corridor import corridor_of
from planner.flight_plan import AutopilotFence, FlightPlan, RoutePoint
from planner.verify import Failed, Verified, verify_plan
from tests.unit.planner.helpers import (
    HEX10,
    NOW,
    airspace,
    at_m,
    box_zone,
    landing_point,
    planned,
    refuge,
    station,
)

WINDOW = TimeWindow(NOW, NOW + timedelta(hours=1))
REFUGES = (refuge("r1", 1000, 900), refuge("r2", 2000, 900))


@pytest.fixture(scope="module")
def plan() -> FlightPlan:
    return planned(airspace(), station("a", 0, 0), landing_point("p", 3000, 0), refuges=REFUGES)


def verdict(plan: FlightPlan, sky: Airspace) -> Verified | Failed:
    return verify_plan(plan, airspace=sky, corridor=corridor_of(HEX10), window=WINDOW)


def test_a_good_plan_passes(plan: FlightPlan) -> None:
    assert verdict(plan, airspace()) == Verified((), ())


@pytest.mark.parametrize(
    ("zone", "says"),
    [
        (box_zone("on", 1400, -50, 1600, 50), "leg 1"),
        (box_zone("beside", 1400, 40, 1600, 200), "closer than 61.1 m to zone beside"),
        (box_zone("pad", -40, -100, 40, -15), "closer than 61.1 m to zone pad"),
        (box_zone("return", 1100, 300, 1500, 500), "straight return"),
        (box_zone("small", 400, -400, 3600, 400, restriction=Restriction.KEEP_IN), "leg 0"),
        (box_zone("tight", -400, -40, 3400, 1200, restriction=Restriction.KEEP_IN), "operating area"),
    ],
)
def test_a_zone_in_the_way_is_noticed(plan: FlightPlan, zone: Zone, says: str) -> None:
    found = verdict(plan, airspace(zone))
    assert isinstance(found, Failed)
    assert says in found.detail


def test_a_wrong_fence_is_noticed(plan: FlightPlan) -> None:
    corners = tuple(at_m(x, y) for x, y in ((-5, -5), (3005, -5), (3005, 5), (-5, 5)))
    narrow = dataclasses.replace(
        plan, autopilot_fence=dataclasses.replace(plan.autopilot_fence, inclusion=corners)
    )
    found = verdict(narrow, airspace())
    assert isinstance(found, Failed)
    assert "fence" in found.detail
    crossing = AutopilotFence(
        inclusion=tuple(at_m(x, y) for x, y in ((0, 0), (100, 100), (100, 0), (0, 100))),
        exclusions=(),
        ceiling_amsl_m=100.0,
    )
    found = verdict(dataclasses.replace(plan, autopilot_fence=crossing), airspace())
    assert isinstance(found, Failed)
    assert "crosses itself" in found.detail


def test_a_moved_rally_point_is_noticed(plan: FlightPlan) -> None:
    sky = airspace(box_zone("block", 1900, 1500, 2100, 1700))
    assert isinstance(verdict(plan, sky), Verified)
    moved = tuple(RoutePoint(at_m(2000, 2500), point.altitude_amsl_m) for point in plan.rally_points[:1])
    found = verdict(dataclasses.replace(plan, rally_points=moved), sky)
    assert isinstance(found, Failed)
    assert "straight return" in found.detail
