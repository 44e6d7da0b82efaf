"""Nothing a peer sends may break the PX4 personality: any bytes, commands, numbers, plans."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from pymavlink.dialects.v20 import ardupilotmega as mavlink

from sitl.px4 import items
from sitl.px4.commands import Commands
from tests.unit.sitl.px4_station import Px4Station, px4

numbers = st.one_of(
    st.floats(width=32), st.sampled_from([math.nan, math.inf, -math.inf, 0.0, 1.0, 2.0, 3.0, 4.0, 21196.0])
)
known = sorted({*Commands(px4().autopilot)._handlers, 211, 42600})  # type: ignore[arg-type]
# 246 reboots, which only makes the vehicle deaf for a while.
commands = st.one_of(st.sampled_from([number for number in known if number != 246]), st.integers(0, 65535))
whole = st.integers(-(2**31), 2**31 - 1)
near = st.tuples(st.integers(-3000, 3000), st.integers(-3000, 3000))
item_commands = st.sampled_from(
    [16, 17, 19, 20, 21, 22, 31, 93, 177, 178, 179, 189, 195, 201, 211, 400, 42600, 530]
)


@settings(deadline=None, max_examples=30)
@given(st.binary(max_size=600))
def test_any_bytes_are_survived(data: bytes) -> None:
    vehicle = px4()
    vehicle.receive(data)
    vehicle.step(0.2)
    station = Px4Station(vehicle, ready=False)
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
    vehicle = px4()
    station = Px4Station(vehicle)
    station.take_off(12)
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


def test_every_command_it_handles_is_survived_with_any_number() -> None:
    for command in known:
        for number in (math.nan, math.inf, -1.0, 0.0, 1.0, 3e9):
            station = Px4Station(px4())
            station.send(mavlink.MAVLink_command_long_message(1, 1, command, 0, *[number] * 7))
            station.run(0.3)


@settings(deadline=None, max_examples=25)
@given(
    st.lists(
        st.tuples(
            item_commands,
            st.sampled_from([0, 2, 3, 5, 6]),
            st.lists(numbers, min_size=4, max_size=4),
            near,
            st.one_of(numbers, st.floats(1, 60)),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_any_mission_that_is_taken_is_flown_without_harm(sent: list[tuple]) -> None:  # type: ignore[type-arg]
    vehicle = px4(gnss_height_wanders=True)
    station = Px4Station(vehicle)
    plan = [station.position(22, 0, 0, 12)]
    for command, frame, p, (north, east), z in sent:
        item = station.item(command, north / 10, east / 10, 0.0, p=(p[0], p[1], p[2], p[3]), frame=frame)
        item.z = z
        plan.append(item)
    result = station.upload(plan)
    station.run(1.5)
    if result != items.ACCEPTED:
        assert station.download() == []
        return
    station.mode((4, 4))
    station.arm()
    station.run(25.0)
    assert np.all(np.isfinite(vehicle.body.s))
    assert vehicle.body.up_m < 5000


@settings(deadline=None, max_examples=25)
@given(
    st.integers(1, 2),
    st.lists(
        st.tuples(
            st.sampled_from([5000, 5001, 5002, 5003, 5004, 5100, 16]),
            st.sampled_from([0, 3, 5, 6, 10]),
            numbers,
            near,
            numbers,
        ),
        min_size=1,
        max_size=8,
    ),
)
def test_any_fence_or_rally_plan_is_survived(kind: int, sent: list[tuple]) -> None:  # type: ignore[type-arg]
    vehicle = px4()
    station = Px4Station(vehicle)
    plan = []
    for command, frame, p1, (north, east), z in sent:
        item = station.item(command, north, east, 0.0, p=(p1, 0, 0, 0), frame=frame, kind=kind)
        item.z = z
        plan.append(item)
    station.upload(plan, kind)
    station.run(2.0)
    station.arm()
    station.mode((4, 5))
    station.run(3.0)
    assert np.all(np.isfinite(vehicle.body.s))
