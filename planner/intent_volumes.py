"""A flight plan as an operational intent: the volumes that hold the flight with room for what goes wrong.

F3548-21 asks that a flight stays inside its volumes for 95 % of the time. The margins here (:class:`Margins`) are
wider than that on purpose, because the volumes are also what keeps two of our own drones apart:

- sideways the plan's whole corridor (flight geography and contingency): even a drone that breaks through its
  fence at full speed and then brakes is still inside;
- in height 10 m: twice the 4 m altitude error of our airframes, and what the geoid and a survey may add;
- in time 10 s and 5 % of the time since take-off, on both sides: the standard's 5 s of clock skew, 2.5 s that
  a trapezoid of speed lags behind even motion, and a cruise that is 5 % slower or faster than planned.

The take-off lies anywhere between the acceptance and the end of the plan's validity, the way back begins
anywhere between the release and the end of the hover budget; the volumes hold all of it. Returns that are not
flown as planned (retracing, rally points) are no part: a flight that does so is Contingent in F3548, and its
volumes are to be declared then.
"""

from __future__ import annotations

import hashlib
import math
import uuid
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import shapely

from core.geodesy import LocalFrame, Wgs84Point
from planner.checks import check_number, refuse
from planner.flight_plan import FlightPlan, Leg, RoutePoint
from planner.intents import Circle, IntentState, OperationalIntent, Polygon, Volume4D

CAP_SEGMENTS = 4
"""Chosen: corners in a quarter of a leg's round end; drawn around the circle, 2 % outside of it at most."""

OUTSIDE = 1.0 / math.cos(math.pi / (4 * CAP_SEGMENTS))
"""How far a drawn end reaches, as a factor of its radius."""

PRIORITIES = {"I": 400, "II": 300, "III": 200, "IV": 100}
"""Chosen: by severity; larger goes first, and 0 is what F3548 gives to everybody else's ordinary flights."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Margins:
    """What is added to the planned way; every default is chosen, the module says why.

    ``lateral_m`` None takes the plan's corridor half width. ``longest_piece_s`` cuts long legs, so that a
    volume doesn't close a street for minutes.
    """

    lateral_m: float | None = None
    vertical_m: float = 10.0
    time_s: float = 10.0
    time_fraction: float = 0.05
    longest_piece_s: float = 30.0

    def __post_init__(self) -> None:
        if self.lateral_m is not None:
            check_number("margins.lateral_m", self.lateral_m, above=0.0, maximum=1000.0)
        check_number("margins.vertical_m", self.vertical_m, above=0.0, maximum=500.0)
        check_number("margins.time_s", self.time_s, minimum=0.0, maximum=600.0)
        check_number("margins.time_fraction", self.time_fraction, minimum=0.0, maximum=1.0)
        check_number("margins.longest_piece_s", self.longest_piece_s, minimum=1.0)

    def lateral_of(self, plan: FlightPlan) -> float:
        """Metres to each side of the planned way."""
        return plan.corridor_half_width_m if self.lateral_m is None else self.lateral_m


DEFAULT_MARGINS = Margins()


def priority_of(severity: str) -> int:
    """The priority of a severity «I» … «IV»."""
    if severity not in PRIORITIES:
        raise refuse("severity", f"{severity!r} is none of I, II, III, IV")
    return PRIORITIES[severity]


def intent_id_of(plan: FlightPlan) -> str:
    """The intent's id: a version 4 UUID, as F3548 wants, always the same for the same plan."""
    return str(uuid.UUID(bytes=hashlib.sha256(plan.plan_id.encode()).digest()[:16], version=4))


def intent_of_plan(
    plan: FlightPlan,
    *,
    owner: str,
    priority: int,
    geoid_undulation_m: float,
    margins: Margins = DEFAULT_MARGINS,
) -> OperationalIntent:
    """The accepted plan as an intent in state Accepted."""
    return OperationalIntent(
        intent_id=intent_id_of(plan),
        owner=owner,
        state=IntentState.ACCEPTED,
        priority=priority,
        volumes=volumes_of_plan(plan, geoid_undulation_m=geoid_undulation_m, margins=margins),
    )


def volumes_of_plan(
    plan: FlightPlan, *, geoid_undulation_m: float, margins: Margins = DEFAULT_MARGINS
) -> tuple[Volume4D, ...]:
    """Volumes that hold the whole flight from the pad and back.

    ``geoid_undulation_m``: height of the geoid above the WGS-84 ellipsoid at the flight, from a geoid model or
    a survey: ellipsoidal altitude = AMSL altitude + undulation. It has no default, because it isn't guessed.
    """
    check_number("geoid_undulation_m", geoid_undulation_m, minimum=-110.0, maximum=90.0)
    return tuple(_Volumes(plan, geoid_undulation_m, margins).all())


