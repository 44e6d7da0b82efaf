"""Judging a run: the invariants that hold whatever goes wrong, and what the scenario expects besides.

Invariants look at what the vehicles truly did, never at what the system believes it did.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from geofences.airspace import Airspace
from geofences.batch import ALLOWED, OUTSIDE_OPERATING_AREA
from proving_ground.result import OrderSeen, Run, Verdict
from proving_ground.schema import Expectation, InvariantName, Scenario

Skies = Sequence[tuple[float, Airspace]]
"""Airspaces in the order in which they came into force, each with the second of the scenario from which on."""

DROP_LIMIT_M = 1.5
"""Chosen: an AED in its padded bag survives a drop from a hand's height; from higher it may hurt somebody."""
HEIGHT_ERROR_M = 10.0
"""Chosen: a barometer's error in the campaign (5 m) and a gust that lifts."""
CRASH_WORDS = ("crashed",)
FALLS = frozenset({"crashed", "motor_trouble"})
"""Faults that are told of a drone that may have fallen beside its AED: it calls nobody (docs/decisions/0045)."""
NOT_HEARD_AGAIN = frozenset({"lost", "closed_by_hand"})
"""Safe states of flights of which nobody knows whether people may go there."""


def judge(
    scenario: Scenario, run: Run, skies: Skies, started: datetime, open_at_the_end: str
) -> tuple[Verdict, ...]:
    """Every verdict on a run. ``skies``: the airspaces that were in force, each with the second from which on;
    ``started``: the moment in the world's time at which the scenario's clock began."""
    verdicts = [
        Verdict(
            "comes to an end", not open_at_the_end, open_at_the_end or "all orders and flights are closed"
        )
    ]
    waived = {waiver.invariant: waiver.because for waiver in scenario.waive}
    for name, check in INVARIANTS.items():
        broken = list(check(run, skies, started))
        if name in waived and broken:
            verdicts.append(Verdict(name, False, f"{broken[0]} (waived: {waived[name]})", waived=True))
        else:
            verdicts.append(Verdict(name, not broken, "; ".join(broken[:3]) or "holds"))
    missing = [line.fault for line in scenario.faults]
    for seen in run.faults:
        if seen.fault in missing:
            missing.remove(seen.fault)
    verdicts.append(
        Verdict(
            "every fault happened", not missing, f"never came: {', '.join(missing)}" if missing else "all"
        )
    )
    for number, line in enumerate(scenario.expect):
        verdicts.extend(_expected(line, run, scenario.orders[0].name, number))
    return tuple(verdicts)


def _no_zone_entered(run: Run, skies: Skies, started: datetime) -> Iterator[str]:
    """No true position of an armed vehicle is forbidden by the airspace that was in force just then."""
    ends_s = [from_s for from_s, _ in skies[1:]] + [math.inf]
    for (drone_id, track), ((from_s, airspace), end_s) in itertools.product(
        run.tracks.items(), zip(skies, ends_s, strict=True)
    ):
        points = [point for point in track if point.armed and from_s <= point.at_s < end_s]
        if not points:
            continue
        moments = np.array(
            [np.datetime64((started + timedelta(seconds=p.at_s)).replace(tzinfo=None), "us") for p in points]
        )
        answers = airspace.check_points(
            [(p.longitude_deg, p.latitude_deg) for p in points], [p.altitude_amsl_m for p in points], moments
        )
        for index in np.flatnonzero(answers != ALLOWED)[:1].tolist():
            zone = int(answers[index])
            name = (
                "leaves the operating area"
                if zone == OUTSIDE_OPERATING_AREA
                else f"is in {airspace.zones[zone].zone_id}"
            )
            yield f"{drone_id} {name} at {points[index].at_s:.0f} s"


