"""A hub with everything around it played, in virtual time."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from contextvars import ContextVar
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from core.clock import LoopClock
from core.geodesy import Wgs84Point
from core.ids import IdSource
from core.virtual_time import run_virtual
from flight.bus import InProcessBus
from hub_api.agent_room import AgentTask
from hub_api.dispatch.service import NewOrder
from hub_api.features.orders.placing import canonical_sha256
from hub_api.features.orders.requests import OrderRequest
from hub_api.features.orders.views import event_view
from hub_api.hub import Hub, Parts
from hub_api.identification.ports import IdentificationPort
from hub_api.main import create_app
from hub_api.messages.ports import SmsPort, VideoPort
from hub_api.settings import DEMO_API_KEY, Settings
from hub_api.store.database import make_engine
from hub_api.store.records import OrderRecord
from hub_api.store.repositories import events, orders
from hub_api.store.schema import upgrade
from planner.site import Drone, Site
from tests import postgres
from tests.unit.hub_api.played_drone import Memory, PlayedDrone, Script
from tests.unit.hub_api.played_planning import SITE_FILE, FirstReady, NearestWay, a_site, an_airspace

EPOCH = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
PATIENT = {"reference_system": "WGS-84", "latitude_deg": 22.5601, "longitude_deg": 113.8901}
TEST_KEYS = {
    "personal_keys": "p1:" + base64.b64encode(b"personal data key of the tests..").decode(),
    "token_keys": "t1:" + base64.b64encode(b"token signing key of the tests..").decode(),
    "identification_keys": "i1:" + base64.b64encode(b"identification key of the tests.").decode(),
}
BODY: dict[str, Any] = {"position": PATIENT, "severity": "I"}


@dataclass
class World:
    """A running hub, a client that speaks to it over HTTP, and its drones."""

    hub: Hub
    client: httpx.AsyncClient
    drones: dict[str, PlayedDrone]
    planner: FirstReady
    ways: NearestWay
    callbacks: list[httpx.Request]

    async def order(self, key: str = "k1", **changes: Any) -> httpx.Response:
        return await self.client.post(
            "/v1/orders", json={**BODY, **changes}, headers={"Idempotency-Key": key}
        )

    async def state(self, order_id: str) -> str:
        state: str = (await self.client.get(f"/v1/orders/{order_id}")).json()["state"]
        return state

    def memories(self) -> dict[str, Memory]:
        """What the drones would still know after everything here is gone."""
        return {drone_id: deepcopy(drone.memory) for drone_id, drone in self.drones.items()}

    async def receive_only(self, key: str) -> OrderRecord:
        """Store an order and go no further, as a process killed before its decision."""
        request = OrderRequest.model_validate(BODY).model_dump(mode="json")
        new = NewOrder(
            client="demo",
            key=key,
            body_sha256=canonical_sha256(request),
            request=request,
            patient=Wgs84Point(PATIENT["latitude_deg"], PATIENT["longitude_deg"]),
            severity="I",
        )
        stored = await self.hub.database.write(lambda s: self.hub.orders._receive(s, new))
        assert stored is not None
        return stored.order

    async def until(self, order_id: str, *states: str, at_most_s: float = 600.0) -> dict[str, Any]:
        """Wait until the order is in one of the states."""
        listener = self.hub.feed.listen(lambda event: event.order_id == order_id)
        try:
            async with self.hub.clock.timeout(at_most_s):
                while True:
                    record = await self.hub.database.read(lambda s: orders.get(s, order_id))
                    if record.state in states:
                        found: dict[str, Any] = (await self.client.get(f"/v1/orders/{order_id}")).json()
                        return found
                    await listener.next()
        finally:
            self.hub.feed.leave(listener)

    async def events(self, order_id: str, after: int = 0) -> list[dict[str, Any]]:
        """The stored events of an order, without following it."""
        found = await self.hub.database.read(lambda s: events.of_order(s, order_id, after=after))
        return [event_view(event).model_dump(mode="json") for event in found]


def scripts_for(site: Site, scripts: dict[str, Script] | None) -> dict[str, Script]:
    given = scripts or {}
    return {drone.drone_id: given.get(drone.drone_id, Script()) for drone in site.drones}


@cache
def migrated() -> bytes:
    """An empty database at the newest schema, made once by the real migrations."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "hub.db"
        engine = make_engine(f"sqlite:///{path}")
        upgrade(engine)
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        engine.dispose()
        return path.read_bytes()


