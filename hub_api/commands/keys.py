"""``drone-aed keys``: API keys for machines. A secret is shown once and stored nowhere."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from core.clock import LoopClock
from core.errors import DispatchError, ErrorCode
from core.ids import IdSource
from hub_api.commands.serve import load_settings
from hub_api.security import Scope, create_api_key
from hub_api.store.database import Database, make_engine, upgrade
from hub_api.store.repositories import api_keys

T = TypeVar("T")
DataDir = Annotated[Path | None, typer.Option(help="The hub's data directory (default: from the settings).")]

app = typer.Typer(help="API keys: make, list, revoke.", no_args_is_help=True)


def _with_database(data_dir: Path | None, work: Callable[[Database, IdSource, LoopClock], Awaitable[T]]) -> T:
    settings = load_settings(data_dir=data_dir)
    settings.prepare_data_dir()
    engine = make_engine(settings.effective_database_url)
    upgrade(engine)

    async def run() -> T:
        database = Database(engine, on_committed=lambda _: None)
        try:
            clock = LoopClock()
            return await work(database, IdSource(clock), clock)
        finally:
            database.close()

    return asyncio.run(run())


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

    secret, key_id = _with_database(data_dir, work)
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

    for line in _with_database(data_dir, work):
        typer.echo(line)


@app.command("revoke")
def revoke(
    key_id: Annotated[str, typer.Argument(help="As printed by create and list.")], data_dir: DataDir = None
) -> None:
    """Close a key for ever, at once."""

    async def work(database: Database, _ids: IdSource, clock: LoopClock) -> None:
        known = {record.key_id for record in await database.read(api_keys.list_all)}
        if key_id not in known:
            raise DispatchError(ErrorCode.ORDER_INVALID, f"there is no key {key_id}", field="key_id")
        await database.write(lambda session: api_keys.revoke(session, key_id, clock.now()))

    _with_database(data_dir, work)
    typer.echo(f"{key_id} revoked")
