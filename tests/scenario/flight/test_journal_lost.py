"""A controller without its journal finds its vehicle in the air; people close what it cannot."""

from pathlib import Path

from flight.messages import (
    CloseFlight,
    ConfirmAedLoaded,
    FlightEnded,
    HoldFlight,
    LandNow,
    ReturnHome,
    UnknownFlightFound,
)
from flight.model.phases import AedState, Phase, SafeState
from tests.scenario.flight.stage import Stage, perform
from tests.scenario.flight.test_abort_and_steering import take_off_to


async def lose_the_journal(stage: Stage) -> str:
    """On the way out the controller dies and its disk with it; returns the id of the flight that it finds."""
    await take_off_to(stage, Phase.OUTBOUND)
    await stage.clock.sleep(6)
    await stage.kill_agent()
    (stage.folder / "d1.jsonl").unlink()
    stage.start_agent()
    (found,) = await stage.until(lambda: stage.of(UnknownFlightFound), 30)
    assert found.truth.armed
    return str(found.flight_id)


def test_an_unknown_flight_is_watched_and_ends_where_it_lands(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        flight_id = await lose_the_journal(stage)
        refused = await stage.answer(stage.mission("flt_2"))
        assert refused.reasons[0].code == "flight_under_way", "nothing is launched meanwhile"
        refused = await stage.answer(stage.order(ReturnHome, flight_id=flight_id))
        assert refused.reasons[0].code == "no_plan"
        # It flies its own mission: to the delivery, waits, and home. Nobody releases anything.
        ended = await stage.end(900, flight_id=flight_id)
        assert ended.safe_state is SafeState.LANDED_ELSEWHERE
        assert ended.aed is AedState.UNKNOWN

    stage = perform(play, tmp_path)
    assert stage.vehicle.payload.load.value == "on_hook"
    assert stage.metres_from_pad() < 3
    assert stage.witnessed().count("armed") == 1


def test_a_person_may_hold_and_land_it(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        flight_id = await lose_the_journal(stage)
        await stage.answer(stage.order(HoldFlight, flight_id=flight_id))
        await stage.clock.sleep(8)
        assert stage.vehicle.mode == "BRAKE"
        refused = await stage.answer(
            stage.order(CloseFlight, flight_id=flight_id, closed_by="operator", reason="done")
        )
        assert refused.reasons[0].code == "still_flying"
        await stage.answer(stage.order(LandNow, flight_id=flight_id))
        await stage.end(300, flight_id=flight_id)

    perform(play, tmp_path)


def test_one_that_is_never_heard_again_is_closed_by_hand(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        flight_id = await lose_the_journal(stage)
        stage.vehicle.faults.set("link_loss")
        await stage.clock.sleep(20)
        await stage.kill_agent()
        stage.start_agent()
        await stage.clock.sleep(2)
        order = stage.order(
            CloseFlight, flight_id=flight_id, closed_by="operator", reason="lies in the park, secured"
        )
        assert (await stage.answer(order)).kind == "command_accepted", stage.story()
        ended = await stage.end(10, flight_id=flight_id)
        assert (ended.safe_state, ended.aed) == (SafeState.CLOSED_BY_HAND, AedState.UNKNOWN)

    perform(play, tmp_path)


def test_a_known_flight_that_is_not_heard_can_be_closed_by_hand_too(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await take_off_to(stage, Phase.OUTBOUND)
        stage.vehicle.faults.set("link_loss")
        await stage.clock.sleep(20)
        order = stage.order(CloseFlight, closed_by="operator", reason="found by the police")
        assert (await stage.answer(order)).kind == "command_accepted", stage.story()
        ended = await stage.end(10)
        assert ended.safe_state is SafeState.CLOSED_BY_HAND
        assert "police" in ended.reason

    perform(play, tmp_path)


def test_a_rotated_journal_remembers_what_matters(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        command = stage.mission()
        await stage.ready()
        await stage.tell(command)
        await stage.end()
        assert stage.agent is not None
        before = stage.journal.path.stat().st_size
        stage.journal.rotate(stage.agent.memory)
        assert stage.journal.path.stat().st_size < before
        await stage.kill_agent()
        stage.start_agent()
        await stage.clock.sleep(10)
        stage.vehicle.payload.load_up()
        loaded = ConfirmAedLoaded(
            command_id=stage.ids.new("cmd"), drone_id="d1", issued_at=stage.clock.now(), confirmed_by="test"
        )
        assert (await stage.answer(loaded)).kind == "command_accepted", stage.story()
        again = await stage.answer(command)
        assert again.command_id == command.command_id
        await stage.clock.sleep(20)
        assert [event.flight_id for event in stage.of(FlightEnded)].count("flt_1") >= 1

    stage = perform(play, tmp_path)
    assert stage.witnessed().count("armed") == 1, "launched once"
    assert (tmp_path / "d1.jsonl.1").exists()
