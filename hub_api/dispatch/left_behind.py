"""Orders that wait for a decision which nobody makes, and changes of flights that nobody sees through.

An order is decided by whoever stored what asks for it, after the commit; so is a drone brought to a patient who moved.
Where the answer to that commit is lost, because the database changes over just then, it is stored, it is known when it is
told again, and nobody follows it up: the patient would wait until the hub's next start. So whoever still waits at the
second look is decided, and what is open and not followed is taken up.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence

from core.clock import Clock
from hub_api.store.database import Database
from hub_api.store.repositories import orders

log = logging.getLogger(__name__)

LOOK_S = 10.0
"""Chosen: a lost answer is rare, and its patient waits for two looks at most."""


class LeftBehind:
    """Looks for them, where drones are heard (``hears``): a hub that only answers and streams beside another one on the
    database sees orders that it knows no drone for. ``deciding`` says of an order whether somebody decides it,
    ``decide_later`` has it decided; ``resume`` are the desks that take up what they do not follow yet."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        hears: Callable[[], bool],
        deciding: Callable[[str], bool],
        decide_later: Callable[[str], None],
        resume: Sequence[Callable[[], Awaitable[None]]] = (),
    ) -> None:
        self._database = database
        self._clock = clock
        self._hears = hears
        self._deciding = deciding
        self._decide_later = decide_later
        self._resume = resume
        self._seen: frozenset[tuple[str, int]] = frozenset()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._clock.sleep(LOOK_S)
            if not self._hears():
                continue
            try:
                await self.look()
                for take_up in self._resume:
                    await take_up()
            except Exception:
                log.exception("what was left behind could not be looked for; trying again")

    async def look(self) -> None:
        """Have decided what waits as it did at the look before, and nobody decides."""
        found = frozenset(
            (order_id, version)
            for order_id, version in await self._database.read(orders.undecided)
            if not self._deciding(order_id)
        )
        again, self._seen = found & self._seen, found
        for order_id, _ in sorted(again):
            # Also one for which a drone is called back from its pad: that is looked at, and waits on.
            log.info("nobody decides %s; it is looked at", order_id, extra={"about": order_id})
            self._decide_later(order_id)
