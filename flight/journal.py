"""The memory of one vehicle's agent: an append-only file of JSON lines, on the disk before anything
is done.

What is appended together is one line, so what a kill -9 leaves behind is exactly what was appended, except perhaps
a torn last line, which is cut off when the file is opened again: a step without its words would leave a flight that
was accepted and never begins. A lock keeps a second agent of the same drone away: two
controllers of one vehicle are worse than none. It is a file of its own, so that it outlives a rotation.

A file that has grown large is rotated between flights: what a new agent must know is written to a new
file, which then takes the old one's name; the old one keeps its lines under a number.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, Self

from pydantic import TypeAdapter

from core.errors import ErrorCode, InternalError
from flight.messages import (
    AedReleased,
    AedSelfTested,
    AuthorisationRevoked,
    Command,
    CommandAccepted,
    CommandRefused,
    ConfirmAedLoaded,
    DeliveryFailed,
    Event,
    FaultCleared,
    FlightEnded,
    FlightRerouted,
    FlyMission,
    PhaseChanged,
    RerouteFailed,
    RerouteFlight,
    SafetyActionTaken,
    UnknownFlightFound,
    WindReported,
    ZoneActivated,
    ZoneCleared,
    decode,
    encode,
)
from flight.model.faults import Fault
from flight.model.phases import FLIGHT_PHASES, AedState, Phase, State
from geofences.model import Zone
from planner.flight_plan import FlightPlan

RECENT_EVENTS = 500
"""More than any one flight says; a restarted agent says them again."""

ROTATE_BYTES = 8 * 1024 * 1024
"""Some two hundred flights; read back in well under a second (chosen: supervision resumes within 5 s)."""

_STATE: TypeAdapter[State] = TypeAdapter(State)
_TOGETHER = "together"


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
    plan: FlightPlan | None = None
    """What the last flight follows; another than ``flight.plan`` after a re-route."""
    reroute: RerouteFlight | None = None
    """Accepted, and not yet on board as far as the journal knows."""
    latched: dict[Fault, str] = field(default_factory=dict)
    """Faults that were told and not cleared."""
    unclaimed_flight: str | None = None
    zones: dict[str, Zone] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)
    revoked_zones: dict[str, Zone] = field(default_factory=dict)
    wind: WindReported | None = None
    self_test: AedSelfTested | None = None
    unanswered: list[Command] = field(default_factory=list)
    closed_flights: set[str] = field(default_factory=set)
    aed_missing: bool = False
    hovering_since: datetime | None = None

    def told(self, notice: Command) -> None:
        """Keep what a notice says about the world."""
        match notice:
            case ZoneActivated():
                self.zones[notice.zone.zone_id] = notice.zone
            case ZoneCleared():
                self.zones.pop(notice.zone_id, None)
                self.revoked_zones.pop(notice.zone_id, None)
            case AuthorisationRevoked():
                self.revoked.add(notice.authorisation_id)
                self.revoked_zones.update((zone.zone_id, zone) for zone in notice.zones)
            case WindReported():
                self.wind = notice
            case AedSelfTested():
                self.self_test = notice

    @property
    def closed_zones(self) -> tuple[Zone, ...]:
        """What flights must keep out of, beside the zones that their plans knew."""
        return (*self.zones.values(), *self.revoked_zones.values())

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
        self._lock = path.with_name(f"{path.name}.lock").open("ab")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.close()
            raise InternalError(
                ErrorCode.STORE_FAILED, f"another agent holds the journal {path.name}"
            ) from error
        self._file = path.open("ab+")
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
            # Said, not left to closing: a forked copy of this process holds the same lock.
            fcntl.flock(self._lock, fcntl.LOCK_UN)
            self._lock.close()

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
        """Append commands, events and the state, all of them or none; on the disk when this returns."""
        records: list[dict[str, Any]] = [{"message": json.loads(encode(message))} for message in messages]
        if state is not None:
            records.append({"state": json.loads(_STATE.dump_json(state))})
        if records:
            self._append(records if len(records) == 1 else [{_TOGETHER: records}])

    # --- rotation -----------------------------------------------------------------------------

    def rotate_if_large(self, memory: Remembered) -> Path | None:
        """Between flights: begin a new file when this one is larger than :data:`ROTATE_BYTES`.

        Returns where the old lines are now. A crash at any moment leaves either the old file or the new one
        under the journal's name, each complete.
        """
        if self._file.closed or self._file.tell() < ROTATE_BYTES:
            return None
        return self.rotate(memory)

    def rotate(self, memory: Remembered) -> Path:
        """Begin a new file with what ``memory`` holds."""
        number = 1 + max(
            (
                int(old.suffix[1:])
                for old in self.path.parent.glob(f"{self.path.name}.*")
                if old.suffix[1:].isdigit()
            ),
            default=0,
        )
        kept = self.path.with_name(f"{self.path.name}.{number}")
        fresh = self.path.with_name(f"{self.path.name}.new")
        fresh.unlink(missing_ok=True)
        old_file = self._file
        self._file = fresh.open("ab+")
        try:
            self._append(_essence(memory, self._lines(old_file)))
        except BaseException:
            self._file.close()
            self._file = old_file
            fresh.unlink(missing_ok=True)
            raise
        os.link(self.path, kept)
        fresh.replace(self.path)
        _sync_folder(self.path.parent)
        old_file.close()
        return kept

    @staticmethod
    def _lines(file: BinaryIO) -> list[dict[str, Any]]:
        file.seek(0)
        return [record for line in file.read().splitlines() for record in _records_of(line)]

    def remember(self) -> Remembered:
        """Read everything back. Raises 5001 if a complete line is not ours: nothing is guessed then."""
        self._file.seek(0)
        memory = Remembered()
        asked: dict[str, Command] = {}
        for number, line in enumerate(self._file.read().splitlines(), start=1):
            try:
                for record in _records_of(line):
                    if "state" in record:
                        memory.state = _STATE.validate_python(record["state"])
                    else:
                        _take(memory, asked, decode(json.dumps(record["message"]).encode()))
            except (ValueError, KeyError, TypeError, AttributeError, InternalError) as error:
                raise InternalError(
                    ErrorCode.STORE_FAILED, f"journal {self.path.name}, line {number}: {error}"
                ) from error
        memory.unanswered = [command for key, command in asked.items() if key not in memory.answers]
        return memory


def _records_of(line: bytes) -> list[dict[str, Any]]:
    """One record, or those that were written together. Earlier releases wrote each in a line of its own."""
    found: dict[str, Any] = json.loads(line)
    together: list[dict[str, Any]] | None = found.get(_TOGETHER)
    return [found] if together is None else together


def _take(memory: Remembered, asked: dict[str, Command], message: Any) -> None:
    if hasattr(message, "issued_at"):
        asked[message.command_id] = message
        return
    memory.recent.append(message)
    if isinstance(message, CommandAccepted | CommandRefused):
        memory.answers[message.command_id] = message
        if isinstance(message, CommandAccepted):
            _accepted(memory, asked.get(message.command_id))
    if memory.flight is not None and message.flight_id == memory.flight.flight_id:
        memory.flight_events.append(message)
        _happened(memory, message)
    if isinstance(message, UnknownFlightFound):
        memory.unclaimed_flight = message.flight_id
    if isinstance(message, FlightEnded):
        memory.closed_flights.add(message.flight_id)
        if message.flight_id == memory.unclaimed_flight:
            memory.unclaimed_flight = None
    if isinstance(message, AedReleased) or (
        isinstance(message, DeliveryFailed | FlightEnded) and message.aed is not AedState.ON_BOARD
    ):
        memory.aed_missing = True


def _accepted(memory: Remembered, command: Command | None) -> None:
    """What follows from a command or a notice that was taken."""
    match command:
        case FlyMission():
            memory.flight, memory.state, memory.plan = command, None, command.plan
            memory.flight_events, memory.latched = [], {}
            memory.hovering_since = memory.reroute = None
        case RerouteFlight():
            memory.reroute = command
        case ConfirmAedLoaded():
            memory.aed_missing = False
        case _ if command is not None:
            memory.told(command)


def _happened(memory: Remembered, event: Event) -> None:
    """What follows from an event of the last flight; as the flight itself remembers it (FlightUnderWay.entered)."""
    match event:
        case FlightRerouted():
            memory.plan, memory.reroute, memory.hovering_since = event.plan, None, None
        case PhaseChanged(phase=Phase.OUTBOUND):
            memory.hovering_since = None
        case PhaseChanged(phase=Phase.HOVERING) if memory.hovering_since is None:
            memory.hovering_since = event.at
        case RerouteFailed():
            memory.reroute = None
        case SafetyActionTaken():
            memory.latched[event.fault] = event.detail
        case FaultCleared():
            memory.latched.pop(event.fault, None)


_ALWAYS = frozenset(
    {
        "flight_ended",
        "aed_released",
        "unknown_flight_found",
        "confirm_aed_loaded",
        "zone_activated",
        "zone_cleared",
        "authorisation_revoked",
    }
)
"""Few, small, and true until something else is said."""
_ONLY_THE_LAST = ("wind_reported", "aed_self_tested")
_ANSWERS_KEPT = timedelta(days=7)
"""Longer than any bus or outbox repeats a command (chosen); older flights are refused because their plans
have expired."""


def _essence(memory: Remembered, records: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Of a journal's lines, those that a new agent needs after a flight has ended.

    The last flight whole, so that it can be said again; how every flight ended, so that none is flown again;
    what holds until something else is said; recent commands and their answers, so that none is acted on
    twice; the last state.
    """
    last_flight = None if memory.flight is None else memory.flight.flight_id
    messages = [record["message"] for record in records if "message" in record]
    newest = max((_moment(message) for message in messages), default=None)
    last_of = {
        message["kind"]: message["command_id"] for message in messages if message["kind"] in _ONLY_THE_LAST
    }
    kept_ids = set(last_of.values())
    for message in messages:
        kind = message["kind"]
        if kind in _ONLY_THE_LAST:
            keep = message["command_id"] in kept_ids
        elif (message.get("flight_id") == last_flight and last_flight is not None) or kind in _ALWAYS:
            keep = True
        elif kind == "fly_mission":
            # Its answer and its end say everything that is still needed; the plan is the bulk of the file.
            keep = False
        else:
            recent = newest is not None and newest - _moment(message) <= _ANSWERS_KEPT
            is_command = "issued_at" in message or kind in ("command_accepted", "command_refused")
            of_kept = message.get("command_id") in kept_ids
            keep = of_kept or (recent and is_command and message.get("command_kind") not in _ONLY_THE_LAST)
        if keep:
            if "issued_at" in message:
                kept_ids.add(message["command_id"])
            yield {"message": message}
    state = next((record for record in reversed(records) if "state" in record), None)
    if state is not None:
        yield state


def _moment(message: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(message.get("issued_at") or message["at"])


def _sync_folder(folder: Path) -> None:
    """A new name is on the disk only when its folder is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
