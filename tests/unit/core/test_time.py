"""Virtual and accelerated time."""

import asyncio
import socket
import time
from datetime import UTC, datetime, timedelta

import pytest

from core.clock import LoopClock
from core.ids import IdSource, is_id
from core.virtual_time import VirtualTimeDeadlock, run_virtual
from hub_api.event_loop import run

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def test_an_hour_passes_at_once_and_in_order() -> None:
    async def main() -> list[tuple[str, float]]:
        clock = LoopClock(epoch=EPOCH)
        log: list[tuple[str, float]] = []

        async def worker(name: str, period_s: float) -> None:
            for _ in range(3):
                await clock.sleep(period_s)
                log.append((name, clock.monotonic_s()))

        async with asyncio.TaskGroup() as group:
            group.create_task(worker("slow", 1200.0))
            group.create_task(worker("fast", 700.0))
        assert clock.now() == EPOCH + timedelta(hours=1)
        return log

    started_s = time.perf_counter()
    first, second = run_virtual(main()), run_virtual(main())
    assert time.perf_counter() - started_s < 5
    assert first == second
    assert [name for name, _ in first] == ["fast", "slow", "fast", "fast", "slow", "slow"]


def test_a_timeout_fires_in_virtual_time() -> None:
    async def main() -> float:
        clock = LoopClock(epoch=EPOCH)
        with pytest.raises(TimeoutError):
            async with clock.timeout(30):
                await asyncio.Event().wait()
        return clock.monotonic_s()

    assert run_virtual(main()) == pytest.approx(30)


def test_timers_of_one_instant_run_in_the_order_in_which_they_were_set_and_cancelled_ones_never() -> None:
    async def main() -> tuple[list[int], float]:
        loop = asyncio.get_running_loop()
        ran: list[int] = []
        timers = [loop.call_at(5.0, ran.append, number) for number in range(1000)]
        for timer in timers[::2]:
            timer.cancel()
            timer.cancel()
        loop.call_at(7.0, ran.append, -1).cancel()
        await asyncio.sleep(6.0)
        timers[1].cancel()
        return ran, loop.time()

    assert run_virtual(main()) == (list(range(1, 1000, 2)), 6.0)


def test_a_timer_that_is_due_now_does_not_wait_for_a_busy_queue() -> None:
    async def main() -> int:
        turns = 0

        async def spin() -> None:
            nonlocal turns
            while turns < 1000:
                turns += 1
                await asyncio.sleep(0)

        with pytest.raises(TimeoutError):
            await asyncio.wait_for(spin(), 0.0)
        return turns

    assert run_virtual(main()) < 10


def test_a_registered_descriptor_is_served() -> None:
    async def main() -> bytes:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.setblocking(False)
            theirs.send(b"word")
            return await asyncio.get_running_loop().sock_recv(ours, 10)

    assert run_virtual(main()) == b"word"


def test_a_wait_that_nothing_can_end_is_reported_instead_of_hanging() -> None:
    async def main() -> None:
        await asyncio.Event().wait()

    with pytest.raises(VirtualTimeDeadlock):
        run_virtual(main())


def test_executor_work_runs_inline_and_its_error_arrives() -> None:
    def fail() -> None:
        raise ValueError("inside")

    async def main() -> int:
        with pytest.raises(ValueError, match="inside"):
            await asyncio.to_thread(fail)
        return await asyncio.to_thread(lambda: 7)

    assert run_virtual(main()) == 7


def test_speedup_scales_sleep_timeout_and_the_time_of_day() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        clock = LoopClock(speedup=10.0, epoch=EPOCH)
        before_s = loop.time()
        await clock.sleep(50)
        assert loop.time() - before_s == pytest.approx(5)
        assert clock.monotonic_s() == pytest.approx(50)
        assert clock.now() - EPOCH == timedelta(seconds=50)

    run_virtual(main())


def test_a_naive_epoch_or_a_stopped_clock_is_refused() -> None:
    async def main() -> None:
        with pytest.raises(ValueError, match="timezone"):
            LoopClock(epoch=datetime(2026, 1, 1))  # noqa: DTZ001
        with pytest.raises(ValueError, match="speedup"):
            LoopClock(speedup=0)

    run_virtual(main())


def test_ids_sort_by_time_and_repeat_under_a_seed() -> None:
    async def main(seed: int | None) -> list[str]:
        clock = LoopClock(epoch=EPOCH)
        source = IdSource(clock, seed=seed)
        made = []
        for _ in range(50):
            made.append(source.new("ord"))
            await clock.sleep(0.002)
        return made

    first, again, unseeded = run_virtual(main(1)), run_virtual(main(1)), run_virtual(main(None))
    assert first == again
    assert first == sorted(first)
    assert len(set(first + unseeded)) == 100
    assert all(is_id(text, "ord") and not is_id(text, "flt") for text in first + unseeded)
    assert not is_id("ord_" + "I" * 26, "ord")


def test_a_loop_that_stands_still_for_a_turn_does_not_stop_the_clock() -> None:
    """uvloop asks the system for the time once a turn; what takes long inside of one, or happens in another thread, is
    told when it happens."""

    async def look() -> tuple[float, float]:
        clock = LoopClock()
        before_s = clock.monotonic_s()
        time.sleep(0.02)  # noqa: ASYNC251 -- a turn that takes long
        within_s = clock.monotonic_s() - before_s
        await clock.sleep(0.02)
        return within_s, clock.monotonic_s() - before_s

    within_s, after_s = run(look())
    assert 0.02 <= within_s < after_s
    assert after_s >= 0.04 - 0.001  # the loop's own grain
