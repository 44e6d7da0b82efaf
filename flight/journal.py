"""The memory of one vehicle's agent: an append-only file of JSON lines, on the disk before anything
is done.

What a kill -9 leaves behind is exactly what was appended, except perhaps a torn last line, which is
cut off when the file is opened again. A lock keeps a second agent of the same drone away: two
controllers of one vehicle are worse than none.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from pydantic import TypeAdapter

from core.errors import ErrorCode, InternalError
from flight.messages import (
    AedReleased,
    Command,
    CommandAccepted,
    CommandRefused,
    ConfirmAedLoaded,
    DeliveryFailed,
    Event,
    FlightEnded,
    FlyMission,
    decode,
    encode,
)
from flight.model.phases import FLIGHT_PHASES, AedState, State

RECENT_EVENTS = 500
"""More than any one flight says; a restarted agent says them again."""

_STATE: TypeAdapter[State] = TypeAdapter(State)


@dataclass(slots=True)
class Remembered:
    """What a new agent must know of the past.

    ``flight``: the last flight that was begun. ``state``: its last state, None if none was written.
    ``flight_events``: everything that was published about it, and every answer to its commands.
    ``recent``: the latest events of any flight, oldest first, to be said again.
    ``answers``: the answer to each command that was ever answered. ``closed_flights``: flights that
    ended or were called off; they are never flown (again).
    """

    flight: FlyMission | None = None
    state: State | None = None
    flight_events: list[Event] = field(default_factory=list)
    recent: deque[Event] = field(default_factory=lambda: deque(maxlen=RECENT_EVENTS))
    answers: dict[str, CommandAccepted | CommandRefused] = field(default_factory=dict)
    unanswered: list[Command] = field(default_factory=list)
    closed_flights: set[str] = field(default_factory=set)
    aed_missing: bool = False
    hovering_since: datetime | None = None

    @property
    def under_way(self) -> bool:
        """Whether the last flight was still going on when the journal ends."""
        return (
            self.flight is not None
            and self.flight.flight_id not in self.closed_flights
            and self.state is not None
            and self.state.phase in FLIGHT_PHASES
        )


class Journal:
    """Append-only JSON lines in ``path``; every append is on the disk when it returns."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab+")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            raise InternalError(
                ErrorCode.STORE_FAILED, f"another agent holds the journal {path.name}"
            ) from error
        self._cut_torn_line()

    def _cut_torn_line(self) -> None:
        """Drop a last line that a crash left unfinished, so that the next append starts a line."""
        self._file.seek(0)
        data = self._file.read()
        end = data.rfind(b"\n") + 1
        if end != len(data):
            self._file.truncate(end)
            self._file.flush()
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Let another agent have it."""
        if not self._file.closed:
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _append(self, records: Iterable[dict[str, Any]]) -> None:
        lines = b"".join(
            json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
            for record in records
        )
        self._file.write(lines)
        self._file.flush()
        os.fsync(self._file.fileno())

    def write(self, *, messages: Iterable[Command | Event] = (), state: State | None = None) -> None:
        """Append commands, events and the state in one go; on the disk when this returns."""
        records: list[dict[str, Any]] = [{"message": json.loads(encode(message))} for message in messages]
        if state is not None:
            records.append({"state": json.loads(_STATE.dump_json(state))})
        if records:
            self._append(records)

    def remember(self) -> Remembered:
        """Read everything back. Raises 5001 if a complete line is not ours: nothing is guessed then."""
        self._file.seek(0)
        memory = Remembered()
        asked: dict[str, Command] = {}
        for number, line in enumerate(self._file.read().splitlines(), start=1):
            try:
                record = json.loads(line)
                if "state" in record:
                    memory.state = _STATE.validate_python(record["state"])
                    continue
                message = decode(json.dumps(record["message"]).encode())
            except (ValueError, KeyError, InternalError) as error:
                raise InternalError(
                    ErrorCode.STORE_FAILED, f"journal {self.path.name}, line {number}: {error}"
                ) from error
            _take(memory, asked, message)
        memory.unanswered = [command for key, command in asked.items() if key not in memory.answers]
        return memory


def _take(memory: Remembered, asked: dict[str, Command], message: Any) -> None:
    if hasattr(message, "issued_at"):
        asked[message.command_id] = message
        return
    memory.recent.append(message)
    if isinstance(message, CommandAccepted | CommandRefused):
        memory.answers[message.command_id] = message
        command = asked.get(message.command_id)
        if isinstance(message, CommandAccepted) and isinstance(command, FlyMission):
            memory.flight, memory.state = command, None
            memory.flight_events = []
            memory.hovering_since = None
        if isinstance(message, CommandAccepted) and isinstance(command, ConfirmAedLoaded):
            memory.aed_missing = False
    if memory.flight is not None and message.flight_id == memory.flight.flight_id:
        memory.flight_events.append(message)
    if isinstance(message, FlightEnded):
        memory.closed_flights.add(message.flight_id)
    if isinstance(message, AedReleased) or (
        isinstance(message, DeliveryFailed | FlightEnded) and message.aed is not AedState.ON_BOARD
    ):
        memory.aed_missing = True
    if getattr(message, "phase", None) == "hovering":
        memory.hovering_since = message.at
