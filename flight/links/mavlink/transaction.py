"""The shape that every protocol exchange has: messages and time in, messages and an outcome out.

Sans-IO: a transaction never sends, sleeps or reads a clock. Its driver
(:class:`flight.links.mavlink.connection.VehicleConnection`) feeds it, sends what it has to say,
and wakes it at :attr:`Transaction.deadline_s`.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from flight.links.mavlink.framing import Message

T = TypeVar("T")

Outgoing = tuple[str, dict[str, Any]]
"""A message to send: MAVLink name and its fields."""


class Transaction(Generic[T]):
    """Base of the exchanges. ``outcome`` is None while it runs; afterwards nothing changes it."""

    def __init__(self) -> None:
        self.outcome: T | None = None
        self.deadline_s: float | None = None
        self._outgoing: list[Outgoing] = []

    def begin(self, now_s: float) -> None:
        """Send the first message."""
        raise NotImplementedError

    def receive(self, message: Message, now_s: float) -> None:
        """Take one message of the vehicle; most are not meant for this exchange."""
        raise NotImplementedError

    def tick(self, now_s: float) -> None:
        """The deadline has passed: repeat, or give up."""
        raise NotImplementedError

    def take_outgoing(self) -> list[Outgoing]:
        """What is to be sent now, in order; each message is given once."""
        taken, self._outgoing = self._outgoing, []
        return taken

    def _send(self, name: str, **fields: Any) -> None:
        self._outgoing.append((name, fields))

    def _finish(self, outcome: T) -> None:
        if self.outcome is None:
            self.outcome = outcome
            self.deadline_s = None
