"""Real autopilots in software-in-the-loop as vehicles under test."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import ClassVar

from core.clock import LoopClock
from flight.links.mavlink.transports import Transport, open_transport
from planner.airframe import load_airframes
from planner.flight_plan import DeliveryMethod
from tests.conformance.real.processes import INSTANCE, Process, start_arducopter, start_px4
from tests.conformance.real.witness import Witness
from tests.conformance.theatre import HOME, Testimony

_HOME = f"{HOME.position.latitude_deg:.7f},{HOME.position.longitude_deg:.7f},{HOME.ground_amsl_m:g}"


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
        self.methods: tuple[DeliveryMethod, ...] = tuple(
            terms.method for terms in load_airframes()[self.airframe_id].deliveries
        )
        self._program, self._folder = program, folder
        self._process: Process | None = None
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

    def _start(self, *, wipe: bool) -> Process:
        raise NotImplementedError

    async def power_on(self, clock: LoopClock) -> None:
        os.makedirs(self._folder, exist_ok=True)
        self._process = self._start(wipe=True)
        await asyncio.sleep(1.0)
        self._witness = Witness(self.witness_at, self.system_id, self.gripper_output, self.witness_port)

    async def power_off(self) -> None:
        if self._witness is not None:
            await asyncio.to_thread(self._witness.close)
        if self._process is not None:
            await self._process.stop()

    async def power_cycle(self) -> None:
        assert self._process is not None
        await self._process.stop()
        await asyncio.sleep(0.5)
        self._process = self._start(wipe=False)
        await asyncio.sleep(1.0)
        self.witness.reconnect()


class RealArduCopter(RealVehicle):
    """ArduCopter. What its profile wants, and a frame that reaches the planned speed (30° hold it to 10 m/s)."""

    kind = "ardupilot"
    airframe_id = "hex10"
    system_id = 1
    link = f"tcp:127.0.0.1:{5760 + 10 * INSTANCE}"
    witness_at = f"tcp:127.0.0.1:{5762 + 10 * INSTANCE}"
    gripper_output = 10
    parameters: ClassVar[dict[str, float]] = {
        "WINCH_TYPE": 1, "WINCH_RATE_MAX": 2, "SERVO9_FUNCTION": 88,
        "GRIP_ENABLE": 1, "GRIP_TYPE": 1, "SERVO10_FUNCTION": 28,
        "FS_GCS_ENABLE": 1, "FS_OPTIONS": 18, "BATT_FS_LOW_ACT": 2, "BATT_FS_CRT_ACT": 1,
        "FENCE_ENABLE": 1, "FENCE_TYPE": 5, "FENCE_ACTION": 1, "RALLY_LIMIT_KM": 20,
        "BATT_CAPACITY": 40000, "ANGLE_MAX": 6000,
    }  # fmt: skip

    def _start(self, *, wipe: bool) -> Process:
        return start_arducopter(self._program, self._folder, _HOME, self.parameters, wipe=wipe)

    async def lose_gps(self) -> None:
        self.witness.set_float("SIM_GPS_DISABLE", 1.0)

    async def drop_charge_to(self, fraction: float) -> None:
        self.witness.command(42651, 1.0, fraction * 100.0)

    async def set_mode_from_elsewhere(self, mode: str) -> None:
        # Not LOITER: without a remote control it sinks, and the agent rightly calls that a deviation.
        self.witness.command(176, 1.0, {"hold": 17.0, "mission": 3.0}[mode])


class RealPx4(RealVehicle):
    """PX4 with its built-in quadcopter; less drag than its default, which holds it below 10 m/s."""

    kind = "px4"
    airframe_id = "quad8_px4"
    system_id = INSTANCE + 1
    link = f"udpin:127.0.0.1:{14540 + INSTANCE}"
    witness_at = f"udpout:127.0.0.1:{18570 + INSTANCE}"
    witness_port = 24550 + INSTANCE
    gripper_output = 5
    parameters: ClassVar[dict[str, float]] = {
        "SIH_KDV": 0.3, "SIM_BAT_DRAIN": 3600, "SDLOG_BACKEND": 0, "PWM_MAIN_FUNC5": 430,
        "NAV_DLL_ACT": 2, "COM_DLL_EXCEPT": 1, "COM_LOW_BAT_ACT": 3, "GF_ACTION": 3,
        "MIS_COMMAND_TOUT": 0, "COM_PREARM_MODE": 2,
    }  # fmt: skip

    def _start(self, *, wipe: bool) -> Process:
        return start_px4(self._program, self._folder, _HOME, self.parameters, wipe=wipe)

    async def lose_gps(self) -> None:
        self.witness.set_whole("SIM_GPS_USED", 0)

    async def drop_charge_to(self, fraction: float) -> None:
        self.witness.set_float("SIM_BAT_MIN_PCT", fraction * 100.0)
        self.witness.set_float("SIM_BAT_DRAIN", 10.0)

    async def set_mode_from_elsewhere(self, mode: str) -> None:
        self.witness.command(176, 1.0, 4.0, {"hold": 3.0, "mission": 4.0}[mode])


VEHICLES: dict[str, type[RealArduCopter] | type[RealPx4]] = {"ardupilot": RealArduCopter, "px4": RealPx4}
