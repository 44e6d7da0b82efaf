"""Siting against enumeration of every choice, on small cases and random ones."""

from __future__ import annotations

import itertools
import math
import random
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from core.errors import AirspaceError
from core.geodesy import Wgs84Point, geodesic_distance_m
from planner.siting import (
    LandingCandidate,
    SitingIncident,
    SitingObjective,
    SitingProposal,
    SitingTask,
    StationCandidate,
    propose,
)
from planner.siting_files import read_incidents
from planner.siting_flight import StraightFlight
from planner.survival import survival_model
from tests.unit.planner.helpers import HEX10, at_m

DE_MAIO = survival_model("de_maio")


def flight(start: Wgs84Point, end: Wgs84Point) -> float | None:
    """40 s and 20 m/s, up to 6 km: simple on purpose."""
    distance_m = geodesic_distance_m(start, end)
    return None if distance_m > 6000 else 40.0 + distance_m / 20.0


def made(seed: int, *, incidents: int, stations: int, points: int, **more: object) -> SitingTask:
    draw = random.Random(seed)

    def somewhere() -> Wgs84Point:
        return at_m(draw.uniform(-5000, 5000), draw.uniform(-5000, 5000))

    return SitingTask(
        incidents=tuple(
            SitingIncident(
                incident_id=f"i{number}",
                position=somewhere(),
                weight=draw.choice([0.5, 1.0, 3.0]),
                ambulance_s=draw.choice([None, 240.0, 480.0, 900.0]),
            )
            for number in range(incidents)
        ),
        stations=tuple(
            StationCandidate(station_id=f"s{number}", name="s", position=somewhere())
            for number in range(stations)
        ),
        landing_points=tuple(
            LandingCandidate(
                landing_point_id=f"p{number}",
                name="p",
                position=somewhere(),
                detour_factor=draw.choice([1.0, 1.4]),
                exit_s=draw.choice([0.0, 30.0]),
            )
            for number in range(points)
        ),
        **{
            "objective": SitingObjective.P_MEDIAN,
            "model": DE_MAIO,
            "max_stations": stations,
            **more,
        },  # type: ignore[arg-type]
    )


def by_hand(task: SitingTask, open_stations: tuple[int, ...], open_points: tuple[int, ...] | None) -> float:
    """Expected survivors of a choice, written anew from De Maio's formula."""
    total = 0.0
    for incident in task.incidents:
        best = 0.0 if incident.ambulance_s is None else _de_maio(incident.ambulance_s)
        for number in open_stations:
            station = task.stations[number]
            ways = []
            if task.landing_points:
                for index, point in enumerate(task.landing_points):
                    if open_points is not None and index not in open_points:
                        continue
                    carry = point.exit_s
                    carry += (
                        geodesic_distance_m(point.position, incident.position) * point.detour_factor / 1.8
                    )
                    flown = flight(station.position, point.position)
                    if flown is not None and carry <= task.carry_limit_s:
                        ways.append(flown + carry)
            else:
                flown = flight(station.position, incident.position)
                ways += [] if flown is None else [flown]
            if task.objective is SitingObjective.MAXIMAL_COVER:
                ways = [way for way in ways if way <= task.cover_s]
            best = max([best, *map(_de_maio, ways)])
        total += incident.weight * best
    return total


def _de_maio(seconds: float) -> float:
    return 1.0 / (1.0 + math.exp(0.679 + 0.262 * seconds / 60.0))


@pytest.mark.parametrize("objective", SitingObjective)
@pytest.mark.parametrize(("seed", "points"), [(1, 0), (2, 6), (3, 12), (4, 12)])
def test_no_choice_of_stations_is_better(seed: int, points: int, objective: SitingObjective) -> None:
    task = made(
        seed, incidents=25, stations=7, points=points, objective=objective, max_stations=5, cover_s=240.0
    )
    proposal = propose(task, flight)
    for point in proposal.curve:
        best = max(by_hand(task, chosen, None) for chosen in itertools.combinations(range(7), point.stations))
        assert point.expected_survivors == pytest.approx(best, abs=1e-9)
        assert point.proved_optimal
        own = tuple(int(name[1:]) for name in point.station_ids)
        assert len(own) <= point.stations
        assert by_hand(task, own, None) == pytest.approx(best, abs=1e-9)


@pytest.mark.parametrize("seed", [5, 6, 7])
def test_no_choice_of_stations_and_landing_points_is_better(seed: int) -> None:
    task = made(seed, incidents=15, stations=4, points=6, max_stations=3, max_landing_points=2)
    proposal = propose(task, flight)
    for point in proposal.curve:
        best = max(
            by_hand(task, chosen, put)
            for chosen in itertools.combinations(range(4), point.stations)
            for put in itertools.combinations(range(6), 2)
        )
        assert point.expected_survivors == pytest.approx(best, abs=1e-9)
        assert point.proved_optimal
    assert len(proposal.landing_point_ids) <= 2


