"""Back-up and restore: one file for either database, so that it also moves a hub from one to the other.

The file is gzipped JSON lines: a header with the schema's revision, one line a row, a footer with the
counts and the SHA-256 of everything before it. It is read in one transaction, so it shows one moment of
a hub that goes on working. Personal data stays sealed; the keys are not in it.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from alembic.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import Connection, DateTime, Engine, MetaData, Table, func, inspect, select, text
from sqlalchemy.exc import SQLAlchemyError

from core.errors import ErrorCode, InternalError
from hub_api.store.schema import alone, upgrade_on
from hub_api.store.tables import Row

FORMAT = "drone-aed backup 1"
_VERSION_TABLE = "alembic_version"
_ROWS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class BackupReport:
    """What a back-up holds."""

    revision: str
    created_at: datetime
    rows: dict[str, int]


def _fault(what: str) -> InternalError:
    return InternalError(ErrorCode.STORE_FAILED, what, field="backup")


def back_up(engine: Engine, path: Path, *, now: datetime) -> BackupReport:
    """Write everything to ``path``, readable by its owner only. Nothing is left of a failed try."""
    partial = path.with_name(path.name + ".partial")
    digest = hashlib.sha256()
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with (
            os.fdopen(descriptor, "wb") as raw,
            gzip.GzipFile(fileobj=raw, mode="wb", mtime=0) as out,
            engine.connect() as connection,
        ):

            def line(value: dict[str, Any]) -> None:
                encoded = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
                digest.update(encoded)
                out.write(encoded)

            revision = MigrationContext.configure(connection).get_current_revision()
            if revision is None:
                raise _fault("the database has no schema of ours")
            line({"format": FORMAT, "revision": revision, "created_at": now.isoformat()})
            counts: dict[str, int] = {}
            for table in _tables(connection):
                order = list(table.primary_key.columns)
                result = connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(
                    select(table).order_by(*order)
                )
                counts[table.name] = 0
                for row in result:
                    line({"table": table.name, "row": {k: _packed(v) for k, v in row._mapping.items()}})
                    counts[table.name] += 1
            footer = {"rows": counts, "sha256": digest.hexdigest()}
            out.write(json.dumps(footer, separators=(",", ":")).encode() + b"\n")
            out.close()
            raw.flush()
            # On the disk before it takes the older one's place: after a power cut there is one of them, whole.
            os.fsync(raw.fileno())
        os.replace(partial, path)
        _sync_folder(path.parent)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    return BackupReport(revision, now, counts)


def _sync_folder(folder: Path) -> None:
    """Let the name of a file survive a power cut as the file does."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def check(path: Path) -> BackupReport:
    """Read a back-up to its end. Raises 5001 unless it is complete and unchanged."""
    digest = hashlib.sha256()
    counts: dict[str, int] = {}
    header: dict[str, Any] | None = None
    report: BackupReport | None = None
    # To the very end, after the footer too: only there does gzip's own check sum stand.
    for encoded, value in _lines(path):
        if header is None:
            if value.get("format") != FORMAT:
                raise _fault(f"{path.name} is no back-up of ours")
            header = value
        elif "sha256" in value:
            told = {name: count for name, count in value["rows"].items() if count}
            if value["sha256"] != digest.hexdigest() or told != counts:
                raise _fault(f"{path.name} was changed")
            created_at = datetime.fromisoformat(header["created_at"])
            report = BackupReport(header["revision"], created_at, value["rows"])
        else:
            table = value.get("table")
            if report is not None or not isinstance(table, str):
                raise _fault(f"{path.name} was changed")
            counts[table] = counts.get(table, 0) + 1
        digest.update(encoded)
    if report is None:
        raise _fault(f"{path.name} is not complete")
    return report


