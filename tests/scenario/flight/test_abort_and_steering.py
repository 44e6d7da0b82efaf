"""Abort, return, hold, divert and land from wherever the flight is."""

from pathlib import Path

import pytest

from flight.messages import (
    AbortFlight,
    AedReleased,
    ContinueFlight,
    DeliveryFailed,
    DivertFlight,
    HoldFlight,
    LandNow,
    PhaseChanged,
    ReturnHome,
)
from flight.model.phases import AedState, Phase, SafeState
from tests.scenario.flight.stage import Stage, perform, straight_plan

ON_THE_GROUND = (Phase.PREPARING, Phase.ARMING, Phase.ARMED)
BEFORE_THE_RELEASE = (Phase.CLIMBING, Phase.OUTBOUND, Phase.HOVERING, Phase.LOWERING)
AFTER_THE_RELEASE = (Phase.RETRACTING, Phase.INBOUND)


async def take_off_to(stage: Stage, phase: Phase) -> None:
    await stage.ready()
    await stage.tell(stage.mission())
    await stage.phase(phase)


def never_left_the_corridor(stage: Stage) -> None:
    """By the simulator's true position along the whole flight: a straight plan, so latitude is the offset."""
    assert max(stage.offsets_m) <= stage.plan.corridor_half_width_m


