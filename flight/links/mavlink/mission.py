"""Mission, fence and rally transfer, both ways, as sans-IO machines.

Upload sends ahead of the requests (go-back-N): a real ArduCopter takes it, and 50 items at a round
trip of 300 ms then need seconds instead of a quarter of a minute. An upload's acknowledgement is
not believed: the caller reads the list back and compares (:func:`differences`), because a lost,
doubled or late packet can end an upload with somebody else's item inside.

Times: MAVLink mission protocol (1500 ms, 250 ms for items, five retries) and what ArduCopter was
seen to do (asks again after 1 s, gives up after 8 s with ack 15, answers a wrong item with ack 13
and keeps the upload open).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any

from flight.links.mavlink.framing import Message
from flight.links.mavlink.transaction import Transaction
from planner.compile.mission_types import MissionItem

FIRST_ANSWER_TIMEOUT_S = 1.5
ITEM_TIMEOUT_S = 1.2
"""While uploading, the vehicle asks again by itself after 1 s; a little longer avoids talking at once."""
STALLED_S = 0.9
"""Without progress for this long a request for an older item is the truth: vehicles ask again after 1 s."""
READ_TIMEOUT_S = 0.7
RETRIES = 8
"""Silent repetitions in a row before a transfer fails. At 30 % loss each way a question and its answer
get through with 0.49, so eight in a row fail in 0.5 % of cases; the standard's five in 3 %."""
RESTARTS = 4
BUSY_RETRIES = 8
"""Pauses of 1.5 s: longer than the 8 s after which a vehicle gives an abandoned upload up."""
WINDOW = 8
"""Items sent ahead; measured as accepted by a real ArduCopter."""
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


class _Addressed(Transaction[Any]):
    """What upload and download share: whom they talk to, and which messages are theirs."""

    def __init__(
        self,
        mission_type: MissionType,
        *,
        target_system: int,
        target_component: int,
        own_system: int,
        own_component: int,
    ) -> None:
        super().__init__()
        self._type = mission_type
        self._target = {
            "target_system": target_system,
            "target_component": target_component,
            "mission_type": int(mission_type),
        }
        self._own = own_system, own_component

    def _is_ours(self, message: Message, name: str) -> bool:
        fields = message.fields
        return (
            message.name == name
            and fields.mission_type == self._type
            and fields.target_system in (0, self._own[0])
            and fields.target_component in (0, self._own[1])
        )


