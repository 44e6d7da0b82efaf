"""Nothing a peer sends may break the vehicle: any bytes, any command, any number in it."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from pymavlink.dialects.v20 import ardupilotmega as mavlink

from sitl.ardupilot.commands import Commands
from tests.unit.sitl.ground_station import GUIDED, GroundStation, make_vehicle

numbers = st.one_of(
    st.floats(width=32), st.sampled_from([math.nan, math.inf, -math.inf, 0.0, 1.0, 2.0, 3.0, 21196.0])
)
known = sorted(Commands(make_vehicle().autopilot)._handlers)
# 246 reboots, which only makes the vehicle deaf for a while.
commands = st.one_of(st.sampled_from([number for number in known if number != 246]), st.integers(0, 65535))
whole = st.integers(-(2**31), 2**31 - 1)


def hovering() -> GroundStation:
    station = GroundStation(make_vehicle(airframe="hex10", parameters={"FENCE_ENABLE": 0}))
    station.stream(33, 30, 1, 147, 24, 42, 62, 74, 168, 9005, 242, 245, 162, 193, interval_s=0.5)
    station.take_off(15)
    return station


@settings(deadline=None, max_examples=40)
@given(st.binary(max_size=600))
def test_any_bytes_are_survived(data: bytes) -> None:
    vehicle = make_vehicle()
    vehicle.receive(data)
    vehicle.step(0.2)
    station = GroundStation(vehicle)
    station.run(1.2)
    assert station.of("HEARTBEAT")


@settings(deadline=None, max_examples=25)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("long"), commands, st.lists(numbers, min_size=7, max_size=7)),
            st.tuples(st.just("int"), commands, st.lists(numbers, min_size=5, max_size=5), st.integers(0, 21), whole, whole),
        ),
        min_size=1,
        max_size=12,
    )
)  # fmt: skip
def test_any_commands_leave_a_vehicle_that_still_knows_where_it_is(sent: list[tuple]) -> None:  # type: ignore[type-arg]
    station = hovering()
    vehicle = station.vehicle
    for entry in sent:
        if entry[0] == "long":
            station.send(mavlink.MAVLink_command_long_message(1, 1, entry[1], 0, *entry[2]))
        else:
            _, number, values, frame, x, y = entry
            station.send(
                mavlink.MAVLink_command_int_message(1, 1, frame, number, 0, 0, *values[:4], x, y, values[4])
            )
        station.run(0.3)
    station.run(3.0)
    assert np.all(np.isfinite(vehicle.body.s))
    # Every command got exactly one answer; MISSION_START and the like may add texts.
    assert len(station.of("COMMAND_ACK")) >= len(sent)


@settings(deadline=None, max_examples=20)
@given(whole.filter(lambda x: abs(x) <= 900_000_000), whole.filter(lambda y: abs(y) <= 1_800_000_000))
def test_a_target_anywhere_on_earth_is_flown_towards(x: int, y: int) -> None:
    station = hovering()
    vehicle = station.vehicle
    if (x, y) == (0, 0):
        return
    assert station.command_int(192, -1, x=x, y=y, z=30.0) == 0
    station.run(6)
    assert np.all(np.isfinite(vehicle.body.s))
    assert station.mode(GUIDED) == 0
