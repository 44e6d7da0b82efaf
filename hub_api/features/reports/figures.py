"""From orders' moments to shares and percentiles; no database and no HTTP here."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from hub_api.dispatch.order_states import TERMINAL_STATES
from hub_api.store.repositories.reports import OrderFigures

ShareGroup = Literal["none", "reason", "station", "hour", "severity"]
TimesGroup = Literal["none", "station", "hour", "severity"]
TOOK_OFF = "took_off"
"""The group of those that flew, among the reasons why others did not."""
OPEN = "open"
"""The group of those of which it is not known yet."""
UNKNOWN = "unknown"
_FINAL = frozenset(str(state) for state in TERMINAL_STATES)

KeyOf = Callable[[OrderFigures], str]


def key_of(group_by: ShareGroup, timezone: ZoneInfo) -> KeyOf:
    """Which group an order belongs to. Hours are local, 00 to 23, of the moment it was received."""
    if group_by == "station":
        return lambda order: order.station_id or UNKNOWN
    if group_by == "severity":
        return lambda order: order.severity
    if group_by == "hour":
        return lambda order: f"{order.received_at.astimezone(timezone).hour:02d}"
    if group_by == "reason":
        return _reason
    return lambda order: "all"


def _reason(order: OrderFigures) -> str:
    if order.airborne_at is not None:
        return TOOK_OFF
    if order.state not in _FINAL:
        return OPEN
    return order.non_flight_reason or UNKNOWN


@dataclass(slots=True)
class Share:
    """One group's count. ``settled`` orders flew or ended; the share is of those."""

    orders: int = 0
    settled: int = 0
    took_off: int = 0
    delivered: int = 0
    compared: int = 0
    """Delivered, and the ambulance's arrival was known."""
    ahead: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, order: OrderFigures) -> None:
        self.orders += 1
        flew = order.airborne_at is not None
        if not flew and order.state not in _FINAL:
            return
        self.settled += 1
        if not flew:
            self.reasons[_reason(order)] += 1
            return
        self.took_off += 1
        if order.aed_on_ground_at is None:
            return
        self.delivered += 1
        if order.ambulance_eta_at is not None:
            self.compared += 1
            self.ahead += order.aed_on_ground_at < order.ambulance_eta_at


def ratio(part: int, whole: int) -> float | None:
    """None of nothing is no share."""
    return part / whole if whole else None


def shares(orders: Iterable[OrderFigures], key: KeyOf) -> tuple[Share, dict[str, Share]]:
    """The whole, and its groups by key."""
    whole, groups = Share(), defaultdict[str, Share](Share)
    for order in orders:
        whole.add(order)
        groups[key(order)].add(order)
    return whole, dict(sorted(groups.items()))


MEASURES: dict[str, Callable[[OrderFigures], float | None]] = {
    "order_to_decided_s": lambda o: _between(o.received_at, o.decided_at),
    "order_to_airborne_s": lambda o: _between(o.received_at, o.airborne_at),
    "order_to_aed_on_ground_s": lambda o: _between(o.received_at, o.aed_on_ground_at),
    "ahead_of_ambulance_s": lambda o: _between(o.aed_on_ground_at, o.ambulance_eta_at),
}
"""What is measured, in seconds; ``ahead_of_ambulance_s`` is negative where the ambulance was expected first."""


def _between(first: datetime | None, second: datetime | None) -> float | None:
    return None if first is None or second is None else (second - first).total_seconds()


@dataclass(frozen=True, slots=True)
class Spread:
    """How a measure is spread; percentiles by nearest rank, so that each is a time that happened."""

    count: int
    mean_s: float | None
    p10_s: float | None
    p50_s: float | None
    p90_s: float | None
    p99_s: float | None
    least_s: float | None
    most_s: float | None


def spread(values: Sequence[float]) -> Spread:
    """Of no values: all None."""
    if not values:
        return Spread(0, None, None, None, None, None, None, None)
    ordered = sorted(values)

    def at(fraction: float) -> float:
        return ordered[max(0, math.ceil(fraction * len(ordered)) - 1)]

    return Spread(
        len(ordered),
        sum(ordered) / len(ordered),
        at(0.10),
        at(0.50),
        at(0.90),
        at(0.99),
        ordered[0],
        ordered[-1],
    )


def times(orders: Iterable[OrderFigures], key: KeyOf) -> dict[str, dict[str, Spread]]:
    """group → measure → spread. The group «all» holds every order; with ``key`` constant it is alone."""
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: {name: [] for name in MEASURES})
    for order in orders:
        for group in {"all", key(order)}:
            for name, measure in MEASURES.items():
                value = measure(order)
                if value is not None:
                    found[group][name].append(value)
    found["all"]
    return {
        group: {name: spread(values) for name, values in measured.items()}
        for group, measured in sorted(found.items())
    }
