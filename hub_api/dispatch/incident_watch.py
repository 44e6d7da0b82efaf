"""Watching open incidents: one that nobody moves on for too long raises a warning event. Source: B4.

Warned once for each silence: whatever moves the incident ends the silence, and the next one is told again.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from sqlmodel import Session

from core.clock import Clock
from core.spans import span, span_zh
from hub_api.dispatch.incident_ledger import IncidentLedger
from hub_api.dispatch.order_states import OrderState
from hub_api.store.database import Database
from hub_api.store.incident_records import IncidentRecord
from hub_api.store.repositories import events, incidents, orders

log = logging.getLogger(__name__)

_BATCH = 200
LOOKS_PER_SILENCE = 6
"""Chosen: a warning comes at most a sixth of the time late."""
_UNDER_WAY = frozenset({OrderState.LAUNCHING, OrderState.AIRBORNE, OrderState.DELIVERING, OrderState.MERGED})
"""A drone flies for it: somebody moves, even where a long leg is silent."""
_FLYING_HOME = frozenset({OrderState.DELIVERED, OrderState.RETURNING})


class IncidentWatch:
    """Looks for silence."""

    def __init__(self, database: Database, ledger: IncidentLedger, clock: Clock, *, still_s: float) -> None:
        self._database = database
        self._ledger = ledger
        self._clock = clock
        self._still = timedelta(seconds=still_s)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._clock.sleep(self._still.total_seconds() / LOOKS_PER_SILENCE)
            try:
                await self.look()
            except Exception:
                # Reminding nobody for a while ends no flight.
                log.exception("open incidents could not be looked at; trying again")

    async def look(self) -> int:
        """Warn about every incident that is silent now; how many those were."""
        silent = await self._database.read(self._silent)
        if not silent:
            return 0
        return await self._database.write(self._warn)

    def _silent(self, session: Session) -> list[IncidentRecord]:
        since = self._clock.now() - self._still
        found = []
        for incident in incidents.list_still(session, since=since, limit=_BATCH):
            states = {order.state for order in orders.of_incident(session, incident.incident_id)}
            under_way = _UNDER_WAY if incident.managed else _UNDER_WAY | _FLYING_HOME
            last = events.last_stored_of_incident(session, incident.incident_id)
            if not states & under_way and (last is None or last < since):
                found.append(incident)
        return found

    def _warn(self, session: Session) -> int:
        found = self._silent(session)
        for incident in found:
            last = events.last_stored_of_incident(session, incident.incident_id) or incident.updated_at
            silent_s = (self._clock.now() - last).total_seconds()
            self._ledger.change(
                session,
                incident,
                "incident_still",
                f"Nothing has happened for {span(silent_s)}: somebody must look after this incident",
                f"事件已 {span_zh(silent_s)}无进展，请立即处理",
                {"warned_at": self._clock.now()},
                data={
                    "silent_s": silent_s,
                    "ambulance_reported": incident.ambulance is not None,
                    "stages_reached": sorted(incident.stages),
                },
                moved=False,
            )
        return len(found)
