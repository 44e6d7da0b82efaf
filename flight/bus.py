"""Messages between the hub and the flight agents: a port, and the implementation for one process.

The port has the shape of NATS JetStream, so that agents can move to the stations without a change
to either side: subjects of dot-separated tokens, at-least-once delivery, explicit acknowledgement,
durable consumers, and suppression of a message id that was already published inside a window.
Payloads are always serialised bytes, in one process too: what works here works over a network.

Subjects of this project: ``fleet.<drone_id>.commands``, ``fleet.<drone_id>.events``,
``fleet.<drone_id>.telemetry``.
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

from core.clock import Clock
from core.errors import ErrorCode, InternalError

_TOKEN = re.compile(r"^[^\s.*>]+$")

DEDUPE_WINDOW_S = 120.0
"""JetStream's default ``duplicate_window``; long enough for any retry of a publisher."""


def commands_subject(drone_id: str) -> str:
    """Where the hub writes commands for one drone."""
    return f"fleet.{drone_id}.commands"


def events_subject(drone_id: str) -> str:
    """Where one drone's agent writes what happened."""
    return f"fleet.{drone_id}.events"


def telemetry_subject(drone_id: str) -> str:
    """Where one drone's agent writes samples of its state, at most 4 a second of vehicle time."""
    return f"fleet.{drone_id}.telemetry"


_SUBJECTS = 4096
"""Names kept as looked at: some for each drone, each used several times a second."""


@lru_cache(_SUBJECTS)
def subject_matches(pattern: str, subject: str) -> bool:
    """NATS rule: ``*`` stands for exactly one token, a final ``>`` for one or more."""
    wanted, given = pattern.split("."), subject.split(".")
    for index, token in enumerate(wanted):
        if token == ">":
            return len(given) > index
        if index >= len(given) or (token != "*" and token != given[index]):
            return False
    return len(wanted) == len(given)


@lru_cache(_SUBJECTS)
def _check_subject(subject: str, *, pattern: bool) -> None:
    tokens = subject.split(".")
    for index, token in enumerate(tokens):
        wild = pattern and (token == "*" or (token == ">" and index == len(tokens) - 1))
        if not wild and not _TOKEN.match(token):
            raise InternalError(ErrorCode.BROKEN_INVARIANT, f"{subject!r} is not a valid subject")


@dataclass(frozen=True, slots=True)
class Receipt:
    """The bus has the message. ``duplicate``: it already had it, and nobody gets it again."""

    sequence: int
    duplicate: bool


class Delivery(Protocol):
    """One message handed to one consumer. Unacknowledged, it comes again."""

    @property
    def subject(self) -> str: ...
    @property
    def message_id(self) -> str: ...
    @property
    def payload(self) -> bytes: ...
    @property
    def attempt(self) -> int:
        """1 at the first delivery to this consumer, more at each redelivery."""
        ...

    async def ack(self) -> None:
        """Done with it: never deliver it again to this consumer. Idempotent."""
        ...

    async def nack(self) -> None:
        """Not done: deliver it again."""
        ...


class Subscription(Protocol):
    """An async iterator of deliveries; ends when closed."""

    def __aiter__(self) -> AsyncIterator[Delivery]: ...
    async def __anext__(self) -> Delivery: ...
    async def close(self) -> None: ...


class Bus(Protocol):
    """What hub and agents may ask of the transport between them."""

    async def publish(self, subject: str, message_id: str, payload: bytes) -> Receipt:
        """Hand over one message. Safe to repeat with the same ``message_id``."""
        ...

    async def subscribe(
        self, subject_pattern: str, *, durable: str | None = None, max_pending: int | None = None
    ) -> Subscription:
        """Receive what is published from now on.

        ``durable`` names a consumer that outlives its subscription: what it did not acknowledge,
        and what was published while nobody listened, comes to the next subscription of that name.
        ``max_pending`` lets a slow reader lose its oldest messages instead of holding memory: only
        for telemetry.
        """
        ...


@dataclass(frozen=True, slots=True)
class _Message:
    sequence: int
    subject: str
    message_id: str
    payload: bytes


@dataclass(eq=False, slots=True)
class _Consumer:
    """Queue and unacknowledged messages of one consumer; survives its subscription if durable."""

    pattern: str
    durable: str | None
    max_pending: int | None
    waiting: deque[_Message] = field(default_factory=deque)
    unacked: dict[int, _Message] = field(default_factory=dict)
    attempts: dict[int, int] = field(default_factory=dict)
    dropped: int = 0
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    subscription: InProcessSubscription | None = None

    def offer(self, message: _Message) -> None:
        self.waiting.append(message)
        if self.max_pending is not None and len(self.waiting) > self.max_pending:
            self.waiting.popleft()
            self.dropped += 1
        self.wake.set()

    def requeue(self, sequences: list[int]) -> None:
        """Put unacknowledged messages back in front, in their order."""
        for sequence in sorted(sequences, reverse=True):
            message = self.unacked.pop(sequence, None)
            if message is not None:
                self.waiting.appendleft(message)
        if self.waiting:
            self.wake.set()


