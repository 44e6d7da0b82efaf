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
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from core.geodesy import LocalFrame, Wgs84Point
from planner.checks import check_number, refuse
from planner.flight_plan import FlightPlan, Leg, RoutePoint
from planner.intents import Circle, IntentState, OperationalIntent, Polygon, Volume4D

CAP_ANGLES_RAD = np.radians([-67.5, -22.5, 22.5, 67.5])
"""Corners of a leg's end, seen from its last point, 0 straight on: half an octagon drawn around the circle, so
that eight corners hold a whole piece with its sides exactly at the margin."""

OUTSIDE = 1.0 / math.cos(math.radians(22.5))
"""How far those corners reach, as a factor of the margin."""

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
    return _volumes(_Asked(plan, geoid_undulation_m, margins), plan.created_at)


class _Asked:
    """A plan's volumes as a key: they depend on its legs and spans, and not on what else a plan is given later.

    The same plan is asked about when it is judged, when it is declared, and with every look at the traffic, and the same
    way again at other moments; its dozens of rings take longer than the question.
    """

    __slots__ = ("margins", "plan", "undulation_m")

    def __init__(self, plan: FlightPlan, undulation_m: float, margins: Margins) -> None:
        self.plan, self.undulation_m, self.margins = plan, undulation_m, margins

    def _rest(self) -> tuple[object, ...]:
        plan = self.plan
        return (
            *(plan.valid_until - plan.created_at, plan.home, plan.landing, plan.delivery_ground_amsl_m),
            *(plan.timing.lower_s, plan.hover_budget_s, plan.corridor_half_width_m),
            *(self.undulation_m, self.margins),
        )

    def __hash__(self) -> int:
        return hash((id(self.plan.outbound), id(self.plan.inbound)))

    def __eq__(self, other: object) -> bool:
        # Legs by identity: what is kept keeps them alive, so that no other legs get their place.
        return (
            isinstance(other, _Asked)
            and self.plan.outbound is other.plan.outbound
            and self.plan.inbound is other.plan.inbound
            and self._rest() == other._rest()
        )


@lru_cache(maxsize=512)
def _volumes(asked: _Asked, accepted_at: datetime) -> tuple[Volume4D, ...]:
    return tuple(
        Volume4D(
            outline=piece.outline,
            altitude_lower_m=piece.altitude_lower_m,
            altitude_upper_m=piece.altitude_upper_m,
            time_start=accepted_at + timedelta(seconds=piece.start_s),
            time_end=accepted_at + timedelta(seconds=piece.end_s),
        )
        for piece in _pieces(asked)
    )


@lru_cache(maxsize=2048)
def _pieces(asked: _Asked) -> tuple[_Piece, ...]:
    return tuple(_Volumes(asked.plan, asked.undulation_m, asked.margins).all())


def over_the_point_s(plan: FlightPlan, margins: Margins = DEFAULT_MARGINS) -> tuple[float, float]:
    """From when to when the volume over the landing point lasts, seconds after the acceptance of the plan: what
    :func:`volumes_of_plan` says of it, without drawing any."""
    up, *cruise, down = plan.outbound
    descending = _Span(0.0, (plan.valid_until - plan.created_at).total_seconds()).plus(up.duration_s)
    for leg in cruise:
        descending = descending.plus(leg.duration_s)
    risen = _left(plan, descending.plus(down.duration_s)).plus(plan.inbound[0].duration_s)
    return (
        descending.earliest_s - _slack_s(margins, descending.earliest_s),
        risen.latest_s + _slack_s(margins, risen.latest_s),
    )


def _left(plan: FlightPlan, arrived: _Span) -> _Span:
    """When the way home begins: between the release and the end of the hover budget."""
    return _Span(arrived.earliest_s + plan.timing.lower_s, arrived.latest_s + plan.hover_budget_s)


def _slack_s(margins: Margins, since_s: float) -> float:
    return margins.time_s + margins.time_fraction * since_s


@dataclass(frozen=True, slots=True)
class _Piece:
    """A volume with its times in seconds after the acceptance of the plan."""

    outline: Polygon | Circle
    altitude_lower_m: float
    altitude_upper_m: float
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class _Span:
    """When something happens, seconds after the acceptance of the plan: at the earliest and at the latest."""

    earliest_s: float
    latest_s: float

    def plus(self, duration_s: float) -> _Span:
        return _Span(self.earliest_s + duration_s, self.latest_s + duration_s)


@lru_cache(maxsize=512)
def _frame_at(pad: Wgs84Point) -> LocalFrame:
    """One plane for each pad: making one takes longer than all volumes of a plan."""
    return LocalFrame(pad)


