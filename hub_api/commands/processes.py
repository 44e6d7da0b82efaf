"""Child processes of a command: started, waited for until ready, always stopped."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from core.errors import ErrorCode, InternalError


def free_tcp_port() -> int:
    """A TCP port on loopback that nobody holds at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def free_udp_ports(count: int) -> int:
    """First of ``count`` consecutive free UDP ports on loopback.

    Every process begins its search elsewhere: they are bound only later, and two that began at the same port
    would find the same ones free.
    """
    for base in range(20000 + os.getpid() % 20000, 60000 - count, count + 3):
        with contextlib.ExitStack() as stack:
            try:
                for port in range(base, base + count):
                    probe = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                    probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return base
    raise InternalError(ErrorCode.SETTINGS_INVALID, f"no {count} consecutive free UDP ports on loopback")


def site_on_free_ports(source: Path, target: Path, *, drones: int | None = None) -> int:
    """Write the site with its (first) drones linked to ports that are free now; returns how many drones it has."""
    site = json.loads(source.read_text(encoding="utf-8"))
    site["drones"] = site["drones"][:drones]
    base = free_udp_ports(len(site["drones"]))
    for number, drone in enumerate(site["drones"]):
        drone["link"] = f"udpout:127.0.0.1:{base + number}"
    target.write_text(json.dumps(site, ensure_ascii=False), encoding="utf-8")
    return len(site["drones"])


class ChildProcess:
    """A child whose output is kept (last lines in memory, all in ``log_path``)."""

    def __init__(
        self, name: str, arguments: Sequence[str], *, log_path: Path, environment: dict[str, str]
    ) -> None:
        self.name = name
        self.log_path = log_path
        self.last_lines: deque[str] = deque(maxlen=20)
        self._lines_seen = threading.Condition()
        self._ready_lines = 0
        self._process = subprocess.Popen(
            [sys.executable, "-u", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **environment},
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, name=f"{name}-output", daemon=True)
        self._reader.start()

    def _read(self) -> None:
        output = self._process.stdout
        if output is None:
            raise InternalError(ErrorCode.BROKEN_INVARIANT, "child process without an output pipe")
        with self.log_path.open("w", encoding="utf-8") as log, output:
            for line in output:
                log.write(line)
                log.flush()
                with self._lines_seen:
                    self.last_lines.append(line.rstrip("\n"))
                    if "ready" in line.lower():
                        self._ready_lines += 1
                    self._lines_seen.notify_all()

    def check_alive(self) -> None:
        """Raise 5003 with the child's last words if it has ended."""
        code = self._process.poll()
        if code is not None:
            self._reader.join(timeout=2)
            said = " | ".join(list(self.last_lines)[-5:]) or "nothing"
            raise InternalError(
                ErrorCode.BROKEN_INVARIANT, f"{self.name} ended with exit code {code}; its last lines: {said}"
            )

    def wait_ready_lines(self, count: int, timeout_s: float) -> None:
        """Wait until ``count`` lines containing «ready» were printed."""
        deadline_s = time.monotonic() + timeout_s
        while True:
            with self._lines_seen:
                if self._ready_lines >= count:
                    return
                self._lines_seen.wait(0.1)
            self.check_alive()
            if time.monotonic() > deadline_s:
                raise InternalError(
                    ErrorCode.BROKEN_INVARIANT, f"{self.name} was not ready within {timeout_s:g} s"
                )

    def stop(self, *, grace_s: float = 5.0) -> None:
        """Ask it to end, then insist."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(grace_s)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
        self._reader.join(timeout=2)


@contextlib.contextmanager
def stopping(children: list[ChildProcess]) -> Iterator[Callable[[ChildProcess], ChildProcess]]:
    """Context whose ``add`` registers a child; all are stopped at the end, the newest first."""

    def add(child: ChildProcess) -> ChildProcess:
        children.append(child)
        return child

    try:
        yield add
    finally:
        for child in reversed(children):
            child.stop()
