"""The simulator's own framing gives the bytes that pymavlink gives."""

from __future__ import annotations

from pymavlink.dialects.v20 import ardupilotmega as mavlink

from sitl.channel import Channel

MESSAGES = {
    "all zero": lambda: mavlink.MAVLink_system_time_message(0, 0),
    "zeros at the end": lambda: mavlink.MAVLink_global_position_int_message(7, 1, 2, 3, 0, 0, 0, 0, 0),
    "a text": lambda: mavlink.MAVLink_statustext_message(4, b"Ready"),
    "an array": lambda: mavlink.MAVLink_home_position_message(
        225601000, 1138901000, 5000, 1.0, 2.0, 3.0, [1.0, 0.0, 0.0, 0.0], 0.0, 0.0, 0.0, 9
    ),
    "an id above 8 bits": lambda: mavlink.MAVLink_wind_cov_message(
        9, 1.0, 2.0, 0.0, 0.5, 0.5, 10.0, 0.1, 0.1
    ),
    "an id above 255 with flags": lambda: mavlink.MAVLink_winch_status_message(
        9, 1.0, 0.0, 2.0, 12.0, 0.5, 20, 3
    ),
    "a heartbeat": lambda: mavlink.MAVLink_heartbeat_message(2, 3, 81, 5, 4, 3),
}


def test_frames_are_those_of_pymavlink() -> None:
    channel = Channel(7)
    codec = mavlink.MAVLink(None, srcSystem=7, srcComponent=1)
    for _ in range(40):  # past the sequence number's 255
        expected = b""
        for build in MESSAGES.values():
            expected += build().pack(codec)
            codec.seq = (codec.seq + 1) % 256
            channel.send(build())
        assert b"".join(channel.take_outgoing()) == expected


def test_a_message_built_once_goes_to_two_peers() -> None:
    one, two = Channel(1), Channel(2)
    message = MESSAGES["a heartbeat"]()
    one.send(message)
    two.send(message)
    frames = [channel.take_outgoing()[0] for channel in (one, two)]
    assert frames[0] != frames[1]
    reader = mavlink.MAVLink(None)
    assert [reader.parse_buffer(frame)[0].get_srcSystem() for frame in frames] == [1, 2]
