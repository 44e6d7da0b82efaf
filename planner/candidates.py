"""What may be asked and answered about combinations of a drone with a landing point."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from core.geodesy import Wgs84Point
from planner.airframe import Airframe, DeliveryTerms
from planner.checks import check_aware, check_number, refuse
from planner.reasons import Reason
from planner.site import Drone, LandingPoint
from planner.weather import UNKNOWN, Weather
from planner.wind import Wind

OCCUPIED_S = 900.0
"""Chosen: a landing point must stay usable for a quarter of an hour, longer than any flight to it."""


class Severity(StrEnum):
    """Levels of Chinese emergency dispatch; lower goes first."""

    I = "I"  # noqa: E741 - the level's own name
    """濒危: dying."""
    II = "II"
    """危重: critical."""
    III = "III"
    """急症: acute."""
    IV = "IV"
    """非急症: not acute."""


class CandidateVerdict(StrEnum):
    """What became of a combination."""

    CHOSEN = "chosen"
    POSSIBLE = "possible"
    """Nothing known speaks against it; it is slower, by plan or by bound."""
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchRequest:
    """Who needs the AED, how badly, and since when. ``floor_of_building`` as in China: 1 is the ground
    floor, -1 the first basement, None not known or outdoors."""

    patient: Wgs84Point
    severity: Severity
    floor_of_building: int | None
    at: datetime

    def __post_init__(self) -> None:
        check_aware("at", self.at)
        try:
            object.__setattr__(self, "severity", Severity(self.severity))
        except ValueError:
            raise refuse("severity", f"{self.severity!r} is none of I, II, III, IV") from None
        if self.floor_of_building is not None:
            check_number("floor_of_building", self.floor_of_building, minimum=-20, maximum=200)
            if self.floor_of_building == 0:
                raise refuse("floor_of_building", "there is no floor 0: 1 is the ground floor")


@dataclass(frozen=True, slots=True, kw_only=True)
class DroneState:
    """What is known of a drone now. ``wind`` is what its station measures, None when it doesn't; ``weather``
    what else is known of the air there."""

    drone: Drone
    ready: bool
    not_ready_reasons: tuple[str, ...]
    charge_fraction: float
    wind: Wind | None
    weather: Weather = UNKNOWN

    def __post_init__(self) -> None:
        check_number("charge_fraction", self.charge_fraction, minimum=0.0, maximum=1.0)


class Candidate(NamedTuple):
    """One drone with one landing point. ``time_to_patient_s`` is planned, None where no plan was made;
    ``least_time_to_patient_s`` the lower bound, None where the combination was out before.

    A tuple, because a city has tens of thousands of combinations."""

    station_id: str
    drone_id: str
    landing_point_id: str
    verdict: CandidateVerdict
    reasons: tuple[Reason, ...]
    time_to_patient_s: float | None
    least_time_to_patient_s: float | None


@dataclass(frozen=True, slots=True)
class Option:
    """A combination that may be planned."""

    bound_s: float
    state: DroneState
    landing_point: LandingPoint
    airframe: Airframe
    terms: DeliveryTerms
    wind: Wind
    carry_s: float
