"""A part that stumbles for a moment ends neither the hub nor what the others do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import DatabaseError
from sqlalchemy.exc import InternalError as DriverInternalError

from core.errors import ErrorCode, InternalError
from flight import messages as m
from flight.model.phases import Phase
from hub_api import housekeeping
from hub_api.store.repositories import incidents, messages, orders
from tests.unit.hub_api.test_interleavings import STORE_FAILED
from tests.unit.hub_api.world import PATIENT, play, world


def test_a_store_that_is_busy_while_it_is_tidied_does_not_end_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            tidied = 0

            async def busy(*_given: Any, **_named: Any) -> int:
                nonlocal tidied
                tidied += 1
                raise STORE_FAILED

            monkeypatch.setattr(w.hub.weather, "forget_old", busy)
            await w.hub.clock.sleep(2.0 * housekeeping.HOUSEKEEPING_S + 1.0)
            assert tidied == 3
            assert not w.hub.failure.done()

    play(main())


def test_flights_are_counted_although_the_store_failed_just_then(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            placed = (await w.order("k1")).json()
            drone_id = placed["decision"]["drone_id"]
            read, refused = w.hub.database.read, 0

            async def failing(work: Any) -> Any:
                nonlocal refused
                if "CareDesk" in getattr(work, "__qualname__", "") and refused < 2:
                    refused += 1
                    raise STORE_FAILED
                return await read(work)

            w.hub.database.read = failing  # type: ignore[method-assign]
            await w.until(placed["order_id"], "CLOSED")
            await w.hub.clock.sleep(5.0)
            assert refused == 2
            assert not w.hub.failure.done()
            assert w.hub.care_book.flown(drone_id).flights == 1

    play(main())


def test_an_aed_report_that_is_not_stored_does_not_count(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            write = w.hub.database.write

            async def failing(work: Any) -> Any:
                if "report_aed" in getattr(work, "__qualname__", ""):
                    assert w.hub.care_book.facts.aeds == {}
                    raise STORE_FAILED
                return await write(work)

            w.hub.database.write = failing  # type: ignore[method-assign]
            answer = await w.client.put("/v1/drones/bao-01/aed", json={"serial": "A1"})
            assert answer.status_code == 503, answer.text
            assert w.hub.care_book.facts.aeds == {}

    play(main())


def test_an_event_that_makes_us_stumble_ends_neither_the_hub_nor_other_events(tmp_path: Path) -> None:
    """It would come again with the drone's journal after every restart."""

    async def main() -> None:
        async with world(tmp_path) as w:
            follower = w.hub.flights._follower
            take, stumbled = follower.take, 0

            def stumbling(session: Any, event: m.Event) -> Any:
                nonlocal stumbled
                if isinstance(event, m.PhaseChanged) and event.phase is Phase.ARMING:
                    stumbled += 1
                    raise AssertionError("a case that nobody thought of")
                return take(session, event)

            follower.take = stumbling  # type: ignore[method-assign]
            placed = (await w.order("k1")).json()
            await w.until(placed["order_id"], "CLOSED")
            assert stumbled == 1
            assert not w.hub.failure.done()

    play(main())


def test_a_move_that_makes_us_stumble_is_looked_at_again(tmp_path: Path) -> None:
    """The drone stands in the air and waits for its way."""

    async def main() -> None:
        async with world(tmp_path) as w:
            placed = (await w.order("k1")).json()
            await w.until(placed["order_id"], "AIRBORNE")
            find, stumbled = w.hub.moves._driver._ways.find, 0

            async def stumbling(*given: Any) -> Any:
                nonlocal stumbled
                stumbled += 1
                if stumbled == 1:
                    raise KeyError("a case that nobody thought of")
                return await find(*given)

            w.hub.moves._driver._ways.find = stumbling  # type: ignore[method-assign]
            elsewhere = w.hub.site.landing_points[1].position
            there = PATIENT | {
                "latitude_deg": elsewhere.latitude_deg,
                "longitude_deg": elsewhere.longitude_deg,
            }
            answer = await w.client.post(
                f"/v1/orders/{placed['order_id']}/position",
                json={"position": there, "reason": "the other gate"},
                headers={"Idempotency-Key": "move"},
            )
            assert answer.status_code == 200, answer.text
            closed = await w.until(placed["order_id"], "CLOSED", "FAILED")
            assert closed["state"] == "CLOSED"
            assert stumbled >= 2
            kinds = [event["kind"] for event in await w.events(placed["order_id"])]
            assert "flight_rerouted" in kinds

    play(main())


@pytest.mark.parametrize("kind", [DatabaseError, DriverInternalError])
def test_a_database_that_fails_in_whatever_words_is_tried_again(tmp_path: Path, kind: Any) -> None:
    """Read-only after a change-over, or damaged: the database failed, and not the work."""

    async def main() -> None:
        async with world(tmp_path) as w:

            def refused(_session: Any) -> None:
                raise kind("UPDATE", {}, Exception("cannot execute UPDATE in a read-only transaction"))

            for unit in (w.hub.database.read(refused), w.hub.database.write(refused)):
                with pytest.raises(InternalError) as failed:
                    await unit
                assert failed.value.code is ErrorCode.STORE_FAILED

    play(main())


@pytest.mark.parametrize("part", ["messages", "incident watch", "housekeeping", "waiting orders"])
def test_a_fault_of_ours_beside_the_flights_does_not_end_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    module, name, every_s = {
        "messages": (messages, "owed", 60.0),
        "incident watch": (incidents, "list_still", 600.0),
        "housekeeping": (incidents, "forget_keys", 7200.0),
        "waiting orders": (orders, "waiting", 5.0),
    }[part]
    real, stumbled = getattr(module, name), 0

    def stumbling(*given: Any, **named: Any) -> Any:
        nonlocal stumbled
        stumbled += 1
        if stumbled <= 2:
            raise KeyError("nobody thought of this")
        return real(*given, **named)

    async def main() -> None:
        async with world(tmp_path) as w:
            monkeypatch.setattr(module, name, stumbling)
            w.hub.wake_messages()
            order_id = (await w.order()).json()["order_id"]
            if part == "waiting orders":
                w.hub.orders._on_decided("WAITING", 0.1)
            await w.hub.clock.sleep(2.5 * every_s)
            assert stumbled > 2, "it was tried again"
            assert not w.hub.failure.done()
            await w.until(order_id, "CLOSED")

    play(main())
