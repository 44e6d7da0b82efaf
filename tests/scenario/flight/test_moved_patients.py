"""A patient who moves, people below, an occupied place; and the same while the controller dies or the link is bad."""

from pathlib import Path

import pytest

from flight.fault_desk import NEW_PLAN_WITHIN_S
from flight.messages import (
    AedReleased,
    ContinueFlight,
    FlightRerouted,
    HoldFlight,
    LandingPointCleared,
    LandingPointOccupied,
    PatientMoved,
    PhaseChanged,
    RerouteFailed,
    RerouteFlight,
    ReturnHome,
    ZoneActivated,
)
from flight.model.phases import AedState, Phase, SafeState
from tests.scenario.flight.rerouting_words import (
    AHEAD,
    FIELDS,
    SCHOOL,
    never_in,
    new_plan,
    out_to,
    plan,
    with_planner,
)
from tests.scenario.flight.stage import Stage, perform
from tests.scenario.flight.test_abort_and_steering import take_off_to


def test_a_patient_who_moved_is_served_at_another_place(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await out_to(stage, 200)
        moved = stage.notice(PatientMoved, reason="the caller was at the other gate")
        assert (await stage.answer(moved)).kind == "command_accepted"
        await stage.phase(Phase.STANDING_OFF, 5)
        await stage.clock.sleep(8)
        order = stage.order(RerouteFlight, plan=new_plan(stage, SCHOOL), reason="patient moved")
        assert (await stage.answer(order)).kind == "command_accepted", stage.story()
        ended = await stage.end(900)
        assert (ended.safe_state, ended.aed) == (SafeState.ON_PAD, AedState.RELEASED), stage.story()

    stage = perform(play, tmp_path, plan=plan())
    (released,) = stage.of(AedReleased)
    away_deg = abs(released.position.latitude_deg - SCHOOL.position.latitude_deg)
    assert away_deg < 5e-5, "over the school"


def test_a_patient_who_moved_too_late_is_told_so(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await take_off_to(stage, Phase.LOWERING)
        refused = await stage.answer(stage.notice(PatientMoved, reason="moved"))
        assert refused.reasons[0].code == "too_late"
        assert refused.reasons[0].detail_zh
        assert (await stage.end()).aed is AedState.RELEASED

    perform(play, tmp_path)


def test_nobody_answers_for_a_patient_who_moved(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await out_to(stage, 100)
        await stage.answer(stage.notice(PatientMoved, reason="moved"))
        ended = await stage.end(600)
        assert (ended.safe_state, ended.aed) == (SafeState.ON_PAD, AedState.ON_BOARD)

    perform(play, tmp_path)


def test_a_plan_from_elsewhere_or_from_the_pad_is_refused(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await out_to(stage, 200)
        await stage.answer(stage.order(HoldFlight))
        await stage.clock.sleep(8)
        far = new_plan(stage, SCHOOL, at=FIELDS[0].position)
        refused = await stage.answer(stage.order(RerouteFlight, plan=far, reason="test"))
        assert {reason.code for reason in refused.reasons} == {"not_there"}
        refused = await stage.answer(stage.order(RerouteFlight, plan=stage.plan, reason="test"))
        assert {reason.code for reason in refused.reasons} == {"plan_from_pad"}
        await stage.answer(stage.order(ReturnHome))
        assert (await stage.end()).safe_state is SafeState.ON_PAD

    perform(play, tmp_path, plan=plan())


def test_people_under_the_drone_stop_the_lowering(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await take_off_to(stage, Phase.LOWERING)
        await stage.until(lambda: stage.vehicle.payload.line_length_m > 3)
        occupied = stage.notice(LandingPointOccupied, landing_point_id="park", reported_by="camera")
        assert (await stage.answer(occupied)).kind == "command_accepted"
        ended = await stage.end()
        assert (ended.safe_state, ended.aed) == (SafeState.ON_PAD, AedState.ON_BOARD), stage.story()

    stage = perform(play, tmp_path)
    assert stage.vehicle.payload.line_length_m < 0.3
    assert not stage.of(AedReleased)


def test_an_occupied_place_is_waited_for_over_it(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await take_off_to(stage, Phase.OUTBOUND)
        place = {"landing_point_id": "park", "reported_by": "steward"}
        await stage.answer(stage.notice(LandingPointOccupied, **place))
        await stage.phase(Phase.STANDING_OFF, 120)
        await stage.clock.sleep(15)
        assert stage.vehicle.payload.line_length_m < 0.3
        await stage.answer(stage.notice(LandingPointCleared, **place))
        assert (await stage.end()).aed is AedState.RELEASED, stage.story()

    stage = perform(play, tmp_path)
    assert Phase.LOWERING in stage.phases()


def test_a_controller_that_dies_while_rerouting_writes_the_mission_again(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await out_to(stage, 150)
        await stage.answer(stage.notice(ZoneActivated, zone=AHEAD, airspace_version="test-2"))
        await stage.phase(Phase.REROUTING, 60)
        await stage.clock.sleep(0.5)
        await stage.kill_agent()
        await stage.clock.sleep(4)
        stage.start_agent()
        ended = await stage.end(900)
        assert (ended.safe_state, ended.aed) == (SafeState.ON_PAD, AedState.RELEASED), stage.story()

    stage = perform(play, tmp_path, plan=plan(), agent=with_planner())
    never_in(stage, AHEAD)


def test_a_controller_that_dies_just_after_the_exchange_follows_the_new_mission(tmp_path: Path) -> None:
    """The mission is begun, and nobody has written that down yet."""

    async def play(stage: Stage) -> None:
        await out_to(stage, 150)
        await stage.answer(stage.notice(ZoneActivated, zone=AHEAD, airspace_version="test-2"))
        await stage.phase(Phase.REROUTING, 60)
        await stage.until(lambda: stage.vehicle.mode == "BRAKE", 30)
        while stage.vehicle.mode != "AUTO":
            await stage.clock.sleep(0.02)
        await stage.kill_agent()
        await stage.clock.sleep(20)
        where_m = stage.metres_from_pad()
        stage.start_agent()
        await stage.phase(Phase.OUTBOUND)
        await stage.clock.sleep(5)
        assert stage.metres_from_pad() > where_m, "it flies on, and not back to where the mission began"
        ended = await stage.end(900)
        assert (ended.safe_state, ended.aed) == (SafeState.ON_PAD, AedState.RELEASED), stage.story()

    stage = perform(play, tmp_path, plan=plan(), agent=with_planner())
    never_in(stage, AHEAD)
    assert len({event.event_id for event in stage.of(FlightRerouted)}) == 1


def test_a_controller_that_dies_while_standing_off_remembers_why(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await out_to(stage, 150)
        await stage.answer(stage.notice(PatientMoved, reason="moved"))
        await stage.phase(Phase.STANDING_OFF, 5)
        await stage.clock.sleep(6)
        where_m = stage.metres_from_pad()
        await stage.kill_agent()
        await stage.clock.sleep(3)
        stage.start_agent()
        await stage.clock.sleep(15)
        assert abs(stage.metres_from_pad() - where_m) < 3, "it does not fly on to the old address"
        await stage.answer(stage.order(ContinueFlight))
        assert (await stage.end()).aed is AedState.RELEASED

    perform(play, tmp_path, plan=plan())


def test_a_controller_that_dies_while_standing_off_does_not_stand_for_ever(tmp_path: Path) -> None:
    """Nobody answers: the minute that a flight waits for a new plan goes on, and does not begin again either."""

    async def play(stage: Stage) -> None:
        await out_to(stage, 150)
        await stage.answer(stage.notice(PatientMoved, reason="moved"))
        await stage.phase(Phase.STANDING_OFF, 5)
        stood_s = stage.clock.monotonic_s()
        await stage.clock.sleep(20)
        await stage.kill_agent()
        await stage.clock.sleep(3)
        stage.start_agent()
        await stage.phase(Phase.RETURNING, 120)
        assert NEW_PLAN_WITHIN_S < stage.clock.monotonic_s() - stood_s < NEW_PLAN_WITHIN_S + 5.0
        assert (await stage.end()).aed is AedState.ON_BOARD

    perform(play, tmp_path, plan=plan())


@pytest.mark.parametrize("seed", [3])
def test_rerouting_over_a_bad_link(seed: int, tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await out_to(stage, 150)
        stage.loss, stage.double, stage.delay_s = 0.2, 0.1, (0.01, 0.4)
        await stage.answer(stage.notice(ZoneActivated, zone=AHEAD, airspace_version="test-2"))
        ended = await stage.end(1200)
        assert ended.safe_state in (SafeState.ON_PAD, SafeState.LANDED_AT_RALLY), stage.story()

    stage = perform(play, tmp_path, seed=seed, plan=plan(), agent=with_planner())
    never_in(stage, AHEAD)


def test_an_upload_that_never_succeeds_ends_in_a_named_place(tmp_path: Path) -> None:
    """The vehicle takes no mission any more: the old one may be half overwritten, so none is flown."""

    async def play(stage: Stage) -> None:
        await out_to(stage, 200)
        await stage.answer(stage.order(HoldFlight))
        await stage.clock.sleep(8)
        order = stage.order(RerouteFlight, plan=new_plan(stage, SCHOOL), reason="test")
        receive = stage.vehicle.receive
        # Mission items are lost from now on, everything else passes (MISSION_ITEM_INT is message 73).
        stage.vehicle.receive = lambda data, *more: None if data[7] == 73 else receive(data, *more)  # type: ignore[method-assign]
        assert (await stage.answer(order)).kind == "command_accepted", stage.story()
        await stage.phase(Phase.DIVERTING, 300)
        ended = await stage.end(900)
        assert ended.safe_state is SafeState.LANDED_AT_RALLY, stage.story()
        assert ended.aed is AedState.ON_BOARD

    stage = perform(play, tmp_path, plan=plan())
    assert stage.of(RerouteFailed)
    assert [event.phase for event in stage.of(PhaseChanged)].count(Phase.OUTBOUND) == 1
