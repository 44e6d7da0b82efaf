"""Mission, fence and rally transfer, both ways, as sans-IO machines.

The protocol is stop-and-wait by the vehicle's requests: 50 items at a round trip of 300 ms would need
15 s. Real autopilots take items that come before they were asked for, if they come in order (ArduCopter
answers a gap with ack 13 and keeps the upload open, PX4 drops what is out of turn and asks again), so an
upload sends ahead (go-back-N) and a download asks for several items at once. How far ahead follows the
link, as TCP does it: further with every answer, half as far after a loss.

An upload's acknowledgement is not believed: the caller reads the list back and compares
(:func:`differences`), because a lost, doubled or late packet can end an upload with somebody else's
item inside.

Times: MAVLink mission protocol (1500 ms, five retries), the round trip as measured on the first answer,
and what autopilots were seen to do (ArduCopter asks again after 1 s and gives up after 8 s with ack 15;
PX4 after 0.25 s and 5 s).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flight.links.mavlink.framing import Message
from flight.links.mavlink.mission_items import Canonical as Canonical
from flight.links.mavlink.mission_items import DownloadOutcome as DownloadOutcome
from flight.links.mavlink.mission_items import MissionResult as MissionResult
from flight.links.mavlink.mission_items import MissionType as MissionType
from flight.links.mavlink.mission_items import TransferStatus as TransferStatus
from flight.links.mavlink.mission_items import UploadOutcome as UploadOutcome
from flight.links.mavlink.mission_items import differences as differences
from flight.links.mavlink.mission_items import item_fields as item_fields
from flight.links.mavlink.mission_items import item_from_message as item_from_message
from flight.links.mavlink.pace import WINDOW, Pace
from flight.links.mavlink.transaction import Transaction
from planner.compile.mission_types import MissionItem

FIRST_ANSWER_TIMEOUT_S = 1.5
STALLED_S = 0.9
"""Without progress for this long a request for an older item is the truth: vehicles ask again after 1 s."""
RETRIES = 8
"""Silent repetitions in a row before a transfer fails. At 30 % loss each way a question and its answer
get through with 0.49, so eight in a row fail in 0.5 % of cases; the standard's five in 3 %."""
RESTARTS = 4
IN_ORDER_REPEATS = 3
"""Silent repetitions of one request before the list is asked for again (:class:`MissionDownload`; chosen)."""
BUSY_RETRIES = 8
"""Pauses of 1.5 s: longer than the 8 s after which a vehicle gives an abandoned upload up."""
OVERTAKEN = 3
"""A question whose answer was overtaken by so many later ones is lost (as TCP judges)."""


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
        self._pace = Pace(window)
        self._base = -1
        """Item that the vehicle asked for last; -1 before the first request."""
        self._next = 0
        self._sent = 0
        """Items below were sent at least once; the vehicle may ask for the one behind them."""
        self._sent_s = [0.0] * len(self._items)
        self._copies = [0] * len(self._items)
        self._pausing = False
        self._silences = 0
        self._restarts = 0
        self._moved_s = 0.0

    def begin(self, now_s: float) -> None:
        self._announce(now_s)

    def _announce(self, now_s: float) -> None:
        self._pausing = False
        self._send("MISSION_COUNT", **self._target, count=len(self._items))
        self._pace.asked(now_s)
        self.deadline_s = now_s + FIRST_ANSWER_TIMEOUT_S

    def _send_ahead(self, now_s: float) -> None:
        end = min(self._base + int(self._pace.window), len(self._items))
        for item in self._items[self._next : end]:
            self._send("MISSION_ITEM_INT", **self._target, **item_fields(item))
            self._sent_s[item.seq] = now_s
            self._copies[item.seq] += 1
        self._next = max(self._next, end)
        self._sent = max(self._sent, self._next)
        self.deadline_s = now_s + self._pace.timeout_s

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
        if self._pausing or seq >= len(self._items) or seq > self._sent:
            return  # of another upload: nobody can ask for what lies behind the items already sent
        if seq < self._base and now_s - self._moved_s < STALLED_S:
            return  # late or doubled: the vehicle is past that item
        self._silences = 0
        if seq == self._base:
            # Asked again. What was sent less than a round trip ago may still be on its way.
            if now_s - self._sent_s[seq] >= self._pace.round_trip_s and self._pace.lost(now_s):
                self._go_back(now_s)
            return
        self._moved_s = now_s
        if self._base < 0:
            self._pace.answered(now_s)
        if seq < self._base:
            # It keeps asking for something older: what moved us ahead was of another upload.
            self._base = seq
            self._go_back(now_s)
            return
        if seq > 0 and self._copies[seq - 1] == 1:
            self._pace.took(now_s - self._sent_s[seq - 1])
        for _ in range(seq - max(self._base, 0)):
            self._pace.advanced()
        self._base = seq
        self._next = max(self._next, seq)
        self._send_ahead(now_s)

    def _acknowledged(self, number: int, now_s: float) -> None:
        try:
            result = MissionResult(number)
        except ValueError:
            result = MissionResult.ERROR
        everything_sent = self._base >= 0 and self._sent >= len(self._items)
        if result is MissionResult.ACCEPTED:
            # An accept before everything was sent belongs to an earlier upload.
            if everything_sent or not self._items:
                self._finish(UploadOutcome(TransferStatus.DONE, result))
        elif result is MissionResult.INVALID_SEQUENCE:
            # A gap: the vehicle waits for the item at the base.
            if self._base >= 0 and self._pace.lost(now_s):
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
        if self._pausing:
            return  # answers to the items that were still on their way
        if self._restarts >= RESTARTS:
            self._finish(UploadOutcome(TransferStatus.REFUSED, result, max(self._base, 0)))
            return
        self._restarts += 1
        self._pausing = True
        self._base, self._next, self._sent, self._silences = -1, 0, 0, 0
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
            self._announce(now_s)
        else:
            self._pace.lost(now_s)
            self._go_back(now_s)