def restore(engine: Engine, path: Path) -> BackupReport:
    """Fill an empty database from a back-up and bring it to today's schema.

    Raises 5001 if the file is damaged or of a later release, or if the database holds anything: a restore
    never mixes with what is there.
    """
    report = check(path)
    try:
        # Whole or not at all: what fails midway leaves the database as empty as it was.
        with alone(engine) as connection:
            _restore(connection, path, report.revision)
    except SQLAlchemyError as error:
        raise _fault(f"the back-up could not be stored: {error}") from error
    return report


def _restore(connection: Connection, path: Path, revision: str) -> None:
    if inspect(connection).get_table_names():
        raise _fault("the database is not empty; restore into a new one")
    try:
        upgrade_on(connection, revision)
    except CommandError as error:
        raise _fault(f"schema {revision} is not known to this release") from error
    tables = {table.name: table for table in _tables(connection)}
    for table in tables.values():
        if connection.execute(select(func.count()).select_from(table)).scalar_one():
            raise _fault(f"{table.name} is not empty")
    for name, rows in _batches(path):
        table = tables[name]
        connection.execute(table.insert(), [_unpacked_row(table, row) for row in rows])
    if connection.dialect.name == "postgresql":
        _advance_sequences(connection, tables.values())
    upgrade_on(connection)


def _tables(connection: Connection) -> list[Table]:
    """The tables as they are, parents first; they may be of an earlier release than the code."""
    found = MetaData()
    found.reflect(connection, resolve_fks=True)
    known = {table.name for table in Row.metadata.tables.values()}
    return [table for table in found.sorted_tables if table.name != _VERSION_TABLE and table.name in known]


def _lines(path: Path) -> Iterator[tuple[bytes, dict[str, Any]]]:
    try:
        with gzip.open(path, "rb") as source:
            yield from _parsed(source)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise _fault(f"{path.name} cannot be read: {error}") from None


def _parsed(source: Iterable[bytes]) -> Iterator[tuple[bytes, dict[str, Any]]]:
    for encoded in source:
        value = json.loads(encoded)
        if not isinstance(value, dict):
            raise ValueError("a line is no object")
        yield encoded, value


def _batches(path: Path) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    name = ""
    rows: list[dict[str, Any]] = []
    for _, value in _lines(path):
        if "table" not in value:
            continue
        if rows and (value["table"] != name or len(rows) >= _ROWS_AT_ONCE):
            yield name, rows
            rows = []
        name = value["table"]
        rows.append(value["row"])
    if rows:
        yield name, rows


def _packed(value: Any) -> Any:
    """JSON as it is; moments and bytes in a wrapper that plain JSON columns cannot be mistaken for."""
    if isinstance(value, datetime):
        moment = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
        return {"$moment": moment.astimezone(UTC).isoformat()}
    if isinstance(value, (bytes, memoryview)):
        return {"$bytes": base64.b64encode(bytes(value)).decode()}
    if isinstance(value, (dict, list)):
        return {"$json": value}
    return value


def _unpacked_row(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    return {name: _unpacked(table.c[name].type, value) for name, value in row.items()}


def _unpacked(kind: Any, value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if "$bytes" in value:
        return base64.b64decode(value["$bytes"])
    if "$json" in value:
        return value["$json"]
    moment = datetime.fromisoformat(value["$moment"])
    # Reflected types of SQLite know no zone; ours are UTC throughout.
    aware = isinstance(kind, DateTime) and kind.timezone
    return moment if aware else moment.replace(tzinfo=None)


def _advance_sequences(connection: Connection, tables: Any) -> None:
    """Numbers go on after the highest that was restored."""
    for table in tables:
        for column in table.primary_key.columns:
            found = connection.execute(
                text("SELECT pg_get_serial_sequence(:table, :column)"),
                {"table": table.name, "column": column.name},
            ).scalar_one()
            if found is not None:
                highest = connection.execute(select(func.max(column))).scalar_one()
                if highest is not None:
                    connection.execute(
                        text("SELECT setval(:name, :highest)"), {"name": found, "highest": highest}
                    )
