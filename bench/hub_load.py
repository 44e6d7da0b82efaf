"""The hub under a city's load, on either database: orders per second, time to a decision, lag of streams.

The hub is a process of its own (5,000 zones, 200 drones, 150 landing points); this process is the load. Both
share the machine's cores, so the load's own work counts against the hub.
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

from bench.planner_plan import City
from bench.report import Report
from hub_api.settings import DEMO_API_KEY
from tests import postgres

ROOT = Path(__file__).parents[1]
AT_ONCE = 16
WARM, ORDERS, PACED = 10, 80, 50
GOAL_RATE_S = 100.0
SHARE = 0.7
"""Of the rate that was reached; the pace where the goal was not."""
LISTENERS, STREAM_ORDERS, STREAM_PACE_S = 500, 12, 1.0
START_LIMIT_S = 180.0


def run(report: Report) -> None:
    """Measure on both databases."""
    places = _patients()
    for kind in ("sqlite", "postgresql"):
        with tempfile.TemporaryDirectory() as name, _hub(kind, Path(name)) as url:
            asyncio.run(_measure(report, kind, url, places))


def _patients() -> list[tuple[float, float]]:
    """Places of patients all over the city."""
    city = City(50)
    rng = np.random.default_rng(120)
    found = [city.point(place) for place in rng.uniform((3000.0, 3000.0), (37000.0, 27000.0), (1000, 2))]
    return [(point.latitude_deg, point.longitude_deg) for point in found]


@contextmanager
def _hub(kind: str, folder: Path) -> Iterator[str]:
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
        yield said.split("ready ", 1)[1].split()[0]
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if kind == "postgresql":
            postgres.drop_database(database)


async def _measure(report: Report, kind: str, url: str, places: list[tuple[float, float]]) -> None:
    limits = httpx.Limits(max_connections=200, max_keepalive_connections=200)
    async with httpx.AsyncClient(
        base_url=url, headers={"X-API-Key": DEMO_API_KEY}, timeout=60.0, trust_env=False, limits=limits
    ) as client:
        await _all_at_once(client, places, "warm", WARM)
        took_s, accepted, _ = await _all_at_once(client, places, "rate", ORDERS)
        rate_s = ORDERS / took_s
        note = (
            f"{kind}; {AT_ONCE} at once, 5,000 zones, 200 drones, 150 points; {accepted} of {ORDERS} accepted"
        )
        report.add(f"hub.orders.{kind}.rate_s", rate_s, "1/s", ORDERS, note)
        pace_s = GOAL_RATE_S if rate_s >= GOAL_RATE_S else SHARE * rate_s
        latencies = await _paced(client, places, pace_s)
        note = f"{kind}; POST until its answer at {pace_s:.0f} orders/s, open loop"
        for share in (50, 99):
            value = 1e3 * float(np.percentile(latencies, share))
            report.add(f"hub.decide.{kind}.p{share}_ms", value, "ms", len(latencies), note)
        lags = await _streams(client, url, places)
        note = f"{kind}; stored → read by the last of {LISTENERS} listeners, one order each {STREAM_PACE_S} s"
        report.add(
            f"hub.streams.{kind}.lag_p99_ms", 1e3 * float(np.percentile(lags, 99)), "ms", len(lags), note
        )


async def _order(
    client: httpx.AsyncClient, places: list[tuple[float, float]], key: str, number: int
) -> tuple[float, bool]:
    latitude_deg, longitude_deg = places[number % len(places)]
    position = {"reference_system": "WGS-84", "latitude_deg": latitude_deg, "longitude_deg": longitude_deg}
    began_s = time.perf_counter()
    answer = await client.post(
        "/v1/orders",
        json={"position": position, "severity": "I", "notes": "bench"},
        headers={"Idempotency-Key": f"{key}-{number}"},
    )
    took_s = time.perf_counter() - began_s
    if answer.status_code != 201:
        raise RuntimeError(f"{answer.status_code}: {answer.text[:300]}")
    return took_s, answer.json()["decision"]["outcome"] == "accepted"


async def _all_at_once(
    client: httpx.AsyncClient, places: list[tuple[float, float]], key: str, count: int
) -> tuple[float, int, list[float]]:
    """Seconds for ``count`` orders by so many senders, how many were accepted, each one's time."""
    numbers = iter(range(count))
    found: list[tuple[float, bool]] = []

    async def sender() -> None:
        for number in numbers:
            found.append(await _order(client, places, key, number))

    began_s = time.perf_counter()
    await asyncio.gather(*(sender() for _ in range(AT_ONCE)))
    return time.perf_counter() - began_s, sum(ok for _, ok in found), [took for took, _ in found]


async def _paced(client: httpx.AsyncClient, places: list[tuple[float, float]], pace_s: float) -> list[float]:
    """Orders at fixed moments, whether or not earlier ones are answered; each one's time."""
    tasks = []
    began_s = time.perf_counter()
    for number in range(PACED):
        await asyncio.sleep(max(0.0, began_s + number / pace_s - time.perf_counter()))
        tasks.append(asyncio.ensure_future(_order(client, places, "paced", number)))
    return [took_s for took_s, _ in await asyncio.gather(*tasks)]


async def _streams(client: httpx.AsyncClient, url: str, places: list[tuple[float, float]]) -> list[float]:
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
        await _order(client, places, "stream", number)
        await asyncio.sleep(STREAM_PACE_S)
    await asyncio.sleep(3.0)
    for listener in listeners:
        listener.cancel()
    await asyncio.gather(*listeners, return_exceptions=True)
    wanted = 2 * STREAM_ORDERS * LISTENERS
    if len(lags) != wanted:
        raise RuntimeError(f"{len(lags)} of {wanted} messages came")
    return lags
