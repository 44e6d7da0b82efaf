"""Several vehicles on a link, links that come and go, keys that are handed over, real lines and sockets."""

import asyncio
import contextlib
import os
import pty
import socket
import time
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pymavlink.dialects.v20 import ardupilotmega as foreign

from core.clock import LoopClock
from core.errors import ErrorCode, LinkError
from core.virtual_time import run_virtual
from flight.links.address import LinkAddress, parse_link
from flight.links.key_store import KeyStore
from flight.links.mavlink.command import Command
from flight.links.mavlink.connection import VehicleConnection
from flight.links.mavlink.enrol import Enrolment, set_up_signing
from flight.links.mavlink.hub import LinkHub
from flight.links.mavlink.signing import SigningTimes
from flight.links.mavlink.transports import open_transport


class Ether:
    """A link in memory: what is sent is kept with its peer, what the test says is heard."""

    def __init__(self, *, datagrams: bool = True) -> None:
        self.datagrams = datagrams
        self.sent: list[tuple[bytes, Hashable]] = []
        self.on_data: Callable[[bytes, Hashable], None] | None = None
        self.opened = 0
        self.answer: Callable[[bytes], None] = lambda data: None

    async def open(self, on_data: Any, on_closed: Any) -> None:
        self.opened += 1
        self.on_data = on_data

    def send(self, data: bytes, peer: Hashable) -> None:
        self.sent.append((data, peer))
        self.answer(data)

    async def close(self) -> None:
        self.on_data = None

    def say(self, data: bytes, peer: Hashable = None) -> None:
        assert self.on_data is not None
        self.on_data(data, peer)


def beat(system_id: int, mode: int = 4, *, armed: bool = False, mav: foreign.MAVLink | None = None) -> bytes:
    mav = mav or foreign.MAVLink(None, srcSystem=system_id, srcComponent=1)
    return bytes(foreign.MAVLink_heartbeat_message(2, 3, 209 if armed else 81, mode, 3, 3).pack(mav))


def boot_time(system_id: int, boot_ms: int) -> bytes:
    mav = foreign.MAVLink(None, srcSystem=system_id, srcComponent=1)
    return bytes(foreign.MAVLink_system_time_message(0, boot_ms).pack(mav))


@asynccontextmanager
async def running(*connections: VehicleConnection) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(connection.run()) for connection in connections]
    await asyncio.sleep(0.01)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def two_on_one(play: Callable[..., Any], *, datagrams: bool = True) -> None:
    async def run() -> None:
        clock, ether = LoopClock(), Ether(datagrams=datagrams)
        hub = LinkHub(clock, opener=lambda _: ether)
        three, four = (
            VehicleConnection(number, hub.claim("udpin:127.0.0.1:14550", number, owner=f"d{number}"), clock)
            for number in (3, 4)
        )
        async with running(three, four):
            await play(clock, ether, three, four)

    run_virtual(run())


def test_vehicles_on_one_link_are_told_apart() -> None:
    async def play(clock: LoopClock, ether: Ether, three: VehicleConnection, four: VehicleConnection) -> None:
        assert ether.opened == 1, "one transport for both"
        ether.say(beat(3, 9) + beat(4, 6) + beat(5, 5), "a")
        assert (three.view.custom_mode, four.view.custom_mode) == (9, 6)
        assert three.counts.foreign_frames == 1
        ether.sent.clear()
        await clock.sleep(5)
        heard_by = foreign.MAVLink(None, 3, 1)
        frames = [heard_by.parse_buffer(bytearray(data))[0] for data, _ in ether.sent]
        numbers = [frame.get_seq() for frame in frames]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), "receivers see one sequence"

    two_on_one(play)


