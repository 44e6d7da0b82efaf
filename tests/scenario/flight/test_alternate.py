"""The landing point is taken: on to the plan's next one, by the mission that is on board."""

import itertools
from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path

from core.geodesy import geodesic_distance_m
from flight.alternates import alternate_mission, alternate_plans
from flight.messages import (
    AbortFlight,
    AedOnGround,
    AedReleased,
    ContinueFlight,
    DeliveryFailed,
    FlightRerouted,
    HoldFlight,
    LandingPointCleared,
    LandingPointOccupied,
    ZoneActivated,
)
from flight.model.phases import AedState, Phase, SafeState
from flight.planned_way import PlannedWay
from planner.airframe import load_airframes
from planner.choice import DispatchRequest, DroneState, Severity, choose
from planner.compile.mavlink import compile_mission
from planner.flight_plan import FlightPlan
from tests.scenario.flight.stage import Stage, perform
from tests.unit.flight.plans import view
from tests.unit.planner.helpers import (
    NOW,
    FixedClock,
    airspace,
    at_m,
    box_zone,
    calm,
    ids,
    landing_point,
    refuge,
    site,
    station,
)

FIRST = landing_point("first", 400.0, 0.0)
NEAR = landing_point("near", 450.0, 200.0)
PLACES = site(
    (station("home", 0.0, 0.0),),
    (FIRST, NEAR),
    (refuge("e1", 200.0, 60.0), refuge("e2", 380.0, 120.0), refuge("e3", 480.0, 260.0)),
)


@cache
def plan() -> FlightPlan:
    chosen = choose(
        DispatchRequest(patient=at_m(400, 20), severity=Severity.I, floor_of_building=1, at=NOW),
        site=PLACES,
        drone_states=[
            DroneState(
                drone=replace(PLACES.drones[0], drone_id="d1"),
                ready=True,
                not_ready_reasons=(),
                charge_fraction=1.0,
                wind=calm(),
            )
        ],
        airspace=airspace(),
        airframes=load_airframes(),
        ids=ids(),
        clock=FixedClock(),  # type: ignore[arg-type]
    ).accepted
    assert chosen is not None
    assert [each.landing_point_id for each in chosen.alternates] == ["near"]
    return chosen


async def stood_off(stage: Stage) -> None:
    """Out to the first point, which somebody reports taken on the way there."""
    await stage.ready()
    assert (await stage.answer(stage.mission())).kind == "command_accepted", stage.story()
    await stage.phase(Phase.OUTBOUND)
    taken = stage.notice(LandingPointOccupied, landing_point_id="first", reported_by="a caller")
    assert (await stage.answer(taken)).kind == "command_accepted"
    await stage.phase(Phase.STANDING_OFF)


def endurance_since(stage: Stage) -> datetime | None:
    assert stage.agent is not None
    assert stage.agent.flight is not None
    return stage.agent.flight.motors_since


async def on_the_transfer(stage: Stage) -> None:
    await stood_off(stage)
    await stage.until(lambda: stage.of(FlightRerouted))
    near = plan().alternates[0].delivery.position
    await stage.until(lambda: geodesic_distance_m(stage.vehicle.position, near) < 150.0)


def test_an_alternate_is_a_plan_on_the_mission_that_is_on_board() -> None:
    flown = plan()
    mission = compile_mission(flown)
    (other,) = alternate_plans(flown, mission)
    read = alternate_mission(flown, mission, other)
    assert read is not None
    assert read.items == mission.items, "nothing has to be written"
    assert alternate_mission(flown, mission, flown) is None
    for seq, leg in enumerate(read.item_legs):
        if leg is not None:
            end = other.section(leg.section)[leg.index].end
            assert abs(mission.items[seq].latitude_deg - end.position.latitude_deg) < 1e-6
    assert other.start == flown.delivery
    assert other.valid_until > flown.valid_until


