"""Warming up works on any airspace, the empty one included, changes no answer, and leaves nothing to compile."""

from __future__ import annotations

import pytest

from geofences.model import Restriction
from planner import motion, outline_kernels, rally_kernels, sweep_kernels, verify_kernels
from planner.airframe import load_airframes
from planner.flight_plan import FlightPlan
from planner.height_profile import ClimbLimits, HeightProfile, Stretch, height_profile
from planner.height_profile_kernels import cheapest
from planner.search import SearchWorld
from planner.warm import rehearse, warm_up
from tests.unit.planner.helpers import HEX10, NOW, airspace, box_zone, landing_point, planned, station


def test_warm_up_leaves_answers_alone() -> None:
    wall = box_zone("low", 1400, 800, 1600, 1000)
    for sky, again in ((airspace(), airspace()), (airspace(wall), airspace(wall))):
        warm_up(sky, [HEX10])
        start, goal = station("a", 0, 0), landing_point("p", 3000, 0)
        warm, cold = planned(sky, start, goal), planned(again, start, goal)
        assert warm.outbound == cold.outbound
        assert warm.autopilot_fence == cold.autopilot_fence


@pytest.mark.parametrize("name", sorted(load_airframes()))
def test_every_airframe_of_ours_gets_through_its_rehearsal(name: str) -> None:
    """The rehearsal must bend round both zones and choose where to land, or it would run too few kernels."""
    plan = rehearse(load_airframes()[name])
    assert isinstance(plan, FlightPlan), plan
    assert len(plan.outbound) > 4
    assert plan.rally_points


def test_the_first_plan_builds_no_world_and_compiles_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    area = box_zone("area", -2000, -2000, 5000, 2000, restriction=Restriction.KEEP_IN)
    wall = box_zone("wall", 1400, 800, 1600, 1000)
    sky = airspace(area, wall)
    warm_up(sky, [HEX10], at=NOW)
    rooms = (motion, sweep_kernels, outline_kernels, rally_kernels, verify_kernels)
    # Those that are called from Python; the others are part of them.
    kernels = [
        kernel for room in rooms for kernel in vars(room).values() if getattr(kernel, "signatures", None)
    ]
    assert {sweep_kernels.coarsen, sweep_kernels.choose, verify_kernels.first_met} <= set(kernels)
    known = [len(kernel.signatures) for kernel in kernels]
    built: list[object] = []
    build = SearchWorld.build
    monkeypatch.setattr(SearchWorld, "build", lambda *a, **k: built.append(a) or build(*a, **k))
    planned(sky, station("a", 0, 0), landing_point("p", 3000, 0))
    assert not built
    assert [len(kernel.signatures) for kernel in kernels] == known


def test_the_first_height_profile_compiles_nothing() -> None:
    warm_up(airspace(), [])
    known = len(cheapest.signatures)
    found = height_profile(
        [Stretch(0.0, 100.0, ((0.0, 9.0),)), Stretch(100.0, 300.0, ((8.0, 50.0),))],
        limits=ClimbLimits(slope_max=0.1, climb_s_per_m=0.2, descent_s_per_m=0.2),
        start_amsl_m=((0.0, 90.0),),
        end_amsl_m=((0.0, 90.0),),
    )
    assert isinstance(found, HeightProfile)
    assert known > 0
    assert len(cheapest.signatures) == known
