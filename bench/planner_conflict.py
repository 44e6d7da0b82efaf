"""How long the 4-D conflict test takes: a new flight against 1,000 active operational intents.

The intents are real plans of the planner, in an airspace of 40 × 30 km without zones (zones would only bend
them): 1 to 8 km long, each declared as the volumes that :mod:`planner.intent_volumes` makes of it (about 19), all
departing within ten minutes of one another, so that they are in the air together.
"""

from __future__ import annotations

import math
import random
from dataclasses import replace
from datetime import timedelta
from statistics import median
from time import perf_counter

from bench.report import Report
from planner.flight_plan import FlightPlan
from planner.intent_index import IntentIndex
from planner.intent_volumes import intent_of_plan
from planner.intents import OperationalIntent
from tests.unit.planner.helpers import NOW, ORIGIN, airspace, fly, landing_point, station

ACTIVE, ASKED, SEED = 1000, 500, 20261122
UNDULATION_M = -3.0
"""Any: all intents share it."""


def run(report: Report) -> None:
    """``planner.conflict_1000.*``: the answer for a finished intent; and what making and adding one takes."""
    plans = flights(ACTIVE + ASKED)
    started = perf_counter()
    intents = [declared(plan, number) for number, plan in enumerate(plans)]
    making_ms = 1000.0 * (perf_counter() - started) / len(intents)
    started = perf_counter()
    index = IntentIndex(intents[:ACTIVE], origin=ORIGIN)
    built_ms = 1000.0 * (perf_counter() - started)
    asked = intents[ACTIVE:]
    for intent in asked[:20]:
        index.conflicts(intent)
    took_ms, meeting = [], 0
    for intent in asked:
        tries_ms = []
        for _ in range(3):
            started = perf_counter()
            found = index.conflicts(intent)
            tries_ms.append(1000.0 * (perf_counter() - started))
        took_ms.append(median(tries_ms))
        meeting += bool(found)
    added_ms = []
    growing = index
    for intent in asked[:100]:
        started = perf_counter()
        growing = growing.adding(intent)
        added_ms.append(1000.0 * (perf_counter() - started))
    volumes = sum(len(intent.volumes) for intent in intents[:ACTIVE])
    note = f"{volumes} volumes active; {meeting} of {len(asked)} meet another; median of 3 for each"
    report.add("planner.conflict_1000.p50_ms", median(took_ms), "ms", len(asked), note)
    report.add("planner.conflict_1000.p99_ms", percentile(took_ms, 0.99), "ms", len(asked), note)
    report.add("planner.conflict_1000.intent_ms", making_ms, "ms", len(intents), "volumes of a finished plan")
    report.add("planner.conflict_1000.add_p99_ms", percentile(added_ms, 0.99), "ms", len(added_ms))
    report.add("planner.conflict_1000.build_ms", built_ms, "ms", 1)


def flights(count: int) -> list[FlightPlan]:
    """Plans from random stations to random points; those that can't be flown are drawn again."""
    random_ = random.Random(SEED)
    sky = airspace()
    found: list[FlightPlan] = []
    while len(found) < count:
        x, y = random_.uniform(-20_000, 20_000), random_.uniform(-15_000, 15_000)
        angle, length_m = random_.uniform(0, 2 * math.pi), random_.uniform(1000, 8000)
        start = station("a", x, y)
        goal = landing_point("p", x + length_m * math.cos(angle), y + length_m * math.sin(angle))
        at = NOW + timedelta(seconds=random_.uniform(0, 600))
        plan = fly(sky, start, goal, at=at)
        if isinstance(plan, FlightPlan):
            found.append(plan)
    return found


def declared(plan: FlightPlan, number: int) -> OperationalIntent:
    """The plan as an intent with an id of its own (the helpers' plan ids repeat)."""
    return intent_of_plan(
        replace(plan, plan_id=f"bench-{number}"), owner="bench", priority=0, geoid_undulation_m=UNDULATION_M
    )


def percentile(values: list[float], share: float) -> float:
    """The smallest value that ``share`` of all don't exceed."""
    return sorted(values)[math.ceil(share * len(values)) - 1]
