"""Parameters: read several at once, write one and believe only what the vehicle repeats back.

Values travel as floats (ArduPilot casts them, MAV_PARAM_TYPE only labels them). A name that the
vehicle does not know gets no answer, so «missing» and «lost» look alike until the attempts are used.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from flight.links.mavlink.framing import Message
from flight.links.mavlink.transaction import Transaction

READ_TIMEOUT_S = 0.7
ATTEMPTS = 5
"""MAVLink parameter protocol: repeat when silent; five as for missions."""
WINDOW = 12
"""Requests on the way at once; chosen: a burst that a 57600 baud radio takes in 0.1 s."""


def same_value(one: float, other: float) -> bool:
    """Equal as single-precision numbers, which is what the wire carries."""
    return math.isclose(one, other, rel_tol=2e-7, abs_tol=1e-9)


class ParameterRead(Transaction[dict[str, float | None]]):
    """Read the named parameters. The outcome has every name; None: the vehicle never answered for it."""

    def __init__(self, names: Iterable[str], *, target_system: int, target_component: int) -> None:
        super().__init__()
        self._target = {"target_system": target_system, "target_component": target_component}
        self._values: dict[str, float | None] = dict.fromkeys(names)
        self._waiting: dict[str, tuple[float, int]] = {}
        self._queue = list(self._values)

    def begin(self, now_s: float) -> None:
        self._fill(now_s)

    def _request(self, name: str, now_s: float, attempt: int) -> None:
        self._send("PARAM_REQUEST_READ", **self._target, param_id=name, param_index=-1)
        self._waiting[name] = (now_s + READ_TIMEOUT_S, attempt)

    def _fill(self, now_s: float) -> None:
        while self._queue and len(self._waiting) < WINDOW:
            self._request(self._queue.pop(0), now_s, 1)
        if self._waiting:
            self.deadline_s = min(due for due, _ in self._waiting.values())
        else:
            self._finish(self._values)

    def receive(self, message: Message, now_s: float) -> None:
        if self.outcome is None and message.name == "PARAM_VALUE":
            name = message.fields.param_id
            if name in self._values:
                self._values[name] = float(message.fields.param_value)
                self._waiting.pop(name, None)
                self._fill(now_s)

    def tick(self, now_s: float) -> None:
        if self.outcome is not None:
            return
        for name, (due_s, attempt) in list(self._waiting.items()):
            if now_s >= due_s:
                if attempt >= ATTEMPTS:
                    del self._waiting[name]
                else:
                    self._request(name, now_s, attempt + 1)
        self._fill(now_s)


@dataclass(frozen=True, slots=True)
class ParameterSetOutcome:
    """``value``: what the vehicle says it now has; None: it never said."""

    value: float | None
    matches: bool


class ParameterSet(Transaction[ParameterSetOutcome]):
    """Write one parameter and wait for the vehicle to state the new value. Idempotent, so repeated."""

    def __init__(
        self, name: str, value: float, *, target_system: int, target_component: int, param_type: int = 9
    ) -> None:
        super().__init__()
        self._fields = {
            "target_system": target_system,
            "target_component": target_component,
            "param_id": name,
            "param_value": value,
            "param_type": param_type,
        }
        self._name, self._value = name, value
        self._sent = 0
        self._seen: float | None = None

    def begin(self, now_s: float) -> None:
        self._transmit(now_s)

    def _transmit(self, now_s: float) -> None:
        self._send("PARAM_SET", **self._fields)
        self._sent += 1
        self.deadline_s = now_s + READ_TIMEOUT_S

    def receive(self, message: Message, now_s: float) -> None:
        if self.outcome is None and message.name == "PARAM_VALUE" and message.fields.param_id == self._name:
            self._seen = float(message.fields.param_value)
            if same_value(self._seen, self._value):
                self._finish(ParameterSetOutcome(self._seen, True))

    def tick(self, now_s: float) -> None:
        if self.outcome is None and self.deadline_s is not None and now_s >= self.deadline_s:
            if self._sent < ATTEMPTS:
                self._transmit(now_s)
            else:
                self._finish(ParameterSetOutcome(self._seen, False))
