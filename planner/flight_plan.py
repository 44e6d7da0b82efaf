"""The immutable answer of the planner: everything a flight needs, decided before it starts.

A plan is a value: it crosses the bus and the database as JSON, is compiled into an autopilot's
mission (:mod:`planner.compile`) and drawn (:mod:`planner.export`), and is never changed. Heights
are AMSL; positions are WGS-84.

The way is a chain of straight legs without a gap:

    outbound: climb from the pad · cruise legs · descent to the hover point over the landing point
    inbound:  climb from the hover point · cruise legs · descent to the pad

A plan may also begin in the air, for a vehicle that stands there: ``start`` is the place, the first climb
begins at it, and where nothing is left to deliver only the way home remains.

So every leg, vertical ones included, is one item of the mission and is checked like any other.
"""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.geodesy import Wgs84Point
from planner.checks import check_aware, check_number, check_text, refuse
from planner.wind import Wind


class DeliveryMethod(StrEnum):
    """How the AED gets from the drone to the ground."""

    WINCH = "WINCH"
    """Lowered on a line from the hover point; the drone never comes near people."""
    GRIPPER_LOW = "GRIPPER_LOW"
    """Released by a gripper from a hover a little above the ground."""
    LAND = "LAND"
    """Handed over after landing. The landing is commanded under supervision, never part of the mission: in
    the middle of one ArduCopter disarms and PX4 takes off again at once."""


class LegKind(StrEnum):
    """What a leg is flown as."""

    CLIMB = "CLIMB"
    CRUISE = "CRUISE"
    DESCENT = "DESCENT"


class RouteObjective(StrEnum):
    """What the way is the best of, so that nobody reads «shortest» where it is «fastest»."""

    SHORTEST = "SHORTEST"
    """The shortest legal way; in calm air, or where the ground speed is limited everywhere."""
    FASTEST = "FASTEST"
    """The legal way of least cruise time in the plan's uniform wind; it may be longer than the shortest."""


