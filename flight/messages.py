"""Everything that hub and flight agents say to each other.

Commands are imperative and carry ``command_id``: an agent acts on each id once, whatever the bus
repeats. Events are past and carry ``event_id``. Telemetry is a sample and may be lost.
On the wire every message is a JSON object whose ``kind`` names its type.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from core.errors import DroneAedError, ErrorCode, InternalError
from core.geodesy import Wgs84Point
from flight.model.failsafe import Fault, SafetyAction
from flight.model.phases import AedState, Phase, SafeState
from flight.model.preflight import PreflightVerdict
from planner.flight_plan import FlightPlan


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something was refused or happened: a word for machines, a sentence for people, twice."""

    code: str
    detail: str
    detail_zh: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """One observation that supports a claim: which message of the vehicle, what it said, when."""

    source: str
    observed: str
    at: datetime


# --- commands: hub → agent -------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class FlyMission:
    """Fly this plan now. Refused with reasons unless the vehicle stands ready without a flight."""

    command_id: str
    drone_id: str
    flight_id: str
    order_id: str | None
    plan: FlightPlan
    issued_at: datetime
    kind: Literal["fly_mission"] = "fly_mission"


@dataclass(frozen=True, slots=True, kw_only=True)
class AbortFlight:
    """Give the delivery up: on the ground call the flight off, in the air bring AED and drone home.

    Accepted in every phase of a flight; an AED that is already released stays delivered.
    """

    command_id: str
    drone_id: str
    flight_id: str
    issued_at: datetime
    reason: str
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


FlightCommand = FlyMission | AbortFlight | ReturnHome | HoldFlight | ContinueFlight | DivertFlight | LandNow
Command = FlightCommand | ReportState | ConfirmAedLoaded


# --- events: agent → hub ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandAccepted:
    """The agent has the command in its journal and acts on it."""

    event_id: str
    drone_id: str
    flight_id: str | None
    at: datetime
    command_id: str
    command_kind: str
    kind: Literal["command_accepted"] = "command_accepted"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRefused:
    """The agent will not act on the command; nothing has changed."""

    event_id: str
    drone_id: str
    flight_id: str | None
    at: datetime
    command_id: str
    command_kind: str
    reasons: tuple[Reason, ...]
    kind: Literal["command_refused"] = "command_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class PreflightChecked:
    """The verdicts changed (or somebody asked). ``ready`` is false if any verdict blocks.

    ``wind_*``: only what a vehicle in the air measured; None on the ground.
    """

    event_id: str
    drone_id: str
    at: datetime
    ready: bool
    verdicts: tuple[PreflightVerdict, ...]
    charge_fraction: float | None
    wind_from_deg: float | None
    wind_speed_m_s: float | None
    kind: Literal["preflight_checked"] = "preflight_checked"


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseChanged:
    """The flight moved to another phase. ``eta_s``: seconds to the AED on the ground before the
    release, to the pad after it; None where nobody can say."""

    event_id: str
    drone_id: str
    flight_id: str | None
    at: datetime
    phase: Phase
    previous: Phase
    reason: str
    eta_s: float | None = None
    kind: Literal["phase_changed"] = "phase_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class AedReleased:
    """The vehicle confirmed that the AED is off the line. Never published on an acknowledgement."""

    event_id: str
    drone_id: str
    flight_id: str
    at: datetime
    position: Wgs84Point
    evidence: tuple[Evidence, ...]
    kind: Literal["aed_released"] = "aed_released"


