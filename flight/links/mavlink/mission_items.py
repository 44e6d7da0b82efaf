"""What mission transfers speak of: types, results, items on the wire, and what differs after a read-back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from flight.links.mavlink.framing import Message
from planner.compile.mission_types import MissionItem

POSITION_SCALE = 1e7


class MissionType(IntEnum):
    """MAV_MISSION_TYPE (common.xml)."""

    MISSION = 0
    FENCE = 1
    RALLY = 2


class MissionResult(IntEnum):
    """MAV_MISSION_RESULT (common.xml)."""

    ACCEPTED = 0
    ERROR = 1
    UNSUPPORTED_FRAME = 2
    UNSUPPORTED = 3
    NO_SPACE = 4
    INVALID = 5
    INVALID_PARAM1 = 6
    INVALID_PARAM2 = 7
    INVALID_PARAM3 = 8
    INVALID_PARAM4 = 9
    INVALID_PARAM5_X = 10
    INVALID_PARAM6_Y = 11
    INVALID_PARAM7 = 12
    INVALID_SEQUENCE = 13
    DENIED = 14
    OPERATION_CANCELLED = 15


class TransferStatus(StrEnum):
    """How a transfer ended."""

    DONE = "done"
    UNCONFIRMED = "unconfirmed"
    """Everything was sent and asked for, the last answer is missing: the read-back decides."""
    REFUSED = "refused"
    TIMED_OUT = "timed_out"


@dataclass(frozen=True, slots=True)
class UploadOutcome:
    """``result`` is the vehicle's last word; ``at_seq`` the item it was about."""

    status: TransferStatus
    result: MissionResult | None = None
    at_seq: int | None = None

    def describe(self) -> str:
        """For reasons shown to people."""
        if self.status is not TransferStatus.REFUSED or self.result is None:
            return self.status.value
        return f"{self.result.name.lower()} at item {self.at_seq}"


@dataclass(frozen=True, slots=True)
class DownloadOutcome:
    """``items`` only when the whole list was read."""

    status: TransferStatus
    items: tuple[MissionItem, ...] | None = None
    result: MissionResult | None = None


def item_fields(item: MissionItem) -> dict[str, object]:
    """A MissionItem as MISSION_ITEM_INT fields, addressing left out."""
    return {
        "seq": item.seq,
        "frame": item.frame,
        "command": item.command,
        "current": 0,
        "autocontinue": int(item.autocontinue),
        "param1": item.param1,
        "param2": item.param2,
        "param3": item.param3,
        "param4": item.param4,
        "x": round(item.latitude_deg * POSITION_SCALE),
        "y": round(item.longitude_deg * POSITION_SCALE),
        "z": item.height_m,
    }


def item_from_message(message: Message) -> MissionItem:
    """The MissionItem that a MISSION_ITEM_INT carries."""
    fields = message.fields
    return MissionItem(
        seq=fields.seq,
        frame=fields.frame,
        command=fields.command,
        param1=fields.param1,
        param2=fields.param2,
        param3=fields.param3,
        param4=fields.param4,
        latitude_deg=fields.x / POSITION_SCALE,
        longitude_deg=fields.y / POSITION_SCALE,
        height_m=fields.z,
        autocontinue=bool(fields.autocontinue),
    )


Canonical = Callable[[MissionItem], tuple[object, ...] | None]
"""What is left of an item after an autopilot stored it; None: nothing of it can be compared."""


def differences(
    sent: Sequence[MissionItem], read: Sequence[MissionItem], canonical: Canonical
) -> tuple[str, ...]:
    """What the vehicle holds differently, one sentence each; empty when the lists agree.

    ``canonical`` knows the autopilot's lossy fields, and is applied to both sides.
    """
    found: list[str] = []
    if len(sent) != len(read):
        found.append(f"the vehicle holds {len(read)} items, {len(sent)} were sent")
    for mine, its in zip(sent, read, strict=False):
        expected, actual = canonical(mine), canonical(its)
        if expected is not None and expected != actual:
            found.append(f"item {mine.seq}: sent {expected}, the vehicle holds {actual}")
    return tuple(found)
