"""One order, two lives of a hub: the first ends by SIGKILL at a named step, the second must know everything."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import IO, Any

import httpx

from hub_api.settings import DEMO_API_KEY
from tests import postgres

ROOT = Path(__file__).parents[3]
KEY = {"X-API-Key": DEMO_API_KEY}
BODY = {
    "position": {"reference_system": "WGS-84", "latitude_deg": 22.5601, "longitude_deg": 113.8901},
    "severity": "I",
}
BACK_S = 5.0
"""The issue's promise, in processor time: what a busy machine adds is not the hub's."""
LIMIT_S = 90.0


def a_database(kind: str, folder: Path) -> str:
    """The URL of a new, empty database."""
    return f"sqlite:///{folder / 'hub.db'}" if kind == "sqlite" else postgres.migrated_database()


class Life:
    """A running victim."""

    def __init__(self, folder: Path, database_url: str, *death: str) -> None:
        with (folder / "log").open("a") as log:
            self._process = self._start(folder, database_url, death, log)
        assert self._process.stdout is not None
        url = self._process.stdout.readline().strip()
        self.ready_cpu_s = self._cpu_s()
        self.client = httpx.Client(base_url=url, headers=KEY, timeout=20.0, trust_env=False) if url else None

    @staticmethod
    def _start(
        folder: Path, database_url: str, death: tuple[str, ...], log: IO[str]
    ) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.hub.victim", str(folder), database_url, *death],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )

    def _cpu_s(self) -> float:
        try:
            fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def place(self) -> httpx.Response | None:
        """The order; None when the hub died over it."""
        if self.client is None:
            return None
        try:
            return self.client.post("/v1/orders", json=BODY, headers={"Idempotency-Key": "call"})
        except httpx.TransportError:
            return None

    def until_closed(self, order_id: str) -> dict[str, Any]:
        assert self.client is not None
        deadline_s = time.monotonic() + LIMIT_S
        while True:
            order: dict[str, Any] = self.client.get(f"/v1/orders/{order_id}").json()
            if order["state"] == "CLOSED":
                return order
            assert time.monotonic() < deadline_s, order
            time.sleep(0.05)

    def until_quiet(self) -> None:
        """Wait until no command is owed."""
        assert self.client is not None
        deadline_s = time.monotonic() + LIMIT_S
        while "drone_aed_commands_owed 0.0" not in self.client.get("/metrics").text:
            assert time.monotonic() < deadline_s
            time.sleep(0.05)

    def until_killed(self) -> None:
        assert self._process.wait(LIMIT_S) == -signal.SIGKILL

    def end(self) -> None:
        if self.client is not None:
            self.client.close()
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


def steps_of_a_life(folder: Path, database_url: str) -> list[str]:
    """The names of every step that an undisturbed order takes, from the empty hub on."""
    folder.mkdir()
    life = Life(folder, database_url)
    try:
        answer = life.place()
        assert answer is not None
        life.until_closed(answer.json()["order_id"])
        life.until_quiet()
    finally:
        life.end()
    names = (folder / "steps.txt").read_text(encoding="utf-8").splitlines()
    # What comes before the order is a start, not a step of its life.
    return names[next(index for index, name in enumerate(names) if "order_received" in name) :]


def die_and_come_back(folder: Path, database_url: str, step: str, when: str) -> float:
    """Kill a hub at ``step``; everything must be there in the next one. Processor seconds until it was back."""
    folder.mkdir()
    first = Life(folder, database_url, step, when)
    try:
        first.place()
        first.until_killed()
    finally:
        first.end()
    second = Life(folder, database_url)
    try:
        told = f"{step}, {when}"
        answer = second.place()
        assert answer is not None, told
        assert answer.status_code in (200, 201), (told, answer.text)
        closed = second.until_closed(answer.json()["order_id"])
        second.until_quiet()
        check(second, folder, closed, told)
        return second.ready_cpu_s
    finally:
        second.end()


def check(life: Life, folder: Path, closed: dict[str, Any], told: str) -> None:
    """Nothing lost, nothing doubled."""
    client = life.client
    assert client is not None
    assert len(client.get("/v1/orders").json()["orders"]) == 1, told
    (flight,) = closed["flights"]
    flown = [
        flight_id for path in folder.glob("*.memory") for flight_id in pickle.loads(path.read_bytes()).flown
    ]
    assert flown == [flight["flight_id"]], told
    assert flight["safe_state"] == "on_pad", told
    text = client.get(f"/v1/orders/{closed['order_id']}/events").text
    events = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: ")]
    kinds = Counter(event["kind"] for event in events)
    once = ("order_received", "decision_accepted", "aed_on_ground", "flight_ended")
    assert {kind: kinds[kind] for kind in once} == dict.fromkeys(once, 1), (told, kinds)
    ids = [event["data"]["event_id"] for event in events if "event_id" in event["data"]]
    assert len(ids) == len(set(ids)), told
    assert all(drone["mission_id"] is None for drone in client.get("/v1/drones").json()["drones"]), told
    assert client.get("/v1/audit/verification").json()["whole"], told
