"""``drone-aed accounts``: people who may log in; how the first administrator comes to be."""

from __future__ import annotations

from typing import Annotated

import typer

from core.clock import LoopClock
from core.errors import DispatchError, ErrorCode
from core.ids import IdSource
from hub_api.access.accounts import Accounts
from hub_api.access.passwords import Passwords
from hub_api.access.scopes import Role
from hub_api.access.tokens import TokenSigner
from hub_api.commands.store import DataDir, with_database
from hub_api.keyring import Keyring
from hub_api.store.database import Database
from hub_api.store.repositories import accounts

app = typer.Typer(help="Accounts of people: make, list, unlock, disable.", no_args_is_help=True)


def _service(database: Database, ids: IdSource, clock: LoopClock, passwords: Passwords) -> Accounts:
    """Accounts without the means to issue tokens: nobody logs in on the command line."""
    return Accounts(
        database=database,
        ids=ids,
        clock=clock,
        signer=TokenSigner(Keyring(()), clock, lifetime_s=0.0),
        passwords=passwords,
        session_s=0.0,
    )


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="What the person logs in with.")],
    role: Annotated[Role, typer.Option(help="What the person is here for.")],
    client: Annotated[str, typer.Option(help="Whose orders the person works on, e.g. shenzhen-120.")],
    password: Annotated[
        str,
        typer.Option(prompt=True, hide_input=True, confirmation_prompt=True, help="Asked for if not given."),
    ],
    data_dir: DataDir = None,
) -> None:
    """Make an account and print its id."""

    async def work(database: Database, ids: IdSource, clock: LoopClock) -> str:
        passwords = Passwords()
        try:
            account = await _service(database, ids, clock, passwords).create(
                name=name, client=client, role=role, password=password
            )
        finally:
            passwords.close()
        return account.account_id

    typer.echo(with_database(data_dir, work))


@app.command("list")
def list_accounts(data_dir: DataDir = None) -> None:
    """Every account with its role and state."""

    async def work(database: Database, _ids: IdSource, _clock: LoopClock) -> list[str]:
        return [
            f"{account.account_id}  {account.name}  {account.client}  {account.role}  "
            + ("disabled" if account.disabled_at else "active")
            for account in await database.read(accounts.list_all)
        ]

    for line in with_database(data_dir, work):
        typer.echo(line)


def _change(name: str, data_dir: DataDir, *, disabled: bool | None, unlock: bool) -> None:
    async def work(database: Database, ids: IdSource, clock: LoopClock) -> None:
        found = await database.read(lambda session: accounts.credentials(session, name))
        if found is None:
            raise DispatchError(ErrorCode.RESOURCE_UNKNOWN, f"there is no account {name!r}", field="name")
        passwords = Passwords()
        try:
            await _service(database, ids, clock, passwords).change(
                found[0].account_id, disabled=disabled, unlock=unlock
            )
        finally:
            passwords.close()

    with_database(data_dir, work)


Name = Annotated[str, typer.Argument(help="What the person logs in with.")]


@app.command("unlock")
def unlock(name: Name, data_dir: DataDir = None) -> None:
    """Lift a lock after wrong passwords before its time."""
    _change(name, data_dir, disabled=None, unlock=True)
    typer.echo(f"{name} unlocked")


@app.command("disable")
def disable(name: Name, data_dir: DataDir = None) -> None:
    """Close an account at once, its tokens included."""
    _change(name, data_dir, disabled=True, unlock=False)
    typer.echo(f"{name} disabled")
