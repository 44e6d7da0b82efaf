"""Telemetry without pymavlink's objects is byte for byte what pymavlink packs."""

from __future__ import annotations

import math

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mavlink

from sitl import telemetry
from sitl.ardupilot import streams as ardupilot
from sitl.channel import Channel
from sitl.px4 import streams as px4
from sitl.wire import Kind

KINDS = {
    (room.__name__.rsplit(".", 2)[-2], name): kind
    for room in (telemetry, ardupilot, px4)
    for name, kind in vars(room).items()
    if isinstance(kind, Kind)
}


def _definition(name: str) -> type:
    found: type = getattr(mavlink, f"MAVLink{name.lower()}_message")
    return found


@pytest.mark.parametrize(("room", "name"), sorted(KINDS))
@pytest.mark.parametrize("number", [0, 1, 7])
def test_a_kind_packs_what_pymavlink_packs(room: str, name: str, number: int) -> None:
    kind, definition = KINDS[room, name], _definition(name)
    fields = len(definition.fieldnames)  # type: ignore[attr-defined]
    for given in {fields, fields - sum(1 for default in kind._defaults if isinstance(default, int | float))}:
        values = tuple(number * (index + 3) % 100 for index in range(given))
        ours, theirs = Channel(3), Channel(3)
        ours.send(kind(*values))
        theirs.send(definition(*values))
        assert ours.take_outgoing() == theirs.take_outgoing() != []


def test_a_frame_is_what_pymavlink_frames() -> None:
    codec = mavlink.MAVLink(None, srcSystem=3, srcComponent=1)
    channel = Channel(3)
    message = mavlink.MAVLink_global_position_int_message(1, 2, 3, 4, 5, 6, 7, 8, 9)
    expected = bytes(message.pack(codec))
    channel.send(telemetry._GLOBAL_POSITION_INT(1, 2, 3, 4, 5, 6, 7, 8, 9))
    assert channel.take_outgoing() == [expected]


def test_not_a_number_travels() -> None:
    channel = Channel(1)
    channel.send(ardupilot._WINCH_STATUS(1, 2.0, 0.5, math.nan, math.nan, math.nan, 32767, 1))
    decoded = mavlink.MAVLink(None).parse_buffer(channel.take_outgoing()[0])[0]
    assert math.isnan(decoded.tension)
    assert decoded.line_length == 2.0


def test_a_kind_with_arrays_is_refused() -> None:
    with pytest.raises(ValueError, match="BATTERY_STATUS"):
        Kind(mavlink.MAVLink_battery_status_message)
