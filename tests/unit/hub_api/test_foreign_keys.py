"""Every foreign key is found by an index, or says here why nobody needs one.

A foreign key without an index costs in two cases: somebody deletes its parent (the database looks for children), or
somebody looks for children by it. Neither happens to those named below, and each index costs the one writer at every
row; both reasons are held to the source.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine, Inspector, inspect

from hub_api.store.database import make_engine
from hub_api.store.schema import upgrade
from tests import postgres

STORE = Path(__file__).parents[3] / "hub_api" / "store"
NEVER_DELETED = {"orders", "incidents", "missions"}
"""What happened is kept for good; retention erases what is personal of it, not the row."""
NOT_LOOKED_FOR = {
    ("idempotency_keys", "order_id"): "found by client and key, dropped by age; one row an order",
    ("incident_keys", "incident_id"): "found by client and key, dropped by age",
    ("moves", "order_id"): "found by flight, or by being open",
    ("moves", "mission_id"): "likewise",
    ("diversions", "order_id"): "found by flight, or by being open",
    ("diversions", "mission_id"): "likewise",
    ("pre_emptions", "victim_order_id"): "found by who takes, or by being open",
    ("pre_emptions", "victim_mission_id"): "likewise",
}
"""Child table and column of the foreign keys without an index."""
ROWS = {
    "idempotency_keys": ("IdempotencyRow", "_K"),
    "incident_keys": ("IncidentKeyRow",),
    "moves": ("MoveRow",),
    "diversions": ("DiversionRow",),
    "pre_emptions": ("PreEmptionRow", "_P"),
}
"""How the repositories name them."""


def without_index(found: Inspector) -> dict[tuple[str, str], str]:
    """(Child table, columns) → parent table, of the foreign keys whose columns no index begins with."""
    bare = {}
    for table in found.get_table_names():
        leads = [
            found.get_pk_constraint(table)["constrained_columns"],
            *(index["column_names"] for index in found.get_indexes(table)),
            *(unique["column_names"] for unique in found.get_unique_constraints(table)),
        ]
        for key in found.get_foreign_keys(table):
            columns = key["constrained_columns"]
            if not any(lead[: len(columns)] == columns for lead in leads):
                bare[table, ", ".join(columns)] = key["referred_table"]
    return bare


def test_every_foreign_key_has_an_index_or_a_reason(tmp_path: Path, each_database: str) -> None:
    sqlite = each_database == "sqlite"
    url = f"sqlite:///{tmp_path / 'hub.db'}" if sqlite else postgres.database_url(postgres.create_database())
    engine: Engine = make_engine(url)
    try:
        upgrade(engine)
        bare = without_index(inspect(engine))
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP INDEX ix_callbacks_order_id")
        # The test sees one that is gone.
        assert without_index(inspect(engine)) == bare | {("callbacks", "order_id"): "orders"}
    finally:
        engine.dispose()
        if not sqlite:
            postgres.drop_database(url)
    assert set(bare) == set(NOT_LOOKED_FOR)
    assert set(bare.values()) <= NEVER_DELETED


def sources() -> str:
    files = [file for file in STORE.rglob("*.py") if "migrations" not in file.parts]
    assert len(files) > 25
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


def _deletes_parent(source: str) -> bool:
    rows = "|".join(("OrderRow", "IncidentRow", "MissionRow", "_ROWS", "_ORDERS", "_INCIDENTS", "_MISSIONS"))
    tables = "|".join(NEVER_DELETED)
    return re.search(rf"delete\((table_of\()?({rows})\b|DELETE FROM ({tables})\b", source) is not None


def _looks_by_child(source: str) -> bool:
    for table, column in NOT_LOOKED_FOR:
        for row in ROWS[table]:
            # A pre-emption's own file has _P; others' _P has none of these columns.
            if re.search(rf"\b{row}\.(c\.)?{column}\b", re.sub(r"select\([^)]*\)", "", source)):
                return True
    return False


def test_the_reasons_hold() -> None:
    source = sources()
    checks: list[tuple[Callable[[str], bool], str]] = [
        (_deletes_parent, "session.execute(delete(OrderRow).where(col(OrderRow.order_id) == old))"),
        (_deletes_parent, "delete(table_of(MissionRow))"),
        (_looks_by_child, "select(MoveRow).where(col(MoveRow.order_id) == order_id)"),
        (_looks_by_child, "select(_P.drone_id).where(_P.victim_order_id == 1)"),
        (_looks_by_child, "delete(_KEYS).where(_K.order_id == 1)"),
    ]
    for check, wrong in checks:
        assert check(wrong)
        assert not check(source)
