"""A sans-IO exchange against a scripted vehicle over a bad network, in simulated seconds.

The scripted vehicle follows what was observed of a real ArduCopter (not the project's simulator,
not our own transfer code): strict order, ack 13 for a wrong item with the upload left open, asking
again after 1 s, giving up after 8 s with ack 15, answers to read requests at any time.
"""

import heapq
import itertools
import random
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from flight.links.mavlink.dialect import BY_NAME, pack_payload
from flight.links.mavlink.framing import Message
from flight.links.mavlink.transaction import Transaction

VEHICLE, OWN = (3, 1), (255, 190)


def message(name: str, system_id: int = VEHICLE[0], **fields: Any) -> Message:
    """As it would arrive: packed and unpacked again, so that types and rounding are those of the wire."""
    layout = BY_NAME[name]
    return layout.unpack(pack_payload(name, fields), system_id, VEHICLE[1])


class ScriptedVehicle:
    """The vehicle's side of the mission protocol."""

    def __init__(self, stored: list[Any] | None = None, refuse_at: tuple[int, int] | None = None) -> None:
        self.stored: list[Any] = stored or []
        self.refuse_at = refuse_at
        self.expected: int | None = None
        self.count = 0
        self.last_received_s = 0.0
        self.last_request_s = 0.0
        self.writes = 0

    def _to(self, fields: Any) -> dict[str, int]:
        return {
            "target_system": OWN[0],
            "target_component": OWN[1],
            "mission_type": fields.mission_type,
        }

    def _request(self, fields: Any, now_s: float) -> list[Message]:
        self.last_request_s = now_s
        self.last_type = fields
        return [message("MISSION_REQUEST", seq=self.expected, **self._to(fields))]

    def _ack(self, fields: Any, number: int) -> list[Message]:
        return [message("MISSION_ACK", type=number, **self._to(fields))]

    def receive(self, name: str, fields: Any, now_s: float) -> list[Message]:
        if name == "MISSION_COUNT":
            self.count = fields.count
            # Not atomic: a shorter list truncates at once.
            del self.stored[self.count :]
            if self.count == 0:
                return self._ack(fields, 0)
            self.expected, self.last_received_s = 0, now_s
            return self._request(fields, now_s)
        if name == "MISSION_ITEM_INT":
            if self.expected is None:
                return self._ack(fields, 1)
            if fields.seq != self.expected:
                return self._ack(fields, 13)
            if self.refuse_at is not None and fields.seq == self.refuse_at[0]:
                self.expected = None
                return self._ack(fields, self.refuse_at[1])
            self.stored[fields.seq : fields.seq + 1] = [fields]
            self.writes += 1
            self.expected, self.last_received_s = self.expected + 1, now_s
            if self.expected == self.count:
                self.expected = None
                return self._ack(fields, 0)
            return self._request(fields, now_s)
        if name in ("MISSION_REQUEST_LIST", "MISSION_REQUEST_INT") and self.expected is not None:
            return self._ack(fields, 14)
        if name == "MISSION_REQUEST_LIST":
            return [message("MISSION_COUNT", count=len(self.stored), **self._to(fields))]
        if name == "MISSION_REQUEST_INT":
            if fields.seq >= len(self.stored):
                return self._ack(fields, 1)
            layout = BY_NAME["MISSION_ITEM_INT"]
            held = dict(zip(layout.names, self.stored[fields.seq], strict=False)) | self._to(fields)
            return [message("MISSION_ITEM_INT", **held)]
        return []

    def tick(self, now_s: float) -> list[Message]:
        if self.expected is None:
            return []
        if now_s - self.last_received_s > 8:
            self.expected = None
            return self._ack(self.last_type, 15)
        if now_s - self.last_request_s > 1:
            return self._request(self.last_type, now_s)
        return []


class Network:
    """Runs transactions against a vehicle; every packet may be lost, doubled, late or overtaken."""

    def __init__(
        self,
        vehicle: Any,
        *,
        seed: int = 0,
        loss: float = 0.0,
        double: float = 0.0,
        delay_s: tuple[float, float] = (0.01, 0.01),
    ) -> None:
        self.vehicle = vehicle
        self.now_s = 0.0
        self._random = random.Random(seed)
        self._loss, self._double, self._delay_s = loss, double, delay_s
        self._flying: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._listener: Transaction[Any] | None = None
        self.sent: list[tuple[str, dict[str, Any]]] = []

    def _post(self, arrive: Callable[[], None]) -> None:
        for _ in range(1 + (self._random.random() < self._double)):
            if self._random.random() >= self._loss:
                due_s = self.now_s + self._random.uniform(*self._delay_s)
                heapq.heappush(self._flying, (due_s, next(self._order), arrive))

    def _to_vehicle(self, name: str, fields: dict[str, Any]) -> None:
        self.sent.append((name, fields))
        wire = SimpleNamespace(fields=message(name, **fields).fields)

        def arrive() -> None:
            for answer in self.vehicle.receive(name, wire.fields, self.now_s):
                self._to_us(answer)

        self._post(arrive)

    def _to_us(self, answer: Message) -> None:
        def arrive() -> None:
            if self._listener is not None and self._listener.outcome is None:
                self._listener.receive(answer, self.now_s)

        self._post(arrive)

    def run(self, transaction: Transaction[Any], limit_s: float = 300.0) -> Any:
        self._listener = transaction
        transaction.begin(self.now_s)
        end_s = self.now_s + limit_s
        while transaction.outcome is None:
            for name, fields in transaction.take_outgoing():
                self._to_vehicle(name, fields)
            due_s = self._flying[0][0] if self._flying else float("inf")
            self.now_s = max(self.now_s, min(due_s, transaction.deadline_s or float("inf"), self.now_s + 0.1))
            assert self.now_s <= end_s, "the exchange neither ends nor fails"
            for answer in self.vehicle.tick(self.now_s):
                self._to_us(answer)
            if self._flying and self._flying[0][0] <= self.now_s:
                heapq.heappop(self._flying)[2]()
            transaction.tick(self.now_s)
        for name, fields in transaction.take_outgoing():
            self._to_vehicle(name, fields)
        self._listener = None
        return transaction.outcome
