"""The parameter protocol."""

from __future__ import annotations

import math

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mavlink

from sitl.ardupilot.parameters import Parameters
from tests.unit.sitl.ground_station import GroundStation, make_vehicle

NEEDED = [
    "FS_GCS_ENABLE",
    "FS_OPTIONS",
    "RALLY_LIMIT_KM",
    "RALLY_INCL_HOME",
    "FENCE_ENABLE",
    "FENCE_TYPE",
    "FENCE_ACTION",
    "FENCE_ALT_MAX",
    "WPNAV_SPEED",
    "WPNAV_SPEED_UP",
    "WPNAV_SPEED_DN",
    "WPNAV_RADIUS",
    "WPNAV_ACCEL",
    "ANGLE_MAX",
    "BATT_CAPACITY",
    "BATT_LOW_VOLT",
    "SYSID_MYGCS",
    "MIS_RESTART",
    "RTL_ALT",
    "WINCH_TYPE",
    "GRIP_ENABLE",
    "LAND_SPEED",
    "LAND_ALT_LOW",
    "SIM_WIND_SPD",
]


def test_the_whole_list_arrives_once_each_with_the_right_count() -> None:
    station = GroundStation(make_vehicle())
    station.send(mavlink.MAVLink_param_request_list_message(1, 1))
    station.run(5)
    values = station.of("PARAM_VALUE")
    assert sorted(message.param_index for message in values) == list(range(values[0].param_count))
    names = {message.param_id for message in values}
    assert set(NEEDED) <= names
    assert len(names) >= 100


def test_reading_by_name_and_by_index() -> None:
    station = GroundStation(make_vehicle())
    station.send(mavlink.MAVLink_param_request_read_message(1, 1, b"RTL_ALT", -1))
    (named,) = station.collect()
    assert named.param_value == 1500
    station.send(mavlink.MAVLink_param_request_read_message(1, 1, b"", named.param_index))
    (numbered,) = station.collect()
    assert numbered.param_id == "RTL_ALT"


def test_unknown_parameters_are_answered_with_silence() -> None:
    station = GroundStation(make_vehicle())
    station.send(mavlink.MAVLink_param_request_read_message(1, 1, b"NO_SUCH_THING", -1))
    station.send(mavlink.MAVLink_param_set_message(1, 1, b"NO_SUCH_THING", 1.0, 9))
    assert station.collect() == []


@pytest.mark.parametrize(
    ("name", "sent", "kept"),
    [
        ("RTL_ALT", 3000.0, 3000.0),
        ("RTL_ALT", 3000.9, 3000.0),
        ("FENCE_ENABLE", 1.0, 1.0),
        ("MIS_RESTART", 300.0, 127.0),
        ("RALLY_LIMIT_KM", 2.5, 2.5),
        ("FENCE_TOTAL", 9.0, 0.0),
        ("RTL_ALT", math.nan, 1500.0),
    ],
    ids=["integer", "truncated", "byte", "clamped", "float", "read-only", "nan"],
)
def test_values_are_cast_as_the_vehicle_keeps_them(name: str, sent: float, kept: float) -> None:
    station = GroundStation(make_vehicle())
    assert station.set_parameter(name, sent) == pytest.approx(kept)


def test_a_float_survives_as_float32() -> None:
    station = GroundStation(make_vehicle())
    assert station.set_parameter("RALLY_LIMIT_KM", 0.1) == pytest.approx(0.1, rel=1e-7)


def test_the_wind_parameters_of_the_simulator_move_the_air() -> None:
    vehicle = make_vehicle()
    station = GroundStation(vehicle)
    station.stream(168)
    station.set_parameter("SIM_WIND_T", 1)
    station.set_parameter("SIM_WIND_SPD", 6)
    station.set_parameter("SIM_WIND_DIR", 90)
    station.take_off(10)
    assert vehicle.body.wind_m_s[1] == pytest.approx(-6, abs=0.01)
    assert station.of("WIND")[-1].direction == pytest.approx(90, abs=1)
    assert station.of("WIND")[-1].speed == pytest.approx(6, abs=0.1)


def test_an_unknown_parameter_at_set_up_is_refused_with_its_name() -> None:
    with pytest.raises(KeyError, match="NO_SUCH_THING"):
        Parameters({"NO_SUCH_THING": 1.0})
