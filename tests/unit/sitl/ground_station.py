"""A tiny ground station for the tests of this room: pymavlink only, nothing of ``flight``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mavlink

from core.geodesy import EnuOffset, Wgs84Point
from sitl.airframe import load_airframe
from sitl.vehicle import SimulatedVehicle, VehicleSettings

LAUNCH = Wgs84Point(22.5806, 113.8830)
LAUNCH_AMSL_M = 5.0
STABILIZE, AUTO, GUIDED, LOITER, RTL, LAND, BRAKE = 0, 3, 4, 5, 6, 9, 17


def make_vehicle(
    *,
    airframe: str = "arducopter_sitl_quad",
    parameters: dict[str, float] | None = None,
    seed: int = 1,
    **settings: Any,
) -> SimulatedVehicle:
    """A vehicle whose estimator is ready at once; by default ArduCopter's own quadrotor and defaults."""
    settings.setdefault("ready_after_s", 0.0)
    return SimulatedVehicle(
        1,
        LAUNCH,
        LAUNCH_AMSL_M,
        settings=VehicleSettings(airframe=load_airframe(airframe), parameters=parameters or {}, **settings),
        seed=seed,
    )


class GroundStation:
    """Sends, steps the vehicle, and keeps everything heard with the time it was heard at."""

    def __init__(self, vehicle: SimulatedVehicle, *, system_id: int = 255, channel: int = 0) -> None:
        self.vehicle = vehicle
        self.channel = channel
        self.codec = mavlink.MAVLink(None, srcSystem=system_id, srcComponent=190)
        self.heard: list[tuple[float, Any]] = []
        self.heartbeats = False
        self._beat_s = -1.0

    def send(self, message: Any) -> None:
        data = message.pack(self.codec)
        self.codec.seq = (self.codec.seq + 1) % 256
        self.vehicle.receive(data, self.channel)

    def collect(self) -> list[Any]:
        new: list[Any] = []
        for datagram in self.vehicle.take_outgoing(self.channel):
            new += self.codec.parse_buffer(datagram) or []
        self.heard += [(self.vehicle.time_s, message) for message in new]
        return new

    def run(self, duration_s: float, step_s: float = 0.1) -> list[Any]:
        """Let time pass; returns what was heard meanwhile."""
        new = self.collect()
        for _ in range(round(duration_s / step_s)):
            if self.heartbeats and self.vehicle.time_s - self._beat_s >= 1.0:
                self._beat_s = self.vehicle.time_s
                self.send(mavlink.MAVLink_heartbeat_message(6, 8, 0, 0, 4, 3))
            self.vehicle.step(step_s)
            new += self.collect()
        return new

    def run_until(self, condition: Callable[[], bool], limit_s: float = 600.0) -> float:
        """Let time pass until ``condition``; returns the seconds it took, fails after ``limit_s``."""
        start_s = self.vehicle.time_s
        while not condition():
            assert self.vehicle.time_s - start_s < limit_s, f"not within {limit_s} s: {self.texts()[-8:]}"
            self.run(0.1)
        return self.vehicle.time_s - start_s

    def of(self, kind: str) -> list[Any]:
        return [message for _, message in self.heard if message.get_type() == kind]

    def texts(self) -> list[str]:
        return [message.text for message in self.of("STATUSTEXT")]

    # --- commands -----------------------------------------------------------------------------
    def command(self, number: int, *parameters: float) -> int:
        """COMMAND_LONG; the result of its acknowledgement."""
        values = [*parameters, *[0.0] * (7 - len(parameters))]
        self.send(mavlink.MAVLink_command_long_message(1, 1, number, 0, *values))
        return self._result(number)

    def command_int(
        self, number: int, *parameters: float, frame: int = 3, x: int = 0, y: int = 0, z: float = 0.0
    ) -> int:
        values = [*parameters, *[0.0] * (4 - len(parameters))]
        self.send(mavlink.MAVLink_command_int_message(1, 1, frame, number, 0, 0, *values, x, y, z))
        return self._result(number)

    def _result(self, number: int) -> int:
        for message in self.run(0.1):
            if message.get_type() == "COMMAND_ACK" and message.command == number:
                return int(message.result)
        raise AssertionError(f"command {number} was not acknowledged")

    def mode(self, number: int) -> int:
        return self.command(176, 1, number)

    def arm(self) -> int:
        return self.command(400, 1)

    def stream(self, *message_ids: int, interval_s: float = 0.1) -> None:
        for message_id in message_ids:
            assert self.command(511, message_id, interval_s * 1e6) == 0

    def take_off(self, height_m: float = 20.0) -> None:
        """GUIDED, arm, take off, wait until up."""
        assert self.mode(GUIDED) == 0
        assert self.arm() == 0
        assert self.command(22, 0, 0, 0, 0, 0, 0, height_m) == 0
        self.run_until(lambda: self.vehicle.body.up_m > height_m - 0.2, 120.0)
        self.run(3.0)

    # --- missions -----------------------------------------------------------------------------
    def place(self, north_m: float, east_m: float) -> tuple[int, int]:
        """Latitude and longitude in 1e-7 degrees of a local place."""
        point = self.vehicle.body.frame.to_wgs84(EnuOffset(east_m, north_m))
        return round(point.latitude_deg * 1e7), round(point.longitude_deg * 1e7)

    def item(
        self, command: int, north_m: float | None = None, east_m: float = 0.0, up_m: float = 0.0,
        *, p: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0), frame: int = 3, kind: int = 0,
    ) -> Any:  # fmt: skip
        """An unnumbered item at a local place, or without a position."""
        x, y = (0, 0) if north_m is None else self.place(north_m, east_m)
        return mavlink.MAVLink_mission_item_int_message(1, 1, 0, frame, command, 0, 1, *p, x, y, up_m, kind)

    def upload(self, items: list[Any], kind: int = 0) -> int:
        """The whole handshake; the type of the final acknowledgement."""
        self.send(mavlink.MAVLink_mission_count_message(1, 1, len(items), kind))
        asked = self.collect()
        for _ in range(2 * len(items) + 2):
            for message in asked:
                if message.get_type() == "MISSION_ACK":
                    return int(message.type)
                if message.get_type() in ("MISSION_REQUEST", "MISSION_REQUEST_INT"):
                    item = items[message.seq]
                    item.seq = message.seq
                    self.send(item)
            asked = self.collect()
        raise AssertionError("the upload was not acknowledged")

    def download(self, kind: int = 0) -> list[Any]:
        self.send(mavlink.MAVLink_mission_request_list_message(1, 1, kind))
        (count,) = [m for m in self.collect() if m.get_type() == "MISSION_COUNT"]
        items = []
        for seq in range(count.count):
            self.send(mavlink.MAVLink_mission_request_int_message(1, 1, seq, kind))
            (item,) = [m for m in self.collect() if m.get_type() == "MISSION_ITEM_INT"]
            assert item.seq == seq
            items.append(item)
        self.send(mavlink.MAVLink_mission_ack_message(1, 1, 0, kind))
        return items

    def set_parameter(self, name: str, value: float) -> float:
        """The value the vehicle says it now uses."""
        self.send(mavlink.MAVLink_param_set_message(1, 1, name.encode(), value, 9))
        answers = [m for m in self.collect() if m.get_type() == "PARAM_VALUE"]
        assert len(answers) == 1
        return float(answers[0].param_value)
