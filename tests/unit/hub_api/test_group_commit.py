"""Units of work that wait for the writer are committed together, and stay apart all the same."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlmodel import Session

from core.errors import ErrorCode, InternalError
from hub_api.dispatch.verdicts import CandidateAnswer, shown, tell
from hub_api.store.records import NewEvent
from hub_api.store.repositories import audit, events, orders
from planner.reasons import Reason
from tests.unit.hub_api.test_store import AT, Opened, order, store  # noqa: F401 - a fixture


def storing(number: int) -> Callable[[Session], int]:
    """Stores one order and one event of it."""

    def work(session: Session) -> int:
        stored = order(number)
        orders.insert(session, stored, key=f"key-{number}", body_sha256="0" * 64)
        events.append(
            session,
            NewEvent(message_id=f"m{number}", at=AT, stored_at=AT, kind="k", order_id=stored.order_id),
        )
        return number

    return work


def together(opened: Opened, *works: Callable[[Session], Any]) -> tuple[list[Any], int]:
    """What came of units that all waited for the writer at once, and how often was committed for them."""
    commits = 0

    def count(_connection: Any) -> None:
        nonlocal commits
        commits += 1

    async def run() -> list[Any]:
        held, gate = asyncio.Event(), threading.Event()
        loop = asyncio.get_running_loop()

        def hold(_session: Session) -> None:
            loop.call_soon_threadsafe(held.set)
            gate.wait(10)

        first = asyncio.ensure_future(opened.database.write(hold))
        await held.wait()
        rest = [asyncio.ensure_future(opened.database.write(work)) for work in works]
        await asyncio.sleep(0.05)
        gate.set()
        await first
        return await asyncio.gather(*rest, return_exceptions=True)

    event.listen(opened.engine, "commit", count)
    found = asyncio.run(run())
    event.remove(opened.engine, "commit", count)
    # One was of the unit that held the writer.
    return found, commits - 1


def test_units_that_wait_are_committed_together_in_their_order(store: Opened):  # noqa: F811
    found, commits = together(store, *(storing(number) for number in range(1, 6)))
    assert found == [1, 2, 3, 4, 5]
    assert commits == 1
    assert [heard.message_id for heard in store.heard] == ["m1", "m2", "m3", "m4", "m5"]
    assert [heard.seq for heard in store.heard] == sorted(heard.seq for heard in store.heard)


def test_a_unit_that_fails_takes_nothing_of_the_others_along(store: Opened):  # noqa: F811
    def half(session: Session) -> None:
        storing(7)(session)
        raise LookupError("in the middle")

    found, _ = together(store, storing(1), storing(1), half, storing(2))
    assert found[0] == 1
    assert isinstance(found[1], IntegrityError)
    assert isinstance(found[2], LookupError)
    assert found[3] == 2
    assert [heard.message_id for heard in store.heard] == ["m1", "m2"]
    stored = store.read(lambda s: [orders.find(s, order(number).order_id) for number in (1, 2, 7)])
    assert [record is not None for record in stored] == [True, True, False]


def test_when_the_database_refuses_nobody_is_told_that_something_is_stored(store: Opened):  # noqa: F811
    def refused(_session: Session) -> None:
        raise OperationalError("insert", {}, Exception("disk full"))

    found, _ = together(store, storing(1), refused, storing(2))
    assert all(isinstance(one, InternalError) and one.code is ErrorCode.STORE_FAILED for one in found)
    assert store.heard == []
    assert store.read(lambda s: orders.find(s, order(1).order_id)) is None
    # And the writer goes on.
    assert store.write(storing(3)) == 3


def test_a_commit_that_fails_is_told_to_every_unit(store: Opened):  # noqa: F811
    commits = 0

    def fail(_connection: Any) -> None:
        nonlocal commits
        commits += 1
        # The first is of the unit that holds the writer.
        if commits == 2:
            raise OperationalError("commit", {}, Exception("disk full"))

    event.listen(store.engine, "commit", fail)
    found, _ = together(store, storing(1), storing(2))
    event.remove(store.engine, "commit", fail)
    assert [getattr(one, "code", one) for one in found] == [ErrorCode.STORE_FAILED] * 2
    assert store.heard == []
    assert store.read(lambda s: orders.find(s, order(1).order_id)) is None


def test_more_than_one_transaction_holds_are_stored_all_the_same(store: Opened):  # noqa: F811
    found, commits = together(store, *(storing(number) for number in range(1, 151)))
    assert found == list(range(1, 151))
    assert 1 < commits <= 5


@pytest.mark.parametrize(("count", "ahead_s"), [(0, None), (3, None), (3, 100.0)])
def test_packed_candidates_are_shown_as_they_were(count: int, ahead_s: float | None):
    def ahead_of(time_s: float | None) -> float | None:
        return None if ahead_s is None or time_s is None else ahead_s - time_s

    why = Reason("carry_too_long", "too far", "太远")
    plain = CandidateAnswer(
        station_id="s1",
        drone_id="d1",
        landing_point_id="p1",
        verdict="refused",
        reasons=(why, Reason("wind_unknown", "no wind", "无风")),
        time_to_patient_s=None,
        least_time_to_patient_s=12.5,
    )
    given = [
        plain,
        plain._replace(drone_id="d2", reasons=(why,)),
        plain._replace(landing_point_id='p"2', time_to_patient_s=20.25),
    ]
    told = tell(given[:count])
    assert told.count == count
    assert json.loads(shown(told.packed, None)) == json.loads(told.shown)
    assert json.loads(shown(told.packed, ahead_s)) == [
        {
            "station_id": item.station_id,
            "drone_id": item.drone_id,
            "landing_point_id": item.landing_point_id,
            "verdict": item.verdict,
            "reasons": [{"code": r.code, "detail": r.detail, "detail_zh": r.detail_zh} for r in item.reasons],
            "time_to_patient_s": item.time_to_patient_s,
            "least_time_to_patient_s": item.least_time_to_patient_s,
            "ahead_of_ambulance_s": ahead_of(item.time_to_patient_s),
        }
        for item in given[:count]
    ]


def test_a_flush_that_fails_undoes_its_own_unit_only(store: Opened):  # noqa: F811
    """The ORM's session would end the whole transaction."""

    def keep_a_key(session: Session) -> None:
        storing(8)(session)
        orders.remember_key(session, "centre", "key-1", body_sha256="0" * 64, order_id="x", at=AT)

    found, commits = together(store, storing(1), keep_a_key, storing(2))
    assert found[0] == 1
    assert isinstance(found[1], IntegrityError)
    assert found[2] == 2
    assert commits == 1
    assert [heard.message_id for heard in store.heard] == ["m1", "m2"]
    assert store.read(lambda s: orders.find(s, order(8).order_id)) is None