class MissionUpload(_Addressed):
    """Write a list. An empty list clears it (MISSION_COUNT 0)."""

    outcome: UploadOutcome | None

    def __init__(
        self,
        mission_type: MissionType,
        items: Sequence[MissionItem],
        *,
        target_system: int,
        target_component: int,
        own_system: int,
        own_component: int,
        window: int = WINDOW,
    ) -> None:
        super().__init__(
            mission_type,
            target_system=target_system,
            target_component=target_component,
            own_system=own_system,
            own_component=own_component,
        )
        if [item.seq for item in items] != list(range(len(items))):
            raise ValueError("items must be numbered from 0 without a gap")
        self._items = tuple(items)
        self._window = window
        self._base = -1
        """Item that the vehicle asked for last; -1 before the first request."""
        self._next = 0
        self._jumped_back_for = -1
        self._silences = 0
        self._restarts = 0
        self._moved_s = 0.0

    def begin(self, now_s: float) -> None:
        self._start(now_s)

    def _start(self, now_s: float) -> None:
        self._base, self._next, self._jumped_back_for, self._silences = -1, 0, -1, 0
        self._send("MISSION_COUNT", **self._target, count=len(self._items))
        self.deadline_s = now_s + FIRST_ANSWER_TIMEOUT_S

    def _send_ahead(self, now_s: float) -> None:
        end = min(self._base + self._window, len(self._items))
        for item in self._items[self._next : end]:
            self._send("MISSION_ITEM_INT", **self._target, **item_fields(item))
        self._next = max(self._next, end)
        self.deadline_s = now_s + ITEM_TIMEOUT_S

    def _go_back(self, now_s: float) -> None:
        self._next = self._base
        self._send_ahead(now_s)

    def receive(self, message: Message, now_s: float) -> None:
        if self.outcome is not None:
            return
        # ArduPilot asks with MISSION_REQUEST, PX4 with MISSION_REQUEST_INT; both take the INT item.
        if self._is_ours(message, "MISSION_REQUEST") or self._is_ours(message, "MISSION_REQUEST_INT"):
            self._requested(message.fields.seq, now_s)
        elif self._is_ours(message, "MISSION_ACK"):
            self._acknowledged(message.fields.type, now_s)

    def _requested(self, seq: int, now_s: float) -> None:
        if seq >= len(self._items) or seq > self._next:
            return  # of another upload: nobody can ask for what lies behind the items already sent
        if seq < self._base and now_s - self._moved_s < STALLED_S:
            return  # late or doubled: the vehicle is past that item
        self._silences = 0
        if seq != self._base:
            self._moved_s = now_s
        if seq < self._base:
            # It keeps asking for something older: what moved us ahead was of another upload.
            self._base = seq
            self._go_back(now_s)
            return
        if seq == self._base:
            # Asked again: what was sent of it is lost. A doubled packet costs one repetition.
            self._go_back(now_s)
        else:
            self._base = seq
            self._next = max(self._next, seq)
            self._send_ahead(now_s)

    def _acknowledged(self, number: int, now_s: float) -> None:
        try:
            result = MissionResult(number)
        except ValueError:
            result = MissionResult.ERROR
        everything_sent = self._next >= len(self._items) and self._base >= len(self._items) - self._window
        if result is MissionResult.ACCEPTED:
            # An accept before everything was sent belongs to an earlier upload.
            if everything_sent or not self._items:
                self._finish(UploadOutcome(TransferStatus.DONE, result))
        elif result is MissionResult.INVALID_SEQUENCE:
            # A gap: the vehicle waits for the item at the base. Jump back once for each.
            if self._base >= 0 and self._jumped_back_for != self._base:
                self._jumped_back_for = self._base
                self._go_back(now_s)
        elif result is MissionResult.ERROR and everything_sent and self._items:
            # No upload is open: it ended, and its last answer was lost.
            self._finish(UploadOutcome(TransferStatus.UNCONFIRMED, result))
        elif result in (MissionResult.OPERATION_CANCELLED, MissionResult.DENIED, MissionResult.ERROR):
            # Gave up on a silent link, or is busy with somebody else: start again after a pause.
            self._pause_and_restart(result, now_s)
        else:
            self._finish(UploadOutcome(TransferStatus.REFUSED, result, max(self._base, 0)))

    def _pause_and_restart(self, result: MissionResult, now_s: float) -> None:
        if self._restarts >= RESTARTS:
            self._finish(UploadOutcome(TransferStatus.REFUSED, result, max(self._base, 0)))
            return
        self._restarts += 1
        self._base, self._next, self._silences = -1, 0, 0
        self.deadline_s = now_s + FIRST_ANSWER_TIMEOUT_S

    def tick(self, now_s: float) -> None:
        if self.outcome is not None or self.deadline_s is None or now_s < self.deadline_s:
            return
        self._silences += 1
        if self._silences > RETRIES:
            complete = self._base >= 0 and self._base == len(self._items) - 1
            status = TransferStatus.UNCONFIRMED if complete else TransferStatus.TIMED_OUT
            self._finish(UploadOutcome(status, None, max(self._base, 0)))
        elif self._base < 0:
            self._send("MISSION_COUNT", **self._target, count=len(self._items))
            self.deadline_s = now_s + FIRST_ANSWER_TIMEOUT_S
        else:
            self._go_back(now_s)


