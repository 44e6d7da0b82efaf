"""Faults of real autopilots: the bad radio in front of them, and what is only believed when it was seen given."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mavlink

from core.clock import LoopClock
from core.virtual_time import run_virtual
from proving_ground.meddler import Meddler, NotGiven
from proving_ground.observer import Observer
from proving_ground.plug import CARRY_S, Plug, Radio, whole_frames
from proving_ground.real_faults import PILOTS_SWITCH, REAL_FAULTS
from proving_ground.real_play import RealPlay
from proving_ground.schema import FaultLine
from proving_ground.staging import site_of
from sitl.autopilot import Personality
from tests.unit.proving_ground.test_real_play import ARDUPILOT, BAOAN, scenario


class Wire:
    """A way that keeps what it is given."""

    def __init__(self, *, datagrams: bool = True) -> None:
        self.datagrams = datagrams
        self.sent: list[bytes] = []
        self.arrive: Any = None

    async def open(self, on_data: Any, on_closed: Any) -> None:
        self.arrive = on_data

    def send(self, data: bytes, peer: Any) -> None:
        self.sent.append(data)

    async def close(self) -> None: ...


def test_the_radio_is_silent_in_both_directions_for_as_long_as_the_fault_lasts(tmp_path: Path) -> None:
    async def play() -> None:
        clock = LoopClock()
        real = RealPlay(scenario(), 1, site_of(scenario(), BAOAN), BAOAN, tmp_path, clock, against=ARDUPILOT)
        (drone,) = real.site.drones
        wire, heard = Wire(), []
        plug = Plug(wire, real.radio_of(drone), None)
        await plug.open(lambda data, peer: heard.append(data), lambda why: None)
        line = FaultLine.model_validate({"fault": "link_loss", "when": {"at_s": 1}, "duration_s": 10})
        fault = asyncio.create_task(real.break_it(line, drone.drone_id, "call-1"))
        for second in range(14):
            await clock.sleep(1.0)
            wire.arrive(b"%d" % second, None)
            plug.send(b"%d" % second, None)
        await fault
        assert heard == wire.sent == [b"10", b"11", b"12", b"13"]
        (seen,) = real.faults
        assert seen.fault == "link_loss"
        assert seen.ended_at_s == pytest.approx(seen.at_s + 10.0)

    run_virtual(play())


def test_a_bad_radio_loses_repeats_and_delays_frames_of_a_stream(tmp_path: Path) -> None:
    codec = mavlink.MAVLink(None, srcSystem=7, srcComponent=1)
    frames = [codec.heartbeat_encode(2, 3, 0, number, 4).pack(codec) for number in range(400)]

    async def play() -> None:
        clock = LoopClock()
        radio = Radio(clock, random.Random(3), 7)
        wire, heard = Wire(datagrams=False), bytearray()
        plug = Plug(wire, radio, None)
        await plug.open(lambda data, peer: heard.extend(data), lambda why: None)
        radio.active |= {"link_packet_loss": 0.3, "link_duplicate": 0.3, "link_delay": 1.0}
        stream = b"".join(frames)
        for at in range(0, len(stream), 29):  # chunks that end anywhere in a frame
            wire.arrive(stream[at : at + 29], None)
            await clock.sleep(CARRY_S)
            plug.carry(CARRY_S)
        radio.active.clear()
        for _ in range(30):
            await clock.sleep(CARRY_S)
            plug.carry(CARRY_S)
        ear = mavlink.MAVLink(None)
        numbers = [message.custom_mode for message in ear.parse_buffer(bytes(heard)) or ()]
        assert set(numbers) < set(range(400))
        assert 200 < len(set(numbers)) < 360
        assert len(numbers) > len(set(numbers))
        assert numbers != sorted(numbers)

    run_virtual(play())


def test_a_stream_without_frames_passes_in_the_end() -> None:
    assert whole_frames(b"noise") == (b"noise", b"")
    assert whole_frames(b"\xfd\x09") == (b"", b"\xfd\x09")
    swallowed = b"\xfd" + b"\xff" * 5000
    passed, rest = whole_frames(swallowed)
    assert passed + rest == swallowed
    assert len(rest) < 300


class Autopilot:
    """Answers as an autopilot does: knows a few parameters, takes one command."""

    def __init__(self, kind: Personality, parameters: dict[str, tuple[float, int]]) -> None:
        self.kind, self.parameters = kind, parameters
        self.ear = mavlink.MAVLink(None)
        self.voice = mavlink.MAVLink(None, srcSystem=7, srcComponent=1)
        self.hear: Any = None
        self.datagrams = True

    async def open(self, on_data: Any, on_closed: Any) -> None:
        self.hear = on_data

    async def close(self) -> None: ...

    def send(self, data: bytes, peer: Any) -> None:
        for message in self.ear.parse_buffer(data) or ():
            kind = message.get_type()
            if kind == "PARAM_SET" and message.param_id in self.parameters:
                type_ = self.parameters[message.param_id][1]
                # A wrong type gets no answer (observed on PX4).
                if message.param_type == type_:
                    self.parameters[message.param_id] = (message.param_value, type_)
                    self._tell(message.param_id)
            elif kind == "PARAM_REQUEST_READ" and message.param_id in self.parameters:
                self._tell(message.param_id)
            elif kind == "MISSION_CLEAR_ALL":
                # An ArduCopter refuses it while its mission runs (read in AP_Mission).
                refused = self.kind is Personality.ARDUPILOT
                self._say(self.voice.mission_ack_encode(255, 0, 1 if refused else 0, message.mission_type))
            elif kind == "COMMAND_LONG" and message.command != 511:
                result = 0 if message.command == 42651 else 4
                self._say(self.voice.command_ack_encode(message.command, result))

    def _tell(self, name: str) -> None:
        value, type_ = self.parameters[name]
        self._say(self.voice.param_value_encode(name.encode(), value, type_, 1, 0))

    def _say(self, message: Any) -> None:
        self.hear(message.pack(self.voice), None)


def meddle(autopilot: Autopilot, act: Callable[[Meddler], Awaitable[None]]) -> None:
    async def play() -> None:
        clock = LoopClock()
        observer = Observer(clock, 7, lambda place: 6.0, 10)
        watching = asyncio.create_task(observer.watch(lambda: autopilot))
        await clock.sleep(0.1)
        try:
            await act(Meddler(clock, observer, autopilot.kind))
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    run_virtual(play())


def test_a_fault_is_set_seen_and_taken_back() -> None:
    copter = Autopilot(Personality.ARDUPILOT, {"SIM_GPS_DISABLE": (0.0, 2)})
    fault = REAL_FAULTS[Personality.ARDUPILOT]["gps_loss"]

    async def act(meddler: Meddler) -> None:
        await fault.begin(meddler, 1.0)
        assert copter.parameters["SIM_GPS_DISABLE"] == (1.0, 2)
        await fault.end(meddler, 1.0)
        assert copter.parameters["SIM_GPS_DISABLE"] == (0.0, 2)

    meddle(copter, act)


def test_whole_numbers_go_to_px4_as_their_bytes() -> None:
    px4 = Autopilot(Personality.PX4, {"SIM_GPS_USED": (as_bytes(10), 6)})
    fault = REAL_FAULTS[Personality.PX4]["gps_few_satellites"]

    async def act(meddler: Meddler) -> None:
        assert await meddler.parameter("SIM_GPS_USED") == 10.0
        await fault.begin(meddler, 5.0)
        assert px4.parameters["SIM_GPS_USED"] == (as_bytes(5), 6)

    meddle(px4, act)


def as_bytes(whole: int) -> float:
    (wire,) = struct.unpack("<f", struct.pack("<i", whole))
    return float(wire)


def test_what_was_not_seen_given_is_no_fault() -> None:
    copter = Autopilot(Personality.ARDUPILOT, {})

    async def act(meddler: Meddler) -> None:
        with pytest.raises(NotGiven, match="SIM_GPS_DISABLE was not answered"):
            await REAL_FAULTS[Personality.ARDUPILOT]["gps_loss"].begin(meddler, 1.0)
        with pytest.raises(NotGiven, match="command 400 was refused with result 4"):
            await REAL_FAULTS[Personality.ARDUPILOT]["motors_cut"].begin(meddler, 1.0)
        await REAL_FAULTS[Personality.ARDUPILOT]["battery_charge"].begin(meddler, 0.2)

    meddle(copter, act)


@pytest.mark.parametrize("personality", list(Personality))
def test_a_mission_is_lost_only_where_the_autopilot_says_that_it_is(personality: Personality) -> None:
    async def act(meddler: Meddler) -> None:
        if personality is Personality.PX4:
            await REAL_FAULTS[personality]["mission_lost"].begin(meddler, 1.0)
            return
        assert "mission_lost" not in REAL_FAULTS[personality]
        with pytest.raises(NotGiven, match="refused with result 1"):
            await meddler.clear_mission()

    meddle(Autopilot(personality, {}), act)


def test_a_moving_fault_starts_from_what_was_there() -> None:
    copter = Autopilot(Personality.ARDUPILOT, {"SIM_WIND_SPD": (4.0, 9)})
    gust = REAL_FAULTS[Personality.ARDUPILOT]["wind_gust"]
    assert gust.tick is not None
    tick = gust.tick

    async def act(meddler: Meddler) -> None:
        await gust.begin(meddler, 8.0)
        tick(meddler, 8.0, 4.0)
        assert copter.parameters["SIM_WIND_SPD"][0] == pytest.approx(12.0)
        tick(meddler, 8.0, 8.0)
        assert copter.parameters["SIM_WIND_SPD"][0] == pytest.approx(4.0)

    meddle(copter, act)


def test_a_pilots_sticks_reach_an_arducopters_remote_control() -> None:
    copter = Autopilot(Personality.ARDUPILOT, {name: (0.0, 2) for name in PILOTS_SWITCH})
    pilot = REAL_FAULTS[Personality.ARDUPILOT]["pilot_takeover"]

    async def play() -> None:
        clock = LoopClock()
        observer = Observer(clock, 7, lambda place: 6.0, 10)
        watching = asyncio.create_task(observer.watch(lambda: copter))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
            ear.bind(("127.0.0.1", 0))
            ear.settimeout(5.0)
            meddler = Meddler(clock, observer, copter.kind, sticks_port=ear.getsockname()[1])
            await clock.sleep(0.1)
            await pilot.begin(meddler, 1.0)
            await clock.sleep(0.2)
            roll, _, throttle, _, switch, *_ = struct.unpack("<8H", ear.recv(100))
            meddler.let_go_of_sticks()
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        assert (roll, throttle) == (1500, 1500)
        assert 1621 <= switch <= 1749
        assert copter.parameters["FLTMODE5"][0] == 5.0

    run_virtual(play())
