"""One story, two lives of a hub: the first ends by SIGKILL at a named step, the second must know everything.

A story is what a centre does. It is told to the second life again from its beginning, with the same keys, as a centre
does that got no answer.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Protocol

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


class Story(Protocol):
    """What a centre does with a hub, and what must have come of it."""

    settings: dict[str, str]
    """Of the hub, as environment."""

    def begins(self, step: str) -> bool:
        """Whether this is the story's first step; what comes before it is the hub's start."""

    def tell(self, life: Life) -> None:
        """From the beginning to the end, however much of it is done already. ``httpx.TransportError``: the hub died."""

    def check(self, life: Life, folder: Path, told: str) -> None:
        """Nothing lost, nothing doubled. ``told`` says where the hub died."""


class Life:
    """A running victim."""

    def __init__(
        self, folder: Path, database_url: str, *death: str, settings: dict[str, str] | None = None
    ) -> None:
        with (folder / "log").open("a") as log:
            self._process = self._start(folder, database_url, death, log, settings or {})
        assert self._process.stdout is not None
        url = self._process.stdout.readline().strip()
        self.ready_cpu_s = self._cpu_s()
        self.client = httpx.Client(base_url=url, headers=KEY, timeout=20.0, trust_env=False) if url else None

    @staticmethod
    def _start(
        folder: Path, database_url: str, death: tuple[str, ...], log: IO[str], settings: dict[str, str]
    ) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.hub.victim", str(folder), database_url, *death],
            cwd=ROOT,
            env={**os.environ, **settings},
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

    def get(self, path: str) -> Any:
        assert self.client is not None
        answer = self.client.get(path)
        assert answer.status_code == 200, (path, answer.text)
        return answer.json()

    def send(self, method: str, path: str, body: dict[str, Any], *, key: str | None = None) -> httpx.Response:
        assert self.client is not None
        return self.client.request(method, path, json=body, headers={"Idempotency-Key": key} if key else None)

    def until(self, path: str, reached: Callable[[Any], bool]) -> Any:
        """Look again and again."""
        deadline_s = time.monotonic() + LIMIT_S
        while not reached(found := self.get(path)):
            assert time.monotonic() < deadline_s, found
            time.sleep(0.05)
        return found

    def until_closed(self, order_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.until(f"/v1/orders/{order_id}", lambda order: order["state"] == "CLOSED")
        return found

    def until_quiet(self) -> None:
        """Wait until no command is owed."""
        assert self.client is not None
        deadline_s = time.monotonic() + LIMIT_S
        while "drone_aed_commands_owed 0.0" not in self.client.get("/metrics").text:
            assert time.monotonic() < deadline_s
            time.sleep(0.05)

    def events(self, order_id: str) -> list[dict[str, Any]]:
        """The stored events of a finished order."""
        assert self.client is not None
        text = self.client.get(f"/v1/orders/{order_id}/events").text
        return [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: ")]

    def until_killed(self) -> None:
        assert self._process.wait(LIMIT_S) == -signal.SIGKILL

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def end(self) -> None:
        if self.client is not None:
            self.client.close()
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


def moments_of(step: str) -> tuple[str, ...]:
    """When to die at a step. Before a drone wrote a word down is after the word before it."""
    return ("after",) if step.startswith("(journal ") else ("before", "after")


def steps_of_a_life(story: Story, folder: Path, database_url: str) -> list[str]:
    """The names of every step of an undisturbed story."""
    folder.mkdir()
    life = Life(folder, database_url, settings=story.settings)
    try:
        story.tell(life)
        story.check(life, folder, "undisturbed")
    finally:
        life.end()
    names = (folder / "steps.txt").read_text(encoding="utf-8").splitlines()
    # What comes before the order is a start, not a step of its life.
    return names[next(index for index, name in enumerate(names) if story.begins(name)) :]


def die_and_come_back(story: Story, folder: Path, database_url: str, step: str, when: str) -> float | None:
    """Kill a hub at ``step``; everything must be there in the next one. Processor seconds until it was back.

    None: the story ended without that step. What shares a transaction depends on the moment, and so do names of steps.
    """
    folder.mkdir()
    first = Life(folder, database_url, step, when, settings=story.settings)
    try:
        with contextlib.suppress(httpx.TransportError):
            story.tell(first)
            if first.running:
                return None
        first.until_killed()
    finally:
        first.end()
    second = Life(folder, database_url, settings=story.settings)
    try:
        story.tell(second)
        story.check(second, folder, f"{step}, {when}")
        return second.ready_cpu_s
    finally:
        second.end()


def flown(folder: Path) -> list[str]:
    """Every flight that a drone remembers to have begun."""
    return [
        flight_id for path in folder.glob("*.memory") for flight_id in pickle.loads(path.read_bytes()).flown
    ]


class OneOrder:
    """An order is placed, flown and closed."""

    def __init__(self) -> None:
        self.settings: dict[str, str] = {}
        self._order_id = ""

    def begins(self, step: str) -> bool:
        return "order_received" in step

    def tell(self, life: Life) -> None:
        answer = life.send("POST", "/v1/orders", BODY, key="call")
        assert answer.status_code in (200, 201), answer.text
        self._order_id = answer.json()["order_id"]
        life.until_closed(self._order_id)
        life.until_quiet()

    def check(self, life: Life, folder: Path, told: str) -> None:
        closed = life.get(f"/v1/orders/{self._order_id}")
        assert len(life.get("/v1/orders")["orders"]) == 1, told
        story = [
            (event["at"], event["kind"], event["drone_id"], event["detail"])
            for event in life.events(self._order_id)
        ]
        assert len(closed["flights"]) == 1, (told, closed["flights"], story)
        (flight,) = closed["flights"]
        assert flown(folder) == [flight["flight_id"]], told
        assert flight["safe_state"] == "on_pad", told
        events = life.events(self._order_id)
        kinds = Counter(event["kind"] for event in events)
        once = ("order_received", "decision_accepted", "aed_on_ground", "flight_ended")
        assert {kind: kinds[kind] for kind in once} == dict.fromkeys(once, 1), (told, kinds)
        ids = [event["data"]["event_id"] for event in events if "event_id" in event["data"]]
        assert len(ids) == len(set(ids)), told
        assert all(drone["mission_id"] is None for drone in life.get("/v1/drones")["drones"]), told
        assert life.get("/v1/audit/verification")["whole"], told
