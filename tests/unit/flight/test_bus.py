"""The in-process bus keeps JetStream's promises."""

import asyncio

import pytest

from core.clock import LoopClock
from core.errors import InternalError
from core.virtual_time import run_virtual
from flight.bus import InProcessBus, subject_matches


@pytest.mark.parametrize(
    ("pattern", "subject", "expected"),
    [
        ("fleet.d1.events", "fleet.d1.events", True),
        ("fleet.*.events", "fleet.d1.events", True),
        ("fleet.*.events", "fleet.d1.telemetry", False),
        ("fleet.*", "fleet.d1.events", False),
        ("fleet.>", "fleet.d1.events", True),
        ("fleet.>", "fleet", False),
        (">", "fleet", True),
        ("fleet.d1.events.more", "fleet.d1.events", False),
    ],
)
def test_wildcards(pattern: str, subject: str, expected: bool) -> None:
    assert subject_matches(pattern, subject) is expected


def test_every_matching_subscriber_gets_each_message_in_order() -> None:
    async def play() -> None:
        bus = InProcessBus(LoopClock())
        one, two = await bus.subscribe("fleet.*.events"), await bus.subscribe("fleet.a.>")
        for number in range(3):
            await bus.publish("fleet.a.events", f"m{number}", b"%d" % number)
        await bus.publish("fleet.b.events", "m9", b"9")
        assert [(await anext(one)).payload for _ in range(4)] == [b"0", b"1", b"2", b"9"]
        assert [(await anext(two)).payload for _ in range(3)] == [b"0", b"1", b"2"]
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await anext(two)

    run_virtual(play())


def test_an_unacknowledged_message_comes_back_to_the_durable_consumer() -> None:
    async def play() -> None:
        bus = InProcessBus(LoopClock())
        first = await bus.subscribe("fleet.a.commands", durable="agent-a")
        await bus.publish("fleet.a.commands", "c1", b"1")
        await bus.publish("fleet.a.commands", "c2", b"2")
        await (await anext(first)).ack()
        assert (await anext(first)).payload == b"2"
        await first.close()
        await bus.publish("fleet.a.commands", "c3", b"3")
        again = await bus.subscribe("fleet.a.commands", durable="agent-a")
        redelivered, fresh = await anext(again), await anext(again)
        assert (redelivered.payload, redelivered.attempt) == (b"2", 2)
        assert (fresh.payload, fresh.attempt) == (b"3", 1)

    run_virtual(play())


def test_a_newer_subscription_takes_a_durable_consumer_over() -> None:
    async def play() -> None:
        bus = InProcessBus(LoopClock())
        old = await bus.subscribe("a.b", durable="x")
        await bus.publish("a.b", "1", b"1")
        await anext(old)
        new = await bus.subscribe("a.b", durable="x")
        assert (await anext(new)).attempt == 2
        with pytest.raises(StopAsyncIteration):
            await anext(old)
        with pytest.raises(InternalError):
            await bus.subscribe("a.c", durable="x")

    run_virtual(play())


def test_nack_redelivers_and_ack_is_final() -> None:
    async def play() -> None:
        bus = InProcessBus(LoopClock())
        subscription = await bus.subscribe("a.b")
        await bus.publish("a.b", "1", b"1")
        delivery = await anext(subscription)
        await delivery.nack()
        again = await anext(subscription)
        assert again.attempt == 2
        await again.ack()
        await again.ack()
        await again.nack()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await anext(subscription)

    run_virtual(play())


def test_a_message_id_is_suppressed_inside_the_window_only() -> None:
    async def play() -> None:
        clock = LoopClock()
        bus = InProcessBus(clock, dedupe_window_s=10)
        subscription = await bus.subscribe("a.b")
        assert not (await bus.publish("a.b", "1", b"x")).duplicate
        await clock.sleep(9)
        repeated = await bus.publish("a.b", "1", b"x")
        assert repeated.duplicate
        assert repeated.sequence == 1
        await clock.sleep(2)
        assert not (await bus.publish("a.b", "1", b"x")).duplicate
        assert [(await anext(subscription)).payload for _ in range(2)] == [b"x", b"x"]

    run_virtual(play())


def test_a_slow_telemetry_reader_loses_the_oldest_and_knows() -> None:
    async def play() -> None:
        bus = InProcessBus(LoopClock())
        subscription = await bus.subscribe("a.t", max_pending=2)
        for number in range(5):
            await bus.publish("a.t", str(number), b"%d" % number)
        assert [(await anext(subscription)).payload for _ in range(2)] == [b"3", b"4"]
        assert subscription.dropped == 3

    run_virtual(play())


def test_close_ends_a_waiting_iteration() -> None:
    async def play() -> None:
        bus = InProcessBus(LoopClock())
        subscription = await bus.subscribe("a.b")

        async def read() -> int:
            return len([delivery async for delivery in subscription])

        reader = asyncio.create_task(read())
        await asyncio.sleep(1)
        await subscription.close()
        assert await reader == 0

    run_virtual(play())


@pytest.mark.parametrize("subject", ["", "a..b", "a.*", "a.>", "a b"])
def test_publishing_to_a_pattern_is_refused(subject: str) -> None:
    async def play() -> None:
        with pytest.raises(InternalError):
            await InProcessBus(LoopClock()).publish(subject, "1", b"")

    run_virtual(play())
