"""Parameters: read several at once, write one and believe only what the vehicle repeats back.

Values travel as floats: ArduPilot casts whole numbers to them, PX4 puts the number's own bytes in
their place (:class:`ParameterEncoding`). A name that the vehicle does not know gets no answer, so
«missing» and «lost» look alike until the attempts are used.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from flight.links.mavlink.framing import Message
from flight.links.mavlink.transaction import Transaction

READ_TIMEOUT_S = 0.7
ATTEMPTS = 5
"""MAVLink parameter protocol: repeat when silent; five as for missions."""
WINDOW = 12
"""Requests on the way at once; chosen: a burst that a 57600 baud radio takes in 0.1 s."""


_STRUCTS = {1: "<B", 2: "<b", 3: "<H", 4: "<h", 5: "<I", 6: "<i"}
"""MAV_PARAM_TYPE (common.xml) of whole numbers; 9 is the single-precision float."""


class ParameterEncoding(StrEnum):
    """How a whole number travels in the float field of PARAM_VALUE and PARAM_SET."""

    CAST = "cast"
    """Converted to a float (ArduPilot); MAV_PARAM_TYPE only labels it."""
    BYTEWISE = "bytewise"
    """The number's bytes in the place of the float's (PX4). A PARAM_SET of the wrong type is not answered,
    so the type is asked for first. Of four-byte numbers those that look like a signalling NaN cannot be
    told from their quiet twins (−8388607…−4194305): no PX4 parameter takes them."""

    def from_wire(self, value: float, param_type: int) -> float:
        """The number that a PARAM_VALUE means."""
        layout = _STRUCTS.get(param_type)
        if self is ParameterEncoding.CAST or layout is None:
            return float(value)
        return float(struct.unpack_from(layout, struct.pack("<f", value))[0])

    def to_wire(self, value: float, param_type: int) -> float:
        """What to put into PARAM_SET. Raises ValueError for a fraction where a whole number is held."""
        layout = _STRUCTS.get(param_type)
        if self is ParameterEncoding.CAST or layout is None:
            return value
        if value != int(value):
            raise ValueError(f"{value} is no whole number")
        held = struct.pack(layout, int(value)).ljust(4, b"\0")
        return float(struct.unpack("<f", held)[0])


def same_value(one: float, other: float) -> bool:
    """Equal as single-precision numbers, which is what the wire carries."""
    return math.isclose(one, other, rel_tol=2e-7, abs_tol=1e-9)


class ParameterRead(Transaction[dict[str, float | None]]):
    """Read the named parameters. The outcome has every name; None: the vehicle never answered for it."""

    def __init__(
        self,
        names: Iterable[str],
        *,
        target_system: int,
        target_component: int,
        encoding: ParameterEncoding = ParameterEncoding.CAST,
    ) -> None:
        super().__init__()
        self._encoding = encoding
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
                fields = message.fields
                self._values[name] = self._encoding.from_wire(fields.param_value, fields.param_type)
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
    """Write one parameter and wait for the vehicle to state the new value. Idempotent, so repeated.

    Bytewise it first asks what type the vehicle holds.
    """

    def __init__(
        self,
        name: str,
        value: float,
        *,
        target_system: int,
        target_component: int,
        param_type: int = 9,
        encoding: ParameterEncoding = ParameterEncoding.CAST,
    ) -> None:
        super().__init__()
        self._target = {"target_system": target_system, "target_component": target_component}
        self._name, self._value = name, value
        self._encoding = encoding
        self._type: int | None = param_type if encoding is ParameterEncoding.CAST else None
        self._sent = 0
        self._seen: float | None = None

    def begin(self, now_s: float) -> None:
        self._transmit(now_s)

    def _transmit(self, now_s: float) -> None:
        if self._type is None:
            self._send("PARAM_REQUEST_READ", **self._target, param_id=self._name, param_index=-1)
        else:
            self._send(
                "PARAM_SET",
                **self._target,
                param_id=self._name,
                param_value=self._encoding.to_wire(self._value, self._type),
                param_type=self._type,
            )
        self._sent += 1
        self.deadline_s = now_s + READ_TIMEOUT_S

    def receive(self, message: Message, now_s: float) -> None:
        if self.outcome is None and message.name == "PARAM_VALUE" and message.fields.param_id == self._name:
            fields = message.fields
            self._seen = self._encoding.from_wire(fields.param_value, fields.param_type)
            if same_value(self._seen, self._value):
                self._finish(ParameterSetOutcome(self._seen, True))
            elif self._type is None:
                if fields.param_type in _STRUCTS and self._value != int(self._value):
                    self._finish(ParameterSetOutcome(self._seen, False))
                    return
                self._type, self._sent = fields.param_type, 0
                self._transmit(now_s)

    def tick(self, now_s: float) -> None:
        if self.outcome is None and self.deadline_s is not None and now_s >= self.deadline_s:
            if self._sent < ATTEMPTS:
                self._transmit(now_s)
            else:
                self._finish(ParameterSetOutcome(self._seen, False))