def _no_higher_than_planned(run: Run, skies: Skies, started: datetime) -> Iterator[str]:
    """No armed vehicle is higher than the highest point of its plans and what heights may be off."""
    for drone_id, track in run.tracks.items():
        ceiling_m = run.ceilings_amsl_m.get(drone_id)
        if ceiling_m is None:
            continue
        highest = max((p for p in track if p.armed), key=lambda p: p.altitude_amsl_m, default=None)
        if highest is not None and highest.altitude_amsl_m > ceiling_m + HEIGHT_ERROR_M:
            yield (
                f"{drone_id} is {highest.altitude_amsl_m - ceiling_m:.0f} m above its plans at {highest.at_s:.0f} s"
            )


def _every_flight_ends_named(run: Run, skies: Skies, started: datetime) -> Iterator[str]:
    """Every flight has told its safe state and why."""
    for order in run.orders:
        for flight in order.final.get("flights", ()):
            if not flight["ended_at"] or not flight["safe_state"] or not flight["end_reason"]:
                yield f"{order.name}: flight of {flight['drone_id']} has no named end"


def _stands_on_the_ground(run: Run, skies: Skies, started: datetime) -> Iterator[str]:
    """At the end every vehicle stands on the ground with its motors off."""
    for drone_id, testimony in run.testimonies.items():
        if testimony.armed or not testimony.on_ground:
            yield f"{drone_id} is {'armed' if testimony.armed else 'in the air'} at the end"


def _nothing_falls(run: Run, skies: Skies, started: datetime) -> Iterator[str]:
    """No vehicle crashes and no AED falls from a height."""
    for drone_id, testimony in run.testimonies.items():
        for word in CRASH_WORDS:
            for at_s, detail in testimony.of(word):
                yield f"{drone_id} {word} at {at_s:.0f} s ({detail})"
        for at_s, detail in testimony.of("dropped"):
            height_m = float(detail.split()[0])
            if height_m > run.drop_limits_m.get(drone_id, DROP_LIMIT_M):
                yield f"{drone_id} drops the AED from {height_m:.1f} m at {at_s:.0f} s"


def _taken(run: Run) -> list[OrderSeen]:
    """The orders that the hub took, each once: sent again with its key an order is still the same one."""
    return list({order.final["order_id"]: order for order in run.orders if order.final}.values())


def _flown(run: Run) -> list[dict[str, Any]]:
    """Every flight once: two orders for one patient may share one."""
    flights = (flight for order in _taken(run) for flight in order.final["flights"])
    return list({flight["flight_id"]: flight for flight in flights}.values())


def _no_launch_twice(run: Run, skies: Skies, started: datetime) -> Iterator[str]:
    """Motors start at most once for each flight, and an order gets at most one AED."""
    flights = Counter(flight["drone_id"] for flight in _flown(run))
    for order in _taken(run):
        delivered = [flight for flight in order.final["flights"] if flight["aed_on_ground_at"]]
        if len(delivered) > 1:
            yield f"{order.name} was delivered {len(delivered)} times"
    for drone_id, testimony in run.testimonies.items():
        launches = len(testimony.of("armed"))
        if launches > flights[drone_id]:
            yield f"{drone_id} was armed {launches} times for {flights[drone_id]} flights"


def _belief_is_true(run: Run, skies: Skies, started: datetime) -> Iterator[str]:
    """«AED on the ground» is said only where a vehicle's world saw it put down, and of every release that was told."""
    put_down = {
        drone_id: len(testimony.of("on_ground")) + len(testimony.of("dropped"))
        for drone_id, testimony in run.testimonies.items()
    }
    said = Counter(flight["drone_id"] for flight in _flown(run) if flight["aed_on_ground_at"])
    for drone_id, count in said.items():
        if count > put_down.get(drone_id, 0):
            yield f"{drone_id}: {count} deliveries are said, {put_down.get(drone_id, 0)} were seen"
    for order in _taken(run):
        kinds = Counter(order.event_kinds)
        flights = order.final["flights"]
        fell = bool(FALLS.intersection(order.faults)) or any(
            run.testimonies[flight["drone_id"]].of(word) for flight in flights for word in CRASH_WORDS
        )
        unheard = any(flight["safe_state"] in NOT_HEARD_AGAIN for flight in flights)
        if kinds["aed_released"] > kinds["aed_on_ground"] and not (fell or unheard):
            yield f"{order.name}: an AED is released and nobody is told that it may be fetched"


