"""What late frames may say, and what TIMESYNC makes of delays."""

import asyncio
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymavlink.dialects.v20 import ardupilotmega as foreign

from core.clock import LoopClock
from flight.links.mavlink.command import Command
from flight.links.mavlink.connection import VehicleConnection
from flight.links.mavlink.frame_order import FrameOrder
from flight.links.mavlink.framing import FrameParser, FrameWriter, Message
from flight.links.mavlink.timesync import TimeSync
from tests.unit.flight.test_connection import Pipe, with_link


def answer(ours_ns: int, vehicle_s: float) -> Message:
    frame = foreign.MAVLink_timesync_message(round(vehicle_s * 1e9), ours_ns).pack(
        foreign.MAVLink(None, 7, 1)
    )
    (message,) = FrameParser().feed(bytes(frame))
    return message


def ask(sync: TimeSync, now_s: float) -> int:
    return int(sync.ask(now_s)["ts1"])


@settings(max_examples=60, deadline=None)
@given(
    offset_s=st.floats(-5000, 5000),
    seed=st.integers(0, 2**32),
    fastest_s=st.floats(0.001, 1.0),
)
def test_the_offset_is_right_to_half_a_round_trip(offset_s: float, seed: int, fastest_s: float) -> None:
    rng, sync, now_s = random.Random(seed), TimeSync(), 10_000.0
    for _ in range(12):
        question = ask(sync, now_s)
        out_s, back_s = (fastest_s * rng.uniform(0.5, 1.5) for _ in range(2))
        if rng.random() < 0.3:
            back_s += rng.uniform(0.0, 0.4)
        if rng.random() > 0.2:
            reply = answer(question, now_s + out_s + offset_s)
            sync.receive(reply, now_s + out_s + back_s)
            sync.receive(reply, now_s + out_s + back_s + 3.0)  # doubled and late: counts once
        now_s += 10.0
    if sync.best is None:
        return
    assert sync.offset_s is not None
    assert sync.round_trip_s is not None
    assert abs(sync.offset_s - offset_s) <= sync.round_trip_s / 2 + 1e-6
    assert sync.measured_s(123.0 + offset_s) == pytest.approx(123.0, abs=sync.round_trip_s / 2 + 1e-6)


def test_answers_to_nobody_and_reboots() -> None:
    sync = TimeSync()
    assert sync.receive(answer(12345, 500.0), 1.0) is None
    assert sync.best is None
    asked = sync.receive(answer(777, 0.0), 2.0)
    assert asked == {"tc1": 2_000_000_000, "ts1": 777}, "the vehicle's own question is answered"
    sync.receive(answer(ask(sync, 3.0), 503.05), 3.1)
    sync.receive(answer(ask(sync, 13.0), 4.05), 13.1)
    assert sync.offset_s == pytest.approx(-9.0), "after a reboot only the new clock counts"


def test_only_the_answer_to_the_question_itself_says_that_it_was_answered() -> None:
    sync = TimeSync()
    first, second = ask(sync, 10.0), ask(sync, 30.0)
    sync.receive(answer(first, 510.0), 30.2)
    assert sync.answered_s == pytest.approx(10.0), "what comes late answers an old question"
    sync.receive(answer(second, 530.0), 30.4)
    assert sync.answered_s == pytest.approx(30.0)


def test_who_never_answers_is_asked_less_often() -> None:
    sync, asked = TimeSync(), 0
    for second in range(100):
        if sync.is_due(float(second)):
            sync.ask(float(second))
            asked += 1
    assert asked == 6 + 8


def test_a_running_link_learns_its_round_trip() -> None:
    async def play(link: VehicleConnection, pipe: Pipe, clock: LoopClock) -> None:
        pipe.hear(foreign.MAVLink_heartbeat_message(2, 3, 81, 4, 3, 3))
        for _ in range(5):
            pipe.sent.clear()
            await clock.sleep(1.0)
            for data in pipe.sent:
                (message,) = FrameParser().feed(data)
                if message.name == "TIMESYNC":
                    await clock.sleep(0.2)
                    pipe.hear(
                        foreign.MAVLink_timesync_message(
                            round((clock.monotonic_s() + 49.9) * 1e9), message.fields.ts1
                        )
                    )
        assert link.time_sync.offset_s == pytest.approx(50.0, abs=0.11)
        assert link.time_sync.round_trip_s is not None
        assert link.time_sync.round_trip_s >= 0.2

    with_link(play)


def test_the_order_of_frames() -> None:
    order = FrameOrder()

    def late(sequence: int, now_s: float) -> bool:
        return order.is_overtaken(bytes((0xFD, 0, 0, 0, sequence & 0xFF)), now_s)

    assert [late(sequence, 0.0) for sequence in (250, 251, 253, 252, 253, 256, 255, 260, 330, 300)] == [
        False, False, False, True, False, False, True, False, False, True,
    ]  # fmt: skip
    assert not late(100, 5.0), "after a silence the count means nothing"
    assert order.is_overtaken(bytes((0xFE, 0, 99)), 5.1), "MAVLink 1 counts too"


def test_a_late_heartbeat_does_not_turn_the_state_back() -> None:
    async def play(link: VehicleConnection, pipe: Pipe, clock: LoopClock) -> None:
        vehicle = FrameWriter(7, 1)

        def frame(name: str, **fields: object) -> bytes:
            return vehicle.pack(name, **fields)

        old = frame("HEARTBEAT", type=2, autopilot=3, base_mode=81, custom_mode=3)
        old_position = frame("GLOBAL_POSITION_INT", time_boot_ms=60_000, lat=225_000_000, lon=1_139_000_000)
        ack = frame("COMMAND_ACK", command=400, result=0, target_system=255, target_component=190)
        text = frame("STATUSTEXT", severity=4, text="late and true")
        new = frame("HEARTBEAT", type=2, autopilot=3, base_mode=209, custom_mode=4)
        new_position = frame("GLOBAL_POSITION_INT", time_boot_ms=61_000, lat=226_000_000, lon=1_139_000_000)
        assert pipe.on_data is not None
        for data in (new, new_position, old, old_position, text):
            pipe.on_data(data, None)
        assert (link.view.armed, link.view.custom_mode) == (True, 4)
        assert link.view.position is not None
        assert link.view.position.latitude_deg == 22.6
        assert [line.text for line in link.view.texts] == ["late and true"]
        assert link.overtaken_frames == 3
        asked = asyncio.create_task(link.command(Command(400)))
        await asyncio.sleep(0.01)
        pipe.on_data(ack, None)
        assert (await asked).accepted, "an answer is an answer, however late"

    with_link(play)


def test_two_vehicles_with_counts_of_their_own_behind_one_radio() -> None:
    async def play(link: VehicleConnection, pipe: Pipe, clock: LoopClock) -> None:
        writers = [FrameWriter(7, 1), FrameWriter(7, 1)]
        for _ in range(60):
            writers[0].pack("SYSTEM_TIME")  # its count runs ahead
        assert pipe.on_data is not None
        for turn in range(12):
            for writer, boot_ms in zip(writers, (900_000, 40_000), strict=True):
                pipe.on_data(writer.pack("SYSTEM_TIME", time_boot_ms=boot_ms + 250 * turn), None)
            await clock.sleep(0.25)
        assert link.conflict is not None

    with_link(play)
