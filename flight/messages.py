"""Everything that hub and flight agents say to each other, and how it travels.

Commands and notices: :mod:`flight.commands`. Events and samples: :mod:`flight.events`. On the wire every
message is a JSON object whose ``kind`` names its type.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from core.errors import DroneAedError, ErrorCode, InternalError
from flight.commands import (
    AbortFlight,
    AedSelfTested,
    AuthorisationRevoked,
    CloseFlight,
    Command,
    ConfirmAedLoaded,
    ContinueFlight,
    DivertFlight,
    FlightCommand,
    FlyMission,
    HoldFlight,
    LandingPointCleared,
    LandingPointOccupied,
    LandNow,
    Notice,
    PatientMoved,
    ReportState,
    RerouteFlight,
    ReturnHome,
    WeatherJudged,
    WindReported,
    ZoneActivated,
    ZoneCleared,
)
from flight.events import (
    AedOnGround,
    AedReleased,
    CommandAccepted,
    CommandRefused,
    DeliveryFailed,
    Event,
    FaultCleared,
    FlightEnded,
    FlightRerouted,
    FlightResumed,
    LinkChanged,
    PhaseChanged,
    PreflightChecked,
    RerouteFailed,
    SafetyActionTaken,
    TelemetrySample,
    UnknownFlightFound,
    VehicleState,
)
from flight.message_parts import Evidence, Reason, VehicleTruth

__all__ = [
    "AbortFlight",
    "AedOnGround",
    "AedReleased",
    "AedSelfTested",
    "AuthorisationRevoked",
    "CloseFlight",
    "Command",
    "CommandAccepted",
    "CommandRefused",
    "ConfirmAedLoaded",
    "ContinueFlight",
    "DeliveryFailed",
    "DivertFlight",
    "Event",
    "Evidence",
    "FaultCleared",
    "FlightCommand",
    "FlightEnded",
    "FlightRerouted",
    "FlightResumed",
    "FlyMission",
    "HoldFlight",
    "LandNow",
    "LandingPointCleared",
    "LandingPointOccupied",
    "LinkChanged",
    "Message",
    "Notice",
    "PatientMoved",
    "PhaseChanged",
    "PreflightChecked",
    "Reason",
    "ReportState",
    "RerouteFailed",
    "RerouteFlight",
    "ReturnHome",
    "SafetyActionTaken",
    "TelemetrySample",
    "UnknownFlightFound",
    "VehicleState",
    "VehicleTruth",
    "WeatherJudged",
    "WindReported",
    "ZoneActivated",
    "ZoneCleared",
    "decode",
    "encode",
]

Message = Command | Event | TelemetrySample

_ADAPTER: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="kind")])
_sample_to_json = TypeAdapter(TelemetrySample).serializer.to_json
"""Samples are nearly all of what is said; asked for by name, they are written in half the time."""


def encode(message: Message) -> bytes:
    """JSON bytes, UTF-8. Raises nothing for a well-typed message."""
    if type(message) is TelemetrySample:
        return _sample_to_json(message)
    return _ADAPTER.dump_json(message)


def decode(payload: bytes) -> Message:
    """The message in ``payload``. Raises 5003 if it is none of ours or breaks a domain rule."""
    try:
        return _ADAPTER.validate_json(payload)
    except (ValidationError, DroneAedError) as error:
        raise InternalError(ErrorCode.BROKEN_INVARIANT, f"unreadable message: {error}") from error