INVARIANTS: dict[InvariantName, Callable[[Run, Skies, datetime], Iterator[str]]] = {
    "no zone entered": _no_zone_entered,
    "no higher than planned": _no_higher_than_planned,
    "every flight has a named end": _every_flight_ends_named,
    "stands on the ground": _stands_on_the_ground,
    "nothing falls": _nothing_falls,
    "no launch twice": _no_launch_twice,
    "belief is true": _belief_is_true,
}
"""What must hold in every scenario, whatever goes wrong."""


def _expected(line: Expectation, run: Run, first_order: str, number: int) -> Iterator[Verdict]:
    name = line.order or first_order
    order = next((order for order in run.orders if order.name == name), None)
    if order is None:
        yield Verdict(f"expect[{number}]", False, f"order {name} was never sent")
        return
    for what, asked, found, holds in _comparisons(line, order):
        yield Verdict(
            f"{name}: {what} {_words(asked)}",
            holds,
            "as expected" if holds else f"found {_words(found)}",
        )


def _comparisons(line: Expectation, order: OrderSeen) -> Iterator[tuple[str, object, object, bool]]:
    flights: Sequence[dict[str, object]] = order.final.get("flights", ())
    decision = order.first_answer.get("decision") or {}
    if line.state is not None:
        state = order.final.get("state")
        yield "ends in state", line.state, state, state in _several(line.state)
    if line.outcome is not None:
        yield "is decided", line.outcome, decision.get("outcome"), decision.get("outcome") == line.outcome
    if line.answers is not None:
        yield "is answered", line.answers, order.answers, order.answers == line.answers
    if line.reason is not None:
        codes = {reason["code"] for reason in decision.get("reasons", ())}
        codes |= {r["code"] for c in decision.get("candidates", ()) for r in c["reasons"]}
        yield "names the reason", line.reason, sorted(codes), line.reason in codes
    if line.delivered_within_s is not None:
        took_s = delivered_after_s(order)
        # Before it was ordered nothing is delivered: the hub's times are then wrong.
        holds = took_s is not None and 0.0 <= took_s <= line.delivered_within_s
        yield "is delivered within (s)", line.delivered_within_s, took_s, holds
    if line.not_delivered is not None:
        yield (
            "is not delivered",
            True,
            order.final.get("aed_on_ground_at"),
            not order.final.get("aed_on_ground_at"),
        )
    if line.ends is not None:
        state = flights[-1]["safe_state"] if flights else None
        yield "last flight ends", line.ends, state, state in _several(line.ends)
    if line.flights is not None:
        yield "takes flights", line.flights, len(flights), len(flights) == line.flights
    if line.fault is not None:
        yield "tells the fault", line.fault, order.faults, line.fault.value in order.faults
    if line.event is not None:
        yield "has the event", line.event, sorted(set(order.event_kinds)), line.event in order.event_kinds


def delivered_after_s(order: OrderSeen) -> float | None:
    """Seconds from the order's arrival to the AED on the ground."""
    received, ground = order.final.get("received_at"), order.final.get("aed_on_ground_at")
    if not received or not ground:
        return None
    return (datetime.fromisoformat(ground) - datetime.fromisoformat(received)).total_seconds()


def _several(value: object) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, tuple) else (str(value),)


def _words(value: object) -> str:
    if isinstance(value, (tuple, list)):
        return " or ".join(str(item) for item in value) if value else "nothing"
    return "nothing" if value is None else str(value)
