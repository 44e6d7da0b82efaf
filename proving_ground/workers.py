"""Playing many (file, seed) pairs, in this process or in several; a process that dies costs the run that it played."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import replace

from proving_ground.loader import Loaded
from proving_ground.result import Run
from proving_ground.runner import broken_run, run_scenario

Asked = tuple[Loaded, int]
"""A file and a seed."""


def play_each(asked: list[Asked], jobs: int) -> Iterator[Run]:
    """A run for each pair, in their order."""
    if jobs == 1 or len(asked) == 1:
        for item, seed in asked:
            yield play_one(item, seed)
        return
    while asked:
        done = 0
        with _pool(min(jobs, len(asked))) as pool:
            try:
                for future in _submitted(pool, asked):
                    if (run := _result(future)) is None:
                        break
                    yield run
                    done += 1
            finally:
                pool.shutdown(cancel_futures=True)
        # Which of those under way ended its process is seen only where each has one to itself.
        suspects, asked = asked[done : done + 2 * jobs], asked[done + 2 * jobs :]
        for pair in suspects:
            yield _alone(*pair)


def play_one(item: Loaded, seed: int) -> Run:
    """Play and judge one pair here."""
    return run_scenario(item.scenario, seed=seed, site_file=item.site_file, file=item.file.name)


def _alone(item: Loaded, seed: int) -> Run:
    with _pool(1) as pool:
        run = _result(pool.submit(play_one, item, seed))
    if run is not None:
        return run
    broken = broken_run(item.scenario, seed, item.file.name)
    return replace(broken, error="the process that played it died")


def _submitted(pool: ProcessPoolExecutor, asked: list[Asked]) -> list[Future[Run]]:
    """All of them, or as many as were taken before a process died."""
    futures: list[Future[Run]] = []
    with suppress(BrokenProcessPool):
        for pair in asked:
            futures.append(pool.submit(play_one, *pair))
    return futures


def _result(future: Future[Run]) -> Run | None:
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
