"""Sending what the outbox owes: every command is published until its drone has answered.

The command was stored with the decision that caused it; here it only travels. Publishing twice is
harmless (the agent keeps a journal of command ids), losing one is not.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

from core.clock import Clock
from core.errors import DroneAedError
from flight.bus import Bus
from hub_api.store.database import Database
from hub_api.store.records import OutboxRecord
from hub_api.store.repositories import outbox

log = logging.getLogger(__name__)


HOLD_POLL_S = 0.2
"""How often a held command is looked at again; only in the first seconds after a start."""


class OutboxRelay:
    """Publishes unsettled commands: at once when woken, again every ``repeat_s`` until answered.

    ``hold`` says which commands have to wait a moment (see :meth:`hub_api.dispatch.fleet.Fleet.holds_command`);
    ``answered`` which were answered although the store does not know it yet: nobody is replaced for that.
    """

    def __init__(
        self,
        database: Database,
        bus: Bus,
        clock: Clock,
        *,
        repeat_s: float,
        answer_s: float,
        on_unanswered: Callable[[OutboxRecord], Awaitable[None]],
        hold: Callable[[OutboxRecord], bool],
        answered: Callable[[OutboxRecord], bool],
    ) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self._repeat_s = repeat_s
        self._answer_s = answer_s
        self._on_unanswered = on_unanswered
        self._hold = hold
        self._answered = answered
        self._wake = asyncio.Event()
        self._published_s: dict[int, float] = {}
        self._first_s: dict[int, float] = {}
        self._given_up: set[int] = set()

    def wake(self) -> None:
        """Something new is owed."""
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._wake.clear()
            try:
                owed = await self._database.read(outbox.unsettled)
                self._remember_only(owed)
                await self._send(owed)
            except DroneAedError:
                log.exception("the outbox could not be sent; trying again")
                await self._pause(self._repeat_s / 2)
                continue
            held = any(command.seq not in self._published_s for command in owed)
            await self._pause(None if not owed else HOLD_POLL_S if held else self._repeat_s / 2)

    def _remember_only(self, owed: list[OutboxRecord]) -> None:
        """Forget what was answered: a drone that is away for good must not keep the memory of all others."""
        seqs = {command.seq for command in owed}
        self._published_s = {seq: at for seq, at in self._published_s.items() if seq in seqs}
        self._first_s = {seq: at for seq, at in self._first_s.items() if seq in seqs}
        self._given_up &= seqs

    async def _pause(self, at_most_s: float | None) -> None:
        try:
            async with self._clock.timeout(at_most_s):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _send(self, owed: list[OutboxRecord]) -> None:
        now_s = self._clock.monotonic_s()
        due = [
            command
            for command in owed
            if (
                command.seq not in self._published_s
                or now_s - self._published_s[command.seq] >= self._repeat_s
            )
            and not self._hold(command)
        ]
        for command in due:
            # The agent knows a repeat by the command's own id; the bus must not swallow it, because
            # nobody may have listened the first time.
            message_id = f"{command.message_id}.{command.publications + 1}"
            await self._bus.publish(command.subject, message_id, command.payload)
            self._published_s[command.seq] = now_s
            self._first_s.setdefault(command.seq, now_s)
        if due:
            at = self._clock.now()
            seqs = [command.seq for command in due]
            await self._database.write(lambda session: outbox.mark_published(session, seqs, at))
        for command in owed:
            waited_s = now_s - self._first_s.get(command.seq, now_s)
            old = self._clock.now() - command.created_at > timedelta(seconds=self._answer_s)
            late = waited_s >= self._answer_s and old
            if late and command.seq not in self._given_up and not self._answered(command):
                await self._give_up(command)

    async def _give_up(self, command: OutboxRecord) -> None:
        try:
            await self._on_unanswered(command)
        except DroneAedError:
            log.exception(
                "%s could not be called unanswered; trying again",
                command.message_id,
                extra={"about": command.mission_id},
            )
        else:
            self._given_up.add(command.seq)
