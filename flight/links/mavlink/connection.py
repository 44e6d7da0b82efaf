"""The conversation with one vehicle: parsing, filtering, heartbeats, exchanges, waiting for state.

Sources are never trusted: only the autopilot component of the expected system id reaches the view
and the exchanges; everything else is counted. One outstanding command per id, because an
acknowledgement names nothing but the command.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from core.clock import Clock
from core.errors import LinkError
from flight.links.mavlink.command import Command, CommandOutcome, CommandTransaction
from flight.links.mavlink.framing import FrameParser, FrameWriter, Message
from flight.links.mavlink.mission import (
    DownloadOutcome,
    MissionDownload,
    MissionType,
    MissionUpload,
    UploadOutcome,
)
from flight.links.mavlink.params import (
    ParameterEncoding,
    ParameterRead,
    ParameterSet,
    ParameterSetOutcome,
)
from flight.links.mavlink.telemetry import TelemetryReader
from flight.links.mavlink.transaction import Transaction
from flight.links.mavlink.transports import Transport, TransportFactory
from flight.model.view import VehicleView
from planner.compile.mission_types import MissionItem

T = TypeVar("T")

OWN_SYSTEM = 255
"""What ArduPilot takes for its ground station (SYSID_MYGCS)."""
OWN_COMPONENT = 190
"""MAV_COMP_ID_MISSIONPLANNER: a ground station."""
AUTOPILOT_COMPONENT = 1
HEARTBEAT_PERIOD_S = 1.0
BACKOFF_S = (0.5, 1.0, 2.0, 5.0)
"""Pauses between attempts to open a link that failed; the last one repeats."""
GAP_FROM_S = 0.7
"""Silences worth remembering; position alone comes every 0.2 s."""
MAX_PEERS = 16
"""Parsers kept for the peers of one listening socket; beyond that strangers are ignored."""

_EXCHANGE_MESSAGES = frozenset(
    {
        "COMMAND_ACK",
        "MISSION_REQUEST",
        "MISSION_REQUEST_INT",
        "MISSION_ACK",
        "MISSION_COUNT",
        "MISSION_ITEM_INT",
        "PARAM_VALUE",
    }
)

Tap = Callable[[bytes, bool], None]
"""Sees every frame of the conversation: the bytes, and whether the vehicle sent them (for the .tlog)."""


@dataclass(slots=True)
class LinkCounts:
    """How the link does."""

    opened: int = 0
    foreign_frames: int = 0
    """Frames of other systems or components on the same link."""


class VehicleConnection:
    """Owns one transport. Run :meth:`run` as a task; everything else works while it runs."""

    def __init__(self, system_id: int, transport_factory: TransportFactory, clock: Clock) -> None:
        self.system_id = system_id
        self.view = VehicleView()
        self.counts = LinkCounts()
        self.last_error: str | None = None
        self.parameter_encoding = ParameterEncoding.CAST
        """How this kind of autopilot writes whole numbers; whoever knows the kind sets it."""
        self._clock = clock
        self._factory = transport_factory
        self._transport: Transport | None = None
        self._closed = asyncio.Event()
        self._reader = TelemetryReader(self.view)
        self._wanted = self._reader.wanted | _EXCHANGE_MESSAGES
        self._parsers: dict[Hashable, FrameParser] = {}
        self._peer: Hashable = None
        self._writer = FrameWriter(OWN_SYSTEM, OWN_COMPONENT)
        self._running: dict[Transaction[object], asyncio.Event] = {}
        self._waiters: list[tuple[Callable[[VehicleView], bool], asyncio.Future[None]]] = []
        self._locks: dict[object, asyncio.Lock] = {}
        self._taps: list[Tap] = []
        self._listeners: list[Callable[[], None]] = []
        self._gaps: deque[tuple[float, float]] = deque(maxlen=100)

    # --- life ---------------------------------------------------------------------------------

    async def run(self) -> None:
        """Open, keep alive, reopen with growing pauses; ends only when cancelled."""
        failures = 0
        while True:
            self._closed.clear()
            self._parsers.clear()
            transport = self._factory()
            try:
                await transport.open(self._receive, self._on_closed)
            except LinkError as error:
                self.last_error = error.detail
                await self._clock.sleep(BACKOFF_S[min(failures, len(BACKOFF_S) - 1)])
                failures += 1
                continue
            failures = 0
            self.counts.opened += 1
            self._transport = transport
            try:
                await self._beat_until_closed()
            finally:
                self._transport = None
                await transport.close()
            await self._clock.sleep(BACKOFF_S[0])

    async def _beat_until_closed(self) -> None:
        while not self._closed.is_set():
            self.send("HEARTBEAT", type=6, autopilot=8, base_mode=0, system_status=4, mavlink_version=3)
            with contextlib.suppress(TimeoutError):
                async with self._clock.timeout(HEARTBEAT_PERIOD_S):
                    await self._closed.wait()

    def _on_closed(self, reason: str) -> None:
        self.last_error = reason
        self._closed.set()

    # --- bytes --------------------------------------------------------------------------------

    def send(self, name: str, **fields: Any) -> None:
        """Send one message now, if the link is open. Nothing says whether it arrives."""
        frame = self._writer.pack(name, **fields)
        if self._transport is not None:
            self._transport.send(frame, self._peer)
            for tap in self._taps:
                tap(frame, False)

    def _receive(self, data: bytes, peer: Hashable) -> None:
        parser = self._parsers.get(peer)
        if parser is None:
            if len(self._parsers) >= MAX_PEERS:
                self.counts.foreign_frames += 1
                return
            parser = self._parsers[peer] = FrameParser(self._wanted)
        datagrams = self._transport is not None and self._transport.datagrams
        messages = parser.feed_datagram(data) if datagrams else parser.feed(data)
        if not messages:
            return
        now_s = self._clock.monotonic_s()
        for message in messages:
            if message.system_id != self.system_id or message.component_id != AUTOPILOT_COMPONENT:
                self.counts.foreign_frames += 1
                continue
            self._peer = peer
            self._note_gap(now_s)
            self._handle(message, now_s)
        self._notify()

    def _note_gap(self, now_s: float) -> None:
        heard_s = self.view.heard_s
        if heard_s is not None and now_s - heard_s > GAP_FROM_S:
            self._gaps.append((heard_s, now_s))

    def longest_silence_since(self, since_s: float) -> float:
        """The longest stretch without a message that reaches past ``since_s``, the present one included."""
        gaps = [end_s - max(start_s, since_s) for start_s, end_s in self._gaps if end_s > since_s]
        if self.view.heard_s is not None:
            gaps.append(self._clock.monotonic_s() - max(self.view.heard_s, since_s))
        return max(gaps, default=0.0)

    def _handle(self, message: Message, now_s: float) -> None:
        for tap in self._taps:
            tap(message.raw, True)
        self._reader.read(message, now_s)
        if message.name in _EXCHANGE_MESSAGES:
            for transaction, wake in list(self._running.items()):
                transaction.receive(message, now_s)
                self._flush(transaction)
                wake.set()

    def _notify(self) -> None:
        for waiter in list(self._waiters):
            predicate, future = waiter
            if not future.done() and predicate(self.view):
                future.set_result(None)
        for listener in self._listeners:
            listener()

    def add_listener(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call ``listener`` after each batch of messages; returns what removes it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def add_tap(self, tap: Tap) -> Callable[[], None]:
        """Show ``tap`` every frame; returns what removes it."""
        self._taps.append(tap)
        return lambda: self._taps.remove(tap)

    # --- exchanges ----------------------------------------------------------------------------

    def _flush(self, transaction: Transaction[object]) -> None:
        for name, fields in transaction.take_outgoing():
            self.send(name, **fields)

    async def execute(self, transaction: Transaction[T]) -> T:
        """Drive one exchange to its outcome. Cancelling stops it; nothing more is sent then."""
        wake = asyncio.Event()
        self._running[transaction] = wake  # type: ignore[index]
        try:
            transaction.begin(self._clock.monotonic_s())
            self._flush(transaction)  # type: ignore[arg-type]
            while transaction.outcome is None:
                deadline_s = transaction.deadline_s
                wait_s = None if deadline_s is None else max(0.0, deadline_s - self._clock.monotonic_s())
                wake.clear()
                with contextlib.suppress(TimeoutError):
                    async with self._clock.timeout(wait_s):
                        await wake.wait()
                if transaction.outcome is None:
                    transaction.tick(self._clock.monotonic_s())
                    self._flush(transaction)  # type: ignore[arg-type]
            return transaction.outcome
        finally:
            del self._running[transaction]  # type: ignore[arg-type]

    @property
    def _addresses(self) -> dict[str, int]:
        return {
            "target_system": self.system_id,
            "target_component": AUTOPILOT_COMPONENT,
            "own_system": OWN_SYSTEM,
            "own_component": OWN_COMPONENT,
        }

    def _lock(self, key: object) -> asyncio.Lock:
        return self._locks.setdefault(key, asyncio.Lock())

    async def command(self, command: Command) -> CommandOutcome:
        """Send a command and wait for its acknowledgement. Its effect is the caller's to check."""
        async with self._lock(("command", command.command)):
            return await self.execute(CommandTransaction(command, **self._addresses))

    async def upload(self, mission_type: MissionType, items: Sequence[MissionItem]) -> UploadOutcome:
        """Write a list; the caller reads it back."""
        async with self._lock("transfer"):
            return await self.execute(MissionUpload(mission_type, items, **self._addresses))

    async def download(self, mission_type: MissionType) -> DownloadOutcome:
        """Read a list."""
        async with self._lock("transfer"):
            return await self.execute(MissionDownload(mission_type, **self._addresses))

    async def read_parameters(self, names: Iterable[str]) -> dict[str, float | None]:
        """Read parameters; None for each that never came."""
        return await self.execute(
            ParameterRead(
                names,
                target_system=self.system_id,
                target_component=AUTOPILOT_COMPONENT,
                encoding=self.parameter_encoding,
            )
        )

    async def set_parameter(self, name: str, value: float) -> ParameterSetOutcome:
        """Write one parameter; believed only when the vehicle states it back."""
        async with self._lock(("parameter", name)):
            return await self.execute(
                ParameterSet(
                    name,
                    value,
                    target_system=self.system_id,
                    target_component=AUTOPILOT_COMPONENT,
                    encoding=self.parameter_encoding,
                )
            )

    async def wait_for(self, predicate: Callable[[VehicleView], bool], timeout_s: float) -> bool:
        """Wait until the view fulfils ``predicate``; False when ``timeout_s`` passed without."""
        if predicate(self.view):
            return True
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiter = (predicate, future)
        self._waiters.append(waiter)
        try:
            async with self._clock.timeout(timeout_s):
                await future
            return True
        except TimeoutError:
            return False
        finally:
            self._waiters.remove(waiter)
