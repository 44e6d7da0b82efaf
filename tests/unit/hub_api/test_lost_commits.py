"""A commit that was made, and whose answer was lost: a database that changes over says «refused», and has stored it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session

from core.clock import LoopClock
from hub_api.dispatch.left_behind import LeftBehind
from hub_api.store.records import EventRecord
from hub_api.store.repositories import events
from tests.unit.hub_api.played_drone import Script
from tests.unit.hub_api.test_moves import SECOND, move
from tests.unit.hub_api.world import EPOCH, World, play, world


def lose_the_answer(
    w: World, monkeypatch: pytest.MonkeyPatch, of: Callable[[EventRecord], bool]
) -> list[str]:
    """Once, to the commit that stores such an event; what was lost."""
    lost: list[str] = []
    marked: list[str] = []
    dialect = w.hub.database.engine.dialect
    append, commit = events.note_appended, dialect.do_commit

    def note_appended(session: Session, record: EventRecord) -> None:
        if of(record) and not lost:
            marked.append(record.kind)
        append(session, record)

    def do_commit(connection: Any) -> None:
        commit(connection)
        if marked:
            lost.extend(marked)
            marked.clear()
            raise sqlite3.OperationalError("the connection is gone")

    monkeypatch.setattr(events, "note_appended", note_appended)
    monkeypatch.setattr(dialect, "do_commit", do_commit)
    return lost


def test_an_order_that_lost_its_drone_gets_another_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The event is stored, so it is known when it is told again: nobody would follow it up."""

    async def main() -> None:
        async with world(tmp_path, scripts={"bao-01": Script(turns_back=True, phase_s=5.0)}) as w:
            lost = lose_the_answer(w, monkeypatch, lambda event: event.kind == "delivery_failed")
            order = (await w.order()).json()
            closed = await w.until(order["order_id"], "CLOSED", at_most_s=300.0)
            assert lost == ["delivery_failed"]
            assert [flight["drone_id"] for flight in closed["flights"]] == ["bao-01", "bao-02"]

    play(main())


def test_a_drone_is_told_although_nobody_heard_that_it_was_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    async def main() -> None:
        async with world(tmp_path) as w:
            lost = lose_the_answer(w, monkeypatch, lambda event: event.kind == "decision_accepted")
            answer = await w.order()
            assert (answer.status_code, lost) == (503, ["decision_accepted"])
            # Its centre does not ask again.
            (order,) = (await w.client.get("/v1/orders")).json()["orders"]
            closed = await w.until(order["order_id"], "CLOSED", at_most_s=300.0)
            assert len(closed["flights"]) == 1

    play(main())


def test_a_drone_is_brought_to_a_patient_who_moved_although_nobody_heard_that_it_was_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """It stops when it is told; without a way it would come home, and another drone would fly."""

    async def main() -> None:
        async with world(tmp_path) as w:
            order = (await w.order()).json()
            await w.until(order["order_id"], "AIRBORNE")
            lost = lose_the_answer(w, monkeypatch, lambda event: event.kind == "patient_moved")
            answer = await move(w, order["order_id"])
            assert (answer.status_code, lost) == (503, ["patient_moved"])
            closed = await w.until(order["order_id"], "CLOSED", at_most_s=300.0)
            assert [flight["landing_point_id"] for flight in closed["flights"]] == [SECOND.landing_point_id]

    play(main())


def test_a_hub_that_hears_no_drone_decides_nobody_s_orders(tmp_path: Path):
    """It stands beside the one that flies, and would decline them."""

    async def main() -> None:
        silent = {f"bao-0{number}": Script(silent_from_start=True) for number in range(1, 9)}
        async with world(tmp_path, scripts=silent) as w:
            order_id = (await w.receive_only("k1")).order_id
            await w.hub.clock.sleep(60.0)
            assert await w.state(order_id) == "RECEIVED"

    play(main())


def test_only_what_nobody_decides_is_decided_and_only_at_the_second_look() -> None:
    class Undecided:
        async def read(self, _work: Any) -> list[tuple[str, int]]:
            return found

    found = [("ord_1", 1), ("ord_2", 1), ("ord_3", 1)]
    decided: list[str] = []

    async def main() -> None:
        watch = LeftBehind(
            database=Undecided(),  # type: ignore[arg-type]
            clock=LoopClock(epoch=EPOCH),
            hears=lambda: True,
            deciding=lambda order_id: order_id == "ord_2",
            decide_later=decided.append,
        )
        await watch.look()
        assert decided == []
        # Something happened to it meanwhile: somebody is at it.
        found[2] = ("ord_3", 2)
        await watch.look()
        assert decided == ["ord_1"]

    play(main())
