"""``drone-aed personal-data``: erase what is kept too long, seal anew after a rotation of keys."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from core.clock import LoopClock
from core.ids import IdSource
from hub_api.commands.store import DataDir, with_settings_and_database
from hub_api.keyring import keyring
from hub_api.personal_data import PersonalData
from hub_api.settings import Settings
from hub_api.store.database import Database
from hub_api.vault import Vault

app = typer.Typer(help="Callers and patients' notes: erase, seal anew.", no_args_is_help=True)


def _personal(settings: Settings) -> PersonalData:
    return PersonalData(Vault(keyring(settings.personal_keys, field="personal_keys", demo=settings.demo)))


@app.command("erase")
def erase(
    older_than_days: Annotated[
        float | None, typer.Option(min=0, help="After an order's end; by default as the settings say.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Erase callers and notes of orders and incidents that ended long ago. The hub does this every hour by itself."""

    async def work(settings: Settings, database: Database, _ids: IdSource, clock: LoopClock) -> int:
        kept_s = settings.personal_keep_s if older_than_days is None else older_than_days * 86400.0
        moment = clock.now() - timedelta(seconds=kept_s)
        return await _personal(settings).erase_finished_before(database, moment, now=clock.now())

    typer.echo(f"{with_settings_and_database(data_dir, work)} orders and incidents erased")


@app.command("reseal")
def reseal(data_dir: DataDir = None) -> None:
    """Seal everything with the first of the keys, so that the others can be dropped from the settings."""

    async def work(settings: Settings, database: Database, _ids: IdSource, _clock: LoopClock) -> int:
        return await _personal(settings).reseal(database)

    typer.echo(f"{with_settings_and_database(data_dir, work)} records sealed anew")
