"""What a hub does every hour: forget what need not be kept, note the head of the audit log, look at the machine's clock."""

from __future__ import annotations

import logging
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from hub_api.store.repositories import audit, incidents, orders

if TYPE_CHECKING:
    from hub_api.hub import Hub

log = logging.getLogger(__name__)

CLOCK_OFF_S = 2.0
"""Chosen: more than a time server corrects in small steps between two looks."""
HOUSEKEEPING_S = 3600.0
"""Chosen: forgotten keys cost only space."""


async def keep_house(hub: Hub) -> None:
    """Until cancelled. Whatever goes wrong must not end the hub for what only costs space."""
    while True:
        off_s = hub.machine_clock_off_s
        if off_s is not None and abs(off_s) > CLOCK_OFF_S:
            log.warning(
                "the machine's time of day is %+.0f s from the hub's own count: it was set anew since the start; "
                "schedules and times go by the old one until the hub is started again",
                off_s,
            )
        try:
            await _tidy(hub)
        except Exception:
            log.exception("the store could not be tidied; trying again in an hour")
        await hub.clock.sleep(HOUSEKEEPING_S)


async def _tidy(hub: Hub) -> None:
    moment = hub.clock.now() - timedelta(seconds=hub.settings.idempotency_keep_s)
    await hub.database.write(partial(orders.forget_keys_before, moment=moment))
    await hub.database.write(partial(incidents.forget_keys, before=moment))
    await hub.weather.forget_old()
    if hub.identification is not None:
        await hub.identification.forget_old()
    kept_since = hub.clock.now() - timedelta(seconds=hub.settings.personal_keep_s)
    erased = await hub.personal.erase_finished_before(hub.database, kept_since, now=hub.clock.now())
    if erased:
        log.info("personal data of %d orders and incidents is erased, its time is over", erased)
    seq, digest = await hub.database.read(audit.head)
    # Outside the database, so that cutting off the log's end does not go unnoticed.
    log.info("audit log head: %d:%s", seq, digest)
