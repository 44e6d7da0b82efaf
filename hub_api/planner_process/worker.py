"""The planner's process: ``python -m hub_api.planner_process FD``, started by the hub and nobody else.

It ends when the hub's end of the sockets closes, however the hub ended: a thread of its own waits for that, also while
a question is being answered. Signals that go to the whole group are for the hub, which stops when it is ready to.
"""

from __future__ import annotations

import faulthandler
import gc
import os
import queue
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pickle import loads
from typing import Any

from core.clock import Clock
from core.errors import ErrorCode, InternalError
from core.ids import IdSource
from hub_api.commands.loading import settle_memory
from hub_api.dispatch.deciding import InTurn
from hub_api.dispatch.fleet import DroneView
from hub_api.dispatch.planning import Answer, SitePlanning
from hub_api.dispatch.traffic import OpenFlight, TrafficBook
from hub_api.planner_process.messages import (
    HEAD,
    Ask,
    DroneNews,
    FlightNews,
    Heard,
    Ready,
    Rehearse,
    Rehearsed,
    Setting,
    Told,
    packed,
)


class _AskedAt(Clock):
    """The hub's clock as a decision needs it: the moment of the question."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def monotonic_s(self) -> float:
        return self.at.timestamp()

    async def sleep(self, duration_s: float) -> None:
        raise InternalError(ErrorCode.BROKEN_INVARIANT, "a decision waits for nothing")

    def timeout(self, duration_s: float | None) -> AbstractAsyncContextManager[object]:
        raise InternalError(ErrorCode.BROKEN_INVARIANT, "a decision waits for nothing")


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A setting, and the planning on it once it is indexed."""

    setting: Setting
    clock: _AskedAt
    planning: SitePlanning
    ready: threading.Event = field(default_factory=threading.Event)


class Worker:
    """Answers questions in the order in which they come. Settings are prepared beside that, in threads of their own."""

    def __init__(self) -> None:
        self._prepared: dict[int, _Prepared] = {}
        self._turns: InTurn | None = None
        self._names: tuple[str, ...] = ()
        self._views: dict[str, DroneView] = {}
        self._heard: Mapping[str, Heard] = {}
        self._fleet: tuple[DroneView, ...] = ()
        self._flights: tuple[OpenFlight, ...] = ()

    def take_setting(self, setting: Setting) -> _Prepared:
        """Know it from now on; :meth:`prepare` makes it usable."""
        clock = _AskedAt(setting.at)
        planning = SitePlanning(
            setting.site,
            lambda: setting.airspace,
            setting.airframes,
            IdSource(clock),
            clock,
            weather_required=setting.weather_required,
        )
        self._prepared[setting.number] = prepared = _Prepared(setting, clock, planning)
        self._turns = self._turns or InTurn(
            partial(
                TrafficBook,
                setting.origin,
                geoid_undulation_m=setting.geoid_undulation_m,
                telemetry_stale_s=setting.telemetry_stale_s,
            )
        )
        for old in [number for number in self._prepared if number < setting.number - 1]:
            del self._prepared[old]
        return prepared

    def prepare(self, prepared: _Prepared) -> None:
        """Index it and load the kernels, so that no order waits for that."""
        prepared.planning.warm_up()
        if len(self._prepared) > 1:
            # What refers to itself in a setting that is gone would stay for good.
            gc.unfreeze()
            gc.collect()
        settle_memory()
        prepared.ready.set()

    def prepared(self, message: Ask | Rehearse) -> _Prepared:
        """What it is to be answered on, known since before it was asked."""
        return self._prepared[message.setting]

    @staticmethod
    def rehearse(rehearse: Rehearse, prepared: _Prepared) -> Iterator[None]:
        """Plan for the next orders, one question after the other."""
        prepared.ready.wait()
        prepared.clock.at = rehearse.at
        yield from prepared.planning.rehearse(
            [_view_of(news) for news in rehearse.fleet],
            geoid_undulation_m=prepared.setting.geoid_undulation_m,
        )

    def answer(self, ask: Ask, prepared: _Prepared) -> Answer:
        """The decision, beside what the questions before it took."""
        turns, planning = self._turns, prepared.planning
        assert turns is not None
        prepared.ready.wait()
        prepared.clock.at = ask.question.at
        self._hear(ask)
        for flight_id in ask.forget:
            turns.forget(flight_id)
        if ask.supposed:
            return turns.supposed(planning, ask.question, self._fleet, self._flights)
        return turns.answer(
            planning,
            ask.number,
            ask.question,
            self._fleet,
            self._flights,
            flight_id=ask.flight_id,
            beside=ask.beside,
        )

    def _hear(self, ask: Ask) -> None:
        """What has changed since the last question."""
        for news in ask.news:
            self._views[news.drone.drone_id] = _view_of(news)
        if ask.fleet is not None:
            self._names = ask.fleet
        if ask.heard is not None:
            self._heard = ask.heard
        if ask.news or ask.fleet is not None or ask.heard is not None:
            self._fleet = tuple([self._view(drone_id) for drone_id in self._names])
        if ask.flights is not None:
            self._flights = tuple([_flight_of(news) for news in ask.flights])

    def _view(self, drone_id: str) -> DroneView:
        view, heard = self._views[drone_id], self._heard.get(drone_id)
        if heard is None:
            return view
        return replace(view, telemetry=heard.sample, telemetry_age_s=heard.age_s)


