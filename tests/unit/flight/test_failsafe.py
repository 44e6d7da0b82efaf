"""The failsafe table, and faults that must hold before they count."""

import pytest

from flight.model.failsafe import TABLE, react
from flight.model.faults import LATCHED, RULES, Fault, Finding, SafetyAction
from flight.model.phases import Phase
from flight.model.tracker import FaultTracker


def test_every_fault_has_an_action_in_every_phase_and_a_clear_condition() -> None:
    for fault in Fault:
        assert set(TABLE[fault]) == set(Phase)
        assert RULES[fault].clear_when


def test_actions_are_ordered() -> None:
    order = ["NONE", "WARN", "HOLD", "RETURN", "DIVERT", "LAND", "TERMINATE"]
    assert [action.name for action in sorted(SafetyAction)] == order


def test_the_strongest_wins() -> None:
    assert react([], Phase.OUTBOUND) is SafetyAction.NONE
    assert react([Fault.BATTERY_LOW], Phase.OUTBOUND) is SafetyAction.RETURN
    assert react([Fault.BATTERY_LOW, Fault.GPS_LOST], Phase.OUTBOUND) is SafetyAction.LAND


@pytest.mark.parametrize("fault", Fault)
def test_nobody_acts_against_a_pilot(fault: Fault) -> None:
    assert TABLE[fault][Phase.HANDED_OVER] <= SafetyAction.WARN


@pytest.mark.parametrize("fault", [Fault.LINK_STALE, Fault.LINK_LOST])
def test_an_unheard_vehicle_is_not_commanded(fault: Fault) -> None:
    assert max(TABLE[fault].values()) <= SafetyAction.WARN


def test_a_fault_must_hold_before_it_counts_and_be_gone_before_it_clears() -> None:
    tracker = FaultTracker()
    seen = [Finding(Fault.BATTERY_LOW, "20 %")]
    assert tracker.update(seen, 0.0) == ([], [])
    assert tracker.update([], 1.0) == ([], []), "a sag under load"
    assert tracker.update(seen, 2.0) == ([], [])
    assert tracker.update(seen, 5.0) == (seen, [])
    assert tracker.present == {Fault.BATTERY_LOW: "20 %"}
    assert tracker.update([], 6.0) == ([], [])
    assert tracker.update(seen, 10.0) == ([], []), "back before it was clear"
    assert tracker.update([], 11.0) == ([], [])
    assert tracker.update([], 21.0) == ([], [Fault.BATTERY_LOW])
    assert tracker.present == {}


def test_facts_stay_until_they_are_ended_by_name() -> None:
    tracker = FaultTracker()
    assert tracker.latch(Fault.WINCH_JAM, "stopped at 5 m")
    assert not tracker.latch(Fault.WINCH_JAM, "stopped at 5 m"), "known already"
    assert tracker.update([], 100.0) == ([], [])
    assert Fault.WINCH_JAM in tracker.present
    assert tracker.clear(Fault.WINCH_JAM, Fault.CONTROL_TAKEN) == [Fault.WINCH_JAM]
    assert tracker.present == {}
    assert Fault.WINCH_JAM in LATCHED
