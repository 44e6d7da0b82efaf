"""MAVProxy at a pseudo-terminal: commands typed, answers read. It runs as a program of its own."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

TOOLS = Path(os.environ.get("DRONE_AED_TOOLS", Path(__file__).parents[2] / ".tools"))
"""Where ``requirements/tools.txt`` was installed."""
PROGRAM = TOOLS / "bin" / "mavproxy.py"


class Console:
    """A running MAVProxy, connected to the UDP port of one vehicle. Use it in a ``with``."""

    def __init__(self, port: int, folder: Path) -> None:
        self.said = ""
        self._read_to = 0
        self._terminal, inside = pty.openpty()
        self._process = subprocess.Popen(
            [
                sys.executable,
                str(PROGRAM),
                f"--master=udpout:127.0.0.1:{port}",
                "--source-system=255",
                "--nowait",
            ],
            stdin=inside,
            stdout=inside,
            stderr=inside,
            cwd=folder,
            env={
                **os.environ,
                "PYTHONPATH": str(TOOLS),
                "HOME": str(folder),
                "TERM": "dumb",
                "MPLBACKEND": "agg",
            },
            close_fds=True,
        )
        os.close(inside)

    def __enter__(self) -> Console:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._terminal)

    def _read(self, timeout_s: float) -> None:
        ready, _, _ = select.select([self._terminal], [], [], timeout_s)
        if ready:
            self.said += os.read(self._terminal, 65536).decode("utf-8", "replace")

    def type(self, line: str) -> None:
        os.write(self._terminal, f"{line}\n".encode())

    def expect(self, pattern: str, timeout_s: float) -> None:
        """Wait until it says something; what was said before the last match does not count."""
        deadline_s = time.monotonic() + timeout_s
        while time.monotonic() < deadline_s:
            self._read(0.2)
            found = re.search(pattern, self.said[self._read_to :])
            if found is not None:
                self._read_to += found.end()
                return
        raise AssertionError(f"MAVProxy did not say {pattern!r} within {timeout_s} s:\n{self.said[-2000:]}")

    def insist(self, line: str, pattern: str, *, tries: int = 8, each_s: float = 3.0) -> None:
        """Type ``line`` again until the answer comes, as an operator would."""
        for _ in range(tries):
            self.type(line)
            try:
                self.expect(pattern, each_s)
            except AssertionError:
                continue
            return
        raise AssertionError(f"{line!r} did not lead to {pattern!r}:\n{self.said[-2000:]}")
