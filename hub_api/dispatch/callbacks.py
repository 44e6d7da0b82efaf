"""Telling the centre: every change of an order's state is posted to its callback URL until it is taken.

Every update is signed (:mod:`hub_api.dispatch.webhooks`). Updates of one order go out in order. A URL
that does not answer with 2xx is tried again with doubling pauses; after the last try the update is
marked failed, which the order shows, and waits as a dead letter to be sent again by hand.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta

import httpx

from core.clock import Clock
from core.errors import DroneAedError
from hub_api.dispatch.webhooks import Webhooks
from hub_api.outgoing.destinations import certificates
from hub_api.store.database import Database
from hub_api.store.records import CallbackRecord
from hub_api.store.repositories import callbacks

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 300.0
LOOK_AGAIN_S = 60.0
"""With nothing owed: a replay asked for on the command line wakes nobody here."""


class CallbackSender:
    """Posts owed updates. Redirects are not followed: the centre named the address it trusts, and
    ``transport`` lets nothing go where it must not (:mod:`hub_api.outgoing.destinations`)."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        timeout_s: float,
        attempts: int,
        webhooks: Webhooks,
        transport: httpx.AsyncBaseTransport,
    ) -> None:
        self._database = database
        self._clock = clock
        self._timeout_s = timeout_s
        self._attempts = attempts
        self._webhooks = webhooks
        self._transport = transport
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Something new is owed."""
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled."""
        async with httpx.AsyncClient(
            transport=self._transport,
            verify=certificates(),
            timeout=self._timeout_s,
            follow_redirects=False,
            trust_env=False,
            headers={"User-Agent": "drone-aed"},
        ) as client:
            while True:
                self._wake.clear()
                try:
                    pause_s = await self._send_due(client)
                except DroneAedError:
                    log.exception("callbacks could not be sent; trying again")
                    pause_s = FIRST_PAUSE_S
                try:
                    async with self._clock.timeout(pause_s):
                        await self._wake.wait()
                except TimeoutError:
                    continue

    async def _send_due(self, client: httpx.AsyncClient) -> float:
        """Send what is due; seconds until the next look."""
        owed = await self._database.read(callbacks.open_of_each_order)
        now = self._clock.now()
        due = [update for update in owed if update.next_attempt_at <= now]
        await asyncio.gather(*(self._send(client, update) for update in due))
        if due:
            return 0.0
        if not owed:
            return LOOK_AGAIN_S
        return max(0.0, (min(update.next_attempt_at for update in owed) - now).total_seconds())

    async def _send(self, client: httpx.AsyncClient, update: CallbackRecord) -> None:
        error = await self._post(client, update)
        now = self._clock.now()
        if error is None:
            await self._database.write(lambda s: callbacks.mark_delivered(s, update.seq, now))
            return
        last = update.attempts + 1 >= self._attempts
        log.warning(
            "callback %d of %s failed (%s)%s",
            update.seq,
            update.order_id or update.incident_id,
            error,
            ", given up" if last else "",
            extra={"about": update.order_id or update.incident_id},
        )
        next_attempt_at, failed_at = self._schedule(update, now, last)
        await self._database.write(
            lambda s: callbacks.mark_attempt(
                s, update.seq, error=error, next_attempt_at=next_attempt_at, failed_at=failed_at
            )
        )

    def _schedule(
        self, update: CallbackRecord, now: datetime, last: bool
    ) -> tuple[datetime, datetime | None]:
        pause_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0**update.attempts)
        return now + timedelta(seconds=pause_s), (now if last else None)

    async def _post(self, client: httpx.AsyncClient, update: CallbackRecord) -> str | None:
        """None if the update was taken, else why not."""
        try:
            signed = await self._webhooks.headers_of(update)
        except DroneAedError as fault:
            log.error(
                "callback %d cannot be signed: %s",
                update.seq,
                fault,
                extra={"about": update.order_id or update.incident_id},
            )
            return "it cannot be signed"
        try:
            response = await client.post(
                update.url,
                content=update.body.encode(),
                headers={
                    "Content-Type": "application/json; charset=utf-8",
                    "Drone-Aed-Event-Id": str(update.event_seq),
                    "Drone-Aed-Attempt": str(update.attempts + 1),
                    **signed,
                },
            )
        except (httpx.HTTPError, httpx.InvalidURL) as fault:
            return f"{type(fault).__name__}: {fault}"
        return None if response.is_success else f"status {response.status_code}"
