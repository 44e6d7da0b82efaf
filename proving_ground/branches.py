"""One world, many faults: a world is played once up to the moment of a fault, and from there once for each fault.

Faults of one phase share everything before it, and a campaign has dozens of them. The process forks at that moment: the
child's world is a copy of the parent's, byte for byte, so it ends exactly as one that was played from its beginning
(``tests/scenario/test_branches.py``). The children take turns, for the files of the world are the only thing that a
fork does not copy: :class:`_Files` gives them back as they were.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Generic, NoReturn, TypeVar

from core.virtual_time import run_virtual
from proving_ground.heard import heard
from proving_ground.play import Play
from proving_ground.result import Run
from proving_ground.runner import MEMORY, broken_run, finished, played
from proving_ground.schema import FaultLine, Scenario
from proving_ground.staging import staged

T = TypeVar("T")

_DESCRIPTORS = Path("/dev/fd")


class _AllPlayed(Exception):
    """Every branch was played: the trunk ends here."""


def play_branches(
    scenarios: Sequence[Scenario], *, seed: int, site_file: Path, result_of: Callable[[Run], T]
) -> list[T]:
    """What ``result_of`` makes of the run of each scenario, in their order.

    The scenarios have one fault each, begun by the same trigger, and differ in nothing that acts before it. ``result_of``
    is called in the process that played, so that only what is wanted of a run need be carried (by pickle). Where the
    trigger never comes, all of them are one and the same run without a fault.
    """
    _check_alike(scenarios)
    began = time.perf_counter()
    with (
        tempfile.TemporaryDirectory(prefix="proving-", dir=MEMORY) as folder,
        tempfile.TemporaryDirectory(prefix="proving-", dir=MEMORY) as kept,
        heard() as ear,
    ):
        tree = _Tree[T](scenarios, Path(folder), Path(kept))
        stage = staged(scenarios[0], seed=seed, folder=Path(folder), site_file=site_file)
        try:
            run = run_virtual(_grown(stage, tree, lambda run: result_of(finished(run, ear, 0.0))))
        except _AllPlayed:
            return tree.results
        except Exception:
            run = broken_run(tree.scenario, seed, "")
        finally:
            tree.close()
        run = finished(run, ear, time.perf_counter() - began)
        if tree.is_branch:
            tree.leave(result_of(run))
        return [result_of(run)] * len(scenarios)


async def _grown(
    stage: AbstractAsyncContextManager[Play], tree: _Tree[T], result_of: Callable[[Run], T]
) -> Run:
    async with _with_branches(stage, tree) as play:
        run = await played(play, "")
        if tree.is_branch:
            # Not by the way of the contexts: what they would put away belongs to the trunk.
            tree.leave(result_of(run))
        return run


@asynccontextmanager
async def _with_branches(stage: AbstractAsyncContextManager[Play], tree: _Tree[T]) -> AsyncIterator[Play]:
    async with stage as play:

        def at_fault(_: FaultLine) -> FaultLine:
            play.scenario = tree.branch()
            return play.scenario.faults[0]

        play.at_fault = at_fault
        yield play


def _check_alike(scenarios: Sequence[Scenario]) -> None:
    def before_the_fault(scenario: Scenario) -> object:
        (line,) = scenario.faults
        world = scenario.world.model_dump(exclude={"latest_s"})
        return world, scenario.weather, scenario.orders, line.when, line.drone

    if len({repr(before_the_fault(scenario)) for scenario in scenarios}) != 1:
        raise ValueError("scenarios that differ before their fault have no world in common")


class _Tree(Generic[T]):
    """The trunk, or one of its branches: after :meth:`branch` the process is either."""

    def __init__(self, scenarios: Sequence[Scenario], folder: Path, kept: Path) -> None:
        self._scenarios = scenarios
        self._folder, self._kept = folder, kept
        self._answer: int | None = None
        self._files: _Files | None = None
        self.scenario = scenarios[0]
        self.results: list[T] = []

    @property
    def is_branch(self) -> bool:
        """Whether this process is a child that plays one scenario to its end."""
        return self._answer is not None

    def branch(self) -> Scenario:
        """Returns once in each child, with the scenario that it plays; raises in the parent when all were played."""
        self._files = files = _Files(self._folder, self._kept)
        loop = asyncio.get_running_loop()
        for scenario in self._scenarios:
            reads, writes = os.pipe()
            child = os.fork()
            if child == 0:
                os.close(reads)
                # asyncio forgets in a child that its loop runs.
                asyncio._set_running_loop(loop)
                self._answer, self.scenario = writes, scenario
                return scenario
            os.close(writes)
            self.results.append(_told(scenario, child, reads))
            files.give_back()
        raise _AllPlayed

    def close(self) -> None:
        """Let go of the files; the world is over."""
        if self._files is not None:
            self._files.close()

    def leave(self, result: object) -> NoReturn:
        """The child tells its result and is gone."""
        assert self._answer is not None
        with open(self._answer, "wb") as answer:
            pickle.dump(result, answer)
        os._exit(0)


def _told(scenario: Scenario, child: int, reads: int) -> Any:
    with open(reads, "rb") as answer:
        told = answer.read()
    _, status = os.waitpid(child, 0)
    if status != 0 or not told:
        raise RuntimeError(f"{scenario.name}: the process that played it died ({status=})")
    return pickle.loads(told)


class _Files:
    """The files below a folder, as they are now.

    A file is given back as the same inode, because descriptors, SQLite's locks and its shared memory hang on it. No
    descriptor is closed before the end: closing one would let go of all locks that this process has on that file.
    """

    def __init__(self, folder: Path, kept: Path) -> None:
        self._folder = folder
        self._offsets = _offsets()
        self._files: list[tuple[Path, Path, int, bytes]] = []
        for number, path in enumerate(sorted(each for each in folder.rglob("*") if each.is_file())):
            link = kept / str(number)
            os.link(path, link)
            descriptor = os.open(path, os.O_RDWR)
            self._files.append(
                (path, link, descriptor, os.pread(descriptor, os.fstat(descriptor).st_size, 0))
            )

    def give_back(self) -> None:
        """Everything is as it was."""
        for path in self._folder.rglob("*"):
            if path.is_file():
                path.unlink()
        for path, link, descriptor, content in self._files:
            os.link(link, path)
            os.pwrite(descriptor, content, 0)
            os.ftruncate(descriptor, len(content))
        for descriptor, offset in self._offsets.items():
            os.lseek(descriptor, offset, os.SEEK_SET)

    def close(self) -> None:
        """Only when nobody uses the files any more."""
        for _, _, descriptor, _ in self._files:
            os.close(descriptor)


def _offsets() -> dict[int, int]:
    """Where every open file is read or written next: parent and child share that, too."""
    offsets = {}
    for name in os.listdir(_DESCRIPTORS):
        try:
            offsets[int(name)] = os.lseek(int(name), 0, os.SEEK_CUR)
        except OSError:
            continue  # A pipe, a socket, or the descriptor that listed the folder.
    return offsets
