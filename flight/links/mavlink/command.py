"""COMMAND_LONG / COMMAND_INT → COMMAND_ACK, with the retries that each command can stand.

Receivers execute every copy of a command, so whether a lost answer may be repeated is a property
of the command, not of the link. And an acknowledgement is no effect: whoever sends a command that
matters waits for the vehicle's state afterwards.

Times are those of the MAVLink command protocol as measured against ArduCopter: 0.5 s, three
attempts; IN_PROGRESS lengthens the wait and never ends it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any

from flight.links.mavlink.framing import Message
from flight.links.mavlink.transaction import Transaction

ACK_TIMEOUT_S = 0.5
"""Wait for an acknowledgement before a repetition (MAVLink command protocol practice)."""
ATTEMPTS = 3
PATIENCE = 1.5
"""Round trips to wait for where that is longer; chosen: delays vary by half."""
PROGRESS_TIMEOUT_S = 5.0
"""Wait after an IN_PROGRESS; chosen above the 1 Hz at which vehicles report progress."""
LONGEST_S = 60.0
"""Nothing that is asked here takes longer; a vehicle that reports progress for ever is not believed."""


class CommandResult(IntEnum):
    """MAV_RESULT (common.xml)."""

    ACCEPTED = 0
    TEMPORARILY_REJECTED = 1
    DENIED = 2
    UNSUPPORTED = 3
    FAILED = 4
    IN_PROGRESS = 5
    CANCELLED = 6
    COMMAND_LONG_ONLY = 7
    COMMAND_INT_ONLY = 8
    COMMAND_UNSUPPORTED_MAV_FRAME = 9


class RetryClass(StrEnum):
    """What may be done when no answer comes."""

    IDEMPOTENT = "idempotent"
    """Executing it twice is the same as once: repeat."""
    LOOK_BEFORE_EACH = "look_before_each"
    """Idempotent, but right only at its moment (an opening hook): one copy goes out here and is waited for no longer than
    a copy of a repeatable one. Whoever sends it looks again before the next."""
    CHECK_FIRST = "check_first"
    """Look at the vehicle's state before saying it again; one copy goes out here."""
    NEVER = "never"
    """Twice is dangerous (relative winch length, jumps, reboot): one copy, whatever happens."""


@dataclass(frozen=True, slots=True)
class Command:
    """What to ask of one vehicle. ``integer`` sends COMMAND_INT with ``frame`` and 1e-7 degrees in x, y."""

    command: int
    param1: float = 0.0
    param2: float = 0.0
    param3: float = 0.0
    param4: float = 0.0
    param5: float = 0.0
    param6: float = 0.0
    param7: float = 0.0
    retry: RetryClass = RetryClass.IDEMPOTENT
    integer: bool = False
    frame: int = 0


@dataclass(frozen=True, slots=True)
class CommandOutcome:
    """What became of it. ``result`` None: no answer came, so whether it was executed is unknown."""

    result: CommandResult | None
    sent: int
    detail: int = 0

    @property
    def accepted(self) -> bool:
        """The vehicle said yes, which is not yet an effect."""
        return self.result is CommandResult.ACCEPTED

    @property
    def unanswered(self) -> bool:
        return self.result is None

    def describe(self) -> str:
        """For reasons shown to people."""
        return "no answer" if self.result is None else self.result.name.lower()


class CommandTransaction(Transaction[CommandOutcome]):
    """One command to one vehicle. Matches the answer on command, source (by the driver) and target.

    ``round_trip_s`` as known of this link lengthens the wait, so that a slow link isn't taken for a lossy
    one. An answer names the command only: one that comes very late may be taken for that of the next
    command with the same number. This too is why an acceptance is never taken for an effect.
    """

    def __init__(
        self,
        command: Command,
        *,
        target_system: int,
        target_component: int,
        own_system: int,
        own_component: int,
        round_trip_s: float = 0.0,
    ) -> None:
        super().__init__()
        self.command = command
        self._target = {"target_system": target_system, "target_component": target_component}
        self._own = own_system, own_component
        self._patience_s = max(ACK_TIMEOUT_S, PATIENCE * round_trip_s)
        self._sent = 0
        self._arrived = False
        self._started_s = 0.0

    def begin(self, now_s: float) -> None:
        self._started_s = now_s
        self._transmit(now_s)

    def _transmit(self, now_s: float) -> None:
        command = self.command
        fields: dict[str, Any] = {
            **self._target,
            "command": command.command,
            "param1": command.param1,
            "param2": command.param2,
            "param3": command.param3,
            "param4": command.param4,
        }
        if command.integer:
            self._send(
                "COMMAND_INT",
                **fields,
                frame=command.frame,
                x=int(command.param5),
                y=int(command.param6),
                z=command.param7,
            )
        else:
            self._send(
                "COMMAND_LONG",
                **fields,
                param5=command.param5,
                param6=command.param6,
                param7=command.param7,
                confirmation=min(self._sent, 255),
            )
        self._sent += 1
        # A single copy waits as long as all the attempts of a repeatable one would.
        at_once = command.retry in (RetryClass.IDEMPOTENT, RetryClass.LOOK_BEFORE_EACH)
        patience = 1 if at_once else ATTEMPTS
        self.deadline_s = now_s + self._patience_s * patience

    def receive(self, message: Message, now_s: float) -> None:
        if self.outcome is not None or message.name != "COMMAND_ACK":
            return
        fields = message.fields
        if fields.command != self.command.command:
            return
        # target 0 is what older autopilots send: meant for everybody.
        if fields.target_system not in (0, self._own[0]) or fields.target_component not in (0, self._own[1]):
            return
        try:
            result = CommandResult(fields.result)
        except ValueError:
            return
        if result is CommandResult.IN_PROGRESS:
            self.deadline_s = min(now_s + PROGRESS_TIMEOUT_S, self._started_s + LONGEST_S)
            # From here on silence is not a lost command: it is being executed.
            self._arrived = True
            return
        self._finish(CommandOutcome(result, self._sent, int(fields.result_param2)))

    def tick(self, now_s: float) -> None:
        if self.outcome is not None or self.deadline_s is None or now_s < self.deadline_s:
            return
        repeatable = self.command.retry is RetryClass.IDEMPOTENT and not self._arrived
        if repeatable and self._sent < ATTEMPTS:
            self._transmit(now_s)
        else:
            self._finish(CommandOutcome(None, self._sent))
