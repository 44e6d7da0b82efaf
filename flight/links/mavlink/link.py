"""One way to vehicles, shared by all that answer there: opened, kept alive, parsed and judged once.

Vehicles on a link are told apart by their system id, and each id belongs to one source: on a listening
socket the address that spoke first keeps it until it has been silent for :data:`HOME_SILENT_S`, unless a
rightly signed frame shows that the vehicle itself has moved. A second source is refused and reported.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from core.clock import Clock
from core.errors import ErrorCode, LinkError
from flight.links.mavlink.framing import FrameParser, FrameWriter, Message, Signer
from flight.links.mavlink.signing import SignatureGuard
from flight.links.transport import Transport, TransportFactory

log = logging.getLogger(__name__)

OWN_SYSTEM = 255
"""What ArduPilot takes for its ground station (SYSID_MYGCS)."""
OWN_COMPONENT = 190
"""MAV_COMP_ID_MISSIONPLANNER: a ground station."""
AUTOPILOT_COMPONENT = 1
BACKOFF_S = (0.5, 1.0, 2.0, 5.0)
"""Pauses between attempts to open a link that failed; the last one repeats."""
STABLE_S = 10.0
"""A link that closes sooner than this counts as failed: the next pause is longer."""
BEAT_PERIOD_S = 1.0
"""Each vehicle hears our heartbeat this often; ArduPilot takes 5 s of silence for a lost ground station."""
BEAT_TURNS = 10
"""A large fleet is greeted in so many groups, one after the other, not all at once."""
HOME_SILENT_S = 5.0
"""After so long a silence another source may take a system id over: a vehicle that changed its address."""


class Port(Protocol):
    """One vehicle's end of a link."""

    system_id: int

    @property
    def wanted(self) -> frozenset[str]:
        """The messages that it reads."""
        ...

    def beat(self, now_s: float) -> None:
        """Say that we are there: at once when the link opens, then once a second."""
        ...

    def hear(self, message: Message, peer: Hashable, now_s: float) -> None:
        """Take one message of the vehicle's autopilot."""
        ...

    def heard(self) -> None:
        """Everything that arrived together has been taken."""
        ...

    def note_conflict(self, reason: str, now_s: float) -> None:
        """Somebody else speaks under this system id."""
        ...


@dataclass(slots=True)
class LinkCounts:
    """How the link does."""

    opened: int = 0
    foreign_frames: int = 0
    """Frames of other systems or components on the same link."""
    duplicate_frames: int = 0
    """Frames of a second source under a system id that has one already."""


@dataclass(slots=True)
class _Home:
    peer: Hashable
    heard_s: float


