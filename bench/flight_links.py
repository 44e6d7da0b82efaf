"""Links: decoding, a fleet of a thousand in one process, uploads over slow links, a link that falls silent."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Hashable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mavlink

from bench.flight_traffic import MESSAGES_PER_S, frames, key_of, sender
from bench.report import Report
from core.clock import LoopClock
from core.geodesy import Wgs84Point
from core.virtual_time import run_virtual
from flight.links.key_store import KeyStore
from flight.links.mavlink import kernel
from flight.links.mavlink.connection import VehicleConnection
from flight.links.mavlink.framing import FrameParser
from flight.links.mavlink.hub import LinkHub
from flight.links.mavlink.mission import MissionType
from flight.links.mavlink.pace import WINDOW
from flight.links.mavlink.signing import SignatureGuard, SigningKey, SigningTimes
from flight.links.transport import OnData
from flight.messages import LinkChanged
from planner.compile.mission_types import MissionItem
from sitl.airframe import load_airframe
from sitl.vehicle import SimulatedVehicle, VehicleSettings
from tests.scenario.flight.stage import Stage, perform

ROOT = Path(__file__).parent.parent
READ_BYTES = 4096
"""A read from a TCP stream or a log."""
REPETITIONS = 7
VEHICLES, LINKS, SECONDS = 1000, 5, 5


def run(report: Report) -> None:
    """Measure and report."""
    logging.disable(logging.WARNING)
    kernel.load()
    _decode(report)
    _fleet(report)
    _peers(report)
    _uploads(report)
    _stale_link(report)


# --- decoding -----------------------------------------------------------------------------------------------


def _least_s(work: Callable[[], None]) -> float:
    """The least processor time of some repetitions: what the work costs when nobody disturbs it."""
    least_s = float("inf")
    for _ in range(REPETITIONS):
        gc.collect()
        began_s = time.process_time()
        work()
        least_s = min(least_s, time.process_time() - began_s)
    return least_s


def _decode(report: Report) -> None:
    for signed in (False, True):
        key = key_of(1) if signed else None
        single = list(frames(sender(1, key), 1500))
        count = len(single)
        name = "flight.decode." + ("signed" if signed else "unsigned")
        note = f"every message unpacked, reads of {READ_BYTES} bytes, processor time"
        note += ", signature and time verified" if signed else ""
        stream = b"".join(single)
        chunks = [stream[at : at + READ_BYTES] for at in range(0, len(stream), READ_BYTES)]
        report.add(f"{name}_msg_s", count / _least_s(partial(_ours, key, chunks, count)), "1/s", count, note)
        each_s = _least_s(partial(_ours, key, single, count, datagrams=True))
        report.add(f"{name}_datagram_msg_s", count / each_s, "1/s", count, "one message a datagram")
        theirs_s = _least_s(partial(_pymavlink, key, chunks, count))
        report.add(f"{name}_pymavlink_msg_s", count / theirs_s, "1/s", count, "peer, same stream")


def _ours(key: bytes | None, chunks: list[bytes], count: int, *, datagrams: bool = False) -> None:
    guard = None
    if key is not None:
        guard = SignatureGuard(SigningTimes(_Now()))
        guard.expect(1, SigningKey(key))
    parser = FrameParser(judge=guard)
    feed = parser.feed_datagram if datagrams else parser.feed
    heard = sum(len(feed(chunk)) for chunk in chunks)
    assert heard == count, f"{heard} of {count} decoded"


def _pymavlink(key: bytes | None, chunks: list[bytes], count: int) -> None:
    parser = mavlink.MAVLink(None, srcSystem=255, srcComponent=190)
    if key is not None:
        parser.signing.secret_key = key
    heard = sum(len(parser.parse_buffer(chunk) or ()) for chunk in chunks)
    assert heard == count, f"{heard} of {count} decoded"


class _Now:
    """The wall clock, for signing times."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC)

    def now(self) -> Any:
        return self.at

    monotonic_s: Any = None
    sleep: Any = None
    timeout: Any = None


# --- a fleet ------------------------------------------------------------------------------------------------


def _free_ports(count: int) -> list[int]:
    found = []
    for _ in range(count):
        probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        probe.bind(("127.0.0.1", 0))
        found.append(probe)
    ports = [probe.getsockname()[1] for probe in found]
    for probe in found:
        probe.close()
    return ports


