"""Looks whether this hub still is the one that flies, also while it has nothing to store."""

from __future__ import annotations

import asyncio
import logging

from core.errors import InternalError
from hub_api.store.database import Database
from hub_api.store.seat import TakenElsewhere

log = logging.getLogger(__name__)

LOOK_S = 2.0
"""Chosen: a hub whose seat another one took stops commanding drones so soon; what it stores is refused at once."""


async def keep_seat(database: Database) -> None:
    """Until cancelled. Raises :class:`TakenElsewhere`, which ends the hub: another one flies its drones.

    While the database is away nothing can be stored, hence nothing is taken or commanded. Drones fly their plans on.
    """
    away = False
    while True:
        await asyncio.sleep(LOOK_S)
        try:
            await database.keep_seat()
        except TakenElsewhere:
            raise
        except InternalError as error:
            if not away:
                log.critical(
                    "the database is away, no order and no command is taken until this hub has its place back: %s",
                    error,
                )
            away = True
        else:
            if away:
                log.warning("the database is back, and this hub is still the one that flies")
            away = False
