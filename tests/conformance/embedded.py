"""The project's own simulated vehicle as one of the vehicles under test, in virtual time, without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega

from core.clock import LoopClock
from core.geodesy import geodesic_distance_m
from flight.links.mavlink.transports import Transport
from sitl.airframe import load_airframe
from sitl.autopilot import Personality
from sitl.payload import LoadState
from sitl.vehicle import SimulatedVehicle, VehicleSettings
from tests.conformance.theatre import HOME, Testimony

TICK_S = 0.1
WIRE_S = 0.01
MODES = {
    ("ardupilot", "hold"): (17.0, 0.0),
    ("ardupilot", "mission"): (3.0, 0.0),
    ("px4", "hold"): (4.0, 3.0),
    ("px4", "mission"): (4.0, 4.0),
}
"""param2 and param3 of DO_SET_MODE."""


class _Memory:
    """A transport in memory."""

    datagrams = True

    def __init__(self, vehicle: EmbeddedVehicle) -> None:
        self._vehicle = vehicle
        self._on_data: Callable[[bytes, Hashable], None] | None = None

    async def open(self, on_data: Callable[[bytes, Hashable], None], on_closed: Any) -> None:
        self._on_data = on_data
        self._vehicle.listeners.append(self._arrive)

    def _arrive(self, data: bytes) -> None:
        if self._on_data is not None:
            self._on_data(data, None)

    def send(self, data: bytes, peer: Hashable) -> None:
        self._vehicle.carry(data)

    async def close(self) -> None:
        self._on_data = None
        if self._arrive in self._vehicle.listeners:
            self._vehicle.listeners.remove(self._arrive)


class EmbeddedVehicle:
    """A simulated vehicle with one of its personalities."""

    system_id = 1

    def __init__(self, kind: str, airframe_id: str) -> None:
        self.kind, self.airframe_id = kind, airframe_id
        self.testimony = Testimony()
        self.listeners: list[Callable[[bytes], None]] = []
        self._parameters: dict[str, float] = {}
        self._last_s = 0.0
        self._ears = ardupilotmega.MAVLink(None)
        self.heard: set[str] = set()
        """Names of the messages that were sent to it."""
        self._task: asyncio.Task[None] | None = None
        self._vehicle: SimulatedVehicle | None = None

    def transport(self) -> Transport:
        return _Memory(self)

    def carry(self, data: bytes) -> None:
        """To the vehicle after the wire's delay, in the order in which it was sent."""
        loop = asyncio.get_running_loop()
        self._last_s = max(loop.time() + WIRE_S, self._last_s + 1e-6)
        loop.call_at(self._last_s, self.receive, data)

    def receive(self, data: bytes) -> None:
        for message in self._ears.parse_buffer(data) or ():
            self.heard.add(message.get_type())
        if self._vehicle is not None:
            self._vehicle.receive(data)

    def _build(self) -> SimulatedVehicle:
        return SimulatedVehicle(
            self.system_id,
            HOME.position,
            HOME.ground_amsl_m,
            settings=VehicleSettings(
                airframe=load_airframe(self.airframe_id),
                autopilot=Personality(self.kind),
                parameters=self._parameters,
                ready_after_s=2.0,
            ),
            seed=1,
        )

    async def power_on(self, clock: LoopClock) -> None:
        self._vehicle = self._build()
        self._task = asyncio.create_task(self._run(clock))

    async def _run(self, clock: LoopClock) -> None:
        while True:
            await clock.sleep(TICK_S)
            vehicle = self._vehicle
            assert vehicle is not None
            vehicle.step(TICK_S)
            self._watch(vehicle)
            for datagram in vehicle.take_outgoing():
                for listener in list(self.listeners):
                    listener(datagram)

    def _watch(self, vehicle: SimulatedVehicle) -> None:
        seen = self.testimony
        if vehicle.armed and not seen.armed:
            seen.times_armed += 1
        seen.armed = vehicle.armed
        seen.position = vehicle.position
        seen.height_m = vehicle.altitude_amsl_m - HOME.ground_amsl_m
        seen.highest_m = max(seen.highest_m, seen.height_m)
        seen.farthest_m = max(seen.farthest_m, geodesic_distance_m(vehicle.position, HOME.position))
        seen.released = vehicle.payload.load is not LoadState.ON_HOOK

    async def power_off(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def power_cycle(self) -> None:
        self._vehicle = self._build()

    async def lose_gps(self) -> None:
        assert self._vehicle is not None
        self._vehicle.faults.set("gps_loss")

    async def drop_charge_to(self, fraction: float) -> None:
        assert self._vehicle is not None
        self._vehicle.faults.set("battery_charge", fraction)

    async def set_mode_from_elsewhere(self, mode: str) -> None:
        main, sub = MODES[self.kind, mode]
        writer = ardupilotmega.MAVLink(None, srcSystem=254, srcComponent=190)
        message = writer.command_long_encode(self.system_id, 1, 176, 0, 1.0, main, sub, 0, 0, 0, 0)
        self.receive(message.pack(writer))
