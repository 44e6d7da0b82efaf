"""What starting a real autopilot has in common: its process, its ports, waiting for its first word, its end."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pymavlink.dialects.v20 import ardupilotmega as mavlink

from core.geodesy import Wgs84Point

LOOPBACK = "127.0.0.1"
SPEAKS_WITHIN_S = 60.0
"""Chosen, real seconds: both were seen to speak within 2 s; a machine under full load takes many times that."""
STOPS_WITHIN_S = 5.0
"""Chosen, real seconds: both end at once when asked; afterwards it is force."""
_PR_SET_PDEATHSIG = 1
"""prctl(2): the signal that the kernel sends a child whose parent has died."""


class LaunchError(Exception):
    """Why a real autopilot was not started (or ended), in one line for a person."""


@dataclass(frozen=True, slots=True)
class Home:
    """Where a vehicle stands at power-on. ``altitude_amsl_m`` is the ground's."""

    place: Wgs84Point
    altitude_amsl_m: float
    heading_deg: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One instance to start. Its number fixes its ports and, unless parameters say otherwise, its system id."""

    program: Path
    number: int
    home: Home
    folder: Path
    """Its own; made when missing. Parameters, missions and logs are kept there."""
    speed: float = 1.0
    """Simulated seconds for each real one."""
    parameters: Mapping[str, float] = field(default_factory=dict)
    wipe: bool = True
    """Begin with the parameters of the order, whatever an earlier run left in the folder."""
    again: bool = False
    """It ran a moment ago and its power comes back: nothing is wiped, and whoever listens for it keeps its port."""


class Launched:
    """One running instance."""

    def __init__(
        self,
        order: Order,
        arguments: Sequence[str],
        *,
        system_id: int,
        link: str,
        spare_link: str,
        sticks_port: int | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.order = order
        self.system_id = system_id
        self.link = link
        """Where an agent reaches it (:mod:`flight.links.address`)."""
        self.spare_link = spare_link
        """A second way in, for a ground station or an observer."""
        self.sticks_port = sticks_port
        """Where it hears a remote control by UDP: eight or sixteen pulse widths of two bytes; None: nowhere."""
        self._log_file = order.folder / "autopilot.log"
        with self._log_file.open("wb") as log:
            try:
                self._process = subprocess.Popen(
                    list(arguments),
                    cwd=order.folder,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=None if environment is None else dict(environment),
                    # Ctrl-C at the terminal is for us; we stop it in order. If we are killed, the kernel does.
                    start_new_session=True,
                    preexec_fn=_die_with_parent if _LIBC is not None else None,
                )
            except OSError as error:
                raise LaunchError(f"{order.program}: {error.strerror}") from error

    @property
    def process_id(self) -> int:
        """Of the operating system."""
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Whether its process is there."""
        return self._process.poll() is None

    def why_it_ended(self) -> str:
        """Its exit code and last word."""
        lines = self._log_file.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        last = f": {lines[-1].strip()}" if lines else ""
        return f"{self.order.program.name} ended with code {self._process.poll()}{last}"

    def wait_until_it_speaks(self) -> None:
        """Until a heartbeat with its system id comes. Blocks; raises :class:`LaunchError` after a minute."""
        end_s = time.monotonic() + SPEAKS_WITHIN_S
        codec = mavlink.MAVLink(None)
        codec.robust_parsing = True
        ear: socket.socket | None = None
        try:
            while time.monotonic() < end_s:
                if not self.runs:
                    raise LaunchError(self.why_it_ended())
                try:
                    ear = ear or _listen(self.link if self.link.startswith("udpin:") else self.spare_link)
                    data = ear.recv(65535)
                except TimeoutError:
                    continue
                except OSError:
                    # It has not opened its port yet.
                    time.sleep(0.1)
                    continue
                if not data:
                    ear.close()
                    ear = None
                for message in codec.parse_buffer(data) or ():
                    if message.get_type() == "HEARTBEAT" and message.get_srcSystem() == self.system_id:
                        return
        finally:
            if ear is not None:
                ear.close()
        raise LaunchError(f"{self.order.program.name} did not speak within {SPEAKS_WITHIN_S:.0f} s")

    def ask_to_stop(self) -> None:
        """Tell it to end; :meth:`stop` waits for that."""
        with contextlib.suppress(ProcessLookupError):
            if self.runs:
                os.killpg(self._process.pid, signal.SIGTERM)

    def stop(self) -> None:
        """End it and whatever it started; by force where asking does not help within 5 s."""
        self.ask_to_stop()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOPS_WITHIN_S)
        # Also helpers that it started and that outlive it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def _die_with_parent() -> None:
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _listen(link: str) -> socket.socket:
    """A socket that hears what is sent to us on ``link`` without saying a word."""
    scheme, host, port = link.split(":")
    if scheme == "tcp":
        ear = socket.create_connection((host, int(port)), timeout=1.0)
    else:
        ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            ear.bind((host, int(port)))
        except OSError:
            ear.close()
            raise
    ear.settimeout(0.5)
    return ear


def check_program(program: Path, kind: str) -> None:
    """Raise :class:`LaunchError` unless this file can be started."""
    if not program.exists():
        raise LaunchError(f"{program} does not exist; name a {kind} program (software-in-the-loop)")
    if not program.is_file() or not os.access(program, os.X_OK):
        raise LaunchError(f"{program} is no executable; name a {kind} program (software-in-the-loop)")


def check_free(ports: Mapping[int, int]) -> None:
    """Raise :class:`LaunchError` for the first busy port. ``ports``: port → socket kind."""
    for port, kind in ports.items():
        with socket.socket(socket.AF_INET, kind) as probe:
            if kind == socket.SOCK_STREAM:
                # A connection that was closed a moment ago does not keep an autopilot from listening.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError as error:
                word = "TCP" if kind == socket.SOCK_STREAM else "UDP"
                reason = "is busy" if error.errno == errno.EADDRINUSE else f"can't be used ({error.strerror})"
                raise LaunchError(
                    f"{word} port {port} on {LOOPBACK} {reason}; choose another --first-instance"
                ) from error


def in_words(value: float) -> str:
    """A parameter's value as both programs read it: whole numbers without a point."""
    return str(int(value)) if float(value).is_integer() else repr(float(value))
