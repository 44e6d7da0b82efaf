"""The order service: what the API, the flights and the start-up ask for, in one place.

Every method stores before it acts: a command leaves only through the outbox, a listener hears only
what is committed.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from core.clock import Clock
from core.errors import DispatchError, ErrorCode
from core.geodesy import Wgs84Point
from core.ids import IdSource
from hub_api.dispatch.cases import Decided, Outcome
from hub_api.dispatch.decisions import DecisionMaker
from hub_api.dispatch.incident_ledger import CallFacts, IncidentLedger
from hub_api.dispatch.ledger import RESTARTED, Ledger, Turn, unknown_order
from hub_api.dispatch.merging import Merger, Sought
from hub_api.dispatch.modes import Mode, ModePolicy
from hub_api.dispatch.order_states import Effect, OrderEvent, OrderState
from hub_api.dispatch.place_notes import note_of_order
from hub_api.dispatch.two_places import notice_of
from hub_api.logs import order_context, remember
from hub_api.personal_data import PersonalData
from hub_api.store.database import Database
from hub_api.store.records import OrderRecord
from hub_api.store.repositories import missions, orders

log = logging.getLogger(__name__)

RETRY_S = 0.5
"""Chosen: as events that could not be stored (:data:`hub_api.dispatch.consumer.RETRY_S`)."""
LONGEST_RETRY_S = 30.0
"""Chosen: a fault that stays is logged twice a minute, until the order is decided or the hub goes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrder:
    """A validated request. ``request`` is as the client sent it; ``patient`` is its position in WGS-84."""

    client: str
    key: str
    body_sha256: str
    request: dict[str, Any]
    patient: Wgs84Point
    severity: str
    mode: Mode | None = None
    """As the request asks; None: by the client's policy."""
    ambulance_eta_at: datetime | None = None
    incident_id: str | None = None
    """The incident that it is placed for; None: that of its reference, or a new one."""


@dataclass(frozen=True, slots=True)
class Placed:
    """The answer to an order; ``replay`` if the same request had come before."""

    order: OrderRecord
    replay: bool
    decided: Decided | None = None
    """What this very request has stored beside the order; None where that has to be read."""


class _Stored(NamedTuple):
    """An order as it was received; ``other_place`` where its incident is elsewhere."""

    order: OrderRecord
    other_place: dict[str, Any] | None


