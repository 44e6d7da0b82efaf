"""Everything that hub and flight agents say to each other, and how it travels.

Commands and notices: :mod:`flight.commands`. Events and samples: :mod:`flight.events`. On the wire every
message is a JSON object whose ``kind`` names its type.
"""

from __future__ import annotations

from threading import Lock
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
    "decode_anew",
    "encode",
]

Message = Command | Event | TelemetrySample

_ADAPTER: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="kind")])
_sample_to_json = TypeAdapter(TelemetrySample).serializer.to_json
"""Samples are nearly all of what is said; asked for by name, they are written in half the time."""


_MOST_ORDERED = 64
"""Chosen: flight commands between their writing and their reading; a city orders some a second."""
_ordered: dict[bytes, FlyMission] = {}
_ordering = Lock()
"""Commands are written by the store's thread and read by the event loop's."""


def encode(message: Message) -> bytes:
    """JSON bytes, UTF-8. Raises nothing for a well-typed message."""
    if type(message) is TelemetrySample:
        return _sample_to_json(message)
    payload = _ADAPTER.dump_json(message)
    if type(message) is FlyMission:
        with _ordering:
            _ordered[payload] = message
            while len(_ordered) > _MOST_ORDERED:
                del _ordered[next(iter(_ordered))]
    return payload


def decode(payload: bytes) -> Message:
    """The message in ``payload``. Raises 5003 if it is none of ours or breaks a domain rule.

    A flight command that this process wrote itself, to the last byte, is the value that it wrote: its plan is hundreds
    of points, all of them checked when it was made. Everything else is read by :func:`decode_anew`.
    """
    return _ordered.get(payload) or decode_anew(payload)


def decode_anew(payload: bytes) -> Message:
    """As :func:`decode`, by the words of ``payload`` alone, as in a process that has written none."""
    try:
        return _ADAPTER.validate_json(payload)
    except (ValidationError, DroneAedError) as error:
        raise InternalError(ErrorCode.BROKEN_INVARIANT, f"unreadable message: {error}") from error