class MissionDownload(_Addressed):
    """Read a list. Requests go out several at a time; each answer carries its own number."""

    outcome: DownloadOutcome | None

    def __init__(
        self,
        mission_type: MissionType,
        *,
        target_system: int,
        target_component: int,
        own_system: int,
        own_component: int,
        window: int = WINDOW,
    ) -> None:
        super().__init__(
            mission_type,
            target_system=target_system,
            target_component=target_component,
            own_system=own_system,
            own_component=own_component,
        )
        self._window = window
        self._count: int | None = None
        self._items: dict[int, MissionItem] = {}
        self._waiting: dict[int, tuple[float, int]] = {}
        self._silences = 0
        self._next = 0
        self._denials = 0
        self._pausing = False

    def begin(self, now_s: float) -> None:
        self._ask_for_list(now_s)

    def _ask_for_list(self, now_s: float) -> None:
        self._pausing = False
        self._send("MISSION_REQUEST_LIST", **self._target)
        self.deadline_s = now_s + READ_TIMEOUT_S

    def _ask_for_item(self, seq: int, now_s: float, attempt: int) -> None:
        self._send("MISSION_REQUEST_INT", **self._target, seq=seq)
        self._waiting[seq] = (now_s + READ_TIMEOUT_S, attempt)

    def _fill(self, now_s: float) -> None:
        assert self._count is not None
        while self._next < self._count and len(self._waiting) < self._window:
            self._ask_for_item(self._next, now_s, 1)
            self._next += 1
        if len(self._items) == self._count:
            # Tells the vehicle that nobody will ask again; a lost one costs nothing.
            self._send("MISSION_ACK", **self._target, type=int(MissionResult.ACCEPTED))
            items = tuple(self._items[seq] for seq in range(self._count))
            self._finish(DownloadOutcome(TransferStatus.DONE, items))
        else:
            self.deadline_s = min(due for due, _ in self._waiting.values())

    def receive(self, message: Message, now_s: float) -> None:
        if self.outcome is not None:
            return
        if self._is_ours(message, "MISSION_COUNT"):
            if self._count is None:
                self._count = message.fields.count
                self._fill(now_s)
        elif self._is_ours(message, "MISSION_ITEM_INT"):
            seq = message.fields.seq
            if seq in self._waiting:
                del self._waiting[seq]
                self._items[seq] = item_from_message(message)
                self._fill(now_s)
        elif self._is_ours(message, "MISSION_ACK"):
            self._refused(message.fields.type, now_s)

    def _refused(self, number: int, now_s: float) -> None:
        if number not in (MissionResult.DENIED, MissionResult.UNSUPPORTED):
            return  # the tail of an earlier upload
        if number == MissionResult.UNSUPPORTED or self._denials >= BUSY_RETRIES:
            self._finish(DownloadOutcome(TransferStatus.REFUSED, None, MissionResult(number)))
        elif self._count is not None or not self._pausing:
            # Busy with an upload, ours or somebody else's: begin again after a pause.
            self._denials += 1
            self._pausing = True
            self._count, self._next = None, 0
            self._items.clear()
            self._waiting.clear()
            self.deadline_s = now_s + FIRST_ANSWER_TIMEOUT_S

    def tick(self, now_s: float) -> None:
        if self.outcome is not None or self.deadline_s is None or now_s < self.deadline_s:
            return
        if self._count is None:
            self._silences += 1
            if self._silences > RETRIES:
                self._finish(DownloadOutcome(TransferStatus.TIMED_OUT))
            else:
                self._ask_for_list(now_s)
            return
        for seq, (due_s, attempt) in list(self._waiting.items()):
            if now_s < due_s:
                continue
            if attempt > RETRIES:
                self._finish(DownloadOutcome(TransferStatus.TIMED_OUT))
                return
            self._ask_for_item(seq, now_s, attempt + 1)
        self._fill(now_s)