def test_each_vehicle_is_answered_where_it_speaks() -> None:
    async def play(clock: LoopClock, ether: Ether, three: VehicleConnection, four: VehicleConnection) -> None:
        ether.say(beat(3), ("10.0.0.3", 1))
        ether.say(beat(4), ("10.0.0.4", 1))
        ether.sent.clear()
        three.send("PARAM_REQUEST_READ", target_system=3, param_id="X")
        four.send("PARAM_REQUEST_READ", target_system=4, param_id="X")
        assert [peer for _, peer in ether.sent] == [("10.0.0.3", 1), ("10.0.0.4", 1)]

    two_on_one(play)


def test_a_second_source_under_one_id_is_refused_and_reported() -> None:
    async def play(clock: LoopClock, ether: Ether, three: VehicleConnection, four: VehicleConnection) -> None:
        ether.say(beat(3, 9), "a")
        assert three.conflict is None
        ether.say(beat(3, 6, armed=True), "b")
        assert (three.view.custom_mode, three.view.armed) == (9, False)
        assert three.conflict is not None
        assert "two sources speak as system 3" in three.conflict
        assert four.conflict is None
        assert three.counts.duplicate_frames == 1
        ether.sent.clear()
        three.send("PARAM_REQUEST_READ", target_system=3, param_id="X")
        assert ether.sent[0][1] == "a", "commands must not go to the stranger"
        await clock.sleep(16)
        assert three.conflict is None
        ether.say(beat(3, 6), "b")
        assert three.view.custom_mode == 6, "the first has been silent: the vehicle has moved"

    two_on_one(play)


def test_two_boot_clocks_behind_one_radio_are_a_conflict_one_reboot_is_none() -> None:
    async def play(clock: LoopClock, ether: Ether, three: VehicleConnection, four: VehicleConnection) -> None:
        ether.say(boot_time(3, 900_000))
        ether.say(boot_time(3, 1_000))
        assert three.view.reboots == 1
        assert three.conflict is None
        for second in range(2, 6):
            await clock.sleep(1)
            ether.say(boot_time(3, 900_000 + second * 1000) + boot_time(3, second * 1000))
        assert three.conflict is not None
        assert "boot clock" in three.conflict

    two_on_one(play, datagrams=False)


def test_a_slow_or_mute_vehicle_delays_no_other() -> None:
    async def play(clock: LoopClock, ether: Ether, three: VehicleConnection, four: VehicleConnection) -> None:
        def answer(data: bytes) -> None:
            (message,) = foreign.MAVLink(None, 4, 1).parse_buffer(bytearray(data))
            if message.get_type() == "COMMAND_LONG" and message.target_system == 4:
                mav = foreign.MAVLink(None, srcSystem=4, srcComponent=1)
                ack = foreign.MAVLink_command_ack_message(400, 0, target_system=255, target_component=190)
                asyncio.get_running_loop().call_later(0.02, ether.say, bytes(ack.pack(mav)))

        ether.answer = answer
        mute = asyncio.create_task(three.command(Command(400)))
        began_s = clock.monotonic_s()
        assert (await four.command(Command(400))).accepted
        assert clock.monotonic_s() - began_s < 0.05
        assert (await mute).unanswered

    two_on_one(play)


def test_what_is_taken_is_refused_with_a_reason() -> None:
    async def run() -> None:
        hub = LinkHub(LoopClock(), opener=lambda _: Ether())
        claim = hub.claim("udpin:127.0.0.1:14550", 3, owner="a")
        assert hub.claim("udpin:127.0.0.1:14550", 3, owner="a") is claim, (
            "a restarted agent gets its own again"
        )
        hub.claim("udpin:127.0.0.1:14551", 3, owner="b")
        for link, system_id, owner, says in (
            ("udpin:127.0.0.1:14550", 3, "c", "belongs to a"),
            ("udpin:127.0.0.1:14552", 9, "a", "a answers on"),
            ("udpin:0.0.0.0:14550", 7, "d", "same place"),
        ):
            with pytest.raises(LinkError) as caught:
                hub.claim(link, system_id, owner=owner)
            assert caught.value.code is ErrorCode.LINK_SYSTEM_ID_TAKEN
            assert says in caught.value.detail
        hub.release("udpin:127.0.0.1:14550", 3)
        assert hub.claim("udpin:127.0.0.1:14550", 3, owner="c") is not claim
        hub.claim("serial:/dev/ttyACM0:57600", 3, owner="e")
        with pytest.raises(LinkError):
            hub.claim("serial:/dev/ttyACM0:115200", 4, owner="f")

    run_virtual(run())