@dataclass(frozen=True, slots=True, kw_only=True)
class AedOnGround:
    """The AED lies on the ground and the line is clear above head height: safe to approach."""

    event_id: str
    drone_id: str
    flight_id: str
    at: datetime
    position: Wgs84Point
    line_height_agl_m: float
    evidence: tuple[Evidence, ...]
    kind: Literal["aed_on_ground"] = "aed_on_ground"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFailed:
    """This flight will not put its AED on the ground; ``aed`` says what is known about it."""

    event_id: str
    drone_id: str
    flight_id: str
    at: datetime
    reason: Reason
    aed: AedState
    kind: Literal["delivery_failed"] = "delivery_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyActionTaken:
    """A fault appeared and the table asked for an action (WARN upwards)."""

    event_id: str
    drone_id: str
    flight_id: str | None
    at: datetime
    fault: Fault
    action: SafetyAction
    phase: Phase
    detail: str
    kind: Literal["safety_action_taken"] = "safety_action_taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultCleared:
    """The clear condition of a fault held long enough."""

    event_id: str
    drone_id: str
    flight_id: str | None
    at: datetime
    fault: Fault
    kind: Literal["fault_cleared"] = "fault_cleared"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkChanged:
    """How well the vehicle is heard: ``up``, ``stale`` (seconds of silence), ``lost``."""

    event_id: str
    drone_id: str
    flight_id: str | None
    at: datetime
    link: Literal["up", "stale", "lost"]
    silent_s: float
    kind: Literal["link_changed"] = "link_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleTruth:
    """What the vehicle itself shows, at one moment. None where it has not said so."""

    at: datetime
    armed: bool | None
    mode: str | None
    on_ground: bool | None
    position: Wgs84Point | None
    altitude_amsl_m: float | None
    mission_seq: int | None
    mission_matches_plan: bool | None
    line_length_m: float | None
    charge_fraction: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FlightResumed:
    """A restarted agent found its flight again: what the journal said, what the vehicle shows."""

    event_id: str
    drone_id: str
    flight_id: str
    at: datetime
    journalled_phase: Phase
    phase: Phase
    aed: AedState
    truth: VehicleTruth
    kind: Literal["flight_resumed"] = "flight_resumed"


@dataclass(frozen=True, slots=True, kw_only=True)
class FlightEnded:
    """The flight is over. ``aed`` is what the agent knows about the AED at the end."""

    event_id: str
    drone_id: str
    flight_id: str
    at: datetime
    safe_state: SafeState
    reason: str
    aed: AedState
    position: Wgs84Point | None
    charge_fraction: float | None = None
    kind: Literal["flight_ended"] = "flight_ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleState:
    """Answer to ReportState."""

    event_id: str
    drone_id: str
    flight_id: str | None
    at: datetime
    phase: Phase
    aed: AedState
    truth: VehicleTruth
    kind: Literal["vehicle_state"] = "vehicle_state"


Event = (
    CommandAccepted
    | CommandRefused
    | PreflightChecked
    | PhaseChanged
    | AedReleased
    | AedOnGround
    | DeliveryFailed
    | SafetyActionTaken
    | FaultCleared
    | LinkChanged
    | FlightResumed
    | FlightEnded
    | VehicleState
)


# --- telemetry -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class TelemetrySample:
    """One moment of one vehicle; None where the vehicle has not said it yet.

    ``velocity_*`` in the local frame east, north, up; ``battery_voltage_v`` at the battery;
    ``link_age_s`` since anything was last heard; ``eta_s`` as in PhaseChanged.
    """

    drone_id: str
    flight_id: str | None
    at: datetime
    phase: Phase
    position: Wgs84Point | None
    altitude_amsl_m: float | None
    height_above_home_m: float | None
    velocity_east_m_s: float | None
    velocity_north_m_s: float | None
    velocity_up_m_s: float | None
    heading_deg: float | None
    charge_fraction: float | None
    battery_voltage_v: float | None
    battery_current_a: float | None
    mode: str | None
    armed: bool | None
    mission_seq: int | None
    line_length_m: float | None
    wind_from_deg: float | None
    wind_speed_m_s: float | None
    link_age_s: float | None
    eta_s: float | None = None
    kind: Literal["telemetry"] = "telemetry"


Message = Command | Event | TelemetrySample

_ADAPTER: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="kind")])


def encode(message: Message) -> bytes:
    """JSON bytes, UTF-8. Raises nothing for a well-typed message."""
    return _ADAPTER.dump_json(message)


def decode(payload: bytes) -> Message:
    """The message in ``payload``. Raises 5003 if it is none of ours or breaks a domain rule."""
    try:
        return _ADAPTER.validate_json(payload)
    except (ValidationError, DroneAedError) as error:
        raise InternalError(ErrorCode.BROKEN_INVARIANT, f"unreadable message: {error}") from error
