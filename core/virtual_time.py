"""An event loop whose time jumps to the next timer instead of waiting.

Hub, controller and simulated vehicles run in one process as fast as the processor allows, and
in the same order every time: no sleep is real, work handed to an executor runs inline, and
no socket is polled while time can move. Idea as in FoundationDB's simulation and trio's
``MockClock``.

asyncio's own loop spends most of a virtual second on bookkeeping that real time needs (a poll and a comparison of timer
objects in Python for every timer). This one keeps its timers as plain tuples and polls only where somebody registered
a descriptor; timers of one instant run in the order in which they were set.
"""

from __future__ import annotations

import asyncio
import contextvars
import heapq
import selectors
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_CANCELLED_MAX = 100
"""Cancelled timers that may lie about before the heap is swept, as in asyncio."""
_OWN_DESCRIPTORS = 1
"""The loop's own end of the pipe that wakes it from other threads: nothing to poll for."""


class VirtualTimeDeadlock(RuntimeError):
    """Every task waits for something that can no longer happen: no timer is left to jump to."""


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Selector event loop in virtual time, starting at 0 s."""

    _ready: deque[asyncio.Handle]
    _stopping: bool
    _selector: selectors.BaseSelector

    def __init__(self) -> None:
        self._virtual_s = 0.0
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._timers_set = 0
        self._timers_cancelled = 0
        super().__init__(selectors.DefaultSelector())

    def time(self) -> float:
        return self._virtual_s

    def call_later(
        self,
        delay: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_at(self._virtual_s + delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        if self.is_closed():
            raise RuntimeError("Event loop is closed")
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        timer._scheduled = True  # type: ignore[attr-defined]
        self._timers_set += 1
        heapq.heappush(self._timers, (when, self._timers_set, timer))
        return timer

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """asyncio's hook: a timer was cancelled."""
        if not handle._scheduled:  # type: ignore[attr-defined]
            return
        self._timers_cancelled += 1
        if self._timers_cancelled > _CANCELLED_MAX and 2 * self._timers_cancelled > len(self._timers):
            self._timers = [entry for entry in self._timers if not entry[2]._cancelled]
            heapq.heapify(self._timers)
            self._timers_cancelled = 0

    def _run_once(self) -> None:
        """One round: what is ready and due now runs; when nothing is, time jumps to the next timer."""
        ready = self._ready
        if not ready and not self._stopping:
            if len(self._selector.get_map()) > _OWN_DESCRIPTORS:
                self._process_events(self._selector.select(0))  # type: ignore[attr-defined]
            if not ready:
                self._jump()
        self._take_due()
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle._cancelled:
                handle._run()

    def _jump(self) -> None:
        self._drop_cancelled()
        if not self._timers:
            raise VirtualTimeDeadlock("no timer is scheduled and nothing is ready: all tasks wait for ever")
        self._virtual_s = max(self._virtual_s, self._timers[0][0])

    def _take_due(self) -> None:
        timers = self._timers
        while timers and timers[0][0] <= self._virtual_s:
            timer = heapq.heappop(timers)[2]
            timer._scheduled = False  # type: ignore[attr-defined]
            if timer._cancelled:
                self._timers_cancelled -= 1
            else:
                self._ready.append(timer)

    def _drop_cancelled(self) -> None:
        timers = self._timers
        while timers and timers[0][2]._cancelled:
            heapq.heappop(timers)
            self._timers_cancelled -= 1

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """Run inline: a thread's finish would depend on real time and break determinism."""
        future: asyncio.Future[T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:
            future.set_exception(error)
        return future


def run_virtual(main: Coroutine[Any, Any, T]) -> T:
    """Like ``asyncio.run``, in virtual time. Raises :class:`VirtualTimeDeadlock` instead of hanging."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)
