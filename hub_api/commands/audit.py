"""``drone-aed audit``: is the audit log whole?"""

from __future__ import annotations

import re
from typing import Annotated

import typer

from core.clock import LoopClock
from core.errors import ErrorCode, InternalError
from core.ids import IdSource
from hub_api.commands.store import DataDir, with_database
from hub_api.store.database import Database
from hub_api.store.repositories import audit

app = typer.Typer(help="The audit log: verify its chain, show its head.", no_args_is_help=True)


@app.command("verify")
def verify(
    expect_head: Annotated[
        str | None, typer.Option(help="A head noted earlier, SEQ:HASH: it must still be a part of the log.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Walk the whole chain; exit code 1 and one line a fault if it is not whole."""
    known: tuple[int, str] | None = None
    if expect_head is not None:
        if not re.fullmatch(r"[0-9]{1,9}:[0-9a-f]{64}", expect_head):
            raise InternalError(ErrorCode.SETTINGS_INVALID, "a head is SEQ:HASH", field="expect-head")
        seq, _, digest = expect_head.partition(":")
        known = (int(seq), digest)

    async def work(database: Database, _ids: IdSource, _clock: LoopClock) -> audit.Verification:
        return await database.read(lambda session: audit.verify(session, known_head=known))

    found = with_database(data_dir, work)
    for fault in found.faults:
        typer.echo(fault)
    if found.faults:
        typer.echo(f"NOT WHOLE: {len(found.faults)} faults in {found.entries} entries")
        raise typer.Exit(1)
    typer.echo(f"whole: {found.entries} entries, head {found.entries}:{found.head}")


@app.command("head")
def head(data_dir: DataDir = None) -> None:
    """Print the newest entry as SEQ:HASH, to be noted where the hub's database is not."""

    async def work(database: Database, _ids: IdSource, _clock: LoopClock) -> tuple[int, str]:
        return await database.read(audit.head)

    seq, digest = with_database(data_dir, work)
    typer.echo(f"{seq}:{digest}")
