"""A whole delivery, told as a play."""

from pathlib import Path

from flight.messages import AedOnGround, AedReleased, DeliveryFailed, PhaseChanged
from flight.model.phases import AedState, Phase, SafeState
from tests.scenario.flight.stage import Stage, perform


def test_an_order_becomes_an_aed_on_the_ground_and_a_drone_on_its_pad(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await stage.ready()
        assert (await stage.answer(stage.mission())).kind == "command_accepted", stage.story()
        ended = await stage.end()
        assert (ended.safe_state, ended.aed) == (SafeState.ON_PAD, AedState.RELEASED), stage.story()

    stage = perform(play, tmp_path)
    assert stage.phases() == [
        Phase.PREPARING,
        Phase.ARMING,
        Phase.ARMED,
        Phase.CLIMBING,
        Phase.OUTBOUND,
        Phase.HOVERING,
        Phase.LOWERING,
        Phase.RELEASING,
        Phase.RETRACTING,
        Phase.INBOUND,
        Phase.LANDING,
        Phase.ENDED,
    ]
    assert stage.vehicle.payload.load.value == "on_ground", "delivered, by the simulator's own testimony"
    assert not stage.vehicle.armed
    assert stage.metres_from_pad() < 3
    (released,), (on_ground,) = stage.of(AedReleased), stage.of(AedOnGround)
    assert any("Gripper load released" in seen.observed for seen in released.evidence)
    assert released.at < on_ground.at
    assert on_ground.line_height_agl_m >= 3.0
    assert not stage.of(DeliveryFailed)
    times = {event.phase: event.at for event in stage.of(PhaseChanged)}
    assert (times[Phase.CLIMBING] - times[Phase.PREPARING]).total_seconds() <= 10
