"""What every autopilot must do under our agent: one list of verbs, played on simulated and real ones alike.

Each verb ends with what the witness saw. Times are the vehicle's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import shapely

from core.geodesy import Wgs84Point, geodesic_distance_m
from flight.messages import (
    AbortFlight,
    AedOnGround,
    AedReleased,
    ContinueFlight,
    DivertFlight,
    FlightEnded,
    FlightRerouted,
    FlightResumed,
    HoldFlight,
    LandingPointOccupied,
    LandNow,
    RerouteFlight,
    ReturnHome,
    ZoneActivated,
)
from flight.model.phases import AedState, Phase, SafeState
from geofences.model import Zone
from planner.compile.mavlink import compile_mission
from planner.flight_plan import DeliveryMethod
from tests.conformance.theatre import DISTANCE_M, Theatre
from tests.unit.planner.helpers import box_zone

PAD_WITHIN_M = 5.0
Play = Callable[[Theatre], Awaitable[None]]


async def _is_disarmed(theatre: Theatre) -> None:
    """The witness hears of it by its own HEARTBEAT, later than the agent that asks for more of them."""
    await theatre.until(lambda: not theatre.vehicle.testimony.armed, 10)


async def _comes_home(theatre: Theatre, aed: AedState = AedState.ON_BOARD) -> FlightEnded:
    ended = await theatre.end()
    assert (ended.safe_state, ended.aed) == (SafeState.ON_PAD, aed), theatre.story()
    await _is_disarmed(theatre)
    seen = theatre.vehicle.testimony
    assert seen.metres_from_home <= PAD_WITHIN_M, theatre.story()
    assert seen.times_armed == 1
    assert seen.released is (aed is AedState.RELEASED), theatre.story()
    return ended


async def upload(theatre: Theatre) -> None:
    """Fence, rally points and mission are taken and read back; another mission is told from them."""
    await theatre.ready()
    assert theatre.agent is not None
    link, autopilot = theatre.agent.link, theatre.agent.autopilot
    mission = compile_mission(theatre.plan())
    outcome = await autopilot.upload(link, mission)
    assert outcome.obeyed, outcome
    assert await autopilot.mission_matches(link, mission) is True
    other = compile_mission(theatre.plan("mall"))
    assert await autopilot.mission_matches(link, other) is False
    # An upload over another one leaves nothing of the old.
    assert (await autopilot.upload(link, other)).obeyed
    assert await autopilot.mission_matches(link, other) is True
    # Home stays where the plan has it, confirmed by the vehicle.
    locked = await autopilot.lock_home(link, theatre.plan().home)
    assert locked.obeyed, locked
    assert theatre.vehicle.testimony.times_armed == 0


async def arm(theatre: Theatre) -> None:
    """Armed means armed, and it stays on the ground; disarmed likewise."""
    await theatre.ready()
    assert theatre.agent is not None
    link, autopilot = theatre.agent.link, theatre.agent.autopilot
    assert (await autopilot.upload(link, compile_mission(theatre.plan()))).obeyed
    outcome = await autopilot.arm(link)
    assert outcome.obeyed, outcome
    await theatre.until(lambda: theatre.vehicle.testimony.armed, 5)
    await theatre.clock.sleep(3.0)
    assert theatre.vehicle.testimony.highest_m < 1.5
    outcome = await autopilot.disarm(link)
    assert outcome.obeyed, outcome
    await theatre.until(lambda: not theatre.vehicle.testimony.armed, 5)


async def deliver(theatre: Theatre) -> None:
    """Out, the AED to the ground, home."""
    await theatre.fly()
    await _comes_home(theatre, AedState.RELEASED)
    released, safe = theatre.of(AedReleased), theatre.of(AedOnGround)
    assert len(released) == len(safe) == 1
    assert released[0].evidence
    assert released[0].at <= safe[0].at
    assert abs(theatre.vehicle.testimony.farthest_m - DISTANCE_M) < 8.0


async def abort_on_the_way(theatre: Theatre) -> None:
    """Given up on the way out: back along the same legs, with the AED."""
    await theatre.fly()
    await theatre.phase(Phase.OUTBOUND)
    await theatre.until(lambda: theatre.vehicle.testimony.farthest_m > 60.0, 60)
    await theatre.accepted(AbortFlight)
    await _comes_home(theatre)
    assert theatre.vehicle.testimony.farthest_m < DISTANCE_M - 40.0


async def abort_at_the_delivery(theatre: Theatre) -> None:
    """Given up over the delivery point, before the release."""
    await theatre.fly()
    await theatre.phase(Phase.HOVERING)
    await theatre.accepted(AbortFlight)
    await _comes_home(theatre)


async def hold_and_continue(theatre: Theatre) -> None:
    """Held on the way out it stands; continued it delivers."""
    await theatre.fly()
    await theatre.phase(Phase.OUTBOUND)
    await theatre.until(lambda: theatre.vehicle.testimony.farthest_m > 60.0, 60)
    await theatre.accepted(HoldFlight)
    await theatre.clock.sleep(12.0)
    before_m = theatre.vehicle.testimony.metres_from_home
    await theatre.clock.sleep(5.0)
    assert abs(theatre.vehicle.testimony.metres_from_home - before_m) < 3.0, theatre.story()
    await theatre.accepted(ContinueFlight)
    await _comes_home(theatre, AedState.RELEASED)


async def return_from_hold(theatre: Theatre) -> None:
    """Held, then told to come home."""
    await theatre.fly()
    await theatre.phase(Phase.OUTBOUND)
    await theatre.until(lambda: theatre.vehicle.testimony.farthest_m > 60.0, 60)
    await theatre.accepted(HoldFlight)
    await theatre.clock.sleep(6.0)
    await theatre.accepted(ReturnHome)
    await _comes_home(theatre)


async def divert(theatre: Theatre) -> None:
    """To the nearest rally point, by the autopilot's own return."""
    plan = await theatre.fly()
    await theatre.phase(Phase.OUTBOUND)
    await theatre.until(lambda: theatre.vehicle.testimony.farthest_m > 80.0, 60)
    await theatre.accepted(DivertFlight)
    ended = await theatre.end()
    away = [point for point in plan.rally_points if point.position != plan.home.position]
    expected = SafeState.LANDED_AT_RALLY if away else SafeState.ON_PAD
    assert ended.safe_state in (expected, SafeState.ON_PAD), theatre.story()
    assert ended.aed is AedState.ON_BOARD
    await _is_disarmed(theatre)


