"""The planner's process as the hub sees it: started, asked, watched, started again, and gone when the hub goes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import pickle
import signal
from collections.abc import Callable
from subprocess import Popen

from hub_api.dispatch.deciding import Unanswered
from hub_api.planner_process.messages import HEAD, Ask, Ready, Rehearsed, Told, packed
from hub_api.planner_process.spawned import take

log = logging.getLogger(__name__)

ANSWER_S = 15.0
"""Chosen: the hardest decisions of a city take half a second; thirty times that is no decision any more."""
AGAIN_S = 1.0
LONGEST_AGAIN_S = 30.0
"""Chosen: a process that ends again and again is started ever more rarely."""
LEAVE_S = 2.0
"""Chosen: how long the process may take to end by itself when the hub stops."""
FAULTS = frozenset(
    {signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGFPE, signal.SIGABRT, signal.SIGSYS}
)
"""What the computation brings upon itself. Anything else that ends the process came from outside."""


class ProcessGone(Unanswered):
    """The process ended, or there is none, before the answer came. ``own_fault``: the question may have ended it;
    ``overdue``: it was ended because it did not answer."""

    def __init__(self, detail: str, *, own_fault: bool, overdue: bool = False) -> None:
        super().__init__(detail)
        self.own_fault, self.overdue = own_fault, overdue


class PlannerProcess:
    """One process at a time; the next is started when one ends. Lives on the event loop."""

    def __init__(self, *, on_start: Callable[[], None], on_end: Callable[[], None]) -> None:
        """``on_start``: it knows nothing yet, and hears whatever is sent; ``on_end``: it will not answer any more."""
        self._on_start, self._on_end = on_start, on_end
        self._process: Popen[bytes] | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._answers: dict[int, asyncio.Future[Told]] = {}
        self._ready: dict[int, asyncio.Event] = {}
        self._oldest = 0
        self._overdue = False
        self._watch: asyncio.TimerHandle | None = None
        self._keeper: asyncio.Task[None] | None = None
        self.starts = 0
        self.rehearsed = 0
        """The number of the last rehearsal that is done."""

    @property
    def pid(self) -> int | None:
        """Of the process that runs now."""
        return None if self._process is None or self._writer is None else self._process.pid

    def begin(self) -> None:
        """Keep a process running from now on."""
        self._keeper = asyncio.get_running_loop().create_task(self._keep(), name="planner-process")

    def send(self, message: bytes) -> None:
        """To the process that runs now, if there is one: another one begins with nothing."""
        if self._writer is not None:
            self._writer.write(message)

    def ready(self, setting: int) -> bool:
        """Whether the process that runs now has prepared this setting."""
        return self._writer is not None and setting in self._ready and self._ready[setting].is_set()

    async def until_ready(self, setting: int) -> None:
        """Wait for that, however often the process has to be started for it; no longer once nobody asks on it."""
        if setting >= self._oldest:
            await self._ready.setdefault(setting, asyncio.Event()).wait()

    def let_go(self, oldest: int) -> None:
        """Nobody asks on a setting before this one any more; the process lets go of them by itself."""
        self._oldest = oldest
        for setting in [number for number in self._ready if number < oldest]:
            self._ready.pop(setting).set()

    def ask(self, ask: Ask) -> asyncio.Future[Told]:
        """The answer to be, after those to what was asked before; or :class:`ProcessGone`, which it may raise itself."""
        if self._writer is None:
            raise ProcessGone("it does not run", own_fault=False)
        answer: asyncio.Future[Told] = asyncio.get_running_loop().create_future()
        self._answers[ask.number] = answer
        self._writer.write(packed(ask))
        if self._watch is None:
            self._look_at_the_clock()
        return answer

    def _look_at_the_clock(self) -> None:
        """Each question has its time from the moment at which it is the first one."""
        if self._watch is not None:
            self._watch.cancel()
        self._watch = asyncio.get_running_loop().call_later(ANSWER_S, self._late) if self._answers else None

    def _late(self) -> None:
        self._watch, self._overdue = None, True
        self._lost()
        self._kill()
        self._fail_open(f"no answer within {ANSWER_S:.0f} s", own_fault=True)

    async def close(self) -> None:
        """Hang up; the process ends by itself, or is ended."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)

    def _lost(self) -> None:
        """Nothing is sent to it any more."""
        self._writer = None
        for ready in self._ready.values():
            ready.clear()

    def _kill(self) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    async def _keep(self) -> None:
        pause_s = AGAIN_S
        while True:
            loop = asyncio.get_running_loop()
            began_s = loop.time()
            try:
                said = await self._run_once()
            except Exception as error:
                # Whatever went wrong with this one, a hub without a planner's process is the slower one.
                said = repr(error)
            log.error("the planner's process is away (%s); it is started again", said)
            pause_s = (
                AGAIN_S if loop.time() - began_s > LONGEST_AGAIN_S else min(2 * pause_s, LONGEST_AGAIN_S)
            )
            await asyncio.sleep(pause_s)

    async def _run_once(self) -> str:
        """Start it and listen until it ends; how it ended."""
        spawned = take()
        process = spawned.process
        self._process, self._overdue = process, False
        self.starts += 1
        reader, writer = await asyncio.open_connection(sock=spawned.ours)
        self._writer = writer
        try:
            self._on_start()
            await self._listen(reader)
        finally:
            self._lost()
            writer.close()
            await self._ended(process)
            own_fault = self._overdue or -(process.returncode or 0) in FAULTS
            self._fail_open(f"it ended with status {process.returncode}", own_fault=own_fault)
            self._on_end()
            self._process = None
        return f"exit status {process.returncode}"

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                (length,) = HEAD.unpack(await reader.readexactly(HEAD.size))
                message = pickle.loads(await reader.readexactly(length))
                if isinstance(message, Ready):
                    if message.setting >= self._oldest:
                        self._ready.setdefault(message.setting, asyncio.Event()).set()
                elif isinstance(message, Rehearsed):
                    self.rehearsed = message.number
                elif (answer := self._answers.pop(message.number, None)) is not None:
                    self._look_at_the_clock()
                    if not answer.done():
                        answer.set_result(message)

    async def _ended(self, process: Popen[bytes]) -> None:
        try:
            async with asyncio.timeout(LEAVE_S):
                await _exit_of(process)
        except TimeoutError:
            self._kill()
            await _exit_of(process)

    def _fail_open(self, how: str, *, own_fault: bool) -> None:
        """Whatever is not answered will not be. Only the first of these was being answered."""
        answers = list(self._answers.values())
        self._answers.clear()
        self._look_at_the_clock()
        for place, answer in enumerate(answers):
            if not answer.done():
                at_fault = own_fault and place == 0
                answer.set_exception(
                    ProcessGone(how, own_fault=at_fault, overdue=self._overdue and place == 0)
                )


async def _exit_of(process: Popen[bytes]) -> None:
    """It has hung up, so it is gone in a moment."""
    while process.poll() is None:  # noqa: ASYNC110 -- nobody sets an event
        await asyncio.sleep(0.01)
