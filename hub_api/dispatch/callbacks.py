"""Telling the centre: every change of an order's state is posted to its callback URL until it is taken.

Every update is signed (:mod:`hub_api.dispatch.webhooks`). Updates of one order go out in order. A URL
that does not answer with 2xx is tried again with doubling pauses; after the last try the update is
marked failed, which the order shows, and waits as a dead letter to be sent again by hand.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import httpx

from core.clock import Clock
from core.errors import DroneAedError
from hub_api.dispatch.webhooks import Webhooks
from hub_api.outgoing.destinations import LONGEST_IN_LIMITS, certificates
from hub_api.store.database import Database
from hub_api.store.records import CallbackRecord
from hub_api.store.repositories import callbacks

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 300.0
MOST_AT_A_HOST = 16
"""Chosen: what one centre's server is asked at once; further updates of it wait, those of others do not."""
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
        self._under_way: set[tuple[str | None, str | None, str]] = set()
        self._at_host: Counter[str] = Counter()

    def wake(self) -> None:
        """Something new is owed."""
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled."""
        async with (
            httpx.AsyncClient(
                transport=self._transport,
                verify=certificates(),
                timeout=self._timeout_s,
                follow_redirects=False,
                trust_env=False,
                headers={"User-Agent": "drone-aed"},
            ) as client,
            asyncio.TaskGroup() as group,
        ):
            while True:
                self._wake.clear()
                try:
                    pause_s = await self._begin_due(client, group)
                except DroneAedError:
                    log.exception("callbacks could not be sent; trying again")
                    pause_s = FIRST_PAUSE_S
                try:
                    async with self._clock.timeout(pause_s):
                        await self._wake.wait()
                except TimeoutError:
                    continue

    async def _begin_due(self, client: httpx.AsyncClient, group: asyncio.TaskGroup) -> float:
        """Begin to send what is due; seconds until the next look."""
        # A line that ends while we read is read again: it wakes us.
        busy = set(self._under_way)
        owed = await self._database.read(callbacks.open_of_each_order)
        now, pause_s = self._clock.now(), LOOK_AGAIN_S
        for update in owed:
            line = _line_of(update)
            if line in busy:
                continue
            wait_s = (update.next_attempt_at - now).total_seconds()
            if wait_s > 0.0:
                pause_s = min(pause_s, wait_s)
            elif self._at_host[_host_of(update)] < MOST_AT_A_HOST:
                self._under_way.add(line)
                self._at_host[_host_of(update)] += 1
                group.create_task(self._send_one(client, update), name=f"callback-{update.seq}")
        return pause_s

    async def _send_one(self, client: httpx.AsyncClient, update: CallbackRecord) -> None:
        """One update; the line is free for its next one afterwards. A centre that does not answer keeps nobody else
        waiting."""
        try:
            await self._send(client, update)
        except DroneAedError:
            log.exception("callback %d could not be sent; trying again", update.seq)
            await self._clock.sleep(FIRST_PAUSE_S)
        finally:
            self._under_way.discard(_line_of(update))
            self._at_host[_host_of(update)] -= 1
            self._at_host += Counter()  # hosts without any are forgotten
            self.wake()

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
            # The client's own limit is for each step: a name that is not resolved and words that trickle in have none.
            # What the answer holds is read by nobody, however long it is.
            async with (
                asyncio.timeout(LONGEST_IN_LIMITS * self._timeout_s),
                client.stream(
                    "POST",
                    update.url,
                    content=update.body.encode(),
                    headers={
                        "Content-Type": "application/json; charset=utf-8",
                        "Drone-Aed-Event-Id": str(update.event_seq),
                        "Drone-Aed-Attempt": str(update.attempts + 1),
                        **signed,
                    },
                ) as response,
            ):
                return None if response.is_success else f"status {response.status_code}"
        except TimeoutError:
            return "no answer in time"
        except (httpx.HTTPError, httpx.InvalidURL) as fault:
            return f"{type(fault).__name__}: {fault}"
        except Exception as fault:
            # The address is a centre's own: whatever it makes a library raise must not end the hub.
            log.exception("callback %d: an unexpected fault", update.seq)
            return type(fault).__name__


def _line_of(update: CallbackRecord) -> tuple[str | None, str | None, str]:
    """Whose updates go out one after the other."""
    return update.order_id, update.incident_id, update.url


def _host_of(update: CallbackRecord) -> str:
    return urlsplit(update.url).netloc