class OrderService:
    """Places, cancels and follows orders."""

    def __init__(
        self,
        *,
        database: Database,
        ledger: Ledger,
        ids: IdSource,
        clock: Clock,
        decisions: DecisionMaker,
        personal: PersonalData,
        modes: ModePolicy,
        nearest_station: Callable[[Wgs84Point], str | None],
        wait_ready: Callable[[str], Awaitable[bool]],
        incidents: IncidentLedger,
        merger: Merger,
        spawn: Callable[[Coroutine[Any, Any, object]], asyncio.Task[Any]],
        idempotency_keep_s: float,
        on_decided: Callable[[str, float], None] = lambda _state, _seconds: None,
        callback_objection: Callable[[str], str | None] = lambda _url: None,
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._ids = ids
        self._clock = clock
        self._decisions = decisions
        self._personal = personal
        self._modes = modes
        self._nearest_station = nearest_station
        self._wait_ready = wait_ready
        self._incidents = incidents
        self._merger = merger
        self._spawn = spawn
        self._keep_s = idempotency_keep_s
        self._on_decided = on_decided
        self._callback_objection = callback_objection
        self._tried_on: set[str] = set()
        self._decided_now: Counter[str] = Counter()

    async def place(self, new: NewOrder) -> Placed:
        """Store and decide an order; the same key and body again give the same order.

        Raises 4003 if the key came with another body before, 4001 for a callback address that is not allowed.
        """
        try:
            stored = await self._database.write(lambda session: self._receive(session, new))
        except IntegrityError:
            # Another hub on the same database stored this key a moment ago.
            stored = None
        if stored is not None:
            outcome = await self._decided(stored.order)
            # Where places differ there is more to say than this request has decided.
            decided = outcome.decided if stored.other_place is None else None
            return Placed(outcome.order, replay=False, decided=decided)
        found = await self._database.read(lambda session: self._known(session, new))
        assert found is not None
        body_sha256, known = found
        remember(order_id=known.order_id, incident_id=known.incident_id)
        if body_sha256 != new.body_sha256:
            raise DispatchError(
                ErrorCode.IDEMPOTENCY_CONFLICT,
                f"this key came with another body before, for order {known.order_id} · "
                f"幂等键已用于另一请求（订单 {known.order_id}）",
                field="header.idempotency-key",
            )
        # Its decision may be under way, or was cut off by a restart: wait for it, or make it.
        return Placed((await self._decided(known)).order, replay=True)

    async def _decided(self, order: OrderRecord) -> Outcome:
        """The order with its decision; one that was merged is answered with the mission that serves it."""
        if order.state is OrderState.RECEIVED:
            return await self._decide_for(order.order_id)
        if order.state is OrderState.MERGED and order.merged_into is not None:
            carrier_id = order.merged_into
            carrier = await self._database.read(lambda session: orders.get(session, carrier_id))
            if carrier.state is OrderState.RECEIVED:
                await self.decide(carrier_id)
                return Outcome(await self._database.read(lambda session: orders.get(session, order.order_id)))
        return Outcome(order)

    def _check_callback(self, url: str | None) -> None:
        objection = None if url is None else self._callback_objection(url)
        if objection is not None:
            raise DispatchError(ErrorCode.ORDER_INVALID, objection, field="callback_url")

    def _known(self, session: Session, new: NewOrder) -> tuple[str, OrderRecord] | None:
        return orders.find_by_key(session, new.client, new.key, not_before=self._remembered_since())

    def _remembered_since(self) -> datetime:
        return self._ledger.now() - timedelta(seconds=self._keep_s)

    def _receive(self, session: Session, new: NewOrder) -> _Stored | None:
        now = self._ledger.now()
        if orders.is_remembered(session, new.client, new.key, not_before=self._remembered_since()):
            return None
        self._check_callback(new.request.get("callback_url"))
        mode, needs_approval = self._modes.decide(new.client, new.mode)
        order_id = self._ids.new("ord")
        drill = mode is Mode.DRILL
        looked_for = Sought(
            patient=new.patient,
            received_at=now,
            separate=bool(new.request.get("separate")),
            drill=drill,
            needs_approval=needs_approval,
        )
        near = self._merger.near(session, looked_for)
        incident, made = self._incidents.join(
            session,
            CallFacts(
                client=new.client,
                request=new.request,
                patient=new.patient,
                severity=new.severity,
                incident_id=new.incident_id,
                exercise=drill,
                ambulance_eta_at=new.ambulance_eta_at,
                near=next((c.order.incident_id for c in near if c.order.client == new.client), None),
            ),
        )
        request, personal = self._personal.split(order_id, new.request)
        order = OrderRecord(
            order_id=order_id,
            client=new.client,
            state=OrderState.RECEIVED,
            version=1,
            received_at=now,
            request=request,
            personal=personal,
            latitude_deg=new.patient.latitude_deg,
            longitude_deg=new.patient.longitude_deg,
            severity=new.severity,
            mode=mode,
            needs_approval=needs_approval,
            ambulance_eta_at=new.ambulance_eta_at,
            station_id=self._nearest_station(new.patient),
            incident_id=incident.incident_id,
        )
        orders.insert(session, order, key=new.key, body_sha256=new.body_sha256)
        turn = Turn(order, new=True)
        self._ledger.record(
            session,
            turn,
            "order_received",
            "The order is stored",
            "订单已接收并保存",
            data={"new_incident": made},
        )
        self._merger.merge(session, turn, looked_for, near, new_incident=made)
        other = None if made else self._compare_place(session, turn, incident.incident_id)
        return _Stored(turn.order, other)

    def _compare_place(self, session: Session, turn: Turn, incident_id: str) -> dict[str, Any] | None:
        other = note_of_order(self._incidents, session, incident_id, turn.order)
        if other is not None:
            notice = notice_of(other)
            # The incident alarms whoever follows; this is the order's own story.
            self._ledger.record(
                session, turn, f"order_{notice.code}", notice.detail, notice.detail_zh, data=other
            )
        return other

    async def decide(self, order_id: str) -> OrderRecord:
        """Decide an order that waits for it, whatever happens to the caller meanwhile."""
        return (await self._decide_for(order_id)).order

    async def _decide_for(self, order_id: str) -> Outcome:
        return await asyncio.shield(self._spawn(self._decide(order_id)))

    def decides(self, order_id: str) -> bool:
        """Whether the order is being decided, or tried on."""
        return order_id in self._tried_on or order_id in self._decided_now

    async def _decide(self, order_id: str, *, freed: str | None = None) -> Outcome:
        self._decided_now[order_id] += 1
        try:
            return await self._decide_once(order_id, freed)
        except Exception:
            # The order is stored and somebody waits for a drone: whoever asked is told, and it is tried on.
            if order_id not in self._tried_on:
                self._tried_on.add(order_id)
                self._spawn(self._decide_at_last(order_id))
            raise
        finally:
            self._decided_now[order_id] -= 1
            if not self._decided_now[order_id]:
                del self._decided_now[order_id]

    async def _decide_at_last(self, order_id: str) -> None:
        """Until it is decided; once for each order, however often somebody asks meanwhile."""
        pause_s = RETRY_S
        try:
            while True:
                await self._clock.sleep(pause_s)
                try:
                    await self._decide_once(order_id, None)
                except Exception:
                    log.exception(
                        "order %s could not be decided; trying again", order_id, extra={"about": order_id}
                    )
                    pause_s = min(LONGEST_RETRY_S, 2.0 * pause_s)
                else:
                    return
        finally:
            self._tried_on.discard(order_id)

    async def _decide_once(self, order_id: str, freed: str | None) -> Outcome:
        with order_context(order_id):
            if freed is not None:
                await self._wait_ready(freed)
            began_s = time.monotonic()
            outcome = await self._decisions.decide(order_id)
            self._on_decided(str(outcome.order.state), time.monotonic() - began_s)
            return outcome

    async def cancel(self, order_id: str, *, client: str | None, reason: str) -> OrderRecord:
        """The centre does not need it any more. Raises 4002 unknown, 4004 too late. Idempotent."""

        def work(session: Session) -> OrderRecord:
            order = orders.find(session, order_id)
            if order is None or (client is not None and order.client != client):
                raise unknown_order(order_id)
            turn = Turn(order)
            if self._merger.cancel(session, turn, reason):
                return turn.order
            if self._ledger.apply(session, turn, OrderEvent.CANCEL, strict=True):
                if turn.order.state is OrderState.CANCELLING:
                    self._ledger.close_if_flights_ended(session, turn)
                self._ledger.record(
                    session,
                    turn,
                    "cancel_requested",
                    f"The centre cancelled the order: {reason}",
                    f"调度中心取消订单：{reason}",
                    data={"reason": reason},
                )
            return turn.order

        return await self._database.write(work)

    async def split(self, order_id: str, *, client: str | None, reason: str) -> OrderRecord:
        """Take an order out of a merge and decide it on its own. Raises 4002 unknown, 4004 if it is not merged."""

        def work(session: Session) -> Turn:
            order = orders.find(session, order_id)
            if order is None or (client is not None and order.client != client):
                raise unknown_order(order_id)
            return self._merger.split(session, order_id, reason)

        await self._database.write(work)
        return await self.decide(order_id)

    def follow_up(self, turn: Turn) -> None:
        """What the commit of a turn is followed by."""
        if Effect.DECIDE_AGAIN in turn.effects:
            self._spawn(self._decide(turn.order.order_id, freed=turn.freed))
        for order_id in turn.decide_also:
            self._spawn(self._decide(order_id))

    def decide_later(self, order_id: str) -> None:
        """Decide an order that waits for it; nobody waits for the answer."""
        self._spawn(self._decide(order_id))

    async def resume(self) -> int:
        """After a start: tell every open order of it, and decide those that still wait. How many are open."""

        def work(session: Session) -> list[OrderRecord]:
            found = orders.list_open(session)
            for order in found:
                open_ones = [m for m in missions.of_order(session, order.order_id) if m.open]
                owed = len(open_ones)
                for mission in open_ones:
                    remember(
                        mission.flight_id,
                        mission.mission_id,
                        order_id=order.order_id,
                        incident_id=order.incident_id,
                    )
                self._ledger.record(
                    session,
                    Turn(order),
                    RESTARTED,
                    f"The hub restarted and follows this order again; {owed} of its flights are open",
                    f"系统已重启并继续跟踪本订单，未结束的飞行 {owed} 架次",
                    data={"open_flights": owed},
                )
            return found

        found = await self._database.write(work)
        for order in found:
            log.warning(
                "open after a restart: %s in state %s",
                order.order_id,
                order.state,
                extra={"about": order.order_id},
            )
            if order.state in (OrderState.RECEIVED, OrderState.REDECIDING):
                self._spawn(self._decide(order.order_id))
        return len(found)
