"""The hub: from an order over HTTP to the arm command, with real processes in real time."""

from __future__ import annotations

import json
import math
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from bench.report import Report
from hub_api.commands.processes import site_on_free_ports
from hub_api.settings import DEMO_API_KEY

ROOT = Path(__file__).parents[1]
SITE_FILE = ROOT / "examples" / "sites" / "baoan.json"
ORDERS = 40
PLACES = ((22.5601, 113.8901), (22.5760, 113.8660), (22.5900, 113.9050), (22.5880, 113.8800))


def run(report: Report) -> None:
    """Measure and report."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        site = _site(folder)
        with _vehicles(folder, site), _hub(folder, site) as client:
            _weather(client)
            _until_ready(client, 4, 120.0)
            _order_to_arm(client, report)


def percentile(values: list[float], share: float) -> float:
    """The smallest value that at least ``share`` of all values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def _order_to_arm(client: httpx.Client, report: Report) -> None:
    """Each order is cancelled once the arm command is out: the drone stays on its pad and serves again."""
    to_arm_s, to_answer_s = [], []
    for number in range(ORDERS):
        _until_ready(client, 1, 60.0)
        if number % 10 == 0:
            _weather(client)
        latitude_deg, longitude_deg = PLACES[number % len(PLACES)]
        position = {
            "reference_system": "WGS-84",
            "latitude_deg": latitude_deg,
            "longitude_deg": longitude_deg,
        }
        began_s = time.perf_counter()
        answer = client.post(
            "/v1/orders",
            json={"position": position, "severity": "I"},
            headers={"Idempotency-Key": f"bench-{number}"},
        )
        to_answer_s.append(time.perf_counter() - began_s)
        order = answer.json()
        if order.get("decision", {}).get("outcome") != "accepted":
            raise RuntimeError(f"order {number} was not accepted: {answer.text[:500]}")
        to_arm_s.append(_arm_moment(client, order["order_id"]) - _seconds(order["received_at"]))
        client.post(f"/v1/orders/{order['order_id']}/cancel", json={"reason": "measured"})
    note = "order received → drone is being armed, plan uploaded and read back; hub and vehicles as processes"
    report.add("hub.order_to_arm.p50_s", percentile(to_arm_s, 0.50), "s", len(to_arm_s), note)
    report.add("hub.order_to_arm.p99_s", percentile(to_arm_s, 0.99), "s", len(to_arm_s), note)
    note = "POST /v1/orders until its answer, decision included; 4 drones, demonstration airspace"
    report.add("hub.order_to_answer.p50_s", percentile(to_answer_s, 0.50), "s", len(to_answer_s), note)
    report.add("hub.order_to_answer.p99_s", percentile(to_answer_s, 0.99), "s", len(to_answer_s), note)


def _arm_moment(client: httpx.Client, order_id: str) -> float:
    """When the phase «arming» began, by the hub's clock."""
    with client.stream("GET", f"/v1/orders/{order_id}/events", timeout=30.0) as stream:
        for line in stream.iter_lines():
            if line.startswith("data: "):
                event = json.loads(line.removeprefix("data: "))
                if event["data"].get("phase") == "arming":
                    return _seconds(event["at"])
    raise RuntimeError(f"order {order_id} ended without arming")


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def _site(folder: Path) -> Path:
    """The demonstration site at ports that are free here."""
    path = folder / "site.json"
    site_on_free_ports(SITE_FILE, path)
    return path


@contextmanager
def _child(arguments: list[str], log: Path, ready: int) -> Iterator[subprocess.Popen[bytes]]:
    with ExitStack() as stack:
        output = stack.enter_context(log.open("w"))
        process = subprocess.Popen(
            [sys.executable, "-u", "-m", *arguments],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "DRONE_AED_LOG_LEVEL": "WARNING"},
        )
        try:
            deadline_s = time.monotonic() + 90.0
            while log.read_text(encoding="utf-8").count("ready") < ready:
                if process.poll() is not None or time.monotonic() > deadline_s:
                    raise RuntimeError(f"{arguments[0]} did not start:\n{log.read_text(encoding='utf-8')}")
                time.sleep(0.05)
            yield process
        finally:
            process.terminate()
            process.wait(20)


@contextmanager
def _vehicles(folder: Path, site: Path) -> Iterator[None]:
    drones = len(json.loads(site.read_text(encoding="utf-8"))["drones"])
    arguments = ["sitl", "fleet", "--site", str(site), "--ready-after-s", "5"]
    with _child(arguments, folder / "sitl.log", drones):
        yield


@contextmanager
def _hub(folder: Path, site: Path) -> Iterator[httpx.Client]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    arguments = [
        *("hub_api.commands.main", "serve", "--demo", "--port", str(port)),
        *("--site", str(site), "--data-dir", str(folder / "data")),
    ]
    with (
        _child(arguments, folder / "hub.log", 1),
        httpx.Client(
            base_url=f"http://127.0.0.1:{port}",
            headers={"X-API-Key": DEMO_API_KEY},
            timeout=20.0,
            trust_env=False,
        ) as client,
    ):
        yield client


def _weather(client: httpx.Client) -> None:
    now = client.get("/v1/health").json()["now"]
    for station in client.get("/v1/stations").json()["stations"]:
        reading: dict[str, Any] = {"from_deg": 90.0, "speed_m_s": 3.0, "measured_at": now}
        client.post(f"/v1/stations/{station['station_id']}/weather", json=reading).raise_for_status()


def _until_ready(client: httpx.Client, count: int, at_most_s: float) -> None:
    deadline_s = time.monotonic() + at_most_s
    while True:
        drones = client.get("/v1/drones").json()["drones"]
        if sum(drone["ready"] for drone in drones) >= count:
            return
        if time.monotonic() > deadline_s:
            why = {d["drone_id"]: [r["code"] for r in d["not_ready_reasons"]] for d in drones}
            raise RuntimeError(f"drones are not ready: {why}")
        time.sleep(0.05)
