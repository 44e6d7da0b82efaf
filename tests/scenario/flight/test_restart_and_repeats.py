"""The controller dies at any moment and another takes over; commands come twice."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from pymavlink import mavutil

from core.errors import InternalError
from flight.journal import Journal
from flight.messages import (
    AbortFlight,
    AedOnGround,
    AedReleased,
    CommandAccepted,
    ConfirmAedLoaded,
    FlightEnded,
    FlightResumed,
    HoldFlight,
    PhaseChanged,
    PreflightChecked,
    ReportState,
    ReturnHome,
    VehicleState,
)
from flight.model.phases import AedState, Phase, SafeState
from tests.scenario.flight.stage import Stage, perform
from tests.scenario.flight.test_abort_and_steering import take_off_to

KILLED_IN = (
    Phase.PREPARING,
    Phase.ARMED,
    Phase.CLIMBING,
    Phase.OUTBOUND,
    Phase.LOWERING,
    Phase.RELEASING,
    Phase.RETRACTING,
    Phase.INBOUND,
)


def armed_times(stage: Stage) -> int:
    return stage.witnessed().count("armed")


@pytest.mark.parametrize("phase", KILLED_IN)
def test_a_new_controller_takes_the_flight_up_and_finishes_it(phase: Phase, tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await take_off_to(stage, phase)
        await stage.clock.sleep(0.4)
        await stage.kill_agent()
        await stage.clock.sleep(3)
        began_s = stage.clock.monotonic_s()
        stage.start_agent()
        await stage.until(lambda: stage.of(FlightResumed), 20)
        assert stage.clock.monotonic_s() - began_s <= 5, "supervision is back within five seconds"
        ended = await stage.end()
        assert ended.safe_state is SafeState.ON_PAD, stage.story()
        assert ended.aed is AedState.RELEASED, stage.story()

    stage = perform(play, tmp_path)
    assert armed_times(stage) == 1, "launched once"
    assert stage.vehicle.payload.load.value == "on_ground"
    (resumed,) = stage.of(FlightResumed)
    assert resumed.truth.mission_matches_plan in (True, None)


def test_a_controller_that_dies_while_arming_calls_the_flight_off(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await take_off_to(stage, Phase.ARMING)
        await stage.kill_agent()
        await stage.clock.sleep(15)
        stage.start_agent()
        ended = await stage.end(60)
        assert ended.safe_state is SafeState.NEVER_LEFT_GROUND

    stage = perform(play, tmp_path)
    assert not stage.vehicle.armed
    assert stage.metres_from_pad() < 1


@pytest.mark.parametrize("phase", [Phase.LOWERING, Phase.INBOUND])
def test_a_flight_that_ended_meanwhile_is_ended_with_what_the_vehicle_shows(
    phase: Phase, tmp_path: Path
) -> None:
    async def play(stage: Stage) -> None:
        await take_off_to(stage, phase)
        await stage.clock.sleep(1)
        await stage.kill_agent()
        await stage.until(lambda: not stage.vehicle.armed, 600)
        await stage.clock.sleep(30)
        stage.start_agent()
        ended = await stage.end(60)
        assert ended.safe_state is SafeState.ON_PAD
        expected = AedState.RELEASED if phase is Phase.INBOUND else AedState.ON_BOARD
        assert ended.aed is expected
        assert (stage.vehicle.payload.load.value == "on_ground") == (expected is AedState.RELEASED)

    stage = perform(play, tmp_path)
    assert armed_times(stage) == 1
    # The mission retracts by the hover height; the slack for the ground stays out.
    assert stage.vehicle.payload.line_length_m < 1.0


def test_a_vehicle_found_with_another_mission_is_not_steered_by_our_item_numbers(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await take_off_to(stage, Phase.OUTBOUND)
        await stage.kill_agent()
        items = stage.vehicle.autopilot.mission_store.items
        items[-1] = replace(items[-1], z_cm=items[-1].z_cm + 700)
        stage.start_agent()
        (resumed,) = await stage.until(lambda: stage.of(FlightResumed), 20)
        assert resumed.truth.mission_matches_plan is False
        assert resumed.phase is Phase.HANDED_OVER
        answer = await stage.answer(stage.order(ReturnHome))
        assert answer.reasons[0].code == "control_elsewhere"
        ended = await stage.end()
        assert (ended.safe_state, ended.aed) == (SafeState.ON_PAD, AedState.ON_BOARD), stage.story()

    stage = perform(play, tmp_path)
    assert stage.vehicle.payload.load.value == "on_hook", "nothing was released by numbers of another mission"


def test_what_was_said_is_said_again_with_the_same_ids(tmp_path: Path) -> None:
    """Hub and agent die together: the bus forgets, the journal does not."""

    async def play(stage: Stage) -> None:
        await take_off_to(stage, Phase.INBOUND)
        before = {
            event.event_id: event for event in stage.said if getattr(event, "flight_id", None) == "flt_1"
        }
        await stage.kill_agent()
        stage.forget_bus()
        await stage.clock.sleep(1)
        stage.start_agent()
        await stage.end()
        again = {
            event.event_id: event for event in stage.said if getattr(event, "flight_id", None) == "flt_1"
        }
        kept = {k: v for k, v in before.items() if isinstance(v, PhaseChanged | AedReleased | AedOnGround)}
        assert kept
        assert all(again[event_id] == event for event_id, event in kept.items())

    perform(play, tmp_path)


def test_the_same_command_twice_flies_once_and_is_answered_twice(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await stage.ready()
        command = stage.mission()
        await stage.tell(command)
        await stage.phase(Phase.OUTBOUND)
        await stage.tell(command)
        await stage.clock.sleep(130)
        await stage.tell(command)
        await stage.end()
        await stage.tell(command)
        await stage.clock.sleep(20)

    stage = perform(play, tmp_path)
    assert armed_times(stage) == 1
    accepted = [event for event in stage.of(CommandAccepted) if event.command_kind == "fly_mission"]
    assert len({event.event_id for event in accepted}) == 1
    assert len(accepted) >= 2


def test_a_command_repeated_after_a_restart_is_answered_as_before(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await take_off_to(stage, Phase.OUTBOUND)
        hold = stage.order(HoldFlight, flight_id="flt_unknown")
        refused = await stage.answer(hold)
        await stage.kill_agent()
        stage.forget_bus()
        stage.start_agent()
        assert (await stage.answer(hold)) == refused
        assert (await stage.end()).aed is AedState.RELEASED

    perform(play, tmp_path)


def test_an_aborted_flight_that_never_began_can_no_longer_begin(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await stage.ready()
        await stage.answer(stage.order(AbortFlight, flight_id="flt_late"))
        ended = await stage.end(10, flight_id="flt_late")
        assert ended.safe_state is SafeState.NEVER_LEFT_GROUND
        late = await stage.answer(stage.mission("flt_late"))
        assert late.reasons[0].code == "flight_over"
        await stage.kill_agent()
        stage.start_agent()
        await stage.clock.sleep(5)
        again = await stage.answer(stage.mission("flt_late"))
        assert again.reasons[0].code == "flight_over", "a restart does not forget it"

    stage = perform(play, tmp_path)
    assert armed_times(stage) == 0


def test_an_expired_plan_is_refused(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await stage.ready()
        wait_s = (stage.plan.valid_until - stage.clock.now()).total_seconds() + 1
        await stage.clock.sleep(wait_s)
        refused = await stage.answer(stage.mission())
        assert refused.reasons[0].code == "plan_expired"

    perform(play, tmp_path)


def test_a_second_mission_is_refused_while_one_flies(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await take_off_to(stage, Phase.CLIMBING)
        refused = await stage.answer(stage.mission("flt_2"))
        assert refused.reasons[0].code == "flight_under_way"

    perform(play, tmp_path)


def test_an_empty_drone_flies_again_only_after_somebody_loaded_it(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await take_off_to(stage, Phase.OUTBOUND)
        assert (await stage.end()).aed is AedState.RELEASED
        await stage.clock.sleep(5)
        later = replace(stage.plan, valid_until=stage.clock.now() + timedelta(minutes=10))
        refused = await stage.answer(stage.mission("flt_2", plan=later))
        assert "aed_missing" in {reason.code for reason in refused.reasons}
        await stage.kill_agent()
        stage.start_agent()
        await stage.clock.sleep(8)
        assert not stage.of(PreflightChecked)[-1].ready, "a restart does not fill the hook"
        stage.vehicle.payload.load_up()
        loaded = ConfirmAedLoaded(
            command_id=stage.ids.new("cmd"), drone_id="d1", issued_at=stage.clock.now(), confirmed_by="test"
        )
        assert (await stage.answer(loaded)).kind == "command_accepted"
        await stage.clock.sleep(2)
        assert stage.of(PreflightChecked)[-1].ready

    perform(play, tmp_path)


def test_a_drone_that_is_not_ready_says_why(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await stage.until(lambda: stage.of(PreflightChecked), 20)
        refused = await stage.answer(stage.mission())
        codes = {reason.code for reason in refused.reasons}
        assert codes & {"estimator_not_ready", "gps_no_fix", "estimator_unknown"}, codes

    stage = perform(play, tmp_path, ready_after_s=60.0)
    assert armed_times(stage) == 0


def test_a_report_tells_the_state(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await stage.ready()
        ask = ReportState(command_id=stage.ids.new("cmd"), drone_id="d1", issued_at=stage.clock.now())
        await stage.answer(ask)
        (state,) = await stage.until(lambda: stage.of(VehicleState), 10)
        assert state.phase is Phase.STANDBY
        assert state.truth.armed is False
        assert state.truth.mode == "GUIDED"

    perform(play, tmp_path)


def test_two_controllers_of_one_drone_cannot_be(tmp_path: Path) -> None:
    first = Journal(tmp_path / "d1.jsonl")
    with pytest.raises(InternalError):
        Journal(tmp_path / "d1.jsonl")
    first.close()
    Journal(tmp_path / "d1.jsonl").close()


def test_the_record_of_a_flight_can_be_read_by_others(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await take_off_to(stage, Phase.INBOUND)
        await stage.kill_agent()
        stage.start_agent()
        await stage.end()
        await stage.clock.sleep(1)

    stage = perform(play, tmp_path)
    folder = tmp_path / "records" / "flt_1"
    log = mavutil.mavlink_connection(str(folder / "flight.tlog"))
    kinds = set()
    while (message := log.recv_match()) is not None:
        kinds.add(message.get_type())
    assert {"HEARTBEAT", "GLOBAL_POSITION_INT", "COMMAND_LONG", "MISSION_ITEM_INT", "COMMAND_ACK"} <= kinds
    assert "BAD_DATA" not in kinds
    log.close()
    events = json.loads((folder / "events.json").read_text())
    assert [event["kind"] for event in events].count("flight_ended") == 1
    assert len({event["event_id"] for event in events}) == len(events)
    track = json.loads((folder / "track.geojson").read_text())
    line = next(f for f in track["features"] if f["geometry"]["type"] == "LineString")
    assert len(line["geometry"]["coordinates"]) > 50
    assert b"<coordinates>" in (folder / "track.kml").read_bytes()
    plan = json.loads((folder / "plan.json").read_text())
    assert plan["plan_id"] == stage.plan.plan_id
    assert json.loads((folder / "mission.plan").read_text())["fileType"] == "Plan"
    assert [e.safe_state for e in stage.of(FlightEnded)] == [SafeState.ON_PAD]
