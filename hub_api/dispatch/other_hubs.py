"""What other hubs on the same database store is heard by this hub's streams too.

By looking, on both databases, and not by LISTEN/NOTIFY on one of them: a look is one indexed maximum while somebody
listens, and none otherwise; a notification would be a statement of every writing transaction and a lock that all commits
of the server take in turn, whether there is a second hub or not. Why: docs/decisions/0044.
"""

from __future__ import annotations

import asyncio
import logging

from core.errors import DroneAedError
from hub_api.dispatch.feed import EventFeed
from hub_api.store.database import Database
from hub_api.store.repositories import events

log = logging.getLogger(__name__)

LOOK_S = 0.25
"""Chosen: a screen shows another hub's event as soon as anybody would notice."""
RETRY_S = 2.0
"""Chosen: while the database is away; whoever listens reads everything afterwards."""
_PAGE = 500
_FAR = 4 * _PAGE
"""Chosen: so much is read for those who listen; more is left to each of them."""


class OtherHubs:
    """Looks for events that nobody here has committed, while somebody listens."""

    def __init__(self, database: Database, feed: EventFeed) -> None:
        self._database, self._feed = database, feed
        feed.watched = True

    async def run(self) -> None:
        """Until cancelled."""
        feed = self._feed
        while True:
            try:
                if feed.position is None:
                    # Before anybody listens: five hundred screens that come at once need not read again what one look
                    # found while they waited for the database.
                    feed.look_from(await self._database.read(events.last_seq))
                await feed.heard.wait()
                await self._look()
            except DroneAedError as error:
                log.error("other hubs' events could not be read; trying again: %s", error)
                await asyncio.sleep(RETRY_S)
                continue
            await self._pause()

    async def _look(self) -> None:
        """Offer what was stored after the last event that was offered."""
        feed = self._feed
        while True:
            feed.behind.clear()
            position = feed.position
            assert position is not None
            newest = await self._database.read(events.last_seq)
            if newest <= position:
                return
            if newest - position > _FAR:
                # Nobody listened for a while, and another hub was busy.
                feed.look_from(newest)
                return
            page = await self._database.read(lambda s, p=position: events.after(s, p, limit=_PAGE))  # type: ignore[misc]
            feed.found(page)
            if len(page) < _PAGE and not feed.behind.is_set():
                return

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(LOOK_S):
                await self._feed.behind.wait()
        except TimeoutError:
            return
