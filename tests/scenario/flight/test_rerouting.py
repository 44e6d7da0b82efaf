"""Zones that close, patients who move, places that are taken: another way, or a safe end, in flight."""

from pathlib import Path

import shapely

from core.geodesy import geodesic_distance_m
from flight.messages import (
    AbortFlight,
    AedReleased,
    AuthorisationRevoked,
    ContinueFlight,
    DivertFlight,
    FlightRerouted,
    HoldFlight,
    RerouteFailed,
    RerouteFlight,
    ZoneActivated,
    ZoneCleared,
)
from flight.model.faults import Fault
from flight.model.phases import AedState, Phase, SafeState
from planner.flight_plan import FlightPlan
from planner.replan import Airborne, Refuge, replan_flight
from planner.task import FlightTask
from tests.scenario.flight.rerouting_words import (
    AHEAD,
    FIELDS,
    HOME,
    PARK,
    SCHOOL,
    WALL,
    faults,
    never_in,
    out_to,
    plan,
    with_planner,
    zone_shape,
)
from tests.scenario.flight.stage import Stage, perform
from tests.scenario.flight.test_abort_and_steering import take_off_to
from tests.unit.planner.helpers import (
    FRAME,
    HEX10,
    airspace,
    box_zone,
    calm,
    ids,
    site,
    station,
)