class _Volumes:
    def __init__(self, plan: FlightPlan, geoid_undulation_m: float, margins: Margins) -> None:
        self.plan, self.undulation_m, self.margins = plan, geoid_undulation_m, margins
        self.lateral_m = margins.lateral_of(plan)
        self.frame = _frame_at(plan.home.position)

    def all(self) -> Iterator[_Piece]:
        plan = self.plan
        take_off = _Span(0.0, (plan.valid_until - plan.created_at).total_seconds())
        if not plan.outbound:
            yield from self.home(plan.inbound, plan.landing.altitude_amsl_m, take_off)
            return
        ground_m = min(plan.home.altitude_amsl_m, plan.outbound[0].start.altitude_amsl_m)
        up, *cruise, down = plan.outbound
        cruising = take_off.plus(up.duration_s)
        yield self.column(up.start, ground_m, up.end.altitude_amsl_m, take_off, cruising)
        descending = yield from self.cruise(cruise, cruising)
        leaving = _left(plan, descending.plus(down.duration_s))
        top_m = max(down.start.altitude_amsl_m, plan.inbound[0].end.altitude_amsl_m)
        risen = leaving.plus(plan.inbound[0].duration_s)
        yield self.column(down.end, plan.delivery_ground_amsl_m, top_m, descending, risen)
        yield from self.home(plan.inbound, ground_m, leaving, column=False)

    def home(
        self, chain: Sequence[Leg], ground_m: float, leaving: _Span, *, column: bool = True
    ) -> Iterator[_Piece]:
        """The way home from where it is left; ``column``: with the vertical leg that it begins with."""
        up, *cruise, landing = chain
        risen = leaving.plus(up.duration_s)
        if column:
            heights_m = (up.start.altitude_amsl_m, up.end.altitude_amsl_m)
            yield self.column(up.start, min(heights_m), max(heights_m), leaving, risen)
        homing = yield from self.cruise(cruise, risen)
        down_at = homing.plus(landing.duration_s)
        yield self.column(landing.end, ground_m, landing.start.altitude_amsl_m, homing, down_at)

    def cruise(self, legs: Sequence[Leg], begin: _Span) -> Generator[_Piece, None, _Span]:
        """The legs in pieces; returns when the last one ends."""
        lon_lat = [(leg.start.position.longitude_deg, leg.start.position.latitude_deg) for leg in legs]
        lon_lat.append((legs[-1].end.position.longitude_deg, legs[-1].end.position.latitude_deg))
        corners_xy = self.frame.project(lon_lat)
        counts = [max(1, math.ceil(leg.duration_s / self.margins.longest_piece_s)) for leg in legs]
        ends_xy = [
            (before + number / count * (after - before), before + (number + 1) / count * (after - before))
            for before, after, count in zip(corners_xy[:-1], corners_xy[1:], counts, strict=True)
            for number in range(count)
        ]
        rings = iter(self.around(np.array(ends_xy)))
        for leg, count in zip(legs, counts, strict=True):
            for number in range(count):
                entering, left = (
                    begin.plus(share * leg.duration_s) for share in (number / count, (number + 1) / count)
                )
                rise_m = leg.end.altitude_amsl_m - leg.start.altitude_amsl_m
                ends_m = [
                    leg.start.altitude_amsl_m + share * rise_m
                    for share in (number / count, (number + 1) / count)
                ]
                yield self.piece(next(rings), min(ends_m), max(ends_m), entering, left)
            begin = begin.plus(leg.duration_s)
        return begin

    def around(self, ends_xy: npt.NDArray[np.float64]) -> list[Polygon]:
        """Rings around straight pieces, given as (n, 2 ends, 2): sides at the margin, ends round and a bit more."""
        along = ends_xy[:, 1] - ends_xy[:, 0]
        heading_rad = np.arctan2(along[:, 1], along[:, 0])[:, None]
        reach_m = OUTSIDE * self.lateral_m
        rings = np.empty((len(ends_xy), 8, 2))
        for half, (end, turn_rad) in enumerate(((ends_xy[:, 1], 0.0), (ends_xy[:, 0], math.pi))):
            angles = heading_rad + turn_rad + CAP_ANGLES_RAD
            part = slice(4 * half, 4 * half + 4)
            rings[:, part, 0] = end[:, :1] + reach_m * np.cos(angles)
            rings[:, part, 1] = end[:, 1:] + reach_m * np.sin(angles)
        lon_lat = self.frame.unproject(rings.reshape(-1, 2)).reshape(rings.shape).tolist()
        return [Polygon(tuple(Wgs84Point(lat, lon) for lon, lat in ring)) for ring in lon_lat]

    def column(
        self, point: RoutePoint, low_amsl_m: float, high_amsl_m: float, begin: _Span, end: _Span
    ) -> _Piece:
        return self.piece(Circle(point.position, self.lateral_m), low_amsl_m, high_amsl_m, begin, end)

    def piece(
        self, outline: Polygon | Circle, low_amsl_m: float, high_amsl_m: float, begin: _Span, end: _Span
    ) -> _Piece:
        return _Piece(
            outline=outline,
            altitude_lower_m=low_amsl_m + self.undulation_m - self.margins.vertical_m,
            altitude_upper_m=high_amsl_m + self.undulation_m + self.margins.vertical_m,
            start_s=begin.earliest_s - _slack_s(self.margins, begin.earliest_s),
            end_s=end.latest_s + _slack_s(self.margins, end.latest_s),
        )