async def land_now(theatre: Theatre) -> None:
    """Down where it is."""
    await theatre.fly()
    await theatre.phase(Phase.OUTBOUND)
    await theatre.until(lambda: theatre.vehicle.testimony.farthest_m > 60.0, 60)
    await theatre.accepted(LandNow)
    ended = await theatre.end()
    assert (ended.safe_state, ended.aed) == (SafeState.LANDED_ELSEWHERE, AedState.ON_BOARD), theatre.story()
    await _is_disarmed(theatre)
    seen = theatre.vehicle.testimony
    assert 40.0 < seen.metres_from_home < DISTANCE_M
    assert seen.times_armed == 1


async def lose_link_for_a_while(theatre: Theatre) -> None:
    """Silence on the way out: the mission goes on; heard again, it is delivered as if nothing had been."""
    await theatre.fly()
    await theatre.phase(Phase.OUTBOUND)
    theatre.link_cut = True
    await theatre.clock.sleep(12.0)
    assert theatre.vehicle.testimony.armed
    theatre.link_cut = False
    await _comes_home(theatre, AedState.RELEASED)


async def lose_link_for_good(theatre: Theatre) -> None:
    """Never heard again in the air: it hovers its budget and comes home by itself, with the AED."""
    await theatre.fly()
    await theatre.phase(Phase.OUTBOUND)
    theatre.link_cut = True
    await theatre.until(lambda: not theatre.vehicle.testimony.armed, 400)
    theatre.link_cut = False
    await _comes_home(theatre)
    assert theatre.vehicle.testimony.farthest_m > DISTANCE_M - 8.0


async def words_come_late(theatre: Theatre) -> None:
    """A modem holds back what the vehicle says until its hover is over and it flies home by itself. What then is heard
    shows it hovering still, calm and just now: the AED must not fall from its way."""
    plan = await theatre.fly()
    await theatre.phase(Phase.HOVERING)
    theatre.held_back_s = plan.hover_budget_s + 15.0
    await theatre.until(lambda: not theatre.vehicle.testimony.armed, 400)
    assert not theatre.vehicle.testimony.released, theatre.story()
    theatre.held_back_s = 0.0
    ended = await theatre.end()
    assert ended.safe_state in (SafeState.ON_PAD, SafeState.LANDED_AT_RALLY), theatre.story()
    assert ended.aed is not AedState.RELEASED
    assert not theatre.of(AedOnGround)


