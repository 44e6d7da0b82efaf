"""Who listens to what is stored: each committed event is offered to every live stream, in the order of their positions.

The database is the truth; the feed only saves a listener from polling it. A listener that is too
slow loses its queue and is told to read the gap from the database.

Another hub on the same database stores events in between. While somebody listens,
:class:`hub_api.dispatch.other_hubs.OtherHubs` looks for them, and an event of this hub that does not follow the one
before it waits until what lies between is read: a stream that has shown a later position never goes back.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable

from hub_api.store.records import EventRecord

QUEUE_EVENTS = 256
"""Chosen: minutes of one order's events; a stream that lags more reads from the database."""


class Listener:
    """One stream's queue."""

    def __init__(self, wants: Callable[[EventRecord], bool], *, outside: bool) -> None:
        self._wants = wants
        self.outside = outside
        self._queue: deque[EventRecord | None] = deque()
        self._wake = asyncio.Event()
        self._lagging = False

    def offer(self, event: EventRecord) -> None:
        if not self._wants(event):
            return
        if len(self._queue) >= QUEUE_EVENTS:
            self.read_again()
        elif not self._lagging:
            self._queue.append(event)
        self._wake.set()

    def read_again(self) -> None:
        """Something may have been left out: :meth:`next` answers None once, and what came before it is read again."""
        self._lagging = True
        self._queue.clear()
        self._queue.append(None)
        self._wake.set()

    def end(self) -> None:
        """The hub stops: :meth:`next` answers None once more, and the feed is closed."""
        self._queue.clear()
        self._queue.append(None)
        self._wake.set()

    async def next(self) -> EventRecord | None:
        """The next event; None says: read the database, something was left out (or the feed is closed)."""
        while not self._queue:
            await self.woken()
        event = self._queue.popleft()
        if event is None:
            self._lagging = False
        return event

    def wake(self) -> None:
        """End a :meth:`woken`: there is something else to look at."""
        self._wake.set()

    async def woken(self) -> None:
        """Until something may have come."""
        await self._wake.wait()
        self._wake.clear()

    def waiting(self) -> list[EventRecord | None]:
        """Everything that came, without waiting; None as in :meth:`next`."""
        found = list(self._queue)
        self._queue.clear()
        self._lagging = False
        return found


class EventFeed:
    """Fans committed events out. Lives on the event loop's thread only."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()
        self._rendered: OrderedDict[int, str] = OrderedDict()
        self.closed = False
        self.watched = False
        """Whether somebody looks for other hubs' events; streams wait for the first look then."""
        self.heard = asyncio.Event()
        """Set while somebody outside listens."""
        self.behind = asyncio.Event()
        """Set when an event waits for others to be read."""
        self.position: int | None = None
        """Up to which every event was offered to streams; None until the first look. It goes on with this hub's own events
        while nobody listens."""

    def close(self) -> None:
        """Let every stream end by itself, so that a stop need not cut connections; they resume elsewhere."""
        self.closed = True
        for listener in self._listeners:
            listener.end()

    def rendered(self, event: EventRecord, render: Callable[[EventRecord], str]) -> str:
        """The event as text, made once for all streams that show it alike."""
        known = self._rendered.get(event.seq)
        if known is None:
            known = self._rendered[event.seq] = render(event)
            if len(self._rendered) > QUEUE_EVENTS:
                self._rendered.popitem(last=False)
        return known

    def publish(self, events: list[EventRecord]) -> None:
        """What this hub has committed: to its own parts at once, to streams in the order of the positions."""
        self._offer(events, outside=False)
        if not self.watched:
            self._offer(events, outside=True)
        elif self.position is not None:
            self._in_order(events, self.position)

    def _in_order(self, events: list[EventRecord], position: int) -> None:
        for event in events:
            if event.seq == position + 1:
                self._offer([event], outside=True)
                self.position = position = event.seq
            elif event.seq > position:
                # Another hub was faster, or a number was never used: whoever looks for that reads this one too.
                self.behind.set()
                return

    def look_from(self, position: int) -> None:
        """From now on nothing is left out after ``position``; streams that are open already read what came before it."""
        self.position = position
        for listener in self._listeners:
            if listener.outside:
                listener.read_again()

    def found(self, events: list[EventRecord]) -> None:
        """What was read after :attr:`position`, whoever stored it."""
        assert self.position is not None
        position = self.position
        fresh = [event for event in events if event.seq > position]
        self._offer(fresh, outside=True)
        if fresh:
            self.position = fresh[-1].seq

    def _offer(self, events: list[EventRecord], *, outside: bool) -> None:
        for listener in self._listeners:
            if listener.outside is outside:
                for event in events:
                    listener.offer(event)

    def listen(self, wants: Callable[[EventRecord], bool], *, outside: bool = False) -> Listener:
        """Events that ``wants`` accepts, from now on. Give it back with :meth:`leave`.

        ``outside``: a stream to somebody, which reads what it missed by itself. For parts of the hub that wait for
        what this hub does nobody looks at others, and they are not counted as streams.
        """
        listener = Listener(wants, outside=outside)
        self._listeners.add(listener)
        if outside:
            self.heard.set()
        return listener

    def leave(self, listener: Listener) -> None:
        self._listeners.discard(listener)
        if self.listener_count == 0:
            self.heard.clear()

    @property
    def listener_count(self) -> int:
        """Open streams."""
        return sum(1 for listener in self._listeners if listener.outside)
