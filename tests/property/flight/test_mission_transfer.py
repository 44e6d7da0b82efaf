"""A transfer converges or fails cleanly whatever the network does, and is never believed wrongly."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.links.mavlink.mission import (
    MissionDownload,
    MissionResult,
    MissionType,
    MissionUpload,
    TransferStatus,
    differences,
)
from planner.compile.mission_types import MissionItem
from tests.property.flight.lossy import OWN, VEHICLE, Network, ScriptedVehicle

ADDRESS = {
    "target_system": VEHICLE[0],
    "target_component": VEHICLE[1],
    "own_system": OWN[0],
    "own_component": OWN[1],
}


def items(count: int, mark: int = 0) -> tuple[MissionItem, ...]:
    return tuple(
        MissionItem(
            seq=seq,
            frame=3,
            command=16,
            param1=float(mark),
            latitude_deg=22.5 + seq * 1e-3,
            longitude_deg=113.9 - seq * 1e-3,
            height_m=50.0 + seq,
        )
        for seq in range(count)
    )


def exact(item: MissionItem) -> tuple[object, ...]:
    return (
        item.seq,
        item.frame,
        item.command,
        item.param1,
        round(item.latitude_deg * 1e7),
        round(item.longitude_deg * 1e7),
        round(item.height_m, 3),
    )


def upload(wanted: tuple[MissionItem, ...], **options: int) -> MissionUpload:
    return MissionUpload(MissionType.MISSION, wanted, **ADDRESS, **options)


def download() -> MissionDownload:
    return MissionDownload(MissionType.MISSION, **ADDRESS)


@pytest.mark.parametrize("count", [0, 1, 2, 7, 8, 9, 50])
def test_a_clean_network_needs_each_item_once(count: int) -> None:
    vehicle = ScriptedVehicle()
    network = Network(vehicle)
    assert network.run(upload(items(count))).status is TransferStatus.DONE
    assert sum(name == "MISSION_ITEM_INT" for name, _ in network.sent) == count
    read = network.run(download()).items
    assert differences(items(count), read, exact) == ()


def test_fifty_items_at_300_ms_round_trip_take_under_three_seconds() -> None:
    network = Network(ScriptedVehicle(), delay_s=(0.15, 0.15))
    assert network.run(upload(items(50))).status is TransferStatus.DONE
    read = network.run(download()).items
    assert differences(items(50), read, exact) == ()
    assert network.now_s <= 6.0
    one_by_one = Network(ScriptedVehicle(), delay_s=(0.15, 0.15))
    one_by_one.run(upload(items(50), window=1))
    assert one_by_one.now_s > 15.0


@settings(max_examples=120, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    count=st.integers(0, 30),
    before=st.integers(0, 30),
    loss=st.floats(0, 0.35),
    double=st.floats(0, 0.3),
    latest_s=st.floats(0.01, 2.0),
)
def test_any_loss_doubling_and_reordering(
    seed: int, count: int, before: int, loss: float, double: float, latest_s: float
) -> None:
    vehicle = ScriptedVehicle()
    network = Network(vehicle, seed=seed, loss=loss, double=double, delay_s=(0.0, latest_s))
    # An earlier upload leaves its late packets in the network, straight into the next one.
    network.run(upload(items(before, mark=1)))
    outcome = network.run(upload(items(count, mark=2)))
    read = network.run(download())
    if read.status is not TransferStatus.DONE:
        assert read.items is None
        return
    verified = differences(items(count, mark=2), read.items, exact) == ()
    if verified and outcome.status is not TransferStatus.TIMED_OUT:
        held = [fields.param1 for fields in vehicle.stored]
        assert held == [2.0] * count, "believed verified, and the vehicle holds something else"


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), count=st.integers(1, 30))
def test_ten_percent_loss_always_converges(seed: int, count: int) -> None:
    network = Network(ScriptedVehicle(), seed=seed, loss=0.1, double=0.05, delay_s=(0.05, 0.25))
    outcome = network.run(upload(items(count)))
    assert outcome.status in (TransferStatus.DONE, TransferStatus.UNCONFIRMED)
    read = network.run(download())
    assert read.status is TransferStatus.DONE
    assert differences(items(count), read.items, exact) == ()


def test_a_refusal_names_the_item_and_ends() -> None:
    outcome = Network(ScriptedVehicle(refuse_at=(4, 3))).run(upload(items(9)))
    assert outcome.status is TransferStatus.REFUSED
    assert (outcome.result, outcome.at_seq) == (MissionResult.UNSUPPORTED, 4)


def test_a_dead_link_fails_within_a_bounded_time() -> None:
    network = Network(ScriptedVehicle(), loss=1.0)
    assert network.run(upload(items(3))).status is TransferStatus.TIMED_OUT
    assert network.run(download()).status is TransferStatus.TIMED_OUT
    assert network.now_s < 30


def test_differences_name_what_is_wrong() -> None:
    wanted = items(3)
    assert "holds 2 items, 3 were sent" in differences(wanted, wanted[:2], exact)[0]
    other = (*wanted[:2], items(3, mark=9)[2])
    (sentence,) = differences(wanted, other, exact)
    assert sentence.startswith("item 2:")