def test_a_link_ends_with_its_last_vehicle_and_starts_again() -> None:
    async def run() -> None:
        clock, ether = LoopClock(), Ether()
        hub = LinkHub(clock, opener=lambda _: ether)
        connection = VehicleConnection(3, hub.claim("udpin:127.0.0.1:14550", 3, owner="a"), clock)
        for turn in (1, 2):
            async with running(connection):
                assert ether.opened == turn
                ether.say(beat(3, turn))
                assert connection.view.custom_mode == turn
                with pytest.raises(LinkError, match="still spoken to"):
                    hub.release("udpin:127.0.0.1:14550", 3)
            assert ether.on_data is None
        hub.release("udpin:127.0.0.1:14550", 3)

    run_virtual(run())


# --- keys ---------------------------------------------------------------------------------------------------


class SigningVehicle:
    """System 3 with pymavlink's signer: takes a key, then speaks and obeys signed only."""

    def __init__(self, ether: Ether, *, takes_keys: bool = True, deaf_for: int = 0) -> None:
        self.mav = foreign.MAVLink(None, srcSystem=3, srcComponent=1)
        self.ether, self.takes_keys, self.deaf_for = ether, takes_keys, deaf_for
        self.obeyed = 0
        ether.answer = self.receive

    def receive(self, data: bytes) -> None:
        try:
            found = self.mav.parse_buffer(bytearray(data)) or []
        except foreign.MAVError:
            return
        for message in found:
            if message.get_type() == "SETUP_SIGNING" and self.takes_keys:
                self.deaf_for -= 1
                if self.deaf_for < 0:
                    self.mav.signing.secret_key = bytes(message.secret_key)
                    self.mav.signing.timestamp = message.initial_timestamp
                    self.mav.signing.sign_outgoing = True
            elif message.get_type() == "COMMAND_LONG":
                self.obeyed += 1
                ack = foreign.MAVLink_command_ack_message(
                    message.command, 0, target_system=255, target_component=190
                )
                asyncio.get_running_loop().call_later(0.01, self.ether.say, bytes(ack.pack(self.mav)))

    def beat(self) -> None:
        self.ether.say(beat(3, mav=self.mav))


def with_keys(folder: Path, play: Callable[..., Any], **options: Any) -> None:
    async def run() -> None:
        clock, ether = LoopClock(), Ether()
        vehicle = SigningVehicle(ether, **options)
        hub = LinkHub(
            clock,
            keys=KeyStore(folder / "keys.json", clock),
            times=SigningTimes(clock, folder / "times.json"),
            opener=lambda _: ether,
        )
        link = VehicleConnection(3, hub.claim("udpin:127.0.0.1:14550", 3, owner="a"), clock)

        async def beats() -> None:
            while True:
                vehicle.beat()
                await clock.sleep(1.0)

        async with running(link):
            beating = asyncio.create_task(beats())
            flushing = asyncio.create_task(hub.run())
            await clock.sleep(0.1)
            try:
                await play(clock, hub, link, vehicle)
            finally:
                for task in (beating, flushing):
                    task.cancel()
                await asyncio.gather(beating, flushing, return_exceptions=True)

    run_virtual(run())


def test_a_key_is_set_up_and_renewed(tmp_path: Path) -> None:
    async def play(clock: LoopClock, hub: LinkHub, link: VehicleConnection, vehicle: SigningVehicle) -> None:
        keys = []
        for _ in range(2):
            outcome = await set_up_signing(hub, link, "a", clock, link_is_private=True)
            assert outcome.status is Enrolment.PROVED
            keys.append(outcome.key_id)
        assert keys[0] != keys[1]
        assert vehicle.obeyed == 2
        link.claim.link._receive(beat(3, 9, armed=True), None)
        assert link.view.armed is False, "unsigned frames are over"
        assert link.signing is not None
        assert link.signing.unsigned == 1

    with_keys(tmp_path, play, deaf_for=3)
    assert '"pending": null' in (tmp_path / "keys.json").read_text()


