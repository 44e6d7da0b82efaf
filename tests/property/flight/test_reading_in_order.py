"""Reading a list from a vehicle that gives the reading up at any request out of turn, as PX4 1.17 does.

The rule was read in PX4's source (mission manager, list being sent): the next item or a repetition of the last one
is answered; anything else ends the reading with ACK 1 and then silence.
"""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from flight.links.mavlink.framing import Message
from flight.links.mavlink.mission import MissionDownload, MissionType, TransferStatus, differences
from tests.property.flight.lossy import Network, ScriptedVehicle
from tests.property.flight.test_mission_transfer import ADDRESS, exact, items, upload


class Strict(ScriptedVehicle):
    """Answers requests only inside a reading, and only in turn."""

    def __init__(self) -> None:
        super().__init__()
        self.next_seq: int | None = None
        self.given_up = 0

    def receive(self, name: str, fields: Any, now_s: float) -> list[Message]:
        if name == "MISSION_REQUEST_LIST":
            self.next_seq = 0
        elif name == "MISSION_ACK":
            self.next_seq = None
        elif name == "MISSION_REQUEST_INT":
            if self.next_seq is None:
                return []
            if fields.seq == self.next_seq and fields.seq < len(self.stored):
                self.next_seq += 1
            elif fields.seq != self.next_seq - 1:
                self.next_seq = None
                self.given_up += 1
                return self._ack(fields, 1)
        return super().receive(name, fields, now_s)


def held(count: int) -> Strict:
    vehicle = Strict()
    assert Network(vehicle).run(upload(items(count))).status is TransferStatus.DONE
    return vehicle


def read(in_order: bool) -> MissionDownload:
    return MissionDownload(MissionType.MISSION, in_order=in_order, **ADDRESS)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    count=st.integers(0, 25),
    loss=st.floats(0, 0.2),
    double=st.floats(0, 0.2),
)
def test_what_is_read_is_what_is_held(seed: int, count: int, loss: float, double: float) -> None:
    network = Network(held(count), seed=seed, loss=loss, double=double, delay_s=(0.0, 0.3))
    outcome = network.run(read(in_order=True))
    if outcome.items is not None:
        assert differences(items(count), outcome.items, exact) == ()
    else:
        assert loss + double > 0


def test_a_reordering_link_is_no_obstacle_one_at_a_time() -> None:
    for seed in range(20):
        network = Network(held(20), seed=seed, delay_s=(0.0, 0.2))
        assert network.run(read(in_order=True)).status is TransferStatus.DONE


def test_after_a_request_out_of_turn_the_list_is_asked_for_again() -> None:
    given_up = read_all = 0
    for seed in range(20):
        vehicle = held(12)
        network = Network(vehicle, seed=seed, double=0.1, delay_s=(0.0, 0.4))
        outcome = network.run(read(in_order=True))
        if outcome.items is not None:
            assert differences(items(12), outcome.items, exact) == ()
            read_all += vehicle.given_up > 0
        given_up += vehicle.given_up > 0
    assert given_up >= 5
    assert read_all >= 0.8 * given_up
