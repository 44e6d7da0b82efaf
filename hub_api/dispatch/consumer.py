"""Listening to the fleet: events are stored before they are acknowledged, telemetry is remembered."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import get_args

from core.clock import Clock
from core.errors import DroneAedError, ErrorCode, InternalError
from flight.bus import Bus, Delivery
from flight.messages import CommandAccepted, CommandRefused, Event, TelemetrySample, decode
from hub_api.dispatch.fleet import Fleet

log = logging.getLogger(__name__)

RETRY_S = 0.5
"""Chosen: a database that is busy for a moment is tried again; the bus keeps what is not acknowledged."""
TELEMETRY_PENDING = 4096
"""Samples a slow hub may be behind before the oldest are dropped: about four a second and drone."""

_EVENTS = get_args(Event)


class HeardAnswers:
    """Commands whose drone was heard to answer, until its answer is stored: the database may refuse for a while, and
    such a drone is not silent."""

    def __init__(self) -> None:
        self._commands: set[str] = set()

    def heard(self, event: Event) -> None:
        if isinstance(event, CommandAccepted | CommandRefused):
            self._commands.add(event.command_id)

    def stored(self, event: Event) -> None:
        """Or set aside: what the database says counts again."""
        if isinstance(event, CommandAccepted | CommandRefused):
            self._commands.discard(event.command_id)

    def __contains__(self, command_id: str) -> bool:
        return command_id in self._commands


async def consume_events(
    bus: Bus,
    clock: Clock,
    fleet: Fleet,
    answers: HeardAnswers,
    store_event: Callable[[Event], Awaitable[None]],
) -> None:
    """Hand every drone's events to ``store_event``, each drone's in order, each until it is stored. Until cancelled.

    Drones don't wait for one another: what several of them tell at once is committed together. ``answers`` knows what
    of it is still to be stored.
    """
    subscription = await bus.subscribe("fleet.*.events", durable="hub")
    lanes: dict[str, deque[tuple[Delivery, Event]]] = {}

    async def store_lane(drone_id: str) -> None:
        lane = lanes[drone_id]
        while lane:
            delivery, event = lane.popleft()
            await _store(clock, store_event, event)
            answers.stored(event)
            await delivery.ack()
        del lanes[drone_id]

    async with asyncio.TaskGroup() as group:
        async for delivery in subscription:
            event = _event_of(delivery)
            if event is None:
                await delivery.ack()
                continue
            fleet.take_event(event)
            answers.heard(event)
            lane = lanes.get(event.drone_id)
            if lane is not None:
                lane.append((delivery, event))
                continue
            lanes[event.drone_id] = deque([(delivery, event)])
            group.create_task(store_lane(event.drone_id), name=f"events-{event.drone_id}")


def _event_of(delivery: Delivery) -> Event | None:
    """What a drone tells; None for what is not ours to repair: repeating it would stop every event behind it."""
    try:
        message = decode(delivery.payload)
    except InternalError:
        log.exception("an unreadable message on %s was set aside: %r", delivery.subject, delivery.payload)
        return None
    if not isinstance(message, _EVENTS):
        log.error("a %s has no place on %s", type(message).__name__, delivery.subject)
        return None
    return message


async def _store(clock: Clock, store_event: Callable[[Event], Awaitable[None]], event: Event) -> None:
    tries = 0
    while True:
        try:
            return await store_event(event)
        except DroneAedError as error:
            if error.code is not ErrorCode.STORE_FAILED:
                # A broken invariant of one order must not stop the events of every other one.
                log.exception("event %s was set aside: %s", event.event_id, event, extra=_about(event))
                return
            tries += 1
            if tries == 1:
                log.exception(
                    "event %s could not be stored; trying again", event.event_id, extra=_about(event)
                )
            elif tries & (tries - 1) == 0:
                # Ever more rarely: a database that is down for an hour must not fill the disk with its own log.
                log.error("event %s is not stored after %d tries", event.event_id, tries, extra=_about(event))
            await clock.sleep(RETRY_S)
        except Exception:
            # A fault of ours in one event would end the hub, come again with the drone's journal, and end the next.
            log.exception("event %s was set aside: %s", event.event_id, event, extra=_about(event))
            return


def _about(event: Event) -> dict[str, str | None]:
    return {"about": getattr(event, "flight_id", None)}


async def consume_telemetry(bus: Bus, fleet: Fleet) -> None:
    """Keep the newest sample of every drone. Runs until cancelled."""
    subscription = await bus.subscribe("fleet.*.telemetry", max_pending=TELEMETRY_PENDING)
    async for delivery in subscription:
        try:
            message = decode(delivery.payload)
        except InternalError:
            log.exception("unreadable telemetry on %s", delivery.subject)
        else:
            if isinstance(message, TelemetrySample):
                fleet.take_telemetry(message)
        await delivery.ack()
