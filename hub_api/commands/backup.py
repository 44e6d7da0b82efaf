"""``drone-aed backup`` and ``drone-aed restore``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from hub_api.commands.store import DataDir
from hub_api.settings import load_settings
from hub_api.store.backup import BackupReport, back_up
from hub_api.store.backup import check as check_file
from hub_api.store.backup import restore as restore_file
from hub_api.store.database import make_engine


def backup(
    file: Annotated[
        Path, typer.Argument(help="Where to write it; an older file there is replaced at the end.")
    ],
    data_dir: DataDir = None,
) -> None:
    """Write the database to one file, while the hub works. Personal data stays sealed; the keys are not in it."""
    engine = make_engine(load_settings(data_dir=data_dir).effective_database_url)
    try:
        _show(back_up(engine, file, now=datetime.now(UTC)))
    finally:
        engine.dispose()


def restore(
    file: Annotated[Path, typer.Argument(help="A back-up.", exists=True, dir_okay=False, readable=True)],
    check: Annotated[bool, typer.Option("--check", help="Only read it and say whether it is whole.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Fill an empty database, SQLite or PostgreSQL, from a back-up. Never while a hub runs on it."""
    if check:
        _show(check_file(file))
        return
    settings = load_settings(data_dir=data_dir)
    settings.prepare_data_dir()
    engine = make_engine(settings.effective_database_url)
    try:
        _show(restore_file(engine, file))
    finally:
        engine.dispose()


def _show(report: BackupReport) -> None:
    rows = ", ".join(f"{count} {name}" for name, count in report.rows.items() if count)
    typer.echo(f"schema {report.revision}, {report.created_at:%Y-%m-%d %H:%M:%S}Z: {rows or 'no rows'}")
