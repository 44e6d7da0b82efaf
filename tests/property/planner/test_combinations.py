"""The arrays of combinations against one judgement after the other, and the short answer about places that are shut in."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.geodesy import geodesic_distance_m
from planner import choice
from planner.airframe import DeliveryTerms
from planner.candidates import CandidateVerdict, DispatchRequest, DroneState, Severity
from planner.choice import Decision, Traffic, choose
from planner.flight_plan import FlightPlan
from planner.intent_index import IntentIndex
from planner.intent_volumes import intent_of_plan
from planner.planning import _Question, least_time_to_aed_s
from planner.policy import DEFAULT_POLICY
from planner.site import LandingPoint, Site, UsableHours
from planner.task import NoPlan
from planner.walk import carry_s
from planner.wind import Wind
from tests.unit.planner.helpers import (
    HEX10,
    NOW,
    FixedClock,
    airspace,
    at_m,
    box_zone,
    calm,
    fly,
    ids,
    landing_point,
    refuge,
    site,
    station,
    wind,
)

SHUT = (UsableHours(days=(1,), start="00:00", end="01:00"),)
PATIENT = at_m(0.0, 0.0)
SMALL = dataclasses.replace(HEX10, airframe_id="small", ground_speed_max_m_s=8.0)
AIRFRAMES = {"hex10": HEX10, "small": SMALL}
SKY = airspace(box_zone("wall", 700, -900, 760, 900), box_zone("lid", -900, 300, -300, 900))

points = st.builds(
    lambda x, y, shut, radius_m: (x, y, shut, radius_m),
    st.integers(-2500, 2500),
    st.integers(-2500, 2500),
    st.booleans(),
    st.sampled_from([10.0, 10.0, 1.0]),
)
drones = st.builds(
    lambda x, y, airframe_id, ready, blowing: (x, y, airframe_id, ready, blowing),
    st.integers(-4000, 4000),
    st.integers(-4000, 4000),
    st.sampled_from(["hex10", "hex10", "small", "ufo"]),
    st.booleans() | st.just(True),
    st.sampled_from([calm(), wind(250, 6), wind(90, 40), None]),
)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Site, tuple[DroneState, ...]]:
    """A small site and the states of its drones."""
    wanted = draw(st.lists(points, min_size=1, max_size=6))
    flying = draw(st.lists(drones, min_size=1, max_size=5))
    place = site(
        tuple(station(f"s{n}", x, y) for n, (x, y, *_) in enumerate(flying)),
        tuple(
            landing_point(f"p{n}", x, y, clear_radius_m=radius_m, **({"hours": SHUT} if shut else {}))
            for n, (x, y, shut, radius_m) in enumerate(wanted)
        ),
        (refuge("r1", 300, 300), refuge("r2", -1500, -400)),
    )
    states = tuple(
        DroneState(
            drone=dataclasses.replace(place.drones[n], airframe_id=airframe_id),
            ready=ready,
            not_ready_reasons=() if ready else ("charging",),
            charge_fraction=1.0,
            wind=blowing,
        )
        for n, (_, _, airframe_id, ready, blowing) in enumerate(flying)
    )
    return place, states


def _decide(place: Site, states: Sequence[DroneState], traffic: Traffic | None = None) -> Decision:
    return choose(
        DispatchRequest(patient=PATIENT, severity=Severity.I, floor_of_building=1, at=NOW),
        site=place,
        drone_states=states,
        airspace=SKY,
        airframes=AIRFRAMES,
        ids=ids(),
        clock=FixedClock(),  # type: ignore[arg-type]
        traffic=traffic,
    )


def _against(state: DroneState, point: LandingPoint) -> list[str]:
    """The words against a combination before planning, judged by itself."""
    found = [] if state.ready else ["drone_not_ready"]
    airframe = AIRFRAMES.get(state.drone.airframe_id)
    if airframe is None:
        found.append("unknown_airframe")
    if state.wind is None:
        found.append("wind_unknown")
    elif airframe is not None and state.wind.strongest_m_s > airframe.wind_limit_m_s:
        found.append("wind_above_limit")
    if point.hours == SHUT:
        found.append("landing_point_closed")
    if carry_s(geodesic_distance_m(point.position, PATIENT), point.walk, 1) > DEFAULT_POLICY.carry_limit_s:
        found.append("carry_too_long")
    if airframe is not None and point.clear_radius_m < _terms(point).clear_radius_m:
        found.append("landing_point_too_small")
    return found


def _terms(point: LandingPoint) -> DeliveryTerms:
    return next(terms for terms in HEX10.deliveries if terms.method in point.delivery_methods)


@given(worlds())
@settings(max_examples=60, deadline=None)
def test_every_combination_is_judged_as_if_it_were_alone(world: tuple[Site, tuple[DroneState, ...]]) -> None:
    place, states = world
    decision = _decide(place, states)
    listed = list(decision.candidates)
    assert len(decision.candidates) == len(listed) == len(states) * len(place.landing_points)
    by_pair = {(c.drone_id, c.landing_point_id): c for c in listed}
    assert len(by_pair) == len(listed)
    for state in states:
        for point in place.landing_points:
            candidate = by_pair[state.drone.drone_id, point.landing_point_id]
            words, expected = [reason.code for reason in candidate.reasons], _against(state, point)
            if expected:
                assert candidate.verdict is CandidateVerdict.REFUSED
                assert words == expected
                continue
            airframe, terms = AIRFRAMES[state.drone.airframe_id], _terms(point)
            home = place.station(state.drone.station_id)
            walk_s = carry_s(geodesic_distance_m(point.position, PATIENT), point.walk, 1)
            straight_m = (1.0 - 1e-4) * geodesic_distance_m(home.position, point.position)
            climb_m = DEFAULT_POLICY.minimum_agl_m
            bound_s = walk_s + least_time_to_aed_s(
                airframe, terms, straight_m, climb_m, climb_m - terms.hover_height_agl_m
            )
            assert candidate.least_time_to_patient_s is not None
            if candidate.verdict is CandidateVerdict.POSSIBLE and candidate.time_to_patient_s is None:
                # A search may have told more than the straight line.
                assert candidate.least_time_to_patient_s >= bound_s - 1e-6
            else:
                assert candidate.least_time_to_patient_s == pytest.approx(bound_s, abs=1e-6)
    counted = Counter(r.code for c in listed if c.verdict is CandidateVerdict.REFUSED for r in c.reasons)
    assert decision.candidates.refusals() == counted
    # What a person is told first, and all of it in the end.
    told = list(decision.candidates.telling())
    assert sorted(told, key=repr) == sorted(listed, key=repr)
    flyable = [c for c in listed if c.verdict is not CandidateVerdict.REFUSED]
    assert told[: len(flyable)] == listed[: len(flyable)] == flyable
    if decision.accepted is None:
        assert not flyable
        assert decision.declined_reason is not None
        if decision.declined_reason.code == "no_candidate":
            (word, _), *_ = counted.most_common(1)
            most = [code for code, count in counted.items() if count == counted[word]]
            details = {r.detail for c in listed for r in c.reasons if r.code in most}
            assert any(detail in decision.declined_reason.detail for detail in details)
    else:
        assert listed[0].verdict is CandidateVerdict.CHOSEN
        times = [c.time_to_patient_s for c in listed if c.time_to_patient_s is not None]
        assert listed[0].time_to_patient_s == min(times)
        for behind in flyable:
            if behind.time_to_patient_s is None:
                assert behind.least_time_to_patient_s is not None
                assert behind.least_time_to_patient_s >= min(times)


@given(
    st.floats(-400.0, 400.0),
    st.floats(-400.0, 400.0),
    st.sampled_from([calm(), wind(250, 6)]),
    st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_a_place_that_is_shut_in_is_told_as_the_search_tells_it(
    x: float, y: float, blowing: Wind, at_the_pad: bool
) -> None:
    """The short cut refuses what the search refuses, in the same words, and nothing else."""
    sky = airspace(box_zone("block", 1900, -200, 2100, 200), box_zone("other", 2180, -60, 2300, 60))
    near, far = (2000.0 + x, y), (0.0, 0.0)
    home, away = (near, far) if at_the_pad else (far, near)
    start, goal = station("s", *home), landing_point("p", *away)
    found = fly(sky, start, goal, blowing=blowing)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_Question, "shut_in", lambda _self, _layers: False)
        searched = fly(sky, start, goal, blowing=blowing)
    assert isinstance(found, NoPlan) == isinstance(searched, NoPlan)
    if isinstance(searched, NoPlan):
        assert found == searched
    else:
        assert isinstance(found, FlightPlan)


@given(
    st.lists(
        st.tuples(st.integers(-3000, 3000), st.integers(-3000, 3000)), min_size=2, max_size=5, unique=True
    ),
    st.lists(st.tuples(st.integers(-900, 900), st.integers(-900, 900)), min_size=1, max_size=3, unique=True),
    st.sampled_from([calm(), wind(250, 6)]),
    st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_what_is_of_no_use_is_left_unfinished_and_the_best_stays_the_best(
    pads: list[tuple[int, int]], targets: list[tuple[int, int]], blowing: Wind, busy: bool
) -> None:
    """The same choice, delay and time as when every combination is planned and fitted to the end."""
    place = site(
        tuple(station(f"s{n}", *at) for n, at in enumerate(pads)),
        tuple(landing_point(f"p{n}", *at) for n, at in enumerate(targets)),
        (refuge("r1", 300, 300), refuge("r2", -1500, -400)),
    )
    states = tuple(
        DroneState(drone=drone, ready=True, not_ready_reasons=(), charge_fraction=1.0, wind=blowing)
        for drone in place.drones
    )
    others = []
    if busy:
        other = fly(SKY, place.stations[0], place.landing_points[0], blowing=blowing)
        if isinstance(other, FlightPlan):
            # A name of its own: every source of ids here begins anew, and nobody is in the way of himself.
            other = dataclasses.replace(other, plan_id="plan_of_the_other")
            others.append(intent_of_plan(other, owner="other", priority=400, geoid_undulation_m=-3.0))
    traffic = Traffic(
        intents=IntentIndex(others, origin=SKY.frame.origin), owner="us", geoid_undulation_m=-3.0
    )
    quick = _decide(place, states, traffic)
    with pytest.MonkeyPatch.context() as patch:
        answer = choice._answer
        patch.setattr(choice, "_answer", lambda *given: answer(*given[:-1], math.inf))
        whole = _decide(place, states, traffic)
    assert (quick.accepted is None) == (whole.accepted is None)
    if quick.accepted is not None and whole.accepted is not None:
        assert quick.candidates[0].time_to_patient_s == whole.candidates[0].time_to_patient_s
        assert quick.accepted.drone_id == whole.accepted.drone_id
        assert quick.accepted.landing_point_id == whole.accepted.landing_point_id
        assert quick.delay_s == whole.delay_s
    refused = {c[1:3] for c in whole.candidates if c.verdict is CandidateVerdict.REFUSED}
    for candidate in quick.candidates:
        if candidate.verdict is CandidateVerdict.REFUSED:
            assert candidate[1:3] in refused
