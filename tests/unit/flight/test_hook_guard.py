"""A hook is asked about before every copy of the command that opens it, also where no answer comes."""

from __future__ import annotations

from typing import Any

import pytest

from core.clock import LoopClock
from core.virtual_time import run_virtual
from flight.autopilots import ardupilot_payload, px4_payload
from flight.autopilots.px4_payload import GripperOutput
from flight.links.mavlink.command import Command, CommandOutcome, CommandTransaction
from flight.model.outcomes import Obedience


class MuteVehicle:
    """Every command goes out as the driver sends it, and nothing ever comes back."""

    def __init__(self, clock: LoopClock, told: list[str]) -> None:
        self.clock, self.told = clock, told
        self.view: Any = type("View", (), {"texts": (), "servo_s": None, "servo_outputs_us": {}})()

    async def command(self, command: Command) -> CommandOutcome:
        transaction = CommandTransaction(
            command, target_system=1, target_component=1, own_system=245, own_component=190
        )
        transaction.begin(self.clock.monotonic_s())
        while True:
            self.told += ["copy"] * len(transaction.take_outgoing())
            if transaction.outcome is not None:
                return transaction.outcome
            await self.clock.sleep(0.05)
            transaction.tick(self.clock.monotonic_s())

    async def wait_for(self, _seen: Any, timeout_s: float) -> bool:
        await self.clock.sleep(timeout_s)
        return False


@pytest.mark.parametrize("autopilot", ["ardupilot", "px4"])
def test_every_copy_of_the_release_is_preceded_by_a_look(autopilot: str) -> None:
    async def main() -> None:
        clock = LoopClock()
        told: list[str] = []
        vehicle: Any = MuteVehicle(clock, told)

        async def why_not() -> str:
            told.append("look")
            # From the third look on the vehicle is not over the landing point any more.
            return "" if told.count("look") <= 2 else "it flies home"

        deadline_s = clock.monotonic_s() + 8.0
        if autopilot == "ardupilot":
            outcome = await ardupilot_payload.operate_gripper(
                vehicle, clock, release=True, deadline_s=deadline_s, why_not=why_not
            )
        else:
            output = GripperOutput(1, 0, hold_us=1900, release_us=1100)
            outcome = await px4_payload.operate_gripper(
                vehicle, clock, output, release=True, deadline_s=deadline_s, why_not=why_not
            )
        assert outcome.status is Obedience.REFUSED
        assert "it flies home" in outcome.detail
        assert told[:4] == ["look", "copy", "look", "copy"]
        assert set(told[4:]) == {"look"}

    run_virtual(main())


@pytest.mark.parametrize("release", [True, False])
def test_without_a_look_the_driver_repeats_it_by_itself(release: bool) -> None:
    async def main() -> None:
        clock = LoopClock()
        told: list[str] = []
        vehicle: Any = MuteVehicle(clock, told)
        outcome = await ardupilot_payload.operate_gripper(
            vehicle, clock, release=release, deadline_s=clock.monotonic_s() + 4.0
        )
        assert outcome.status is Obedience.UNANSWERED
        assert told.count("copy") >= 3

    run_virtual(main())
