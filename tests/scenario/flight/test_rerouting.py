"""Zones that close, patients who move, places that are taken: another way, or a safe end, in flight."""

from pathlib import Path
from typing import Any

import pytest
import shapely

from core.geodesy import Wgs84Point, geodesic_distance_m
from core.ids import IdSource
from flight.messages import (
    AbortFlight,
    AedReleased,
    AuthorisationRevoked,
    ContinueFlight,
    DivertFlight,
    FlightRerouted,
    HoldFlight,
    LandingPointCleared,
    LandingPointOccupied,
    PatientMoved,
    PhaseChanged,
    RerouteFailed,
    RerouteFlight,
    ReturnHome,
    SafetyActionTaken,
    ZoneActivated,
    ZoneCleared,
)
from flight.model.faults import Fault
from flight.model.phases import AedState, Phase, SafeState
from flight.replanner import SiteReplanner
from geofences.airspace import Airspace
from geofences.model import Zone
from planner.flight_plan import FlightPlan
from planner.replan import Airborne, Refuge, replan_flight
from planner.site import Site
from planner.task import FlightTask
from tests.scenario.flight.stage import Stage, perform
from tests.scenario.flight.test_abort_and_steering import take_off_to
from tests.unit.planner.helpers import (
    FRAME,
    HEX10,
    airspace,
    box_zone,
    calm,
    ids,
    landing_point,
    planned,
    refuge,
    site,
    station,
)

HOME = station("home", 0.0, 0.0)
PARK = landing_point("park", 900.0, 0.0)
SCHOOL = landing_point("school", 600.0, 400.0)
FIELDS = (refuge("field", 300.0, 200.0), refuge("yard", 600.0, -250.0))
PLACE = site((HOME,), (PARK, SCHOOL), FIELDS)
AHEAD = box_zone("pop-up", 550.0, -80.0, 650.0, 60.0)
WALL = box_zone("wall", 600.0, -15000.0, 650.0, 15000.0)


def plan() -> FlightPlan:
    return planned(airspace(), HOME, PARK, refuges=FIELDS)


def with_planner(sky: Airspace | None = None, place: Site = PLACE) -> dict[str, Any]:
    """An agent that can plan for itself: its hub may be dead."""
    open_sky = sky or airspace()
    return {
        "airspace": lambda: open_sky,
        "replanner": SiteReplanner(place, lambda: open_sky, ids()),
    }


def zone_shape(zone: Zone) -> shapely.Polygon:
    (volume,) = zone.volumes
    return shapely.Polygon([(p.longitude_deg, p.latitude_deg) for p in volume.area.exterior])


def never_in(stage: Stage, zone: Zone, since: int = 0) -> None:
    """By the simulator's true positions."""
    shape = zone_shape(zone)
    shapely.prepare(shape)
    inside = [place for place in stage.track[since:] if shape.contains(shapely.Point(place[0], place[1]))]
    assert not inside, f"{len(inside)} positions inside {zone.zone_id}"


def faults(stage: Stage) -> set[Fault]:
    return {event.fault for event in stage.of(SafetyActionTaken)}


async def out_to(stage: Stage, metres: float) -> None:
    await take_off_to(stage, Phase.OUTBOUND)
    await stage.until(lambda: stage.metres_from_pad() > metres)


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


def new_plan(stage: Stage, point: Any, *, at: Wgs84Point | None = None) -> FlightPlan:
    """What the hub's planner answers for a vehicle that holds."""
    view = stage.agent.link.view  # type: ignore[union-attr]
    here = Airborne(
        position=at or view.position,
        altitude_amsl_m=stage.plan.home.altitude_amsl_m + view.height_above_home_m,
        charge_fraction=view.charge_fraction,
    )
    task = FlightTask(
        drone_id="d1",
        station=HOME,
        landing_point=point,
        airframe=HEX10,
        method=stage.plan.delivery_method,
        wind=calm(),
        charge_fraction=1.0,
        carry_s=0.0,
    )
    found = replan_flight(
        here,
        task,
        deliver=True,
        site=PLACE,
        airspace=airspace(),
        ids=IdSource(stage.clock, seed=9),
        at=stage.clock.now(),
    )
    assert isinstance(found, FlightPlan), found
    return found


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