class Link:
    """Owns one transport at a time. Runs while at least one port uses it."""

    def __init__(
        self,
        factory: TransportFactory,
        clock: Clock,
        *,
        name: str = "link",
        guard: SignatureGuard | None = None,
    ) -> None:
        self.name = name
        self.counts = LinkCounts()
        self.guard = guard
        self.last_error: str | None = None
        self._factory, self._clock = factory, clock
        self._transport: Transport | None = None
        self._datagrams = False
        self._closed = asyncio.Event()
        self._wanted: frozenset[str] = frozenset()
        self._parser = FrameParser(self._wanted)
        self._writer = FrameWriter(OWN_SYSTEM, OWN_COMPONENT)
        self._ports: dict[int, Port] = {}
        self._homes: dict[int, _Home] = {}
        self._task: asyncio.Task[None] | None = None

    @property
    def is_open(self) -> bool:
        """Whether bytes can be handed over now."""
        return self._transport is not None

    def is_used_by(self, system_id: int) -> bool:
        """Whether a port of this system id is attached."""
        return system_id in self._ports

    # --- life ---------------------------------------------------------------------------------

    @asynccontextmanager
    async def use(self, port: Port) -> AsyncIterator[asyncio.Task[None]]:
        """Attach a port; the first one starts the link, the last one stops it. Gives the link's task,
        which ends only by an error. Raises LinkError 1004 where the system id is in use."""
        if port.system_id in self._ports:
            raise LinkError(
                ErrorCode.LINK_SYSTEM_ID_TAKEN, f"{self.name}: system id {port.system_id} is in use already"
            )
        self._ports[port.system_id] = port
        self._renew_parser()
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run(), name=self.name)
        elif self.is_open:
            port.beat(self._clock.monotonic_s())
        try:
            yield self._task
        finally:
            del self._ports[port.system_id]
            self._homes.pop(port.system_id, None)
            if not self._ports:
                task, self._task = self._task, None
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    def _renew_parser(self) -> None:
        wanted = frozenset().union(*{port.wanted for port in self._ports.values()})
        if wanted == self._wanted:
            return
        self._wanted = wanted
        self._fresh_parser()

    def _fresh_parser(self) -> None:
        counts = self._parser.counts
        self._parser = FrameParser(self._wanted, self.guard)
        self._parser.counts = counts

    async def _run(self) -> None:
        """Open, keep, reopen with growing pauses."""
        failures = 0
        while True:
            self._closed.clear()
            self._fresh_parser()
            transport = self._factory()
            self._datagrams = transport.datagrams
            try:
                await transport.open(self._receive, self._on_closed)
            except LinkError as error:
                self.last_error = error.detail
                await self._pause(failures)
                failures += 1
                continue
            self.counts.opened += 1
            self._transport = transport
            opened_s = self._clock.monotonic_s()
            try:
                await self._beat_until_closed()
            finally:
                self._transport = None
                await transport.close()
            stable = self._clock.monotonic_s() - opened_s >= STABLE_S
            failures = 0 if stable else failures + 1
            await self._pause(max(0, failures - 1))

    async def _beat_until_closed(self) -> None:
        for port in list(self._ports.values()):
            port.beat(self._clock.monotonic_s())
        turn = 0
        while not self._closed.is_set():
            turns = max(1, min(BEAT_TURNS, len(self._ports)))
            with contextlib.suppress(TimeoutError):
                async with self._clock.timeout(BEAT_PERIOD_S / turns):
                    await self._closed.wait()
            if self.is_open and not self._closed.is_set():
                turn = (turn + 1) % turns
                for port in list(self._ports.values())[turn::turns]:
                    port.beat(self._clock.monotonic_s())

    async def _pause(self, failures: int) -> None:
        await self._clock.sleep(BACKOFF_S[min(failures, len(BACKOFF_S) - 1)])

    def _on_closed(self, reason: str) -> None:
        self.last_error = reason
        self._closed.set()

    # --- bytes --------------------------------------------------------------------------------

    def send(self, name: str, peer: Hashable, signer: Signer | None, fields: dict[str, Any]) -> bytes | None:
        """Send one message now, if the link is open; gives the frame. Nothing says whether it arrives."""
        transport = self._transport
        if transport is None:
            return None
        frame = self._writer.pack(name, signer=signer, **fields)
        transport.send(frame, peer)
        return frame

    def _receive(self, data: bytes, peer: Hashable) -> None:
        messages = self._parser.feed_datagram(data) if self._datagrams else self._parser.feed(data)
        if not messages:
            return
        now_s = self._clock.monotonic_s()
        touched: dict[int, Port] = {}
        for message in messages:
            system_id = message.system_id
            port = self._ports.get(system_id)
            if port is None or message.component_id != AUTOPILOT_COMPONENT:
                self.counts.foreign_frames += 1
            elif self._is_home(system_id, peer, port, now_s):
                port.hear(message, peer, now_s)
                touched[system_id] = port
        for port in touched.values():
            port.heard()

    def _is_home(self, system_id: int, peer: Hashable, port: Port, now_s: float) -> bool:
        home = self._homes.get(system_id)
        if home is None:
            self._homes[system_id] = _Home(peer, now_s)
            return True
        if home.peer != peer:
            proved = self.guard is not None and self.guard.is_strict(system_id)
            if not proved and now_s - home.heard_s <= HOME_SILENT_S:
                self.counts.duplicate_frames += 1
                port.note_conflict(
                    f"two sources speak as system {system_id} on {self.name}: {home.peer} and {peer}", now_s
                )
                return False
            log.info("%s: system %s moved from %s to %s", self.name, system_id, home.peer, peer)
            home.peer = peer
        home.heard_s = now_s
        return True
