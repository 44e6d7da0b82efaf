"""Weather that leaves the airframe's limits in flight, and an operator whose hold keeps a patient waiting."""

from pathlib import Path

import pytest

from flight.message_parts import Reason
from flight.messages import (
    ContinueFlight,
    DeliveryFailed,
    FaultCleared,
    HoldFlight,
    ReturnHome,
    SafetyActionTaken,
    WeatherJudged,
)
from flight.model.faults import Fault, SafetyAction
from flight.model.phases import AedState, Phase, SafeState
from tests.scenario.flight.stage import Stage, perform
from tests.scenario.flight.test_abort_and_steering import take_off_to

RAIN = Reason("rain_above_limit", "The station's sensor reports up to 12.0 mm/h of rain.", "雨量超限。")


def told(stage: Stage, fault: Fault) -> list[SafetyActionTaken]:
    return [event for event in stage.of(SafetyActionTaken) if event.fault is fault]


@pytest.mark.parametrize(
    ("phase", "ends", "action"),
    [
        (Phase.PREPARING, SafeState.NEVER_LEFT_GROUND, SafetyAction.LAND),
        (Phase.CLIMBING, SafeState.ON_PAD, SafetyAction.RETURN),
        (Phase.OUTBOUND, SafeState.ON_PAD, SafetyAction.RETURN),
    ],
)
def test_weather_that_is_not_fit_ends_a_flight_that_has_not_arrived(
    phase: Phase, ends: SafeState, action: SafetyAction, tmp_path: Path
) -> None:
    async def play(stage: Stage) -> None:
        await take_off_to(stage, phase)
        answer = await stage.answer(stage.notice(WeatherJudged, against=(RAIN,)))
        assert answer.kind == "command_accepted"
        ended = await stage.end()
        assert (ended.safe_state, ended.aed) == (ends, AedState.ON_BOARD), stage.story()

    stage = perform(play, tmp_path)
    (fault,) = told(stage, Fault.WEATHER_UNFIT)
    assert (fault.action, fault.detail) == (action, RAIN.detail)
    assert Phase.HOVERING not in stage.phases()


@pytest.mark.parametrize("phase", [Phase.HOVERING, Phase.LOWERING])
def test_over_the_patient_it_delivers(phase: Phase, tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await take_off_to(stage, phase)
        await stage.answer(stage.notice(WeatherJudged, against=(RAIN,)))
        assert (await stage.end()).aed is AedState.RELEASED, stage.story()

    stage = perform(play, tmp_path)
    (fault,) = told(stage, Fault.WEATHER_UNFIT)
    assert fault.action is SafetyAction.WARN
    assert not stage.of(DeliveryFailed)


def test_weather_of_another_flight_is_refused_and_better_weather_is_said(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await take_off_to(stage, Phase.HOVERING)
        other = await stage.answer(stage.notice(WeatherJudged, flight_id="flt_0", against=(RAIN,)))
        assert other.kind == "command_refused"
        assert not told(stage, Fault.WEATHER_UNFIT)
        for against in ((RAIN,), ()):
            await stage.answer(stage.notice(WeatherJudged, against=against))
        await stage.end()

    stage = perform(play, tmp_path)
    assert Fault.WEATHER_UNFIT in [event.fault for event in stage.of(FaultCleared)]


def test_an_operator_who_holds_for_long_is_alarmed_and_then_another_drone_is_asked_for(
    tmp_path: Path,
) -> None:
    async def play(stage: Stage) -> None:
        await take_off_to(stage, Phase.OUTBOUND)
        await stage.answer(stage.order(HoldFlight))
        held_s = stage.clock.monotonic_s()
        await stage.until(lambda: told(stage, Fault.HELD_LONG), 60)
        assert 45.0 < stage.clock.monotonic_s() - held_s < 47.0
        assert not stage.of(DeliveryFailed)
        (failed,) = await stage.until(lambda: stage.of(DeliveryFailed), 90)
        assert 120.0 < stage.clock.monotonic_s() - held_s < 122.0
        assert failed.reason.code == "held_too_long"
        await stage.clock.sleep(20)
        assert stage.phases()[-1] is Phase.HOLDING, "it stands as it was told"
        assert Fault.HELD_LONG in [event.fault for event in stage.of(FaultCleared)]
        await stage.answer(stage.order(ContinueFlight))
        ended = await stage.end()
        assert (ended.safe_state, ended.aed) == (SafeState.ON_PAD, AedState.ON_BOARD), stage.story()

    stage = perform(play, tmp_path)
    assert len(told(stage, Fault.HELD_LONG)) == len(stage.of(DeliveryFailed)) == 1
    assert Phase.HOVERING not in stage.phases()


def test_a_hold_on_the_way_home_keeps_nobody_waiting(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await take_off_to(stage, Phase.OUTBOUND)
        await stage.answer(stage.order(ReturnHome))
        await stage.phase(Phase.RETURNING)
        await stage.answer(stage.order(HoldFlight))
        await stage.clock.sleep(60)
        await stage.answer(stage.order(ContinueFlight))
        await stage.end()

    stage = perform(play, tmp_path)
    assert not told(stage, Fault.HELD_LONG)


def test_a_controller_that_dies_while_turning_back_remembers_why(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await take_off_to(stage, Phase.OUTBOUND)
        await stage.answer(stage.notice(WeatherJudged, against=(RAIN,)))
        await stage.phase(Phase.RETURNING)
        await stage.kill_agent()
        await stage.clock.sleep(2)
        stage.start_agent()
        ended = await stage.end()
        assert (ended.safe_state, ended.aed) == (SafeState.ON_PAD, AedState.ON_BOARD), stage.story()

    perform(play, tmp_path)
