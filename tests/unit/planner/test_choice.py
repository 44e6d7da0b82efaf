"""Choosing among stations, drones and landing points, against planning every combination."""

from __future__ import annotations

import dataclasses

import pytest

from core.errors import AirspaceError
from core.ids import IdSource
from geofences.airspace import Airspace
from planner.choice import (
    CandidateVerdict,
    Decision,
    DispatchRequest,
    DroneState,
    Severity,
    Traffic,
    choose,
)
from planner.flight_plan import FlightPlan
from planner.intent_index import IntentIndex
from planner.intent_volumes import intent_of_plan, priority_of
from planner.planning import plan_flight
from planner.site import Site, UsableHours
from planner.task import FlightTask
from planner.walk import carry_s, vertical_s
from planner.wind import Wind
from tests.unit.planner.helpers import (
    HEX10,
    NOW,
    FixedClock,
    airspace,
    at_m,
    box_zone,
    calm,
    circle_zone,
    ids,
    landing_point,
    refuge,
    site,
    station,
    wind,
)

STATIONS = (station("west", 0, 0), station("east", 4000, 200), station("north", 2000, 3000))
POINTS = tuple(landing_point(f"p{i}", 1600 + 250 * (i % 4), 200 + 300 * (i // 4)) for i in range(12))
REFUGES = (refuge("r1", 1000, 600), refuge("r2", 3000, 700), refuge("r3", 2000, 1500))
PATIENT = at_m(2050, 480)


def states(place: Site, *, blowing: Wind | None = None, **changes: object) -> tuple[DroneState, ...]:
    return tuple(
        dataclasses.replace(
            DroneState(
                drone=drone, ready=True, not_ready_reasons=(), charge_fraction=1.0, wind=blowing or calm()
            ),
            **changes,
        )
        for drone in place.drones
    )


def decide(
    sky: Airspace,
    place: Site,
    of: tuple[DroneState, ...],
    *,
    patient: object = PATIENT,
    floor: int | None = 1,
) -> Decision:
    request = DispatchRequest(
        patient=patient,  # type: ignore[arg-type]
        severity=Severity.I,
        floor_of_building=floor,
        at=NOW,
    )
    return choose(
        request,
        site=place,
        drone_states=of,
        airspace=sky,
        airframes={"hex10": HEX10},
        ids=ids(),
        clock=FixedClock(),  # type: ignore[arg-type]
    )


def test_best_of_all_combinations_planned_one_by_one() -> None:
    sky = airspace(box_zone("wall", 1200, -500, 1300, 700), circle_zone("c", 3300, 300, 250))
    place = site(STATIONS, POINTS, REFUGES)
    of = states(place, blowing=wind(250, 6))
    decision = decide(sky, place, of)
    times = []
    for state in of:
        for point in POINTS:
            found = plan_flight(
                FlightTask(
                    drone_id=state.drone.drone_id,
                    station=place.station(state.drone.station_id),
                    landing_point=point,
                    airframe=HEX10,
                    method=point.delivery_methods[0],
                    wind=wind(250, 6),
                    charge_fraction=1.0,
                    carry_s=carry_s(_distance(point.position), point.walk, 1),
                ),
                site=place,
                airspace=sky,
                ids=ids(),
                at=NOW,
            )
            if isinstance(found, FlightPlan):
                times.append(found.timing.time_to_patient_s)
    assert decision.accepted is not None
    assert decision.accepted.timing.time_to_patient_s == pytest.approx(min(times), abs=1e-6)
    # Bounds never promise more than plans deliver, and pruning happened.
    for candidate in decision.candidates:
        if candidate.time_to_patient_s is not None:
            assert candidate.least_time_to_patient_s is not None
            assert candidate.least_time_to_patient_s <= candidate.time_to_patient_s + 1e-9
    assert any(r.code == "slower_by_bound" for c in decision.candidates for r in c.reasons)


def _distance(position: object) -> float:
    from core.geodesy import geodesic_distance_m

    return geodesic_distance_m(position, PATIENT)  # type: ignore[arg-type]


def test_every_combination_has_a_verdict_with_reasons_in_both_languages() -> None:
    place = site(STATIONS, POINTS, REFUGES)
    decision = decide(airspace(), place, states(place))
    pairs = {(c.drone_id, c.landing_point_id) for c in decision.candidates}
    assert len(pairs) == len(decision.candidates) == 3 * 12
    assert [c.verdict for c in decision.candidates].count(CandidateVerdict.CHOSEN) == 1
    assert decision.candidates[0].verdict is CandidateVerdict.CHOSEN
    for candidate in decision.candidates:
        assert candidate.reasons
        assert all(reason.detail and reason.detail_zh for reason in candidate.reasons)


def test_patient_in_a_prohibited_area_is_served_from_outside() -> None:
    sky = airspace(circle_zone("heli", 2050, 480, 250))
    place = site(STATIONS, POINTS, REFUGES)
    decision = decide(sky, place, states(place))
    assert decision.accepted is not None
    point = place.landing_point(decision.accepted.landing_point_id)
    assert _distance(point.position) > 250
    refused = [c for c in decision.candidates if c.verdict is CandidateVerdict.REFUSED]
    assert any(r.code in ("forbidden_zone", "too_close_to_zone") for c in refused for r in c.reasons)


def test_declined_with_every_reason() -> None:
    place = site(STATIONS[:1], POINTS[:2], REFUGES)
    decision = decide(airspace(), place, states(place, ready=False, not_ready_reasons=("battery 20 %",)))
    assert decision.accepted is None
    assert decision.declined_reason is not None
    assert decision.declined_reason.code == "no_drone_ready"
    assert all("battery 20 %" in c.reasons[0].detail for c in decision.candidates)

    far = decide(airspace(), place, states(place), patient=at_m(30000, 0))
    assert far.accepted is None
    assert {r.code for c in far.candidates for r in c.reasons} == {"carry_too_long"}
    assert far.declined_reason is not None
    assert far.declined_reason.code == "no_candidate"

    blind = decide(airspace(), place, states(place, wind=None))
    assert {r.code for c in blind.candidates for r in c.reasons} == {"wind_unknown"}

    nobody = decide(airspace(), site((), POINTS), ())
    assert nobody.declined_reason is not None
    assert nobody.declined_reason.code == "no_drone_ready"


def test_unknown_airframe_and_closed_points_are_refused() -> None:
    shut = (UsableHours(days=(1,), start="00:00", end="01:00"),)
    place = site(STATIONS[:1], (POINTS[0], dataclasses.replace(POINTS[1], hours=shut)), REFUGES)
    decision = decide(airspace(), place, states(place))
    by_point = {c.landing_point_id: c for c in decision.candidates}
    assert by_point["p1"].reasons[0].code == "landing_point_closed"
    assert by_point["p0"].verdict is CandidateVerdict.CHOSEN
    strange = dataclasses.replace(place.drones[0], airframe_id="ufo")
    of = (dataclasses.replace(states(place)[0], drone=strange),)
    assert {r.code for c in decide(airspace(), place, of).candidates for r in c.reasons} >= {
        "unknown_airframe"
    }


def test_nearest_drone_that_is_ready() -> None:
    place = site(STATIONS, POINTS, REFUGES)
    first = decide(airspace(), place, states(place))
    assert first.accepted is not None
    busy = tuple(
        dataclasses.replace(state, ready=False, not_ready_reasons=("flying",))
        if state.drone.drone_id == first.accepted.drone_id
        else state
        for state in states(place)
    )
    second = decide(airspace(), place, busy)
    assert second.accepted is not None
    assert second.accepted.drone_id != first.accepted.drone_id
    assert second.accepted.timing.time_to_patient_s >= first.accepted.timing.time_to_patient_s


def test_floors_cost_time() -> None:
    assert vertical_s(None) == vertical_s(1) == 0.0
    assert vertical_s(3) == pytest.approx(30.0)
    assert vertical_s(-1) == pytest.approx(15.0)
    # 3–5 min from a high-rise's door.
    assert all(180 <= vertical_s(floor) <= 300 for floor in range(12, 50))
    place = site(STATIONS, POINTS, REFUGES)
    low, high = decide(airspace(), place, states(place)), decide(airspace(), place, states(place), floor=20)
    assert low.accepted is not None
    assert high.accepted is not None
    gained = high.accepted.timing.time_to_patient_s - low.accepted.timing.time_to_patient_s
    assert gained == pytest.approx(vertical_s(20))
    unknown = decide(airspace(), place, states(place), floor=None)
    assert any(r.code == "floor_unknown" for r in unknown.candidates[0].reasons)


def test_requests_are_checked() -> None:
    for change in ({"severity": "V"}, {"floor_of_building": 0}, {"at": NOW.replace(tzinfo=None)}):
        arguments = {"patient": PATIENT, "severity": "I", "floor_of_building": None, "at": NOW, **change}
        with pytest.raises(AirspaceError):
            DispatchRequest(**arguments)


def test_traffic_delays_or_leads_around_and_is_told() -> None:
    """The same flight asked twice: the second finds the first one's volumes in its way."""
    place = site(STATIONS[:1], POINTS[:1], REFUGES)
    free = decide(airspace(), place, states(place))
    assert free.accepted is not None
    assert free.intent is None
    other = intent_of_plan(free.accepted, owner="other", priority=priority_of("I"), geoid_undulation_m=-3.0)
    taken = Traffic(
        intents=IntentIndex([other], origin=free.accepted.home.position), owner="us", geoid_undulation_m=-3.0
    )
    empty = Traffic(
        intents=IntentIndex([], origin=free.accepted.home.position), owner="us", geoid_undulation_m=-3.0
    )
    request = DispatchRequest(patient=PATIENT, severity=Severity.I, floor_of_building=1, at=NOW)

    def ask(traffic: Traffic) -> Decision:
        return choose(
            request,
            site=place,
            drone_states=states(place),
            airspace=airspace(),
            airframes={"hex10": HEX10},
            ids=IdSource(FixedClock(), seed=8),  # type: ignore[arg-type]
            clock=FixedClock(),  # type: ignore[arg-type]
            traffic=traffic,
        )

    alone = ask(empty)
    assert alone.accepted is not None
    assert alone.intent is not None
    assert alone.delay_s == 0.0
    # Both use the same pad and point: no detour helps, and the other is there longer than we may wait.
    blocked = ask(taken)
    assert blocked.accepted is None
    assert "conflict" in {r.code for c in blocked.candidates for r in c.reasons}


def test_survey_decides_whether_a_point_will_do() -> None:
    narrow = dataclasses.replace(POINTS[1], clear_radius_m=3.0)
    steep = dataclasses.replace(POINTS[2], slope_deg=20.0)
    # 12:00 in Shanghai now; closing at 12:10 is before the flight is over.
    shutting = dataclasses.replace(
        POINTS[3], hours=(UsableHours(days=(1, 2, 3, 4, 5, 6, 7), start="00:00", end="12:10"),)
    )
    place = site(STATIONS[:1], (POINTS[0], narrow, steep, shutting), REFUGES)
    decision = decide(airspace(), place, states(place))
    codes = {c.landing_point_id: [r.code for r in c.reasons] for c in decision.candidates}
    assert codes["p1"] == ["landing_point_too_small"]
    assert codes["p2"] == ["landing_point_too_steep"]
    assert codes["p3"] == ["landing_point_closed"]
    assert decision.accepted is not None
    assert decision.accepted.landing_point_id == "p0"
