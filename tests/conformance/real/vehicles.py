"""Real autopilots in software-in-the-loop as vehicles under test."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import ClassVar

from core.clock import LoopClock
from flight.links.mavlink.transports import Transport, open_transport
from sitl.launchers import Launched, ardupilot, px4
from tests.conformance.real.processes import INSTANCE, start_at_home, stop
from tests.conformance.real.witness import Witness
from tests.conformance.theatre import Testimony


class RealVehicle:
    """What the two have in common."""

    kind: str
    airframe_id: str
    system_id: int
    link: str
    witness_at: str
    witness_port: int | None = None
    gripper_output: int
    parameters: ClassVar[dict[str, float]]

    def __init__(self, program: Path, folder: Path) -> None:
        self._program, self._folder = program, folder
        self._process: Launched | None = None
        self._witness: Witness | None = None

    @property
    def testimony(self) -> Testimony:
        return Testimony() if self._witness is None else self._witness.testimony

    @property
    def witness(self) -> Witness:
        """The observer, once the power is on."""
        assert self._witness is not None
        return self._witness

    def transport(self) -> Transport:
        return open_transport(self.link)

    def _start(self, *, again: bool) -> Launched:
        return start_at_home(self.kind, self._program, self._folder, self.parameters, again=again)

    async def power_on(self, clock: LoopClock) -> None:
        os.makedirs(self._folder, exist_ok=True)
        self._process = self._start(again=False)
        await asyncio.sleep(1.0)
        self._witness = Witness(self.witness_at, self.system_id, self.gripper_output, self.witness_port)

    async def power_off(self) -> None:
        if self._witness is not None:
            await asyncio.to_thread(self._witness.close)
        if self._process is not None:
            await stop(self._process)

    async def power_cycle(self) -> None:
        assert self._process is not None
        await stop(self._process)
        await asyncio.sleep(0.5)
        self._process = self._start(again=True)


class RealArduCopter(RealVehicle):
    """ArduCopter."""

    kind = "ardupilot"
    airframe_id = "hex10"
    system_id = 1
    link = f"tcp:127.0.0.1:{5760 + 10 * INSTANCE}"
    witness_at = f"tcp:127.0.0.1:{5762 + 10 * INSTANCE}"
    gripper_output = ardupilot.GRIPPER_OUTPUT
    parameters: ClassVar[dict[str, float]] = {**ardupilot.PROFILE, "SYSID_THISMAV": 1}

    async def lose_gps(self) -> None:
        self.witness.set_float("SIM_GPS_DISABLE", 1.0)

    async def drop_charge_to(self, fraction: float) -> None:
        self.witness.command(42651, 1.0, fraction * 100.0)

    async def set_mode_from_elsewhere(self, mode: str) -> None:
        # Not LOITER: without a remote control it sinks, and the agent rightly calls that a deviation.
        self.witness.command(176, 1.0, {"hold": 17.0, "mission": 3.0}[mode])


class RealPx4(RealVehicle):
    """PX4 with its built-in quadcopter."""

    kind = "px4"
    airframe_id = "quad8_px4"
    system_id = INSTANCE + 1
    link = f"udpin:127.0.0.1:{14540 + INSTANCE}"
    witness_at = f"udpout:127.0.0.1:{18570 + INSTANCE}"
    witness_port = 24550 + INSTANCE
    gripper_output = px4.GRIPPER_OUTPUT
    parameters: ClassVar[dict[str, float]] = px4.PROFILE

    async def lose_gps(self) -> None:
        self.witness.set_whole("SIM_GPS_USED", 0)

    async def drop_charge_to(self, fraction: float) -> None:
        self.witness.set_float("SIM_BAT_MIN_PCT", fraction * 100.0)
        self.witness.set_float("SIM_BAT_DRAIN", 10.0)

    async def set_mode_from_elsewhere(self, mode: str) -> None:
        self.witness.command(176, 1.0, 4.0, {"hold": 3.0, "mission": 4.0}[mode])


VEHICLES: dict[str, type[RealArduCopter] | type[RealPx4]] = {"ardupilot": RealArduCopter, "px4": RealPx4}
