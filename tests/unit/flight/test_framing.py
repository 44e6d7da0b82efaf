"""Our framing against pymavlink's own encoder and decoder, and against garbage."""

import math
import random

from hypothesis import given, settings
from hypothesis import strategies as st
from pymavlink.dialects.v20 import ardupilotmega as foreign

from flight.links.mavlink.framing import FrameParser, FrameWriter


def _foreign(system_id: int = 7) -> foreign.MAVLink:
    return foreign.MAVLink(None, srcSystem=system_id, srcComponent=1)


def test_a_foreign_encoder_is_understood() -> None:
    mav = _foreign()
    stream = b"".join(
        message.pack(mav)
        for message in (
            foreign.MAVLink_heartbeat_message(2, 3, 209, 5, 4, 3),
            foreign.MAVLink_statustext_message(6, b"Gripper load released"),
            foreign.MAVLink_winch_status_message(1, 12.5, -1.0, math.nan, 0, 0, 0, 1),
            foreign.MAVLink_battery_status_message(
                0, 0, 1, 2500, [4100] * 10, 1234, 5, 6, 87, charge_state=1, voltages_ext=[1, 2, 3, 4]
            ),
        )
    )
    heartbeat, text, winch, battery = FrameParser().feed(stream)
    assert (heartbeat.name, heartbeat.system_id, heartbeat.component_id) == ("HEARTBEAT", 7, 1)
    assert (heartbeat.fields.custom_mode, heartbeat.fields.base_mode) == (5, 209)
    assert text.fields.text == "Gripper load released"
    assert (winch.fields.line_length, winch.fields.speed) == (12.5, -1.0)
    assert math.isnan(winch.fields.tension)
    assert battery.fields.voltages == (4100,) * 10
    assert battery.fields.voltages_ext == (1, 2, 3, 4)
    assert battery.fields.battery_remaining == 87


def test_a_foreign_decoder_understands_us() -> None:
    writer = FrameWriter(255, 190)
    mav = _foreign()
    frame = writer.pack("COMMAND_LONG", target_system=3, target_component=1, command=400, param1=1.0)
    other = writer.pack("PARAM_SET", target_system=3, param_id="FS_GCS_ENABLE", param_value=1.0, param_type=9)
    command, parameter = mav.parse_buffer(frame + other)
    assert (command.target_system, command.command, command.param1) == (3, 400, 1.0)
    assert (parameter.param_id, parameter.param_value) == ("FS_GCS_ENABLE", 1.0)
    assert (parameter.get_srcSystem(), parameter.get_seq()) == (255, 1)


def test_version_1_frames_are_read() -> None:
    mav = _foreign()
    frame = foreign.MAVLink_heartbeat_message(2, 3, 81, 0, 3, 3).pack(mav, force_mavlink1=True)
    (message,) = FrameParser().feed(frame)
    assert message.fields.base_mode == 81


def test_only_wanted_messages_are_unpacked() -> None:
    mav = _foreign()
    stream = foreign.MAVLink_system_time_message(1, 2).pack(mav)
    stream += foreign.MAVLink_heartbeat_message(2, 3, 81, 0, 3, 3).pack(mav)
    parser = FrameParser(frozenset({"HEARTBEAT"}))
    assert [message.name for message in parser.feed(stream)] == ["HEARTBEAT"]
    assert (parser.counts.frames, parser.counts.unwanted) == (2, 1)


def test_a_flipped_bit_is_never_a_message() -> None:
    frame = foreign.MAVLink_global_position_int_message(1, 225000000, 1139000000, 5, 6, 7, 8, 9, 10).pack(
        _foreign()
    )
    for bit in range(8, len(frame) * 8):
        broken = bytearray(frame)
        broken[bit // 8] ^= 1 << bit % 8
        assert not FrameParser().feed_datagram(bytes(broken)), f"bit {bit}"


def test_a_false_start_does_not_swallow_the_frame_behind_it() -> None:
    frame = foreign.MAVLink_heartbeat_message(2, 3, 81, 0, 3, 3).pack(_foreign())
    parser = FrameParser()
    assert len(parser.feed_datagram(b"\xfd\xff\x00\x00" + frame)) == 1
    assert len(parser.feed_datagram(frame)) == 1


@settings(max_examples=60, deadline=None)
@given(
    cuts=st.lists(st.integers(1, 40), min_size=1, max_size=60),
    noise=st.lists(st.binary(max_size=12), min_size=20, max_size=20),
)
def test_any_cutting_of_the_stream_gives_the_same_messages(cuts: list[int], noise: list[bytes]) -> None:
    mav = _foreign()
    stream = b""
    for number, junk in enumerate(noise):
        # Junk without magics: a false start may legitimately cost the frame behind it.
        stream += bytes(byte & 0x7F for byte in junk)
        frame = foreign.MAVLink_mission_current_message(number).pack(mav)
        mav.seq = (mav.seq + 1) % 256
        stream += frame
    parser = FrameParser()
    found, at, turn = [], 0, 0
    while at < len(stream):
        step = cuts[turn % len(cuts)]
        found += parser.feed(stream[at : at + step])
        at, turn = at + step, turn + 1
    assert [message.fields.seq for message in found] == list(range(20))


def test_random_bytes_do_no_harm() -> None:
    noise = random.Random(7)
    parser = FrameParser()
    for _ in range(400):
        parser.feed(noise.randbytes(700))
    assert parser.counts.frames == 0
