"""The hub under a city's load, on either database: orders per second, time to a decision, lag of streams, restart.

The hub is a process of its own with one for its planner (5,000 zones, 200 drones, 150 landing points); this process is the
load. All share the machine's cores, so the load's own work counts against the hub. The load begins when the planner has
rehearsed the winds of the start, as in a hub that has been in service for a minute. Every database has its own figures; the
names without one are the worse of the two.

Patients are anywhere in the city, as far as they may be from a landing point: about four in ten can be reached on foot, and
their orders are accepted as long as drones are free. Drones fly for two seconds, so that 200 of them could take 100
accepted orders a second. Accepted and declined orders are counted apart: a declined one costs less.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np

from bench._connection import Connection
from bench.planner_plan import City
from bench.report import Report
from hub_api.planner_process.decider import REHEARSE_S
from hub_api.settings import DEMO_API_KEY
from tests import postgres
from tests.chaos.hub.processes import HubProcess, site_file

ROOT = Path(__file__).parents[1]
AT_ONCE = 32
WARM, ORDERS, PACED = 100, 500, 300
GOAL_RATE_S = 100.0
SHARE = 0.7
"""Of the rate that was reached; the pace where the goal was not."""
LISTENERS, STREAM_ORDERS, STREAM_PACE_S = 500, 12, 1.0
START_LIMIT_S = 180.0
REHEARSAL_LIMIT_S = 600.0
RESTARTS = 3


KINDS = ("sqlite", "postgresql")
WORSE = {"hub.orders.rate_s": min, "hub.decide.p99_ms": max, "hub.streams.lag_p99_ms": max}


def run(report: Report) -> None:
    """Measure on both databases, then how long the hub is away after a kill -9."""
    places = _patients()
    for kind in KINDS:
        with tempfile.TemporaryDirectory() as name, _hub(kind, Path(name)) as (url, pid):
            asyncio.run(_measure(report, kind, url, pid, places))
    known = {figure.name: figure for figure in report.figures}
    for name, worse in WORSE.items():
        head, _, tail = name.rpartition(".")
        found = [known[f"{head}.{kind}.{tail}"] for kind in KINDS]
        value = worse(figure.value for figure in found)
        report.add(name, value, found[0].unit, sum(figure.n for figure in found), "the worse database")
    _restarts(report)


def _restarts(report: Report) -> None:
    """kill -9 and start again on the same data: until it listens and every part of it runs."""
    took_s = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        hub = HubProcess(folder, site_file(folder, 1), 1.0)
        try:
            hub.start()
            for _ in range(RESTARTS):
                hub.kill()
                took_s.append(hub.start())
        finally:
            hub.close()
    report.add("hub.restart_s", max(took_s), "s", RESTARTS, "kill -9 until «ready», the longest; demo site")


def _patients() -> list[tuple[float, float]]:
    """Places of patients all over the city."""
    city = City(50)
    rng = np.random.default_rng(120)
    found = [city.point(place) for place in rng.uniform((3000.0, 3000.0), (37000.0, 27000.0), (1000, 2))]
    return [(point.latitude_deg, point.longitude_deg) for point in found]


@contextmanager
def _hub(kind: str, folder: Path) -> Iterator[tuple[str, int]]:
    """Its address and its process id."""
    database = f"sqlite:///{folder / 'hub.db'}"
    if kind == "postgresql":
        os.environ["DRONE_AED_TEST_PG_DURABLE"] = "1"
        database = postgres.migrated_database()
    log = folder / "hub.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [
                *(sys.executable, "-u", "-m", "bench._hub_load_server"),
                *("--data-dir", str(folder / "data"), "--database-url", database),
            ],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline_s = time.monotonic() + START_LIMIT_S
        while "ready http" not in (said := log.read_text(encoding="utf-8")):
            if process.poll() is not None or time.monotonic() > deadline_s:
                raise RuntimeError(f"the hub did not start:\n{said}")
            time.sleep(0.1)
        yield said.split("ready ", 1)[1].split()[0], process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if kind == "postgresql":
            postgres.drop_database(database)


async def _measure(report: Report, kind: str, url: str, pid: int, places: list[tuple[float, float]]) -> None:
    load = _Load(url, places)
    report.add(
        f"hub.{kind}.rehearsal_s", await _rehearsed(url), "s", 1, f"{kind}; from «ready», nobody asking"
    )
    await load.all_at_once("warm", WARM)
    before_s, began_s = _cpu_s(pid), time.perf_counter()
    accepted = sum(ok for _, ok in await load.all_at_once("rate", ORDERS))
    took_s, cpu_s = time.perf_counter() - began_s, _cpu_s(pid) - before_s
    rate_s = ORDERS / took_s
    note = f"{kind}; {AT_ONCE} at once, 5,000 zones, 200 drones, 150 points; {accepted} of {ORDERS} accepted"
    report.add(f"hub.orders.{kind}.rate_s", rate_s, "1/s", ORDERS, note)
    report.add(f"hub.orders.{kind}.accepted_s", accepted / took_s, "1/s", accepted, f"{kind}; of these")
    declined = ORDERS - accepted
    report.add(f"hub.orders.{kind}.declined_s", declined / took_s, "1/s", declined, f"{kind}; of these")
    load_average = os.getloadavg()[0]
    note = f"{kind}; processor time of the hub for an order, its flights included; load average {load_average:.1f}"
    report.add(f"hub.orders.{kind}.cpu_ms", 1e3 * cpu_s / ORDERS, "ms", ORDERS, note)
    pace_s = GOAL_RATE_S if rate_s >= GOAL_RATE_S else SHARE * rate_s
    latencies = await load.paced(pace_s)
    note = f"{kind}; POST until its answer at {pace_s:.0f} orders/s, open loop"
    for share in (50, 99):
        value = 1e3 * float(np.percentile(latencies, share))
        report.add(f"hub.decide.{kind}.p{share}_ms", value, "ms", len(latencies), note)
    lags = await _streams(load, url)
    note = f"{kind}; stored → read by the last of {LISTENERS} listeners, one order each {STREAM_PACE_S} s"
    report.add(f"hub.streams.{kind}.lag_p99_ms", 1e3 * float(np.percentile(lags, 99)), "ms", len(lags), note)
    load.close()


async def _rehearsed(url: str) -> float:
    """Wait as long as the planner plans for the next orders in the winds of now, as it has done in a hub in service."""
    began_s = time.perf_counter()
    async with httpx.AsyncClient(base_url=url, headers={"X-API-Key": DEMO_API_KEY}) as client:
        # The first news of the fleet goes to the planner some seconds after the start.
        await asyncio.sleep(2.0 * REHEARSE_S)
        async with asyncio.timeout(REHEARSAL_LIMIT_S):
            while "drone_aed_planner_rehearsing 0.0" not in (await client.get("/metrics")).text:  # noqa: ASYNC110
                await asyncio.sleep(0.5)
    return time.perf_counter() - began_s


def _cpu_s(pid: int) -> float:
    """Processor time that a process and its children have used, user and system."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    ticks = 0
    for each in (str(pid), *children):
        fields = Path(f"/proc/{each}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


class _Load:
    """Orders from all over the city."""

    def __init__(self, url: str, places: list[tuple[float, float]]) -> None:
        self._url, self._places = url, places
        self._idle: list[Connection] = []

    async def order(self, key: str, number: int) -> tuple[float, bool]:
        """How long the answer took, and whether the order was accepted."""
        latitude_deg, longitude_deg = self._places[number % len(self._places)]
        position = {
            "reference_system": "WGS-84",
            "latitude_deg": latitude_deg,
            "longitude_deg": longitude_deg,
        }
        connection = self._idle.pop() if self._idle else Connection(self._url, DEMO_API_KEY)
        began_s = time.perf_counter()
        status, body = await connection.post(
            "/v1/orders", {"position": position, "severity": "I", "notes": "bench"}, f"{key}-{number}"
        )
        took_s = time.perf_counter() - began_s
        self._idle.append(connection)
        if status != 201:
            raise RuntimeError(f"{status}: {body[:300]!r}")
        return took_s, b'"outcome":"accepted"' in body

    async def all_at_once(self, key: str, count: int) -> list[tuple[float, bool]]:
        """So many orders by :data:`AT_ONCE` senders, each as soon as its last one is answered."""
        numbers = iter(range(count))
        found: list[tuple[float, bool]] = []

        async def sender() -> None:
            for number in numbers:
                found.append(await self.order(key, number))

        await asyncio.gather(*(sender() for _ in range(AT_ONCE)))
        return found

    async def paced(self, pace_s: float) -> list[float]:
        """Orders at fixed moments, whether or not earlier ones are answered; each one's time."""
        tasks = []
        began_s = time.perf_counter()
        for number in range(PACED):
            await asyncio.sleep(max(0.0, began_s + number / pace_s - time.perf_counter()))
            tasks.append(asyncio.ensure_future(self.order("paced", number)))
        return [took_s for took_s, _ in await asyncio.gather(*tasks)]

    def close(self) -> None:
        """Hang up."""
        for connection in self._idle:
            connection.close()


async def _streams(load: _Load, url: str) -> list[float]:
    """Seconds from an event's storing to its reading, of every event at every listener."""
    parts = urlsplit(url)
    lags: list[float] = []
    ready = asyncio.Semaphore(0)

    async def listen() -> None:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.write(
            f"GET /v1/stream/events?topics=incidents HTTP/1.1\r\nHost: hub\r\nX-API-Key: {DEMO_API_KEY}\r\n\r\n".encode()
        )
        try:
            while line := await reader.readline():
                if line.startswith(b"event: hello"):
                    ready.release()
                elif line.startswith(b"data: ") and b'"type": "event"' in line:
                    now_s = time.time()
                    event: dict[str, Any] = json.loads(line.removeprefix(b"data: "))
                    if event["kind"] in ("order_received", "decision_accepted", "decision_declined"):
                        lags.append(now_s - datetime.fromisoformat(event["at"]).timestamp())
        finally:
            writer.close()

    listeners = [asyncio.ensure_future(listen()) for _ in range(LISTENERS)]
    async with asyncio.timeout(60):
        for _ in range(LISTENERS):
            await ready.acquire()
    for number in range(STREAM_ORDERS):
        await load.order("stream", number)
        await asyncio.sleep(STREAM_PACE_S)
    await asyncio.sleep(3.0)
    for listener in listeners:
        listener.cancel()
    await asyncio.gather(*listeners, return_exceptions=True)
    wanted = 2 * STREAM_ORDERS * LISTENERS
    if len(lags) != wanted:
        raise RuntimeError(f"{len(lags)} of {wanted} messages came")
    return lags
