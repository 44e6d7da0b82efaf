"""Starts the simulator's own command as a process, for tests that let foreign programs fly it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from hub_api.commands.processes import free_udp_ports


@contextmanager
def fleet(*arguments: str, count: int = 1, speedup: float = 20.0) -> Iterator[int]:
    """A running fleet; yields its first port. On leaving it must end cleanly by SIGTERM."""
    port = free_udp_ports(count)
    process = subprocess.Popen(
        [
            sys.executable, "-m", "sitl", "fleet", "--count", str(count), "--base-port", str(port),
            "--speedup", f"{speedup:g}", "--airframe", "arducopter_sitl_quad", "--ready-after-s", "5", *arguments,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        for _ in range(count):
            line = process.stdout.readline()
            assert line.startswith("ready "), line
        yield port
        process.terminate()
        assert process.wait(10) == 0
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        process.wait()
        process.stdout.close()
