"""Prepared statements give what SQLAlchemy's own path gives, on both databases, errors included."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.sqlite import base as sqlite_types
from sqlalchemy.exc import IntegrityError, ProgrammingError, SQLAlchemyError
from sqlalchemy.exc import OperationalError as Refused
from sqlmodel import Session
from sqlmodel import select as orm_select

from hub_api.store.prepared import Prepared
from hub_api.store.records import NewEvent, OrderRecord
from hub_api.store.repositories import events, orders
from hub_api.store.rows import RecordsOf, run, table_of
from hub_api.store.tables import EventRow, OrderRow, UtcDateTime
from tests.unit.hub_api.test_store import AT, Opened, order, store  # noqa: F401 - a fixture

EVENTS, ORDERS = table_of(EventRow), table_of(OrderRow)


def an_event(session: Session, name: str, **fields: object) -> int:
    return events.append(
        session,
        NewEvent(message_id=name, at=AT, stored_at=AT, kind="k", **fields),  # type: ignore[arg-type]
    ).seq


def test_rows_come_back_as_they_do_without_preparing(store: Opened):  # noqa: F811
    stored = order(1)
    store.write(lambda s: orders.insert(s, stored, key="k", body_sha256="0" * 64))
    query = select(ORDERS).where(ORDERS.c.order_id == bindparam("order_id"))
    prepared = Prepared(query)

    def both(session: Session) -> tuple[object, object]:
        plain = session.connection().execute(query, {"order_id": stored.order_id}).one()
        return tuple(run(session, prepared, order_id=stored.order_id).first()), tuple(plain)

    # Twice: the second time by what the first has kept.
    for _ in range(2):
        found, plain = store.read(both)
        assert found == plain
    assert store.read(lambda s: run(s, prepared, order_id="none").first()) is None
    assert store.read(lambda s: run(s, prepared, order_id="none").scalar()) is None


def test_a_moment_in_another_zone_is_stored_as_the_same_moment(store: Opened):  # noqa: F811
    moment = datetime(2026, 3, 1, 8, 30, tzinfo=timezone(timedelta(hours=8)))
    seq = store.write(
        lambda s: events.append(s, NewEvent(message_id="m", at=moment, stored_at=moment, kind="k")).seq
    )
    (found,) = store.read(lambda s: events.after(s, seq - 1, limit=1))
    assert found.at == moment
    assert found.at.tzinfo is UTC


@pytest.mark.parametrize("name", ["a\0b", "\0", "甲\0"])
def test_a_text_with_a_nul_is_stored_whole_or_not_at_all(store: Opened, name: str):  # noqa: F811
    try:
        seq = store.write(lambda s: an_event(s, name))
    except (SQLAlchemyError, ValueError):
        assert store.read(lambda s: events.after(s, 0, limit=10)) == []
    else:
        (found,) = store.read(lambda s: events.after(s, seq - 1, limit=1))
        assert found.message_id == name


def test_a_stored_row_tells_its_number_and_an_update_how_many_it_changed(store: Opened):  # noqa: F811
    first, second = store.write(lambda s: (an_event(s, "a"), an_event(s, "b")))
    assert second == first + 1
    named = Prepared(update(EVENTS).where(EVENTS.c.message_id == bindparam("of_message")))
    assert store.write(lambda s: run(s, named, of_message="a", kind="x").rowcount) == 1
    assert store.write(lambda s: run(s, named, of_message="nobody", kind="x").rowcount) == 0
    # Other columns by the same statement: a form of its own.
    assert store.write(lambda s: run(s, named, of_message="b", detail="d").rowcount) == 1
    kinds = [(event.kind, event.detail) for event in store.read(lambda s: events.after(s, 0, limit=9))]
    assert kinds == [("x", ""), ("k", "d")]


def test_a_broken_constraint_is_an_integrity_error_without_the_values(store: Opened):  # noqa: F811
    store.write(lambda s: an_event(s, "once", detail="of a patient"))
    with pytest.raises(IntegrityError) as caught:
        store.write(lambda s: an_event(s, "once", detail="of a patient"))
    assert "of a patient" not in str(caught.value).split("[SQL")[1]
    # And the writer goes on.
    assert store.write(lambda s: an_event(s, "twice")) > 0


def test_statements_stay_prepared_when_work_with_the_orm_is_undone(store: Opened):  # noqa: F811
    """psycopg would prepare what the ORM says often, and after a rollback have the server forget every statement."""
    assert store.write(lambda s: an_event(s, "before")) > 0

    def undone(session: Session) -> None:
        for _ in range(10):
            session.exec(orm_select(EventRow)).all()
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        store.write(undone)
    assert store.write(lambda s: an_event(s, "after")) > 0
    assert store.write(lambda s: events.known(s, "after"))


def test_a_statement_that_the_database_refuses_is_told_as_sqlalchemy_tells_it(store: Opened):  # noqa: F811
    missing = Prepared(select(EVENTS.c.seq).where(EVENTS.c.seq == bindparam("seq")))

    def work(session: Session) -> None:
        session.connection().exec_driver_sql("ALTER TABLE events RENAME TO gone")
        run(session, missing, seq=1)

    with pytest.raises(Exception) as caught:  # noqa: PT011 -- one kind on each database
        store.write(work)
    kind = ProgrammingError if store.engine.dialect.name == "postgresql" else Refused
    assert isinstance(caught.value if kind is ProgrammingError else caught.value.__cause__, kind)
    assert store.read(lambda s: events.last_seq(s)) == 0


def test_what_would_need_more_than_the_driver_is_refused(store: Opened):  # noqa: F811
    listing = Prepared(select(EVENTS.c.seq).where(EVENTS.c.seq.in_(bindparam("seqs", expanding=True))))
    with pytest.raises(AssertionError, match="no lists"):
        store.read(lambda s: run(s, listing, seqs=[1]))
    with pytest.raises(AssertionError, match="missing"):
        store.read(lambda s: run(s, Prepared(select(EVENTS).where(EVENTS.c.seq == bindparam("seq")))))


@given(st.datetimes(timezones=st.timezones()))
def test_sqlite_keeps_a_moment_in_the_words_of_sqlalchemy(moment: datetime) -> None:
    plain = sqlite_types.DATETIME().bind_processor(sqlite.dialect())
    ours = UtcDateTime().bind_processor(sqlite.dialect())
    assert plain is not None
    try:
        in_utc = moment.astimezone(UTC)
    except OverflowError:
        # The first and the last day of all.
        return
    assert ours(moment) == plain(in_utc)
    assert ours(None) is None
    with pytest.raises(ValueError, match="naive"):
        ours(moment.replace(tzinfo=None))


@given(st.datetimes())
def test_sqlite_reads_a_moment_as_sqlalchemy_does(moment: datetime) -> None:
    words = sqlite_types.DATETIME().bind_processor(sqlite.dialect())
    plain = sqlite_types.DATETIME().result_processor(sqlite.dialect(), None)
    assert words is not None
    assert plain is not None
    ours = UtcDateTime().result_processor(sqlite.dialect(), None)
    assert ours(words(moment)) == plain(words(moment)).replace(tzinfo=UTC)
    assert ours(None) is None


def test_a_record_made_through_its_slots_is_the_one_that_its_class_makes() -> None:
    records = RecordsOf(OrderRecord)
    plain = order(1)
    values = [getattr(plain, name) for name in records.names]
    assert records.made(values) == plain
    changed = records.changed(plain, {"version": 7, "severity": "II"})
    assert changed == replace(plain, version=7, severity="II")
    assert plain == order(1)
    with pytest.raises(KeyError):
        records.changed(plain, {"no_field": 1})
    with pytest.raises(ValueError, match="zip"):
        records.made(values[:-1])
