"""The hub of a play as a process that can die, start again on the same data, and lose its database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import sqlalchemy
from fastapi import FastAPI

from core.ids import IdSource
from flight.bus import InProcessBus
from flight.links.transport import Transport
from geofences.airspace import Airspace
from hub_api import rooms
from hub_api.agent_room import AgentTask
from hub_api.hub import Hub, Parts
from hub_api.main import create_app
from hub_api.settings import DEMO_API_KEY, Settings
from hub_api.store.database import make_engine
from hub_api.store.records import EventRecord
from hub_api.store.schema import upgrade
from hub_api.wiring.opening import open_hub
from planner.site import Drone, Site
from proving_ground.hub_clock import HubClock


@dataclass
class HubProcess:
    """Hub and agents of one play. ``started``: called after every start, when the API answers."""

    site: Site
    site_file: Path
    folder: Path
    seed: int
    clock: HubClock
    transport_of: Callable[[Drone], Transport]
    started: Callable[[], Awaitable[None]]
    stored: int = 0
    """Events that the hub has stored: while there is no new one, nobody need look at the orders again."""
    _inside: AsyncExitStack = field(default_factory=AsyncExitStack)
    _hub: Hub | None = None
    _client: httpx.AsyncClient | None = None
    _starts: int = 0
    _takes_writes: bool = True
    _watched: bool = False
    """Whether the running hub's database asks before every transaction: only where it was ever broken."""

    @property
    def is_up(self) -> bool:
        """Whether the process runs."""
        return self._hub is not None

    @property
    def hub(self) -> Hub:
        """The running hub."""
        assert self._hub is not None, "the hub is down"
        return self._hub

    @property
    def airspace(self) -> Airspace | None:
        """What is in force; None while the hub is down."""
        return None if self._hub is None else self._hub.airspace

    @property
    def client(self) -> httpx.AsyncClient:
        """The centre's connection."""
        assert self._client is not None, "the hub is down"
        return self._client

    async def start(self) -> None:
        """Start hub and agents on the same data as before."""
        settings = Settings(
            _env_file=None,
            data_dir=self.folder / "data",
            demo=True,
            site_file=self.site_file,
            log_level="ERROR",
        )
        self._starts += 1
        self.clock.start_anew()
        database = settings.data_dir / "hub.db"
        if not database.exists():
            settings.prepare_data_dir()
            database.write_bytes(_empty_database())
        ids = IdSource(self.clock, seed=1000 * self.seed + self._starts)

        def agents(hub: Hub) -> list[AgentTask]:
            return rooms.default_agents(
                hub.site,
                hub.bus,
                hub.clock,
                hub.ids,
                journal_dir=settings.journal_dir,
                records_dir=settings.records_dir,
                airspace=lambda: hub.airspace,
                transport_of=self.transport_of,
            )

        parts = Parts(
            clock=self.clock,
            machine_now=self.clock.machine_now,
            bus=InProcessBus(self.clock),
            ids=ids,
            site=self.site,
            agents=agents,
        )
        app = _application()
        app.state.hub = self._hub = await self._inside.enter_async_context(open_hub(settings, parts))
        self._hub.feed.listen(self._count_stored)
        self._client = await self._inside.enter_async_context(
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app=app, raise_app_exceptions=False),
                base_url="http://hub",
                trust_env=False,
                headers={"X-API-Key": DEMO_API_KEY},
            )
        )
        await self.started()

    def _count_stored(self, event: EventRecord) -> bool:
        self.stored += 1
        return False

    async def stop(self) -> None:
        """The process ends: tasks stop where they are, the bus is gone; vehicles fly on."""
        self._client = self._hub = None
        self._takes_writes, self._watched = True, False
        await self._inside.aclose()
        self._inside = AsyncExitStack()

    def check(self) -> None:
        """Raise what broke inside the hub, if anything did."""
        if self._hub is not None and self._hub.failure.done():
            self._hub.failure.result()

    def break_database(self) -> None:
        """From now on every transaction finds a database that takes no write, as one is after a change-over or on a
        full disk; what is asked of it is read. The driver itself refuses, whatever way a statement takes to it."""
        self._takes_writes = False
        if not self._watched:
            self._watched = True
            sqlalchemy.event.listen(self.hub.database._engine, "begin", self._say_whether)

    def mend_database(self) -> None:
        """The database takes writes again."""
        self._takes_writes = True

    def _say_whether(self, connection: sqlalchemy.Connection) -> None:
        driver: Any = connection.connection.dbapi_connection
        driver.execute(f"PRAGMA query_only = {int(not self._takes_writes)}")


@cache
def _application() -> FastAPI:
    """The hub's routes and middleware, made once a process: only the hub behind them changes."""
    return create_app(Settings(_env_file=None, demo=True))


@cache
def _empty_database() -> bytes:
    """A database after all migrations, made once a process: every scenario starts with a copy."""
    with TemporaryDirectory(prefix="proving-") as folder:
        file = Path(folder) / "hub.db"
        engine = make_engine(f"sqlite:///{file}")
        upgrade(engine)
        engine.dispose()
        return file.read_bytes()
