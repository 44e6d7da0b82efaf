"""What the planner remembers is what it would find: with a memory and without, the answers are the same."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from core.geodesy import Altitude
from geofences.airspace import Airspace
from geofences.applicability import Applicability, TimePeriod
from geofences.model import GROUND, UNLIMITED, VerticalLimit, Zone
from planner.flight_plan import FlightPlan
from planner.planning import plan_flight
from planner.task import FlightTask, NoPlan
from tests.unit.planner.helpers import (
    HEX10,
    NOW,
    airspace,
    box_zone,
    ids,
    landing_point,
    refuge,
    site,
    station,
    wind,
)

ROUNDS = 40


def zones_of(rng: np.random.Generator) -> list[Zone]:
    """Boxes between pads and landing points; some end above, some begin above, so that heights compete."""
    found = []
    for number, (x, y) in enumerate(rng.uniform((-1500.0, -1500.0), (1500.0, 1500.0), (14, 2))):
        half_m = rng.uniform(40.0, 220.0, 2)
        low_m, high_m = rng.uniform(60.0, 90.0, 2)
        kind = rng.random()
        found.append(
            box_zone(
                f"z{number}",
                x - half_m[0],
                y - half_m[1],
                x + half_m[0],
                y + half_m[1],
                floor=VerticalLimit(Altitude.amsl(low_m)) if kind > 0.8 else GROUND,
                ceiling=VerticalLimit(Altitude.amsl(high_m)) if kind < 0.3 else UNLIMITED,
            )
        )
    return found


def told(found: FlightPlan | NoPlan) -> FlightPlan | NoPlan:
    return found if isinstance(found, NoPlan) else replace(found, plan_id="any")


@pytest.mark.parametrize("seed", range(6))
def test_answers_do_not_depend_on_what_was_asked_before(seed: int) -> None:
    """Every question is put to a sky that was asked many things before and to a new one."""
    rng = np.random.default_rng(seed)
    zones = zones_of(rng)
    stations = tuple(station(f"s{n}", *rng.uniform(-2500.0, -1700.0, 2)) for n in range(2))
    points = tuple(landing_point(f"p{n}", *rng.uniform(-1700.0, 2500.0, 2)) for n in range(3))
    places = site(
        stations, points, tuple(refuge(f"r{n}", *rng.uniform(-2600.0, 2600.0, 2)) for n in range(25))
    )
    winds = [wind(60.0, 6.0), wind(200.0, 3.0)]
    asked_before = airspace(*zones)

    def ask(sky: Airspace, task: FlightTask, at_s: float, before_s: float) -> FlightPlan | NoPlan:
        return told(
            plan_flight(
                task,
                site=places,
                airspace=sky,
                ids=ids(),
                at=NOW + timedelta(seconds=at_s),
                before_s=before_s,
            )
        )

    kinds = set()
    for number in range(ROUNDS):
        task = FlightTask(
            drone_id=f"d{number}",
            station=stations[rng.integers(2)],
            landing_point=points[rng.integers(3)],
            airframe=HEX10,
            method=points[0].delivery_methods[0],
            wind=replace(winds[rng.integers(2)], measured_at=NOW - timedelta(seconds=number)),
            charge_fraction=float(rng.choice([1.0, 0.5, 0.3])),
            carry_s=float(number),
        )
        before_s = float(rng.choice([math.inf, rng.uniform(60.0, 500.0)]))
        known = ask(asked_before, task, float(number), before_s)
        new = ask(airspace(*zones), task, float(number), before_s)
        assert known == new
        later = isinstance(known, NoPlan) and known.least_time_to_aed_s is not None
        kinds.add("later" if later else type(known).__name__)
    assert kinds >= {"later", "FlightPlan"}


def test_a_remembered_plan_is_judged_in_the_zones_of_its_own_time() -> None:
    """A zone begins while the second flight would be in the air: the plan of the first is none of its plans."""
    begins = NOW + timedelta(hours=1)
    period = TimePeriod(start=begins, end=begins + timedelta(hours=1))
    sky = airspace(
        box_zone("later", -100.0, 400.0, 100.0, 600.0, applicability=Applicability(periods=(period,)))
    )
    pad, point = station("s", 0.0, 0.0), landing_point("p", 0.0, 1000.0)
    places = site((pad,), (point,), (refuge("r", 300.0, 500.0),))

    def ask(at) -> FlightPlan:
        task = FlightTask(
            drone_id="d1",
            station=pad,
            landing_point=point,
            airframe=HEX10,
            method=point.delivery_methods[0],
            wind=wind(60.0, 3.0),
            charge_fraction=1.0,
            carry_s=60.0,
        )
        found = plan_flight(task, site=places, airspace=sky, ids=ids(), at=at)
        assert isinstance(found, FlightPlan)
        return found

    first, again = ask(NOW), ask(NOW + timedelta(minutes=5))
    assert again.outbound == first.outbound
    assert again.created_at == NOW + timedelta(minutes=5)
    late = ask(begins - timedelta(seconds=60))
    assert late.timing.outbound_s > first.timing.outbound_s
