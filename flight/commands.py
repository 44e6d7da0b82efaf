"""What is said to an agent: commands, and notices of what the world has become.

Commands are imperative, notices are facts. Both carry ``command_id``: an agent acts on each id once,
whatever the bus repeats, and answers it with CommandAccepted or CommandRefused.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from flight.message_parts import Reason
from geofences.model import Zone
from planner.flight_plan import FlightPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class FlyMission:
    """Fly this plan. Refused with reasons unless the vehicle stands ready without a flight.

    The drone takes off not before ``not_before``, or not before ``plan.created_at`` where that is None: a
    plan that was delayed for other flights begins in the future. Until then it waits on the pad, prepared.
    ``drill``: nobody is in need; a drone that is not marked for drills refuses.
    """

    command_id: str
    drone_id: str
    flight_id: str
    order_id: str | None
    plan: FlightPlan
    issued_at: datetime
    not_before: datetime | None = None
    drill: bool = False
    kind: Literal["fly_mission"] = "fly_mission"

    @property
    def departs_at(self) -> datetime:
        """The earliest moment at which the motors may start."""
        return max(self.plan.created_at, self.not_before or self.plan.created_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class AbortFlight:
    """Give the delivery up: on the ground call the flight off, in the air bring AED and drone home.

    Accepted in every phase of a flight; an AED that is already released stays delivered. With ``only_on_ground`` it
    is refused once the vehicle is in the air: the drone is wanted elsewhere, but not at the price of this delivery.
    """

    command_id: str
    drone_id: str
    flight_id: str
    issued_at: datetime
    reason: str
    only_on_ground: bool = False
    kind: Literal["abort_flight"] = "abort_flight"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnHome:
    """Fly home now along legal legs; the line is retracted first if it is out."""

    command_id: str
    drone_id: str
    flight_id: str
    issued_at: datetime
    reason: str
    kind: Literal["return_home"] = "return_home"


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldFlight:
    """Stop in the air and stay there until ContinueFlight, another command or a safety action."""

    command_id: str
    drone_id: str
    flight_id: str
    issued_at: datetime
    reason: str
    kind: Literal["hold_flight"] = "hold_flight"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContinueFlight:
    """Go on after HoldFlight."""

    command_id: str
    drone_id: str
    flight_id: str
    issued_at: datetime
    kind: Literal["continue_flight"] = "continue_flight"


@dataclass(frozen=True, slots=True, kw_only=True)
class DivertFlight:
    """Fly to the nearest rally point of the plan and land there."""

    command_id: str
    drone_id: str
    flight_id: str
    issued_at: datetime
    reason: str
    kind: Literal["divert_flight"] = "divert_flight"


@dataclass(frozen=True, slots=True, kw_only=True)
class LandNow:
    """Land where the vehicle is: the last resort, over whatever lies below."""

    command_id: str
    drone_id: str
    flight_id: str
    issued_at: datetime
    reason: str
    kind: Literal["land_now"] = "land_now"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportState:
    """Publish VehicleState and PreflightChecked now."""

    command_id: str
    drone_id: str
    issued_at: datetime
    kind: Literal["report_state"] = "report_state"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmAedLoaded:
    """A person at the station hung an AED on the hook. Accepted when the hook states that it holds.

    After a release a drone refuses to fly until this came: nobody sends an empty drone to a patient.
    """

    command_id: str
    drone_id: str
    issued_at: datetime
    confirmed_by: str
    kind: Literal["confirm_aed_loaded"] = "confirm_aed_loaded"


@dataclass(frozen=True, slots=True, kw_only=True)
class RerouteFlight:
    """Fly this plan instead, from where the vehicle is.

    ``plan.start`` is where it begins: an airborne plan (:mod:`planner.replan`). The vehicle stops, the new
    mission is written and read back, then it goes on. A plan that begins elsewhere is refused.
    """

    command_id: str
    drone_id: str
    flight_id: str
    issued_at: datetime
    plan: FlightPlan
    reason: str
    kind: Literal["reroute_flight"] = "reroute_flight"


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseFlight:
    """A person looked: this flight is over, the vehicle is where ``reason`` says.

    For a vehicle that nobody hears, or that a controller without its journal found in the air. Refused
    while the vehicle is heard with turning motors.
    """

    command_id: str
    drone_id: str
    flight_id: str
    issued_at: datetime
    closed_by: str
    reason: str
    kind: Literal["close_flight"] = "close_flight"


# --- notices: what the world has become; told to every drone, acted on where it matters ---------


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneActivated:
    """A zone was closed after plans were made. A flight whose way meets it stops before it."""

    command_id: str
    drone_id: str
    issued_at: datetime
    zone: Zone
    airspace_version: str
    kind: Literal["zone_activated"] = "zone_activated"


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneCleared:
    """A zone that was activated is open again."""

    command_id: str
    drone_id: str
    issued_at: datetime
    zone_id: str
    kind: Literal["zone_cleared"] = "zone_cleared"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorisationRevoked:
    """An authorisation was taken back. ``zones``: those that it opened; they count as closed from now."""

    command_id: str
    drone_id: str
    issued_at: datetime
    authorisation_id: str
    zones: tuple[Zone, ...] = ()
    kind: Literal["authorisation_revoked"] = "authorisation_revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientMoved:
    """The plan's landing point is no longer right: stop, a RerouteFlight, ContinueFlight or AbortFlight follows.

    Refused once the AED is on its way down or delivered: then it is too late for this flight.
    """

    command_id: str
    drone_id: str
    flight_id: str
    issued_at: datetime
    reason: str
    kind: Literal["patient_moved"] = "patient_moved"


@dataclass(frozen=True, slots=True, kw_only=True)
class LandingPointOccupied:
    """Somebody or something is where the AED is to come down."""

    command_id: str
    drone_id: str
    flight_id: str
    issued_at: datetime
    landing_point_id: str
    reported_by: str
    kind: Literal["landing_point_occupied"] = "landing_point_occupied"


@dataclass(frozen=True, slots=True, kw_only=True)
class LandingPointCleared:
    """The place where the AED is to come down is free again."""

    command_id: str
    drone_id: str
    flight_id: str
    issued_at: datetime
    landing_point_id: str
    reported_by: str
    kind: Literal["landing_point_cleared"] = "landing_point_cleared"


@dataclass(frozen=True, slots=True, kw_only=True)
class WindReported:
    """What the station's sensor measures; a drone on its pad cannot. ``from_deg``: where it comes from."""

    command_id: str
    drone_id: str
    issued_at: datetime
    from_deg: float
    speed_m_s: float
    measured_at: datetime
    gust_m_s: float | None = None
    kind: Literal["wind_reported"] = "wind_reported"

    @property
    def strongest_m_s(self) -> float:
        """Mean or gust, whichever is stronger."""
        return max(self.speed_m_s, self.gust_m_s or 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class WeatherJudged:
    """What speaks against flying this drone in the weather that is known at its station now; nothing: it is fit again.

    Wind is not meant: in the air the vehicle measures it itself.
    """

    command_id: str
    drone_id: str
    flight_id: str
    issued_at: datetime
    against: tuple[Reason, ...]
    kind: Literal["weather_judged"] = "weather_judged"


@dataclass(frozen=True, slots=True, kw_only=True)
class AedSelfTested:
    """The result of the self-test of the AED that hangs on this drone."""

    command_id: str
    drone_id: str
    issued_at: datetime
    passed: bool
    tested_at: datetime
    detail: str
    kind: Literal["aed_self_tested"] = "aed_self_tested"


FlightCommand = (
    FlyMission
    | AbortFlight
    | ReturnHome
    | HoldFlight
    | ContinueFlight
    | DivertFlight
    | LandNow
    | RerouteFlight
    | CloseFlight
)
Notice = (
    ZoneActivated
    | ZoneCleared
    | AuthorisationRevoked
    | PatientMoved
    | LandingPointOccupied
    | LandingPointCleared
    | WindReported
    | WeatherJudged
    | AedSelfTested
)
Command = FlightCommand | ReportState | ConfirmAedLoaded | Notice