def test_a_restarted_hub_goes_on_signed(tmp_path: Path) -> None:
    secret: list[bytes] = []

    async def first(clock: LoopClock, hub: LinkHub, link: VehicleConnection, vehicle: SigningVehicle) -> None:
        await set_up_signing(hub, link, "a", clock, link_is_private=True)
        secret.append(bytes(vehicle.mav.signing.secret_key))

    async def second(
        clock: LoopClock, hub: LinkHub, link: VehicleConnection, vehicle: SigningVehicle
    ) -> None:
        assert link.view.heard_s is None, "unsigned: not the vehicle that has the key"
        await clock.sleep(3)
        vehicle.mav.signing.secret_key = secret[0]
        vehicle.mav.signing.timestamp = link.claim.link.guard.times.now() + 1_000_000  # type: ignore[union-attr]
        vehicle.mav.signing.sign_outgoing = True
        vehicle.beat()
        assert link.view.heard_s is not None
        assert (await link.command(Command(512))).accepted

    with_keys(tmp_path, first)
    with_keys(tmp_path, second)


def test_a_vehicle_that_takes_no_key_stays_as_it_was(tmp_path: Path) -> None:
    async def play(clock: LoopClock, hub: LinkHub, link: VehicleConnection, vehicle: SigningVehicle) -> None:
        outcome = await set_up_signing(hub, link, "a", clock, link_is_private=True)
        assert outcome.status is Enrolment.NOT_TAKEN
        assert clock.monotonic_s() - (link.view.heard_s or 0.0) < 1.5, "still heard"
        with pytest.raises(LinkError):
            await set_up_signing(hub, link, "a", clock, link_is_private=False)
        vehicle.ether.say(beat(3, armed=True))
        assert (await set_up_signing(hub, link, "a", clock, link_is_private=True)).status is Enrolment.ARMED

    with_keys(tmp_path, play, takes_keys=False)


def test_signing_can_be_demanded(tmp_path: Path) -> None:
    async def run() -> None:
        clock = LoopClock()
        keys, times = KeyStore(tmp_path / "keys.json", clock), SigningTimes(clock)
        hub = LinkHub(clock, keys=keys, times=times, signed_only=True, opener=lambda _: Ether())
        with pytest.raises(LinkError) as caught:
            hub.claim("udpin:127.0.0.1:14550", 3, owner="a")
        assert caught.value.code is ErrorCode.LINK_KEY_INVALID
        with pytest.raises(LinkError):
            LinkHub(clock, keys=keys)

    run_virtual(run())


# --- addresses, lines and sockets ---------------------------------------------------------------------------


def test_link_strings() -> None:
    assert parse_link("serial:/dev/serial/by-path/pci-0000:00:14.0-usb-0:1:1.0:57600") == LinkAddress(
        "serial", "/dev/serial/by-path/pci-0000:00:14.0-usb-0:1:1.0", 57600
    )
    assert parse_link("udpout:127.0.0.1:14550:14600").source_port == 14600
    assert parse_link("udpin:[::1]:14550") == LinkAddress("udpin", "::1", 14550)
    for text in ("serial:/dev/ttyACM0:57600", "udpin:[::1]:14550", "udpout:h:1:2", "tcp:h:5760"):
        assert str(parse_link(text)) == text
    for text in (
        "serial:/dev/ttyACM0",
        "serial::57600",
        "tcp:h:1:2",
        "udpin:[::1]",
        "udpout:h:1:2:3",
        "serial:x:0",
    ):
        with pytest.raises(LinkError) as caught:
            parse_link(text)
        assert caught.value.code is ErrorCode.LINK_ADDRESS_INVALID


