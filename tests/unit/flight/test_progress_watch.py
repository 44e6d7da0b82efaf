"""A drone on its way that comes no nearer, and one whose mission is gone."""

from __future__ import annotations

from typing import Any

import pytest

from core.geodesy import destination
from flight.autopilots.base import ModeClass
from flight.autopilots.px4 import LOITER, PX4
from flight.director import Director
from flight.fault_finder import FaultFinder
from flight.model.failsafe import react
from flight.model.faults import RULES, Fault, SafetyAction
from flight.model.phases import Phase, Trigger
from flight.model.view import MissionState
from flight.progress_watch import NEARER_M, WITHIN_S, ProgressWatch
from planner.compile.mavlink import compile_mission
from tests.unit.flight.plans import NoClock, director, plan, view

START_S = 100.0
OUT = compile_mission(plan()).indices.takeoff + 1
HOME = plan().home.position


def seen(second: float, east_m: float = 100.0, **changes: Any) -> Any:
    values: dict[str, Any] = {
        "heard_s": START_S + second,
        "position": destination(HOME, 90.0, east_m),
        "mission_seq": OUT,
    }
    return view(**(values | changes))


def told(watch: ProgressWatch, views: list[tuple[float, Any]], phase: Phase = Phase.OUTBOUND) -> list[float]:
    """The seconds at which it found something."""
    return [second for second, each in views if watch.findings(each, phase, START_S + second)]


def standing(seconds: float, **changes: Any) -> list[tuple[float, Any]]:
    return [(second / 2.0, seen(second / 2.0, **changes)) for second in range(int(2 * seconds) + 1)]


def test_a_drone_that_stands_on_its_way_is_named_after_a_while() -> None:
    found = told(ProgressWatch(director().way), standing(WITHIN_S + 10.0))
    assert found[0] == WITHIN_S + 0.5
    assert len(found) == 20


def test_the_slowest_headwind_that_is_flown_is_progress() -> None:
    views = [(second, seen(second, east_m=100.0 + 0.5 * second)) for second in map(float, range(120))]
    assert told(ProgressWatch(director().way), views) == []


def test_a_drone_that_wanders_where_it_stands_makes_none() -> None:
    wander = [(s, seen(s, east_m=100.0 + (NEARER_M - 1.0) * (s % 2.0))) for s in map(float, range(40))]
    assert told(ProgressWatch(director().way), wander)


def test_one_that_flies_away_makes_none() -> None:
    away = [(s, seen(s, east_m=100.0 - 3.0 * s)) for s in map(float, range(30))]
    assert told(ProgressWatch(director().way), away)[0] == WITHIN_S + 1.0


def test_the_next_item_begins_anew() -> None:
    watch = ProgressWatch(director().way)
    assert told(watch, standing(WITHIN_S - 1.0)) == []
    later = [(WITHIN_S + s, seen(WITHIN_S + s, mission_seq=OUT + 1)) for s in (0.0, 5.0, 10.0)]
    assert told(watch, later) == []


def test_what_is_not_heard_is_not_judged() -> None:
    watch = ProgressWatch(director().way)
    assert told(watch, standing(WITHIN_S - 1.0)) == []
    silent = seen(WITHIN_S - 1.0)
    assert watch.findings(silent, Phase.OUTBOUND, START_S + WITHIN_S + 5.0) == []
    again = WITHIN_S + 6.0
    assert watch.findings(seen(again), Phase.OUTBOUND, START_S + again) == []


def test_a_repeated_place_with_a_speed_says_nothing_about_progress() -> None:
    """Telemetry that froze: the mission goes on, and brings it home."""
    frozen = standing(WITHIN_S + 10.0, velocity_east_m_s=8.0)
    assert told(ProgressWatch(director().way), frozen) == []


@pytest.mark.parametrize("phase", [Phase.HOLDING, Phase.LOWERING, Phase.HANDED_OVER, Phase.LANDING])
def test_who_is_to_stand_may(phase: Phase) -> None:
    assert told(ProgressWatch(director().way), standing(WITHIN_S + 10.0), phase) == []


def test_a_return_that_follows_has_its_own_time() -> None:
    """The fault is over with the phase: nothing is left of it that would stop the way home."""
    assert RULES[Fault.NO_PROGRESS].clear_after_s == 0.0
    watch = ProgressWatch(director().way)
    assert told(watch, standing(WITHIN_S + 2.0))
    turned = seen(WITHIN_S + 2.2)
    assert watch.findings(turned, Phase.RETURNING, START_S + WITHIN_S + 2.2) == []


def finder() -> FaultFinder:
    return director().faults


@pytest.mark.parametrize(
    ("phase", "action"),
    [
        (Phase.CLIMBING, SafetyAction.RETURN),
        (Phase.OUTBOUND, SafetyAction.DIVERT),
        (Phase.LOWERING, SafetyAction.WARN),
        (Phase.INBOUND, SafetyAction.DIVERT),
        (Phase.REROUTING, SafetyAction.NONE),
    ],
)
def test_a_lost_mission_is_found_and_its_own_way_home_is_not_counted_on(
    phase: Phase, action: SafetyAction
) -> None:
    lost = seen(0.0, mission_state=MissionState.NO_MISSION)
    found = {f.fault for f in finder().findings(lost, phase, START_S, plan().created_at)}
    assert Fault.MISSION_LOST in found
    assert react([Fault.MISSION_LOST], phase) is action
    flying = seen(0.0, mission_state=MissionState.ACTIVE)
    assert Fault.MISSION_LOST not in {
        f.fault for f in finder().findings(flying, phase, START_S, plan().created_at)
    }


def test_px4_standing_without_a_mission_was_taken_by_nobody() -> None:
    autopilot = PX4(NoClock())  # type: ignore[arg-type]
    reader = Director(
        plan(),
        compile_mission(plan()),
        mode_class=autopilot.mode_class,
        estimator_ready=autopilot.estimator_ready,
    )
    reader.expect_mode(frozenset({ModeClass.MISSION}), START_S - 60.0, reached=True)
    stands = {"custom_mode": LOITER, "mission_seq": OUT}
    with_mission = view(**stands, mission_state=MissionState.PAUSED)
    without = view(**stands, mission_state=MissionState.NO_MISSION)
    assert reader.observe(with_mission, Phase.OUTBOUND, START_S) is Trigger.CONTROL_TAKEN
    assert reader.observe(without, Phase.OUTBOUND, START_S) is None
