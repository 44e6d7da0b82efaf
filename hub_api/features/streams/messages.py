"""What a stream tells, whatever carries it: stored events from a position on, telemetry as it comes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass
from enum import StrEnum

from sqlmodel import Session

from flight.messages import TelemetrySample
from hub_api.access.principal import Principal
from hub_api.access.scopes import Scope
from hub_api.features.orders.views import event_view
from hub_api.features.streams.telemetry import batch_json, telemetry_json
from hub_api.hub import Hub
from hub_api.store.records import EventRecord
from hub_api.store.repositories import events, incidents, orders

KEEP_ALIVE_S = 15.0
"""Real seconds of silence before a word, so that proxies keep the connection."""
_PAGE = 500
_CLIENTS_KNOWN = 4096
"""Orders and incidents of which one stream remembers whose they are: a day of a large city."""
SITE_EVENTS = frozenset({"airspace_in_force", "dock_changed", "site_changed"})
"""Kinds of events about stations, the site and its airspace, which name no drone."""


class Topic(StrEnum):
    """What a stream may be about."""

    INCIDENTS = "incidents"
    """Every event of orders and incidents that the credentials may see. Resumable."""
    FLEET = "fleet"
    """Every event of drones, their flights included. Resumable."""
    TELEMETRY = "telemetry"
    """The newest sample of each drone, as it comes; nothing is kept, so nothing is resumed."""


NEEDS: dict[Topic, Scope] = {
    Topic.INCIDENTS: Scope.ORDERS_READ,
    Topic.FLEET: Scope.FLEET_READ,
    Topic.TELEMETRY: Scope.FLEET_READ,
}


@dataclass(frozen=True, slots=True)
class StreamMessage:
    """One message: ``event_id`` is the position to resume from, None for what cannot be resumed."""

    kind: str
    event_id: int | None
    data_json: str


KEEP_ALIVE = StreamMessage("keep_alive", None, '{"type":"keep_alive"}')


class EventFilter:
    """Which stored events a reader of these topics sees. An order of another client is not there."""

    def __init__(self, hub: Hub, who: Principal, topics: frozenset[Topic]) -> None:
        self._hub = hub
        self._client = who.visible_client
        self._fleet, self._incidents = Topic.FLEET in topics, Topic.INCIDENTS in topics
        self._clients: dict[str, str] = {}
        """Whose an order or an incident is."""

    def wants(self, event: EventRecord) -> bool:
        """The cheap half, without a look at the database."""
        if self._fleet and (event.drone_id is not None or event.kind in SITE_EVENTS):
            return True
        return self._incidents and (event.order_id is not None or event.incident_id is not None)

    async def shows(self, event: EventRecord) -> bool:
        """The rest: whose order it is about."""
        return self.wants(event) and (self._client is None or await self._is_own(event))

    async def shown(self, found: Iterable[EventRecord]) -> list[EventRecord]:
        """Those that are shown."""
        return [event for event in found if await self.shows(event)]

    async def _is_own(self, event: EventRecord) -> bool:
        # An order may be merged into another client's, never its incident: both belong to the order's own.
        subject = event.order_id or event.incident_id
        if subject is None:
            return True
        if subject not in self._clients:
            if len(self._clients) >= _CLIENTS_KNOWN:
                # A wall screen follows for months; whose an old order is can be read again.
                self._clients.clear()
            self._clients[subject] = await self._hub.database.read(lambda s: _client_of(s, subject))
        return self._clients[subject] == self._client


def _client_of(session: Session, subject: str) -> str:
    if subject.startswith("inc_"):
        return incidents.get(session, subject).client
    return orders.get(session, subject).client


def event_json(event: EventRecord) -> str:
    """An event as streams show it: which order, and what happened."""
    view = event_view(event).model_dump(mode="json")
    about = {"order_id": event.order_id, "incident_id": event.incident_id}
    return json.dumps({"type": "event", **about, **view}, ensure_ascii=False)


async def stream(
    hub: Hub,
    who: Principal,
    topics: frozenset[Topic],
    *,
    after: int | None,
    telemetry_every_s: float | None = None,
) -> AsyncGenerator[list[StreamMessage], None]:
    """Everything of these topics after position ``after`` (None: from now on), without gap or double; what is there at
    once comes at once.

    ``telemetry_every_s``: the newest samples of all drones in one message, at most so often; None sends each by
    itself as it comes. Ends when the hub stops.
    """
    loop = asyncio.get_running_loop()
    chosen = EventFilter(hub, who, topics)
    listener = hub.feed.listen(chosen.wants, outside=True)
    watch = hub.fleet.watch(telemetry_every_s or 0.0) if Topic.TELEMETRY in topics else None
    samples: asyncio.Task[list[TelemetrySample]] | None = None
    keep_alive: asyncio.TimerHandle | None = None
    try:
        # The live queue is open before the position is read, so nothing falls between the two.
        newest = await hub.database.read(events.last_seq)
        # A position that has not been yet is of a database before a restore: waiting for it would be silence.
        position = newest if after is None else min(after, newest)
        start = {"type": "hello", "position": str(position), "topics": sorted(topics)}
        yield [StreamMessage("hello", None, json.dumps(start))]
        told_s = loop.time()
        behind = position < newest
        while not hub.feed.closed:
            while behind:
                page = await hub.database.read(lambda s, p=position: events.after(s, p, limit=_PAGE))  # type: ignore[misc]
                behind = len(page) == _PAGE
                position = page[-1].seq if page else position
                if shown := await chosen.shown(page):
                    yield [_event(hub, event) for event in shown]
                    told_s = loop.time()
            if watch is not None and samples is None:
                samples = asyncio.ensure_future(watch.next())
                samples.add_done_callback(lambda _: listener.wake())
            if keep_alive is None:
                keep_alive = loop.call_at(told_s + KEEP_ALIVE_S, listener.wake)
            # One future a turn: five hundred screens are told of every event.
            await listener.woken()
            found = listener.waiting()
            behind = None in found
            fresh = _after(position, found)
            position = fresh[-1].seq if fresh else position
            messages = [_event(hub, event) for event in await chosen.shown(fresh)]
            if samples is not None and samples.done():
                messages += _telemetry(hub, samples.result(), together=telemetry_every_s is not None)
                samples = None
            if keep_alive.when() <= loop.time():
                keep_alive = None
            if not messages and not behind and loop.time() - told_s >= KEEP_ALIVE_S:
                messages = [KEEP_ALIVE]
            if messages:
                yield messages
                told_s = loop.time()
    finally:
        if keep_alive is not None:
            keep_alive.cancel()
        if samples is not None:
            samples.cancel()
        hub.feed.leave(listener)
        if watch is not None:
            hub.fleet.unwatch(watch)


def _after(position: int, found: Iterable[EventRecord | None]) -> list[EventRecord]:
    """What comes after a position, each once."""
    fresh = []
    for event in found:
        if event is not None and event.seq > position:
            fresh.append(event)
            position = event.seq
    return fresh


def _event(hub: Hub, event: EventRecord) -> StreamMessage:
    return StreamMessage(event.kind, event.seq, hub.feed.rendered(event, event_json))


def _telemetry(hub: Hub, samples: list[TelemetrySample], *, together: bool) -> list[StreamMessage]:
    texts = [hub.fleet.rendered(sample, telemetry_json) for sample in samples]
    if together:
        return [StreamMessage("telemetry_batch", None, batch_json(texts))]
    return [StreamMessage("telemetry", None, text) for text in texts]
