"""The relay of commands beside a store that fails just then."""

from __future__ import annotations

import asyncio
from typing import Any

from core.clock import LoopClock
from core.virtual_time import run_virtual
from flight.bus import InProcessBus
from hub_api.dispatch.relay import OutboxRelay
from hub_api.store.records import OutboxRecord
from tests.unit.hub_api.test_interleavings import STORE_FAILED
from tests.unit.hub_api.world import EPOCH


class Owed:
    """A database whose outbox holds what the test puts there, and which fails when it is told to."""

    def __init__(self) -> None:
        self.commands: list[OutboxRecord] = []
        self.failures = 0

    async def read(self, _work: Any) -> list[OutboxRecord]:
        if self.failures:
            self.failures -= 1
            raise STORE_FAILED
        return list(self.commands)

    async def write(self, _work: Any) -> None:
        return None


def a_command(seq: int) -> OutboxRecord:
    return OutboxRecord(
        seq=seq,
        message_id=f"cmd-{seq}",
        subject="fleet.bao-01.commands",
        payload=b"{}",
        kind="abort_flight",
        drone_id="bao-01",
        mission_id=None,
        created_at=EPOCH,
        published_at=None,
        publications=0,
        settled_at=None,
        outcome=None,
    )


async def _relay(owed: Owed, given_up: list[int], failures: int) -> tuple[OutboxRelay, Any, LoopClock]:
    clock = LoopClock(epoch=EPOCH)
    bus = InProcessBus(clock)
    left = failures

    async def unanswered(command: OutboxRecord) -> None:
        nonlocal left
        if left:
            left -= 1
            raise STORE_FAILED
        given_up.append(command.seq)

    relay = OutboxRelay(
        owed,  # type: ignore[arg-type]
        bus,
        clock,
        repeat_s=2.0,
        answer_s=10.0,
        on_unanswered=unanswered,
        hold=lambda _command: False,
        answered=lambda _command: False,
    )
    return relay, await bus.subscribe("fleet.*.commands"), clock


def test_the_relay_goes_on_by_itself_after_the_store_failed() -> None:
    async def main() -> None:
        owed = Owed()
        owed.commands, owed.failures = [a_command(1)], 1
        relay, heard, clock = await _relay(owed, [], 0)
        running = asyncio.ensure_future(relay.run())
        async with clock.timeout(10.0):
            delivery = await anext(heard)
        assert delivery.message_id == "cmd-1.1"
        running.cancel()

    run_virtual(main())


def test_a_command_is_called_unanswered_although_the_store_failed_just_then() -> None:
    async def main() -> None:
        owed, given_up = Owed(), []
        owed.commands = [a_command(1), a_command(2)]
        relay, _, clock = await _relay(owed, given_up, 1)
        running = asyncio.ensure_future(relay.run())
        await clock.sleep(30.0)
        assert sorted(given_up) == [1, 2]
        running.cancel()

    run_virtual(main())


def test_the_relay_remembers_only_what_is_owed() -> None:
    """One drone that is away for good must not keep every other drone's commands in memory."""

    async def main() -> None:
        owed = Owed()
        relay, _, clock = await _relay(owed, [], 0)
        running = asyncio.ensure_future(relay.run())
        for number in range(2, 50):
            owed.commands = [a_command(1), a_command(number)]
            relay.wake()
            await clock.sleep(3.0)
        assert set(relay._published_s) == set(relay._first_s) == {1, 49}
        assert relay._given_up == {1}
        running.cancel()

    run_virtual(main())
