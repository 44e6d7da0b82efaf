"""The one numbered catalogue of errors.

Exceptions are for broken expectations only; «no route» or «forbidden by zone X» are return values
with reasons. Numbers never change once released, so that a 120 centre can match on them:

    1xxx link · 2xxx vehicle · 3xxx airspace and plan · 4xxx dispatch · 5xxx ours

    DroneAedError
    ├── LinkError        1xxx
    ├── VehicleError     2xxx
    ├── AirspaceError    3xxx
    │   └── ZoneFileError
    ├── DispatchError    4xxx
    └── InternalError    5xxx
"""

from __future__ import annotations

from enum import IntEnum

_LONGEST_NAME = 120
"""Chosen: a feature's identifier comes from the file and may be as long as that; a refusal needs its beginning."""


class ErrorCode(IntEnum):
    """Every error this project raises. The member's name is the machine-readable reason."""

    LINK_UNREACHABLE = 1001
    LINK_LOST = 1002
    LINK_ADDRESS_INVALID = 1003
    LINK_SYSTEM_ID_TAKEN = 1004
    LINK_KEY_INVALID = 1005
    TRANSFER_TIMED_OUT = 1101
    TRANSFER_REFUSED = 1102
    TRANSFER_MISMATCH = 1103
    COMMAND_TIMED_OUT = 1201
    COMMAND_REFUSED = 1202
    COMMAND_NO_EFFECT = 1203

    VEHICLE_NOT_READY = 2001
    VEHICLE_UNSUPPORTED = 2002
    VEHICLE_BUSY = 2003
    PARAMETER_MISMATCH = 2101
    RELEASE_NOT_CONFIRMED = 2201

    POSITION_INVALID = 3001
    REFERENCE_SYSTEM_UNKNOWN = 3002
    DATUM_MISMATCH = 3003
    OUTSIDE_LOCAL_FRAME = 3004
    ZONE_FILE_INVALID = 3101
    ZONE_INVALID = 3102
    SITE_FILE_INVALID = 3103
    PLAN_INVALID = 3201

    ORDER_INVALID = 4001
    ORDER_UNKNOWN = 4002
    IDEMPOTENCY_CONFLICT = 4003
    TRANSITION_REFUSED = 4004
    RESOURCE_UNKNOWN = 4005
    BODY_TOO_LARGE = 4006
    METHOD_NOT_ALLOWED = 4007
    SEVERITY_CODE_UNKNOWN = 4008
    MESSAGE_UNMAPPABLE = 4009
    BODY_TOO_SLOW = 4010
    NOT_AT_THIS_HUB = 4011
    CREDENTIALS_MISSING = 4101
    CREDENTIALS_INSUFFICIENT = 4102
    RATE_LIMITED = 4103

    STORE_FAILED = 5001
    SETTINGS_INVALID = 5002
    BROKEN_INVARIANT = 5003


class DroneAedError(Exception):
    """Base of every error raised on purpose.

    ``code`` is its number in the catalogue, ``detail`` one English sentence for a person,
    ``field`` the input field at fault (JSON pointer style, e.g. ``position.latitude_deg``).
    """

    def __init__(self, code: ErrorCode, detail: str, *, field: str | None = None) -> None:
        super().__init__(f"{int(code)} {code.name.lower()}: {detail}" + (f" [{field}]" if field else ""))
        self.code = code
        self.detail = detail
        self.field = field


class LinkError(DroneAedError):
    """1xxx: the bytes did not get there, or what came back breaks the protocol."""


class VehicleError(DroneAedError):
    """2xxx: the vehicle answered, and cannot or will not do it."""


class AirspaceError(DroneAedError):
    """3xxx: a position, datum, zone or plan that cannot be used."""


class ZoneFileError(AirspaceError):
    """3101: a zone file is refused; names the feature, the field and the reason."""

    def __init__(self, detail: str, *, feature: str | None = None, field: str | None = None) -> None:
        where = f"feature {feature[:_LONGEST_NAME]}: " if feature else ""
        super().__init__(ErrorCode.ZONE_FILE_INVALID, where + detail, field=field)
        self.feature = feature


class DispatchError(DroneAedError):
    """4xxx: an order or a request that cannot be accepted as it is."""


class InternalError(DroneAedError):
    """5xxx: our own fault; never the client's."""
