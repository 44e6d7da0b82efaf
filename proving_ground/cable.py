"""The way between an agent and a simulated vehicle in one process: real MAVLink bytes, no socket.

A bad link is the vehicle's business (``sitl.faults``): a cable carries everything at once.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

from sitl.vehicle import SimulatedVehicle


class Cable:
    """A transport of :mod:`flight.links` that ends at a vehicle."""

    datagrams = True

    def __init__(self, vehicle: SimulatedVehicle) -> None:
        self._vehicle = vehicle
        self._on_data: Callable[[bytes, Hashable], None] | None = None

    async def open(
        self, on_data: Callable[[bytes, Hashable], None], on_closed: Callable[[str], None]
    ) -> None:
        """Connect; a cable never closes by itself."""
        self._on_data = on_data

    def send(self, data: bytes, peer: Hashable) -> None:
        """Towards the vehicle."""
        self._vehicle.receive(data)

    def deliver(self) -> None:
        """Carry what the vehicle has said since the last call."""
        chunks = self._vehicle.take_outgoing()
        if self._on_data is not None:
            for chunk in chunks:
                self._on_data(chunk, "vehicle")

    async def close(self) -> None:
        """Pull the plug."""
        self._on_data = None
