"""An event loop whose time jumps to the next timer instead of waiting.

Hub, controller and simulated vehicles run in one process as fast as the processor allows, and
in the same order every time: no sleep is real, work handed to an executor runs inline, and
no socket is polled while time can move. Idea as in FoundationDB's simulation and trio's
``MockClock``; the implementation is a selector that never blocks.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar

T = TypeVar("T")


class VirtualTimeDeadlock(RuntimeError):
    """Every task waits for something that can no longer happen: no timer is left to jump to."""


class _JumpingSelector(selectors.BaseSelector):
    """Polls real file descriptors without blocking; when none is ready, time jumps instead."""

    def __init__(self, jump: Callable[[float | None], None]) -> None:
        self._inner = selectors.DefaultSelector()
        self._jump = jump

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._inner.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._inner.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._inner.modify(fileobj, events, data)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout <= 0:
            # A ready queue that never empties must not pay a system call per round.
            return []
        ready = self._inner.select(0)
        if not ready:
            self._jump(timeout)
        return ready

    def close(self) -> None:
        self._inner.close()

    def get_key(self, fileobj: Any) -> selectors.SelectorKey:
        return self._inner.get_key(fileobj)

    def get_map(self) -> Any:
        return self._inner.get_map()


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Selector event loop in virtual time, starting at 0 s."""

    def __init__(self) -> None:
        self._virtual_s = 0.0
        super().__init__(_JumpingSelector(self._jump))

    def time(self) -> float:
        return self._virtual_s

    def _jump(self, timeout_s: float | None) -> None:
        if timeout_s is None:
            raise VirtualTimeDeadlock("no timer is scheduled and nothing is ready: all tasks wait for ever")
        self._virtual_s += timeout_s

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
