"""Real processes for tests: simulated vehicles over UDP, a hub that can be killed, an HTTP client."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from hub_api.commands.processes import site_on_free_ports
from hub_api.settings import DEMO_API_KEY

ROOT = Path(__file__).parents[3]
SITE_FILE = ROOT / "examples" / "sites" / "baoan.json"
START_LIMIT_S = 60.0


def site_file(folder: Path, drones: int) -> Path:
    """The demonstration site with its first drones, at ports that are free here."""
    path = folder / "site.json"
    site_on_free_ports(SITE_FILE, path, drones=drones)
    return path


@contextmanager
def vehicles(folder: Path, site: Path, speedup: float, seed: int) -> Iterator[subprocess.Popen[bytes]]:
    """Simulated vehicles of a site, as a process of their own."""
    drones = len(json.loads(site.read_text(encoding="utf-8"))["drones"])
    log = folder / "sitl.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [
                *(sys.executable, "-u", "-m", "sitl", "fleet"),
                *("--site", str(site)),
                *("--speedup", f"{speedup:g}"),
                *("--seed", str(seed)),
                *("--ready-after-s", "5"),
            ],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_for(lambda: log.read_text().count("ready") >= drones, process, log)
            yield process
        finally:
            process.terminate()
            process.wait(10)


def wait_for(done: Any, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline_s = time.monotonic() + START_LIMIT_S
    while not done():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline_s, log.read_text()
        time.sleep(0.02)


class HubProcess:
    """A hub on a data directory, killable at any moment, startable again."""

    def __init__(self, folder: Path, site: Path, speedup: float) -> None:
        self._folder, self._site, self._speedup = folder, site, speedup
        self._starts = 0
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{self._port}",
            headers={"X-API-Key": DEMO_API_KEY},
            timeout=20.0,
            trust_env=False,
        )

    def start(self) -> float:
        """Start and wait until it listens; seconds that took."""
        began_s = time.monotonic()
        self._starts += 1
        log = self._folder / f"hub-{self._starts}.log"
        with log.open("w") as output:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-u", "-m", "hub_api.commands.main", "serve", "--demo"),
                    *("--port", str(self._port)),
                    *("--speedup", f"{self._speedup:g}"),
                    *("--site", str(self._site)),
                    *("--data-dir", str(self._folder / "data")),
                ],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, "DRONE_AED_LOG_LEVEL": "INFO"},
            )
        wait_for(lambda: "hub ready" in log.read_text(), self._process, log)
        return time.monotonic() - began_s

    def kill(self) -> None:
        """No farewell: SIGKILL."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self) -> int:
        """Ask it to end; its exit code."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(20)

    def close(self) -> None:
        self.client.close()
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def weather(self) -> None:
        now = self.client.get("/v1/health").json()["now"]
        for station in self.client.get("/v1/stations").json()["stations"]:
            answer = self.client.post(
                f"/v1/stations/{station['station_id']}/weather",
                json={"from_deg": 90.0, "speed_m_s": 2.0, "measured_at": now},
            )
            assert answer.status_code == 204, answer.text

    def until_ready(self, count: int, at_most_s: float = 60.0) -> None:
        deadline_s = time.monotonic() + at_most_s
        while True:
            drones = self.client.get("/v1/drones").json()["drones"]
            if sum(drone["ready"] for drone in drones) >= count:
                return
            assert time.monotonic() < deadline_s, drones
            time.sleep(0.1)

    def events(self, order_id: str) -> list[dict[str, Any]]:
        """The stored events of a finished order."""
        text = self.client.get(f"/v1/orders/{order_id}/events").text
        return [
            json.loads(line.removeprefix("data: ")) for line in text.splitlines() if line.startswith("data: ")
        ]
