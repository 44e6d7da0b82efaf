"""What commands that work on the hub's database share: opening it, and who they act as."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from core.clock import LoopClock
from core.ids import IdSource
from hub_api.actor import Actor, acting_as
from hub_api.settings import Settings, load_settings
from hub_api.store.database import Database, make_engine
from hub_api.store.schema import upgrade

T = TypeVar("T")
DataDir = Annotated[Path | None, typer.Option(help="The hub's data directory (default: from the settings).")]


def with_database(data_dir: Path | None, work: Callable[[Database, IdSource, LoopClock], Awaitable[T]]) -> T:
    """Run ``work`` on the hub's database; the audit log names the user of this machine."""
    return with_settings_and_database(
        data_dir, lambda _settings, database, ids, clock: work(database, ids, clock)
    )


def with_settings_and_database(
    data_dir: Path | None, work: Callable[[Settings, Database, IdSource, LoopClock], Awaitable[T]]
) -> T:
    """The same, for work that needs the settings too."""
    settings = load_settings(data_dir=data_dir)
    settings.prepare_data_dir()
    engine = make_engine(settings.effective_database_url)
    upgrade(engine)

    async def run() -> T:
        database = Database(engine, on_committed=lambda _: None)
        try:
            clock = LoopClock()
            return await work(settings, database, IdSource(clock), clock)
        finally:
            database.close()

    with acting_as(Actor("command_line", _user())):
        return asyncio.run(run())


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown user"
