"""Faults of the vehicle and the weather in the phases where they matter, each to its named end."""

from pathlib import Path

import pytest

from flight.messages import AedReleased, FlightEnded, SafetyActionTaken
from flight.model.faults import Fault
from flight.model.phases import AedState, Phase, SafeState
from tests.scenario.flight.stage import Stage, perform, straight_plan
from tests.scenario.flight.test_abort_and_steering import take_off_to

DOWN_SAFELY = {SafeState.ON_PAD, SafeState.LANDED_AT_RALLY, SafeState.LANDED_ELSEWHERE}


def faults(stage: Stage) -> set[Fault]:
    return {event.fault for event in stage.of(SafetyActionTaken)}


def told_the_truth(stage: Stage, ended: FlightEnded) -> None:
    """What is said about the AED against where the simulator has it."""
    truly = stage.vehicle.payload.load.value
    if ended.aed is AedState.RELEASED:
        assert truly == "on_ground"
    if ended.aed is AedState.ON_BOARD:
        assert truly == "on_hook"
    assert ended.reason


@pytest.mark.parametrize(
    ("name", "strength", "duration_s", "phase", "expected"),
    [
        ("gps_loss", None, None, Phase.OUTBOUND, Fault.GPS_LOST),
        ("gps_loss", None, None, Phase.LOWERING, Fault.GPS_LOST),
        ("gps_loss", None, None, Phase.INBOUND, Fault.GPS_LOST),
        ("gps_glitch", 60.0, 3.0, Phase.OUTBOUND, Fault.GPS_GLITCH),
        ("gps_glitch", 60.0, 3.0, Phase.LOWERING, Fault.GPS_GLITCH),
        ("ekf_failure", None, None, Phase.OUTBOUND, Fault.ESTIMATOR_FAILED),
        ("battery_charge", 0.14, None, Phase.OUTBOUND, Fault.BATTERY_CRITICAL),
        ("battery_charge", 0.14, None, Phase.LOWERING, Fault.BATTERY_CRITICAL),
        ("battery_charge", 0.14, None, Phase.INBOUND, Fault.BATTERY_CRITICAL),
        ("motor_weak", 0.25, None, Phase.OUTBOUND, Fault.MOTOR_TROUBLE),
    ],
)
def test_a_fault_leads_to_a_named_end(
    name: str, strength: float | None, duration_s: float | None, phase: Phase, expected: Fault, tmp_path: Path
) -> None:
    seen: list[FlightEnded] = []

    async def play(stage: Stage) -> None:
        await take_off_to(stage, phase)
        await stage.clock.sleep(4)
        stage.vehicle.faults.set(name, strength, duration_s=duration_s)
        seen.append(await stage.end(900))

    stage = perform(play, tmp_path)
    (ended,) = seen
    assert ended.safe_state in DOWN_SAFELY, stage.story()
    told_the_truth(stage, ended)
    assert expected in faults(stage), stage.story()
    assert not stage.vehicle.armed
    if phase is Phase.LOWERING:
        assert not stage.of(AedReleased)
        assert "dropped" not in stage.witnessed()


def test_wind_above_the_limit_turns_the_flight_back(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await take_off_to(stage, Phase.OUTBOUND)
        stage.vehicle.faults.set("wind_strong", 14.0)
        ended = await stage.end()
        assert (ended.safe_state, ended.aed) == (SafeState.ON_PAD, AedState.ON_BOARD), stage.story()

    stage = perform(play, tmp_path, plan=straight_plan(700.0))
    assert Fault.WIND_ABOVE_LIMIT in faults(stage)
