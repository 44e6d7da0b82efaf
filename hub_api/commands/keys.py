"""``drone-aed keys``: API keys for machines. A secret is shown once and stored nowhere."""

from __future__ import annotations

from typing import Annotated

import typer

from core.clock import LoopClock
from core.ids import IdSource
from hub_api.access.keys import MOST_GRACE_S, create_api_key, revoke_api_key, rotate_api_key
from hub_api.access.scopes import Scope
from hub_api.commands.store import DataDir, with_database
from hub_api.store.database import Database
from hub_api.store.repositories import api_keys

app = typer.Typer(help="API keys: make, list, rotate, revoke.", no_args_is_help=True)


@app.command("create")
def create(
    client: Annotated[
        str, typer.Argument(help="Whose key it is, e.g. shenzhen-120; orders belong to the client.")
    ],
    scope: Annotated[list[str], typer.Option(help=f"One of: {', '.join(Scope)}. Repeat for several.")],
    name: Annotated[str, typer.Option(help="What it is for, in words.")] = "made on the command line",
    data_dir: DataDir = None,
) -> None:
    """Make a key and print its secret, once."""

    async def work(database: Database, ids: IdSource, clock: LoopClock) -> tuple[str, str]:
        secret, record = await create_api_key(
            database, ids, clock, client=client, name=name, scopes=frozenset(scope)
        )
        return secret, record.key_id

    secret, key_id = with_database(data_dir, work)
    typer.echo(f"{key_id}  client {client}  scopes {' '.join(sorted(scope))}", err=True)
    typer.echo(secret)


@app.command("list")
def list_keys(data_dir: DataDir = None) -> None:
    """Every key with its client, scopes and state; secrets are not kept and can't be shown."""

    async def work(database: Database, _ids: IdSource, _clock: LoopClock) -> list[str]:
        records = await database.read(api_keys.list_all)
        return [
            f"{record.key_id}  {record.client}  {' '.join(sorted(record.scopes))}  {record.name}  "
            + (f"revoked {record.revoked_at:%Y-%m-%d %H:%M}Z" if record.revoked_at else "active")
            for record in records
        ]

    for line in with_database(data_dir, work):
        typer.echo(line)


@app.command("rotate")
def rotate(
    key_id: Annotated[str, typer.Argument(help="As printed by create and list.")],
    grace_s: Annotated[
        float, typer.Option(min=0, max=MOST_GRACE_S, help="How long the old secret still works.")
    ] = 3600.0,
    data_dir: DataDir = None,
) -> None:
    """Give a key a new secret and print it, once."""

    async def work(database: Database, _ids: IdSource, clock: LoopClock) -> str:
        return await rotate_api_key(database, clock, key_id, grace_s=grace_s)

    typer.echo(with_database(data_dir, work))


@app.command("revoke")
def revoke(
    key_id: Annotated[str, typer.Argument(help="As printed by create and list.")], data_dir: DataDir = None
) -> None:
    """Close a key for ever; a running hub takes it for a second more at most."""

    async def work(database: Database, _ids: IdSource, clock: LoopClock) -> None:
        await revoke_api_key(database, clock, key_id)

    with_database(data_dir, work)
    typer.echo(f"{key_id} revoked")