@dataclass(frozen=True, slots=True)
class RoutePoint:
    """A position in space: WGS-84, metres above mean sea level."""

    position: Wgs84Point
    altitude_amsl_m: float

    def __post_init__(self) -> None:
        check_number("altitude_amsl_m", self.altitude_amsl_m, minimum=-500.0, maximum=9000.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """A straight leg.

    ``length_m`` is the distance flown, climb included. ``ground_speed_m_s`` is the horizontal
    cruise speed over ground in the plan's wind (0 for vertical legs). ``duration_s`` contains the
    acceleration and braking that the corner at its end asks for. ``energy_wh`` is taken from the
    battery, electrical losses included.
    """

    kind: LegKind
    start: RoutePoint
    end: RoutePoint
    length_m: float
    ground_speed_m_s: float
    duration_s: float
    energy_wh: float

    def __post_init__(self) -> None:
        for field, number in (
            ("leg.length_m", self.length_m),
            ("leg.ground_speed_m_s", self.ground_speed_m_s),
            ("leg.duration_s", self.duration_s),
            ("leg.energy_wh", self.energy_wh),
        ):
            # Said here again because a plan has dozens of legs; NaN compares false.
            if not (type(number) is float and 0.0 <= number < math.inf):
                check_number(field, number, minimum=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Seconds, planned, from the moment the plan is accepted.

    ``time_to_aed_on_ground_s`` = preparation + climb + outbound + descent + lower: the AED stands
    on the ground and may be approached. ``time_to_patient_s`` adds ``carry_s``: a person who waits at
    the landing point walks it to the patient, floors included; waiting for that person is not in it.
    ``outbound_s`` and ``inbound_s`` are the cruise legs alone. ``total_s`` runs until the drone is
    back on its pad, the whole hover budget used.
    """

    preparation_s: float
    climb_s: float
    outbound_s: float
    descent_s: float
    lower_s: float
    time_to_aed_on_ground_s: float
    carry_s: float
    time_to_patient_s: float
    hover_s: float
    inbound_climb_s: float
    inbound_s: float
    landing_s: float
    total_s: float

    def __post_init__(self) -> None:
        for field in self.__slots__:
            check_number(f"timing.{field}", getattr(self, field), minimum=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyBudget:
    """Watt-hours from the battery. ``total_wh + uncertainty_wh + reserve_wh ≤ usable_wh`` in every plan.

    ``outbound_wh`` and ``inbound_wh`` contain the vertical legs; ``hover_wh`` the whole hover
    budget. ``uncertainty_wh`` is what model, wind and ageing may add (see :mod:`planner.energy`).
    ``usable_wh`` is what the present charge yields.
    """

    outbound_wh: float
    hover_wh: float
    inbound_wh: float
    total_wh: float
    uncertainty_wh: float
    reserve_wh: float
    usable_wh: float

    def __post_init__(self) -> None:
        for field in self.__slots__:
            check_number(f"energy.{field}", getattr(self, field), minimum=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kinematics:
    """What the autopilot must be set to, so that the plan's times and its corridor hold."""

    acceptance_radius_m: float
    ground_speed_max_m_s: float
    climb_rate_m_s: float
    descent_rate_m_s: float
    landing_rate_m_s: float
    landing_slow_below_m: float
    acceleration_m_s2: float
    vertical_acceleration_m_s2: float

    def __post_init__(self) -> None:
        for field in self.__slots__:
            check_number(f"kinematics.{field}", getattr(self, field), minimum=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class AutopilotFence:
    """The fence an autopilot holds: inside ``inclusion``, outside every exclusion, below the ceiling.

    Rings are open (the first point is not repeated). The autopilot knows neither time nor zone
    floors, so the fence is the planned corridor itself, which is legal for this flight.
    """

    inclusion: tuple[Wgs84Point, ...]
    exclusions: tuple[tuple[Wgs84Point, ...], ...]
    ceiling_amsl_m: float

    def __post_init__(self) -> None:
        check_number("autopilot_fence.ceiling_amsl_m", self.ceiling_amsl_m)
        for name, ring in (
            ("inclusion", self.inclusion),
            *(("exclusions", ring) for ring in self.exclusions),
        ):
            if len(ring) < 3:
                raise refuse(f"autopilot_fence.{name}", f"a ring needs three points, not {len(ring)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class LegContingency:
    """Where to go when something fails on this leg.

    ``rally_indices``: the rally points that an autopilot's straight-line return picks from some
    point of the leg (the nearest one); every such straight line is legal, proved on the whole swept
    area. ``planned_return`` names the way back along legs that are legal by construction:
    ``retrace`` (this leg backwards) or ``continue`` (on to the end of the way).
    ``worst_return_energy_wh`` is what the planned return costs from the worst point of the leg.
    """

    section: str
    leg_index: int
    rally_indices: tuple[int, ...]
    planned_return: str
    worst_return_energy_wh: float

    def __post_init__(self) -> None:
        known = self.section in ("outbound", "inbound")
        if not known and (not SECTION_NAME.fullmatch(self.section) or self.section == "retrace"):
            raise refuse("contingency.section", f"{self.section!r} is no section that needs a contingency")
        if self.planned_return not in ("retrace", "continue"):
            raise refuse("contingency.planned_return", f"{self.planned_return!r} is no planned return")
        check_number("contingency.worst_return_energy_wh", self.worst_return_energy_wh, minimum=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PointOfNoReturn:
    """The last point of the way out from which retracing it is still possible with the reserve kept.

    ``distance_m`` counts along the outbound cruise legs; ``beyond_delivery`` says that the whole
    way out can be retraced, so the point is not reached before the delivery.
    """

    distance_m: float
    beyond_delivery: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternate:
    """Another landing point for the same flight, should the planned one be occupied when the drone is there.

    ``transfer`` leads from the plan's own hover point (``FlightPlan.delivery``) to the hover point ``delivery`` over
    the alternate, whose ground is at ``delivery_ground_amsl_m``; ``inbound`` home from there. The plan's
    fence contains both, its rally points serve both, and the battery holds the whole hover budget at both
    points. While on the transfer the planned return is to fly it on and then home, without the hover.

    ``extra_s`` runs from leaving the first hover point until the AED stands on the ground, ``time_to_patient_s``
    from the plan's acceptance when the drone leaves as soon as it has arrived; ``carry_s`` is in it.
    ``energy_wh`` is transfer, hover budget and way home.
    """

    landing_point_id: str
    delivery: RoutePoint
    delivery_ground_amsl_m: float
    delivery_method: DeliveryMethod
    hover_budget_s: float
    transfer: tuple[Leg, ...]
    inbound: tuple[Leg, ...]
    carry_s: float
    extra_s: float
    time_to_patient_s: float
    energy_wh: float

    def __post_init__(self) -> None:
        check_text("alternate.landing_point_id", self.landing_point_id)
        check_number("alternate.hover_budget_s", self.hover_budget_s, above=0.0)
        for field in ("carry_s", "extra_s", "time_to_patient_s", "energy_wh"):
            check_number(f"alternate.{field}", getattr(self, field), minimum=0.0)


SECTION_NAME = re.compile(r"outbound|inbound|retrace|(transfer|home)-[1-9]", re.ASCII)
"""How the chains of a plan are called: ``transfer-1`` and ``home-1`` are those of the first alternate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlightPlan:
    """One sortie, decided: way, times, energy, fence, contingencies, and what made it legal.

    ``home`` lies on the pad, ``delivery`` is the hover point over the landing point whose ground is
    at ``delivery_ground_amsl_m``. ``corridor_half_width_m`` is the distance that every cruise leg
    keeps from every forbidden zone. ``airspace_version`` and the window from ``created_at`` to
    ``valid_until`` say what it was checked against: take off later, and it must be planned again.
    ``retrace`` is the way out flown backwards, AED aboard, for a return before the delivery; it is
    empty where ``inbound`` already is that way.
    ``start`` is None for a flight from the pad. Otherwise the vehicle stands there in the air: ``outbound``
    begins at it, ``retrace`` leads back to it and then home; an empty ``outbound`` means that ``inbound``
    begins at it and nothing is delivered (``delivery`` then says where it was to be).
    ``lands_at`` is None where it comes home. Otherwise ``inbound`` ends there, on the ground of another pad or an
    emergency site; only for a plan that begins in the air and delivers nothing. Heights still count from ``home``.
    ``conditions`` must be kept, ``authorisation_ids`` were needed. ``alternates`` are the next best
    landing points that this flight can still reach from the planned one, fastest first.
    """

    plan_id: str
    drone_id: str
    station_id: str
    landing_point_id: str
    airframe_id: str
    home: RoutePoint
    delivery: RoutePoint
    delivery_ground_amsl_m: float
    delivery_method: DeliveryMethod
    hover_budget_s: float
    outbound: tuple[Leg, ...]
    inbound: tuple[Leg, ...]
    rally_points: tuple[RoutePoint, ...]
    autopilot_fence: AutopilotFence
    wind: Wind
    route_objective: RouteObjective
    kinematics: Kinematics
    corridor_half_width_m: float
    timing: Timing
    energy: EnergyBudget
    airspace_version: str
    terrain: str
    authorisation_ids: tuple[str, ...]
    conditions: tuple[str, ...]
    created_at: datetime
    valid_until: datetime
    retrace: tuple[Leg, ...] = ()
    contingencies: tuple[LegContingency, ...] = ()
    point_of_no_return: PointOfNoReturn | None = None
    alternates: tuple[Alternate, ...] = ()
    start: RoutePoint | None = None
    lands_at: RoutePoint | None = None

    def __post_init__(self) -> None:
        for field in (
            "plan_id",
            "drone_id",
            "station_id",
            "landing_point_id",
            "airframe_id",
            "airspace_version",
        ):
            check_text(field, getattr(self, field))
        check_number("hover_budget_s", self.hover_budget_s, above=0.0)
        check_number("corridor_half_width_m", self.corridor_half_width_m, above=0.0)
        check_aware("created_at", self.created_at)
        check_aware("valid_until", self.valid_until)
        if not self.valid_until > self.created_at:
            raise refuse("valid_until", "must be after created_at")
        if self.lands_at is not None and (
            self.start is None or self.outbound or self.retrace or self.alternates
        ):
            raise refuse(
                "lands_at", "only a plan that begins in the air and delivers nothing lands elsewhere"
            )
        if self.start is not None and not self.outbound:
            self._check_chain("inbound", self.inbound, self.start, self.landing)
        else:
            self._check_chain("outbound", self.outbound, self.start or self.home, self.delivery)
            self._check_chain("inbound", self.inbound, self.delivery, self.home)
        if self.retrace:
            self._check_chain("retrace", self.retrace, self.delivery, self.home)
        for number, alternate in enumerate(self.alternates, start=1):
            self._check_chain(f"transfer-{number}", alternate.transfer, self.delivery, alternate.delivery)
            self._check_chain(f"home-{number}", alternate.inbound, alternate.delivery, self.home)
        energy = self.energy
        if energy.total_wh + energy.uncertainty_wh + energy.reserve_wh > energy.usable_wh + 1e-6:
            raise refuse("energy", "the flight needs more than the battery's usable energy less reserve")

    @property
    def landing(self) -> RoutePoint:
        """Where the flight ends as planned: on its pad, or where it was diverted to."""
        return self.home if self.lands_at is None else self.lands_at

    @property
    def delivers(self) -> bool:
        """Whether there is still something to deliver."""
        return bool(self.outbound)

    def sections(self) -> dict[str, tuple[Leg, ...]]:
        """Every chain of legs that the drone may be told to fly, by its name; ``retrace`` only where there is one."""
        found = {"outbound": self.outbound, "inbound": self.inbound}
        if self.retrace:
            found["retrace"] = self.retrace
        for number, alternate in enumerate(self.alternates, start=1):
            found[f"transfer-{number}"] = alternate.transfer
            found[f"home-{number}"] = alternate.inbound
        return found

    def section(self, name: str) -> tuple[Leg, ...]:
        """The legs of «outbound», «inbound», «retrace», «transfer-1», «home-1» …, as :class:`LegContingency` and
        compiled items name them; empty for a retrace that the way home already is."""
        if name == "retrace":
            return self.retrace
        return self.sections()[name]

    @staticmethod
    def _check_chain(field: str, legs: tuple[Leg, ...], start: RoutePoint, end: RoutePoint) -> None:
        if len(legs) < 3 or legs[0].kind is not LegKind.CLIMB or legs[-1].kind is not LegKind.DESCENT:
            raise refuse(field, "must be a climb, at least one cruise leg and a descent")
        if any(leg.kind is not LegKind.CRUISE for leg in legs[1:-1]):
            raise refuse(field, "only cruise legs may stand between climb and descent")
        if legs[0].start != start or legs[-1].end != end:
            raise refuse(field, "does not join its two ends")
        for index, (before, after) in enumerate(itertools.pairwise(legs)):
            if before.end != after.start:
                raise refuse(f"{field}[{index}]", "there is a gap to the next leg")