def _traffic(ports: list[int], *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "bench.flight_traffic", *map(str, ports), *options]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _fleet(report: Report) -> None:
    with tempfile.TemporaryDirectory() as folder:
        heard, sent, cpu_s, took_s = asyncio.run(_listen(Path(folder)))
    note = (
        f"{VEHICLES} vehicles on {LINKS} UDP ports, {MESSAGES_PER_S} messages/s each, one a datagram, each "
        "verified with its vehicle's key and in its view; signed heartbeats and TIMESYNC to each; no agents"
    )
    report.add("flight.fleet_1000.cpu_fraction", cpu_s / took_s, "1", VEHICLES, note)
    report.add("flight.fleet_1000.lost", sent - heard, "1", sent, "messages sent and not in a view")
    report.add(
        "flight.fleet_1000.us_per_msg", cpu_s / heard * 1e6, "us", heard, "heartbeats to them included"
    )


async def _listen(folder: Path) -> tuple[int, int, float, float]:
    clock = LoopClock()
    keys = KeyStore(folder / "keys.json", clock)
    keys.adopt_all({f"v{number}": SigningKey(key_of(number)) for number in range(VEHICLES)})
    hub = LinkHub(clock, keys=keys, times=SigningTimes(clock, folder / "times.json"))
    ports = _free_ports(LINKS)
    fleet = [
        VehicleConnection(
            number // LINKS + 1,
            hub.claim(f"udpin:127.0.0.1:{ports[number % LINKS]}", number // LINKS + 1, owner=f"v{number}"),
            clock,
        )
        for number in range(VEHICLES)
    ]
    tasks = [asyncio.create_task(each.run()) for each in fleet] + [asyncio.create_task(hub.run())]
    await asyncio.sleep(0.5)
    options = ("--vehicles", str(VEHICLES), "--seconds", str(SECONDS))
    traffic = _traffic(ports, *options)
    assert traffic.stdin is not None
    assert traffic.stdout is not None
    try:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, traffic.stdout.readline)

        def heard() -> int:
            return sum(each.signing.verified for each in fleet if each.signing is not None)

        gc.collect()
        gc.freeze()
        cpu_s = time.process_time()
        traffic.stdin.write("go\n")
        traffic.stdin.flush()
        done = json.loads(await loop.run_in_executor(None, traffic.stdout.readline))
        # On a busy machine some still waits in the sockets; it is not lost, and its work counts too.
        before = -1
        while before != heard() < done["sent"]:
            before = heard()
            await asyncio.sleep(0.5)
        used_s = time.process_time() - cpu_s
        gc.unfreeze()
        # The first frame was sent ahead, to start listeners, and comes again as a replay: heard once.
        return heard(), done["sent"], used_s, done["took_s"]
    finally:
        traffic.kill()
        traffic.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


# --- peers --------------------------------------------------------------------------------------------------


