"""A fleet of simulated vehicles behind UDP ports on loopback: one process, one thread.

Each vehicle listens on its own port and answers whoever sends to it: every sender's address is a
channel of its own. No packet leaves a vehicle before a first datagram came in.
"""

from __future__ import annotations

import selectors
import signal
import socket
import sys
import time
from dataclasses import dataclass, field
from types import FrameType

from core.errors import ErrorCode, InternalError
from sitl.airframe import load_airframe
from sitl.autopilot import Personality
from sitl.pacing import Pacer
from sitl.site import Berth, SiteLayout
from sitl.vehicle import SimulatedVehicle, VehicleSettings
from sitl.weather import Wind

LOOPBACK = "127.0.0.1"
SLICE_S = 0.05
"""Real seconds between steps at most; simulated latency at speed-up N is N times this."""
CLIENTS_MAX = 16
"""Per vehicle; a further sender takes the place of the one that was silent longest."""
RECEIVE_MAX = 64
"""Datagrams taken per vehicle and round, so that one talker cannot starve the rest."""


class PortBusy(InternalError):
    """Another program listens there."""

    def __init__(self, port: int, vehicle: str) -> None:
        super().__init__(ErrorCode.SETTINGS_INVALID, f"UDP port {port} of {vehicle} is busy on {LOOPBACK}")


@dataclass(slots=True)
class Post:
    """A vehicle at its socket."""

    berth: Berth
    vehicle: SimulatedVehicle
    socket: socket.socket
    clients: dict[tuple[str, int], int] = field(default_factory=dict)
    """Sender address → channel."""
    heard_s: dict[tuple[str, int], float] = field(default_factory=dict)

    def receive(self, now_s: float) -> None:
        for _ in range(RECEIVE_MAX):
            try:
                data, address = self.socket.recvfrom(65535)
            except (BlockingIOError, ConnectionRefusedError):
                return
            if address not in self.clients:
                self._admit(address)
            self.heard_s[address] = now_s
            self.vehicle.receive(data, self.clients[address])

    def _admit(self, address: tuple[str, int]) -> None:
        if len(self.clients) < CLIENTS_MAX:
            channel = len(self.clients)
            if channel >= len(self.vehicle.channels):
                self.vehicle.open_channel()
        else:
            oldest = min(self.heard_s, key=lambda each: self.heard_s[each])
            channel = self.clients.pop(oldest)
            del self.heard_s[oldest]
        self.clients[address] = channel

    def send(self) -> None:
        for address, channel in self.clients.items():
            for datagram in self.vehicle.take_outgoing(channel):
                try:
                    self.socket.sendto(datagram, address)
                except (BlockingIOError, ConnectionRefusedError):
                    # A full buffer or a peer that went away loses the datagram, as UDP does.
                    continue


def _adapted(parameters: dict[str, float], autopilot: Personality, speedup: float) -> dict[str, float]:
    """PX4's start script stretches the link's time-out with the speed factor, so that real seconds count."""
    if autopilot is not Personality.PX4 or speedup <= 1.0:
        return parameters
    return {"COM_DL_LOSS_T": round(10.0 * speedup), **parameters}


class Fleet:
    """Vehicles, their sockets and their common time."""

    def __init__(
        self,
        layout: SiteLayout,
        *,
        wind: Wind,
        seed: int,
        speedup: float,
        ready_after_s: float | None = None,
        parameters: dict[str, float] | None = None,
    ) -> None:
        self.posts: list[Post] = []
        self.speedup = speedup
        self._selector = selectors.DefaultSelector()
        self._stop = False
        try:
            for berth in layout.berths:
                self._open(layout, berth, wind, seed, ready_after_s, parameters or {})
        except BaseException:
            self.close()
            raise

    def _open(
        self,
        layout: SiteLayout,
        berth: Berth,
        wind: Wind,
        seed: int,
        ready_after_s: float | None,
        parameters: dict[str, float],
    ) -> None:
        airframe = load_airframe(berth.airframe_id)
        personality = berth.autopilot or Personality(airframe.autopilot)
        vehicle = SimulatedVehicle(
            berth.system_id,
            berth.place,
            berth.ground_amsl_m,
            settings=VehicleSettings(
                airframe=airframe,
                parameters=_adapted(parameters, personality, self.speedup),
                wind=wind,
                autopilot=personality,
                ready_after_s=ready_after_s,
                terrain=layout.terrain(berth) if layout.ground_points else None,
            ),
            seed=seed,
        )
        endpoint = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        endpoint.setblocking(False)
        try:
            endpoint.bind((LOOPBACK, berth.port))
        except OSError as error:
            endpoint.close()
            raise PortBusy(berth.port, berth.name) from error
        post = Post(berth, vehicle, endpoint)
        self.posts.append(post)
        self._selector.register(endpoint, selectors.EVENT_READ, post)

    def announce(self) -> None:
        """One line per vehicle that now answers."""
        for post in self.posts:
            berth = post.berth
            print(
                f"ready {berth.name} system {berth.system_id} airframe {berth.airframe_id} "
                f"udpout:{LOOPBACK}:{post.socket.getsockname()[1]} "
                f"at {berth.place.latitude_deg:.6f},{berth.place.longitude_deg:.6f} "
                f"autopilot {post.vehicle.personality}",
                flush=True,
            )

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._stop = True

    def run(self) -> None:
        """Until SIGTERM or SIGINT."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        for post in self.posts:
            post.vehicle.step(0.1)
        pacer = Pacer(self.speedup)
        self.announce()
        wait_s = min(SLICE_S, 0.1 / self.speedup)
        skipped_s = 0.0
        while not self._stop:
            for key, _ in self._selector.select(wait_s):
                key.data.receive(time.monotonic())
            owed_s = pacer.due_s()
            for post in self.posts:
                if owed_s > 0:
                    post.vehicle.step(owed_s)
                post.send()
            if pacer.skipped_s > skipped_s + 1.0:
                skipped_s = pacer.skipped_s
                print(f"too slow: {skipped_s:.1f} real seconds skipped so far", file=sys.stderr, flush=True)

    def close(self) -> None:
        self._selector.close()
        for post in self.posts:
            post.socket.close()
