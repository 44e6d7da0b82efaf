"""Playing many worlds, in this process or in several; a process that dies costs the work that it did."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeVar

from proving_ground.loader import Loaded
from proving_ground.result import Run
from proving_ground.runner import broken_run, run_scenario

T = TypeVar("T")

Asked = tuple[Loaded, int]
"""A file and a seed."""
DIED = "the process that played it died"


def play_each(asked: list[Asked], jobs: int) -> Iterator[Run]:
    """A run for each pair, in their order."""
    return in_turn(play_one, asked, jobs, died=_died)


def play_one(item: Loaded, seed: int) -> Run:
    """Play and judge one pair here."""
    return run_scenario(item.scenario, seed=seed, site_file=item.site_file, file=item.file.name)


def _died(item: Loaded, seed: int) -> Run:
    return replace(broken_run(item.scenario, seed, item.file.name), error=DIED)


def in_turn(
    work: Callable[..., T], asked: Sequence[tuple[Any, ...]], jobs: int, *, died: Callable[..., T]
) -> Iterator[T]:
    """What ``work`` makes of each, in their order; ``died`` says what is left of one whose process ended."""
    if jobs == 1 or len(asked) == 1:
        for each in asked:
            yield work(*each)
        return
    while asked:
        done = 0
        with _pool(min(jobs, len(asked))) as pool:
            try:
                for future in _submitted(pool, work, asked):
                    if (made := _result(future)) is None:
                        break
                    yield made
                    done += 1
            finally:
                pool.shutdown(cancel_futures=True)
        # Which of those under way ended its process is seen only where each has one to itself.
        suspects, asked = asked[done : done + 2 * jobs], asked[done + 2 * jobs :]
        for each in suspects:
            with _pool(1) as pool:
                made = _result(pool.submit(work, *each))
            yield died(*each) if made is None else made


def _submitted(
    pool: ProcessPoolExecutor, work: Callable[..., T], asked: Sequence[tuple[Any, ...]]
) -> list[Future[T]]:
    """All of them, or as many as were taken before a process died."""
    futures: list[Future[T]] = []
    with suppress(BrokenProcessPool):
        for each in asked:
            futures.append(pool.submit(work, *each))
    return futures


def _result(future: Future[T]) -> T | None:
    """None where the process died."""
    try:
        return future.result()
    except BrokenProcessPool:
        return None


def _pool(jobs: int) -> ProcessPoolExecutor:
    # Spawned, not forked: a child must not inherit an event loop's or a database's state.
    return ProcessPoolExecutor(
        jobs, mp_context=multiprocessing.get_context("spawn"), initializer=_end_silently
    )


def _end_silently() -> None:
    """Ctrl-C reaches every process of the terminal; what there is to say about it our parent says."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