def _peers(report: Report) -> None:
    """The same rate as one of the fleet's ports, unsigned: what foreign receivers use for it and lose of it."""
    # MAVSDK runs a thread for each vehicle, so one vehicle plays two hundred; the others hear two hundred.
    for name, vehicles, speed in (("mavutil", VEHICLES // LINKS, 1), ("mavsdk", 1, VEHICLES // LINKS)):
        (port,) = _free_ports(1)
        seconds = str(SECONDS * speed)
        options = ("--vehicles", str(vehicles), "--seconds", seconds, "--speedup", str(speed), "--unsigned")
        command = [sys.executable, str(ROOT / "bench" / "peers" / "flight_listener.py"), name, str(port)]
        listener = subprocess.Popen(
            [*command, str(SECONDS + 6)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        traffic = None
        try:
            assert listener.stdout is not None
            listener.stdout.readline()
            traffic = _traffic([port], *options)
            assert traffic.stdin is not None
            assert traffic.stdout is not None
            sent = json.loads(traffic.stdout.readline())["ready"]
            traffic.stdin.write("go\n")
            traffic.stdin.flush()
            line = listener.stdout.readline()
        finally:
            for process in (listener, traffic):
                if process is not None:
                    process.kill()
                    process.communicate()
        heard = json.loads(line) if line else {"heard": 0}
        if not heard["heard"]:
            print(f"{name} heard nothing", file=sys.stderr)
            continue
        note = f"peer, {VEHICLES // LINKS * MESSAGES_PER_S} messages/s on one UDP port, unsigned"
        report.add(
            f"flight.fleet_200.{name}_us_per_msg", heard["cpu_s"] / heard["heard"] * 1e6, "us", sent, note
        )
        report.add(f"flight.fleet_200.{name}_lost", max(0, sent - heard["heard"]), "1", sent, note)


# --- slow links, in virtual time ----------------------------------------------------------------------------

UPLOADS = {"rtt100_s": (0.1, 0.0), "rtt300_s": (0.3, 0.0), "rtt300_loss10_s": (0.3, 0.1)}
ITEMS = 50
LOSSY_SEEDS = 20


def _uploads(report: Report) -> None:
    for name, (round_trip_s, loss) in UPLOADS.items():
        seeds = range(LOSSY_SEEDS if loss else 2)
        for window in (WINDOW, 1):
            if loss and window == 1:
                continue
            times_s = sorted(_upload_s(round_trip_s, loss, seed, window) for seed in seeds)
            worst_s = times_s[round(0.95 * (len(times_s) - 1))]
            suffix = "" if window > 1 else "_one_by_one"
            note = f"{ITEMS} items written, read back and compared; simulated ArduCopter, virtual time"
            if loss:
                note += f"; 95th percentile of {len(times_s)} seeds, median {median(times_s):.2f} s"
            report.add(f"flight.upload_{ITEMS}.{name}{suffix}", worst_s, "s", len(times_s), note)


def _upload_s(round_trip_s: float, loss: float, seed: int, window: int) -> float:
    """Time from the call to a verified list; raises if the vehicle holds anything else."""
    items = tuple(
        MissionItem(
            seq=seq, frame=3, command=22 if seq == 1 else 16,
            latitude_deg=22.5 + seq * 1e-4, longitude_deg=113.9, height_m=50.0,
        )
        for seq in range(ITEMS)
    )  # fmt: skip

    async def play() -> float:
        clock = LoopClock()
        vehicle = SimulatedVehicle(
            1, Wgs84Point(22.5, 113.9), 5.0,
            settings=VehicleSettings(airframe=load_airframe("hex10"), ready_after_s=0.0), seed=seed,
        )  # fmt: skip
        wire = SlowWire(vehicle, round_trip_s / 2, loss, seed)
        link = VehicleConnection(1, lambda: wire, clock)
        tasks = [asyncio.create_task(link.run()), asyncio.create_task(wire.fly(clock))]
        try:
            assert await link.wait_for(lambda view: view.heartbeat_s is not None, 30.0)
            began_s = clock.monotonic_s()
            for _ in range(3):
                outcome = await link.upload(MissionType.MISSION, items, window=window)
                read = await link.download(MissionType.MISSION, window=window)
                assert read.items is not None, f"{outcome.describe()}, then nothing could be read"
                held = [(item.command, round(item.latitude_deg, 6)) for item in read.items[1:]]
                if held == [(item.command, round(item.latitude_deg, 6)) for item in items[1:]]:
                    return clock.monotonic_s() - began_s
            raise AssertionError("three uploads left the vehicle with something else")
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    return run_virtual(play())


class SlowWire:
    """A transport to a simulated vehicle in memory, with delay and loss each way."""

    datagrams = True
    TICK_S = 0.005

    def __init__(self, vehicle: SimulatedVehicle, delay_s: float, loss: float, seed: int) -> None:
        self._vehicle, self._delay_s, self._loss = vehicle, delay_s, loss
        self._random = random.Random(seed)
        self._on_data: OnData | None = None
        self._carried = 0
        self._splitter = FrameParser()

    async def open(self, on_data: OnData, on_closed: Callable[[str], None]) -> None:
        self._on_data = on_data

    def _carry(self, deliver: Callable[[bytes], Any], data: bytes) -> None:
        if self._random.random() >= self._loss:
            # A nanosecond apart: timers of one moment run in any order, and this wire overtakes nothing.
            self._carried += 1
            at_s = asyncio.get_running_loop().time() + self._delay_s + self._carried * 1e-9
            asyncio.get_running_loop().call_at(at_s, deliver, data)

    def send(self, data: bytes, peer: Hashable) -> None:
        self._carry(self._vehicle.receive, data)

    def _arrive(self, data: bytes) -> None:
        if self._on_data is not None:
            self._on_data(data, None)

    async def fly(self, clock: LoopClock) -> None:
        """Let the vehicle live."""
        while True:
            await clock.sleep(self.TICK_S)
            self._vehicle.step(self.TICK_S)
            for datagram in self._vehicle.take_outgoing():
                # The simulator puts a step's frames into one datagram; a radio loses them one by one.
                for message in self._splitter.feed_datagram(datagram):
                    self._carry(self._arrive, message.raw)

    async def close(self) -> None:
        self._on_data = None


def _stale_link(report: Report) -> None:
    """From the last message that arrived to the agent saying «stale»."""

    async def play(stage: Stage) -> None:
        await stage.ready()
        assert stage.agent is not None
        stage.loss = 1.0
        heard_s = stage.agent.link.view.heard_s
        assert heard_s is not None
        await stage.until(lambda: [event for event in stage.of(LinkChanged) if event.link == "stale"], 20)
        waits_s.append(stage.clock.monotonic_s() - heard_s)

    waits_s: list[float] = []
    for seed in range(5):
        with tempfile.TemporaryDirectory() as folder:
            perform(play, Path(folder), seed=seed)
    report.add(
        "flight.stale_link_s", max(waits_s), "s", len(waits_s), "longest; virtual time, every packet lost"
    )
