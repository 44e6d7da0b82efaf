"""How PX4 words parameters and telemetry, against numbers worked out by hand."""

import struct
from typing import Any

import pytest

from flight.links.mavlink.framing import FrameParser, FrameWriter, Message
from flight.links.mavlink.params import ParameterEncoding, ParameterRead, ParameterSet
from flight.links.mavlink.telemetry import TelemetryReader
from flight.model.view import MissionState, VehicleView

INT32, REAL32 = 6, 9
TARGET = {"target_system": 1, "target_component": 1}


def said(name: str, **fields: Any) -> Message:
    """A message as it comes off the wire."""
    (message,) = FrameParser().feed(FrameWriter(1, 1).pack(name, **fields))
    return message


def value_message(name: str, value: float, kind: int) -> Message:
    return said("PARAM_VALUE", param_id=name, param_value=value, param_type=kind)


@pytest.mark.parametrize("number", [0, 1, 3, 121212, -1, 2**31 - 1, -(2**31)])
def test_a_whole_number_keeps_its_bytes(number: int) -> None:
    (wire,) = struct.unpack("<f", struct.pack("<i", number))
    assert ParameterEncoding.BYTEWISE.from_wire(wire, INT32) == number
    assert struct.pack("<f", ParameterEncoding.BYTEWISE.to_wire(number, INT32)) == struct.pack("<i", number)


def test_floats_and_casts_travel_as_they_are() -> None:
    assert ParameterEncoding.BYTEWISE.from_wire(2.5, REAL32) == 2.5
    assert ParameterEncoding.CAST.from_wire(3.0, INT32) == 3.0
    assert ParameterEncoding.CAST.to_wire(3.0, INT32) == 3.0


def test_three_is_not_taken_for_a_tiny_number() -> None:
    read = ParameterRead(["NAV_DLL_ACT"], encoding=ParameterEncoding.BYTEWISE, **TARGET)
    read.begin(0.0)
    read.receive(value_message("NAV_DLL_ACT", 4.203895392974451e-45, INT32), 0.1)
    assert read.outcome == {"NAV_DLL_ACT": 3.0}


def test_setting_asks_for_the_type_first() -> None:
    wanted = ParameterSet("GF_ACTION", 3.0, encoding=ParameterEncoding.BYTEWISE, **TARGET)
    wanted.begin(0.0)
    assert [name for name, _ in wanted.take_outgoing()] == ["PARAM_REQUEST_READ"]
    wanted.receive(value_message("GF_ACTION", 2 * 2.0**-149, INT32), 0.1)
    ((name, fields),) = wanted.take_outgoing()
    assert (name, fields["param_type"]) == ("PARAM_SET", INT32)
    assert struct.pack("<f", fields["param_value"]) == b"\x03\x00\x00\x00"
    assert wanted.outcome is None
    wanted.receive(value_message("GF_ACTION", 3 * 2.0**-149, INT32), 0.2)
    assert wanted.outcome is not None
    assert wanted.outcome.matches


def test_a_fraction_is_not_rounded_into_a_whole_number() -> None:
    wanted = ParameterSet("GF_ACTION", 2.5, encoding=ParameterEncoding.BYTEWISE, **TARGET)
    wanted.begin(0.0)
    wanted.take_outgoing()
    wanted.receive(value_message("GF_ACTION", 2 * 2.0**-149, INT32), 0.1)
    assert wanted.outcome is not None
    assert not wanted.outcome.matches
    assert wanted.take_outgoing() == []


def test_what_px4_says_of_estimator_wind_outputs_and_mission() -> None:
    view = VehicleView()
    reader = TelemetryReader(view)
    reader.read(said("ESTIMATOR_STATUS", flags=831), 1.0)
    reader.read(said("WIND_COV", wind_x=0.0, wind_y=4.0), 1.0)
    reader.read(said("SERVO_OUTPUT_RAW", port=0, servo5_raw=1000, servo16_raw=900), 1.0)
    reader.read(said("SERVO_OUTPUT_RAW", port=1, servo1_raw=1500), 1.0)
    reader.read(said("MISSION_CURRENT", seq=2, total=9, mission_state=2), 1.0)
    assert (view.ekf_flags, view.ekf_s) == (831, 1.0)
    # Air that moves to the east comes from the west.
    assert (view.wind_from_deg, view.wind_speed_m_s) == (270.0, 4.0)
    assert view.servo_outputs_us[0][4] == 1000
    assert view.servo_outputs_us[0][15] == 900
    assert view.servo_outputs_us[1][0] == 1500
    assert (view.mission_seq, view.mission_state) == (2, MissionState.NOT_STARTED)
