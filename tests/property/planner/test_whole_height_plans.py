"""Whole plans over hills among shelves and obstacles, and alternates among random zones, judged from plain numbers."""

from __future__ import annotations

import math
from types import SimpleNamespace

from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st

from planner.airframe import load_airframes
from planner.choice import DispatchRequest, DroneState, Severity, choose
from planner.flight_plan import FlightPlan, LegKind
from planner.policy import PlanningPolicy
from planner.task import NoPlan
from tests.property.planner.test_plans_keep_out import (
    GEOGRAPHY_M,
    HALF_WIDTH_M,
    HEIGHT_ERROR_M,
    SLACK_M,
    Shape,
    path_of,
    shapes,
)
from tests.property.planner.test_profiled_ways import Block, block, judge
from tests.unit.planner.helpers import (
    FRAME,
    NOW,
    FixedClock,
    airspace,
    at_m,
    calm,
    fly,
    ids,
    landing_point,
    refuge,
    site,
    station,
    wind,
)
from tests.unit.planner.hills import Hill

POLICY = PlanningPolicy(minimum_agl_m=25.0, maximum_agl_m=120.0, accept_planned_return=True)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    blocks=st.lists(block(), max_size=5),
    top=st.floats(0, 150),
    spread=st.floats(300, 900),
    centre=st.tuples(st.floats(500, 3500), st.floats(-400, 400)),
    blowing=st.sampled_from([None, (250.0, 6.0)]),
)
@example(  # Climbs just past a shelf: the last word's piece there reached over both sides of the shelf's end.
    blocks=[
        Block(box=(150.0, 0.0, 210.0, 200.0), floor_m=None, ceiling_m=45.0, agl=True),
        Block(box=(150.0, 0.0, 390.0, 200.0), floor_m=60.0, ceiling_m=None, agl=True),
    ],
    top=134.0,
    spread=544.0,
    centre=(2282.0, 0.0),
    blowing=None,
)
def test_plans_over_hills_are_legal_and_pass_the_last_word(
    blocks: list[Block],
    top: float,
    spread: float,
    centre: tuple[float, float],
    blowing: tuple[float, float] | None,
) -> None:
    hill = Hill(*centre, top, spread)
    sky = airspace(*(each.zone(i) for i, each in enumerate(blocks)), terrain=hill)
    pad_m, point_m = hill.heights_m([(0.0, 0.0), (4000.0, 0.0)]).tolist()
    found = fly(
        sky,
        station("s", 0, 0, pad_m),
        landing_point("p", 4000, 0, ground_amsl_m=point_m),
        policy=POLICY,
        blowing=wind(*blowing) if blowing else calm(),
        refuges=(refuge("a", 1300, 150), refuge("b", 2700, -150)),
    )
    if isinstance(found, NoPlan):
        event("refused: " + ", ".join(sorted({reason.code for reason in found.reasons})))
        # What the planner proposes, the independent check never has to stop.
        assert not any(reason.code == "verification_failed" for reason in found.reasons), found.reasons
        return
    for chain in found.sections().values():
        cruise = [leg for leg in chain if leg.kind is LegKind.CRUISE]
        ends = [cruise[0].start, *(leg.end for leg in cruise)]
        corners = FRAME.project([(p.position.longitude_deg, p.position.latitude_deg) for p in ends])
        way = SimpleNamespace(points_xy_m=corners)
        judge(SimpleNamespace(way=way, amsl_m=[p.altitude_amsl_m for p in ends]), hill, blocks)
    heights = {leg.end.altitude_amsl_m for leg in found.outbound[:-1]}
    event(
        f"{'level' if len(heights) == 1 else 'profile'}, {'with' if found.rally_points else 'without'} rally points"
    )


metres = st.floats(-2200, 2200)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    zones=st.lists(shapes(), max_size=8),
    places=st.lists(st.tuples(metres, metres), min_size=3, max_size=6, unique=True),
    blowing=st.sampled_from([None, (30.0, 7.0)]),
)
def test_alternates_keep_out_of_every_zone(
    zones: list[Shape], places: list[tuple[float, float]], blowing: tuple[float, float] | None
) -> None:
    points = tuple(landing_point(f"p{i}", *place) for i, place in enumerate(places))
    here = site(
        (station("s", -2400, 0),),
        points,
        (refuge("a", -900, 300), refuge("b", 600, -300), refuge("c", 1500, 900)),
    )
    decision = choose(
        DispatchRequest(patient=at_m(*places[0]), severity=Severity.I, floor_of_building=1, at=NOW),
        site=here,
        drone_states=[
            DroneState(
                drone=here.drones[0],
                ready=True,
                not_ready_reasons=(),
                charge_fraction=1.0,
                wind=wind(*blowing) if blowing else calm(),
            )
        ],
        airspace=airspace(*(zone.zone(i) for i, zone in enumerate(zones))),
        airframes=load_airframes(),
        ids=ids(),
        clock=FixedClock(),  # type: ignore[arg-type]
    )
    plan = decision.accepted
    event(f"{'no plan' if plan is None else len(plan.alternates)} alternates")
    if not isinstance(plan, FlightPlan):
        return
    ids_seen = {plan.landing_point_id, *(alternate.landing_point_id for alternate in plan.alternates)}
    assert len(ids_seen) == 1 + len(plan.alternates)
    for alternate in plan.alternates:
        assert alternate.time_to_patient_s > plan.timing.time_to_aed_on_ground_s
        for leg in (*alternate.transfer, *alternate.inbound):
            low = min(leg.start.altitude_amsl_m, leg.end.altitude_amsl_m)
            high = max(leg.start.altitude_amsl_m, leg.end.altitude_amsl_m)
            width = HALF_WIDTH_M if leg.kind is LegKind.CRUISE else GEOGRAPHY_M
            for zone in zones:
                if zone.reaches(low - HEIGHT_ERROR_M, high + HEIGHT_ERROR_M):
                    assert zone.distance_m(path_of(leg)) >= width - SLACK_M, (leg, zone)
        spent = plan.energy.outbound_wh + plan.energy.hover_wh + alternate.energy_wh
        assert spent * 1.16 + plan.energy.reserve_wh <= plan.energy.usable_wh + 1e-6
        assert math.isfinite(alternate.extra_s)
