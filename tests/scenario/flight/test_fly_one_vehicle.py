"""One vehicle, one link, no hub: what ``drone-aed fly`` does."""

import asyncio
from pathlib import Path

import pytest

from core.errors import LinkError, VehicleError
from flight.fly import FlyOutcome, Standing, discover, fly
from flight.messages import PhaseChanged
from flight.model.phases import AedState, Phase, SafeState
from planner.flight_plan import FlightPlan
from planner.reasons import Reason
from planner.task import NoPlan
from tests.scenario.flight.stage import Stage, Wire, perform


def run_fly(stage: Stage, folder: Path, make_plan: object, **options: object) -> "asyncio.Task[FlyOutcome]":
    return asyncio.create_task(
        fly(
            lambda: Wire(stage),
            make_plan,  # type: ignore[arg-type]
            clock=stage.clock,
            ids=stage.ids,
            folder=folder,
            drone_id="d1",
            on_message=stage.said.append,
            **options,  # type: ignore[arg-type]
        )
    )


def test_it_plans_from_where_the_vehicle_stands_and_flies(tmp_path: Path) -> None:
    stood: list[Standing] = []

    async def play(stage: Stage) -> None:
        await stage.kill_agent()

        def make_plan(standing: Standing) -> FlightPlan:
            stood.append(standing)
            return stage.plan

        outcome = await run_fly(stage, tmp_path / "direct", make_plan)
        assert outcome.ended is not None
        assert (outcome.ended.safe_state, outcome.ended.aed) == (SafeState.ON_PAD, AedState.RELEASED)
        assert outcome.record is not None
        assert (outcome.record / "flight.tlog").stat().st_size > 10_000

    stage = perform(play, tmp_path)
    assert stage.vehicle.payload.load.value == "on_ground"
    (standing,) = stood
    assert abs(standing.ground_amsl_m - stage.plan.home.altitude_amsl_m) < 2
    assert standing.charge_fraction > 0.9


def test_asked_to_stop_it_comes_home(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await stage.kill_agent()
        abort = asyncio.Event()
        flying = run_fly(stage, tmp_path / "direct", lambda _: stage.plan, abort=abort)
        await stage.phase(Phase.OUTBOUND)
        abort.set()
        outcome = await flying
        assert outcome.ended is not None
        assert (outcome.ended.safe_state, outcome.ended.aed) == (SafeState.ON_PAD, AedState.ON_BOARD)

    perform(play, tmp_path)


def test_called_again_it_resumes_instead_of_beginning_another(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await stage.kill_agent()
        first = run_fly(stage, tmp_path / "direct", lambda _: stage.plan)
        await stage.phase(Phase.OUTBOUND)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        outcome = await run_fly(stage, tmp_path / "direct", lambda _: pytest.fail("it plans another flight"))
        assert outcome.ended is not None
        assert outcome.ended.aed is AedState.RELEASED

    stage = perform(play, tmp_path)
    assert stage.witnessed().count("armed") == 1
    assert len({event.flight_id for event in stage.of(PhaseChanged)} - {None}) == 1


def test_no_plan_is_an_answer(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await stage.kill_agent()
        reason = Reason(code="too_far", detail="too far", detail_zh="太远")
        outcome = await run_fly(stage, tmp_path / "direct", lambda _: NoPlan((reason,)))
        assert outcome.ended is None
        assert [each.code for each in outcome.reasons] == ["too_far"]

    stage = perform(play, tmp_path)
    assert "armed" not in stage.witnessed()


def test_a_vehicle_that_does_not_get_ready_is_told_with_its_reasons(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await stage.kill_agent()
        with pytest.raises(VehicleError) as caught:
            await run_fly(stage, tmp_path / "direct", lambda _: stage.plan)
        assert caught.value.code == 2001
        assert "FS_GCS_ENABLE" in caught.value.detail

    perform(play, tmp_path, parameters={"FS_GCS_ENABLE": 0})


def test_permitted_to_write_it_sets_what_the_profile_demands(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await stage.kill_agent()
        outcome = await run_fly(stage, tmp_path / "direct", lambda _: stage.plan, write_parameters=True)
        assert outcome.ended is not None
        assert outcome.ended.aed is AedState.RELEASED

    perform(play, tmp_path, parameters={"FS_GCS_ENABLE": 0, "FS_OPTIONS": 16})


def test_silence_on_a_link_is_an_error_with_a_number(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await stage.kill_agent()
        stage.vehicle.faults.set("link_loss")
        with pytest.raises(LinkError) as caught:
            await discover(lambda: Wire(stage), stage.clock)
        assert caught.value.code == 1001

    perform(play, tmp_path)