def test_a_serial_line_carries_frames_both_ways_and_comes_back() -> None:
    """A pseudo-terminal as the line; real time, some milliseconds."""

    async def run() -> None:
        clock = LoopClock(speedup=20.0)
        master, slave = pty.openpty()
        device = os.ttyname(slave)
        hub = LinkHub(clock)
        link = VehicleConnection(3, hub.claim(f"serial:{device}:57600", 3, owner="a"), clock)
        async with running(link):
            for byte in b"\xfd\x00" + beat(3, 9):  # a false start, then one byte at a time
                os.write(master, bytes((byte,)))
                await asyncio.sleep(0)
            os.write(master, beat(3, 9) * 20)
            assert await link.wait_for(lambda view: view.custom_mode == 9, 100)
            heard = foreign.MAVLink(None, 3, 1)
            heard.robust_parsing = True
            found = heard.parse_buffer(bytearray(os.read(master, 4096)))
            assert found[0].get_type() == "HEARTBEAT"
            os.close(slave)
            os.close(master)
            for _ in range(200):
                if link.last_error is not None:
                    break
                await asyncio.sleep(0.01)
            assert link.last_error is not None, "a line that is gone must be noticed"
            assert device in link.last_error

    asyncio.run(run())


def test_a_device_that_is_no_line_or_has_no_such_speed_is_refused(tmp_path: Path) -> None:
    async def refused(link: str) -> ErrorCode:
        with pytest.raises(LinkError) as caught:
            await open_transport(link).open(lambda *_: None, lambda _: None)
        return caught.value.code

    async def run() -> None:
        (tmp_path / "file").touch()
        assert await refused(f"serial:{tmp_path}/nothing:57600") is ErrorCode.LINK_UNREACHABLE
        assert await refused(f"serial:{tmp_path}/file:57600") is ErrorCode.LINK_UNREACHABLE
        assert await refused(f"serial:{tmp_path}/file:12345") is ErrorCode.LINK_ADDRESS_INVALID

    asyncio.run(run())


def test_udp_from_a_fixed_port_and_a_flood_that_leaves_room_for_others() -> None:
    async def run() -> None:
        turns, most_in_a_row, heard, in_a_row = 0, 0, 0, 0
        with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as peer:
            peer.bind(("127.0.0.1", 0))
            with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as free:
                free.bind(("127.0.0.1", 0))
                source = free.getsockname()[1]

            def take(data: bytes, _: Hashable) -> None:
                nonlocal heard, in_a_row, most_in_a_row
                heard += 1
                in_a_row += 1
                most_in_a_row = max(most_in_a_row, in_a_row)

            transport = open_transport(f"udpout:127.0.0.1:{peer.getsockname()[1]}:{source}")
            await transport.open(take, lambda _: None)
            try:
                transport.send(b"x", None)
                assert peer.recvfrom(10)[1][1] == source
                for _ in range(500):
                    peer.sendto(b"y" * 50, ("127.0.0.1", source))
                end_s = time.monotonic() + 5
                while heard < 500 and time.monotonic() < end_s:
                    await asyncio.sleep(0)
                    turns += 1
                    in_a_row = 0
            finally:
                await transport.close()
        assert heard == 500
        assert most_in_a_row <= 64

    asyncio.run(run())


def test_a_tcp_link_is_opened_again() -> None:
    async def run() -> None:
        clock = LoopClock(speedup=20.0)
        served: list[asyncio.StreamWriter] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            served.append(writer)
            writer.write(beat(3, len(served)))
            await reader.read(1)
            await asyncio.sleep(0.05)
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        link = VehicleConnection(3, LinkHub(clock).claim(f"tcp:127.0.0.1:{port}", 3, owner="a"), clock)
        async with running(link):
            assert await link.wait_for(lambda view: view.custom_mode == 2, 100)
        assert link.counts.opened >= 2
        for writer in served:
            writer.close()
        server.close()
        await server.wait_closed()

    asyncio.run(run())
