"""The audit log: every change with its author, and no way to rewrite it unnoticed."""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.exc import DatabaseError

from core.virtual_time import run_virtual
from hub_api.actor import Actor, acting_as
from hub_api.store.database import Database, make_engine
from hub_api.store.records import AuditRecord
from hub_api.store.repositories import audit
from hub_api.store.schema import upgrade
from hub_api.store.tables import AuditRow
from tests.unit.hub_api.test_access import a_key
from tests.unit.hub_api.world import EPOCH, play, world

FIELDS = tuple(AuditRecord.__dataclass_fields__)


def test_every_change_of_an_order_names_its_author(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            key_id, secret = await a_key(w, "orders:write", "orders:read", client="centre")
            answer = await w.client.post(
                "/v1/orders",
                json={
                    "position": {
                        "reference_system": "WGS-84",
                        "latitude_deg": 22.56,
                        "longitude_deg": 113.89,
                    },
                    "severity": "I",
                    "notes": "不省人事",
                    "caller": {"name": "李女士", "phone": "13812345678"},
                },
                headers={"Idempotency-Key": "k", "X-API-Key": secret},
            )
            order_id = answer.json()["order_id"]
            await w.until(order_id, "AIRBORNE")
            await w.client.post(
                f"/v1/orders/{order_id}/cancel", json={"reason": "r"}, headers={"X-API-Key": secret}
            )
            await w.until(order_id, "CANCELLED")
            entries = (await w.client.get("/v1/audit", params={"subject": order_id})).json()["entries"][::-1]
            by = {entry["action"]: entry for entry in entries}
            assert by["order_received"]["actor_id"] == by["cancel_requested"]["actor_id"] == key_id
            assert by["order_received"]["client"] == "centre"
            assert by["order_received"]["before_sha256"] is None
            assert by["flight_ended"]["actor_kind"] == "hub"
            # Each change starts where the one before it ended: nothing happened in between.
            digests = [(entry["before_sha256"], entry["after_sha256"]) for entry in entries]
            assert all(later[0] == earlier[1] for earlier, later in itertools.pairwise(digests))
            text = json.dumps(entries, ensure_ascii=False)
            assert "13812345678" not in text
            assert "李女士" not in text
            verdict = (await w.client.get("/v1/audit/verification")).json()
            assert verdict["whole"] is True
            assert verdict["entries"] >= len(entries)

    play(main())


def filled(path: Path, count: int) -> list[AuditRecord]:
    engine = make_engine(f"sqlite:///{path}")
    upgrade(engine)
    database = Database(engine, on_committed=lambda _: None)

    async def main() -> list[AuditRecord]:
        made = []
        with acting_as(Actor("person", "acc_1", "centre")):
            for number in range(count):

                def work(session, number: int = number) -> AuditRecord:
                    return audit.append(
                        session,
                        at=EPOCH,
                        action="key_created",
                        subject=f"key_{number}",
                        before=None,
                        after=audit.digest_of({"number": number}),
                        detail={"number": number},
                    )

                made.append(await database.write(work))
        return made

    made = run_virtual(main())
    database.close()
    return made


def verdict(path: Path, known_head: tuple[int, str] | None = None) -> audit.Verification:
    engine = make_engine(f"sqlite:///{path}")
    database = Database(engine, on_committed=lambda _: None)
    found = run_virtual(database.read(lambda session: audit.verify(session, known_head=known_head)))
    database.close()
    return found


def test_a_whole_log_verifies_and_knows_its_noted_heads(tmp_path: Path):
    made = filled(tmp_path / "hub.db", 7)
    for entry in made:
        assert verdict(tmp_path / "hub.db", (entry.seq, entry.hash)).faults == ()
    assert verdict(tmp_path / "hub.db").head == made[-1].hash
    # Noted when nothing was written yet.
    assert verdict(tmp_path / "hub.db", (0, audit.GENESIS)).faults == ()
    assert verdict(tmp_path / "hub.db", (0, "f" * 64)).faults != ()


def rewrite(path: Path, statement: str) -> None:
    """As somebody does who owns the database file: triggers first."""
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TRIGGER audit_log_no_update")
        connection.execute("DROP TRIGGER audit_log_no_delete")
        connection.execute(statement)


@pytest.mark.parametrize("field", [name for name in FIELDS if name not in ("seq", "hash")])
def test_any_changed_field_is_noticed(tmp_path: Path, field: str):
    filled(tmp_path / "hub.db", 5)
    rewrite(tmp_path / "hub.db", f"UPDATE audit_log SET {field} = 'x' WHERE seq = 3")
    assert any("entry 3" in fault for fault in verdict(tmp_path / "hub.db").faults)


def test_a_changed_entry_with_its_hash_made_right_breaks_the_next_link(tmp_path: Path):
    made = filled(tmp_path / "hub.db", 5)
    forged = replace(made[2], actor_id="acc_somebody_else")
    rewrite(
        tmp_path / "hub.db",
        f"UPDATE audit_log SET actor_id = 'acc_somebody_else', hash = '{audit.hash_of(forged)}' WHERE seq = 3",
    )
    assert verdict(tmp_path / "hub.db").faults == ("entry 4 does not follow the one before it",)


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("DELETE FROM audit_log WHERE seq = 3", "entries 3 to 3 are missing"),
        ("DELETE FROM audit_log WHERE seq <= 2", "entries 1 to 2 are missing"),
        ("UPDATE audit_log SET seq = 9 WHERE seq = 3", "missing"),
    ],
)
def test_a_removed_or_moved_entry_is_noticed(tmp_path: Path, statement: str, says: str):
    filled(tmp_path / "hub.db", 5)
    rewrite(tmp_path / "hub.db", statement)
    assert any(says in fault for fault in verdict(tmp_path / "hub.db").faults)


def test_a_cut_off_end_is_noticed_by_a_noted_head_only(tmp_path: Path):
    made = filled(tmp_path / "hub.db", 5)
    rewrite(tmp_path / "hub.db", "DELETE FROM audit_log WHERE seq = 5")
    assert verdict(tmp_path / "hub.db").faults == ()
    head = (made[-1].seq, made[-1].hash)
    assert verdict(tmp_path / "hub.db", head).faults == ("the log ends before entry 5, which was noted",)


@pytest.mark.parametrize(
    "change",
    [
        lambda session: session.execute(AuditRow.__table__.update().values(actor_id="x")),
        lambda session: session.execute(AuditRow.__table__.delete()),
    ],
    ids=["update", "delete"],
)
def test_our_own_code_cannot_change_it(tmp_path: Path, change: Callable[..., object]):
    filled(tmp_path / "hub.db", 2)
    database = Database(make_engine(f"sqlite:///{tmp_path / 'hub.db'}"), on_committed=lambda _: None)
    with pytest.raises(DatabaseError, match="append-only"):
        run_virtual(database.write(change))
    database.close()
    assert verdict(tmp_path / "hub.db").faults == ()
