"""One vehicle's conversation: who is believed, what is waited for, what the numbers mean."""

import asyncio
import math
from collections.abc import Callable, Hashable
from typing import Any

import pytest
from pymavlink.dialects.v20 import ardupilotmega as foreign

from core.clock import LoopClock
from core.errors import ErrorCode, LinkError
from core.virtual_time import run_virtual
from flight.links.mavlink.command import Command
from flight.links.mavlink.connection import VehicleConnection
from flight.links.mavlink.framing import FrameParser
from flight.links.mavlink.transports import open_transport, parse_link


class Pipe:
    """A transport whose other end is the test."""

    datagrams = True

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.on_data: Callable[[bytes, Hashable], None] | None = None
        self.on_closed: Callable[[str], None] | None = None
        self.opened = 0
        self.refuse = 0

    async def open(self, on_data: Any, on_closed: Any) -> None:
        self.opened += 1
        if self.refuse:
            self.refuse -= 1
            raise LinkError(ErrorCode.LINK_UNREACHABLE, "nobody there")
        self.on_data, self.on_closed = on_data, on_closed

    def send(self, data: bytes, peer: Hashable) -> None:
        self.sent.append(data)

    async def close(self) -> None:
        self.on_data = None

    def hear(self, message: Any, system_id: int = 7, component_id: int = 1, peer: Hashable = None) -> None:
        mav = foreign.MAVLink(None, srcSystem=system_id, srcComponent=component_id)
        assert self.on_data is not None
        self.on_data(message.pack(mav), peer)

    def names(self) -> list[str]:
        return [message.name for data in self.sent for message in FrameParser().feed(data)]


def with_link(play: Callable[[VehicleConnection, Pipe, LoopClock], Any]) -> None:
    async def run() -> None:
        clock, pipe = LoopClock(), Pipe()
        link = VehicleConnection(7, lambda: pipe, clock)
        running = asyncio.create_task(link.run())
        await asyncio.sleep(0.01)
        try:
            await play(link, pipe, clock)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    run_virtual(run())


def heartbeat(mode: int = 4, *, armed: bool = False, kind: int = 2) -> Any:
    return foreign.MAVLink_heartbeat_message(kind, 3, 209 if armed else 81, mode, 3, 3)


def test_we_are_heard_every_second() -> None:
    async def play(link: VehicleConnection, pipe: Pipe, clock: LoopClock) -> None:
        await clock.sleep(10)
        assert 10 <= pipe.names().count("HEARTBEAT") <= 11

    with_link(play)


def test_only_the_expected_autopilot_is_believed() -> None:
    async def play(link: VehicleConnection, pipe: Pipe, clock: LoopClock) -> None:
        pipe.hear(heartbeat(4))
        pipe.hear(heartbeat(9, armed=True), system_id=8)
        pipe.hear(heartbeat(9, armed=True), component_id=191)
        pipe.hear(heartbeat(9, armed=True, kind=6))
        assert (link.view.custom_mode, link.view.armed) == (4, False)
        assert link.counts.foreign_frames == 2

    with_link(play)


def test_a_forged_acknowledgement_answers_nothing() -> None:
    async def play(link: VehicleConnection, pipe: Pipe, clock: LoopClock) -> None:
        asked = asyncio.create_task(link.command(Command(400, param1=1.0)))
        await asyncio.sleep(0.01)
        ack = foreign.MAVLink_command_ack_message(400, 0, target_system=255, target_component=190)
        pipe.hear(ack, system_id=8)
        assert (await asked).unanswered
        assert pipe.names().count("COMMAND_LONG") == 3

    with_link(play)


def test_commands_of_one_id_wait_for_each_other() -> None:
    async def play(link: VehicleConnection, pipe: Pipe, clock: LoopClock) -> None:
        first = asyncio.create_task(link.command(Command(176, param2=4.0)))
        second = asyncio.create_task(link.command(Command(176, param2=9.0)))
        await asyncio.sleep(0.01)
        assert pipe.names().count("COMMAND_LONG") == 1
        pipe.hear(foreign.MAVLink_command_ack_message(176, 0, target_system=255, target_component=190))
        assert (await first).accepted
        await asyncio.sleep(0.01)
        assert pipe.names().count("COMMAND_LONG") == 2
        second.cancel()

    with_link(play)


def test_waiting_for_a_state_ends_with_it_or_with_the_time() -> None:
    async def play(link: VehicleConnection, pipe: Pipe, clock: LoopClock) -> None:
        waiting = asyncio.create_task(link.wait_for(lambda view: view.armed is True, 5.0))
        await clock.sleep(1)
        pipe.hear(heartbeat(armed=True))
        assert await waiting is True
        began_s = clock.monotonic_s()
        assert await link.wait_for(lambda view: view.armed is False, 5.0) is False
        assert clock.monotonic_s() - began_s == pytest.approx(5.0)

    with_link(play)


def test_a_closed_link_is_opened_again_with_growing_pauses() -> None:
    async def play(link: VehicleConnection, pipe: Pipe, clock: LoopClock) -> None:
        assert pipe.opened == 1
        assert pipe.on_closed is not None
        pipe.refuse = 3
        pipe.on_closed("peer reset")
        await clock.sleep(0.6)
        assert pipe.opened == 2
        await clock.sleep(10)
        assert pipe.opened == 5
        pipe.hear(heartbeat(9))
        assert link.view.custom_mode == 9

    with_link(play)


