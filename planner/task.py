"""What the planner is asked: one drone, one landing point."""

from __future__ import annotations

from dataclasses import dataclass

from planner.airframe import Airframe, DeliveryTerms
from planner.checks import check_number
from planner.flight_plan import DeliveryMethod
from planner.reasons import Reason
from planner.site import LandingPoint, Station
from planner.wind import Wind


@dataclass(frozen=True, slots=True, kw_only=True)
class FlightTask:
    """What shall be flown. ``carry_s`` is the walk from the landing point to the patient, floors included."""

    drone_id: str
    station: Station
    landing_point: LandingPoint
    airframe: Airframe
    method: DeliveryMethod
    wind: Wind
    charge_fraction: float
    carry_s: float

    def __post_init__(self) -> None:
        check_number("charge_fraction", self.charge_fraction, minimum=0.0, maximum=1.0)
        check_number("carry_s", self.carry_s, minimum=0.0)


@dataclass(frozen=True, slots=True)
class NoPlan:
    """There is no flight, and why.

    ``least_time_to_aed_s``: there may be one, but none that puts the AED down earlier than this, and that is later
    than the planner was told to look for; None where it looked for any.
    """

    reasons: tuple[Reason, ...]
    least_time_to_aed_s: float | None = None


def delivery_terms_for(airframe: Airframe, methods: tuple[DeliveryMethod, ...]) -> DeliveryTerms | None:
    """How to deliver: the airframe's first method that the landing point allows."""
    return next((terms for terms in airframe.deliveries if terms.method in methods), None)