def test_a_zone_that_closes_ahead_is_flown_round_without_anybodys_help(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await out_to(stage, 150)
        closed = stage.notice(ZoneActivated, zone=AHEAD, airspace_version="test-2")
        assert (await stage.answer(closed)).kind == "command_accepted"
        said_at = stage.clock.now()
        held = await stage.phase(Phase.STANDING_OFF, 5)
        assert (held.at - said_at).total_seconds() < 1.0, "hold first, at once"
        ended = await stage.end(900)
        assert (ended.safe_state, ended.aed) == (SafeState.ON_PAD, AedState.RELEASED), stage.story()

    stage = perform(play, tmp_path, plan=plan(), agent=with_planner())
    never_in(stage, AHEAD)
    (rerouted,) = stage.of(FlightRerouted)
    assert rerouted.plan.start is not None
    assert stage.phases().count(Phase.REROUTING) == 1
    assert stage.vehicle.payload.load.value == "on_ground"
    assert stage.metres_from_pad() < 3
    assert (tmp_path / "records" / "flt_1" / "plan-2.json").exists()


def test_a_wall_across_the_way_brings_the_aed_home(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await out_to(stage, 150)
        await stage.answer(stage.notice(ZoneActivated, zone=WALL, airspace_version="test-2"))
        ended = await stage.end(900)
        assert (ended.safe_state, ended.aed) == (SafeState.ON_PAD, AedState.ON_BOARD), stage.story()

    stage = perform(play, tmp_path, plan=plan(), agent=with_planner())
    never_in(stage, WALL)
    assert not stage.of(AedReleased)


def test_without_a_planner_the_flight_waits_for_its_hub_and_then_goes_home(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await out_to(stage, 150)
        await stage.answer(stage.notice(ZoneActivated, zone=AHEAD, airspace_version="test-2"))
        await stage.phase(Phase.STANDING_OFF, 5)
        began_s = stage.clock.monotonic_s()
        await stage.phase(Phase.RETURNING, 120)
        assert 55 <= stage.clock.monotonic_s() - began_s <= 70
        ended = await stage.end(600)
        assert (ended.safe_state, ended.aed) == (SafeState.ON_PAD, AedState.ON_BOARD)

    stage = perform(play, tmp_path, plan=plan())
    never_in(stage, AHEAD)
    assert Fault.NO_NEW_WAY in faults(stage)


def test_a_planner_that_fails_is_no_way_found(tmp_path: Path) -> None:
    elsewhere = site((HOME,), (SCHOOL,), FIELDS)

    async def play(stage: Stage) -> None:
        await out_to(stage, 150)
        await stage.answer(stage.notice(ZoneActivated, zone=AHEAD, airspace_version="test-2"))
        ended = await stage.end(600)
        assert (ended.safe_state, ended.aed) == (SafeState.ON_PAD, AedState.ON_BOARD), stage.story()

    stage = perform(play, tmp_path, plan=plan(), agent=with_planner(place=elsewhere))
    assert stage.of(RerouteFailed)


def test_a_diversion_over_a_closed_way_is_refused(tmp_path: Path) -> None:
    between = box_zone("between", 150.0, 40.0, 450.0, 120.0)
    south = box_zone("south", 300.0, -200.0, 700.0, -60.0)

    async def play(stage: Stage) -> None:
        await out_to(stage, 200)
        await stage.answer(stage.order(HoldFlight))
        await stage.clock.sleep(6)
        for zone in (between, south):
            await stage.answer(stage.notice(ZoneActivated, zone=zone, airspace_version="test-2"))
        rally = stage.agent.flight.director.way.nearest_rally(stage.agent.link.view)  # type: ignore[union-attr]
        refused = await stage.answer(stage.order(DivertFlight))
        if rally.position != stage.plan.home.position:
            assert refused.reasons[0].code == "rally_way_closed"

    perform(play, tmp_path, plan=plan())


def test_a_zone_that_opens_again_lets_the_flight_go_on(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await out_to(stage, 150)
        await stage.answer(stage.notice(ZoneActivated, zone=AHEAD, airspace_version="test-2"))
        await stage.phase(Phase.STANDING_OFF, 5)
        refused = await stage.answer(stage.order(ContinueFlight))
        assert refused.reasons[0].code == "cause_stands"
        await stage.clock.sleep(10)
        await stage.answer(stage.notice(ZoneCleared, zone_id=AHEAD.zone_id))
        assert (await stage.end(600)).aed is AedState.RELEASED, stage.story()

    stage = perform(play, tmp_path, plan=plan())
    assert Phase.REROUTING not in stage.phases()


def test_a_return_whose_way_is_closed_is_not_flown(tmp_path: Path) -> None:
    """Behind it the way home closes; the order is called off. It goes round, not through."""
    behind = box_zone("behind", 150.0, -60.0, 250.0, 60.0)
    closed_at = 0

    async def play(stage: Stage) -> None:
        nonlocal closed_at
        await out_to(stage, 450)
        await stage.answer(stage.order(HoldFlight))
        await stage.clock.sleep(8)
        closed_at = len(stage.track)
        await stage.answer(stage.notice(ZoneActivated, zone=behind, airspace_version="test-2"))
        await stage.answer(stage.order(AbortFlight))
        ended = await stage.end(900)
        assert (ended.safe_state, ended.aed) == (SafeState.ON_PAD, AedState.ON_BOARD), stage.story()

    stage = perform(play, tmp_path, plan=plan(), agent=with_planner())
    never_in(stage, behind, closed_at)
    (rerouted,) = stage.of(FlightRerouted)
    assert not rerouted.plan.delivers


def test_a_zone_that_closes_on_the_way_home_after_the_delivery(tmp_path: Path) -> None:
    behind = box_zone("behind", 300.0, -60.0, 400.0, 60.0)

    async def play(stage: Stage) -> None:
        await take_off_to(stage, Phase.LOWERING)
        await stage.answer(stage.notice(ZoneActivated, zone=behind, airspace_version="test-2"))
        ended = await stage.end(900)
        assert (ended.safe_state, ended.aed) == (SafeState.ON_PAD, AedState.RELEASED), stage.story()

    stage = perform(play, tmp_path, plan=plan(), agent=with_planner())
    phases = stage.phases()
    assert phases.index(Phase.RETRACTING) < phases.index(Phase.STANDING_OFF), "the delivery came first"
    # It came out before the zone closed, and must not go in on the way home.
    outward = next(i for i, place in enumerate(stage.track) if place[0] > FRAME.origin.longitude_deg + 0.0085)
    shape = zone_shape(behind)
    assert not any(shape.contains(shapely.Point(p[0], p[1])) for p in stage.track[outward:])


def test_a_revoked_authorisation_counts_its_zones_as_closed(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await out_to(stage, 150)
        notice = stage.notice(AuthorisationRevoked, authorisation_id="auth-1", zones=(AHEAD,))
        await stage.answer(notice)
        assert (await stage.end(900)).aed is AedState.RELEASED, stage.story()

    stage = perform(play, tmp_path, plan=plan(), agent=with_planner())
    never_in(stage, AHEAD)


def test_a_diversion_to_another_pad_is_flown_round_a_closed_zone_and_ends_there(tmp_path: Path) -> None:
    north = station("north", 500.0, 600.0)
    closed = box_zone("closed", 200.0, 250.0, 420.0, 350.0)
    sky = airspace(closed)

    async def play(stage: Stage) -> None:
        await out_to(stage, 150)
        hold = stage.order(HoldFlight)
        assert (await stage.answer(hold)).kind == "command_accepted"
        await stage.phase(Phase.HOLDING, 30)
        await stage.until(stage.agent.stands_still)
        view = stage.agent.link.view
        assert view.position is not None
        assert view.height_above_home_m is not None
        assert view.charge_fraction is not None
        flown = plan()
        way = replan_flight(
            Airborne(
                position=view.position,
                altitude_amsl_m=flown.home.altitude_amsl_m + view.height_above_home_m,
                charge_fraction=view.charge_fraction,
            ),
            FlightTask(
                drone_id=flown.drone_id,
                station=HOME,
                landing_point=PARK,
                airframe=HEX10,
                method=flown.delivery_method,
                wind=calm(),
                charge_fraction=1.0,
                carry_s=0.0,
            ),
            deliver=False,
            site=site((HOME, north), (PARK, SCHOOL), FIELDS),
            airspace=sky,
            ids=ids(),
            at=stage.clock.now(),
            refuge=Refuge(
                name="North", name_zh="北站", position=north.position, ground_amsl_m=north.ground_amsl_m
            ),
        )
        assert isinstance(way, FlightPlan), way
        reroute = stage.order(RerouteFlight, plan=way)
        assert (await stage.answer(reroute)).kind == "command_accepted"
        ended = await stage.end(900)
        assert (ended.safe_state, ended.aed) == (SafeState.LANDED_AT_RALLY, AedState.ON_BOARD), stage.story()
        assert ended.position is not None
        assert geodesic_distance_m(ended.position, north.position) < 5.0

    stage = perform(play, tmp_path, plan=plan())
    never_in(stage, closed)
    (rerouted,) = stage.of(FlightRerouted)
    assert rerouted.plan.lands_at is not None
    assert not stage.of(AedReleased)
