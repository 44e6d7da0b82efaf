"""Open flights claim the air: as planned, narrower once in the air, everything when off the plan."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from core.clock import LoopClock
from core.geodesy import LocalFrame, Wgs84Point
from core.ids import IdSource
from core.virtual_time import run_virtual
from flight.messages import TelemetrySample
from flight.model.words import Phase
from geofences.site_airspace import load_demo_airspace
from hub_api.dispatch.fleet import DroneView
from hub_api.dispatch.planning import Question, SitePlanning
from hub_api.dispatch.traffic import OpenFlight, TrafficBook
from planner.airframe import load_airframes
from planner.flight_plan import FlightPlan
from planner.intents import IntentState
from planner.wind import Wind
from tests.unit.hub_api.played_planning import a_plan, a_site

# A Sunday: schools are open airspace.
NOON = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)
PATIENT = Wgs84Point(22.5708, 113.8930)


def _views(*, without: Sequence[str] = ()) -> tuple[DroneView, ...]:
    calm = Wind(from_deg=0.0, speed_m_s=0.0, measured_at=NOON)
    return tuple(
        DroneView(
            drone=drone,
            ready=True,
            not_ready=(),
            mission_id=None,
            phase=Phase.STANDBY,
            telemetry=None,
            telemetry_age_s=None,
            readiness=None,
            charge_fraction=1.0,
            wind=calm,
        )
        for drone in a_site().drones
        if drone.drone_id not in without
    )


def _book() -> TrafficBook:
    return TrafficBook(load_demo_airspace().frame.origin, geoid_undulation_m=0.0, telemetry_stale_s=5.0)


def _flying(view: DroneView, position: Wgs84Point, amsl_m: float, *, age_s: float = 0.2) -> DroneView:
    sample = TelemetrySample(
        drone_id=view.drone.drone_id,
        flight_id="flt-1",
        at=NOON,
        phase=Phase.OUTBOUND,
        position=position,
        altitude_amsl_m=amsl_m,
        height_above_home_m=None,
        velocity_east_m_s=None,
        velocity_north_m_s=None,
        velocity_up_m_s=None,
        heading_deg=None,
        charge_fraction=0.9,
        battery_voltage_v=None,
        battery_current_a=None,
        mode=None,
        armed=True,
        mission_seq=None,
        line_length_m=None,
        wind_from_deg=None,
        wind_speed_m_s=None,
        link_age_s=0.0,
    )
    return replace(view, phase=Phase.OUTBOUND, telemetry=sample, telemetry_age_s=age_s)


def _track(plan: FlightPlan, frame: LocalFrame) -> tuple[np.ndarray, np.ndarray]:
    """Seconds after departure, and (east, north, amsl) at them, flying the legs evenly; hover in between."""
    times, places = [0.0], [plan.outbound[0].start]
    for leg in plan.outbound:
        times.append(times[-1] + leg.duration_s)
        places.append(leg.end)
    times.append(times[-1] + plan.timing.lower_s)
    places.append(plan.delivery)
    for leg in plan.inbound:
        times.append(times[-1] + leg.duration_s)
        places.append(leg.end)
    xy = frame.project([(p.position.longitude_deg, p.position.latitude_deg) for p in places])
    return np.array(times), np.column_stack([xy, [p.altitude_amsl_m for p in places]])


def _least_distance_m(first: FlightPlan, second: FlightPlan, frame: LocalFrame) -> float:
    """The smallest distance of two flights that leave as planned, second by second."""
    origin = min(first.created_at, second.created_at)
    seconds = np.arange(0.0, 900.0, 0.5)
    positions = []
    flown = []
    for plan in (first, second):
        times, places = _track(plan, frame)
        left_s = (plan.created_at - origin).total_seconds()
        own = seconds - left_s
        positions.append(np.column_stack([np.interp(own, times, places[:, axis]) for axis in range(3)]))
        flown.append((own >= 0.0) & (own <= times[-1]))
    both = flown[0] & flown[1]
    apart = positions[0] - positions[1]
    return float(np.linalg.norm(apart[both], axis=1).min(initial=np.inf))


def test_three_orders_for_one_place_are_flown_apart() -> None:
    async def scenario() -> list[FlightPlan]:
        clock = LoopClock(epoch=NOON)
        ids = IdSource(clock)
        airspace = load_demo_airspace()
        planning = SitePlanning(a_site(), lambda: airspace, load_airframes(), ids, clock)
        book, accepted = _book(), []
        for _ in range(3):
            views = _views(without=[plan.drone_id for plan in accepted])
            flights = [
                OpenFlight(flight_id=plan.plan_id, drone_id=plan.drone_id, airborne_at=None, plan=plan)
                for plan in accepted
            ]
            traffic = book.traffic(flights, {}, clock.now())
            assert len(traffic.intents) == len(accepted)
            question = Question(patient=PATIENT, severity="I", floor=1, at=clock.now())
            answer = planning.decide(question, views, traffic)
            if answer.plan is not None:
                waited = (answer.plan.created_at - clock.now()).total_seconds()
                assert answer.delay_s == pytest.approx(waited, abs=0.01)
                accepted.append(answer.plan)
            else:
                assert answer.reasons
        return accepted

    plans = run_virtual(scenario())
    assert len(plans) >= 2
    frame = load_demo_airspace().frame
    for first, second in itertools.combinations(plans, 2):
        # 20 m: twice the altitude margin; sideways the corridors are wider.
        assert _least_distance_m(first, second, frame) > 20.0


def test_without_traffic_the_same_orders_would_meet() -> None:
    """The test above can fail: the same question asked twice, each for itself, goes to one place at one time."""
    airspace = load_demo_airspace()

    async def scenario() -> list[FlightPlan]:
        clock = LoopClock(epoch=NOON)
        planning = SitePlanning(a_site(), lambda: airspace, load_airframes(), IdSource(clock), clock)
        question = Question(patient=PATIENT, severity="I", floor=1, at=clock.now())
        first = planning.decide(question, _views(), None).plan
        assert first is not None
        second = planning.decide(question, _views(without=[first.drone_id]), None).plan
        assert second is not None
        return [first, second]

    first, second = run_virtual(scenario())
    assert first.landing_point_id == second.landing_point_id


def test_a_flight_leaves_the_book_when_it_is_over() -> None:
    view = _views()[0]
    plan = a_plan(view, a_site(), "lp-yifang", NOON, "plan-1")
    book = _book()
    flight = OpenFlight(flight_id="flt-1", drone_id=view.drone.drone_id, airborne_at=None, plan=plan)
    assert len(book.traffic([flight], {}, NOON).intents) == 1
    assert book.holds("flt-1")
    assert len(book.traffic([replace(flight, plan=None)], {}, NOON).intents) == 1
    assert len(book.traffic([], {}, NOON).intents) == 0
    assert not book.holds("flt-1")


def test_in_the_air_the_claim_is_narrow_while_the_drone_keeps_to_its_plan() -> None:
    view = _views()[0]
    plan = a_plan(view, a_site(), "lp-yifang", NOON, "plan-1")
    flight = OpenFlight(flight_id="flt-1", drone_id=view.drone.drone_id, airborne_at=None, plan=plan)
    book = _book()
    (waiting,) = book.traffic([flight], {}, NOON).intents
    airborne = replace(flight, airborne_at=NOON + timedelta(seconds=20))
    above = _flying(view, plan.home.position, plan.home.altitude_amsl_m + 30.0)
    (flying,) = book.traffic([airborne], {view.drone.drone_id: above}, NOON + timedelta(seconds=25)).intents
    assert waiting.intent_id == flying.intent_id
    assert flying.state is IntentState.ACTIVATED

    def claimed_s(volumes: tuple) -> float:  # type: ignore[type-arg]
        return sum((volume.time_end - volume.time_start).total_seconds() for volume in volumes)

    assert claimed_s(flying.volumes) < 0.5 * claimed_s(waiting.volumes)


@pytest.mark.parametrize("what", ["elsewhere", "too high", "silent", "never heard"])
def test_off_its_plan_or_unheard_it_claims_every_way_it_may_come_home(what: str) -> None:
    view = _views()[0]
    plan = a_plan(view, a_site(), "lp-gushu", NOON, "plan-1")
    at = NOON + timedelta(seconds=30)
    flight = OpenFlight(
        flight_id="flt-1", drone_id=view.drone.drone_id, airborne_at=NOON + timedelta(seconds=20), plan=plan
    )
    amsl_m = plan.home.altitude_amsl_m + 30.0
    views = {
        "elsewhere": _flying(view, Wgs84Point(22.60, 113.90), amsl_m),
        "too high": _flying(view, plan.home.position, amsl_m + 500.0),
        "silent": _flying(view, plan.home.position, amsl_m, age_s=6.0),
    }
    known = {view.drone.drone_id: views[what]} if what in views else {}
    book = _book()
    (intent,) = book.traffic([flight], known, at).intents
    assert intent.state is IntentState.NONCONFORMING
    (volume,) = intent.volumes
    assert volume.time_start <= at < volume.time_end
    # Heard in its place again, it claims its plan only.
    back = {view.drone.drone_id: _flying(view, plan.home.position, amsl_m)}
    (intent,) = book.traffic([replace(flight, plan=None)], back, at).intents
    assert intent.state is IntentState.ACTIVATED