async def low_battery(theatre: Theatre) -> None:
    """Too little charge for the rest of the way: it turns round by itself."""
    await theatre.fly()
    await theatre.phase(Phase.OUTBOUND)
    await theatre.vehicle.drop_charge_to(0.20)
    await _comes_home(theatre)


async def lose_gps(theatre: Theatre) -> None:
    """Without position: the flight ends on the ground, in a state that has a name."""
    await theatre.fly()
    await theatre.phase(Phase.OUTBOUND)
    await theatre.vehicle.lose_gps()
    ended = await theatre.end()
    assert ended.safe_state in (SafeState.LANDED_ELSEWHERE, SafeState.LANDED_AT_RALLY, SafeState.ON_PAD)
    assert ended.aed is not AedState.RELEASED
    await _is_disarmed(theatre)


async def reboot_on_the_pad(theatre: Theatre) -> None:
    """Power off and on while waiting: ready again by itself, and it flies."""
    await theatre.ready()
    await theatre.clock.sleep(10.0)  # up for longer than packets can be late
    boots = theatre.agent.link.view.reboots if theatre.agent else 0
    await theatre.vehicle.power_cycle()
    await theatre.until(lambda: theatre.agent and theatre.agent.link.view.reboots > boots, 60)
    await theatre.fly()
    await theatre.phase(Phase.CLIMBING)
    await theatre.accepted(AbortFlight)
    await _comes_home(theatre)


async def controller_killed(theatre: Theatre) -> None:
    """The controller dies over the delivery point; the next one finds the vehicle there and delivers."""
    await theatre.fly()
    await theatre.phase(Phase.HOVERING)
    await theatre.kill_agent()
    await theatre.clock.sleep(5.0)
    theatre.start_agent()
    await _comes_home(theatre, AedState.RELEASED)
    assert theatre.of(FlightResumed)


async def taken_over(theatre: Theatre) -> None:
    """Somebody else commands a hold: we stand back, and go on when the mission is given back."""
    await theatre.fly()
    await theatre.phase(Phase.OUTBOUND)
    await theatre.clock.sleep(4.0)
    await theatre.vehicle.set_mode_from_elsewhere("hold")
    await theatre.phase(Phase.HANDED_OVER)
    await theatre.clock.sleep(8.0)
    assert theatre.phases()[-1] is Phase.HANDED_OVER
    await theatre.vehicle.set_mode_from_elsewhere("mission")
    await _comes_home(theatre, AedState.RELEASED)


async def reroute_round_a_zone(theatre: Theatre) -> None:
    """A zone closes ahead: it stops, gets another mission round it, and delivers."""
    await theatre.fly(theatre.plan("mall"))
    await theatre.phase(Phase.OUTBOUND)
    await theatre.until(lambda: theatre.vehicle.testimony.farthest_m > 100.0, 60)
    zone = box_zone("pop-up", 380.0, -80.0, 440.0, 60.0)
    await theatre.accepted(ZoneActivated, zone=zone, airspace_version="test-2")
    await theatre.phase(Phase.REROUTING)
    await _comes_home(theatre, AedState.RELEASED)
    assert theatre.of(FlightRerouted)
    inside = [
        sample
        for sample in theatre.telemetry
        if sample.position is not None and _is_in(zone, sample.position)
    ]
    assert not inside


def _is_in(zone: Zone, place: Wgs84Point) -> bool:
    (volume,) = zone.volumes
    ring = [(point.longitude_deg, point.latitude_deg) for point in volume.area.exterior]
    return bool(shapely.Polygon(ring).contains(shapely.Point(place.longitude_deg, place.latitude_deg)))


async def change_of_address(theatre: Theatre) -> None:
    """Held on the way out, given a plan to another landing point, it delivers there."""
    await theatre.fly()
    await theatre.phase(Phase.OUTBOUND)
    await theatre.until(lambda: theatre.vehicle.testimony.farthest_m > 60.0, 60)
    await theatre.accepted(HoldFlight)
    await theatre.clock.sleep(12.0)
    await theatre.accepted(RerouteFlight, plan=theatre.plan_from_here("school"))
    await _comes_home(theatre, AedState.RELEASED)
    (released,) = theatre.of(AedReleased)
    school = theatre.points["school"].position
    assert geodesic_distance_m(released.position, school) < 5.0, theatre.story()


