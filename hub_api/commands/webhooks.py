"""``drone-aed webhooks``: what was not delivered, and sending it again."""

from __future__ import annotations

from typing import Annotated

import typer

from core.clock import LoopClock
from core.ids import IdSource
from hub_api.commands.store import DataDir, with_database
from hub_api.dispatch.webhooks import replay as replay_one
from hub_api.store.database import Database
from hub_api.store.records import CallbackRecord
from hub_api.store.repositories import callbacks

app = typer.Typer(help="Callbacks that were given up: list, send again.", no_args_is_help=True)
_SHOWN = 200


@app.command("dead")
def dead(data_dir: DataDir = None) -> None:
    """List given-up callbacks, newest first."""

    async def work(database: Database, _ids: IdSource, _clock: LoopClock) -> list[CallbackRecord]:
        return await database.read(lambda s: callbacks.dead(s, client=None, before=None, limit=_SHOWN))

    for letter in with_database(data_dir, work):
        typer.echo(
            f"{letter.seq}  {letter.order_id}  {letter.url}  {letter.attempts} tries  {letter.last_error or ''}"
        )


@app.command("replay")
def replay(
    callback_id: Annotated[int, typer.Argument(min=1, help="As printed by dead.")], data_dir: DataDir = None
) -> None:
    """Owe a given-up callback again; a running hub sends it within a minute."""

    async def work(database: Database, _ids: IdSource, clock: LoopClock) -> None:
        now = clock.now()
        await database.write(lambda s: replay_one(s, callback_id, client=None, now=now))

    with_database(data_dir, work)
    typer.echo(f"{callback_id} is owed again")
