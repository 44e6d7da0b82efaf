"""Plans as volumes, and what becomes of a plan that meets another flight."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
import shapely

from core.errors import AirspaceError
from core.geodesy import geodesic_distance_m
from planner.deconflict import Outcome, Resolution, planning_again, resolve
from planner.flight_plan import FlightPlan
from planner.intent_index import IntentIndex, outline_polygon
from planner.intent_volumes import (
    DEFAULT_MARGINS,
    Margins,
    intent_id_of,
    intent_of_plan,
    priority_of,
    volumes_of_plan,
)
from planner.intents import IntentState, OperationalIntent, intent_from_json, intent_to_json
from planner.task import FlightTask, NoPlan
from tests.unit.planner.helpers import (
    FRAME,
    HEX10,
    NOW,
    ORIGIN,
    airspace,
    calm,
    ids,
    landing_point,
    planned,
    refuge,
    site,
    station,
)
from tests.unit.planner.intents import box, disc, intent

START, GOAL = station("a", 0, 0), landing_point("p", 3000, 0)
REFUGES = tuple(
    refuge(f"r{east_m}{north_m}", east_m, north_m) for east_m in (1000, 2000) for north_m in (-900, 900)
)
SKY = airspace()
PLAN = planned(SKY, START, GOAL, refuges=REFUGES)
UNDULATION_M = -3.5
WHOLE_DAY = (-40_000.0, 40_000.0)


def again(
    at: datetime, avoid: Sequence[tuple[str, shapely.Polygon]], before_s: float = math.inf
) -> FlightPlan | NoPlan:
    task = FlightTask(
        drone_id="d1",
        station=START,
        landing_point=GOAL,
        airframe=HEX10,
        method=GOAL.delivery_methods[0],
        wind=calm(),
        charge_fraction=1.0,
        carry_s=60.0,
    )
    asked = planning_again(task, site=site((START,), (GOAL,), REFUGES), airspace=SKY, ids=ids())
    return asked(at, avoid, before_s)


def solve(*active: OperationalIntent, priority: int = 400, longest_delay_s: float = 120.0) -> Resolution:
    return resolve(
        PLAN,
        index=IntentIndex(active, origin=ORIGIN),
        plan_again=again,
        frame=SKY.frame,
        owner="us",
        priority=priority,
        geoid_undulation_m=UNDULATION_M,
        longest_delay_s=longest_delay_s,
    )


def positions(plan: FlightPlan, take_off_s: float, hover_s: float) -> list[tuple[float, float, float, float]]:
    """The flight second by second: (seconds since acceptance, east, north, altitude AMSL), by its own legs."""
    found, now_s = [], take_off_s
    for way in (plan.outbound, plan.inbound):
        for leg in way:
            (x1, y1), (x2, y2) = FRAME.project(
                [(p.position.longitude_deg, p.position.latitude_deg) for p in (leg.start, leg.end)]
            )
            steps = max(1, int(leg.duration_s))
            for step in range(steps + 1):
                share = step / steps
                height_m = leg.start.altitude_amsl_m
                height_m += share * (leg.end.altitude_amsl_m - leg.start.altitude_amsl_m)
                found.append(
                    (now_s + share * leg.duration_s, x1 + share * (x2 - x1), y1 + share * (y2 - y1), height_m)
                )
            now_s += leg.duration_s
        now_s += hover_s if way is plan.outbound else 0.0
    return found


@pytest.mark.parametrize("late", [0.0, 1.0])
@pytest.mark.parametrize("aside_m", [-60.0, 0.0, 60.0])
def test_the_volumes_hold_every_moment_of_the_flight(late: float, aside_m: float) -> None:
    """From the earliest to the latest take-off and hover, almost a corridor aside, 9 m off in height."""
    volumes = volumes_of_plan(PLAN, geoid_undulation_m=UNDULATION_M)
    shapes = [outline_polygon(volume, FRAME) for volume in volumes]
    aside_m = min(max(aside_m, 1 - PLAN.corridor_half_width_m), PLAN.corridor_half_width_m - 1)
    wait_s = (PLAN.valid_until - PLAN.created_at).total_seconds()
    hover_s = PLAN.timing.lower_s + late * (PLAN.hover_budget_s - PLAN.timing.lower_s)
    track = positions(PLAN, late * wait_s, hover_s)
    for seconds, x, y, altitude_amsl_m in track:
        at = PLAN.created_at + timedelta(seconds=seconds)
        for height_m in (altitude_amsl_m - 9.0, altitude_amsl_m + 9.0):
            assert any(
                volume.time_start <= at <= volume.time_end
                and volume.altitude_lower_m <= height_m + UNDULATION_M <= volume.altitude_upper_m
                and shape.covers(shapely.Point(x, y + aside_m))
                for volume, shape in zip(volumes, shapes, strict=True)
            ), (seconds, x, y)


def test_the_volumes_are_not_the_whole_sky() -> None:
    """Nobody is closed out of the far end when the flight has just begun, nor beside its corridor."""
    index = IntentIndex([declared(PLAN)], origin=ORIGIN)
    assert not index.conflicts(intent("late", disc(2500, 0, 20, seconds=(0, 60))))
    assert index.conflicts(intent("there", disc(2500, 0, 20, seconds=(60, 400))))
    assert not index.conflicts(intent("beside", disc(1500, 1.1 * PLAN.corridor_half_width_m + 20, 20)))
    assert not index.conflicts(intent("above", disc(1500, 0, 20, heights_m=(100, 120))))


def declared(plan: FlightPlan, **more: object) -> OperationalIntent:
    return intent_of_plan(plan, owner="us", priority=400, geoid_undulation_m=UNDULATION_M, **more)  # type: ignore[arg-type]


def test_neighbouring_volumes_leave_no_gap_in_time_or_place() -> None:
    volumes = volumes_of_plan(PLAN, geoid_undulation_m=0.0)
    shapes = [outline_polygon(volume, FRAME) for volume in volumes]
    for number in range(len(volumes) - 2):
        assert volumes[number + 1].time_start <= volumes[number].time_end
        assert shapes[number].intersects(shapes[number + 1])


def test_altitudes_are_above_the_ellipsoid() -> None:
    flat, raised = (volumes_of_plan(PLAN, geoid_undulation_m=metres) for metres in (0.0, 12.5))
    for one, other in zip(flat, raised, strict=True):
        assert other.altitude_lower_m - one.altitude_lower_m == pytest.approx(12.5)
        assert other.altitude_upper_m - one.altitude_upper_m == pytest.approx(12.5)
    cruise_amsl_m = PLAN.outbound[0].end.altitude_amsl_m
    assert flat[1].altitude_upper_m == pytest.approx(cruise_amsl_m + DEFAULT_MARGINS.vertical_m)


@pytest.mark.parametrize("undulation_m", [float("nan"), 500.0])
def test_an_impossible_undulation_is_refused(undulation_m: float) -> None:
    with pytest.raises(AirspaceError) as caught:
        volumes_of_plan(PLAN, geoid_undulation_m=undulation_m)
    assert caught.value.field == "geoid_undulation_m"


def test_an_intent_of_ours_can_be_declared() -> None:
    ours = declared(PLAN)
    assert UUID(ours.intent_id).version == 4
    assert ours.intent_id == intent_id_of(PLAN) != intent_id_of(replace(PLAN, plan_id="another"))
    assert intent_from_json(intent_to_json(ours)) == ours


def test_priorities_follow_severity() -> None:
    order = [priority_of(severity) for severity in ("I", "II", "III", "IV")]
    assert order == sorted(order, reverse=True)
    assert order[-1] > 0
    with pytest.raises(AirspaceError):
        priority_of("V")


def test_nobody_in_the_way() -> None:
    solved = solve(intent("far", disc(0, 5000, 100)))
    assert (solved.outcome, solved.plan, solved.delay_s) == (Outcome.ALLOWED, PLAN, 0.0)
    assert solved.pre_empted == ()
    assert solved.reason is None


def test_a_lower_priority_makes_way_and_is_named() -> None:
    solved = solve(intent("film", disc(1500, 0, 50), priority=399, owner="studio"), priority=400)
    assert (solved.outcome, solved.plan) == (Outcome.ALLOWED, PLAN)
    assert [(one.intent_id, one.owner) for one in solved.pre_empted] == [("film", "studio")]


def test_among_equals_the_first_stays() -> None:
    solved = solve(intent("first", disc(1500, 0, 50), priority=400), priority=400)
    assert solved.outcome is not Outcome.ALLOWED
    assert {conflict.intent_id for conflict in solved.blocking} == {"first"}
    assert solved.reason is not None
    assert solved.reason.code == "conflict"
    # The names of the intent and of who has it, and no word of ours.
    assert set(re.findall(r"[A-Za-z]{2,}", solved.reason.detail_zh)) == {"first", "other"}
    assert "first" in solved.reason.detail


@pytest.mark.parametrize("state", [IntentState.NONCONFORMING, IntentState.CONTINGENT])
def test_an_aircraft_astray_moves_for_nobody(state: IntentState) -> None:
    solved = solve(intent("astray", disc(1500, 0, 50), priority=-5, state=state), priority=400)
    assert solved.outcome is Outcome.REROUTED
    assert solved.pre_empted == ()


def test_a_long_conflict_is_flown_around() -> None:
    other = intent("survey", disc(1500, 0, 80, seconds=WHOLE_DAY), priority=500)
    solved = solve(other)
    assert solved.outcome is Outcome.REROUTED
    assert solved.plan is not None
    assert solved.intent is not None
    assert solved.delay_s == 0.0
    assert IntentIndex([other], origin=ORIGIN).conflicts(solved.intent) == ()
    way = shapely.LineString(
        FRAME.project(
            [
                (leg.end.position.longitude_deg, leg.end.position.latitude_deg)
                for leg in (*solved.plan.outbound, *solved.plan.inbound)
            ]
        )
    )
    assert way.distance(shapely.Point(1500, 0)) >= 80 + PLAN.corridor_half_width_m
    assert solved.time_to_patient_s == solved.plan.timing.time_to_patient_s
    assert solved.plan.timing.time_to_patient_s > PLAN.timing.time_to_patient_s


def test_two_in_a_row_are_both_flown_around() -> None:
    """The detour around the first meets the second, which the straight way did not."""
    first = disc(1500, 0, 150, seconds=WHOLE_DAY)
    free = solve(intent("one", first, priority=500))
    assert free.plan is not None
    aside = free.plan.outbound[1].end.position
    east_m, north_m = FRAME.project([(aside.longitude_deg, aside.latitude_deg)])[0]
    second = disc(float(east_m), float(north_m), 20, seconds=WHOLE_DAY)
    solved = solve(intent("one", first, priority=500), intent("two", second, priority=500))
    assert solved.outcome is Outcome.REROUTED
    assert solved.plan is not None
    found = solved.plan.outbound[1:-1]
    assert all(
        geodesic_distance_m(leg.end.position, aside) >= 20 + PLAN.corridor_half_width_m for leg in found
    )


def test_a_short_wait_beats_a_long_detour() -> None:
    wall = box(1400, -5000, 1600, 5000, seconds=(-600, 70), heights_m=(-50, 400))
    other = intent("wall", wall, priority=500)
    solved = solve(other)
    assert solved.outcome is Outcome.DELAYED
    assert solved.plan is not None
    index = IntentIndex([other], origin=ORIGIN)
    assert index.conflicts(declared(solved.plan)) == ()
    assert solved.plan.created_at == NOW + timedelta(seconds=solved.delay_s)
    assert solved.time_to_patient_s == solved.delay_s + PLAN.timing.time_to_patient_s
    # The smallest delay: two milliseconds less would still meet.
    assert index.conflicts(declared(PLAN).delayed(timedelta(seconds=solved.delay_s - 0.002)))


def test_gaps_between_intents_are_used_or_left_by_their_length() -> None:
    """A gap that is too short for the flight is passed over, the next free moment is taken."""
    volumes = [
        volume for volume in declared(PLAN).volumes if volume.outline != declared(PLAN).volumes[0].outline
    ]
    crossing = min((volume.time_end - volume.time_start).total_seconds() for volume in volumes)
    early = box(1400, -9000, 1600, 9000, seconds=(-600, 30), heights_m=(-50, 400))
    late = box(1400, -9000, 1600, 9000, seconds=(40, 60), heights_m=(-50, 400))
    assert crossing > 10
    solved = solve(intent("early", early, priority=500), intent("late", late, priority=500))
    only_late = solve(intent("late", late, priority=500))
    assert solved.delay_s == only_late.delay_s > 0


def test_no_way_no_time_is_refused_by_name() -> None:
    over_the_pad = intent("fire", disc(0, 0, 300, seconds=WHOLE_DAY), priority=500, owner="fire brigade")
    solved = solve(over_the_pad)
    assert (solved.outcome, solved.plan, solved.intent) == (Outcome.REFUSED, None, None)
    assert solved.reason is not None
    assert "fire brigade" in solved.reason.detail
    assert "fire brigade" in solved.reason.detail_zh
    assert "2 min" in solved.reason.detail


def test_a_delay_beyond_the_bound_is_not_taken() -> None:
    over_the_pad = intent("crane", disc(0, 0, 300, seconds=(-600, 60)), priority=500)
    assert solve(over_the_pad, longest_delay_s=60).outcome is Outcome.REFUSED
    solved = solve(over_the_pad, longest_delay_s=120)
    assert solved.outcome is Outcome.DELAYED
    assert 60 < solved.delay_s < 90


def test_our_own_flights_keep_apart() -> None:
    """Two of our drones, the same street, opposite ways at the same time."""
    other = planned(SKY, station("b", 3000, 40), landing_point("q", 0, 40), refuges=REFUGES)
    solved = solve(declared(replace(other, plan_id="other")))
    assert solved.outcome is not Outcome.ALLOWED
    if solved.intent is not None:
        index = IntentIndex([declared(replace(other, plan_id="other"))], origin=ORIGIN)
        assert index.conflicts(solved.intent) == ()


def test_margins_are_checked_and_used() -> None:
    with pytest.raises(AirspaceError):
        Margins(lateral_m=0.0)
    wide = declared(PLAN, margins=Margins(lateral_m=200.0))
    beside = intent("beside", disc(1500, 180, 10))
    assert IntentIndex([wide], origin=ORIGIN).conflicts(beside)
    assert not IntentIndex([declared(PLAN)], origin=ORIGIN).conflicts(beside)
    pieces = {
        longest: len(volumes_of_plan(PLAN, geoid_undulation_m=0, margins=Margins(longest_piece_s=longest)))
        for longest in (10.0, 30.0, 1000.0)
    }
    assert pieces[10.0] > pieces[30.0] > pieces[1000.0] >= 5
    assert all(
        one.time_start < other.time_start
        for one, other in itertools.pairwise(volumes_of_plan(PLAN, geoid_undulation_m=0)[1:4])
    )
