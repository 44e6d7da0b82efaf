"""TIMESYNC: how far the vehicle's boot clock is from ours, and how long a round trip takes.

The vehicle repeats the time that we sent (``ts1``) beside its own (``tc1``), both in nanoseconds; half of
the round trip is taken for each way (MAVLink time synchronisation protocol). The quickest of the last
answers says it best: a slow one hides its delay on one of the two ways. Lost, late and doubled answers do
no harm: only an answer to an open question counts, once.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

from flight.links.mavlink.framing import Message

PERIOD_S = 10.0
"""As ArduPilot asks us; two crystals drift 1 ms apart in that time at 100 ppm."""
FIRST_PERIOD_S = 2.0
EAGER_QUESTIONS = 6
"""So many at first, one every two seconds; a vehicle that never answers isn't asked so often for ever."""
KEPT = 8
OPEN_QUESTIONS = 8
LONGEST_S = 10.0
"""Later answers say nothing useful."""
JUMP_S = 0.5
"""An offset that differs by more than delays can explain plus this: the vehicle rebooted."""
_NS = 1e9


@dataclass(frozen=True, slots=True)
class Sample:
    """One answered question."""

    offset_s: float
    round_trip_s: float


class TimeSync:
    """The clocks of one vehicle and ours (the monotonic one)."""

    def __init__(self) -> None:
        self._open: deque[int] = deque(maxlen=OPEN_QUESTIONS)
        self._samples: deque[Sample] = deque(maxlen=KEPT)
        self._asked_s: float | None = None
        self._questions = 0
        self.answered_s: float | None = None
        """When the newest question was asked, on our clock, that an answer has come to."""

    @property
    def best(self) -> Sample | None:
        """The quickest of the last answers."""
        return min(self._samples, key=lambda sample: sample.round_trip_s, default=None)

    @property
    def offset_s(self) -> float | None:
        """The vehicle's boot clock minus ours; uncertain by half of :attr:`round_trip_s`."""
        return None if self.best is None else self.best.offset_s

    @property
    def round_trip_s(self) -> float | None:
        """The shortest of the last round trips."""
        return None if self.best is None else self.best.round_trip_s

    @property
    def slowest_s(self) -> float | None:
        """The longest of the last round trips."""
        return max((sample.round_trip_s for sample in self._samples), default=None)

    def measured_s(self, boot_s: float) -> float | None:
        """When, on our clock, the vehicle's clock showed ``boot_s``; None while that is not known."""
        offset_s = self.offset_s
        return None if offset_s is None else boot_s - offset_s

    def is_due(self, now_s: float) -> bool:
        """Whether it is time to ask."""
        eager = len(self._samples) < KEPT // 2 and self._questions < EAGER_QUESTIONS
        period_s = FIRST_PERIOD_S if eager else PERIOD_S
        return self._asked_s is None or now_s - self._asked_s >= period_s - 0.01

    def ask(self, now_s: float) -> dict[str, Any]:
        """The fields of a question."""
        self._asked_s = now_s
        self._questions += 1
        # 0 would look like a vehicle's own question.
        ours = max(1, round(now_s * _NS))
        self._open.append(ours)
        return {"tc1": 0, "ts1": ours}

    def receive(self, message: Message, now_s: float) -> dict[str, Any] | None:
        """Take an answer, or give the fields of ours to the vehicle's question."""
        fields = message.fields
        if fields.tc1 == 0:
            return {"tc1": max(1, round(now_s * _NS)), "ts1": fields.ts1}
        if fields.ts1 not in self._open:
            return None
        self._open.remove(fields.ts1)
        sent_s = fields.ts1 / _NS
        self.answered_s = sent_s if self.answered_s is None else max(self.answered_s, sent_s)
        round_trip_s = now_s - sent_s
        if not 0.0 <= round_trip_s <= LONGEST_S:
            return None
        sample = Sample(fields.tc1 / _NS - (sent_s + now_s) / 2, round_trip_s)
        best = self.best
        if best is not None:
            explained_s = (best.round_trip_s + sample.round_trip_s) / 2 + JUMP_S
            if abs(sample.offset_s - best.offset_s) > explained_s:
                self._samples.clear()
        self._samples.append(sample)
        return None

    def forget(self) -> None:
        """The vehicle's clock started anew."""
        self._open.clear()
        self._samples.clear()
        self._asked_s = None
        self._questions = 0
