"""The conversation with one vehicle: heartbeats, exchanges, waiting for state.

Sources are never trusted: only the autopilot component of the expected system id gets here
(:mod:`flight.links.mavlink.link`), signed where a key is expected. One outstanding command per id,
because an acknowledgement names nothing but the command.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from core.clock import Clock
from flight.links.mavlink.command import Command, CommandOutcome, CommandTransaction
from flight.links.mavlink.duplicates import DuplicateWatch
from flight.links.mavlink.frame_order import FrameOrder
from flight.links.mavlink.framing import Message
from flight.links.mavlink.link import AUTOPILOT_COMPONENT, Link
from flight.links.mavlink.link import OWN_COMPONENT as OWN_COMPONENT
from flight.links.mavlink.link import OWN_SYSTEM as OWN_SYSTEM
from flight.links.mavlink.link import LinkCounts as LinkCounts
from flight.links.mavlink.mission import (
    DownloadOutcome,
    MissionDownload,
    MissionType,
    MissionUpload,
    UploadOutcome,
)
from flight.links.mavlink.pace import WINDOW
from flight.links.mavlink.params import (
    ParameterEncoding,
    ParameterRead,
    ParameterSet,
    ParameterSetOutcome,
)
from flight.links.mavlink.signing import KeySigner, SigningCounts
from flight.links.mavlink.telemetry import TelemetryReader
from flight.links.mavlink.timesync import TimeSync
from flight.links.mavlink.transaction import Transaction
from flight.links.transport import TransportFactory
from flight.model.view import VehicleView
from planner.compile.mission_types import MissionItem

T = TypeVar("T")

GAP_FROM_S = 0.7
"""Silences worth remembering; position alone comes every 0.2 s."""
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
_TIMESYNC = "TIMESYNC"

Tap = Callable[[bytes, bool], None]
"""Sees every frame of the conversation: the bytes, and whether the vehicle sent them (for the .tlog)."""


@dataclass(slots=True)
class LinkClaim:
    """The right to speak to one system on one link; :meth:`flight.links.mavlink.hub.LinkHub.claim` gives it.

    ``signer`` None: what we send is not signed. ``signing`` counts what was believed, where a key is expected.
    """

    link: Link
    system_id: int
    signer: KeySigner | None = None
    signing: SigningCounts | None = None


class VehicleConnection:
    """One vehicle's conversation on a link of its own (a transport factory) or a shared one (a claim).

    Run :meth:`run` as a task; everything else works while it runs.
    """

    def __init__(self, system_id: int, source: TransportFactory | LinkClaim, clock: Clock) -> None:
        self.system_id = system_id
        self.view = VehicleView()
        self.time_sync = TimeSync()
        self.parameter_encoding = ParameterEncoding.CAST
        """How this kind of autopilot writes whole numbers; whoever knows the kind sets it."""
        self.reads_in_order = False
        """Whether this kind of autopilot must be asked for one item of a list after the other."""
        if isinstance(source, LinkClaim):
            self.claim = source
        else:
            self.claim = LinkClaim(Link(source, clock, name=f"link of system {system_id}"), system_id)
        self._link = self.claim.link
        self._clock = clock
        self._reader = TelemetryReader(self.view)
        self._wanted = self._reader.wanted | _EXCHANGE_MESSAGES | {_TIMESYNC}
        self._peer: Hashable = None
        self._duplicates = DuplicateWatch()
        self._order = FrameOrder()
        self.overtaken_frames = 0
        """Frames that came after newer ones."""
        self._running: dict[Transaction[object], asyncio.Event] = {}
        self._waiters: list[tuple[Callable[[VehicleView], bool], asyncio.Future[None]]] = []
        self._locks: dict[object, asyncio.Lock] = {}
        self._taps: list[Tap] = []
        self._listeners: list[Callable[[], None]] = []
        self._gaps: deque[tuple[float, float]] = deque(maxlen=100)

    # --- life ---------------------------------------------------------------------------------

    async def run(self) -> None:
        """Keep the conversation alive while the link comes and goes; ends only when cancelled."""
        async with self._link.use(self) as link_task:
            await asyncio.wait({link_task})
            link_task.result()

    def beat(self, now_s: float) -> None:
        """Say that we are there, and ask for the time now and then."""
        self.send("HEARTBEAT", type=6, autopilot=8, base_mode=0, system_status=4, mavlink_version=3)
        if self.view.heard_s is not None and self.time_sync.is_due(now_s):
            self.send(_TIMESYNC, **self.time_sync.ask(now_s))

    @property
    def counts(self) -> LinkCounts:
        """How the link does; shared with the other vehicles on it."""
        return self._link.counts

    @property
    def last_error(self) -> str | None:
        """Why the link failed last."""
        return self._link.last_error

    @property
    def signing(self) -> SigningCounts | None:
        """What was believed and rejected, by reason; None where no signatures are expected."""
        return self.claim.signing

    @property
    def conflict(self) -> str | None:
        """Why this system id can't be trusted now: somebody else uses it too. Nothing may take off then."""
        return self._duplicates.conflict(self._clock.monotonic_s())

    # --- bytes --------------------------------------------------------------------------------

    @property
    def wanted(self) -> frozenset[str]:
        """The messages that are read."""
        return self._wanted

    def send(self, name: str, **fields: Any) -> None:
        """Send one message now, if the link is open. Nothing says whether it arrives."""
        frame = self._link.send(name, self._peer, self.claim.signer, fields)
        if frame is not None:
            for tap in self._taps:
                tap(frame, False)

    def hear(self, message: Message, peer: Hashable, now_s: float) -> None:
        """Take one message of this vehicle's autopilot; its signature is verified, if one is expected.

        What was overtaken by something newer says nothing about the present: it reaches the exchanges, which
        match their answers themselves, and texts are read, but no state is taken from it.
        """
        self._peer = peer
        view = self.view
        for tap in self._taps:
            tap(message.raw, True)
        name = message.name
        if self._order.is_overtaken(message.raw, now_s):
            self.overtaken_frames += 1
            if view.boot_time_s is not None:
                self._duplicates.note_late(self.system_id, message, view.boot_time_s, now_s)
            if name == "STATUSTEXT":
                self._reader.read(message, now_s)
        else:
            self._take_state(message, now_s)
        if name in _EXCHANGE_MESSAGES:
            for transaction, wake in list(self._running.items()):
                transaction.receive(message, now_s)
                self._flush(transaction)
                wake.set()
        elif name == _TIMESYNC:
            answer = self.time_sync.receive(message, now_s)
            if answer is not None:
                self.send(_TIMESYNC, **answer)

    def _take_state(self, message: Message, now_s: float) -> None:
        view = self.view
        if view.heard_s is not None and now_s - view.heard_s > GAP_FROM_S:
            self._gaps.append((view.heard_s, now_s))
        reboots = view.reboots
        self._reader.read(message, now_s)
        if view.reboots != reboots:
            self._duplicates.note_reboot(self.system_id, now_s)
            self.time_sync.forget()

    def heard(self) -> None:
        """Wake whoever waits for a state, and the listeners."""
        for waiter in list(self._waiters):
            predicate, future = waiter
            if not future.done() and predicate(self.view):
                future.set_result(None)
        for listener in self._listeners:
            listener()

    def note_conflict(self, reason: str, now_s: float) -> None:
        """Somebody else speaks under this system id."""
        self._duplicates.note(reason, now_s)

    def longest_silence_since(self, since_s: float) -> float:
        """The longest stretch without a message that reaches past ``since_s``, the present one included."""
        gaps = [end_s - max(start_s, since_s) for start_s, end_s in self._gaps if end_s > since_s]
        if self.view.heard_s is not None:
            gaps.append(self._clock.monotonic_s() - max(self.view.heard_s, since_s))
        return max(gaps, default=0.0)

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
            round_trip_s = self.time_sync.slowest_s or 0.0
            return await self.execute(
                CommandTransaction(command, round_trip_s=round_trip_s, **self._addresses)
            )

    async def answers_within(self, limit_s: float) -> bool:
        """Ask the time and see whether this very question is answered so soon.

        What a radio or a modem has held back looks fresh when it comes: it was just heard. Whatever comes after the
        answer was said after the question.
        """
        asked_s = self._clock.monotonic_s()
        self.send(_TIMESYNC, **self.time_sync.ask(asked_s))

        def answered(view: VehicleView) -> bool:
            newest_s = self.time_sync.answered_s
            return newest_s is not None and newest_s >= asked_s - 1e-6

        return await self.wait_for(answered, limit_s)

    async def upload(
        self, mission_type: MissionType, items: Sequence[MissionItem], *, window: int = WINDOW
    ) -> UploadOutcome:
        """Write a list; the caller reads it back. ``window`` 1 waits for each request."""
        async with self._lock("transfer"):
            return await self.execute(MissionUpload(mission_type, items, window=window, **self._addresses))

    async def download(self, mission_type: MissionType, *, window: int = WINDOW) -> DownloadOutcome:
        """Read a list."""
        async with self._lock("transfer"):
            reading = MissionDownload(
                mission_type, window=window, in_order=self.reads_in_order, **self._addresses
            )
            return await self.execute(reading)

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
