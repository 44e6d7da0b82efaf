"""The AED is released: whatever becomes of the drone, people are told when they may fetch it, and once.

A centre that is not told sends another drone.
"""

from pathlib import Path

import pytest

from flight.messages import AedOnGround, AedReleased, DivertFlight, FlightEnded, FlightResumed, LandNow
from flight.model.phases import AedState, Phase
from tests.scenario.flight.stage import Stage, perform
from tests.scenario.flight.test_abort_and_steering import take_off_to
from tests.scenario.flight.test_when_things_fail import Pilot

LOITER, RTL, LAND = 5, 6, 9


def told_once(stage: Stage) -> AedOnGround:
    """After the release, before the end, in one journal."""
    (released,), (on_ground,), (ended,) = stage.of(AedReleased), stage.of(AedOnGround), stage.of(FlightEnded)
    assert released.at <= on_ground.at <= ended.at
    assert ended.aed is AedState.RELEASED
    assert stage.vehicle.payload.load.value == "on_ground"
    return on_ground


@pytest.mark.parametrize("modes", [(RTL,), (LOITER, RTL), (LAND,)])
def test_an_autopilot_or_a_pilot_who_takes_the_drone_away_takes_nothing_from_the_patient(
    modes: tuple[int, ...], tmp_path: Path
) -> None:
    async def play(stage: Stage) -> None:
        pilot = Pilot(stage)
        await take_off_to(stage, Phase.RETRACTING)
        for mode in modes:
            pilot.set_mode(mode)
            await stage.clock.sleep(10)
        await stage.end()

    told_once(perform(play, tmp_path))


@pytest.mark.parametrize("command", [DivertFlight, LandNow])
def test_a_drone_that_a_person_sends_elsewhere_says_it_too(command: type, tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await take_off_to(stage, Phase.RETRACTING)
        assert (await stage.answer(stage.order(command))).kind == "command_accepted"
        await stage.end()

    told_once(perform(play, tmp_path))


def test_beside_a_drone_that_comes_down_nobody_is_called_before_its_motors_stand(tmp_path: Path) -> None:
    armed: list[bool] = []

    async def play(stage: Stage) -> None:
        await take_off_to(stage, Phase.RETRACTING)
        await stage.answer(stage.order(LandNow))
        await stage.until(lambda: stage.of(AedOnGround))
        armed.append(stage.vehicle.armed)
        await stage.end()

    stage = perform(play, tmp_path)
    on_ground = told_once(stage)
    assert armed == [False]
    assert on_ground.at == stage.of(FlightEnded)[0].at
    assert on_ground.line_height_agl_m == 0.0


@pytest.mark.parametrize(
    ("fault", "strength"), [("motor_loss", 3.0), ("motor_weak", 0.2), ("motors_cut", None)]
)
def test_nobody_is_called_to_a_drone_that_fell_beside_its_aed(
    fault: str, strength: float | None, tmp_path: Path
) -> None:
    """What burns there is not ours to judge; the centre is told that no delivery is confirmed."""

    async def play(stage: Stage) -> None:
        await take_off_to(stage, Phase.RETRACTING)
        stage.vehicle.faults.set(fault, strength)
        ended = await stage.end(900)
        assert ended.aed is AedState.RELEASED

    stage = perform(play, tmp_path)
    assert "crashed" in stage.witnessed()
    assert not stage.of(AedOnGround)


def test_a_controller_that_was_away_meanwhile_says_it_when_it_is_back(tmp_path: Path) -> None:
    """The hub's process was killed, and the autopilot has come home by itself."""

    async def play(stage: Stage) -> None:
        pilot = Pilot(stage)
        await take_off_to(stage, Phase.RETRACTING)
        await stage.kill_agent()
        assert not stage.of(AedOnGround)
        pilot.set_mode(RTL)
        await stage.until(lambda: not stage.vehicle.armed, 600)
        await stage.clock.sleep(30)
        stage.start_agent()
        await stage.until(lambda: stage.of(FlightResumed), 20)
        await stage.end(60)

    stage = perform(play, tmp_path)
    # The journal's words are said again, with their ids.
    assert len({event.event_id for event in stage.of(AedReleased)}) == 1
    assert len({event.event_id for event in stage.of(AedOnGround)}) == 1
