"""A PX4 vehicle and a ground station that speaks to it, for the tests of this room."""

from __future__ import annotations

import math
import struct
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mavlink

from sitl.autopilot import Personality
from sitl.vehicle import SimulatedVehicle
from tests.unit.sitl.ground_station import GroundStation, make_vehicle

TAKEOFF_MODE, HOLD, MISSION, RTL, LAND = (4, 2), (4, 3), (4, 4), (4, 5), (4, 6)
NAN = math.nan


def px4(*, airframe: str = "hex10", gnss_height_wanders: bool = False, **settings: Any) -> SimulatedVehicle:
    """A PX4 vehicle; without the barometer's drift unless a test is about it."""
    return make_vehicle(
        airframe=airframe, autopilot=Personality.PX4, gnss_height_wanders=gnss_height_wanders, **settings
    )


class Px4Station(GroundStation):
    """Ground station with a heartbeat and PX4's own ways."""

    def __init__(self, vehicle: SimulatedVehicle, *, ready: bool = True, **options: Any) -> None:
        super().__init__(vehicle, **options)
        self.heartbeats = True
        if ready:
            self.run(2.0)

    def mode(self, number: tuple[int, int]) -> int:  # type: ignore[override]
        return self.command(176, 1, *number)

    @property
    def shown_mode(self) -> tuple[int, int]:
        """(main, sub) of the last heartbeat."""
        custom = self.of("HEARTBEAT")[-1].custom_mode
        return custom >> 16 & 0xFF, custom >> 24 & 0xFF

    def position(
        self, command: int, north_m: float, east_m: float, up_m: float, *, hold_s: float = 0.0
    ) -> Any:
        return self.item(command, north_m, east_m, up_m, p=(hold_s, 0.0, 0.0, NAN), frame=6)

    def action(self, command: int, *p: float, z: float = 0.0) -> Any:
        values = [*p, *[0.0] * (4 - len(p))]
        item = self.item(command, p=(values[0], values[1], values[2], values[3]), frame=2)
        item.z = z
        return item

    def upload_and_settle(self, items: list[Any], kind: int = 0) -> int:
        result = self.upload(items, kind)
        self.run(1.5)
        return result

    @property
    def mission_state(self) -> int:
        return int(self.of("MISSION_CURRENT")[-1].mission_state)

    def fly_mission(self) -> None:
        """AUTO.MISSION and arm, both confirmed by HEARTBEAT."""
        assert self.mode((4, 4)) == 0
        assert self.arm() == 0
        self.run(1.1)
        assert self.vehicle.armed
        assert self.shown_mode == (4, 4)

    def take_off(self, up_m: float) -> None:
        """Armed and holding ``up_m`` above the launch point."""
        assert self.arm() == 0
        assert self.command(22, 0, 0, 0, NAN, NAN, NAN, self.vehicle.launch_amsl_m + up_m) == 0
        self.run_until(lambda: self.shown_mode == (4, 3) and self.vehicle.body.up_m > up_m - 1.0, 60)

    def set_integer(self, name: str, value: int) -> None:
        field = struct.unpack("<f", struct.pack("<i", value))[0]
        self.send(mavlink.MAVLink_param_set_message(1, 1, name.encode(), field, 6))
        (answer,) = [m for m in self.collect() if m.get_type() == "PARAM_VALUE"]
        assert struct.unpack("<i", struct.pack("<f", answer.param_value))[0] == value

    def set_real(self, name: str, value: float) -> None:
        self.send(mavlink.MAVLink_param_set_message(1, 1, name.encode(), value, 9))
        (answer,) = [m for m in self.collect() if m.get_type() == "PARAM_VALUE"]
        assert answer.param_value == struct.unpack("<f", struct.pack("<f", value))[0]

    def acks(self, command: int) -> list[int]:
        return [m.result for m in self.of("COMMAND_ACK") if m.command == command]

    def witnessed(self, what: str) -> list[float]:
        return [each.at_s for each in self.vehicle.witnessed if each.what == what]