async def divert_to_an_alternate(theatre: Theatre) -> None:
    """Somebody stands on the landing point: by a jump in the mission that is on board to the next one, and delivered."""
    plan = await theatre.fly(theatre.plan_with_an_alternate())
    await theatre.phase(Phase.OUTBOUND)
    await theatre.accepted(LandingPointOccupied, landing_point_id="park", reported_by="a caller")
    await theatre.phase(Phase.STANDING_OFF)
    await _comes_home(theatre, AedState.RELEASED)
    (rerouted,) = theatre.of(FlightRerouted)
    assert rerouted.plan.landing_point_id == plan.alternates[0].landing_point_id
    (released,) = theatre.of(AedReleased)
    assert geodesic_distance_m(released.position, plan.alternates[0].delivery.position) < 5.0, theatre.story()


async def land_to_deliver(theatre: Theatre) -> None:
    """Down on the landing point, motors off, released, people called; then it stays there."""
    await theatre.fly()
    ended = await theatre.end()
    expected = (SafeState.DELIVERED_ON_GROUND, AedState.RELEASED)
    assert (ended.safe_state, ended.aed) == expected, theatre.story()
    released, safe = theatre.of(AedReleased), theatre.of(AedOnGround)
    assert len(released) == len(safe) == 1
    assert any("disarmed" in seen.observed for seen in safe[0].evidence)
    assert abs(theatre.vehicle.testimony.farthest_m - DISTANCE_M) < 8.0
    await theatre.clock.sleep(20.0)
    assert not theatre.vehicle.testimony.armed
    assert theatre.vehicle.testimony.times_armed == 1


async def abort_while_landing_to_deliver(theatre: Theatre) -> None:
    """Given up on the way down, before the ground is reached: up again, and home with the AED."""
    await theatre.fly()
    await theatre.phase(Phase.TOUCHING_DOWN)
    await theatre.clock.sleep(2.0)
    await theatre.accepted(AbortFlight)
    await _comes_home(theatre)
    assert not theatre.of(AedOnGround)


async def lose_link_while_landing_to_deliver(theatre: Theatre) -> None:
    """Silence on the last metres: the landing goes on. Heard again it stands with its motors off, releases, and only
    then people are called."""
    await theatre.fly()
    await theatre.phase(Phase.TOUCHING_DOWN)
    await theatre.clock.sleep(2.0)
    theatre.link_cut = True
    await theatre.until(lambda: not theatre.vehicle.testimony.armed, 200)
    await theatre.clock.sleep(15.0)
    assert not theatre.of(AedOnGround), theatre.story()
    assert abs(theatre.vehicle.testimony.metres_from_home - DISTANCE_M) < 8.0, theatre.story()
    theatre.link_cut = False
    ended = await theatre.end()
    expected = (SafeState.DELIVERED_ON_GROUND, AedState.RELEASED)
    assert (ended.safe_state, ended.aed) == expected, theatre.story()
    assert len(theatre.of(AedOnGround)) == 1
    assert theatre.vehicle.testimony.times_armed == 1


VERBS: dict[str, Play] = {
    play.__name__: play
    for play in (
        upload,
        arm,
        deliver,
        abort_on_the_way,
        abort_at_the_delivery,
        hold_and_continue,
        return_from_hold,
        divert,
        land_now,
        lose_link_for_a_while,
        lose_link_for_good,
        words_come_late,
        low_battery,
        lose_gps,
        reboot_on_the_pad,
        controller_killed,
        taken_over,
        reroute_round_a_zone,
        change_of_address,
        divert_to_an_alternate,
        land_to_deliver,
        abort_while_landing_to_deliver,
        lose_link_while_landing_to_deliver,
    )
}
"""Every verb by its name. Played with the airframe's first delivery method; ``deliver`` with each of them."""


_BY_LANDING = ("land_to_deliver", "abort_while_landing_to_deliver", "lose_link_while_landing_to_deliver")


_NOT_ON = {"px4": ("divert_to_an_alternate",)}
"""Alternates are carried in the mission of ArduCopter only (docs/decisions/0014)."""


def plays(kind: str, methods: tuple[DeliveryMethod, ...]) -> list[tuple[str, DeliveryMethod]]:
    """Which verbs are played on a kind of autopilot, with which method of delivery."""
    left_out = (*_BY_LANDING, *_NOT_ON.get(kind, ()))
    every = [(name, methods[0]) for name in VERBS if name not in left_out]
    others = [
        (name, method)
        for method in methods[1:]
        if method is not DeliveryMethod.LAND
        for name in ("deliver", "words_come_late")
    ]
    landing = [(name, method) for method in methods if method is DeliveryMethod.LAND for name in _BY_LANDING]
    return every + others + landing
