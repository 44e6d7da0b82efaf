"""When a landing is late, and when the vehicle stands and has not noticed."""

from __future__ import annotations

import pytest

from core.geodesy import destination
from flight.landing_watch import HEIGHT_ERROR_M, LANDING_ALLOWANCE_S, LandingWatch
from flight.model.faults import Fault
from flight.model.phases import Phase
from flight.model.view import LandedState
from planner.airframe import load_airframes
from tests.unit.flight.plans import director, plan, view

START_S = 100.0
AIRFRAME = load_airframes()[plan().airframe_id]
DESCENT_S = (
    60.0 - AIRFRAME.landing_slow_below_m
) / AIRFRAME.descent_rate_m_s + AIRFRAME.landing_slow_below_m / AIRFRAME.landing_rate_m_s
LATE_S = START_S + DESCENT_S + LANDING_ALLOWANCE_S + 1.0


FLYING_A = 25.0


def watch() -> LandingWatch:
    """One that saw the landing begin, 60 m above the pad, and the drone coming down."""
    begun = LandingWatch(director().way, AIRFRAME)
    assert begun.findings(view(heard_s=START_S), Phase.LANDING, START_S) == []
    for second in range(1, 10):
        seen = view(heard_s=START_S + second, velocity_up_m_s=-1.0, battery_current_a=FLYING_A)
        assert begun.findings(seen, Phase.LANDING, START_S + second) == []
    return begun


def late(**changes: object) -> set[Fault]:
    seen = {
        "heard_s": LATE_S,
        "height_above_home_m": 0.3,
        "landed_state": LandedState.LANDING,
        "battery_current_a": 11.3,
        **changes,
    }
    return {finding.fault for finding in watch().findings(view(**seen), Phase.LANDING, LATE_S)}


def test_a_landing_in_its_time_is_no_fault() -> None:
    seen = view(heard_s=LATE_S - 2.0, height_above_home_m=0.3)
    assert watch().findings(seen, Phase.LANDING, LATE_S - 2.0) == []


def test_one_that_stands_on_its_pad_has_not_noticed() -> None:
    assert late() == {Fault.LANDING_OVERDUE, Fault.GROUND_UNNOTICED}


@pytest.mark.parametrize(
    "moves",
    [
        {"velocity_up_m_s": -0.5},
        {"velocity_east_m_s": 0.6},
        {"velocity_up_m_s": None},
        {"height_above_home_m": 60.0},
        {"height_above_home_m": HEIGHT_ERROR_M + 1.0, "landed_state": LandedState.IN_AIR},
        # Something keeps it from descending: it stands still in the air.
        {"battery_current_a": FLYING_A},
        {"battery_current_a": FLYING_A, "height_above_home_m": 8.0},
        {"battery_current_a": None, "height_above_home_m": HEIGHT_ERROR_M + 1.0},
        {"battery_current_a": None, "landed_state": LandedState.IN_AIR},
    ],
)
def test_motors_are_stopped_for_none_that_may_still_be_in_the_air(moves: dict[str, object]) -> None:
    assert late(**moves) == {Fault.LANDING_OVERDUE}


def test_where_the_plan_knows_no_ground_only_the_autopilots_own_landing_counts() -> None:
    field = destination(plan().home.position, 0.0, 300.0)
    assert Fault.GROUND_UNNOTICED in late(position=field, height_above_home_m=-4.0)
    assert late(position=field, height_above_home_m=-4.0, landed_state=LandedState.IN_AIR) == {
        Fault.LANDING_OVERDUE
    }


def test_without_a_current_a_known_ground_close_below_and_the_autopilots_word_are_needed() -> None:
    assert Fault.GROUND_UNNOTICED in late(battery_current_a=None)
    field = destination(plan().home.position, 0.0, 300.0)
    assert late(battery_current_a=None, position=field) == {Fault.LANDING_OVERDUE}


def test_nothing_is_said_of_a_vehicle_that_is_not_heard_or_has_stopped() -> None:
    assert late(heard_s=LATE_S - 10.0) == set()
    assert late(armed=False) == set()


def test_another_descent_has_its_own_time() -> None:
    begun = watch()
    seen = view(heard_s=LATE_S, height_above_home_m=60.0)
    assert begun.findings(seen, Phase.LANDING_HERE, LATE_S) == []
    assert begun.findings(seen, Phase.RETURNING, LATE_S + 1.0) == []
    assert begun.findings(view(heard_s=LATE_S + 2.0), Phase.LANDING, LATE_S + 2.0) == []


def test_without_a_height_the_whole_way_down_counts() -> None:
    begun = LandingWatch(director().way, AIRFRAME)
    begun.findings(view(heard_s=START_S, height_above_home_m=None), Phase.LANDING, START_S)
    seen = view(heard_s=LATE_S, height_above_home_m=0.3)
    top_m = max(leg.end.altitude_amsl_m for leg in plan().outbound) - plan().home.altitude_amsl_m
    longer_s = (top_m - 60.0) / AIRFRAME.descent_rate_m_s
    later = LATE_S + longer_s + 1.0
    assert bool(begun.findings(seen, Phase.LANDING, LATE_S)) == (longer_s <= 0.0)
    assert begun.findings(view(heard_s=later, height_above_home_m=0.3), Phase.LANDING, later)