def test_the_curve_never_falls_and_starts_at_the_ambulance() -> None:
    task = made(8, incidents=30, stations=8, points=10)
    proposal = propose(task, flight)
    curve = [proposal.survivors_without, *(point.expected_survivors for point in proposal.curve)]
    assert proposal.survivors_without == pytest.approx(by_hand(task, (), None))
    assert all(before <= after + 1e-9 for before, after in itertools.pairwise(curve))
    assert [point.stations for point in proposal.curve] == list(range(1, 9))


def test_the_same_question_has_the_same_answer() -> None:
    task = made(9, incidents=30, stations=8, points=10, max_stations=4)
    proposal = propose(task, flight)
    assert propose(task, flight) == proposal
    adapter = TypeAdapter(SitingProposal)
    assert adapter.validate_json(adapter.dump_json(proposal)) == proposal


def test_assignments_are_what_was_counted() -> None:
    task = made(10, incidents=20, stations=5, points=8, max_stations=2)
    proposal = propose(task, flight)
    total = sum(
        incident.weight * assignment.survival
        for incident, assignment in zip(task.incidents, proposal.assignments, strict=True)
    )
    assert total == pytest.approx(proposal.curve[-1].expected_survivors)
    assert {a.station_id for a in proposal.assignments} <= {*proposal.station_ids, None}
    for incident, assignment in zip(task.incidents, proposal.assignments, strict=True):
        if assignment.drone_s is not None and incident.ambulance_s is not None:
            assert assignment.drone_s < incident.ambulance_s


def test_where_the_ambulance_is_first_no_drone_is_sent() -> None:
    task = SitingTask(
        incidents=(
            SitingIncident(incident_id="near", position=at_m(0, 0), weight=1.0, ambulance_s=30.0),
            SitingIncident(incident_id="far", position=at_m(9000, 0), weight=1.0),
        ),
        stations=(StationCandidate(station_id="s", name="s", position=at_m(100, 0)),),
        landing_points=(),
        objective=SitingObjective.P_MEDIAN,
        model=DE_MAIO,
        max_stations=1,
    )
    proposal = propose(task, flight)
    assert [assignment.station_id for assignment in proposal.assignments] == [None, None]
    assert proposal.assignments[1].survival == 0.0
    assert proposal.curve[0].mean_drone_s is None
    assert proposal.curve[0].proved_optimal


def test_figures_are_plain_numbers() -> None:
    """Numpy's own bool and float would break the JSON of a bus or a database."""
    task = made(3, incidents=40, stations=6, points=10, max_stations=3, max_landing_points=4)
    for point in propose(task, flight).curve:
        assert type(point.proved_optimal) is bool
        assert {type(number) for number in (point.gap, point.gained_survivors, point.served_weight)} == {
            float
        }


def test_a_tight_time_limit_still_gives_an_answer_and_says_its_gap() -> None:
    task = made(11, incidents=60, stations=20, points=0, max_stations=6, time_limit_s=1e-6)
    proposal: SitingProposal = propose(task, flight)
    for point in proposal.curve:
        assert point.expected_survivors >= proposal.survivors_without
        assert point.proved_optimal or point.gap > 0.0


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"max_stations": 0}, "max_stations"),
        ({"max_stations": 6}, "max_stations"),
        ({"max_landing_points": 9}, "max_landing_points"),
        ({"cover_s": 0.0}, "cover_s"),
        ({"incidents": 0}, "incidents"),
    ],
)
def test_wrong_tasks_are_refused(change: dict[str, object], field: str) -> None:
    shape: dict[str, object] = {"incidents": 3, "stations": 5, "points": 3, **change}
    with pytest.raises(AirspaceError) as caught:
        made(1, **shape)  # type: ignore[arg-type]
    assert caught.value.field == field


def test_a_model_that_needs_cpr_refuses_incidents_without() -> None:
    task = made(1, incidents=3, stations=2, points=0, model=survival_model("valenzuela"))
    with pytest.raises(AirspaceError) as caught:
        propose(task, flight)
    assert caught.value.field == "cpr_min"


def test_straight_flight_by_hand_and_out_of_range() -> None:
    terms = HEX10.deliveries[0]
    straight = StraightFlight(airframe=HEX10, terms=terms)
    # 8 s + climb 60 m (60/6 + 6/2) + 2000 m (2000/20 + 20/4) + descent 45 m (45/4.5 + 4.5/2) + 11 s
    seconds = straight(at_m(0, 0), at_m(2000, 0))
    assert seconds == pytest.approx(8 + 13 + 105 + 12.25 + 11, abs=0.01)
    assert straight(at_m(0, 0), at_m(30_000, 0)) is None
    reach_m = next(metres for metres in range(1000, 30_000, 100) if not straight.in_range(metres))
    assert 4000 < reach_m < 20_000


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    """The reader would silently take the last one."""
    path = tmp_path / "incidents.csv"
    path.write_text(
        "incident_id,weight,latitude_deg,longitude_deg,reference_system,weight\na,1,22.5,113.9,WGS-84,9\n"
    )
    with pytest.raises(AirspaceError, match="'weight' occurs twice"):
        read_incidents(path)
