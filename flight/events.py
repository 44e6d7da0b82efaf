"""What an agent says: events, in the past tense, each with its own id; and samples that may be lost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from core.geodesy import Wgs84Point
from flight.message_parts import Evidence, Reason, VehicleTruth
from flight.model.faults import Fault, SafetyAction
from flight.model.phases import AedState, Phase, SafeState
from flight.model.preflight import PreflightVerdict
from planner.flight_plan import FlightPlan


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
    """Safe to approach: the AED lies on the ground, and the line is clear above head height or, after a delivery
    by landing, the drone stands beside it with its motors off."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class FlightRerouted:
    """Another mission is on board, read back and flown; ``plan`` is what the flight follows from now on."""

    event_id: str
    drone_id: str
    flight_id: str
    at: datetime
    previous_plan_id: str
    plan: FlightPlan
    reason: str
    kind: Literal["flight_rerouted"] = "flight_rerouted"


@dataclass(frozen=True, slots=True, kw_only=True)
class RerouteFailed:
    """No other way was found, or the vehicle did not take it; the phase says what is done instead."""

    event_id: str
    drone_id: str
    flight_id: str
    at: datetime
    reasons: tuple[Reason, ...]
    kind: Literal["reroute_failed"] = "reroute_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownFlightFound:
    """The vehicle is in the air, and the journal knows no flight. ``flight_id`` was given to it now.

    It is watched and not steered. HoldFlight, DivertFlight (the autopilot's own return), LandNow and, on the
    ground or out of hearing, CloseFlight are offered to people.
    """

    event_id: str
    drone_id: str
    flight_id: str
    at: datetime
    truth: VehicleTruth
    kind: Literal["unknown_flight_found"] = "unknown_flight_found"


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
    | FlightRerouted
    | RerouteFailed
    | UnknownFlightFound
    | VehicleState
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TelemetrySample:
    """One moment of one vehicle; None where the vehicle has not said it yet.

    ``velocity_*`` in the local frame east, north, up; ``battery_voltage_v`` at the battery;
    ``link_age_s`` since anything was last heard; ``eta_s`` as in PhaseChanged. ``shows_phase``: False while what the
    phase asks of the vehicle is commanded and not seen of it yet; None without a flight. A phase is entered when it is
    commanded, so that failsafes know of it; only the vehicle says whether it is so.
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
    shows_phase: bool | None = None
    kind: Literal["telemetry"] = "telemetry"
