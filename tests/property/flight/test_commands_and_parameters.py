"""Commands are repeated only where that is harmless; parameters are believed only when stated back."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.links.mavlink.command import Command, CommandResult, CommandTransaction, RetryClass
from flight.links.mavlink.framing import Message
from flight.links.mavlink.params import ParameterRead, ParameterSet
from tests.property.flight.lossy import OWN, VEHICLE, Network, message

TARGET = {"target_system": VEHICLE[0], "target_component": VEHICLE[1]}


class Obeying:
    """Executes every copy of every command, as real receivers do, and keeps parameters."""

    def __init__(self, answers: tuple[int, ...] = (0,)) -> None:
        self.answers = answers
        self.executed: list[int] = []
        self.confirmations: list[int] = []
        self.parameters = {f"P{number}": float(number) for number in range(30)}

    def receive(self, name: str, fields: Any, now_s: float) -> list[Message]:
        if name in ("COMMAND_LONG", "COMMAND_INT"):
            self.executed.append(fields.command)
            self.confirmations.append(getattr(fields, "confirmation", 0))
            return [
                message(
                    "COMMAND_ACK",
                    command=fields.command,
                    result=answer,
                    target_system=OWN[0],
                    target_component=OWN[1],
                )
                for answer in self.answers
            ]
        if name == "PARAM_REQUEST_READ" and fields.param_id in self.parameters:
            return [
                message("PARAM_VALUE", param_id=fields.param_id, param_value=self.parameters[fields.param_id])
            ]
        if name == "PARAM_SET" and fields.param_id in self.parameters:
            self.parameters[fields.param_id] = min(fields.param_value, 100.0)
            return [
                message("PARAM_VALUE", param_id=fields.param_id, param_value=self.parameters[fields.param_id])
            ]
        return []

    def tick(self, now_s: float) -> list[Message]:
        return []


def transaction(retry: RetryClass, **fields: Any) -> CommandTransaction:
    return CommandTransaction(
        Command(42600, param3=5.0, retry=retry, **fields), **TARGET, own_system=OWN[0], own_component=OWN[1]
    )


@settings(max_examples=200, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    loss=st.floats(0, 0.9),
    retry=st.sampled_from([RetryClass.NEVER, RetryClass.CHECK_FIRST]),
)
def test_what_must_not_be_repeated_is_sent_once(seed: int, loss: float, retry: RetryClass) -> None:
    vehicle = Obeying()
    network = Network(vehicle, seed=seed, loss=loss, delay_s=(0.0, 3.0))
    outcome = network.run(transaction(retry))
    assert len(network.sent) == 1
    assert len(vehicle.executed) <= 1
    if outcome.accepted:
        assert vehicle.executed == [42600]


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32), loss=st.floats(0, 0.6))
def test_what_may_be_repeated_is_repeated_and_counted(seed: int, loss: float) -> None:
    vehicle = Obeying()
    network = Network(vehicle, seed=seed, loss=loss)
    outcome = network.run(transaction(RetryClass.IDEMPOTENT))
    assert 1 <= len(network.sent) <= 3
    assert [fields["confirmation"] for _, fields in network.sent] == list(range(len(network.sent)))
    assert outcome.accepted == (outcome.result is CommandResult.ACCEPTED)
    assert network.now_s <= 1.6


def test_in_progress_lengthens_the_wait_and_stops_repetition() -> None:
    class Slow(Obeying):
        done_s = 4.0

        def tick(self, now_s: float) -> list[Message]:
            if self.executed and now_s >= self.done_s:
                self.done_s = float("inf")
                return [
                    message("COMMAND_ACK", command=42600, result=0, target_system=255, target_component=190)
                ]
            return []

    vehicle = Slow(answers=(5,))
    network = Network(vehicle)
    assert network.run(transaction(RetryClass.IDEMPOTENT)).accepted
    assert len(vehicle.executed) == 1


def test_progress_for_ever_is_not_believed() -> None:
    class Busy(Obeying):
        def tick(self, now_s: float) -> list[Message]:
            return [message("COMMAND_ACK", command=42600, result=5, target_system=255, target_component=190)]

    network = Network(Busy(answers=()))
    assert network.run(transaction(RetryClass.IDEMPOTENT)).unanswered
    assert 50 < network.now_s < 70


@pytest.mark.parametrize(
    "foreign",
    [
        {"command": 400, "result": 0, "target_system": 255, "target_component": 190},
        {"command": 42600, "result": 0, "target_system": 254, "target_component": 190},
        {"command": 42600, "result": 0, "target_system": 255, "target_component": 7},
        {"command": 42600, "result": 99, "target_system": 255, "target_component": 190},
    ],
)
def test_an_answer_to_something_else_is_no_answer(foreign: dict[str, int]) -> None:
    wanted = transaction(RetryClass.NEVER)
    wanted.begin(0.0)
    wanted.receive(message("COMMAND_ACK", **foreign), 0.1)
    assert wanted.outcome is None


def test_a_command_int_carries_scaled_positions() -> None:
    wanted = transaction(RetryClass.NEVER, integer=True, frame=3, param5=225000000, param6=1139000000)
    wanted.begin(0.0)
    ((name, fields),) = wanted.take_outgoing()
    assert name == "COMMAND_INT"
    assert (fields["x"], fields["y"], fields["frame"]) == (225000000, 1139000000, 3)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), loss=st.floats(0, 0.3))
def test_parameters_are_read_or_reported_missing(seed: int, loss: float) -> None:
    vehicle = Obeying()
    network = Network(vehicle, seed=seed, loss=loss, double=0.2, delay_s=(0.0, 0.6))
    values = network.run(ParameterRead([*vehicle.parameters, "NO_SUCH"], **TARGET))
    assert values["NO_SUCH"] is None
    for name, value in vehicle.parameters.items():
        assert values[name] in (value, None)
    if loss == 0:
        assert None not in [values[name] for name in vehicle.parameters]


def test_a_parameter_that_the_vehicle_changes_is_not_set() -> None:
    vehicle = Obeying()
    good = Network(vehicle).run(ParameterSet("P3", 42.0, **TARGET))
    assert (good.matches, vehicle.parameters["P3"]) == (True, 42.0)
    clipped = Network(vehicle).run(ParameterSet("P3", 420.0, **TARGET))
    assert (clipped.matches, clipped.value) == (False, 100.0)
    assert Network(vehicle).run(ParameterSet("NO_SUCH", 1.0, **TARGET)).value is None