@dataclass(frozen=True, slots=True)
class InProcessDelivery:
    """A :class:`Delivery` of the :class:`InProcessBus`."""

    _message: _Message
    _consumer: _Consumer
    attempt: int

    @property
    def subject(self) -> str:
        return self._message.subject

    @property
    def message_id(self) -> str:
        return self._message.message_id

    @property
    def payload(self) -> bytes:
        return self._message.payload

    async def ack(self) -> None:
        self._consumer.unacked.pop(self._message.sequence, None)
        self._consumer.attempts.pop(self._message.sequence, None)

    async def nack(self) -> None:
        self._consumer.requeue([self._message.sequence])


class InProcessSubscription:
    """A :class:`Subscription` of the :class:`InProcessBus`."""

    def __init__(self, bus: InProcessBus, consumer: _Consumer) -> None:
        self._bus = bus
        self._consumer = consumer
        self._closed = False

    @property
    def dropped(self) -> int:
        """Messages lost because the reader was slower than ``max_pending`` allows."""
        return self._consumer.dropped

    def __aiter__(self) -> AsyncIterator[Delivery]:
        return self

    async def __anext__(self) -> Delivery:
        consumer = self._consumer
        while not self._closed:
            if consumer.waiting:
                message = consumer.waiting.popleft()
                consumer.unacked[message.sequence] = message
                attempt = consumer.attempts.get(message.sequence, 0) + 1
                consumer.attempts[message.sequence] = attempt
                return InProcessDelivery(message, consumer, attempt)
            consumer.wake.clear()
            await consumer.wake.wait()
        raise StopAsyncIteration

    async def close(self) -> None:
        """End the iteration. A durable consumer keeps its queue for the next subscription."""
        if self._closed:
            return
        self._closed = True
        consumer = self._consumer
        consumer.subscription = None
        consumer.wake.set()
        if consumer.durable is None:
            self._bus._forget(consumer)
        else:
            consumer.requeue(list(consumer.unacked))


class InProcessBus:
    """The bus of one process: what JetStream promises, without a server.

    It lives as long as the process, so nothing relies on it for memory: the hub's outbox and the
    agent's journal are what survives a crash.
    """

    def __init__(self, clock: Clock, *, dedupe_window_s: float = DEDUPE_WINDOW_S) -> None:
        self._clock = clock
        self._dedupe_window_s = dedupe_window_s
        self._sequence = 0
        self._seen: OrderedDict[tuple[str, str], tuple[float, int]] = OrderedDict()
        self._consumers: list[_Consumer] = []
        self._readers: dict[str, list[_Consumer]] = {}
        """Who reads a subject, worked out at its first message: a city has two hundred consumers."""

    async def publish(self, subject: str, message_id: str, payload: bytes) -> Receipt:
        _check_subject(subject, pattern=False)
        if not isinstance(payload, bytes):
            raise InternalError(ErrorCode.BROKEN_INVARIANT, "a payload crosses the bus as bytes")
        now_s = self._clock.monotonic_s()
        while self._seen:
            oldest = next(iter(self._seen.values()))
            if now_s - oldest[0] <= self._dedupe_window_s:
                break
            self._seen.popitem(last=False)
        key = (subject, message_id)
        if key in self._seen:
            return Receipt(self._seen[key][1], duplicate=True)
        self._sequence += 1
        self._seen[key] = (now_s, self._sequence)
        message = _Message(self._sequence, subject, message_id, payload)
        for consumer in self._readers_of(subject):
            consumer.offer(message)
        return Receipt(self._sequence, duplicate=False)

    def _readers_of(self, subject: str) -> list[_Consumer]:
        found = self._readers.get(subject)
        if found is None:
            if len(self._readers) >= _SUBJECTS:
                self._readers.clear()
            found = [each for each in self._consumers if subject_matches(each.pattern, subject)]
            self._readers[subject] = found
        return found

    async def subscribe(
        self, subject_pattern: str, *, durable: str | None = None, max_pending: int | None = None
    ) -> InProcessSubscription:
        _check_subject(subject_pattern, pattern=True)
        consumer = next((c for c in self._consumers if durable is not None and c.durable == durable), None)
        if consumer is None:
            consumer = _Consumer(subject_pattern, durable, max_pending)
            self._consumers.append(consumer)
            self._readers.clear()
        elif consumer.pattern != subject_pattern:
            raise InternalError(
                ErrorCode.BROKEN_INVARIANT,
                f"durable consumer {durable!r} listens to {consumer.pattern!r}, not {subject_pattern!r}",
            )
        elif consumer.subscription is not None:
            # A newer subscription takes over, as after a crash whose close never ran.
            await consumer.subscription.close()
        subscription = InProcessSubscription(self, consumer)
        consumer.subscription = subscription
        return subscription

    def _forget(self, consumer: _Consumer) -> None:
        if consumer in self._consumers:
            self._consumers.remove(consumer)
            self._readers.clear()