@dataclass(frozen=True, slots=True)
class _Span:
    """When something happens, seconds after the acceptance of the plan: at the earliest and at the latest."""

    earliest_s: float
    latest_s: float

    def plus(self, duration_s: float) -> _Span:
        return _Span(self.earliest_s + duration_s, self.latest_s + duration_s)


class _Volumes:
    def __init__(self, plan: FlightPlan, geoid_undulation_m: float, margins: Margins) -> None:
        self.plan, self.undulation_m, self.margins = plan, geoid_undulation_m, margins
        self.lateral_m = margins.lateral_of(plan)
        self.frame = LocalFrame(plan.home.position)

    def all(self) -> Iterator[Volume4D]:
        plan = self.plan
        take_off = _Span(0.0, (plan.valid_until - plan.created_at).total_seconds())
        ground_m = min(plan.home.altitude_amsl_m, plan.outbound[0].start.altitude_amsl_m)
        up, *cruise, down = plan.outbound
        cruising = take_off.plus(up.duration_s)
        yield self.column(up.start, ground_m, up.end.altitude_amsl_m, take_off, cruising)
        descending = yield from self.cruise(cruise, cruising)
        arrived = descending.plus(down.duration_s)
        back_up, *back, landing = plan.inbound
        leaving = _Span(
            arrived.earliest_s + plan.timing.lower_s, arrived.latest_s + plan.hover_budget_s
        ).plus(back_up.duration_s)
        top_m = max(down.start.altitude_amsl_m, back_up.end.altitude_amsl_m)
        yield self.column(down.end, plan.delivery_ground_amsl_m, top_m, descending, leaving)
        homing = yield from self.cruise(back, leaving)
        down_at = homing.plus(landing.duration_s)
        yield self.column(landing.end, ground_m, landing.start.altitude_amsl_m, homing, down_at)

    def cruise(self, legs: Sequence[Leg], begin: _Span) -> Generator[Volume4D, None, _Span]:
        """The legs in pieces; returns when the last one ends."""
        for leg in legs:
            pieces = max(1, math.ceil(leg.duration_s / self.margins.longest_piece_s))
            ends = self.frame.project(
                [
                    (point.position.longitude_deg, point.position.latitude_deg)
                    for point in (leg.start, leg.end)
                ]
            )
            for number in range(pieces):
                shares = (number / pieces, (number + 1) / pieces)
                line = shapely.LineString([ends[0] + share * (ends[1] - ends[0]) for share in shares])
                entering, left = (begin.plus(share * leg.duration_s) for share in shares)
                low_m = min(leg.start.altitude_amsl_m, leg.end.altitude_amsl_m)
                high_m = max(leg.start.altitude_amsl_m, leg.end.altitude_amsl_m)
                yield self.volume(self.around(line), low_m, high_m, entering, left)
            begin = begin.plus(leg.duration_s)
        return begin

    def around(self, line: shapely.LineString) -> Polygon:
        shape = shapely.buffer(line, OUTSIDE * self.lateral_m, quad_segs=CAP_SEGMENTS)
        lon_lat = self.frame.unproject(shapely.get_coordinates(shape)[:-1])
        return Polygon(tuple(Wgs84Point(lat, lon) for lon, lat in lon_lat.tolist()))

    def column(
        self, point: RoutePoint, low_amsl_m: float, high_amsl_m: float, begin: _Span, end: _Span
    ) -> Volume4D:
        return self.volume(Circle(point.position, self.lateral_m), low_amsl_m, high_amsl_m, begin, end)

    def volume(
        self, outline: Polygon | Circle, low_amsl_m: float, high_amsl_m: float, begin: _Span, end: _Span
    ) -> Volume4D:
        early_s = begin.earliest_s - self.slack_s(begin.earliest_s)
        late_s = end.latest_s + self.slack_s(end.latest_s)
        return Volume4D(
            outline=outline,
            altitude_lower_m=low_amsl_m + self.undulation_m - self.margins.vertical_m,
            altitude_upper_m=high_amsl_m + self.undulation_m + self.margins.vertical_m,
            time_start=self.moment(early_s),
            time_end=self.moment(late_s),
        )

    def slack_s(self, since_s: float) -> float:
        return self.margins.time_s + self.margins.time_fraction * since_s

    def moment(self, since_s: float) -> datetime:
        return self.plan.created_at + timedelta(seconds=since_s)