database_kind: ContextVar[str] = ContextVar("database_kind", default="sqlite")
"""What worlds are stored in; the fixture ``each_database`` sets it."""
_POSTGRESQL: dict[Path, str] = {}


def database_url_of(data_dir: Path) -> str:
    """The database of a data directory, made at its first use; the same after a restart."""
    if database_kind.get() == "postgresql":
        if data_dir not in _POSTGRESQL:
            _POSTGRESQL[data_dir] = postgres.migrated_database()
        return _POSTGRESQL[data_dir]
    path = data_dir / "hub.db"
    if not path.exists():
        path.write_bytes(migrated())
    return f"sqlite:///{path}"


def drop_databases() -> None:
    """Remove what worlds left on the PostgreSQL server."""
    while _POSTGRESQL:
        postgres.drop_database(_POSTGRESQL.popitem()[1])


@asynccontextmanager
async def world(
    data_dir: Path,
    *,
    scripts: dict[str, Script] | None = None,
    answer_callback: Callable[[httpx.Request], httpx.Response] | None = None,
    epoch: datetime = EPOCH,
    seed: int = 1,
    memories: dict[str, Memory] | None = None,
    sms: SmsPort | None = None,
    video: VideoPort | None = None,
    gateway_transport: httpx.AsyncBaseTransport | None = None,
    identification_port: IdentificationPort | None = None,
    site: Site | None = None,
    **settings: Any,
) -> AsyncIterator[World]:
    """A hub on ``data_dir``, in the running loop's time."""
    clock = LoopClock(epoch=epoch)
    ids = IdSource(clock, seed=seed)
    site = site or a_site()
    url = database_url_of(data_dir)
    planner = FirstReady(site, ids)
    ways = NearestWay(site, ids)
    drones: dict[str, PlayedDrone] = {}
    callbacks: list[httpx.Request] = []

    def agents(hub: Hub) -> list[AgentTask]:
        planner.follow(lambda: hub.site)
        for drone_id, script in scripts_for(hub.site, scripts).items():
            memory = (memories or {}).get(drone_id, Memory())
            drones[drone_id] = PlayedDrone(drone_id, hub, script, memory)
        return [drone.run() for drone in drones.values()]

    def agent_of(hub: Hub, drone: Drone) -> AgentTask:
        drones[drone.drone_id] = PlayedDrone(
            drone.drone_id, hub, (scripts or {}).get(drone.drone_id, Script())
        )
        return drones[drone.drone_id].run()

    def take_callback(request: httpx.Request) -> httpx.Response:
        callbacks.append(request)
        return answer_callback(request) if answer_callback else httpx.Response(204)

    chosen = Settings(
        _env_file=None,
        **(
            {
                "data_dir": data_dir,
                "database_url": url,
                "demo": True,
                "site_file": SITE_FILE,
                # Every order of these tests is for a patient of its own, at one place.
                "merge_radius_m": 0.0,
            }
            | TEST_KEYS
            | settings
        ),
    )
    app = create_app(
        chosen,
        Parts(
            clock=clock,
            bus=InProcessBus(clock),
            ids=ids,
            site=site,
            airspace=an_airspace(),
            planning=planner,
            airborne=ways,
            callback_transport=httpx.MockTransport(take_callback),
            sms=sms,
            video=video,
            gateway_transport=gateway_transport,
            identification=identification_port,
            agents=agents,
            agent_of=agent_of,
        ),
    )
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://hub", headers={"X-API-Key": DEMO_API_KEY}
        ) as client:
            yield World(app.state.hub, client, drones, planner, ways, callbacks)


def play(main: Coroutine[Any, Any, Any]) -> Any:
    """Run a test's coroutine in virtual time."""
    return run_virtual(main)
