"""What crosses between the hub and its planner's process: pickled, between a parent and the child that it started,
over a pair of sockets that nobody else has."""

from __future__ import annotations

import pickle
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.geodesy import Wgs84Point
from core.pickling import pickle_by_slots
from flight.messages import TelemetrySample
from flight.model.phases import Phase
from geofences.airspace import Airspace
from hub_api.dispatch.planning import Answer, Question
from hub_api.dispatch.verdicts import Told as Candidates
from planner.airframe import Airframe
from planner.benefit import Benefit
from planner.flight_plan import (
    Alternate,
    AutopilotFence,
    EnergyBudget,
    FlightPlan,
    Kinematics,
    Leg,
    LegContingency,
    PointOfNoReturn,
    RoutePoint,
    Timing,
)
from planner.reasons import Reason
from planner.site import Drone, Site
from planner.weather import Quantity, Weather
from planner.wind import Wind

HEAD = struct.Struct("!I")
"""The length of what follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What decisions are made on, under a number: sent once, then named."""

    number: int
    at: datetime
    site: Site
    airspace: Airspace
    airframes: Mapping[str, Airframe]
    weather_required: frozenset[Quantity]
    origin: Wgs84Point
    geoid_undulation_m: float
    telemetry_stale_s: float


@dataclass(frozen=True, slots=True)
class DroneNews:
    """What decisions look at of a drone; sent again when it has changed."""

    drone: Drone
    not_ready: tuple[Reason, ...]
    phase: Phase
    charge_fraction: float | None
    wind: Wind | None
    weather: Weather


@dataclass(frozen=True, slots=True)
class Heard:
    """The last telemetry of a drone in the air, and how old it was when the question was asked."""

    sample: TelemetrySample
    age_s: float


@dataclass(frozen=True, slots=True)
class FlightNews:
    """An open flight. ``plan``: None where the planner's process was given it, or made it."""

    flight_id: str
    drone_id: str
    airborne_at: datetime | None
    plan: FlightPlan | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A question. ``fleet`` names every drone that may be asked about, in its order; ``news`` is of those that changed.
    What is None is the same as last time."""

    number: int
    setting: int
    question: Question
    fleet: tuple[str, ...] | None
    news: tuple[DroneNews, ...]
    heard: Mapping[str, Heard] | None
    flights: tuple[FlightNews, ...] | None
    flight_id: str | None
    """The name of the flight, if one is found that later questions may be beside."""
    beside: tuple[int, ...]
    """Questions whose answers' drones and air are taken too."""
    supposed: bool
    forget: tuple[str, ...]
    """Flights whose plan is given anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The answer to the question of that number, or what went wrong in it (a traceback for the log)."""

    number: int
    answer: Answer | None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Rehearse:
    """What the next orders will be asked about, to be planned while nobody asks."""

    number: int
    setting: int
    at: datetime
    fleet: tuple[DroneNews, ...]


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """All of it is planned."""

    number: int


@dataclass(frozen=True, slots=True)
class Ready:
    """The planner has indexed a setting and its kernels are loaded."""

    setting: int


pickle_by_slots(
    *(Ask, DroneNews, FlightNews, Heard, Question, Wgs84Point, Drone, Wind, Weather, TelemetrySample),
    *(Told, Answer, Candidates, Benefit, Reason, FlightPlan, RoutePoint, Leg, LegContingency, Alternate),
    *(Timing, EnergyBudget, Kinematics, AutopilotFence, PointOfNoReturn),
)
"""What crosses with each question and its answer."""


def packed(message: Any) -> bytes:
    """A message with its length before it."""
    body = pickle.dumps(message, protocol=5)
    return HEAD.pack(len(body)) + body
