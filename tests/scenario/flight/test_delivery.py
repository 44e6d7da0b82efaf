"""A whole delivery, told as a play."""

from dataclasses import replace
from pathlib import Path

from flight.messages import AedOnGround, AedReleased, DeliveryFailed, PhaseChanged
from flight.model.phases import AedState, Phase, SafeState
from planner.flight_plan import DeliveryMethod
from tests.scenario.flight.stage import Stage, perform
from tests.unit.planner.helpers import (
    HEX10,
    airspace,
    landing_point,
    planned,
    refuge,
    station,
)


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


def test_a_gripper_drops_from_the_planned_height_and_people_wait_until_it_has_left(tmp_path: Path) -> None:
    by_gripper = planned(
        airspace(),
        station("home", 0.0, 0.0),
        landing_point("park", 300.0, 0.0, delivery_methods=(DeliveryMethod.GRIPPER_LOW,)),
        refuges=(refuge("field", 150.0, 150.0),),
    )
    dropped_from_m: list[float] = []

    async def play(stage: Stage) -> None:
        await stage.ready()
        await stage.tell(stage.mission())
        await stage.phase(Phase.RELEASING)
        dropped_from_m.append(stage.vehicle.body.height_above_ground_m)
        ended = await stage.end()
        assert (ended.safe_state, ended.aed) == (SafeState.ON_PAD, AedState.RELEASED), stage.story()

    stage = perform(play, tmp_path, plan=by_gripper)
    assert dropped_from_m[0] < 2.8, "the simulator's own height"
    assert stage.vehicle.payload.line_length_m < 0.1
    assert stage.vehicle.payload.load.value != "on_hook"
    (released,), (on_ground,) = stage.of(AedReleased), stage.of(AedOnGround)
    assert released.at < on_ground.at
    assert on_ground.line_height_agl_m >= 10.0, "the rotors are high above"


def test_a_line_of_thirty_metres(tmp_path: Path) -> None:
    """Per airframe: the hover is as high as its terms say."""
    winch, *others = HEX10.deliveries
    high = replace(winch, hover_height_agl_m=30.0, lower_s=20.0, hover_budget_s=150.0)
    tall = planned(
        airspace(),
        station("home", 0.0, 0.0),
        landing_point("park", 300.0, 0.0),
        refuges=(refuge("field", 150.0, 150.0),),
        airframe=replace(HEX10, deliveries=(high, *others)),
    )

    async def play(stage: Stage) -> None:
        await stage.ready()
        assert (await stage.answer(stage.mission())).kind == "command_accepted", stage.story()
        ended = await stage.end()
        assert (ended.safe_state, ended.aed) == (SafeState.ON_PAD, AedState.RELEASED), stage.story()

    stage = perform(play, tmp_path, plan=tall)
    assert stage.vehicle.payload.load.value == "on_ground"
    assert max(seen.line_length_m or 0.0 for seen in stage.telemetry) > 28.0