@dataclass(slots=True)
class _Asked:
    """One open question of a download."""

    number: int
    due_s: float
    attempt: int
    overtaken: int = 0


class MissionDownload(_Addressed):
    """Read a list. Requests go out several at a time; each answer carries its own number.

    ``in_order``: one at a time. PX4 1.17 gives the whole reading up with ACK 1 when a request comes that is
    neither the next nor a repetition of the last, as on a link that doubles or reorders, and answers
    nothing more until the list is asked for again.
    """

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
        in_order: bool = False,
    ) -> None:
        super().__init__(
            mission_type,
            target_system=target_system,
            target_component=target_component,
            own_system=own_system,
            own_component=own_component,
        )
        self._pace = Pace(1 if in_order else window)
        self._in_order = in_order
        self._count: int | None = None
        self._items: dict[int, MissionItem] = {}
        self._waiting: dict[int, _Asked] = {}
        self._questions = 0
        self._silences = 0
        self._next = 0
        self._denials = 0
        self._pausing = False

    def begin(self, now_s: float) -> None:
        self._ask_for_list(now_s)

    def _ask_for_list(self, now_s: float) -> None:
        self._pausing = False
        self._send("MISSION_REQUEST_LIST", **self._target)
        self._pace.asked(now_s)
        self.deadline_s = now_s + self._pace.timeout_s

    def _ask_for_item(self, seq: int, now_s: float, attempt: int) -> None:
        self._send("MISSION_REQUEST_INT", **self._target, seq=seq)
        self._questions += 1
        self._waiting[seq] = _Asked(self._questions, now_s + self._pace.timeout_s, attempt)

    def _fill(self, now_s: float) -> None:
        assert self._count is not None
        window = 1 if self._in_order else int(self._pace.window)
        while self._next < self._count and len(self._waiting) < window:
            self._ask_for_item(self._next, now_s, 1)
            self._next += 1
        if len(self._items) == self._count:
            # Tells the vehicle that nobody will ask again; a lost one costs nothing.
            self._send("MISSION_ACK", **self._target, type=int(MissionResult.ACCEPTED))
            items = tuple(self._items[seq] for seq in range(self._count))
            self._finish(DownloadOutcome(TransferStatus.DONE, items))
        else:
            self.deadline_s = min(asked.due_s for asked in self._waiting.values())

    def receive(self, message: Message, now_s: float) -> None:
        if self.outcome is not None:
            return
        if self._is_ours(message, "MISSION_COUNT"):
            if self._count is None:
                self._count = message.fields.count
                self._pace.answered(now_s)
                self._fill(now_s)
        elif self._is_ours(message, "MISSION_ITEM_INT"):
            seq = message.fields.seq
            if seq in self._waiting:
                answered = self._waiting.pop(seq)
                self._items[seq] = item_from_message(message)
                self._pace.advanced()
                self._ask_overtaken(answered, now_s)
                self._fill(now_s)
        elif self._is_ours(message, "MISSION_ACK"):
            self._refused(message.fields.type, now_s)

    def _ask_overtaken(self, answered: _Asked, now_s: float) -> None:
        for seq, asked in list(self._waiting.items()):
            if asked.number < answered.number:
                asked.overtaken += 1
                if asked.overtaken >= OVERTAKEN and asked.attempt <= RETRIES:
                    self._pace.lost(now_s)
                    self._ask_for_item(seq, now_s, asked.attempt + 1)

    def _refused(self, number: int, now_s: float) -> None:
        given_up = self._in_order and number == MissionResult.ERROR and self._count is not None
        if number not in (MissionResult.DENIED, MissionResult.UNSUPPORTED) and not given_up:
            return  # the tail of an earlier upload
        if number == MissionResult.UNSUPPORTED or self._denials >= BUSY_RETRIES:
            self._finish(DownloadOutcome(TransferStatus.REFUSED, None, MissionResult(number)))
        elif self._count is not None or not self._pausing:
            # Busy with an upload, ours or somebody else's: begin again after a pause.
            self._begin_again(now_s)

    def _begin_again(self, now_s: float) -> None:
        self._denials += 1
        self._pausing = True
        self._count, self._next = None, 0
        self._items.clear()
        self._waiting.clear()
        self.deadline_s = now_s + (self._pace.timeout_s if self._in_order else FIRST_ANSWER_TIMEOUT_S)

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
        for seq, asked in list(self._waiting.items()):
            if now_s < asked.due_s:
                continue
            if self._in_order and asked.attempt > IN_ORDER_REPEATS and self._denials < BUSY_RETRIES:
                # It may have given the reading up, and its word about that was lost.
                self._begin_again(now_s)
                return
            if asked.attempt > RETRIES:
                self._finish(DownloadOutcome(TransferStatus.TIMED_OUT))
                return
            self._pace.lost(now_s)
            self._ask_for_item(seq, now_s, asked.attempt + 1)
        self._fill(now_s)
