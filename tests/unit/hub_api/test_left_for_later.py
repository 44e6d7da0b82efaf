"""Statements that are left for later are done in their order, fail their own unit and nobody else's, and are never lost."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import bindparam, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlmodel import Session
from sqlmodel import select as orm_select

from core.errors import ErrorCode, InternalError
from hub_api.store.prepared import Prepared, _link_of
from hub_api.store.records import NewEvent
from hub_api.store.repositories import audit, events, orders
from hub_api.store.rows import run_later, table_of
from hub_api.store.tables import EventRow
from tests.unit.hub_api.test_group_commit import storing, together
from tests.unit.hub_api.test_store import AT, Opened, order, store  # noqa: F401 - a fixture

EVENTS = table_of(EventRow)
_RENAME = Prepared(update(EVENTS).where(EVENTS.c.message_id == bindparam("of_message")))


def an_event(session: Session, name: str) -> int:
    return events.append(session, NewEvent(message_id=name, at=AT, stored_at=AT, kind="k")).seq


def names(session: Session) -> list[str]:
    return [event.message_id for event in events.after(session, 0, limit=500)]


def test_what_follows_sees_what_was_left_for_later(store: Opened):  # noqa: F811
    def work(session: Session) -> tuple[Any, ...]:
        seq = an_event(session, "a")
        prepared = events.find(session, seq)
        run_later(session, _RENAME, of_message="a", kind="renamed")
        by_the_orm = session.exec(orm_select(EventRow)).one().kind
        an_event(session, "b")
        in_words = session.connection().execute(text("SELECT count(*) FROM events")).scalar()
        return prepared.message_id if prepared else None, by_the_orm, in_words

    assert store.write(work) == ("a", "renamed", 2)
    assert store.read(names) == ["a", "b"]


def test_events_have_the_numbers_that_they_were_told_to_have(store: Opened):  # noqa: F811
    def fails(session: Session) -> None:
        an_event(session, "undone")
        raise LookupError("in the middle")

    def appending(name: str) -> Any:
        return lambda session: (an_event(session, name), an_event(session, f"{name}-2"))

    found, _ = together(store, appending("a"), fails, appending("b"), fails, appending("c"))
    told = [seq for pair in found if isinstance(pair, tuple) for seq in pair]
    stored = store.read(lambda s: events.after(s, 0, limit=9))
    assert [event.seq for event in stored] == told == sorted(set(told))
    assert [event.message_id for event in stored] == ["a", "a-2", "b", "b-2", "c", "c-2"]
    assert [event.seq for event in store.heard] == told


def test_a_number_that_is_not_the_one_told_stores_nothing(store: Opened):  # noqa: F811
    if store.engine.dialect.name != "postgresql":
        # SQLite tells a number with the row itself.
        assert store.write(lambda s: an_event(s, "a")) == 1
        return

    def work(session: Session) -> None:
        an_event(session, "a")
        session.connection().execute(text("SELECT nextval('events_seq_seq')"))
        an_event(session, "b")

    with pytest.raises(InternalError, match="instead of") as caught:
        store.write(work)
    assert caught.value.code is ErrorCode.BROKEN_INVARIANT
    assert store.read(names) == []
    assert store.heard == []


def test_one_that_fails_at_the_end_of_its_unit_fails_that_unit_alone(store: Opened):  # noqa: F811
    def twice(session: Session) -> None:
        an_event(session, "m1")

    def stale(session: Session) -> None:
        stored = orders.get(session, order(1).order_id)
        orders.save(session, stored, severity="II")
        orders.save(session, stored, severity="III")

    found, commits = together(store, storing(1), twice, stale, storing(2))
    assert (found[0], found[3]) == (1, 2)
    assert isinstance(found[1], IntegrityError)
    assert "INSERT INTO events" in str(found[1])
    assert isinstance(found[2], InternalError)
    assert found[2].code is ErrorCode.BROKEN_INVARIANT
    assert commits == 1
    assert store.read(names) == ["m1", "m2"]
    assert store.read(lambda s: orders.get(s, order(1).order_id)).severity == order(1).severity


def test_one_that_fails_hides_what_followed_it(store: Opened):  # noqa: F811
    """The first fault is told, under its own words, whoever asked for an answer after it."""
    store.write(lambda s: an_event(s, "once"))

    def work(session: Session) -> None:
        an_event(session, "once")
        an_event(session, "more")
        orders.find(session, "nobody")

    with pytest.raises(IntegrityError, match="INSERT INTO events"):
        store.write(work)
    assert store.read(names) == ["once"]


def test_more_than_a_line_holds_are_stored_all_the_same(store: Opened):  # noqa: F811
    def work(session: Session) -> None:
        for number in range(200):
            an_event(session, f"{number}")
            audit.append(session, at=AT, action="something", subject="x" * 190)

    store.write(work)
    assert store.read(names) == [f"{number}" for number in range(200)]
    assert store.read(audit.verify).faults == ()


def test_a_unit_that_raises_leaves_nothing_for_the_next(store: Opened):  # noqa: F811
    def alone(session: Session) -> None:
        storing(1)(session)
        raise LookupError("at the end")

    with pytest.raises(LookupError):
        store.write(alone)
    assert store.read(names) == []
    assert store.write(storing(1)) == 1
    assert store.read(names) == ["m1"]


def test_a_connection_that_dies_under_what_waits_is_told_and_replaced(store: Opened):  # noqa: F811
    if store.engine.dialect.name != "postgresql":
        return

    def dies(session: Session) -> None:
        an_event(session, "lost")
        number = session.connection().execute(text("SELECT pg_backend_pid()")).scalar()
        an_event(session, "lost too")
        with store.engine.connect() as other:
            other.execute(text(f"SELECT pg_terminate_backend({number}, 5000)"))

    with pytest.raises(InternalError) as caught:
        store.write(dies)
    assert caught.value.code is ErrorCode.STORE_FAILED
    assert isinstance(caught.value.__cause__, DBAPIError)
    assert store.write(storing(1)) == 1
    assert store.read(names) == ["m1"]


def test_large_statements_wait_and_go_together(store: Opened):  # noqa: F811
    document = "药" * 300_000

    def work(session: Session) -> None:
        for number in range(1, 9):
            orders.insert(session, order(number), key=f"{number}", body_sha256="0" * 64)
            orders.put_candidates(session, order(number).order_id, document, first=True)

    store.write(work)
    assert [store.read(lambda s, n=n: orders.candidates_of(s, order(n).order_id)) for n in (1, 8)] == [
        document
    ] * 2


def test_a_session_of_its_own_leaves_nothing_for_later(store: Opened):  # noqa: F811
    store.write(lambda s: an_event(s, "a"))
    with Session(store.engine) as session:
        run_later(session, _RENAME, of_message="a", kind="renamed")
        # Nothing of it waits on the connection that goes back to the pool.
        line = _link_of(session).line
        assert line is None or not line._waiting
        session.commit()
    assert [event.kind for event in store.read(lambda s: events.after(s, 0, limit=9))] == ["renamed"]