def _flight_of(news: FlightNews) -> OpenFlight:
    return OpenFlight(
        flight_id=news.flight_id, drone_id=news.drone_id, airborne_at=news.airborne_at, plan=news.plan
    )


def _view_of(news: DroneNews) -> DroneView:
    return DroneView(
        drone=news.drone,
        ready=not news.not_ready,
        not_ready=news.not_ready,
        mission_id=None,
        phase=news.phase,
        telemetry=None,
        telemetry_age_s=None,
        readiness=None,
        charge_fraction=news.charge_fraction,
        wind=news.wind,
        weather=news.weather,
    )


@dataclass(slots=True)
class _Rehearsal:
    """What is planned while nobody asks."""

    number: int
    left: Iterator[None]
    rest_s: float = 0.0

    def step(self) -> bool:
        """Go on with one question; False: there is none left."""
        began_s = time.monotonic()
        try:
            going_on = next(self.left, self) is None
        except Exception:
            # The order that asks the same will be told; the rest of it is worth less than the process.
            traceback.print_exc()
            going_on = False
        self.rest_s = time.monotonic() - began_s
        return going_on


def serve(hub: socket.socket) -> None:
    """Answer what comes until the hub hangs up; in between plan for the next orders, half of the time at most."""
    asked: queue.SimpleQueue[tuple[Ask | Rehearse, _Prepared]] = queue.SimpleQueue()
    worker, speaking = Worker(), threading.Lock()
    rehearsal: _Rehearsal | None = None

    def say(message: Told | Ready | Rehearsed) -> None:
        with speaking:
            hub.sendall(packed(message))

    def prepare(prepared: _Prepared) -> None:
        worker.prepare(prepared)
        say(Ready(prepared.setting.number))

    def listen() -> None:
        try:
            while True:
                message = _read(hub)
                if isinstance(message, Setting):
                    prepared = worker.take_setting(message)
                    threading.Thread(target=_or_die, args=(prepare, prepared), daemon=True).start()
                else:
                    asked.put((message, worker.prepared(message)))
        except (EOFError, OSError):
            # The hub is gone. Nothing here is worth finishing.
            os._exit(0)

    threading.Thread(target=_or_die, args=(listen,), name="hub", daemon=True).start()
    try:
        while True:
            try:
                message, prepared = asked.get(timeout=None if rehearsal is None else rehearsal.rest_s)
            except queue.Empty:
                assert rehearsal is not None
                if not rehearsal.step():
                    settle_memory()
                    say(Rehearsed(rehearsal.number))
                    rehearsal = None
                continue
            if isinstance(message, Rehearse):
                rehearsal = _Rehearsal(message.number, worker.rehearse(message, prepared))
            else:
                say(_told(worker, message, prepared))
    except OSError:
        os._exit(0)


def _told(worker: Worker, ask: Ask, prepared: _Prepared) -> Told:
    try:
        return Told(number=ask.number, answer=worker.answer(ask, prepared))
    except Exception:
        return Told(number=ask.number, answer=None, fault=traceback.format_exc())


def _or_die(work: Any, *given: Any) -> None:
    """A thread that fails ends the process: the hub sees it and starts another one."""
    try:
        work(*given)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def _read(hub: socket.socket) -> Any:
    (length,) = HEAD.unpack(_exactly(hub, HEAD.size))
    return loads(_exactly(hub, length))


def _exactly(hub: socket.socket, length: int) -> bytearray:
    buffer = bytearray(length)
    view, at = memoryview(buffer), 0
    while at < length:
        count = hub.recv_into(view[at:])
        if count == 0:
            raise EOFError
        at += count
    return buffer


def main() -> None:
    """Until the hub hangs up."""
    faulthandler.enable()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    serve(socket.socket(fileno=int(sys.argv[1])))
