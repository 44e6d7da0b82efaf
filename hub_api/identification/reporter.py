"""Telling the authority where every drone is: stored first, sent in order, back-filled after an outage.

Each tick takes the newest sample of every flying drone from memory (the event loop does no more than that),
signs and stores one batch in the database's own thread, and wakes the sender. The sender sends the oldest
first, many at once after an outage, and removes what was taken. A kill
between «sent» and «removed» sends a batch twice under one id; it never loses one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from itertools import accumulate

from sqlmodel import Session

from core.clock import Clock
from core.errors import DroneAedError
from core.ids import IdSource
from flight.messages import TelemetrySample
from flight.model.phases import FLIGHT_PHASES
from hub_api.identification.batches import BatchSigner, reports_of
from hub_api.identification.ports import IdentificationPort
from hub_api.store.database import Database
from hub_api.store.repositories import identification as store

log = logging.getLogger(__name__)

LOST_AFTER_S = 2.0
"""The authority expects news at least this often (MH/T 4053-2022)."""
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 10.0
"""Chosen: an outage that ends is noticed within seconds, and a dead link is not hammered."""
AT_ONCE = 120
REPORTS_AT_ONCE = 2000
"""Batches in one request, as long as they hold no more reports than this: about a megabyte."""


class IdentificationReporter:
    """Two tasks: one collects, one sends."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        ids: IdSource,
        *,
        samples: Callable[[], Iterable[TelemetrySample]],
        signer: BatchSigner,
        port: IdentificationPort,
        operator: str,
        period_s: float,
        keep_s: float,
        on_taken: Callable[[int, float], None] = lambda _reports, _delay_s: None,
        on_refused: Callable[[], None] = lambda: None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._samples = samples
        self._signer = signer
        self._port = port
        self._operator = operator
        self._period_s = period_s
        self._keep = timedelta(seconds=keep_s)
        self._on_taken = on_taken
        self._on_refused = on_refused
        self._wake = asyncio.Event()
        self.down_since: datetime | None = None
        """Since when nothing has been taken; None while the link works."""

    async def collect(self) -> None:
        """A batch every period while anything flies. Until cancelled."""
        next_s = self._clock.monotonic_s()
        while True:
            next_s = max(next_s + self._period_s, self._clock.monotonic_s())
            flying = [
                sample
                for sample in self._samples()
                if sample.flight_id is not None and sample.phase in FLIGHT_PHASES
            ]
            if flying:
                try:
                    await self._store(flying)
                except DroneAedError:
                    log.exception("network identification could not be stored")
                self._wake.set()
            await self._clock.sleep(next_s - self._clock.monotonic_s())

    async def _store(self, flying: list[TelemetrySample]) -> None:
        now, batch_id = self._clock.now(), self._ids.new("idb")

        def work(session: Session) -> None:
            reports = reports_of(flying, now, LOST_AFTER_S)
            batch = self._signer.sign(batch_id, self._operator, now, reports)
            store.add(session, at=now, reports=len(reports), batch=batch.as_json())

        await self._database.write(work)

    async def send(self) -> None:
        """The oldest first, until nothing is owed; then when woken. Until cancelled."""
        pause_s = FIRST_PAUSE_S
        while True:
            self._wake.clear()
            try:
                taken = await self._send_some()
            except DroneAedError:
                log.exception("network identification could not be sent; trying again")
                taken = False
            if taken is None:
                pause_s = FIRST_PAUSE_S
                await self._wake.wait()
            elif taken:
                pause_s = FIRST_PAUSE_S
            else:
                await self._clock.sleep(pause_s)
                pause_s = min(LONGEST_PAUSE_S, pause_s * 2.0)

    async def _send_some(self) -> bool | None:
        """Whether what is owed was taken; None when nothing is owed."""
        found = await self._database.read(lambda session: store.oldest(session, AT_ONCE))
        if not found:
            return None
        held = list(accumulate(reports for _, _, reports, _ in found))
        found = found[: max(1, sum(1 for count in held if count <= REPORTS_AT_ONCE))]
        why = await self._port.send([batch for _, _, _, batch in found])
        now = self._clock.now()
        if why is not None:
            if self.down_since is None:
                self.down_since = now
                log.error("network identification is not taken (%s); it is kept and sent later", why)
            self._on_refused()
            return False
        if self.down_since is not None:
            outage_s = (now - self.down_since).total_seconds()
            log.warning("network identification is taken again after %.0f s; sending what was kept", outage_s)
            self.down_since = None
        seqs = [seq for seq, _, _, _ in found]
        await self._database.write(lambda session: store.remove(session, seqs))
        for _, made_at, reports, _ in found:
            self._on_taken(reports, (now - made_at).total_seconds())
        return True

    async def forget_old(self) -> None:
        """Give up what is kept too long; that is a loss, and said so."""
        moment = self._clock.now() - self._keep
        lost = await self._database.write(lambda session: store.forget_before(session, moment))
        if lost:
            log.error("%d batches of network identification were never taken and are given up", lost)
