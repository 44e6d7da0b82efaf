"""Starting the planner's process; the first one before the hub has loaded its own modules, so that both load at once.

This module itself loads next to nothing.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import hub_api


@dataclass(frozen=True, slots=True)
class Spawned:
    """A process, and our end of the sockets to it."""

    process: subprocess.Popen[bytes]
    ours: socket.socket


_early: list[Spawned] = []


def spawn() -> Spawned:
    """A new process. Raises ``OSError``."""
    folder = str(Path(hub_api.__file__).parents[1])
    paths = [folder, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    ours, its = socket.socketpair()
    try:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "hub_api.planner_process", str(its.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=(its.fileno(),),
            env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        )
    except BaseException:
        ours.close()
        raise
    finally:
        its.close()
    return Spawned(process, ours)


def take() -> Spawned:
    """The process that was started early, or a new one. Raises ``OSError``."""
    return _early.pop() if _early else spawn()


@contextlib.contextmanager
def started_early() -> Iterator[None]:
    """Start one now, for the first hub inside this block; it leaves again where none takes it."""
    with contextlib.suppress(OSError):
        # The hub says what is wrong when it tries itself.
        _early.append(spawn())
    try:
        yield
    finally:
        dismiss_early()


def dismiss_early() -> None:
    """Nobody will take the one that was started early."""
    for left in _early:
        left.ours.close()
        left.process.kill()
        left.process.wait()
    _early.clear()
