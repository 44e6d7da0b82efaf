"""The failsafe table, and faults that must hold before they count."""

import itertools
from datetime import UTC, datetime

import pytest

from flight.fault_desk import SAFETY_TRIGGERS
from flight.model.failsafe import GROUPS, TABLE, WaysOpen, decide, react
from flight.model.faults import LATCHED, RULES, Fault, Finding, SafetyAction
from flight.model.phases import (
    AIRBORNE_PHASES,
    LINE_OUT_PHASES,
    Phase,
    Row,
    State,
    Trigger,
    advance,
)
from flight.model.phases import TABLE as PHASES
from flight.model.tracker import FaultTracker

NOW = datetime(2026, 1, 1, tzinfo=UTC)


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


# --- the table as a whole ----------------------------------------------------------------------

AIR = sorted(AIRBORNE_PHASES)


def test_every_phase_stands_in_exactly_one_column() -> None:
    listed = [phase for phases in GROUPS.values() for phase in phases]
    assert sorted(listed) == sorted(Phase)


@pytest.mark.parametrize("fault", Fault)
def test_every_action_of_the_table_is_one_that_its_phase_takes(fault: Fault) -> None:
    """Above WARN the phase machine moves, or does it already; only a hold that stands may be ignored."""
    for phase in set(Phase) - {Phase.DISCONNECTED, Phase.STANDBY, Phase.ENDED}:
        action = TABLE[fault][phase]
        if action > SafetyAction.WARN and not isinstance(PHASES[phase][SAFETY_TRIGGERS[action]], Row):
            assert phase in (Phase.STANDING_OFF, Phase.HOLDING, Phase.DISARMING), (fault, phase)


@pytest.mark.parametrize("fault", Fault)
def test_what_stops_a_flight_keeps_it_standing(fault: Fault) -> None:
    """Else it would go on, stop, go on."""
    stops = any(
        TABLE[fault][phase] is SafetyAction.HOLD
        for phase in (Phase.CLIMBING, Phase.OUTBOUND, Phase.HOVERING, Phase.INBOUND, Phase.RETURNING)
    )
    if stops:
        assert TABLE[fault][Phase.STANDING_OFF] >= SafetyAction.HOLD


@pytest.mark.parametrize("fault", Fault)
def test_no_fault_sends_a_flight_over_a_closed_way(fault: Fault) -> None:
    for phase, home, rally in itertools.product(AIR, (True, False), (True, False)):
        action = decide({fault: ""}, phase, WaysOpen(home=home, rally=rally))
        if phase in LINE_OUT_PHASES or phase is Phase.CLIMBING:
            assert action is react([fault], phase)
            continue
        assert not (action is SafetyAction.RETURN and not home)
        assert not (action is SafetyAction.DIVERT and not rally)
        if react([fault], phase) < SafetyAction.RETURN:
            assert action is react([fault], phase), "nothing is made weaker or stronger without need"


@pytest.mark.parametrize("fault", Fault)
def test_a_fault_leads_to_an_end_by_itself_wherever_it_may_not_wait(fault: Fault) -> None:
    """From every phase in the air, following what the table asks while the fault stays and every deadline
    passes, the flight comes down: nothing waits for ever for a person."""
    for start in AIR:
        if start in (Phase.HANDED_OVER, Phase.UNCLAIMED):
            continue
        state = State(start, NOW, held=Phase.OUTBOUND)
        for _ in range(12):
            present = {fault: ""}
            if state.phase is Phase.STANDING_OFF:
                present[Fault.NO_NEW_WAY] = ""
            # A zone ahead on the way home is a way home that is closed.
            ways = WaysOpen(home=fault is not Fault.ZONE_AHEAD)
            action = decide(present, state.phase, ways)
            trigger = SAFETY_TRIGGERS.get(action) or PROGRESS.get(state.phase)
            if trigger is None or state.phase is Phase.HOLDING:
                break
            step = advance(state, trigger, NOW)
            if step.state == state and trigger in SAFETY_TRIGGERS.values():
                step = advance(state, PROGRESS[state.phase], NOW)
            state = step.state
            if state.phase is Phase.ENDED:
                break
        assert state.phase is Phase.ENDED or state.phase is Phase.HOLDING, (fault, start, state.phase)


PROGRESS = {
    Phase.CLIMBING: Trigger.CLIMBED,
    Phase.OUTBOUND: Trigger.AT_DELIVERY,
    Phase.HOVERING: Trigger.SETTLED,
    Phase.LOWERING: Trigger.AED_AT_GROUND,
    Phase.TOUCHING_DOWN: Trigger.DOWN_AT_DELIVERY,
    Phase.UNLOADING: Trigger.RELEASE_CONFIRMED,
    Phase.RELEASING: Trigger.RELEASE_CONFIRMED,
    Phase.RETRACTING: Trigger.LINE_IN,
    Phase.RECOVERING_LINE: Trigger.LINE_IN,
    Phase.INBOUND: Trigger.FINAL_DESCENT,
    Phase.RETURNING: Trigger.FINAL_DESCENT,
    Phase.STANDING_OFF: Trigger.CAUSE_GONE,
    Phase.REROUTING: Trigger.REROUTE_FAILED,
    Phase.DIVERTING: Trigger.FINAL_DESCENT,
    Phase.AUTOPILOT_RETURN: Trigger.FINAL_DESCENT,
    Phase.LANDING: Trigger.DISARMED_ON_PAD,
    Phase.LANDING_HERE: Trigger.DISARMED_ELSEWHERE,
}
"""What a vehicle shows next when all goes well. HOLDING waits for the person who asked for it."""


def test_waiting_for_a_closed_way_ends_with_the_battery() -> None:
    closed = WaysOpen(home=False, rally=False)
    assert decide({Fault.NO_NEW_WAY: ""}, Phase.STANDING_OFF, closed) is SafetyAction.HOLD
    energy = {Fault.NO_NEW_WAY: "", Fault.ENERGY_SHORT: ""}
    assert decide(energy, Phase.STANDING_OFF, closed) is SafetyAction.LAND
    assert decide(energy, Phase.STANDING_OFF, WaysOpen(home=False, rally=True)) is SafetyAction.DIVERT


def test_motors_are_stopped_only_on_the_ground() -> None:
    stopping = {
        (fault, phase) for fault in Fault for phase in Phase if TABLE[fault][phase] is SafetyAction.TERMINATE
    }
    assert {fault for fault, _ in stopping} == {Fault.CRASHED, Fault.GROUND_UNNOTICED}


def test_under_an_aircraft_that_does_not_go_it_comes_down_nearby() -> None:
    both = {Fault.INTRUDER: "", Fault.NO_NEW_WAY: ""}
    assert decide(both, Phase.STANDING_OFF, WaysOpen()) is SafetyAction.DIVERT
    assert decide({Fault.INTRUDER: ""}, Phase.STANDING_OFF, WaysOpen()) is SafetyAction.HOLD
