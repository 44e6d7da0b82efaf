"""Mission, fence and rally transfers behave as observed on ArduCopter, surprises included."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mavlink

from sitl.autopilot import Personality
from tests.unit.sitl.ground_station import AUTO, GUIDED, GroundStation, make_vehicle

MISSION, FENCE, RALLY = 0, 1, 2
CIRCLE_IN, POLYGON_IN, POLYGON_OUT, RALLY_POINT = 5003, 5001, 5002, 5100


@pytest.fixture
def station() -> GroundStation:
    return GroundStation(make_vehicle())


def small_mission(station: GroundStation) -> list[Any]:
    return [station.item(16, 0), station.item(22, 0, 0, 20), station.item(16, 50, 0, 20), station.item(21, 0)]


def test_it_asks_with_mission_request_not_int(station: GroundStation) -> None:
    station.send(mavlink.MAVLink_mission_count_message(1, 1, 3, MISSION))
    (asked,) = station.collect()
    assert asked.get_type() == "MISSION_REQUEST"
    assert asked.seq == 0


def test_what_is_sent_at_seq_0_is_discarded_for_home(station: GroundStation) -> None:
    station.run(0.2)
    items = small_mission(station)
    items[0] = station.item(22, 500, 500, 99)
    assert station.upload(items) == 0
    home = station.download()[0]
    assert home.command == 16
    assert (home.x, home.y) == (225806000, 1138830000)
    assert home.frame == 0
    assert home.z == pytest.approx(5.0)


def test_silence_is_asked_again_each_second_and_given_up_after_eight(station: GroundStation) -> None:
    station.send(mavlink.MAVLink_mission_count_message(1, 1, 3, MISSION))
    station.run(12)
    asked_s = [at for at, m in station.heard if m.get_type() == "MISSION_REQUEST"]
    acks = [(at, m.type) for at, m in station.heard if m.get_type() == "MISSION_ACK"]
    assert len(asked_s) in (8, 9)
    assert all(0.9 < b - a < 1.3 for a, b in itertools.pairwise(asked_s))
    assert len(acks) == 1
    assert acks[0][1] == 15
    assert acks[0][0] == pytest.approx(8.0, abs=0.3)
    assert "Mission upload timeout" in station.texts()


def test_a_wrong_number_is_answered_13_and_the_upload_goes_on(station: GroundStation) -> None:
    items = small_mission(station)
    station.send(mavlink.MAVLink_mission_count_message(1, 1, len(items), MISSION))
    stray = station.item(16, 1, 1, 20)
    stray.seq = 2
    station.send(stray)
    assert [m.type for m in station.collect() if m.get_type() == "MISSION_ACK"] == [13]
    for seq, item in enumerate(items):
        item.seq = seq
        station.send(item)
    assert [m.type for m in station.collect() if m.get_type() == "MISSION_ACK"] == [0]


def test_another_component_is_refused_while_an_upload_is_open(station: GroundStation) -> None:
    station.send(mavlink.MAVLink_mission_count_message(1, 1, 4, MISSION))
    other = GroundStation(station.vehicle, system_id=254)
    other.send(mavlink.MAVLink_mission_count_message(1, 1, 2, MISSION))
    other.send(mavlink.MAVLink_mission_request_list_message(1, 1, MISSION))
    assert [m.type for m in other.collect() if m.get_type() == "MISSION_ACK"] == [14, 14]


def test_cancelling_an_upload_is_ignored(station: GroundStation) -> None:
    items = small_mission(station)
    station.send(mavlink.MAVLink_mission_count_message(1, 1, len(items), MISSION))
    station.collect()
    station.send(mavlink.MAVLink_mission_ack_message(1, 1, 15, MISSION))
    for seq, item in enumerate(items):
        item.seq = seq
        station.send(item)
    assert [m.type for m in station.collect() if m.get_type() == "MISSION_ACK"] == [0]


def test_a_refused_mission_leaves_a_mix_of_new_and_old(station: GroundStation) -> None:
    old = [*small_mission(station), station.item(16, 9, 9, 33)]
    assert station.upload(old) == 0
    new = [station.item(16, 0), station.item(22, 0, 0, 44), station.item(530), station.item(21, 0)]
    assert station.upload(new) == 3
    kept = station.download()
    assert [item.command for item in kept] == [16, 22, 16, 21]
    assert kept[1].z == pytest.approx(44)


def test_a_refused_fence_leaves_the_old_one_whole(station: GroundStation) -> None:
    ring = [(300, -300), (300, 300), (-300, 300), (-300, -300)]
    old = [station.item(POLYGON_IN, n, e, p=(4, 0, 0, 0), frame=0, kind=FENCE) for n, e in ring]
    assert station.upload(old, FENCE) == 0
    broken = [station.item(POLYGON_IN, n, e, p=(5, 0, 0, 0), frame=0, kind=FENCE) for n, e in ring]
    assert station.upload(broken, FENCE) == 1
    kept = station.download(FENCE)
    assert [(i.command, i.param1, i.x, i.y) for i in kept] == [(POLYGON_IN, 4.0, i.x, i.y) for i in old]


def test_rally_points_are_read_back_with_their_frame_made_plain(station: GroundStation) -> None:
    points = [
        station.item(RALLY_POINT, 100, 50, 30, frame=frame, kind=RALLY) for frame in (0, 3, 5, 6, 10, 11)
    ]
    assert station.upload(points, RALLY) == 0
    assert [item.frame for item in station.download(RALLY)] == [0, 3, 0, 3, 10, 10]


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda s: s.item(195), 3),
        (lambda s: s.item(16, 0, 0, 20, frame=7), 2),
        (lambda s: s.item(16, 0, 0, 20, p=(math.nan, 0, 0, 0)), 6),
        (lambda s: s.item(16, 0, 0, 20, p=(0, math.inf, 0, 0)), 7),
        (lambda s: s.item(19, 0, 0, 20, p=(0, 0, math.nan, 0)), 8),
        (lambda s: s.item(42600, p=(1, 1, 5, math.nan), frame=0), 9),
        (lambda s: s.item(16, 0, 0, math.nan), 12),
    ],
    ids=["unsupported", "frame", "param1", "param2", "param3", "param4", "altitude"],
)
def test_each_bad_item_has_its_own_answer(station: GroundStation, make: Any, expected: int) -> None:
    assert station.upload([station.item(16, 0), station.item(22, 0, 0, 20), make(station)]) == expected


def test_latitude_and_longitude_out_of_range_are_told_apart(station: GroundStation) -> None:
    for field, expected in (("x", 10), ("y", 11)):
        item = station.item(16, 0, 0, 20)
        setattr(item, field, 1_900_000_000)
        assert station.upload([station.item(16, 0), item]) == expected


def test_a_waypoint_may_leave_its_heading_open(station: GroundStation) -> None:
    item = station.item(16, 10, 0, 20, p=(3.7, 5.0, 1.0, math.nan))
    assert station.upload([station.item(16, 0), item]) == 0
    kept = station.download()[1]
    # Only whole seconds of hold survive.
    assert (kept.param1, kept.param2, kept.param3, kept.param4) == (3.0, 0.0, 0.0, 0.0)


def test_too_many_items_are_refused(station: GroundStation) -> None:
    station.send(mavlink.MAVLink_mission_count_message(1, 1, 651, MISSION))
    assert [m.type for m in station.collect() if m.get_type() == "MISSION_ACK"] == [4]
    station.send(mavlink.MAVLink_mission_count_message(1, 1, 47, RALLY))
    assert [m.type for m in station.collect() if m.get_type() == "MISSION_ACK"] == [4]


def test_an_item_without_an_upload_gets_an_error(station: GroundStation) -> None:
    station.send(station.item(16, 0, 0, 20))
    assert [m.type for m in station.collect() if m.get_type() == "MISSION_ACK"] == [1]


def test_clearing_is_refused_while_the_mission_flies(station: GroundStation) -> None:
    assert station.upload(small_mission(station)) == 0
    station.mode(GUIDED)
    station.arm()
    station.command(300)
    station.run(10)
    station.send(mavlink.MAVLink_mission_clear_all_message(1, 1, MISSION))
    assert [m.type for m in station.collect() if m.get_type() == "MISSION_ACK"] == [1]
    station.mode(GUIDED)
    station.send(mavlink.MAVLink_mission_clear_all_message(1, 1, MISSION))
    assert [m.type for m in station.collect() if m.get_type() == "MISSION_ACK"] == [0]


def test_uploading_in_auto_restarts_the_leg_being_flown(station: GroundStation) -> None:
    items = [
        station.item(16, 0),
        station.item(22, 0, 0, 20),
        station.item(16, 400, 0, 20),
        station.item(21, 0),
    ]
    assert station.upload(items) == 0
    station.mode(GUIDED)
    station.arm()
    station.command(300)
    station.run_until(lambda: station.vehicle.body.north_m > 50, 120)
    assert station.vehicle.mode == "AUTO"
    items[2] = station.item(16, 50, 80, 20)
    assert station.upload(items) == 0
    station.run(0.5)
    assert "Auto mission changed, restarted command" in station.texts()
    station.run_until(lambda: station.vehicle.body.east_m > 70, 60)
    assert station.mode(AUTO) == 0


def test_old_clients_may_download_float_items(station: GroundStation) -> None:
    assert station.upload(small_mission(station)) == 0
    station.send(mavlink.MAVLink_mission_request_message(1, 1, 2, MISSION))
    answer = station.collect()
    (item,) = [m for m in answer if m.get_type() == "MISSION_ITEM"]
    assert item.z == pytest.approx(20)
    assert "got MISSION_REQUEST; use MISSION_REQUEST_INT!" in station.texts()


@pytest.mark.parametrize("personality", [Personality.ARDUPILOT, Personality.PX4])
@pytest.mark.parametrize("nowhere", [math.nan, math.inf, -1e30])
def test_a_float_item_that_is_nowhere_is_answered_and_ends_nothing(
    personality: Personality, nowhere: float
) -> None:
    station = GroundStation(make_vehicle(autopilot=personality))
    station.send(mavlink.MAVLink_mission_count_message(1, 1, 2, MISSION))
    for seq in range(2):
        station.send(
            mavlink.MAVLink_mission_item_message(1, 1, seq, 3, 16, 0, 1, 0, 0, 0, 0, nowhere, nowhere, 20)
        )
    station.run(1.0)
    assert station.of("MISSION_ACK"), "answered"
    assert station.of("HEARTBEAT"), "and it lives"