def test_the_audit_log_goes_on_from_what_stays_when_a_unit_fails(store: Opened):  # noqa: F811
    def noting(number: int) -> Callable[[Session], None]:
        def work(session: Session) -> None:
            audit.append(session, at=AT, action="something", subject=f"s{number}")
            if number == 2:
                raise LookupError("in the middle")

        return work

    together(store, *(noting(number) for number in range(1, 5)))
    assert [
        entry.subject for entry in store.read(lambda s: audit.page(s, before=None, subject=None, limit=9))
    ] == [
        "s4",
        "s3",
        "s1",
    ]
    assert store.read(audit.verify).faults == ()


def test_a_unit_that_gives_up_after_a_statement_that_fails_takes_nobody_along(store: Opened):  # noqa: F811
    """Its key is taken, which PostgreSQL tells with what was left for later, and by then it has given up for a reason of
    its own: nobody heeds the rest of it, and the others are stored."""

    def gives_up(session: Session) -> None:
        orders.insert(session, order(4), key="key-1", body_sha256="0" * 64)
        raise LookupError("not this one")

    found, commits = together(store, storing(1), gives_up, storing(3))
    assert (found[0], found[2], commits) == (1, 3, 1)
    assert isinstance(found[1], (LookupError, IntegrityError))

    def stored(session: Session) -> list[bool]:
        return [orders.find(session, order(number).order_id) is not None for number in (1, 4, 3)]

    assert asyncio.run(store.database.read(stored)) == [True, False, True]
