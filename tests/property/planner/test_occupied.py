"""Nobody is at the patient earlier than the bound of an occupied landing point says."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

import pytest
import shapely
from hypothesis import event, given, settings
from hypothesis import strategies as st

from core.errors import DroneAedError
from core.geodesy import Wgs84Point
from planner.candidates import Option
from planner.deconflict import Outcome, planning_again, resolve
from planner.flight_plan import FlightPlan
from planner.intent_index import IntentIndex
from planner.intent_volumes import intent_of_plan, over_the_point_s
from planner.intents import Circle, Polygon, _goes_round_once
from planner.occupied import Occupied, held_too_long
from planner.planning import plan_flight
from planner.policy import PlanningPolicy
from planner.task import FlightTask
from tests.unit.planner.helpers import (
    HEX10,
    NOW,
    airspace,
    calm,
    fly,
    ids,
    landing_point,
    site,
    station,
)

UNDULATION_M = -3.0
LONGEST_S = 600.0
POLICY = PlanningPolicy(valid_s=40.0, accept_planned_return=True)
SKY = airspace()
POINT = landing_point("p", 0.0, 0.0)
ELSEWHERE = landing_point("q", 0.0, 60.0)
TERMS = HEX10.delivery(POINT.delivery_methods[0])

others = st.tuples(
    st.integers(-3000, 3000),
    st.integers(-3000, 3000),
    st.integers(-100, 400),
    st.sampled_from([400, 400, 400, 100]),
)


@given(
    st.lists(others, min_size=1, max_size=4),
    st.tuples(st.integers(-3000, 3000), st.integers(-3000, 3000)),
    st.sampled_from([False, False, False, True]),
    st.sampled_from([LONGEST_S, 60.0, 20.0]),
)
@settings(max_examples=80, deadline=None)
def test_the_bound_holds(flying, pad, beside, longest_s) -> None:
    """Other flights to this point or one beside it left some time ago, leave now, or are going to."""
    intents = []
    for number, (x, y, after_s, priority) in enumerate(flying):
        plan = fly(
            SKY,
            station("other", x, y),
            ELSEWHERE if beside else POINT,
            at=NOW + timedelta(seconds=after_s),
            policy=POLICY,
        )
        assert isinstance(plan, FlightPlan)
        plan = replace(plan, plan_id=f"plan-{number}")
        intents.append(
            intent_of_plan(plan, owner="other", priority=priority, geoid_undulation_m=UNDULATION_M)
        )
    index = IntentIndex(intents, origin=SKY.frame.origin)
    start = station("s", *pad)
    task = FlightTask(
        drone_id="d1",
        station=start,
        landing_point=POINT,
        airframe=HEX10,
        method=POINT.delivery_methods[0],
        wind=calm(),
        charge_fraction=1.0,
        carry_s=60.0,
    )
    place = site((start,), (POINT,))
    more = {"site": place, "airspace": SKY, "ids": ids(), "policy": POLICY}
    plan = plan_flight(task, at=NOW, **more)
    assert isinstance(plan, FlightPlan)
    found = resolve(
        plan,
        index=index,
        plan_again=planning_again(task, **more),
        frame=SKY.frame,
        owner="us",
        priority=300,
        geoid_undulation_m=UNDULATION_M,
        longest_delay_s=longest_s,
    )
    occupied = Occupied(index, priority=300, geoid_undulation_m=UNDULATION_M, now=NOW, policy=POLICY)
    assert TERMS is not None
    option = Option(0.0, None, POINT, HEX10, TERMS, calm(), 60.0)  # type: ignore[arg-type]
    least_s = occupied.least_s(option)
    held = held_too_long(
        plan,
        index,
        priority=300,
        geoid_undulation_m=UNDULATION_M,
        longest_delay=timedelta(seconds=longest_s),
    )
    event(f"{'taken' if least_s else 'free'}, {'too long, ' if held else ''}{found.outcome}")
    if held is not None:
        assert found.outcome is Outcome.REFUSED
        assert not found.too_slow
        assert held.intent_id in {conflict.intent_id for conflict in found.blocking}
    drawn = intent_of_plan(plan, owner="us", priority=300, geoid_undulation_m=UNDULATION_M).volumes
    over_it = {
        (volume.time_start, volume.time_end)
        for volume in drawn
        if isinstance(volume.outline, Circle) and volume.outline.centre == POINT.position
    }
    from_s, until_s = over_the_point_s(plan)
    assert (
        plan.created_at + timedelta(seconds=from_s),
        plan.created_at + timedelta(seconds=until_s),
    ) in over_it
    assert (found.time_to_patient_s or math.inf) >= least_s
    # A pad at the very place of the point keeps it as well.
    elsewhere = beside and all((x, y) != (0, 0) for x, y, *_ in flying)
    if all(priority < 300 for *_, priority in flying) or elsewhere:
        assert least_s == 0.0


corners = st.tuples(st.integers(-6, 6), st.integers(-6, 6))


@given(st.lists(corners, min_size=3, max_size=9))
@settings(max_examples=500, deadline=None)
def test_a_ring_that_clearly_goes_round_once_is_what_geos_calls_valid(ring) -> None:
    places = tuple(Wgs84Point(22.0 + 1e-4 * y, 113.0 + 1e-4 * x) for x, y in ring)
    shape = shapely.Polygon([(p.longitude_deg, p.latitude_deg) for p in places])
    good = shape.is_valid and shape.area > 0.0 and len(set(places)) == len(places)
    if _goes_round_once(places):
        assert good
        assert shapely.equals(shapely.convex_hull(shape), shape)
    if good:
        Polygon(places)
    else:
        with pytest.raises(DroneAedError):
            Polygon(places)