def test_an_occupied_landing_point_sends_the_drone_on_to_the_next(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await stood_off(stage)
        ended = await stage.end(900)
        assert (ended.safe_state, ended.aed) == (SafeState.ON_PAD, AedState.RELEASED), stage.story()

    stage = perform(play, tmp_path, plan=plan())
    (rerouted,) = stage.of(FlightRerouted)
    assert rerouted.plan.landing_point_id == "near"
    (released,), (ground,) = stage.of(AedReleased), stage.of(AedOnGround)
    for seen in (released, ground):
        assert geodesic_distance_m(seen.position, NEAR.position) < 4.0
    assert stage.vehicle.payload.load.value == "on_ground"
    assert not stage.of(DeliveryFailed)
    assert stage.metres_from_pad() < 3
    tail = stage.phases()[stage.phases().index(Phase.STANDING_OFF) :]
    assert tail[:5] == [
        Phase.STANDING_OFF,
        Phase.REROUTING,
        Phase.OUTBOUND,
        Phase.HOVERING,
        Phase.LOWERING,
    ]


def test_a_place_that_is_clear_again_in_time_is_served_as_planned(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await stood_off(stage)
        await stage.clock.sleep(5.0)
        await stage.answer(
            stage.notice(LandingPointCleared, landing_point_id="first", reported_by="a caller")
        )
        ended = await stage.end(900)
        assert (ended.safe_state, ended.aed) == (SafeState.ON_PAD, AedState.RELEASED)

    stage = perform(play, tmp_path, plan=plan())
    assert not stage.of(FlightRerouted)
    (released,) = stage.of(AedReleased)
    assert geodesic_distance_m(released.position, FIRST.position) < 4.0


def test_given_up_on_the_transfer_it_goes_home_over_the_alternate_without_waiting_there(
    tmp_path: Path,
) -> None:
    async def play(stage: Stage) -> None:
        await on_the_transfer(stage)
        assert (await stage.answer(stage.order(AbortFlight))).kind == "command_accepted"
        asked_s = stage.clock.monotonic_s()
        ended = await stage.end(900)
        assert (ended.safe_state, ended.aed) == (SafeState.ON_PAD, AedState.ON_BOARD), stage.story()
        home_s = sum(leg.duration_s for leg in plan().alternates[0].inbound)
        assert stage.clock.monotonic_s() - asked_s < home_s + 50.0, "no hover on the way"

    stage = perform(play, tmp_path, plan=plan())
    assert not stage.of(AedReleased)
    assert Phase.HANDED_OVER not in stage.phases()


def test_held_on_the_transfer_it_goes_on_to_the_alternate(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await on_the_transfer(stage)
        assert (await stage.answer(stage.order(HoldFlight))).kind == "command_accepted"
        await stage.clock.sleep(8.0)
        assert (await stage.answer(stage.order(ContinueFlight))).kind == "command_accepted"
        ended = await stage.end(900)
        assert (ended.safe_state, ended.aed) == (SafeState.ON_PAD, AedState.RELEASED), stage.story()

    stage = perform(play, tmp_path, plan=plan())
    (released,) = stage.of(AedReleased)
    assert geodesic_distance_m(released.position, NEAR.position) < 4.0


def test_a_controller_that_dies_on_the_transfer_is_followed_by_one_that_delivers(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await on_the_transfer(stage)
        (rerouted,) = stage.of(FlightRerouted)
        before = endurance_since(stage)
        assert before is not None
        # The alternate's energy is what was left then: counted from the start, a short silence would
        # pass for a drone that is down.
        assert abs((before - rerouted.at).total_seconds()) < 1.0
        await stage.kill_agent()
        await stage.clock.sleep(2.0)
        stage.start_agent()
        await stage.until(lambda: stage.agent is not None and stage.agent.flight is not None)
        assert endurance_since(stage) == rerouted.at
        ended = await stage.end(900)
        assert (ended.safe_state, ended.aed) == (SafeState.ON_PAD, AedState.RELEASED), stage.story()

    stage = perform(play, tmp_path, plan=plan())
    assert Phase.HANDED_OVER not in stage.phases()
    (released,) = {event.event_id: event for event in stage.of(AedReleased)}.values()
    assert geodesic_distance_m(released.position, NEAR.position) < 4.0


def test_an_alternate_behind_a_closed_zone_is_not_flown_to(tmp_path: Path) -> None:
    """It stands off over the first point and then brings the AED home."""
    between = box_zone("between", 410.0, 90.0, 470.0, 120.0)

    async def play(stage: Stage) -> None:
        await stood_off(stage)
        await stage.answer(stage.notice(ZoneActivated, zone=between, airspace_version="test-2"))
        ended = await stage.end(900)
        assert (ended.safe_state, ended.aed) == (SafeState.ON_PAD, AedState.ON_BOARD), stage.story()

    stage = perform(play, tmp_path, plan=plan())
    assert not stage.of(FlightRerouted)


def test_a_controller_that_dies_while_it_diverts_ends_over_one_of_the_two(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await stood_off(stage)
        await stage.phase(Phase.REROUTING)
        await stage.kill_agent()
        await stage.clock.sleep(3.0)
        stage.start_agent()
        ended = await stage.end(900)
        assert (ended.safe_state, ended.aed) == (SafeState.ON_PAD, AedState.RELEASED), stage.story()

    stage = perform(play, tmp_path, plan=plan())
    assert Phase.HANDED_OVER not in stage.phases()
    (released,) = {event.event_id: event for event in stage.of(AedReleased)}.values()
    assert geodesic_distance_m(released.position, NEAR.position) < 4.0


def test_whatever_item_is_flown_the_director_can_say_what_is_ahead_and_behind() -> None:
    """Somebody else's jump may lead onto any section; a question about it must have an answer."""
    flown = plan()
    (other,) = alternate_plans(flown, compile_mission(flown))
    on_board = alternate_mission(flown, compile_mission(flown), other)
    assert on_board is not None
    for way in (PlannedWay(flown, compile_mission(flown)), PlannedWay(other, on_board)):
        for seq, phase in itertools.product(range(len(on_board.items)), Phase):
            seen = view(mission_seq=seq, position=flown.delivery.position)
            ahead, back = way.ahead(seen, phase), way.back(seen, phase)
            way.line(seen, ahead)
            way.line(seen, back)
            way.off_way(seen)
            way.eta_s(seen, phase)
            way.remaining_energy_wh(seen, phase)


def test_on_a_transfer_the_way_back_leads_on_and_then_home() -> None:
    flown = plan()
    (other,) = alternate_plans(flown, compile_mission(flown))
    on_board = alternate_mission(flown, compile_mission(flown), other)
    assert on_board is not None
    way = PlannedWay(other, on_board)
    first = on_board.indices.takeoff
    assert not way.is_on_way_home(first)
    assert way.return_seq(first) == first
    assert way.return_seq(on_board.indices.delivery_hover) == on_board.indices.inbound_first
    back = way.back(view(mission_seq=first), Phase.OUTBOUND)
    assert list(back) == [*other.outbound, *other.inbound]
    assert back[-1].end == flown.home
