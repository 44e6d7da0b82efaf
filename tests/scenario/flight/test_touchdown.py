"""Delivery by landing: the drone comes down among people, and never starts there by itself."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from flight.messages import (
    AbortFlight,
    AedOnGround,
    AedReleased,
    ContinueFlight,
    DeliveryFailed,
    FlightEnded,
    HoldFlight,
    LandingPointOccupied,
    SafetyActionTaken,
)
from flight.model.faults import Fault
from flight.model.phases import AedState, Phase, SafeState
from planner.flight_plan import DeliveryMethod, FlightPlan
from tests.scenario.flight.stage import Stage, perform
from tests.unit.planner.helpers import HEX10, airspace, landing_point, planned, refuge, station

WAY_OUT = [
    Phase.PREPARING,
    Phase.ARMING,
    Phase.ARMED,
    Phase.CLIMBING,
    Phase.OUTBOUND,
    Phase.HOVERING,
    Phase.TOUCHING_DOWN,
]


@cache
def landing_plan() -> FlightPlan:
    terms = replace(
        HEX10.deliveries[0],
        method=DeliveryMethod.LAND,
        hover_height_agl_m=6.0,
        lower_s=15.0,
        hover_budget_s=60.0,
    )
    return planned(
        airspace(),
        station("home", 0.0, 0.0),
        landing_point("park", 300.0, 0.0, delivery_methods=(DeliveryMethod.LAND,)),
        refuges=(refuge("field", 150.0, 150.0),),
        airframe=replace(HEX10, deliveries=(terms,)),
    )


def times_armed(stage: Stage) -> int:
    return sum(what == "armed" for what in stage.witnessed())


def stands_at_the_delivery(stage: Stage) -> bool:
    here, there = stage.vehicle.position, stage.plan.delivery.position
    away_deg = abs(here.latitude_deg - there.latitude_deg) + abs(here.longitude_deg - there.longitude_deg)
    return away_deg < 3e-5 and stage.vehicle.body.height_above_ground_m < 0.1 and not stage.vehicle.armed


def test_it_lands_stops_its_motors_releases_and_stays(tmp_path: Path) -> None:
    told: list[tuple[bool, float]] = []
    released_armed: list[bool] = []

    async def play(stage: Stage) -> None:
        await stage.ready()
        assert (await stage.answer(stage.mission())).kind == "command_accepted", stage.story()
        await stage.phase(Phase.UNLOADING)
        await stage.until(lambda: stage.vehicle.payload.load.value != "on_hook")
        released_armed.append(stage.vehicle.armed)
        await stage.until(lambda: stage.of(AedOnGround))
        told.append((stage.vehicle.armed, stage.vehicle.body.height_above_ground_m))
        ended = await stage.end()
        assert (ended.safe_state, ended.aed) == (SafeState.DELIVERED_ON_GROUND, AedState.RELEASED)
        # Nothing starts it any more, whatever somebody asks for.
        assert (await stage.answer(stage.order(ContinueFlight))).kind == "command_refused"
        again = await stage.answer(stage.mission("flt_2"))
        assert again.kind == "command_refused"
        await stage.clock.sleep(120.0)
        assert stands_at_the_delivery(stage), stage.story()

    stage = perform(play, tmp_path, plan=landing_plan())
    assert stage.phases() == [*WAY_OUT, Phase.UNLOADING, Phase.ENDED]
    assert released_armed == [False], "released with turning motors"
    assert told[0][0] is False
    assert told[0][1] < 0.1
    (released,), (on_ground,) = stage.of(AedReleased), stage.of(AedOnGround)
    assert released.at <= on_ground.at
    assert any("Gripper load released" in seen.observed for seen in on_ground.evidence)
    assert any("disarmed" in seen.observed for seen in on_ground.evidence)
    assert not stage.of(DeliveryFailed)


@pytest.mark.parametrize("why", ["aborted", "occupied"])
def test_until_the_ground_is_reached_it_climbs_again_and_goes_home(tmp_path: Path, why: str) -> None:
    async def play(stage: Stage) -> None:
        await stage.ready()
        await stage.tell(stage.mission())
        await stage.phase(Phase.TOUCHING_DOWN)
        await stage.until(lambda: stage.vehicle.body.height_above_ground_m < 3.5, 60)
        if why == "aborted":
            assert (await stage.answer(stage.order(AbortFlight))).kind == "command_accepted"
        else:
            occupied = stage.notice(LandingPointOccupied, landing_point_id="park", reported_by="a caller")
            assert (await stage.answer(occupied)).kind == "command_accepted", stage.story()
        ended = await stage.end()
        assert (ended.safe_state, ended.aed) == (SafeState.ON_PAD, AedState.ON_BOARD), stage.story()

    stage = perform(play, tmp_path, plan=landing_plan())
    assert Phase.UNLOADING not in stage.phases()
    assert stage.vehicle.payload.load.value == "on_hook"
    assert len(stage.of(DeliveryFailed)) == 1


def test_on_the_ground_an_abort_starts_nothing(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await stage.ready()
        await stage.tell(stage.mission())
        await stage.phase(Phase.UNLOADING)
        assert (await stage.answer(stage.order(AbortFlight))).kind == "command_accepted"
        refused = await stage.answer(stage.order(HoldFlight))
        assert [reason.code for reason in refused.reasons] == ["unloading"]
        ended = await stage.end()
        assert ended.safe_state is SafeState.DELIVERED_ON_GROUND
        await stage.clock.sleep(30.0)
        assert stands_at_the_delivery(stage)

    perform(play, tmp_path, plan=landing_plan())


def test_held_on_the_way_down_it_comes_down_anew_when_told(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await stage.ready()
        await stage.tell(stage.mission())
        await stage.phase(Phase.TOUCHING_DOWN)
        await stage.until(lambda: stage.vehicle.body.height_above_ground_m < 4.5, 60)
        assert (await stage.answer(stage.order(HoldFlight))).kind == "command_accepted"
        await stage.phase(Phase.HOLDING)
        await stage.clock.sleep(10.0)
        assert stage.vehicle.armed
        assert stage.vehicle.body.height_above_ground_m > 1.0
        assert (await stage.answer(stage.order(ContinueFlight))).kind == "command_accepted"
        ended = await stage.end()
        assert ended.safe_state is SafeState.DELIVERED_ON_GROUND, stage.story()

    perform(play, tmp_path, plan=landing_plan())


@pytest.mark.parametrize("dies_in", [Phase.TOUCHING_DOWN, Phase.UNLOADING])
def test_a_controller_that_dies_is_followed_by_one_that_goes_on(tmp_path: Path, dies_in: Phase) -> None:
    async def play(stage: Stage) -> None:
        await stage.ready()
        await stage.tell(stage.mission())
        await stage.phase(dies_in)
        await stage.kill_agent()
        await stage.clock.sleep(8.0)
        stage.start_agent()
        ended = await stage.end()
        assert (ended.safe_state, ended.aed) == (SafeState.DELIVERED_ON_GROUND, AedState.RELEASED)
        assert stands_at_the_delivery(stage)

    stage = perform(play, tmp_path, plan=landing_plan())
    assert len({event.event_id for event in stage.of(AedOnGround)}) == 1
    assert times_armed(stage) == 1, stage.witnessed()


def test_nobody_is_told_to_come_while_the_release_is_not_confirmed(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await stage.ready()
        await stage.tell(stage.mission())
        await stage.phase(Phase.TOUCHING_DOWN)
        stage.vehicle.faults.set("release_not_confirmed")
        ended = await stage.end()
        assert (ended.safe_state, ended.aed) == (SafeState.LANDED_ELSEWHERE, AedState.UNKNOWN), stage.story()
        assert stands_at_the_delivery(stage)

    stage = perform(play, tmp_path, plan=landing_plan())
    assert not stage.of(AedOnGround)
    assert not stage.of(AedReleased)
    assert len(stage.of(DeliveryFailed)) == 1


def test_an_agent_that_was_away_until_the_way_home_began_lands_nobody_anywhere(tmp_path: Path) -> None:
    """The command to land was lost with the link; the hover ended and the mission went home."""

    async def play(stage: Stage) -> None:
        await stage.ready()
        await stage.tell(stage.mission())
        await stage.phase(Phase.HOVERING)
        stage.loss = 1.0
        await stage.clock.sleep(75.0)
        stage.loss = 0.0
        ended = await stage.end()
        assert (ended.safe_state, ended.aed) == (SafeState.ON_PAD, AedState.ON_BOARD), stage.story()

    stage = perform(play, tmp_path, plan=landing_plan())
    assert stage.metres_from_pad() < 3


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_on_a_bad_link_nobody_is_called_to_turning_motors(tmp_path: Path, seed: int) -> None:
    """30 % loss, doubled packets, half a second of delay; by the simulator's own testimony."""
    called_with_motors: list[bool] = []

    async def play(stage: Stage) -> None:
        await stage.ready()
        await stage.tell(stage.mission())
        await stage.phase(Phase.OUTBOUND)
        stage.loss, stage.double, stage.delay_s = 0.3, 0.2, (0.05, 0.5)
        await stage.until(lambda: stage.of(FlightEnded), 900)
        called_with_motors.append(stage.vehicle.armed)

    stage = perform(play, tmp_path, plan=landing_plan(), seed=seed)
    (ended,) = stage.of(FlightEnded)
    if stage.of(AedOnGround):
        assert ended.safe_state is SafeState.DELIVERED_ON_GROUND
        assert called_with_motors == [False]
        assert stage.vehicle.payload.load.value != "on_hook"
    else:
        assert ended.safe_state is not SafeState.DELIVERED_ON_GROUND
    assert times_armed(stage) == 1


def test_one_that_does_not_notice_the_ground_is_stopped_and_delivers(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await stage.ready()
        assert (await stage.answer(stage.mission())).kind == "command_accepted", stage.story()
        await stage.phase(Phase.TOUCHING_DOWN)
        stage.vehicle.faults.set("landing_unnoticed")
        ended = await stage.end()
        assert (ended.safe_state, ended.aed) == (SafeState.DELIVERED_ON_GROUND, AedState.RELEASED)
        assert stands_at_the_delivery(stage), stage.story()

    stage = perform(play, tmp_path, plan=landing_plan())
    assert stage.phases() == [*WAY_OUT, Phase.UNLOADING, Phase.ENDED]
    told = [event.fault for event in stage.of(SafetyActionTaken)]
    assert told == [Fault.LANDING_OVERDUE, Fault.GROUND_UNNOTICED]
    assert not stage.of(DeliveryFailed)