@pytest.mark.parametrize("phase", ON_THE_GROUND)
def test_abort_on_the_ground_never_takes_off(phase: Phase, tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await take_off_to(stage, phase)
        assert (await stage.answer(stage.order(AbortFlight))).kind == "command_accepted"
        ended = await stage.end(60)
        assert ended.safe_state is SafeState.NEVER_LEFT_GROUND
        assert ended.aed is AedState.ON_BOARD

    stage = perform(play, tmp_path)
    assert not stage.vehicle.armed
    assert stage.vehicle.body.height_above_ground_m < 0.6
    assert Phase.OUTBOUND not in stage.phases()


@pytest.mark.parametrize("phase", BEFORE_THE_RELEASE)
def test_abort_before_the_release_brings_the_aed_home(phase: Phase, tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await take_off_to(stage, phase)
        await stage.clock.sleep(1.5)
        assert (await stage.answer(stage.order(AbortFlight))).kind == "command_accepted"
        ended = await stage.end()
        assert (ended.safe_state, ended.aed) == (SafeState.ON_PAD, AedState.ON_BOARD), stage.story()

    stage = perform(play, tmp_path)
    assert stage.vehicle.payload.load.value == "on_hook"
    assert stage.vehicle.payload.line_length_m < 0.3
    assert len(stage.of(DeliveryFailed)) == 1
    assert not stage.of(AedReleased)
    never_left_the_corridor(stage)


@pytest.mark.parametrize("after_s", [0.1, 0.4, 0.6])
def test_abort_overtaking_the_lowering_leaves_no_line_out(after_s: float, tmp_path: Path) -> None:
    """On a slow link the winch may begin after the abort looked at it."""

    async def play(stage: Stage) -> None:
        await take_off_to(stage, Phase.HOVERING)
        stage.delay_s = (0.35, 0.35)
        await stage.phase(Phase.LOWERING)
        await stage.clock.sleep(after_s)
        await stage.answer(stage.order(AbortFlight))
        ended = await stage.end()
        assert (ended.safe_state, ended.aed) == (SafeState.ON_PAD, AedState.ON_BOARD)

    stage = perform(play, tmp_path)
    assert stage.vehicle.payload.line_length_m < 0.3


def test_abort_while_releasing_tells_the_truth_about_the_aed(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await take_off_to(stage, Phase.RELEASING)
        await stage.answer(stage.order(AbortFlight))
        ended = await stage.end()
        assert ended.safe_state is SafeState.ON_PAD
        truly_released = stage.vehicle.payload.load.value == "on_ground"
        believed = {AedState.RELEASED: True, AedState.ON_BOARD: False}.get(ended.aed, truly_released)
        assert believed == truly_released

    stage = perform(play, tmp_path)
    assert stage.vehicle.payload.line_length_m < 0.3


@pytest.mark.parametrize("phase", AFTER_THE_RELEASE)
def test_abort_after_the_release_changes_nothing(phase: Phase, tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await take_off_to(stage, phase)
        assert (await stage.answer(stage.order(AbortFlight))).kind == "command_accepted"
        ended = await stage.end()
        assert (ended.safe_state, ended.aed) == (SafeState.ON_PAD, AedState.RELEASED)

    stage = perform(play, tmp_path)
    assert not stage.of(DeliveryFailed)


def test_return_half_way_flies_the_same_leg_backwards(tmp_path: Path) -> None:
    turned_at_m = 0.0

    async def play(stage: Stage) -> None:
        nonlocal turned_at_m
        await take_off_to(stage, Phase.OUTBOUND)
        await stage.until(lambda: stage.metres_from_pad() > 130)
        turned_at_m = stage.metres_from_pad()
        await stage.answer(stage.order(ReturnHome))
        assert (await stage.end()).safe_state is SafeState.ON_PAD

    stage = perform(play, tmp_path)
    assert stage.phases()[-4:] == [Phase.OUTBOUND, Phase.RETURNING, Phase.LANDING, Phase.ENDED]
    assert max(stage.distances_m) < turned_at_m + 90, "it turned round instead of flying on"
    never_left_the_corridor(stage)


def test_hold_stands_still_and_continue_delivers(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await take_off_to(stage, Phase.OUTBOUND)
        await stage.until(lambda: stage.metres_from_pad() > 100)
        await stage.answer(stage.order(HoldFlight))
        await stage.clock.sleep(10)
        first_m = stage.metres_from_pad()
        await stage.clock.sleep(10)
        assert abs(stage.metres_from_pad() - first_m) < 3
        assert stage.vehicle.mode == "BRAKE"
        refused = await stage.answer(stage.order(ContinueFlight, flight_id="flt_other"))
        assert refused.reasons[0].code == "no_such_flight"
        assert (await stage.answer(stage.order(ContinueFlight))).kind == "command_accepted"
        assert (await stage.end()).aed is AedState.RELEASED

    perform(play, tmp_path)


def test_return_out_of_a_hold(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await take_off_to(stage, Phase.OUTBOUND)
        await stage.clock.sleep(8)
        await stage.answer(stage.order(HoldFlight))
        await stage.clock.sleep(5)
        await stage.answer(stage.order(ReturnHome))
        ended = await stage.end()
        assert (ended.safe_state, ended.aed) == (SafeState.ON_PAD, AedState.ON_BOARD)

    never_left_the_corridor(perform(play, tmp_path))


def test_divert_lands_at_the_rally_point(tmp_path: Path) -> None:
    plan = straight_plan()
    assert plan.rally_points, "the play needs a refuge"

    async def play(stage: Stage) -> None:
        await take_off_to(stage, Phase.OUTBOUND)
        await stage.until(lambda: stage.metres_from_pad() > 200)
        await stage.answer(stage.order(DivertFlight))
        ended = await stage.end()
        assert ended.safe_state is SafeState.LANDED_AT_RALLY, stage.story()
        assert ended.aed is AedState.ON_BOARD

    perform(play, tmp_path, plan=plan)


def test_land_now_lands_where_it_is(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await take_off_to(stage, Phase.OUTBOUND)
        await stage.until(lambda: stage.metres_from_pad() > 150)
        await stage.answer(stage.order(LandNow))
        ended = await stage.end()
        assert ended.safe_state is SafeState.LANDED_ELSEWHERE
        assert ended.position is not None

    stage = perform(play, tmp_path)
    assert stage.metres_from_pad() > 130


def test_steering_a_drone_on_the_ground_is_refused_with_the_reason(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await take_off_to(stage, Phase.PREPARING)
        for kind, code in ((ReturnHome, "still_on_ground"), (HoldFlight, "still_on_ground")):
            answer = await stage.answer(stage.order(kind))
            assert answer.reasons[0].code == code
            assert answer.reasons[0].detail_zh

    perform(play, tmp_path)


def test_a_hold_is_refused_while_the_line_is_out(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await take_off_to(stage, Phase.LOWERING)
        answer = await stage.answer(stage.order(HoldFlight))
        assert answer.reasons[0].code == "line_out"
        assert (await stage.end()).aed is AedState.RELEASED

    stage = perform(play, tmp_path)
    assert [event.phase for event in stage.of(PhaseChanged)].count(Phase.HOLDING) == 0


def test_an_abort_for_another_patient_is_refused_in_the_air_and_taken_on_the_pad(tmp_path: Path) -> None:
    async def in_the_air(stage: Stage) -> None:
        await take_off_to(stage, Phase.OUTBOUND)
        refused = await stage.answer(stage.order(AbortFlight, only_on_ground=True, reason="needed elsewhere"))
        assert refused.kind == "command_refused"
        assert refused.reasons[0].code == "in_the_air"
        assert (await stage.end(900)).aed is AedState.RELEASED

    perform(in_the_air, tmp_path / "air")

    async def on_the_pad(stage: Stage) -> None:
        await take_off_to(stage, Phase.PREPARING)
        accepted = await stage.answer(
            stage.order(AbortFlight, only_on_ground=True, reason="needed elsewhere")
        )
        assert accepted.kind == "command_accepted"
        assert (await stage.end(60)).safe_state is SafeState.NEVER_LEFT_GROUND

    perform(on_the_pad, tmp_path / "pad")