def test_silences_are_remembered() -> None:
    async def play(link: VehicleConnection, pipe: Pipe, clock: LoopClock) -> None:
        for pause_s in (0.2, 4.0, 0.2):
            pipe.hear(heartbeat())
            await clock.sleep(pause_s)
        pipe.hear(heartbeat())
        assert link.longest_silence_since(0.0) == pytest.approx(4.0, abs=0.01)
        assert link.longest_silence_since(clock.monotonic_s()) == pytest.approx(0.0, abs=0.01)

    with_link(play)


def test_units_and_unknown_values() -> None:
    async def play(link: VehicleConnection, pipe: Pipe, clock: LoopClock) -> None:
        view = link.view
        pipe.hear(
            foreign.MAVLink_global_position_int_message(
                5000, 225_700_000, 1_138_800_000, 65_500, 60_250, 150, -200, -50, 65535
            )
        )
        assert view.position is not None
        assert (view.position.latitude_deg, view.position.longitude_deg) == (22.57, 113.88)
        assert (view.altitude_amsl_m, view.height_above_home_m) == (65.5, 60.25)
        assert (view.velocity_north_m_s, view.velocity_east_m_s, view.velocity_up_m_s) == (1.5, -2.0, 0.5)
        assert view.heading_deg is None
        pipe.hear(foreign.MAVLink_global_position_int_message(6000, 0, 0, 0, 0, 0, 0, 0, 0))
        assert view.position.latitude_deg == 22.57, "0,0 is how an autopilot says that it does not know"
        pipe.hear(
            foreign.MAVLink_battery_status_message(0, 0, 1, 0, [4000, 4100, *[65535] * 8], 1234, 0, 3600, 87)
        )
        assert (view.battery_voltage_v, view.battery_current_a, view.charge_fraction) == (8.1, 12.34, 0.87)
        assert view.consumed_wh == pytest.approx(100.0)
        pipe.hear(foreign.MAVLink_winch_status_message(1, 4.5, -1.0, math.nan, math.nan, math.nan, 32767, 1))
        assert (view.line_length_m, view.line_speed_m_s, view.line_tension_n) == (4.5, -1.0, None)
        pipe.hear(foreign.MAVLink_winch_status_message(1, 4.5, -1.0, 2.0, 0, 0, 0, 1))
        assert view.line_tension_n == pytest.approx(19.6133)

    with_link(play)


def test_wind_on_the_ground_is_no_measurement() -> None:
    async def play(link: VehicleConnection, pipe: Pipe, clock: LoopClock) -> None:
        pipe.hear(foreign.MAVLink_wind_message(-90.0, 6.0, 0.0))
        pipe.hear(heartbeat(armed=True))
        pipe.hear(foreign.MAVLink_extended_sys_state_message(0, 1))
        assert link.view.measured_wind == (None, None)
        pipe.hear(foreign.MAVLink_extended_sys_state_message(0, 2))
        assert link.view.measured_wind == (270.0, 6.0)
        pipe.hear(foreign.MAVLink_wind_message(0.0, 0.0, 0.0))
        assert link.view.measured_wind == (None, None)

    with_link(play)


def test_a_boot_clock_that_falls_back_is_a_reboot() -> None:
    async def play(link: VehicleConnection, pipe: Pipe, clock: LoopClock) -> None:
        for boot_ms in (60_000, 61_000, 60_500, 62_000):
            pipe.hear(foreign.MAVLink_system_time_message(0, boot_ms))
        assert link.view.reboots == 0, "packets may overtake each other"
        pipe.hear(foreign.MAVLink_system_time_message(0, 900))
        assert link.view.reboots == 1

    with_link(play)


def test_a_long_text_is_put_together() -> None:
    async def play(link: VehicleConnection, pipe: Pipe, clock: LoopClock) -> None:
        text = "PreArm: " + "x" * 70
        for number in range(2):
            chunk = text[number * 50 : number * 50 + 50].encode()
            pipe.hear(foreign.MAVLink_statustext_message(4, chunk, id=9, chunk_seq=number))
        assert [line.text for line in link.view.texts] == [text]

    with_link(play)


@pytest.mark.parametrize(
    "link",
    [
        "",
        "udp:127.0.0.1:1",
        "tcp:127.0.0.1",
        "tcp::5760",
        "tcp:127.0.0.1:0",
        "tcp:127.0.0.1:x",
        "udpin:h:70000",
    ],
)
def test_a_bad_link_is_refused_with_a_number(link: str) -> None:
    with pytest.raises(LinkError) as caught:
        parse_link(link)
    assert caught.value.code == 1003


def test_real_sockets_carry_bytes_both_ways() -> None:
    """Loopback, real time, a few milliseconds: the one place where sockets are part of what is tested."""

    async def run() -> None:
        heard_out: asyncio.Queue[bytes] = asyncio.Queue()
        heard_in: asyncio.Queue[tuple[bytes, Hashable]] = asyncio.Queue()
        listener = open_transport("udpin:127.0.0.1:39917")
        speaker = open_transport("udpout:127.0.0.1:39917")
        await listener.open(lambda data, peer: heard_in.put_nowait((data, peer)), lambda _: None)
        await speaker.open(lambda data, _: heard_out.put_nowait(data), lambda _: None)
        try:
            speaker.send(b"hello", None)
            async with asyncio.timeout(5):
                data, peer = await heard_in.get()
                assert data == b"hello"
                listener.send(b"answer", peer)
                assert await heard_out.get() == b"answer"
        finally:
            await listener.close()
            await speaker.close()
        with pytest.raises(LinkError) as caught:
            await open_transport("tcp:127.0.0.1:39918").open(lambda *_: None, lambda _: None)
        assert caught.value.code == 1001

    asyncio.run(run())
